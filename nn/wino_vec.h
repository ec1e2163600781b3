/* wino_vec: what the vector sources of wino share: vectors of NN_VEC floats, and names with the instruction set in them. */
#ifndef CRYOLEX_NN_WINO_VEC_H
#define CRYOLEX_NN_WINO_VEC_H

#include <stdint.h>
#include <string.h>

#include "nn/wino_kern.h"

#ifndef NN_VEC
#define NN_VEC 8
#define NN_ISA vec
#endif
#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)
#define STRING_(a) #a
#define STRING(a) STRING_(a)
#define INLINE static inline __attribute__((always_inline))

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
