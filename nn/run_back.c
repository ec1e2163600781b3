/* run_back: a network backward. Segment by segment from the end; in a segment, groups of samples go through it at the same
 * time, each with accumulators of its own for the gradients of the parameters, which are then added up in order. How the
 * samples are grouped depends on their number alone, so that results do not depend on that of threads. */
#include <string.h>

#include "nn/run_priv.h"

enum { REDUCE = 4096 }; /* floats added up at a time */

static void take_dout(const run_t *r, const float *dout)
{
    const plan_t *p = &r->p;
    const value_t *v = &p->net->value[p->output];
    if (!p->buf[p->output].wants) return;
#pragma omp parallel for num_threads(r->threads)
    for (size_t i = 0; i < r->n; i++) {
        span_t c = {.r = r, .s0 = i, .n = 1};
        blocked_pack(p->isa, dout + i * v->size, v->shape[0], v->extent, span_grad(&c, p->output));
    }
}

/* A batchnorm's sums over batch and ranks, its gradients, and what back_batch() needs. */
static int batch_back(run_t *r, const step_t *s, float *grads, err_t *err)
{
    const geom_t *g = &r->p.buf[s->out].g;
    bnstat_t t = step_stat(r, s);
    float *dgamma = grads + layer_tensor(r->p.net, s->norm, 0)->at, *dbeta = grads + layer_tensor(r->p.net, s->norm, 1)->at;
    const float *gamma = r->weights + s->w[0];
#pragma omp parallel for num_threads(r->threads)
    for (size_t i = 0; i < r->n; i++) {
        span_t c = run_span(r, r->p.seg);
        c.s0 = i;
        c.n = 1;
        step_batch_sums(&c, s, r->partial + i * 2 * r->lanes);
    }
    for (size_t c = 0; c < g->c; c++) { /* of this rank: the trainer sums gradients over ranks */
        double a = 0, b = 0;
        for (size_t i = 0; i < r->n; i++) {
            a += r->partial[i * 2 * r->lanes + c];
            b += r->partial[i * 2 * r->lanes + g->lanes + c];
        }
        dbeta[c] += (float)a;
        dgamma[c] += (float)(b * (double)t.rstd[c]);
    }
    if (run_sum(r, 2 * g->lanes, err)) return -1;
    double count = r->total * (double)g->vox;
    for (size_t c = 0; c < g->c; c++) {
        double f = -(double)gamma[c] * (double)t.rstd[c] / count;
        t.k0[c] = (float)(f * (double)r->sums[c]);
        t.k1[c] = (float)(f * (double)r->sums[g->lanes + c] * (double)t.rstd[c] * (double)t.rstd[c]);
    }
    return 0;
}

static void one_group(const run_t *r, const seg_t *g, span_t *c, size_t s0, size_t s1)
{
    memset(c->acc, 0, g->acc * sizeof *c->acc);
    for (; s0 < s1; s0 += g->chunk) {
        c->s0 = s0;
        c->n = s1 - s0 < g->chunk ? s1 - s0 : g->chunk;
        for (size_t i = g->first; i < g->end; i++)
            if (r->p.buf[r->p.step[i].out].redo) step_forward(c, &r->p.step[i], NULL);
        for (size_t i = g->end; i-- > g->first;)
            if (r->p.step[i].wants) step_backward(c, &r->p.step[i]);
    }
}

static void reduce(const run_t *r, const seg_t *g, size_t groups, float *grads)
{
#pragma omp parallel num_threads(r->threads)
    {
        span_t c = run_span(r, g);
#pragma omp for
        for (size_t e = 0; e < g->acc; e += REDUCE) {
            size_t end = g->acc - e < REDUCE ? g->acc : e + REDUCE;
            for (size_t k = 1; k < groups; k++)
                for (size_t j = e; j < end; j++) r->acc[j] += r->acc[k * g->acc + j];
        }
#pragma omp for schedule(dynamic)
        for (size_t i = g->first; i < g->end; i++) step_finish(r, &r->p.step[i], r->acc, grads, c.work);
    }
}

static void segment_back(const run_t *r, const seg_t *g, float *grads)
{
    size_t groups = r->n < g->groups ? r->n : g->groups;
    if (!groups) return;
#pragma omp parallel for schedule(dynamic) num_threads(r->threads)
    for (size_t k = 0; k < groups; k++) {
        span_t c = run_span(r, g);
        c.acc = r->acc + k * g->acc;
        c.again = true;
        one_group(r, g, &c, k * r->n / groups, (k + 1) * r->n / groups);
    }
    if (g->acc) reduce(r, g, groups, grads);
}

/* Gradients of inputs that no layer reads. */
static void unused_inputs(const run_t *r, float *const *din)
{
    for (size_t i = 0; din && i < r->p.net->ninput; i++)
        if (din[i] && !r->p.net->value[i].users) memset(din[i], 0, r->n * r->p.net->value[i].size * sizeof **din);
}

int run_backward(run_t *r, const float *dout, float *grads, float *const *din, err_t *err)
{
    if (!r->p.train) return err_set(err, ERR_USAGE, "network: backward of a run that is not for training");
    if (din && !r->p.inputs_too) return err_set(err, ERR_USAGE, "network: gradients of inputs that were not asked for");
    r->din = din;
    take_dout(r, dout);
    unused_inputs(r, din);
    for (size_t k = r->p.nseg; k-- > 0;) {
        const seg_t *g = &r->p.seg[k];
        const step_t *s = &r->p.step[g->first];
        run_pack(r, g, true);
        if (g->batch && s->wants && batch_back(r, s, grads, err)) return -1;
        segment_back(r, g, grads);
    }
    return 0;
}
