/* fixed_kern: the inner steps of fixed. */
#ifndef CRYOLEX_NN_FIXED_KERN_H
#define CRYOLEX_NN_FIXED_KERN_H

#include <stdbool.h>

#include "nn/fixed.h"

enum { FIXED_DEPTH = 512 }; /* of K at a time, even: a panel of it stays in the nearest cache */

/* Bounds of a rounded row: its norm is below FIXED_NORM, which is 2^15.5 less 40 for the rounding of the norm itself, and so that
 * of its numbers before they are rounded, each by up to 1/2, below FIXED_NORM - sqrt(K) / 2. */
#define FIXED_NORM 46300.0
#define FIXED_TOP 32767.0 /* the most of one number */

typedef struct {
    const char *name;
    /* One row: q[0..K'-1] and the scale that is returned. */
    float (*row)(const float *x, size_t in, int16_t *q);
    /* y (rows,cols), of int32, = or (sum) += x (rows,depth) times the panel b (depth/2, 16, 2), cols <= 16; depth is even */
    void (*product)(const int16_t *x, size_t ldx, const int16_t *b, size_t rows, size_t cols, size_t depth, bool sum, float *y,
                    size_t ldy);
    /* the columns col.. (cols <= 16) of all rows from int32 to what they shall be */
    void (*finish)(const fixedmul_t *m, size_t col, size_t cols);
} fixed_kern_t;

extern const fixed_kern_t fixed_kern_ref, fixed_kern_vec, fixed_kern_avx2, fixed_kern_avx512;

#endif
