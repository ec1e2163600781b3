/* pool: mean, maximum and generalised mean (GeM, Radenovic et al. 2019, arXiv 1711.02512) over windows of a volume in the
 * blocked layout, or over all of it. One sample a call; thread-safe; no allocation. */
#ifndef CRYOLEX_NN_POOL_H
#define CRYOLEX_NN_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "nn/graph.h"

typedef struct {
    pool_t kind;
    size_t c, blocks, b, in[3], out[3]; /* c channels; x (blocks,D,H,W,b), y (blocks,d,h,w,b) */
    size_t side, stride;             /* side 0: the whole volume, y (blocks b) */
    float eps, p;                    /* gem: mean(max(x,eps)^p)^(1/p) */
} poolshape_t;

/* The maximum is the first of equals; a NaN is the maximum. */
void pool_forward(const poolshape_t *s, const float *x, float *y);
/* dx written, or with `sum` added to. gem: *dp is added to. */
void pool_backward(const poolshape_t *s, const float *x, const float *dy, float *dx, bool sum, float *dp);

#endif
