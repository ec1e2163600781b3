/* optim, schedule: against the formulas in double; skipping, state, threads. */
#include "tests/test.h"

#include <omp.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/rng.h"
#include "nn/optim.h"
#include "nn/schedule.h"

enum { N = 20000 };
static const optrange_t ranges[] = {{0, 9001, true, true, 1}, {9008, 5, true, false, 1}, {9024, 100, false, true, 1}, {9200, 8000, true, false, 1}, {17200, 2000, true, true, 0.25}};
enum { RANGES = sizeof ranges / sizeof *ranges };
static const optopts_t usual = {.beta1 = 0.9, .beta2 = 0.98, .eps = 1e-6, .decay = 0.2, .clip = 1.5, .average = 0.9};
static rng_t rng;

static float *normals(size_t n, double sd)
{
    float *x = malloc(n * sizeof *x);
    for (size_t i = 0; i < n; i++) x[i] = (float)(sd * rng_normal(&rng));
    return x;
}

static const optrange_t *range_of(size_t i)
{
    for (size_t k = 0; k < RANGES; k++)
        if (i >= ranges[k].at && i < ranges[k].at + ranges[k].size) return &ranges[k];
    return NULL;
}

/* Twenty steps by the formulas of the header. */
static void steps_by_the_formula(void **state)
{
    (void)state;
    static double w[N], m[N], v[N], e[N];
    float *p = normals(N, 1), *start = malloc(N * sizeof *start);
    err_t err = {0};
    optim_t *o = optim_new(N, ranges, RANGES, &usual, p, &err);
    int clipped = 0;
    assert_non_null(o);
    memcpy(start, p, N * sizeof *p);
    for (size_t i = 0; i < N; i++) w[i] = e[i] = (double)p[i], m[i] = v[i] = 0;
    for (int t = 1; t <= 20; t++) {
        float *g = normals(N, t % 3 ? 0.05 : 0.001);
        double rate = 0.01 * t, norm = 0;
        optstep_t s;
        if (t == 5) p[9030] = 3; /* a running statistic moves */
        g[9004] = NAN, g[9050] = NAN; /* neither trained */
        for (size_t i = 0; i < N; i++)
            if (range_of(i) && range_of(i)->trained) norm += (double)g[i] * (double)g[i];
        norm = sqrt(norm);
        optim_step(o, p, g, rate, &s);
        assert_close(s.norm, norm, 1e-9 * norm);
        assert_int_equal(s.clipped, norm > usual.clip);
        assert_false(s.skipped);
        clipped += s.clipped;
        for (size_t i = 0; i < N; i++) {
            const optrange_t *r = range_of(i);
            if (!r || !r->trained) continue;
            double gi = (double)g[i] * fmin(1, usual.clip / (norm + 1e-6));
            double own = r->rate > 0 ? r->rate * rate : rate;
            if (r->decays) w[i] -= own * usual.decay * w[i];
            m[i] = usual.beta1 * m[i] + (1 - usual.beta1) * gi;
            v[i] = usual.beta2 * v[i] + (1 - usual.beta2) * gi * gi;
            w[i] -= own * (m[i] / (1 - pow(usual.beta1, t))) / (sqrt(v[i] / (1 - pow(usual.beta2, t))) + usual.eps);
            e[i] += (1 - fmin(usual.average, t / (9.0 + t))) * (w[i] - e[i]);
        }
        free(g);
    }
    assert_true(clipped > 0 && clipped < 20);
    assert_int_equal(optim_steps(o), 20);
    const float *average = optim_average(o);
    for (size_t i = 0; i < N; i++) {
        const optrange_t *r = range_of(i);
        if (r && r->trained) {
            assert_close((double)p[i], w[i], 2e-5);
            assert_close((double)average[i], e[i], 2e-5);
        } else {
            float want = i == 9030 ? 3 : start[i];
            assert_true(p[i] == want && average[i] == (r ? want : start[i]));
        }
    }
    optim_free(o);
    free(p), free(start);
}

/* A gradient that is not finite leaves everything as it was. */
static void bad_gradients_are_skipped(void **state)
{
    (void)state;
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    float *p = normals(N, 1), *g = normals(N, 1), *q = malloc(N * sizeof *q), *m = malloc(N * sizeof *m);
    err_t err = {0};
    optim_t *o = optim_new(N, ranges, RANGES, &usual, p, &err);
    optstep_t s;
    sttensor_t t[OPTIM_TENSORS];
    stmeta_t meta[OPTIM_META];
    optim_step(o, p, g, 0.1, &s);
    memcpy(q, p, N * sizeof *p);
    assert_int_equal(optim_state(o, t, meta), 3);
    memcpy(m, t[0].data, N * sizeof *m);
    for (size_t k = 0; k < 3; k++) {
        float old = g[19000];
        g[19000] = bad[k];
        optim_step(o, p, g, 0.1, &s);
        g[19000] = old;
        assert_true(s.skipped && !s.clipped && !isfinite(s.norm));
        assert_memory_equal(p, q, N * sizeof *p);
        assert_memory_equal(t[0].data, m, N * sizeof *m);
        assert_int_equal(optim_steps(o), 1);
        assert_int_equal(optim_skipped(o), k + 1);
    }
    g[19000] = 3e38f; /* large, but finite: its square is too */
    optim_step(o, p, g, 0.1, &s);
    assert_true(!s.skipped && s.clipped);
    optim_free(o);
    free(p), free(g), free(q), free(m);
}

/* The 1e-6 of clip_grad_norm_: a gradient of norm 2e-6 clipped at 1e-6 shrinks to a third. */
static void clipping_of_next_to_nothing(void **state)
{
    (void)state;
    static const optrange_t r[] = {{0, 1, true, false, 1}};
    optopts_t opts = usual;
    err_t err = {0};
    float p[1] = {1}, g[1] = {2e-6f};
    opts.clip = 1e-6;
    optim_t *o = optim_new(1, r, 1, &opts, p, &err);
    optstep_t s;
    sttensor_t t[OPTIM_TENSORS];
    stmeta_t meta[OPTIM_META];
    optim_step(o, p, g, 0.1, &s);
    optim_state(o, t, meta);
    assert_true(s.clipped);
    assert_close((double)((const float *)t[0].data)[0], 0.1 * 2e-6 / 3, 1e-12);
    optim_free(o);
}

/* Written, read into another optimiser, both go on: equal bytes. */
static void state_comes_back(void **state)
{
    (void)state;
    char path[] = "/tmp/cryolex-optim-XXXXXX";
    int fd = mkstemp(path);
    float *p = normals(N, 1), *q = malloc(N * sizeof *q), *g = normals(N, 0.1);
    err_t err = {0};
    optim_t *o = optim_new(N, ranges, RANGES, &usual, p, &err), *o2;
    optstep_t s;
    sttensor_t t[OPTIM_TENSORS];
    stmeta_t meta[OPTIM_META];
    assert_true(fd >= 0);
    close(fd);
    for (int k = 0; k < 7; k++) optim_step(o, p, g, 0.02, &s);
    g[0] = NAN;
    optim_step(o, p, g, 0.02, &s);
    g[0] = 1;
    size_t n = optim_state(o, t, meta);
    assert_int_equal(stfile_write(path, t, n, meta, OPTIM_META, &err), 0);
    memcpy(q, p, N * sizeof *p);
    o2 = optim_new(N, ranges, RANGES, &usual, q, &err);
    stfile_t *f = stfile_open(path, &err);
    if (!f) fail_msg("%s", err.msg);
    assert_int_equal(optim_load(o2, f, &err), 0);
    stfile_close(f);
    assert_int_equal(optim_steps(o2), 7);
    assert_int_equal(optim_skipped(o2), 1);
    for (int k = 0; k < 3; k++) {
        optim_step(o, p, g, 0.02, &s);
        optim_step(o2, q, g, 0.02, &s);
    }
    assert_memory_equal(p, q, N * sizeof *p);
    assert_memory_equal(optim_average(o), optim_average(o2), N * sizeof *p);
    optim_free(o), optim_free(o2);
    unlink(path);
    free(p), free(q), free(g);
}

/* Without an average, and what does not fit. */
static void state_that_does_not_fit(void **state)
{
    (void)state;
    char path[] = "/tmp/cryolex-optim-XXXXXX";
    int fd = mkstemp(path);
    err_t err = {0};
    static const optrange_t r[] = {{0, 8, true, true, 1}};
    optopts_t plain = usual;
    plain.average = 0;
    float x[8] = {0};
    optim_t *o = optim_new(8, r, 1, &plain, NULL, &err), *more = optim_new(8, r, 1, &usual, x, &err);
    optim_t *larger = optim_new(9, r, 1, &plain, NULL, &err), *smaller = optim_new(7, r, 0, &plain, NULL, &err);
    assert_true(fd >= 0);
    close(fd);
    assert_null(optim_average(o));
    static const char *const bad[] = {"", "-1", "1.5", "x", "1 ", "1234567890123456", NULL};
    for (size_t k = 0; k < 1 + sizeof bad / sizeof *bad; k++) {
        sttensor_t t[OPTIM_TENSORS];
        stmeta_t meta[OPTIM_META];
        assert_int_equal(optim_state(o, t, meta), 2);
        size_t nmeta = OPTIM_META;
        if (k && bad[k - 1]) meta[0].value = bad[k - 1];
        if (k && !bad[k - 1]) nmeta = 1;
        assert_int_equal(stfile_write(path, t, 2, meta, nmeta, &err), 0);
        stfile_t *f = stfile_open(path, &err);
        assert_non_null(f);
        assert_int_equal(optim_load(o, f, &err), k ? -1 : 0);
        assert_int_equal(err.code, k ? ERR_FORMAT : ERR_OK);
        err = (err_t){0};
        assert_int_equal(optim_load(more, f, &err), -1); /* no average in it */
        assert_int_equal(err.code, ERR_FORMAT);
        err = (err_t){0};
        assert_int_equal(optim_load(larger, f, &err), -1);
        assert_int_equal(err.code, ERR_FORMAT);
        err = (err_t){0};
        assert_int_equal(optim_load(smaller, f, &err), -1);
        assert_int_equal(err.code, ERR_FORMAT);
        err = (err_t){0};
        stfile_close(f);
    }
    optim_free(o), optim_free(more), optim_free(larger), optim_free(smaller);
    optim_free(NULL);
    unlink(path);
}

static void same_bytes_for_any_threads(void **state)
{
    (void)state;
    int old = omp_get_max_threads();
    float *start = normals(N, 1), *g = normals(N, 0.1), *p[3];
    optstep_t s[3];
    for (int k = 0; k < 3; k++) {
        err_t err = {0};
        optim_t *o = optim_new(N, ranges, RANGES, &usual, start, &err);
        omp_set_num_threads(1 << k);
        p[k] = malloc(N * sizeof *start);
        memcpy(p[k], start, N * sizeof *start);
        for (int t = 0; t < 3; t++) optim_step(o, p[k], g, 0.1, &s[k]);
        assert_memory_equal(p[k], p[0], N * sizeof *start);
        assert_memory_equal(&s[k].norm, &s[0].norm, sizeof s[0].norm);
        optim_free(o);
    }
    omp_set_num_threads(old);
    for (int k = 0; k < 3; k++) free(p[k]);
    free(start), free(g);
}

static void refuses(void **state)
{
    (void)state;
    static const optrange_t good[] = {{0, 8, true, true, 1}}, beyond[] = {{4, 5, true, true, 1}}, far[] = {{9, 0, true, true, 1}},
                            over[] = {{0, 4, true, true, 1}, {3, 1, true, true, 1}}, wrap[] = {{4, SIZE_MAX - 2, true, true, 1}},
                            under[] = {{0, 8, true, true, -1}}, nan[] = {{0, 8, true, true, NAN}}, inf[] = {{0, 8, true, true, INFINITY}};
    float x[8] = {0};
    static const struct {
        const optrange_t *r;
        size_t n;
    } rows[] = {{beyond, 1}, {far, 1}, {over, 2}, {wrap, 1}, {under, 1}, {nan, 1}, {inf, 1}};
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        err_t err = {0};
        assert_null(optim_new(8, rows[k].r, rows[k].n, &usual, x, &err));
        assert_int_equal(err.code, ERR_RANGE);
    }
    static const double odd[] = {-0.1, NAN, INFINITY};
    for (size_t k = 0; k < 6; k++)
        for (size_t v = 0; v < 3; v++) {
            optopts_t o = usual;
            double *field[] = {&o.beta1, &o.beta2, &o.eps, &o.decay, &o.clip, &o.average};
            *field[k] = odd[v];
            err_t err = {0};
            assert_null(optim_new(8, good, 1, &o, x, &err));
            assert_int_equal(err.code, ERR_RANGE);
        }
}

static void schedule(void **state)
{
    (void)state;
    schedule_t s = {.peak = 2, .floor = 0.5, .warmup = 4, .steps = 14};
    assert_close(schedule_rate(&s, 0), 0.5, 1e-12);
    assert_close(schedule_rate(&s, 3), 2, 1e-12);
    assert_close(schedule_rate(&s, 4), 2, 1e-12);
    assert_close(schedule_rate(&s, 9), 1.25, 1e-12);
    assert_close(schedule_rate(&s, 13), 0.5 + 0.75 * (1 + cos(M_PI * 0.9)), 1e-12);
    assert_close(schedule_rate(&s, 14), 0.5, 1e-12);
    assert_close(schedule_rate(&s, 1000), 0.5, 1e-12);
    s.warmup = 0;
    assert_close(schedule_rate(&s, 0), 2, 1e-12);
    s.warmup = s.steps = 3; /* no cosine */
    assert_close(schedule_rate(&s, 2), 2, 1e-12);
    assert_close(schedule_rate(&s, 3), 0.5, 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_by_the_formula),    cmocka_unit_test(bad_gradients_are_skipped),
        cmocka_unit_test(state_comes_back),        cmocka_unit_test(state_that_does_not_fit),
        cmocka_unit_test(same_bytes_for_any_threads), cmocka_unit_test(refuses),
        cmocka_unit_test(schedule),                cmocka_unit_test(clipping_of_next_to_nothing),
    };
    rng_seed(&rng, 20260303);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
