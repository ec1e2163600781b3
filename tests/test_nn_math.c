/* softmax, layernorm, attention, loss, optim, schedule against PyTorch's numbers in tests/parity/nn_math.txt. */
#include "tests/test.h"

#include "base/file.h"
#include "base/mem.h"
#include "nn/attention.h"
#include "nn/layernorm.h"
#include "nn/loss.h"
#include "nn/optim.h"
#include "nn/schedule.h"
#include "nn/softmax.h"

static char *table;
static size_t seen; /* lines compared */

/* As draw() of tests/parity/nn_math.py. */
static void draw(uint64_t seed, size_t n, float *out)
{
    for (uint64_t i = 0; i < n; i++) {
        uint64_t u = (i * 2654435761u + seed * 40503 + 12345) & 0xffffffff;
        u = (u ^ u >> 15) * 739982445 & 0xffffffff;
        out[i] = (float)(u >> 8) / 8388608 - 1;
    }
}

/* Line `name` has n numbers, and x is they, within tol of the largest of them. */
static void same(const char *name, const float *x, size_t n, double tol)
{
    char *p = table;
    size_t len = strlen(name);
    while (p && (strncmp(p, name, len) || p[len] != ' ')) p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL;
    if (!p) fail_msg("%s: not in the table", name);
    double want[1024], most = 0, worst = 0;
    p += len;
    assert_true(n <= sizeof want / sizeof *want);
    for (size_t i = 0; i < n; i++) {
        if (*p != ' ') fail_msg("%s: fewer than %zu numbers", name, n);
        want[i] = strtod(p, &p);
        most = fmax(most, fabs(want[i]));
    }
    if (*p != '\n') fail_msg("%s: more than %zu numbers", name, n);
    for (size_t i = 0; i < n; i++) {
        if (!(fabs((double)x[i] - want[i]) <= tol * most)) fail_msg("%s, %zu: %.9g (%.9g)", name, i, (double)x[i], want[i]);
        worst = fmax(worst, fabs((double)x[i] - want[i]) / most);
    }
    print_message("# %s: %zu numbers, difference at most %.1g of the largest\n", name, n, worst);
    seen++;
}

static void rows(void **state)
{
    (void)state;
    float x[72], y[72], dy[72], dx[72], w[24], b[24], dw[24] = {0}, db[24] = {0}, stat[6];
    draw(1, 52, x), draw(2, 52, dy);
    for (int i = 0; i < 52; i++) x[i] *= 4;
    softmax_forward(x, 4, 13, y);
    softmax_backward(y, dy, 4, 13, dx);
    same("softmax.y", y, 52, 1e-6);
    same("softmax.dx", dx, 52, 1e-6);
    draw(3, 72, x), draw(4, 24, w), draw(5, 24, b), draw(6, 72, dy);
    layernorm_forward(x, 3, 24, w, b, 1e-5, y, stat);
    layernorm_backward(x, stat, w, dy, 3, 24, dx, dw, db);
    same("layernorm.y", y, 72, 1e-6);
    same("layernorm.dx", dx, 72, 1e-6);
    same("layernorm.dweight", dw, 24, 1e-6);
    same("layernorm.dbias", db, 24, 1e-6);
}

static void attention_as(const char *name, attention_t a)
{
    static const char *const part[] = {"y", "dx", "din_w", "din_b", "dout_w", "dout_b"};
    enum { MOST = 4096 };
    static float in[5][MOST], g[6][MOST], dy[MOST], saved[MOST], work[MOST];
    size_t t = a.tokens, c = a.width, size[] = {t * c, 3 * c * c, 3 * c, c * c, c};
    assert_true(attention_saved(&a) <= MOST && attention_work(&a, 1) <= MOST);
    memset(g, 0, sizeof g);
    for (uint64_t k = 0; k < 5; k++) draw(9 + k, size[k], in[k]);
    draw(14, t * c, dy);
    attparams_t w = {in[1], in[2], in[3], in[4]};
    attgrads_t d = {g[2], g[3], g[4], g[5]};
    attention_forward(&a, &w, in[0], g[0], saved, work);
    attention_backward(&a, &w, in[0], saved, dy, g[1], &d, work);
    for (size_t k = 0; k < 6; k++) {
        char line[64];
        snprintf(line, sizeof line, "%s.%s", name, part[k]);
        same(line, g[k], size[k ? k - 1 : 0], 2e-6);
    }
}

static void attention(void **state)
{
    (void)state;
    float bias[50];
    draw(15, 50, bias);
    attention_as("attention", (attention_t){.tokens = 6, .width = 8, .heads = 2});
    attention_as("attention_keys", (attention_t){.tokens = 6, .width = 8, .heads = 4, .keys = 4});
    attention_as("attention_bias", (attention_t){.tokens = 5, .width = 4, .heads = 2, .keys = 4, .bias = bias});
}

static void infonce(void **state)
{
    (void)state;
    enum { N = 7, D = 5 };
    static const uint64_t group[N] = {0, 1, 0, 2, 1, 0, 3};
    static const char *const name[2][2] = {{"infonce_one", "infonce_two"}, {"infonce_one_groups", "infonce_two_groups"}};
    float x[2][N * D], dx[2][N * D];
    for (uint64_t k = 0; k < 2; k++) {
        draw(20 + k, N * D, x[k]);
        for (int i = 0; i < N; i++) {
            double s = 0;
            for (int j = 0; j < D; j++) s += (double)x[k][i * D + j] * (double)x[k][i * D + j];
            for (int j = 0; j < D; j++) x[k][i * D + j] /= (float)sqrt(s);
        }
    }
    for (int groups = 0; groups < 2; groups++)
        for (int both = 0; both < 2; both++) {
            err_t err = {0};
            infonceopts_t o = {.rows = N, .dim = D, .labels = N, .both = both};
            infonce_t *f = infonce_new(&o, &err);
            labels_t l = {NULL, group};
            infonceout_t out;
            char line[64];
            assert_int_equal(infonce_run(f, N, x[0], x[1], groups ? &l : NULL, 2, dx[0], dx[1], &out, &err), 0);
            infonce_free(f);
            float scalar[2] = {(float)out.loss, (float)out.dscale}, *v[] = {scalar, dx[0], dx[1], scalar + 1};
            static const char *const part[] = {"loss", "da", "db", "dscale"};
            for (size_t k = 0; k < 4; k++) {
                snprintf(line, sizeof line, "%s.%s", name[groups][both], part[k]);
                same(line, v[k], k % 3 ? N * D : 1, 2e-6);
            }
        }
}

static void adamw(void **state)
{
    (void)state;
    static const optrange_t r[] = {{0, 7, true, true, 1}, {7, 5, true, false, 1}};
    static const optopts_t opts = {.beta1 = 0.9, .beta2 = 0.98, .eps = 1e-6, .decay = 0.2, .clip = 2, .average = 0.9};
    float w[12], g[12], norm[20];
    err_t err = {0};
    sttensor_t t[OPTIM_TENSORS];
    stmeta_t meta[OPTIM_META];
    draw(30, 7, w), draw(31, 5, w + 7);
    optim_t *o = optim_new(12, r, 2, &opts, w, &err);
    assert_non_null(o);
    for (uint64_t k = 0; k < 20; k++) {
        optstep_t s;
        draw(40 + k, 7, g), draw(60 + k, 5, g + 7);
        optim_step(o, w, g, 0.01 * (double)(k + 1), &s);
        norm[k] = (float)s.norm;
    }
    optim_state(o, t, meta);
    same("adamw.w", w, 12, 1e-6);
    same("adamw.m", t[0].data, 12, 1e-6);
    same("adamw.v", t[1].data, 12, 1e-6);
    same("adamw.average", optim_average(o), 12, 1e-6);
    same("adamw.norm", norm, 20, 1e-6);
    optim_free(o);
}

static void schedule(void **state)
{
    (void)state;
    schedule_t s = {.peak = 0.3, .floor = 0.02, .warmup = 4, .steps = 14};
    float rate[14];
    for (uint64_t t = 0; t < 14; t++) rate[t] = (float)schedule_rate(&s, t);
    same("schedule", rate, 14, 1e-6);
}

/* Every line of the table was compared. */
static void all_lines(void **state)
{
    (void)state;
    size_t lines = 0;
    for (char *p = table; *p; p = strchr(p, '\n') + 1) lines += *p != '#';
    assert_int_equal(seen, lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows),  cmocka_unit_test(attention), cmocka_unit_test(infonce),
        cmocka_unit_test(adamw), cmocka_unit_test(schedule),  cmocka_unit_test(all_lines),
    };
    size_t n;
    err_t err = {0};
    table = (char *)file_read(NN_MATH_TABLE, 1 << 20, &n, &err);
    if (!table) {
        fprintf(stderr, "%s\n", err.msg);
        return 1;
    }
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    mem_free(table);
    return rc;
}
