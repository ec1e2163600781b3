/* test_modelfile: what a model file is, one fault at a time. */
#include "tests/test.h"

#include <inttypes.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "nn/stfile.h"
#include "pipeline/modelfile.h"
#include "voxel/cube.h"

#define DIR "test_modelfile.dir"
#define GOOD DIR "/good.safetensors"
#define BAD DIR "/bad.safetensors"

static const char table[] =
    "{\"inputs\": {\"cube\": [1, 32, 32, 32], \"features\": [33]}, \"layers\": ["
    "{\"op\": \"conv\", \"name\": \"c\", \"from\": \"cube\", \"out\": 8, \"side\": 3, \"stride\": 2},"
    "{\"op\": \"groupnorm\", \"name\": \"n\", \"groups\": 2}, {\"op\": \"relu\"}, {\"op\": \"pool\", \"kind\": \"max\", "
    "\"as\": \"p\"},"
    "{\"op\": \"batchnorm\", \"name\": \"b\", \"from\": \"features\"}, {\"op\": \"concat\", \"with\": \"p\"},"
    "{\"op\": \"linear\", \"name\": \"f\", \"out\": 5}, {\"op\": \"l2norm\"}]}";
static const feature_t parts[] = {FEATURE_PROFILE, FEATURE_LOG_RG};
enum { TENSORS = 10, KEYS = 8 };

static void make(modelfile_t *m)
{
    err_t e = {0};
    *m = (modelfile_t){.encoder = encoder_new(table, parts, 2, &e), .provenance = mem_str("{\"seed\": 5}", NULL)};
    if (!m->encoder) fail_msg("%s", e.msg);
    encoder_init(m->encoder, 5);
}

static int set_up(void **state)
{
    (void)state;
    modelfile_t m;
    err_t e = {0};
    if (system("mkdir -p " DIR)) return -1;
    make(&m);
    if (modelfile_write(GOOD, &m, &e)) fail_msg("%s", e.msg);
    modelfile_free(&m);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return system("rm -rf " DIR);
}

static void round_trip(void **state)
{
    (void)state;
    modelfile_t a, b, c;
    err_t e = {0};
    make(&a);
    if (modelfile_read(GOOD, &b, &e)) fail_msg("%s", e.msg);
    assert_memory_equal(a.encoder->params, b.encoder->params, net_size(a.encoder->net) * sizeof(float));
    assert_string_equal(net_table(b.encoder->net), table);
    assert_string_equal(b.provenance, "{\"seed\": 5}");
    assert_int_equal(b.encoder->parts, 2);
    assert_int_equal(b.encoder->part[0], FEATURE_PROFILE);
    assert_int_equal(b.encoder->part[1], FEATURE_LOG_RG);
    assert_int_equal(b.encoder->frames, 4);
    assert_int_equal(b.encoder->d, 5);
    assert_int_equal(strlen(b.hash), 16);

    /* equal models, equal bytes and hashes; another seed, another hash */
    assert_int_equal(modelfile_write(DIR "/again.safetensors", &b, NULL), 0);
    assert_int_equal(modelfile_read(DIR "/again.safetensors", &c, NULL), 0);
    assert_string_equal(b.hash, c.hash);
    modelfile_free(&c);
    encoder_init(b.encoder, 6);
    b.encoder->frames = 1;
    assert_int_equal(modelfile_write(DIR "/again.safetensors", &b, NULL), 0);
    assert_int_equal(modelfile_read(DIR "/again.safetensors", &c, NULL), 0);
    assert_string_not_equal(b.hash, c.hash);
    assert_int_equal(c.encoder->frames, 1);
    modelfile_free(&c);

    modelfile_free(&b); /* a read that fails leaves nothing */
    assert_int_equal(modelfile_read(DIR "/none", &b, &e), -1);
    assert_int_equal(e.code, ERR_IO);
    assert_null(b.encoder);
    assert_int_equal(modelfile_write(DIR "/none/x", &a, NULL), -1);
    modelfile_free(&a);
}

/* A network for another side, with text and scales. */
static void text_and_scales(void **state)
{
    (void)state;
    static const char other[] = "{\"inputs\": {\"cube\": [1, 24, 24, 24]}, \"layers\": [{\"op\": \"pool\", \"from\": "
                                "\"cube\", \"kind\": \"mean\"}, {\"op\": \"linear\", \"name\": \"f\", \"out\": 2}, "
                                "{\"op\": \"l2norm\"}]}";
    static const float weight[] = {1, 2, 3, -4, 5, 6}, text[] = {1, 1, 0, 0, 0, 0}, want[] = {3, 1};
    err_t e = {0};
    modelfile_t got, m = {.encoder = encoder_new(other, parts, 0, &e), .scale_view = 20, .scale_text = 12.5,
                          .text = {.dim = 3, .name = mem_str("mini", NULL), .hash = "0123456789abcdef"}};
    if (!m.encoder) fail_msg("%s", e.msg);
    m.text.weight = mem_new(6, sizeof(float), NULL);
    memcpy(m.text.weight, weight, sizeof weight);
    if (modelfile_write(BAD, &m, &e) || modelfile_read(BAD, &got, &e)) fail_msg("%s", e.msg);
    assert_int_equal(got.encoder->side, 24);
    assert_int_equal(got.text.dim, 3);
    assert_memory_equal(got.text.weight, weight, sizeof weight);
    assert_string_equal(got.text.name, "mini");
    assert_string_equal(got.text.hash, "0123456789abcdef");
    assert_close(got.scale_view, 20, 0);
    assert_close(got.scale_text, 12.5, 0);

    float out[4];
    modelfile_project(&got, 2, text, out);
    for (int j = 0; j < 2; j++) {
        assert_close((double)out[j], (double)want[j] / sqrt(10), 1e-7);
        assert_close((double)out[2 + j], 0, 0);
    }
    modelfile_free(&got);

    m.text.weight[4] = NAN;
    assert_int_equal(modelfile_write(BAD, &m, NULL), 0);
    assert_int_equal(modelfile_read(BAD, &got, &e), -1);
    assert_int_equal(e.code, ERR_FORMAT);
    assert_non_null(strstr(e.msg, "text.weight"));
    modelfile_free(&m);
}

/* CRC-64 of xz, by its definition. */
static void hash_of_the_bytes(void **state)
{
    (void)state;
    modelfile_t m;
    size_t n;
    uint64_t crc = ~UINT64_C(0);
    char want[17];
    unsigned char *b = file_read(GOOD, 1 << 24, &n, NULL);
    for (size_t i = 0; i < n; i++) {
        crc ^= b[i];
        for (int k = 0; k < 8; k++) crc = crc & 1 ? crc >> 1 ^ UINT64_C(0xc96c5795d7870f42) : crc >> 1;
    }
    snprintf(want, sizeof want, "%016" PRIx64, ~crc);
    assert_int_equal(modelfile_read(GOOD, &m, NULL), 0);
    assert_string_equal(m.hash, want);
    mem_free(b);
    modelfile_free(&m);
}

/* The tensors are those of a PyTorch state_dict and nothing else. */
static void tensors(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t ndim, shape[5];
    } want[TENSORS] = {{"c.weight", 5, {8, 1, 3, 3, 3}},
                       {"c.bias", 1, {8}},
                       {"n.weight", 1, {8}},
                       {"n.bias", 1, {8}},
                       {"b.weight", 1, {33}},
                       {"b.bias", 1, {33}},
                       {"b.running_mean", 1, {33}},
                       {"b.running_var", 1, {33}},
                       {"f.weight", 2, {5, 41}},
                       {"f.bias", 1, {5}}};
    stfile_t *f = stfile_open(GOOD, NULL);
    assert_non_null(f);
    assert_int_equal(stfile_count(f), TENSORS);
    for (size_t i = 0; i < TENSORS; i++) {
        const sttensor_t *t = stfile_find(f, want[i].name);
        if (!t) fail_msg("no %s", want[i].name);
        assert_int_equal(t->type, ST_F32);
        assert_int_equal(t->ndim, want[i].ndim);
        for (size_t k = 0; k < t->ndim; k++) assert_int_equal(t->shape[k], want[i].shape[k]);
    }
    stfile_close(f);
}

/* One change to a good file. */
typedef struct {
    const char *what, *value; /* a metadata key and its value (NULL: left out); or a tensor and what to do */
    errcode_t code;           /* ERR_OK: taken */
    const char *says;         /* part of the message */
} fault_t;

static const fault_t fault[] = {
    {"", "", ERR_OK, NULL},
    {"format", NULL, ERR_FORMAT, "format"},
    {"format", "cryolex model 2", ERR_UNSUP, "cryolex model 2"},
    {"network", NULL, ERR_FORMAT, "network"},
    {"network", "{", ERR_FORMAT, ""},
    {"network",
     "{\"inputs\": {\"cube\": [1,32,32,32], \"features\": [33]}, \"layers\": [{\"op\": \"linear\", \"name\": \"f\", "
     "\"from\": \"features\", \"out\": 5}]}",
     ERR_FORMAT, "l2norm"},
    {"cube", NULL, ERR_FORMAT, "cube"},
    {"cube", "32", ERR_FORMAT, "JSON"},
    {"cube", "[32]", ERR_FORMAT, "side"},
    {"cube", "{\"side\": 32, \"side\": 32, \"version\": 1, \"edge\": 5, \"shells\": 10}", ERR_FORMAT, "cube"},
    {"cube", "{\"side\": 32, \"version\": 1, \"edge\": 5.0, \"shells\": 10}", ERR_OK, NULL},
    {"cube", "{\"side\": 48, \"version\": 1, \"edge\": 5.0, \"shells\": 10}", ERR_FORMAT, "48"},
    {"text", "{\"name\": \"mini\", \"hash\": \"\", \"dim\": 3}", ERR_FORMAT, "text.weight"},
    {"text", "{\"name\": \"mini\", \"dim\": 3}", ERR_FORMAT, "hash"},
    {"text", "{\"name\": \"mini\", \"hash\": \"\", \"dim\": 0}", ERR_FORMAT, "dim"},
    {"text", "{", ERR_FORMAT, "text"},
    {"scales", "{\"view\": -1, \"text\": 2}", ERR_FORMAT, "scales"},
    {"scales", "{\"view\": 1, \"text\": 2}", ERR_OK, NULL},
    {"cube", "{\"side\": 32, \"version\": 99, \"edge\": 5.0, \"shells\": 10}", ERR_UNSUP, "version 99"},
    {"cube", "{\"side\": 32, \"version\": 1, \"edge\": 5.5, \"shells\": 10}", ERR_UNSUP, "edge 5.5"},
    {"cube", "{\"side\": 32, \"version\": 1, \"edge\": 5.0, \"shells\": 9}", ERR_UNSUP, "shells 9"},
    {"cube", "{\"side\": 32, \"version\": 1, \"edge\": 5.0}", ERR_FORMAT, "shells"},
    {"features", NULL, ERR_FORMAT, "features"},
    {"features", "[\"profile\"]", ERR_FORMAT, "33"},
    {"features", "[\"log_rg\", \"profile\"]", ERR_OK, NULL},
    {"features", "[\"profile\", \"mass\"]", ERR_UNSUP, "mass"},
    {"features", "[\"profile\", 1]", ERR_UNSUP, "features"},
    {"features", "[\"profile\", \"profile\"]", ERR_FORMAT, "twice"},
    {"features", "{\"profile\": 32}", ERR_FORMAT, "features"},
    {"features", "[\"log_rg\", \"log_rg\", \"log_rg\", \"log_rg\"]", ERR_FORMAT, "features"},
    {"frames", NULL, ERR_FORMAT, "frames"},
    {"frames", "1", ERR_OK, NULL},
    {"frames", "2", ERR_FORMAT, "frames"},
    {"provenance", NULL, ERR_FORMAT, "provenance"},
    {"provenance", "[]", ERR_FORMAT, "provenance"},
    {"provenance", "{", ERR_FORMAT, "provenance"},
    {"c.weight", "drop", ERR_FORMAT, "c.weight"},
    {"f.bias", "drop", ERR_FORMAT, "f.bias"},
    {"c.weight", "flatten", ERR_FORMAT, "c.weight"},
    {"f.weight", "rename", ERR_FORMAT, "f.weight"},
    {"f.weight", "twice", ERR_FORMAT, "extra"},
    {"f.weight", "nan", ERR_FORMAT, "f.weight"},
    {"n.bias", "inf", ERR_FORMAT, "n.bias"},
    {"b.running_mean", "minus", ERR_OK, NULL},
    {"b.running_var", "minus", ERR_FORMAT, "b.running_var"},
    {"b.running_var", "nan", ERR_FORMAT, "b.running_var"},
    {"f.bias", "bytes", ERR_UNSUP, "f.bias"},
};

/* Do to tensor t[i] what the fault says; returns how many tensors there are then. x is room for a changed copy. */
static size_t change(const fault_t *f, sttensor_t *t, size_t n, size_t i, float *x)
{
    memcpy(x, t[i].data, t[i].count * sizeof *x);
    t[i].data = x;
    if (!strcmp(f->value, "nan")) x[t[i].count - 1] = NAN;
    if (!strcmp(f->value, "inf")) x[t[i].count - 1] = -INFINITY;
    if (!strcmp(f->value, "minus")) x[t[i].count - 1] = -1;
    if (!strcmp(f->value, "rename")) t[i].name = "extra";
    if (!strcmp(f->value, "bytes")) t[i].type = ST_U8;
    if (!strcmp(f->value, "flatten")) {
        t[i].ndim = 1;
        t[i].shape[0] = t[i].count;
    }
    if (!strcmp(f->value, "twice")) {
        t[n] = t[i];
        t[n++].name = "extra";
    }
    if (!strcmp(f->value, "drop")) t[i] = t[--n];
    return n;
}

static void write_with(const fault_t *f, const stfile_t *good)
{
    static const char *const keys[KEYS] = {"format", "network", "cube", "features", "frames", "provenance", "text", "scales"};
    sttensor_t t[TENSORS + 1];
    stmeta_t meta[KEYS];
    size_t n = stfile_count(good), nmeta = 0;
    float *x = mem_new(10000, sizeof *x, NULL);
    err_t e = {0};
    for (size_t i = 0; i < n; i++) t[i] = *stfile_at(good, i);
    for (size_t i = 0; i < TENSORS; i++)
        if (!strcmp(stfile_at(good, i)->name, f->what)) n = change(f, t, n, i, x);
    for (int k = 0; k < KEYS; k++) {
        const char *value = strcmp(keys[k], f->what) ? stfile_meta(good, keys[k]) : f->value;
        if (value) meta[nmeta++] = (stmeta_t){keys[k], value};
    }
    if (stfile_write(BAD, t, n, meta, nmeta, &e)) fail_msg("%s", e.msg);
    mem_free(x);
}

static void refuses(void **state)
{
    (void)state;
    stfile_t *good = stfile_open(GOOD, NULL);
    assert_non_null(good);
    for (size_t i = 0; i < sizeof fault / sizeof *fault; i++) {
        modelfile_t m;
        err_t e = {0};
        write_with(&fault[i], good);
        int rc = modelfile_read(BAD, &m, &e);
        if (e.code != fault[i].code || rc != (e.code == ERR_OK ? 0 : -1))
            fail_msg("%s %s: %s (%s)", fault[i].what, fault[i].value ? fault[i].value : "missing", err_name(e.code), e.msg);
        if (rc) {
            assert_null(m.encoder);
            if (strncmp(e.msg, BAD ": ", sizeof BAD + 1) != 0 || !strstr(e.msg, fault[i].says))
                fail_msg("%s %s: %s", fault[i].what, fault[i].value, e.msg);
        }
        modelfile_free(&m);
    }
    stfile_close(good);
}

static void untrained(void **state)
{
    (void)state;
    static const struct {
        const char *provenance;
        bool want;
    } row[] = {{"{}", false}, {"{\"trained\": true}", false}, {"{\"trained\": 0}", false}, {"{\"trained\": false}", true}};
    modelfile_t a, b;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        make(&a);
        mem_free(a.provenance);
        a.provenance = mem_str(row[i].provenance, NULL);
        assert_int_equal(modelfile_write(BAD, &a, NULL), 0);
        assert_int_equal(modelfile_read(BAD, &b, NULL), 0);
        assert_int_equal(b.untrained, row[i].want);
        modelfile_free(&a);
        modelfile_free(&b);
    }
}

/* A model cut anywhere is refused. */
static void cut(void **state)
{
    (void)state;
    size_t n;
    unsigned char *b = file_read(GOOD, 1 << 24, &n, NULL);
    for (size_t at = 0; at < n; at += at < 16 ? 1 : n / 29) {
        FILE *f = fopen(BAD, "wb");
        modelfile_t m;
        assert_int_equal(fwrite(b, 1, at, f), at);
        assert_int_equal(fclose(f), 0);
        err_t e = {0};
        assert_int_equal(modelfile_read(BAD, &m, &e), -1);
        assert_true(e.code == ERR_IO || e.code == ERR_FORMAT);
        assert_null(m.encoder);
    }
    mem_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_and_scales), cmocka_unit_test(round_trip), cmocka_unit_test(hash_of_the_bytes),
        cmocka_unit_test(tensors),    cmocka_unit_test(refuses),
        cmocka_unit_test(cut),        cmocka_unit_test(untrained),
    };
    return cmocka_run_group_tests_name("modelfile", tests, set_up, tear_down);
}
