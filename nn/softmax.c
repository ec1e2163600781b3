/* softmax: over the rows of a matrix (see softmax.h). */
#include "nn/softmax.h"

#include <math.h>
#include <string.h>

#include "nn/fmath.h"
#include "nn/reduce.h"

static void forward_row(const float *x, size_t c, float *y)
{
    float m = reduce_max(x, c);
    if (m == -INFINITY) { /* all -inf, or NaN among them */
        for (size_t j = 0; j < c; j++) y[j] = x[j] == x[j] ? 0 : x[j];
        return;
    }
    for (size_t j = 0; j < c; j++) y[j] = x[j] - m < -87 ? 0 : fmath_exp(x[j] - m);
    float s = (float)(1 / reduce_sum(y, c));
    for (size_t j = 0; j < c; j++) y[j] *= s;
}

void softmax_forward(const float *x, size_t rows, size_t c, float *y)
{
    if (!c) return;
    for (size_t r = 0; r < rows; r++) forward_row(x + r * c, c, y + r * c);
}

void softmax_backward(const float *y, const float *dy, size_t rows, size_t c, float *dx)
{
    for (size_t r = 0; r < rows; r++, y += c, dy += c, dx += c) {
        float s = (float)reduce_dot(y, dy, c);
        for (size_t j = 0; j < c; j++) dx[j] = y[j] * (dy[j] - s);
    }
}
