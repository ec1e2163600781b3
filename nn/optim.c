/* optim: AdamW, clipping, moving average (see optim.h). */
#include "nn/optim.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "nn/reduce.h"

enum { BLOCK = 8192 }; /* floats: one thread's piece; its five arrays fit in cache */

static const char *const names[OPTIM_TENSORS] = {"optim.m", "optim.v", "optim.average"};
static const char *const counts[OPTIM_META] = {"optim.steps", "optim.skipped"};

struct optim {
    optopts_t o;
    size_t n, blocks;
    optrange_t *block;    /* the ranges in pieces of at most BLOCK */
    double *square;       /* by block: sum of squares of its gradient */
    float *state[OPTIM_TENSORS]; /* (n) m, v, average or NULL */
    uint64_t count[OPTIM_META];  /* steps, skipped */
    char text[OPTIM_META][24];
};

/* What one step does to every float. */
typedef struct {
    float mix1;        /* 1 - beta1 */
    float beta2, mix2; /* beta2, 1 - beta2 */
    double rate, decay; /* rate / (1 - beta1^t); rate decay */
    float root;        /* sqrt(1 - beta2^t) */
    float eps, scale;
    float blend;       /* 1 - decay of the average */
} step_t;

void optim_free(optim_t *o)
{
    if (!o) return;
    for (int k = 0; k < OPTIM_TENSORS; k++) mem_free(o->state[k]);
    mem_free(o->block);
    mem_free(o->square);
    mem_free(o);
}

/* Written so that NaN fails. */
static int check(size_t n, const optrange_t *range, size_t nrange, const optopts_t *o, err_t *err)
{
    size_t at = 0;
    if (!(o->beta1 >= 0 && o->beta1 < 1 && o->beta2 >= 0 && o->beta2 < 1 && o->eps > 0 && o->decay >= 0 && o->clip >= 0 &&
          o->average >= 0 && o->average < 1) || isinf(o->eps + o->decay + o->clip))
        return err_set(err, ERR_RANGE, "optimiser: an option is out of range");
    for (size_t i = 0; i < nrange; i++) {
        if (range[i].at < at || range[i].at > n || range[i].size > n - range[i].at)
            return err_set(err, ERR_RANGE, "optimiser: range %zu, %zu floats at %zu (of %zu; ascending)", i, range[i].size,
                           range[i].at, n);
        if (!(range[i].rate >= 0) || isinf(range[i].rate)) return err_set(err, ERR_RANGE, "optimiser: range %zu: rate %g", i, range[i].rate);
        at = range[i].at + range[i].size;
    }
    return 0;
}

optim_t *optim_new(size_t n, const optrange_t *range, size_t nrange, const optopts_t *opts, const float *params, err_t *err)
{
    size_t blocks = 0;
    if (check(n, range, nrange, opts, err)) return NULL;
    for (size_t i = 0; i < nrange; i++) blocks += (range[i].size + BLOCK - 1) / BLOCK;
    optim_t *o = mem_zero(1, sizeof *o, err);
    if (!o) return NULL;
    o->o = *opts;
    o->n = n;
    if (!(o->block = mem_new(blocks, sizeof *o->block, err)) || !(o->square = mem_new(blocks, sizeof *o->square, err))) goto fail;
    for (int k = 0; k < (opts->average > 0 ? 3 : 2); k++)
        if (!(o->state[k] = mem_zero(n, sizeof(float), err))) goto fail;
    if (o->state[2]) memcpy(o->state[2], params, n * sizeof *params);
    for (size_t i = 0; i < nrange; i++)
        for (size_t at = 0; at < range[i].size; at += BLOCK) {
            size_t left = range[i].size - at;
            o->block[o->blocks++] = (optrange_t){range[i].at + at, left < BLOCK ? left : BLOCK, range[i].trained, range[i].decays,
                                                 range[i].rate};
        }
    return o;
fail:
    optim_free(o);
    return NULL;
}

static double norm_of(optim_t *o, const float *grads)
{
    double sum = 0;
#pragma omp parallel for schedule(static)
    for (size_t b = 0; b < o->blocks; b++) {
        const optrange_t *r = &o->block[b];
        o->square[b] = r->trained ? reduce_dot(grads + r->at, grads + r->at, r->size) : 0;
    }
    for (size_t b = 0; b < o->blocks; b++) sum += o->square[b];
    return sqrt(sum);
}

static void update(const step_t *s, float keep, float rate, size_t n, float *restrict w, const float *restrict grad, float *restrict m,
                   float *restrict v)
{
    for (size_t i = 0; i < n; i++) {
        float g = grad[i] * s->scale;
        m[i] += s->mix1 * (g - m[i]);
        v[i] = v[i] * s->beta2 + s->mix2 * g * g;
        w[i] = w[i] * keep - rate * (m[i] / (sqrtf(v[i]) / s->root + s->eps));
    }
}

static void blend(float mix, size_t n, const float *restrict w, float *restrict average)
{
    for (size_t i = 0; i < n; i++) average[i] += mix * (w[i] - average[i]);
}

static step_t step_of(const optim_t *o, double rate, double scale)
{
    double t = (double)o->count[0];
    return (step_t){.mix1 = (float)(1 - o->o.beta1),
                    .beta2 = (float)o->o.beta2,
                    .mix2 = (float)(1 - o->o.beta2),
                    .rate = rate / (1 - pow(o->o.beta1, t)),
                    .decay = rate * o->o.decay,
                    .root = (float)sqrt(1 - pow(o->o.beta2, t)),
                    .eps = (float)o->o.eps,
                    .scale = (float)scale,
                    .blend = (float)(1 - fmin(o->o.average, t / (9 + t)))};
}

void optim_step(optim_t *o, float *params, const float *grads, double rate, optstep_t *out)
{
    double norm = norm_of(o, grads), coefficient = o->o.clip > 0 ? o->o.clip / (norm + 1e-6) : 1;
    *out = (optstep_t){norm, coefficient < 1, !isfinite(norm)};
    if (out->skipped) {
        out->clipped = false;
        o->count[1]++;
        return;
    }
    o->count[0]++;
    step_t s = step_of(o, rate, fmin(coefficient, 1));
    float *m = o->state[0], *v = o->state[1], *average = o->state[2];
#pragma omp parallel for schedule(static)
    for (size_t b = 0; b < o->blocks; b++) {
        const optrange_t *r = &o->block[b];
        size_t at = r->at;
        double share = r->rate > 0 ? r->rate : 1;
        if (r->trained)
            update(&s, r->decays ? (float)(1 - share * s.decay) : 1, (float)(share * s.rate), r->size, params + at, grads + at, m + at,
                   v + at);
        if (average && r->trained) blend(s.blend, r->size, params + at, average + at);
        if (average && !r->trained) memcpy(average + at, params + at, r->size * sizeof *params);
    }
}

const float *optim_average(const optim_t *o)
{
    return o->state[2];
}

uint64_t optim_steps(const optim_t *o)
{
    return o->count[0];
}

uint64_t optim_skipped(const optim_t *o)
{
    return o->count[1];
}

size_t optim_state(optim_t *o, sttensor_t t[OPTIM_TENSORS], stmeta_t meta[OPTIM_META])
{
    size_t k = 0;
    for (; k < OPTIM_TENSORS && o->state[k]; k++) t[k] = (sttensor_t){names[k], ST_F32, 1, {o->n}, o->n, o->state[k]};
    for (int i = 0; i < OPTIM_META; i++) {
        snprintf(o->text[i], sizeof o->text[i], "%" PRIu64, o->count[i]);
        meta[i] = (stmeta_t){counts[i], o->text[i]};
    }
    return k;
}

/* A decimal number, whole and nothing else. */
static int read_count(const stfile_t *f, const char *key, uint64_t *out, err_t *err)
{
    const char *s = stfile_meta(f, key);
    if (!s || !*s || strlen(s) > 15 || strspn(s, "0123456789") != strlen(s))
        return err_set(err, ERR_FORMAT, "%s: \"%s\" (a count is wanted)", key, s ? s : "");
    *out = strtoull(s, NULL, 10);
    return 0;
}

int optim_load(optim_t *o, const stfile_t *f, err_t *err)
{
    uint64_t count[OPTIM_META];
    const sttensor_t *t[OPTIM_TENSORS];
    for (int i = 0; i < OPTIM_META; i++)
        if (read_count(f, counts[i], &count[i], err)) return -1;
    for (int k = 0; k < OPTIM_TENSORS && o->state[k]; k++) {
        t[k] = stfile_find(f, names[k]);
        if (!t[k] || t[k]->type != ST_F32 || t[k]->ndim != 1 || t[k]->count != o->n)
            return err_set(err, ERR_FORMAT, "%s: %s (F32 [%zu] is wanted)", names[k], t[k] ? "another shape or dtype" : "missing",
                           o->n);
    }
    for (int k = 0; k < OPTIM_TENSORS && o->state[k]; k++) memcpy(o->state[k], t[k]->data, o->n * sizeof(float));
    memcpy(o->count, count, sizeof count);
    return 0;
}
