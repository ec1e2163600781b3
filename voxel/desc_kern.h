/* desc_kern: what desc and desc_whole share, and their inner loops over bytes, the entries of a table, which agree to the last bit. */
#ifndef CRYOLEX_VOXEL_DESC_KERN_H
#define CRYOLEX_VOXEL_DESC_KERN_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "voxel/desc.h"

/* Row number `at` of the rows to compare. */
static inline const int8_t *desc_row(const int8_t *desc, const size_t *row, size_t stride, size_t at)
{
    return desc + *(const size_t *)(const void *)((const char *)row + at * stride) * DESC_LEN;
}

/* 1 / length of the mean-free entry, by the exact sums of its bytes and of their squares (4096 * 127^2 < 2^31). */
static inline float desc_inverse(const int32_t sum[2])
{
    double var = (double)sum[1] - (double)sum[0] * (double)sum[0] / DESC_LEN;
    return var > 0 ? (float)(1 / sqrt(var)) : 0;
}

static inline float desc_in_steps(double r) { return (float)fmin(fmax(DESC_STEP * nearbyint(r / DESC_STEP), -1), 1); }

typedef struct {
    const char *name;
    /* x (n): the bytes d (n) as floats; sum[0]: of them, sum[1]: of their squares. n at most 2^16. */
    void (*unpack)(const int8_t *d, size_t n, float *x, int32_t sum[2]);
    /* x (n): the bytes d (n) + 128; the same sums, of d. */
    void (*lift)(const int8_t *d, size_t n, uint8_t *x, int32_t sum[2]);
} desc_kern_t;

/* Entry i, best last, entry 0 plain C; NULL past the end or when this CPU cannot run it. */
const desc_kern_t *desc_kern_at(int i);
/* The best one; entry 0 when the environment has CRYOLEX_KERNEL=ref. */
const desc_kern_t *desc_kern(void);

/* The entries, one object each. */
extern const desc_kern_t desc_kern_ref, desc_kern_vec, desc_kern_avx2;

#endif
