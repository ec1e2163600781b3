/* direct_vec: sums of direct_kern.h in the compiler's vectors of NN_VEC floats. Compiled once for every instruction set,
 * with NN_VEC and the name NN_ISA given. A tile of some sums stays in registers: a term costs a load
 * of w a vector, a load of x a sum, and their multiply-adds. */
#include "nn/direct_kern.h"

#ifndef NN_VEC
#define NN_VEC 8
#define NN_ISA vec
#endif

/* Sums in a tile: two vectors each, or one. */
#if defined(__AVX512F__) /* 16 of 32 registers; pointers set the limit */
#define TWO 8
#define ONE 10
#elif defined(__AVX__) /* 12 or 10 of 16 */
#define TWO 6
#define ONE 10
#else /* a vector takes two registers of 16 */
#define TWO 3
#define ONE 6
#endif
#define MOST (ONE > TWO ? ONE : TWO)

#ifdef __clang__ /* unrolls loops of few known turns by itself, and early; told to, it does so too late for registers */
#define UNROLL
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

#define TEXT2(a) #a
#define TEXT(a) TEXT2(a)
#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)

typedef float vec_t __attribute__((vector_size(NN_VEC * sizeof(float)), aligned(4), may_alias)); /* any address */
typedef int32_t mask_t __attribute__((vector_size(NN_VEC * sizeof(int32_t))));

static inline __attribute__((always_inline)) void tile(const sweep_t *s, size_t j, const size_t sums, const size_t vecs)
{
    const float *p[MOST], *w = s->w;
    vec_t a[MOST][2];
    UNROLL
    for (size_t t = 0; t < sums; t++) {
        p[t] = s->x + s->from[j + t];
        UNROLL
        for (size_t v = 0; v < vecs; v++) a[t][v] = (vec_t){0};
    }
    size_t step = s->step, gap = s->gap;
    for (const int32_t *at = s->at, *end = at + s->m; at < end; at++, w += step) {
        ptrdiff_t o = *at;
        vec_t w0 = *(const vec_t *)w, w1 = vecs > 1 ? *(const vec_t *)(w + gap) : w0;
        UNROLL
        for (size_t t = 0; t < sums; t++) {
            float f = p[t][o];
            a[t][0] += f * w0;
            if (vecs > 1) a[t][1] += f * w1;
        }
    }
    if (s->bias)
        UNROLL
        for (size_t t = 0; t < sums; t++)
            UNROLL
            for (size_t v = 0; v < vecs; v++) a[t][v] += *(const vec_t *)(s->bias + v * NN_VEC);
    const int32_t *to = s->to + j;
    size_t gap_out = s->gap_out;
    if (s->add)
        UNROLL
        for (size_t t = 0; t < sums; t++)
            UNROLL
            for (size_t v = 0; v < vecs; v++) a[t][v] += *(const vec_t *)(s->add + to[t] + v * gap_out);
    if (s->relu)
        UNROLL
        for (size_t t = 0; t < sums; t++)
            UNROLL
            for (size_t v = 0; v < vecs; v++) a[t][v] = (vec_t)((mask_t)a[t][v] & ~(a[t][v] < 0)); /* NaN stays */
    float *out = s->out;
    UNROLL
    for (size_t t = 0; t < sums; t++)
        UNROLL
        for (size_t v = 0; v < vecs; v++) *(vec_t *)(out + to[t] + v * gap_out) = a[t][v];
}

typedef void tile_t(const sweep_t *s, size_t j);

#define ONE_OF(n) \
    static void one_##n(const sweep_t *s, size_t j) { tile(s, j, n, 1); }
#define TWO_OF(n) \
    static void two_##n(const sweep_t *s, size_t j) { tile(s, j, n, 2); }
ONE_OF(1) ONE_OF(2) ONE_OF(3) ONE_OF(4) ONE_OF(5) ONE_OF(6)
TWO_OF(1) TWO_OF(2) TWO_OF(3)
#if ONE > 6
ONE_OF(7) ONE_OF(8) ONE_OF(9) ONE_OF(10)
#endif
#if TWO > 3
TWO_OF(4) TWO_OF(5) TWO_OF(6)
#endif
#if TWO > 6
TWO_OF(7) TWO_OF(8)
#endif

static tile_t *const one[ONE + 1] = {NULL, one_1, one_2, one_3, one_4, one_5, one_6,
#if ONE > 6
                                     one_7, one_8, one_9, one_10,
#endif
};
static tile_t *const two[TWO + 1] = {NULL, two_1, two_2, two_3,
#if TWO > 3
                                     two_4, two_5, two_6,
#endif
#if TWO > 6
                                     two_7, two_8,
#endif
};

static void sweep(const sweep_t *s)
{
    size_t most = s->vecs > 1 ? TWO : ONE, count = (s->n + most - 1) / most; /* tiles, as equal as can be */
    for (size_t i = 0, j = 0; i < count; i++) {
        size_t sums = (s->n - j + count - i - 1) / (count - i);
        (s->vecs > 1 ? two : one)[sums](s, j);
        j += sums;
    }
}

const direct_kern_t JOIN(direct_kern_, NN_ISA) = {TEXT(NN_ISA), NN_VEC, sweep};
