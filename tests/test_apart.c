/* test_apart: a fork that answers, refuses, crashes. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "mrc/apart.h"

enum { SUM, REFUSE, CRASH, LEAVE, FILL };

static int serve(void *ctx, const size_t ask[2], void *shared, size_t room, err_t *err)
{
    int *seen = ctx;
    ++*seen;
    switch (ask[0]) {
    case SUM: *(size_t *)shared = ask[1] + (size_t)*seen; return 0;
    case REFUSE: return err_set(err, ERR_UNSUP, "not %zu", ask[1]);
    case CRASH: return raise(SIGSEGV);
    case LEAVE: _exit(0);
    default: memset(shared, (int)ask[1], room); return 0;
    }
}

static int ask(apart_t *a, size_t what, size_t x, size_t room, err_t *err) { return apart_ask(a, (const size_t[2]){what, x}, room, "x: the reader", err); }

static void answers(void **state)
{
    apart_t a = APART_NONE;
    err_t err = {0};
    int seen = 0;
    (void)state;
    assert_int_equal(apart_start(&a, serve, &seen, &err), 0);
    for (size_t k = 1; k <= 3; k++) { /* it remembers, and we do not see it */
        assert_int_equal(ask(&a, SUM, 10 * k, sizeof(size_t), &err), 0);
        assert_int_equal(*(size_t *)a.shared, 11 * k);
        assert_int_equal(seen, 0);
    }
    const size_t room[] = {100, 5 << 20, 3, 9 << 20};
    for (size_t k = 0; k < 4; k++) {
        assert_int_equal(ask(&a, FILL, k, room[k], &err), 0);
        for (size_t i = 0; i < room[k]; i++) assert_true(((unsigned char *)a.shared)[i] == k);
    }
    apart_end(&a);
    apart_end(&a);
    assert_int_equal(a.pid, 0);
}

static void errors(void **state)
{
    static const struct {
        size_t ask;
        errcode_t code;
        const char *says;
    } rows[] = {{REFUSE, ERR_UNSUP, "not 7"}, {CRASH, ERR_FORMAT, "x: the reader crashed (signal 11): damaged"}, {LEAVE, ERR_FORMAT, "x: the reader crashed: damaged"}};
    (void)state;
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        apart_t a = APART_NONE;
        err_t err = {0}, again = {0};
        int seen = 0;
        assert_int_equal(apart_start(&a, serve, &seen, &err), 0);
        assert_int_equal(ask(&a, rows[k].ask, 7, 64, &err), -1);
        assert_int_equal(err.code, rows[k].code);
        assert_string_equal(err.msg, rows[k].says);
        assert_int_equal(ask(&a, SUM, 7, 64, &again), k ? -1 : 0);
        apart_end(&a);
    }
}

static void two_at_once(void **state)
{
    apart_t a = APART_NONE, b = APART_NONE;
    err_t err = {0};
    int seen = 0;
    (void)state;
    assert_int_equal(apart_start(&a, serve, &seen, &err), 0);
    assert_int_equal(apart_start(&b, serve, &seen, &err), 0);
    assert_int_equal(ask(&a, CRASH, 0, 64, &err), -1);
    err = (err_t){0};
    assert_int_equal(ask(&b, SUM, 1, 64, &err), 0);
    apart_end(&a);
    assert_int_equal(ask(&b, SUM, 1, 64, &err), 0);
    apart_end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(answers), cmocka_unit_test(errors), cmocka_unit_test(two_at_once)};
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
