/* wino: Winograd convolution (see wino.h): blocks of tiles through the kernels' steps. */
#include "config.h"

#include "nn/wino.h"

#include <string.h>

#include "nn/wino_kern.h"

static const wino_kern_t *const kernels[ISA_COUNT] = {
    [ISA_REF] = &wino_kern_ref,
    [ISA_VEC] = &wino_kern_vec,
#ifdef HAVE_AVX2
    [ISA_AVX2] = &wino_kern_avx2,
#endif
#ifdef HAVE_AVX512
    [ISA_AVX512] = &wino_kern_avx512,
#endif
};

bool wino_can(const convshape_t *s)
{
    return s->side == 3 && s->stride == 1 && s->pad == 1 && s->ci > 1 && s->co > 1;
}

/* Products of a sample's tiles are fewer with e = 4 but for extents just past a multiple of 4; weights are more. */
static size_t best_edge(const size_t in[3])
{
    size_t two = 64, four = 216;
    for (int i = 0; i < 3; i++) {
        two *= (in[i] + 1) / 2;
        four *= (in[i] + 3) / 4;
    }
    return four < two ? 4 : 2;
}

void wino_init(wino_t *w, const convshape_t *s, isa_t isa)
{
    const wino_kern_t *k = kernels[isa];
    *w = (wino_t){*s, k, k->form[best_edge(s->in) == 4]};
}

/* Positions of one pz, r^2, and passes over pz, r. */
static size_t plane_of(const wino_t *w)
{
    size_t r = w->form->edge + 2;
    return r * r;
}

static size_t passes(const wino_t *w)
{
    return w->form->edge + 2;
}

/* Tiles in a block (measured): what stays in a second-level cache of 512 KB, but enough to reuse each weight; a pass over
 * weight gradients keeps no sums of outputs, and reads and writes all of them. */
static size_t block_tiles(const wino_t *w, size_t ip, size_t op, bool weights)
{
    size_t per = (16 * ip + 24 * op) * sizeof(float), m = (320u << 10) / per;
    if (w->form->edge == 4) return weights && ip * op >= 64 * 64 ? 48 : 24;
    return m < 48 ? 48 : m > 96 ? 96 : m;
}

size_t wino_slab(const wino_t *w)
{
    return w->form->edge;
}

size_t wino_packed(const wino_t *w)
{
    return passes(w) * plane_of(w) * wino_step(w->s.ci, wino_pad(w->s.co, w->kern->block));
}

size_t wino_packed_back(const wino_t *w)
{
    return passes(w) * plane_of(w) * wino_step(w->s.co, wino_pad(w->s.ci, w->kern->block));
}

size_t wino_acc(const wino_t *w)
{
    return wino_packed(w);
}

/* The workspace, for ci channels in and co out. */
typedef struct {
    float *v, *g, *sums, *zero, *bias;
    size_t size;
} room_t;

static room_t room(const wino_t *w, size_t ci, size_t co, bool weights, float *work)
{
    size_t b = w->kern->block, ip = wino_pad(ci, b), op = wino_pad(co, b), m = block_tiles(w, ip, op, weights);
    size_t e = w->form->edge, each = weights ? 0 : e * e * e;
    size_t g = plane_of(w) * wino_step(m, ip), sums = g + plane_of(w) * wino_step(m, op), zero = sums + m * op * each;
    size_t bias = zero + wino_pad(w->s.in[2] * b, 16), size = bias + wino_pad(op, 16);
    if (!work) return (room_t){.size = size};
    return (room_t){work, work + g, work + sums, work + zero, work + bias, size};
}

size_t wino_work(const wino_t *w)
{
    size_t a = room(w, w->s.ci, w->s.co, false, NULL).size, b = room(w, w->s.co, w->s.ci, false, NULL).size;
    size_t c = room(w, w->s.ci, w->s.co, true, NULL).size;
    if (b > a) a = b;
    return c > a ? c : a;
}

void wino_pack(const wino_t *w, const float *weights, float *packed, float *back, float *work)
{
    size_t ci = w->s.ci, co = w->s.co;
    (void)work;
    if (packed) w->form->weights(w->form->edge, weights, ci * 27, 27, false, ci, co, packed);
    if (back) w->form->weights(w->form->edge, weights, 27, ci * 27, true, co, ci, back);
}

/* The next block after t->t0 + t->m of `total` tiles, blocks as equal as they go. False: there is none. */
static bool next_block(tiles_t *t, size_t total, size_t most)
{
    size_t at = t->t0 + t->m, blocks = (total - at + most - 1) / most;
    if (at == total) return false;
    t->t0 = at;
    t->m = (total - at + blocks - 1) / blocks;
    return true;
}

static tiles_t tiles(const wino_t *w, size_t z0, size_t z1)
{
    const size_t *in = w->s.in, e = w->form->edge;
    tiles_t t = {.edge = e, .in = {in[0], in[1], in[2]}, .tz = z0 / e};
    t.grid[0] = (z1 + e - 1) / e - z0 / e;
    t.grid[1] = (in[1] + e - 1) / e;
    t.grid[2] = (in[2] + e - 1) / e;
    return t;
}

static void convolve(const wino_t *w, const float *u, size_t n, const wtensor_t *x, size_t co, const wout_t *out, tiles_t t,
                     const room_t *r)
{
    const wino_kern_t *k = w->kern;
    const wino_form_t *f = w->form;
    size_t ci = x->channels, plane = plane_of(w), total = n * t.grid[0] * t.grid[1] * t.grid[2];
    size_t part = plane * wino_step(ci, wino_pad(co, k->block));
    size_t most = block_tiles(w, wino_pad(ci, k->block), wino_pad(co, k->block), false);
    memset(r->zero, 0, t.in[2] * k->block * sizeof(float));
    while (next_block(&t, total, most))
        for (size_t pz = 0; pz < passes(w); pz++) {
            f->input(&t, x, pz, r->zero, r->v);
            k->product(plane, r->v, t.m, u + pz * part, ci, co, r->g);
            f->output(&t, r->g, co, pz, r->sums, out);
        }
}

/* What the kernels leave to be done: an activation other than ReLU. */
static void activate(const wino_t *w, size_t n, float *y, size_t ystep, size_t z0, size_t z1, act_t act)
{
    const size_t *in = w->s.in, b = w->kern->block, plane = in[1] * in[2] * b, blocks = wino_pad(w->s.co, b) / b;
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < blocks; c++) {
            float *p = y + i * ystep + (c * in[0] + z0) * plane;
            act_forward(act, p, (z1 - z0) * plane, p);
        }
}

void wino_forward(const wino_t *w, const float *packed, size_t n, const float *x, size_t xstep, float *y, size_t ystep,
                  size_t z0, size_t z1, const epilogue_t *e, float *work)
{
    room_t r = room(w, w->s.ci, w->s.co, false, work);
    wtensor_t in = {x, xstep, w->s.ci};
    wout_t out = {y, e ? e->add : NULL, r.bias, ystep, e && e->act == ACT_RELU};
    memset(r.bias, 0, wino_pad(w->s.co, w->kern->block) * sizeof(float));
    if (e && e->bias) memcpy(r.bias, e->bias, w->s.co * sizeof(float));
    convolve(w, packed, n, &in, w->s.co, &out, tiles(w, z0, z1), &r);
    if (e && e->act != ACT_NONE && e->act != ACT_RELU) activate(w, n, y, ystep, z0, z1, e->act);
}

void wino_grad_data(const wino_t *w, const float *back, size_t n, const float *dy, size_t ystep, float *dx, size_t xstep,
                    bool sum, float *work)
{
    room_t r = room(w, w->s.co, w->s.ci, false, work);
    wtensor_t in = {dy, ystep, w->s.co};
    wout_t out = {dx, sum ? dx : NULL, r.bias, xstep, false};
    memset(r.bias, 0, wino_pad(w->s.ci, w->kern->block) * sizeof(float));
    convolve(w, back, n, &in, w->s.ci, &out, tiles(w, 0, w->s.in[0]), &r);
}

void wino_grad_weight(const wino_t *w, size_t n, const float *x, size_t xstep, const float *dy, size_t ystep, float *acc,
                      float *work)
{
    const wino_kern_t *k = w->kern;
    const wino_form_t *f = w->form;
    room_t r = room(w, w->s.ci, w->s.co, true, work);
    wtensor_t in = {x, xstep, w->s.ci}, grad = {dy, ystep, w->s.co};
    tiles_t t = tiles(w, 0, w->s.in[0]);
    size_t total = n * t.grid[0] * t.grid[1] * t.grid[2], op = wino_pad(w->s.co, k->block), plane = plane_of(w);
    size_t most = block_tiles(w, wino_pad(w->s.ci, k->block), op, true);
    memset(r.zero, 0, t.in[2] * k->block * sizeof(float));
    while (next_block(&t, total, most))
        for (size_t pz = 0; pz < passes(w); pz++) {
            f->input(&t, &in, pz, r.zero, r.v);
            f->grad(&t, &grad, pz, r.zero, r.g);
            k->outer(plane, r.v, r.g, t.m, w->s.ci, w->s.co, acc + pz * plane * wino_step(w->s.ci, op));
        }
}

void wino_grad_weight_end(const wino_t *w, const float *acc, float *dw, float *work)
{
    (void)work;
    w->form->weights_end(w->form->edge, acc, w->s.ci, w->s.co, dw);
}
