/* test_symmetry: bodies made of blobs under each kind of group, turned and noisy, and bodies without symmetry. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "voxel/symmetry.h"

enum { SIDE = 24, MOST = 120 };
typedef struct {
    double m[9];
} turn_t;

static uint64_t state = 1;
static double uniform(void) /* -1..1 */
{
    state ^= state >> 12, state ^= state << 25, state ^= state >> 27;
    return (double)(state * 0x2545f4914f6cdd1du >> 11) / (double)(1ull << 52) - 1;
}

static turn_t about(double x, double y, double z, double angle)
{
    const double n = sqrt(x * x + y * y + z * z), c = cos(angle), s = sin(angle), t = 1 - c;
    x /= n, y /= n, z /= n;
    return (turn_t){{t * x * x + c, t * x * y - s * z, t * x * z + s * y, t * x * y + s * z, t * y * y + c, t * y * z - s * x, t * x * z - s * y, t * y * z + s * x, t * z * z + c}};
}

static turn_t times(const turn_t *a, const turn_t *b)
{
    turn_t r = {{0}};
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            for (int k = 0; k < 3; k++) r.m[3 * i + j] += a->m[3 * i + k] * b->m[3 * k + j];
    return r;
}

/* All products of two generators. */
static size_t close_group(turn_t g[MOST], turn_t a, turn_t b)
{
    size_t n = 1;
    const turn_t gen[2] = {a, b};
    g[0] = about(0, 0, 1, 0);
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < 2; k++) {
            turn_t t = times(&g[i], &gen[k]);
            bool new = true;
            for (size_t j = 0; new && j < n; j++) {
                double d = 0;
                for (int e = 0; e < 9; e++) d += fabs(t.m[e] - g[j].m[e]);
                new = d > 1e-3;
            }
            if (new && n < MOST) g[n++] = t;
        }
    return n;
}

/* Blobs of one subunit under the group, the whole in any pose, about its centre of mass. */
static void make(const turn_t *g, size_t n, double radius, double noise, float *cube)
{
    enum { BLOBS = 5 };
    const turn_t pose = about(uniform(), uniform(), uniform(), 3 * uniform());
    double p[BLOBS][3], mid[3] = {0};
    for (int i = 0; i < BLOBS; i++)
        for (int k = 0; k < 3; k++) p[i][k] = 0.5 * radius * uniform() + (i ? p[0][k] : radius * (k == 0 ? 0.8 : 0.35));
    memset(cube, 0, SIDE * SIDE * SIDE * sizeof *cube);
    for (int pass = 0; pass < 2; pass++)
        for (size_t t = 0; t < n; t++)
            for (int i = 0; i < BLOBS; i++) {
                turn_t all = times(&pose, &g[t]);
                double q[3];
                for (int k = 0; k < 3; k++) q[k] = all.m[3 * k] * p[i][0] + all.m[3 * k + 1] * p[i][1] + all.m[3 * k + 2] * p[i][2];
                for (int k = 0; !pass && k < 3; k++) mid[k] += q[k] / (double)(n * BLOBS);
                for (int z = 0; pass && z < SIDE; z++)
                    for (int y = 0; y < SIDE; y++)
                        for (int x = 0; x < SIDE; x++) {
                            const double d[3] = {x - 11.5 - q[0] + mid[0], y - 11.5 - q[1] + mid[1], z - 11.5 - q[2] + mid[2]};
                            cube[(z * SIDE + y) * SIDE + x] += (float)exp(-(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]) / 3.0);
                        }
            }
    for (int i = 0; i < SIDE * SIDE * SIDE; i++) cube[i] += (float)(noise * uniform());
}

static void groups(void **unused)
{
    static float cube[SIDE * SIDE * SIDE];
    static turn_t g[MOST];
    const double phi = (1 + sqrt(5)) / 2;
    const turn_t none = about(0, 0, 1, 0), two = about(1, 0, 0, M_PI), three = about(1, 1, 1, 2 * M_PI / 3);
    const struct {
        const char *name;
        turn_t a, b;
        size_t order;
        double radius;
    } rows[] = {{"C1", none, none, 1, 8},
                {"C2", two, none, 2, 6},
                {"C3", three, none, 3, 6},
                {"C4", about(0, 0, 1, M_PI / 2), none, 4, 6},
                {"C7", about(0, 0, 1, 2 * M_PI / 7), none, 7, 9},
                {"D2", two, about(0, 0, 1, M_PI), 4, 6},
                {"D3", two, about(0, 0, 1, 2 * M_PI / 3), 6, 7},
                {"D5", two, about(0, 0, 1, 2 * M_PI / 5), 10, 8},
                {"T", three, about(0, 0, 1, M_PI), 12, 8},
                {"O", three, about(0, 0, 1, M_PI / 2), 24, 9},
                {"I", three, about(0, 1, phi, 2 * M_PI / 5), 60, 10}};
    (void)unused;
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        size_t n = close_group(g, rows[k].a, rows[k].b);
        symmetry_t s;
        err_t err = {0};
        assert_int_equal(n, rows[k].order);
        make(g, n, rows[k].radius, 0.01, cube);
        assert_int_equal(symmetry_guess(cube, SIDE, &s, &err), 0);
        if (strcmp(s.group, rows[k].name) != 0) fail_msg("%s: said %s (score %.3f, contrast %.3f)", rows[k].name, s.group, s.score, s.contrast);
        assert_int_equal(s.order, n);
        assert_true(s.score <= 1 && s.score >= SYMMETRY_SCORE && (n == 1 || s.contrast >= SYMMETRY_CONTRAST));
    }
}

static void featureless(void **unused)
{
    static float cube[SIDE * SIDE * SIDE];
    symmetry_t s;
    err_t err = {0};
    (void)unused;
    for (int ring = 0; ring < 2; ring++) {
        for (int i = 0; i < SIDE * SIDE * SIDE; i++) {
            const double x = i % SIDE - 11.5, y = i / SIDE % SIDE - 11.5, z = i / SIDE / SIDE - 11.5, r = sqrt(x * x + y * y);
            cube[i] = (float)(ring ? exp(-((r - 6) * (r - 6) + z * z) / 4) : exp(-(x * x + y * y + z * z) / 30));
        }
        assert_int_equal(symmetry_guess(cube, SIDE, &s, &err), 0);
        if (!ring) assert_string_equal(s.group, "C1");
        else assert_true(s.order <= 4); /* a ring is turned over by any twofold axis in its plane */
    }
    assert_int_equal(symmetry_guess(cube, 8, &s, &err), -1);
    assert_int_equal(err.code, ERR_RANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(groups), cmocka_unit_test(featureless)};
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
