/* topk: every pass and kernel against a sort of all scores; ties by row; the same bytes for any threads, parts and kernels;
 * the bounds of the first pass; what is refused. */
#include "config.h"

#include "tests/test.h"

#include "base/half.h"
#include "base/rng.h"
#include "base/threads.h"
#include "nn/isa.h"
#include "nn/topk_kern.h"

static void fill(float *p, size_t n, rng_t *r)
{
    for (size_t i = 0; i < n; i++) p[i] = (float)rng_normal(r);
}

static int best_first(const void *a, const void *b)
{
    const near_t *x = a, *y = b;
    if (x->score != y->score) return x->score < y->score ? 1 : -1;
    return (x->row > y->row) - (x->row < y->row);
}

/* The K best by a plain double loop over topk_dot(). */
static size_t plain(const float *q, const float *base, size_t n, size_t d, size_t k, size_t first, near_t *hit)
{
    near_t *all = malloc((n + 1) * sizeof *all);
    for (size_t i = 0; i < n; i++) all[i] = (near_t){topk_dot(q, base + i * d, d), first + i};
    qsort(all, n, sizeof *all, best_first);
    if (k > n) k = n;
    memcpy(hit, all, k * sizeof *hit);
    free(all);
    return k;
}

static void assert_hits(const near_t *a, const near_t *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (a[i].row != b[i].row || memcmp(&a[i].score, &b[i].score, sizeof a[i].score) != 0)
            fail_msg("hit %zu: row %zu score %.9g, wanted row %zu score %.9g", i, a[i].row, (double)a[i].score, b[i].row, (double)b[i].score);
}

/* How a base is looked at. */
enum { WHOLE, PARTS, BACKWARDS, HALF, PACKED, WAYS };

static void look(topk_t *t, const float *base, size_t n, size_t d, size_t first, int way)
{
    err_t err = {0};
    topkbase_t part = {.n = n, .d = d, .f = base, .first = first};
    topkpack_t pack = {0};
    uint16_t *h = NULL;
    if (way == HALF) {
        h = malloc((n * d + 1) * sizeof *h);
        half_pack(base, n * d, h);
        part.f = NULL, part.h = h;
    }
    if (way == PACKED) {
        assert_int_equal(topk_pack(&part, &pack, &err), 0);
        part.pack = &pack;
    }
    size_t cut = way == PARTS || way == BACKWARDS ? 1 + n / 3 : n + 1;
    size_t parts = (n + cut - 1) / cut;
    for (size_t p = 0; p < parts; p++) {
        size_t at = (way == BACKWARDS ? parts - 1 - p : p) * cut;
        topkbase_t some = part;
        if (cut <= n) some.n = n - at < cut ? n - at : cut, some.f = base + at * d, some.first = first + at;
        assert_int_equal(topk_look(t, &some, &err), 0);
    }
    topk_unpack(&pack);
    free(h);
}

static void try_one(const float *q, size_t b, const float *base, size_t n, size_t d, size_t k, topkpass_t pass, int way, int threads)
{
    err_t err = {0};
    near_t *hit = malloc((k + 1) * sizeof *hit), *want = malloc((k + 1) * sizeof *want);
    int before = threads_max();
    threads_set(threads);
    topk_t *t = topk_new(q, b, d, k, pass, &err);
    assert_non_null(t);
    look(t, base, n, d, 1000, way);
    for (size_t i = 0; i < b; i++) {
        size_t m = plain(q + i * d, base, n, d, k, 1000, want);
        assert_int_equal(topk_hits(t, i, hit), m);
        assert_hits(hit, want, m);
    }
    topk_free(t);
    threads_set(before);
    free(hit), free(want);
}

/* A base whose numbers float16 holds. */
static void round_all(float *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint16_t h;
        half_pack(p + i, 1, &h);
        half_unpack(&h, 1, p + i);
    }
}

static void every_kernel(void **state)
{
    static const size_t ns[] = {0, 1, 15, 16, 257, 700}, ds[] = {1, 4, 33, 64, 256}, bs[] = {1, 2, 5, 13};
    static const char *const kernel[] = {"ref", "vec", "avx2", "avx512"};
    rng_t r;
    (void)state;
    rng_seed(&r, 11);
    for (int isa = 0; isa < ISA_COUNT; isa++) {
        if (!isa_runs((isa_t)isa)) continue;
        setenv("CRYOLEX_KERNEL", kernel[isa], 1);
        for (size_t i = 0; i < sizeof ns / sizeof *ns; i++)
            for (size_t j = 0; j < sizeof ds / sizeof *ds; j++) {
                size_t n = ns[i], d = ds[j], b = bs[rng_next(&r) % 4], k = 1 + rng_next(&r) % 40;
                float *base = malloc((n * d + 1) * sizeof *base), *q = malloc(b * d * sizeof *q);
                fill(base, n * d, &r);
                fill(q, b * d, &r);
                round_all(base, n * d);
                for (int pass = TOPK_AUTO; pass <= TOPK_INT8; pass++)
                    for (int way = (int)(j + i) % 2; way < WAYS; way += 2)
                        try_one(q, b, base, n, d, k, (topkpass_t)pass, way, way == PARTS ? 1 : 3);
                free(base), free(q);
            }
    }
    unsetenv("CRYOLEX_KERNEL");
}

/* Equal rows, rows that differ in the last bit, clusters, long and short rows, zeros, tiny and large numbers. */
static void hard_bases(void **state)
{
    enum { N = 600, D = 48, B = 14, KINDS = 7 };
    static float base[N * D], q[B * D];
    rng_t r;
    (void)state;
    rng_seed(&r, 12);
    for (int kind = 0; kind < KINDS; kind++) {
        fill(q, B * D, &r);
        fill(base, N * D, &r);
        for (size_t i = 0; i < N; i++)
            for (size_t j = 0; j < D; j++) {
                float *x = &base[i * D + j], of = base[i % 7 * D + j];
                if (kind == 0) *x = i < 7 ? *x : of;
                if (kind == 1) *x = i < 7 ? *x : nextafterf(of, rng_unit(&r) < 0.5 ? -9 : 9);
                if (kind == 2) *x = i < 7 ? *x : of + 0.01f * *x;
                if (kind == 3) *x *= powf(10, (float)(i % 9) - 4);
                if (kind == 4) *x = i % 3 ? 0 : *x;
                if (kind == 5) *x *= i % 2 ? 1e-25f : 1e-18f;
                if (kind == 6) *x *= 1e12f;
            }
        for (size_t j = 0; j < B * D; j++) q[j] *= kind == 5 ? 1e-15f : kind == 6 ? 1e15f : 1;
        for (int pass = TOPK_DOT; pass <= TOPK_INT8; pass++)
            for (size_t k = 1; k <= 500; k = 3 * k + 2) try_one(q, B, base, N, D, k, (topkpass_t)pass, kind % 2 ? WHOLE : PACKED, 2);
    }
}

/* Rows enough for several threads, the best last, so that the bar rises while they look. */
static void many_rows(void **state)
{
    enum { N = 30000, D = 8, B = 5, K = 100 };
    float *base = malloc(N * D * sizeof *base), q[B * D];
    rng_t r;
    (void)state;
    rng_seed(&r, 17);
    fill(base, N * D, &r);
    fill(q, B * D, &r);
    for (size_t i = 0; i < N * D; i++) base[i] *= (float)(i / D + 1);
    for (int pass = TOPK_DOT; pass <= TOPK_INT8; pass++) try_one(q, B, base, N, D, K, (topkpass_t)pass, WHOLE, 4);
    free(base);
}

/* More queries than a batch, more hits than rows. */
static void many_queries(void **state)
{
    enum { N = 70, D = 8, B = TOPK_BATCH + 5 };
    static float base[N * D], q[B * D];
    rng_t r;
    (void)state;
    rng_seed(&r, 13);
    fill(base, N * D, &r);
    fill(q, B * D, &r);
    for (int pass = TOPK_AUTO; pass <= TOPK_INT8; pass++) try_one(q, B, base, N, D, 100, (topkpass_t)pass, WHOLE, 2);
}

/* scan()'s most and least enclose the score, for every kernel, by 8 bits; and 8 bits are worth something. */
static void bounds_hold(void **state)
{
    static const size_t ds[] = {1, 5, 32, 256, 1000};
    rng_t r;
    (void)state;
    rng_seed(&r, 14);
    const topk_kern_t *kernels[] = {&topk_kern_ref, &topk_kern_vec,
#ifdef HAVE_AVX2
                                    isa_runs(ISA_AVX2) ? &topk_kern_avx2 : &topk_kern_ref,
#endif
#ifdef HAVE_AVX512
                                    isa_runs(ISA_AVX512) ? &topk_kern_avx512 : &topk_kern_ref,
#endif
#ifdef HAVE_VNNI
                                    __builtin_cpu_supports("avx512vnni") && isa_runs(ISA_AVX512) ? &topk_kern_vnni : &topk_kern_ref,
#endif
    };
    for (size_t c = 0; c < sizeof kernels / sizeof *kernels; c++)
        for (size_t j = 0; j < sizeof ds / sizeof *ds; j++)
            for (int again = 0; again < 50; again++) {
                enum { MOST = 1000 };
                size_t d = ds[j], depth = (d + 3) / 4 * 4;
                float x[MOST], w[MOST], y[TOPK_WIDE];
                int8_t qx[MOST], qw[MOST] = {0}, panel[MOST * TOPK_WIDE] = {0};
                uint8_t u[MOST];
                int32_t start[TOPK_WIDE] = {0};
                fill(x, d, &r);
                fill(w, d, &r);
                if (again % 3 == 0) /* close to one another */
                    for (size_t k = 0; k < d; k++) w[k] = x[k] + 0.01f * w[k];
                if (again % 5 == 0) w[d / 2] *= 30;
                topkrow_t rx = kernels[c]->row(x, d, qx), rw = kernels[c]->row(w, d, qw);
                for (size_t k = 0; k < depth; k++) u[k] = (uint8_t)(128 + (k < d ? qx[k] : 0));
                for (size_t k = 0; k < d; k++) panel[k / 4 * 4 * TOPK_WIDE + 3 * 4 + k % 4] = qw[k]; /* as row 3 */
                start[3] = -128 * rw.sum;
                kernels[c]->product(u, depth, 1, panel, 1, depth, start, y, TOPK_WIDE);
                rw.off += topk_slack(d) * rw.norm;
                rx.norm += rx.off;
                topkscan_t s = {.y = y + 3, .scale = &rw.scale, .off = &rw.off, .norm = &rw.norm, .n = 1, .x = rx};
                float score = topk_dot(x, w, d), most = topk_most(&s, 0), least = topk_least(&s, 0);
                if (!(least <= score && score <= most)) fail_msg("%s: d %zu: %.9g is not in %.9g..%.9g", kernels[c]->name, d, (double)score, (double)least, (double)most);
                if (again % 5) assert_true(most - least < 0.08f * rx.norm * rw.norm);
            }
}

/* Through a gather: hits of two halves offered to a third search. */
static void offered(void **state)
{
    enum { N = 300, D = 20, B = 3, K = 9 };
    static float base[N * D], q[B * D];
    near_t hit[K], want[K];
    err_t err = {0};
    rng_t r;
    (void)state;
    rng_seed(&r, 15);
    fill(base, N * D, &r);
    fill(q, B * D, &r);
    topk_t *all = topk_new(q, B, D, K, TOPK_AUTO, &err);
    for (size_t at = 0; at < N; at += N / 2) {
        topk_t *t = topk_new(q, B, D, K, TOPK_AUTO, &err);
        topkbase_t part = {.n = N / 2, .d = D, .f = base + at * D, .first = at};
        assert_int_equal(topk_look(t, &part, &err), 0);
        for (size_t i = 0; i < B; i++) {
            size_t n = topk_hits(t, i, hit);
            topk_offer(all, i, hit, n);
        }
        topk_free(t);
    }
    for (size_t i = 0; i < B; i++) {
        assert_int_equal(topk_hits(all, i, hit), K);
        plain(q + i * D, base, N, D, K, 0, want);
        assert_hits(hit, want, K);
    }
    topk_free(all);
}

static void refused(void **state)
{
    enum { N = 600, D = 12, B = 13 };
    static const float bad[] = {NAN, INFINITY, -INFINITY, 3e38f};
    static float base[N * D], q[B * D];
    rng_t r;
    (void)state;
    rng_seed(&r, 16);
    fill(base, N * D, &r);
    fill(q, B * D, &r);
    for (int pass = TOPK_AUTO; pass <= TOPK_INT8; pass++)
        for (int i = 0; i < 4; i++) {
            err_t err = {0};
            float keep = base[555 * D + 7];
            topkpack_t pack;
            topkbase_t part = {.n = N, .d = D, .f = base, .first = 40};
            topk_t *t = topk_new(q, B, D, 5, (topkpass_t)pass, &err);
            base[555 * D + 7] = base[590 * D] = bad[i];
            assert_int_equal(topk_look(t, &part, &err), -1);
            assert_int_equal(err.code, ERR_RANGE);
            assert_non_null(strstr(err.msg, "row 595"));
            err = (err_t){0};
            assert_int_equal(topk_pack(&part, &pack, &err), -1);
            assert_non_null(strstr(err.msg, "row 595"));
            topk_unpack(&pack);
            topk_free(t);
            base[555 * D + 7] = base[590 * D] = keep;
            err = (err_t){0};
            keep = q[8 * D], q[8 * D] = bad[i];
            assert_null(topk_new(q, B, D, 5, (topkpass_t)pass, &err));
            assert_non_null(strstr(err.msg, "query 8"));
            q[8 * D] = keep;
        }
    err_t err = {0};
    assert_null(topk_new(q, 1, 0, 5, TOPK_AUTO, &err));
    assert_int_equal(err.code, ERR_RANGE);
}

/* The largest number that is taken, and the next: the same for every kernel and pass, for rows and queries. */
static void limit(void **state)
{
    enum { D = 20, B = 5 };
    static const char *const kernel[] = {"ref", "vec", "avx2", "avx512"};
    float base[D], q[B * D];
    (void)state;
    for (int isa = 0; isa < ISA_COUNT; isa++) {
        if (!isa_runs((isa_t)isa)) continue;
        setenv("CRYOLEX_KERNEL", kernel[isa], 1);
        for (int pass = TOPK_AUTO; pass <= TOPK_INT8; pass++)
            for (int over = 0; over < 2; over++) {
                const topkbase_t part = {.n = 1, .d = D, .f = base};
                err_t err = {0};
                for (int i = 0; i < D; i++) base[i] = 0x1p52f;
                for (int i = 0; i < B * D; i++) q[i] = -0x1p52f;
                if (over) base[D - 1] = nextafterf(0x1p52f, INFINITY);
                topk_t *t = topk_new(q, B, D, 1, (topkpass_t)pass, &err);
                assert_non_null(t);
                if (topk_look(t, &part, &err) != -over) fail_msg("%s, pass %d, over %d", kernel[isa], pass, over);
                topk_free(t);
                if (over) q[B * D - 1] = -base[D - 1];
                t = topk_new(q, B, D, 1, (topkpass_t)pass, &(err_t){0});
                if ((t == NULL) != over) fail_msg("%s, pass %d, over %d: query", kernel[isa], pass, over);
                topk_free(t);
            }
    }
    unsetenv("CRYOLEX_KERNEL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kernel), cmocka_unit_test(hard_bases), cmocka_unit_test(many_queries),
        cmocka_unit_test(bounds_hold),  cmocka_unit_test(offered),    cmocka_unit_test(refused),
        cmocka_unit_test(limit),        cmocka_unit_test(many_rows),
    };
    return cmocka_run_group_tests_name("topk", tests, NULL, NULL);
}
