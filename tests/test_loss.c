/* loss: against double precision written out here and its central differences; many ranks against one. */
#include "tests/test.h"

#include <omp.h>

#include "base/mem.h"
#include "base/rng.h"
#include "nn/loss.h"
#include "tests/ranks.h"

static rng_t rng;

static float *units(size_t n, size_t d)
{
    float *x = n * d < (size_t)1 << 28 ? calloc(n * d, sizeof *x) : NULL;
    if (!x) abort();
    for (size_t i = 0; i < n; i++) {
        double s = 0;
        for (size_t j = 0; j < d; j++) {
            x[i * d + j] = (float)rng_normal(&rng);
            s += (double)x[i * d + j] * (double)x[i * d + j];
        }
        for (size_t j = 0; j < d; j++) x[i * d + j] /= (float)sqrt(s);
    }
    return x;
}

/* Labels of n rows: kind 0 none, 1 groups of about three, 2 up to four labels a row. */
typedef struct {
    size_t *at;
    uint64_t *label;
    bool given;
    labels_t l;
} tags_t;

static tags_t tags_new(int kind, size_t n)
{
    tags_t t = {calloc(n + 1, sizeof *t.at), calloc(4 * n + 1, sizeof *t.label), kind != 0, {0}};
    for (size_t i = 0; i < n; i++) {
        size_t k = t.at[i];
        if (kind == 1) t.label[k++] = 0xfedcba9876540000u + rng_next(&rng) % (n / 3 + 1);
        for (uint64_t v = 0; kind == 2 && v < 4; v++)
            if (rng_unit(&rng) < 0.4) t.label[k++] = v << 60 | (rng_next(&rng) % (n / 2 + 1));
        t.at[i + 1] = k;
    }
    t.l = (labels_t){t.at, t.label};
    return t;
}

static void tags_free(tags_t *t)
{
    free(t->at);
    free(t->label);
}

static bool positive(const tags_t *t, size_t i, size_t j)
{
    if (i == j) return true;
    for (size_t p = t->at[i]; p < t->at[i + 1]; p++)
        for (size_t q = t->at[j]; q < t->at[j + 1]; q++)
            if (t->label[p] == t->label[q]) return true;
    return false;
}

/* x holds a (n,d), b (n,d), log scale. */
static double loss_double(const double *x, size_t n, size_t d, const tags_t *t, bool both)
{
    const double *a = x, *b = x + n * d;
    double s = exp(x[2 * n * d]), sum = 0;
    for (int side = 0; side < (both ? 2 : 1); side++)
        for (size_t i = 0; i < n; i++) {
            double exps = 0, hit = 0, count = 0;
            for (size_t j = 0; j < n; j++) {
                double l = 0;
                for (size_t k = 0; k < d; k++) l += side ? b[i * d + k] * a[j * d + k] : a[i * d + k] * b[j * d + k];
                exps += exp(s * l - s);
                if (positive(t, i, j)) hit += s * l, count++;
            }
            sum += log(exps) + s - hit / count;
        }
    return sum / (double)n / (both ? 2 : 1);
}

static double *doubles(const float *a, const float *b, size_t n, size_t d, double log_scale)
{
    double *x = malloc((2 * n * d + 1) * sizeof *x);
    for (size_t i = 0; i < n * d; i++) x[i] = (double)a[i], x[n * d + i] = (double)b[i];
    x[2 * n * d] = log_scale;
    return x;
}

static void check_case(size_t n, size_t d, int kind, bool both, float log_scale)
{
    infonceopts_t o = {.rows = n + 3, .dim = d, .labels = 4 * n, .both = both};
    err_t err = {0};
    infonce_t *f = infonce_new(&o, &err);
    float *a = units(n, d), *b = units(n, d), *g = malloc((2 * n * d + 1) * sizeof *g);
    for (size_t i = 0; i < n * d; i++) b[i] = 0.5f * (a[i] + b[i]); /* pairs that are alike */
    tags_t t = tags_new(kind, n);
    infonceout_t out;
    double *x = doubles(a, b, n, d, (double)log_scale), h = 1e-5;
    assert_non_null(f);
    for (int again = 0; again < 2; again++) /* the second call finds a used workspace */
        assert_int_equal(infonce_run(f, n, a, b, t.given ? &t.l : NULL, log_scale, g, g + n * d, &out, &err), 0);
    g[2 * n * d] = (float)out.dscale;
    double want = loss_double(x, n, d, &t, both);
    if (n == 1) assert_true(out.top1 == 1 && out.negative == 0);
    assert_close(out.loss, want, 1e-5 * (1 + want));
    size_t last = 2 * n * d, step = 1 + last / 80;
    for (size_t i = 0;; i = i + step < last ? i + step : last) {
        double old = x[i];
        x[i] = old + h;
        double up = loss_double(x, n, d, &t, both);
        x[i] = old - h;
        double down = loss_double(x, n, d, &t, both), slope = (up - down) / (2 * h);
        x[i] = old;
        if (!(fabs((double)g[i] - slope) <= 2e-6 + 3e-5 * fabs(slope)))
            fail_msg("n %zu d %zu kind %d both %d at %zu: %.8g (%.8g)", n, d, kind, both, i, (double)g[i], slope);
        if (i == last) break;
    }
    infonce_free(f);
    tags_free(&t);
    free(a), free(b), free(g), free(x);
}

static void infonce_gradients(void **state)
{
    (void)state;
    static const size_t sizes[][2] = {{1, 3}, {2, 8}, {7, 5}, {33, 16}, {70, 9}, {300, 4}};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
        for (int kind = 0; kind < 3; kind++)
            for (int both = 0; both < 2; both++) check_case(sizes[k][0], sizes[k][1], kind, both, k % 2 ? 1.7f : 2.6592600f);
}

/* Statistics by counting. */
static void infonce_statistics(void **state)
{
    (void)state;
    enum { N = 37, D = 6 };
    infonceopts_t o = {.rows = N, .dim = D, .labels = N};
    err_t err = {0};
    infonce_t *f = infonce_new(&o, &err);
    float *a = units(N, D), *b = units(N, D);
    uint64_t group[N];
    infonceout_t out;
    double top = 0, pos = 0, neg = 0;
    for (size_t i = 0; i < N; i++) group[i] = i / 4;
    for (size_t i = 0; i < N * D; i++) b[i] = 0.4f * a[i] + 0.6f * b[i];
    labels_t l = {NULL, group};
    assert_int_equal(infonce_run(f, N, a, b, &l, 2, NULL, NULL, &out, &err), 0);
    for (size_t i = 0; i < N; i++) {
        double best = -9, p = 0, q = 0, np = 0;
        size_t at = 0;
        for (size_t j = 0; j < N; j++) {
            double c = 0;
            for (size_t k = 0; k < D; k++) c += (double)a[i * D + k] * (double)b[j * D + k];
            if (c > best) best = c, at = j;
            if (i / 4 == j / 4) p += c, np++;
            else q += c;
        }
        top += at / 4 == i / 4, pos += p / np, neg += q / (N - np);
    }
    assert_true(out.top1 > 0.05 && out.top1 < 0.95);
    assert_close(out.top1, top / N, 1e-6);
    assert_close(out.positive, pos / N, 1e-6);
    assert_close(out.negative, neg / N, 1e-6);
    infonce_free(f);
    free(a), free(b);
}

/* Labels that differ in one of their four parts are no match; the first of equals counts as nearest. */
static void labels_are_whole(void **state)
{
    (void)state;
    err_t err = {0};
    infonce_t *f = infonce_new(&(infonceopts_t){.rows = 5, .dim = 2, .labels = 5}, &err);
    static const uint64_t apart[] = {1, (uint64_t)1 << 16, (uint64_t)1 << 32, (uint64_t)1 << 48, 0}, first[] = {7, 7, 8};
    static const float same[] = {1, 0, 1, 0, 1, 0};
    float *a = units(5, 2), *b = units(5, 2);
    infonceout_t with, without;
    labels_t l = {NULL, apart};
    assert_int_equal(infonce_run(f, 5, a, b, &l, 1, NULL, NULL, &with, &err), 0);
    assert_int_equal(infonce_run(f, 5, a, b, NULL, 1, NULL, NULL, &without, &err), 0);
    assert_memory_equal(&with, &without, sizeof with);
    l.label = first;
    assert_int_equal(infonce_run(f, 3, same, same, &l, 1, NULL, NULL, &with, &err), 0);
    assert_close(with.top1, 2.0 / 3, 1e-12);
    infonce_free(f);
    free(a), free(b);
}

static void scale_is_clamped(void **state)
{
    (void)state;
    enum { N = 9, D = 4 };
    assert_true(infonce_clamp(-1) == 0 && infonce_clamp(0.5f) == 0.5f);
    assert_close((double)infonce_clamp(9), log(100), 1e-7);
    assert_true(isnan(infonce_clamp(NAN)));
    infonceopts_t o = {.rows = N, .dim = D};
    err_t err = {0};
    infonce_t *f = infonce_new(&o, &err);
    float *a = units(N, D), *b = units(N, D);
    infonceout_t far, end;
    assert_int_equal(infonce_run(f, N, a, b, NULL, 7, NULL, NULL, &far, &err), 0);
    assert_int_equal(infonce_run(f, N, a, b, NULL, infonce_clamp(7), NULL, NULL, &end, &err), 0);
    assert_memory_equal(&far, &end, sizeof far);
    assert_true(isfinite(far.loss) && far.loss > 0);
    a[3] = NAN; /* and a NaN shows */
    assert_int_equal(infonce_run(f, N, a, b, NULL, 1, NULL, NULL, &end, &err), 0);
    assert_true(isnan(end.loss));
    infonce_free(f);
    free(a), free(b);
}

/* One batch, shared out over ranks. */
typedef struct {
    size_t n, d; /* of all */
    const float *a, *b;
    const tags_t *tags;
    bool both;
    float *da, *db;
    infonceout_t out[RANKS_MAX];
    int rc[RANKS_MAX];
    size_t odd; /* rank that brings one row less, or RANKS_MAX; */
    errcode_t code[RANKS_MAX];
} batch_t;

static void as_rank(void *arg, const comm_t *c)
{
    batch_t *x = arg;
    size_t rows = x->n / (size_t)c->size, first = rows * (size_t)c->rank, r = (size_t)c->rank, base = x->tags->at[first];
    infonceopts_t o = {.rows = rows, .dim = x->d, .labels = 4 * x->n, .both = x->both, .comm = c};
    err_t err = {0};
    size_t *at = malloc((rows + 1) * sizeof *at);
    for (size_t i = 0; i <= rows; i++) at[i] = x->tags->at[first + i] - base;
    labels_t l = {at, x->tags->label + base};
    omp_set_num_threads(1);
    infonce_t *f = infonce_new(&o, &err);
    if (!f) abort();
    x->rc[r] = infonce_run(f, rows - (r == x->odd), x->a + first * x->d, x->b + first * x->d, x->tags->given ? &l : NULL, 2.2f,
                           x->da + first * x->d, x->db + first * x->d, &x->out[r], &err);
    x->code[r] = err.code;
    infonce_free(f);
    free(at);
}

static void ranks_equal_one(void **state)
{
    (void)state;
    enum { N = 90, D = 7 };
    float *da[4], *db[4];
    for (int kind = 0; kind < 3; kind++)
        for (int both = 0; both < 2; both++) {
            float *a = units(N, D), *b = units(N, D);
            tags_t t = tags_new(kind, N);
            infonceout_t one = {0};
            for (int ranks = 1; ranks <= 3; ranks++) {
                batch_t x = {.n = N, .d = D, .a = a, .b = b, .tags = &t, .both = both, .odd = RANKS_MAX};
                double dscale = 0;
                x.da = da[ranks] = calloc(N * D, sizeof *a), x.db = db[ranks] = calloc(N * D, sizeof *a);
                ranks_run(ranks, as_rank, &x);
                if (ranks == 1) one = x.out[0];
                for (int r = 0; r < ranks; r++) {
                    assert_int_equal(x.rc[r], 0);
                    assert_close(x.out[r].loss, one.loss, 4e-9 * one.loss);
                    assert_close(x.out[r].top1, one.top1, 1e-9);
                    assert_close(x.out[r].positive, one.positive, 1e-7);
                    assert_close(x.out[r].negative, one.negative, 1e-7);
                    dscale += x.out[r].dscale;
                }
                assert_close(dscale, one.dscale, 1e-6);
                for (int i = 0; i < N * D; i++) {
                    assert_close((double)da[ranks][i], (double)da[1][i], 1e-7);
                    assert_close((double)db[ranks][i], (double)db[1][i], 1e-7);
                }
            }
            for (int ranks = 1; ranks <= 3; ranks++) free(da[ranks]), free(db[ranks]);
            tags_free(&t);
            free(a), free(b);
        }
}

/* A rank that brings another number of rows, or labels that are wrong: every rank says so, none waits. */
static void ranks_fail_together(void **state)
{
    (void)state;
    enum { N = 12, D = 3 };
    float *a = units(N, D), *b = units(N, D), *da = calloc(N * D, sizeof *da), *db = calloc(N * D, sizeof *db);
    tags_t t = tags_new(1, N);
    for (int fault = 0; fault < 2; fault++) {
        batch_t x = {.n = N, .d = D, .a = a, .b = b, .tags = &t, .da = da, .db = db, .odd = fault ? RANKS_MAX : 1};
        if (fault) t.at[N] = 5 * N; /* the last rank claims too many */
        ranks_run(3, as_rank, &x);
        for (int r = 0; r < 3; r++) {
            assert_int_equal(x.rc[r], -1);
            assert_int_equal(x.code[r], ERR_RANGE);
        }
    }
    tags_free(&t);
    free(a), free(b), free(da), free(db);
}

static void infonce_refuses(void **state)
{
    (void)state;
    float *a = units(4, 3), *b = units(4, 3);
    infonceout_t out;
    err_t err = {0};
    static const infonceopts_t bad[] = {{.rows = 0, .dim = 3}, {.rows = 3, .dim = 0}, {.rows = INFONCE_ROWS_MAX + 1, .dim = 1},
                                        {.rows = 1, .dim = 1, .labels = INFONCE_LABELS_MAX + 1}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        err = (err_t){0};
        assert_null(infonce_new(&bad[i], &err));
        assert_int_equal(err.code, ERR_RANGE);
    }
    err = (err_t){0};
    infonce_t *f = infonce_new(&(infonceopts_t){.rows = 4, .dim = 3, .labels = 5}, &err);
    assert_non_null(f);
    static const struct {
        size_t n, at[5];
        uint64_t label[8];
    } rows[] = {{0, {0}, {0}}, {5, {0}, {0}}, {4, {0, 2, 4, 5, 6}, {0, 1, 2, 3, 4, 5}}, {4, {0, 2, 1, 2, 2}, {1, 2}},
                {4, {1, 2, 2, 2, 2}, {1, 2}}, {4, {0, 2, 2, 2, 2}, {2, 1}}, {4, {0, 2, 2, 2, 2}, {1, 1}}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        labels_t l = {rows[i].at, rows[i].label};
        err = (err_t){0};
        assert_int_equal(infonce_run(f, rows[i].n, a, b, &l, 1, NULL, NULL, &out, &err), -1);
        assert_int_equal(err.code, ERR_RANGE);
    }
    infonce_free(f);
    infonce_free(NULL);
    free(a), free(b);
}

static void same_bytes_for_any_threads(void **state)
{
    (void)state;
    enum { N = 200, D = 24 };
    int old = omp_get_max_threads();
    float *a = units(N, D), *b = units(N, D), *g[3];
    tags_t t = tags_new(2, N);
    infonceout_t out[3];
    for (int k = 0; k < 3; k++) {
        err_t err = {0};
        infonce_t *f = infonce_new(&(infonceopts_t){.rows = N, .dim = D, .labels = 4 * N, .both = true}, &err);
        g[k] = calloc(2 * N * D, sizeof *a);
        omp_set_num_threads(1 << k);
        assert_int_equal(infonce_run(f, N, a, b, &t.l, 3, g[k], g[k] + N * D, &out[k], &err), 0);
        assert_memory_equal(&out[k], &out[0], sizeof out[0]);
        assert_memory_equal(g[k], g[0], 2 * N * D * sizeof *a);
        infonce_free(f);
    }
    omp_set_num_threads(old);
    for (int k = 0; k < 3; k++) free(g[k]);
    tags_free(&t);
    free(a), free(b);
}

static void plain_losses(void **state)
{
    (void)state;
    enum { N = 1003 };
    float *x = units(1, N), *t = units(1, N), *dx = calloc(N, sizeof *dx);
    double want = 0, dot = 0;
    for (int i = 0; i < N; i++) want += ((double)x[i] - (double)t[i]) * ((double)x[i] - (double)t[i]) / N;
    for (int i = 0; i < N; i++) dot += (double)x[i] * (double)t[i];
    assert_close(loss_square(x, t, N, dx), want, 1e-9);
    for (int i = 0; i < N; i++) assert_close((double)dx[i], 2 * ((double)x[i] - (double)t[i]) / N, 1e-9);
    assert_close(loss_cosine(x, t, 1, N, dx), 1 - dot, 1e-9);
    for (int i = 0; i < N; i++) assert_close((double)dx[i], -(double)t[i], 1e-9);
    assert_close(loss_cosine(x, x, 17, 59, NULL), 1 - 1.0 / 17, 1e-6);
    x[5] = NAN;
    assert_true(isnan(loss_square(x, t, N, NULL)));
    free(x), free(t), free(dx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(infonce_gradients), cmocka_unit_test(infonce_statistics),  cmocka_unit_test(scale_is_clamped),
        cmocka_unit_test(ranks_equal_one),   cmocka_unit_test(ranks_fail_together), cmocka_unit_test(infonce_refuses),
        cmocka_unit_test(plain_losses),      cmocka_unit_test(same_bytes_for_any_threads),
        cmocka_unit_test(labels_are_whole),
    };
    rng_seed(&rng, 20260302);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
