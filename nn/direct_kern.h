/* direct_kern: the one inner loop of the direct convolution, a table with an entry an instruction set. */
#ifndef CRYOLEX_NN_DIRECT_KERN_H
#define CRYOLEX_NN_DIRECT_KERN_H

#include <stddef.h>
#include <stdint.h>

#include "nn/isa.h"

/* n sums of m terms, each sum a panel of 1 or 2 vectors of `vec` floats:
 *     out[to[j] + v gap_out + l] = f(sum over i of x[from[j] + at[i]] w[i step + v gap + l] + bias[v vec + l] + add[same as out])
 * j < n, v < vecs, l < vec; f is max(., 0) with relu. Forward and for the data gradient a sum is an output position and its
 * terms are the taps; for the weight gradient a sum is a tap, and its terms are the positions. */
typedef struct {
    size_t vecs, n, m;
    const float *x;
    const int32_t *from, *to, *at; /* (n), (n), (m): offsets in floats */
    const float *w;
    size_t step, gap;
    float *out;
    size_t gap_out;
    const float *bias, *add; /* or NULL; add may be out */
    int relu;
} sweep_t;

typedef struct direct_kern {
    const char *name;
    size_t vec;
    void (*sweep)(const sweep_t *s); /* terms are added in order, each sum by itself: n may be cut anywhere */
} direct_kern_t;

const direct_kern_t *direct_kern_at(isa_t isa); /* NULL: this build has none (ISA_REF is nn/direct_ref.c) */

/* The entries, one object each. */
extern const direct_kern_t direct_kern_vec, direct_kern_avx2, direct_kern_avx512;

#endif
