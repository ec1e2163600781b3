/* run: a network's memory, and its way forward. Backward is in nn/run_back.c. */
#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/mem.h"
#include "base/threads.h"
#include "nn/run_priv.h"

/* n * size floats of zeros; counted. NULL: ERR_NOMEM. */
static float *room(run_t *r, size_t n, size_t size, err_t *err)
{
    size_t floats;
    if (!mem_mul(n, size, &floats)) {
        err_set(err, ERR_NOMEM, "network: no memory for %zu x %zu numbers", n, size);
        return NULL;
    }
    float *p = mem_zero(floats, sizeof *p, err);
    if (p) r->bytes += floats * sizeof *p;
    return p;
}

static int take_memory(run_t *r, err_t *err)
{
    plan_t *p = &r->p;
    size_t threads = (size_t)r->threads;
    p->arena = (p->arena + PASS_COLUMNS - 1) / PASS_COLUMNS * PASS_COLUMNS;
    p->work = (p->work + PASS_COLUMNS - 1) / PASS_COLUMNS * PASS_COLUMNS;
    for (size_t i = 0; i < p->nstep; i++)
        if (p->step[i].kind == S_POINT && p->step[i].norm && p->buf[p->step[i].out].g.lanes > r->lanes)
            r->lanes = p->buf[p->step[i].out].g.lanes;
    if (!p->stat || !p->train) r->lanes = 0;
    r->weights = room(r, 1, p->weights, err);
    r->stat = room(r, 1, p->stat, err);
    r->kept = room(r, p->batch, p->kept, err);
    r->aux = room(r, p->batch, p->aux, err);
    r->grad = room(r, p->batch, p->train ? p->grad : 0, err);
    r->arena = room(r, threads, p->arena, err);
    r->work = room(r, threads, p->work, err);
    r->acc = room(r, 1, p->train ? p->acc : 0, err);
    r->sums = room(r, 1, 2 * r->lanes + 1, err);
    r->partial = (double *)(void *)room(r, p->batch, 4 * r->lanes, err);
    return r->weights && r->stat && r->kept && r->aux && r->grad && r->arena && r->work && r->acc && r->sums && r->partial ? 0 : -1;
}

run_t *run_new(const net_t *net, const runopts_t *o, err_t *err)
{
    if (!o->batch || (unsigned)o->isa >= ISA_COUNT || !isa_runs(o->isa)) {
        err_set(err, ERR_RANGE, "network: a batch of %zu with kernels %d", o->batch, (int)o->isa);
        return NULL;
    }
    run_t *r = mem_zero(1, sizeof *r, err);
    if (!r) return NULL;
    r->pass = pass_at(o->isa);
    r->comm = o->comm ? o->comm : &comm_self;
    r->threads = threads_max();
    if (netplan_make(&r->p, net, o, err) == 0 && take_memory(r, err) == 0) return r;
    run_free(r);
    return NULL;
}

void run_free(run_t *r)
{
    if (!r) return;
    netplan_free(&r->p);
    mem_free(r->weights);
    mem_free(r->stat);
    mem_free(r->kept);
    mem_free(r->aux);
    mem_free(r->grad);
    mem_free(r->arena);
    mem_free(r->work);
    mem_free(r->acc);
    mem_free(r->sums);
    mem_free(r->partial);
    mem_free(r);
}

size_t run_bytes(const run_t *r) { return r->bytes; }

span_t run_span(const run_t *r, const seg_t *g)
{
    size_t t = (size_t)omp_get_thread_num();
    return (span_t){.r = r, .chunk = g->chunk, .arena = r->arena + t * r->p.arena, .work = r->work + t * r->p.work};
}

void run_pack(run_t *r, const seg_t *g, bool back)
{
#pragma omp parallel for schedule(dynamic) num_threads(r->threads)
    for (size_t i = g->first; i < g->end; i++) {
        span_t c = run_span(r, g);
        step_load(r, &r->p.step[i], r->params, back, c.work);
    }
}

void run_load(run_t *r, const float *params)
{
    r->params = params;
    for (size_t k = 0; !r->p.train && k < r->p.nseg; k++) run_pack(r, &r->p.seg[k], false);
}

/* ---- batch statistics ---- */

int run_sum(run_t *r, size_t n, err_t *err)
{
    for (size_t l = 0; l < n; l++) {
        double s = 0;
        for (size_t i = 0; i < r->n; i++) s += r->partial[i * 2 * r->lanes + l];
        r->sums[l] = (float)s;
    }
    r->sums[n] = (float)r->n;
    return r->comm->sum(r->comm, r->sums, n + 1, err);
}

static void moments(run_t *r, const step_t *s, const float *mean)
{
    const buf_t *b = &r->p.buf[s->in[0]];
#pragma omp parallel for num_threads(r->threads)
    for (size_t i = 0; i < r->n; i++) {
        span_t c = {.r = r, .s0 = i, .n = 1};
        const float *x = span_value(&c, s->in[0]);
        for (size_t k = 0; k < b->g.blocks; k++)
            r->pass->moment(x + k * b->g.vox * b->g.b, b->g.vox, b->g.b, mean ? mean + k * b->g.b : NULL, mean != NULL,
                            r->partial + i * 2 * r->lanes + k * b->g.b);
    }
}

/* Mean and variance of a batchnorm's input over the batch and all ranks. */
static int batch_stats(run_t *r, const step_t *s, err_t *err)
{
    const geom_t *g = &r->p.buf[s->in[0]].g;
    bnstat_t t = step_stat(r, s);
    moments(r, s, NULL);
    if (run_sum(r, g->lanes, err)) return -1;
    r->total = (double)r->sums[g->lanes];
    if (r->total == 0) return 0; /* no rank has a sample */
    double count = r->total * (double)g->vox;
    for (size_t l = 0; l < g->lanes; l++) t.mean[l] = l < g->c ? (float)((double)r->sums[l] / count) : 0;
    moments(r, s, t.mean);
    if (run_sum(r, g->lanes, err)) return -1;
    for (size_t l = 0; l < g->c; l++) {
        double var = (double)r->sums[l] / count;
        t.rstd[l] = (float)(1 / sqrt(var + s->norm->eps));
        t.var[l] = (float)(count > 1 ? var * count / (count - 1) : var);
    }
    return 0;
}

void run_statistics(const run_t *r, float *params)
{
    bool any = r->p.train && r->total > 0;
    for (size_t i = 0; any && i < r->p.nstep; i++) {
        const step_t *s = &r->p.step[i];
        if (s->kind != S_POINT || !s->norm || s->norm->op != OP_BATCHNORM) continue;
        bnstat_t t = step_stat(r, s);
        float *mean = params + layer_tensor(r->p.net, s->norm, 2)->at, *var = params + layer_tensor(r->p.net, s->norm, 3)->at;
        float m = (float)s->norm->momentum;
        for (size_t c = 0; c < r->p.buf[s->out].g.c; c++) {
            mean[c] += m * (t.mean[c] - mean[c]);
            var[c] += m * (t.var[c] - var[c]);
        }
    }
}

/* ---- forward ---- */

static void put_out(const span_t *c, float *out)
{
    const plan_t *p = &c->r->p;
    const value_t *v = &p->net->value[p->output];
    for (size_t i = 0; i < c->n; i++)
        blocked_unpack(p->isa, span_value(c, p->output) + i * p->buf[p->output].g.floats, v->shape[0], v->extent,
                       out + (c->s0 + i) * v->size);
}

/* A segment, each thread with chunks of samples of its own. */
static void by_samples(const run_t *r, const seg_t *g, size_t n, float *out)
{
    size_t each = (n + (size_t)r->threads - 1) / (size_t)r->threads, chunk = each < g->chunk ? each : g->chunk;
    if (!chunk) return;
#pragma omp parallel for schedule(dynamic) num_threads(r->threads)
    for (size_t s0 = 0; s0 < n; s0 += chunk) {
        span_t c = run_span(r, g);
        c.s0 = s0;
        c.n = n - s0 < chunk ? n - s0 : chunk;
        for (size_t i = g->first; i < g->end; i++) step_forward(&c, &r->p.step[i], NULL);
        if (out) put_out(&c, out);
    }
}

/* A segment with fewer samples than threads: all work on the same step, in one arena made of all (it has room for as many
 * samples as there are threads). */
static void by_parts(const run_t *r, const seg_t *g, size_t n, float *out)
{
#pragma omp parallel num_threads(r->threads)
    {
        span_t c = run_span(r, g);
        c.arena = r->arena;
        c.chunk = n;
        for (size_t i = g->first; i < g->end; i++) {
            const step_t *s = &r->p.step[i];
            size_t units = step_units(r, s);
#pragma omp for schedule(dynamic)
            for (size_t k = 0; k < n * units; k++) {
                c.s0 = c.off = k / units;
                c.n = 1;
                step_forward(&c, s, &(part_t){k % units, k % units + 1});
            }
        }
#pragma omp single
        if (out) {
            c.s0 = c.off = 0;
            c.n = n;
            put_out(&c, out);
        }
    }
}

int run_forward(run_t *r, const float *const *in, size_t n, uint64_t seed, float *out, err_t *err)
{
    if (n > r->p.batch) return err_set(err, ERR_USAGE, "network: %zu samples (at most %zu)", n, r->p.batch);
    r->n = n;
    r->seed = seed;
    r->in = in;
    for (size_t k = 0; k < r->p.nseg; k++) {
        const seg_t *g = &r->p.seg[k];
        float *end = k + 1 == r->p.nseg ? out : NULL;
        if (r->p.train) run_pack(r, g, false);
        if (g->batch && batch_stats(r, &r->p.step[g->first], err)) return -1;
        if (!r->p.train && n < (size_t)r->threads) by_parts(r, g, n, end);
        else by_samples(r, g, n, end);
    }
    return 0;
}
