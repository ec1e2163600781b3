/* matmul: every kernel against sums in double; the same bytes for any rows beside it and any threads. */
#include "config.h"

#include "tests/test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "nn/matmul_kern.h"

static void fill(float *p, size_t n, rng_t *r)
{
    for (size_t i = 0; i < n; i++) p[i] = (float)(2 * rng_unit(r) - 1);
}

static double want(const matmul_t *m, size_t t, size_t n)
{
    double s = 0;
    for (size_t k = 0; k < m->in; k++)
        s += (double)m->x[t * m->ldx + k] * (double)(m->across ? m->w[k * m->ldw + n] : m->w[n * m->ldw + k]);
    s *= (double)m->scale;
    if (m->bias) s += (double)m->bias[n];
    if (m->act == ACT_GELU) s = 0.5 * s * erfc(-s * sqrt(0.5));
    if (m->act == ACT_RELU && s < 0) s = 0;
    if (m->act == ACT_SILU) s = s / (1 + exp(-s));
    return m->add ? s + (double)m->add[(ptrdiff_t)t * m->ldadd + (ptrdiff_t)n] : s;
}

enum { GUARD = 5 };

/* One product by kernel `isa`, with guards past each row of y; odd offsets, so that nothing is aligned by chance. */
static void try_one(isa_t isa, size_t rows, size_t in, size_t out, bool across, unsigned with, rng_t *r)
{
    size_t ldx = in + 3, ldw = (across ? out : in) + 1, ldy = out + GUARD, nw = (across ? in : out) * ldw, add = rows + out;
    float *x = malloc((rows * ldx + 1) * 4), *w = malloc((nw + 1) * 4), *y = malloc((rows * ldy + 1) * 4), *bias = malloc(out * 4 + 4);
    float *side = malloc(add * 4), *one = malloc(ldy * 4);
    fill(x, rows * ldx + 1, r);
    fill(w, nw + 1, r);
    fill(bias, out, r);
    fill(side, add, r);
    for (size_t i = 0; i < rows * ldy + 1; i++) y[i] = 77;
    matmul_t m = {.rows = rows, .in = in, .out = out, .x = x + 1, .w = w + 1, .y = y + 1, .ldx = ldx, .ldw = ldw, .ldy = ldy,
                  .across = across, .scale = with & 1 ? 0.25f : 1, .bias = with & 2 ? bias : NULL, .act = (act_t)(with >> 2 & 3),
                  .add = with & 16 ? side + rows - 1 : NULL, .ldadd = -1};
    matmul(&m, isa, 1);
    for (size_t t = 0; t < rows; t++) {
        for (size_t n = 0; n < out; n++) assert_close((double)m.y[t * ldy + n], want(&m, t, n), 2e-6 * (1 + sqrt((double)in)));
        for (size_t n = out; n < out + GUARD - (t + 1 == rows); n++) assert_true(m.y[t * ldy + n] == 77);
    }
    /* row by row, and shared by threads: equal bytes */
    for (size_t t = 0; t < rows; t++) {
        matmul_t l = m;
        l.rows = 1, l.x = m.x + t * ldx, l.y = one;
        if (m.add) l.add = m.add - t;
        matmul(&l, isa, 1);
        assert_memory_equal(one, m.y + t * ldy, out * sizeof(float));
    }
    float *again = malloc((rows * ldy + 1) * 4);
    memcpy(again, y, (rows * ldy + 1) * 4);
    for (size_t t = 0; t < rows; t++) memset(m.y + t * ldy, 0xff, out * sizeof(float));
    matmul(&m, isa, 3);
    assert_memory_equal(again, y, (rows * ldy + 1) * 4);
    free(again);
    free(x), free(w), free(y), free(bias), free(side), free(one);
}

static void all_kernels(void **state)
{
    static const size_t rows[] = {1, 2, 5, 6, 7, 13, 31}, in[] = {1, 7, 8, 33, 256, 257, 600}, out[] = {1, 7, 8, 16, 17, 31, 32, 33, 150};
    rng_t r;
    (void)state;
    rng_seed(&r, 7);
    for (int isa = 0; isa < ISA_COUNT; isa++) {
        if (!isa_runs((isa_t)isa)) continue;
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
            for (size_t k = 0; k < sizeof in / sizeof *in; k++)
                for (size_t n = 0; n < sizeof out / sizeof *out; n++)
                    try_one((isa_t)isa, rows[i], in[k], out[n], (i + k + n) & 1, (unsigned)(rng_next(&r) & 31), &r);
    }
}

#ifdef HAVE_AVX2
/* The kernel of AVX-512, vectors of 16 floats, made up of AVX2's: each step against plain C's. */
extern const matmul_kern_t matmul_kern_wide;

static void wide_kernel(void **state)
{
    const matmul_kern_t *k = &matmul_kern_wide;
    enum { ROWS = 29, DEPTH = 70, LD = DEPTH + 1, GUARD_AT = ROWS * MATMUL_WIDE };
    static float x[ROWS * LD], w[MATMUL_WIDE * LD], b[DEPTH * MATMUL_WIDE] __attribute__((aligned(MEM_ALIGN))), y[GUARD_AT + 1];
    rng_t r;
    (void)state;
    if (!isa_runs(ISA_AVX2)) return;
    rng_seed(&r, 8);
    fill(x, sizeof x / sizeof *x, &r);
    fill(w, sizeof w / sizeof *w, &r);
    assert_int_equal(k->wide, MATMUL_WIDE);
    for (size_t cols = 1; cols <= MATMUL_WIDE; cols++)
        for (size_t rows = 1; rows <= ROWS; rows += 4) {
            for (size_t i = 0; i <= GUARD_AT; i++) y[i] = 0.5f;
            k->pack(w, LD, false, cols, DEPTH, b);
            k->product(x, LD, b, rows, cols, DEPTH, true, y, cols);
            for (size_t t = 0; t < rows; t++)
                for (size_t n = 0; n < cols; n++) {
                    double s = 0.5;
                    for (size_t i = 0; i < DEPTH; i++) s += (double)x[t * LD + i] * (double)w[n * LD + i];
                    assert_close((double)y[t * cols + n], s, 2e-5);
                }
            for (size_t i = rows * cols; i <= GUARD_AT; i++) assert_true(y[i] == 0.5f);
        }
}
#endif

static void nan_stays(void **state)
{
    float x[3] = {1, NAN, 2}, w[3] = {1, 1, 1}, y = 0;
    (void)state;
    for (int isa = 0; isa < ISA_COUNT; isa++)
        for (int act = 0; act < ACT_COUNT; act++) {
            if (!isa_runs((isa_t)isa)) continue;
            matmul_t m = {.rows = 1, .in = 3, .out = 1, .x = x, .w = w, .y = &y, .ldx = 3, .ldw = 3, .ldy = 1, .scale = 1, .act = (act_t)act};
            matmul(&m, (isa_t)isa, 1);
            assert_true(isnan(y));
        }
}

static void gelu_is_near(void **state)
{
    (void)state;
    double worst = 0;
    for (double x = -20; x < 20; x += 1e-3) {
        float f = (float)x, y;
        act_forward(ACT_GELU, &f, 1, &y);
        double e = fabs((double)y - 0.5 * (double)f * erfc(-(double)f * sqrt(0.5))) - 6e-8 * fabs(x); /* less the rounding */
        if (!(e <= worst)) worst = e;
    }
    assert_close(worst, 0, 1e-7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_kernels),
#ifdef HAVE_AVX2
        cmocka_unit_test(wide_kernel),
#endif
        cmocka_unit_test(nan_stays),
        cmocka_unit_test(gelu_is_near),
    };
    return cmocka_run_group_tests_name("matmul", tests, NULL, NULL);
}
