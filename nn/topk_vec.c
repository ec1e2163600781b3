/* topk_vec: the steps of topk in the compiler's vectors. Compiled once for every instruction set; sums of four products of 8-bit numbers,
 * which the compiler has no word for, by the instruction where there is one (AVX-512 VNNI). */
#include <math.h>
#include <string.h>
#if defined(__AVX512VNNI__)
#include <immintrin.h>
#endif

#include "nn/topk_kern.h"
#include "nn/vec.h"

enum { WIDE = TOPK_WIDE };

/* ---- row ---- */

static topkrow_t row(const float *w, size_t d, int8_t *q)
{
    const float slack = topk_slack(d), tiny = 1e-12f, huge = 1e18f; /* squares of what rounding takes are in float32, too */
    topkrow_t r = {0};
    float square = 0, top = 0, lost = 0;
    int32_t sum = 0;
#pragma omp simd reduction(+ : square) reduction(max : top)
    for (size_t k = 0; k < d; k++) {
        float a = fabsf(w[k]);
        square += a * a;
        top = a > top ? a : top;
    }
    r.norm = !(square < huge * huge) ? NAN : top < tiny ? top * sqrtf((float)d) : sqrtf(square) * (1 + slack);
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

/* ---- product ---- */

#if defined(__AVX512VNNI__)

/* R queries, P panels. */
INLINE void tile(const uint8_t *x, size_t ldx, const int8_t *b, size_t depth, const int32_t *start, float *y, size_t ldy, const size_t R,
                 const size_t P)
{
    __m512i s[12][2];
#pragma GCC unroll 16
    for (size_t r = 0; r < R; r++)
#pragma GCC unroll 2
        for (size_t p = 0; p < P; p++) s[r][p] = _mm512_loadu_si512(start + p * WIDE);
    for (size_t k = 0; k < depth; k += 4, b += 4 * WIDE) {
        __m512i w[2];
#pragma GCC unroll 2
        for (size_t p = 0; p < P; p++) w[p] = _mm512_loadu_si512(b + p * WIDE * depth);
#pragma GCC unroll 16
        for (size_t r = 0; r < R; r++) {
            int32_t four;
            memcpy(&four, x + r * ldx + k, sizeof four);
            __m512i f = _mm512_set1_epi32(four);
#pragma GCC unroll 2
            for (size_t p = 0; p < P; p++) s[r][p] = _mm512_dpbusd_epi32(s[r][p], f, w[p]);
        }
    }
#pragma GCC unroll 16
    for (size_t r = 0; r < R; r++)
#pragma GCC unroll 2
        for (size_t p = 0; p < P; p++) _mm512_storeu_ps(y + r * ldy + p * WIDE, _mm512_cvtepi32_ps(s[r][p]));
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

static size_t scan(const topkscan_t *s, float bar, uint32_t *out)
{
    size_t n = 0;
    for (size_t i0 = 0; i0 < s->n; i0 += WIDE) {
        int any = 0;
#pragma omp simd reduction(| : any)
        for (size_t i = i0; i < i0 + WIDE; i++) any |= !(topk_most(s, i) < bar);
        if (!any) continue;
        for (size_t i = i0; i < s->n && i < i0 + WIDE; i++)
            if (!(topk_most(s, i) < bar)) out[n++] = (uint32_t)i;
    }
    return n;
}

const topk_kern_t PASTE(topk_kern_, NN_ISA) = {STRING(NN_ISA), row, product, scan};
