/* attention: multi-head self-attention (see attention.h). */
#include "nn/attention.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include <cblas.h>

#include "nn/softmax.h"

enum { ROWS = 64 }; /* queries at a time: their rows of p stay in cache */

static size_t keys_of(const attention_t *a)
{
    return a->keys ? a->keys : a->tokens;
}

size_t attention_core_work(const attention_t *a)
{
    return (a->tokens < ROWS ? a->tokens : ROWS) * a->tokens;
}

size_t attention_saved(const attention_t *a)
{
    return a->tokens * 4 * a->width + a->heads * a->tokens * a->tokens; /* qkv, ctx, p */
}

size_t attention_work(const attention_t *a, int train)
{
    size_t t = a->tokens, c = a->width;
    return train ? t * 4 * c + t * t : t * 4 * c + attention_core_work(a); /* dqkv, dctx, scratch; or qkv, ctx, p */
}

/* c (m,n) = alpha op(a) op(b) + beta c, k terms in each sum; leading dimensions as given. */
static void product(int ta, int tb, size_t m, size_t n, size_t k, float alpha, const float *a, size_t lda, const float *b,
                    size_t ldb, float beta, float *c, size_t ldc)
{
    cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, (int)m, (int)n, (int)k, alpha,
                a, (int)lda, b, (int)ldb, beta, c, (int)ldc);
}

/* y (rows,out) = x (rows,in) w^T + b */
static void linear(size_t rows, size_t in, size_t out, const float *x, const float *w, const float *b, float *y)
{
    for (size_t r = 0; r < rows; r++) memcpy(y + r * out, b, out * sizeof *y);
    product(0, 1, rows, out, in, 1, x, in, w, in, 1, y, out);
}

/* dw (out,in) += dy^T x; db (out) += column sums of dy (rows,out) */
static void linear_grads(size_t rows, size_t in, size_t out, const float *x, const float *dy, float *dw, float *db)
{
    product(1, 0, out, in, rows, 1, dy, out, x, in, 1, dw, in);
    for (size_t r = 0; r < rows; r++)
        for (size_t j = 0; j < out; j++) db[j] += dy[r * out + j];
}

/* Softmax over the first `keys` of each row of p (rows,t), bias (rows,t) or NULL added first; zeros after. */
static void weigh(float *p, const float *bias, size_t rows, size_t t, size_t keys)
{
    for (size_t r = 0; r < rows; r++, p += t) {
        if (bias)
            for (size_t u = 0; u < keys; u++) p[u] += bias[r * t + u];
        softmax_forward(p, 1, keys, p);
        memset(p + keys, 0, (t - keys) * sizeof *p);
    }
}

void attention_core_forward(const attention_t *a, const float *qkv, float *p, int keep, float *ctx)
{
    size_t t = a->tokens, c = a->width, w = c / a->heads, keys = keys_of(a);
    float scale = (float)(1 / sqrt((double)w));
    assert(w * a->heads == c && keys <= t);
    for (size_t h = 0; h < a->heads; h++)
        for (size_t at = 0; at < t; at += ROWS) {
            size_t m = t - at < ROWS ? t - at : ROWS;
            const float *q = qkv + at * 3 * c + h * w, *k = qkv + c + h * w, *v = qkv + 2 * c + h * w;
            float *rows = keep ? p + (h * t + at) * t : p;
            product(0, 1, m, keys, w, scale, q, 3 * c, k, 3 * c, 0, rows, t);
            weigh(rows, a->bias ? a->bias + (h * t + at) * t : NULL, m, t, keys);
            product(0, 0, m, w, keys, 1, rows, t, v, 3 * c, 0, ctx + at * c + h * w, c);
        }
}

void attention_core_backward(const attention_t *a, const float *qkv, const float *p, const float *dctx, float *dqkv,
                             float *scratch)
{
    size_t t = a->tokens, c = a->width, w = c / a->heads, c3 = 3 * c;
    float scale = (float)(1 / sqrt((double)w));
    for (size_t h = 0; h < a->heads; h++) {
        const float *q = qkv + h * w, *k = q + c, *v = k + c, *d = dctx + h * w, *ph = p + h * t * t;
        float *dq = dqkv + h * w, *dk = dq + c, *dv = dk + c;
        product(1, 0, t, w, t, 1, ph, t, d, c, 0, dv, c3);
        product(0, 1, t, t, w, 1, d, c, v, c3, 0, scratch, t);
        softmax_backward(ph, scratch, t, t, scratch); /* p = 0 past the keys: so is the gradient */
        product(0, 0, t, w, t, scale, scratch, t, k, c3, 0, dq, c3);
        product(1, 0, t, w, t, scale, scratch, t, q, c3, 0, dk, c3);
    }
}

void attention_forward(const attention_t *a, const attparams_t *w, const float *x, float *y, float *saved, float *work)
{
    size_t t = a->tokens, c = a->width;
    float *qkv = saved ? saved : work, *ctx = qkv + t * 3 * c, *p = ctx + t * c;
    linear(t, c, 3 * c, x, w->in_w, w->in_b, qkv);
    attention_core_forward(a, qkv, p, saved != NULL, ctx);
    linear(t, c, c, ctx, w->out_w, w->out_b, y);
}

void attention_backward(const attention_t *a, const attparams_t *w, const float *x, const float *saved, const float *dy,
                        float *dx, const attgrads_t *grads, float *work)
{
    size_t t = a->tokens, c = a->width;
    const float *qkv = saved, *ctx = qkv + t * 3 * c, *p = ctx + t * c;
    float *dqkv = work, *dctx = dqkv + t * 3 * c, *scratch = dctx + t * c;
    product(0, 0, t, c, c, 1, dy, c, w->out_w, c, 0, dctx, c);
    if (grads) linear_grads(t, c, c, ctx, dy, grads->out_w, grads->out_b);
    attention_core_backward(a, qkv, p, dctx, dqkv, scratch);
    if (grads) linear_grads(t, c, 3 * c, x, dqkv, grads->in_w, grads->in_b);
    product(0, 0, t, c, 3 * c, 1, dqkv, 3 * c, w->in_w, c, 0, dx, c);
}
