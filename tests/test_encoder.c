/* test_encoder: the network's contract with cubes and features. */
#include "tests/test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/threads.h"
#include "voxel/encoder.h"
#include "voxel/profile.h"
#include "voxel/zernike.h"

enum { S = 16, CUBE = S * S * S, N = 21 };

#define HEAD                                                                                                               \
    "{\"inputs\": {\"cube\": [1, 16, 16, 16], \"features\": [33]}, \"layers\": ["                                          \
    "{\"op\": \"conv\", \"name\": \"c\", \"from\": \"cube\", \"out\": 8, \"side\": 3, \"stride\": 2, \"bias\": false},"    \
    "{\"op\": \"groupnorm\", \"name\": \"n\", \"groups\": 2}, {\"op\": \"relu\"},"                                         \
    "{\"op\": \"conv\", \"name\": \"c2\", \"out\": 16, \"side\": 3}, {\"op\": \"relu\"},"                                  \
    "{\"op\": \"pool\", \"kind\": \"max\", \"as\": \"p\"}, {\"op\": \"batchnorm\", \"name\": \"b\", \"from\": "            \
    "\"features\"},"                                                                                                       \
    "{\"op\": \"concat\", \"with\": \"p\"}, {\"op\": \"linear\", \"name\": \"f\", \"out\": 12}"
static const char table[] = HEAD ", {\"op\": \"l2norm\"}]}";
static const feature_t parts[] = {FEATURE_PROFILE, FEATURE_LOG_RG};

typedef struct {
    float *cubes, *features;
} data_t;

static void data_make(data_t *d, size_t features)
{
    rng_t r;
    rng_seed(&r, 7);
    d->cubes = mem_new((size_t)N * CUBE, sizeof(float), NULL);
    d->features = mem_new(N, features * sizeof(float), NULL);
    for (size_t i = 0; i < (size_t)N * CUBE; i++) d->cubes[i] = (float)rng_unit(&r);
    for (size_t i = 0; i < N * features; i++) d->features[i] = (float)rng_normal(&r);
}

static void data_free(data_t *d)
{
    mem_free(d->cubes);
    mem_free(d->features);
}

static encoder_t *small(int frames)
{
    err_t e = {0};
    encoder_t *enc = encoder_new(table, parts, 2, &e);
    if (!enc) fail_msg("%s", e.msg);
    encoder_init(enc, 3);
    enc->frames = frames;
    assert_int_equal(encoder_ready(enc, &e), 0);
    return enc;
}

static void default_network(void **state)
{
    (void)state;
    err_t err = {0};
    encoder_t *e = encoder_new(NULL, NULL, 0, &err);
    if (!e) fail_msg("%s", err.msg);
    assert_int_equal(e->side, 32);
    assert_int_equal(e->features, 154);
    assert_int_equal(e->d, 256);
    assert_int_equal(e->frames, 4);
    assert_int_equal(e->parts, 3);
    /* by hand: stem, three stages with the two layers between them, head */
    double stem = 125.0 * 32 * 4096, stages = 4 * 27.0 * (32 * 32 * 4096 + 64 * 64 * 512 + 128 * 128 * 64);
    double down = 27.0 * (32 * 64 * 512 + 64 * 128 * 64), head = 154 * 64 + 320 * 384 + 384 * 256;
    assert_close(net_flops(e->net) / 2, stem + stages + down + head, 0);
    bool found = false;
    for (size_t i = 0; i < net_tensors(e->net); i++) found |= !strcmp(net_tensor(e->net, i)->name, "s3b2_conv2.weight");
    assert_true(found);
    encoder_free(e);
}

static void features_in_order(void **state)
{
    (void)state;
    encoder_t *e = small(4);
    float profile[PROFILE_COUNT], out[33], zernike[ENCODER_ZERNIKE] = {0};
    for (int i = 0; i < PROFILE_COUNT; i++) profile[i] = (float)i;
    encoder_features(e, 60, profile, zernike, out);
    for (int i = 0; i < PROFILE_COUNT; i++) assert_close((double)out[i], i, 0);
    assert_close((double)out[32], log(2), 1e-7);
    assert_int_equal(feature_size(FEATURE_PROFILE), PROFILE_COUNT);
    zernike_t *z = zernike_new(ZERNIKE_ORDER, NULL);
    assert_int_equal(feature_size(FEATURE_ZERNIKE), zernike_count(z));
    assert_string_equal(feature_name(FEATURE_LOG_RG), "log_rg");
    zernike_free(z);
    encoder_free(e);
}

/* Frame k is the half turn about axis k - 1: a proper rotation, its own inverse, and frame 1 after 2 is frame 3. */
static void turns(void **state)
{
    (void)state;
    data_t d;
    float *t[4], *u = mem_new(CUBE, sizeof *u, NULL);
    data_make(&d, 33);
    for (int k = 0; k < 4; k++) {
        t[k] = mem_new(CUBE, sizeof **t, NULL);
        encoder_turn(d.cubes, S, k, t[k]);
        encoder_turn(t[k], S, k, u);
        assert_memory_equal(u, d.cubes, CUBE * sizeof *u);
    }
    assert_memory_equal(t[0], d.cubes, CUBE * sizeof *u);
    encoder_turn(t[1], S, 2, u);
    assert_memory_equal(u, t[3], CUBE * sizeof *u);
    for (int k = 1; k < 4; k++)
        for (size_t z = 0; z < S; z++)
            for (size_t y = 0; y < S; y++)
                for (size_t x = 0; x < S; x++) {
                    size_t p[3] = {S - 1 - x, S - 1 - y, S - 1 - z};
                    p[k - 1] = (size_t[]){x, y, z}[k - 1];
                    assert_close((double)t[k][(z * S + y) * S + x], (double)d.cubes[(p[2] * S + p[1]) * S + p[0]], 0);
                }
    for (int k = 0; k < 4; k++) mem_free(t[k]);
    mem_free(u);
    data_free(&d);
}

/* Where voxel (x, y, z) of a cube that counts its voxels comes from. */
static void place(const float *cube, int x, int y, int z, int p[3])
{
    size_t i = (size_t)cube[((size_t)z * S + (size_t)y) * S + (size_t)x];
    p[0] = (int)(i % S);
    p[1] = (int)(i / S % S);
    p[2] = (int)(i / S / S);
}

static int determinant(const int m[9])
{
    return m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6]) + m[2] * (m[3] * m[7] - m[4] * m[6]);
}

/* The 24 poses are turns, no two alike, none a mirror; the first four are the frames; the one that undoes a pose is found. */
static void poses(void **state)
{
    (void)state;
    float *count = mem_new(CUBE, sizeof *count, NULL), *u = mem_new(CUBE, sizeof *u, NULL), *t = mem_new(CUBE, sizeof *t, NULL);
    int seen[ENCODER_POSES][9];
    for (size_t i = 0; i < CUBE; i++) count[i] = (float)i;
    for (int k = 0; k < ENCODER_POSES; k++) {
        int o[3], e[3], *m = seen[k];
        encoder_pose(count, S, k, t);
        place(t, 0, 0, 0, o);
        for (int d = 0; d < 3; d++) {
            place(t, d == 0, d == 1, d == 2, e);
            for (int j = 0; j < 3; j++) m[3 * d + j] = e[j] - o[j];
        }
        assert_int_equal(determinant(m), 1);
        place(t, 3, 5, 7, e);
        for (int j = 0; j < 3; j++) assert_int_equal(e[j], o[j] + 3 * m[j] + 5 * m[3 + j] + 7 * m[6 + j]);
        for (int i = 0; i < k; i++) assert_memory_not_equal(seen[i], m, sizeof seen[i]);
        if (k < ENCODER_FRAMES) {
            encoder_turn(count, S, k, u);
            assert_memory_equal(t, u, CUBE * sizeof *u);
        }
        encoder_pose(t, S, encoder_match(t, count, S), u);
        assert_memory_equal(u, count, CUBE * sizeof *u);
    }
    mem_free(count);
    mem_free(u);
    mem_free(t);
}

/* Embeddings of poses are those of the posed cubes, each as it stands. */
static void embeds_poses(void **state)
{
    (void)state;
    enum { P = 6, MANY = 3 };
    data_t d;
    err_t err = {0};
    encoder_t *e = small(4);
    data_make(&d, e->features);
    assert_int_equal(encoder_ready(e, &err), 0);
    float *z = mem_new(MANY * P, e->d * sizeof *z, NULL), *one = mem_new(e->d, sizeof *one, NULL), *t = mem_new(CUBE, sizeof *t, NULL);
    assert_int_equal(encoder_embed_poses(e, MANY, d.cubes, d.features, P, z, &err), 0);
    assert_int_equal(e->frames, 4);
    float *first = mem_new(MANY, e->d * sizeof *first, NULL), *mean = mem_new(MANY, e->d * sizeof *mean, NULL);
    assert_int_equal(encoder_embed_poses(e, MANY, d.cubes, d.features, 1, first, &err), 0); /* one: the mean over frames */
    assert_int_equal(encoder_embed(e, MANY, d.cubes, d.features, mean, &err), 0);
    assert_memory_equal(first, mean, MANY * e->d * sizeof *mean);
    mem_free(first);
    mem_free(mean);
    e->frames = 1;
    for (size_t i = 0; i < MANY; i++)
        for (size_t k = 0; k < P; k++) {
            encoder_pose(d.cubes + i * CUBE, S, (int)k, t);
            assert_int_equal(encoder_embed(e, 1, t, d.features + i * e->features, one, &err), 0);
            assert_memory_equal(one, z + (i * P + k) * e->d, e->d * sizeof *one);
        }
    mem_free(z);
    mem_free(one);
    mem_free(t);
    data_free(&d);
    encoder_free(e);
}

static double length(const float *x, size_t n)
{
    double s = 0;
    for (size_t i = 0; i < n; i++) s += (double)x[i] * (double)x[i];
    return sqrt(s);
}

/* What the mean over frames is, from runs of the network itself. */
static void mean_of_frames(void **state)
{
    (void)state;
    data_t d;
    err_t err = {0};
    encoder_t *e = small(4), *one = small(1);
    float out[12], turned[CUBE], frame[12];
    double sum[12] = {0}, sq = 0;
    data_make(&d, 33);
    assert_int_equal(encoder_embed(e, 1, d.cubes, d.features, out, &err), 0);
    for (int k = 0; k < 4; k++) {
        encoder_turn(d.cubes, S, k, turned);
        assert_int_equal(encoder_embed(one, 1, turned, d.features, frame, &err), 0);
        assert_close(length(frame, 12), 1, 1e-6);
        for (int j = 0; j < 12; j++) sum[j] += (double)frame[j];
    }
    for (int j = 0; j < 12; j++) sq += sum[j] * sum[j];
    for (int j = 0; j < 12; j++) assert_close((double)out[j], sum[j] / sqrt(sq), 1e-6);
    assert_close(length(out, 12), 1, 1e-6);
    assert_true(fabs((double)frame[0] - (double)out[0]) > 1e-6 || fabs((double)frame[1] - (double)out[1]) > 1e-6);
    data_free(&d);
    encoder_free(e);
    encoder_free(one);
}

/* Equal bytes: in any frame, at any place in any call, on any number of threads. */
static void same_bytes(void **state)
{
    (void)state;
    data_t d;
    encoder_t *e = small(4);
    float all[N * 12], some[N * 12], turned[CUBE];
    data_make(&d, 33);
    assert_int_equal(encoder_embed(e, N, d.cubes, d.features, all, NULL), 0);
    for (int threads = 1; threads <= 4; threads++) {
        threads_set(threads);
        memset(some, 0, sizeof some);
        assert_int_equal(encoder_embed(e, N, d.cubes, d.features, some, NULL), 0);
        assert_memory_equal(some, all, sizeof all);
        for (size_t at = 0; at < N; at += 3 + at % 5) { /* 1 to 3 of them, from anywhere */
            size_t n = N - at < 1 + at % 3 ? N - at : 1 + at % 3;
            assert_int_equal(encoder_embed(e, n, d.cubes + at * CUBE, d.features + at * 33, some, NULL), 0);
            assert_memory_equal(some, all + at * 12, n * 12 * sizeof *some);
        }
    }
    threads_set(2);
    for (int k = 1; k < 4; k++) {
        encoder_turn(d.cubes + 5 * CUBE, S, k, turned);
        assert_int_equal(encoder_embed(e, 1, turned, d.features + (size_t)5 * 33, some, NULL), 0);
        assert_memory_equal(some, all + (size_t)5 * 12, 12 * sizeof *some);
    }
    encoder_t *f = small(4); /* equal seeds, equal parameters */
    assert_int_equal(encoder_embed(f, N, d.cubes, d.features, some, NULL), 0);
    assert_memory_equal(some, all, sizeof all);
    encoder_init(f, 4);
    assert_int_equal(encoder_ready(f, NULL), 0);
    assert_int_equal(encoder_embed(f, N, d.cubes, d.features, some, NULL), 0);
    assert_true(memcmp(some, all, sizeof all) != 0);
    data_free(&d);
    encoder_free(e);
    encoder_free(f);
}

/* The same of the default network, whose layers take other kernels. */
static void same_bytes_default(void **state)
{
    (void)state;
    enum { M = 5, D = 256, F = 154 };
    size_t cube = (size_t)32 * 32 * 32;
    encoder_t *e = encoder_new(NULL, NULL, 0, NULL);
    rng_t r;
    float *x = mem_new(M * cube, sizeof *x, NULL), f[M * F], all[M * D], some[M * D];
    rng_seed(&r, 8);
    for (size_t i = 0; i < M * cube; i++) x[i] = (float)rng_unit(&r);
    for (size_t i = 0; i < (size_t)M * F; i++) f[i] = (float)rng_normal(&r);
    encoder_init(e, 1);
    e->frames = 1;
    assert_int_equal(encoder_ready(e, NULL), 0);
    assert_int_equal(encoder_embed(e, M, x, f, all, NULL), 0);
    for (int threads = 1; threads <= 4; threads += 3) {
        threads_set(threads);
        assert_int_equal(encoder_embed(e, M, x, f, some, NULL), 0);
        assert_memory_equal(some, all, sizeof all);
        for (size_t i = 0; i < M; i++) assert_int_equal(encoder_embed(e, 1, x + i * cube, f + i * F, some + i * D, NULL), 0);
        assert_memory_equal(some, all, sizeof all);
    }
    threads_set(2);
    mem_free(x);
    encoder_free(e);
}

static void no_embedding(void **state)
{
    (void)state;
    data_t d;
    err_t err = {0};
    encoder_t *e = small(4);
    float out[N * 12];
    data_make(&d, 33);
    d.features[(size_t)9 * 33 + 1] = NAN;
    assert_int_equal(encoder_embed(e, N, d.cubes, d.features, out, &err), -1);
    assert_int_equal(err.code, ERR_RANGE);
    assert_non_null(strstr(err.msg, "sample 9 "));
    assert_int_equal(encoder_embed(e, 0, NULL, NULL, out, NULL), 0);
    data_free(&d);
    encoder_free(e);
}

#define ONLY(inputs, last)                                                                                                 \
    "{\"inputs\": {" inputs                                                                                                \
    "}, \"layers\": [{\"op\": \"pool\", \"from\": \"cube\", \"kind\": \"mean\"}, {\"op\": \"linear\", "                    \
    "\"name\": \"f\", \"out\": 4}" last "]}"

static void refuses(void **state)
{
    (void)state;
    static const struct {
        const char *table;
        size_t parts;
        errcode_t code; /* ERR_OK: taken */
    } row[] = {
        {ONLY("\"cube\": [1, 16, 16, 16]", ", {\"op\": \"l2norm\"}"), 0, ERR_OK},
        {ONLY("\"cube\": [1, 64, 64, 64]", ", {\"op\": \"l2norm\"}"), 0, ERR_OK},
        {ONLY("\"cube\": [1, 16, 16, 16]", ", {\"op\": \"l2norm\"}"), 2, ERR_FORMAT}, /* features that it does not take */
        {ONLY("\"cube\": [1, 16, 16, 16]", ""), 0, ERR_FORMAT},                       /* any length */
        {ONLY("\"cube\": [1, 16, 16, 16]", ", {\"op\": \"l2norm\"}, {\"op\": \"relu\"}"), 0, ERR_FORMAT},
        {ONLY("\"cube\": [2, 16, 16, 16]", ", {\"op\": \"l2norm\"}"), 0, ERR_FORMAT},
        {ONLY("\"cube\": [1, 16, 16, 18]", ", {\"op\": \"l2norm\"}"), 0, ERR_FORMAT},
        {ONLY("\"cube\": [1, 17, 17, 17]", ", {\"op\": \"l2norm\"}"), 0, ERR_FORMAT},
        {ONLY("\"cube\": [1, 14, 14, 14]", ", {\"op\": \"l2norm\"}"), 0, ERR_FORMAT},
        {ONLY("\"cube\": [1, 66, 66, 66]", ", {\"op\": \"l2norm\"}"), 0, ERR_FORMAT},
        {"{\"inputs\": {\"map\": [1, 16, 16, 16]}, \"layers\": [{\"op\": \"pool\", \"from\": \"map\", \"kind\": \"mean\"}, "
         "{\"op\": \"l2norm\"}]}",
         0, ERR_FORMAT},
        {"{\"inputs\": {\"features\": [33]}, \"layers\": [{\"op\": \"l2norm\", \"from\": \"features\"}]}", 2, ERR_FORMAT},
        {HEAD "]}", 2, ERR_FORMAT},
        {table, 2, ERR_OK},
        {table, 1, ERR_FORMAT}, /* 33 numbers, and 32 fed */
        {table, 0, ERR_FORMAT},
        {"{}", 2, ERR_FORMAT},
        {"", 2, ERR_FORMAT},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        err_t e = {0};
        encoder_t *enc = encoder_new(row[i].table, parts, row[i].parts, &e);
        if (e.code != row[i].code || !enc != (row[i].code != ERR_OK))
            fail_msg("row %zu: %s (%s)", i, err_name(e.code), e.msg);
        encoder_free(enc);
    }
    static const feature_t twice[] = {FEATURE_LOG_RG, FEATURE_PROFILE, FEATURE_LOG_RG};
    err_t e = {0};
    assert_null(encoder_new(NULL, twice, 3, &e));
    assert_int_equal(e.code, ERR_FORMAT);
    encoder_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(default_network), cmocka_unit_test(features_in_order), cmocka_unit_test(turns),
        cmocka_unit_test(poses), cmocka_unit_test(embeds_poses),
        cmocka_unit_test(mean_of_frames),  cmocka_unit_test(same_bytes),        cmocka_unit_test(same_bytes_default),
        cmocka_unit_test(no_embedding),
        cmocka_unit_test(refuses),
    };
    return cmocka_run_group_tests_name("encoder", tests, NULL, NULL);
}
