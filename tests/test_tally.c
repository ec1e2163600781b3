/* test_tally: every variant of the kernels of tally against plain C, to the last bit. */
#include "tests/test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "voxel/tally.h"

static const size_t lengths[] = {0, 1, 7, 8, 9, 15, 31, 33, 1000, 100003};
enum { LENGTHS = sizeof lengths / sizeof *lengths };

/* Values, many of them equal, and some in runs, as the vectors take them at once; `odd`: some are NaN, infinite or -0. */
static float *values(size_t n, bool odd, rng_t *r)
{
    float *x = mem_new(n + 1, sizeof *x, NULL);
    for (size_t i = 0; i < n; i++) {
        double u = rng_unit(r);
        x[i] = u < 0.3 ? 0 : u < 0.35 ? -0.0f : u < 0.4 ? (float)(u * 1e5) : (float)rng_normal(r);
        if (i % 200 >= 20 && i % 200 < 20 + i / 200 % 6 * 16) x[i] = (float[]){0, 1e6f, -1e6f, 0.5f, -0.0f}[i / 200 % 5];
        if (odd && u > 0.95) x[i] = u > 0.98 ? NAN : u > 0.97 ? -NAN : u > 0.96 ? INFINITY : -INFINITY;
    }
    return x;
}

static void range_as_plain(void **state)
{
    (void)state;
    rng_t r;
    rng_seed(&r, 1);
    for (size_t k = 0; k < 2 * LENGTHS; k++) {
        const size_t n = lengths[k / 2];
        float *x = values(n + 1, k % 2, &r); /* one more, so that addresses are odd too */
        for (int i = 1; tally_at(i); i++)
            for (size_t from = 0; from < 2; from++) {
                range_t a = RANGE_NONE, b = RANGE_NONE;
                tally_ref.range(x + from, n, &a);
                tally_at(i)->range(x + from, n, &b);
                if (!(a.least <= b.least && b.least <= a.least && a.most <= b.most && b.most <= a.most && a.bad == b.bad))
                    fail_msg("%s, %zu values: %g to %g, %zu bad; plain C: %g to %g, %zu", tally_at(i)->name, n, (double)b.least, (double)b.most, b.bad, (double)a.least,
                             (double)a.most, a.bad);
            }
        mem_free(x);
    }
}

static void nothing_has_no_range(void **state)
{
    (void)state;
    const float bad[9] = {NAN, INFINITY, -INFINITY, NAN, NAN, NAN, NAN, NAN, NAN};
    for (int i = 0; tally_at(i); i++) {
        range_t r = RANGE_NONE;
        tally_at(i)->range(bad, 9, &r);
        assert_true(r.least > r.most);
        assert_int_equal(r.bad, 9);
    }
}

static void count_as_plain(void **state)
{
    (void)state;
    rng_t r;
    rng_seed(&r, 2);
    const size_t all = TALLY_LANES * TALLY_BINS;
    uint32_t *a = mem_new(all, sizeof *a, NULL), *b = mem_new(all + 16, sizeof *b, NULL);
    static const double row[][2] = {{-3, 4096 / 6.0}, {-1e5, 0.02}, {0, 1e30}, {-1e-3, 1e6}, {1.0 / 3, 1024}};
    for (size_t k = 0; k < LENGTHS; k++)
        for (size_t j = 0; j < sizeof row / sizeof *row; j++) {
            const size_t n = lengths[k];
            float *x = values(n + 1, false, &r);
            memset(a, 0, all * sizeof *a);
            tally_ref.count(x + 1, n, row[j][0], row[j][1], a);
            size_t sum = 0;
            for (size_t v = 0; v < all; v++) sum += a[v];
            assert_int_equal(sum, n);
            for (int i = 1; tally_at(i); i++) {
                memset(b, 0, all * sizeof *b);
                memset(b + all, 0x5a, 16 * sizeof *b);
                tally_at(i)->count(x + 1, n, row[j][0], row[j][1], b);
                for (size_t v = 0; v < TALLY_BINS; v++) {
                    size_t p = 0, q = 0;
                    for (size_t l = 0; l < TALLY_LANES; l++) {
                        p += a[l * TALLY_BINS + v];
                        q += b[l * TALLY_BINS + v];
                    }
                    if (p != q) fail_msg("%s, %zu values, bin %zu: %zu, plain C %zu", tally_at(i)->name, n, v, q, p);
                }
                for (size_t v = 0; v < 16; v++) assert_int_equal(b[all + v], 0x5a5a5a5a);
            }
            mem_free(x);
        }
    mem_free(a);
    mem_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(range_as_plain), cmocka_unit_test(nothing_has_no_range), cmocka_unit_test(count_as_plain)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
