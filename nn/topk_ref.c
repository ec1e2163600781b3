/* topk_ref: the steps of topk in plain C. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "nn/topk_kern.h"

static topkrow_t row(const float *w, size_t d, int8_t *q)
{
    topkrow_t r = {0};
    double square = 0, top = 0, lost = 0;
    for (size_t k = 0; k < d; k++) {
        square += (double)w[k] * (double)w[k];
        top = fmax(top, fabs((double)w[k]));
    }
    bool fit = isfinite(square) && top <= (double)TOPK_MOST;
    r.norm = fit ? (float)(sqrt(square) * 1.000001) : NAN;
    if (!q) return r;
    r.scale = fit && top > 1e-30 ? (float)(top / 127) : 0;
    for (size_t k = 0; k < d; k++) {
        q[k] = r.scale > 0 ? (int8_t)fmax(-127, fmin(127, rint((double)w[k] / (double)r.scale))) : 0;
        double e = (double)w[k] - (double)r.scale * q[k];
        lost += e * e;
        r.sum += q[k];
    }
    r.off = (float)(sqrt(lost) * 1.000001);
    return r;
}

static bool fits(const float *w, size_t d)
{
    for (size_t k = 0; k < d; k++)
        if (!(fabsf(w[k]) <= TOPK_MOST)) return false;
    return true;
}

static void product(const uint8_t *x, size_t ldx, size_t queries, const int8_t *b, size_t panels, size_t depth, const int32_t *start,
                    float *y, size_t ldy)
{
    for (size_t t = 0; t < queries; t++)
        for (size_t i = 0; i < panels * TOPK_WIDE; i++) {
            const int8_t *w = b + i / TOPK_WIDE * TOPK_WIDE * depth + i % TOPK_WIDE * 4;
            int64_t s = start[i];
            for (size_t k = 0; k < depth; k++) s += x[t * ldx + k] * w[k / 4 * 4 * TOPK_WIDE + k % 4];
            y[t * ldy + i] = (float)s;
        }
}

static size_t scan(const topkscan_t *s, float bar, uint32_t *out)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++)
        if (!(topk_most(s, i) < bar)) out[n++] = (uint32_t)i;
    return n;
}

const topk_kern_t topk_kern_ref = {"ref", row, fits, product, scan};
