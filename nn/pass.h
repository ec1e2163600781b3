/* pass: the loops of nn/ that are no convolution: passes over one channel block of a volume, and a small matrix product.
 *
 * Letters: v voxels (vox of them), l lanes (b of them, the channels of a block; b = isa_block(), or 1 of a one-channel
 * volume, which has entry 0 do it). A block is (vox,b). Sums run over voxels in order, 64 at a time in float, these in
 * double; they do not depend on anything else. */
#ifndef CRYOLEX_NN_PASS_H
#define CRYOLEX_NN_PASS_H

#include <stddef.h>

#include "nn/isa.h"

#define PASS_PIECE 64   /* voxels summed in float */
#define PASS_LANES 16   /* most lanes of a block */
#define PASS_COLUMNS 16 /* of a product: what rows are padded to, in floats */

typedef struct {
    /* s[l] = sum of x - m (m NULL: 0), or with `square` of (x - m)^2 */
    void (*moment)(const float *x, size_t vox, size_t b, const float *m, int square, double *s);
    /* y = x scale + shift + add, negative ones made 0 with `relu`. scale and shift (b), NULL: 1 and 0; add (vox,b) or NULL.
     * y may be x or add. */
    void (*apply)(const float *x, const float *scale, const float *shift, const float *add, int relu, size_t vox, size_t b,
                  float *y);
    /* d = d where out > 0, else 0 (out NULL: as it is); dadd, unless NULL, = d, or with `sum` += d;
     * with x: s[l] = sum of d, t[l] = sum of d (x - m). */
    void (*back)(float *d, const float *out, const float *x, const float *m, size_t vox, size_t b, float *dadd, int sum,
                 double *s, double *t);
    /* dx = d k[1] + (x - k[0]) k[2] + k[3], or with `sum` += that; k (4,b); dx may be d */
    void (*back_x)(const float *d, const float *x, const float *k, size_t vox, size_t b, float *dx, int sum);
    /* c (m,n) = sum over k of a[i ars + k acs] b[k bs + j], or with `sum` += that. n, bs and cs are multiples of
     * PASS_COLUMNS; b and c aligned. Element (i,j) is summed over k in order whatever m and n are. */
    void (*product)(size_t m, size_t n, size_t kn, const float *a, size_t ars, size_t acs, const float *b, size_t bs, float *c,
                    size_t cs, int sum);
} pass_t;

const pass_t *pass_at(isa_t isa);

extern const pass_t pass_ref, pass_vec, pass_avx2, pass_avx512;

#endif
