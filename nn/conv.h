/* conv: 3D convolution of one thread, forward and backward, with its kernels.
 *
 * Letters: N samples; ci, co channels in and out; D,H,W extent of x; d,h,w extent of y; b = isa_block().
 * Blocked layout of an activation of one sample: (ceil(C/b), D, H, W, b), channels past C zero; a tensor of one channel
 * is plain (D,H,W) instead (block 1). Samples stand `blocked_size` floats apart. All activations are MEM_ALIGN-aligned.
 * Weights outside are PyTorch's: (co, ci, k, k, k), float32.
 * y[o,z,y,x] = act(bias[o] + add[o,z,y,x] + sum over i,kz,ky,kx of w[o,i,kz,ky,kx] x[i, s z + kz - pad, ...]), x zero
 * outside. (Cross-correlation, as torch.nn.functional.conv3d.)
 *
 * Ways: direct (nn/direct.c), any shape; Winograd (nn/wino.c), F(4x4x4, 3x3x3) or F(2x2x2, 3x3x3), side 3, stride 1, pad 1
 * (Lavin and Gray 2016, doi 10.1109/CVPR.2016.435). Forward, data gradient and weight gradient each take the way that
 * measured faster at the shape.
 *
 * All functions but conv_new are thread-safe with `work` the thread's own; none allocates; results do not depend on how
 * samples and slabs are shared out. work, packed weights and acc are MEM_ALIGN-aligned. */
#ifndef CRYOLEX_NN_CONV_H
#define CRYOLEX_NN_CONV_H

#include <stddef.h>

#include "base/err.h"
#include "nn/act.h"
#include "nn/isa.h"

typedef struct {
    size_t ci, co;  /* channels, 1 up */
    size_t side;    /* k: 1, 3 or 5 */
    size_t stride;  /* s: 1 or 2 */
    size_t pad;     /* 0..k/2 */
    size_t in[3];   /* D,H,W of x, each at least k - 2 pad */
} convshape_t;

typedef enum { CONV_AUTO, CONV_DIRECT, CONV_WINOGRAD } convway_t;

typedef struct {
    const float *bias; /* (co), or NULL */
    const float *add;  /* in the layout of y, added before the activation, or NULL; its samples ystep apart */
    act_t act;         /* ACT_NONE, ACT_RELU, ACT_SILU, ACT_GELU */
} epilogue_t;

typedef struct conv conv_t; /* read only after conv_new(): one for all threads */

/* Floats of one sample in the blocked layout. */
size_t blocked_size(isa_t isa, size_t channels, const size_t extent[3]);
/* Plain (C,D,H,W) <-> blocked, one sample. */
void blocked_pack(isa_t isa, const float *plain, size_t channels, const size_t extent[3], float *blocked);
void blocked_unpack(isa_t isa, const float *blocked, size_t channels, const size_t extent[3], float *plain);

/* NULL: ERR_RANGE a shape out of range, ERR_UNSUP a way that cannot do it or a set that does not run here (isa_runs),
 * ERR_NOMEM. Free with conv_free(). */
conv_t *conv_new(const convshape_t *s, isa_t isa, convway_t way, err_t *err);
void conv_free(conv_t *c); /* NULL is fine */
const convshape_t *conv_shape(const conv_t *c);
void conv_extent(const convshape_t *s, size_t out[3]); /* d,h,w = (D + 2 pad - k) / s + 1 */
const char *conv_way(const conv_t *c, int pass); /* name for listings; pass 0 forward, 1 data, 2 weights */

size_t conv_work(const conv_t *c); /* floats of workspace that any call needs */

/* Weights into the kernels' own order: once after each change of the weights. packed has conv_packed() floats; `back`
 * (conv_packed_back()) is for conv_grad_data. Either may be NULL. work as below. */
size_t conv_packed(const conv_t *c);
size_t conv_packed_back(const conv_t *c);
void conv_pack(const conv_t *c, const float *w, float *packed, float *back, float *work);

/* y of output planes z0 <= z < z1 of n samples, x and y blocked, samples xstep and ystep floats apart.
 * z0 and z1 multiples of conv_slab(c) or the end: so few samples can still be shared out among threads. */
size_t conv_slab(const conv_t *c);
void conv_forward(const conv_t *c, const float *packed, size_t n, const float *x, size_t xstep, float *y, size_t ystep,
                  size_t z0, size_t z1, const epilogue_t *e, float *work);

/* dx = the gradient with respect to x, of n samples; written, or with `sum` added to what is there. */
void conv_grad_data(const conv_t *c, const float *back, size_t n, const float *dy, size_t ystep, float *dx, size_t xstep,
                    int sum, float *work);

/* acc (conv_acc() floats, zeroed before the first call) += the weight gradient of n samples, in the kernels' own order;
 * conv_grad_weight_end adds acc to dw (co, ci, k, k, k). Sums over samples run in their order, one acc a group of
 * samples; acc of several groups may be added element by element first. */
size_t conv_acc(const conv_t *c);
void conv_grad_weight(const conv_t *c, size_t n, const float *x, size_t xstep, const float *dy, size_t ystep, float *acc,
                      float *work);
void conv_grad_weight_end(const conv_t *c, const float *acc, float *dw, float *work);

/* Multiply-adds of the definition, times two, of one sample and pass: what benchmarks divide by the time. */
double conv_flops(const convshape_t *s);

#endif
