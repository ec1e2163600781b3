/* tally_vec: the loops of tally in the compiler's vectors of KERN_VEC floats. Compiled once for every instruction set, with KERN_VEC and
 * TALLY_ENTRY given. */
#include "voxel/tally.h"

#ifndef TALLY_ENTRY
#define KERN_VEC 4 /* what every machine has, or the compiler makes up */
#define TALLY_ENTRY tally_vec
#define KERN_NAME "vec"
#endif

enum { HALF = KERN_VEC / 2 }; /* doubles in a vector */

typedef float vec_t __attribute__((vector_size(KERN_VEC * sizeof(float)), may_alias));
typedef float loose_t __attribute__((vector_size(KERN_VEC * sizeof(float)), aligned(4), may_alias)); /* any address */
typedef int32_t bits_t __attribute__((vector_size(KERN_VEC * sizeof(int32_t)), may_alias));
typedef float few_t __attribute__((vector_size(HALF * sizeof(float)), aligned(4), may_alias));
typedef double real_t __attribute__((vector_size(HALF * sizeof(double)), may_alias));
typedef int64_t mask_t __attribute__((vector_size(HALF * sizeof(int64_t)), may_alias));
typedef int32_t place_t __attribute__((vector_size(HALF * sizeof(int32_t)), may_alias));

static bits_t either(bits_t mask, bits_t yes, bits_t no) { return (yes & mask) | (no & ~mask); }

static void range(const float *x, size_t n, range_t *r)
{
    const bits_t exponent = (bits_t){0} + 0x7f800000;
    const vec_t up = (vec_t){0} + __builtin_inff(), down = -up;
    vec_t least = up, most = down;
    bits_t bad = {0};
    size_t i = 0;
    for (; i + KERN_VEC <= n; i += KERN_VEC) {
        const bits_t v = (bits_t)*(const loose_t *)(x + i), odd = (v & exponent) == exponent;
        const bits_t a = either(odd, (bits_t)up, v), b = either(odd, (bits_t)down, v);
        least = (vec_t)either((vec_t)a < least, a, (bits_t)least);
        most = (vec_t)either((vec_t)b > most, b, (bits_t)most);
        bad -= odd;
    }
    for (int k = 0; k < KERN_VEC; k++) {
        r->least = least[k] < r->least ? least[k] : r->least;
        r->most = most[k] > r->most ? most[k] : r->most;
        r->bad += (size_t)bad[k];
    }
    tally_ref.range(x + i, n - i, r);
}

/* Bins of HALF values. */
static place_t bins(const float *x, real_t lo, real_t scale)
{
    const real_t last = (real_t){0} + (TALLY_BINS - 1);
    real_t t = (__builtin_convertvector(*(const few_t *)x, real_t) - lo) * scale;
    t = (real_t)((mask_t)t & (t >= 0));
    const mask_t in = t < TALLY_BINS;
    return __builtin_convertvector((real_t)(((mask_t)t & in) | ((mask_t)last & ~in)), place_t);
}

static void count(const float *x, size_t n, double lo, double scale, uint32_t *bin)
{
    enum { STEP = 8 }; /* a multiple of TALLY_LANES and of HALF */
    const real_t vlo = (real_t){0} + lo, vscale = (real_t){0} + scale;
    size_t i = 0;
    for (; i + STEP <= n; i += STEP) {
        int32_t at[STEP] __attribute__((aligned(64)));
        for (int k = 0; k < STEP; k += HALF) *(place_t *)(at + k) = bins(x + i + k, vlo, vscale);
        for (int k = 0; k < STEP; k++) bin[(size_t)k % TALLY_LANES * TALLY_BINS + (size_t)at[k]]++;
    }
    tally_ref.count(x + i, n - i, lo, scale, bin);
}

const tally_t TALLY_ENTRY = {KERN_NAME, range, count};
