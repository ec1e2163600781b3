/* topk_vec: the steps of topk in the compiler's vectors. Compiled once for every instruction set; sums of four products of 8-bit numbers,
 * which the compiler has no word for, by the instruction where there is one (AVX-512 VNNI). */
#include <math.h>
#include <stdbool.h>
#include <string.h>
#if defined(__AVX512F__)
#include <immintrin.h>
#endif

#include "nn/topk_kern.h"
#include "nn/vec.h"

enum { WIDE = TOPK_WIDE };

/* ---- row ---- */

static topkrow_t row(const float *w, size_t d, int8_t *q)
{
    const float slack = topk_slack(d), tiny = 1e-12f; /* squares of what rounding takes are in float32, too */
    topkrow_t r = {0};
    float square = 0, top = 0, lost = 0;
    int32_t sum = 0;
#pragma omp simd reduction(+ : square) reduction(max : top)
    for (size_t k = 0; k < d; k++) {
        float a = fabsf(w[k]);
        square += a * a;
        top = a > top ? a : top;
    }
    r.norm = !isfinite(square) || top > TOPK_MOST ? NAN : top < tiny ? top * sqrtf((float)d) : sqrtf(square) * (1 + slack);
    if (!q) return r;
    if (isnan(r.norm) || top < tiny) {
        memset(q, 0, d);
        r.off = r.norm;
        return r;
    }
    r.scale = top / 127;
    const float up = 127 / top, scale = r.scale;
#pragma omp simd reduction(+ : lost, sum)
    for (size_t k = 0; k < d; k++) {
        float t = w[k] * up + 12582912.0f; /* 1.5 2^23: the integer ends up in the low bits */
        int32_t i;
        memcpy(&i, &t, sizeof i);
        i -= 0x4b400000;
        i = i > 127 ? 127 : i < -127 ? -127 : i;
        float e = w[k] - scale * (float)i;
        lost += e * e;
        sum += i;
        q[k] = (int8_t)i;
    }
    r.sum = sum;
    r.off = sqrtf(lost) * (1 + slack) + r.norm * slack; /* the second: what rounding does to e itself */
    return r;
}

/* By the bits, which are in the order of the magnitudes; those of NaN are above all. */
static bool fits(const float *w, size_t d)
{
    const float most = TOPK_MOST;
    int32_t limit, beyond = 0;
    memcpy(&limit, &most, sizeof limit);
#pragma omp simd reduction(| : beyond)
    for (size_t k = 0; k < d; k++) {
        int32_t u;
        memcpy(&u, w + k, sizeof u);
        beyond |= limit - (u & 0x7fffffff); /* below 0 */
    }
    return beyond >= 0;
}

/* ---- product ---- */

#if defined(__AVX512VNNI__)

/* 16 int32, or 16 times four numbers. */
typedef int32_t four_t __attribute__((vector_size(64), may_alias));
typedef int32_t loose_t __attribute__((vector_size(64), aligned(1), may_alias)); /* any address */
typedef int32_t word_t __attribute__((aligned(1), may_alias));

/* R queries, P panels: one or two. */
INLINE void tile(const uint8_t *x, size_t ldx, const int8_t *b, size_t depth, const int32_t *start, float *y, size_t ldy, const size_t R,
                 const size_t P)
{
    four_t s[12] = {{0}}, u[12] = {{0}}; /* of the first panel, of the second */
    const int8_t *c = b + (P - 1) * WIDE * depth;
#pragma GCC unroll 16
    for (size_t r = 0; r < R; r++) {
        s[r] = *(const loose_t *)start;
        u[r] = *(const loose_t *)(start + (P - 1) * WIDE);
    }
    for (size_t k = 0; k < depth; k += 4) {
        const __m512i v = (__m512i)*(const loose_t *)(b + k * WIDE), w = (__m512i)*(const loose_t *)(c + k * WIDE);
#pragma GCC unroll 16
        for (size_t r = 0; r < R; r++) {
            const __m512i f = (__m512i)(*(const word_t *)(x + r * ldx + k) - (four_t){0});
            s[r] = (four_t)_mm512_dpbusd_epi32((__m512i)s[r], f, v);
            if (P > 1) u[r] = (four_t)_mm512_dpbusd_epi32((__m512i)u[r], f, w);
        }
    }
#pragma GCC unroll 16
    for (size_t r = 0; r < R; r++) {
        _mm512_storeu_ps(y + r * ldy, _mm512_cvtepi32_ps((__m512i)s[r]));
        if (P > 1) _mm512_storeu_ps(y + r * ldy + WIDE, _mm512_cvtepi32_ps((__m512i)u[r]));
    }
}

/* All queries on P panels. */
INLINE void panels_of(const uint8_t *x, size_t ldx, size_t queries, const int8_t *b, size_t depth, const int32_t *start, float *y,
                      size_t ldy, const size_t P)
{
    size_t t = 0;
    for (; t + 12 <= queries; t += 12) tile(x + t * ldx, ldx, b, depth, start, y + t * ldy, ldy, 12, P);
    for (; t + 4 <= queries; t += 4) tile(x + t * ldx, ldx, b, depth, start, y + t * ldy, ldy, 4, P);
    for (; t < queries; t++) tile(x + t * ldx, ldx, b, depth, start, y + t * ldy, ldy, 1, P);
}

static void product(const uint8_t *x, size_t ldx, size_t queries, const int8_t *b, size_t panels, size_t depth, const int32_t *start,
                    float *y, size_t ldy)
{
    size_t p = 0;
    for (; p + 2 <= panels; p += 2)
        panels_of(x, ldx, queries, b + p * WIDE * depth, depth, start + p * WIDE, y + p * WIDE, ldy, 2);
    if (p < panels) panels_of(x, ldx, queries, b + p * WIDE * depth, depth, start + p * WIDE, y + p * WIDE, ldy, 1);
}

#else

static void product(const uint8_t *x, size_t ldx, size_t queries, const int8_t *b, size_t panels, size_t depth, const int32_t *start,
                    float *y, size_t ldy)
{
    for (size_t p = 0; p < panels; p++)
        for (size_t t = 0; t < queries; t++) {
            int32_t s[WIDE];
            memcpy(s, start + p * WIDE, sizeof s);
            for (size_t k = 0; k < depth; k += 4) {
                const uint8_t *f = x + t * ldx + k;
                const int8_t *w = b + (p * depth + k) * WIDE;
#pragma omp simd
                for (size_t i = 0; i < WIDE; i++)
                    s[i] += f[0] * w[4 * i] + f[1] * w[4 * i + 1] + f[2] * w[4 * i + 2] + f[3] * w[4 * i + 3];
            }
            for (size_t i = 0; i < WIDE; i++) y[t * ldy + p * WIDE + i] = (float)s[i];
        }
}

#endif

/* ---- scan ---- */

/* Does any of 16 rows reach the bar, or is it not to be said? */
#if defined(__AVX512F__)
INLINE int any_of(const float *y, const float *scale, const float *off, const float *norm, const topkrow_t *x, float bar)
{
    const __m512 e = _mm512_fmadd_ps(_mm512_loadu_ps(off), _mm512_set1_ps(x->norm), _mm512_mul_ps(_mm512_loadu_ps(norm), _mm512_set1_ps(x->off)));
    const __m512 s = _mm512_mul_ps(_mm512_loadu_ps(y), _mm512_loadu_ps(scale));
    return _mm512_cmp_ps_mask(_mm512_fmadd_ps(s, _mm512_set1_ps(x->scale), e), _mm512_set1_ps(bar), _CMP_NLT_UQ) != 0;
}
#else
INLINE int any_of(const float *y, const float *scale, const float *off, const float *norm, const topkrow_t *x, float bar)
{
    typedef float vec_t __attribute__((vector_size(16), aligned(4), may_alias));
    typedef int32_t mask_t __attribute__((vector_size(16)));
    mask_t below = {-1, -1, -1, -1};
    for (size_t i = 0; i < WIDE; i += 4)
        below &= *(const vec_t *)(y + i) * *(const vec_t *)(scale + i) * x->scale +
                     (*(const vec_t *)(off + i) * x->norm + *(const vec_t *)(norm + i) * x->off) < bar;
    return (below[0] & below[1] & below[2] & below[3]) == 0;
}
#endif

static size_t scan(const topkscan_t *s, float bar, uint32_t *out)
{
    size_t n = 0;
    for (size_t at = 0; at < s->n; at += WIDE) {
        if (!any_of(s->y + at, s->scale + at, s->off + at, s->norm + at, &s->x, bar)) continue;
        for (size_t i = at; i < s->n && i < at + WIDE; i++)
            if (!(topk_most(s, i) < bar)) out[n++] = (uint32_t)i;
    }
    return n;
}

const topk_kern_t PASTE(topk_kern_, NN_ISA) = {STRING(NN_ISA), row, fits, product, scan};
