/* topk_kern: the inner steps of topk.
 *
 * A row w is scale q + e, with q in 8 bits; a query x likewise. With |.| the Euclidean norm, a product x.w lies within
 *   |x| |e_w| + |e_x| |w|
 * of scale_x scale_w q_x.q_w, but for roundings of float32, which topk.c adds to `off`. */
#ifndef CRYOLEX_NN_TOPK_KERN_H
#define CRYOLEX_NN_TOPK_KERN_H

#include <stdbool.h>

#include "nn/topk.h"

enum { TOPK_WIDE = 16 }; /* rows of a panel */

/* Of a vector: scale; |e|; |w|, NAN where a number is not finite or larger than TOPK_MOST, for every kernel. All with their own roundings on the safe side. */
typedef struct {
    float scale, off, norm;
    int32_t sum; /* of q */
} topkrow_t;

/* Rows in hand and a query, for scan(): row i may score up to y[i] scale[i] x.scale + off[i] x.norm + norm[i] x.off. */
typedef struct {
    const float *y, *scale, *off, *norm; /* (n); n up to a multiple of TOPK_WIDE can be read */
    size_t n;
    topkrow_t x;
} topkscan_t;

typedef struct {
    const char *name;
    /* One vector: q[0..d-1] in -127..127, or NULL for the norm alone. */
    topkrow_t (*row)(const float *w, size_t d, int8_t *q);
    /* Is every number finite and at most TOPK_MOST, so that row() would give a norm? */
    bool (*fits)(const float *w, size_t d);
    /* y (queries, 16 panels), ldy apart, = (float)(start + sum over k of x b), for x (queries, depth) in 0..255 and panels b (depth/4, 16, 4) */
    void (*product)(const uint8_t *x, size_t ldx, size_t queries, const int8_t *b, size_t panels, size_t depth, const int32_t *start,
                    float *y, size_t ldy);
    /* The rows that may score `bar` or more, or of which that cannot be said (NaN), into out (n); how many. */
    size_t (*scan)(const topkscan_t *s, float bar, uint32_t *out);
} topk_kern_t;

extern const topk_kern_t topk_kern_ref, topk_kern_vec, topk_kern_avx2, topk_kern_avx512, topk_kern_vnni;

/* What scan() compares, in its order of operations. */
static inline float topk_most(const topkscan_t *s, size_t i)
{
    return s->y[i] * s->scale[i] * s->x.scale + (s->off[i] * s->x.norm + s->norm[i] * s->x.off);
}
static inline float topk_least(const topkscan_t *s, size_t i)
{
    return s->y[i] * s->scale[i] * s->x.scale - (s->off[i] * s->x.norm + s->norm[i] * s->x.off);
}

/* How much a norm may be off that is summed up in float32 in any order, relative; roundings of d numbers. */
static inline float topk_slack(size_t d)
{
    return (float)(d + 64) * 0x1p-23f;
}

#endif
