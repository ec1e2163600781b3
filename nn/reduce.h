/* reduce: sums of float32 rows in double, in one order on every machine: eight partial sums, element i to sum i mod 8. */
#ifndef CRYOLEX_NN_REDUCE_H
#define CRYOLEX_NN_REDUCE_H

#include <stddef.h>

enum { REDUCE_LANES = 8 };

static inline double reduce_lanes(const double s[REDUCE_LANES])
{
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

/* Sum of x[i], i < n. */
static inline double reduce_sum(const float *x, size_t n)
{
    double s[REDUCE_LANES] = {0};
    size_t i = 0;
    for (; i + REDUCE_LANES <= n; i += REDUCE_LANES)
        for (size_t k = 0; k < REDUCE_LANES; k++) s[k] += (double)x[i + k];
    for (size_t k = 0; i < n; i++, k++) s[k] += (double)x[i];
    return reduce_lanes(s);
}

/* Sum of x[i] y[i]. */
static inline double reduce_dot(const float *x, const float *y, size_t n)
{
    double s[REDUCE_LANES] = {0};
    size_t i = 0;
    for (; i + REDUCE_LANES <= n; i += REDUCE_LANES)
        for (size_t k = 0; k < REDUCE_LANES; k++) s[k] += (double)x[i + k] * (double)y[i + k];
    for (size_t k = 0; i < n; i++, k++) s[k] += (double)x[i] * (double)y[i];
    return reduce_lanes(s);
}

/* Sum of (x[i] - mean)^2. */
static inline double reduce_square(const float *x, double mean, size_t n)
{
    double s[REDUCE_LANES] = {0};
    size_t i = 0;
    for (; i + REDUCE_LANES <= n; i += REDUCE_LANES)
        for (size_t k = 0; k < REDUCE_LANES; k++) s[k] += ((double)x[i + k] - mean) * ((double)x[i + k] - mean);
    for (size_t k = 0; i < n; i++, k++) s[k] += ((double)x[i] - mean) * ((double)x[i] - mean);
    return reduce_lanes(s);
}

/* Largest x[i], n >= 1; NaN are passed over. */
static inline float reduce_max(const float *x, size_t n)
{
    float m[REDUCE_LANES], top;
    size_t i = 0;
    for (size_t k = 0; k < REDUCE_LANES; k++) m[k] = -__builtin_inff();
    for (; i + REDUCE_LANES <= n; i += REDUCE_LANES)
        for (size_t k = 0; k < REDUCE_LANES; k++) m[k] = x[i + k] > m[k] ? x[i + k] : m[k];
    for (size_t k = 0; i < n; i++, k++) m[k] = x[i] > m[k] ? x[i] : m[k];
    top = m[0];
    for (size_t k = 1; k < REDUCE_LANES; k++) top = m[k] > top ? m[k] : top;
    return top;
}

#endif
