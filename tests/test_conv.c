/* test_conv: every way and kernel of convolution against the definition, at awkward sizes. Buffers start as NaN and
 * stand between guards. */
#include "config.h"

#include "tests/test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "nn/direct.h"
#include "nn/direct_kern.h"

enum { GUARD = 16, SEED = 20261123 };
static const float GUARD_VALUE = 12345.0f;

extern const direct_kern_t direct_kern_wide; /* width 16 with this build's AVX2, for AVX-512's sake */

/* n floats of NaN between guards. */
static float *guarded(size_t n)
{
    float *p = mem_new(n + 2 * GUARD, sizeof *p, NULL);
    assert_non_null(p);
    for (size_t i = 0; i < n + 2 * GUARD; i++) p[i] = i < GUARD || i >= GUARD + n ? GUARD_VALUE : NAN;
    return p + GUARD;
}

static void intact(const float *p, size_t n, const char *what)
{
    for (size_t i = 0; i < GUARD; i++)
        if (p[(ptrdiff_t)i - GUARD] != GUARD_VALUE || p[n + i] != GUARD_VALUE) fail_msg("%s: written outside", what);
}

static void release(float *p, size_t n, const char *what)
{
    intact(p, n, what);
    mem_free(p - GUARD);
}

/* A 1-dimensional case worked by hand: x = 1 2 3 4, w = 1 10 100, pad 1. */
static void by_hand(void **state)
{
    (void)state;
    convshape_t s = {.ci = 1, .co = 1, .side = 3, .stride = 1, .pad = 1, .in = {1, 1, 4}};
    float w[27] = {0}, x[4] = {1, 2, 3, 4}, y[4], dx[4], dw[27] = {0}, acc[27] = {0}, dy[4] = {1, 0, 0, 2}, bias = 5;
    w[12] = 1, w[13] = 10, w[14] = 100; /* the middle row */
    conv_t *c = conv_new(&s, ISA_REF, CONV_AUTO, NULL);
    assert_non_null(c);
    assert_int_equal(conv_packed(c), 27);
    epilogue_t e = {.bias = &bias};
    conv_forward(c, w, 1, x, 4, y, 4, 0, 1, &e, NULL);
    float want[4] = {215, 326, 437, 48};
    for (int i = 0; i < 4; i++) assert_close(y[i], want[i], 0);
    conv_grad_data(c, w, 1, dy, 4, dx, 4, 0, NULL);
    float back[4] = {10, 100, 2, 20}; /* transpose of the matrix of w */
    for (int i = 0; i < 4; i++) assert_close(dx[i], back[i], 0);
    conv_grad_weight(c, 1, x, 4, dy, 4, acc, NULL);
    conv_grad_weight_end(c, acc, dw, NULL);
    assert_close(dw[12], 0 + 2 * 3, 0);
    assert_close(dw[13], 1 + 2 * 4, 0);
    assert_close(dw[14], 2 + 2 * 0, 0);
    assert_close(dw[0], 0, 0);
    conv_free(c);
}

static void blocked_there_and_back(void **state)
{
    (void)state;
    size_t extent[3] = {2, 3, 5};
    for (int isa = 0; isa < ISA_COUNT; isa++)
        for (size_t c = 1; c < 36; c++) {
            size_t n = blocked_size((isa_t)isa, c, extent), b = c == 1 ? 1 : isa_block((isa_t)isa);
            assert_int_equal(n, (c + b - 1) / b * b * 30);
            float *p = mem_new(c * 30, sizeof *p, NULL), *q = mem_new(c * 30 + 1, sizeof *q, NULL);
            float *v = mem_new(n + 1, sizeof *v, NULL);
            for (size_t i = 0; i < c * 30; i++) p[i] = (float)(i + 1);
            v[n] = q[c * 30] = -7;
            blocked_pack((isa_t)isa, p, c, extent, v);
            blocked_unpack((isa_t)isa, v, c, extent, q);
            assert_memory_equal(p, q, c * 30 * sizeof *p);
            assert_close(v[n], -7, 0);
            assert_close(q[c * 30], -7, 0);
            double sum = 0;
            for (size_t i = 0; i < n; i++) sum += (double)v[i];
            assert_close(sum, (double)(c * 30) * (double)(c * 30 + 1) / 2, 0); /* the channels past C are zero */
            assert_close(v[(c - 1) / b * b * 30 + 7 * b + (c - 1) % b], (double)((c - 1) * 30 + 8), 0);
            mem_free(p);
            mem_free(q);
            mem_free(v);
        }
}

typedef struct {
    convshape_t s;
    errcode_t code;
} bad_t;

static void shapes_are_checked(void **state)
{
    (void)state;
    static const bad_t bad[] = {
        {{0, 1, 3, 1, 1, {4, 4, 4}}, ERR_RANGE}, {{1, 0, 3, 1, 1, {4, 4, 4}}, ERR_RANGE},
        {{1, 1, 2, 1, 1, {4, 4, 4}}, ERR_RANGE}, {{1, 1, 3, 3, 1, {4, 4, 4}}, ERR_RANGE},
        {{1, 1, 3, 0, 1, {4, 4, 4}}, ERR_RANGE}, {{1, 1, 3, 1, 2, {4, 4, 4}}, ERR_RANGE},
        {{1, 1, 3, 1, 0, {4, 2, 4}}, ERR_RANGE}, {{1, 1, 5, 1, 1, {3, 3, 2}}, ERR_RANGE},
        {{1, 1, 1, 1, 0, {0, 3, 2}}, ERR_RANGE}, {{64, 1, 1, 1, 0, {1024, 1024, 1024}}, ERR_RANGE},
        {{SIZE_MAX, 2, 1, 1, 0, {1, 1, 1}}, ERR_RANGE}, {{1, 1, 1, 1, 0, {1, 1, SIZE_MAX}}, ERR_RANGE},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        err_t err = {0};
        assert_null(conv_new(&bad[i].s, ISA_REF, CONV_AUTO, &err));
        assert_int_equal(err.code, bad[i].code);
    }
    conv_free(NULL);
}

static const char *way_of(const convshape_t *s, isa_t isa, convway_t way, int pass)
{
    conv_t *c = conv_new(s, isa, way, NULL);
    assert_non_null(c);
    const char *name = conv_way(c, pass);
    conv_free(c);
    return name;
}

static void ways_are_chosen(void **state)
{
    (void)state;
    convshape_t plain = {32, 32, 3, 1, 1, {16, 16, 16}}, stem = {1, 32, 5, 2, 2, {32, 32, 32}}, few = {3, 32, 3, 1, 1, {8, 8, 8}};
    err_t err = {0}, none = {0};
    assert_string_equal(way_of(&plain, ISA_REF, CONV_AUTO, 0), "reference");
    assert_string_equal(way_of(&plain, ISA_VEC, CONV_DIRECT, 0), "direct");
    for (int p = 0; p < 3; p++) {
        assert_string_equal(way_of(&plain, ISA_VEC, CONV_AUTO, p), "winograd");
        assert_string_equal(way_of(&stem, ISA_VEC, CONV_AUTO, p), "direct");
        assert_string_equal(way_of(&few, ISA_VEC, CONV_AUTO, p), p == 1 ? "winograd" : "direct");
    }
    assert_null(conv_new(&stem, ISA_VEC, CONV_WINOGRAD, &err));
    assert_int_equal(err.code, ERR_UNSUP);
    for (int isa = 0; isa < ISA_COUNT; isa++)
        if (!isa_runs((isa_t)isa)) {
            assert_null(conv_new(&stem, (isa_t)isa, CONV_AUTO, &none));
            assert_int_equal(none.code, ERR_UNSUP);
        }
}

/* What is tested: a plan of one of the tables of nn/direct.h, or conv_t as a whole. */
typedef struct {
    const convalg_t *alg;
    void *plan;
    isa_t layout; /* a set with its block */
    double tol;   /* over the root of the number of terms (of products of normal numbers), and over the value */
    char name[64];
} subject_t;

static size_t conv_size(const void *plan, convsize_t what)
{
    const conv_t *c = plan;
    switch (what) {
    case CONV_WORK: return conv_work(c);
    case CONV_PACKED: return conv_packed(c);
    case CONV_BACK: return conv_packed_back(c);
    case CONV_ACC: return conv_acc(c);
    default: return conv_slab(c);
    }
}

static void conv_drop(void *plan) { conv_free(plan); }

static void conv_pack_one(const void *plan, const float *w, float *packed)
{
    conv_pack(plan, w, packed, NULL, NULL);
}

static void conv_pack_two(const void *plan, const float *w, float *back)
{
    float *packed = mem_new(conv_packed(plan), sizeof *packed, NULL);
    conv_pack(plan, w, packed, back, NULL);
    mem_free(packed);
}

static void conv_run(const void *plan, const float *packed, size_t n, const float *x, size_t xstep, float *y, size_t ystep,
                     size_t z0, size_t z1, const epilogue_t *e, float *work)
{
    conv_forward(plan, packed, n, x, xstep, y, ystep, z0, z1, e, work);
}

static void conv_back(const void *plan, const float *back, size_t n, const float *dy, size_t ystep, float *dx, size_t xstep,
                      int sum, float *work)
{
    conv_grad_data(plan, back, n, dy, ystep, dx, xstep, sum, work);
}

static void conv_weight(const void *plan, size_t n, const float *x, size_t xstep, const float *dy, size_t ystep, float *acc,
                        float *work)
{
    conv_grad_weight(plan, n, x, xstep, dy, ystep, acc, work);
}

static void conv_weight_end(const void *plan, const float *acc, float *dw)
{
    conv_grad_weight_end(plan, acc, dw, NULL);
}

static const convalg_t whole = {"conv",   NULL,      conv_drop,   conv_size,      conv_pack_one, conv_pack_two,
                                conv_run, conv_back, conv_weight, conv_weight_end};

/* One shape: random tensors, and what the definition makes of them. */
typedef struct {
    convshape_t s;
    size_t n, out[3], xs, ys, ws; /* samples; floats of x, y of one, of the weights */
    isa_t layout;
    epilogue_t e;
    float *x, *dy, *w, *bias, *add, *dx0; /* dx0: what the data gradient is added to */
    float *y, *dx, *sum, *dw;             /* reference */
} case_t;

/* n tensors of c channels, standard normal, zero past the channels. */
static float *noise(rng_t *rng, isa_t layout, size_t n, size_t c, const size_t e[3])
{
    size_t len = c * e[0] * e[1] * e[2], size = blocked_size(layout, c, e);
    float *plain = mem_new(len, sizeof *plain, NULL), *p = guarded(n * size);
    for (size_t s = 0; s < n; s++) {
        for (size_t i = 0; i < len; i++) plain[i] = (float)rng_normal(rng);
        blocked_pack(layout, plain, c, e, p + s * size);
    }
    mem_free(plain);
    return p;
}

static float *row(rng_t *rng, size_t n)
{
    float *p = guarded(n);
    for (size_t i = 0; i < n; i++) p[i] = (float)rng_normal(rng);
    return p;
}

/* epilogue: bit 0 bias, bit 1 add, the rest the activation */
static void case_new(case_t *c, const convshape_t *s, isa_t layout, size_t n, unsigned epilogue, rng_t *rng)
{
    *c = (case_t){.s = *s, .n = n, .layout = layout};
    conv_extent(s, c->out);
    c->xs = blocked_size(layout, s->ci, s->in);
    c->ys = blocked_size(layout, s->co, c->out);
    c->ws = s->co * s->ci * s->side * s->side * s->side;
    c->x = noise(rng, layout, n, s->ci, s->in);
    c->dx0 = noise(rng, layout, n, s->ci, s->in);
    c->dy = noise(rng, layout, n, s->co, c->out);
    c->add = noise(rng, layout, n, s->co, c->out);
    c->w = row(rng, c->ws);
    c->bias = row(rng, s->co);
    c->y = guarded(n * c->ys);
    c->dx = guarded(n * c->xs);
    c->sum = guarded(n * c->xs);
    c->dw = guarded(c->ws);
    c->e.bias = epilogue & 1 ? c->bias : NULL;
    c->e.add = epilogue & 2 ? c->add : NULL;
    c->e.act = (act_t)(epilogue >> 2);
    void *plan = direct_ref.make(s, layout, NULL);
    direct_ref.forward(plan, c->w, n, c->x, c->xs, c->y, c->ys, 0, c->out[0], &c->e, NULL);
    direct_ref.grad_data(plan, c->w, n, c->dy, c->ys, c->dx, c->xs, 0, NULL);
    for (size_t i = 0; i < n * c->xs; i++) c->sum[i] = c->dx0[i] + c->dx[i];
    memset(c->dw, 0, c->ws * sizeof *c->dw);
    direct_ref.grad_weight(plan, n, c->x, c->xs, c->dy, c->ys, c->dw, NULL);
    direct_ref.drop(plan);
}

static void case_free(case_t *c)
{
    release(c->x, c->n * c->xs, "x");
    release(c->dx0, c->n * c->xs, "dx0");
    release(c->dy, c->n * c->ys, "dy");
    release(c->add, c->n * c->ys, "add");
    release(c->w, c->ws, "w");
    release(c->bias, c->s.co, "bias");
    release(c->y, c->n * c->ys, "reference y");
    release(c->dx, c->n * c->xs, "reference dx");
    release(c->sum, c->n * c->xs, "reference sum");
    release(c->dw, c->ws, "reference dw");
}

static void close_to(const subject_t *u, const case_t *c, const float *a, const float *b, size_t n, size_t terms, const char *what)
{
    const convshape_t *s = &c->s;
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)(a[i] - b[i])) <= u->tol * (sqrt((double)terms) + fabs((double)b[i]))))
            fail_msg("%s, %zu->%zu side %zu stride %zu pad %zu, %zu x %zu x %zu, %zu samples, act %d: %s[%zu] = %.9g, not %.9g", u->name,
                     s->ci, s->co, s->side, s->stride, s->pad, s->in[0], s->in[1], s->in[2], c->n, (int)c->e.act, what, i,
                     (double)a[i], (double)b[i]);
}

static float *workspace(const subject_t *u) { return guarded(u->alg->size(u->plan, CONV_WORK)); }

static void check_forward(const subject_t *u, const case_t *c)
{
    size_t np = u->alg->size(u->plan, CONV_PACKED), nw = u->alg->size(u->plan, CONV_WORK), len = c->n * c->ys;
    size_t slab = u->alg->size(u->plan, CONV_SLAB);
    float *packed = guarded(np), *work = workspace(u), *y = guarded(len), *z = guarded(len);
    u->alg->pack(u->plan, c->w, packed);
    u->alg->forward(u->plan, packed, c->n, c->x, c->xs, y, c->ys, 0, c->out[0], &c->e, work);
    close_to(u, c, y, c->y, len, c->s.ci * c->s.side * c->s.side * c->s.side + 1, "y");
    release(work, nw, "work");
    work = workspace(u);
    for (size_t s = c->n; s-- > 0;)
        for (size_t z0 = 0; z0 < c->out[0]; z0 += slab) {
            epilogue_t e = c->e;
            if (e.add) e.add += s * c->ys;
            u->alg->forward(u->plan, packed, 1, c->x + s * c->xs, c->xs, z + s * c->ys, c->ys, z0,
                            c->out[0] - z0 < slab ? c->out[0] : z0 + slab, &e, work);
        }
    if (memcmp(y, z, len * sizeof *y)) fail_msg("%s: forward depends on slabs or samples", u->name);
    release(packed, np, "packed");
    release(work, nw, "work");
    release(y, len, "y");
    release(z, len, "y by slabs");
}

static void check_data(const subject_t *u, const case_t *c)
{
    size_t np = u->alg->size(u->plan, CONV_BACK), nw = u->alg->size(u->plan, CONV_WORK), len = c->n * c->xs;
    size_t terms = c->s.co * c->s.side * c->s.side * c->s.side + 1;
    float *back = guarded(np), *work = workspace(u), *dx = guarded(len), *sum = guarded(len), *one = guarded(len);
    u->alg->pack_back(u->plan, c->w, back);
    u->alg->grad_data(u->plan, back, c->n, c->dy, c->ys, dx, c->xs, 0, work);
    close_to(u, c, dx, c->dx, len, terms, "dx");
    memcpy(sum, c->dx0, len * sizeof *sum);
    u->alg->grad_data(u->plan, back, c->n, c->dy, c->ys, sum, c->xs, 1, work);
    close_to(u, c, sum, c->sum, len, terms, "dx added to");
    release(work, nw, "work");
    work = workspace(u);
    for (size_t s = c->n; s-- > 0;)
        u->alg->grad_data(u->plan, back, 1, c->dy + s * c->ys, c->ys, one + s * c->xs, c->xs, 0, work);
    if (memcmp(dx, one, len * sizeof *dx)) fail_msg("%s: data gradient depends on samples", u->name);
    release(back, np, "back");
    release(work, nw, "work");
    release(dx, len, "dx");
    release(sum, len, "dx added to");
    release(one, len, "dx by samples");
}

static void check_weight(const subject_t *u, const case_t *c)
{
    size_t na = u->alg->size(u->plan, CONV_ACC), nw = u->alg->size(u->plan, CONV_WORK);
    float *acc = guarded(na), *one = guarded(na), *work = workspace(u), *dw = guarded(c->ws);
    memset(acc, 0, na * sizeof *acc);
    memset(one, 0, na * sizeof *one);
    u->alg->grad_weight(u->plan, c->n, c->x, c->xs, c->dy, c->ys, acc, work);
    for (size_t i = 0; i < c->ws; i++) dw[i] = 1;
    u->alg->grad_weight_end(u->plan, acc, dw);
    for (size_t i = 0; i < c->ws; i++) dw[i] -= 1;
    close_to(u, c, dw, c->dw, c->ws, c->n * c->out[0] * c->out[1] * c->out[2], "dw");
    release(work, nw, "work");
    work = workspace(u);
    for (size_t s = 0; s < c->n; s++)
        u->alg->grad_weight(u->plan, 1, c->x + s * c->xs, c->xs, c->dy + s * c->ys, c->ys, one, work);
    if (memcmp(acc, one, na * sizeof *acc)) fail_msg("%s: weight gradient depends on samples", u->name);
    release(acc, na, "acc");
    release(one, na, "acc by samples");
    release(work, nw, "work");
    release(dw, c->ws, "dw");
}

static size_t add_subject(subject_t *u, size_t n, const convalg_t *alg, void *plan, isa_t layout, const char *name)
{
    u[n] = (subject_t){.alg = alg, .plan = plan, .layout = layout, .tol = strstr(name, "direct") ? 2e-6 : 2.5e-5};
    assert_true(snprintf(u[n].name, sizeof u[n].name, "%s", name) < (int)sizeof u[n].name);
    assert_non_null(plan);
    return n + 1;
}

/* All that this machine runs, for a shape; the reference itself where it is quick. */
static size_t subjects(const convshape_t *s, subject_t *u)
{
    size_t n = 0;
    char name[64];
    for (int isa = conv_flops(s) < 1e5 ? ISA_REF : ISA_VEC; isa < ISA_COUNT; isa++)
        for (int way = CONV_AUTO; way <= CONV_WINOGRAD && isa_runs((isa_t)isa); way++) {
            static const char *const ways[] = {"auto", "direct", "winograd"};
            err_t err = {0};
            conv_t *c = conv_new(s, (isa_t)isa, (convway_t)way, &err);
            if (!c && way == CONV_WINOGRAD && err.code == ERR_UNSUP) continue;
            snprintf(name, sizeof name, "%s %s", isa_name((isa_t)isa), ways[way]);
            n = add_subject(u, n, &whole, c, (isa_t)isa, name);
        }
#ifdef HAVE_AVX2
    if (isa_runs(ISA_AVX2)) n = add_subject(u, n, &direct, direct_make(s, &direct_kern_wide, NULL), ISA_AVX512, "wide direct");
#endif
    return n;
}

static void check_all(const convshape_t *s, size_t n, unsigned epilogue, rng_t *rng)
{
    subject_t u[3 * ISA_COUNT + 1];
    size_t count = subjects(s, u);
    for (int wide = 0; wide < 2; wide++) {
        case_t c;
        case_new(&c, s, wide ? ISA_AVX512 : ISA_REF, n, epilogue, rng);
        for (size_t i = 0; i < count; i++) {
            if (isa_block(u[i].layout) != isa_block(c.layout)) continue;
            check_forward(&u[i], &c);
            check_data(&u[i], &c);
            check_weight(&u[i], &c);
        }
        case_free(&c);
    }
    for (size_t i = 0; i < count; i++) u[i].alg->drop(u[i].plan);
}

static const size_t sides[][3] = {{1, 1, 0}, {1, 2, 0}, {3, 1, 0}, {3, 1, 1}, {3, 2, 0}, {3, 2, 1},
                                  {5, 1, 0}, {5, 1, 1}, {5, 1, 2}, {5, 2, 0}, {5, 2, 1}, {5, 2, 2}}; /* side, stride, pad */
enum { SIDES = sizeof sides / sizeof *sides };

static size_t draw(rng_t *rng, const size_t *from, size_t n) { return from[rng_next(rng) % n]; }

/* Every side, stride and padding with channels and extents drawn at random, work bounded. */
static void awkward_shapes(void **state)
{
    (void)state;
    static const size_t channels[] = {1, 3, 7, 8, 9, 16, 17, 31, 32, 33}, extents[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 13};
    rng_t rng;
    rng_seed(&rng, SEED);
    unsigned done = 0;
    while (done < 20 * SIDES) {
        const size_t *k = sides[done % SIDES];
        convshape_t s = {.side = k[0], .stride = k[1], .pad = k[2]};
        s.ci = draw(&rng, channels, 10);
        s.co = draw(&rng, channels, 10);
        int fits = 1;
        for (int a = 0; a < 3; a++) {
            s.in[a] = draw(&rng, extents, 10);
            fits = fits && s.in[a] + 2 * s.pad >= s.side;
        }
        if (!fits || conv_flops(&s) > 6e5) continue;
        check_all(&s, 1 + done % 3, done % 16, &rng);
        done++;
    }
}

/* More than a buffer holds: several slabs, the last one short; and panels of several chunks. */
static void several_slabs(void **state)
{
    (void)state;
    static const convshape_t shapes[] = {
        {9, 3, 3, 1, 1, {5, 33, 31}}, {1, 2, 5, 2, 2, {25, 65, 61}}, {17, 2, 3, 2, 1, {9, 31, 33}}, {2, 1, 5, 1, 2, {3, 60, 61}},
        {65, 9, 1, 1, 0, {5, 31, 33}}, {33, 25, 3, 1, 1, {4, 4, 4}},
    };
    rng_t rng;
    rng_seed(&rng, SEED + 1);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) check_all(&shapes[i], 2, (unsigned)(5 * i + 3) % 16, &rng);
}

/* Sum over y dy, of the reference, in double. Numbers are eighths: everything is exact. */
static double loss(void *plan, const case_t *c, const float *w, float *y)
{
    double sum = 0;
    direct_ref.forward(plan, w, c->n, c->x, c->xs, y, c->ys, 0, c->out[0], NULL, NULL);
    for (size_t i = 0; i < c->n * c->ys; i++) sum += (double)y[i] * (double)c->dy[i];
    return sum;
}

static void eighths(float *p, size_t n)
{
    for (size_t i = 0; i < n; i++) p[i] = roundf(p[i] * 8) / 8;
}

/* The gradients of the reference against central differences: exact, the loss being linear in x and in w. */
static void reference_gradients(void **state)
{
    (void)state;
    rng_t rng;
    rng_seed(&rng, SEED + 2);
    for (size_t k = 0; k < SIDES; k++)
        for (size_t ci = 1; ci < 4; ci += 2) {
            convshape_t s = {ci, 4 - ci, sides[k][0], sides[k][1], sides[k][2], {6, 5, 7}};
            case_t c;
            case_new(&c, &s, ISA_REF, 1, 0, &rng);
            void *plan = direct_ref.make(&s, ISA_REF, NULL);
            float *y = guarded(c.ys), *dx = guarded(c.xs), *dw = guarded(c.ws);
            eighths(c.x, c.xs);
            eighths(c.dy, c.ys);
            eighths(c.w, c.ws);
            memset(dw, 0, c.ws * sizeof *dw);
            direct_ref.grad_data(plan, c.w, 1, c.dy, c.ys, dx, c.xs, 0, NULL);
            direct_ref.grad_weight(plan, 1, c.x, c.xs, c.dy, c.ys, dw, NULL);
            for (size_t i = 0; i < c.ws + c.xs; i++) {
                float *p = i < c.ws ? c.w + i : c.x + (i - c.ws), keep = *p;
                if (i >= c.ws && s.ci > 1 && (i - c.ws) % 8 >= s.ci) continue; /* past the channels */
                *p = keep + 0.5f;
                double up = loss(plan, &c, c.w, y);
                *p = keep - 0.5f;
                assert_close(up - loss(plan, &c, c.w, y), (double)(i < c.ws ? dw[i] : dx[i - c.ws]), 0);
                *p = keep;
            }
            release(y, c.ys, "y");
            release(dx, c.xs, "dx");
            release(dw, c.ws, "dw");
            direct_ref.drop(plan);
            case_free(&c);
        }
}

static void nan_shows(void **state)
{
    (void)state;
    convshape_t s = {9, 17, 3, 1, 1, {3, 4, 5}};
    subject_t u[3 * ISA_COUNT + 1];
    rng_t rng;
    rng_seed(&rng, SEED + 3);
    size_t count = subjects(&s, u);
    for (size_t i = 0; i < count; i++) {
        case_t c;
        case_new(&c, &s, u[i].layout, 1, 4, &rng); /* ReLU */
        float *packed = guarded(u[i].alg->size(u[i].plan, CONV_PACKED)), *work = workspace(&u[i]), *y = guarded(c.ys);
        c.x[0] = NAN;
        u[i].alg->pack(u[i].plan, c.w, packed);
        u[i].alg->forward(u[i].plan, packed, 1, c.x, c.xs, y, c.ys, 0, 3, &c.e, work);
        assert_true(isnan(y[0]));
        release(packed, u[i].alg->size(u[i].plan, CONV_PACKED), "packed");
        release(work, u[i].alg->size(u[i].plan, CONV_WORK), "work");
        release(y, c.ys, "y");
        case_free(&c);
        u[i].alg->drop(u[i].plan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),
        cmocka_unit_test(blocked_there_and_back),
        cmocka_unit_test(shapes_are_checked),
        cmocka_unit_test(ways_are_chosen),
        cmocka_unit_test(reference_gradients),
        cmocka_unit_test(awkward_shapes),
        cmocka_unit_test(several_slabs),
        cmocka_unit_test(nan_shows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
