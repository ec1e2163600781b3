/* layernorm: normalisation over the rows of a matrix (Ba et al. 2016, arXiv 1607.06450).
 * x, y, dx, dy (R,C) row major float32. Thread-safe; no allocation. */
#ifndef CRYOLEX_NN_LAYERNORM_H
#define CRYOLEX_NN_LAYERNORM_H

#include <stddef.h>

/* y = (x - mean) / sqrt(variance + eps) * weight + bias, mean and variance (over C, not C-1) of the row, in double.
 * weight, bias (C): NULL for 1 and 0. stat (R,2), mean and 1/sqrt(variance + eps) of each row, is what backward needs;
 * NULL at inference. y may be x (but backward wants x). */
void layernorm_forward(const float *x, size_t rows, size_t c, const float *weight, const float *bias, double eps, float *y,
                       float *stat);

/* dx is written (it may be dy); dweight, dbias (C) are added to, row after row; NULL: not wanted. */
void layernorm_backward(const float *x, const float *stat, const float *weight, const float *dy, size_t rows, size_t c,
                        float *dx, float *dweight, float *dbias);

#endif
