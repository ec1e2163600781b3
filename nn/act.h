/* act: the pointwise activations. */
#ifndef CRYOLEX_NN_ACT_H
#define CRYOLEX_NN_ACT_H

#include <stddef.h>

typedef enum {
    ACT_NONE,
    ACT_RELU, /* max(x, 0) */
    ACT_SILU, /* x / (1 + exp(-x)) */
    ACT_GELU, /* x Phi(x), Phi by erf, not the tanh form */
    ACT_COUNT
} act_t;

/* y[i] = act(x[i]), i < n; y may be x. Thread-safe. */
void act_forward(act_t a, const float *x, size_t n, float *y);

/* dx[i] = dy[i] act'(x[i]); dx may be dy. At 0, ReLU has slope 0, as in PyTorch. */
void act_backward(act_t a, const float *x, const float *dy, size_t n, float *dx);

#endif
