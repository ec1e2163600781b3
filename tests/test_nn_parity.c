/* test_nn_parity: networks against what PyTorch computed (tests/parity/nn_record.py, nn.safetensors), with every set of
 * kernels that runs here.
 *
 * usage: test_nn_parity [FILE]     FILE: another recording, whose training run is replayed instead, with the best kernels */
#include "tests/test.h"

#include "base/mem.h"
#include "nn/loss.h"
#include "nn/net.h"
#include "nn/optim.h"
#include "nn/schedule.h"
#include "nn/stfile.h"
#include "tests/nn_noise.h"

static stfile_t *file;
static bool only_best;

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

/* key = "a/b" and then c. */
#define KEY 512
static void join(char key[KEY], const char *a, const char *b, const char *c)
{
    int n = snprintf(key, KEY, "%s/%s%s", a, b, c);
    assert_true(n > 0 && n < KEY);
}

static const sttensor_t *found(const case_t *c, const char *kind, const char *name)
{
    char key[KEY];
    join(key, c->name, kind, name);
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
    if (scale < 1e-9) scale = 1; /* 0 by theory, such as of a bias before a batch normalisation */
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
    char key[KEY];
    c->y = floats(out);
    c->dy = floats(out);
    join(key, name, "dout", "");
    noise(key, out, c->dy);
    for (size_t i = 0; i < net_inputs(c->net); i++) {
        const netport_t *p = net_input(c->net, i);
        c->in[i] = floats(n * p->size);
        c->din[i] = floats(n * p->size);
        join(key, name, p->name, "");
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

/* A gradient in full, or where only that was recorded, its norm and eight elements. input: with respect to one. */
static void compare_gradient(case_t *c, bool input, const char *name, const float *got, size_t size, double tol)
{
    err_t e = {0};
    const sttensor_t *t = found(c, input ? "din." : "grad.", name), *norm = found(c, input ? "norm.din." : "norm.grad.", name);
    if (t || !norm) {
        compare(c, name, t, got, size, 0, tol);
        return;
    }
    double sum = 0;
    float some[8], length, want;
    for (size_t i = 0; i < size; i++) sum += (double)got[i] * got[i];
    for (size_t i = 0; i < 8; i++) some[i] = got[(2 * i + 1) * size / 16];
    length = (float)sqrt(sum);
    assert_int_equal(stfile_floats(file, norm, &want, &e), 0);
    compare(c, "norm of a gradient", norm, &length, 1, 0, tol);
    compare(c, name, found(c, input ? "probe.din." : "probe.grad.", name), some, 8, 4 * want / sqrt((double)size), tol);
}

/* Everything that was recorded of a network: inference, training, gradients, running statistics. */
static double replay(const char *name, size_t n, isa_t isa, double tol, double tol_grad)
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
        compare_gradient(&c, true, net_input(c.net, i)->name, c.din[i], n * net_input(c.net, i)->size, tol_grad);
    run_statistics(r, c.params);
    for (size_t i = 0; i < net_tensors(c.net); i++) {
        const nettensor_t *t = net_tensor(c.net, i);
        if (t->trained) compare_gradient(&c, false, t->name, c.grads + t->at, t->size, tol_grad);
        else compare(&c, "statistics", found(&c, "stat.", t->name), c.params + t->at, t->size, 0, tol);
    }
    run_free(r);
    case_close(&c);
    return c.worst;
}

/* Calls f for every network recorded in full ("encoder": is it that one?). */
static double every_case(isa_t isa, bool encoder, double tol, double tol_grad)
{
    double worst = 0;
    size_t cases = 0;
    for (size_t i = 0; i < stfile_count(file); i++) {
        const sttensor_t *t = stfile_at(file, i);
        char name[KEY];
        assert_true(strlen(t->name) < KEY);
        strcpy(name, t->name);
        char *slash = strchr(name, '/');
        if (!slash || strcmp(slash, "/y") || encoder != !strncmp(name, "encoder", 7)) continue;
        *slash = 0;
        cases++;
        double d = replay(name, t->shape[0], isa, tol, tol_grad);
        if (d > worst) {
            worst = d;
            printf("# %s: %s differs by %.1e of the largest element\n", isa_name(isa), name, d);
        }
    }
    assert_true(cases > 0);
    return worst;
}

/* Tolerances, of the largest element: rounding of Winograd's tiles of 4; and of gradients where a value so close to the kink
 * of a ReLU may fall on its other side (the recorded batch was chosen to have none within 2e-6). */
#define LAYER 3e-5
#define KINK 5e-3

static void layers(void **state)
{
    (void)state;
    for (int isa = 0; isa < ISA_COUNT; isa++)
        if (isa_runs((isa_t)isa)) every_case((isa_t)isa, false, LAYER, LAYER);
}

static void encoder(void **state)
{
    (void)state;
    for (int isa = 0; isa < ISA_COUNT; isa++)
        if (isa_runs((isa_t)isa)) every_case((isa_t)isa, true, LAYER, isa == ISA_REF ? LAYER : KINK);
}

/* The training run of nn_record.py, its constants. */
enum { STEPS = 50, STEPS_REF = 4, STEPS_EARLY = 8, PAIRS = 8, ENTRIES = 4, RANGES_MAX = 4096 };
static const optopts_t ADAMW = {.beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .decay = 0.05, .clip = 1};
static const schedule_t RATE = {.peak = 1e-3, .warmup = 5, .steps = STEPS};

/* Two views of each entry of a step, rows i and PAIRS + i: the entry's own numbers plus half of the view's. */
static void views(const netport_t *p, size_t step, float *x)
{
    char key[256];
    size_t n = PAIRS * p->size;
    float *own = floats(n);
    snprintf(key, sizeof key, "train/%s/%zu", p->name, step % ENTRIES);
    noise(key, n, own);
    snprintf(key, sizeof key, "train/%s/%zu/view", p->name, step);
    noise(key, 2 * n, x);
    for (size_t i = 0; i < 2 * n; i++) x[i] = own[i % n] + 0.5f * x[i];
    mem_free(own);
}

static optim_t *optimiser(const net_t *net, const float *params)
{
    err_t e = {0};
    static optrange_t range[RANGES_MAX];
    size_t n = net_tensors(net);
    assert_true(n < RANGES_MAX);
    for (size_t i = 0; i < n; i++) {
        const nettensor_t *t = net_tensor(net, i);
        range[i] = (optrange_t){t->at, t->size, t->trained, t->decays, 1};
    }
    range[n] = (optrange_t){net_size(net), 1, true, false, 1}; /* the logarithm of the logit scale stands behind the network */
    optim_t *o = optim_new(net_size(net) + 1, range, n + 1, &ADAMW, params, &e);
    if (!o) fail_msg("%s", e.msg);
    return o;
}

/* loss (steps) of a run; returns the logarithm of the logit scale at its end. */
static float train(const net_t *net, isa_t isa, size_t steps, double *loss)
{
    err_t e = {0};
    size_t size = net_size(net), out = net_output(net)->size, half = PAIRS * out;
    float *params = floats(size + 1), *grads = floats(size + 1), *y = floats(2 * half), *dy = floats(2 * half);
    float *in[NET_INPUTS_MAX];
    noise_fill(net, params);
    params[size] = (float)log(1 / 0.07);
    for (size_t i = 0; i < net_inputs(net); i++) in[i] = floats(2 * PAIRS * net_input(net, i)->size);
    run_t *r = run_new(net, &(runopts_t){.batch = 2 * PAIRS, .train = true, .isa = isa}, &e);
    infonce_t *f = infonce_new(&(infonceopts_t){.rows = PAIRS, .dim = out, .both = true}, &e);
    optim_t *o = optimiser(net, params);
    if (!r || !f) fail_msg("%s", e.msg);
    for (size_t s = 0; s < steps; s++) {
        infonceout_t l;
        optstep_t done;
        for (size_t i = 0; i < net_inputs(net); i++) views(net_input(net, i), s, in[i]);
        memset(grads, 0, size * sizeof *grads);
        run_load(r, params);
        assert_int_equal(run_forward(r, (const float *const *)in, 2 * PAIRS, s, y, &e), 0);
        assert_int_equal(infonce_run(f, PAIRS, y, y + half, NULL, params[size], dy, dy + half, &l, &e), 0);
        assert_int_equal(run_backward(r, dy, grads, NULL, &e), 0);
        grads[size] = (float)l.dscale;
        run_statistics(r, params);
        optim_step(o, params, grads, schedule_rate(&RATE, s), &done);
        params[size] = infonce_clamp(params[size]);
        loss[s] = l.loss;
    }
    float logit = params[size];
    for (size_t i = 0; i < net_inputs(net); i++) mem_free(in[i]);
    mem_free(params);
    mem_free(grads);
    mem_free(y);
    mem_free(dy);
    run_free(r);
    infonce_free(f);
    optim_free(o);
    return logit;
}

static void recorded(const char *run, const char *what, float *out, size_t n)
{
    err_t e = {0};
    char key[KEY];
    join(key, run, what, "");
    const sttensor_t *t = stfile_find(file, key);
    if (!t || t->count != n) fail_msg("%s is not in the recording, or of another length", key);
    assert_int_equal(stfile_floats(file, t, out, &e), 0);
}

/* The loss of every step is at most as far from PyTorch's as GROWTH times what rounding did to PyTorch's own by then. With
 * kinks, which rounding crosses at any step and Adam then magnifies, two runs part company: only the first steps and the
 * mean over all are compared. The portable kernels run only the first steps, without kinks. */
#define GROWTH 8
#define EARLY 1e-3 /* of the first STEPS_EARLY with kinks */
#define MEAN 0.03
static void replay_training(const char *run, bool kinks)
{
    float want[STEPS], growth[STEPS], rate[STEPS], logit;
    double loss[STEPS];
    err_t e = {0};
    recorded(run, "loss", want, STEPS);
    recorded(run, "growth", growth, STEPS);
    recorded(run, "rate", rate, STEPS);
    recorded(run, "logit", &logit, 1);
    for (size_t s = 0; s < STEPS; s++) assert_close(schedule_rate(&RATE, s), rate[s], 1e-9);
    net_t *net = net_new(stfile_meta(file, run), &e);
    if (!net) fail_msg("%s", e.msg);
    for (int isa = 0; isa < ISA_COUNT; isa++) {
        size_t steps = isa == ISA_REF ? STEPS_REF : STEPS;
        if (!isa_runs((isa_t)isa) || (only_best && isa != (int)isa_best()) || (kinks && isa == ISA_REF)) continue;
        float end = train(net, (isa_t)isa, steps, loss);
        double worst = 0, mean = 0;
        for (size_t s = 0; s < steps; s++) {
            double d = fabs(loss[s] - want[s]), tol = GROWTH * growth[s] + 1e-6;
            if (kinks) tol = s < STEPS_EARLY ? EARLY : HUGE_VAL;
            if (!(d <= tol)) fail_msg("%s, %s, step %zu: loss %.9g, PyTorch %.9g, tolerance %.1e", run, isa_name((isa_t)isa), s, loss[s], want[s], tol);
            if (only_best) printf("# step %zu: loss %.6f, PyTorch %.6f, difference %.1e, PyTorch's own rounding %.1e\n", s, loss[s], want[s], d, growth[s]);
            worst = fmax(worst, d);
            mean += (loss[s] - want[s]) / (double)steps;
        }
        printf("# %s, %s: %zu steps, loss %.4f to %.4f, largest difference %.1e, of the mean %.1e; PyTorch's own rounding %.1e\n",
               run, isa_name((isa_t)isa), steps, loss[0], loss[steps - 1], worst, mean, growth[steps - 1]);
        assert_close(mean, 0, MEAN);
        if (steps == STEPS && !kinks) assert_close(end, logit, GROWTH * growth[STEPS - 1] + 1e-6);
    }
    net_free(net);
}

static void training_smooth(void **state)
{
    (void)state;
    replay_training("smooth", false);
}

static void training_kinked(void **state)
{
    (void)state;
    replay_training("kinked", true);
}

int main(int argc, char **argv)
{
    err_t e = {0};
    file = stfile_open(argc > 1 ? argv[1] : RECORDING, &e);
    if (!file) {
        fprintf(stderr, "%s\n", e.msg);
        return 1;
    }
    only_best = argc > 1;
    const struct CMUnitTest all[] = {cmocka_unit_test(layers), cmocka_unit_test(encoder), cmocka_unit_test(training_smooth),
                                     cmocka_unit_test(training_kinked)};
    const struct CMUnitTest run_only[] = {cmocka_unit_test(training_kinked)};
    int failed = only_best ? cmocka_run_group_tests(run_only, NULL, NULL) : cmocka_run_group_tests(all, NULL, NULL);
    stfile_close(file);
    return failed;
}
