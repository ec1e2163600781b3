# mrc/: density files <-> vol_t. Includes base/ only.
MRC_LIBS =
