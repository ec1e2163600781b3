/* test_mrc: reading and writing MRC files. */
#include "tests/test.h"

#include "base/file.h"
#include "base/mem.h"
#include "mrc/data.h"
#include "mrc/mrc.h"
#include "tests/mrcfile.h"

static const int all_modes[] = {0, 1, 2, 6, 12, 101};
static const int all_crs[6][3] = {{1, 2, 3}, {1, 3, 2}, {2, 1, 3}, {2, 3, 1}, {3, 1, 2}, {3, 2, 1}};

static void check_values(const vol_t *v, int mode)
{
    for (size_t z = 0; z < v->nz; z++)
        for (size_t y = 0; y < v->ny; y++)
            for (size_t x = 0; x < v->nx; x++)
                assert_close((double)v->data[vol_idx(v, x, y, z)], mrcfile_value(mode, x, y, z), 0);
}

/* Every mode, byte order and axis order gives the same volume, voxel size and origin. */
static void reads_every_kind(void **state)
{
    (void)state;
    for (size_t a = 0; a < sizeof all_modes / sizeof *all_modes; a++)
        for (size_t c = 0; c < 6; c++)
            for (int big = 0; big < 2; big++) {
                mrcfile_t m = mrcfile_good();
                m.mode = all_modes[a];
                m.big = big;
                m.size[2] = 37; /* more than one batch of sections */
                m.ext = c * 80;
                memcpy(m.crs, all_crs[c], sizeof m.crs);
                size_t n;
                unsigned char *b = mrcfile_make(&m, &n);
                err_t e = {0};
                notes_t notes = {0};
                mrc_header_t h;
                vol_t *v = mrc_read_mem(b, n, "good", NULL, &h, &notes, &e);
                if (!v) fail_msg("%s", e.msg);
                if (notes.n) fail_msg("%s", notes.line[0]);
                assert_int_equal(v->nx, 5);
                assert_int_equal(v->ny, 4);
                assert_int_equal(v->nz, 37);
                check_values(v, m.mode);
                for (int k = 0; k < 3; k++) {
                    assert_close(v->voxel[k], 1.5 + k, 1e-6);
                    assert_close(v->origin[k], (2 + 2 * k) * (1.5 + k), 1e-5);
                }
                assert_int_equal(h.big_endian, big);
                assert_string_equal(h.label[0], "a label");
                vol_free(v);
                notes_free(&notes);
                free(b);
            }
}

static vol_t *wave(void)
{
    vol_t *v = vol_new(6, 5, 4, 2.5, NULL);
    for (size_t i = 0; i < vol_len(v); i++) v->data[i] = (float)((i * 37) % 120);
    v->origin[0] = -5;
    v->origin[1] = 2.5;
    v->origin[2] = 10;
    return v;
}

/* What is written comes back, in every mode, plain and compressed, with its place and statistics. */
static void writes_what_it_reads(void **state)
{
    (void)state;
    static const int modes[] = {0, 1, 2, 6, 12};
    vol_t *v = wave();
    volstat_t s;
    vol_stats(v, &s);
    for (size_t k = 0; k < 10; k++) {
        mrc_wopts_t o = {.mode = modes[k % 5], .label = (const char *const[]){"second label"}, .labels = 1};
        const char *name = k < 5 ? "test_mrc.tmp.mrc" : "test_mrc.tmp.mrc.gz";
        err_t e = {0};
        notes_t notes = {0};
        mrc_header_t h;
        if (mrc_write(name, v, &o, &e)) fail_msg("%s", e.msg);
        vol_t *w = mrc_read(name, NULL, &h, &notes, &e);
        if (!w) fail_msg("%s", e.msg);
        assert_int_equal(notes.n, 0);
        assert_memory_equal(v->data, w->data, vol_len(v) * sizeof *v->data);
        for (int a = 0; a < 3; a++) {
            assert_close(w->voxel[a], 2.5, 1e-6);
            assert_close(w->origin[a], v->origin[a], 1e-6);
            assert_close(h.start[a] * 2.5, v->origin[a], 1e-6);
        }
        assert_close((double)h.dmin, s.min, 1e-6);
        assert_close((double)h.dmax, s.max, 1e-6);
        assert_close((double)h.dmean, s.mean, 1e-4);
        assert_close((double)h.rms, s.sd, 1e-4);
        assert_string_equal(h.codec, k < 5 ? "none" : "gzip");
        assert_string_equal(h.label[1], "second label");
        vol_free(w);
        remove(name);
    }
    vol_free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_kind),
        cmocka_unit_test(writes_what_it_reads),
    };
    return cmocka_run_group_tests_name("mrc", tests, NULL, NULL);
}
