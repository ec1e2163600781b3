/* wino_kern: the inner steps of wino, each over a block of tiles, and the layout of what passes between them.
 *
 * e = 2 or 4 is the edge of a tile of outputs, r = e + 2 that of its inputs, so a tile has r^3 positions p = (pz,py,px),
 * one product each. The r^2 positions of one pz are worked on at a time. b is the kernel's block, C' is C rounded up to b.
 *   v (r^2, m, ci')    transformed inputs, positions wino_step(m, ci') floats apart
 *   g (r^2, m, co')    products, or transformed output gradients
 *   u (r^3, ...)       transformed weights, positions wino_step(ci, co') apart: panels of 2 b output channels (the last one
 *                      of b if that is all that is left), each (ci, 2 b)
 *   du (r^3, ci, co')  transformed weight gradients, positions wino_step(ci, co') apart
 *   sums (m, co'/b, e^3, b)  what a form keeps from pz to pz */
#ifndef CRYOLEX_NN_WINO_KERN_H
#define CRYOLEX_NN_WINO_KERN_H

#include <stdbool.h>
#include <stddef.h>

#include "nn/conv.h"

/* A block of tiles: `m` from tile t0, counted over x, y, z, sample. */
typedef struct {
    size_t edge;
    size_t in[3];   /* D,H,W */
    size_t grid[3]; /* tiles along z, y, x of one sample */
    size_t tz;      /* the first plane of tiles */
    size_t t0, m;
} tiles_t;

/* Tiles of the block with the same sample, z and y. */
typedef struct {
    size_t count;
    size_t sample, z, y, x; /* voxel of the first tile's first output */
} strip_t;

/* A tensor of several samples, blocked. */
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

/* The transforms of one e, with the matrices B, G, A of the source. `edge` is e; zero is a row of W * b zeros. */
typedef struct wino_form {
    size_t edge;
    /* u = G w G^T for k inputs and c outputs; weight of output o, input i, tap t is w[o * ostep + i * istep + t], with flip
     * tap 26 - t */
    void (*weights)(size_t edge, const float *w, size_t ostep, size_t istep, bool flip, size_t k, size_t c, float *u);
    /* v = B^T x B */
    void (*input)(const tiles_t *t, const wtensor_t *x, size_t pz, const float *zero, float *v);
    /* g = A dy A^T */
    void (*grad)(const tiles_t *t, const wtensor_t *dy, size_t pz, const float *zero, float *g);
    /* y = A^T g A: called for pz = 0, 1, ... in order; after the last one y is written */
    void (*output)(const tiles_t *t, const float *g, size_t co, size_t pz, float *sums, const wout_t *out);
    /* dw (co,ci,3,3,3) += G^T du G */
    void (*weights_end)(size_t edge, const float *du, size_t ci, size_t co, float *dw);
} wino_form_t;

typedef struct wino_kern {
    const char *name;
    size_t block;
    /* g[p] = v[p] u[p] for `plane` positions */
    void (*product)(size_t plane, const float *v, size_t m, const float *u, size_t ci, size_t co, float *g);
    /* du[p] += v[p]^T g[p] */
    void (*outer)(size_t plane, const float *v, const float *g, size_t m, size_t ci, size_t co, float *du);
    const wino_form_t *form[2]; /* e = 2, e = 4 */
} wino_kern_t;

extern const wino_kern_t wino_kern_ref, wino_kern_vec, wino_kern_avx2, wino_kern_avx512, wino_kern_wide;
extern const wino_form_t wino_f2_vec, wino_f2_avx2, wino_f2_avx512, wino_f2_wide;
extern const wino_form_t wino_f4_vec, wino_f4_avx2, wino_f4_avx512, wino_f4_wide;

/* The points of e = 4: 0, +-a, +-b with a b = 1, infinity. Of the points tried these left the smallest error, a fifth of
 * that of 0, +-1, +-2. */
#define WINO_A 0.75
#define WINO_B (4.0 / 3.0)
#define WINO_AA (WINO_A * WINO_A)
#define WINO_BB (WINO_B * WINO_B)
#define WINO_NA (1 / (2 * WINO_AA * (WINO_AA - WINO_BB))) /* 1 / the product of a - (each other point) */
#define WINO_NB (1 / (2 * WINO_BB * (WINO_BB - WINO_AA)))

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
    strip_t s = {.count = t->grid[2] - x, .x = t->edge * x};
    if (s.count > t->m - at) s.count = t->m - at;
    s.y = t->edge * (row % t->grid[1]);
    s.z = t->edge * (t->tz + row / t->grid[1] % t->grid[0]);
    s.sample = row / t->grid[1] / t->grid[0];
    return s;
}

#endif
