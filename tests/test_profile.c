/* test_profile: means and deviations in shells. */
#include "tests/test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/threads.h"
#include "voxel/profile.h"

enum { SEED = 4, SIDE = 32, LEN = SIDE * SIDE * SIDE };

static double distance_of(size_t i, size_t n)
{
    double c = ((double)n - 1) / 2, x = (double)(i % n) - c, y = (double)(i / n % n) - c, z = (double)(i / n / n) - c;
    return sqrt(x * x + y * y + z * z);
}

static float *random_cube(size_t n)
{
    float *cube = mem_new(n * n * n, sizeof *cube, NULL);
    rng_t r;
    rng_seed(&r, SEED);
    for (size_t i = 0; i < n * n * n; i++) cube[i] = (float)rng_unit(&r);
    return cube;
}

static void profile(const float *cube, size_t n, float *out)
{
    err_t e = {0};
    if (profile_make(cube, n, out, &e)) fail_msg("%s", e.msg);
}

/* Against sums written from the definition, shell by shell; sides with empty shells, odd, and not a multiple of 32. */
static void definition(void **state)
{
    (void)state;
    static const size_t sides[] = {1, 2, 7, 16, 32, 45, 64};
    for (size_t j = 0; j < sizeof sides / sizeof *sides; j++) {
        size_t n = sides[j], voxels = n * n * n;
        float *cube = random_cube(n), got[PROFILE_COUNT];
        double want[PROFILE_COUNT] = {0}, length = 0;
        for (size_t k = 0; k < PROFILE_SHELLS; k++) {
            double lo = (double)k * (double)n / 32, hi = (double)(k + 1) * (double)n / 32, sum = 0, sq = 0, count = 0;
            for (size_t i = 0; i < voxels; i++) {
                double d = distance_of(i, n);
                if (d < lo || d >= hi) continue;
                sum += (double)cube[i];
                sq += (double)cube[i] * (double)cube[i];
                count++;
            }
            if (count == 0) continue;
            want[k] = sum / count;
            want[PROFILE_SHELLS + k] = sqrt(fmax(sq / count - want[k] * want[k], 0));
        }
        for (size_t k = 0; k < PROFILE_COUNT; k++) length += want[k] * want[k];
        profile(cube, n, got);
        for (size_t k = 0; k < PROFILE_COUNT; k++) assert_close((double)got[k], want[k] / sqrt(length), 1e-6);
        mem_free(cube);
    }
}

/* A function of the radius that is constant in each shell: means as given, no deviation. */
static void shells(void **state)
{
    (void)state;
    float cube[LEN], got[PROFILE_COUNT];
    double length = 0;
    for (size_t i = 0; i < LEN; i++) cube[i] = (float)(1 + floor(distance_of(i, SIDE)));
    for (int k = 0; k < PROFILE_SHELLS; k++) length += (k + 1) * (k + 1);
    profile(cube, SIDE, got);
    for (int k = 0; k < PROFILE_SHELLS; k++) {
        assert_close((double)got[k], (k + 1) / sqrt(length), 1e-7);
        assert_close((double)got[PROFILE_SHELLS + k], 0, 0);
    }
}

/* All 24 rotations and 24 mirror images of the axes; another scale; another number of threads. */
static void invariance(void **state)
{
    (void)state;
    static const int perm[6][3] = {{0, 1, 2}, {1, 2, 0}, {2, 0, 1}, {1, 0, 2}, {0, 2, 1}, {2, 1, 0}};
    float *cube = random_cube(SIDE), *turned = mem_new(LEN, sizeof *turned, NULL);
    float want[PROFILE_COUNT], got[PROFILE_COUNT];
    profile(cube, SIDE, want);
    for (int k = 0; k < 48; k++) {
        for (size_t i = 0; i < LEN; i++) {
            const size_t at[3] = {i % SIDE, i / SIDE % SIDE, i / SIDE / SIDE};
            size_t to[3];
            for (int a = 0; a < 3; a++) to[a] = k >> a & 1 ? SIDE - 1 - at[perm[k / 8][a]] : at[perm[k / 8][a]];
            turned[(to[2] * SIDE + to[1]) * SIDE + to[0]] = cube[i];
        }
        profile(turned, SIDE, got);
        for (size_t i = 0; i < PROFILE_COUNT; i++) assert_close((double)got[i], (double)want[i], 1e-7);
    }
    for (size_t i = 0; i < LEN; i++) turned[i] = cube[i] * 1e-3f;
    profile(turned, SIDE, got);
    assert_close(profile_distance(got, want), 0, 1e-6);
    threads_set(4);
    profile(cube, SIDE, got);
    assert_memory_equal(got, want, sizeof got);
    mem_free(cube);
    mem_free(turned);
}

/* A density of two Gaussians about the centre, turned to any pose: within 0.03, while a wider pair is further off. */
static void any_rotation(void **state)
{
    (void)state;
    float cube[LEN], want[PROFILE_COUNT], got[PROFILE_COUNT];
    rng_t r;
    rng_seed(&r, SEED);
    double worst = 0, apart = 0;
    for (int k = 0; k < 10; k++) {
        double u[3], norm = 0, away = k == 9 ? 8 : 5;
        for (int a = 0; a < 3; a++) norm += pow(u[a] = k ? rng_normal(&r) : a == 0, 2);
        for (size_t i = 0; i < LEN; i++) {
            const size_t at[3] = {i % SIDE, i / SIDE % SIDE, i / SIDE / SIDE};
            double near = 0, far = 0;
            for (int a = 0; a < 3; a++) {
                double x = (double)at[a] - (SIDE - 1) / 2.0, c = away * u[a] / sqrt(norm);
                near += (x - c) * (x - c);
                far += (x + c) * (x + c);
            }
            cube[i] = (float)(exp(-near / 18) + exp(-far / 18));
        }
        profile(cube, SIDE, k ? got : want);
        double d = k ? profile_distance(got, want) : 0;
        if (k == 9) apart = d;
        else if (!(d <= worst)) worst = d;
    }
    printf("# distance after rotation: at most %.2g; to the wider pair: %.2g\n", worst, apart);
    assert_close(worst, 0, 0.03);
    assert_true(apart > 0.2);
}

static void refusals(void **state)
{
    (void)state;
    float cube[8 * 8 * 8] = {0}, out[PROFILE_COUNT];
    static const size_t bad[] = {0, PROFILE_SIDE_MAX + 1, 8 /* all zero */};
    for (size_t i = 0; i < 3; i++) {
        err_t e = {0};
        assert_int_equal(profile_make(cube, bad[i], out, &e), -1);
        assert_int_equal(e.code, ERR_RANGE);
    }
    static const float odd[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < 3; i++) {
        err_t e = {0};
        cube[3 * 64 + 3 * 8 + 4] = odd[i];
        assert_int_equal(profile_make(cube, 8, out, &e), -1);
        assert_int_equal(e.code, ERR_RANGE);
        assert_non_null(strstr(e.msg, "NaN"));
    }
    cube[3 * 64 + 3 * 8 + 4] = 1;
    cube[0] = NAN; /* beyond the last shell */
    assert_int_equal(profile_make(cube, 8, out, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(definition),   cmocka_unit_test(shells),   cmocka_unit_test(invariance),
        cmocka_unit_test(any_rotation), cmocka_unit_test(refusals),
    };
    printf("# seed %d\n", SEED);
    return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}
