/* test_components: connected components against a flood fill written from the definition. */
#include "tests/test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/threads.h"
#include "voxel/components.h"

enum { SEED = 20 };

typedef struct {
    size_t nx, ny, nz;
} side_t;

/* Neighbours: 6 differ in one coordinate, 18 in at most two, 26 in at most three. */
static int touches(int dx, int dy, int dz, int connectivity)
{
    int n = (dx != 0) + (dy != 0) + (dz != 0);
    return n > 0 && n <= (connectivity == 6 ? 1 : connectivity == 18 ? 2 : 3);
}

/* Label by flooding from each voxel not yet reached, in scan order. */
static size_t flood(const unsigned char *mask, side_t s, int connectivity, uint32_t *label)
{
    size_t n = s.nx * s.ny * s.nz, count = 0, *stack = mem_new(n, sizeof *stack, NULL), top;
    memset(label, 0, n * sizeof *label);
    for (size_t seed = 0; seed < n; seed++) {
        if (!mask[seed] || label[seed]) continue;
        label[seed] = (uint32_t)++count;
        for (stack[0] = seed, top = 1; top;) {
            size_t i = stack[--top];
            long x = (long)(i % s.nx), y = (long)(i / s.nx % s.ny), z = (long)(i / s.nx / s.ny);
            for (int d = 0; d < 27; d++) {
                long a = x + d % 3 - 1, b = y + d / 3 % 3 - 1, c = z + d / 9 - 1;
                if (!touches(d % 3 - 1, d / 3 % 3 - 1, d / 9 - 1, connectivity)) continue;
                if (a < 0 || b < 0 || c < 0 || a >= (long)s.nx || b >= (long)s.ny || c >= (long)s.nz) continue;
                size_t j = ((size_t)c * s.ny + (size_t)b) * s.nx + (size_t)a;
                if (!mask[j] || label[j]) continue;
                label[j] = (uint32_t)count;
                stack[top++] = j;
            }
        }
    }
    mem_free(stack);
    return count;
}

static const int connectivities[] = {6, 18, 26};

static void check(const unsigned char *mask, side_t s, const char *what)
{
    size_t n = s.nx * s.ny * s.nz, count = 99;
    uint32_t *want = mem_new(n, sizeof *want, NULL), *got = mem_new(n + 1, sizeof *got, NULL);
    for (int k = 0; k < 3; k++) {
        size_t expect = flood(mask, s, connectivities[k], want);
        memset(got, 0xff, (n + 1) * sizeof *got); /* what the caller left there must not matter */
        assert_int_equal(components_label(mask, s.nx, s.ny, s.nz, connectivities[k], got, &count, NULL), 0);
        if (count != expect || memcmp(got, want, n * sizeof *got) != 0)
            fail_msg("%s, %zu x %zu x %zu, connectivity %d: %zu components (wanted %zu), or other labels", what, s.nx,
                     s.ny, s.nz, connectivities[k], count, expect);
        assert_int_equal(got[n], UINT32_MAX); /* nothing past the end */
    }
    mem_free(want);
    mem_free(got);
}

static void random_masks(void **state)
{
    (void)state;
    static const side_t side[] = {{1, 1, 1},   {1, 1, 40}, {1, 40, 1},   {40, 1, 1},   {2, 3, 5},   {7, 8, 9},
                                  {17, 16, 8}, {9, 20, 33}, {33, 20, 17}, {64, 3, 25}, {31, 32, 40}};
    static const double fill[] = {0, 0.02, 0.1, 0.2, 0.3117, 0.5, 0.8, 1};
    rng_t r;
    rng_seed(&r, SEED);
    for (size_t i = 0; i < sizeof side / sizeof *side; i++) {
        size_t n = side[i].nx * side[i].ny * side[i].nz;
        unsigned char *mask = mem_new(n, 1, NULL);
        for (size_t f = 0; f < sizeof fill / sizeof *fill; f++) {
            for (size_t j = 0; j < n; j++)
                mask[j] = rng_unit(&r) < fill[f] ? (unsigned char)(1 + rng_next(&r) % 255) : 0;
            check(mask, side[i], "random mask");
        }
        mem_free(mask);
    }
}

/* A comb, open at high z only: its teeth join in the last plane, across every slab. Then blobs of many voxels. */
static void shapes(void **state)
{
    (void)state;
    side_t s = {30, 29, 37};
    size_t n = s.nx * s.ny * s.nz;
    unsigned char *mask = mem_new(n, 1, NULL);
    for (size_t i = 0; i < n; i++)
        mask[i] = (i % s.nx % 2 == 0 && i / s.nx % s.ny % 2 == 0) || i / s.nx / s.ny == s.nz - 1;
    check(mask, s, "comb");
    for (size_t i = 0; i < n; i++) {
        double x = (double)(i % s.nx), y = (double)(i / s.nx % s.ny), z = (double)(i / s.nx / s.ny);
        mask[i] = sin(x * 0.7) + sin(y * 0.6 + x * 0.2) + sin(z * 0.5 - y * 0.3) > 1.2;
    }
    check(mask, s, "waves");
    mem_free(mask);
}

static void any_thread_count(void **state)
{
    (void)state;
    size_t n = 50 * 51 * 52, c1, c4;
    unsigned char *mask = mem_new(n, 1, NULL);
    uint32_t *a = mem_new(n, sizeof *a, NULL), *b = mem_new(n, sizeof *b, NULL);
    rng_t r;
    rng_seed(&r, SEED);
    for (size_t i = 0; i < n; i++) mask[i] = rng_unit(&r) < 0.3;
    threads_set(1);
    assert_int_equal(components_label(mask, 50, 51, 52, 6, a, &c1, NULL), 0);
    threads_set(4);
    assert_int_equal(components_label(mask, 50, 51, 52, 6, b, &c4, NULL), 0);
    assert_int_equal(c1, c4);
    assert_memory_equal(a, b, n * sizeof *a);
    mem_free(mask);
    mem_free(a);
    mem_free(b);
}

static void sizes(void **state)
{
    (void)state;
    static const unsigned char mask[] = {1, 1, 0, 9, 0, 1, 1, 1};
    uint32_t label[8];
    size_t count, size[4];
    assert_int_equal(components_label(mask, 8, 1, 1, 26, label, &count, NULL), 0);
    assert_int_equal(count, 3);
    components_sizes(label, 8, count, size);
    static const size_t want[] = {2, 2, 1, 3};
    assert_memory_equal(size, want, sizeof want);
}

static void misuse(void **state)
{
    (void)state;
    static const struct {
        size_t nx, ny, nz;
        int connectivity;
        errcode_t code;
    } bad[] = {{1, 1, 1, 4, ERR_USAGE},
               {1, 1, 1, 0, ERR_USAGE},
               {0, 1, 1, 6, ERR_RANGE},
               {1, 0, 1, 6, ERR_RANGE},
               {1, 1, 0, 6, ERR_RANGE},
               {UINT32_MAX, 1, 1, 6, ERR_RANGE},
               {65536, 65536, 1, 6, ERR_RANGE},
               {1626, 1626, 1626, 6, ERR_RANGE},
               {SIZE_MAX, SIZE_MAX, SIZE_MAX, 6, ERR_RANGE}};
    unsigned char mask = 1;
    uint32_t label;
    size_t count;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        err_t e = {0};
        assert_int_equal(components_label(&mask, bad[i].nx, bad[i].ny, bad[i].nz, bad[i].connectivity, &label, &count,
                                          &e),
                         -1);
        assert_int_equal(e.code, bad[i].code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_masks), cmocka_unit_test(shapes), cmocka_unit_test(any_thread_count),
        cmocka_unit_test(sizes),        cmocka_unit_test(misuse),
    };
    printf("# seed %d\n", SEED);
    return cmocka_run_group_tests_name("components", tests, NULL, NULL);
}
