/* test_run: networks run forward and backward, against double (tests/net_double.h), themselves, and other kernels. */
#include "tests/test.h"

#include <omp.h>

#include "base/rng.h"
#include "nn/comm.h"
#include "nn/net.h"
#include "tests/net_double.h"

enum { N = 5 }; /* samples: an odd number, more than a chunk of the larger volumes */

typedef struct {
    const char *name, *table;
    int batch; /* has batchnorm: differs between training and inference */
} case_t;

#define CUBE "{\"inputs\":{\"x\":[3,5,4,6]},\"layers\":["
#define WIDE "{\"inputs\":{\"x\":[18,4,5,3]},\"layers\":["
#define VEC "{\"inputs\":{\"x\":[21]},\"layers\":["
#define FROM "\"from\":\"x\""

static const case_t cases[] = {
    {"conv3", CUBE "{\"op\":\"conv\"," FROM ",\"name\":\"c\",\"out\":10,\"side\":3}]}", 0},
    {"conv5 stride 2, no bias", CUBE "{\"op\":\"conv\"," FROM ",\"name\":\"c\",\"out\":9,\"side\":5,\"stride\":2,\"bias\":false}]}", 0},
    {"conv1, relu", WIDE "{\"op\":\"conv\"," FROM ",\"name\":\"c\",\"out\":17,\"side\":1},{\"op\":\"relu\"}]}", 0},
    {"conv without padding, silu", WIDE "{\"op\":\"conv\"," FROM ",\"name\":\"c\",\"out\":4,\"side\":3,\"pad\":0},{\"op\":\"silu\"}]}", 0},
    {"conv of one channel to one", "{\"inputs\":{\"x\":[1,5,4,6]},\"layers\":[{\"op\":\"conv\"," FROM ",\"name\":\"c\",\"out\":1,\"side\":3,\"bias\":false},"
                                  "{\"op\":\"groupnorm\",\"name\":\"n\",\"groups\":1},{\"op\":\"gelu\"}]}", 0},
    {"linear", VEC "{\"op\":\"linear\"," FROM ",\"name\":\"l\",\"out\":19}]}", 0},
    {"linear, relu, no bias", VEC "{\"op\":\"linear\"," FROM ",\"name\":\"l\",\"out\":1,\"bias\":false},{\"op\":\"relu\"},{\"op\":\"linear\",\"name\":\"m\",\"out\":7}]}", 0},
    {"groupnorm of straddling groups", "{\"inputs\":{\"x\":[20,3,3,3]},\"layers\":[{\"op\":\"groupnorm\"," FROM ",\"name\":\"n\",\"groups\":2}]}", 0},
    {"groupnorm within blocks", "{\"inputs\":{\"x\":[12,3,3,3]},\"layers\":[{\"op\":\"groupnorm\"," FROM ",\"name\":\"n\",\"groups\":3},{\"op\":\"silu\"}]}", 0},
    {"groupnorm over blocks", "{\"inputs\":{\"x\":[64,2,2,3]},\"layers\":[{\"op\":\"groupnorm\"," FROM ",\"name\":\"n\",\"groups\":2},{\"op\":\"relu\"}]}", 0},
    {"groupnorm of a vector", VEC "{\"op\":\"groupnorm\"," FROM ",\"name\":\"n\",\"groups\":3}]}", 0},
    {"batchnorm of a volume, relu", WIDE "{\"op\":\"batchnorm\"," FROM ",\"name\":\"n\"},{\"op\":\"relu\"}]}", 1},
    {"batchnorm of a vector, gelu", VEC "{\"op\":\"batchnorm\"," FROM ",\"name\":\"n\"},{\"op\":\"gelu\"},{\"op\":\"linear\",\"name\":\"l\",\"out\":3}]}", 1},
    {"layernorm of voxels", WIDE "{\"op\":\"layernorm\"," FROM ",\"name\":\"n\"}]}", 0},
    {"layernorm of a vector", VEC "{\"op\":\"layernorm\"," FROM ",\"name\":\"n\"},{\"op\":\"relu\"}]}", 0},
    {"relu", WIDE "{\"op\":\"relu\"," FROM "}]}", 0},
    {"silu", WIDE "{\"op\":\"silu\"," FROM "}]}", 0},
    {"gelu", VEC "{\"op\":\"gelu\"," FROM "}]}", 0},
    {"softmax of voxels", WIDE "{\"op\":\"softmax\"," FROM "}]}", 0},
    {"softmax of a vector", VEC "{\"op\":\"softmax\"," FROM "}]}", 0},
    {"x + x", WIDE "{\"op\":\"add\"," FROM ",\"with\":\"x\"},{\"op\":\"gelu\"}]}", 0},
    {"concat twice the same", VEC "{\"op\":\"concat\"," FROM ",\"with\":[\"x\",\"x\"]},{\"op\":\"silu\"}]}", 0},
    {"pool mean", WIDE "{\"op\":\"pool\"," FROM ",\"kind\":\"mean\"}]}", 0},
    {"pool max", WIDE "{\"op\":\"pool\"," FROM ",\"kind\":\"max\"}]}", 0},
    {"pool gem", WIDE "{\"op\":\"silu\"," FROM "},{\"op\":\"pool\",\"name\":\"p\",\"kind\":\"gem\"}]}", 0},
    {"pool mean windows", CUBE "{\"op\":\"pool\"," FROM ",\"kind\":\"mean\",\"side\":2}]}", 0},
    {"pool max windows that overlap", WIDE "{\"op\":\"pool\"," FROM ",\"kind\":\"max\",\"side\":3,\"stride\":1},{\"op\":\"relu\"}]}", 0},
    {"pool gem windows", WIDE "{\"op\":\"pool\"," FROM ",\"name\":\"p\",\"kind\":\"gem\",\"side\":2,\"eps\":0.1}]}", 0},
    {"dropout", WIDE "{\"op\":\"dropout\"," FROM ",\"p\":0.3},{\"op\":\"conv\",\"name\":\"c\",\"out\":3,\"side\":1}]}", 1},
    {"dropout of a vector", VEC "{\"op\":\"dropout\"," FROM ",\"p\":0.5}]}", 1},
    {"attention", WIDE "{\"op\":\"attention\"," FROM ",\"name\":\"a\",\"heads\":3},{\"op\":\"add\",\"with\":\"x\"}]}", 0},
    {"flatten", WIDE "{\"op\":\"flatten\"," FROM "},{\"op\":\"linear\",\"name\":\"l\",\"out\":5}]}", 0},
    {"l2norm", VEC "{\"op\":\"l2norm\"," FROM "}]}", 0},
    {"residual network",
     "{\"inputs\":{\"cube\":[1,9,8,7],\"f\":[13]},\"layers\":["
     "{\"op\":\"conv\",\"from\":\"cube\",\"name\":\"stem\",\"out\":12,\"side\":5,\"stride\":2,\"bias\":false},"
     "{\"op\":\"groupnorm\",\"name\":\"g0\",\"groups\":3},{\"op\":\"relu\",\"as\":\"a\"},"
     "{\"op\":\"conv\",\"name\":\"c1\",\"out\":12,\"side\":3,\"bias\":false},{\"op\":\"groupnorm\",\"name\":\"g1\",\"groups\":3},{\"op\":\"relu\"},"
     "{\"op\":\"conv\",\"name\":\"c2\",\"out\":12,\"side\":3,\"bias\":false},{\"op\":\"groupnorm\",\"name\":\"g2\",\"groups\":3},"
     "{\"op\":\"add\",\"with\":\"a\"},{\"op\":\"relu\",\"as\":\"b\"},"
     "{\"op\":\"conv\",\"name\":\"d\",\"out\":20,\"side\":3,\"stride\":2,\"bias\":false},{\"op\":\"groupnorm\",\"name\":\"g3\",\"groups\":5},"
     "{\"op\":\"silu\",\"as\":\"v\"},{\"op\":\"pool\",\"kind\":\"mean\",\"as\":\"m\"},{\"op\":\"pool\",\"from\":\"v\",\"kind\":\"max\",\"as\":\"q\"},"
     "{\"op\":\"batchnorm\",\"from\":\"f\",\"name\":\"fn\"},{\"op\":\"linear\",\"name\":\"fl\",\"out\":6},{\"op\":\"relu\",\"as\":\"h\"},"
     "{\"op\":\"concat\",\"from\":\"m\",\"with\":[\"q\",\"h\"]},{\"op\":\"dropout\",\"p\":0.2},{\"op\":\"linear\",\"name\":\"l1\",\"out\":9},{\"op\":\"relu\"},"
     "{\"op\":\"linear\",\"name\":\"l2\",\"out\":7},{\"op\":\"l2norm\"}]}", 1},
    {"batchnorm network",
     WIDE "{\"op\":\"conv\"," FROM ",\"name\":\"c1\",\"out\":9,\"side\":3},{\"op\":\"batchnorm\",\"name\":\"b1\"},{\"op\":\"relu\",\"as\":\"a\"},"
     "{\"op\":\"conv\",\"name\":\"c2\",\"out\":9,\"side\":3,\"bias\":false},{\"op\":\"batchnorm\",\"name\":\"b2\",\"momentum\":0.3},{\"op\":\"add\",\"with\":\"a\"},{\"op\":\"silu\",\"as\":\"b\"},"
     "{\"op\":\"conv\",\"name\":\"c3\",\"out\":9,\"side\":1},{\"op\":\"add\",\"with\":\"b\"},{\"op\":\"add\",\"with\":\"a\"},{\"op\":\"relu\"},"
     "{\"op\":\"attention\",\"name\":\"t\",\"heads\":3},{\"op\":\"layernorm\",\"name\":\"ln\"},{\"op\":\"flatten\"},"
     "{\"op\":\"linear\",\"name\":\"l\",\"out\":8},{\"op\":\"batchnorm\",\"name\":\"b3\"}]}", 1},
};
#define NCASES (sizeof cases / sizeof *cases)

/* A case with random parameters and inputs. */
typedef struct {
    net_t *net;
    float *params, *in[NET_INPUTS_MAX], *dout;
    size_t out; /* size of the output */
} sample_t;

static float *numbers(rng_t *rng, size_t n, double scale)
{
    float *x = malloc(n * sizeof *x + 1);
    for (size_t i = 0; i < n; i++) x[i] = (float)(scale * rng_normal(rng));
    return x;
}

static sample_t sample_of(const case_t *k, size_t n)
{
    rng_t rng;
    err_t e = {0};
    sample_t s = {.net = net_new(k->table, &e)};
    if (!s.net) fail_msg("%s: %s", k->name, e.msg);
    rng_seed(&rng, 7);
    s.params = malloc((net_size(s.net) + 1) * sizeof *s.params);
    net_init(s.net, &rng, s.params);
    for (size_t i = 0; i < net_tensors(s.net); i++) { /* norms and biases away from 1 and 0 */
        const nettensor_t *t = net_tensor(s.net, i);
        for (size_t j = 0; t->ndim == 1 && j < t->size; j++) s.params[t->at + j] += (float)(0.3 * (rng_unit(&rng) - 0.5));
    }
    for (size_t i = 0; i < net_inputs(s.net); i++) s.in[i] = numbers(&rng, n * net_input(s.net, i)->size, 1);
    s.out = net_output(s.net)->size;
    s.dout = numbers(&rng, n * s.out, 1);
    return s;
}

static void sample_free(sample_t *s)
{
    for (size_t i = 0; i < net_inputs(s->net); i++) free(s->in[i]);
    free(s->params);
    free(s->dout);
    net_free(s->net);
}

/* Results of a run; guard floats past the end of each. */
enum { GUARD = 16 };
typedef struct {
    float *y, *grads, *din[NET_INPUTS_MAX];
} result_t;

static float *guarded(size_t n)
{
    float *x = calloc(n + GUARD, sizeof *x);
    for (size_t i = 0; i < GUARD; i++) x[n + i] = 12345;
    return x;
}

static void check_guard(const char *name, const float *x, size_t n)
{
    for (size_t i = 0; i < GUARD; i++)
        if (!(x[n + i] == 12345)) fail_msg("%s: wrote past the end", name);
}

static result_t run_case(const char *name, const sample_t *s, size_t n, int train, isa_t isa, int threads, uint64_t seed)
{
    err_t e = {0};
    int before = omp_get_max_threads();
    omp_set_num_threads(threads);
    runopts_t o = {.batch = n, .train = train, .inputs_too = train, .isa = isa};
    run_t *r = run_new(s->net, &o, &e);
    if (!r) fail_msg("%s: %s", name, e.msg);
    result_t t = {.y = guarded(n * s->out), .grads = guarded(net_size(s->net))};
    run_load(r, s->params);
    assert_int_equal(run_forward(r, (const float *const *)s->in, n, seed, t.y, &e), 0);
    check_guard(name, t.y, n * s->out);
    for (size_t i = 0; train && i < net_inputs(s->net); i++) t.din[i] = guarded(n * net_input(s->net, i)->size);
    if (train) assert_int_equal(run_backward(r, s->dout, t.grads, t.din, &e), 0);
    check_guard(name, t.grads, net_size(s->net));
    for (size_t i = 0; train && i < net_inputs(s->net); i++) check_guard(name, t.din[i], n * net_input(s->net, i)->size);
    assert_true(run_bytes(r) > 0);
    run_free(r);
    omp_set_num_threads(before);
    return t;
}

static void result_free(const sample_t *s, result_t *t)
{
    for (size_t i = 0; i < net_inputs(s->net); i++) free(t->din[i]);
    free(t->y);
    free(t->grads);
}

/* a and b (n) agree to tol times the largest of b. */
static void agree(const char *name, const char *what, const double *b, const float *a, size_t n, double tol)
{
    double most = 0.2;
    for (size_t i = 0; i < n; i++) most = fmax(most, fabs(b[i]));
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)a[i] - b[i]) <= tol * most)) fail_msg("%s: %s[%zu] = %.9g, double %.9g (largest %g)", name, what, i, (double)a[i], b[i], most);
}

static void agree_float(const char *name, const char *what, const float *b, const float *a, size_t n, double tol)
{
    double *d = calloc(n + 1, sizeof *d);
    for (size_t i = 0; i < n; i++) d[i] = (double)b[i];
    agree(name, what, d, a, n, tol);
    free(d);
}

/* ---- against double ---- */

static double *doubles(const float *x, size_t n)
{
    double *d = calloc(n + 1, sizeof *d);
    for (size_t i = 0; i < n; i++) d[i] = (double)x[i];
    return d;
}

static dnet_t double_of(const sample_t *s, size_t n, int train, uint64_t seed)
{
    const net_t *net = s->net;
    dnet_t d = {.net = net, .w = doubles(s->params, net_size(net)), .n = n, .train = train, .seed = seed};
    d.v = calloc(net->ninput + net->nlayer, sizeof *d.v);
    for (size_t i = 0; i < net->ninput + net->nlayer; i++)
        d.v[i] = i < net->ninput ? doubles(s->in[i], n * net->value[i].size) : calloc(n * net->value[i].size, sizeof(double));
    return d;
}

static void double_free(dnet_t *d)
{
    for (size_t i = 0; i < d->net->ninput + d->net->nlayer; i++) free(d->v[i]);
    free(d->v);
    free((void *)(uintptr_t)d->w);
}

/* Central difference of sum(dout * output) with respect to *x, of a parameter of layer `from` or an input (0). */
static double difference(const sample_t *s, const dnet_t *d, double *x, size_t from)
{
    const double h = 1e-5;
    double keep = *x, sum = 0;
    for (int k = 1; k >= -1; k -= 2) {
        *x = keep + k * h;
        const double *y = d_forward(d, from);
        for (size_t i = 0; i < d->n * s->out; i++) sum += k * (double)s->dout[i] * y[i];
    }
    *x = keep;
    d_forward(d, from);
    return sum / (2 * h);
}

/* n gradients (all, or `most` (up to 16) spread over them) against differences. */
static void gradients(const char *name, const char *what, const sample_t *s, const dnet_t *d, double *x, const float *g, size_t n,
                      size_t from, size_t most)
{
    size_t m = n < most ? n : most;
    double want[16];
    float got[16];
    for (size_t i = 0; i < m; i++) {
        want[i] = difference(s, d, x + i * n / m, from);
        got[i] = g[i * n / m];
    }
    agree(name, what, want, got, m, 2e-5);
}

/* n samples; `most` gradients of each tensor. */
static void against_double(const case_t *k, size_t n, size_t most)
{
    sample_t s = sample_of(k, n);
    dnet_t d = double_of(&s, n, 1, 99);
    result_t t = run_case(k->name, &s, n, 1, ISA_REF, 1, 99);
    agree(k->name, "y", d_forward(&d, 0), t.y, n * s.out, 2e-6);
    for (size_t l = 0; l < s.net->nlayer; l++)
        for (size_t i = 0; i < s.net->layer[l].ntensor; i++) {
            const nettensor_t *p = layer_tensor(s.net, &s.net->layer[l], i);
            if (p->trained) gradients(k->name, p->name, &s, &d, (double *)(uintptr_t)d.w + p->at, t.grads + p->at, p->size, l, most);
        }
    for (size_t i = 0; i < s.net->ninput; i++)
        gradients(k->name, s.net->value[i].label, &s, &d, d.v[i], t.din[i], n * s.net->value[i].size, 0, most);
    double_free(&d);
    result_free(&s, &t);
    d = double_of(&s, n, 0, 0);
    t = run_case(k->name, &s, n, 0, ISA_REF, 1, 0);
    agree(k->name, "y at inference", d_forward(&d, 0), t.y, n * s.out, 2e-6);
    result_free(&s, &t);
    double_free(&d);
    sample_free(&s);
}

static void gradients_are_those_of_double(void **state)
{
    (void)state;
    for (size_t k = 0; k < NCASES; k++) against_double(&cases[k], N, 5);
}

/* ---- kernels, threads, batches ---- */

static void same(const char *name, const char *what, const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(a + i, b + i, sizeof *a)) fail_msg("%s: %s[%zu] is %.9g and %.9g", name, what, i, (double)a[i], (double)b[i]);
}

static void kernels_agree(void **state)
{
    (void)state;
    for (size_t k = 0; k < NCASES; k++) {
        sample_t s = sample_of(&cases[k], N);
        for (int train = 0; train < 2; train++) {
            result_t a = run_case(cases[k].name, &s, N, train, ISA_REF, 1, 5);
            for (int isa = 1; isa < ISA_COUNT; isa++) {
                if (!isa_runs((isa_t)isa)) continue;
                result_t b = run_case(cases[k].name, &s, N, train, (isa_t)isa, 2, 5);
                agree_float(cases[k].name, isa_name((isa_t)isa), a.y, b.y, N * s.out, 3e-5);
                for (size_t i = 0; i < net_tensors(s.net); i++) {
                    const nettensor_t *t = net_tensor(s.net, i);
                    agree_float(cases[k].name, t->name, a.grads + t->at, b.grads + t->at, t->size, 2e-4);
                }
                for (size_t i = 0; train && i < net_inputs(s.net); i++)
                    agree_float(cases[k].name, "din", a.din[i], b.din[i], N * net_input(s.net, i)->size, 2e-4);
                result_free(&s, &b);
            }
            result_free(&s, &a);
        }
        sample_free(&s);
    }
}

static void threads_give_the_same_bytes(void **state)
{
    (void)state;
    for (size_t k = 0; k < NCASES; k++) {
        sample_t s = sample_of(&cases[k], 21);
        for (int train = 0; train < 2; train++) {
            result_t a = run_case(cases[k].name, &s, 21, train, isa_best(), 1, 5);
            for (int threads = 2; threads <= 4; threads += 2) {
                result_t b = run_case(cases[k].name, &s, 21, train, isa_best(), threads, 5);
                same(cases[k].name, "y", a.y, b.y, 21 * s.out);
                same(cases[k].name, "grads", a.grads, b.grads, net_size(s.net));
                for (size_t i = 0; train && i < net_inputs(s.net); i++)
                    same(cases[k].name, "din", a.din[i], b.din[i], 21 * net_input(s.net, i)->size);
                result_free(&s, &b);
            }
            result_free(&s, &a);
        }
        sample_free(&s);
    }
}

/* At inference a sample's result does not depend on the batch it came in, nor on how a few samples are shared out. */
static void a_sample_stands_alone(void **state)
{
    (void)state;
    for (size_t k = 0; k < NCASES; k++) {
        sample_t s = sample_of(&cases[k], 21);
        result_t all = run_case(cases[k].name, &s, 21, 0, isa_best(), 2, 0);
        for (size_t first = 0; first < 21; first += 9)
            for (size_t n = 1; n <= 3 && first + n <= 21; n++) {
                sample_t part = s;
                for (size_t i = 0; i < net_inputs(s.net); i++) part.in[i] = s.in[i] + first * net_input(s.net, i)->size;
                result_t b = run_case(cases[k].name, &part, n, 0, isa_best(), n == 2 ? 4 : 2, 0);
                same(cases[k].name, "y", all.y + first * s.out, b.y, n * s.out);
                result_free(&s, &b);
            }
        result_free(&s, &all);
        sample_free(&s);
    }
}

/* Without batchnorm and dropout, training goes forward as inference does (up to what is fused). */
static void inference_is_training_forward(void **state)
{
    (void)state;
    for (size_t k = 0; k < NCASES; k++) {
        if (cases[k].batch) continue;
        sample_t s = sample_of(&cases[k], N);
        result_t a = run_case(cases[k].name, &s, N, 0, isa_best(), 2, 0), b = run_case(cases[k].name, &s, N, 1, isa_best(), 2, 0);
        agree_float(cases[k].name, "y", b.y, a.y, N * s.out, 1e-6);
        result_free(&s, &a);
        result_free(&s, &b);
        sample_free(&s);
    }
}

/* ---- several segments, gradients that add up, smaller batches ---- */

/* Convolutions with many parameters on few voxels, crossed by a residual: cut into segments. */
static const case_t deep = {"deep",
    "{\"inputs\":{\"x\":[96,1,2,1]},\"layers\":[{\"op\":\"conv\",\"from\":\"x\",\"name\":\"c1\",\"out\":128,\"side\":3},{\"op\":\"relu\",\"as\":\"a\"},"
    "{\"op\":\"conv\",\"name\":\"c2\",\"out\":128,\"side\":3,\"bias\":false},{\"op\":\"groupnorm\",\"name\":\"g2\",\"groups\":8},{\"op\":\"silu\"},"
    "{\"op\":\"conv\",\"name\":\"c3\",\"out\":128,\"side\":3,\"bias\":false},{\"op\":\"groupnorm\",\"name\":\"g3\",\"groups\":8},{\"op\":\"add\",\"with\":\"a\"},{\"op\":\"relu\",\"as\":\"b\"},"
    "{\"op\":\"conv\",\"name\":\"c4\",\"out\":128,\"side\":3},{\"op\":\"add\",\"with\":\"b\"},{\"op\":\"gelu\"},{\"op\":\"pool\",\"kind\":\"mean\"}]}", 0};

static void segments(void **state)
{
    (void)state;
    against_double(&deep, 2, 2);
}

/* A run of 9 samples used for 9, then for fewer: results as those of a run of that size; gradients are added to. */
static void a_run_is_used_again(void **state)
{
    (void)state;
    err_t e = {0};
    for (size_t k = 0; k < NCASES; k++) {
        sample_t s = sample_of(&cases[k], 9);
        result_t few = run_case(cases[k].name, &s, 4, 1, isa_best(), 2, 6);
        runopts_t o = {.batch = 9, .train = true, .isa = isa_best()};
        run_t *r = run_new(s.net, &o, &e);
        assert_non_null(r);
        run_load(r, s.params);
        float *y = guarded(9 * s.out), *g = guarded(net_size(s.net));
        assert_int_equal(run_forward(r, (const float *const *)s.in, 9, 5, y, &e), 0);
        assert_int_equal(run_backward(r, s.dout, g, NULL, &e), 0);
        for (size_t i = 0; i < net_size(s.net); i++) g[i] = 0;
        for (int twice = 0; twice < 2; twice++) {
            assert_int_equal(run_forward(r, (const float *const *)s.in, 4, 6, y, &e), 0);
            assert_int_equal(run_backward(r, s.dout, g, NULL, &e), 0);
            same(cases[k].name, "y", few.y, y, 4 * s.out);
            for (size_t i = 0; twice && i < net_size(s.net); i++) g[i] /= 2;
            agree_float(cases[k].name, "grads", few.grads, g, net_size(s.net), 1e-5);
        }
        run_free(r);
        free(y);
        free(g);
        result_free(&s, &few);
        sample_free(&s);
    }
}

static void misuse(void **state)
{
    (void)state;
    sample_t s = sample_of(&cases[0], N);
    float *y = guarded(N * s.out), *din[1] = {y};
    err_t e = {0};
    assert_null(run_new(s.net, &(runopts_t){.batch = 0, .isa = ISA_REF}, &e));
    assert_int_equal(e.code, ERR_RANGE);
    e = (err_t){0};
    assert_null(run_new(s.net, &(runopts_t){.batch = SIZE_MAX / 8, .train = true, .isa = ISA_REF}, &e));
    assert_int_equal(e.code, ERR_NOMEM);
    e = (err_t){0};
    assert_null(run_new(s.net, &(runopts_t){.batch = 1, .isa = ISA_COUNT}, &e));
    assert_int_equal(e.code, ERR_RANGE);
    for (int train = 0; train < 2; train++) {
        run_t *r = run_new(s.net, &(runopts_t){.batch = 2, .train = train, .isa = ISA_REF}, NULL);
        run_load(r, s.params);
        e = (err_t){0};
        assert_int_equal(run_forward(r, (const float *const *)s.in, 3, 0, y, &e), -1);
        assert_int_equal(e.code, ERR_USAGE);
        assert_int_equal(run_forward(r, (const float *const *)s.in, 0, 0, y, NULL), 0);
        assert_int_equal(run_forward(r, (const float *const *)s.in, 2, 0, y, NULL), 0);
        e = (err_t){0};
        assert_int_equal(run_backward(r, s.dout, y, din, &e), -1); /* not for training; inputs not asked for */
        assert_int_equal(e.code, ERR_USAGE);
        run_free(r);
    }
    run_free(NULL);
    free(y);
    sample_free(&s);
}

/* A network of several inputs, of which one is not read. */
static void an_input_nobody_reads(void **state)
{
    (void)state;
    const case_t k = {"unread", "{\"inputs\":{\"x\":[3],\"y\":[4]},\"layers\":[{\"op\":\"relu\",\"from\":\"x\"}]}", 0};
    sample_t s = sample_of(&k, 2);
    result_t t = run_case("unread", &s, 2, 1, ISA_REF, 1, 0);
    for (size_t i = 0; i < 8; i++) assert_close(t.din[1][i], 0, 0);
    result_free(&s, &t);
    sample_free(&s);
}

/* ---- batchnorm: running statistics, and over ranks ---- */

static const case_t bn = {"bn", "{\"inputs\":{\"x\":[5,3,2,2]},\"layers\":[{\"op\":\"batchnorm\",\"from\":\"x\",\"name\":\"n\",\"momentum\":0.25},{\"op\":\"relu\"}]}", 1};

static void running_statistics(void **state)
{
    (void)state;
    err_t e = {0};
    sample_t s = sample_of(&bn, 6);
    run_t *r = run_new(s.net, &(runopts_t){.batch = 6, .train = true, .isa = isa_best()}, &e);
    float *y = guarded(6 * s.out), *w = malloc(net_size(s.net) * sizeof *w);
    run_load(r, s.params);
    assert_int_equal(run_forward(r, (const float *const *)s.in, 6, 0, y, &e), 0);
    memcpy(w, s.params, net_size(s.net) * sizeof *w);
    run_statistics(r, w);
    size_t mean = net_tensor(s.net, 2)->at, var = net_tensor(s.net, 3)->at;
    for (size_t c = 0; c < 5; c++) {
        double m = 0, q = 0;
        for (size_t i = 0; i < 72; i++) m += (double)s.in[0][(i / 12 * 5 + c) * 12 + i % 12] / 72;
        for (size_t i = 0; i < 72; i++) q += pow((double)s.in[0][(i / 12 * 5 + c) * 12 + i % 12] - m, 2) / 71;
        assert_close(w[mean + c], 0.75 * (double)s.params[mean + c] + 0.25 * m, 1e-6);
        assert_close(w[var + c], 0.75 * (double)s.params[var + c] + 0.25 * q, 1e-6);
    }
    for (size_t i = 0; i < mean; i++) assert_close(w[i], s.params[i], 0);
    run_free(r);
    free(w);
    free(y);
    sample_free(&s);
}

/* Statistics of no samples at all leave the parameters as they are. */
static void statistics_of_nothing(void **state)
{
    (void)state;
    sample_t s = sample_of(&bn, 1);
    run_t *r = run_new(s.net, &(runopts_t){.batch = 1, .train = true, .isa = isa_best()}, NULL);
    float *y = guarded(s.out), *w = malloc(net_size(s.net) * sizeof *w), *g = guarded(net_size(s.net));
    run_load(r, s.params);
    for (int forward = 0; forward < 2; forward++) {
        if (forward) assert_int_equal(run_forward(r, (const float *const *)s.in, 0, 0, y, NULL), 0);
        memcpy(w, s.params, net_size(s.net) * sizeof *w);
        run_statistics(r, w);
        same("bn", "params", s.params, w, net_size(s.net));
    }
    assert_int_equal(run_backward(r, s.dout, g, NULL, NULL), 0);
    for (size_t i = 0; i < net_size(s.net); i++) assert_close(g[i], 0, 0);
    run_free(r);
    free(w);
    free(g);
    free(y);
    sample_free(&s);
}

/* Two ranks, one after the other: what each hands to sum() in turn is recorded, then added in the second round. */
typedef struct {
    float sent[16][2][64];
    size_t calls[2];
    int round;
} ranks_t;

static int sum_ranks(const comm_t *c, float *x, size_t n, err_t *err)
{
    ranks_t *r = c->ctx;
    size_t k = r->calls[c->rank]++;
    (void)err;
    assert_true(k < 16 && n <= 64);
    memcpy(r->sent[k][c->rank], x, n * sizeof *x);
    for (size_t i = 0; i < n; i++) x[i] = r->sent[k][0][i] + r->sent[k][1][i];
    return 0;
}

static void batchnorm_over_ranks(void **state)
{
    (void)state;
    err_t e = {0};
    sample_t s = sample_of(&bn, 7);
    result_t all = run_case("bn", &s, 7, 1, ISA_REF, 1, 0);
    static ranks_t ranks;
    float *y[2], *din[2], *g = guarded(net_size(s.net));
    size_t size = net_input(s.net, 0)->size;
    run_t *r[2];
    comm_t comm[2];
    for (int k = 0; k < 2; k++) {
        comm[k] = (comm_t){.rank = k, .size = 2, .sum = sum_ranks, .ctx = &ranks};
        r[k] = run_new(s.net, &(runopts_t){.batch = 4, .train = true, .inputs_too = true, .isa = ISA_REF, .comm = &comm[k]}, &e);
        run_load(r[k], s.params);
        y[k] = guarded(4 * s.out);
        din[k] = guarded(4 * size);
    }
    /* each call to sum() needs what the other rank sent: repeat until that is so (3 sums: mean, variance, backward) */
    for (ranks.round = 0; ranks.round < 4; ranks.round++) {
        ranks.calls[0] = ranks.calls[1] = 0;
        for (size_t i = 0; i < net_size(s.net); i++) g[i] = 0;
        for (size_t k = 0; k < 2; k++) {
            const float *in[1] = {s.in[0] + k * 3 * size};
            float *to[1] = {din[k]};
            assert_int_equal(run_forward(r[k], in, k ? 4 : 3, 0, y[k], &e), 0);
            assert_int_equal(run_backward(r[k], s.dout + k * 3 * s.out, g, to, &e), 0);
        }
    }
    agree_float("ranks", "y", all.y, y[0], 3 * s.out, 1e-6);
    agree_float("ranks", "y", all.y + 3 * s.out, y[1], 4 * s.out, 1e-6);
    agree_float("ranks", "din", all.din[0], din[0], 3 * size, 1e-5);
    agree_float("ranks", "din", all.din[0] + 3 * size, din[1], 4 * size, 1e-5);
    agree_float("ranks", "grads", all.grads, g, net_size(s.net), 1e-5);
    for (int k = 0; k < 2; k++) {
        run_free(r[k]);
        free(y[k]);
        free(din[k]);
    }
    free(g);
    result_free(&s, &all);
    sample_free(&s);
}

static int no_sum(const comm_t *c, float *x, size_t n, err_t *err)
{
    (void)c, (void)x, (void)n;
    return err_set(err, ERR_IO, "rank 1 is gone");
}

static void a_rank_that_fails(void **state)
{
    (void)state;
    err_t e = {0};
    sample_t s = sample_of(&bn, 2);
    comm_t comm = {.size = 2, .sum = no_sum};
    float *y = guarded(2 * s.out);
    run_t *r = run_new(s.net, &(runopts_t){.batch = 2, .train = true, .isa = ISA_REF, .comm = &comm}, &e);
    run_load(r, s.params);
    assert_int_equal(run_forward(r, (const float *const *)s.in, 2, 0, y, &e), -1);
    assert_string_equal(e.msg, "rank 1 is gone");
    run_free(r);
    free(y);
    sample_free(&s);
}

/* Dropout: another seed, another mask; as many ones as p says. */
static void dropout_masks(void **state)
{
    (void)state;
    const case_t k = {"drop", "{\"inputs\":{\"x\":[7,9,10,11]},\"layers\":[{\"op\":\"dropout\",\"from\":\"x\",\"p\":0.3}]}", 1};
    sample_t s = sample_of(&k, 4);
    for (size_t i = 0; i < 4 * s.out; i++) s.in[0][i] = 1;
    result_t a = run_case("drop", &s, 4, 1, isa_best(), 1, 1), b = run_case("drop", &s, 4, 1, isa_best(), 1, 2);
    double ones = 0, both = 0, next = 0;
    for (size_t i = 0; i < 4 * s.out; i++) {
        assert_true(a.y[i] == 0 || fabs((double)a.y[i] - 1 / 0.7) < 1e-6);
        ones += a.y[i] > 0;
        both += a.y[i] > 0 && b.y[i] > 0;
        next += i + 1 < 4 * s.out && a.y[i] > 0 && a.y[i + 1] > 0;
    }
    assert_close(ones / (double)(4 * s.out), 0.7, 0.01); /* 27720 draws: 3.6 sigma */
    assert_close(both / (double)(4 * s.out), 0.49, 0.012);
    assert_close(next / (double)(4 * s.out), 0.49, 0.012);
    result_free(&s, &a);
    result_free(&s, &b);
    sample_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_those_of_double),
        cmocka_unit_test(kernels_agree),
        cmocka_unit_test(threads_give_the_same_bytes),
        cmocka_unit_test(a_sample_stands_alone),
        cmocka_unit_test(inference_is_training_forward),
        cmocka_unit_test(segments),
        cmocka_unit_test(a_run_is_used_again),
        cmocka_unit_test(misuse),
        cmocka_unit_test(an_input_nobody_reads),
        cmocka_unit_test(running_statistics),
        cmocka_unit_test(statistics_of_nothing),
        cmocka_unit_test(batchnorm_over_ranks),
        cmocka_unit_test(a_rank_that_fails),
        cmocka_unit_test(dropout_masks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
