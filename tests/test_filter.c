/* test_filter: gains by formula, and their effect on single waves. */
#include "tests/test.h"

#include "base/rng.h"
#include "base/threads.h"
#include "voxel/filter.h"

/* cos(2 pi (kx x/nx + ky y/ny + kz z/nz)) + 5 */
static vol_t *wave(size_t nx, size_t ny, size_t nz, int kx, int ky, int kz)
{
    vol_t *v = vol_new(nx, ny, nz, 1, NULL);
    v->voxel[0] = 1.5;
    v->voxel[1] = 2;
    v->voxel[2] = 0.8;
    for (size_t z = 0; z < nz; z++)
        for (size_t y = 0; y < ny; y++)
            for (size_t x = 0; x < nx; x++)
                v->data[vol_idx(v, x, y, z)] =
                    (float)(5 + cos(2 * M_PI * (kx * (double)x / (double)nx + ky * (double)y / (double)ny + kz * (double)z / (double)nz)));
    return v;
}

static void gain_by_formula(void **state)
{
    (void)state;
    filter_t lp = {.lowpass = 10, .edge = 0.4}, hp = {.highpass = 20}, b = {.bfactor = 80}, g = {.sigma = 3};
    assert_close(filter_gain(&lp, 0), 1, 0);
    assert_close(filter_gain(&lp, 0.08), 1, 1e-12);
    assert_close(filter_gain(&lp, 0.1), 0.5, 1e-12);
    assert_close(filter_gain(&lp, 0.11), 0.5 * (1 - sin(M_PI / 4)), 1e-12);
    assert_close(filter_gain(&lp, 0.12), 0, 1e-12);
    assert_close(filter_gain(&lp, 5), 0, 0);
    assert_close(filter_gain(&hp, 0), 0, 0);
    assert_close(filter_gain(&hp, 0.05), 0.5, 1e-12);
    assert_close(filter_gain(&hp, 0.05 * (1 - FILTER_EDGE / 2) - 1e-9), 0, 0);
    assert_close(filter_gain(&hp, 0.05 * (1 + FILTER_EDGE / 2) + 1e-9), 1, 0);
    assert_close(filter_gain(&b, 0.2), exp(-80 * 0.04 / 4), 1e-12);
    assert_close(filter_gain(&g, 0.1), exp(-2 * M_PI * M_PI * 9 * 0.01), 1e-12);
    filter_t both = {.bfactor = 80, .sigma = 3};
    assert_close(filter_gain(&both, 0.1), filter_gain(&b, 0.1) * filter_gain(&g, 0.1), 1e-12);
    assert_close(filter_gain(&(filter_t){0}, 3), 1, 0);
}

static void waves_take_their_gain(void **state)
{
    (void)state;
    static const struct {
        size_t n[3];
        int k[3];
        filter_t f;
    } rows[] = {
        {{20, 15, 12}, {2, 0, 0}, {.lowpass = 15, .edge = 0.5}},   {{20, 15, 12}, {0, -2, 0}, {.lowpass = 14, .edge = 0.5}},
        {{20, 15, 12}, {1, 2, -1}, {.bfactor = 200}},              {{21, 16, 1}, {10, 8, 0}, {.bfactor = -3}},
        {{9, 7, 5}, {-3, 2, 2}, {.sigma = 0.7}},                   {{20, 15, 12}, {3, 1, 1}, {.highpass = 5, .edge = 1}},
        {{20, 20, 20}, {1, 1, 1}, {.highpass = 9, .lowpass = 3}},  {{1, 1, 16}, {0, 0, 8}, {.sigma = 0.5}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const size_t *n = rows[i].n;
        const int *k = rows[i].k;
        vol_t *v = wave(n[0], n[1], n[2], k[0], k[1], k[2]), *w = vol_clone(v, NULL);
        double s = 0;
        for (int a = 0; a < 3; a++) {
            double q = k[a] / ((double)n[a] * v->voxel[a]);
            s += q * q;
        }
        double mean = filter_gain(&rows[i].f, 0), gain = filter_gain(&rows[i].f, sqrt(s));
        assert_int_equal(filter_apply(w, &rows[i].f, NULL), 0);
        for (size_t j = 0; j < vol_len(v); j++)
            assert_close((double)w->data[j], 5 * mean + gain * ((double)v->data[j] - 5), 3e-6 * fmax(1, gain));
        vol_free(v);
        vol_free(w);
    }
}

/* A Gaussian of sigma 2 blurred by sigma 1.5 is one of sigma 2.5, same mass. */
static void gaussians_add(void **state)
{
    (void)state;
    vol_t *v = vol_new(32, 32, 32, 1, NULL), *w = vol_clone(v, NULL);
    for (size_t z = 0; z < 32; z++)
        for (size_t y = 0; y < 32; y++)
            for (size_t x = 0; x < 32; x++) {
                double r2 = ((double)x - 16) * ((double)x - 16) + ((double)y - 16) * ((double)y - 16) + ((double)z - 16) * ((double)z - 16);
                v->data[vol_idx(v, x, y, z)] = (float)(exp(-r2 / 8) / 8);
                w->data[vol_idx(w, x, y, z)] = (float)(exp(-r2 / 12.5) / 15.625);
            }
    assert_int_equal(filter_apply(v, &(filter_t){.sigma = 1.5}, NULL), 0);
    for (size_t i = 0; i < vol_len(v); i++) assert_close((double)v->data[i], (double)w->data[i], 1e-6);
    vol_free(v);
    vol_free(w);
}

static void bad_filters(void **state)
{
    (void)state;
    const filter_t rows[] = {{.lowpass = -1}, {.lowpass = NAN}, {.highpass = INFINITY}, {.edge = 2.5}, {.edge = -1},
                             {.bfactor = NAN}, {.sigma = -2}};
    vol_t *v = wave(4, 4, 4, 1, 0, 0), *w = vol_clone(v, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        err_t e = {0};
        assert_int_equal(filter_apply(v, &rows[i], &e), -1);
        assert_int_equal(e.code, ERR_RANGE);
    }
    assert_memory_equal(v->data, w->data, vol_len(v) * sizeof *v->data);
    vol_free(v);
    vol_free(w);
}

static void same_bytes_for_any_threads(void **state)
{
    (void)state;
    vol_t *v = vol_new(30, 22, 41, 1.1, NULL);
    rng_t r;
    rng_seed(&r, 3);
    for (size_t i = 0; i < vol_len(v); i++) v->data[i] = (float)rng_normal(&r);
    vol_t *w = vol_clone(v, NULL);
    filter_t f = {.lowpass = 4, .bfactor = 20};
    threads_set(1);
    assert_int_equal(filter_apply(v, &f, NULL), 0);
    threads_set(3);
    assert_int_equal(filter_apply(w, &f, NULL), 0);
    assert_memory_equal(v->data, w->data, vol_len(v) * sizeof *v->data);
    vol_free(v);
    vol_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gain_by_formula), cmocka_unit_test(waves_take_their_gain), cmocka_unit_test(gaussians_add),
        cmocka_unit_test(bad_filters),     cmocka_unit_test(same_bytes_for_any_threads),
    };
    return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
