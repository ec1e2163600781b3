/* conv: the plan of a convolution, and which way each pass takes (see conv.h). */
#include "nn/conv.h"

#include <stdint.h>

#include "base/mem.h"
#include "nn/direct.h"
#include "nn/wino.h"

enum { FORWARD, DATA, WEIGHTS, PASSES };

/* Winograd as a way. */
static void *wino_make(const convshape_t *s, isa_t isa, err_t *err)
{
    wino_t *w = mem_new(1, sizeof *w, err);
    if (w) wino_init(w, s, isa);
    return w;
}

static size_t wino_size(const void *plan, convsize_t what)
{
    switch (what) {
    case CONV_WORK: return wino_work(plan);
    case CONV_PACKED: return wino_packed(plan);
    case CONV_BACK: return wino_packed_back(plan);
    case CONV_ACC: return wino_acc(plan);
    default: return wino_slab(plan);
    }
}

static void pack(const void *plan, const float *w, float *packed)
{
    wino_pack(plan, w, packed, NULL, NULL);
}

static void pack_back(const void *plan, const float *w, float *back)
{
    wino_pack(plan, w, NULL, back, NULL);
}

static void forward(const void *plan, const float *packed, size_t n, const float *x, size_t xstep, float *y, size_t ystep,
                    size_t z0, size_t z1, const epilogue_t *e, float *work)
{
    wino_forward(plan, packed, n, x, xstep, y, ystep, z0, z1, e, work);
}

static void grad_data(const void *plan, const float *back, size_t n, const float *dy, size_t ystep, float *dx, size_t xstep,
                      int sum, float *work)
{
    wino_grad_data(plan, back, n, dy, ystep, dx, xstep, sum, work);
}

static void grad_weight(const void *plan, size_t n, const float *x, size_t xstep, const float *dy, size_t ystep, float *acc,
                        float *work)
{
    wino_grad_weight(plan, n, x, xstep, dy, ystep, acc, work);
}

static void grad_weight_end(const void *plan, const float *acc, float *dw)
{
    wino_grad_weight_end(plan, acc, dw, NULL);
}

static const convalg_t winograd = {"winograd", wino_make, mem_free,  wino_size,   pack, pack_back,
                                   forward,    grad_data, grad_weight, grad_weight_end};

struct conv {
    convshape_t s;
    const convalg_t *alg[PASSES];
    void *plan[PASSES]; /* one a way, shared by the passes that take it */
};

static size_t largest(size_t a, size_t b)
{
    return a > b ? a : b;
}

void conv_extent(const convshape_t *s, size_t out[3])
{
    for (int a = 0; a < 3; a++) out[a] = (s->in[a] + 2 * s->pad - s->side) / s->stride + 1;
}

/* Offsets are int32_t: no tensor of more than 2^31 floats, with its borders. */
static int fits(size_t channels, const size_t extent[3], size_t border)
{
    size_t n = channels + 15;
    for (int a = 0; a < 3; a++)
        if (extent[a] > INT32_MAX || !mem_mul(n, extent[a] + border, &n)) return 0;
    return n <= INT32_MAX;
}

static int check(const convshape_t *s, err_t *err)
{
    size_t most = INT32_MAX / 125, out[3];
    if (!s->ci || !s->co || s->ci > most || s->co > most || s->ci * s->co > most)
        return err_set(err, ERR_RANGE, "convolution: %zu to %zu channels", s->ci, s->co);
    if (s->side != 1 && s->side != 3 && s->side != 5)
        return err_set(err, ERR_RANGE, "convolution: side %zu (1, 3 or 5)", s->side);
    if (s->stride != 1 && s->stride != 2)
        return err_set(err, ERR_RANGE, "convolution: stride %zu (1 or 2)", s->stride);
    if (s->pad > s->side / 2) return err_set(err, ERR_RANGE, "convolution: padding %zu (0 to %zu)", s->pad, s->side / 2);
    for (int a = 0; a < 3; a++)
        if (!s->in[a] || s->in[a] + 2 * s->pad < s->side)
            return err_set(err, ERR_RANGE, "convolution: extent %zu (with padding at least side %zu)", s->in[a], s->side);
    if (!fits(s->ci, s->in, 8)) return err_set(err, ERR_RANGE, "convolution: input of more than 2^31 numbers");
    conv_extent(s, out);
    if (!fits(s->co, out, 8)) return err_set(err, ERR_RANGE, "convolution: output of more than 2^31 numbers");
    return 0;
}

/* Is Winograd's way faster? By measurement (tests/bench/conv; AVX2, batches of 2 and 4, 2 to 128 channels, extents 1 to 48) it
 * is, 1.2 to 5 times, unless the pass reads fewer than 4 channels, which Winograd's way fills up to a block, or three quarters
 * of what tiles of 2 x 2 x 2 outputs hold would lie outside. Not so for weight gradients of many channels at small extents,
 * one sample a call: 128 to 128 at 4^3 took 2.7 times as long, but half as long at 4 samples and a quarter at 16. */
static int faster(const convshape_t *s, int pass)
{
    size_t read = pass == DATA ? s->co : s->ci, tiles = 1;
    for (int a = 0; a < 3; a++) tiles *= (s->in[a] + 1) / 2;
    return wino_can(s) && read >= 4 && 2 * tiles < s->in[0] * s->in[1] * s->in[2];
}

static const convalg_t *choose(const convshape_t *s, isa_t isa, convway_t way, int pass)
{
    if (way == CONV_WINOGRAD || (way == CONV_AUTO && isa != ISA_REF && faster(s, pass))) return &winograd;
    return isa == ISA_REF ? &direct_ref : &direct;
}

conv_t *conv_new(const convshape_t *s, isa_t isa, convway_t way, err_t *err)
{
    if (check(s, err)) return NULL;
    if (!isa_runs(isa)) {
        err_set(err, ERR_UNSUP, "convolution: no %s here", isa_name(isa));
        return NULL;
    }
    if (way == CONV_WINOGRAD && !wino_can(s)) {
        err_set(err, ERR_UNSUP, "convolution: Winograd's form has side 3, stride 1, padding 1, and several channels on both sides");
        return NULL;
    }
    conv_t *c = mem_zero(1, sizeof *c, err);
    if (!c) return NULL;
    c->s = *s;
    for (int p = 0; p < PASSES; p++) c->alg[p] = choose(s, isa, way, p);
    for (int p = 0; p < PASSES; p++) {
        for (int q = 0; q < p; q++)
            if (c->alg[q] == c->alg[p]) c->plan[p] = c->plan[q];
        if (!c->plan[p] && !(c->plan[p] = c->alg[p]->make(s, isa, err))) {
            conv_free(c);
            return NULL;
        }
    }
    return c;
}

void conv_free(conv_t *c)
{
    for (int p = 0; c && p < PASSES; p++) {
        int seen = 0;
        for (int q = 0; q < p; q++) seen = seen || c->plan[q] == c->plan[p];
        if (!seen && c->plan[p]) c->alg[p]->drop(c->plan[p]);
    }
    mem_free(c);
}

const convshape_t *conv_shape(const conv_t *c)
{
    return &c->s;
}

const char *conv_way(const conv_t *c, int pass)
{
    return c->alg[pass]->name;
}

static size_t size(const conv_t *c, int pass, convsize_t what)
{
    return c->alg[pass]->size(c->plan[pass], what);
}

size_t conv_work(const conv_t *c)
{
    size_t n = 0;
    for (int p = 0; p < PASSES; p++) n = largest(n, size(c, p, CONV_WORK));
    return n;
}

size_t conv_packed(const conv_t *c)
{
    return size(c, FORWARD, CONV_PACKED);
}

size_t conv_packed_back(const conv_t *c)
{
    return size(c, DATA, CONV_BACK);
}

size_t conv_acc(const conv_t *c)
{
    return size(c, WEIGHTS, CONV_ACC);
}

size_t conv_slab(const conv_t *c)
{
    return size(c, FORWARD, CONV_SLAB);
}

void conv_pack(const conv_t *c, const float *w, float *packed, float *back, float *work)
{
    (void)work;
    if (packed) c->alg[FORWARD]->pack(c->plan[FORWARD], w, packed);
    if (back) c->alg[DATA]->pack_back(c->plan[DATA], w, back);
}

void conv_forward(const conv_t *c, const float *packed, size_t n, const float *x, size_t xstep, float *y, size_t ystep,
                  size_t z0, size_t z1, const epilogue_t *e, float *work)
{
    c->alg[FORWARD]->forward(c->plan[FORWARD], packed, n, x, xstep, y, ystep, z0, z1, e, work);
}

void conv_grad_data(const conv_t *c, const float *back, size_t n, const float *dy, size_t ystep, float *dx, size_t xstep,
                    int sum, float *work)
{
    c->alg[DATA]->grad_data(c->plan[DATA], back, n, dy, ystep, dx, xstep, sum, work);
}

void conv_grad_weight(const conv_t *c, size_t n, const float *x, size_t xstep, const float *dy, size_t ystep, float *acc,
                      float *work)
{
    c->alg[WEIGHTS]->grad_weight(c->plan[WEIGHTS], n, x, xstep, dy, ystep, acc, work);
}

void conv_grad_weight_end(const conv_t *c, const float *acc, float *dw, float *work)
{
    (void)work;
    c->alg[WEIGHTS]->grad_weight_end(c->plan[WEIGHTS], acc, dw);
}

double conv_flops(const convshape_t *s)
{
    size_t o[3];
    conv_extent(s, o);
    return 2.0 * (double)(s->ci * s->co) * (double)(s->side * s->side * s->side) * (double)o[0] * (double)o[1] * (double)o[2];
}
