/* rows: every set of kernels against plain C's, whose own test is tests/test_nn_math.c. */
#include "config.h"

#include "tests/test.h"

#include "base/rng.h"
#include "nn/rows.h"

enum { LD = 1023, ROWS = 3 };
static const size_t sizes[] = {1, 2, 7, 8, 9, 31, 33, 384, 1000};

static void fill(float *p, size_t n, double much, rng_t *r)
{
    for (size_t i = 0; i < n; i++) p[i] = (float)(much * (2 * rng_unit(r) - 1));
}

static void softmax(void **state)
{
    static float x[ROWS * LD], y[ROWS * LD];
    rng_t r;
    (void)state;
    rng_seed(&r, 3);
    for (int isa = 1; isa < ISA_COUNT; isa++) {
        if (!isa_runs((isa_t)isa)) continue;
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            for (int much = 1; much < 1000; much *= 9) {
                const size_t c = sizes[i];
                fill(x, ROWS * LD, much, &r);
                x[c / 2] = -INFINITY;
                memcpy(y, x, sizeof x);
                rows_at(ISA_REF)->softmax(x, ROWS, c, LD);
                rows_at((isa_t)isa)->softmax(y, ROWS, c, LD);
                assert_true(y[c / 2] == 0);
                for (size_t k = 0; k < ROWS * LD; k++) {
                    if (k % LD >= rows_stride(c))
                        assert_true(x[k] == y[k]); /* guards */
                    else if (k % LD < c)
                        assert_close((double)y[k], (double)x[k], 5e-7 * (double)x[k] + 1e-37);
                }
            }
    }
}

static void softmax_odd(void **state)
{
    static const float of[][4] = {{-INFINITY, -INFINITY, -INFINITY, -INFINITY}, {0, NAN, 1, 2}, {0, INFINITY, 1, 2},
                                  {-INFINITY, NAN, -INFINITY, -INFINITY}};
    (void)state;
    for (int isa = 0; isa < ISA_COUNT; isa++) {
        if (!isa_runs((isa_t)isa)) continue;
        for (int i = 0; i < 4; i++)
            for (size_t c = 4; c < 40; c += 11) {
                float x[48];
                for (size_t k = 0; k < c; k++) x[k] = k < 4 ? of[i][k] : of[i][3];
                rows_at((isa_t)isa)->softmax(x, 1, c, c);
                for (size_t k = 0; k < c; k++) {
                    if (i == 0) assert_true(x[k] == 0);
                    if (i == 1 || i == 2 || (i == 3 && k == 1)) assert_true(isnan(x[k]));
                }
            }
    }
}

static void layernorm(void **state)
{
    static float x[LD], w[LD], b[LD], y[LD], z[LD];
    rng_t r;
    (void)state;
    rng_seed(&r, 4);
    for (int isa = 1; isa < ISA_COUNT; isa++) {
        if (!isa_runs((isa_t)isa)) continue;
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            for (int much = 1; much < 1000; much *= 30) {
                const size_t c = sizes[i];
                fill(x, LD, much, &r);
                fill(w, LD, 2, &r);
                fill(b, LD, 2, &r);
                for (size_t k = 0; k < c; k++) x[k] += (float)(3 * much);
                for (size_t k = 0; k < LD; k++) y[k] = z[k] = 77;
                rows_at(ISA_REF)->layernorm(x, c, w, b, 1e-12, y);
                rows_at((isa_t)isa)->layernorm(x, c, w, b, 1e-12, z);
                for (size_t k = 0; k < LD; k++) assert_close((double)z[k], (double)y[k], k < c ? 1e-5 : 0);
                rows_at((isa_t)isa)->layernorm(x, c, w, b, 1e-12, x); /* in place */
                assert_memory_equal(x, z, c * sizeof *x);
                x[c - 1] = NAN;
                rows_at((isa_t)isa)->layernorm(x, c, w, b, 1e-12, y);
                for (size_t k = 0; k < c; k++) assert_true(isnan(y[k]));
            }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(softmax),
        cmocka_unit_test(softmax_odd),
        cmocka_unit_test(layernorm),
    };
    return cmocka_run_group_tests_name("rows", tests, NULL, NULL);
}
