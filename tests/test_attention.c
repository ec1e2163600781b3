/* softmax, layer normalisation, attention: against double precision written out here, and its central differences. */
#include "tests/test.h"

#include "base/rng.h"
#include "nn/attention.h"
#include "nn/layernorm.h"
#include "nn/softmax.h"

static rng_t rng;

static float *normals(size_t n, double sd)
{
    float *x = n < (size_t)1 << 30 ? calloc(n, sizeof *x) : NULL;
    if (!x) abort();
    for (size_t i = 0; i < n; i++) x[i] = (float)(sd * rng_normal(&rng));
    return x;
}

/* Rows of odd lengths with guards. */
static const size_t lengths[] = {1, 7, 8, 9, 31, 33, 1000};

static void softmax_rows(void **state)
{
    (void)state;
    for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
        size_t c = lengths[l], rows = 3, n = rows * c;
        float *x = normals(n, 3), *y = normals(n + 8, 1), *dy = normals(n, 1), *dx = normals(n + 8, 1);
        x[0] = 500, x[c > 1 ? 1 : 0] = 499;
        y[n] = dx[n] = 77;
        softmax_forward(x, rows, c, y);
        softmax_backward(y, dy, rows, c, dx);
        assert_true(y[n] == 77 && dx[n] == 77);
        for (size_t r = 0; r < rows; r++) {
            double top = -1e300, sum = 0, mix = 0;
            for (size_t j = 0; j < c; j++) top = fmax(top, (double)x[r * c + j]);
            for (size_t j = 0; j < c; j++) sum += exp((double)x[r * c + j] - top);
            for (size_t j = 0; j < c; j++) mix += exp((double)x[r * c + j] - top) / sum * (double)dy[r * c + j];
            for (size_t j = 0; j < c; j++) {
                double d = (double)x[r * c + j] - top, p = exp(d) / sum;
                assert_close((double)y[r * c + j], p, (6e-7 - 6e-8 * d) * p + 1e-30);
                assert_close((double)dx[r * c + j], p * ((double)dy[r * c + j] - mix), 1e-6);
            }
        }
        softmax_forward(x, rows, c, x); /* in place */
        assert_memory_equal(x, y, n * sizeof *x);
        free(x), free(y), free(dy), free(dx);
    }
}

static void softmax_odd_values(void **state)
{
    (void)state;
    float x[4] = {-INFINITY, 0, -INFINITY, 0}, y[4];
    softmax_forward(x, 1, 4, y);
    assert_true(y[0] == 0 && y[1] == 0.5f && y[2] == 0 && y[3] == 0.5f);
    x[1] = x[3] = -INFINITY;
    softmax_forward(x, 1, 4, y);
    for (int i = 0; i < 4; i++) assert_true(y[i] == 0);
    x[2] = NAN;
    softmax_forward(x, 1, 4, y);
    assert_true(isnan(y[2]));
    x[0] = 1;
    softmax_forward(x, 1, 4, y);
    for (int i = 0; i < 4; i++) assert_true(isnan(y[i]));
    x[0] = INFINITY, x[2] = 0;
    softmax_forward(x, 1, 4, y);
    assert_true(isnan(y[0]));
}

/* y of layer normalisation in double. */
static void norm_double(const double *x, const float *w, const float *b, size_t rows, size_t c, double eps, double *y)
{
    for (size_t r = 0; r < rows; r++) {
        double m = 0, v = 0;
        for (size_t j = 0; j < c; j++) m += x[r * c + j] / (double)c;
        for (size_t j = 0; j < c; j++) v += (x[r * c + j] - m) * (x[r * c + j] - m) / (double)c;
        for (size_t j = 0; j < c; j++)
            y[r * c + j] = (x[r * c + j] - m) / sqrt(v + eps) * (w ? (double)w[j] : 1) + (b ? (double)b[j] : 0);
    }
}

static void layernorm_rows(void **state)
{
    (void)state;
    const double eps = 1e-5;
    for (size_t l = 1; l < sizeof lengths / sizeof *lengths; l++) {
        size_t c = lengths[l], rows = 2, n = rows * c;
        float *x = normals(n, 2), *w = normals(c, 1), *b = normals(c, 1), *y = normals(n + 1, 1), stat[4];
        float *dy = normals(n, 1), *dx = normals(n + 1, 1), *dw = calloc(c, sizeof *dw), *db = calloc(c, sizeof *db);
        double *xd = malloc(n * sizeof *xd), *yd = malloc(n * sizeof *yd);
        for (size_t i = 0; i < n; i++) x[i] += 100, xd[i] = (double)x[i]; /* a mean far from 0 */
        y[n] = dx[n] = 77;
        dw[0] = 1; /* added to, not written */
        layernorm_forward(x, rows, c, w, b, eps, y, stat);
        layernorm_backward(x, stat, w, dy, rows, c, dx, dw, db);
        assert_true(y[n] == 77 && dx[n] == 77);
        norm_double(xd, w, b, rows, c, eps, yd);
        for (size_t i = 0; i < n; i++) assert_close((double)y[i], yd[i], 2e-5);
        for (size_t i = 0; i < n; i += 1 + n / 20) { /* central differences of sum y dy */
            double h = 1e-5, up = 0, down = 0, old = xd[i];
            xd[i] = old + h;
            norm_double(xd, w, b, rows, c, eps, yd);
            for (size_t k = 0; k < n; k++) up += yd[k] * (double)dy[k];
            xd[i] = old - h;
            norm_double(xd, w, b, rows, c, eps, yd);
            for (size_t k = 0; k < n; k++) down += yd[k] * (double)dy[k];
            xd[i] = old;
            assert_close((double)dx[i], (up - down) / (2 * h), 3e-5);
        }
        norm_double(xd, NULL, NULL, rows, c, eps, yd);
        for (size_t j = 0; j < c; j++) {
            double want = j ? 0 : 1, wantb = 0;
            for (size_t r = 0; r < rows; r++) {
                want += yd[r * c + j] * (double)dy[r * c + j];
                wantb += (double)dy[r * c + j];
            }
            assert_close((double)dw[j], want, 3e-5);
            assert_close((double)db[j], wantb, 1e-6);
        }
        layernorm_forward(x, rows, c, NULL, NULL, eps, y, NULL);
        for (size_t i = 0; i < n; i++) assert_close((double)y[i], yd[i], 2e-5);
        free(x), free(w), free(b), free(y), free(dy), free(dx), free(dw), free(db), free(xd), free(yd);
    }
}

/* The layer in double; in: x, in_w, in_b, out_w, out_b one after the other. y (T,C). */
static void attention_double(const attention_t *a, const double *in, double *y)
{
    size_t t = a->tokens, c = a->width, w = c / a->heads, keys = a->keys ? a->keys : t;
    const double *x = in, *iw = x + t * c, *ib = iw + 3 * c * c, *ow = ib + 3 * c, *ob = ow + c * c;
    double *qkv = malloc(t * 3 * c * sizeof *qkv), *ctx = calloc(t * c, sizeof *ctx), *p = malloc(t * sizeof *p);
    for (size_t i = 0; i < t; i++)
        for (size_t j = 0; j < 3 * c; j++) {
            double s = ib[j];
            for (size_t k = 0; k < c; k++) s += x[i * c + k] * iw[j * c + k];
            qkv[i * 3 * c + j] = s;
        }
    for (size_t h = 0; h < a->heads; h++)
        for (size_t i = 0; i < t; i++) {
            double sum = 0;
            for (size_t u = 0; u < keys; u++) {
                double s = 0;
                for (size_t k = 0; k < w; k++) s += qkv[i * 3 * c + h * w + k] * qkv[u * 3 * c + c + h * w + k];
                p[u] = exp(s / sqrt((double)w) + (a->bias ? (double)a->bias[(h * t + i) * t + u] : 0));
                sum += p[u];
            }
            for (size_t u = 0; u < keys; u++)
                for (size_t k = 0; k < w; k++) ctx[i * c + h * w + k] += p[u] / sum * qkv[u * 3 * c + 2 * c + h * w + k];
        }
    for (size_t i = 0; i < t; i++)
        for (size_t j = 0; j < c; j++) {
            y[i * c + j] = ob[j];
            for (size_t k = 0; k < c; k++) y[i * c + j] += ctx[i * c + k] * ow[j * c + k];
        }
    free(qkv), free(ctx), free(p);
}

static void attention_case(attention_t a)
{
    size_t t = a.tokens, c = a.width, n = t * c, sizes[5] = {n, 3 * c * c, 3 * c, c * c, c}, at[6] = {0};
    for (int i = 0; i < 5; i++) at[i + 1] = at[i] + sizes[i];
    float *in = normals(at[5], 0.6), *y = normals(n + 1, 1), *y2 = normals(n, 1), *dy = normals(n, 1);
    float *grad = calloc(at[5] + 1, sizeof *grad), *saved = normals(attention_saved(&a) + 1, 1);
    size_t nwork = attention_work(&a, 1), ninfer = attention_work(&a, 0);
    float *work = normals(nwork + 1, 1), *lean = normals(ninfer + 1, 1);
    double *ind = malloc(at[5] * sizeof *ind), *yd = malloc(n * sizeof *yd);
    attparams_t w = {in + at[1], in + at[2], in + at[3], in + at[4]};
    attgrads_t g = {grad + at[1], grad + at[2], grad + at[3], grad + at[4]};
    for (size_t i = 0; i < at[5]; i++) ind[i] = (double)in[i];
    grad[at[1]] = 1; /* added to */
    y[n] = work[nwork] = lean[ninfer] = saved[attention_saved(&a)] = grad[at[5]] = 77;
    attention_forward(&a, &w, in, y, saved, work);
    attention_forward(&a, &w, in, y2, NULL, lean);
    attention_double(&a, ind, yd);
    for (size_t i = 0; i < n; i++) {
        assert_close((double)y[i], yd[i], 1e-4);
        assert_close((double)y2[i], yd[i], 1e-4);
    }
    attention_backward(&a, &w, in, saved, dy, grad, &g, work);
    assert_true(y[n] == 77 && work[nwork] == 77 && lean[ninfer] == 77 && grad[at[5]] == 77);
    assert_true(saved[attention_saved(&a)] == 77);
    grad[at[1]] -= 1;
    for (size_t i = 0; i < at[5]; i += 1 + at[5] / 150) {
        double h = 1e-4, up = 0, down = 0, old = ind[i];
        ind[i] = old + h;
        attention_double(&a, ind, yd);
        for (size_t k = 0; k < n; k++) up += yd[k] * (double)dy[k];
        ind[i] = old - h;
        attention_double(&a, ind, yd);
        for (size_t k = 0; k < n; k++) down += yd[k] * (double)dy[k];
        ind[i] = old;
        double want = (up - down) / (2 * h);
        assert_close((double)grad[i], want, 2e-4 + 2e-5 * fabs(want));
    }
    free(in), free(y), free(y2), free(dy), free(grad), free(saved), free(work), free(lean), free(ind), free(yd);
}

static void attention_layer(void **state)
{
    (void)state;
    attention_case((attention_t){.tokens = 1, .width = 4, .heads = 1});
    attention_case((attention_t){.tokens = 9, .width = 12, .heads = 3});
    attention_case((attention_t){.tokens = 70, .width = 8, .heads = 2}); /* more than one block of queries */
    attention_case((attention_t){.tokens = 11, .width = 12, .heads = 4, .keys = 6});
    float *bias = normals(2 * 13 * 13, 1);
    attention_case((attention_t){.tokens = 13, .width = 6, .heads = 2, .keys = 12, .bias = bias});
    free(bias);
    bias = normals(2 * 70 * 70, 1);
    attention_case((attention_t){.tokens = 70, .width = 4, .heads = 2, .bias = bias});
    free(bias);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(softmax_rows),
        cmocka_unit_test(softmax_odd_values),
        cmocka_unit_test(layernorm_rows),
        cmocka_unit_test(attention_layer),
    };
    rng_seed(&rng, 20260301);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
