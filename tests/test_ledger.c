/* The ledger of a sweep, and what its processes say to one another. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "pipeline/ledger.h"
#include "pipeline/sweep_msg.h"
#include "pipeline/sweep_plan.h"

static char dir[64], file[128];

static int setup(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/ledger_XXXXXX");
    if (!mkdtemp(dir)) return -1;
    snprintf(file, sizeof file, "%s/" LEDGER_FILE, dir);
    return 0;
}

static int teardown(void **state)
{
    static const char *const tail[] = {"", "-wal", "-shm", "-journal"};
    char path[160];
    (void)state;
    for (size_t i = 0; i < sizeof tail / sizeof *tail; i++) {
        snprintf(path, sizeof path, "%s%s", file, tail[i]);
        unlink(path);
    }
    return rmdir(dir);
}

static result_t made(double rg)
{
    result_t r = {.state = LEDGER_DONE, .json = mem_str("{\"a\":1}", NULL), .tsv = mem_str("a\tb", NULL), .rg = rg, .z = mem_new(3, sizeof(float), NULL), .d = 3,
                  .seconds = {1, 2, 3}, .bytes = 10, .voxels = (uint64_t)1 << 40};
    for (int i = 0; i < 3; i++) r.z[i] = (float)i;
    return r;
}

static ledger_t *opened(void)
{
    err_t e = {0};
    ledger_t *l = ledger_open(dir, false, 0, &e);
    if (!l) fail_msg("%s", e.msg);
    return l;
}

static void keeps(void **state)
{
    ledger_t *l = opened();
    ledgeritem_t a, b;
    ledgerrow_t row;
    result_t r = made(30);
    (void)state;
    assert_int_equal(ledger_begin(l, NULL), 0);
    assert_int_equal(ledger_place(l, 1, "x", "p", &a, NULL), 0);
    assert_int_equal(ledger_place(l, 0, "x", "q", &b, NULL), 0);
    assert_int_equal(a.state, LEDGER_PENDING);
    assert_string_equal(a.sig, "");
    assert_int_equal(ledger_put(l, a.row, "0123456789abcdef", &r, NULL), 0);
    assert_int_equal(ledger_commit(l, NULL), 0);
    ledger_close(l);

    l = opened();
    assert_int_equal(ledger_begin(l, NULL), 0);
    assert_int_equal(ledger_clear(l, NULL), 0);
    assert_int_equal(ledger_place(l, 5, "x", "p", &b, NULL), 0); /* known; the other is no longer in the manifest */
    assert_int_equal(b.row, a.row);
    assert_int_equal(b.state, LEDGER_DONE);
    assert_int_equal(b.attempts, 1);
    assert_string_equal(b.sig, "0123456789abcdef");
    assert_int_equal(ledger_commit(l, NULL), 0);
    assert_int_equal(ledger_walk(l, true, NULL), 0);
    assert_int_equal(ledger_step(l, &row, NULL), 1);
    assert_int_equal(row.n, 5);
    assert_string_equal(row.path, "p");
    assert_string_equal(row.r.json, r.json);
    assert_string_equal(row.r.tsv, r.tsv);
    assert_int_equal(row.r.d, 3);
    assert_memory_equal(row.r.z, r.z, 3 * sizeof(float));
    assert_true(row.r.rg == 30 && row.r.seconds[2] == 3 && row.r.voxels == r.voxels);
    assert_int_equal(ledger_step(l, &row, NULL), 0);
    result_free(&r);
    ledger_close(l);
}

/* What was not committed is not there; facts are. */
static void commits(void **state)
{
    ledger_t *l = opened();
    ledgeritem_t it;
    char *value;
    (void)state;
    assert_int_equal(ledger_set(l, "model", "a", NULL) | ledger_set(l, "model", "b", NULL), 0);
    assert_int_equal(ledger_begin(l, NULL), 0);
    assert_int_equal(ledger_place(l, 0, "x", "p", &it, NULL), 0);
    ledger_close(l);
    l = opened();
    assert_int_equal(ledger_get(l, "model", &value, NULL), 0);
    assert_string_equal(value, "b");
    mem_free(value);
    assert_int_equal(ledger_get(l, "none", &value, NULL), 0);
    assert_string_equal(value, "");
    mem_free(value);
    ledgerrow_t row;
    assert_int_equal(ledger_walk(l, false, NULL), 0);
    assert_int_equal(ledger_step(l, &row, NULL), 0);
    ledger_close(l);
}

static void refuses(void **state)
{
    err_t e = {0};
    (void)state;
    assert_null(ledger_open(dir, true, 0, &e));
    assert_int_equal(e.code, ERR_NOTFOUND);
    assert_null(ledger_open("/nonexistent/folder", false, 0, (e = (err_t){0}, &e)));
    assert_int_equal(e.code, ERR_IO);
    ledger_t *l = opened();
    assert_null(ledger_open(dir, true, 0, (e = (err_t){0}, &e)));
    assert_int_equal(e.code, ERR_BUSY);
    assert_int_equal(ledger_set(l, "version", "99", NULL), 0);
    ledger_close(l);
    assert_null(ledger_open(dir, false, 0, (e = (err_t){0}, &e)));
    assert_int_equal(e.code, ERR_UNSUP);
    FILE *f = fopen(file, "w");
    fputs("This is a text, and no database of anything, however long it goes on; and so it has to be refused as what it is, a text file.", f);
    fclose(f);
    assert_null(ledger_open(dir, false, 0, (e = (err_t){0}, &e)));
    assert_int_equal(e.code, ERR_FORMAT);
}

/* Another connection, as another process has one, is told so. */
static void alone(void **state)
{
    ledger_t *l = opened();
    sqlite3 *db;
    (void)state;
    assert_int_equal(sqlite3_open_v2(file, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "SELECT * FROM item", NULL, NULL, NULL), SQLITE_BUSY);
    sqlite3_close(db);
    ledger_close(l);
}

static void messages(void **state)
{
    item_t it = {.id = "i", .path = "p/q", .kind = ITEM_MAP, .contour = (double)NAN, .resolution = 3.5, .title = ""}, got;
    result_t r = made(12), back;
    msg_t m;
    msgkind_t kind;
    uint64_t number;
    err_t e = {0};
    (void)state;
    assert_int_equal(msg_item(7, &it, &m, NULL), 0);
    assert_true(msg_head(&m, &kind, &number) && kind == MSG_ITEM && number == 7);
    assert_int_equal(msg_get_item(&m, &got, NULL), 0);
    assert_string_equal(got.path, "p/q");
    assert_string_equal(got.title, "");
    assert_null(got.assembly);
    assert_true(got.contour != got.contour && got.resolution == 3.5 && got.kind == ITEM_MAP);
    mem_free(m.p);
    assert_int_equal(msg_result(9, &r, &m, NULL), 0);
    assert_int_equal(msg_get_result(&m, &back, NULL), 0);
    assert_string_equal(back.tsv, r.tsv);
    assert_null(back.cause);
    assert_memory_equal(back.z, r.z, 3 * sizeof(float));
    result_free(&back);
    for (size_t n = MSG_HEAD; n < m.n; n++) { /* cut short anywhere */
        msg_t cut = {m.p, n};
        assert_false(msg_head(&cut, &kind, &number));
        assert_int_equal(msg_get_result(&cut, &back, (e = (err_t){0}, &e)), -1);
        assert_int_equal(e.code, ERR_FORMAT);
    }
    result_free(&r);
    mem_free(m.p);
}

/* Every id is in one shard, and none is empty. */
static void shards(void **state)
{
    size_t in[8] = {0};
    (void)state;
    for (int i = 0; i < 4000; i++) {
        char id[16];
        size_t of = 0;
        snprintf(id, sizeof id, "emd_%d", i);
        for (size_t k = 1; k <= 8; k++)
            if (sweep_plan_in_shard(id, k, 8)) {
                in[k - 1]++;
                of++;
            }
        assert_int_equal(of, 1);
        assert_true(sweep_plan_in_shard(id, 1, 1));
    }
    for (int k = 0; k < 8; k++) assert_in_range(in[k], 400, 600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keeps, setup, teardown),   cmocka_unit_test_setup_teardown(commits, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses, setup, teardown), cmocka_unit_test_setup_teardown(alone, setup, teardown),
        cmocka_unit_test(messages),                                cmocka_unit_test(shards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
