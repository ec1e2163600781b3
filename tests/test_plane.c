/* test_plane: principal components of points that lie in a known plane; files of embeddings read back. */
#include <unistd.h>

#include "tests/test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/threads.h"
#include "pipeline/plane.h"
#include "pipeline/vectors.h"

enum { N = 200, D = 24 };

/* Points 5 a + 2 b + a little, a and b at right angles and of unit length. */
static void make(float *z, double *a, double *b)
{
    rng_t r;
    rng_seed(&r, 7);
    for (size_t k = 0; k < N; k++) {
        a[k] = 2 * rng_unit(&r) - 1;
        b[k] = 2 * rng_unit(&r) - 1;
        for (size_t i = 0; i < D; i++) {
            double u = i < D / 2 ? 1 / sqrt(D / 2) : 0, w = i >= D / 2 ? -1 / sqrt(D / 2) : 0;
            z[k * D + i] = (float)(3 + 5 * a[k] * u + 2 * b[k] * w + 0.001 * rng_unit(&r));
        }
    }
}

static double correlation(const double *at, const double *x)
{
    double ma = 0, mx = 0, aa = 0, xx = 0, ax = 0;
    for (size_t k = 0; k < N; k++) ma += at[2 * k] / N, mx += x[k] / N;
    for (size_t k = 0; k < N; k++) aa += (at[2 * k] - ma) * (at[2 * k] - ma), xx += (x[k] - mx) * (x[k] - mx), ax += (at[2 * k] - ma) * (x[k] - mx);
    return ax / sqrt(aa * xx);
}

static void plane(void **state)
{
    (void)state;
    static float z[N * D];
    static double a[N], b[N], at[2 * N], again[2 * N];
    double share[2];
    make(z, a, b);
    threads_set(1);
    assert_int_equal(plane_of(z, N, D, at, share, NULL), 0);
    assert_close(share[0] + share[1], 1, 1e-4);
    assert_true(share[0] > 4 * share[1]);
    assert_close(correlation(at, a), 1, 1e-3); /* its largest loading is positive, */
    assert_close(fabs(correlation(at + 1, b)), 1, 1e-3);
    assert_close(correlation(at + 1, b), -1, 1e-3); /* and so is that of the second, along which b falls */
    for (int j = 2; j < 5; j++) {
        threads_set(j);
        assert_int_equal(plane_of(z, N, D, again, share, NULL), 0);
        assert_memory_equal(at, again, sizeof at);
    }
}

static void edges(void **state)
{
    (void)state;
    float same[12] = {1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3}, bad[6] = {0, NAN, 1, INFINITY, 2, 0};
    double at[8] = {9, 9, 9, 9, 9, 9, 9, 9}, share[2];
    err_t err = {0};
    assert_int_equal(plane_of(same, 4, 3, at, share, NULL), 0);
    assert_true(share[0] == 0 && share[1] == 0);
    for (int i = 0; i < 8; i++) assert_true(at[i] == 0);
    assert_int_equal(plane_of(bad, 3, 2, at, share, NULL), 0);
    assert_true(isfinite(at[0]) && isfinite(at[5]));
    assert_int_equal(plane_of(same, 12, 1, at, share, &err), 0);
    assert_int_equal(plane_of(same, 1, 0, at, share, &err), -1);
    assert_int_equal(err.code, ERR_RANGE);
}

static void round_trip(void **state)
{
    (void)state;
    char path[64];
    vectors_t v = {.d = 3}, back;
    err_t err = {0};
    const float z[6] = {1, 2, 3, -4, 5.5f, 6};
    snprintf(path, sizeof path, "plane.%ld.tmpfile.h5", (long)getpid());
    assert_int_equal(vectors_add(&v, "a", 10, z, NULL), 0);
    assert_int_equal(vectors_add(&v, "b\303\251", 11, z + 3, NULL), 0);
    assert_int_equal(vectors_h5(path, &v, "0123456789abcdef", 1, NULL), 0);
    assert_int_equal(vectors_read(path, &back, NULL), 0);
    assert_int_equal(back.n, 2);
    assert_int_equal(back.d, 3);
    assert_string_equal(back.id[1], "b\303\251");
    assert_true(back.rg[0] == 10);
    assert_memory_equal(back.z, z, sizeof z);
    vectors_free(&back);
    vectors_free(&v);
    FILE *f = fopen(path, "wb");
    fputs("no HDF5", f);
    fclose(f);
    assert_int_equal(vectors_read(path, &back, &err), -1);
    assert_int_equal(err.code, ERR_FORMAT);
    remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(plane), cmocka_unit_test(edges), cmocka_unit_test(round_trip)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
