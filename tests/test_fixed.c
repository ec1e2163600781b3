/* fixed: every kernel against sums in double, within what rounding to 16 bits can do; the same bytes for any rows beside it and
 * any threads; the sums of plain C. */
#include "config.h"

#include "tests/test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/threads.h"
#include "nn/fixed_kern.h"

static void fill(float *p, size_t n, rng_t *r)
{
    for (size_t i = 0; i < n; i++) p[i] = (float)(2 * rng_unit(r) - 1);
}

static double norm(const float *x, size_t n)
{
    double s = 0;
    for (size_t k = 0; k < n; k++) s += (double)x[k] * (double)x[k];
    return sqrt(s);
}

/* Half a step of every number of either row, next to the other row: the most that the sum can be off. */
static double bound(const float *x, const float *w, size_t in)
{
    double a = norm(x, in), b = norm(w, in), each = 0.5 * sqrt((double)in) * 1.01;
    double step_a = fmax(a / (FIXED_NORM - each), 1 / FIXED_TOP), step_b = fmax(b / (FIXED_NORM - each), 1 / FIXED_TOP);
    return each * (step_a * b + step_b * a + step_a * step_b * each) + 1e-6 * (1 + a * b);
}

static double want(const fixedmul_t *m, const float *x, const float *w, size_t n, const float *add)
{
    double s = 0;
    for (size_t k = 0; k < m->w->in; k++) s += (double)x[k] * (double)w[k];
    if (m->bias) s += (double)m->bias[n];
    if (m->act == ACT_GELU) s = 0.5 * s * erfc(-s * sqrt(0.5));
    if (m->act == ACT_RELU && s < 0) s = 0;
    if (m->act == ACT_SILU) s = s / (1 + exp(-s));
    return add ? s + (double)*add : s;
}

enum { GUARD = 5 };

/* One product by kernel `isa`, with guards past each row of y; odd offsets, so that nothing is aligned by chance. */
static void try_one(isa_t isa, size_t rows, size_t in, size_t out, unsigned with, rng_t *r)
{
    size_t ldx = in + 3, ldw = in + 1, ldq = fixed_even(in) + 3, ldy = out + GUARD;
    float *x = malloc((rows * ldx + 1) * 4), *w = malloc((out * ldw + 1) * 4), *y = malloc((rows * ldy + 1) * 4);
    float *bias = malloc(out * 4), *side = malloc(rows * out * 4), *one = malloc(ldy * 4), *scale = malloc(rows * 4);
    int16_t *q = malloc((rows * ldq + 1) * 2);
    fixed_t f;
    err_t err = {0};
    fill(x, rows * ldx + 1, r);
    fill(w, out * ldw + 1, r);
    fill(bias, out, r);
    fill(side, rows * out, r);
    for (size_t i = 0; i < rows * ldy + 1; i++) y[i] = 77;
    for (size_t i = 0; i < rows * ldq + 1; i++) q[i] = 77;
    assert_int_equal(fixed_pack(&f, w + 1, ldw, in, out, &err), 0);
    fixed_rows(x + 1, ldx, rows, in, q + 1, ldq, scale, isa);
    for (size_t t = 0; t < rows; t++)
        for (size_t k = in; k < ldq - 1; k++) assert_int_equal(q[1 + t * ldq + k], k < fixed_even(in) ? 0 : 77);
    fixedmul_t m = {.rows = rows, .x = q + 1, .xscale = scale, .w = &f, .y = y + 1, .ldx = ldq, .ldy = ldy,
                    .bias = with & 1 ? bias : NULL, .act = (act_t)(with >> 1 & 3), .add = with & 8 ? side : NULL, .ldadd = out};
    fixed_product(&m, isa, 1);
    for (size_t t = 0; t < rows; t++) {
        const float *p = x + 1 + t * ldx;
        for (size_t n = 0; n < out; n++)
            assert_close((double)m.y[t * ldy + n], want(&m, p, w + 1 + n * ldw, n, m.add ? side + t * out + n : NULL),
                         1.2 * bound(p, w + 1 + n * ldw, in)); /* GELU has slopes up to 1.13 */
        for (size_t n = out; n < out + GUARD - (t + 1 == rows); n++) assert_true(m.y[t * ldy + n] == 77);
    }
    /* row by row, and shared by threads: equal bytes */
    for (size_t t = 0; t < rows; t++) {
        fixedmul_t l = m;
        l.rows = 1, l.x = m.x + t * ldq, l.xscale = scale + t, l.y = one;
        if (m.add) l.add = m.add + t * out;
        fixed_product(&l, isa, 1);
        assert_memory_equal(one, m.y + t * ldy, out * sizeof(float));
    }
    float *again = malloc((rows * ldy + 1) * 4);
    memcpy(again, y, (rows * ldy + 1) * 4);
    for (size_t t = 0; t < rows; t++) memset(m.y + t * ldy, 0xff, out * sizeof(float));
    fixed_product(&m, isa, 3);
    assert_memory_equal(again, y, (rows * ldy + 1) * 4);
    fixed_free(&f);
    free(again), free(x), free(w), free(y), free(bias), free(side), free(one), free(scale), free(q);
}

static void all_kernels(void **state)
{
    static const size_t rows[] = {1, 5, 6, 13, 31}, in[] = {1, 2, 7, 33, 512, 513, 1100}, out[] = {1, 8, 15, 16, 17, 150};
    rng_t r;
    (void)state;
    rng_seed(&r, 7);
    for (int isa = 0; isa < ISA_COUNT; isa++) {
        if (!isa_runs((isa_t)isa)) continue;
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
            for (size_t k = 0; k < sizeof in / sizeof *in; k++)
                for (size_t n = 0; n < sizeof out / sizeof *out; n++)
                    try_one((isa_t)isa, rows[i], in[k], out[n], (unsigned)(rng_next(&r) & 15), &r);
    }
}

/* The worst rows for int32: equal, all of one sign, of any length, some with one large number. A sum that left it would
 * change its sign. */
static void no_overflow(void **state)
{
    static float x[9001];
    static int16_t q[9002];
    (void)state;
    for (int isa = 0; isa < ISA_COUNT; isa++) {
        if (!isa_runs((isa_t)isa)) continue;
        for (size_t in = 1; in <= 9001; in += in < 20 ? 1 : in / 3)
            for (int kind = 0; kind < 6; kind++) {
                static const float of[] = {0.7f, 1e-30f, 3e37f, 1.5f, 1e-19f, 2e19f};
                for (size_t k = 0; k < in; k++) x[k] = of[kind] * (kind == 3 ? (float)k / (float)in + 0.1f : 1);
                if (kind == 3) x[in / 2] = 40;
                fixed_t f;
                float scale, y;
                err_t err = {0};
                int64_t square = 0;
                assert_int_equal(fixed_pack(&f, x, in, in, 1, &err), 0);
                fixed_rows(x, in, 1, in, q, fixed_even(in), &scale, (isa_t)isa);
                for (size_t k = 0; k < in; k++) square += (int64_t)q[k] * q[k];
                assert_true(square < INT32_MAX && square > INT32_MAX / 3);
                fixedmul_t m = {.rows = 1, .x = q, .xscale = &scale, .w = &f, .y = &y, .ldx = 0, .ldy = 1};
                f.scale[0] = scale = 1;
                fixed_product(&m, (isa_t)isa, 1);
                assert_true(y > (float)(INT32_MAX / 3));
                fixed_free(&f);
            }
    }
}

static void odd_rows(void **state)
{
    (void)state;
    for (int isa = 0; isa < ISA_COUNT; isa++) {
        static const float bad[] = {NAN, INFINITY, -INFINITY};
        if (!isa_runs((isa_t)isa)) continue;
        for (int i = 0; i < 4; i++)
            for (int weight = 0; weight < 2; weight++)
                for (int act = 0; act < ACT_COUNT; act++) {
                    float x[3] = {1, 2, 3}, w[3] = {1, 1, 1}, scale, y = 7, *p = weight ? w : x;
                    int16_t q[4];
                    fixed_t f;
                    err_t err = {0};
                    if (i < 3)
                        p[1] = bad[i];
                    else
                        p[0] = p[1] = p[2] = 0;
                    assert_int_equal(fixed_pack(&f, w, 3, 3, 1, &err), 0);
                    fixed_rows(x, 3, 1, 3, q, 4, &scale, (isa_t)isa);
                    fixedmul_t m = {.rows = 1, .x = q, .xscale = &scale, .w = &f, .y = &y, .ldx = 4, .ldy = 1, .act = (act_t)act};
                    fixed_product(&m, (isa_t)isa, 1);
                    if (i < 3)
                        assert_true(isnan(y));
                    else
                        assert_true(y == 0);
                    fixed_free(&f);
                }
    }
}

/* The sums are integers: all sets of kernels give the same. */
static void one_sum(void **state)
{
    enum { IN = 1030, OUT = 37 };
    static float x[IN], w[OUT * IN], y[ISA_COUNT][OUT];
    static int16_t q[IN];
    rng_t r;
    (void)state;
    rng_seed(&r, 9);
    fill(x, IN, &r);
    fill(w, OUT * IN, &r);
    fixed_t f;
    err_t err = {0};
    float scale;
    assert_int_equal(fixed_pack(&f, w, IN, IN, OUT, &err), 0);
    fixed_rows(x, IN, 1, IN, q, IN, &scale, ISA_REF);
    for (int isa = 0; isa < ISA_COUNT; isa++) {
        if (!isa_runs((isa_t)isa)) continue;
        fixedmul_t m = {.rows = 1, .x = q, .xscale = &scale, .w = &f, .y = y[isa], .ldx = IN, .ldy = OUT};
        fixed_product(&m, (isa_t)isa, 1);
        assert_memory_equal(y[isa], y[ISA_REF], sizeof y[isa]);
    }
    fixed_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_kernels),
        cmocka_unit_test(no_overflow),
        cmocka_unit_test(odd_rows),
        cmocka_unit_test(one_sum),
    };
    return cmocka_run_group_tests_name("fixed", tests, NULL, NULL);
}
