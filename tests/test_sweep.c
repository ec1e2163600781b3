/* The engine of a sweep, with jobs made for it: one that crashes, items that need memory. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "pipeline/sweep.h"
#include "pipeline/sweep_out.h"
#include "pipeline/sweep_work.h"

enum { ITEMS = 40, CRASHES = 17, HALF = 20 }; /* an item that always crashes; the first that needs half of the memory */

/* Seen by all processes. */
typedef struct {
    int at_once, most, large, most_large; /* items in hand, and of those that are large */
    int times[ITEMS];
    bool crash;   /* item CRASHES does */
    int crashers; /* and so do the first so many */
    unsigned takes; /* microseconds of an item */
} seen_t;
static seen_t *seen;

static int load(void *ctx, size_t threads, sweeprun_t *run, err_t *err)
{
    (void)threads;
    if (ctx) return err_set(err, ERR_UNSUP, "%s", (const char *)ctx);
    strcpy(run->model, "m");
    strcpy(run->index, "i");
    strcpy(run->options, "none");
    strcpy(run->columns, "id");
    run->frames = 1;
    return 0;
}

static bool look(void *ctx, const item_t *it, size_t spare, sweeplook_t *l, result_t *r)
{
    (void)ctx;
    (void)r;
    l->need = atoi(it->id) >= HALF ? spare / 2 + 1 : 1;
    return true;
}

static void most(int *of, int now)
{
    for (int had = __atomic_load_n(of, __ATOMIC_SEQ_CST); now > had && !__atomic_compare_exchange_n(of, &had, now, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);) continue;
}

static void work(void *ctx, size_t thread, const item_t *it, const sweeplook_t *l, result_t *r)
{
    const int n = atoi(it->id), large = n >= HALF;
    char text[32];
    (void)ctx;
    (void)thread;
    (void)l;
    __atomic_add_fetch(&seen->times[n], 1, __ATOMIC_SEQ_CST);
    if ((n == CRASHES && seen->crash) || n < seen->crashers) abort();
    most(&seen->most, __atomic_add_fetch(&seen->at_once, 1, __ATOMIC_SEQ_CST));
    if (large) most(&seen->most_large, __atomic_add_fetch(&seen->large, 1, __ATOMIC_SEQ_CST));
    usleep(seen->takes);
    __atomic_sub_fetch(&seen->at_once, 1, __ATOMIC_SEQ_CST);
    if (large) __atomic_sub_fetch(&seen->large, 1, __ATOMIC_SEQ_CST);
    snprintf(text, sizeof text, "{\"id\":%d}", n);
    r->state = LEDGER_DONE;
    r->json = mem_str(text, NULL);
    r->tsv = mem_str(it->id, NULL);
    r->d = 1;
    r->z = mem_zero(1, sizeof *r->z, NULL);
    r->z[0] = 1;
    r->rg = 1;
}

static char dir[64];

static int setup(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/sweep_XXXXXX");
    seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (seen == MAP_FAILED) return -1;
    seen->takes = 2000;
    return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
    static const char *const name[] = {LEDGER_FILE, LEDGER_FILE "-wal", LEDGER_FILE "-shm", "results.jsonl", "results.tsv", "failures.tsv", "times.tsv", "embeddings.h5"};
    char path[128];
    (void)state;
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, name[i]);
        unlink(path);
    }
    munmap(seen, sizeof *seen);
    return rmdir(dir);
}

static const char *half; /* the other half-map of item 0 */

static int sweep(void *ctx, sweepsum_t *sum, err_t *err)
{
    static char name[ITEMS][8];
    item_t item[ITEMS];
    manifest_t m = {.item = item, .n = ITEMS};
    const sweepjob_t job = {.ctx = ctx, .open = load, .look = look, .work = work};
    const sweepopts_t o = {.dir = dir, .shard = 1, .shards = 1, .threads = 4, .memory = (size_t)1 << 30};
    for (int i = 0; i < ITEMS; i++) {
        snprintf(name[i], sizeof name[i], "%d", i);
        item[i] = (item_t){.id = name[i], .path = name[i], .contour = (double)NAN};
    }
    item[0].half = half;
    sweep_t *s = sweep_begin(&o, &job, err);
    int rc = s ? sweep_items(s, &m, sum, err) : -1;
    sweep_end(s, !rc);
    return rc;
}

/* A run of items that all crash does not end the sweep, though no result comes between them. */
static void crash_after_crash(void **state)
{
    enum { MANY = 7 };
    sweepsum_t sum;
    err_t e = {0};
    (void)state;
    seen->crashers = MANY;
    if (sweep(NULL, &sum, &e)) fail_msg("%s", e.msg);
    assert_int_equal(sum.now[LEDGER_DONE], ITEMS - MANY);
    assert_int_equal(sum.now[LEDGER_FAILED], MANY);
    assert_int_equal(sum.left, 0);
}

/* The one that crashes has failed, after two attempts of which the second was alone; of the others none is lost, and only those that were beside it are done twice. */
static void crashes(void **state)
{
    sweepsum_t sum;
    sweepout_t out;
    err_t e = {0};
    int again = 0;
    (void)state;
    seen->crash = true;
    if (sweep(NULL, &sum, &e)) fail_msg("%s", e.msg);
    assert_int_equal(sum.now[LEDGER_DONE], ITEMS - 1);
    assert_int_equal(sum.now[LEDGER_FAILED], 1);
    assert_int_equal(sum.left, 0);
    assert_int_equal(seen->times[CRASHES], 2);
    for (int i = 0; i < ITEMS; i++) {
        assert_in_range(seen->times[i], 1, 2);
        again += i != CRASHES && seen->times[i] == 2;
    }
    assert_in_range(again, 0, 3); /* as many as the other threads had */
    if (sweep_out(dir, &out, &e)) fail_msg("%s", e.msg);
    assert_int_equal(out.causes, 1);
    assert_string_equal(out.cause[0].cause, "crash");
    assert_non_null(strstr(out.cause[0].first, "signal 6"));
    sweep_out_free(&out);
    if (sweep(NULL, &sum, &e)) fail_msg("%s", e.msg); /* nothing is left to do */
    assert_int_equal(sum.now[LEDGER_DONE] + sum.now[LEDGER_FAILED], 0);
    assert_int_equal(sum.total[LEDGER_DONE], ITEMS - 1);
    assert_int_equal(seen->times[CRASHES], 2);
}

/* Four threads work at once, but of items that need more than half of the memory one. */
static void admits(void **state)
{
    sweepsum_t sum;
    err_t e = {0};
    (void)state;
    if (sweep(NULL, &sum, &e)) fail_msg("%s", e.msg);
    assert_in_range(seen->most, 2, 4);
    assert_int_equal(seen->most_large, 1);
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

/* An item is done again when its other half-map has changed. */
static void half_changes(void **state)
{
    char path[128];
    sweepsum_t sum;
    err_t e = {0};
    (void)state;
    snprintf(path, sizeof path, "%s/half", dir);
    write_file(path, "a");
    half = path;
    for (int i = 0; i < 3; i++) {
        if (i == 2) write_file(path, "ab");
        if (sweep(NULL, &sum, &e)) fail_msg("%s", e.msg);
        assert_int_equal(sum.now[LEDGER_DONE], i == 0 ? ITEMS : i == 1 ? 0 : 1);
    }
    half = NULL;
    unlink(path);
}

/* A worker takes whatever it is sent, be it thousands of items while the first is in hand. */
static void long_queue(void **state)
{
    enum { MANY = 3000 };
    const sweepjob_t job = {.open = load, .look = look, .work = work};
    const item_t it = {.id = "0", .path = "0"};
    msgkind_t kind;
    uint64_t number;
    err_t e = {0};
    msg_t m;
    pid_t pid;
    int fd, results = 0;
    (void)state;
    seen->takes = 500000;
    if (worker_start(&job, 1, (size_t)1 << 30, &pid, &fd, &e)) fail_msg("%s", e.msg);
    for (uint64_t i = 0; i < MANY; i++) {
        assert_int_equal(msg_item(i, &it, &m, NULL), 0);
        assert_int_equal(msg_send(fd, &m, &e), 0);
        mem_free(m.p);
    }
    while (results < MANY && msg_receive(fd, &m, &e) == 1) {
        seen->takes = 0; /* of those after the first */
        results += msg_head(&m, &kind, &number) && kind == MSG_RESULT;
        mem_free(m.p);
    }
    assert_int_equal(results, MANY);
    close(fd);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void cannot_start(void **state)
{
    static char why[] = "no such model";
    sweepsum_t sum;
    err_t e = {0};
    (void)state;
    assert_int_equal(sweep(why, &sum, &e), -1);
    assert_int_equal(e.code, ERR_UNSUP);
    assert_string_equal(e.msg, why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(crashes, setup, teardown), cmocka_unit_test_setup_teardown(crash_after_crash, setup, teardown),
        cmocka_unit_test_setup_teardown(admits, setup, teardown), cmocka_unit_test_setup_teardown(half_changes, setup, teardown),
        cmocka_unit_test_setup_teardown(long_queue, setup, teardown),
        cmocka_unit_test_setup_teardown(cannot_start, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
