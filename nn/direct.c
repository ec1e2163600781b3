/* direct: the three passes of a convolution by its definition, as sweeps over tables (direct_plan.h, direct_kern.h).
 *
 * What is read is copied slab by slab into the workspace with a border of zeros, so that no inner loop knows of borders.
 * Forward and back: for a panel of two blocks of output channels and a chunk of taps, whose weights stay in the nearest
 * cache, all positions of the slab; sums wait in the output between chunks. Weight gradient: for a panel and a chunk of
 * taps, runs of positions, each summed in registers and added to acc. */
#include "config.h"

#include "nn/direct.h"

#include <string.h>

#include "nn/direct_plan.h"

enum { RUN = 192 }; /* most positions in a run of the weight gradient: their dy fill a third of the nearest cache */

static size_t most(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t parts(size_t n, size_t part)
{
    return n > part ? (n + part - 1) / part : 1;
}

/* Planes and rows of the slab that begins at step z0, of one sample, with the border. */
static void fill(const pass_t *p, const float *x, size_t z0, size_t steps, float *buf)
{
    const vol3_t *f = &p->from;
    size_t b = f->b, row = p->q[2] * b, first = p->low * b, planes = (steps - 1) * p->up + p->reach + 1;
    size_t len = p->q[2] - p->low < f->e[2] ? row - first : f->e[2] * b;
    for (size_t c = 0; c < f->blocks; c++)
        for (size_t z = 0; z < planes; z++)
            for (size_t y = 0; y < p->q[1]; y++) {
                float *to = buf + c * p->block + (z * p->q[1] + y) * row;
                size_t iz = z0 * p->up + z - p->low, iy = y - p->low; /* wraps below 0: past the end */
                if (iz >= f->e[0] || iy >= f->e[1]) {
                    memset(to, 0, row * sizeof *to);
                    continue;
                }
                for (size_t i = 0; i < first; i++) to[i] = 0;
                memcpy(to + first, x + ((c * f->e[0] + iz) * f->e[1] + iy) * f->e[2] * b, len * sizeof *to);
                for (size_t i = first + len; i < row; i++) to[i] = 0;
            }
}

/* What sums() reads and writes: out is a volume in blocks of vec, or (one channel) the workspace. */
typedef struct {
    const float *src, *packed, *bias, *add;
    float *out;
    size_t src_step, out_step, gap; /* between samples; between blocks of out */
    int relu;
} job_t;

/* All positions of one phase, of a slab of n samples. */
static void sums(const plan_t *d, const pass_t *p, const phase_t *f, size_t count, size_t n, const job_t *job)
{
    size_t vec = d->kern->vec, chunks = parts(f->m, d->chunk);
    for (size_t b = 0; b < p->to.blocks; b += 2) {
        size_t vecs = p->to.blocks - b > 1 ? 2 : 1;
        for (size_t k = 0; k < chunks; k++) {
            size_t i0 = f->m * k / chunks, i1 = f->m * (k + 1) / chunks;
            for (size_t s = 0; s < n; s++) {
                size_t to = s * job->out_step + b * job->gap;
                sweep_t w = {.vecs = vecs, .n = count, .m = i1 - i0, .x = job->src + s * job->src_step};
                w.from = f->from;
                w.to = f->to;
                w.at = f->at + i0;
                w.w = job->packed + f->packed + b * vec * f->m + i0 * vecs * vec;
                w.step = vecs * vec;
                w.gap = vec;
                w.out = job->out + to;
                w.gap_out = job->gap;
                w.bias = k == 0 && job->bias ? job->bias + b * vec : NULL;
                w.add = k > 0 ? w.out : job->add ? job->add + to : NULL;
                w.relu = job->relu && k == chunks - 1;
                d->kern->sweep(&w);
            }
        }
    }
}

/* What the sweeps leave of the epilogue, for a slab of one sample: one channel from the workspace; the slow activations. */
static void finish(const plan_t *d, const pass_t *p, const float *lane, size_t len, float *y, const float *add, act_t act)
{
    size_t vec = d->kern->vec, gap = p->to.e[0] * p->to.e[1] * p->to.e[2] * p->to.b;
    for (size_t i = 0; lane && i < len; i++) y[i] = lane[i * vec] + (add ? add[i] : 0);
    if (act == ACT_NONE || (act == ACT_RELU && !lane)) return;
    for (size_t b = 0; b < p->to.blocks; b++) act_forward(act, y + b * gap, len * p->to.b, y + b * gap);
}

/* Workspace: buffers of a group | bias | one channel's sums (or dy) in blocks of vec. */
static size_t buffers(const pass_t *p)
{
    return p->copy ? (p->group * p->sample + 15) / 16 * 16 : 0;
}

static size_t biases(const plan_t *d, const pass_t *p)
{
    return (p->to.blocks * d->kern->vec + 15) / 16 * 16;
}

static size_t lanes(const plan_t *d, const pass_t *p)
{
    return p->to.b > 1 ? 0 : p->slab * p->each * p->to.e[1] * p->to.e[2] * d->kern->vec;
}

typedef struct {
    const float *packed, *src, *bias, *add;
    float *dst, *work;
    size_t src_step, dst_step;
    act_t act;
} call_t;

/* One slab, of `steps` steps from z0, of n samples. */
static void slab(const plan_t *d, const pass_t *p, const call_t *c, size_t n, size_t z0, size_t steps)
{
    size_t plane = p->to.e[1] * p->to.e[2], at = z0 * p->each * plane * p->to.b;
    size_t planes = steps * p->each < p->to.e[0] - z0 * p->each ? steps * p->each : p->to.e[0] - z0 * p->each;
    float *lane = p->to.b > 1 ? NULL : c->work + buffers(p) + biases(d, p);
    size_t skip = z0 * p->up * p->q[1] * p->q[2] * p->from.b; /* of a volume that is read where it stands */
    job_t job = {.packed = c->packed, .bias = c->bias, .relu = c->act == ACT_RELU && !lane};
    job.src = p->copy ? c->work : c->src + skip;
    job.src_step = p->copy ? p->sample : c->src_step;
    job.out = lane ? lane : c->dst + at;
    job.out_step = c->dst_step;
    job.gap = p->to.e[0] * plane * p->to.b;
    job.add = c->add && !lane ? c->add + at : NULL;
    for (size_t s = 0; p->copy && s < n; s++) fill(p, c->src + s * c->src_step, z0, steps, c->work + s * p->sample);
    for (size_t i = 0; i < p->nphase; i++) {
        const phase_t *f = &p->phase[i];
        sums(d, p, f, f->plane * (planes > f->odd ? (planes - f->odd - 1) / p->each + 1 : 0), n, &job);
    }
    for (size_t s = 0; s < n; s++) {
        size_t to = s * c->dst_step + at;
        finish(d, p, lane, planes * plane, c->dst + to, c->add ? c->add + to : NULL, c->act);
    }
}

static void run(const plan_t *d, const pass_t *p, call_t c, size_t n, size_t z0, size_t z1)
{
    size_t group = p->to.b > 1 ? p->group : 1, m; /* there is one lane */
    for (size_t s = 0; s < n; s += m) {
        m = n - s < group ? n - s : group;
        for (size_t z = z0; z < z1; z += p->slab) slab(d, p, &c, m, z, z1 - z < p->slab ? z1 - z : p->slab);
        c.src += m * c.src_step;
        c.dst += m * c.dst_step;
        if (c.add) c.add += m * c.dst_step;
    }
}

static void forward(const void *plan, const float *packed, size_t n, const float *x, size_t xstep, float *y, size_t ystep,
                    size_t z0, size_t z1, const epilogue_t *e, float *work)
{
    const plan_t *d = plan;
    const pass_t *p = &d->forward;
    call_t c = {.packed = packed, .src = x, .src_step = xstep, .dst = y, .dst_step = ystep, .work = work};
    if (e && e->bias) {
        float *bias = work + buffers(p);
        size_t all = p->to.blocks * d->kern->vec;
        for (size_t i = 0; i < all; i++) bias[i] = i < p->to.c ? e->bias[i] : 0;
        c.bias = bias;
    }
    if (e) {
        c.add = e->add;
        c.act = e->act;
    }
    run(d, p, c, n, z0, z1);
}

static void grad_data(const void *plan, const float *back, size_t n, const float *dy, size_t ystep, float *dx,
                      size_t xstep, int sum, float *work)
{
    const plan_t *d = plan;
    call_t c = {.packed = back, .src = dy, .src_step = ystep, .dst = dx, .dst_step = xstep, .work = work};
    if (sum) c.add = dx;
    run(d, &d->data, c, n, 0, d->data.steps);
}

/* Taps of all panels, over one slab of n samples: count positions, from z0 of dy in blocks of vec. */
static void taps(const plan_t *d, size_t count, size_t n, const float *x, size_t xstep, const float *dy, size_t ystep,
                 float *acc)
{
    const pass_t *p = &d->forward;
    const phase_t *f = &p->phase[0];
    size_t vec = d->kern->vec, gap = p->to.e[0] * p->to.e[1] * p->to.e[2] * vec, chunks = parts(f->m, d->chunk);
    size_t runs = parts(count, RUN);
    for (size_t b = 0; b < p->to.blocks; b += 2)
        for (size_t k = 0; k < chunks; k++) {
            size_t i0 = f->m * k / chunks, i1 = f->m * (k + 1) / chunks, vecs = p->to.blocks - b > 1 ? 2 : 1;
            for (size_t r = 0; r < n * runs; r++) {
                size_t j0 = count * (r % runs) / runs, j1 = count * (r % runs + 1) / runs;
                sweep_t w = {.vecs = vecs, .n = i1 - i0, .m = j1 - j0, .x = x + r / runs * xstep};
                w.from = f->at + i0;
                w.to = d->line[vecs - 1];
                w.at = f->from + j0;
                w.w = dy + r / runs * ystep + b * gap + j0 * vec;
                w.step = vec;
                w.gap = gap;
                w.out = acc + b * vec * f->m + i0 * vecs * vec;
                w.gap_out = vec;
                w.add = w.out;
                d->kern->sweep(&w);
            }
        }
}

static void grad_weight(const void *plan, size_t n, const float *x, size_t xstep, const float *dy, size_t ystep, float *acc,
                        float *work)
{
    const plan_t *d = plan;
    const pass_t *p = &d->forward;
    size_t vec = d->kern->vec, plane = p->to.e[1] * p->to.e[2], m;
    size_t group = p->to.b > 1 ? p->group : 1;
    float *wide = work + buffers(p) + biases(d, p);
    for (size_t s = 0; s < n; s += m, x += m * xstep, dy += m * ystep) {
        m = n - s < group ? n - s : group;
        for (size_t z = 0; z < p->steps; z += p->slab) {
            size_t steps = p->steps - z < p->slab ? p->steps - z : p->slab;
            const float *from = p->copy ? work : x + z * p->up * p->q[1] * p->q[2] * p->from.b;
            const float *w = dy + z * plane * p->to.b;
            for (size_t i = 0; p->copy && i < m; i++) fill(p, x + i * xstep, z, steps, work + i * p->sample);
            if (p->to.b == 1) {
                for (size_t i = 0; i < steps * plane * vec; i++) wide[i] = i % vec ? 0 : w[i / vec];
                w = wide;
            }
            taps(d, steps * plane, m, from, p->copy ? p->sample : xstep, w, ystep, acc);
        }
    }
}

static void grad_weight_end(const void *plan, const float *acc, float *dw)
{
    const plan_t *d = plan;
    const pass_t *p = &d->forward;
    const phase_t *f = &p->phase[0];
    size_t vec = d->kern->vec;
    for (size_t o = 0; o < p->to.c; o++) {
        size_t b = o / vec / 2 * 2, vecs = p->to.blocks - b > 1 ? 2 : 1;
        const float *from = acc + b * vec * f->m + o - b * vec;
        for (size_t i = 0; i < f->m; i++) dw[o * p->wstep + (size_t)f->tap[i]] += from[i * vecs * vec];
    }
}

/* (panel, tap, channels of the panel), channels past the last zero. */
static void pack_pass(const plan_t *d, const pass_t *p, const float *w, float *packed)
{
    size_t vec = d->kern->vec;
    for (size_t h = 0; h < p->nphase; h++) {
        const phase_t *f = &p->phase[h];
        for (size_t b = 0; b < p->to.blocks; b += 2) {
            size_t width = (p->to.blocks - b > 1 ? 2 : 1) * vec;
            float *to = packed + f->packed + b * vec * f->m;
            for (size_t i = 0; i < f->m; i++)
                for (size_t l = 0; l < width; l++) {
                    size_t o = b * vec + l;
                    to[i * width + l] = o < p->to.c ? w[o * p->wstep + (size_t)f->tap[i]] : 0;
                }
        }
    }
}

static void pack(const void *plan, const float *w, float *packed)
{
    const plan_t *d = plan;
    pack_pass(d, &d->forward, w, packed);
}

static void pack_back(const void *plan, const float *w, float *back)
{
    const plan_t *d = plan;
    pack_pass(d, &d->data, w, back);
}

static size_t work_of(const plan_t *d, const pass_t *p)
{
    return buffers(p) + biases(d, p) + lanes(d, p);
}

static size_t size(const void *plan, convsize_t what)
{
    const plan_t *d = plan;
    switch (what) {
    case CONV_WORK: return most(work_of(d, &d->forward), work_of(d, &d->data));
    case CONV_BACK: return d->data.packed;
    case CONV_SLAB: return 1;
    default: return d->forward.packed;
    }
}

const direct_kern_t *direct_kern_at(isa_t isa)
{
    switch (isa) {
    case ISA_VEC: return &direct_kern_vec;
#ifdef HAVE_AVX2
    case ISA_AVX2: return &direct_kern_avx2;
#endif
#ifdef HAVE_AVX512
    case ISA_AVX512: return &direct_kern_avx512;
#endif
    default: return NULL;
    }
}

void *direct_make(const convshape_t *s, const direct_kern_t *kern, err_t *err)
{
    return plan_new(s, kern, err);
}

static void *make(const convshape_t *s, isa_t isa, err_t *err)
{
    return plan_new(s, direct_kern_at(isa), err);
}

const convalg_t direct = {"direct", make, plan_free, size, pack, pack_back, forward, grad_data, grad_weight, grad_weight_end};
