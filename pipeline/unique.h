/* unique: names that occur more than once. */
#ifndef CRYOLEX_PIPELINE_UNIQUE_H
#define CRYOLEX_PIPELINE_UNIQUE_H

#include <stddef.h>

#include "base/err.h"

/* again[i] = 1 where name[i] equals an earlier one, else 0. `stride` is the distance in bytes from one name pointer to
 * the next, so that a field of an array of structs will do. 0, or -1: ERR_NOMEM. */
int unique_mark(const void *name, size_t stride, size_t n, unsigned char *again, err_t *err);

#endif
