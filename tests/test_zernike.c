/* test_zernike: 3D Zernike invariants: the basis, exact and analytic values, invariance, refusals. */
#include "tests/test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/threads.h"
#include "voxel/zernike.h"

enum { SEED = 3, SIDE = 32, COUNT = 121 };

static int setup(void **state)
{
    *state = zernike_new(ZERNIKE_ORDER, NULL);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    zernike_free(*state);
    return 0;
}

static void invariants(const zernike_t *z, const float *cube, size_t n, double radius, zernorm_t norm, float *out)
{
    err_t e = {0};
    if (zernike_invariants(z, cube, n, radius, norm, out, &e)) fail_msg("%s", e.msg);
}

/* Largest difference of two vectors, in units of the length of the second. */
static double apart(const float *a, const float *b, size_t n)
{
    double top = 0, length = 0;
    for (size_t i = 0; i < n; i++) {
        double d = fabs((double)a[i] - (double)b[i]);
        if (!(d <= top)) top = d;
        length += (double)b[i] * (double)b[i];
    }
    return top / sqrt(length);
}

static void fill_random(float *cube, size_t n, uint64_t seed)
{
    rng_t r;
    rng_seed(&r, seed);
    for (size_t i = 0; i < n; i++) cube[i] = (float)rng_unit(&r);
}

static void places(void **state)
{
    const zernike_t *z = *state;
    size_t next = 0;
    for (int n = 0; n <= 20; n++)
        for (int l = n % 2; l <= n; l += 2) assert_int_equal(zernike_place(n, l), next++);
    assert_int_equal(next, COUNT);
    assert_int_equal(zernike_count(z), COUNT);
    assert_int_equal(zernike_terms(z), 1771);
}

/* Nodes and weights of the n-point Gauss-Legendre rule on [-1,1], by bisection between the extrema of cos(n acos x). */
static double legendre_at(int n, double x)
{
    double a = 1, b = x;
    for (int k = 2; k <= n; k++) {
        double c = ((2 * k - 1) * x * b - (k - 1) * a) / k;
        a = b;
        b = c;
    }
    return n ? b : a;
}

static void rule(int n, double *x, double *w)
{
    for (int i = 0; i < n; i++) {
        double lo = cos(M_PI * (i + 1) / (n + 0.5)), hi = cos(M_PI * (i + 0.5) / (n + 0.5));
        for (int step = 0; step < 60; step++) {
            double mid = (lo + hi) / 2;
            *((legendre_at(n, mid) > 0) == (legendre_at(n, hi) > 0) ? &hi : &lo) = mid;
        }
        x[i] = lo;
        double p = legendre_at(n - 1, lo);
        w[i] = 2 * (1 - lo * lo) / (n * n * p * p);
    }
}

/* 3/(4 pi) times the integral over the ball of the products of all pairs out of some polynomials, by a rule in r, cos
 * theta and phi that is exact for them. */
static double worst_gram(int order, size_t stride)
{
    enum { MAX = 40, PICK = 200 };
    zernike_t *z = zernike_new(order, NULL);
    size_t terms = zernike_terms(z), pick = (terms + stride - 1) / stride;
    double *value = mem_new(terms, sizeof *value, NULL), *gram = mem_zero(pick * pick, sizeof *gram, NULL);
    double r[MAX], wr[MAX], c[MAX], wc[MAX], worst = 0;
    int n = order + 2, nphi = 2 * order + 1;
    assert_true(n <= MAX && pick <= PICK);
    rule(n, r, wr);
    rule(n, c, wc);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            for (int k = 0; k < nphi; k++) {
                double rad = (r[i] + 1) / 2, s = sqrt(1 - c[j] * c[j]), phi = 2 * M_PI * k / nphi;
                double at[3] = {rad * s * cos(phi), rad * s * sin(phi), rad * c[j]};
                double w = wr[i] / 2 * rad * rad * wc[j] * 2 * M_PI / nphi * 3 / (4 * M_PI);
                zernike_values(z, at, value, NULL);
                for (size_t a = 0; a < pick; a++)
                    for (size_t b = 0; b <= a; b++) gram[a * pick + b] += w * value[a * stride] * value[b * stride];
            }
    for (size_t a = 0; a < pick; a++)
        for (size_t b = 0; b <= a; b++) {
            double d = fabs(gram[a * pick + b] - (a == b));
            if (!(d <= worst)) worst = d;
        }
    mem_free(value);
    mem_free(gram);
    zernike_free(z);
    return worst;
}

static void basis_is_orthonormal(void **state)
{
    (void)state;
    assert_close(worst_gram(0, 1), 0, 1e-12);
    assert_close(worst_gram(1, 1), 0, 1e-12);
    assert_close(worst_gram(7, 1), 0, 1e-11);  /* all 120 */
    assert_close(worst_gram(20, 13), 0, 1e-7); /* 137 of the 1771, from every parity */
}

/* Z_00 = 1, Z_11 are sqrt(5) x, y, z (mean square 1), and the sum over m of Z_nl^2 depends on r alone. */
static void basis_values(void **state)
{
    const zernike_t *z = *state;
    double value[1771], sum[COUNT] = {0}, turned[COUNT] = {0}, three = 0;
    size_t place[1771];
    const double a[3] = {0.3, -0.5, 0.4}, b[3] = {0.5, 0.3, -0.4};
    zernike_values(z, a, value, place);
    for (size_t i = 0; i < 1771; i++) {
        sum[place[i]] += value[i] * value[i];
        if (place[i] == zernike_place(0, 0)) assert_close(value[i], 1, 1e-7);
        if (place[i] == zernike_place(1, 1)) three += value[i] * value[i];
    }
    assert_close(three, 5 * 0.5, 1e-7);
    zernike_values(z, b, value, place);
    for (size_t i = 0; i < 1771; i++) turned[place[i]] += value[i] * value[i];
    for (size_t i = 0; i < COUNT; i++) assert_close(turned[i], sum[i], 1e-6 * (1 + sum[i]));
}

/* R_n0(r) = sqrt(2n + 3) P_n+1(r) / r, P the Legendre polynomial: r R_n0 are odd polynomials, orthonormal on [0,1]. */
static double radial(int n, double r) { return sqrt(2 * n + 3) * legendre_at(n + 1, r) / r; }

/* Spherical densities: F_n0 = sqrt(3) |integral of R_n0 f r^2 dr|, F_nl = 0. */
static double shell_value(int n, double (*f)(double))
{
    enum { STEPS = 4000 };
    double sum = 0;
    for (int i = 0; i < STEPS; i++) {
        double r = (i + 0.5) / STEPS;
        sum += radial(n, r) * f(r) * r * r / STEPS;
    }
    return fabs(sqrt(3) * sum);
}

static double gaussian(double r) { return exp(-r * r / (2 * 0.2 * 0.2)); }
static double ball(double r) { return r < 0.6; }

/* f averaged over 4 x 4 x 4 points of each voxel. */
static float *spherical(size_t n, double (*f)(double))
{
    enum { SUB = 4 };
    float *cube = mem_zero(n * n * n, sizeof *cube, NULL);
    for (size_t i = 0; i < n * n * n; i++)
        for (int k = 0; k < SUB * SUB * SUB; k++) {
            double h = 2.0 / (double)n, x = ((double)(i % n) + (k % SUB + 0.5) / SUB) * h - 1;
            double y = ((double)(i / n % n) + (k / SUB % SUB + 0.5) / SUB) * h - 1;
            double u = ((double)(i / n / n) + (k / SUB / SUB + 0.5) / SUB) * h - 1;
            cube[i] += (float)(f(sqrt(x * x + y * y + u * u)) / (SUB * SUB * SUB));
        }
    return cube;
}

static void check_spherical(const zernike_t *z, size_t side, double (*f)(double), double tol)
{
    float *cube = spherical(side, f), out[COUNT];
    invariants(z, cube, side, (double)side / 2, ZERNIKE_RAW, out);
    double unit = shell_value(0, f);
    for (int n = 0; n <= 20; n++)
        for (int l = n % 2; l <= n; l += 2)
            assert_close((double)out[zernike_place(n, l)] / unit, l ? 0 : shell_value(n, f) / unit, tol);
    mem_free(cube);
}

/* The error is that of voxels of constant value, which goes as the square of their size. */
static void spherical_densities(void **state)
{
    check_spherical(*state, 64, gaussian, 8e-3);
    check_spherical(*state, 128, gaussian, 2e-3);
    check_spherical(*state, 64, ball, 2e-2);
    check_spherical(*state, 65, gaussian, 8e-3); /* odd side: a voxel at the centre */
}

/* The mean of the density times the volume of its voxels, exactly; and Bessel's inequality. */
static void mass_and_power(void **state)
{
    const zernike_t *z = *state;
    for (size_t n = 1; n <= 33; n += 8) {
        float *cube = mem_new(n * n * n, sizeof *cube, NULL), out[COUNT];
        fill_random(cube, n * n * n, SEED);
        double radius = (double)n * 0.9, mass = 0, power = 0, sum = 0, ball_volume = 4 * M_PI / 3 * pow(radius, 3);
        for (size_t i = 0; i < n * n * n; i++) { /* the whole cube is in this ball */
            mass += (double)cube[i];
            power += (double)cube[i] * (double)cube[i];
        }
        invariants(z, cube, n, radius, ZERNIKE_RAW, out);
        for (size_t i = 0; i < COUNT; i++) sum += (double)out[i] * (double)out[i];
        assert_close((double)out[0], mass / ball_volume, 1e-6 * mass / ball_volume);
        assert_true(sum <= power / ball_volume);
        mem_free(cube);
    }
}

/* Voxels that reach out of the ball do not count, those inside do. */
static void ball_limits(void **state)
{
    const zernike_t *z = *state;
    enum { N = 12 };
    static const double radius[] = {4.6, 3, 0.9}; /* 3: voxels whose far corner is on the sphere, 1 + 4 + 4 */
    float cube[N * N * N], out[COUNT];
    for (size_t i = 0; i < 3 * N * N * N; i++) {
        double d = 0, rr = radius[i % 3] * radius[i % 3];
        const size_t at[3] = {i / 3 % N, i / 3 / N % N, i / 3 / N / N};
        for (int k = 0; k < 3; k++) d += pow(fabs((double)at[k] - (N - 1) / 2.0) + 0.5, 2);
        memset(cube, 0, sizeof cube);
        cube[i / 3] = 1;
        int status = zernike_invariants(z, cube, N, radius[i % 3], ZERNIKE_UNIT, out, NULL);
        assert_int_equal(status, d <= rr ? 0 : -1);
    }
}

/* Axis rotation number k of 48 (signed permutations of the axes; the mirror images among them). */
static void turn(const float *in, size_t n, int k, float *out)
{
    static const int perm[6][3] = {{0, 1, 2}, {1, 2, 0}, {2, 0, 1}, {1, 0, 2}, {0, 2, 1}, {2, 1, 0}};
    for (size_t i = 0; i < n * n * n; i++) {
        const size_t at[3] = {i % n, i / n % n, i / n / n};
        size_t to[3];
        for (int a = 0; a < 3; a++) {
            size_t v = at[perm[k / 8][a]];
            to[a] = k >> a & 1 ? n - 1 - v : v;
        }
        out[(to[2] * n + to[1]) * n + to[0]] = in[i];
    }
}

static void axis_rotations(void **state)
{
    for (size_t n = SIDE - 1; n <= SIDE; n++) {
        size_t len = n * n * n;
        float *a = mem_new(len, sizeof *a, NULL), *b = mem_new(len, sizeof *b, NULL), want[COUNT], got[COUNT];
        fill_random(a, len, SEED);
        invariants(*state, a, n, (double)n / 2, ZERNIKE_UNIT, want);
        for (int k = 0; k < 48; k++) {
            turn(a, n, k, b);
            invariants(*state, b, n, (double)n / 2, ZERNIKE_UNIT, got);
            assert_close(apart(got, want, COUNT), 0, 1e-6);
        }
        mem_free(a);
        mem_free(b);
    }
}

/* Sum of Gaussians in the ball, its centres turned by the quaternion q. */
static void sample_blobs(float *cube, size_t n, const double q[4], uint64_t seed)
{
    enum { BLOBS = 12 };
    double c[BLOBS][3], rot[3][3];
    double w = q[0], x = q[1], y = q[2], z = q[3];
    const double m[3][3] = {{1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)},
                            {2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)},
                            {2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)}};
    memcpy(rot, m, sizeof rot);
    rng_t r;
    rng_seed(&r, seed);
    for (int b = 0; b < BLOBS; b++) {
        double p[3];
        for (int a = 0; a < 3; a++) p[a] = (rng_unit(&r) - 0.5) * 0.6;
        for (int a = 0; a < 3; a++) c[b][a] = rot[a][0] * p[0] + rot[a][1] * p[1] + rot[a][2] * p[2];
    }
    for (size_t i = 0; i < n * n * n; i++) {
        const size_t at[3] = {i % n, i / n % n, i / n / n};
        double sum = 0;
        for (int b = 0; b < BLOBS; b++) {
            double dd = 0;
            for (int a = 0; a < 3; a++) dd += pow((2 * (double)at[a] + 1) / (double)n - 1 - c[b][a], 2);
            sum += exp(-dd / (2 * 0.1 * 0.1));
        }
        cube[i] = (float)sum;
    }
}

/* Gaussians of sigma 1.6 voxels at random poses: within 1 % of the length of the vector, while another set of
 * centres is more than 10 % away. */
static void any_rotation(void **state)
{
    size_t len = SIDE * SIDE * SIDE;
    float *cube = mem_new(len, sizeof *cube, NULL), want[COUNT], got[COUNT];
    rng_t r;
    rng_seed(&r, SEED);
    double worst = 0, q[4] = {1, 0, 0, 0};
    sample_blobs(cube, SIDE, q, 1);
    invariants(*state, cube, SIDE, SIDE / 2.0, ZERNIKE_UNIT, want);
    for (int k = 0; k < 8; k++) {
        double norm = 0;
        for (int a = 0; a < 4; a++) norm += pow(q[a] = rng_normal(&r), 2);
        for (int a = 0; a < 4; a++) q[a] /= sqrt(norm);
        sample_blobs(cube, SIDE, q, 1);
        invariants(*state, cube, SIDE, SIDE / 2.0, ZERNIKE_UNIT, got);
        double d = zernike_distance(got, want, COUNT);
        if (!(d <= worst)) worst = d;
    }
    printf("# distance after rotation: at most %.2g\n", worst);
    assert_close(worst, 0, 0.01);
    sample_blobs(cube, SIDE, q, 2);
    invariants(*state, cube, SIDE, SIDE / 2.0, ZERNIKE_UNIT, got);
    printf("# distance to another density: %.2g\n", zernike_distance(got, want, COUNT));
    assert_true(zernike_distance(got, want, COUNT) > 0.1);
    mem_free(cube);
}

static void norms(void **state)
{
    size_t len = SIDE * SIDE * SIDE;
    float *cube = mem_new(len, sizeof *cube, NULL), raw[COUNT], mass[COUNT], unit[COUNT], scaled[COUNT];
    fill_random(cube, len, SEED);
    invariants(*state, cube, SIDE, 15, ZERNIKE_RAW, raw);
    invariants(*state, cube, SIDE, 15, ZERNIKE_MASS, mass);
    invariants(*state, cube, SIDE, 15, ZERNIKE_UNIT, unit);
    double length = 0;
    for (size_t i = 0; i < COUNT; i++) length += (double)unit[i] * (double)unit[i];
    assert_close(length, 1, 1e-6);
    assert_close((double)mass[0], 1, 1e-7);
    for (size_t i = 0; i < COUNT; i++) assert_close((double)mass[i], (double)raw[i] / (double)raw[0], 1e-6);
    for (size_t i = 0; i < len; i++) cube[i] *= 1000;
    invariants(*state, cube, SIDE, 15, ZERNIKE_RAW, scaled);
    assert_close((double)scaled[50], 1000 * (double)raw[50], 1e-3 * (double)raw[50]);
    invariants(*state, cube, SIDE, 15, ZERNIKE_MASS, scaled);
    assert_close(apart(scaled, mass, COUNT), 0, 1e-6);
    invariants(*state, cube, SIDE, 15, ZERNIKE_UNIT, scaled);
    assert_close(apart(scaled, unit, COUNT), 0, 1e-6);
    mem_free(cube);
}

/* A lower order is the beginning of the vector of a higher one. */
static void orders(void **state)
{
    size_t len = SIDE * SIDE * SIDE;
    float *cube = mem_new(len, sizeof *cube, NULL), full[COUNT], part[COUNT];
    fill_random(cube, len, SEED);
    invariants(*state, cube, SIDE, 16, ZERNIKE_RAW, full);
    for (int order = 0; order <= ZERNIKE_ORDER; order += 5) {
        zernike_t *z = zernike_new(order, NULL);
        invariants(z, cube, SIDE, 16, ZERNIKE_RAW, part);
        assert_close(apart(part, full, zernike_count(z)), 0, 1e-6);
        zernike_free(z);
    }
    mem_free(cube);
}

static void any_thread_count(void **state)
{
    size_t len = SIDE * SIDE * SIDE;
    float *cube = mem_new(len, sizeof *cube, NULL), one[COUNT], many[4][COUNT];
    fill_random(cube, len, SEED);
    threads_set(1);
    invariants(*state, cube, SIDE, 16, ZERNIKE_UNIT, one);
    threads_set(4);
    int failed = 0;
#pragma omp parallel for reduction(+ : failed)
    for (int k = 0; k < 4; k++) failed += zernike_invariants(*state, cube, SIDE, 16, ZERNIKE_UNIT, many[k], NULL) != 0;
    assert_int_equal(failed, 0);
    for (int k = 0; k < 4; k++) assert_memory_equal(many[k], one, sizeof one);
    mem_free(cube);
}

static void refusals(void **state)
{
    float cube[8 * 8 * 8] = {0}, out[COUNT];
    static const struct {
        size_t n;
        double radius;
    } bad[] = {{0, 4}, {ZERNIKE_SIDE_MAX + 1, 4}, {8, 0}, {8, -1}, {8, NAN}, {8, INFINITY}, {8, 4} /* all zero */};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        err_t e = {0};
        assert_int_equal(zernike_invariants(*state, cube, bad[i].n, bad[i].radius, ZERNIKE_UNIT, out, &e), -1);
        assert_int_equal(e.code, ERR_RANGE);
    }
    static const float odd[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < 3; i++) {
        err_t e = {0};
        cube[3 * 64 + 3 * 8 + 4] = odd[i];
        assert_int_equal(zernike_invariants(*state, cube, 8, 4, ZERNIKE_RAW, out, &e), -1);
        assert_int_equal(e.code, ERR_RANGE);
        assert_non_null(strstr(e.msg, "NaN"));
    }
    err_t e = {0};
    assert_null(zernike_new(-1, &e));
    assert_null(zernike_new(ZERNIKE_ORDER + 1, &e));
    assert_int_equal(e.code, ERR_RANGE);
    zernike_free(NULL);
}

static void distance(void **state)
{
    (void)state;
    static const float a[] = {1, 2, 3}, b[] = {1, 5, 7};
    assert_close(zernike_distance(a, b, 3), 5, 1e-12);
    assert_close(zernike_distance(a, a, 3), 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places),         cmocka_unit_test(basis_is_orthonormal), cmocka_unit_test(basis_values),
        cmocka_unit_test(mass_and_power), cmocka_unit_test(spherical_densities),  cmocka_unit_test(ball_limits),
        cmocka_unit_test(axis_rotations), cmocka_unit_test(any_rotation),         cmocka_unit_test(norms),
        cmocka_unit_test(orders),         cmocka_unit_test(any_thread_count),     cmocka_unit_test(refusals),
        cmocka_unit_test(distance),
    };
    printf("# seed %d\n", SEED);
    return cmocka_run_group_tests_name("zernike", tests, setup, teardown);
}
