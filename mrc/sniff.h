/* sniff: what a file is that is no MRC file, so that the refusal can say so. */
#ifndef CRYOLEX_MRC_SNIFF_H
#define CRYOLEX_MRC_SNIFF_H

#include <stdbool.h>
#include <stddef.h>

/* Name of the format of a file that begins with the n bytes at b (1024 are enough) and has `size` bytes (SIZE_MAX: not
 * known): "HDF5", "a Git LFS pointer (the map itself was not fetched)", "plain text", ... NULL: unknown.
 * Formats without a magic number (SPIDER, EM, DSN6) are told by fields that agree with each other and with the size.
 * Static storage; nothing is read as that format. */
const char *sniff_format(const unsigned char *b, size_t n, size_t size);

#endif
