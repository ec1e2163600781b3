/* softmax: over the rows of a matrix. x, y, dx, dy (R,C) row major float32. Thread-safe; no allocation. */
#ifndef CRYOLEX_NN_SOFTMAX_H
#define CRYOLEX_NN_SOFTMAX_H

#include <stddef.h>

/* y[r,c] = exp(x[r,c] - m) / sum over c of exp(x[r,c] - m), m the largest of the row; the sum in double. y may be x.
 * Entries of -inf give 0; a row of nothing else gives zeros. A NaN or +inf makes its row NaN. */
void softmax_forward(const float *x, size_t rows, size_t c, float *y);

/* dx = y (dy - sum over c of y dy), from y of the forward call; dx may be dy. */
void softmax_backward(const float *y, const float *dy, size_t rows, size_t c, float *dx);

#endif
