/* net_double: a network in double, layer after layer from its definition, plain layout: what nn/run.c is held against. */
#ifndef CRYOLEX_TESTS_NET_DOUBLE_H
#define CRYOLEX_TESTS_NET_DOUBLE_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "nn/graph.h"

typedef struct {
    const net_t *net;
    const double *w; /* parameters, places as in the float block */
    size_t n;
    int train;
    uint64_t seed;
    double **v;      /* (values): (n, size) */
} dnet_t;

static const double *dw(const dnet_t *d, const layer_t *l, size_t i)
{
    const nettensor_t *t = layer_tensor(d->net, l, i);
    return t ? d->w + t->at : NULL;
}

static void d_conv(const dnet_t *d, const layer_t *l, const value_t *X, const value_t *Y, const double *x, double *y)
{
    const double *w = dw(d, l, 0), *b = l->bias ? dw(d, l, 1) : NULL;
    size_t k = l->side, C = X->shape[0];
    const size_t *in = X->extent, *out = Y->extent;
    for (size_t o = 0; o < l->out; o++)
        for (size_t at = 0; at < Y->vox; at++) {
            size_t z = at / (out[1] * out[2]), yy = at / out[2] % out[1], xx = at % out[2];
            double s = b ? b[o] : 0;
            for (size_t c = 0; c < C; c++)
                for (size_t t = 0; t < k * k * k; t++) {
                    size_t p = z * l->stride + t / (k * k) - l->pad, q = yy * l->stride + t / k % k - l->pad,
                           r = xx * l->stride + t % k - l->pad; /* outside: wraps past the extent */
                    if (p < in[0] && q < in[1] && r < in[2])
                        s += w[((o * C + c) * k * k * k) + t] * x[((c * in[0] + p) * in[1] + q) * in[2] + r];
                }
            y[o * Y->vox + at] = s;
        }
}

static void d_affine(const double *w, size_t ldw, const double *b, size_t out, size_t in, const double *x, double *y)
{
    for (size_t o = 0; o < out; o++) {
        y[o] = b ? b[o] : 0;
        for (size_t i = 0; i < in; i++) y[o] += w[o * ldw + i] * x[i];
    }
}

/* Normalise the numbers x[at(j)], j < m; each then goes through its weight and bias. */
typedef struct {
    double mean, rstd;
} dstat_t;
static dstat_t d_stat(const double *x, size_t runs, size_t step, size_t len, size_t gap, double eps)
{
    double s = 0, q = 0, m = (double)(runs * len);
    for (size_t a = 0; a < runs; a++)
        for (size_t i = 0; i < len; i++) s += x[a * step + i * gap];
    for (size_t a = 0; a < runs; a++)
        for (size_t i = 0; i < len; i++) q += (x[a * step + i * gap] - s / m) * (x[a * step + i * gap] - s / m);
    return (dstat_t){s / m, 1 / sqrt(q / m + eps)};
}

static void d_norm(const dnet_t *d, const layer_t *l, const value_t *X, const double *x, double *y)
{
    const double *g = dw(d, l, 0), *b = dw(d, l, 1);
    size_t C = X->shape[0], V = X->vox, per = l->op == OP_GROUPNORM ? C / l->groups : 1;
    for (size_t i = 0; i < d->n; i++)
        for (size_t c = 0; c < C; c++) {
            dstat_t t = {0};
            if (l->op == OP_GROUPNORM) t = d_stat(x + i * C * V + c / per * per * V, 1, 0, per * V, 1, l->eps);
            else if (d->train) t = d_stat(x + c * V, d->n, C * V, V, 1, l->eps);
            else t = (dstat_t){dw(d, l, 2)[c], 1 / sqrt(dw(d, l, 3)[c] + l->eps)};
            for (size_t v = 0; v < V; v++) {
                size_t at = (i * C + c) * V + v;
                y[at] = (x[at] - t.mean) * t.rstd * g[c] + b[c];
            }
        }
}

static double d_act(op_t op, double x)
{
    if (op == OP_RELU) return x > 0 ? x : 0;
    if (op == OP_SILU) return x / (1 + exp(-x));
    return 0.5 * x * (1 + erf(x * M_SQRT1_2));
}

static void d_pool(const dnet_t *d, const layer_t *l, const value_t *X, const value_t *Y, const double *x, double *y)
{
    const size_t *in = X->extent;
    size_t whole[3] = {in[0], in[1], in[2]}, one[3] = {1, 1, 1};
    const size_t *out = l->side ? Y->extent : one;
    double p = l->kind == POOL_GEM ? dw(d, l, 0)[0] : 1;
    for (size_t k = 0; l->side && k < 3; k++) whole[k] = l->side;
    for (size_t c = 0; c < X->shape[0]; c++)
        for (size_t at = 0; at < out[0] * out[1] * out[2]; at++) {
            size_t z0 = at / (out[1] * out[2]) * l->stride, y0 = at / out[2] % out[1] * l->stride, x0 = at % out[2] * l->stride;
            double s = 0, most = -INFINITY, m = (double)(whole[0] * whole[1] * whole[2]);
            for (size_t z = z0; z < z0 + whole[0]; z++)
                for (size_t yy = y0; yy < y0 + whole[1]; yy++)
                    for (size_t xx = x0; xx < x0 + whole[2]; xx++) {
                        double v = x[((c * in[0] + z) * in[1] + yy) * in[2] + xx];
                        s += l->kind == POOL_GEM ? pow(fmax(v, l->eps), p) : v;
                        most = fmax(most, v);
                    }
            y[c * out[0] * out[1] * out[2] + at] = l->kind == POOL_MAX ? most : l->kind == POOL_MEAN ? s / m : pow(s / m, 1 / p);
        }
}

/* Rows (vox,C) of a volume (C,vox). */
static void d_turn(const double *x, size_t a, size_t b, double *y)
{
    for (size_t i = 0; i < a; i++)
        for (size_t j = 0; j < b; j++) y[j * a + i] = x[i * b + j];
}

static void d_softmax(const double *x, size_t n, double *y)
{
    double s = 0, m = -INFINITY;
    for (size_t i = 0; i < n; i++) m = fmax(m, x[i]);
    for (size_t i = 0; i < n; i++) s += y[i] = exp(x[i] - m);
    for (size_t i = 0; i < n; i++) y[i] /= s;
}

static void d_attention(const dnet_t *d, const layer_t *l, size_t T, size_t C, const double *x, double *y)
{
    size_t W = C / l->heads;
    double *qkv = calloc(T * 3 * C + T + T * C, sizeof *qkv), *p = qkv + T * 3 * C, *ctx = p + T;
    for (size_t t = 0; t < T; t++) d_affine(dw(d, l, 0), C, dw(d, l, 1), 3 * C, C, x + t * C, qkv + t * 3 * C);
    for (size_t h = 0; h < l->heads; h++)
        for (size_t t = 0; t < T; t++) {
            for (size_t u = 0; u < T; u++) {
                p[u] = 0;
                for (size_t j = 0; j < W; j++) p[u] += qkv[t * 3 * C + h * W + j] * qkv[u * 3 * C + C + h * W + j] / sqrt((double)W);
            }
            d_softmax(p, T, p);
            for (size_t u = 0; u < T; u++)
                for (size_t j = 0; j < W; j++) ctx[t * C + h * W + j] += p[u] * qkv[u * 3 * C + 2 * C + h * W + j];
        }
    for (size_t t = 0; t < T; t++) d_affine(dw(d, l, 2), C, dw(d, l, 3), C, C, ctx + t * C, y + t * C);
    free(qkv);
}

static void d_rows(const dnet_t *d, const layer_t *l, const value_t *X, const double *x, double *y)
{
    size_t C = X->shape[0], V = X->vox;
    double *rows = calloc(2 * X->size, sizeof *rows), *out = rows + X->size;
    d_turn(x, C, V, rows);
    for (size_t v = 0; v < V && l->op != OP_ATTENTION; v++) {
        const double *r = rows + v * C;
        dstat_t t = d_stat(r, 1, 0, C, 1, l->eps);
        if (l->op == OP_SOFTMAX) d_softmax(r, C, out + v * C);
        else
            for (size_t c = 0; c < C; c++) out[v * C + c] = (r[c] - t.mean) * t.rstd * dw(d, l, 0)[c] + dw(d, l, 1)[c];
    }
    if (l->op == OP_ATTENTION) d_attention(d, l, V, C, rows, out);
    d_turn(out, V, C, y);
    free(rows);
}

static uint64_t d_mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static double d_mask(const dnet_t *d, const layer_t *l, size_t i, size_t e)
{
    uint64_t k = (uint64_t)(l - d->net->layer) * 0x9e3779b97f4a7c15u;
    k = d_mix(d->seed + d_mix(k + d_mix(i + 1)));
    return d->train && d_mix(k + e * 0x9e3779b97f4a7c15u) >> 32 >= (uint64_t)((1 - l->p) * 0x1p32) ? 0 : d->train ? 1 / (1 - l->p) : 1;
}

static void d_layer(const dnet_t *d, const layer_t *l, size_t i, double *y)
{
    const value_t *X = &d->net->value[l->in[0]], *Y = &d->net->value[d->net->ninput + (size_t)(l - d->net->layer)];
    const double *x = d->v[l->in[0]] + i * X->size;
    double norm = 0;
    size_t at = 0;
    switch (l->op) {
    case OP_CONV: d_conv(d, l, X, Y, x, y); break;
    case OP_LINEAR: d_affine(dw(d, l, 0), X->size, l->bias ? dw(d, l, 1) : NULL, l->out, X->size, x, y); break;
    case OP_LAYERNORM:
    case OP_SOFTMAX:
    case OP_ATTENTION: d_rows(d, l, X, x, y); break;
    case OP_POOL: d_pool(d, l, X, Y, x, y); break;
    case OP_FLATTEN: memcpy(y, x, X->size * sizeof *y); break;
    case OP_CONCAT:
        for (size_t k = 0; k < l->nin; k++)
            for (size_t j = 0, m = d->net->value[l->in[k]].size; j < m; j++) y[at++] = d->v[l->in[k]][i * m + j];
        break;
    case OP_ADD:
        for (size_t j = 0; j < X->size; j++) y[j] = x[j] + d->v[l->in[1]][i * X->size + j];
        break;
    case OP_DROPOUT:
        for (size_t j = 0; j < X->size; j++) y[j] = x[j] * d_mask(d, l, i, j);
        break;
    case OP_L2NORM:
        for (size_t j = 0; j < X->size; j++) norm += x[j] * x[j];
        for (size_t j = 0; j < X->size; j++) y[j] = x[j] / fmax(sqrt(norm), l->eps);
        break;
    default:
        for (size_t j = 0; j < X->size; j++) y[j] = d_act(l->op, x[j]);
    }
}

/* The output (n, size), in d->v, from layer `from` on; d->v[inputs] are given. */
static const double *d_forward(const dnet_t *d, size_t from)
{
    const net_t *net = d->net;
    for (size_t k = from; k < net->nlayer; k++) {
        const layer_t *l = &net->layer[k];
        double *y = d->v[net->ninput + k];
        if (l->op == OP_GROUPNORM || l->op == OP_BATCHNORM) {
            d_norm(d, l, &net->value[l->in[0]], d->v[l->in[0]], y);
            continue;
        }
        for (size_t i = 0; i < d->n; i++) d_layer(d, l, i, y + i * net->value[net->ninput + k].size);
    }
    return d->v[net->ninput + net->nlayer - 1];
}

#endif
