/* step: one step of a plan, forward. */
#include "nn/step.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "nn/act.h"
#include "nn/attention.h"
#include "nn/layernorm.h"
#include "nn/pool.h"
#include "nn/softmax.h"
#include "nn/step_priv.h"

/* ---- where things lie ---- */

static float *locate(const span_t *c, const place_t *p, size_t floats, float *kept)
{
    if (p->kept) return kept + p->at * c->r->p.batch + c->s0 * floats;
    return c->arena + p->at * c->chunk + c->off * floats;
}

float *span_value(const span_t *c, size_t v)
{
    const buf_t *b = &c->r->p.buf[v];
    return locate(c, c->again ? &b->back : &b->fwd, b->g.floats, c->r->kept);
}

float *span_back(const span_t *c, size_t v)
{
    const buf_t *b = &c->r->p.buf[v];
    return locate(c, &b->back, b->g.floats, c->r->kept);
}

float *span_grad(const span_t *c, size_t v)
{
    const buf_t *b = &c->r->p.buf[v];
    return locate(c, &b->grad, b->g.floats, c->r->grad);
}

float *span_aux(const span_t *c, const step_t *s, size_t i)
{
    return s->naux ? c->r->aux + s->aux * c->r->p.batch + (c->s0 + i) * s->naux : NULL;
}

bnstat_t step_stat(const run_t *r, const step_t *s)
{
    size_t n = (r->p.buf[s->out].g.lanes + PASS_COLUMNS - 1) / PASS_COLUMNS * PASS_COLUMNS;
    float *p = r->stat + s->stat;
    return (bnstat_t){p, p + n, p + 2 * n, p + 3 * n, p + 4 * n};
}

static const geom_t *geom(const span_t *c, size_t v)
{
    return &c->r->p.buf[v].g;
}

/* ---- pointwise ---- */

static size_t common(size_t a, size_t b)
{
    while (b) {
        size_t t = a % b;
        a = b;
        b = t;
    }
    return a;
}

size_t point_unit(const run_t *r, const step_t *s)
{
    const geom_t *g = &r->p.buf[s->out].g;
    if (!s->norm || s->norm->op != OP_GROUPNORM) return 1;
    size_t per = g->c / s->norm->groups, unit = per / common(per, g->b);
    return unit < g->blocks ? unit : g->blocks;
}

/* Mean and 1/sd of the groups in `blocks` blocks from b0, from x; lane values into mean and rstd, groups' into aux. */
static void group_stats(const span_t *c, const step_t *s, const float *x, size_t b0, size_t blocks, float *mean, float *rstd,
                        float *aux)
{
    const geom_t *g = geom(c, s->out);
    const pass_t *pass = c->r->pass;
    double *sum = (double *)(void *)c->work;
    size_t per = g->c / s->norm->groups, end = (b0 + blocks) * g->b < g->c ? (b0 + blocks) * g->b : g->c;
    double count = (double)per * (double)g->vox;
    memset(mean, 0, blocks * g->b * sizeof *mean);
    memset(rstd, 0, blocks * g->b * sizeof *rstd);
    for (int square = 0; square < 2; square++) {
        for (size_t k = 0; k < blocks; k++)
            pass->moment(x + (b0 + k) * g->vox * g->b, g->vox, g->b, square ? mean + k * g->b : NULL, square, sum + k * g->b);
        for (size_t c0 = b0 * g->b; c0 < end; c0 += per) {
            double all = 0;
            for (size_t l = 0; l < per; l++) all += sum[c0 - b0 * g->b + l];
            float f = (float)(square ? 1 / sqrt(all / count + s->norm->eps) : all / count);
            for (size_t l = 0; l < per; l++) (square ? rstd : mean)[c0 - b0 * g->b + l] = f;
            if (aux) aux[2 * (c0 / per) + (size_t)square] = f;
        }
    }
}

void point_lanes(const span_t *c, const step_t *s, size_t i, size_t b0, size_t blocks, float *mean, float *rstd)
{
    const geom_t *g = geom(c, s->out);
    const float *aux = span_aux(c, s, i);
    bnstat_t t = {0};
    size_t per = 1;
    if (s->norm->op == OP_BATCHNORM) t = step_stat(c->r, s);
    else per = g->c / s->norm->groups;
    for (size_t l = 0; l < blocks * g->b; l++) {
        size_t ch = b0 * g->b + l;
        mean[l] = ch >= g->c ? 0 : t.mean ? t.mean[ch] : aux[2 * (ch / per)];
        rstd[l] = ch >= g->c ? 0 : t.rstd ? t.rstd[ch] : aux[2 * (ch / per) + 1];
    }
}

/* act(scale x + shift + add) of a block. */
static void point_block(const span_t *c, const step_t *s, const float *scale, const float *shift, size_t i, size_t b,
                        const float *x, float *y)
{
    const geom_t *g = geom(c, s->out);
    size_t at = i * g->floats + b * g->vox * g->b;
    const float *add = s->add == NONE ? NULL : span_value(c, s->add) + at;
    c->r->pass->apply(x + at, scale, shift, add, s->act == ACT_RELU, g->vox, g->b, y + at);
    if (s->act == ACT_SILU || s->act == ACT_GELU) act_forward(s->act, y + at, g->vox * g->b, y + at);
}

/* One sample, blocks b0 <= b < b0 + blocks, which hold whole groups. */
static void point_norm(const span_t *c, const step_t *s, size_t i, size_t b0, size_t blocks, const float *x, float *y)
{
    const geom_t *g = geom(c, s->out);
    float *mean = c->work + 4 * g->lanes, *rstd = mean + g->lanes;
    float scale[PASS_LANES] __attribute__((aligned(MEM_ALIGN))), shift[PASS_LANES] __attribute__((aligned(MEM_ALIGN)));
    const float *gamma = c->r->weights + s->w[0], *beta = c->r->weights + s->w[1];
    if (c->again || s->norm->op == OP_BATCHNORM) point_lanes(c, s, i, b0, blocks, mean, rstd);
    else group_stats(c, s, x + i * g->floats, b0, blocks, mean, rstd, span_aux(c, s, i));
    for (size_t k = 0; k < blocks; k++) {
        for (size_t l = 0; l < g->b; l++) {
            size_t at = (b0 + k) * g->b + l;
            scale[l] = gamma[at] * rstd[k * g->b + l];
            shift[l] = beta[at] - mean[k * g->b + l] * scale[l];
        }
        point_block(c, s, scale, shift, i, b0 + k, x, y);
    }
}

static void do_point(const span_t *c, const step_t *s, const part_t *part)
{
    const geom_t *g = geom(c, s->out);
    const float *x = span_value(c, s->in[0]);
    float *y = span_value(c, s->out);
    size_t unit = point_unit(c->r, s);
    size_t b0 = part ? part->u0 * unit : 0, b1 = part ? part->u1 * unit : g->blocks;
    if (b1 > g->blocks) b1 = g->blocks;
    for (size_t i = 0; i < c->n; i++)
        for (size_t b = b0; b < b1; b += unit) {
            size_t blocks = b1 - b < unit ? b1 - b : unit;
            if (s->norm) point_norm(c, s, i, b, blocks, x, y);
            else point_block(c, s, NULL, NULL, i, b, x, y);
        }
}

/* ---- products ---- */

static void do_conv(const span_t *c, const step_t *s, const part_t *part)
{
    const run_t *r = c->r;
    size_t slab = conv_slab(s->conv), out[3];
    conv_extent(conv_shape(s->conv), out);
    size_t z0 = part ? part->u0 * slab : 0, z1 = part && part->u1 * slab < out[0] ? part->u1 * slab : out[0];
    epilogue_t e = {.bias = s->l->bias || s->norm ? r->weights + s->w[1] : NULL,
                    .add = s->add == NONE ? NULL : span_value(c, s->add),
                    .act = s->act};
    conv_forward(s->conv, r->weights + s->w[0], c->n, span_value(c, s->in[0]),
                 geom(c, s->in[0])->floats, span_value(c, s->out), geom(c, s->out)->floats, z0, z1, &e, c->work);
}

static void do_linear(const span_t *c, const step_t *s)
{
    const geom_t *gx = geom(c, s->in[0]), *gy = geom(c, s->out);
    const float *bias = c->r->weights + s->w[1], *add = s->add == NONE ? NULL : span_value(c, s->add);
    float *y = span_value(c, s->out);
    c->r->pass->product(c->n, gy->floats, gx->c, span_value(c, s->in[0]), gx->floats, 1, c->r->weights + s->w[0], gy->floats, y,
                        gy->floats, 0);
    for (size_t i = 0; i < c->n; i++) {
        float *row = y + i * gy->floats;
        for (size_t j = 0; j < gy->floats; j++) row[j] += bias[j];
        for (size_t j = 0; add && j < gy->floats; j++) row[j] += add[i * gy->floats + j];
    }
    if (s->act != ACT_NONE) act_forward(s->act, y, c->n * gy->floats, y);
}

/* ---- the others, sample by sample ---- */

void rows_take(const geom_t *g, const float *x, float *rows)
{
    for (size_t ch = 0; ch < g->c; ch++) {
        const float *from = x + ch / g->b * g->b * g->vox + ch % g->b;
        for (size_t v = 0; v < g->vox; v++) rows[v * g->c + ch] = from[v * g->b];
    }
}

void rows_put(const geom_t *g, const float *rows, float *x)
{
    for (size_t ch = 0; ch < g->lanes; ch++) {
        float *to = x + ch / g->b * g->b * g->vox + ch % g->b;
        for (size_t v = 0; v < g->vox; v++) to[v * g->b] = ch < g->c ? rows[v * g->c + ch] : 0;
    }
}

static void rows_forward(const span_t *c, const step_t *s, const float *x, float *y, float *aux)
{
    const geom_t *g = geom(c, s->in[0]);
    const float *w = c->r->weights;
    float *rows = c->work, *out = rows + g->floats, *more = out + g->floats;
    rows_take(g, x, rows);
    if (s->kind == S_SOFTMAX) {
        softmax_forward(rows, g->vox, g->c, out);
    } else if (s->kind == S_LAYERNORM) {
        layernorm_forward(rows, g->vox, g->c, w + s->w[0], w + s->w[1], s->l->eps, out, aux);
    } else {
        attention_t a = {.tokens = g->vox, .width = g->c, .heads = s->l->heads};
        attparams_t p = {w + s->w[0], w + s->w[1], w + s->w[2], w + s->w[3]};
        attention_forward(&a, &p, rows, out, aux, more);
    }
    rows_put(g, out, y);
}

poolshape_t step_pool(const run_t *r, const step_t *s)
{
    const geom_t *g = &r->p.buf[s->in[0]].g;
    const value_t *x = &r->p.net->value[s->l->in[0]], *y = &r->p.net->value[s->out];
    poolshape_t p = {.kind = s->l->kind, .c = g->c, .blocks = g->blocks, .b = g->b, .side = s->l->side,
                     .stride = s->l->stride, .eps = (float)s->l->eps, .p = s->nw ? r->weights[s->w[0]] : 1};
    memcpy(p.in, x->extent, sizeof p.in);
    memcpy(p.out, y->extent, sizeof p.out);
    return p;
}

static void concat(const span_t *c, const step_t *s, size_t i, float *y)
{
    const geom_t *g = geom(c, s->out);
    size_t at = 0;
    for (size_t k = 0; k < s->nin; k++) {
        const geom_t *gx = geom(c, s->in[k]);
        const float *x = span_value(c, s->in[k]);
        memcpy(y + at, x + i * gx->floats, gx->c * sizeof *y);
        at += gx->c;
    }
    memset(y + at, 0, (g->floats - at) * sizeof *y);
}

/* 64 bits that look random, of a counter (the finaliser of SplitMix64). */
static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

void step_dropout(const span_t *c, const step_t *s, size_t i, const float *x, float *y, bool sum)
{
    const geom_t *g = geom(c, s->out);
    uint64_t key = mix(c->r->seed + mix((uint64_t)s->index * 0x9e3779b97f4a7c15u + mix((uint64_t)(c->s0 + i) + 1)));
    uint64_t keep = (uint64_t)((1 - s->l->p) * 0x1p32);
    float f = (float)(1 / (1 - s->l->p));
    for (size_t ch = 0; ch < g->lanes; ch++)
        for (size_t v = 0; v < g->vox; v++) {
            size_t at = ch / g->b * g->b * g->vox + v * g->b + ch % g->b;
            bool on = ch < g->c && mix(key + (ch * g->vox + v) * 0x9e3779b97f4a7c15u) >> 32 < keep;
            y[at] = (sum ? y[at] : 0) + (on ? x[at] * f : 0);
        }
}

static void l2norm(const span_t *c, const step_t *s, const float *x, float *y)
{
    const geom_t *g = geom(c, s->out);
    double norm = l2_length(x, g->c);
    float f = (float)(1 / (norm > s->l->eps ? norm : s->l->eps));
    for (size_t j = 0; j < g->floats; j++) y[j] = j < g->c ? x[j] * f : 0;
}

double l2_length(const float *x, size_t n)
{
    double sum = 0;
    for (size_t j = 0; j < n; j++) sum += (double)x[j] * (double)x[j];
    return sqrt(sum);
}

static void do_input(const span_t *c, const step_t *s, size_t i, float *y)
{
    const value_t *v = &c->r->p.net->value[s->out];
    const float *x = c->r->in[s->index] + (c->s0 + i) * v->size;
    blocked_pack(c->r->p.isa, x, v->shape[0], v->extent, y);
    const geom_t *g = geom(c, s->out);
    for (size_t j = g->lanes * g->vox; j < g->floats; j++) y[j] = 0;
}

static void do_sample(const span_t *c, const step_t *s)
{
    const value_t *v = &c->r->p.net->value[s->nin ? s->l->in[0] : s->out];
    for (size_t i = 0; i < c->n; i++) {
        const float *x = s->nin ? span_value(c, s->in[0]) + i * geom(c, s->in[0])->floats : NULL;
        float *y = span_value(c, s->out) + i * geom(c, s->out)->floats;
        poolshape_t p;
        switch (s->kind) {
        case S_INPUT: do_input(c, s, i, y); break;
        case S_POOL:
            p = step_pool(c->r, s);
            pool_forward(&p, x, y);
            break;
        case S_CONCAT: concat(c, s, i, y); break;
        case S_DROPOUT: step_dropout(c, s, i, x, y, false); break;
        case S_FLATTEN:
            blocked_unpack(c->r->p.isa, x, v->shape[0], v->extent, y);
            for (size_t j = v->size; j < geom(c, s->out)->floats; j++) y[j] = 0;
            break;
        case S_L2NORM: l2norm(c, s, x, y); break;
        default: rows_forward(c, s, x, y, span_aux(c, s, i));
        }
    }
}

size_t step_units(const run_t *r, const step_t *s)
{
    size_t out[3], unit;
    if (s->kind == S_CONV) {
        conv_extent(conv_shape(s->conv), out);
        unit = conv_slab(s->conv);
        return (out[0] + unit - 1) / unit;
    }
    if (s->kind != S_POINT) return 1;
    unit = point_unit(r, s);
    return (r->p.buf[s->out].g.blocks + unit - 1) / unit;
}

void step_forward(const span_t *c, const step_t *s, const part_t *part)
{
    switch (s->kind) {
    case S_CONV: do_conv(c, s, part); break;
    case S_LINEAR: do_linear(c, s); break;
    case S_POINT: do_point(c, s, part); break;
    default: do_sample(c, s);
    }
}
