/* stfile: files as they should be, one fault a row, conversions, and the way there and back. */
#include "tests/test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/rng.h"
#include "nn/stfile.h"

/* A file in memory: the header's length, or `len` where it is not (size_t)-1; the header; `data` bytes 0,1,2... */
static unsigned char *make(const char *header, size_t len, size_t data, size_t *n)
{
    size_t h = strlen(header);
    unsigned char *b = malloc(8 + h + data);
    if (len == (size_t)-1) len = h;
    for (size_t i = 0; i < 8; i++) b[i] = (unsigned char)((uint64_t)len >> 8 * i);
    memcpy(b + 8, header, h);
    for (size_t i = 0; i < data; i++) b[8 + h + i] = (unsigned char)i;
    *n = 8 + h + data;
    return b;
}

#define AT(name, type, shape, from, to) "\"" name "\":{\"dtype\":\"" type "\",\"shape\":" shape ",\"data_offsets\":[" #from "," #to "]}"
#define ONE(type, shape, from, to) "{" AT("a", type, shape, from, to) "}"
#define OK (errcode_t)0
#define DEEP10 "[[[[[[[[[["

static const struct {
    const char *header;
    size_t data;
    errcode_t code;
    const char *says; /* in the message */
} rows[] = {
    {"{}", 0, OK, ""},
    {"{}   ", 0, OK, ""},
    {"{\"__metadata__\":{}}", 0, OK, ""},
    {ONE("F32", "[2,3]", 0, 24), 24, OK, ""},
    {ONE("F32", "[]", 0, 4), 4, OK, ""},
    {ONE("U8", "[0,7]", 0, 0), 0, OK, ""},
    {ONE("U8", "[1,1,1,1,1,1,1,2]", 0, 2), 2, OK, ""},
    {"{" AT("b", "U8", "[3]", 4, 7) "," AT("a", "F32", "[1]", 0, 4) "}", 7, OK, ""}, /* any order in the header */
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"more\":{\"x\":[null,1.5]}}}", 1, OK, ""},
    /* no header */
    {"", 0, ERR_FORMAT, "does not begin with {"},
    {"{", 0, ERR_FORMAT, "does not begin with {"},
    {" {}", 0, ERR_FORMAT, "does not begin with {"},
    {"[]", 0, ERR_FORMAT, "does not begin with {"},
    {"{]", 0, ERR_FORMAT, "byte"},
    {"{}x", 0, ERR_FORMAT, "end of file"},
    {"{\"a\":1,}", 0, ERR_FORMAT, "byte"},
    {"{'a':1}", 0, ERR_FORMAT, "byte"},
    {"{\"a\":" DEEP10 "1]}", 0, ERR_FORMAT, "byte"},
    {"{\"a\xff\":{}}", 0, ERR_FORMAT, "unable to decode byte"},
    {"{\"a\xc0\x80\":{}}", 0, ERR_FORMAT, "unable to decode byte"},
    {"{\"a\xed\xa0\x80\":{}}", 0, ERR_FORMAT, "unable to decode byte"},
    {"{\"a\\u0000\":{}}", 0, ERR_FORMAT, "0000"},
    /* keys twice */
    {"{" AT("a", "U8", "[1]", 0, 1) "," AT("a", "U8", "[1]", 1, 2) "}", 2, ERR_FORMAT, "uplicate"},
    {"{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0, ERR_FORMAT, "uplicate"},
    {"{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, ERR_FORMAT, "uplicate"},
    /* metadata */
    {"{\"__metadata__\":[]}", 0, ERR_FORMAT, "__metadata__ is no object"},
    {"{\"__metadata__\":{\"k\":1}}", 0, ERR_FORMAT, "\"k\" is no string"},
    {"{\"__metadata__\":{\"k\":null}}", 0, ERR_FORMAT, "\"k\" is no string"},
    {"{\"__metadata__\":{\"k\":{}}}", 0, ERR_FORMAT, "\"k\" is no string"},
    /* fields */
    {"{\"a\":7}", 0, ERR_FORMAT, "\"a\" is no object"},
    {"{\"a\":{\"shape\":[1],\"data_offsets\":[0,1]}}", 1, ERR_FORMAT, "\"a\": dtype is missing"},
    {"{\"a\":{\"dtype\":3,\"shape\":[1],\"data_offsets\":[0,1]}}", 1, ERR_FORMAT, "\"a\": dtype is missing"},
    {ONE("F8_E4M3", "[1]", 0, 1), 1, ERR_UNSUP, "dtype \"F8_E4M3\""},
    {ONE("f32", "[1]", 0, 4), 4, ERR_UNSUP, "dtype \"f32\""},
    {"{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,1]}}", 1, ERR_FORMAT, "\"a\": shape is missing"},
    {ONE("U8", "1", 0, 1), 1, ERR_FORMAT, "\"a\": shape is missing, or no array"},
    {ONE("U8", "[-1]", 0, 1), 1, ERR_FORMAT, "\"a\": shape holds"},
    {ONE("U8", "[1.0]", 0, 1), 1, ERR_FORMAT, "\"a\": shape holds"},
    {ONE("U8", "[1.5]", 0, 1), 1, ERR_FORMAT, "\"a\": shape holds"},
    {ONE("U8", "[\"1\"]", 0, 1), 1, ERR_FORMAT, "\"a\": shape holds"},
    {ONE("U8", "[true]", 0, 1), 1, ERR_FORMAT, "\"a\": shape holds"},
    {ONE("U8", "[9223372036854775808]", 0, 1), 1, ERR_FORMAT, "too big"},
    {ONE("U8", "[4294967296,4294967296]", 0, 0), 0, ERR_FORMAT, "\"a\": shape overflows"},
    {ONE("U8", "[4294967296,4294967296,0]", 0, 0), 0, ERR_FORMAT, "\"a\": shape overflows"},
    {ONE("F64", "[2305843009213693952]", 0, 0), 0, ERR_FORMAT, "\"a\": shape overflows"}, /* 2^61 x 8 bytes */
    {ONE("U8", "[1,1,1,1,1,1,1,1,1]", 0, 1), 1, ERR_UNSUP, "9 dimensions"},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1]}}", 1, ERR_FORMAT, "\"a\": data_offsets is missing"},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0]}}", 1, ERR_FORMAT, "no array of two"},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1,2]}}", 1, ERR_FORMAT, "no array of two"},
    {ONE("U8", "[1]", -1, 0), 1, ERR_FORMAT, "data_offsets holds"},
    {ONE("U8", "[1]", 0, 1.0), 1, ERR_FORMAT, "data_offsets holds"},
    {ONE("U8", "[1]", 0, 1e0), 1, ERR_FORMAT, "data_offsets holds"},
    {ONE("U8", "[1]", 1, 0), 1, ERR_FORMAT, "end before they begin"},
    {ONE("F32", "[2]", 0, 7), 7, ERR_FORMAT, "span 7 bytes (shape and dtype have 8)"},
    {ONE("F32", "[2]", 0, 9), 9, ERR_FORMAT, "span 9 bytes"},
    {ONE("F32", "[2]", 0, 8), 7, ERR_IO, "ends at byte 8 of the data, which have 7"},
    {ONE("F32", "[2]", 9223372036854775799, 9223372036854775807), 8, ERR_IO, "ends at byte"},
    /* how they lie */
    {ONE("U8", "[1]", 1, 2), 2, ERR_FORMAT, "hole"},
    {ONE("U8", "[1]", 0, 1), 2, ERR_FORMAT, "1 bytes after"},
    {"{}", 1, ERR_FORMAT, "1 bytes after"},
    {"{" AT("a", "U8", "[2]", 0, 2) "," AT("b", "U8", "[2]", 3, 5) "}", 5, ERR_FORMAT, "\"b\": data_offsets leave a hole"},
    {"{" AT("a", "U8", "[3]", 0, 3) "," AT("b", "U8", "[2]", 2, 4) "}", 4, ERR_FORMAT, "\"b\": data_offsets overlap"},
    {"{" AT("a", "U8", "[2]", 0, 2) "," AT("b", "U8", "[2]", 0, 2) "}", 2, ERR_FORMAT, "overlap"},
    {"{" AT("a", "U8", "[4]", 0, 4) "," AT("b", "U8", "[0]", 2, 2) "}", 4, ERR_FORMAT, "overlap"},
};

static void one_fault_a_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t n;
        err_t err = {0};
        unsigned char *b = make(rows[i].header, (size_t)-1, rows[i].data, &n);
        stfile_t *f = stfile_mem("x.st", b, n, &err);
        if (err.code != rows[i].code || !f != (rows[i].code != OK) || !strstr(err.msg, rows[i].says) ||
            (!f && strncmp(err.msg, "x.st: ", 6)))
            fail_msg("row %zu, %s: code %s, \"%s\" (%s, \"%s\")", i, rows[i].header, err_name(err.code), err.msg,
                     err_name(rows[i].code), rows[i].says);
        stfile_close(f);
        free(b);
    }
}

/* The length of the header. */
static void lengths(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        errcode_t code;
    } cases[] = {{0, ERR_FORMAT},         {1, ERR_FORMAT},
                 {2, OK},                 {3, ERR_IO},
                 {1 << 20, ERR_IO},       {STFILE_HEADER_MAX, ERR_IO},
                 {STFILE_HEADER_MAX + 1, ERR_FORMAT}, {(size_t)1 << 63, ERR_FORMAT},
                 {SIZE_MAX - 7, ERR_FORMAT}, {SIZE_MAX - 1, ERR_FORMAT}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n;
        err_t err = {0};
        unsigned char *b = make("{}", cases[i].len, 0, &n);
        stfile_t *f = stfile_mem("x", b, n, &err);
        if (err.code != cases[i].code) fail_msg("length %zu: %s", cases[i].len, err.msg);
        stfile_close(f);
        for (size_t cut = 0; cut < 8; cut++) { /* shorter than its length field */
            err = (err_t){0};
            assert_null(stfile_mem("x", b, cut, &err));
            assert_int_equal(err.code, ERR_IO);
        }
        free(b);
    }
}

static unsigned char *fill(const char *unit, size_t times, const char *end, size_t *n)
{
    size_t u = strlen(unit), head = 5, h = head + u * times + strlen(end);
    char *text = malloc(h + 1);
    memcpy(text, "{\"a\":", head);
    for (size_t i = 0; i < times; i++) memcpy(text + head + i * u, unit, u);
    strcpy(text + head + u * times, end);
    unsigned char *b = make(text, (size_t)-1, 0, n);
    free(text);
    return b;
}

/* Depth and number of values are limited, so that a small file cannot take all memory or the whole stack. */
static void deep_and_many(void **state)
{
    (void)state;
    static const struct {
        const char *unit;
        size_t times;
        errcode_t code;
    } cases[] = {{"[", 1 << 20, ERR_FORMAT}, {"{\"a\":", 1 << 20, ERR_FORMAT}, {"[],", 3 << 20, ERR_UNSUP}, {"1,", 5 << 20, ERR_UNSUP}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n;
        err_t err = {0};
        unsigned char *b = fill(cases[i].unit, cases[i].times, "}", &n);
        assert_null(stfile_mem("x", b, n, &err));
        if (err.code != cases[i].code) fail_msg("%s: %s", cases[i].unit, err.msg);
        free(b);
    }
    size_t n; /* commas in a string count for nothing */
    err_t err = {0};
    unsigned char *b = fill(",\\\"[{", 4 << 20, "}", &n);
    memcpy(b + 8, "{\"a\":\"", 6);
    b[8 + 5] = '"', b[n - 2] = '"';
    assert_null(stfile_mem("x", b, n, &err));
    assert_int_equal(err.code, ERR_FORMAT);
    assert_non_null(strstr(err.msg, "\"a\" is no object"));
    free(b);
}

static void looks_up(void **state)
{
    (void)state;
    size_t n;
    err_t err = {0};
    unsigned char *b = make("{" AT("zz", "I16", "[2]", 0, 4) "," AT("b", "U8", "[0]", 4, 4) "," AT("a", "F32", "[1,2]", 4, 12)
                            ",\"__metadata__\":{\"k\":\"v\",\"e\":\"\"}}", (size_t)-1, 12, &n);
    stfile_t *f = stfile_mem("x", b, n, &err);
    float out[2];
    assert_non_null(f);
    assert_int_equal(stfile_count(f), 3);
    assert_string_equal(stfile_at(f, 0)->name, "zz");
    assert_string_equal(stfile_at(f, 2)->name, "a");
    for (size_t i = 0; i < 3; i++) assert_ptr_equal(stfile_find(f, stfile_at(f, i)->name), stfile_at(f, i));
    assert_null(stfile_find(f, "c"));
    assert_null(stfile_find(f, "__metadata__"));
    assert_string_equal(stfile_meta(f, "k"), "v");
    assert_string_equal(stfile_meta(f, "e"), "");
    assert_null(stfile_meta(f, "none"));
    assert_int_equal(stfile_floats(f, stfile_find(f, "zz"), out, &err), -1);
    assert_int_equal(err.code, ERR_UNSUP);
    err = (err_t){0};
    assert_int_equal(stfile_get(f, "a", 2, (size_t[]){1, 2}, out, &err), 0);
    assert_memory_equal(out, "\4\5\6\7\10\11\12\13", 8);
    assert_int_equal(stfile_get(f, "a", 2, (size_t[]){2, 1}, out, &err), -1);
    assert_int_equal(err.code, ERR_FORMAT);
    assert_string_equal(err.msg, "x: tensor \"a\": shape [1,2] ([2,1] is wanted)");
    err = (err_t){0};
    assert_int_equal(stfile_get(f, "a", 1, (size_t[]){2}, out, &err), -1);
    assert_int_equal(err.code, ERR_FORMAT);
    err = (err_t){0};
    assert_int_equal(stfile_get(f, "c", 1, (size_t[]){2}, out, &err), -1);
    assert_int_equal(err.code, ERR_FORMAT);
    assert_non_null(strstr(err.msg, "\"c\" is missing"));
    stfile_close(f);
    free(b);
}

/* Every float16 and bfloat16 by its definition; data at an odd address. */
static void halves(void **state)
{
    (void)state;
    enum { ALL = 65536 };
    for (int brain = 0; brain < 2; brain++) {
        const char *h = brain ? ONE("BF16", "[65536]", 0, 131072) : ONE("F16", "[65536]", 0, 131072);
        size_t n, len = strlen(h);
        unsigned char *b = make(h, (size_t)-1, 2 * ALL, &n), *odd = malloc(n + 1);
        float *x = malloc(ALL * sizeof *x);
        err_t err = {0};
        int bits = brain ? 7 : 10, top = brain ? 255 : 31, bias = brain ? 127 : 15;
        for (size_t i = 0; i < ALL; i++) b[8 + len + 2 * i] = (unsigned char)i, b[9 + len + 2 * i] = (unsigned char)(i >> 8);
        memcpy(odd + 1, b, n);
        stfile_t *f = stfile_mem("x", odd + 1, n, &err);
        assert_non_null(f);
        assert_int_equal(stfile_floats(f, stfile_at(f, 0), x, &err), 0);
        for (int i = 0; i < ALL; i++) {
            int e = i >> bits & top, m = i & ((1 << bits) - 1);
            double want = e ? ldexp(1 + ldexp(m, -bits), e - bias) : ldexp(m, 1 - bias - bits);
            if (i >> 15) want = -want;
            if (e == top && m) {
                assert_true(isnan(x[i]));
                continue;
            }
            if (e == top) want = i >> 15 ? -INFINITY : INFINITY;
            if (!((double)x[i] == want && !signbit(x[i]) == !(i >> 15))) fail_msg("%04x: %g (%g)", (unsigned)i, (double)x[i], want);
        }
        stfile_close(f);
        free(b), free(odd), free(x);
    }
}

static void doubles(void **state)
{
    (void)state;
    static const double in[] = {0, -0.0, 1.0 / 3, 1e300, -1e300, 1e-320, NAN, INFINITY};
    sttensor_t t = {"d", ST_F64, 1, {8}, 8, in};
    char path[] = "/tmp/cryolex-st-XXXXXX";
    int fd = mkstemp(path);
    err_t err = {0};
    float out[8];
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(stfile_write(path, &t, 1, NULL, 0, &err), 0);
    stfile_t *f = stfile_open(path, &err);
    assert_non_null(f);
    assert_int_equal(stfile_get(f, "d", 1, (size_t[]){8}, out, &err), 0);
    for (int i = 0; i < 8; i++) {
        float want = (float)in[i];
        if (!isnan(want)) assert_memory_equal(&out[i], &want, sizeof want);
    }
    assert_true(isnan(out[6]));
    stfile_close(f);
    unlink(path);
}

static unsigned char *slurp(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    unsigned char *b = malloc(1 << 16);
    *n = fread(b, 1, 1 << 16, f);
    fclose(f);
    return b;
}

static void there_and_back(void **state)
{
    (void)state;
    static const size_t size[ST_COUNT] = {8, 4, 2, 2, 8, 4, 2, 1, 8, 4, 2, 1, 1};
    char path[] = "/tmp/cryolex-st-XXXXXX", name[ST_COUNT][24];
    unsigned char raw[ST_COUNT][64];
    sttensor_t t[ST_COUNT + 1];
    rng_t rng;
    err_t err = {0};
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    rng_seed(&rng, 5);
    for (int i = 0; i < ST_COUNT; i++) {
        for (int k = 0; k < 64; k++) raw[i][k] = (unsigned char)rng_next(&rng);
        snprintf(name[i], sizeof name[i], "t%d \"\xc3\xa9\\\n", ST_COUNT - i);
        t[i] = (sttensor_t){name[i], (sttype_t)i, 2, {(size_t)(i % 3), 2}, (size_t)(i % 3) * 2, raw[i]};
    }
    t[ST_COUNT] = (sttensor_t){"scalar", ST_F32, 0, {0}, 1, raw[0]};
    stmeta_t meta[] = {{"format", "pt"}, {"table", "{\"a\": [1,\n2]} \xe2\x82\xac"}, {"", ""}};
    assert_int_equal(stfile_write(path, t, ST_COUNT + 1, meta, 3, &err), 0);
    stfile_t *f = stfile_open(path, &err);
    if (!f) fail_msg("%s", err.msg);
    assert_int_equal(stfile_count(f), ST_COUNT + 1);
    size_t n, n2;
    unsigned char *b = slurp(path, &n);
    assert_int_equal((b[0] | b[1] << 8) % 8, 0);
    for (size_t i = 0; i <= ST_COUNT; i++) {
        const sttensor_t *g = stfile_find(f, t[i].name);
        assert_non_null(g);
        assert_int_equal(g->type, t[i].type);
        assert_int_equal(g->ndim, t[i].ndim);
        assert_memory_equal(g->shape, t[i].shape, g->ndim * sizeof *g->shape);
        assert_int_equal(g->count, t[i].count);
        assert_memory_equal(g->data, t[i].data, t[i].count * size[t[i].type]);
    }
    assert_string_equal(stfile_at(f, ST_COUNT)->name, "scalar");
    for (int i = 0; i < 3; i++) assert_string_equal(stfile_meta(f, meta[i].key), meta[i].value);
    /* while it is open and mapped, the same again over it: equal bytes, the old ones still there */
    assert_int_equal(stfile_write(path, t, ST_COUNT + 1, meta, 3, &err), 0);
    unsigned char *b2 = slurp(path, &n2);
    assert_int_equal(n, n2);
    assert_memory_equal(b, b2, n);
    assert_string_equal(stfile_meta(f, "format"), "pt");
    stfile_close(f);
    free(b), free(b2);
    unlink(path);
}

static void write_refuses(void **state)
{
    (void)state;
    float x[4] = {0};
    const char *path = "/tmp/cryolex-st-refused";
    sttensor_t good = {"a", ST_F32, 1, {4}, 4, x}, two[2] = {good, good}, t;
    stmeta_t twice[] = {{"k", "1"}, {"k", "2"}}, bad = {"k", "\xff"}, bad2 = {"\xff", ""};
    err_t err;
    unlink(path);
#define REFUSED(...) \
    err = (err_t){0}; \
    assert_int_equal(stfile_write(path, __VA_ARGS__, &err), -1); \
    assert_int_equal(err.code, ERR_USAGE)
    REFUSED(two, 2, NULL, 0);
    REFUSED(&good, 1, twice, 2);
    REFUSED(&good, 1, &bad, 1);
    REFUSED(&good, 1, &bad2, 1);
    t = good, t.name = "__metadata__";
    REFUSED(&t, 1, NULL, 0);
    t = good, t.name = "\xc3";
    REFUSED(&t, 1, NULL, 0);
    t = good, t.count = 5;
    REFUSED(&t, 1, NULL, 0);
    t = good, t.ndim = 9;
    REFUSED(&t, 1, NULL, 0);
    t = good, t.type = ST_COUNT;
    REFUSED(&t, 1, NULL, 0);
    t = good, t.ndim = 2, t.shape[0] = t.shape[1] = (size_t)1 << 40;
    REFUSED(&t, 1, NULL, 0);
#undef REFUSED
    assert_int_equal(access(path, F_OK), -1); /* nothing was written */
}

static void open_refuses(void **state)
{
    (void)state;
    static const char *const paths[] = {"/nonexistent/x", "/tmp", "/dev/null", ""};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        err_t err = {0};
        assert_null(stfile_open(paths[i], &err));
        assert_int_equal(err.code, ERR_IO);
    }
    char path[] = "/tmp/cryolex-st-XXXXXX"; /* empty; then a pipe, which has no writer */
    int fd = mkstemp(path);
    err_t err = {0};
    assert_true(fd >= 0);
    close(fd);
    assert_null(stfile_open(path, &err));
    assert_int_equal(err.code, ERR_IO);
    unlink(path);
    err = (err_t){0};
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_null(stfile_open(path, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.msg, "not a regular file"));
    unlink(path);
    float x = 0;
    sttensor_t t = {"a", ST_F32, 0, {0}, 1, &x};
    err = (err_t){0};
    assert_int_equal(stfile_write("/nonexistent/x", &t, 1, NULL, 0, &err), -1);
    assert_int_equal(err.code, ERR_IO);
    stfile_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_fault_a_row), cmocka_unit_test(lengths),        cmocka_unit_test(deep_and_many),
        cmocka_unit_test(looks_up),        cmocka_unit_test(halves),         cmocka_unit_test(doubles),
        cmocka_unit_test(there_and_back),  cmocka_unit_test(write_refuses),  cmocka_unit_test(open_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
