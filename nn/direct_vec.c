/* direct_vec: sums of direct_kern.h in the compiler's vectors of NN_VEC floats. Compiled once for every instruction set,
 * with NN_VEC and the name NN_ISA given. A tile of some sums stays in registers: a term costs a load
 * of w a vector, a load of x a sum, and their multiply-adds. */
#include "nn/direct_kern.h"
#include "nn/vec.h"

/* Floats in a register; sums in a tile of two vectors, or one. Pointers set a limit too: one a sum. */
#if defined(__AVX512F__)
#define LANES 16
#define TWO 8
#define ONE 9
#elif defined(__AVX__)
#define LANES 8
#define TWO (6 / PARTS)
#define ONE (PARTS > 1 ? 6 : 9)
#else
#define LANES 4
#define TWO 2
#define ONE 4
#endif
#define PARTS (NN_VEC / LANES) /* registers in a vector */

#ifdef __clang__ /* unrolls loops of few known turns by itself, and early; told to, it does so too late for registers */
#define UNROLL
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

typedef float vec_t __attribute__((vector_size(LANES * sizeof(float)), aligned(4), may_alias)); /* any address */
typedef int32_t mask_t __attribute__((vector_size(LANES * sizeof(int32_t))));

/* Register r of a sum, at p and (of the second vector) gap further. */
static inline __attribute__((always_inline)) const vec_t *part(const float *p, size_t r, size_t gap)
{
    return (const vec_t *)(p + r / PARTS * gap + r % PARTS * LANES);
}

/* Sums j to j + sums - 1, of vecs vectors; both constants where it is called. */
static inline __attribute__((always_inline)) void tile(const sweep_t *s, size_t j, const size_t sums, const size_t vecs)
{
    const size_t regs = vecs * PARTS;
    const float *p[ONE], *w = s->w;
    vec_t a[ONE][2 * PARTS];
    UNROLL
    for (size_t t = 0; t < sums; t++) {
        p[t] = s->x + s->from[j + t];
        UNROLL
        for (size_t r = 0; r < regs; r++) a[t][r] = (vec_t){0};
    }
    size_t step = s->step, gap = s->gap;
    for (const int32_t *at = s->at, *end = at + s->m; at < end; at++, w += step) {
        ptrdiff_t o = *at;
        vec_t v[2 * PARTS];
        UNROLL
        for (size_t r = 0; r < regs; r++) v[r] = *part(w, r, gap);
        UNROLL
        for (size_t t = 0; t < sums; t++) {
            float f = p[t][o];
            UNROLL
            for (size_t r = 0; r < regs; r++) a[t][r] += f * v[r];
        }
    }
    if (s->bias)
        UNROLL
        for (size_t t = 0; t < sums; t++)
            UNROLL
            for (size_t r = 0; r < regs; r++) a[t][r] += *part(s->bias, r, NN_VEC);
    const int32_t *to = s->to + j;
    size_t gap_out = s->gap_out;
    if (s->add)
        UNROLL
        for (size_t t = 0; t < sums; t++)
            UNROLL
            for (size_t r = 0; r < regs; r++) a[t][r] += *part(s->add + to[t], r, gap_out);
    if (s->relu)
        UNROLL
        for (size_t t = 0; t < sums; t++)
            UNROLL
            for (size_t r = 0; r < regs; r++) a[t][r] = (vec_t)((mask_t)a[t][r] & ~(a[t][r] < 0)); /* NaN stays */
    float *out = s->out;
    UNROLL
    for (size_t t = 0; t < sums; t++)
        UNROLL
        for (size_t r = 0; r < regs; r++) *(vec_t *)(out + to[t] + r / PARTS * gap_out + r % PARTS * LANES) = a[t][r];
}

typedef void tile_t(const sweep_t *s, size_t j);

#define ONE_OF(n) \
    static void one_##n(const sweep_t *s, size_t j) { tile(s, j, n, 1); }
#define TWO_OF(n) \
    static void two_##n(const sweep_t *s, size_t j) { tile(s, j, n, 2); }
ONE_OF(1) ONE_OF(2) ONE_OF(3) ONE_OF(4)
TWO_OF(1) TWO_OF(2)
#if ONE > 4
ONE_OF(5) ONE_OF(6)
TWO_OF(3)
#endif
#if ONE > 6
ONE_OF(7) ONE_OF(8) ONE_OF(9)
TWO_OF(4) TWO_OF(5) TWO_OF(6)
#endif
#if TWO > 6
TWO_OF(7) TWO_OF(8)
#endif

static tile_t *const one[ONE + 1] = {NULL, one_1, one_2, one_3, one_4,
#if ONE > 4
                                     one_5, one_6,
#endif
#if ONE > 6
                                     one_7, one_8, one_9,
#endif
};
static tile_t *const two[TWO + 1] = {NULL, two_1, two_2,
#if ONE > 4
                                     two_3,
#endif
#if ONE > 6
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

const direct_kern_t PASTE(direct_kern_, NN_ISA) = {STRING(NN_ISA), NN_VEC, sweep};
