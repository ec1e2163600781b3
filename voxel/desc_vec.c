/* desc_vec: the loop of desc_kern in the compiler's vectors of KERN_VEC numbers. Compiled once for every instruction set, with KERN_VEC and
 * DESC_ENTRY given. */
#ifdef __AVX2__
#include <immintrin.h>
#endif

#include "voxel/desc_kern.h"

#ifndef DESC_ENTRY
#define KERN_VEC 4 /* what every machine has, or the compiler makes up */
#define DESC_ENTRY desc_kern_vec
#define KERN_NAME "vec"
#endif

typedef int8_t bytes_t __attribute__((vector_size(KERN_VEC), aligned(1), may_alias));
typedef int32_t whole_t __attribute__((vector_size(KERN_VEC * sizeof(int32_t))));
typedef float loose_t __attribute__((vector_size(KERN_VEC * sizeof(float)), aligned(4), may_alias)); /* any address */

static void unpack(const int8_t *d, size_t n, float *x, int32_t sum[2])
{
    whole_t all = {0}, squares = {0};
    size_t i = 0;
    for (; i + KERN_VEC <= n; i += KERN_VEC) {
        const whole_t v = __builtin_convertvector(*(const bytes_t *)(d + i), whole_t);
        *(loose_t *)(x + i) = __builtin_convertvector(v, loose_t);
        all += v;
        squares += v * v;
    }
    desc_kern_ref.unpack(d + i, n - i, x + i, sum);
    for (int k = 0; k < KERN_VEC; k++) {
        sum[0] += all[k];
        sum[1] += squares[k];
    }
}

/* Bytes in hand, and as 16-bit numbers, of which two products are added up by one instruction. */
#ifdef __AVX2__
enum { LIFT = 16 };
#else
enum { LIFT = 4 };
#endif
typedef int8_t few_t __attribute__((vector_size(LIFT), aligned(1), may_alias));
typedef int16_t half_t __attribute__((vector_size(2 * LIFT)));

#ifdef __AVX2__
typedef int32_t pair_t __attribute__((vector_size(2 * LIFT)));
static pair_t pairs(half_t a, half_t b) { return (pair_t)_mm256_madd_epi16((__m256i)a, (__m256i)b); }
#else
typedef int32_t pair_t __attribute__((vector_size(4 * LIFT)));
static pair_t pairs(half_t a, half_t b) { return __builtin_convertvector(a, pair_t) * __builtin_convertvector(b, pair_t); }
#endif

static void lift(const int8_t *d, size_t n, uint8_t *x, int32_t sum[2])
{
    const half_t one = (half_t){0} + 1;
    pair_t all = {0}, squares = {0};
    size_t i = 0;
    for (; i + LIFT <= n; i += LIFT) {
        const few_t bytes = *(const few_t *)(d + i);
        const half_t v = __builtin_convertvector(bytes, half_t);
        *(few_t *)(x + i) = bytes ^ INT8_MIN;
        all += pairs(v, one);
        squares += pairs(v, v);
    }
    desc_kern_ref.lift(d + i, n - i, x + i, sum);
    for (size_t k = 0; k < sizeof all / sizeof all[0]; k++) {
        sum[0] += all[k];
        sum[1] += squares[k];
    }
}

const desc_kern_t DESC_ENTRY = {KERN_NAME, unpack, lift};
