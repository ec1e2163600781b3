/* intern: each distinct string once, with a number. */
#ifndef CRYOLEX_BASE_INTERN_H
#define CRYOLEX_BASE_INTERN_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

typedef struct {
    const char **str; /* (n) by number, from 0 in order of arrival; none moves before intern_free() */
    size_t n;
    size_t cap;       /* the rest is its own */
    uint32_t *hash;   /* (n) */
    size_t hashes;
    uint32_t *slot;   /* number + 1; 0: free */
    size_t slots;     /* a power of two */
    void *block;
    size_t used;
} intern_t;

/* The number of s[0..len-1], which holds no NUL; a new one where it was not there. *t starts from {0}. 0, or -1: ERR_NOMEM,
 * ERR_RANGE 2^32 - 1 strings. One thread at a time. */
int intern_add(intern_t *t, const char *s, size_t len, uint32_t *number, err_t *err);
long intern_find(const intern_t *t, const char *s, size_t len); /* number, or -1. Thread-safe */
/* What only those two need is given back: str and n stay, nothing can be added or found any more. */
void intern_seal(intern_t *t);
void intern_free(intern_t *t); /* leaves {0} */

#endif
