/* wino_kern: the inner steps of wino, each over a block of tiles, and the layout of what passes between them.
 *
 * b is the kernel's block; C' is C rounded up to b. A position p = (pz,py,px), each 0..3, is one of the 64 products of a
 * tile. The 16 positions of one pz are worked on at a time:
 *   v (16, m, ci')    transformed inputs    positions wino_step(m, ci') floats apart
 *   g (16, m, co')    products, or transformed output gradients
 *   u (64, ...)       transformed weights, positions wino_step(ci, co') apart: panels of 2 b output channels (the last one b
 *                     if that is all that is left), each (ci, 2 b)
 *   du (64, ci, co')  transformed weight gradients, positions wino_step(ci, co') apart
 *   sums (m, co'/b, 2,2,2, b)  the outputs of a block of tiles so far */
#ifndef CRYOLEX_NN_WINO_KERN_H
#define CRYOLEX_NN_WINO_KERN_H

#include <stdbool.h>
#include <stddef.h>

#include "nn/conv.h"

enum { WINO_PLANE = 16, WINO_ALL = 64 };

/* A block of tiles: `m` from tile t0, counted over x, y, z, sample. */
typedef struct {
    size_t in[3];  /* D,H,W */
    size_t grid[3]; /* tiles along z, y, x of one sample */
    size_t tz;     /* the first plane of tiles */
    size_t t0, m;
} tiles_t;

/* Tiles of the block with the same sample, z and y. */
typedef struct {
    size_t at, count; /* tiles at .. at + count of the block */
    size_t sample, z, y, x; /* voxel of the first tile's first output */
} strip_t;

/* A tensor of n samples, blocked. */
typedef struct {
    const float *p;
    size_t step, channels;
} wtensor_t;

typedef struct {
    float *y;
    const float *add, *bias; /* add may be NULL; bias (co') */
    size_t step;
    bool relu;
} wout_t;

typedef struct wino_kern {
    const char *name;
    size_t block;
    /* u from the weights of k inputs and c outputs; that of output o, input i, tap t is w[o * co + i * ci + t] (flip: 26 - t) */
    void (*weights)(const float *w, size_t o_step, size_t i_step, bool flip, size_t k, size_t c, float *u);
    /* v = B^T x B; zero is a row of W * b zeros */
    void (*input)(const tiles_t *t, const wtensor_t *x, int pz, const float *zero, float *v);
    /* g = A dy A^T */
    void (*grad)(const tiles_t *t, const wtensor_t *dy, int pz, const float *zero, float *g);
    /* g[p] = v[p] u[p], u from position 16 pz on */
    void (*product)(const float *v, size_t m, const float *u, size_t ci, size_t co, float *g);
    /* sums (+)= A^T g A; with pz == 3 the outputs are complete and go to y */
    void (*output)(const tiles_t *t, const float *g, size_t co, int pz, float *sums, const wout_t *out);
    /* du[p] += v[p]^T g[p], du from position 16 pz on */
    void (*outer)(const float *v, const float *g, size_t m, size_t ci, size_t co, float *du);
    /* dw (co,ci,3,3,3) += G^T du G */
    void (*weights_end)(const float *du, size_t ci, size_t co, float *dw);
} wino_kern_t;

extern const wino_kern_t wino_kern_ref, wino_kern_vec, wino_kern_avx2, wino_kern_avx512;

static inline size_t wino_pad(size_t n, size_t unit)
{
    return (n + unit - 1) / unit * unit;
}

/* Off the powers of two, so that the positions of one element do not share a cache set. */
static inline size_t wino_step(size_t rows, size_t columns)
{
    return wino_pad(rows * columns, 16) + 16;
}

/* The strip that begins with tile `at` of the block. */
static inline strip_t wino_strip(const tiles_t *t, size_t at)
{
    size_t i = t->t0 + at, x = i % t->grid[2], row = i / t->grid[2];
    strip_t s = {.at = at, .count = t->grid[2] - x, .x = 2 * x};
    if (s.count > t->m - at) s.count = t->m - at;
    s.y = 2 * (row % t->grid[1]);
    s.z = 2 * (t->tz + row / t->grid[1] % t->grid[0]);
    s.sample = row / t->grid[1] / t->grid[0];
    return s;
}

#endif
