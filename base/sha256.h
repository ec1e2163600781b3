/* sha256: the SHA-256 of a file, to say which one was used. */
#ifndef CRYOLEX_BASE_SHA256_H
#define CRYOLEX_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SHA256_HEX 65 /* 64 hexadecimal digits and the zero */

typedef struct {
    uint32_t h[8];
    uint64_t bytes;
    unsigned char block[64];
} sha256_t;

/* Source: FIPS 180-4. */
void sha256_start(sha256_t *s);
void sha256_add(sha256_t *s, const void *p, size_t n);
void sha256_end(sha256_t *s, char out[SHA256_HEX]); /* small letters; *s is used up */

/* Of a file that can be read once. 0, or -1 ERR_IO. */
int sha256_file(const char *path, char out[SHA256_HEX], err_t *err);

#endif
