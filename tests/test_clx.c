/* test_clx: libcryolex against its header: every error, ownership, arrays against files, threads. The index is of a few models that the test makes. */
#include "tests/test.h"

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cryolex.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "mrc/mrc.h"
#include "pdb/pdb.h"
#include "pipeline/annotate.h"
#include "pipeline/describe.h"
#include "pipeline/embed.h"
#include "pipeline/textmodel.h"
#include "voxel/contour.h"

#define DIR "test_clx.dir"
#define INDEX DIR "/index.h5"
#define MODEL DIR "/model.safetensors"
#define MAP DIR "/map.mrc"
#define QUERY DIR "/m2.pdb"

enum { MODELS = 5 };

static const char table[] = "{\"inputs\": {\"cube\": [1, 32, 32, 32], \"features\": [33]}, \"layers\": ["
                            "{\"op\": \"conv\", \"name\": \"c\", \"from\": \"cube\", \"out\": 8, \"side\": 3, \"stride\": 2}, {\"op\": \"relu\"},"
                            "{\"op\": \"pool\", \"kind\": \"mean\", \"as\": \"p\"},"
                            "{\"op\": \"linear\", \"name\": \"f0\", \"from\": \"features\", \"out\": 8}, {\"op\": \"concat\", \"with\": \"p\"},"
                            "{\"op\": \"linear\", \"name\": \"f\", \"out\": 6}, {\"op\": \"l2norm\"}]}";
static const feature_t parts[] = {FEATURE_PROFILE, FEATURE_LOG_RG};

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static void put_model(int k)
{
    char path[64];
    snprintf(path, sizeof path, DIR "/m%d.pdb", k);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "TITLE     MODEL %d\n", k);
    for (int i = 1; i <= 120; i++)
        fprintf(f, "ATOM  %5d  CA  ALA A%4d    %8.3f%8.3f%8.3f  1.00 20.00           C\n", i, i, 5 * (k + 1) * cos(i), 12 * sin(i) + 0.1 * i, 2.0 * i / (k + 1));
    assert_int_equal(fclose(f), 0);
}

/* Hand an embedded record over to the index. */
static int take(void *ctx, const item_t *it, const described_t *got, const float *z, err_t *err)
{
    return got->err.code ? -1 : index_add(ctx, it, &got->rec, "", z, err);
}

/* Make a model know texts, by the small encoder of tests/parity and a projection at random. */
static void add_text(modelfile_t *m, const sentence_t *s)
{
    rng_t r;
    err_t e = {0};
    const size_t n = m->encoder->d * sentence_info(s)->dim;
    m->text = (modeltext_t){.dim = sentence_info(s)->dim, .weight = mem_new(n, sizeof(float), &e), .name = mem_str("tiny", &e)};
    if (!m->text.weight || sentence_hash(s, m->text.hash, &e)) fail_msg("%s", e.msg);
    rng_seed(&r, 3);
    for (size_t i = 0; i < n; i++) m->text.weight[i] = (float)rng_normal(&r);
}

/* text: folder of an encoder, or NULL. */
static void make_index(const char *model, const char *index, uint64_t seed, const char *text)
{
    static const char *const id[MODELS] = {"1aaa", "2bbb", "3ccc", "4ddd", "5eee"};
    static const char *const path[MODELS] = {DIR "/m0.pdb", DIR "/m1.pdb", DIR "/m2.pdb", DIR "/m3.pdb", DIR "/m4.pdb"};
    err_t e = {0};
    item_t it[MODELS];
    describer_t d;
    modelfile_t m = {.encoder = encoder_new(table, parts, 2, &e), .provenance = mem_str("{}", NULL)};
    if (!m.encoder) fail_msg("%s", e.msg);
    encoder_init(m.encoder, seed);
    sentence_t *s = text ? sentence_open(text, &e) : NULL;
    if (text && !s) fail_msg("%s", e.msg);
    if (s) add_text(&m, s);
    if (modelfile_write(model, &m, &e)) fail_msg("%s", e.msg);
    modelfile_free(&m);
    if (modelfile_read(model, &m, &e) || encoder_ready(m.encoder, &e) || describe_new(&d, NULL, &e)) fail_msg("%s", e.msg);
    index_t x = {.d = m.encoder->d, .frames = m.encoder->frames, .scoring = scoring_default};
    memcpy(x.model, m.hash, sizeof x.model);
    for (int i = 0; i < MODELS; i++) it[i] = (item_t){.id = id[i], .path = path[i], .contour = (double)NAN, .title = i ? NULL : "caf\xe9\ttwo"};
    if (embed_items(m.encoder, 1, &d, it, MODELS, NULL, take, &x, &e)) fail_msg("%s", e.msg);
    annot_t *a = annot_open(DIR, NULL, &e);
    if (!a || terms_make(a, x.text[INDEX_ID], x.n, &x.terms, &e) || (s && terms_embed(&x.terms, &m, s, &e)) || index_write(index, &x, &e)) fail_msg("%s", e.msg);
    sentence_close(s);
    annot_free(a);
    index_free(&x);
    describe_end(&d);
    modelfile_free(&m);
}

static int set_up(void **state)
{
    (void)state;
    static const char *const unset[] = {"CRYOLEX_INDEX", "CRYOLEX_MODEL", "CRYOLEX_SHARE", "CRYOLEX_TEXT_MODEL"};
    for (size_t i = 0; i < sizeof unset / sizeof *unset; i++) unsetenv(unset[i]);
    mkdir(DIR, 0700);
    for (int k = 0; k < MODELS; k++) put_model(k);
    put(DIR "/go_terms.tsv", "go_id\tname\tnamespace\tparents\tobsolete\nGO:0000001\troot\tmolecular_function\t\t0\n"
                             "GO:0000002\tgeneral\tmolecular_function\tisa=GO:0000001\t0\nGO:0000003\tspecial\tmolecular_function\tisa=GO:0000002\t0\n");
    put(DIR "/pdb_go_entry.tsv", "pdb_id\tgo_ids\n1aaa\tGO:0000002\n3ccc\tGO:0000003\n");
    make_index(MODEL, INDEX, 1, TEXT_MODEL "/text_bert");
    make_index(DIR "/other.safetensors", DIR "/other.h5", 2, NULL);
    err_t e = {0};
    model_t *m = pdb_read(QUERY, NULL, NULL, &e);
    vol_t *v = m ? describe_density(m, &e) : NULL;
    if (!v || mrc_write(MAP, v, NULL, &e)) fail_msg("%s", e.msg);
    vol_free(v);
    model_free(m);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return system("rm -rf " DIR);
}

static clx_t *open_made(void)
{
    clx_err_t e = {0};
    clx_t *c = clx_open(INDEX, MODEL, &e);
    if (!c) fail_msg("%s", e.msg);
    return c;
}

/* ---- opening ---- */

static void refuses_to_open(void **state)
{
    (void)state;
    put(DIR "/broken.h5", "no index");
    static const struct {
        const char *index, *model, *says;
        int code;
    } bad[] = {{DIR "/none.h5", MODEL, "none.h5", CLX_IO},
               {DIR "/broken.h5", MODEL, "broken.h5", CLX_FORMAT},
               {INDEX, DIR "/none.safetensors", "none.safetensors", CLX_IO},
               {INDEX, INDEX, "index.h5", CLX_FORMAT},
               {INDEX, DIR "/other.safetensors", "an index of model", CLX_UNSUP}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        clx_err_t e = {0};
        assert_null(clx_open(bad[i].index, bad[i].model, &e));
        if (e.code != bad[i].code || !strstr(e.msg, bad[i].says)) fail_msg("row %zu: %s: %s", i, clx_err_name(e.code), e.msg);
        assert_null(clx_open(bad[i].index, bad[i].model, NULL));
    }
    clx_err_t e = {CLX_RANGE, "the first"};
    assert_null(clx_open(DIR "/none.h5", MODEL, &e));
    assert_int_equal(e.code, CLX_RANGE);
    assert_string_equal(e.msg, "the first");
}

static void opens_by_environment(void **state)
{
    (void)state;
    clx_err_t e = {0};
    setenv("CRYOLEX_SHARE", DIR "/nothing", 1);
    assert_null(clx_open(NULL, NULL, &e));
    assert_int_equal(e.code, CLX_NOTFOUND);
    setenv("CRYOLEX_INDEX", INDEX, 1);
    setenv("CRYOLEX_MODEL", MODEL, 1);
    clx_t *c = clx_open(NULL, NULL, NULL);
    assert_non_null(c);
    assert_int_equal(clx_entries(c), MODELS);
    clx_close(c);
    clx_close(NULL);
    unsetenv("CRYOLEX_INDEX");
    unsetenv("CRYOLEX_MODEL");
    unsetenv("CRYOLEX_SHARE");
}

static void entries(void **state)
{
    (void)state;
    clx_t *c = open_made();
    size_t n, d;
    const float *z = clx_embeddings(c, &n, &d);
    assert_int_equal(n, MODELS);
    assert_int_equal(d, 6);
    for (size_t i = 0; i < n; i++) {
        double sq = 0;
        for (size_t k = 0; k < d; k++) sq += (double)z[i * d + k] * (double)z[i * d + k];
        assert_close(sq, 1, 2e-3); /* float16 in the index */
    }
    const clx_entry_t *e = clx_entry(c, 2);
    assert_string_equal(e->id, "3ccc");
    assert_string_equal(e->title, "MODEL 2");
    assert_string_equal(e->method, "");
    assert_string_equal(clx_entry(c, 0)->title, "caf??two");
    assert_true(isnan(e->resolution) && e->rg > 5 && e->volume > 1000);
    assert_null(clx_entry(c, MODELS));
    clx_close(c);
    assert_string_equal(clx_version(), CLX_VERSION);
    assert_string_equal(clx_err_name(CLX_NOTFOUND), "notfound");
    assert_string_equal(clx_err_name(-1), "unknown");
    assert_string_equal(clx_err_name(99), "unknown");
}

/* ---- queries ---- */

static void finds_itself(void **state)
{
    (void)state;
    static const char *const file[] = {QUERY, MAP};
    clx_t *c = open_made();
    for (int is_map = 0; is_map < 2; is_map++) {
        clx_err_t e = {0};
        size_t p, d, s;
        char group[8] = "?";
        double score = 0;
        clx_query_t *q = clx_query_file(c, file[is_map], NULL, &e);
        if (!q) fail_msg("%s", e.msg);
        const clx_about_t *a = clx_query_about(q);
        assert_int_equal(a->is_model, !is_map);
        assert_int_equal(a->contour_estimated, is_map);
        assert_true(isnan(a->contour) == !is_map);
        assert_close(a->mass, 0.00065 * a->volume, 1e-6 * a->mass);
        assert_close(a->rg, clx_entry(c, 2)->rg, 0.02 * a->rg);
        assert_true(isnan(a->resolution));
        assert_string_equal(a->title, is_map ? "" : "MODEL 2");
        assert_non_null(clx_query_embeddings(q, &p, &d));
        assert_true(p == 1 && d == 6);
        assert_non_null(clx_query_cube(q, &s));
        assert_int_equal(s, 32);
        assert_int_equal(clx_query_symmetry(q, group, &score, &e), 0);
        assert_true(strchr("CDTOI", *group) && score > 0 && score <= 1);
        clx_hits_t *h = clx_search(c, q, 3, &e);
        assert_non_null(h);
        assert_int_equal(clx_hits_count(h), 3);
        const clx_hit_t *hit = clx_hits_at(h, 0);
        assert_string_equal(hit->entry->id, "3ccc");
        assert_int_equal(hit->row, 2);
        assert_close(hit->cosine, 1, 1e-2);
        assert_close(hit->cube, 1, 1e-2);
        assert_close(hit->dlog_rg, 0, 0.02);
        assert_true(hit->confidence > clx_hits_at(h, 1)->confidence && hit->score > clx_hits_at(h, 1)->score);
        assert_null(clx_hits_at(h, 3));
        clx_hits_free(h);
        h = clx_search(c, q, 100, NULL);
        assert_int_equal(clx_hits_count(h), MODELS);
        clx_hits_free(h);
        assert_null(clx_search(c, q, 0, &e));
        assert_int_equal(e.code, CLX_USAGE);
        clx_query_free(q);
    }
    clx_hits_free(NULL);
    clx_query_free(NULL);
    clx_close(c);
}

static void refuses_files(void **state)
{
    (void)state;
    put(DIR "/junk.map", "this is no map, and no model");
    const double high = 1e9;
    static const clx_how_t plain = {.size = sizeof(clx_how_t)};
    clx_how_t contour = plain, small = plain, old = plain, voxel = plain, assembly = plain;
    contour.contour = &high;
    small.memory = 1000;
    old.size = 8;
    voxel.voxel = -1;
    assembly.assembly = "77";
    const struct {
        const char *path;
        const clx_how_t *how;
        int code;
    } bad[] = {{DIR "/none.mrc", NULL, CLX_IO},  {DIR "/junk.map", NULL, CLX_UNSUP}, {MAP, &contour, CLX_RANGE},   {MAP, &small, CLX_RANGE},
               {MAP, &old, CLX_USAGE},           {MAP, &voxel, CLX_USAGE},            {QUERY, &assembly, CLX_NOTFOUND}};
    clx_t *c = open_made();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        clx_err_t e = {0};
        assert_null(clx_query_file(c, bad[i].path, bad[i].how, &e));
        if (e.code != bad[i].code || strncmp(e.msg, bad[i].path, strlen(bad[i].path)) != 0) fail_msg("row %zu: %s: %s", i, clx_err_name(e.code), e.msg);
    }
    clx_close(c);
}

static void assert_text(const char *s)
{
    for (size_t n; *s; s += n)
        if (!(n = utf8_len(s)) || (unsigned char)*s < 0x20) fail_msg("no UTF-8: %s", s);
}

/* Names of files may be any bytes, and messages end somewhere. */
static void texts_are_utf8(void **state)
{
    (void)state;
    clx_t *c = open_made();
    vol_t *v = mrc_read(MAP, NULL, NULL, NULL, NULL);
    mkdir(DIR "/caf\xe9", 0700);
    if (!v || mrc_write(DIR "/caf\xe9/emd_1234.map", v, NULL, NULL)) fail_msg("no map");
    vol_free(v);
    put(DIR "/caf\xe9/emd-1234.xml", "no header");
    clx_query_t *q = clx_query_file(c, DIR "/caf\xe9/emd_1234.map", NULL, NULL);
    assert_non_null(q);
    const clx_about_t *a = clx_query_about(q);
    assert_int_equal(a->notes, 1);
    assert_non_null(strstr(a->note[0], "caf?/emd-1234.xml"));
    assert_text(a->note[0]);
    clx_query_free(q);
    put(DIR "/caf\xe9/emd-1234.xml", "<emd emdb_id=\"EMD-1234\"><admin><title>one\n  two\tthree\x7f</title></admin></emd>");
    q = clx_query_file(c, DIR "/caf\xe9/emd_1234.map", NULL, NULL);
    assert_non_null(q);
    assert_string_equal(clx_query_about(q)->title, "one   two three?");
    clx_query_free(q);
    char path[600];
    for (size_t i = 0; i < 4; i++) { /* cut wherever it falls within a character */
        clx_err_t e = {0};
        memset(path, 'x', i);
        path[i] = 0;
        while (strlen(path) < 560) strcat(path, "\xe2\x82\xac");
        assert_null(clx_query_file(c, path, NULL, &e));
        assert_true(e.code == CLX_IO && strlen(e.msg) == sizeof e.msg - 1);
        assert_text(e.msg);
    }
    clx_close(c);
}

/* What a file says is what the array says that is in it: with and without a contour, and at another voxel size. */
static void arrays(void **state)
{
    (void)state;
    clx_t *c = open_made();
    clx_err_t e = {0};
    vol_t *v = mrc_read(MAP, NULL, NULL, NULL, NULL);
    contour_t level;
    assert_int_equal(contour_estimate(v, &level, NULL), 0);
    for (int k = 0; k < 3; k++) {
        clx_how_t how = {.size = sizeof how, .contour = k == 1 ? &level.level : NULL, .voxel = k == 2 ? 1.5 * v->voxel[0] : 0};
        double voxel[3] = {v->voxel[0], v->voxel[1], v->voxel[2]};
        for (int a = 0; a < 3 && k == 2; a++) voxel[a] = how.voxel;
        clx_query_t *f = clx_query_file(c, MAP, &how, &e), *q = clx_query_array(c, v->data, v->nx, v->ny, v->nz, voxel, how.contour, &e);
        if (!f || !q) fail_msg("%s", e.msg);
        size_t p, d, s;
        const float *z = clx_query_embeddings(f, &p, &d), *cube = clx_query_cube(f, &s);
        assert_memory_equal(z, clx_query_embeddings(q, NULL, NULL), p * d * sizeof *z);
        assert_memory_equal(cube, clx_query_cube(q, NULL), s * s * s * sizeof *cube);
        assert_true(clx_query_about(f)->rg == clx_query_about(q)->rg);
        assert_true(clx_query_about(f)->contour_estimated == (k != 1) && !clx_query_about(q)->contour_estimated);
        assert_true(k == 1 ? clx_query_about(q)->contour == clx_query_about(f)->contour : isnan(clx_query_about(q)->contour));
        clx_query_free(f);
        clx_query_free(q);
    }
    const double none[3] = {1, 0, 1}, one[3] = {1, 1, 1}, high = 1e9;
    assert_null(clx_query_array(c, v->data, v->nx, v->ny, v->nz, none, NULL, &e));
    assert_int_equal(e.code, CLX_USAGE);
    e = (clx_err_t){0};
    assert_null(clx_query_array(c, v->data, 0, v->ny, v->nz, one, NULL, &e));
    assert_int_equal(e.code, CLX_RANGE);
    e = (clx_err_t){0};
    assert_null(clx_query_array(c, v->data, v->nx, v->ny, v->nz, one, &high, &e));
    assert_int_equal(e.code, CLX_RANGE);
    vol_free(v);
    clx_close(c);
}

/* ---- annotation, texts ---- */

static void annotates(void **state)
{
    (void)state;
    clx_t *c = open_made();
    clx_query_t *q = clx_query_file(c, QUERY, NULL, NULL);
    clx_annotation_t *a = clx_annotate(c, q, NULL, NULL);
    assert_non_null(a);
    assert_int_equal(clx_annotation_count(a), 1);
    const clx_term_t *t = clx_annotation_at(a, 0);
    assert_string_equal(t->id, "GO:0000003");
    assert_string_equal(t->name, "special");
    assert_string_equal(t->space, "molecular_function");
    assert_int_equal(t->kind, CLX_FUNCTION);
    assert_true(t->confidence >= 0.3 && t->confidence <= 1 && t->vote > 0 && t->vote <= 1 && !isnan(t->text));
    assert_true(t->hits == 1 && t->nearest == 1 && t->rank[0] == 0);
    assert_string_equal(clx_hits_at(clx_annotation_hits(a), 0)->entry->id, "3ccc");
    assert_int_equal(clx_hits_count(clx_annotation_hits(a)), MODELS);
    assert_true(isnan(clx_annotation_known(a)) && !clx_annotation_novel(a));
    assert_null(clx_annotation_at(a, 1));
    clx_annotation_free(a);

    clx_tell_t how = CLX_TELL;
    how.ancestors = 1;
    a = clx_annotate(c, q, &how, NULL);
    assert_int_equal(clx_annotation_count(a), 2);
    clx_annotation_free(a);
    how.kinds = CLX_EC | CLX_MOLECULE;
    a = clx_annotate(c, q, &how, NULL);
    assert_int_equal(clx_annotation_count(a), 0);
    clx_annotation_free(a);
    const clx_tell_t bad[] = {{8, 50, 8, 0.3, 127, 0, 0},          {sizeof how, 0, 8, 0.3, 127, 0, 0},  {sizeof how, 50, 0, 0.3, 127, 0, 0},
                              {sizeof how, 50, 8, 1.5, 127, 0, 0}, {sizeof how, 50, 8, NAN, 127, 0, 0}, {sizeof how, 50, 8, 0.3, 0, 0, 0},
                              {sizeof how, 50, 8, 0.3, 128, 0, 0}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        clx_err_t e = {0};
        assert_null(clx_annotate(c, q, &bad[i], &e));
        if (e.code != CLX_USAGE) fail_msg("row %zu: %s", i, e.msg);
    }
    clx_annotation_free(NULL);
    clx_query_free(q);
    clx_close(c);
}

static void texts(void **state)
{
    (void)state;
    static const char text[] = "a special pump";
    clx_t *c = open_made();
    clx_err_t e = {0};
    err_t own = {0};
    index_t x;
    modelfile_t m;
    hit_t hit[MODELS];
    float z[6];
    size_t n;
    sentence_t *s = NULL;
    if (index_read(INDEX, INDEX_ALL, &x, &own) || modelfile_read(MODEL, &m, &own) || !(s = textmodel_of(TEXT_MODEL "/text_bert", &m, MODEL, &own)) ||
        textmodel_embed(s, &m, text, z, &own) || search_words(&x, z, 3, hit, &n, &own))
        fail_msg("%s", own.msg);
    for (int k = 0; k < 2; k++) { /* the second time the encoder is open */
        clx_hits_t *h = clx_search_text(c, text, TEXT_MODEL "/text_bert", 3, &e);
        if (!h) fail_msg("%s", e.msg);
        assert_int_equal(clx_hits_count(h), 3);
        for (size_t i = 0; i < 3; i++) {
            const clx_hit_t *got = clx_hits_at(h, i);
            assert_int_equal(got->row, hit[i].entry);
            assert_true(got->score == (double)hit[i].score && got->cosine == (double)hit[i].cosine);
            assert_true(isnan(got->confidence) && isnan(got->cube) && isnan(got->dlog_rg));
        }
        clx_hits_free(h);
    }
    sentence_close(s);
    modelfile_free(&m);
    index_free(&x);
    clx_close(c);
}

static void refuses_texts(void **state)
{
    (void)state;
    static const struct {
        const char *text, *encoder;
        size_t top;
        int code;
    } bad[] = {{"", TEXT_MODEL "/text_bert", 3, CLX_USAGE},          {"a pump", TEXT_MODEL "/text_bert", 0, CLX_USAGE},
               {"a \xff pump", TEXT_MODEL "/text_bert", 3, CLX_FORMAT}, {"a pump", TEXT_MODEL "/text_mpnet", 3, CLX_UNSUP},
               {"a pump", DIR "/none", 3, CLX_NOTFOUND}};
    clx_t *c = open_made();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        clx_err_t e = {0};
        assert_null(clx_search_text(c, bad[i].text, bad[i].encoder, bad[i].top, &e));
        if (e.code != bad[i].code) fail_msg("row %zu: %s: %s", i, clx_err_name(e.code), e.msg);
    }
    clx_close(c);
    clx_err_t e = {0};
    c = clx_open(DIR "/other.h5", DIR "/other.safetensors", &e);
    if (!c) fail_msg("%s", e.msg);
    assert_null(clx_search_text(c, "a pump", TEXT_MODEL "/text_bert", 3, &e)); /* this model has seen no text */
    assert_int_equal(e.code, CLX_UNSUP);
    clx_close(c);
}

/* ---- threads ---- */

enum { THREADS = 4, ROUNDS = 3 };

typedef struct {
    clx_t *c;
    float z[6];
    int bad;
} job_t;

static void *ask(void *ctx)
{
    job_t *j = ctx;
    for (int k = 0; k < ROUNDS; k++) {
        clx_t *own = clx_open(INDEX, MODEL, NULL);
        clx_query_t *q = clx_query_file(j->c, MAP, NULL, NULL);
        clx_hits_t *h = q ? clx_search(j->c, q, 1, NULL) : NULL;
        j->bad += !own || !h || strcmp(clx_hits_at(h, 0)->entry->id, "3ccc") != 0;
        if (q) memcpy(j->z, clx_query_embeddings(q, NULL, NULL), sizeof j->z);
        clx_hits_free(h);
        clx_query_free(q);
        clx_close(own);
    }
    return NULL;
}

static void many_threads(void **state)
{
    (void)state;
    pthread_t id[THREADS];
    job_t job[THREADS + 1] = {{0}};
    job[THREADS].c = open_made();
    ask(&job[THREADS]);
    for (int i = 0; i < THREADS; i++) {
        job[i].c = job[THREADS].c;
        assert_int_equal(pthread_create(&id[i], NULL, ask, &job[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(id[i], NULL), 0);
        assert_int_equal(job[i].bad, 0);
        assert_memory_equal(job[i].z, job[THREADS].z, sizeof job[i].z);
    }
    clx_close(job[THREADS].c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_to_open), cmocka_unit_test(opens_by_environment), cmocka_unit_test(entries),       cmocka_unit_test(finds_itself),
        cmocka_unit_test(refuses_files),   cmocka_unit_test(texts_are_utf8),       cmocka_unit_test(arrays),               cmocka_unit_test(annotates),     cmocka_unit_test(texts),
        cmocka_unit_test(refuses_texts),
        cmocka_unit_test(many_threads),
    };
    return cmocka_run_group_tests_name("clx", tests, set_up, tear_down);
}
