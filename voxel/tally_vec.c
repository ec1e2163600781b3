/* tally_vec: the loops of tally in the compiler's vectors of KERN_VEC floats. Compiled once for every instruction set, with KERN_VEC and
 * TALLY_ENTRY given. */
#ifdef __AVX2__
#include <immintrin.h>
#endif

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

enum { STEP = 16 }; /* values in hand: a multiple of TALLY_LANES and of KERN_VEC */

/* Are STEP values the same bits? */
static inline __attribute__((always_inline)) int all_same(const float *x)
{
    const bits_t first = (bits_t)((vec_t){0} + x[0]);
    bits_t other = {0};
    for (int k = 0; k < STEP; k += KERN_VEC) other |= (bits_t)*(const loose_t *)(x + k) ^ first;
#if KERN_VEC == 16
    return !_mm512_test_epi32_mask((__m512i)other, (__m512i)other);
#elif KERN_VEC == 8
    return _mm256_testz_si256((__m256i)other, (__m256i)other);
#else
    return !(other[0] | other[1] | other[2] | other[3]);
#endif
}

static void count(const float *x, size_t n, double lo, double scale, uint32_t *bin)
{
    enum { MANY = 32 * STEP };
    const real_t vlo = (real_t){0} + lo, vscale = (real_t){0} + scale;
    const size_t whole = n / STEP * STEP;
    for (size_t from = 0; from < whole; from += MANY) {
        const size_t to = whole - from < MANY ? whole : from + MANY;
        int32_t at[MANY] __attribute__((aligned(64)));
        size_t m = 0;
        for (size_t i = from; i < to; i += STEP)
            if (all_same(x + i)) { /* as around a masked molecule */
                const place_t one = bins(x + i, vlo, vscale);
                bin[one[0]] += STEP;
            } else {
                for (size_t k = 0; k < STEP; k += HALF) *(place_t *)(at + m + k) = bins(x + i + k, vlo, vscale);
                m += STEP;
            }
        for (size_t k = 0; k < m; k += TALLY_LANES)
            for (size_t lane = 0; lane < TALLY_LANES; lane++) bin[lane * TALLY_BINS + (size_t)(uint32_t)at[k + lane]]++;
    }
    tally_ref.count(x + whole, n - whole, lo, scale, bin);
}

const tally_t TALLY_ENTRY = {KERN_NAME, range, count};
