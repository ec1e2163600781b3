/* attention: multi-head self-attention over the tokens of one sample (Vaswani et al. 2017, arXiv 1706.03762), with the
 * parameters of PyTorch's MultiheadAttention.
 *
 * Letters: T tokens; C width; H heads; W = C / H. Matrices are row major float32.
 *   qkv (T,3C) = x (T,C) in_w^T + in_b: q, k, v of token t, each (H,W), one after the other
 *   p (H,T,T): p[h,t,u] = softmax over u < keys of (q[t,h] . k[u,h] / sqrt(W) + bias[h,t,u]); 0 for u >= keys
 *   ctx (T,C): ctx[t,h] = sum over u of p[h,t,u] v[u,h]
 *   y (T,C) = ctx out_w^T + out_b
 * All functions are thread-safe with `work` the thread's own, none allocates. Products are OpenBLAS's, which the program
 * keeps at one thread; equal input gives equal bytes. */
#ifndef CRYOLEX_NN_ATTENTION_H
#define CRYOLEX_NN_ATTENTION_H

#include <stddef.h>

typedef struct {
    size_t tokens, width, heads; /* T, C, H; H divides C */
    size_t keys;       /* only the first `keys` tokens are attended to, 1..T; 0: all */
    const float *bias; /* (H,T,T) added to the scaled products, or NULL; it gets no gradient */
} attention_t;

typedef struct {
    const float *in_w, *in_b;   /* in_proj_weight (3C,C), in_proj_bias (3C) */
    const float *out_w, *out_b; /* out_proj.weight (C,C), out_proj.bias (C) */
} attparams_t;

typedef struct {
    float *in_w, *in_b, *out_w, *out_b; /* of the same shapes, added to */
} attgrads_t;

/* The whole layer. saved: attention_saved() floats, written for backward, or NULL at inference. work:
 * attention_work() floats (train: what backward needs, which is enough for forward). y may be x at inference. */
size_t attention_saved(const attention_t *a);
size_t attention_work(const attention_t *a, int train);
void attention_forward(const attention_t *a, const attparams_t *w, const float *x, float *y, float *saved, float *work);

/* dx (T,C) written; it may be dy. grads added to, NULL: not wanted. x and saved as in forward. */
void attention_backward(const attention_t *a, const attparams_t *w, const float *x, const float *saved, const float *dy,
                        float *dx, const attgrads_t *grads, float *work);

/* The part between the two projections, for whoever makes q, k, v of many samples in one product (a = one sample).
 * keep: p (H,T,T) is written for backward; without it p is scratch of attention_core_work() floats. */
size_t attention_core_work(const attention_t *a);
void attention_core_forward(const attention_t *a, const float *qkv, float *p, int keep, float *ctx);
/* dqkv (T,3C) written. scratch: T * T floats. */
void attention_core_backward(const attention_t *a, const float *qkv, const float *p, const float *dctx, float *dqkv,
                             float *scratch);

#endif
