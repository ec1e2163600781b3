/* wino_vec: what the vector sources of wino share: vectors of NN_VEC floats, and names with the instruction set in them. */
#ifndef CRYOLEX_NN_WINO_VEC_H
#define CRYOLEX_NN_WINO_VEC_H

#include <stdint.h>
#include <string.h>

#include "nn/vec.h"
#include "nn/wino_kern.h"

enum { B = NN_VEC };

typedef float vec_t __attribute__((vector_size(NN_VEC * sizeof(float)), may_alias));
typedef int32_t mask_t __attribute__((vector_size(NN_VEC * sizeof(float)), may_alias));

/* One vector of outputs through the epilogue. */
INLINE void put(const vec_t *value, const vec_t *bias, const wout_t *out, size_t at)
{
    vec_t r = *value + *bias;
    if (out->add) r += *(const vec_t *)(out->add + at);
    if (out->relu) {
        mask_t negative = r < 0;
        r = (vec_t)((mask_t)r & ~negative);
    }
    *(vec_t *)(out->y + at) = r;
}

/* G or G^T of a form along one line: values `step` apart, results `to` apart. */
typedef void line_t(const vec_t *from, const size_t step, vec_t *result, const size_t to);

/* u (r,r,r) from w (3,3,3) */
INLINE void weight_cube_by(line_t *line, const size_t r, const vec_t *w, vec_t *u)
{
    vec_t a[6 * 3 * 3], b[6 * 6 * 3];
    for (size_t i = 0; i < 9; i++) line(w + i, 9, a + i, 9);
    for (size_t z = 0; z < r; z++)
        for (size_t x = 0; x < 3; x++) line(a + z * 9 + x, 3, b + z * 3 * r + x, 3);
    for (size_t i = 0; i < r * r; i++) line(b + i * 3, 1, u + i * r, 1);
}

/* w (3,3,3) from u (r,r,r) */
INLINE void weight_cube_back_by(line_t *line, const size_t r, const vec_t *u, vec_t *w)
{
    vec_t a[3 * 6 * 6], b[3 * 3 * 6];
    for (size_t i = 0; i < r * r; i++) line(u + i, r * r, a + i, r * r);
    for (size_t z = 0; z < 3; z++)
        for (size_t x = 0; x < r; x++) line(a + z * r * r + x, r, b + z * 3 * r + x, r);
    for (size_t i = 0; i < 9; i++) line(b + i * r, 1, w + i * 3, 1);
}

/* Weights of B outputs at a time through cube(): 27 vectors into `all`. The rest as wino_form_t's weights. */
INLINE void weights_by(void (*cube)(const vec_t *, vec_t *), const size_t all, const float *w, size_t ostep, size_t istep,
                       bool flip, size_t k, size_t c, float *u)
{
    size_t op = wino_pad(c, B), step = wino_step(k, op);
    for (size_t o = 0; o < op; o += B) {
        size_t panel = o / (2 * B) * 2 * B, width = op - panel < 2 * B ? B : 2 * B, lanes = c - o < B ? c - o : B;
        for (size_t i = 0; i < k; i++) {
            vec_t from[27], to[216];
            float *lane = (float *)from;
            memset(from, 0, sizeof from);
            for (size_t l = 0; l < lanes; l++)
                for (size_t t = 0; t < 27; t++) lane[t * B + l] = w[(o + l) * ostep + i * istep + (flip ? 26 - t : t)];
            cube(from, to);
            for (size_t p = 0; p < all; p++) *(vec_t *)(u + p * step + panel * k + i * width + (o - panel)) = to[p];
        }
    }
}

INLINE void weights_end_by(void (*cube)(const vec_t *, vec_t *), const size_t all, const float *du, size_t ci, size_t co,
                           float *dw)
{
    size_t op = wino_pad(co, B), step = wino_step(ci, op);
    for (size_t i = 0; i < ci; i++)
        for (size_t o = 0; o < co; o += B) {
            vec_t from[216], to[27];
            const float *lane = (const float *)to;
            for (size_t p = 0; p < all; p++) from[p] = *(const vec_t *)(du + p * step + i * op + o);
            cube(from, to);
            for (size_t l = 0; l < B && o + l < co; l++)
                for (size_t t = 0; t < 27; t++) dw[((o + l) * ci + i) * 27 + t] += lane[t * B + l];
        }
}

#endif
