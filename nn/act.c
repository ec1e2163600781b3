/* act: the pointwise activations. */
#include "nn/act.h"

#include <string.h>

#include "nn/fmath.h"

void act_forward(act_t a, const float *x, size_t n, float *y)
{
    switch (a) {
    case ACT_RELU:
#pragma omp simd
        for (size_t i = 0; i < n; i++) y[i] = x[i] < 0 ? 0 : x[i];
        break;
    case ACT_SILU:
#pragma omp simd
        for (size_t i = 0; i < n; i++) y[i] = fmath_silu(x[i]);
        break;
    case ACT_GELU:
#pragma omp simd
        for (size_t i = 0; i < n; i++) y[i] = fmath_gelu(x[i]);
        break;
    default:
        if (y != x) memcpy(y, x, n * sizeof *x);
    }
}

void act_backward(act_t a, const float *x, const float *dy, size_t n, float *dx)
{
    switch (a) {
    case ACT_RELU:
#pragma omp simd
        for (size_t i = 0; i < n; i++) {
            float d = dy[i];
            dx[i] = x[i] <= 0 ? 0 : d;
        }
        break;
    case ACT_SILU:
#pragma omp simd
        for (size_t i = 0; i < n; i++) dx[i] = dy[i] * fmath_silu_slope(x[i]);
        break;
    case ACT_GELU:
#pragma omp simd
        for (size_t i = 0; i < n; i++) dx[i] = dy[i] * fmath_gelu_slope(x[i]);
        break;
    default:
        if (dx != dy) memcpy(dx, dy, n * sizeof *dy);
    }
}
