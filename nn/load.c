/* load: parameters into the order of the steps' kernels, batchnorm folded at inference, and gradients out of it. */
#include <math.h>
#include <string.h>

#include "nn/step_priv.h"

static const float *tensor(const run_t *r, const layer_t *l, size_t i, const float *params)
{
    return params + layer_tensor(r->p.net, l, i)->at;
}

static void copy(const float *from, size_t n, size_t room, float *to)
{
    memcpy(to, from, n * sizeof *to);
    memset(to + n, 0, (room - n) * sizeof *to);
}

/* Bias of channel o, and the factor of its weights, once a batchnorm is folded in. */
static float folded(const run_t *r, const step_t *s, const float *params, size_t o, float *factor)
{
    float bias = s->l->bias ? tensor(r, s->l, 1, params)[o] : 0;
    *factor = 1;
    if (!s->norm) return bias;
    const float *mean = tensor(r, s->norm, 2, params), *var = tensor(r, s->norm, 3, params);
    double f = (double)tensor(r, s->norm, 0, params)[o] / sqrt((double)var[o] + s->norm->eps);
    *factor = (float)f;
    return (float)(((double)bias - (double)mean[o]) * f + (double)tensor(r, s->norm, 1, params)[o]);
}

static void load_conv(const run_t *r, const step_t *s, const float *params, bool back, float *work)
{
    const nettensor_t *t = layer_tensor(r->p.net, s->l, 0);
    const float *w = params + t->at;
    float *bias = r->weights + s->w[1], *raw = work + conv_work(s->conv);
    size_t per = t->size / s->l->out, lanes = r->p.buf[s->out].g.lanes;
    memset(bias, 0, lanes * sizeof *bias);
    for (size_t o = 0; o < s->l->out; o++) {
        float f;
        bias[o] = folded(r, s, params, o, &f);
        for (size_t j = 0; s->norm && j < per; j++) raw[o * per + j] = w[o * per + j] * f;
    }
    bool forward = !back || r->p.buf[s->out].redo;
    conv_pack(s->conv, s->norm ? raw : w, forward ? r->weights + s->w[0] : NULL, back ? r->weights + s->w[2] : NULL, work);
}

static void load_linear(const run_t *r, const step_t *s, const float *params)
{
    const geom_t *gx = &r->p.buf[s->in[0]].g, *gy = &r->p.buf[s->out].g;
    const float *w = tensor(r, s->l, 0, params);
    float *turned = r->weights + s->w[0], *bias = r->weights + s->w[1];
    memset(turned, 0, gx->c * gy->floats * sizeof *turned);
    memset(bias, 0, gy->floats * sizeof *bias);
    for (size_t o = 0; o < gy->c; o++) {
        float f;
        bias[o] = folded(r, s, params, o, &f);
        for (size_t i = 0; i < gx->c; i++) turned[i * gy->floats + o] = w[o * gx->c + i] * f;
    }
    for (size_t o = 0; r->p.train && o < gy->c; o++)
        copy(w + o * gx->c, gx->c, gx->floats, r->weights + s->w[2] + o * gx->floats);
}

static void load_norm(const run_t *r, const step_t *s, const float *params)
{
    const geom_t *g = &r->p.buf[s->out].g;
    copy(tensor(r, s->norm, 0, params), g->c, g->lanes, r->weights + s->w[0]);
    copy(tensor(r, s->norm, 1, params), g->c, g->lanes, r->weights + s->w[1]);
    if (s->norm->op != OP_BATCHNORM || r->p.train) return;
    bnstat_t t = step_stat(r, s);
    const float *mean = tensor(r, s->norm, 2, params), *var = tensor(r, s->norm, 3, params);
    for (size_t c = 0; c < g->c; c++) {
        t.mean[c] = mean[c];
        t.rstd[c] = (float)(1 / sqrt((double)var[c] + s->norm->eps));
    }
}

void step_load(const run_t *r, const step_t *s, const float *params, bool back, float *work)
{
    if (s->kind == S_CONV) load_conv(r, s, params, back, work);
    else if (s->kind == S_LINEAR) load_linear(r, s, params);
    else if (s->kind == S_POINT && s->norm) load_norm(r, s, params);
    else
        for (size_t i = 0; i < s->nw; i++) {
            const nettensor_t *t = layer_tensor(r->p.net, s->l, i);
            memcpy(r->weights + s->w[i], params + t->at, t->size * sizeof *params);
        }
}

static void add(const float *from, size_t n, float *to)
{
    for (size_t i = 0; i < n; i++) to[i] += from[i];
}

void step_finish(const run_t *r, const step_t *s, const float *acc, float *grads, float *work)
{
    const layer_t *l = s->kind == S_POINT ? s->norm : s->l;
    for (size_t i = 0; l && i < l->ntensor && i < s->nacc; i++) {
        const nettensor_t *t = layer_tensor(r->p.net, l, i);
        const float *from = acc + s->acc[i];
        float *to = grads + t->at;
        size_t in = s->kind == S_LINEAR && i == 0 ? r->p.buf[s->in[0]].g.floats : 0;
        if (s->kind == S_CONV && i == 0) conv_grad_weight_end(s->conv, from, to, work);
        else if (in)
            for (size_t o = 0; o < t->shape[0]; o++) add(from + o * in, t->shape[1], to + o * t->shape[1]);
        else if (l->op != OP_BATCHNORM) add(from, t->size, to);
    }
}
