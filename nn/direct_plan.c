/* direct_plan: the tables of a direct convolution (see direct_plan.h). */
#include "nn/direct_plan.h"

#include "base/mem.h"

enum {
    CHUNK = 16384,   /* bytes of packed weights: half of a 32 KB cache */
    BUFFER = 327680, /* bytes of a slab's buffer, if it can be: most of a 512 KB cache */
    GROUP = 8        /* most samples in a group */
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static vol3_t volume(size_t c, const size_t e[3], size_t vec)
{
    size_t b = c == 1 ? 1 : vec;
    return (vol3_t){c, b, (c + b - 1) / b, {e[0], e[1], e[2]}};
}

static int32_t *table(size_t n, int *lost, err_t *err)
{
    int32_t *t = mem_new(n, sizeof *t, err);
    if (!t) *lost = 1;
    return t;
}

/* Slab, buffer and group, from what a step reads. */
static void divide(pass_t *p)
{
    for (int a = 1; a < 3; a++) p->q[a] = (p->to.e[a] + p->each - 1) / p->each * p->up - p->up + p->reach + 1;
    p->copy = p->low > 0;
    for (int a = 0; a < 3; a++)
        p->copy |= ((p->to.e[a] + p->each - 1) / p->each - 1) * p->up + p->reach + 1 > p->from.e[a];
    if (!p->copy)
        for (int a = 1; a < 3; a++) p->q[a] = p->from.e[a];
    size_t plane = p->from.blocks * p->from.b * p->q[1] * p->q[2], most = BUFFER / sizeof(float) / plane;
    p->slab = most > p->reach + 1 ? (most - p->reach - 1) / p->up + 1 : 1;
    p->slab = smaller(p->slab, p->steps);
    size_t slabs = (p->steps + p->slab - 1) / p->slab;
    p->slab = (p->steps + slabs - 1) / slabs;
    p->q[0] = p->copy ? (p->slab - 1) * p->up + p->reach + 1 : p->from.e[0];
    p->block = p->from.b * p->q[0] * p->q[1] * p->q[2];
    p->sample = p->block * p->from.blocks;
    p->group = smaller(GROUP, BUFFER / sizeof(float) / p->sample);
    if (!p->group) p->group = 1;
}

static int positions(pass_t *p, phase_t *f, const size_t phi[3], size_t vec, err_t *err)
{
    size_t each = p->each, count[3];
    int lost = 0;
    for (int a = 0; a < 3; a++) count[a] = p->to.e[a] > phi[a] ? (p->to.e[a] - phi[a] - 1) / each + 1 : 0;
    f->odd = phi[0];
    f->plane = count[1] * count[2];
    f->from = table(p->slab * f->plane, &lost, err);
    f->to = table(p->slab * f->plane, &lost, err);
    for (size_t z = 0, i = 0; !lost && z < p->slab; z++)
        for (size_t y = 0; y < count[1]; y++)
            for (size_t x = 0; x < count[2]; x++, i++) {
                size_t from = (z * p->up * p->q[1] + y * p->up) * p->q[2] + x * p->up;
                size_t to = ((z * each + phi[0]) * p->to.e[1] + y * each + phi[1]) * p->to.e[2] + x * each + phi[2];
                f->from[i] = (int32_t)(from * p->from.b);
                f->to[i] = (int32_t)(to * vec);
            }
    return lost ? -1 : 0;
}

/* Along one axis: does tap k belong to phase phi, and how far from a position's place does it read? Forward always, k;
 * back, x[i] met w[k] in y[(i + pad - k) / stride]. */
static int reads(const pass_t *p, const convshape_t *s, size_t k, size_t phi, size_t *far)
{
    if (!p->back) {
        *far = k;
        return 1;
    }
    *far = (phi + s->pad + p->low * s->stride - k) / s->stride;
    return (phi + s->pad + s->side * s->stride - k) % s->stride == 0;
}

/* The taps of a phase, channels of a block innermost: their number, or with f->at and f->tap given, these too. */
static size_t taps(const pass_t *p, const convshape_t *s, const size_t phi[3], const phase_t *f)
{
    size_t k = s->side, cube = k * k * k, m = 0, far[3];
    for (size_t c0 = 0; c0 < p->from.c; c0 += p->from.b)
        for (size_t t = 0; t < cube; t++) {
            if (!reads(p, s, t / k / k, phi[0], &far[0]) || !reads(p, s, t / k % k, phi[1], &far[1]) ||
                !reads(p, s, t % k, phi[2], &far[2]))
                continue;
            size_t at = c0 / p->from.b * p->block + ((far[0] * p->q[1] + far[1]) * p->q[2] + far[2]) * p->from.b;
            for (size_t c = c0; c < smaller(c0 + p->from.b, p->from.c); c++, m++)
                if (f->at) {
                    f->at[m] = (int32_t)(at + c - c0);
                    f->tap[m] = (int32_t)(c * (p->back ? s->ci : 1) * cube + t);
                }
        }
    return m;
}

static int phases(pass_t *p, const convshape_t *s, size_t vec, err_t *err)
{
    int lost = 0;
    p->nphase = p->each * p->each * p->each;
    for (size_t i = 0; i < p->nphase; i++) {
        size_t phi[3] = {i / p->each / p->each, i / p->each % p->each, i % p->each};
        phase_t *f = &p->phase[i];
        if (positions(p, f, phi, vec, err)) return -1;
        f->m = taps(p, s, phi, f);
        f->packed = p->packed;
        p->packed += f->m * p->to.blocks * vec;
        int32_t *at = table(f->m, &lost, err), *tap = table(f->m, &lost, err);
        f->at = at;
        f->tap = tap;
        if (lost) return -1;
        taps(p, s, phi, f);
    }
    return 0;
}

static int forward(plan_t *d, err_t *err)
{
    const convshape_t *s = &d->s;
    pass_t *p = &d->forward;
    size_t out[3];
    conv_extent(s, out);
    p->from = volume(s->ci, s->in, d->kern->vec);
    p->to = volume(s->co, out, d->kern->vec);
    p->steps = out[0];
    p->up = s->stride;
    p->each = 1;
    p->reach = s->side - 1;
    p->low = s->pad;
    p->wstep = s->ci * s->side * s->side * s->side;
    divide(p);
    return phases(p, s, d->kern->vec, err);
}

static int data(plan_t *d, err_t *err)
{
    const convshape_t *s = &d->s;
    pass_t *p = &d->data;
    p->back = 1;
    p->from = d->forward.to;
    p->to = d->forward.from;
    p->steps = (s->in[0] + s->stride - 1) / s->stride;
    p->up = 1;
    p->each = s->stride;
    p->low = (s->side - 1 - s->pad) / s->stride;
    p->reach = p->low + (s->stride - 1 + s->pad) / s->stride;
    p->wstep = s->side * s->side * s->side;
    divide(p);
    return phases(p, s, d->kern->vec, err);
}

plan_t *plan_new(const convshape_t *s, const direct_kern_t *kern, err_t *err)
{
    int lost = 0;
    plan_t *d = mem_zero(1, sizeof *d, err);
    if (!d) return NULL;
    d->s = *s;
    d->kern = kern;
    d->chunk = CHUNK / sizeof(float) / (2 * kern->vec);
    for (size_t v = 1; v <= 2; v++) {
        d->line[v - 1] = table(d->chunk, &lost, err);
        for (size_t i = 0; !lost && i < d->chunk; i++) d->line[v - 1][i] = (int32_t)(i * v * kern->vec);
    }
    if (lost || forward(d, err) || data(d, err)) {
        plan_free(d);
        return NULL;
    }
    return d;
}

static void pass_free(pass_t *p)
{
    for (size_t i = 0; i < p->nphase; i++) {
        mem_free(p->phase[i].from);
        mem_free(p->phase[i].to);
        mem_free(p->phase[i].at);
        mem_free(p->phase[i].tap);
    }
}

void plan_free(void *plan)
{
    plan_t *d = plan;
    if (!d) return;
    pass_free(&d->forward);
    pass_free(&d->data);
    mem_free(d->line[0]);
    mem_free(d->line[1]);
    mem_free(d);
}
