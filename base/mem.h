/* mem: checked allocation. Everything here is freed with mem_free(). */
#ifndef CRYOLEX_BASE_MEM_H
#define CRYOLEX_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define MEM_ALIGN 64 /* bytes; a cache line, and enough for AVX-512 */

/* n * size bytes, aligned to MEM_ALIGN. n * size == 0 gives a valid one-byte block.
 * NULL with ERR_NOMEM (also when n * size overflows). mem_new leaves the bytes undefined, mem_zero clears them. */
void *mem_new(size_t n, size_t size, err_t *err);
void *mem_zero(size_t n, size_t size, err_t *err);

/* Make room for `want` elements of `size` bytes in the array *p of capacity *cap (grows geometrically; old
 * contents kept; *p may start as NULL with *cap 0). 0, or -1 with ERR_NOMEM and *p, *cap unchanged. */
int mem_grow(void *p, size_t *cap, size_t want, size_t size, err_t *err);

void mem_free(void *p); /* NULL is fine */

/* Large blocks that were freed are kept for the next (block.h): give them back to the system. */
void mem_trim(void);

/* Copy of a string; NULL with ERR_NOMEM. */
char *mem_str(const char *s, err_t *err);

/* *out = a * b; false if that overflows size_t. */
bool mem_mul(size_t a, size_t b, size_t *out);

#endif
