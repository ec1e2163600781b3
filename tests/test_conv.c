/* test_conv: convolution. */
#include "tests/test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "nn/conv.h"

/* A 1-dimensional case worked by hand: x = 1 2 3 4, w = 1 10 100, pad 1. */
static void by_hand(void **state)
{
    (void)state;
    convshape_t s = {.ci = 1, .co = 1, .side = 3, .stride = 1, .pad = 1, .in = {1, 1, 4}};
    float w[27] = {0}, x[4] = {1, 2, 3, 4}, y[4], dx[4], dw[27] = {0}, acc[27] = {0}, dy[4] = {1, 0, 0, 2}, bias = 5;
    w[12] = 1, w[13] = 10, w[14] = 100; /* the middle row */
    conv_t *c = conv_new(&s, ISA_REF, CONV_AUTO, NULL);
    assert_non_null(c);
    assert_int_equal(conv_packed(c), 27);
    epilogue_t e = {.bias = &bias};
    conv_forward(c, w, 1, x, 4, y, 4, 0, 1, &e, NULL);
    float want[4] = {215, 326, 437, 48};
    for (int i = 0; i < 4; i++) assert_close(y[i], want[i], 0);
    conv_grad_data(c, w, 1, dy, 4, dx, 4, 0, NULL);
    float back[4] = {10, 100, 2, 20}; /* transpose of the matrix of w */
    for (int i = 0; i < 4; i++) assert_close(dx[i], back[i], 0);
    conv_grad_weight(c, 1, x, 4, dy, 4, acc, NULL);
    conv_grad_weight_end(c, acc, dw, NULL);
    assert_close(dw[12], 0 + 2 * 3, 0);
    assert_close(dw[13], 1 + 2 * 4, 0);
    assert_close(dw[14], 2 + 2 * 0, 0);
    assert_close(dw[0], 0, 0);
    conv_free(c);
}

static void blocked_there_and_back(void **state)
{
    (void)state;
    size_t extent[3] = {2, 3, 5};
    for (int isa = 0; isa < ISA_COUNT; isa++)
        for (size_t c = 1; c < 36; c++) {
            size_t n = blocked_size((isa_t)isa, c, extent), b = c == 1 ? 1 : isa_block((isa_t)isa);
            assert_int_equal(n, (c + b - 1) / b * b * 30);
            float *p = mem_new(c * 30, sizeof *p, NULL), *q = mem_new(c * 30 + 1, sizeof *q, NULL);
            float *v = mem_new(n + 1, sizeof *v, NULL);
            for (size_t i = 0; i < c * 30; i++) p[i] = (float)(i + 1);
            v[n] = q[c * 30] = -7;
            blocked_pack((isa_t)isa, p, c, extent, v);
            blocked_unpack((isa_t)isa, v, c, extent, q);
            assert_memory_equal(p, q, c * 30 * sizeof *p);
            assert_close(v[n], -7, 0);
            assert_close(q[c * 30], -7, 0);
            double sum = 0;
            for (size_t i = 0; i < n; i++) sum += (double)v[i];
            assert_close(sum, (double)(c * 30) * (double)(c * 30 + 1) / 2, 0); /* the channels past C are zero */
            assert_close(v[(c - 1) / b * b * 30 + 7 * b + (c - 1) % b], (double)((c - 1) * 30 + 8), 0);
            mem_free(p);
            mem_free(q);
            mem_free(v);
        }
}

typedef struct {
    convshape_t s;
    errcode_t code;
} bad_t;

static void shapes_are_checked(void **state)
{
    (void)state;
    static const bad_t bad[] = {
        {{0, 1, 3, 1, 1, {4, 4, 4}}, ERR_RANGE}, {{1, 0, 3, 1, 1, {4, 4, 4}}, ERR_RANGE},
        {{1, 1, 2, 1, 1, {4, 4, 4}}, ERR_RANGE}, {{1, 1, 3, 3, 1, {4, 4, 4}}, ERR_RANGE},
        {{1, 1, 3, 0, 1, {4, 4, 4}}, ERR_RANGE}, {{1, 1, 3, 1, 2, {4, 4, 4}}, ERR_RANGE},
        {{1, 1, 3, 1, 0, {4, 2, 4}}, ERR_RANGE}, {{1, 1, 5, 1, 1, {3, 3, 2}}, ERR_RANGE},
        {{1, 1, 1, 1, 0, {0, 3, 2}}, ERR_RANGE}, {{64, 1, 1, 1, 0, {1024, 1024, 1024}}, ERR_RANGE},
        {{SIZE_MAX, 2, 1, 1, 0, {1, 1, 1}}, ERR_RANGE}, {{1, 1, 1, 1, 0, {1, 1, SIZE_MAX}}, ERR_RANGE},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        err_t err = {0};
        assert_null(conv_new(&bad[i].s, ISA_REF, CONV_AUTO, &err));
        assert_int_equal(err.code, bad[i].code);
    }
    conv_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),
        cmocka_unit_test(blocked_there_and_back),
        cmocka_unit_test(shapes_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
