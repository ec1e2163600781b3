/* test_zoo: every awkward file of the data folder is read right, or refused with the right error.
 *
 * tests/zoo.tsv says which: a line a file, "read" or the code of the refusal, and for what is refused a part of the
 * message. The values are compared with the statistics that the folder's own zoo.tsv recorded with another reader, and
 * the re-encodings of EMD-5625 with that map itself. */
#include "tests/test.h"

#include <dirent.h>

#include "base/file.h"
#include "base/mem.h"
#include "mrc/map.h"

static const char *folder;

/* Field `k` of a tab-separated line, into buf. */
static void field(const char *line, int k, char *buf, size_t n)
{
    for (; k; k--) {
        line = strchr(line, '\t');
        if (!line) break;
        line++;
    }
    size_t len = line ? strcspn(line, "\t\n") : 0;
    snprintf(buf, n, "%.*s", (int)len, line ? line : "");
}

/* The line of a table that begins with `name` and a tab; NULL if there is none. */
static const char *row(const char *table, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = table; p && *p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL)
        if (!strncmp(p, name, n) && p[n] == '\t') return p;
    return NULL;
}

/* "key=number" in text: true, and the number. */
static bool number(const char *text, const char *key, double *x)
{
    const char *p = strstr(text, key);
    if (!p) return false;
    *x = strtod(p + strlen(key), NULL);
    return true;
}

static char *table(const char *path)
{
    size_t n;
    err_t err = {0};
    char *t = (char *)file_read(path, 1 << 24, &n, &err);
    if (!t) fail_msg("%s", err.msg);
    return t;
}

/* Six recorded digits. */
static int differs(const char *name, const char *what, double got, double want)
{
    if (fabs(got - want) <= 1e-5 * fabs(want) + 1e-9) return 0;
    printf("# %s: %s %.9g, recorded %.9g\n", name, what, got, want);
    return 1;
}

/* Against what the folder's table says of the file (columns 8 and 9), unless ours says that the file means another thing. */
static int check_recorded(const char *name, const vol_t *v, const map_info_t *h, const char *line)
{
    char reads[512], notes[1024];
    double x;
    volstat_t s;
    int bad = 0;
    field(line, 8, reads, sizeof reads);
    field(line, 9, notes, sizeof notes);
    vol_stats(v, &s);
    if (number(reads, "min=", &x)) bad += differs(name, "min", s.min, x);
    if (number(reads, "max=", &x)) bad += differs(name, "max", s.max, x);
    if (number(reads, "mean=", &x) && fabs(x) > 1e-6) bad += differs(name, "mean", s.mean, x);
    if (number(reads, "vox=", &x) && x > 0 && h->volumes == 1) {
        double vox = (double)h->mrc.cella[0] / h->mrc.m[0];
        bad += fabs(vox - x) > 1e-4;
        bad += v->voxel[0] != h->voxel[0];
    }
    const char *shape = strstr(reads, "shape(zyx)=(");
    size_t n[3];
    if (shape && sscanf(shape, "shape(zyx)=(%zu, %zu, %zu)", &n[0], &n[1], &n[2]) == 3) {
        size_t ours[3]; /* of sections, rows and columns, as the file has them */
        for (int k = 0; k < 3; k++) ours[k] = h->size[h->axis[2 - k]] * (k == 0 ? h->volumes : 1);
        if (memcmp(n, ours, sizeof n) != 0) {
            printf("# %s: %zu %zu %zu, recorded %zu %zu %zu\n", name, ours[0], ours[1], ours[2], n[0], n[1], n[2]);
            bad++;
        }
    }
    return bad;
}

/* One file; the number of things wrong with it. */
static int check_file(const char *name, const char *ours, const char *recorded)
{
    char path[4096], want[64], says[256];
    snprintf(path, sizeof path, "%s/zoo/%s", folder, name);
    field(ours, 1, want, sizeof want);
    field(ours, 2, says, sizeof says);
    mrc_opts_t o = {.as_stored = true, .any_voxel = true};
    map_info_t h = {0};
    err_t err = {0};
    vol_t *v = map_read(path, &o, &h, NULL, &err);
    const char *got = v ? "read" : err_name(err.code);
    int bad = 0;
    if (strcmp(got, want) != 0 || (!v && !strstr(err.msg, says))) {
        printf("# %s: %s %s (wanted %s %s)\n", name, got, err.msg, want, says);
        bad++;
    }
    if (v && recorded && strcmp(says, "differs") != 0) bad += check_recorded(name, v, &h, recorded);
    vol_free(v);
    map_info_free(&h);
    /* the straightened grid and the validator: no more than that they end well */
    o.as_stored = false;
    o.images = true;
    o.volume = 1;
    v = map_read(path, &o, NULL, NULL, NULL);
    vol_free(v);
    notes_t list = {0};
    if (map_validate(path, NULL, &list, &err) || (!got[0] && !list.n)) bad++;
    notes_free(&list);
    return bad;
}

static void every_file(void **state)
{
    (void)state;
    char path[4096];
    if (!folder) skip();
    snprintf(path, sizeof path, "%s/zoo/zoo.tsv", folder);
    char *recorded = table(path), *ours = table(ZOO_TABLE);
    snprintf(path, sizeof path, "%s/zoo", folder);
    DIR *d = opendir(path);
    assert_non_null(d);
    int files = 0, bad = 0;
    for (struct dirent *e; (e = readdir(d));) {
        if (e->d_name[0] == '.' || !strcmp(e->d_name, "zoo.tsv")) continue;
        const char *line = row(ours, e->d_name);
        files++;
        if (!line) {
            printf("# %s: not in tests/zoo.tsv\n", e->d_name);
            bad++;
            continue;
        }
        bad += check_file(e->d_name, line, row(recorded, e->d_name));
    }
    closedir(d);
    mem_free(recorded);
    mem_free(ours);
    printf("# %d files\n", files);
    assert_true(files > 100);
    assert_int_equal(bad, 0);
}

/* The same map in other clothes: equal values, bit for bit or to what the mode can hold after a scaling. */
static void same_map(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool images, scaled;
    } rows[] = {
        {"EMD-5625_axes312.map", false, false},    {"EMD-5625_bigendian.mrc", false, false},
        {"EMD-5625_bzip2.mrc.bz2", false, false},  {"EMD-5625_gzip.mrc.gz", false, false},
        {"EMD-5625_huge_nsymbt.mrc", false, false}, {"EMD-5625_image_stack.mrcs", true, false},
        {"EMD-5625_mode0.mrc", false, true},       {"EMD-5625_mode1.mrc", false, true},
        {"EMD-5625_mode6.mrc", false, true},       {"EMD-5625_mode12.mrc", false, true},
        {"EMD-5625_eman2_layout.hdf", false, false},    {"EMD-5625_chimera_layout.cmap", false, false},
        {"EMD-5625_imaris_like_chunked_BE.h5", false, false}, {"EMD-5625_relion.spi", false, false},
        {"EMD-5625_bigtiff_BE_f32.tif", false, false},  {"EMD-5625_imagej_f32.tif", false, false},
        {"EMD-5625_ome_f32.ome.tif", false, false},     {"EMD-5625_u16_deflate_multipage.tif", false, true},
        {"EMD-5625_u16_pred2_strips.tif", false, true}, {"EMD-5625_u8_tiled_multipage.tif", false, true},
    };
    char path[4096];
    if (!folder) skip();
    snprintf(path, sizeof path, "%s/maps/EMD-5625.map", folder);
    vol_t *a = map_read(path, NULL, NULL, NULL, NULL);
    assert_non_null(a);
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        snprintf(path, sizeof path, "%s/zoo/%s", folder, rows[k].name);
        err_t err = {0};
        mrc_opts_t o = {.images = rows[k].images, .any_voxel = true};
        map_info_t info = {0};
        vol_t *b = map_read(path, &o, &info, NULL, &err);
        if (!b) fail_msg("%s", err.msg);
        assert_int_equal(vol_len(a), vol_len(b));
        if (!rows[k].scaled) {
            if (memcmp(a->data, b->data, vol_len(a) * sizeof *a->data) != 0) fail_msg("%s: other values", rows[k].name);
        } else {
            double sa = 0, sb = 0, aa = 0, bb = 0, ab = 0, n = (double)vol_len(a);
            for (size_t i = 0; i < vol_len(a); i++) {
                double x = (double)a->data[i], y = (double)b->data[i];
                sa += x, sb += y, aa += x * x, bb += y * y, ab += x * y;
            }
            double r = (ab - sa * sb / n) / sqrt((aa - sa * sa / n) * (bb - sb * sb / n));
            if (!(r > 0.9995)) fail_msg("%s: correlation %g", rows[k].name, r);
        }
        for (int i = 0; i < 3 && info.voxel_known; i++) assert_close(a->voxel[i], b->voxel[i], 1e-5);
        map_info_free(&info);
        vol_free(b);
    }
    /* a stack of two crops of 40^3 */
    snprintf(path, sizeof path, "%s/zoo/EMD-5625_volume_stack.mrcs", folder);
    mrc_opts_t o = {.volume = 2};
    vol_t *b = map_read(path, &o, NULL, NULL, NULL);
    assert_non_null(b);
    assert_int_equal(b->nz, 40);
    vol_free(b);
    vol_free(a);
}

int main(void)
{
    folder = test_data();
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_file), cmocka_unit_test(same_map)};
    return cmocka_run_group_tests_name("zoo", tests, NULL, NULL);
}
