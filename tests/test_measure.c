/* Tests of pipeline/measure and base/sha256: cases worked by hand, properties, threads. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "base/mem.h"
#include "base/rng.h"
#include "base/sha256.h"
#include "pipeline/bench.h"
#include "pipeline/measure.h"
#include "tests/test.h"

enum { ALL = 0x80 };

static void near_to(double got, double want) { assert_true(fabs(got - want) <= 1e-12); }

/* Rank and average precision of 4 entries. */
static void rank4(const float *score, const uint8_t *bits, unsigned in, double *rank, double *ap)
{
    static const uint32_t tie[] = {3, 2, 1, 0};
    measure_key_t key[4];
    uint32_t order[4];
    measure_order(score, tie, 4, key, order);
    measure_rank(order, 4, bits, 1, in, rank, ap);
}

static void test_rank(void **state)
{
    (void)state;
    static const float down[] = {4, 3, 2, 1}, up[] = {1, 2, 3, 4}, equal[] = {1, 1, 1, 1}, none[] = {NAN, 1, NAN, 2};
    double rank, ap;
    rank4(down, (const uint8_t[]){ALL | 1, ALL, ALL | 1, ALL}, ALL, &rank, &ap);
    near_to(rank, 1);
    near_to(ap, (1 + 2.0 / 3) / 2);
    rank4(down, (const uint8_t[]){ALL, ALL, ALL, ALL | 1}, ALL, &rank, &ap);
    near_to(rank, 4);
    near_to(ap, 0.25);
    rank4(up, (const uint8_t[]){ALL, ALL, ALL, ALL}, ALL, &rank, &ap);
    assert_true(isnan(rank) && isnan(ap));
    rank4(up, (const uint8_t[]){ALL | 1, ALL, 0, 0}, ALL, &rank, &ap); /* two entries are not in the gallery */
    near_to(rank, 2);
    rank4(equal, (const uint8_t[]){ALL | 1, ALL, ALL, ALL}, ALL, &rank, &ap); /* the last by the order of ties */
    near_to(rank, 4);
    rank4(none, (const uint8_t[]){ALL, ALL, ALL | 1, ALL}, ALL, &rank, &ap); /* not numbers come last, by the order of ties */
    near_to(rank, 3);
}

static void test_ties(void **state)
{
    (void)state;
    enum { N = 1000 };
    err_t err = {0};
    uint32_t *a = measure_ties(N, 1, &err), *b = measure_ties(N, 1, &err), *c = measure_ties(N, 2, &err);
    unsigned char seen[N] = {0};
    assert_true(a && b && c && !memcmp(a, b, N * sizeof *a) && memcmp(a, c, N * sizeof *a));
    for (size_t i = 0; i < N; i++) seen[a[i]]++;
    for (size_t i = 0; i < N; i++) assert_int_equal(seen[i], 1);
    mem_free(a);
    mem_free(b);
    mem_free(c);
}

static void test_bootstrap(void **state)
{
    (void)state;
    enum { N = 400 };
    err_t err = {0};
    bootstrap_t b;
    interval_t x, y;
    double value[N];
    uint32_t group[N];
    rng_t r;
    rng_seed(&r, 7);
    for (uint32_t i = 0; i < N; i++) value[i] = rng_normal(&r), group[i] = i;
    assert_int_equal(bootstrap_new(&b, N, 2000, 1, &err), 0);
    for (size_t t = 0; t < b.times; t++) {
        size_t sum = 0;
        for (size_t g = 0; g < N; g++) sum += b.count[t * N + g];
        assert_int_equal(sum, N);
    }
    assert_int_equal(bootstrap_mean(&b, group, value, N, &x, &err), 0);
    double mean = 0, sq = 0;
    for (int i = 0; i < N; i++) mean += value[i] / N, sq += value[i] * value[i] / N;
    near_to(x.value, mean);
    double half = 1.96 * sqrt((sq - mean * mean) / N); /* the normal approximation, within a tenth */
    assert_true(fabs(x.high - mean - half) <= 0.1 * half && fabs(mean - x.low - half) <= 0.1 * half);
#ifdef _OPENMP
    omp_set_num_threads(3);
#endif
    assert_int_equal(bootstrap_mean(&b, group, value, N, &y, &err), 0);
    assert_memory_equal(&x, &y, sizeof x);
    for (int i = 0; i < N; i++) value[i] = i % 2 ? (double)NAN : 3; /* what is not a number does not count */
    assert_int_equal(bootstrap_mean(&b, group, value, N, &x, &err), 0);
    assert_true(x.value == 3 && x.low == 3 && x.high == 3);
    bootstrap_free(&b);
    for (int i = 0; i < N; i++) group[i] = 0; /* one group is one trial */
    assert_int_equal(bootstrap_new(&b, 1, 10, 1, &err), 0);
    value[0] = 9;
    assert_int_equal(bootstrap_mean(&b, group, value, N, &x, &err), 0);
    assert_true(x.low == x.value && x.high == x.value);
    bootstrap_free(&b);
    assert_int_equal(bootstrap_new(&b, 0, 10, 1, &err), -1);
    assert_int_equal(err.code, ERR_RANGE);
}

/* Two queries and three terms, by hand. */
static void test_cafa(void **state)
{
    (void)state;
    static const double information[] = {1, 2, 4};
    static const float one[] = {0.9f, 0.5f, 0.1f}, two[] = {0.2f, 0.0f, 0.7f};
    static const uint8_t a[] = {1, 1, 0}, b[] = {1, 0, 0}, nothing[] = {0, 0, 0};
    err_t err = {0};
    cafaset_t s;
    cafaresult_t r;
    double ap, f;
    assert_int_equal(cafa_new(&s, 2, &err), 0);
    cafa_add(&s, 0, one, a, information, 3, &ap, &f);
    near_to(ap, 1);
    near_to(f, 1);
    cafa_add(&s, 1, two, b, information, 3, &ap, &f);
    near_to(ap, 0.5);
    near_to(f, 2.0 / 3); /* both predicted, one right */
    cafa_add(&s, 1, two, nothing, information, 3, &ap, &f);
    assert_true(isnan(ap) && isnan(f));
    assert_int_equal(cafa_result(&s, NULL, &r, &err), 0);
    near_to(r.queries, 2);
    /* 0.11 to 0.2: the first predicts both terms, the second one of two right: precision 3/4, recall 1 */
    near_to(r.fmax.value, 2 * 0.75 / 1.75);
    near_to(r.threshold, 0.11);
    near_to(r.precision[14], 0.75);
    near_to(r.recall[14], 1);
    near_to(r.precision[79], 1); /* 0.8: only the first predicts */
    near_to(r.recall[79], 0.25);
    assert_true(isnan(r.precision[99]));
    /* wrong and remaining: at 0.2 (4 / 2, 0), at 0.5 (4 / 2, 1 / 2), at 0.8 (0, (2 + 1) / 2), at 1 (0, 4 / 2) */
    near_to(r.smin.value, 1.5);
    /* pairs by score: 0.9 right, 0.7 wrong, 0.5 right, 0.2 right, ... */
    near_to(r.aupr.value, (1 + 2.0 / 3 + 3.0 / 4) / 3);
    cafa_free(&s);
}

static void test_sha256(void **state)
{
    (void)state;
    static const struct {
        const char *text, *hash;
    } known[] = {{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
                 {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
                 {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"}};
    char out[SHA256_HEX];
    for (size_t k = 0; k < sizeof known / sizeof *known; k++)
        for (size_t piece = 1; piece < 70; piece += 23) {
            sha256_t s;
            size_t n = strlen(known[k].text);
            sha256_start(&s);
            for (size_t at = 0; at < n; at += piece) sha256_add(&s, known[k].text + at, n - at < piece ? n - at : piece);
            sha256_end(&s, out);
            assert_string_equal(out, known[k].hash);
        }
    err_t err = {0};
    assert_int_equal(sha256_file("/nonexistent", out, &err), -1);
    assert_int_equal(err.code, ERR_IO);
}

/* Whose entry an id is of. */
static void test_entry(void **state)
{
    (void)state;
    static const char *const of[][2] = {{"1abc", "1abc"},           {"1ABC_A", "1abc"},     {"1abc-2", "1abc"},         {"2hd0_ABCDEFGHIJKL", "2hd0"}, {"emd_1080", "emd-1080"},
                                        {"EMD-1080_5A", "emd-1080"}, {"emd_1081", "emd-1081"}, {"My_model-1", "my_model-1"}, {"abcd_2", "abcd_2"},          {"1abcd_2", "1abcd_2"}, {"", ""}};
    for (size_t k = 0; k < sizeof of / sizeof *of; k++) {
        char out[16];
        bench_entry(of[k][0], out, sizeof out);
        if (strncmp(out, of[k][1], sizeof out - 1) != 0) fail_msg("%s: %s (wanted %s)", of[k][0], out, of[k][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rank),      cmocka_unit_test(test_ties), cmocka_unit_test(test_bootstrap),
        cmocka_unit_test(test_cafa), cmocka_unit_test(test_sha256),    cmocka_unit_test(test_entry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
