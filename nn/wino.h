/* wino: 3D convolution of side 3, stride 1, pad 1 by Winograd's F(e x e x e, 3x3x3). Tiles of e = 4: 216 products for 64
 * outputs instead of 1728; e = 2, where the extents waste too much of a tile of 4: 64 for 8 instead of 216. One thread;
 * layouts, letters and the meaning of every argument are those of nn/conv.h, which chooses between this way and the direct
 * one. Workspaces and packed weights are MEM_ALIGN-aligned.
 *
 * Results: an output depends on the inputs of its own tile alone, sums over channels run in their order: the same bytes
 * however samples and slabs are shared out. A weight gradient is one sum over the tiles of all calls on one acc, in the
 * order in which the samples came: it does not matter how they were divided into calls. Kernels agree to rounding.
 * Largest error over the largest result, channels 2..128: 1e-6 with e = 2, 5e-6 with e = 4 (direct sums: 1e-6 to 2e-6).
 *
 * Source: Lavin and Gray 2016, doi 10.1109/CVPR.2016.435, the matrices B, G, A nested in three dimensions. */
#ifndef CRYOLEX_NN_WINO_H
#define CRYOLEX_NN_WINO_H

#include <stdbool.h>
#include <stddef.h>

#include "nn/conv.h"
#include "nn/isa.h"

typedef struct {
    convshape_t s;
    const struct wino_kern *kern;
    const struct wino_form *form;
} wino_t; /* read only once made; nothing to free */

/* Side 3, stride 1, pad 1, and more than one channel on each side (a tensor of one channel is not blocked). */
bool wino_can(const convshape_t *s);
/* s as wino_can() has it, isa one that runs here. */
void wino_init(wino_t *w, const convshape_t *s, isa_t isa);

size_t wino_work(const wino_t *w);   /* floats of workspace that any call needs */
size_t wino_packed(const wino_t *w); /* floats of packed weights, */
size_t wino_packed_back(const wino_t *w);
size_t wino_acc(const wino_t *w);  /* and of the weight gradient */
size_t wino_slab(const wino_t *w); /* z0 and z1 are multiples of it or the end */

/* packed or back may be NULL */
void wino_pack(const wino_t *w, const float *weights, float *packed, float *back, float *work);
void wino_forward(const wino_t *w, const float *packed, size_t n, const float *x, size_t xstep, float *y, size_t ystep,
                  size_t z0, size_t z1, const epilogue_t *e, float *work);
void wino_grad_data(const wino_t *w, const float *back, size_t n, const float *dy, size_t ystep, float *dx, size_t xstep,
                    bool sum, float *work);
void wino_grad_weight(const wino_t *w, size_t n, const float *x, size_t xstep, const float *dy, size_t ystep, float *acc,
                      float *work);
void wino_grad_weight_end(const wino_t *w, const float *acc, float *dw, float *work);

#endif
