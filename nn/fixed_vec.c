/* fixed_vec: the steps of fixed in the compiler's vectors. Compiled once for every instruction set; the sums of pairs, which
 * the compiler has no word for, by the instruction where there is one. */
#include <math.h>
#include <string.h>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "nn/fixed_kern.h"
#include "nn/vec.h"

/* Rows of the register tile: with 2 vectors a row it fills the machine's registers. */
#if defined(__AVX512VL__)
enum { TILE = 12 };
#elif defined(__AVX2__)
enum { TILE = 6 };
#else
enum { TILE = 2 };
#endif
enum { LANES = 8, WIDE = FIXED_WIDE, PIECE = 256 };

typedef int16_t operand_t;
typedef fixedmul_t job_t;
/* Eight int32, or eight pairs of int16. */
typedef int32_t vec_t __attribute__((vector_size(LANES * 4), may_alias));
typedef int32_t loose_t __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
typedef int32_t pair_t __attribute__((aligned(2), may_alias)); /* one of them, anywhere */

/* s += a[0] b[0] + a[1] b[1] of each pair */
INLINE void add_pairs(vec_t *s, const vec_t *a, const vec_t *b)
{
#if defined(__AVX2__)
    *s += (vec_t)_mm256_madd_epi16((__m256i)*a, (__m256i)*b);
#else
    *s += (*a << 16 >> 16) * (*b << 16 >> 16) + (*a >> 16) * (*b >> 16);
#endif
}

/* ---- row ---- */

static float row(const float *x, size_t in, int16_t *q)
{
    const int32_t infinite = 0x7f800000;
    int32_t most = 0; /* bits of the largest size; those of what is not finite are larger still */
    float top;
    double square = 0;
    for (size_t k0 = 0; k0 < in; k0 += PIECE) {
        const size_t end = in - k0 < PIECE ? in : k0 + PIECE;
        float s = 0;
#pragma omp simd reduction(+ : s) reduction(max : most)
        for (size_t k = k0; k < end; k++) {
            float a = fabsf(x[k]);
            s += a * a;
            int32_t i;
            memcpy(&i, &a, sizeof i);
            most = i > most ? i : most;
        }
        square += (double)s;
    }
    if (in % 2) q[in] = 0;
    memcpy(&top, &most, sizeof top);
    if (most >= infinite || top < 1e-33f) {
        memset(q, 0, in * sizeof *q);
        return most >= infinite ? NAN : 0;
    }
    /* where squares leave float32's range: the most that the norm can be */
    double norm = square > 1e-26 && square < 1e38 ? sqrt(square) : (double)top * sqrt((double)in);
    const float up = (float)fmin((FIXED_NORM - 0.5 * sqrt((double)in)) / norm, FIXED_TOP / (double)top);
#pragma omp simd
    for (size_t k = 0; k < in; k++) {
        float t = x[k] * up + 12582912.0f; /* 1.5 2^23: the integer ends up in the low bits */
        int32_t i;
        memcpy(&i, &t, sizeof i);
        q[k] = (int16_t)(i - 0x4b400000);
    }
    return 1 / up;
}

/* ---- product ---- */

/* R rows, all 16 columns. */
INLINE void tile(const int16_t *x, size_t ldx, const int16_t *b, size_t depth, bool sum, float *y, size_t ldy, const size_t R)
{
    vec_t s[TILE][2] = {{{0}}};
#pragma GCC unroll 16
    for (size_t r = 0; r < R && sum; r++) {
        s[r][0] = *(const loose_t *)(y + r * ldy);
        s[r][1] = *(const loose_t *)(y + r * ldy + LANES);
    }
#pragma GCC unroll 2
    for (size_t k = 0; k < depth; k += 2, b += 2 * WIDE) {
        vec_t p = *(const vec_t *)b, q = *(const vec_t *)(b + WIDE);
#pragma GCC unroll 16
        for (size_t r = 0; r < R; r++) {
            vec_t f = *(const pair_t *)(x + r * ldx + k) - (vec_t){0};
            add_pairs(&s[r][0], &f, &p);
            add_pairs(&s[r][1], &f, &q);
        }
    }
#pragma GCC unroll 16
    for (size_t r = 0; r < R; r++) {
        *(loose_t *)(y + r * ldy) = s[r][0];
        *(loose_t *)(y + r * ldy + LANES) = s[r][1];
    }
}

#include "nn/tiles_vec.h"

INLINE void finish_as(const fixedmul_t *m, size_t col, const size_t cols, const act_t act)
{
    const float zero[WIDE] = {0}, *bias = m->bias ? m->bias + col : zero, *scale = m->w->scale + col;
    for (size_t t = 0; t < m->rows; t++) {
        float *y = m->y + t * m->ldy + col, up = m->xscale[t];
        const float *add = m->add ? m->add + t * m->ldadd + col : zero;
        const pair_t *s = (const pair_t *)y;
#pragma omp simd
        for (size_t n = 0; n < cols; n++) y[n] = act_of(act, (float)s[n] * (up * scale[n]) + bias[n]) + add[n];
    }
}

const fixed_kern_t PASTE(fixed_kern_, NN_ISA) = {STRING(NN_ISA), row, product, finish};
