/* test_ops: activations against libm in double; every variant of the passes against plain C, at awkward sizes, with guards. */
#include "tests/test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "nn/act.h"
#include "nn/fmath.h"
#include "nn/pass.h"

static double act_true(act_t a, double x)
{
    if (a == ACT_RELU) return x > 0 ? x : 0;
    if (a == ACT_SILU) return x / (1 + exp(-x));
    return a == ACT_GELU ? x * 0.5 * erfc(-x * M_SQRT1_2) : x;
}

static double slope_true(act_t a, double x)
{
    double s = 1 / (1 + exp(-x));
    if (a == ACT_RELU) return x > 0;
    if (a == ACT_SILU) return s * (1 + x * (1 - s));
    return a == ACT_GELU ? 0.5 * erfc(-x * M_SQRT1_2) + x * exp(-x * x / 2) / sqrt(2 * M_PI) : 1;
}

static void activations(void **state)
{
    (void)state;
    enum { M = 24001 };
    static float x[M], y[M], one[M], d[M];
    for (size_t i = 0; i < M; i++) {
        x[i] = ((float)i - 12000) * 1e-3f;
        one[i] = 1;
    }
    for (int a = 0; a < ACT_COUNT; a++) {
        act_forward((act_t)a, x, M, y);
        act_backward((act_t)a, x, one, M, d);
        for (size_t i = 0; i < M; i++) {
            assert_close(y[i], act_true((act_t)a, (double)x[i]), 1.5e-7 * fmax(1, fabs((double)x[i])));
            assert_close(d[i], slope_true((act_t)a, (double)x[i]), 2e-7 * fmax(2, fabs((double)x[i])));
        }
        for (size_t n = 0; n < 40; n++) { /* in place, any length, nothing past the end */
            float z[41], w[41];
            memcpy(z, x + 11990, sizeof z);
            memcpy(w, one, sizeof w);
            act_forward((act_t)a, z, n, z);
            act_backward((act_t)a, x + 11990, w, n, w);
            for (size_t i = 0; i < n; i++) {
                assert_close(z[i], y[11990 + i], 1e-6);
                assert_close(w[i], d[11990 + i], 1e-6);
            }
            assert_close(z[n], x[11990 + n], 0);
            assert_close(w[n], 1, 0);
        }
    }
}

static void exponentials(void **state)
{
    (void)state;
    for (float x = -86.9f; x < 87.9f; x += 0.0037f) assert_close((double)fmath_exp(x) / exp((double)x), 1, 3e-7);
    for (float x = -6; x < 6; x += 0.0003f) assert_close(fmath_erf(x), erf((double)x), 2e-7);
    assert_close(fmath_exp(-1000) * 1e30f, 0, 1e-7);
    assert_true(isfinite(fmath_exp(1000)));
    assert_true(isnan(fmath_exp(NAN)) && isnan(fmath_erf(NAN)));
}

/* n random floats, aligned, with 16 guards past the end; free with mem_free. */
enum { GUARD = 16 };
static float *numbers(rng_t *rng, size_t n)
{
    float *x = mem_new(n + GUARD, sizeof *x, NULL);
    for (size_t i = 0; i < n; i++) x[i] = (float)rng_normal(rng);
    for (size_t i = 0; i < GUARD; i++) x[n + i] = 777;
    return x;
}

static void alike(const char *what, isa_t isa, const float *a, const float *b, size_t n, double tol)
{
    for (size_t i = 0; i < n + GUARD; i++)
        if (!(fabs((double)a[i] - (double)b[i]) <= (i < n ? tol : 0)))
            fail_msg("%s, %s, %zu of %zu: %.9g, plain C %.9g", what, isa_name(isa), i, n, (double)a[i], (double)b[i]);
}

static void moments(isa_t isa, const float *x, size_t vox, size_t b)
{
    double s[2][PASS_LANES];
    for (int square = 0; square < 2; square++)
        for (int m = 0; m < 2; m++) {
            pass_ref.moment(x, vox, b, m ? x : NULL, square, s[0]);
            pass_at(isa)->moment(x, vox, b, m ? x : NULL, square, s[1]);
            for (size_t l = 0; l < b; l++) assert_close(s[1][l], s[0][l], 1e-5 * (double)(vox + 1));
        }
}

static void applies(isa_t isa, rng_t *rng, const float *x, size_t vox, size_t b)
{
    size_t n = vox * b;
    float *scale = numbers(rng, b), *shift = numbers(rng, b), *add = numbers(rng, n), *y = numbers(rng, n), *z = numbers(rng, n);
    for (int k = 0; k < 8; k++) {
        pass_ref.apply(x, k & 1 ? scale : NULL, shift, k & 2 ? add : NULL, k & 4, vox, b, y);
        pass_at(isa)->apply(x, k & 1 ? scale : NULL, shift, k & 2 ? add : NULL, k & 4, vox, b, z);
        alike("apply", isa, z, y, n, 1e-5);
    }
    mem_free(scale);
    mem_free(shift);
    mem_free(add);
    mem_free(y);
    mem_free(z);
}

static void backs(isa_t isa, rng_t *rng, const float *x, size_t vox, size_t b)
{
    size_t n = vox * b;
    double s[2][PASS_LANES], t[2][PASS_LANES];
    float *k = numbers(rng, 4 * b), *out = numbers(rng, n);
    for (int c = 0; c < 16; c++) {
        float *d[2], *add[2], *dx[2];
        rng_t same = *rng;
        for (int v = 0; v < 2; v++) {
            rng_t again = same;
            const pass_t *p = v ? pass_at(isa) : &pass_ref;
            d[v] = numbers(&again, n);
            add[v] = numbers(&again, n);
            dx[v] = numbers(&again, n);
            p->back(d[v], c & 1 ? out : NULL, c & 2 ? x : NULL, k, vox, b, c & 4 ? add[v] : NULL, c & 8, s[v], t[v]);
            p->back_x(d[v], x, k, vox, b, dx[v], c & 8);
        }
        alike("back", isa, d[1], d[0], n, 0);
        alike("back, add", isa, add[1], add[0], n, 0);
        alike("back_x", isa, dx[1], dx[0], n, 1e-5);
        for (size_t l = 0; (c & 2) && l < b; l++) {
            assert_close(s[1][l], s[0][l], 1e-5 * (double)(vox + 1));
            assert_close(t[1][l], t[0][l], 1e-5 * (double)(vox + 1));
        }
        for (int v = 0; v < 2; v++) {
            mem_free(d[v]);
            mem_free(add[v]);
            mem_free(dx[v]);
        }
    }
    mem_free(k);
    mem_free(out);
}

static const size_t sizes[] = {0, 1, 7, 8, 9, 31, 33, 64, 65, 1000};
#define NSIZES (sizeof sizes / sizeof *sizes)

static void passes(void **state)
{
    (void)state;
    rng_t rng;
    rng_seed(&rng, 11);
    for (int isa = 1; isa < ISA_COUNT; isa++)
        for (size_t i = 0; isa_runs((isa_t)isa) && i < NSIZES; i++)
            for (size_t b = 1; b <= isa_block((isa_t)isa); b += isa_block((isa_t)isa) - 1) {
                float *x = numbers(&rng, sizes[i] * b + PASS_LANES);
                moments((isa_t)isa, x, sizes[i], b);
                applies((isa_t)isa, &rng, x, sizes[i], b);
                backs((isa_t)isa, &rng, x, sizes[i], b);
                mem_free(x);
            }
}

static void products(void **state)
{
    (void)state;
    static const size_t rows[] = {1, 3, 4, 5, 9}, inner[] = {0, 1, 7, 33}, columns[] = {16, 48};
    rng_t rng;
    rng_seed(&rng, 12);
    for (int isa = 1; isa < ISA_COUNT; isa++)
        for (size_t c = 0; isa_runs((isa_t)isa) && c < 5 * 4 * 2 * 2; c++) {
            size_t m = rows[c % 5], k = inner[c / 5 % 4], n = columns[c / 20 % 2];
            float *a = numbers(&rng, m * k), *b = numbers(&rng, k * n), *y = numbers(&rng, m * n), *z = numbers(&rng, m * n);
            memcpy(z, y, m * n * sizeof *z);
            for (int turned = 0; turned < 2; turned++) {
                size_t ars = turned ? 1 : k, acs = turned ? m : 1;
                pass_ref.product(m, n, k, a, ars, acs, b, n, y, n, c >= 40);
                pass_at((isa_t)isa)->product(m, n, k, a, ars, acs, b, n, z, n, c >= 40);
                alike("product", (isa_t)isa, z, y, m * n, 1e-4);
            }
            for (size_t i = 0; i < m; i++) { /* a row alone gives the same bytes */
                pass_at((isa_t)isa)->product(m, n, k, a, k, 1, b, n, z, n, 0);
                pass_at((isa_t)isa)->product(1, n, k, a + i * k, k, 1, b, n, y, n, 0);
                assert_memory_equal(z + i * n, y, n * sizeof *y);
            }
            mem_free(a);
            mem_free(b);
            mem_free(y);
            mem_free(z);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(activations),
        cmocka_unit_test(exponentials),
        cmocka_unit_test(passes),
        cmocka_unit_test(products),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
