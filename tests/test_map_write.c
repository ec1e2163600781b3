/* test_map_write: what map_write() writes, map_read() reads as it was; what it cannot hold is said. */
#include <unistd.h>

#include "base/rng.h"
#include "mrc/map.h"
#include "mrc/mrc.h"
#include "tests/test.h"

static char path[96];

static const char *named(const char *suffix)
{
    snprintf(path, sizeof path, "test_map_write.%ld%s", (long)getpid(), suffix);
    return path;
}

enum { WHOLE, REAL };

/* Values of a kind within [lo, hi]. */
static vol_t *make(rng_t *r, size_t nx, size_t ny, size_t nz, int kind, double lo, double hi)
{
    vol_t *v = vol_new(nx, ny, nz, 1, NULL);
    for (int k = 0; k < 3; k++) {
        v->voxel[k] = 0.25 + 3 * rng_unit(r);
        v->origin[k] = 200 * rng_unit(r) - 100;
    }
    for (size_t i = 0; i < vol_len(v); i++) {
        double x = lo + (hi - lo) * rng_unit(r);
        v->data[i] = (float)(kind == WHOLE ? rint(x) : x);
    }
    return v;
}

static vol_t *back(const char *name, notes_t *notes)
{
    err_t e = {0};
    mrc_opts_t o = {.images = true};
    vol_t *v = map_read(name, &o, NULL, notes, &e);
    if (!v) fail_msg("%s: %s", name, e.msg);
    return v;
}

/* Equal but for `tol` in values; geometry to float32, which is what an MRC header has. */
static void same(const char *what, const vol_t *a, const vol_t *b, double tol)
{
    if (a->nx != b->nx || a->ny != b->ny || a->nz != b->nz) fail_msg("%s: %zu x %zu x %zu, was %zu x %zu x %zu", what, b->nx, b->ny, b->nz, a->nx, a->ny, a->nz);
    for (int k = 0; k < 3; k++) {
        assert_close(a->voxel[k], b->voxel[k], 4e-7 * a->voxel[k]);
        assert_close(a->origin[k], b->origin[k], 1e-5);
    }
    for (size_t i = 0; i < vol_len(a); i++)
        if (!(fabs((double)a->data[i] - (double)b->data[i]) <= tol))
            fail_msg("%s: voxel %zu is %.9g, was %.9g", what, i, (double)b->data[i], (double)a->data[i]);
}

static void put(const char *name, const vol_t *v, const map_wopts_t *o, notes_t *notes)
{
    err_t e = {0};
    if (map_write(name, v, o, notes, &e)) fail_msg("%s, %s: %s", name, o && o->type ? o->type : "float32", e.msg);
}

static const size_t sides[][3] = {{1, 1, 1}, {7, 1, 1}, {1, 9, 1}, {3, 1, 5}, {17, 13, 11}, {32, 31, 2}, {130, 3, 5}};
static const char *const suffixes[] = {".mrc", ".map.gz", ".hdf", ".tif"};

static void floats(void **state)
{
    (void)state;
    rng_t r;
    rng_seed(&r, 1);
    for (size_t s = 0; s < sizeof sides / sizeof *sides; s++)
        for (size_t f = 0; f < sizeof suffixes / sizeof *suffixes; f++)
            for (int k = 0; k < 4; k++) {
                map_wopts_t o = {.big_endian = k & 1, .bigtiff = k & 2};
                vol_t *v = make(&r, sides[s][0], sides[s][1], sides[s][2], REAL, -3, 5);
                const char *name = named(suffixes[f]);
                put(name, v, &o, NULL);
                vol_t *w = back(name, NULL);
                same(name, v, w, 0);
                vol_free(w);
                vol_free(v);
                remove(name);
            }
}

static void integers(void **state)
{
    static const struct {
        const char *suffix, *type;
        double lo, hi;
    } rows[] = {{".mrc", "int8", -128, 127},   {".mrc", "int16", -32768, 32767}, {".mrc", "uint16", 0, 65535}, {".mrc", "float16", -2048, 2048},
                {".ccp4.gz", "int16", -5, 5},  {".hdf", "uint8", 0, 255},        {".h5", "uint16", 0, 65535},  {".tif", "uint8", 0, 255},
                {".tiff", "int16", -32768, 32767}, {".TIF", "uint16", 0, 65535}};
    rng_t r;
    (void)state;
    rng_seed(&r, 2);
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
        for (size_t s = 0; s < sizeof sides / sizeof *sides; s++)
            for (int big = 0; big < 2; big++) {
                map_wopts_t o = {.type = rows[k].type, .big_endian = big};
                notes_t notes = {0};
                vol_t *v = make(&r, sides[s][0], sides[s][1], sides[s][2], WHOLE, rows[k].lo, rows[k].hi);
                const char *name = named(rows[k].suffix);
                put(name, v, &o, &notes);
                for (size_t i = 0; i < notes.n; i++)
                    if (!strstr(notes.line[i], "origin")) fail_msg("%s, %s: %s", name, rows[k].type, notes.line[i]);
                vol_t *w = back(name, NULL);
                same(rows[k].type, v, w, 0);
                vol_free(w);
                vol_free(v);
                notes_free(&notes);
                remove(name);
            }
}

/* Of HDF5 scaled values come back; to half a step. */
static void scaled(void **state)
{
    static const char *const types[] = {"uint8", "uint16"};
    rng_t r;
    (void)state;
    rng_seed(&r, 3);
    for (size_t k = 0; k < 2; k++) {
        map_wopts_t o = {.type = types[k], .scale = true};
        vol_t *v = make(&r, 9, 8, 7, REAL, -0.02, 0.05);
        const char *name = named(".hdf");
        put(name, v, &o, NULL);
        vol_t *w = back(name, NULL);
        same(types[k], v, w, 0.07 / (k ? 65535 : 255) * 0.5001 + 1e-8);
        vol_free(w);
        /* MRC has it in a label, and reads as stored */
        o.type = "int8";
        name = named(".mrc");
        if (!k) {
            notes_t notes = {0};
            mrc_header_t h;
            put(name, v, &o, &notes);
            assert_int_equal(notes.n, 1);
            w = mrc_read(name, NULL, &h, NULL, NULL);
            volstat_t st;
            vol_stats(w, &st);
            assert_close(st.min, -128, 0);
            assert_close(st.max, 127, 0);
            assert_non_null(strstr(h.label[1], "value = (stored"));
            vol_free(w);
            notes_free(&notes);
            remove(name);
        }
        vol_free(v);
        remove(named(".hdf"));
    }
}

static void clipped(void **state)
{
    (void)state;
    vol_t *v = vol_new(3, 1, 1, 2, NULL);
    const char *name = named(".mrc");
    map_wopts_t o = {.type = "int8"};
    err_t e = {0};
    notes_t notes = {0};
    v->data[0] = -200, v->data[1] = NAN, v->data[2] = 127.5f;
    assert_int_equal(map_write(name, v, &o, NULL, &e), -1);
    assert_int_equal(e.code, ERR_RANGE);
    assert_int_equal(access(name, F_OK), -1);
    o.clip = true;
    put(name, v, &o, &notes);
    assert_int_equal(notes.n, 1);
    vol_t *w = back(name, NULL);
    assert_true(w->data[0] == -128 && w->data[1] == 0 && w->data[2] == 127);
    vol_free(w);
    vol_free(v);
    notes_free(&notes);
    remove(name);
}

static void rounded(void **state)
{
    (void)state;
    vol_t *v = vol_new(2, 2, 1, 2, NULL);
    const char *name = named(".mrc");
    map_wopts_t o = {.type = "int16"};
    notes_t notes = {0};
    v->data[0] = 0.5f, v->data[1] = 1.5f, v->data[2] = -2.5f, v->data[3] = 3;
    put(name, v, &o, &notes);
    assert_int_equal(notes.n, 1);
    assert_non_null(strstr(notes.line[0], "3 of 4"));
    vol_t *w = back(name, NULL);
    assert_true(w->data[0] == 0 && w->data[1] == 2 && w->data[2] == -2 && w->data[3] == 3);
    vol_free(w);
    vol_free(v);
    notes_free(&notes);
    remove(name);
}

static void same_bytes(void **state)
{
    rng_t r;
    (void)state;
    rng_seed(&r, 4);
    vol_t *v = make(&r, 20, 10, 6, REAL, 0, 1);
    for (size_t f = 0; f < sizeof suffixes / sizeof *suffixes; f++) {
        static unsigned char a[1 << 16], b[1 << 16];
        size_t n[2];
        for (int k = 0; k < 2; k++) {
            put(named(suffixes[f]), v, NULL, NULL);
            FILE *in = fopen(path, "rb");
            n[k] = fread(k ? b : a, 1, sizeof a, in);
            fclose(in);
            if (!k && f == 2) sleep(1); /* HDF5 can write the time */
        }
        assert_int_equal(n[0], n[1]);
        assert_memory_equal(a, b, n[0]);
        remove(path);
    }
    vol_free(v);
}

static void refused(void **state)
{
    static const struct {
        const char *name, *type;
        bool scale;
        const char *says;
    } rows[] = {{"x.png", NULL, false, "its name tells no format"}, {"x", NULL, false, "its name tells no format"}, {"x.hdf.gz", NULL, false, "not written compressed"},
                {"x.mrc", "uint8", false, "cannot hold uint8"},     {"x.hdf", "int16", false, "cannot hold int16"}, {"x.tif", "float16", false, "cannot hold float16"},
                {"x.mrc", "float16", true, "no integer"},           {"nofolder/x.hdf", NULL, false, "cannot"}};
    (void)state;
    vol_t *v = vol_new(2, 2, 2, 1, NULL);
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        map_wopts_t o = {.type = rows[k].type, .scale = rows[k].scale};
        err_t e = {0};
        assert_int_equal(map_write(rows[k].name, v, &o, NULL, &e), -1);
        if (!strstr(e.msg, rows[k].says)) fail_msg("%s: %s", rows[k].name, e.msg);
        if (k + 1 < sizeof rows / sizeof *rows) assert_int_equal(e.code, ERR_USAGE);
    }
    vol_free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(floats),  cmocka_unit_test(integers),   cmocka_unit_test(scaled), cmocka_unit_test(clipped),
                                       cmocka_unit_test(rounded), cmocka_unit_test(same_bytes), cmocka_unit_test(refused)};
    return cmocka_run_group_tests_name("map_write", tests, NULL, NULL);
}
