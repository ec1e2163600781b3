# pdb/: atomic model files -> model_t. Includes base/ only.
PDB_LIBS =
