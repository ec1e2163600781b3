/* test_index: embeddings, terms and weights of an index, compact and plain, over entries that the test makes up. */
#include "tests/test.h"

#include <hdf5.h>
#include <sys/stat.h>

#include "base/half.h"
#include "base/mem.h"
#include "base/threads.h"
#include "pipeline/index.h"
#include "pipeline/scoring.h"
#include "pipeline/terms.h"

#define DIR "test_index.dir"
#include "tests/made_index.h"

enum { N = 700, D = MADE_D }; /* more than one block of cubes */

static int set_up(void **state)
{
    (void)state;
    made_tables();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return system("rm -rf " DIR);
}

/* ---- binary16 ---- */

static void halves(void **state)
{
    (void)state;
    const float x[] = {0, -0.0f, 1, -2, 65504, 0x1p-14f, 0x1p-24f, 0.333251953125f, 65519, 65520, 1e30f, 0x1p-25f, 0x1.8p-25f, INFINITY};
    const uint16_t h[] = {0, 0x8000, 0x3c00, 0xc000, 0x7bff, 0x0400, 1, 0x3555, 0x7bff, 0x7c00, 0x7c00, 0, 1, 0x7c00};
    enum { K = sizeof x / sizeof *x };
    uint16_t got[K];
    half_pack(x, K, got);
    for (int i = 0; i < K; i++) assert_int_equal(got[i], h[i]);
    for (uint32_t u = 0; u < 0x10000; u++) { /* exact there and back */
        uint16_t a = (uint16_t)u, b;
        float f;
        half_unpack(&a, 1, &f);
        half_pack(&f, 1, &b);
        if (isnan(f)) assert_true((a & 0x7fff) > 0x7c00 && (b & 0x7fff) > 0x7c00);
        else assert_int_equal(a, b);
    }
    for (uint16_t u = 0x3c00; u < 0x3c40; u++) { /* halfway goes to the even one */
        uint16_t two[2] = {u, (uint16_t)(u + 1)}, b;
        float f[2];
        half_unpack(two, 2, f);
        float mid = (f[0] + f[1]) / 2;
        half_pack(&mid, 1, &b);
        assert_int_equal(b, u & 1 ? u + 1 : u);
    }
}

/* ---- terms ---- */

static size_t row(const terms_t *t, const char *id)
{
    for (size_t i = 0; i < t->n; i++)
        if (!strcmp(t->id[i], id)) return i;
    fail_msg("no term %s", id);
    return 0;
}

static bool has(const lists_t *l, size_t at, size_t item)
{
    for (size_t k = l->at[at]; k < l->at[at + 1]; k++)
        if (l->item[k] == item) return true;
    return false;
}

static void terms_of_entries(void **state)
{
    (void)state;
    char *id[] = {"1abc_AB", "none", "2XYZ", "3new.pdb"};
    terms_t t;
    made_terms(&t, id, 4);
    /* a b c d; EC 3 3.2 3.2.1 3.2.1.17 3.2.1.18 1 1.7; PF00001. Neither root, nor what is obsolete or unused */
    assert_int_equal(t.n, 12);
    assert_int_equal(t.entries, 4);
    assert_int_equal(t.of.at[1] - t.of.at[0], 5);
    assert_int_equal(t.of.at[2], t.of.at[1]);
    assert_int_equal(t.of.at[3] - t.of.at[2], 7);
    assert_int_equal(t.of.at[4] - t.of.at[3], 4);
    assert_true(has(&t.of, 0, row(&t, "GO:0000002")) && has(&t.of, 0, row(&t, "PF00001")));
    assert_true(has(&t.of, 2, row(&t, "EC:3.-.-.-")) && has(&t.of, 2, row(&t, "EC:1.7.-.-")));
    assert_true(has(&t.parents, row(&t, "GO:0000009"), row(&t, "GO:0000004")));
    assert_true(has(&t.parents, row(&t, "GO:0000004"), row(&t, "GO:0000003")));
    assert_true(has(&t.parents, row(&t, "EC:3.2.1.17"), row(&t, "EC:3.2.1.-")));
    assert_int_equal(t.parents.at[row(&t, "GO:0000002") + 1], t.parents.at[row(&t, "GO:0000002")]);
    for (size_t i = 0; i < t.n; i++)
        for (size_t k = t.parents.at[i]; k < t.parents.at[i + 1]; k++) assert_true(t.parents.item[k] < i);
    assert_int_equal(t.space[row(&t, "EC:3.2.-.-")], TERM_EC);
    assert_string_equal(t.name[row(&t, "EC:3.2.-.-")], "Glycosylases");
    assert_string_equal(t.name[row(&t, "PF00001")], "seven helices");
    char text[TERMS_TEXT_MAX];
    terms_text(&t, row(&t, "EC:3.2.1.17"), text);
    assert_string_equal(text, "An enzyme: lysozyme (EC 3.2.1.17).");
    terms_text(&t, row(&t, "PF00001"), text);
    assert_string_equal(text, "A protein of the family seven helices.");
    const struct {
        uint8_t space;
        char *name;
        const char *text;
    } phrase[] = {{TERM_FUNCTION, "ATP binding", "A protein that binds ATP."},
                  {TERM_FUNCTION, "lysozyme activity", "A protein that has lysozyme activity."},
                  {TERM_FUNCTION, "structural constituent of ribosome", "A protein that acts as structural constituent of ribosome."},
                  {TERM_PROCESS, "protein folding", "A protein that takes part in protein folding."},
                  {TERM_COMPONENT, "cytosol", "A protein that is found in the cytosol."},
                  {TERM_COMPONENT, "chaperonin complex", "A protein that is part of the chaperonin complex."}};
    for (size_t i = 0; i < sizeof phrase / sizeof *phrase; i++) {
        char *name[] = {phrase[i].name};
        uint8_t space[] = {phrase[i].space};
        terms_text(&(terms_t){.n = 1, .id = name, .name = name, .space = space}, 0, text);
        assert_string_equal(text, phrase[i].text);
    }
    terms_free(&t);
}

static void terms_joined(void **state)
{
    (void)state;
    char *id[] = {"1abc", "2xyz", "3new"};
    terms_t all, a, b;
    err_t e = {0};
    made_terms(&all, id, 3);
    made_terms(&a, id, 1);
    made_terms(&b, id + 1, 2);
    assert_int_equal(terms_join(&a, &b, &e), 0);
    assert_int_equal(a.n, all.n);
    assert_int_equal(a.entries, 3);
    for (size_t i = 0; i < all.n; i++) {
        assert_string_equal(a.id[i], all.id[i]);
        assert_string_equal(a.name[i], all.name[i]);
    }
    assert_memory_equal(a.of.at, all.of.at, 4 * sizeof *a.of.at);
    assert_memory_equal(a.of.item, all.of.item, a.of.at[3] * sizeof *a.of.item);
    assert_memory_equal(a.parents.at, all.parents.at, (a.n + 1) * sizeof *a.parents.at);
    assert_memory_equal(a.parents.item, all.parents.item, a.parents.at[a.n] * sizeof *a.parents.item);
    terms_t none = {.entries = 2};
    assert_int_equal(terms_join(&a, &none, &e), 0);
    assert_int_equal(a.entries, 5);
    assert_int_equal(a.of.at[5], a.of.at[3]);
    terms_free(&a);
    terms_free(&b);
    terms_free(&all);
}

/* ---- the index ---- */

static void same_terms(const terms_t *a, const terms_t *b)
{
    assert_int_equal(a->n, b->n);
    assert_int_equal(a->entries, b->entries);
    for (size_t i = 0; i < a->n; i++) {
        assert_string_equal(a->id[i], b->id[i]);
        assert_string_equal(a->name[i], b->name[i]);
        assert_int_equal(a->space[i], b->space[i]);
    }
    assert_memory_equal(a->of.item, b->of.item, a->of.at[a->entries] * sizeof *a->of.item);
    assert_memory_equal(a->parents.item, b->parents.item, a->parents.at[a->n] * sizeof *a->parents.item);
    assert_memory_equal(a->z, b->z, a->n * a->d * sizeof *a->z);
    assert_string_equal(a->text_model, b->text_model);
    assert_string_equal(a->text_hash, b->text_hash);
}

static void round_trip(void **state)
{
    (void)state;
    index_t x, y;
    err_t e = {0};
    made_index(&x, 0, N, "00000000000000aa");
    x.scored = true;
    x.scoring.cosine = 17;
    for (int k = 0; k < 4; k++) {
        x.store = (indexstore_t){.float32 = k & 1, .compact = k & 2, .no_zernike = k & 2, .no_profile = k == 3, .no_path = k == 1};
        if (index_write(DIR "/x.h5", &x, &e) || index_read(DIR "/x.h5", INDEX_ALL, &y, &e)) fail_msg("%s", e.msg);
        assert_int_equal(y.version, INDEX_VERSION);
        assert_int_equal(y.n, N);
        assert_int_equal(y.d, D);
        assert_int_equal(y.frames, 4);
        assert_string_equal(y.model, x.model);
        assert_string_equal(y.text[INDEX_TERMS][3], "GO:1");
        assert_string_equal(y.text[INDEX_PATH][3], k == 1 ? "" : "p");
        for (size_t i = 0; i < N * D; i++) assert_close((double)y.z[i], (double)x.z[i], k & 1 ? 1e-7 : k & 2 ? INDEX_EMBED_STEP : 4e-4);
        for (size_t i = 0; i < N * DESC_LEN; i++) assert_close(y.cube[i], x.cube[i], k & 2 ? 3 : 0); /* 127 is cut to 124 */
        assert_int_equal(y.zernike == NULL, !!(k & 2));
        assert_int_equal(y.profile == NULL, k == 3);
        assert_close(y.scoring.cosine, 17, 0);
        assert_close(y.scoring.cube, scoring_default.cube, 0);
        assert_true(y.scored);
        same_terms(&x.terms, &y.terms);
        index_free(&y);
    }
    struct stat plain, compact;
    x.store = (indexstore_t){0};
    assert_int_equal(index_write(DIR "/plain.h5", &x, &e), 0);
    assert_int_equal(stat(DIR "/plain.h5", &plain), 0);
    assert_int_equal(stat(DIR "/x.h5", &compact), 0);
    assert_true(compact.st_size * 2 < plain.st_size);
    index_free(&x);
}

static void compact_cubes_on_threads(void **state)
{
    (void)state;
    index_t x, y, z;
    err_t e = {0};
    made_index(&x, 0, N, "aa");
    x.store.compact = true;
    assert_int_equal(index_write(DIR "/x.h5", &x, &e), 0);
    int threads = threads_max();
    threads_set(1);
    assert_int_equal(index_read(DIR "/x.h5", INDEX_CUBE | INDEX_MAPPED, &y, &e), 0);
    threads_set(3);
    assert_int_equal(index_read(DIR "/x.h5", INDEX_CUBE, &z, &e), 0);
    threads_set(threads);
    assert_null(y.map);
    assert_memory_equal(y.cube, z.cube, N * DESC_LEN);
    hid_t f = H5Fopen(DIR "/x.h5", H5F_ACC_RDONLY, H5P_DEFAULT), d = H5Dopen2(f, "cube", H5P_DEFAULT); /* and by HDF5 itself */
    assert_true(H5Dread(d, H5T_NATIVE_INT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, x.cube) >= 0);
    H5Dclose(d);
    H5Fclose(f);
    assert_memory_equal(x.cube, y.cube, N * DESC_LEN);
    index_free(&x);
    index_free(&y);
    index_free(&z);
}

/* Names every dataset of the file had in version 1. */
static void version_one(void **state)
{
    (void)state;
    index_t x, y;
    err_t e = {0};
    int one = 1;
    made_index(&x, 0, 10, "aa");
    terms_free(&x.terms);
    x.d = 0;
    assert_int_equal(index_write(DIR "/x.h5", &x, &e), 0);
    hid_t f = H5Fopen(DIR "/x.h5", H5F_ACC_RDWR, H5P_DEFAULT), a = H5Aopen(f, "format_version", H5P_DEFAULT);
    assert_true(H5Awrite(a, H5T_NATIVE_INT, &one) >= 0 && H5Lmove(f, "manifest_terms", f, "terms", H5P_DEFAULT, H5P_DEFAULT) >= 0);
    H5Aclose(a);
    H5Fclose(f);
    if (index_read(DIR "/x.h5", INDEX_ALL, &y, &e)) fail_msg("%s", e.msg);
    assert_int_equal(y.version, 1);
    assert_string_equal(y.text[INDEX_TERMS][9], "GO:1");
    assert_int_equal(y.d, 0);
    assert_null(y.z);
    assert_int_equal(y.terms.n, 0);
    assert_int_equal(index_of_model(&y, "x.h5", "bb", "m.st", &e), -1);
    assert_int_equal(e.code, ERR_UNSUP);
    assert_non_null(strstr(e.msg, "no embeddings"));
    index_free(&x);
    index_free(&y);
}

static void joined(void **state)
{
    (void)state;
    index_t whole, a, b, x = {.scoring = scoring_default}, other;
    err_t e = {0};
    made_index(&a, 0, 30, "aa");
    made_index(&b, 30, 20, "aa");
    made_index(&whole, 0, 50, "aa");
    made_index(&other, 90, 5, "bb");
    if (index_join(&x, &a, &e) || index_join(&x, &b, &e)) fail_msg("%s", e.msg);
    assert_int_equal(x.n, 50);
    assert_memory_equal(x.z, a.z, 30 * D * sizeof *x.z);
    assert_memory_equal(x.z + 30 * D, b.z, 20 * D * sizeof *x.z);
    assert_memory_equal(x.terms.of.at, whole.terms.of.at, 51 * sizeof *x.terms.of.at);
    assert_memory_equal(x.terms.of.item, whole.terms.of.item, x.terms.of.at[50] * sizeof *x.terms.of.item);
    same_terms(&x.terms, &whole.terms);
    assert_int_equal(index_join(&x, &other, &e), -1);
    assert_int_equal(e.code, ERR_UNSUP);
    assert_true(strstr(e.msg, "bb") && strstr(e.msg, "aa"));
    e = (err_t){0};
    assert_int_equal(index_of_model(&a, "x.h5", "aa", "m.st", &e), 0);
    assert_int_equal(index_of_model(&a, "x.h5", "cc", "m.st", &e), -1);
    assert_true(strstr(e.msg, "aa") && strstr(e.msg, "cc") && strstr(e.msg, "x.h5") && strstr(e.msg, "m.st"));
    index_free(&x);
    index_free(&a);
    index_free(&b);
    index_free(&whole);
    index_free(&other);
}

/* ---- damage ---- */

enum { NAN_Z, LONG_Z, NO_MODEL, TERM_OUT, TERM_ORDER, PTR_END, PTR_BACK, PARENT_LATE, SPACE, BAD_SCORING, NO_ZERNIKE, FAULTS };

static void change(hid_t f, const char *name, hid_t type, size_t size, size_t at, const void *value)
{
    hid_t d = H5Dopen2(f, name, H5P_DEFAULT), space = H5Dget_space(d);
    size_t n = (size_t)H5Sget_simple_extent_npoints(space);
    char *p = mem_new(n, size, NULL);
    assert_true(H5Dread(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, p) >= 0);
    memcpy(p + at * size, value, size);
    assert_true(H5Dwrite(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, p) >= 0);
    mem_free(p);
    H5Sclose(space);
    H5Dclose(d);
}

static void spoil(hid_t f, int fault, const index_t *x)
{
    const float nan_value = NAN, long_value = 1;
    const uint32_t out = (uint32_t)x->terms.n, zero = 0, late = out - 1;
    const uint64_t end = 1, back = 1000;
    switch (fault) {
    case NAN_Z: change(f, "embeddings", H5T_NATIVE_FLOAT, sizeof(float), 5, &nan_value); break;
    case LONG_Z: change(f, "embeddings", H5T_NATIVE_FLOAT, sizeof(float), 5, &long_value); break;
    case NO_MODEL: assert_true(H5Adelete(f, "model") >= 0); break;
    case TERM_OUT: change(f, "terms/indices", H5T_NATIVE_UINT32, 4, 4, &out); break;
    case TERM_ORDER: change(f, "terms/indices", H5T_NATIVE_UINT32, 4, 4, &zero); break;
    case PTR_END: change(f, "terms/indptr", H5T_NATIVE_UINT64, 8, x->n, &end); break;
    case PTR_BACK: change(f, "terms/indptr", H5T_NATIVE_UINT64, 8, 1, &back); break;
    case PARENT_LATE: change(f, "vocab/parents_indices", H5T_NATIVE_UINT32, 4, 0, &late); break;
    case SPACE: {
        hid_t t = H5Tcopy(H5T_C_S1);
        H5Tset_size(t, 18);
        H5Tset_cset(t, H5T_CSET_UTF8);
        H5Tset_strpad(t, H5T_STR_NULLPAD);
        change(f, "vocab/namespace", t, 18, 0, "nonsense\0\0\0\0\0\0\0\0\0\0");
        H5Tclose(t);
        break;
    }
    case BAD_SCORING: {
        hid_t a = H5Aopen(f, "scoring_size", H5P_DEFAULT);
        double minus = -1;
        assert_true(H5Awrite(a, H5T_NATIVE_DOUBLE, &minus) >= 0);
        H5Aclose(a);
        break;
    }
    case NO_ZERNIKE: assert_true(H5Ldelete(f, "zernike", H5P_DEFAULT) >= 0); break;
    }
}

static void damaged(void **state)
{
    (void)state;
    index_t x, y;
    made_index(&x, 0, 30, "aa");
    x.scored = true;
    for (int k = 0; k < FAULTS; k++) {
        err_t e = {0};
        assert_int_equal(index_write(DIR "/x.h5", &x, &e), 0);
        hid_t f = H5Fopen(DIR "/x.h5", H5F_ACC_RDWR, H5P_DEFAULT);
        spoil(f, k, &x);
        H5Fclose(f);
        if (!index_read(DIR "/x.h5", INDEX_ALL, &y, &e)) fail_msg("fault %d is read", k);
        if (e.code != ERR_FORMAT) fail_msg("fault %d: %s: %s", k, err_name(e.code), e.msg);
        assert_non_null(strstr(e.msg, "x.h5"));
        assert_int_equal(y.n, 0);
    }
    index_free(&x);
}

static void scorings(void **state)
{
    (void)state;
    scoring_t s = scoring_default;
    err_t e = {0};
    assert_int_equal(scoring_set(&s, "cube=3,bias=-2.5,cosine=0", &e), 0);
    assert_close(s.cube, 3, 0);
    assert_close(s.bias, -2.5, 0);
    assert_close(s.cosine, 0, 0);
    assert_close(s.size, scoring_default.size, 0);
    static const char *const bad[] = {"cube", "cube=", "cube=x", "cubes=3", "cube=3;size=1", "size=0", "cosine=-1", "bias=nan", "margin=inf"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        e = (err_t){0};
        s = scoring_default;
        assert_int_equal(scoring_set(&s, bad[i], &e), -1);
        assert_int_equal(e.code, ERR_USAGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(halves),     cmocka_unit_test(terms_of_entries),         cmocka_unit_test(terms_joined),
        cmocka_unit_test(round_trip), cmocka_unit_test(compact_cubes_on_threads), cmocka_unit_test(version_one),
        cmocka_unit_test(joined),     cmocka_unit_test(damaged),                  cmocka_unit_test(scorings),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
