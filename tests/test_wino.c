/* test_wino: every kernel of Winograd convolution against the definition in double, at awkward sizes. Letters as in
 * nn/conv.h. Buffers start as NaN and stand between guards. */
#include "config.h"

#include "tests/test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "nn/isa.h"
#include "nn/wino.h"
#include "nn/wino_kern.h"

enum { GUARD = 64, SEED = 20260718 }; /* floats; a multiple of MEM_ALIGN */
static const float GUARD_VALUE = 12345.0f;

/* Largest difference allowed, over the largest result, for tiles of edge 2 and 4. */
static const double TOLERANCE[2] = {2e-6, 1e-5};

/* A kernel and a tile's edge. */
typedef struct {
    const wino_kern_t *kern;
    size_t form;
} variant_t;

enum { VARIANTS = 10 };

static size_t variants(variant_t v[VARIANTS])
{
    const wino_kern_t *k[VARIANTS / 2];
    size_t n = 0;
    k[n++] = &wino_kern_ref;
    k[n++] = &wino_kern_vec;
#ifdef HAVE_AVX2
    if (isa_runs(ISA_AVX2)) k[n++] = &wino_kern_avx2;
    if (isa_runs(ISA_AVX2)) k[n++] = &wino_kern_wide; /* AVX-512's source, with vectors of 16, on AVX2 */
#endif
#ifdef HAVE_AVX512
    if (isa_runs(ISA_AVX512)) k[n++] = &wino_kern_avx512;
#endif
    for (size_t i = 0; i < 2 * n; i++) v[i] = (variant_t){k[i / 2], i % 2};
    return 2 * n;
}

/* n floats of NaN between guards. */
static float *guarded(size_t n)
{
    float *p = mem_new(n + 2 * GUARD, sizeof *p, NULL);
    assert_non_null(p);
    for (size_t i = 0; i < n + 2 * GUARD; i++) p[i] = i < GUARD || i >= GUARD + n ? GUARD_VALUE : NAN;
    return p + GUARD;
}

static void release(float *p, size_t n)
{
    for (size_t i = 0; i < GUARD; i++)
        if (p[(ptrdiff_t)i - GUARD] != GUARD_VALUE || p[n + i] != GUARD_VALUE) fail_msg("written outside, %zu of %zu", i, n);
    mem_free(p - GUARD);
}

static float *noise(rng_t *rng, size_t n)
{
    float *p = guarded(n);
    for (size_t i = 0; i < n; i++) p[i] = (float)rng_normal(rng);
    return p;
}

typedef struct {
    size_t n, ci, co, in[3];
} case_t;

static size_t voxels(const case_t *c)
{
    return c->in[0] * c->in[1] * c->in[2];
}

/* A plain tensor (n, channels, D,H,W) to and from blocks of b; the rest of a block is zero. */
static void to_blocks(const case_t *c, size_t channels, size_t b, const float *plain, float *blocked)
{
    size_t v = voxels(c), cp = wino_pad(channels, b);
    for (size_t s = 0; s < c->n; s++)
        for (size_t i = 0; i < cp; i++)
            for (size_t x = 0; x < v; x++)
                blocked[s * cp * v + (i / b * v + x) * b + i % b] = i < channels ? plain[(s * channels + i) * v + x] : 0;
}

static void from_blocks(const case_t *c, size_t channels, size_t b, const float *blocked, float *plain)
{
    size_t v = voxels(c), cp = wino_pad(channels, b);
    for (size_t s = 0; s < c->n; s++)
        for (size_t i = 0; i < cp; i++)
            for (size_t x = 0; x < v; x++) {
                float f = blocked[s * cp * v + (i / b * v + x) * b + i % b];
                if (i < channels) plain[(s * channels + i) * v + x] = f;
                else if (f != 0) fail_msg("channel %zu of %zu is %g", i, channels, (double)f);
            }
}

/* The problem in plain layout, and its three answers in double. */
typedef struct {
    float *w, *x, *dy, *bias, *add;
    double *y, *dx, *dw; /* y without bias, add and activation */
} problem_t;

/* Every pair of an output voxel and an input voxel that a tap joins. */
static void definition(const case_t *c, problem_t *p, size_t s, size_t o, size_t i)
{
    const size_t *n = c->in, v = voxels(c);
    const float *x = p->x + (s * c->ci + i) * v, *dy = p->dy + (s * c->co + o) * v, *w = p->w + (o * c->ci + i) * 27;
    double *y = p->y + (s * c->co + o) * v, *dx = p->dx + (s * c->ci + i) * v, *dw = p->dw + (o * c->ci + i) * 27;
    for (size_t k = 0; k < 27; k++)
        for (size_t at = 0; at < v; at++) {
            size_t z = at / (n[1] * n[2]) + k / 9 - 1, r = at / n[2] % n[1] + k / 3 % 3 - 1, q = at % n[2] + k % 3 - 1;
            if (z >= n[0] || r >= n[1] || q >= n[2]) continue; /* also what is below 0 */
            size_t from = (z * n[1] + r) * n[2] + q;
            y[at] += (double)w[k] * (double)x[from];
            dx[from] += (double)w[k] * (double)dy[at];
            dw[k] += (double)x[from] * (double)dy[at];
        }
}

static problem_t problem_new(const case_t *c)
{
    rng_t rng;
    rng_seed(&rng, SEED);
    size_t v = voxels(c), nx = c->n * c->ci * v, ny = c->n * c->co * v, nw = c->co * c->ci * 27;
    problem_t p = {noise(&rng, nw), noise(&rng, nx), noise(&rng, ny), noise(&rng, c->co), noise(&rng, ny),
                   mem_zero(ny, sizeof(double), NULL), mem_zero(nx, sizeof(double), NULL), mem_zero(nw, sizeof(double), NULL)};
    for (size_t s = 0; s < c->n; s++)
        for (size_t o = 0; o < c->co; o++)
            for (size_t i = 0; i < c->ci; i++) definition(c, &p, s, o, i);
    return p;
}

static void problem_free(const case_t *c, problem_t *p)
{
    size_t v = voxels(c);
    release(p->w, c->co * c->ci * 27);
    release(p->x, c->n * c->ci * v);
    release(p->dy, c->n * c->co * v);
    release(p->bias, c->co);
    release(p->add, c->n * c->co * v);
    mem_free(p->y);
    mem_free(p->dx);
    mem_free(p->dw);
}

/* A kernel's plan, and the problem in its layout. */
typedef struct {
    case_t c;
    wino_t w;
    size_t b, xs, ys; /* block; floats of a sample */
    float *packed, *back, *work, *x, *dy, *add, *y, *dx;
} bench_t;

static bench_t bench_new(const case_t *c, const problem_t *p, variant_t k)
{
    bench_t t = {.c = *c, .b = k.kern->block};
    convshape_t s = {c->ci, c->co, 3, 1, 1, {c->in[0], c->in[1], c->in[2]}};
    assert_true(wino_can(&s));
    wino_init(&t.w, &s, ISA_REF);
    t.w.kern = k.kern;
    t.w.form = k.kern->form[k.form];
    t.xs = wino_pad(c->ci, t.b) * voxels(c);
    t.ys = wino_pad(c->co, t.b) * voxels(c);
    t.packed = guarded(wino_packed(&t.w));
    t.back = guarded(wino_packed_back(&t.w));
    t.work = guarded(wino_work(&t.w));
    t.x = guarded(c->n * t.xs);
    t.dx = guarded(c->n * t.xs);
    t.y = guarded(c->n * t.ys);
    t.dy = guarded(c->n * t.ys);
    t.add = guarded(c->n * t.ys);
    to_blocks(c, c->ci, t.b, p->x, t.x);
    to_blocks(c, c->co, t.b, p->dy, t.dy);
    to_blocks(c, c->co, t.b, p->add, t.add);
    wino_pack(&t.w, p->w, t.packed, t.back, t.work);
    return t;
}

static void bench_free(bench_t *t)
{
    release(t->packed, wino_packed(&t->w));
    release(t->back, wino_packed_back(&t->w));
    release(t->work, wino_work(&t->w));
    release(t->x, t->c.n * t->xs);
    release(t->dx, t->c.n * t->xs);
    release(t->y, t->c.n * t->ys);
    release(t->dy, t->c.n * t->ys);
    release(t->add, t->c.n * t->ys);
}

/* Largest difference over the largest expected value; NaN when anything is. */
static double error_of(const float *got, const double *want, size_t n)
{
    double worst = 0, most = 1e-30;
    for (size_t i = 0; i < n; i++) {
        double d = fabs((double)got[i] - want[i]);
        if (!(d <= worst)) worst = d;
        most = fmax(most, fabs(want[i]));
    }
    return worst / most;
}

static void check(const bench_t *t, const char *what, double error, double *worst)
{
    const case_t *c = &t->c;
    if (!(error <= TOLERANCE[t->w.form->edge == 4]))
        fail_msg("%s, edge %zu: %s, %zu samples, %zu -> %zu channels, %zu x %zu x %zu: error %g", t->w.kern->name, t->w.form->edge, what, c->n, c->ci, c->co,
                 c->in[0], c->in[1], c->in[2], error);
    *worst = fmax(*worst, error);
}

static double activated(double r, act_t a)
{
    switch (a) {
    case ACT_RELU: return r > 0 ? r : 0;
    case ACT_SILU: return r / (1 + exp(-r));
    case ACT_GELU: return r * 0.5 * erfc(-r * sqrt(0.5));
    default: return r;
    }
}

static void try_forward(bench_t *t, const problem_t *p, const epilogue_t *e, double *worst)
{
    size_t v = voxels(&t->c), ny = t->c.n * t->c.co * v;
    float *got = guarded(ny);
    double *want = mem_new(ny, sizeof *want, NULL);
    wino_forward(&t->w, t->packed, t->c.n, t->x, t->xs, t->y, t->ys, 0, t->c.in[0], e, t->work);
    from_blocks(&t->c, t->c.co, t->b, t->y, got);
    for (size_t i = 0; i < ny; i++) {
        double r = p->y[i];
        if (e && e->bias) r += (double)p->bias[i / v % t->c.co];
        if (e && e->add) r += (double)p->add[i];
        want[i] = activated(r, e ? e->act : ACT_NONE);
    }
    check(t, "forward", error_of(got, want, ny), worst);
    release(got, ny);
    mem_free(want);
}

static void try_forwards(bench_t *t, const problem_t *p, double *worst)
{
    try_forward(t, p, NULL, worst);
    for (int i = 0; i < 8; i++) {
        epilogue_t e = {i & 1 ? p->bias : NULL, i & 2 ? t->add : NULL, i & 4 ? ACT_RELU : ACT_NONE};
        try_forward(t, p, &e, worst);
    }
    epilogue_t silu = {p->bias, NULL, ACT_SILU}, gelu = {NULL, t->add, ACT_GELU};
    try_forward(t, p, &silu, worst);
    try_forward(t, p, &gelu, worst);
}

static void try_data(bench_t *t, const problem_t *p, double *worst)
{
    size_t nx = t->c.n * t->c.ci * voxels(&t->c);
    float *got = guarded(nx);
    double *want = mem_new(nx, sizeof *want, NULL);
    wino_grad_data(&t->w, t->back, t->c.n, t->dy, t->ys, t->dx, t->xs, false, t->work);
    from_blocks(&t->c, t->c.ci, t->b, t->dx, got);
    check(t, "data gradient", error_of(got, p->dx, nx), worst);
    memcpy(t->dx, t->x, t->c.n * t->xs * sizeof *t->dx);
    wino_grad_data(&t->w, t->back, t->c.n, t->dy, t->ys, t->dx, t->xs, true, t->work);
    from_blocks(&t->c, t->c.ci, t->b, t->dx, got);
    for (size_t i = 0; i < nx; i++) want[i] = p->dx[i] + (double)p->x[i];
    check(t, "data gradient, added", error_of(got, want, nx), worst);
    release(got, nx);
    mem_free(want);
}

static void try_weights(bench_t *t, const problem_t *p, double *worst)
{
    size_t nw = t->c.co * t->c.ci * 27, na = wino_acc(&t->w);
    float *acc = guarded(na), *dw = guarded(nw);
    double *want = mem_new(nw, sizeof *want, NULL);
    memset(acc, 0, na * sizeof *acc);
    for (size_t i = 0; i < nw; i++) dw[i] = p->w[i], want[i] = p->dw[i] + (double)p->w[i];
    wino_grad_weight(&t->w, t->c.n, t->x, t->xs, t->dy, t->ys, acc, t->work);
    wino_grad_weight_end(&t->w, acc, dw, t->work);
    check(t, "weight gradient", error_of(dw, want, nw), worst);
    release(acc, na);
    release(dw, nw);
    mem_free(want);
}

static void each_kernel(const case_t *c, double worst[VARIANTS][3])
{
    variant_t k[VARIANTS];
    size_t n = variants(k);
    problem_t p = problem_new(c);
    for (size_t i = 0; i < n; i++) {
        bench_t t = bench_new(c, &p, k[i]);
        try_forwards(&t, &p, &worst[i][0]);
        try_data(&t, &p, &worst[i][1]);
        try_weights(&t, &p, &worst[i][2]);
        bench_free(&t);
    }
    problem_free(c, &p);
}

static void agrees_with_definition(void **state)
{
    static const case_t awkward[] = {
        {1, 2, 2, {1, 1, 1}},   {1, 3, 7, {2, 2, 2}},    {2, 7, 3, {3, 3, 3}},     {1, 8, 8, {4, 4, 4}},    {3, 9, 8, {5, 4, 3}},
        {1, 8, 9, {1, 6, 2}},   {2, 16, 16, {6, 6, 6}},  {1, 17, 24, {7, 3, 9}},   {5, 32, 32, {4, 4, 4}},  {1, 33, 17, {8, 8, 8}},
        {1, 32, 33, {9, 1, 5}}, {2, 2, 33, {3, 13, 1}},  {1, 40, 8, {13, 2, 13}},  {7, 24, 9, {2, 1, 3}},   {1, 5, 4, {9, 9, 9}},
        {9, 64, 48, {3, 2, 4}}, {1, 16, 8, {13, 13, 13}}, {4, 128, 128, {4, 4, 4}}, {1, 8, 16, {1, 1, 300}},
    };
    variant_t k[VARIANTS];
    double worst[VARIANTS][3] = {{0}};
    (void)state;
    for (size_t i = 0; i < sizeof awkward / sizeof *awkward; i++) each_kernel(&awkward[i], worst);
    for (size_t i = 0; i < variants(k); i++)
        printf("# %s, edge %zu: largest error over largest value: forward %.1e, data %.1e, weights %.1e\n", k[i].kern->name,
               k[i].kern->form[k[i].form]->edge, worst[i][0], worst[i][1], worst[i][2]);
}

/* The same bytes for samples one by one and in slabs, for all passes. */
static void grouping(const case_t *c, const problem_t *p, variant_t k)
{
    bench_t t = bench_new(c, p, k);
    epilogue_t e = {p->bias, t.add, ACT_RELU};
    size_t ny = c->n * t.ys, nx = c->n * t.xs, na = wino_acc(&t.w);
    float *y = guarded(ny), *dx = guarded(nx), *acc = guarded(2 * na);
    memset(acc, 0, 2 * na * sizeof *acc);
    wino_forward(&t.w, t.packed, c->n, t.x, t.xs, t.y, t.ys, 0, c->in[0], &e, t.work);
    wino_grad_data(&t.w, t.back, c->n, t.dy, t.ys, t.dx, t.xs, false, t.work);
    wino_grad_weight(&t.w, c->n, t.x, t.xs, t.dy, t.ys, acc, t.work);
    for (size_t s = 0; s < c->n; s++) {
        e.add = t.add + s * t.ys;
        for (size_t z = 0; z < c->in[0]; z += wino_slab(&t.w)) {
            size_t end = z + wino_slab(&t.w) < c->in[0] ? z + wino_slab(&t.w) : c->in[0];
            wino_forward(&t.w, t.packed, 1, t.x + s * t.xs, 0, y + s * t.ys, 0, z, end, &e, t.work);
        }
        wino_grad_data(&t.w, t.back, 1, t.dy + s * t.ys, 0, dx + s * t.xs, 0, false, t.work);
        wino_grad_weight(&t.w, 1, t.x + s * t.xs, 0, t.dy + s * t.ys, 0, acc + na, t.work);
    }
    assert_memory_equal(y, t.y, ny * sizeof *y);
    assert_memory_equal(dx, t.dx, nx * sizeof *dx);
    assert_memory_equal(acc, acc + na, na * sizeof *acc);
    release(y, ny);
    release(dx, nx);
    release(acc, 2 * na);
    bench_free(&t);
}

static void grouping_changes_nothing(void **state)
{
    static const case_t cases[] = {{5, 9, 17, {5, 4, 7}}, {3, 32, 32, {8, 6, 8}}, {11, 16, 40, {4, 4, 4}}};
    variant_t k[VARIANTS];
    size_t n = variants(k);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        problem_t p = problem_new(&cases[i]);
        for (size_t j = 0; j < n; j++) grouping(&cases[i], &p, k[j]);
        problem_free(&cases[i], &p);
    }
}

/* Planes outside z0..z1 are left alone. */
static void slab_writes_its_planes(void **state)
{
    static const case_t c = {2, 8, 24, {9, 3, 4}};
    variant_t k[VARIANTS];
    problem_t p = problem_new(&c);
    (void)state;
    for (size_t i = 0; i < variants(k); i++) {
        bench_t t = bench_new(&c, &p, k[i]);
        wino_forward(&t.w, t.packed, c.n, t.x, t.xs, t.y, t.ys, 4, 8, NULL, t.work);
        for (size_t at = 0; at < c.n * t.ys; at++) {
            size_t z = at / (t.b * c.in[1] * c.in[2]) % c.in[0];
            assert_int_equal(isnan(t.y[at]) != 0, z < 4 || z >= 8);
        }
        bench_free(&t);
    }
    problem_free(&c, &p);
}

/* NaN is not swallowed by ReLU. */
static void nan_passes(void **state)
{
    static const case_t c = {1, 8, 8, {4, 4, 4}};
    variant_t k[VARIANTS];
    problem_t p = problem_new(&c);
    epilogue_t e = {NULL, NULL, ACT_RELU};
    (void)state;
    p.x[0] = NAN;
    for (size_t i = 0; i < variants(k); i++) {
        bench_t t = bench_new(&c, &p, k[i]);
        wino_forward(&t.w, t.packed, c.n, t.x, t.xs, t.y, t.ys, 0, c.in[0], &e, t.work);
        assert_true(isnan(t.y[0]));
        bench_free(&t);
    }
    problem_free(&c, &p);
}

static void knows_what_it_can(void **state)
{
    convshape_t good = {8, 8, 3, 1, 1, {4, 4, 4}}, bad[] = {good, good, good, good, good};
    (void)state;
    bad[0].side = 5, bad[1].stride = 2, bad[2].pad = 0, bad[3].ci = 1, bad[4].co = 1;
    assert_true(wino_can(&good));
    for (size_t i = 0; i < 5; i++) assert_false(wino_can(&bad[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_definition), cmocka_unit_test(grouping_changes_nothing),
        cmocka_unit_test(slab_writes_its_planes), cmocka_unit_test(nan_passes),
        cmocka_unit_test(knows_what_it_can),
    };
    printf("# seed %d\n", SEED);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
