/* matmul_kern: the inner steps of matmul. Columns of w go in panels of `wide`; of K at most MATMUL_DEPTH at a time, so that a
 * panel stays in the nearest cache. */
#ifndef CRYOLEX_NN_MATMUL_KERN_H
#define CRYOLEX_NN_MATMUL_KERN_H

#include "nn/matmul.h"

enum { MATMUL_DEPTH = 256, MATMUL_WIDE = 32 }; /* the most of each */

typedef struct {
    const char *name;
    size_t wide;
    /* b (depth,wide) = columns 0..cols-1 of w; zeros for those up to wide. b is aligned to MEM_ALIGN */
    void (*pack)(const float *w, size_t ldw, bool across, size_t cols, size_t depth, float *b);
    /* y (rows,cols) = or (sum) += x (rows,depth) times b, any rows, cols <= wide */
    void (*product)(const float *x, size_t ldx, const float *b, size_t rows, size_t cols, size_t depth, bool sum, float *y,
                    size_t ldy);
    /* what follows, on `cols` columns from `col` on of all rows of m */
    void (*finish)(const matmul_t *m, size_t col, size_t cols);
} matmul_kern_t;

extern const matmul_kern_t matmul_kern_ref, matmul_kern_vec, matmul_kern_avx2, matmul_kern_avx512;

#endif
