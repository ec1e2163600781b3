/* sniff: what a file is that is no MRC file: one that another reader takes, or one that a refusal can name. */
#ifndef CRYOLEX_MRC_SNIFF_H
#define CRYOLEX_MRC_SNIFF_H

#include <stdbool.h>
#include <stddef.h>

typedef enum { IS_OTHER, IS_HDF5, IS_TIFF, IS_SITUS, IS_DX, IS_SPIDER, IS_EM } sniffed_t;

typedef struct {
    sniffed_t is;
    const char *name; /* "HDF5", "a Git LFS pointer (the file itself was not fetched)", "plain text", ...; NULL: unknown. Static */
} sniff_t;

enum { SNIFF_BYTES = 1024 }; /* enough */

/* The format of a file that begins with the n bytes at b and has `size` bytes (SIZE_MAX: not known). Formats without a magic number
 * (SPIDER, EM, DSN6) are told by fields that agree with each other and with the size. Nothing is read as that format. */
sniff_t sniff(const unsigned char *b, size_t n, size_t size);

#endif
