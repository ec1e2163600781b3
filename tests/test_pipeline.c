/* test_pipeline: manifests, indexes and search, over small models and maps that the test writes. */
#include "tests/test.h"

#include <hdf5.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/threads.h"
#include "mrc/map.h"
#include "pdb/pdb.h"
#include "pipeline/build.h"
#include "pipeline/coarse.h"
#include "pipeline/describe.h"
#include "pipeline/index.h"
#include "pipeline/manifest.h"
#include "pipeline/search.h"
#include "pipeline/unique.h"
#include "pipeline/vectors.h"
#include "tests/blobs.h"
#include "voxel/contour.h"
#include "voxel/resample.h"

#define DIR "test_pipeline.dir"
enum { MODELS = 12 };

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

/* A chain of carbons along the blobs of a seed, turned by m. */
static void put_model(const char *path, uint64_t seed, double m[3][3])
{
    blobs_t b;
    blobs_make(&b, seed);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "HEADER    TEST                                    01-JAN-00   1TST\nTITLE     MODEL %d\n", (int)seed);
    int serial = 1;
    for (int i = 0; i < BLOBS; i++)
        for (int k = 0; k < 6; k++, serial++) {
            double p[3], q[3];
            for (int d = 0; d < 3; d++) q[d] = b.p[i][d] + 1.5 * ((k >> d) & 1) + (k > 3 ? 2 : 0);
            for (int d = 0; d < 3; d++) p[d] = m[d][0] * q[0] + m[d][1] * q[1] + m[d][2] * q[2];
            fprintf(f, "ATOM  %5d  %-3s ALA A%4d    %8.3f%8.3f%8.3f  1.00  0.00           C\n", serial,
                    (const char *[]){"CA", "CB", "C", "CG", "CD", "CE"}[k], i + 1, p[0], p[1], p[2]);
        }
    fprintf(f, "END\n");
    assert_int_equal(fclose(f), 0);
}

static double one[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};

static int set_up(void **state)
{
    (void)state;
    char path[64];
    mkdir(DIR, 0700);
    mkdir(DIR "/sub", 0700);
    for (int i = 0; i < MODELS; i++) {
        snprintf(path, sizeof path, DIR "/%sm%02d.pdb", i % 2 ? "sub/" : "", i);
        put_model(path, 100 + (uint64_t)i, one);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return system("rm -rf " DIR);
}

static void unique_names(void **state)
{
    (void)state;
    const char *name[] = {"b", "a", "b", "c", "a", "b"};
    unsigned char again[6];
    assert_int_equal(unique_mark(name, sizeof *name, 6, again, NULL), 0);
    const unsigned char want[6] = {0, 0, 1, 0, 1, 1};
    assert_memory_equal(again, want, 6);
}

static void manifest_of_a_folder(void **state)
{
    (void)state;
    manifest_t m = {0};
    err_t e = {0};
    put(DIR "/notes.txt", "not a model");
    assert_int_equal(manifest_add(&m, DIR, NULL, &e), 0);
    assert_int_equal(m.n, MODELS);
    assert_string_equal(m.item[0].id, "m00");
    assert_int_equal(manifest_add(&m, DIR "/m00.pdb", NULL, &e), 0);
    assert_int_equal(m.n, MODELS + 1);
    assert_int_equal(manifest_add(&m, DIR "/none", NULL, &e), -1);
    assert_int_equal(e.code, ERR_IO);
    manifest_free(&m);
}

static void manifest_of_a_table(void **state)
{
    (void)state;
    manifest_t m = {0};
    notes_t notes = {0};
    err_t e = {0};
    put(DIR "/good.tsv", "id\tpath\tkind\tcontour\tcolour\ttitle\nx\tm00.pdb\tmodel\t\tred\tT\ny\t/abs.mrc\tmap\t-1.5\t-\t-\n");
    assert_int_equal(manifest_add(&m, DIR "/good.tsv", &notes, &e), 0);
    assert_int_equal(m.n, 2);
    assert_string_equal(m.item[0].path, DIR "/m00.pdb");
    assert_string_equal(m.item[0].title, "T");
    assert_true(isnan(m.item[0].contour));
    assert_int_equal(m.item[0].kind, ITEM_MODEL);
    assert_string_equal(m.item[1].path, "/abs.mrc");
    assert_close(m.item[1].contour, -1.5, 0);
    assert_null(m.item[1].title);
    assert_int_equal(notes.n, 1);
    manifest_free(&m);
    notes_free(&notes);

    static const char *const bad[] = {"path\nx\n", "id\nx\n", "id\tpath\n\tx\n", "id\tpath\tkind\nx\ty\tmovie\n",
                                      "id\tpath\tcontour\nx\ty\thigh\n", "id\tpath\tapix\nx\ty\t-1\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put(DIR "/bad.tsv", bad[i]);
        e = (err_t){0};
        manifest_add(&m, DIR "/bad.tsv", NULL, &e);
        if (e.code != ERR_FORMAT) fail_msg("row %zu: %s", i, err_name(e.code));
        assert_non_null(strstr(e.msg, "bad.tsv"));
        manifest_free(&m);
    }
}

static void build(index_t *x, size_t *failed)
{
    manifest_t m = {0};
    describer_t d;
    err_t e = {0};
    put(DIR "/broken.pdb", "ATOM  nonsense\n");
    if (manifest_add(&m, DIR, NULL, &e) || manifest_add(&m, DIR "/m00.pdb", NULL, &e) || describe_new(&d, NULL, &e) ||
        build_index(&m, &d, NULL, NULL, x, failed, &e))
        fail_msg("%s", e.msg);
    describe_end(&d);
    manifest_free(&m);
}

static void index_round_trip(void **state)
{
    (void)state;
    index_t x = {0}, y = {0}, z = {0};
    size_t failed;
    err_t e = {0};
    build(&x, &failed);
    assert_int_equal(failed, 2); /* the broken file, and m00 for the second time */
    assert_int_equal(x.n, MODELS);
    threads_set(1);
    build(&z, &failed);
    threads_set(2);
    assert_memory_equal(x.cube, z.cube, x.n * DESC_LEN);
    assert_memory_equal(x.zernike, z.zernike, x.n * DESCRIBE_ZERNIKE * sizeof(float));
    assert_memory_equal(x.rg, z.rg, x.n * sizeof(float));

    if (index_write(DIR "/x.h5", &x, &e) || index_read(DIR "/x.h5", INDEX_ALL, &y, &e)) fail_msg("%s", e.msg);
    assert_int_equal(y.n, x.n);
    for (size_t i = 0; i < x.n; i++)
        for (int c = 0; c < INDEX_TEXTS; c++) assert_string_equal(x.text[c][i], y.text[c][i]);
    assert_memory_equal(x.cube, y.cube, x.n * DESC_LEN);
    assert_memory_equal(x.profile, y.profile, x.n * DESCRIBE_PROFILE * sizeof(float));
    assert_memory_equal(x.volume, y.volume, x.n * sizeof(float));

    index_t part;
    assert_int_equal(index_read(DIR "/x.h5", INDEX_TEXT(INDEX_ID) | INDEX_CUBE | INDEX_MAPPED, &part, &e), 0);
    assert_non_null(part.map);
    assert_null(part.zernike);
    assert_null(part.text[INDEX_TITLE]);
    assert_string_equal(part.text[INDEX_ID][3], x.text[INDEX_ID][3]);
    assert_memory_equal(part.cube, x.cube, x.n * DESC_LEN);
    index_free(&part);

    assert_int_equal(index_join(&y, &x, &e), -1);
    assert_int_equal(e.code, ERR_FORMAT);
    for (size_t i = 0; i < z.n; i++) z.text[INDEX_ID][i][0] = 'n';
    e = (err_t){0};
    assert_int_equal(index_join(&x, &z, &e), 0);
    assert_int_equal(x.n, 2 * MODELS);
    assert_memory_equal(x.cube, x.cube + MODELS * DESC_LEN, MODELS * DESC_LEN);
    assert_memory_equal(x.zernike, x.zernike + MODELS * DESCRIBE_ZERNIKE, MODELS * DESCRIBE_ZERNIKE * sizeof(float));
    assert_memory_equal(x.profile, x.profile + MODELS * DESCRIBE_PROFILE, MODELS * DESCRIBE_PROFILE * sizeof(float));
    assert_memory_equal(x.rg, x.rg + MODELS, MODELS * sizeof(float));
    index_free(&x);
    index_free(&y);
    index_free(&z);
}

static void set_attr(const char *path, const char *name, int value)
{
    hid_t f = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), a = H5Aopen(f, name, H5P_DEFAULT);
    assert_true(H5Awrite(a, H5T_NATIVE_INT, &value) >= 0);
    H5Aclose(a);
    H5Fclose(f);
}

static void set_rg(const char *path, size_t row, float value)
{
    float rg[MODELS];
    hid_t f = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), d = H5Dopen2(f, "rg", H5P_DEFAULT);
    assert_true(H5Dread(d, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, rg) >= 0);
    rg[row] = value;
    assert_true(H5Dwrite(d, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, rg) >= 0);
    H5Dclose(d);
    H5Fclose(f);
}

static void index_refuses(void **state)
{
    (void)state;
    index_t x = {0};
    err_t e = {0};
    size_t failed;
    build(&x, &failed);
    assert_int_equal(index_write(DIR "/x.h5", &x, &e), 0);
    index_free(&x);
    assert_int_equal(index_read(DIR "/none.h5", INDEX_ALL, &x, &e), -1);
    assert_int_equal(e.code, ERR_IO);
    e = (err_t){0};
    assert_int_equal(index_read(DIR "/m00.pdb", INDEX_ALL, &x, &e), -1);
    assert_int_equal(e.code, ERR_FORMAT);
    static const struct {
        const char *attr;
        int value;
        errcode_t code;
    } row[] = {{"format_version", 99, ERR_UNSUP}, {"format_version", 2, ERR_OK}, {"cube_version", 99, ERR_UNSUP}, {"cube_version", CUBE_VERSION, ERR_OK}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        set_attr(DIR "/x.h5", row[i].attr, row[i].value);
        e = (err_t){0};
        index_read(DIR "/x.h5", INDEX_ALL, &x, &e);
        assert_int_equal(e.code, row[i].code);
        index_free(&x);
    }
    set_rg(DIR "/x.h5", 3, NAN);
    e = (err_t){0};
    assert_int_equal(index_read(DIR "/x.h5", INDEX_ALL, &x, &e), -1);
    assert_int_equal(e.code, ERR_FORMAT);
    set_rg(DIR "/x.h5", 3, 0);
    assert_int_equal(index_read(DIR "/x.h5", INDEX_ALL, &x, NULL), -1);
    struct stat st;
    stat(DIR "/x.h5", &st);
    for (long cut = 0; cut < (long)st.st_size; cut += (long)st.st_size / 23) {
        assert_int_equal(truncate(DIR "/x.h5", (long)st.st_size - 1 - cut), 0);
        e = (err_t){0};
        assert_int_equal(index_read(DIR "/x.h5", INDEX_ALL, &x, &e), -1);
        assert_int_not_equal(e.code, ERR_OK);
        assert_int_equal(x.n, 0);
    }
    e = (err_t){0};
    assert_int_equal(index_write(DIR "/x.h5", &x, &e), -1);
    assert_int_equal(e.code, ERR_RANGE);
    assert_int_equal(index_write(DIR "/none/x.h5", &(index_t){.n = 1}, NULL), -1);
    e = (err_t){0};
    assert_int_equal(mkfifo(DIR "/pipe", 0600), 0);
    assert_int_equal(index_write(DIR "/pipe", &(index_t){.n = 1}, &e), -1);
    assert_int_equal(e.code, ERR_IO);
    assert_int_equal(index_write("-", &(index_t){.n = 1}, NULL), -1);
    assert_int_equal(access("-", F_OK), -1);
    assert_int_equal(stat(DIR "/pipe", &st), 0);
    assert_true(S_ISFIFO(st.st_mode));
}

/* A turned model, and a map made of it, find the model that they came from; every descriptor. */
static void search_finds(void **state)
{
    (void)state;
    index_t x = {0};
    describer_t d;
    err_t e = {0};
    size_t failed, n;
    record_t *r = mem_zero(1, sizeof *r, NULL);
    hit_t h[MODELS], all[MODELS];
    rng_t rng;
    double m[3][3];
    build(&x, &failed);
    assert_int_equal(describe_new(&d, NULL, &e), 0);
    rng_seed(&rng, 4);
    for (int k = 0; k < 3; k++) {
        blobs_rotation(&rng, m);
        put_model(DIR "/query.txt", 100 + 3 * (uint64_t)k, m); /* an unknown suffix: found out by content */
        item_t it = {.id = "q", .path = DIR "/query.txt", .contour = NAN};
        if (describe_file(&d, &it, r, NULL, &e)) fail_msg("%s", e.msg);
        assert_int_equal(r->kind, ITEM_MODEL);
        blobs_t b;
        double rg2 = 0;
        blobs_make(&b, 100 + 3 * (uint64_t)k);
        for (int i = 0; i < BLOBS; i++)
            for (int c = 0; c < 3; c++) rg2 += b.p[i][c] * b.p[i][c] / BLOBS;
        assert_close((double)r->rg / sqrt(rg2), 1, 0.12);
        char id[8];
        snprintf(id, sizeof id, "m%02d", 3 * k);
        for (int kind = SEARCH_CUBE; kind <= SEARCH_PROFILE; kind++) {
            search_opts_t o = {.kind = (searchkind_t)kind, .top = 3};
            assert_int_equal(search_run(&x, r, NULL, &o, h, &n, &e), 0);
            assert_int_equal(n, 3);
            if (kind != SEARCH_PROFILE) assert_string_equal(x.text[INDEX_ID][h[0].entry], id);
            assert_true(h[0].score >= h[1].score && h[1].score >= h[2].score);
            o.top = 1000; /* the bound must not lose what a full scan finds */
            assert_int_equal(search_run(&x, r, NULL, &o, all, &n, &e), 0);
            assert_int_equal(n, MODELS);
            for (int i = 0; i < 3; i++) assert_int_equal(h[i].entry, all[i].entry);
        }
        search_opts_t o = {.kind = SEARCH_SIZE, .shape_only = true, .top = 3};
        assert_int_equal(search_run(&x, r, NULL, &o, h, &n, &e), -1);
        e = (err_t){0};
        record_free(r);
    }
    describe_end(&d);
    index_free(&x);
    mem_free(r);
}

/* Score of an entry by the formulas of search.h, plainly. */
static double plain_score(const index_t *x, size_t e, const record_t *q, searchkind_t kind, bool shape_only, const float *turns)
{
    double d = log((double)x->rg[e] / (double)q->rg), size = shape_only ? 0 : -0.5 * (d / 0.08) * (d / 0.08), sum = 0, best = -1;
    if (kind == SEARCH_CUBE) {
        double mean = 0, sq = 0;
        for (int i = 0; i < DESC_LEN; i++) mean += (double)x->cube[e * DESC_LEN + (size_t)i] / DESC_LEN;
        for (int i = 0; i < DESC_LEN; i++) sq += pow((double)x->cube[e * DESC_LEN + (size_t)i] - mean, 2);
        for (int t = 0; t < DESC_TURNS; t++) {
            double c = 0;
            for (int i = 0; i < DESC_LEN; i++)
                c += (double)turns[t * DESC_LEN + i] * ((double)x->cube[e * DESC_LEN + (size_t)i] - mean) / sqrt(sq);
            best = c > best ? c : best;
        }
        return size + 25 * best;
    }
    const float *a = kind == SEARCH_ZERNIKE ? q->zernike : q->profile;
    size_t n = kind == SEARCH_ZERNIKE ? DESCRIBE_ZERNIKE : DESCRIBE_PROFILE;
    const float *b = (kind == SEARCH_ZERNIKE ? x->zernike : x->profile) + e * n;
    for (size_t i = 0; i < n; i++) sum += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
    return kind == SEARCH_SIZE ? size : size - 25 * sqrt(sum);
}

/* More entries than are scored at a time: the bound that stops the search loses none of the best. */
static void search_is_exact(void **state)
{
    (void)state;
    enum { N = 9000, TOP = 40 };
    index_t x = {.n = N};
    record_t *q = mem_zero(1, sizeof *q, NULL);
    rng_t r;
    rng_seed(&r, 11);
    x.rg = mem_new(N, sizeof *x.rg, NULL);
    x.cube = mem_new(N, DESC_LEN, NULL);
    x.zernike = mem_new((size_t)N * DESCRIBE_ZERNIKE, sizeof(float), NULL);
    x.profile = mem_new((size_t)N * DESCRIBE_PROFILE, sizeof(float), NULL);
    for (size_t i = 0; i < DESC_LEN; i++) q->cube[i] = (int8_t)(rng_next(&r) % 200 - 100);
    for (size_t i = 0; i < DESCRIBE_ZERNIKE; i++) q->zernike[i] = (float)rng_unit(&r) / 8;
    for (size_t i = 0; i < DESCRIBE_PROFILE; i++) q->profile[i] = (float)rng_unit(&r) / 4;
    q->rg = 30;
    for (size_t e = 0; e < N; e++) { /* the likeness of the cubes grows as the sizes differ, so that the best lie far out */
        double far = 0.16 * (double)e / N, like = 0.9 * (double)e / N;
        x.rg[e] = (float)(30 * exp(e % 2 ? far : -far));
        for (size_t i = 0; i < DESC_LEN; i++)
            x.cube[e * DESC_LEN + i] = (int8_t)lrint(like * q->cube[i] + (1 - like) * (double)(rng_next(&r) % 200) - 100 * (1 - like));
        for (size_t i = 0; i < DESCRIBE_ZERNIKE; i++) x.zernike[e * DESCRIBE_ZERNIKE + i] = (float)rng_unit(&r) / 8;
        for (size_t i = 0; i < DESCRIBE_PROFILE; i++) x.profile[e * DESCRIBE_PROFILE + i] = (float)rng_unit(&r) / 4;
    }
    float *turns = mem_new((size_t)DESC_TURNS * DESC_LEN, sizeof *turns, NULL);
    desc_turns(q->cube, turns);
    for (int k = 0; k < 7; k++) {
        search_opts_t o = {.kind = (searchkind_t)(k / 2), .shape_only = k % 2, .plain = true, .top = TOP};
        hit_t h[TOP], serial[TOP];
        size_t n, above = 0, level = 0, step = o.kind == SEARCH_CUBE ? 7 : 1;
        assert_int_equal(search_run(&x, q, NULL, &o, h, &n, NULL), 0);
        assert_int_equal(n, TOP);
        threads_set(1);
        assert_int_equal(search_run(&x, q, NULL, &o, serial, &n, NULL), 0);
        threads_set(2);
        assert_memory_equal(h, serial, sizeof h);
        double last = plain_score(&x, h[TOP - 1].entry, q, o.kind, o.shape_only, turns);
        for (int i = 0; i < TOP; i++) assert_close(h[i].score, plain_score(&x, h[i].entry, q, o.kind, o.shape_only, turns), 1e-3);
        for (size_t e = 0; e < N; e += step) {
            double s = plain_score(&x, e, q, o.kind, o.shape_only, turns);
            above += s > last + 1e-3;
            level += s > last - 1e-3;
        }
        assert_true(above < TOP);
        if (step == 1) assert_true(level >= TOP);
    }
    mem_free(turns);
    mem_free(q);
    x.n = 0;
    index_free(&x);
}

/* The cube is kept where it is asked for, and is the one that the descriptor was made of. */
static void describe_keeps_the_cube(void **state)
{
    (void)state;
    describer_t d;
    record_t r;
    item_t it = {.id = "m00", .path = DIR "/m00.pdb", .contour = NAN};
    int8_t desc[DESC_LEN];
    assert_int_equal(describe_new(&d, NULL, NULL), 0);
    assert_int_equal(describe_file(&d, &it, &r, NULL, NULL), 0);
    assert_null(r.density);
    record_free(&r);
    d.cubes = true;
    assert_int_equal(describe_file(&d, &it, &r, NULL, NULL), 0);
    assert_non_null(r.density);
    desc_pack(r.density, CUBE_SIDE, desc);
    assert_memory_equal(desc, r.cube, sizeof desc);
    record_free(&r);
    assert_null(r.density);

    /* of another side, with the same descriptor */
    int8_t again[DESC_LEN];
    d.side = 48;
    assert_int_equal(describe_file(&d, &it, &r, NULL, NULL), 0);
    assert_memory_equal(desc, r.cube, sizeof desc);
    desc_pack(r.density, 48, again);
    double ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < DESC_LEN; i++) {
        ab += desc[i] * again[i];
        aa += desc[i] * desc[i];
        bb += again[i] * again[i];
    }
    assert_true(ab > 0.98 * sqrt(aa * bb));
    record_free(&r);
    describe_end(&d);
}

/* A density in memory has the descriptors of its file. */
/* What is not finite is told once, also where it may be why there is no cube. */
static void describe_tells_what_is_not_finite(void **state)
{
    (void)state;
    static const char *const paths[] = {DIR "/not_finite.mrc", DIR "/not_finite.mrc.gz"};
    describer_t d;
    model_t *m = pdb_read(DIR "/m00.pdb", NULL, NULL, NULL);
    vol_t *v = describe_density(m, NULL);
    assert_int_equal(describe_new(&d, NULL, NULL), 0);
    v->data[0] = v->data[9] = NAN;
    v->data[77] = INFINITY;
    for (int k = 0; k < 4; k++) {
        item_t it = {.id = "not_finite", .path = paths[k % 2], .contour = k < 2 ? NAN : 1e9};
        record_t r;
        notes_t notes = {0};
        size_t told = 0;
        assert_int_equal(map_write(it.path, v, NULL, NULL, NULL), 0);
        assert_int_equal(describe_file(&d, &it, &r, &notes, NULL), k < 2 ? 0 : -1);
        for (size_t i = 0; i < notes.n; i++) told += strstr(notes.line[i], "3 voxels are NaN") != NULL;
        assert_int_equal(told, 1);
        notes_free(&notes);
        if (k < 2) record_free(&r);
        remove(it.path);
    }
    describe_end(&d);
    vol_free(v);
    model_free(m);
}

static void describe_takes_a_volume(void **state)
{
    (void)state;
    static const char path[] = DIR "/volume.mrc";
    describer_t d;
    record_t file, mem;
    model_t *m = pdb_read(DIR "/m00.pdb", NULL, NULL, NULL);
    vol_t *v = describe_density(m, NULL);
    item_t it = {.id = "volume", .path = path, .contour = NAN};
    assert_int_equal(mrc_write(path, v, NULL, NULL), 0);
    assert_int_equal(describe_new(&d, NULL, NULL), 0);
    d.cubes = true;
    assert_int_equal(describe_file(&d, &it, &file, NULL, NULL), 0);
    assert_int_equal(describe_volume(&d, v, NAN, &mem, NULL), 0);
    assert_int_equal(mem.kind, ITEM_MAP);
    assert_string_equal(mem.title, "");
    assert_close((double)mem.rg, (double)file.rg, 1e-6 * (double)file.rg);
    assert_memory_equal(mem.cube, file.cube, sizeof mem.cube);
    for (size_t i = 0; i < DESCRIBE_ZERNIKE; i++) assert_close((double)mem.zernike[i], (double)file.zernike[i], 1e-6);
    assert_memory_equal(mem.density, file.density, sizeof(float) * CUBE_SIDE * CUBE_SIDE * CUBE_SIDE);
    record_free(&mem);
    record_free(&file);

    contour_t level;
    assert_int_equal(contour_estimate(v, &level, NULL), 0);
    it.contour = 1.5 * level.level;
    assert_int_equal(describe_file(&d, &it, &file, NULL, NULL), 0);
    assert_int_equal(describe_volume(&d, v, it.contour, &mem, NULL), 0);
    assert_memory_equal(mem.cube, file.cube, sizeof mem.cube);
    assert_close((double)mem.level, it.contour, 1e-6 * it.contour);
    assert_close(describe_mass(&mem), 0.00065 * (double)mem.volume, 1e-9 * (double)mem.volume);
    record_free(&mem);
    record_free(&file);

    memset(v->data, 0, vol_len(v) * sizeof *v->data);
    err_t e = {0};
    assert_int_equal(describe_volume(&d, v, NAN, &mem, &e), -1);
    assert_int_equal(e.code, ERR_RANGE);
    assert_null(mem.title);
    vol_free(v);
    model_free(m);
    describe_end(&d);
}

static void get(hid_t f, const char *name, hid_t type, void *out)
{
    hid_t d = H5Dopen2(f, name, H5P_DEFAULT);
    assert_true(H5Dread(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) >= 0);
    H5Dclose(d);
}

static void vectors_as_files(void **state)
{
    (void)state;
    enum { ROWS = 300, D = 3 };
    vectors_t v = {.d = D};
    err_t e = {0};
    char id[16], ids[ROWS][4], model[17] = "";
    float z[D], back[ROWS][D], rg[ROWS];
    assert_int_equal(vectors_h5(DIR "/v.h5", &v, "0123456789abcdef", 4, &e), -1);
    assert_int_equal(e.code, ERR_RANGE);
    e = (err_t){0};
    for (int i = 0; i < ROWS; i++) {
        snprintf(id, sizeof id, "i%d", i);
        for (int j = 0; j < D; j++) z[j] = (float)(i * D + j);
        assert_int_equal(vectors_add(&v, id, (float)i, z, NULL), 0);
    }
    if (vectors_h5(DIR "/v.h5", &v, "0123456789abcdef", 4, &e)) fail_msg("%s", e.msg);
    hid_t f = H5Fopen(DIR "/v.h5", H5F_ACC_RDONLY, H5P_DEFAULT), text = H5Tcopy(H5T_C_S1), a = H5Aopen(f, "model", H5P_DEFAULT), own = H5Aget_type(a);
    H5Tset_size(text, 4);
    H5Tset_strpad(text, H5T_STR_NULLPAD);
    H5Tset_cset(text, H5T_CSET_UTF8);
    get(f, "embeddings", H5T_NATIVE_FLOAT, back);
    get(f, "rg", H5T_NATIVE_FLOAT, rg);
    get(f, "ids", text, ids);
    assert_true(H5Aread(a, own, model) >= 0);
    assert_string_equal(model, "0123456789abcdef");
    assert_memory_equal(ids[7], "i7\0\0", 4);
    assert_memory_equal(ids[299], "i299", 4);
    assert_close((double)rg[299], 299, 0);
    assert_memory_equal(back, v.z, sizeof back);
    H5Tclose(own);
    H5Aclose(a);
    H5Tclose(text);
    H5Fclose(f);

    assert_int_equal(vectors_npy(DIR "/v.npy", &v, &e), 0);
    FILE *npy = fopen(DIR "/v.npy", "rb");
    char head[129] = "";
    assert_int_equal(fread(head, 1, 128, npy), 128);
    assert_int_equal(fread(back, sizeof back, 1, npy), 1);
    assert_int_equal(fgetc(npy), EOF);
    assert_non_null(strstr(head + 10, "'shape': (300, 3), }"));
    assert_int_equal(head[127], '\n');
    assert_memory_equal(back, v.z, sizeof back);
    fclose(npy);
    assert_int_equal(vectors_npy(DIR "/none/v.npy", &v, NULL), -1);
    vectors_free(&v);
}

static void describe_says_why_not(void **state)
{
    (void)state;
    describer_t d;
    record_t *r = mem_zero(1, sizeof *r, NULL);
    assert_int_equal(describe_new(&d, NULL, NULL), 0);
    put(DIR "/neither.txt", "neither a map nor a model, only words that go on for a while\n");
    put(DIR "/words.mrc", "words\n");
    vol_t *v = vol_new(20, 20, 20, 2, NULL);
    assert_int_equal(mrc_write(DIR "/flat.mrc", v, NULL, NULL), 0);
    vol_free(v);
    static const struct {
        const char *path, *assembly;
        errcode_t code;
    } row[] = {{DIR "/none.pdb", NULL, ERR_IO},       {DIR "/neither.txt", NULL, ERR_UNSUP},
               {DIR "/words.mrc", NULL, ERR_UNSUP},  {DIR "/flat.mrc", NULL, ERR_RANGE},
               {DIR "/m00.pdb", "7", ERR_NOTFOUND}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        err_t e = {0};
        item_t it = {.id = "q", .path = row[i].path, .contour = NAN, .assembly = row[i].assembly};
        assert_int_equal(describe_file(&d, &it, r, NULL, &e), -1);
        if (e.code != row[i].code) fail_msg("%s: %s (%s)", row[i].path, err_name(e.code), e.msg);
        if (!strstr(e.msg, row[i].path)) fail_msg("the message does not name the file: %s", e.msg);
    }
    describe_end(&d);
    mem_free(r);
}

/* The estimate against the levels that authors recommend, on the real maps that have one and were not cut at it. */
/* A large map section by section is the whole one resampled; values that are none count as 0. */
static void coarse_is_resampled(void **state)
{
    static const char *const names[] = {"coarse.tmp.mrc", "coarse.tmp.mrc.gz", "coarse.tmp.hdf", "coarse.tmp.tif"};
    (void)state;
    rng_t r;
    rng_seed(&r, 5);
    vol_t *v = vol_new(30, 20, 24, 1.5, NULL), *kept;
    v->origin[1] = -7;
    for (size_t i = 0; i < vol_len(v); i++) v->data[i] = (float)rng_unit(&r);
    v->data[777] = 0;
    kept = vol_clone(v, NULL);
    v->data[777] = NAN;
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        notes_t notes = {0};
        err_t e = {0};
        assert_int_equal(map_write(names[k], v, NULL, NULL, NULL), 0);
        vol_t *w = coarse_read(names[k], NULL, 10000, 2000, &notes, &e);
        if (!w) fail_msg("%s: %s", names[k], e.msg);
        assert_int_equal(w->nx, 14);
        assert_int_equal(w->ny, 10);
        assert_int_equal(w->nz, 12);
        vol_t *want = resample_box(kept, 14, 10, 12, NULL);
        for (int d = 0; d < 3; d++) {
            assert_close(w->voxel[d], want->voxel[d], 1e-6);
            assert_close(w->origin[d], want->origin[d], 1e-5);
        }
        for (size_t i = 0; i < vol_len(w); i++) assert_close((double)w->data[i], (double)want->data[i], 2e-6);
        assert_non_null(strstr(notes.line[notes.n - 2], "30 x 20 x 24 voxels are read as 14 x 10 x 12"));
        assert_non_null(strstr(notes.line[notes.n - 1], "1 voxels are NaN"));
        notes_free(&notes);
        vol_free(want);
        vol_free(w);
        /* not so large: as it is */
        w = coarse_read(names[k], NULL, 14400, 2000, NULL, NULL);
        assert_int_equal(w->nx, 30);
        assert_true(isnan(w->data[777]));
        vol_free(w);
        remove(names[k]);
    }
    vol_free(kept);
    vol_free(v);
}

static void contour_is_near_the_authors(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        double level;
    } map[] = {{"EMD-1997.map", 1.0}, {"EMD-44046.map.gz", 0.3}, {"noacc_DomainFit_density2.mrc", 0.886}};
    const char *data = test_data();
    if (!data) skip();
    for (size_t i = 0; i < sizeof map / sizeof *map; i++) {
        char path[4096];
        contour_t c;
        err_t e = {0};
        snprintf(path, sizeof path, "%s/maps/%s", data, map[i].file);
        vol_t *v = mrc_read(path, NULL, NULL, NULL, &e);
        if (!v || contour_estimate(v, &c, &e)) fail_msg("%s", e.msg);
        assert_close(log(c.level / map[i].level), 0, log(2));
        vol_free(v);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(coarse_is_resampled), cmocka_unit_test(contour_is_near_the_authors),
        cmocka_unit_test(unique_names),     cmocka_unit_test(manifest_of_a_folder), cmocka_unit_test(manifest_of_a_table),
        cmocka_unit_test(index_round_trip), cmocka_unit_test(index_refuses),        cmocka_unit_test(search_finds),
        cmocka_unit_test(search_is_exact),      cmocka_unit_test(describe_says_why_not), cmocka_unit_test(describe_keeps_the_cube),
        cmocka_unit_test(describe_takes_a_volume), cmocka_unit_test(describe_tells_what_is_not_finite),
        cmocka_unit_test(vectors_as_files),
    };
    return cmocka_run_group_tests_name("pipeline", tests, set_up, tear_down);
}
