/* test_run_random: networks drawn at random (tests/net_double.h says what they should give), and runs used in odd ways. Every
 * network stands for a seed, which is printed when it fails.
 *
 * usage: test_run_random [FIRST COUNT]: seeds FIRST up to FIRST + COUNT - 1 (default 1 30) */
#include "tests/test.h"

#include <omp.h>
#include <pthread.h>

#include "base/rng.h"
#include "nn/net.h"
#include "tests/net_double.h"

enum { NETS = 30, LAYERS = 12, VALUES = 40, TEXT = 8192 };

static uint64_t seed0 = 1, nets = NETS;

/* ---- a table ---- */

typedef struct {
    size_t ndim, c, e[3];
    int users;
} shape_t;

typedef struct {
    rng_t rng;
    char text[TEXT];
    size_t len, n, ninput; /* values so far */
    shape_t v[VALUES];
    int batch;             /* has batchnorm */
} draw_t;

static size_t below(draw_t *d, size_t n) { return (size_t)(rng_next(&d->rng) % n); }

static void __attribute__((format(printf, 2, 3))) put(draw_t *d, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    d->len += (size_t)vsnprintf(d->text + d->len, TEXT - d->len, format, ap);
    va_end(ap);
    assert_true(d->len < TEXT);
}

static size_t vox(const shape_t *s) { return s->e[0] * s->e[1] * s->e[2]; }

static size_t partner(draw_t *d, size_t x, int same)
{
    size_t first = below(d, d->n);
    for (size_t k = 0; k < d->n; k++) {
        const shape_t *s = &d->v[(first + k) % d->n], *t = &d->v[x];
        if (same ? s->ndim == t->ndim && s->c == t->c && !memcmp(s->e, t->e, sizeof s->e) : s->ndim == 1) return (first + k) % d->n;
    }
    return x;
}

static const char *label(size_t v)
{
    static char text[4][16];
    static int k;
    k = (k + 1) % 4;
    snprintf(text[k], sizeof text[k], "v%zu", v);
    return text[k];
}

/* A layer of `op` on value x; the result's shape goes to d->v[d->n]. 0: it does not fit. */
static int layer(draw_t *d, const char *op, size_t x)
{
    static const char *const kinds[] = {"mean", "max", "gem"};
    shape_t s = d->v[x], y = {.ndim = s.ndim, .c = s.c, .e = {s.e[0], s.e[1], s.e[2]}};
    size_t side = 1 + 2 * below(d, 3), stride = 1 + below(d, 2), pad = below(d, side / 2 + 1), other = x, kind = below(d, 3);
    size_t least = s.e[0] < s.e[1] ? s.e[0] : s.e[1], out = 1 + below(d, 20);
    char more[160] = "";
    if (s.e[2] < least) least = s.e[2];
    int volume = s.ndim == 4, product = !strcmp(op, "conv") || !strcmp(op, "linear"), named = product;
    if (!strcmp(op, "conv")) {
        if (!volume || least + 2 * pad < side) return 0;
        y.c = out;
        for (int k = 0; k < 3; k++) y.e[k] = (s.e[k] + 2 * pad - side) / stride + 1;
        snprintf(more, sizeof more, ",\"out\":%zu,\"side\":%zu,\"stride\":%zu,\"pad\":%zu", out, side, stride, pad);
    } else if (!strcmp(op, "linear")) {
        if (volume) return 0;
        y.c = out;
        snprintf(more, sizeof more, ",\"out\":%zu", out);
    } else if (strstr(op, "norm") && strcmp(op, "l2norm")) {
        size_t groups = s.c % 2 ? 1 : 2;
        if (s.c / groups < 4 || (!strcmp(op, "batchnorm") && !volume)) return 0;
        if (!strcmp(op, "groupnorm")) snprintf(more, sizeof more, ",\"groups\":%zu,\"eps\":0.1", groups);
        else snprintf(more, sizeof more, ",\"eps\":0.1");
        named = 1;
        d->batch |= !strcmp(op, "batchnorm");
    } else if (!strcmp(op, "add") || !strcmp(op, "concat")) {
        other = partner(d, x, *op == 'a');
        if (*op == 'c' && volume) return 0;
        if (*op == 'c') y.c += d->v[other].c;
        snprintf(more, sizeof more, ",\"with\":\"%s\"", label(other));
        d->v[other].users++;
    } else if (!strcmp(op, "pool")) {
        if (!volume) return 0;
        side = 1 + below(d, 3);
        named = kind == 2;
        if (side > least || below(d, 2)) {
            y = (shape_t){.ndim = 1, .c = s.c, .e = {1, 1, 1}};
            snprintf(more, sizeof more, ",\"kind\":\"%s\"", kinds[kind]);
        } else {
            for (int k = 0; k < 3; k++) y.e[k] = (s.e[k] - side) / stride + 1;
            snprintf(more, sizeof more, ",\"kind\":\"%s\",\"side\":%zu,\"stride\":%zu", kinds[kind], side, stride);
        }
        if (named) snprintf(more + strlen(more), sizeof more - strlen(more), ",\"eps\":0.1");
    } else if (!strcmp(op, "attention")) {
        if (!volume) return 0;
        snprintf(more, sizeof more, ",\"heads\":%d", s.c % 3 ? 1 : 3);
        named = 1;
    } else if (!strcmp(op, "dropout")) {
        snprintf(more, sizeof more, ",\"p\":0.3");
        d->batch = 1;
    } else if (!strcmp(op, "flatten")) {
        if (!volume || s.c * vox(&s) > 300) return 0;
        y = (shape_t){.ndim = 1, .c = s.c * vox(&s), .e = {1, 1, 1}};
    } else if (!strcmp(op, "l2norm")) {
        if (volume) return 0;
        snprintf(more, sizeof more, ",\"eps\":0.1");
    }
    put(d, "%s{\"op\":\"%s\",\"from\":\"%s\",\"as\":\"%s\"%s", d->n > d->ninput ? "," : "", op, label(x), label(d->n), more);
    if (named) put(d, ",\"name\":\"n%zu\"", d->n);
    if (product && below(d, 2)) put(d, ",\"bias\":false");
    put(d, "}");
    d->v[x].users++;
    d->v[d->n++] = y;
    return 1;
}

/* Results that nobody reads are pooled, joined, and the last. */
static void join(draw_t *d)
{
    size_t n = d->n, last = VALUES;
    for (size_t v = d->ninput; v < n; v++) {
        if (d->v[v].users) continue;
        size_t x = v;
        if (d->v[v].ndim == 4) {
            put(d, ",{\"op\":\"pool\",\"from\":\"%s\",\"as\":\"%s\",\"kind\":\"mean\"}", label(v), label(d->n));
            d->v[d->n] = (shape_t){.ndim = 1, .c = d->v[v].c, .e = {1, 1, 1}};
            x = d->n++;
        }
        if (last < VALUES) {
            put(d, ",{\"op\":\"concat\",\"from\":\"%s\",\"as\":\"%s\",\"with\":\"%s\"}", label(x), label(d->n), label(last));
            d->v[d->n] = (shape_t){.ndim = 1, .c = d->v[x].c + d->v[last].c, .e = {1, 1, 1}};
            x = d->n++;
        }
        last = x;
    }
}

static void draw(draw_t *d, uint64_t seed)
{
    static const char *const ops[] = {"conv",    "conv",    "linear",  "groupnorm", "batchnorm", "layernorm", "relu",
                                      "relu",    "silu",    "gelu",    "softmax",   "add",       "add",       "concat",
                                      "pool",    "dropout", "attention", "flatten", "l2norm"};
    *d = (draw_t){.n = 2, .ninput = 2};
    rng_seed(&d->rng, seed);
    d->v[0] = (shape_t){.ndim = 4, .c = 1 + below(d, 19), .e = {1 + below(d, 5), 1 + below(d, 5), 1 + below(d, 5)}};
    d->v[1] = (shape_t){.ndim = 1, .c = 1 + below(d, 25), .e = {1, 1, 1}};
    put(d, "{\"inputs\":{\"v0\":[%zu,%zu,%zu,%zu],\"v1\":[%zu]},\"layers\":[", d->v[0].c, d->v[0].e[0], d->v[0].e[1], d->v[0].e[2], d->v[1].c);
    size_t want = 1 + below(d, LAYERS);
    while (d->n < 2 + want) {
        size_t x = d->n > 2 && below(d, 10) < 7 ? d->n - 1 : below(d, d->n);
        layer(d, ops[below(d, sizeof ops / sizeof *ops)], x);
    }
    join(d);
    put(d, "]}");
}

/* ---- a network with numbers ---- */

typedef struct {
    draw_t d;
    uint64_t seed;
    net_t *net;
    size_t n, out;
    float *params, *in[2], *dout;
} case_t;

static float *numbers(rng_t *rng, size_t n)
{
    float *x = malloc(n * sizeof *x + 1);
    for (size_t i = 0; i < n; i++) x[i] = (float)rng_normal(rng);
    return x;
}

static void case_make(case_t *k, uint64_t seed)
{
    err_t e = {0};
    draw(&k->d, seed);
    k->seed = seed;
    if (!(k->net = net_new(k->d.text, &e))) fail_msg("seed %zu: %s\n%s", (size_t)seed, e.msg, k->d.text);
    k->n = 2 + below(&k->d, 4);
    k->out = net_output(k->net)->size;
    k->params = calloc(net_size(k->net) + 1, sizeof *k->params);
    net_init(k->net, &k->d.rng, k->params);
    for (size_t i = 0; i < net_tensors(k->net); i++) {
        const nettensor_t *t = net_tensor(k->net, i);
        for (size_t j = 0; t->ndim == 1 && j < t->size; j++) k->params[t->at + j] += (float)(0.3 * (rng_unit(&k->d.rng) - 0.5));
    }
    for (size_t i = 0; i < 2; i++) k->in[i] = numbers(&k->d.rng, k->n * net_input(k->net, i)->size);
    k->dout = numbers(&k->d.rng, k->n * k->out);
}

static void case_free(case_t *k)
{
    net_free(k->net);
    for (int i = 0; i < 2; i++) free(k->in[i]);
    free(k->params);
    free(k->dout);
}

typedef struct {
    float *y, *grads, *din[2];
} result_t;

static result_t result_new(const case_t *k)
{
    result_t t = {.y = calloc(k->n * k->out + 1, sizeof(float)), .grads = calloc(net_size(k->net) + 1, sizeof(float))};
    for (size_t i = 0; i < 2; i++) t.din[i] = calloc(k->n * net_input(k->net, i)->size, sizeof(float));
    return t;
}

static void result_free(result_t *t)
{
    free(t->y);
    free(t->grads);
    for (int i = 0; i < 2; i++) free(t->din[i]);
}

static run_t *run_of(const case_t *k, int train, isa_t isa)
{
    err_t e = {0};
    run_t *r = run_new(k->net, &(runopts_t){.batch = k->n, .train = train, .inputs_too = train, .isa = isa}, &e);
    if (!r) fail_msg("seed %zu: %s", (size_t)k->seed, e.msg);
    run_load(r, k->params);
    return r;
}

static result_t use(run_t *r, const case_t *k, int train)
{
    result_t t = result_new(k);
    assert_int_equal(run_forward(r, (const float *const *)k->in, k->n, 9, t.y, NULL), 0);
    if (train) assert_int_equal(run_backward(r, k->dout, t.grads, t.din, NULL), 0);
    return t;
}

static result_t once(const case_t *k, int train, isa_t isa, int threads)
{
    int before = omp_get_max_threads();
    omp_set_num_threads(threads);
    run_t *r = run_of(k, train, isa);
    result_t t = use(r, k, train);
    run_free(r);
    omp_set_num_threads(before);
    return t;
}

static void same(const case_t *k, const char *what, const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(a + i, b + i, sizeof *a))
            fail_msg("seed %zu: %s[%zu] is %.9g and %.9g\n%s", (size_t)k->seed, what, i, (double)a[i], (double)b[i], k->d.text);
}

static void same_result(const case_t *k, const char *what, const result_t *a, const result_t *b)
{
    same(k, what, a->y, b->y, k->n * k->out);
    same(k, what, a->grads, b->grads, net_size(k->net));
    for (size_t i = 0; i < 2; i++) same(k, what, a->din[i], b->din[i], k->n * net_input(k->net, i)->size);
}

/* ---- against double ---- */

static double *doubles(const float *x, size_t n)
{
    double *d = malloc((n + 1) * sizeof *d);
    for (size_t i = 0; i < n; i++) d[i] = (double)x[i];
    return d;
}

/* The change of sum(dout y) along a random direction in x (n), against the gradient g. */
static void along(case_t *k, const dnet_t *d, const char *what, double *x, const float *g, size_t n)
{
    const double h = 1e-7; /* so small that hardly a ReLU changes sides */
    double *keep = malloc((n + 1) * sizeof *keep), *dir = malloc((n + 1) * sizeof *dir), got = 0, size = 0, want = 0;
    for (size_t i = 0; i < n; i++) {
        keep[i] = x[i];
        dir[i] = rng_normal(&k->d.rng);
        got += dir[i] * (double)g[i];
        size += (double)g[i] * (double)g[i];
    }
    for (int s = 1; s >= -1; s -= 2) {
        for (size_t i = 0; i < n; i++) x[i] = keep[i] + s * h * dir[i];
        const double *y = d_forward(d, 0);
        for (size_t i = 0; i < k->n * k->out; i++) want += s * (double)k->dout[i] * y[i] / (2 * h);
    }
    memcpy(x, keep, n * sizeof *x);
    if (!(fabs(got - want) <= 1e-4 * sqrt(size) + 1e-5))
        fail_msg("seed %zu: %s: %.9g, double %.9g (length %.3g)\n%s", (size_t)k->seed, what, got, want, sqrt(size), k->d.text);
    free(keep);
    free(dir);
}

static void against_double(case_t *k, const result_t *t, int train)
{
    const net_t *net = k->net;
    dnet_t d = {.net = net, .w = doubles(k->params, net_size(net)), .n = k->n, .train = train, .seed = 9};
    double most = 0.2;
    d.v = calloc(net->ninput + net->nlayer, sizeof *d.v);
    for (size_t i = 0; i < net->ninput + net->nlayer; i++)
        d.v[i] = i < net->ninput ? doubles(k->in[i], k->n * net->value[i].size) : calloc(k->n * net->value[i].size, sizeof(double));
    const double *y = d_forward(&d, 0);
    for (size_t i = 0; i < k->n * k->out; i++) most = fmax(most, fabs(y[i]));
    for (size_t i = 0; i < k->n * k->out; i++)
        if (!(fabs(y[i] - (double)t->y[i]) <= 2e-5 * most))
            fail_msg("seed %zu: y[%zu] = %.9g, double %.9g\n%s", (size_t)k->seed, i, (double)t->y[i], y[i], k->d.text);
    for (size_t i = 0; train && i < net_tensors(net); i++) {
        const nettensor_t *p = net_tensor(net, i);
        if (p->trained) along(k, &d, p->name, (double *)(uintptr_t)d.w + p->at, t->grads + p->at, p->size);
    }
    for (size_t i = 0; train && i < 2; i++) along(k, &d, "input", d.v[i], t->din[i], k->n * net->value[i].size);
    for (size_t i = 0; i < net->ninput + net->nlayer; i++) free(d.v[i]);
    free(d.v);
    free((void *)(uintptr_t)d.w);
}

static void gradients_are_those_of_double(void **state)
{
    (void)state;
    for (uint64_t seed = seed0; seed < seed0 + nets; seed++)
        for (int train = 0; train < 2; train++) {
            case_t k;
            case_make(&k, seed);
            result_t t = once(&k, train, isa_best(), 2);
            against_double(&k, &t, train);
            result_free(&t);
            case_free(&k);
        }
}

/* ---- used in odd ways: always the same bytes ---- */

static void poison(const case_t *k, run_t *r, int train)
{
    case_t bad = *k;
    for (size_t i = 0; i < 2; i++) {
        size_t n = k->n * net_input(k->net, i)->size;
        bad.in[i] = malloc(n * sizeof(float));
        for (size_t j = 0; j < n; j++) bad.in[i][j] = j % 3 ? NAN : INFINITY;
    }
    result_t t = use(r, &bad, train);
    result_free(&t);
    for (int i = 0; i < 2; i++) free(bad.in[i]);
}

/* Whatever went through a run before leaves nothing behind, forward without backward and backward twice included. */
static void runs_forget(void **state)
{
    (void)state;
    for (uint64_t seed = seed0; seed < seed0 + nets; seed++)
        for (int train = 0; train < 2; train++) {
            case_t k;
            case_make(&k, seed);
            result_t fresh = once(&k, train, isa_best(), 3), again = result_new(&k);
            run_t *r = run_of(&k, train, isa_best());
            poison(&k, r, train);
            assert_int_equal(run_forward(r, (const float *const *)k.in, k.n, 1, again.y, NULL), 0);
            result_free(&again);
            again = use(r, &k, train);
            same_result(&k, "after others", &fresh, &again);
            memset(again.grads, 0, net_size(k.net) * sizeof(float));
            if (train) assert_int_equal(run_backward(r, k.dout, again.grads, again.din, NULL), 0);
            same_result(&k, "backward twice", &fresh, &again);
            run_free(r);
            result_free(&fresh);
            result_free(&again);
            case_free(&k);
        }
}

/* NaN and infinity stay in their sample (unless a batchnorm looks at the batch). */
static void samples_keep_to_themselves(void **state)
{
    (void)state;
    for (uint64_t seed = seed0; seed < seed0 + nets; seed++)
        for (int train = 0; train < 2; train++) {
            case_t k;
            case_make(&k, seed);
            result_t a = once(&k, train, isa_best(), 1);
            size_t bad = k.n / 2;
            for (size_t i = 0; i < 2; i++) {
                size_t size = net_input(k.net, i)->size;
                for (size_t j = 0; j < size; j++) k.in[i][bad * size + j] = seed % 2 ? NAN : INFINITY;
            }
            result_t b = once(&k, train, isa_best(), 1);
            for (size_t i = 0; i < k.n && !(train && k.d.batch); i++) {
                if (i == bad) continue;
                same(&k, "another sample's y", a.y + i * k.out, b.y + i * k.out, k.out);
                for (size_t j = 0; train && j < 2; j++) {
                    size_t size = net_input(k.net, j)->size;
                    same(&k, "another sample's din", a.din[j] + i * size, b.din[j] + i * size, size);
                }
            }
            result_free(&a);
            result_free(&b);
            case_free(&k);
        }
}

static void threads_give_the_same_bytes(void **state)
{
    (void)state;
    static const int threads[] = {2, 4, 7, 16};
    for (uint64_t seed = seed0; seed < seed0 + nets; seed++) {
        case_t k;
        int train = (int)(seed % 2), isa = (int)(seed / 2 % ISA_COUNT);
        while (!isa_runs((isa_t)isa)) isa--;
        case_make(&k, seed);
        result_t a = once(&k, train, (isa_t)isa, 1);
        for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
            result_t b = once(&k, train, (isa_t)isa, threads[i]);
            same_result(&k, "threads", &a, &b);
            result_free(&b);
        }
        result_free(&a);
        case_free(&k);
    }
}

/* ---- several callers ---- */

typedef struct {
    const case_t *k;
    result_t t;
} caller_t;

static void *caller(void *arg)
{
    caller_t *c = arg;
    c->t = once(c->k, 1, isa_best(), 2);
    return NULL;
}

static void callers_share_a_network(void **state)
{
    (void)state;
    for (uint64_t seed = seed0; seed < seed0 + (nets + 9) / 10; seed++) {
        case_t k;
        case_make(&k, seed);
        result_t a = once(&k, 1, isa_best(), 1);
        caller_t c[2] = {{.k = &k}, {.k = &k}}, nested[3] = {{.k = &k}, {.k = &k}, {.k = &k}};
        pthread_t id[2];
        for (int i = 0; i < 2; i++) assert_int_equal(pthread_create(&id[i], NULL, caller, &c[i]), 0);
        for (int i = 0; i < 2; i++) assert_int_equal(pthread_join(id[i], NULL), 0);
        for (int levels = 1; levels <= 2; levels++) { /* in a parallel region: nested regions of one thread, then of several */
            omp_set_max_active_levels(levels);
#pragma omp parallel for num_threads(3) schedule(static, 1)
            for (int i = 0; i < 3; i++) caller(&nested[i]);
            for (int i = 0; i < 3; i++) {
                same_result(&k, "nested", &a, &nested[i].t);
                result_free(&nested[i].t);
            }
        }
        omp_set_max_active_levels(1);
        for (int i = 0; i < 2; i++) {
            same_result(&k, "two callers", &a, &c[i].t);
            result_free(&c[i].t);
        }
        result_free(&a);
        case_free(&k);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_those_of_double), cmocka_unit_test(runs_forget),
        cmocka_unit_test(samples_keep_to_themselves),    cmocka_unit_test(threads_give_the_same_bytes),
        cmocka_unit_test(callers_share_a_network),
    };
    if (argc == 3) {
        seed0 = strtoull(argv[1], NULL, 10);
        nets = strtoull(argv[2], NULL, 10);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
