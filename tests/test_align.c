/* test_align: the aligned correlation of cubes against the plain one, numpy, and what must not change it. */
#include "tests/test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/threads.h"
#include "voxel/align.h"
#include "voxel/desc_kern.h"

enum { N = DESC_SIDE, BLOBS = 9, ROWS = 300 };

/* Gaussians in a cube: the same for the same seed, after a shift (voxels), a rotation about z (radians) and a change of scale. */
typedef struct {
    double shift[3], angle, scale;
} move_t;

static void draw(uint64_t seed, const move_t *m, int8_t desc[DESC_LEN])
{
    static float cube[DESC_LEN];
    rng_t r;
    memset(cube, 0, sizeof cube);
    rng_seed(&r, seed);
    for (int b = 0; b < BLOBS; b++) {
        double p[3], w = 1 + rng_unit(&r);
        for (int d = 0; d < 3; d++) p[d] = (8 * rng_unit(&r) - 4) * m->scale;
        const double c[3] = {cos(m->angle) * p[0] - sin(m->angle) * p[1] + m->shift[0], sin(m->angle) * p[0] + cos(m->angle) * p[1] + m->shift[1],
                             p[2] + m->shift[2]};
        for (int i = 0; i < DESC_LEN; i++) {
            double x = i % N - 7.5 - c[0], y = i / N % N - 7.5 - c[1], z = i / (N * N) - 7.5 - c[2];
            cube[i] += (float)(w * exp(-(x * x + y * y + z * z) / (2 * 1.6 * 1.6 * m->scale * m->scale)));
        }
    }
    desc_pack(cube, N, desc);
}

static const move_t still = {.scale = 1};

/* Plain and aligned correlation of q with n cubes, one after another. */
static void compare(const int8_t *q, const int8_t *c, size_t n, float *plain, float *aligned)
{
    float *t = mem_new((size_t)TURNS * ALIGN_IMAGES, DESC_LEN * sizeof *t, NULL);
    size_t *row = mem_new(n, sizeof *row, NULL);
    for (size_t i = 0; i < n; i++) row[i] = i;
    desc_turns(q, t);
    assert_int_equal(desc_match(t, 1, c, row, sizeof *row, n, plain, NULL), 0);
    align_turns(q, t);
    assert_int_equal(desc_match(t, ALIGN_IMAGES, c, row, sizeof *row, n, aligned, NULL), 0);
    mem_free(t);
    mem_free(row);
}

/* Each mode by itself, in both directions: what the plain correlation loses comes back. */
static void forgives_a_little(void **state)
{
    (void)state;
    static const move_t row[] = {{{0.7, 0, 0}, 0, 1},  {{0, 0.7, 0}, 0, 1},  {{0, 0, 0.7}, 0, 1}, {{0}, 0.2, 1}, {{0}, 0, 1.12},
                                 {{-0.7, 0, 0}, 0, 1}, {{0, -0.7, 0}, 0, 1}, {{0}, -0.2, 1},      {{0}, 0, 0.9}, {{0.4, -0.3, 0.3}, 0.1, 1.05}};
    int8_t q[DESC_LEN], c[DESC_LEN];
    float plain, aligned;
    draw(3, &still, q);
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        draw(3, &row[i], c);
        compare(q, c, 1, &plain, &aligned);
        double lost = 1 - (double)plain, left = 1 - (double)aligned;
        if (!(lost > 0.01 && left < 0.4 * lost)) fail_msg("move %zu: 1 - correlation %.4f, aligned %.4f", i, lost, left);
    }
}

/* Rotations about all three axes: by turning both cubes, the rotation about z becomes one about x, and about y. */
static void all_axes_alike(void **state)
{
    (void)state;
    const move_t m = {.shift = {0.3, 0, 0.5}, .angle = 0.15, .scale = 1.05};
    int8_t q[DESC_LEN], c[DESC_LEN], u[DESC_LEN], v[DESC_LEN];
    float x[DESC_LEN], y[DESC_LEN], plain, first, aligned;
    draw(4, &still, q);
    draw(4, &m, c);
    compare(q, c, 1, &plain, &first);
    for (int k = 0; k < TURNS; k++) { /* the query turned, the entry turned, both turned by the same */
        for (size_t i = 0; i < DESC_LEN; i++) x[i] = q[i];
        turn_cube(x, N, k, y);
        for (size_t i = 0; i < DESC_LEN; i++) u[i] = (int8_t)y[i];
        for (size_t i = 0; i < DESC_LEN; i++) x[i] = c[i];
        turn_cube(x, N, k, y);
        for (size_t i = 0; i < DESC_LEN; i++) v[i] = (int8_t)y[i];
        compare(u, c, 1, &plain, &aligned);
        assert_close((double)aligned, (double)first, 2e-5);
        compare(q, v, 1, &plain, &aligned);
        assert_close((double)aligned, (double)first, 2e-5);
        compare(u, v, 1, &plain, &aligned);
        assert_close((double)aligned, (double)first, 2e-5);
    }
}

/* Never below the plain one, never above 1, of like cubes as of noise; a wrong one stays behind. */
static void within_bounds(void **state)
{
    (void)state;
    int8_t q[DESC_LEN], *c = mem_new(ROWS, DESC_LEN, NULL);
    float plain[ROWS], aligned[ROWS], self, also;
    rng_t r;
    rng_seed(&r, 5);
    draw(5, &still, q);
    for (size_t i = 0; i < ROWS; i++) {
        draw(i % 3 ? 100 + i : 5, &(move_t){.shift = {0.01 * (double)i, 0, 0}, .scale = 1}, c + i * DESC_LEN);
        for (size_t j = 0; i % 3 == 2 && j < DESC_LEN; j++) c[i * DESC_LEN + j] = (int8_t)(rng_next(&r) % 200 - 100);
    }
    compare(q, c, ROWS, plain, aligned);
    for (size_t i = 0; i < ROWS; i++) {
        assert_true(aligned[i] >= plain[i] - 1.01e-5f);
        assert_true(aligned[i] <= 1);
        if (i % 3) assert_true(aligned[i] < aligned[0]);
    }
    compare(q, q, 1, &self, &also);
    assert_close((double)also, 1, 2e-5);
    for (size_t j = 0; j < DESC_LEN; j++) c[j] = (int8_t)-q[j]; /* what looks the other way in every turn gains nothing */
    for (size_t j = 0; j < DESC_LEN; j++) q[j] = c[DESC_LEN + j] = 0;
    q[DESC_LEN / 2 + N * N / 2 + N / 2] = 127;
    for (size_t j = 0; j < DESC_LEN; j++) c[j] = (int8_t)(j % 7);
    for (int k = 0; k < TURNS; k++) {
        float x[DESC_LEN], y[DESC_LEN];
        for (size_t j = 0; j < DESC_LEN; j++) x[j] = q[j];
        turn_cube(x, N, k, y);
        for (size_t j = 0; j < DESC_LEN; j++)
            if (y[j] > 0) c[j] = -100;
    }
    compare(q, c, 1, plain, aligned);
    assert_true(plain[0] < 0);
    assert_close((double)aligned[0], (double)plain[0], 1e-5);
    mem_free(c);
}

static void constant_is_nothing(void **state)
{
    (void)state;
    int8_t q[DESC_LEN], flat[DESC_LEN];
    float plain, aligned;
    draw(6, &still, q);
    for (int k = 0; k < 2; k++) {
        memset(flat, k ? 5 : 0, sizeof flat);
        compare(flat, q, 1, &plain, &aligned);
        assert_close((double)aligned, 0, 0);
        compare(q, flat, 1, &plain, &aligned);
        assert_close((double)aligned, 0, 0);
    }
}

static void same_for_any_threads(void **state)
{
    (void)state;
    int8_t q[DESC_LEN], *c = mem_new(ROWS, DESC_LEN, NULL);
    float plain[2][ROWS], aligned[2][ROWS];
    int threads = threads_max();
    draw(7, &still, q);
    for (size_t i = 0; i < ROWS; i++) draw(7 + i / 2, &(move_t){.shift = {0, 0.3, 0}, .scale = 1}, c + i * DESC_LEN);
    for (int k = 0; k < 2; k++) {
        threads_set(k ? 3 : 1);
        compare(q, c, ROWS, plain[k], aligned[k]);
    }
    threads_set(threads);
    assert_memory_equal(plain[0], plain[1], sizeof *plain);
    assert_memory_equal(aligned[0], aligned[1], sizeof *aligned);
    mem_free(c);
}

/* Every variant of the kernel against plain C, to the last bit, and no further than asked. */
static void bytes_as_plain(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 7, 8, 9, 31, 33, 1000, DESC_LEN};
    static int8_t d[DESC_LEN + 1];
    static float a[DESC_LEN + 8], b[DESC_LEN + 8];
    static uint8_t x[DESC_LEN + 8], y[DESC_LEN + 8];
    rng_t r;
    rng_seed(&r, 9);
    for (size_t i = 0; i <= DESC_LEN; i++) d[i] = (int8_t)(rng_next(&r) >> 56);
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++)
        for (int i = 1; desc_kern_at(i); i++) {
            const size_t n = lengths[k];
            int32_t p[2], q[2];
            for (size_t j = 0; j < DESC_LEN + 8; j++) a[j] = b[j] = -1000;
            desc_kern_ref.unpack(d + 1, n, a, p);
            desc_kern_at(i)->unpack(d + 1, n, b, q);
            assert_memory_equal(a, b, sizeof a);
            assert_memory_equal(p, q, sizeof p);
            if (n) assert_close((double)b[n - 1], d[n], 0);
            memset(x, 0x5a, sizeof x);
            memset(y, 0x5a, sizeof y);
            desc_kern_ref.lift(d + 1, n, x, p);
            desc_kern_at(i)->lift(d + 1, n, y, q);
            assert_memory_equal(x, y, sizeof x);
            assert_memory_equal(p, q, sizeof p);
            if (n) assert_int_equal(y[n - 1], d[n] + 128);
        }
}

/* Bumps and noise of all sizes, bytes at their limits, and a constant. */
static int8_t *mixed_cubes(size_t n)
{
    int8_t *c = mem_new(n, DESC_LEN, NULL);
    rng_t r;
    rng_seed(&r, 31);
    for (size_t e = 0; e < n; e++)
        for (size_t i = 0; i < DESC_LEN; i++) {
            const double far = fabs((double)(i % N) - 7) + fabs((double)(i / N % N) - 8) + fabs((double)(i / (N * N)) - (double)(e % 9)), u = rng_unit(&r);
            c[e * DESC_LEN + i] = e % 7 == 3 ? 5 : e % 7 == 5 ? (int8_t)(u < 0.5 ? -127 : 127) : (int8_t)lrint(100 * exp(-far * far / (double)(10 + e)) + 20 * (u - 0.5) * (double)(e % 4));
        }
    return c;
}

/* Plain correlations in whole numbers and in floats; and no bound is below what it bounds, or far above it. */
static void whole_numbers(void **state)
{
    (void)state;
    enum { CUBES = 300 };
    int8_t *c = mixed_cubes(CUBES);
    float *turns = mem_new((size_t)TURNS * ALIGN_IMAGES * DESC_LEN, sizeof *turns, NULL), a[CUBES], b[CUBES], most[CUBES];
    size_t row[CUBES];
    double over = 0;
    for (size_t i = 0; i < CUBES; i++) row[i] = (7 * i + 3) % CUBES;
    for (size_t k = 0; k < 12; k++) {
        const int8_t *q = c + k * 17 * DESC_LEN;
        desc_turns(q, turns);
        assert_int_equal(desc_match(turns, 1, c, row, sizeof *row, CUBES, a, NULL), 0);
        descquery_t *w = desc_query(q, NULL);
        assert_int_equal(desc_correlate(w, c, row, sizeof *row, CUBES, b, NULL), 0);
        for (size_t i = 0; i < CUBES; i++) assert_close((double)b[i], (double)a[i], 1.5 * DESC_STEP);
        desc_query_free(w);
        align_turns(q, turns);
        assert_int_equal(desc_match(turns, ALIGN_IMAGES, c, row, sizeof *row, CUBES, a, NULL), 0);
        w = desc_query_images(turns, ALIGN_IMAGES, NULL);
        assert_int_equal(desc_most(w, c, row, sizeof *row, CUBES, most, NULL), 0);
        for (size_t i = 0; i < CUBES; i++) {
            assert_true(most[i] >= a[i] && most[i] <= 1);
            over = fmax(over, most[i] < 1 ? (double)(most[i] - a[i]) : 0);
        }
        desc_query_free(w);
    }
    printf("# bounds are at most %.3f above\n", over);
    assert_true(over < 0.2);
    mem_free(turns);
    mem_free(c);
}

/* The cube that tests/parity/align.py makes too. */
static void parity_cube(uint64_t seed, int8_t desc[DESC_LEN])
{
    uint32_t x = (uint32_t)seed;
    for (size_t i = 0; i < DESC_LEN; i++) {
        x = x * 1664525u + 1013904223u;
        int bump = abs((int)(i % N) - 6 - (int)(seed % 4)) + abs((int)(i / N % N) - 9 + (int)(seed % 3)) + abs((int)(i / (N * N)) - 8);
        int v = (int)(x >> 28) + 60 - (4 + (int)(seed % 5)) * bump;
        desc[i] = (int8_t)(v > 0 ? v : 0);
    }
}

/* Against numpy: tests/parity/align.tsv, of pairs of cubes. */
static void as_numpy(void **state)
{
    (void)state;
    const char *dir = getenv("srcdir");
    char path[4096], line[256];
    int8_t a[DESC_LEN], b[DESC_LEN];
    size_t rows = 0;
    snprintf(path, sizeof path, "%s/tests/parity/align.tsv", dir ? dir : ".");
    FILE *f = fopen(path, "r");
    if (!f) fail_msg("%s: cannot open", path);
    while (fgets(line, sizeof line, f)) {
        unsigned long s, t;
        double want[2];
        float plain, aligned;
        if (*line == '#' || sscanf(line, "%lu %lu %lf %lf", &s, &t, &want[0], &want[1]) != 4) continue;
        parity_cube(s, a);
        parity_cube(t, b);
        compare(a, b, 1, &plain, &aligned);
        assert_close((double)plain, want[0], 2e-5);
        assert_close((double)aligned, want[1], 2e-5);
        rows++;
    }
    fclose(f);
    assert_int_equal(rows, 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forgives_a_little),   cmocka_unit_test(all_axes_alike),       cmocka_unit_test(within_bounds),
        cmocka_unit_test(constant_is_nothing), cmocka_unit_test(same_for_any_threads), cmocka_unit_test(bytes_as_plain), cmocka_unit_test(whole_numbers), cmocka_unit_test(as_numpy),
    };
    return cmocka_run_group_tests_name("align", tests, NULL, NULL);
}
