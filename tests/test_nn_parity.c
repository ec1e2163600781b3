/* test_nn_parity: networks against what PyTorch computed (tests/parity/nn_record.py, nn.safetensors), with every set of
 * kernels that runs here.
 *
 * usage: test_nn_parity [FILE]     FILE: another recording, whose tables and training run are replayed instead */
#include "tests/test.h"

#include "base/mem.h"
#include "nn/net.h"
#include "nn/stfile.h"
#include "tests/nn_noise.h"

static stfile_t *file;

/* One network with its inputs, and a run. */
typedef struct {
    const char *name; /* of the case */
    net_t *net;
    float *params, *grads, *y, *dy;
    float *in[NET_INPUTS_MAX], *din[NET_INPUTS_MAX];
    size_t n;
    double worst; /* largest difference seen, relative as in compare() */
} case_t;

static float *floats(size_t n)
{
    float *x = mem_zero(n, sizeof *x, NULL);
    assert_non_null(x);
    return x;
}

static const sttensor_t *found(const case_t *c, const char *kind, const char *name)
{
    char key[256];
    snprintf(key, sizeof key, "%s/%s%s", c->name, kind, name);
    return stfile_find(file, key);
}

/* got (size) against a recorded tensor: differences over the scale of the tensor, its largest element unless given. */
static void compare(case_t *c, const char *what, const sttensor_t *t, const float *got, size_t size, double scale, double tol)
{
    err_t e = {0};
    if (!t || t->count != size) fail_msg("%s: %s of %zu recorded elements, not %zu", c->name, what, t ? t->count : 0, size);
    float *want = floats(size);
    assert_int_equal(stfile_floats(file, t, want, &e), 0);
    bool given = scale > 0;
    for (size_t i = 0; i < size && !given; i++) scale = fmax(scale, fabs((double)want[i]));
    scale = fmax(scale, 1e-6);
    for (size_t i = 0; i < size; i++) {
        double d = fabs((double)got[i] - want[i]) / scale;
        c->worst = fmax(c->worst, d);
        if (!(d <= tol)) fail_msg("%s: %s[%zu] = %.9g, PyTorch %.9g, %.1e of the largest", c->name, what, i, got[i], want[i], d);
    }
    mem_free(want);
}

static void case_open(case_t *c, const char *name, size_t n)
{
    err_t e = {0};
    *c = (case_t){.name = name, .n = n};
    const char *table = stfile_meta(file, name);
    assert_non_null(table);
    c->net = net_new(table, &e);
    if (!c->net) fail_msg("%s: %s", name, e.msg);
    c->params = floats(net_size(c->net));
    c->grads = floats(net_size(c->net));
    noise_fill(c->net, c->params);
    size_t out = n * net_output(c->net)->size;
    char key[256];
    c->y = floats(out);
    c->dy = floats(out);
    snprintf(key, sizeof key, "%s/dout", name);
    noise(key, out, c->dy);
    for (size_t i = 0; i < net_inputs(c->net); i++) {
        const netport_t *p = net_input(c->net, i);
        c->in[i] = floats(n * p->size);
        c->din[i] = floats(n * p->size);
        snprintf(key, sizeof key, "%s/%s", name, p->name);
        noise(key, n * p->size, c->in[i]);
    }
}

static void case_close(case_t *c)
{
    for (size_t i = 0; i < net_inputs(c->net); i++) {
        mem_free(c->in[i]);
        mem_free(c->din[i]);
    }
    mem_free(c->params);
    mem_free(c->grads);
    mem_free(c->y);
    mem_free(c->dy);
    net_free(c->net);
}

static run_t *case_run(case_t *c, isa_t isa, bool train)
{
    err_t e = {0};
    run_t *r = run_new(c->net, &(runopts_t){.batch = c->n, .train = train, .inputs_too = train, .isa = isa}, &e);
    if (!r) fail_msg("%s: %s", c->name, e.msg);
    run_load(r, c->params);
    if (run_forward(r, (const float *const *)c->in, c->n, 1, c->y, &e)) fail_msg("%s: %s", c->name, e.msg);
    return r;
}

/* A gradient in full, or where only that was recorded, its norm and eight elements. */
static void compare_gradient(case_t *c, const char *kind, const char *name, const float *got, size_t size, double tol)
{
    char key[256];
    err_t e = {0};
    snprintf(key, sizeof key, "%s%s", kind, name);
    const sttensor_t *t = found(c, "", key), *norm = found(c, "norm.", key);
    if (t || !norm) {
        compare(c, key, t, got, size, 0, tol);
        return;
    }
    double sum = 0;
    float some[8], length, want;
    for (size_t i = 0; i < size; i++) sum += (double)got[i] * got[i];
    for (size_t i = 0; i < 8; i++) some[i] = got[(2 * i + 1) * size / 16];
    length = (float)sqrt(sum);
    assert_int_equal(stfile_floats(file, norm, &want, &e), 0);
    compare(c, "norm of a gradient", norm, &length, 1, 0, tol);
    compare(c, key, found(c, "probe.", key), some, 8, 4 * want / sqrt((double)size), tol);
}

/* Everything that was recorded of a network: inference, training, gradients, running statistics. */
static double replay(const char *name, size_t n, isa_t isa, double tol)
{
    case_t c;
    case_open(&c, name, n);
    size_t out = n * net_output(c.net)->size;
    run_free(case_run(&c, isa, false));
    compare(&c, "inference", found(&c, "eval", ""), c.y, out, 0, tol);
    run_t *r = case_run(&c, isa, true);
    compare(&c, "training", found(&c, "y", ""), c.y, out, 0, tol);
    err_t e = {0};
    assert_int_equal(run_backward(r, c.dy, c.grads, c.din, &e), 0);
    for (size_t i = 0; i < net_inputs(c.net); i++)
        compare_gradient(&c, "din.", net_input(c.net, i)->name, c.din[i], n * net_input(c.net, i)->size, tol);
    run_statistics(r, c.params);
    for (size_t i = 0; i < net_tensors(c.net); i++) {
        const nettensor_t *t = net_tensor(c.net, i);
        if (t->trained) compare_gradient(&c, "grad.", t->name, c.grads + t->at, t->size, tol);
        else compare(&c, "statistics", found(&c, "stat.", t->name), c.params + t->at, t->size, 0, tol);
    }
    run_free(r);
    case_close(&c);
    return c.worst;
}

/* Calls f for every network recorded in full ("encoder": is it that one?). */
static double every_case(isa_t isa, bool encoder, double tol)
{
    double worst = 0;
    size_t cases = 0;
    for (size_t i = 0; i < stfile_count(file); i++) {
        const sttensor_t *t = stfile_at(file, i);
        char name[256];
        snprintf(name, sizeof name, "%s", t->name);
        char *slash = strchr(name, '/');
        if (!slash || strcmp(slash, "/y") || encoder != !strncmp(name, "encoder/", 8)) continue;
        *slash = 0;
        cases++;
        double d = replay(name, t->shape[0], isa, tol);
        if (d > worst) {
            worst = d;
            printf("# %s: %s differs by %.1e of the largest element\n", isa_name(isa), name, d);
        }
    }
    if (!cases) printf("# nothing recorded\n");
    return worst;
}

static void layers(void **state)
{
    (void)state;
    for (int isa = 0; isa < ISA_COUNT; isa++)
        if (isa_runs((isa_t)isa)) every_case((isa_t)isa, false, 1e-5);
}

static void encoder(void **state)
{
    (void)state;
    for (int isa = 0; isa < ISA_COUNT; isa++)
        if (isa_runs((isa_t)isa)) every_case((isa_t)isa, true, 1e-4);
}
