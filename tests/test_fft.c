/* test_fft: transforms against the sum that defines them, and their properties. */
#include "tests/test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/threads.h"
#include "voxel/fft.h"

static const size_t sides[][3] = {{8, 8, 8}, {7, 5, 3}, {1, 1, 1}, {2, 1, 2}, {16, 1, 1},  {1, 9, 1},
                                  {1, 1, 6}, {6, 10, 1}, {33, 4, 17}, {34, 20, 15}, {31, 2, 40}};
enum { NSIDES = sizeof sides / sizeof *sides };

static float *noise(size_t n, uint64_t seed)
{
    rng_t r;
    rng_seed(&r, seed);
    float *a = mem_new(n, sizeof *a, NULL);
    for (size_t i = 0; i < n; i++) a[i] = (float)rng_normal(&r);
    return a;
}

static cplx_t *forward(const size_t n[3], const float *in)
{
    cplx_t *f = mem_new((n[0] / 2 + 1) * n[1] * n[2], sizeof *f, NULL);
    assert_int_equal(fft_forward(n[0], n[1], n[2], in, f, NULL), 0);
    return f;
}

/* The defining sum at frequency k, in double. */
static void direct(const size_t n[3], const float *a, const size_t k[3], double out[2])
{
    out[0] = out[1] = 0;
    for (size_t z = 0; z < n[2]; z++)
        for (size_t y = 0; y < n[1]; y++)
            for (size_t x = 0; x < n[0]; x++) {
                double t = -2 * M_PI *
                           ((double)(k[0] * x) / (double)n[0] + (double)(k[1] * y) / (double)n[1] + (double)(k[2] * z) / (double)n[2]);
                double v = (double)a[(z * n[1] + y) * n[0] + x];
                out[0] += v * cos(t);
                out[1] += v * sin(t);
            }
}

static void is_the_defining_sum(void **state)
{
    (void)state;
    for (size_t s = 0; s < NSIDES; s++) {
        const size_t *n = sides[s], nxh = n[0] / 2 + 1, len = n[0] * n[1] * n[2];
        float *a = noise(len, s);
        cplx_t *f = forward(n, a);
        rng_t r;
        rng_seed(&r, 99 + s);
        for (int i = 0; i < 40; i++) {
            size_t k[3] = {rng_next(&r) % nxh, rng_next(&r) % n[1], rng_next(&r) % n[2]};
            double want[2];
            direct(n, a, k, want);
            const float *got = f[(k[2] * n[1] + k[1]) * nxh + k[0]];
            assert_close((double)got[0], want[0], 2e-6 * sqrt((double)len) * log2((double)len + 2));
            assert_close((double)got[1], want[1], 2e-6 * sqrt((double)len) * log2((double)len + 2));
        }
        mem_free(a);
        mem_free(f);
    }
}

/* Back again, with nothing written past the end. */
static void there_and_back(void **state)
{
    (void)state;
    for (size_t s = 0; s < NSIDES; s++) {
        const size_t *n = sides[s], len = n[0] * n[1] * n[2], half = (n[0] / 2 + 1) * n[1] * n[2];
        float *a = noise(len, s), *b = mem_new(len + 8, sizeof *b, NULL);
        cplx_t *f = mem_new(half + 8, sizeof *f, NULL);
        for (size_t i = 0; i < 8; i++) f[half + i][0] = f[half + i][1] = b[len + i] = 12345;
        assert_int_equal(fft_forward(n[0], n[1], n[2], a, f, NULL), 0);
        assert_int_equal(fft_inverse(n[0], n[1], n[2], f, b, NULL), 0);
        for (size_t i = 0; i < len; i++) assert_close((double)b[i], (double)a[i], 2e-6);
        for (size_t i = 0; i < 8; i++) assert_true(f[half + i][0] == 12345 && f[half + i][1] == 12345 && b[len + i] == 12345);
        mem_free(a);
        mem_free(b);
        mem_free(f);
    }
}

/* F(a + 3 b) = F(a) + 3 F(b); a shift by (2,1,3) is a phase. */
static void linear_and_shift(void **state)
{
    (void)state;
    const size_t n[3] = {12, 15, 10}, nxh = 7, len = 12 * 15 * 10;
    float *a = noise(len, 1), *b = noise(len, 2), *c = mem_new(len, sizeof *c, NULL), *d = mem_new(len, sizeof *d, NULL);
    for (size_t z = 0; z < n[2]; z++)
        for (size_t y = 0; y < n[1]; y++)
            for (size_t x = 0; x < n[0]; x++) {
                size_t i = (z * n[1] + y) * n[0] + x;
                c[i] = a[i] + 3 * b[i];
                d[((z + 3) % n[2] * n[1] + (y + 1) % n[1]) * n[0] + (x + 2) % n[0]] = a[i];
            }
    cplx_t *fa = forward(n, a), *fb = forward(n, b), *fc = forward(n, c), *fd = forward(n, d);
    for (size_t z = 0; z < n[2]; z++)
        for (size_t y = 0; y < n[1]; y++)
            for (size_t x = 0; x < nxh; x++) {
                size_t i = (z * n[1] + y) * nxh + x;
                double t = -2 * M_PI * ((double)(2 * x) / 12 + (double)y / 15 + (double)(3 * z) / 10);
                double re = (double)fa[i][0] * cos(t) - (double)fa[i][1] * sin(t), im = (double)fa[i][0] * sin(t) + (double)fa[i][1] * cos(t);
                assert_close((double)fc[i][0], (double)(fa[i][0] + 3 * fb[i][0]), 1e-3);
                assert_close((double)fc[i][1], (double)(fa[i][1] + 3 * fb[i][1]), 1e-3);
                assert_close((double)fd[i][0], re, 1e-3);
                assert_close((double)fd[i][1], im, 1e-3);
            }
    float *all[] = {a, b, c, d};
    cplx_t *fall[] = {fa, fb, fc, fd};
    for (int i = 0; i < 4; i++) {
        mem_free(all[i]);
        mem_free(fall[i]);
    }
}

static void parseval(void **state)
{
    (void)state;
    for (size_t s = 0; s < NSIDES; s++) {
        const size_t *n = sides[s], nxh = n[0] / 2 + 1, len = n[0] * n[1] * n[2];
        float *a = noise(len, 7 + s);
        cplx_t *f = forward(n, a);
        double real = 0, freq = 0;
        for (size_t i = 0; i < len; i++) real += (double)a[i] * (double)a[i];
        for (size_t i = 0; i < nxh * n[1] * n[2]; i++) {
            size_t x = i % nxh;
            double w = x == 0 || 2 * x == n[0] ? 1 : 2; /* the half that is not stored */
            freq += w * ((double)f[i][0] * (double)f[i][0] + (double)f[i][1] * (double)f[i][1]);
        }
        assert_close(freq / (double)len, real, 1e-5 * real);
        mem_free(a);
        mem_free(f);
    }
}

static void same_bytes_for_any_threads(void **state)
{
    (void)state;
    const size_t n[3] = {50, 37, 64}, len = 50 * 37 * 64, half = 26 * 37 * 64;
    float *a = noise(len, 5), *b = mem_new(len, sizeof *b, NULL), *c = mem_new(len, sizeof *c, NULL);
    threads_set(1);
    cplx_t *f = forward(n, a), *g;
    for (int t = 2; t <= 5; t++) {
        threads_set(t);
        g = forward(n, a);
        assert_memory_equal(f, g, half * sizeof *f);
        fft_inverse(n[0], n[1], n[2], g, c, NULL);
        mem_free(g);
        if (t > 2) assert_memory_equal(b, c, len * sizeof *b);
        memcpy(b, c, len * sizeof *b);
    }
    threads_set(1);
    fft_inverse(n[0], n[1], n[2], f, c, NULL);
    assert_memory_equal(b, c, len * sizeof *b);
    mem_free(f);
    mem_free(a);
    mem_free(b);
    mem_free(c);
}

static void plans_are_kept(void **state)
{
    (void)state;
    fftline_t l = {FFT_C2C, 24, 3, 3, 1, 0};
    const fftplan_t *p = fft_plan(&l, NULL);
    assert_non_null(p);
    assert_ptr_equal(fft_plan(&l, NULL), p);
    l.many = 2;
    assert_ptr_not_equal(fft_plan(&l, NULL), p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_the_defining_sum), cmocka_unit_test(there_and_back),
        cmocka_unit_test(linear_and_shift),    cmocka_unit_test(parseval),
        cmocka_unit_test(plans_are_kept),      cmocka_unit_test(same_bytes_for_any_threads),
    };
    return cmocka_run_group_tests_name("fft", tests, NULL, NULL);
}
