/* test_train: a training run on a tiny dataset, part by part and as a whole. */
#include "tests/test.h"

#include <gsl/gsl_eigen.h>
#include <omp.h>
#include <unistd.h>

#include "base/file.h"
#include "base/threads.h"
#include "nn/stfile.h"
#include "pipeline/describe.h"
#include "pipeline/modelfile.h"
#include "pipeline/train.h"
#include "pipeline/train_batch.h"
#include "pipeline/train_draw.h"
#include "pipeline/train_start.h"
#include "pipeline/train_step.h"
#include "pipeline/train_valid.h"
#include "tests/ranks.h"
#include "tests/tiny_dataset.h"

#define DIR "test_train.dir"
enum { N = 40, SIDE = 16, CUBE = SIDE * SIDE * SIDE };

static const char table[] =
    "{\"inputs\": {\"cube\": [1, 16, 16, 16], \"features\": [1]}, \"layers\": ["
    "{\"op\": \"conv\", \"name\": \"c\", \"from\": \"cube\", \"out\": 8, \"side\": 3, \"stride\": 2},"
    "{\"op\": \"groupnorm\", \"name\": \"n\", \"groups\": 2}, {\"op\": \"relu\"}, {\"op\": \"pool\", \"kind\": \"mean\", \"side\": 2},"
    "{\"op\": \"flatten\", \"as\": \"p\"}, {\"op\": \"batchnorm\", \"name\": \"b\", \"from\": \"features\"},"
    "{\"op\": \"concat\", \"with\": \"p\"}, {\"op\": \"linear\", \"name\": \"f\", \"out\": 12}, {\"op\": \"l2norm\"}]}";

static dataset_t set;

static encoder_t *network(void)
{
    static const feature_t part[] = {FEATURE_LOG_RG};
    err_t e = {0};
    encoder_t *enc = encoder_new(table, part, 1, &e);
    if (!enc) fail_msg("%s", e.msg);
    encoder_init(enc, 4);
    return enc;
}

/* Few and fast steps; views without noise, so that they are made in no time. */
static trainopts_t options(void)
{
    trainopts_t o = {.seed = 7, .batch = 8, .steps = 12, .warmup = 2, .rate = 0.01, .floor = 0.001, .decay = 0.01, .clip = 1,
                     .linear = 1, .average = 0.9, .weight_view = 1, .weight_text = 0.5, .scale = 10, .balance = 0.5, .rg_noise = 0.05,
                     .view = view_em, .valid_every = 5, .valid_queries = 10, .valid_gallery = 20, .check_every = 4};
    return o;
}

static int set_up(void **state)
{
    (void)state;
    tiny_make(N, &set);
    return system("mkdir -p " DIR);
}

static int tear_down(void **state)
{
    (void)state;
    tiny_free(&set);
    return system("rm -rf " DIR);
}

static traindata_t data_of(const encoder_t *e)
{
    traindata_t t;
    err_t err = {0};
    if (traindata_new(&set, e, &comm_self, NULL, &t, &err)) fail_msg("%s", err.msg);
    return t;
}

/* The clean cube and the size are those of an index. */
static void clean_cubes(void **state)
{
    (void)state;
    encoder_t *e = network();
    traindata_t t = data_of(e);
    cube_opts_t o = {.side = SIDE};
    for (size_t i = 0; i < N; i++) {
        cube_t c;
        model_t *m = dataset_model(&set, i, NULL);
        vol_t *v = describe_density(m, NULL);
        assert_int_equal(cube_make(v, &o, &c, NULL), 0);
        for (size_t k = 0; k < CUBE; k++) assert_close(t.cubes[i * CUBE + k] / 255.0, (double)c.data[k], 0.501 / 255);
        assert_close((double)t.features[i], log(c.frame.rg / ENCODER_RG), 1e-6);
        assert_int_equal(t.usable[i], 1);
        assert_int_equal(t.same[i] == t.same[i ^ 1], 1);
        assert_int_equal(t.same[i] == t.same[(i + 2) % N], 0);
        cube_free(&c);
        vol_free(v);
        model_free(m);
    }
    traindata_free(&t);
    encoder_free(e);
}

/* A network that is nothing but a linear map of the cube to d numbers. */
static encoder_t *linear(int d)
{
    char text[400];
    snprintf(text, sizeof text,
             "{\"inputs\": {\"cube\": [1, 16, 16, 16]}, \"layers\": [{\"op\": \"flatten\", \"from\": \"cube\"}, {\"op\": \"layernorm\", "
             "\"name\": \"skip_norm\"}, {\"op\": \"linear\", \"name\": \"skip_fc\", \"out\": %d, \"bias\": false}, {\"op\": \"l2norm\"}]}",
             d);
    static const feature_t none[1];
    err_t err = {0};
    encoder_t *e = encoder_new(text, none, 0, &err);
    if (!e) fail_msg("%s", err.msg);
    encoder_init(e, 4);
    return e;
}

/* The clean cubes of the training split, mean off and of length 1; how many. */
static size_t unit_cubes(const traindata_t *t, float *x)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++) {
        if (!t->usable[i] || set.split[i] != SPLIT_TRAIN) continue;
        float *row = x + n++ * CUBE;
        double sum = 0, sq = 0;
        for (size_t k = 0; k < CUBE; k++) sum += t->cubes[i * CUBE + k];
        for (size_t k = 0; k < CUBE; k++) {
            row[k] = (float)(t->cubes[i * CUBE + k] - sum / CUBE);
            sq += (double)row[k] * (double)row[k];
        }
        for (size_t k = 0; k < CUBE; k++) row[k] /= (float)sqrt(sq);
    }
    return n;
}

static double product(const float *a, const float *b)
{
    double sum = 0;
    for (size_t k = 0; k < CUBE; k++) sum += (double)a[k] * (double)b[k];
    return sum;
}

/* The eigenvalues of the cubes' products hold the squares of what d components may keep at most. */
static double best_kept(const float *x, size_t n, size_t d)
{
    gsl_matrix *c = gsl_matrix_alloc(n, n);
    gsl_vector *v = gsl_vector_alloc(n);
    gsl_eigen_symm_workspace *w = gsl_eigen_symm_alloc(n);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) gsl_matrix_set(c, i, j, product(x + i * CUBE, x + j * CUBE));
    gsl_eigen_symm(c, v, w);
    double *value = gsl_vector_ptr(v, 0), sum = 0;
    for (size_t k = 0; k < d; k++) {
        size_t at = 0;
        for (size_t i = 1; i < n; i++)
            if (value[i] > value[at]) at = i;
        sum += value[at];
        value[at] = -1;
    }
    gsl_matrix_free(c);
    gsl_vector_free(v);
    gsl_eigen_symm_free(w);
    return sum;
}

/* The linear path starts at the principal components: orthogonal, and of as much as so many can keep. */
static void start_components(void **state)
{
    (void)state;
    enum { D = 5 };
    encoder_t *e = linear(D), *again = linear(D);
    traindata_t t = data_of(e);
    float *x = mem_new(N, CUBE * sizeof *x, NULL);
    size_t n = unit_cubes(&t, x);
    const double s2 = (double)TRAIN_START_SCALE * (double)TRAIN_START_SCALE;
    const nettensor_t *skip = net_tensor(e->net, net_tensors(e->net) - 1);
    assert_string_equal(skip->name, "skip_fc.weight");
    omp_set_num_threads(1);
    assert_int_equal(trainstart_linear(&t, e, NULL, 3, NULL), 0);
    omp_set_num_threads(3);
    assert_int_equal(trainstart_linear(&t, again, NULL, 3, NULL), 0);
    const float *w = e->params + skip->at;
    assert_memory_equal(w, again->params + skip->at, skip->size * sizeof *w);
    double kept = 0;
    for (size_t i = 0; i < D; i++)
        for (size_t j = 0; j <= i; j++) assert_close(product(w + i * CUBE, w + j * CUBE) / s2, i == j, 1e-5);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < D; k++) kept += pow(product(x + i * CUBE, w + k * CUBE), 2) / s2;
    assert_close(kept, best_kept(x, n, D), 1e-4 * kept);
    mem_free(x);
    traindata_free(&t);
    encoder_free(e);
    encoder_free(again);
}

/* With more components than entries cosines are correlations; a network without a linear path stays as it is. */
static void start_correlation(void **state)
{
    (void)state;
    encoder_t *e = linear(N), *other = network();
    traindata_t t = data_of(e), u = data_of(other);
    float *x = mem_new(N, CUBE * sizeof *x, NULL), *z = mem_new(N * N, sizeof *z, NULL), *cube = mem_new(N, CUBE * sizeof *cube, NULL);
    size_t n = unit_cubes(&t, x), m = 0;
    assert_int_equal(trainstart_linear(&t, e, NULL, 3, NULL), 0);
    for (size_t i = 0; i < t.n; i++)
        if (t.usable[i] && set.split[i] == SPLIT_TRAIN) {
            for (size_t k = 0; k < CUBE; k++) cube[m * CUBE + k] = (float)t.cubes[i * CUBE + k] / 255;
            m++;
        }
    assert_int_equal(m, n);
    e->frames = 1;
    assert_int_equal(encoder_ready(e, NULL), 0);
    assert_int_equal(encoder_embed(e, n, cube, NULL, z, NULL), 0);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++) {
            double cosine = 0;
            for (size_t k = 0; k < N; k++) cosine += (double)z[i * N + k] * (double)z[j * N + k];
            assert_close(cosine, product(x + i * CUBE, x + j * CUBE), 1e-4);
        }
    float *before = mem_new(net_size(other->net), sizeof *before, NULL);
    memcpy(before, other->params, net_size(other->net) * sizeof *before);
    assert_int_equal(trainstart_linear(&u, other, NULL, 3, NULL), 0);
    assert_memory_equal(before, other->params, net_size(other->net) * sizeof *before);
    mem_free(before);
    mem_free(x);
    mem_free(z);
    mem_free(cube);
    traindata_free(&t);
    traindata_free(&u);
    encoder_free(e);
    encoder_free(other);
}

/* How far views lie from their clean cubes in a linear map w (D, CUBE), the cubes themselves being at 1 on average. */
static double spread_of(const traindata_t *t, const float *w, size_t d)
{
    float *room = mem_new(3, CUBE * sizeof *room, NULL), features[200];
    const viewopts_t view = view_em;
    double apart = 0, all = 0;
    for (size_t i = 0; i < t->n; i++) {
        float *clean = room + CUBE, *seen = room + 2 * CUBE;
        if (!t->usable[i] || set.split[i] != SPLIT_TRAIN || traindata_view(t, i, &view, 1000 + i, room, features, NULL)) continue;
        for (size_t k = 0; k < CUBE; k++) clean[k] = (float)t->cubes[i * CUBE + k] / 255;
        encoder_pose(room, SIDE, encoder_match(room, clean, SIDE), seen);
        for (float *x = clean; x <= seen; x += CUBE) {
            double sum = 0;
            for (size_t k = 0; k < CUBE; k++) sum += (double)x[k];
            for (size_t k = 0; k < CUBE; k++) x[k] -= (float)(sum / CUBE);
            double length = sqrt(product(x, x));
            for (size_t k = 0; k < CUBE; k++) x[k] /= (float)length;
        }
        for (size_t k = 0; k < CUBE; k++) seen[k] -= clean[k];
        for (size_t k = 0; k < d; k++) {
            apart += pow(product(seen, w + k * CUBE), 2);
            all += pow(product(clean, w + k * CUBE), 2);
        }
    }
    mem_free(room);
    return apart / all;
}

/* Given what views are like, the start brings them nearer to their cubes; with the same bytes on any number of threads. */
static void start_whitened(void **state)
{
    (void)state;
    enum { D = 12 };
    encoder_t *plain = linear(D), *e = linear(D), *again = linear(D);
    traindata_t t = data_of(e);
    const viewopts_t view = view_em;
    const nettensor_t *skip = net_tensor(e->net, net_tensors(e->net) - 1);
    omp_set_num_threads(1);
    assert_int_equal(trainstart_linear(&t, plain, NULL, 3, NULL), 0);
    assert_int_equal(trainstart_linear(&t, e, &view, 3, NULL), 0);
    omp_set_num_threads(3);
    assert_int_equal(trainstart_linear(&t, again, &view, 3, NULL), 0);
    assert_memory_equal(e->params + skip->at, again->params + skip->at, skip->size * sizeof(float));
    double before = spread_of(&t, plain->params + skip->at, D), after = spread_of(&t, e->params + skip->at, D);
    if (!(after < 0.9 * before)) fail_msg("views lie %.3f apart, and %.3f before", after, before);
    traindata_free(&t);
    encoder_free(plain);
    encoder_free(e);
    encoder_free(again);
}

/* Each entry of the split is drawn in its share of the epochs, never twice in one, and the order is another each time. */
static void epochs(void **state)
{
    (void)state;
    enum { EPOCHS = 200, BATCH = 4 };
    encoder_t *e = network();
    traindata_t t = data_of(e);
    traindraw_t w, again;
    size_t drawn[N] = {0}, total = 0, entry[BATCH], want[BATCH];
    double sum = 0;
    trainopts_t o = options();
    o.batch = BATCH;
    assert_int_equal(traindraw_new(&t, &o, &w, NULL), 0);
    assert_int_equal(w.n, N * 8 / 10);
    for (size_t i = 0; i < w.n; i++) {
        assert_int_equal(set.split[w.row[i]], SPLIT_TRAIN);
        assert_close(w.chance[i], 1 / sqrt(2), 1e-12); /* clusters of two, both in the split */
        sum += w.chance[i];
    }
    for (uint64_t epoch = 0; epoch < EPOCHS; epoch++) {
        bool seen[N] = {0};
        traindraw_seek(&w, epoch, 0);
        for (size_t i = 0; i < w.count; i++) {
            assert_false(seen[w.order[i]]);
            seen[w.order[i]] = true;
            drawn[w.order[i]]++;
        }
        total += w.count;
    }
    assert_close((double)total / EPOCHS, sum, 1);
    for (size_t i = 0; i < w.n; i++) assert_close((double)drawn[w.row[i]], EPOCHS / sqrt(2), 1.01);

    /* a place that is sought is one that is reached */
    traindraw_seek(&w, 0, 0);
    assert_int_equal(traindraw_new(&t, &o, &again, NULL), 0);
    for (int step = 0; step < 23; step++) {
        traindraw_seek(&again, w.epoch, w.at);
        assert_int_equal(traindraw_next(&w, entry, NULL), 0);
        assert_int_equal(traindraw_next(&again, want, NULL), 0);
        assert_memory_equal(entry, want, sizeof entry);
    }
    assert_true(w.epoch >= 2);
    size_t many[N];
    err_t err = {0};
    w.batch = N;
    assert_int_equal(traindraw_next(&w, many, &err), -1);
    assert_int_equal(err.code, ERR_RANGE);
    traindraw_free(&w);
    traindraw_free(&again);
    traindata_free(&t);
    encoder_free(e);
}

/* Batches of like size: the same entries as ever, each batch between neighbours, batches in another order each time. */
static void alike(void **state)
{
    (void)state;
    enum { BATCH = 6 };
    encoder_t *e = network();
    traindata_t t = data_of(e);
    trainopts_t o = options();
    traindraw_t w;
    size_t first = 0, different = 0;
    o.batch = BATCH;
    o.balance = 0;
    o.alike = 1e-9;
    assert_int_equal(traindraw_new(&t, &o, &w, NULL), 0);
    for (uint64_t epoch = 0; epoch < 20; epoch++) {
        bool seen[N] = {0};
        traindraw_seek(&w, epoch, 0);
        assert_int_equal(w.count, N * 8 / 10);
        for (size_t i = 0; i < w.count; i++) {
            assert_false(seen[w.order[i]]);
            seen[w.order[i]] = true;
        }
        for (size_t at = 0; at + BATCH <= w.count; at += BATCH) { /* nobody else lies between the smallest and the largest */
            float lo = INFINITY, hi = -INFINITY;
            size_t inside = 0;
            for (size_t i = at; i < at + BATCH; i++) {
                lo = fminf(lo, t.log_rg[w.order[i]]);
                hi = fmaxf(hi, t.log_rg[w.order[i]]);
            }
            for (size_t i = 0; i < w.count; i++) inside += t.log_rg[w.order[i]] >= lo && t.log_rg[w.order[i]] <= hi;
            assert_int_equal(inside, BATCH);
        }
        different += epoch && w.order[0] != first;
        first = w.order[0];
    }
    assert_true(different > 5);
    traindraw_free(&w);
    traindata_free(&t);
    encoder_free(e);
}

/* A comm_t that is rank k of n and is not to be called. */
static comm_t mute(int rank, int size) { return (comm_t){.rank = rank, .size = size}; }

static void batches(void **state)
{
    (void)state;
    enum { B = 6 };
    static const size_t entry[B] = {0, 4, 12, 2, 1, 21};
    encoder_t *e = network();
    traindata_t t = data_of(e);
    trainopts_t o = options();
    trainbatch_t whole, again, half;
    comm_t one = mute(0, 1), two = mute(1, 2);
    o.batch = B;
    assert_int_equal(trainbatch_new(&t, &o, TINY_DIM, &one, &whole, NULL), 0);
    assert_int_equal(trainbatch_new(&t, &o, TINY_DIM, &one, &again, NULL), 0);
    assert_int_equal(trainbatch_new(&t, &o, TINY_DIM, &two, &half, NULL), 0);
    memcpy(whole.entry, entry, sizeof entry);
    memcpy(again.entry, entry, sizeof entry);
    memcpy(half.entry, entry, sizeof entry);
    int threads = threads_max();
    trainbatch_make(&whole, 5);
    threads_set(threads == 1 ? 3 : 1);
    trainbatch_make(&again, 5);
    threads_set(threads);
    trainbatch_make(&half, 5);
    assert_int_equal(whole.failed, 0);
    assert_memory_equal(whole.cubes, again.cubes, 2 * B * CUBE * sizeof(float));
    assert_memory_equal(whole.features, again.features, 2 * B * sizeof(float));
    assert_memory_equal(whole.text, again.text, 2 * B * TINY_DIM * sizeof(float));
    for (size_t k = 0; k < 2; k++) { /* the second of two ranks has the second half of each half */
        assert_memory_equal(half.cubes + k * B / 2 * CUBE, whole.cubes + (k * B + B / 2) * CUBE, B / 2 * CUBE * sizeof(float));
        assert_memory_equal(half.text + k * B / 2 * TINY_DIM, whole.text + (k * B + B / 2) * TINY_DIM,
                            B / 2 * TINY_DIM * sizeof(float));
    }
    for (size_t i = 0; i < B; i++) { /* clean: one of the four frames; text: one of the entry's, or nothing */
        float room[CUBE], turned[CUBE];
        bool found = false;
        for (int k = 0; k < 4; k++) {
            traindata_cube(&t, t.cubes + entry[i] * CUBE, k, room, turned);
            found |= !memcmp(turned, whole.cubes + i * CUBE, sizeof turned);
        }
        assert_true(found);
        assert_memory_not_equal(whole.cubes + i * CUBE, whole.cubes + (B + i) * CUBE, CUBE * sizeof(float));
        assert_int_equal(whole.told[i], entry[i] % 5 != 4);
        for (size_t half_at = 0; half_at < 2; half_at++) {
            const float *x = whole.text + (half_at * B + i) * TINY_DIM, none[TINY_DIM] = {0};
            const float *own = set.text + set.caption_at[entry[i]] * TINY_DIM;
            if (whole.told[i])
                assert_true(!memcmp(x, own, sizeof none) || !memcmp(x, own + TINY_DIM, sizeof none));
            else
                assert_memory_equal(x, none, sizeof none);
        }
    }
    trainbatch_make(&again, 6); /* another step, another view */
    assert_memory_not_equal(whole.cubes + B * CUBE, again.cubes + B * CUBE, B * CUBE * sizeof(float));
    trainbatch_free(&whole);
    trainbatch_free(&again);
    trainbatch_free(&half);
    traindata_free(&t);
    encoder_free(e);
}

/* The loss falls along the gradient as fast as its length says: of all parameters, of the projection, of the scales. */
static void gradient(void **state)
{
    (void)state;
    encoder_t *e = network();
    traindata_t t = data_of(e);
    trainopts_t o = options();
    trainstep_t s;
    trainbatch_t b;
    traindraw_t w;
    stepout_t out;
    o.text_both = true;
    o.clip = 0;
    o.decay = 0;
    assert_int_equal(traindraw_new(&t, &o, &w, NULL), 0);
    assert_int_equal(trainbatch_new(&t, &o, TINY_DIM, &comm_self, &b, NULL), 0);
    assert_int_equal(trainstep_new(e, &o, TINY_DIM, &comm_self, &s, NULL), 0);
    assert_int_equal(traindraw_next(&w, b.entry, NULL), 0);
    trainbatch_make(&b, 0);
    float *p = mem_new(s.n, sizeof *p, NULL), *g = mem_new(s.n, sizeof *g, NULL);
    memcpy(p, s.params, s.n * sizeof *p);
    assert_int_equal(trainstep_run(&s, &b, 0, 0, &out, NULL), 0);
    memcpy(g, s.grads, s.n * sizeof *g);
    const size_t from[] = {0, s.text_at, s.scale_at}, to[] = {s.n, s.text_at + s.text_size, s.n};
    for (int part = 0; part < 3; part++) {
        double sq = 0, loss[2];
        for (size_t i = from[part]; i < to[part]; i++) sq += (double)g[i] * (double)g[i];
        double eps = 1e-3 / sqrt(sq);
        assert_true(sq > 1e-12);
        for (int k = 0; k < 2; k++) {
            memcpy(s.params, p, s.n * sizeof *p);
            for (size_t i = from[part]; i < to[part]; i++) s.params[i] += (float)((k ? -eps : eps) * (double)g[i]);
            assert_int_equal(trainstep_run(&s, &b, 0, 0, &out, NULL), 0);
            loss[k] = out.loss;
        }
        assert_close((loss[0] - loss[1]) / (2 * eps * sq), 1, 0.02);
    }
    mem_free(p);
    mem_free(g);
    trainstep_free(&s);
    trainbatch_free(&b);
    traindraw_free(&w);
    traindata_free(&t);
    encoder_free(e);
}

/* Several ranks are one process, up to the order of sums. */
typedef struct {
    float *params[2]; /* of rank 0: with one process, with two ranks */
    float *other;     /* of rank 1 */
    size_t n;
} several_t;

static void run_rank(void *arg, const comm_t *c)
{
    several_t *v = arg;
    encoder_t *e = network();
    traindata_t t;
    trainopts_t o = options();
    trainstep_t s;
    trainbatch_t b;
    traindraw_t w;
    stepout_t out;
    if (traindata_new(&set, e, c, NULL, &t, NULL) || traindraw_new(&t, &o, &w, NULL) ||
        trainbatch_new(&t, &o, TINY_DIM, c, &b, NULL) || trainstep_new(e, &o, TINY_DIM, c, &s, NULL))
        abort();
    for (uint64_t step = 0; step < 3; step++) {
        if (traindraw_next(&w, b.entry, NULL)) abort();
        trainbatch_make(&b, step);
        if (trainstep_run(&s, &b, step, 0.01, &out, NULL)) abort();
    }
    float *copy = mem_new(s.n, sizeof *copy, NULL);
    memcpy(copy, s.params, s.n * sizeof *copy);
    v->n = s.n;
    if (c->rank)
        v->other = copy;
    else
        v->params[c->size - 1] = copy;
    trainstep_free(&s);
    trainbatch_free(&b);
    traindraw_free(&w);
    traindata_free(&t);
    encoder_free(e);
}

static void ranks_are_one(void **state)
{
    (void)state;
    several_t v = {0};
    double sq = 0, diff = 0;
    run_rank(&v, &comm_self);
    ranks_run(2, run_rank, &v);
    assert_memory_equal(v.params[1], v.other, v.n * sizeof(float));
    for (size_t i = 0; i < v.n; i++) {
        sq += (double)v.params[0][i] * (double)v.params[0][i];
        diff += ((double)v.params[0][i] - (double)v.params[1][i]) * ((double)v.params[0][i] - (double)v.params[1][i]);
    }
    assert_true(sq > 1);
    assert_close(sqrt(diff / sq), 0, 2e-4);
    mem_free(v.params[0]);
    mem_free(v.params[1]);
    mem_free(v.other);
}

/* One rank that is interrupted at a step: the run asks all ranks before each. */
typedef struct {
    volatile sig_atomic_t now;
    size_t after, asked;
} interrupt_t;

static int counting_sum(const comm_t *c, float *x, size_t n, err_t *err)
{
    interrupt_t *i = c->ctx;
    (void)x;
    (void)err;
    if (n == 1 && ++i->asked == 2 * i->after) i->now = 1; /* twice a step: for a signal and for the time */
    return 0;
}

static traindone_t train(const trainopts_t *o, const char *out, bool resume, size_t stop_after)
{
    encoder_t *e = network();
    interrupt_t i = {.after = stop_after};
    const comm_t c = {.size = 1, .sum = counting_sum, .gather = comm_self.gather, .ctx = &i};
    traindone_t done;
    err_t err = {0};
    if (train_run(&set, e, o, out, resume, &c, &i.now, NULL, &done, &err)) fail_msg("%s", err.msg);
    encoder_free(e);
    return done;
}

static void same_file(const char *a, const char *b)
{
    size_t n = 0, m = 0;
    unsigned char *x = file_read(a, 1 << 26, &n, NULL), *y = file_read(b, 1 << 26, &m, NULL);
    if (!x || !y || n != m || memcmp(x, y, n) != 0) fail_msg("%s and %s differ", a, b);
    mem_free(x);
    mem_free(y);
}

static void whole_run(void **state)
{
    (void)state;
    trainopts_t o = options();
    int threads = threads_max();
    traindone_t a = train(&o, DIR "/a", false, 0);
    assert_int_equal(a.step, 12);
    assert_int_equal(a.valid.queries, 4);
    assert_int_equal(a.valid.gallery, N);
    assert_int_equal(a.valid.texts, 4);
    assert_true(a.best >= 5 && a.best <= 12 && !a.early && !a.late && !a.stopped);

    threads_set(threads == 1 ? 3 : 1); /* another number of threads */
    train(&o, DIR "/b", false, 0);
    threads_set(threads);
    same_file(DIR "/a", DIR "/b");
    same_file(DIR "/a.last", DIR "/b.last");
    same_file(DIR "/a.ckpt", DIR "/b.ckpt");

    modelfile_t m;
    err_t err = {0};
    if (modelfile_read(DIR "/a", &m, &err)) fail_msg("%s", err.msg);
    assert_false(m.untrained);
    assert_int_equal(m.text.dim, TINY_DIM);
    assert_string_equal(m.text.name, "toy");
    assert_true(m.scale_view >= 1 && m.scale_text >= 1);
    assert_non_null(strstr(m.provenance, "\"dataset\": \"deadbeef\""));
    modelfile_free(&m);

    /* with longer training what it was trained on is told apart */
    o.steps = 150;
    o.valid_every = 0;
    o.view = (viewopts_t){0};
    FILE *f;
    char line[4096];
    double first = 0, loss = 0, x;
    train(&o, DIR "/c", false, 0);
    f = fopen(DIR "/c.tsv", "r");
    for (int k = 0; fgets(line, sizeof line, f); k++)
        if (sscanf(line, "%*d %*d %lf", &x) == 1) {
            if (k <= 10) first += x / 10;
            if (k > 140) loss += x / 10;
        }
    fclose(f);
    if (!(loss < 0.8 * first)) fail_msg("loss %g, then %g", first, loss);
}

/* The linear path moves with the rate that it is given, and not at all with none. */
static void linear_rate(void **state)
{
    (void)state;
    enum { D = 12 };
    trainopts_t o = options();
    o.weight_text = 0;
    float moved[2] = {0};
    for (int k = 0; k < 2; k++) {
        encoder_t *e = linear(D);
        const nettensor_t *skip = net_tensor(e->net, net_tensors(e->net) - 1);
        traindata_t t = data_of(e);
        assert_int_equal(trainstart_linear(&t, e, &o.view, o.seed, NULL), 0);
        float *start = malloc(skip->size * sizeof *start);
        memcpy(start, e->params + skip->at, skip->size * sizeof *start);
        traindone_t done;
        err_t err = {0};
        o.linear = k;
        if (train_run(&set, e, &o, DIR "/l", false, &comm_self, NULL, NULL, &done, &err)) fail_msg("%s", err.msg);
        modelfile_t m;
        if (modelfile_read(DIR "/l.last", &m, &err)) fail_msg("%s", err.msg);
        for (size_t i = 0; i < skip->size; i++) moved[k] = fmaxf(moved[k], fabsf(m.encoder->params[skip->at + i] - start[i]));
        modelfile_free(&m);
        traindata_free(&t);
        free(start);
        encoder_free(e);
    }
    assert_true(moved[0] == 0 && moved[1] > 0);
}

/* A run that is stopped again and again, before the first step and between checkpoints, ends where an undisturbed one does. */
static void resume(void **state)
{
    (void)state;
    static const size_t steps[] = {3, 1, 5}; /* after 3, 4 and 9 */
    trainopts_t o = options(), cut = o;
    const char *const kind[] = {"", ".last", ".ckpt"};
    char x[64], y[64];
    size_t at = 0;
    train(&o, DIR "/a", false, 0);
    cut.minutes = 1e-9;
    traindone_t d = train(&cut, DIR "/r", false, 0); /* no time at all: a checkpoint, and the model as it is */
    assert_true(d.late && !d.stopped);
    assert_int_equal(d.step, 0);
    for (int k = 0; k < 3; k++) {
        d = train(&o, DIR "/r", true, steps[k]);
        assert_true(d.stopped);
        assert_int_equal(d.step, at += steps[k]);
    }
    d = train(&o, DIR "/r", true, 0);
    assert_int_equal(d.step, o.steps);
    for (int k = 0; k < 3; k++) {
        snprintf(x, sizeof x, DIR "/a%s", kind[k]);
        snprintf(y, sizeof y, DIR "/r%s", kind[k]);
        same_file(x, y);
    }
    size_t rows = 0, n;
    char *tsv = (char *)file_read(DIR "/r.tsv", 1 << 24, &n, NULL);
    for (char *p = tsv; (p = strchr(p, '\n')); p++) rows++;
    assert_int_equal(rows, o.steps + 1);
    mem_free(tsv);
}

static errcode_t fails(const trainopts_t *o, const char *out, bool resume, const char *says)
{
    encoder_t *e = network();
    traindone_t done;
    err_t err = {0};
    assert_int_equal(train_run(&set, e, o, out, resume, &comm_self, NULL, NULL, &done, &err), -1);
    if (!strstr(err.msg, says)) fail_msg("%s (%s wanted)", err.msg, says);
    encoder_free(e);
    return err.code;
}

static void refuses(void **state)
{
    (void)state;
    trainopts_t o = options();
    o.steps = 2;
    assert_int_equal(fails(&o, DIR "/n", true, "n.ckpt"), ERR_IO);
    train(&o, DIR "/n", false, 0);
    o.rate = 0.02;
    assert_int_equal(fails(&o, DIR "/n", true, "\"rate\": 0.02"), ERR_USAGE);
    o = options();
    o.batch = 1;
    assert_int_equal(fails(&o, DIR "/x", false, "batch of 1"), ERR_USAGE);
    o.batch = 32;
    assert_int_equal(fails(&o, DIR "/x", false, "entries (a batch takes 32)"), ERR_RANGE);
    o = options();
    o.weight_view = o.weight_text = 0;
    assert_int_equal(fails(&o, DIR "/x", false, "weights"), ERR_USAGE);

    /* a checkpoint that is cut anywhere */
    size_t n;
    unsigned char *b = file_read(DIR "/n.ckpt", 1 << 26, &n, NULL);
    o = options();
    o.steps = 2;
    for (size_t at = 0; at < n; at += n / 5 + 1) {
        FILE *f = fopen(DIR "/n.ckpt", "wb");
        assert_int_equal(fwrite(b, 1, at, f), at);
        assert_int_equal(fclose(f), 0);
        errcode_t code = fails(&o, DIR "/n", true, "n.ckpt");
        assert_true(code == ERR_IO || code == ERR_FORMAT);
    }
    mem_free(b);
}

/* The figures of a validation, worked out again from the embeddings. */
static void figures(void **state)
{
    (void)state;
    encoder_t *e = network();
    traindata_t t = data_of(e);
    trainopts_t o = options();
    trainvalid_set_t v;
    trainvalid_t got;
    float weight[12 * TINY_DIM], *z = mem_new(N, 12 * sizeof *z, NULL), *q = mem_new(N, 12 * sizeof *q, NULL),
                                 *x = mem_new(N, CUBE * sizeof *x, NULL);
    rng_t r;
    rng_seed(&r, 5);
    for (size_t i = 0; i < sizeof weight / sizeof *weight; i++) weight[i] = (float)rng_normal(&r);
    assert_int_equal(trainvalid_new(&t, &o, &comm_self, NULL, &v, NULL), 0);
    assert_int_equal(v.queries, 4);
    assert_int_equal(trainvalid_run(&v, e, weight, true, &got, NULL), 0);

    for (size_t i = 0; i < N * CUBE; i++) x[i] = (float)t.cubes[i] * (1.0f / 255);
    assert_int_equal(encoder_embed(e, N, x, t.features, z, NULL), 0);
    for (size_t i = 0; i < v.queries * CUBE; i++) x[i] = (float)v.views[i] * (1.0f / 255);
    assert_int_equal(encoder_embed(e, v.queries, x, v.view_features, q, NULL), 0);
    double top1 = 0, top5 = 0, mrr = 0, cluster = 0, text_mrr = 0;
    for (size_t i = 0; i < v.queries; i++) {
        size_t rank = 1, best = 0, text_rank = 1, own = v.query[i];
        double score[N];
        assert_int_equal(set.split[own], SPLIT_VALID);
        for (size_t j = 0; j < N; j++) {
            score[j] = 0;
            for (int k = 0; k < 12; k++) score[j] += (double)q[i * 12 + (size_t)k] * (double)z[j * 12 + (size_t)k];
            if (score[j] > score[best]) best = j;
        }
        for (size_t j = 0; j < N; j++) rank += score[j] > score[own];
        top1 += rank == 1;
        top5 += rank <= 5;
        mrr += 1.0 / (double)rank;
        cluster += best / 2 == own / 2;
        double s[4];
        for (size_t j = 0; j < v.queries; j++) { /* captions, first of each */
            double y[12], sq = 0;
            const float *text = set.text + set.caption_at[v.query[j]] * TINY_DIM;
            s[j] = 0;
            for (int k = 0; k < 12; k++) {
                y[k] = 0;
                for (int c = 0; c < TINY_DIM; c++) y[k] += (double)weight[k * TINY_DIM + c] * (double)text[c];
                sq += y[k] * y[k];
            }
            for (int k = 0; k < 12; k++) s[j] += y[k] / sqrt(sq) * (double)z[own * 12 + (size_t)k];
        }
        for (size_t j = 0; j < v.queries; j++) text_rank += s[j] > s[i];
        text_mrr += 1.0 / (double)text_rank;
    }
    assert_close(got.top1, top1 / 4, 1e-12);
    assert_close(got.top5, top5 / 4, 1e-12);
    assert_close(got.mrr, mrr / 4, 1e-12);
    assert_close(got.cluster1, cluster / 4, 1e-12);
    assert_close(got.text_mrr, text_mrr / 4, 1e-12);
    assert_int_equal(got.texts, 4);
    mem_free(z);
    mem_free(q);
    mem_free(x);
    trainvalid_free(&v);
    traindata_free(&t);
    encoder_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clean_cubes),   cmocka_unit_test(start_components), cmocka_unit_test(start_correlation), cmocka_unit_test(start_whitened), cmocka_unit_test(epochs),    cmocka_unit_test(alike), cmocka_unit_test(batches), cmocka_unit_test(gradient),
        cmocka_unit_test(ranks_are_one), cmocka_unit_test(whole_run), cmocka_unit_test(linear_rate), cmocka_unit_test(resume),
        cmocka_unit_test(refuses),       cmocka_unit_test(figures),
    };
    return cmocka_run_group_tests_name("train", tests, set_up, tear_down);
}
