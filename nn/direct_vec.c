/* direct_vec: sums of direct_kern.h in the compiler's vectors of NN_VEC floats. Compiled once for every instruction set,
 * with NN_VEC and the name NN_ISA given. A tile of up to TILE sums x 2 vectors stays in registers: a term costs two loads of
 * w, one of x a sum, and two multiply-adds a sum. */
#include "nn/direct_kern.h"

#ifndef NN_VEC
#define NN_VEC 8
#define NN_ISA vec
#endif

#if defined(__AVX512F__) /* 16 of 32 registers */
#define TILE 8
#elif defined(__AVX__) /* 12 of 16 */
#define TILE 6
#else /* a vector takes two registers of 16 */
#define TILE 3
#endif

#ifdef __clang__ /* unrolls loops of few known turns by itself, and early; told to, it does so too late for registers */
#define UNROLL
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif

#define TEXT2(a) #a
#define TEXT(a) TEXT2(a)
#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)

typedef float vec_t __attribute__((vector_size(NN_VEC * sizeof(float)), aligned(4), may_alias)); /* any address */
typedef int32_t mask_t __attribute__((vector_size(NN_VEC * sizeof(int32_t))));

static inline __attribute__((always_inline)) void tile(const sweep_t *s, size_t j, const size_t sums, const size_t vecs)
{
    const float *p[TILE], *w = s->w;
    vec_t a[TILE][2];
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

#define TILES(n)                                                     \
    static void one_##n(const sweep_t *s, size_t j) { tile(s, j, n, 1); } \
    static void two_##n(const sweep_t *s, size_t j) { tile(s, j, n, 2); }
TILES(1)
TILES(2)
TILES(3)
#if TILE > 3
TILES(4)
TILES(5)
TILES(6)
#endif
#if TILE > 6
TILES(7)
TILES(8)
#endif

static tile_t *const tiles[2][TILE] = {
    {one_1, one_2, one_3,
#if TILE > 3
     one_4, one_5, one_6,
#endif
#if TILE > 6
     one_7, one_8,
#endif
    },
    {two_1, two_2, two_3,
#if TILE > 3
     two_4, two_5, two_6,
#endif
#if TILE > 6
     two_7, two_8,
#endif
    }};

static void sweep(const sweep_t *s)
{
    size_t count = (s->n + TILE - 1) / TILE; /* tiles, as equal as can be */
    for (size_t i = 0, j = 0; i < count; i++) {
        size_t sums = (s->n - j + count - i - 1) / (count - i);
        tiles[s->vecs - 1][sums - 1](s, j);
        j += sums;
    }
}

const direct_kern_t JOIN(direct_kern_, NN_ISA) = {TEXT(NN_ISA), NN_VEC, sweep};
