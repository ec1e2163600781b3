/* rows: softmax and layer normalisation by the kernels of an instruction set, for inference. What they compute is said in
 * nn/softmax.h and nn/layernorm.h; the sums, in double too, are made in another order for every set. */
#ifndef CRYOLEX_NN_ROWS_H
#define CRYOLEX_NN_ROWS_H

#include <stddef.h>

#include "nn/isa.h"

/* A row of c floats with what vectors take of the next. */
static inline size_t rows_stride(size_t c) { return (c + 15) & ~(size_t)15; }

typedef struct {
    const char *name;
    /* x (rows,c), rows ld >= rows_stride(c) apart, becomes its softmax; what is between c and rows_stride(c) is lost */
    void (*softmax)(float *x, size_t rows, size_t c, size_t ld);
    /* y (c) = the layer normalisation of x (c); weight and bias (c); y may be x */
    void (*layernorm)(const float *x, size_t c, const float *weight, const float *bias, double eps, float *y);
} rows_t;

const rows_t *rows_at(isa_t isa);

extern const rows_t rows_ref, rows_vec, rows_avx2, rows_avx512;

#endif
