/* layernorm: normalisation over the rows of a matrix (see layernorm.h). */
#include "nn/layernorm.h"

#include <math.h>

#include "nn/reduce.h"

void layernorm_forward(const float *x, size_t rows, size_t c, const float *weight, const float *bias, double eps, float *y,
                       float *stat)
{
    for (size_t r = 0; r < rows; r++, x += c, y += c) {
        double mean = reduce_sum(x, c) / (double)c;
        double inverse = 1 / sqrt(reduce_square(x, mean, c) / (double)c + eps);
        float m = (float)mean, s = (float)inverse;
        if (stat) stat[2 * r] = m, stat[2 * r + 1] = s;
        if (weight && bias)
            for (size_t j = 0; j < c; j++) y[j] = (x[j] - m) * s * weight[j] + bias[j];
        else
            for (size_t j = 0; j < c; j++) y[j] = (x[j] - m) * s * (weight ? weight[j] : 1) + (bias ? bias[j] : 0);
    }
}

/* Sums over one row of g = dy weight, and of g xhat. */
static void sums(const float *x, const float *dy, const float *weight, float m, float s, size_t c, double out[2])
{
    double a[REDUCE_LANES] = {0}, b[REDUCE_LANES] = {0};
    for (size_t i = 0; i < c; i += REDUCE_LANES)
        for (size_t k = 0; k < REDUCE_LANES && i + k < c; k++) {
            float g = weight ? dy[i + k] * weight[i + k] : dy[i + k];
            a[k] += (double)g;
            b[k] += (double)(g * ((x[i + k] - m) * s));
        }
    out[0] = reduce_lanes(a);
    out[1] = reduce_lanes(b);
}

void layernorm_backward(const float *x, const float *stat, const float *weight, const float *dy, size_t rows, size_t c,
                        float *dx, float *dweight, float *dbias)
{
    for (size_t r = 0; r < rows; r++, x += c, dy += c, dx += c) {
        float m = stat[2 * r], s = stat[2 * r + 1];
        double sum[2];
        sums(x, dy, weight, m, s, c, sum);
        float a = (float)(sum[0] / (double)c), b = (float)(sum[1] / (double)c);
        for (size_t j = 0; j < c; j++) {
            float h = (x[j] - m) * s, d = dy[j];
            if (dweight) dweight[j] += d * h;
            if (dbias) dbias[j] += d;
            dx[j] = s * ((weight ? d * weight[j] : d) - a - h * b);
        }
    }
}
