/* wino: Winograd convolution, F(2x2x2, 3x3x3) (see wino.h): blocks of tiles through the kernels' steps. */
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

void wino_init(wino_t *w, const convshape_t *s, isa_t isa)
{
    *w = (wino_t){*s, kernels[isa]};
}

/* Tiles in a block: what stays in a second-level cache of 512 KB, but enough to reuse each weight. */
static size_t block_tiles(size_t ci, size_t co)
{
    size_t per = (16 * ci + 24 * co) * sizeof(float), m = (320u << 10) / per;
    return m < 48 ? 48 : m > 96 ? 96 : m;
}

size_t wino_slab(const wino_t *w)
{
    (void)w;
    return 2;
}

size_t wino_packed(const wino_t *w)
{
    return WINO_ALL * wino_step(w->s.ci, wino_pad(w->s.co, w->kern->block));
}

size_t wino_packed_back(const wino_t *w)
{
    return WINO_ALL * wino_step(w->s.co, wino_pad(w->s.ci, w->kern->block));
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

static room_t room(const wino_t *w, size_t ci, size_t co, float *work)
{
    size_t b = w->kern->block, ip = wino_pad(ci, b), op = wino_pad(co, b), m = block_tiles(ip, op);
    size_t g = WINO_PLANE * wino_step(m, ip), sums = g + WINO_PLANE * wino_step(m, op), zero = sums + m * op * 8;
    size_t bias = zero + wino_pad(w->s.in[2] * b, 16), size = bias + wino_pad(op, 16);
    if (!work) return (room_t){.size = size};
    return (room_t){work, work + g, work + sums, work + zero, work + bias, size};
}

size_t wino_work(const wino_t *w)
{
    size_t forward = room(w, w->s.ci, w->s.co, NULL).size, back = room(w, w->s.co, w->s.ci, NULL).size;
    return forward > back ? forward : back;
}

void wino_pack(const wino_t *w, const float *weights, float *packed, float *back, float *work)
{
    size_t ci = w->s.ci, co = w->s.co;
    (void)work;
    if (packed) w->kern->weights(weights, ci * 27, 27, false, ci, co, packed);
    if (back) w->kern->weights(weights, 27, ci * 27, true, co, ci, back);
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

static tiles_t tiles(const convshape_t *s, size_t z0, size_t z1)
{
    tiles_t t = {.in = {s->in[0], s->in[1], s->in[2]}, .tz = z0 / 2};
    t.grid[0] = (z1 + 1) / 2 - z0 / 2;
    t.grid[1] = (s->in[1] + 1) / 2;
    t.grid[2] = (s->in[2] + 1) / 2;
    return t;
}

static void convolve(const wino_t *w, const float *u, size_t n, const wtensor_t *x, size_t co, const wout_t *out, tiles_t t,
                     const room_t *r)
{
    const wino_kern_t *k = w->kern;
    size_t ci = x->channels, total = n * t.grid[0] * t.grid[1] * t.grid[2];
    size_t quarter = WINO_PLANE * wino_step(ci, wino_pad(co, k->block));
    size_t most = block_tiles(wino_pad(ci, k->block), wino_pad(co, k->block));
    memset(r->zero, 0, t.in[2] * k->block * sizeof(float));
    while (next_block(&t, total, most))
        for (int pz = 0; pz < 4; pz++) {
            k->input(&t, x, pz, r->zero, r->v);
            k->product(r->v, t.m, u + (size_t)pz * quarter, ci, co, r->g);
            k->output(&t, r->g, co, pz, r->sums, out);
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
    room_t r = room(w, w->s.ci, w->s.co, work);
    wtensor_t in = {x, xstep, w->s.ci};
    wout_t out = {y, e ? e->add : NULL, r.bias, ystep, e && e->act == ACT_RELU};
    memset(r.bias, 0, wino_pad(w->s.co, w->kern->block) * sizeof(float));
    if (e && e->bias) memcpy(r.bias, e->bias, w->s.co * sizeof(float));
    convolve(w, packed, n, &in, w->s.co, &out, tiles(&w->s, z0, z1), &r);
    if (e && e->act != ACT_NONE && e->act != ACT_RELU) activate(w, n, y, ystep, z0, z1, e->act);
}

void wino_grad_data(const wino_t *w, const float *back, size_t n, const float *dy, size_t ystep, float *dx, size_t xstep,
                    bool sum, float *work)
{
    room_t r = room(w, w->s.co, w->s.ci, work);
    wtensor_t in = {dy, ystep, w->s.co};
    wout_t out = {dx, sum ? dx : NULL, r.bias, xstep, false};
    memset(r.bias, 0, wino_pad(w->s.ci, w->kern->block) * sizeof(float));
    convolve(w, back, n, &in, w->s.ci, &out, tiles(&w->s, 0, w->s.in[0]), &r);
}

void wino_grad_weight(const wino_t *w, size_t n, const float *x, size_t xstep, const float *dy, size_t ystep, float *acc,
                      float *work)
{
    const wino_kern_t *k = w->kern;
    room_t r = room(w, w->s.ci, w->s.co, work);
    wtensor_t in = {x, xstep, w->s.ci}, grad = {dy, ystep, w->s.co};
    tiles_t t = tiles(&w->s, 0, w->s.in[0]);
    size_t total = n * t.grid[0] * t.grid[1] * t.grid[2], op = wino_pad(w->s.co, k->block);
    size_t most = block_tiles(wino_pad(w->s.ci, k->block), op);
    memset(r.zero, 0, t.in[2] * k->block * sizeof(float));
    while (next_block(&t, total, most))
        for (int pz = 0; pz < 4; pz++) {
            k->input(&t, &in, pz, r.zero, r.v);
            k->grad(&t, &grad, pz, r.zero, r.g);
            k->outer(r.v, r.g, t.m, w->s.ci, w->s.co, acc + (size_t)pz * WINO_PLANE * wino_step(w->s.ci, op));
        }
}

void wino_grad_weight_end(const wino_t *w, const float *acc, float *dw, float *work)
{
    (void)work;
    w->kern->weights_end(acc, w->s.ci, w->s.co, dw);
}
