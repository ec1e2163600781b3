/* rows_vec: softmax and layer normalisation in loops that the compiler turns into vectors. Compiled once for every instruction
 * set. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "nn/fmath.h"
#include "nn/rows.h"
#include "nn/vec.h"

/* Integers in the order of the floats with these bits, and back. */
static inline int32_t ordered(int32_t i)
{
    return i ^ (i >> 31 & INT32_MAX);
}

static void softmax_row(float *x, size_t c)
{
    const size_t wide = rows_stride(c); /* no loop has a remainder */
    float top;
    int32_t most = INT32_MIN;
    double sum = 0;
    for (size_t j = c; j < wide; j++) x[j] = -INFINITY;
#pragma omp simd reduction(max : most)
    for (size_t j = 0; j < wide; j++) {
        int32_t i;
        memcpy(&i, x + j, sizeof i);
        i = ordered(i);
        most = i > most ? i : most;
    }
    most = ordered(most);
    memcpy(&top, &most, sizeof top);
    if (top == -INFINITY) { /* all -inf, or NaN among them */
        for (size_t j = 0; j < c; j++) x[j] = x[j] == x[j] ? 0 : x[j];
        return;
    }
#pragma omp simd reduction(+ : sum)
    for (size_t j = 0; j < wide; j++) {
        float d = x[j] - top, e = fmath_exp(d);
        e = d < -87 ? 0 : e;
        x[j] = e;
        sum += (double)e;
    }
    const float s = (float)(1 / sum);
#pragma omp simd
    for (size_t j = 0; j < wide; j++) x[j] *= s;
}

static void softmax(float *x, size_t rows, size_t c, size_t ld)
{
    for (size_t r = 0; r < rows; r++) softmax_row(x + r * ld, c);
}

static void layernorm(const float *x, size_t c, const float *weight, const float *bias, double eps, float *y)
{
    double sum = 0, square = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t j = 0; j < c; j++) sum += (double)x[j];
    const double mean = sum / (double)c;
#pragma omp simd reduction(+ : square)
    for (size_t j = 0; j < c; j++) square += ((double)x[j] - mean) * ((double)x[j] - mean);
    const float m = (float)mean, s = (float)(1 / sqrt(square / (double)c + eps));
#pragma omp simd
    for (size_t j = 0; j < c; j++) y[j] = (x[j] - m) * s * weight[j] + bias[j];
}

const rows_t PASTE(rows_, NN_ISA) = {STRING(NN_ISA), softmax, layernorm};
