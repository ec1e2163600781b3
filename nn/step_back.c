/* step_back: one step of a plan, backward. The gradient of the step's result is used up; those of what it read are written
 * or added to, `add` first. */
#include <string.h>

#include "base/mem.h"
#include "nn/act.h"
#include "nn/attention.h"
#include "nn/layernorm.h"
#include "nn/softmax.h"
#include "nn/step_priv.h"

static const geom_t *geom(const span_t *c, size_t v)
{
    return &c->r->p.buf[v].g;
}

/* The gradient of value v, or NULL where nobody wants it. */
static float *grad(const span_t *c, size_t v)
{
    return v != NONE && c->r->p.buf[v].wants ? span_grad(c, v) : NULL;
}

static void give(const float *d, size_t n, float *dx, bool sum)
{
    if (!sum && dx != d) memcpy(dx, d, n * sizeof *dx);
    for (size_t i = 0; sum && i < n; i++) dx[i] += d[i];
}

/* ---- pointwise ---- */

/* d of a block through SiLU or GELU: what went in is made again, PASS_PIECE voxels at a time. */
static void through_act(const span_t *c, const step_t *s, size_t at, const float *scale, const float *shift, float *d)
{
    const geom_t *g = geom(c, s->out);
    float pre[PASS_PIECE * PASS_LANES] __attribute__((aligned(MEM_ALIGN)));
    const float *x = span_back(c, s->in[0]) + at, *add = s->add == NONE ? NULL : span_back(c, s->add) + at;
    for (size_t v = 0; v < g->vox; v += PASS_PIECE) {
        size_t n = g->vox - v < PASS_PIECE ? g->vox - v : PASS_PIECE;
        c->r->pass->apply(x + v * g->b, scale, shift, add ? add + v * g->b : NULL, 0, n, g->b, pre);
        act_backward(s->act, pre, d + v * g->b, n * g->b, d + v * g->b);
    }
}

/* d of a block back through act, and on to `add`; with x, the sums s1 of d and s2 of d (x - mean). */
static void before_act(const span_t *c, const step_t *s, size_t at, const float *x, const float *mean, const float *rstd,
                       const float *gamma, const float *beta, double *s1, double *s2)
{
    const geom_t *g = geom(c, s->out);
    float scale[PASS_LANES] __attribute__((aligned(MEM_ALIGN))), shift[PASS_LANES] __attribute__((aligned(MEM_ALIGN)));
    float *d = span_grad(c, s->out) + at, *dadd = grad(c, s->add);
    for (size_t l = 0; x && l < g->b; l++) {
        scale[l] = gamma[l] * rstd[l];
        shift[l] = beta[l] - mean[l] * scale[l];
    }
    if (s->act == ACT_SILU || s->act == ACT_GELU) through_act(c, s, at, x ? scale : NULL, shift, d);
    c->r->pass->back(d, s->act == ACT_RELU ? span_back(c, s->out) + at : NULL, x ? x + at : NULL, mean, g->vox, g->b,
                     dadd ? dadd + at : NULL, s->sum[s->nin], s1, s2);
}

/* dx of a block, k (4,b) as in pass.h. */
static void block_dx(const span_t *c, const step_t *s, size_t at, const float *k)
{
    const geom_t *g = geom(c, s->out);
    float *dx = grad(c, s->in[0]);
    if (dx) c->r->pass->back_x(span_grad(c, s->out) + at, span_back(c, s->in[0]) + at, k, g->vox, g->b, dx + at, s->sum[0]);
}

/* Sums over a group's channels: their part of dx, and the gradients of weight and bias. t: sum of d (x - mean). */
static void group_k(const span_t *c, const step_t *s, size_t c0, const double *s1, const double *t, const float *rstd, double *k)
{
    const geom_t *g = geom(c, s->out);
    size_t per = g->c / s->norm->groups;
    double a = 0, b = 0, r = (double)rstd[0], count = (double)per * (double)g->vox;
    const float *gamma = c->r->weights + s->w[0] + c0;
    for (size_t l = 0; l < per; l++) {
        a += (double)gamma[l] * s1[l];
        b += (double)gamma[l] * t[l];
        c->acc[s->acc[0] + c0 + l] += (float)(t[l] * r);
        c->acc[s->acc[1] + c0 + l] += (float)s1[l];
    }
    k[0] = -r * a / count;
    k[1] = -r * r * r * b / count;
}

/* One sample of a group normalisation, blocks b0 <= b < b0 + blocks, which hold whole groups. */
static void back_group(const span_t *c, const step_t *s, size_t i, size_t b0, size_t blocks)
{
    const geom_t *g = geom(c, s->out);
    double *s1 = (double *)(void *)c->work, *s2 = s1 + g->lanes;
    float *mean = c->work + 4 * g->lanes, *rstd = mean + g->lanes, *k0 = rstd + g->lanes, *k1 = k0 + g->lanes;
    const float *x = span_back(c, s->in[0]), *gamma = c->r->weights + s->w[0] + b0 * g->b, *beta = c->r->weights + s->w[1] + b0 * g->b;
    size_t size = g->vox * g->b, at = i * g->floats + b0 * size, per = g->c / s->norm->groups;
    point_lanes(c, s, i, b0, blocks, mean, rstd);
    for (size_t j = 0; j < blocks; j++) {
        size_t l = j * g->b;
        before_act(c, s, at + j * size, x, mean + l, rstd + l, gamma + l, beta + l, s1 + l, s2 + l);
    }
    memset(k0, 0, 2 * g->lanes * sizeof *k0);
    for (size_t c0 = 0; c0 < blocks * g->b && b0 * g->b + c0 < g->c; c0 += per) {
        double k[2];
        group_k(c, s, b0 * g->b + c0, s1 + c0, s2 + c0, rstd + c0, k);
        for (size_t l = c0; l < c0 + per; l++) {
            k0[l] = (float)k[0];
            k1[l] = (float)k[1];
        }
    }
    for (size_t j = 0; j < blocks; j++) {
        float k[4 * PASS_LANES] __attribute__((aligned(MEM_ALIGN)));
        for (size_t l = 0, f = j * g->b; l < g->b; l++, f++) {
            k[l] = mean[f];
            k[g->b + l] = gamma[f] * rstd[f];
            k[2 * g->b + l] = k1[f];
            k[3 * g->b + l] = k0[f];
        }
        block_dx(c, s, at + j * size, k);
    }
}

/* One sample of a batch normalisation whose sums over the batch are known; d is that before the activation. */
static void back_batch(const span_t *c, const step_t *s, size_t i)
{
    const geom_t *g = geom(c, s->out);
    bnstat_t t = step_stat(c->r, s);
    const float *gamma = c->r->weights + s->w[0];
    for (size_t b = 0; b < g->blocks; b++) {
        float k[4 * PASS_LANES] __attribute__((aligned(MEM_ALIGN)));
        for (size_t l = 0, ch = b * g->b; l < g->b; l++, ch++) {
            k[l] = ch < g->c ? t.mean[ch] : 0;
            k[g->b + l] = ch < g->c ? gamma[ch] * t.rstd[ch] : 0;
            k[2 * g->b + l] = ch < g->c ? t.k1[ch] : 0;
            k[3 * g->b + l] = ch < g->c ? t.k0[ch] : 0;
        }
        block_dx(c, s, i * g->floats + b * g->vox * g->b, k);
    }
}

void step_batch_sums(const span_t *c, const step_t *s, double *sums)
{
    const geom_t *g = geom(c, s->out);
    float *mean = c->work, *rstd = mean + g->lanes;
    const float *gamma = c->r->weights + s->w[0], *beta = c->r->weights + s->w[1];
    point_lanes(c, s, 0, 0, g->blocks, mean, rstd);
    for (size_t b = 0; b < g->blocks; b++) {
        size_t l = b * g->b;
        before_act(c, s, l * g->vox, span_back(c, s->in[0]), mean + l, rstd + l, gamma + l, beta + l, sums + l, sums + g->lanes + l);
    }
}

static void back_point(const span_t *c, const step_t *s)
{
    const geom_t *g = geom(c, s->out);
    size_t unit = point_unit(c->r, s);
    for (size_t i = 0; i < c->n; i++) {
        if (s->norm && s->norm->op == OP_BATCHNORM) {
            back_batch(c, s, i);
            continue;
        }
        for (size_t b = 0; s->norm && b < g->blocks; b += unit) back_group(c, s, i, b, g->blocks - b < unit ? g->blocks - b : unit);
        for (size_t b = 0; !s->norm && b < g->blocks; b++)
            before_act(c, s, i * g->floats + b * g->vox * g->b, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
    }
    float *dx = grad(c, s->in[0]);
    if (!s->norm && dx) give(span_grad(c, s->out), c->n * g->floats, dx, s->sum[0]);
}

/* ---- products ---- */

/* d through ReLU and on to `add`, of all samples of the chunk; the bias' gradient. */
static void after_product(const span_t *c, const step_t *s, float *d)
{
    const geom_t *g = geom(c, s->out);
    const float *out = s->act == ACT_RELU ? span_back(c, s->out) : NULL;
    float *dadd = grad(c, s->add);
    for (size_t i = 0; out && i < c->n * g->floats; i++) d[i] = out[i] <= 0 ? 0 : d[i];
    if (dadd) give(d, c->n * g->floats, dadd, s->sum[s->nin]);
    for (size_t i = 0; s->l->bias && i < c->n; i++)
        for (size_t b = 0; b < g->blocks; b++) {
            double sum[PASS_LANES];
            c->r->pass->moment(d + i * g->floats + b * g->vox * g->b, g->vox, g->b, NULL, 0, sum);
            for (size_t l = 0; l < g->b; l++) c->acc[s->acc[1] + b * g->b + l] += (float)sum[l];
        }
}

static void back_conv(const span_t *c, const step_t *s)
{
    const geom_t *gx = geom(c, s->in[0]), *gy = geom(c, s->out);
    float *d = span_grad(c, s->out), *dx = grad(c, s->in[0]);
    after_product(c, s, d);
    conv_grad_weight(s->conv, c->n, span_back(c, s->in[0]), gx->floats, d, gy->floats, c->acc + s->acc[0], c->work);
    if (dx) conv_grad_data(s->conv, c->r->weights + s->w[2], c->n, d, gy->floats, dx, gx->floats, s->sum[0], c->work);
}

static void back_linear(const span_t *c, const step_t *s)
{
    const geom_t *gx = geom(c, s->in[0]), *gy = geom(c, s->out);
    const float *x = span_back(c, s->in[0]), *w = c->r->weights + s->w[2];
    float *d = span_grad(c, s->out), *dx = grad(c, s->in[0]);
    after_product(c, s, d);
    c->r->pass->product(gy->c, gx->floats, c->n, d, 1, gy->floats, x, gx->floats, c->acc + s->acc[0], gx->floats, 1);
    if (dx) c->r->pass->product(c->n, gx->floats, gy->c, d, gy->floats, 1, w, gx->floats, dx, gx->floats, s->sum[0]);
}

/* ---- the others, sample by sample: dx of sample i into a row of the workspace, or in place ---- */

static void back_rows(const span_t *c, const step_t *s, size_t i, const float *d, float *dx)
{
    const geom_t *g = geom(c, s->in[0]);
    const float *w = c->r->weights, *x = span_back(c, s->kind == S_SOFTMAX ? s->out : s->in[0]) + i * g->floats;
    const float *aux = span_aux(c, s, i);
    float *rows = c->work + g->floats, *drows = rows + g->floats, *acc = c->acc;
    rows_take(g, x, rows);
    rows_take(g, d, drows);
    if (s->kind == S_SOFTMAX) {
        softmax_backward(rows, drows, g->vox, g->c, drows);
    } else if (s->kind == S_LAYERNORM) {
        layernorm_backward(rows, aux, w + s->w[0], drows, g->vox, g->c, drows, acc + s->acc[0], acc + s->acc[1]);
    } else {
        attention_t a = {.tokens = g->vox, .width = g->c, .heads = s->l->heads};
        attparams_t p = {w + s->w[0], w + s->w[1], w + s->w[2], w + s->w[3]};
        attgrads_t dp = {acc + s->acc[0], acc + s->acc[1], acc + s->acc[2], acc + s->acc[3]};
        attention_backward(&a, &p, rows, aux, drows, drows, &dp, drows + g->floats);
    }
    rows_put(g, drows, dx);
}

static void back_l2norm(const span_t *c, const step_t *s, const float *x, const float *d, float *dx, bool sum)
{
    const geom_t *g = geom(c, s->out);
    double norm = l2_length(x, g->c), dot = 0, f = 1 / (norm > s->l->eps ? norm : s->l->eps);
    for (size_t j = 0; j < g->c; j++) dot += (double)d[j] * (double)x[j];
    double k = norm > s->l->eps ? dot * f * f * f : 0;
    for (size_t j = 0; j < g->floats; j++) {
        float v = j < g->c ? (float)((double)d[j] * f - (double)x[j] * k) : 0;
        dx[j] = sum ? dx[j] + v : v;
    }
}

static void back_concat(const span_t *c, const step_t *s, size_t i, const float *d)
{
    for (size_t k = 0, at = 0; k < s->nin; k++) {
        const geom_t *g = geom(c, s->in[k]);
        float *dx = grad(c, s->in[k]);
        if (dx) give(d + at, g->c, dx + i * g->floats, s->sum[k]);
        if (dx && !s->sum[k]) memset(dx + i * g->floats + g->c, 0, (g->floats - g->c) * sizeof *dx);
        at += g->c;
    }
}

static void back_pool(const span_t *c, const step_t *s, const float *x, const float *d, float *dx)
{
    poolshape_t p = step_pool(c->r, s);
    pool_backward(&p, x, d, dx ? dx : c->work, dx ? s->sum[0] : false, s->nacc ? c->acc + s->acc[0] : NULL);
}

static void back_sample(const span_t *c, const step_t *s, size_t i)
{
    const geom_t *g = geom(c, s->in[0]);
    const value_t *v = &c->r->p.net->value[s->l->in[0]];
    const float *d = span_grad(c, s->out) + i * geom(c, s->out)->floats, *x = span_back(c, s->in[0]) + i * g->floats;
    float *dx = grad(c, s->in[0]);
    if (dx) dx += i * g->floats;
    switch (s->kind) {
    case S_CONCAT: back_concat(c, s, i, d); return;
    case S_POOL: back_pool(c, s, x, d, dx); return;
    case S_DROPOUT: step_dropout(c, s, i, d, dx, s->sum[0]); return;
    case S_L2NORM: back_l2norm(c, s, x, d, dx, s->sum[0]); return;
    case S_FLATTEN: blocked_pack(c->r->p.isa, d, v->shape[0], v->extent, c->work); break;
    default: back_rows(c, s, i, d, c->work);
    }
    for (size_t j = g->lanes * g->vox; j < g->floats; j++) c->work[j] = 0;
    if (dx) give(c->work, g->floats, dx, s->sum[0]);
}

static void back_input(const span_t *c, const step_t *s)
{
    const geom_t *g = geom(c, s->out);
    const value_t *v = &c->r->p.net->value[s->out];
    if (!c->r->din || !c->r->din[s->index]) return;
    for (size_t i = 0; i < c->n; i++)
        blocked_unpack(c->r->p.isa, span_grad(c, s->out) + i * g->floats, v->shape[0], v->extent,
                       c->r->din[s->index] + (c->s0 + i) * v->size);
}

void step_backward(const span_t *c, const step_t *s)
{
    switch (s->kind) {
    case S_INPUT: back_input(c, s); break;
    case S_CONV: back_conv(c, s); break;
    case S_LINEAR: back_linear(c, s); break;
    case S_POINT: back_point(c, s); break;
    default:
        for (size_t i = 0; i < c->n; i++) back_sample(c, s, i);
    }
}
