/* test_planes: sections one by one are what mrc_read gives, or are left to it. */
#include "tests/test.h"

#include <unistd.h>

#include "base/mem.h"
#include "base/rng.h"
#include "mrc/mrc.h"
#include "mrc/planes.h"

static char path[64];

static vol_t *make(size_t nx, size_t ny, size_t nz, int mode)
{
    rng_t r;
    rng_seed(&r, (uint64_t)mode + nx);
    vol_t *v = vol_new(nx, ny, nz, 1.5, NULL);
    v->origin[0] = -12;
    v->origin[2] = 7.5;
    for (size_t i = 0; i < vol_len(v); i++) v->data[i] = (float)floor(rng_unit(&r) * 100);
    mrc_wopts_t o = {.mode = mode};
    assert_int_equal(mrc_write(path, v, &o, NULL), 0);
    vol_free(v);
    return mrc_read(path, NULL, NULL, NULL, NULL);
}

static void equals_mrc_read(void **state)
{
    (void)state;
    static const int modes[] = {0, 1, 2, 6, 12};
    static const size_t side[][3] = {{5, 4, 3}, {1, 1, 1}, {40000 / 2, 2, 2}, {300, 200, 3}, {32768, 1, 2}};
    for (size_t m = 0; m < 5; m++)
        for (size_t s = 0; s < 5; s++) {
            vol_t *v = make(side[s][0], side[s][1], side[s][2], modes[m]), shape;
            planes_t *p = planes_open(path, NULL, &shape, NULL, NULL);
            assert_non_null(p);
            assert_true(shape.nx == v->nx && shape.ny == v->ny && shape.nz == v->nz && !shape.data);
            assert_memory_equal(shape.voxel, v->voxel, sizeof v->voxel);
            assert_memory_equal(shape.origin, v->origin, sizeof v->origin);
            size_t plane = v->nx * v->ny;
            float *out = mem_new(plane * v->nz + 1, sizeof *out, NULL);
            for (size_t z = 0; z < v->nz; z++) {
                out[plane] = 777;
                assert_int_equal(planes_read(p, z, 1, out, NULL), 0);
                assert_memory_equal(out, v->data + z * plane, plane * sizeof *out);
                assert_true(out[plane] == 777);
            }
            assert_int_equal(planes_read(p, 0, v->nz, out, NULL), 0);
            assert_memory_equal(out, v->data, plane * v->nz * sizeof *out);
            err_t e = {0};
            assert_int_equal(planes_read(p, v->nz, 1, out, &e), -1);
            assert_int_equal(e.code, ERR_USAGE);
            assert_int_equal(planes_read(p, 1, SIZE_MAX, out, NULL), -1);
            mem_free(out);
            planes_close(p);
            vol_free(v);
        }
}

static void patch(long at, const void *b, size_t n)
{
    FILE *f = fopen(path, "r+b");
    fseek(f, at, SEEK_SET);
    fwrite(b, 1, n, f);
    fclose(f);
}

/* Everything that does not lie straight. */
static void others_are_refused(void **state)
{
    (void)state;
    static const struct {
        long at;
        int32_t words[3];
        size_t n;
    } rows[] = {{64, {2, 1, 3}, 3}, {64, {1, 3, 2}, 3}, {12, {4}, 1}, {0, {50}, 1}, {208, {0}, 1}, {8, {-1}, 1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vol_t shape, *v = make(6, 5, 4, 2);
        err_t e = {0};
        patch(rows[i].at, rows[i].words, 4 * rows[i].n);
        planes_t *p = planes_open(path, NULL, &shape, NULL, &e);
        if (rows[i].at == 208) { /* without "MAP " it is an old-style file, which lies straight */
            assert_non_null(p);
            planes_close(p);
        } else {
            if (p) fail_msg("row %zu opened", i);
            assert_int_equal(e.code, ERR_UNSUP);
        }
        vol_free(v);
    }
    float angle = 80;
    vol_t shape, *v = make(6, 5, 4, 2);
    patch(52, &angle, 4);
    assert_null(planes_open(path, NULL, &shape, NULL, NULL));
    assert_null(planes_open("-", NULL, &shape, NULL, NULL));
    assert_null(planes_open("/nonexistent", NULL, &shape, NULL, NULL));
    assert_null(planes_open("/", NULL, &shape, NULL, NULL));
    vol_free(v);
    char gz[80];
    snprintf(gz, sizeof gz, "%s.gz", path);
    v = vol_new(4, 4, 4, 1, NULL);
    assert_int_equal(mrc_write(gz, v, NULL, NULL), 0);
    assert_null(planes_open(gz, NULL, &shape, NULL, NULL));
    vol_free(v);
    remove(gz);
}

/* Cut after it was opened. */
static void cut_short(void **state)
{
    (void)state;
    vol_t shape, *v = make(6, 5, 4, 1);
    planes_t *p = planes_open(path, NULL, &shape, NULL, NULL);
    float out[30];
    assert_int_equal(truncate(path, 1024 + 2 * 30 * 3 + 1), 0);
    assert_int_equal(planes_read(p, 2, 1, out, NULL), 0);
    err_t e = {0};
    assert_int_equal(planes_read(p, 3, 1, out, &e), -1);
    assert_int_equal(e.code, ERR_IO);
    planes_close(p);
    vol_free(v);
}

int main(void)
{
    snprintf(path, sizeof path, "test_planes.%ld.tmpfile", (long)getpid());
    const struct CMUnitTest tests[] = {cmocka_unit_test(equals_mrc_read), cmocka_unit_test(others_are_refused),
                                       cmocka_unit_test(cut_short)};
    int failed = cmocka_run_group_tests_name("planes", tests, NULL, NULL);
    remove(path);
    return failed;
}
