/* direct_ref: the three passes of a convolution, word for word (see conv.h), sums in double. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "nn/direct.h"

typedef struct {
    size_t b, c, e[3]; /* block, channels, extent */
} layout_t;

typedef struct {
    convshape_t s;
    layout_t x, y;
} ref_t;

static size_t at(const layout_t *l, size_t c, const size_t i[3])
{
    return (((c / l->b * l->e[0] + i[0]) * l->e[1] + i[1]) * l->e[2] + i[2]) * l->b + c % l->b;
}

static size_t padded(const layout_t *l) { return (l->c + l->b - 1) / l->b * l->b; }

static size_t taps(const ref_t *r) { return r->s.side * r->s.side * r->s.side; }

/* Where tap t (0..k^3-1) of output o reads: false outside of x. */
static int source(const ref_t *r, const size_t o[3], size_t t, size_t i[3])
{
    size_t k = r->s.side, tap[3] = {t / k / k, t / k % k, t % k};
    for (int a = 0; a < 3; a++) {
        size_t p = o[a] * r->s.stride + tap[a];
        if (p < r->s.pad || p - r->s.pad >= r->s.in[a]) return 0;
        i[a] = p - r->s.pad;
    }
    return 1;
}

static double activate(act_t a, double v)
{
    switch (a) {
    case ACT_RELU: return v < 0 ? 0 : v; /* NaN stays */
    case ACT_SILU: return v / (1 + exp(-v));
    case ACT_GELU: return v * 0.5 * erfc(-v / sqrt(2));
    default: return v;
    }
}

static void *make(const convshape_t *s, isa_t isa, err_t *err)
{
    ref_t *r = mem_zero(1, sizeof *r, err);
    if (!r) return NULL;
    r->s = *s;
    r->x = (layout_t){s->ci == 1 ? 1 : isa_block(isa), s->ci, {s->in[0], s->in[1], s->in[2]}};
    r->y = (layout_t){s->co == 1 ? 1 : isa_block(isa), s->co, {0}};
    conv_extent(s, r->y.e);
    return r;
}

static size_t size(const void *plan, convsize_t what)
{
    const ref_t *r = plan;
    switch (what) {
    case CONV_PACKED:
    case CONV_BACK:
    case CONV_ACC: return r->s.co * r->s.ci * taps(r);
    case CONV_SLAB: return 1;
    default: return 0;
    }
}

static void pack(const void *plan, const float *w, float *packed)
{
    memcpy(packed, w, size(plan, CONV_PACKED) * sizeof *w);
}

static double output(const ref_t *r, const float *w, const float *x, size_t c, const size_t o[3])
{
    double sum = 0;
    size_t i[3];
    for (size_t ci = 0; ci < r->s.ci; ci++)
        for (size_t t = 0; t < taps(r); t++)
            if (source(r, o, t, i)) sum += (double)w[(c * r->s.ci + ci) * taps(r) + t] * (double)x[at(&r->x, ci, i)];
    return sum;
}

static void forward(const void *plan, const float *packed, size_t n, const float *x, size_t xstep, float *y,
                    size_t ystep, size_t z0, size_t z1, const epilogue_t *e, float *work)
{
    const ref_t *r = plan;
    size_t o[3];
    (void)work;
    for (size_t s = 0; s < n; s++)
        for (size_t c = 0; c < padded(&r->y); c++)
            for (o[0] = z0; o[0] < z1; o[0]++)
                for (o[1] = 0; o[1] < r->y.e[1]; o[1]++)
                    for (o[2] = 0; o[2] < r->y.e[2]; o[2]++) {
                        size_t to = s * ystep + at(&r->y, c, o);
                        double v = c < r->s.co ? output(r, packed, x + s * xstep, c, o) : 0;
                        if (e && e->bias && c < r->s.co) v += (double)e->bias[c];
                        if (e && e->add) v += (double)e->add[to];
                        y[to] = (float)activate(e ? e->act : ACT_NONE, v);
                    }
}

/* Sum of dy w over all outputs that read x[c, i]. */
static double input(const ref_t *r, const float *w, const float *dy, size_t c, const size_t i[3])
{
    double sum = 0;
    for (size_t t = 0; t < taps(r); t++) {
        size_t k = r->s.side, tap[3] = {t / k / k, t / k % k, t % k}, o[3];
        int reads = 1;
        for (int a = 0; a < 3; a++) {
            size_t p = i[a] + r->s.pad;
            reads = reads && p >= tap[a] && (p - tap[a]) % r->s.stride == 0 && (p - tap[a]) / r->s.stride < r->y.e[a];
            o[a] = reads ? (p - tap[a]) / r->s.stride : 0;
        }
        for (size_t co = 0; reads && co < r->s.co; co++)
            sum += (double)w[(co * r->s.ci + c) * taps(r) + t] * (double)dy[at(&r->y, co, o)];
    }
    return sum;
}

static void grad_data(const void *plan, const float *back, size_t n, const float *dy, size_t ystep, float *dx,
                      size_t xstep, int sum, float *work)
{
    const ref_t *r = plan;
    size_t i[3];
    (void)work;
    for (size_t s = 0; s < n; s++)
        for (size_t c = 0; c < padded(&r->x); c++)
            for (i[0] = 0; i[0] < r->s.in[0]; i[0]++)
                for (i[1] = 0; i[1] < r->s.in[1]; i[1]++)
                    for (i[2] = 0; i[2] < r->s.in[2]; i[2]++) {
                        float *to = dx + s * xstep + at(&r->x, c, i);
                        double v = c < r->s.ci ? input(r, back, dy + s * ystep, c, i) : 0;
                        *to = (float)(v + (sum ? (double)*to : 0));
                    }
}

static double weight(const ref_t *r, const float *x, const float *dy, size_t co, size_t ci, size_t t)
{
    double sum = 0;
    size_t o[3], i[3];
    for (o[0] = 0; o[0] < r->y.e[0]; o[0]++)
        for (o[1] = 0; o[1] < r->y.e[1]; o[1]++)
            for (o[2] = 0; o[2] < r->y.e[2]; o[2]++)
                if (source(r, o, t, i)) sum += (double)dy[at(&r->y, co, o)] * (double)x[at(&r->x, ci, i)];
    return sum;
}

static void grad_weight(const void *plan, size_t n, const float *x, size_t xstep, const float *dy, size_t ystep,
                        float *acc, float *work)
{
    const ref_t *r = plan;
    (void)work;
    for (size_t s = 0; s < n; s++, x += xstep, dy += ystep)
        for (size_t co = 0; co < r->s.co; co++)
            for (size_t ci = 0; ci < r->s.ci; ci++)
                for (size_t t = 0; t < taps(r); t++)
                    acc[(co * r->s.ci + ci) * taps(r) + t] += (float)weight(r, x, dy, co, ci, t);
}

static void grad_weight_end(const void *plan, const float *acc, float *dw)
{
    for (size_t i = 0; i < size(plan, CONV_ACC); i++) dw[i] += acc[i];
}

const convalg_t direct_ref = {"reference", make, mem_free, size, pack, pack, forward, grad_data, grad_weight, grad_weight_end};
