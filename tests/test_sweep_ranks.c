/* The ranks of a sweep, one of them real and the other played: leaders and ranks that are silent, and signals. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "pipeline/par.h"
#include "pipeline/sweep.h"

enum { ITEMS = 8 };
static const double SILENT = 0.6; /* seconds */

/* The rank that is played, and what has been said to it. */
static struct {
    int rank; /* of the real one */
    int size;
    int (*play)(msg_t *m); /* its next word; 0 it says nothing now */
    double silent;         /* of sweepopts_t */
    int signal;            /* comes while the sweep begins */
    bool deaf;             /* takes no items */
    unsigned plans;        /* microseconds that the plan takes for an item */
    size_t early;          /* how often it was heard that rank 0 is there when it planned the last */
    int step, said;
    double start;
    size_t heard[MSG_KINDS], number[MSG_KINDS]; /* by kind: how many; the number of the last */
    bool ended, aborted, left;                  /* par_end() of either kind, par_leave() */
} other;

static double since(void) { return clock_wall() - other.start; }

/* ---- par.h ---- */

const bool par_mpi = false;

int par_begin(comm_t *c, err_t *err)
{
    (void)err;
    *c = comm_self;
    c->rank = other.rank;
    c->size = other.size;
    if (other.signal) kill(getpid(), other.signal);
    return 0;
}

int par_send(const comm_t *c, int to, const void *p, size_t n, double wait, err_t *err)
{
    msg_t m = {(unsigned char *)(uintptr_t)p, n};
    msgkind_t kind;
    uint64_t number;
    assert_int_equal(to, !c->rank);
    assert_true(msg_head(&m, &kind, &number));
    other.heard[kind]++;
    other.number[kind] = number;
    if (!other.deaf || kind != MSG_ITEM) return 0;
    usleep((unsigned)(1e6 * wait));
    return err_set(err, ERR_INTERNAL, "it takes nothing");
}

int par_take(const comm_t *c, int *from, unsigned char **p, size_t *n, err_t *err)
{
    msg_t m = {0};
    (void)err;
    *from = !c->rank;
    if (c->size < 2 || !other.play(&m)) return 0;
    *p = m.p;
    *n = m.n;
    return 1;
}

void par_end(comm_t *c, bool ok)
{
    (void)c;
    other.ended = ok;
    other.aborted = !ok;
}

void par_leave(comm_t *c)
{
    (void)c;
    other.left = true;
}

/* ---- the work: an item takes as many milliseconds as its path says ---- */

static int load(void *ctx, size_t threads, sweeprun_t *run, err_t *err)
{
    (void)ctx;
    (void)threads;
    (void)err;
    strcpy(run->model, "m");
    strcpy(run->index, "i");
    strcpy(run->columns, "id");
    return 0;
}

static int plan(void *ctx, const item_t *it, char **path, err_t *err)
{
    (void)ctx;
    (void)it;
    (void)path;
    (void)err;
    usleep(other.plans);
    other.early = other.heard[MSG_ALIVE];
    return 0;
}

static bool look(void *ctx, const item_t *it, size_t spare, sweeplook_t *l, result_t *r)
{
    (void)ctx;
    (void)it;
    (void)spare;
    (void)r;
    l->need = 1;
    return true;
}

static void work(void *ctx, size_t thread, const item_t *it, const sweeplook_t *l, result_t *r)
{
    (void)ctx;
    (void)thread;
    (void)l;
    usleep(1000u * (unsigned)atoi(it->path));
    r->state = LEDGER_DONE;
    r->json = mem_str("{}", NULL);
    r->tsv = mem_str(it->id, NULL);
    r->z = mem_zero(r->d = 1, sizeof *r->z, NULL);
}

static char dir[64];

static int setup(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/ranks_XXXXXX");
    memset(&other, 0, sizeof other);
    other.size = 2;
    other.silent = SILENT;
    other.start = clock_wall();
    return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
    static const char *const name[] = {LEDGER_FILE, LEDGER_FILE "-wal", LEDGER_FILE "-shm"};
    char path[128];
    (void)state;
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, name[i]);
        unlink(path);
    }
    return rmdir(dir);
}

static sweep_t *begin(err_t *err)
{
    static const sweepjob_t job = {.header = plan, .open = load, .look = look, .work = work};
    const sweepopts_t o = {.dir = dir, .shard = 1, .shards = 1, .threads = 1, .memory = (size_t)1 << 30, .silent = other.silent};
    return sweep_begin(&o, &job, err);
}

/* As rank 1, rank 0 being played. */
static int serve(int (*play)(msg_t *), err_t *err)
{
    other.rank = 1;
    other.play = play;
    sweep_t *s = begin(err);
    other.start = clock_wall();
    int rc = s ? sweep_serve(s, err) : -1;
    sweep_end(s, !rc);
    return rc;
}

/* As rank 0, rank 1 being played; each item takes so many milliseconds. */
static int lead(int (*play)(msg_t *), const char *took, sweepsum_t *sum, err_t *err)
{
    static const char *const name[] = {"0", "1", "2", "3", "4", "5", "6", "7"};
    item_t item[ITEMS];
    const manifest_t m = {.item = item, .n = ITEMS};
    for (int i = 0; i < ITEMS; i++) item[i] = (item_t){.id = name[i], .path = took, .contour = (double)NAN};
    other.play = play;
    sweep_t *s = begin(err);
    int rc = s ? sweep_items(s, &m, sum, err) : -1;
    sweep_end(s, !rc);
    return rc;
}

static int say(msgkind_t kind, uint64_t number, msg_t *m)
{
    assert_int_equal(msg_plain(kind, number, m, NULL), 0);
    return 1;
}

static int give(const char *took, msg_t *m)
{
    const item_t it = {.id = "x", .path = took, .contour = (double)NAN};
    assert_int_equal(msg_item(0, &it, m, NULL), 0);
    return 1;
}

/* ---- rank 0 dies ---- */

static int nothing(msg_t *m)
{
    (void)m;
    return 0;
}

static int one_word(msg_t *m) { return !other.step++ && say(MSG_ALIVE, 0, m); }

/* After its first word it is given up after SILENT, and all end. */
static void leader_dies(void **state)
{
    err_t e = {0};
    (void)state;
    assert_int_equal(serve(one_word, &e), -1);
    assert_int_equal(e.code, ERR_INTERNAL);
    assert_non_null(strstr(e.msg, "rank 0"));
    assert_true(since() < 5 * SILENT);
    assert_true(other.aborted);
    assert_true(other.heard[MSG_ALIVE] > 5);
}

/* Before it there is more time. */
static void leader_never_starts(void **state)
{
    err_t e = {0};
    (void)state;
    assert_int_equal(serve(nothing, &e), -1);
    assert_true(since() > 5 * SILENT && since() < 60 * SILENT);
}

/* An item that takes twice as long as rank 0 may be silent, while it is not. */
static int patient(msg_t *m)
{
    if (other.heard[MSG_GONE]) return say(MSG_END, 0, m);
    if (!other.heard[MSG_HELLO] || since() < 0.1 * other.step) return 0;
    other.step++;
    if (other.step == 1) return give("1200", m);
    return say(other.heard[MSG_RESULT] ? MSG_QUIT : MSG_ALIVE, 0, m);
}

static void long_item(void **state)
{
    err_t e = {0};
    (void)state;
    if (serve(patient, &e)) fail_msg("%s", e.msg);
    assert_int_equal(other.heard[MSG_RESULT], 1);
    assert_true(other.ended && !other.left);
}

/* ---- a rank dies after others were told to quit: they hear of it in time ---- */

static int loses_one(msg_t *m)
{
    if (other.heard[MSG_HELLO] && !other.step++) return say(MSG_QUIT, 0, m);
    if (other.heard[MSG_GONE] && other.step < 1000) {
        other.step = 1000;
        other.start = clock_wall();
    }
    return other.step >= 1000 && since() > SILENT / 3 && say(MSG_END, 1, m);
}

static void lost_late(void **state)
{
    err_t e = {0};
    (void)state;
    if (serve(loses_one, &e)) fail_msg("%s", e.msg);
    assert_true(other.left && !other.ended);
}

static int greets_only(msg_t *m)
{
    hello_t h;
    memset(&h, 0, sizeof h);
    h.threads = 1;
    load(NULL, 1, &h.run, NULL);
    return !other.step++ && !msg_hello(&h, m, NULL);
}

static void rank_dies(void **state)
{
    sweepsum_t sum;
    err_t e = {0};
    (void)state;
    if (lead(greets_only, "1", &sum, &e)) fail_msg("%s", e.msg);
    assert_int_equal(sum.now[LEDGER_DONE], ITEMS);
    assert_true(other.left && !other.ended);
}

/* At a signal it quits, and says no more while rank 0 ends what it has in hand. */
static int quits_and_dies(msg_t *m)
{
    if (!other.step) return greets_only(m);
    if (other.step == 1 && other.heard[MSG_ITEM]) {
        other.step = 2;
        kill(getpid(), SIGTERM);
    }
    if (other.step != 2 || !other.heard[MSG_QUIT]) return 0;
    other.step = 3;
    return say(MSG_GONE, 0, m);
}

static void dies_after_quit(void **state)
{
    sweepsum_t sum;
    err_t e = {0};
    (void)state;
    if (lead(quits_and_dies, "200", &sum, &e)) fail_msg("%s", e.msg);
    assert_int_equal(other.step, 3);
    assert_true(other.left && !other.ended);
}

/* It takes no message: it is waited for once, and not for long. */
static void rank_is_deaf(void **state)
{
    sweepsum_t sum;
    err_t e = {0};
    (void)state;
    other.deaf = true;
    other.silent = 10;
    if (lead(greets_only, "1", &sum, &e)) fail_msg("%s", e.msg);
    assert_int_equal(sum.now[LEDGER_DONE], ITEMS);
    assert_int_equal(other.heard[MSG_ITEM], 1);
    assert_true(other.left && !other.ended && since() < 3);
}

/* Rank 0 is heard while it plans. */
static void long_plan(void **state)
{
    sweepsum_t sum;
    err_t e = {0};
    (void)state;
    other.plans = 50000;
    if (lead(greets_only, "1", &sum, &e)) fail_msg("%s", e.msg);
    assert_true(other.early >= 2);
}

/* ---- signals ---- */

/* Rank 1 hears ALIVE, is in the middle of its item at the first signal, and dies at the second. */
static int is_stopped(msg_t *m)
{
    if (!other.step) return greets_only(m);
    if (other.heard[MSG_ITEM] && other.heard[MSG_ALIVE] > 1 && other.step < 2) {
        other.step = 2;
        kill(getpid(), SIGTERM);
    } else if (other.step == 2 && other.heard[MSG_QUIT] == 1) {
        other.step = 3;
        assert_int_equal(other.number[MSG_QUIT], 0);
        kill(getpid(), SIGTERM);
    } else if (other.step == 3 && other.heard[MSG_QUIT] == 2) {
        other.step = 4;
        assert_int_equal(other.number[MSG_QUIT], 1);
        return say(MSG_GONE, SIGKILL, m);
    } else if (other.step < 4 && since() > 0.05 * other.said) {
        other.said++;
        return say(MSG_ALIVE, 0, m);
    }
    return 0;
}

static void two_signals(void **state)
{
    sweepsum_t sum;
    err_t e = {0};
    (void)state;
    other.silent = 20;
    if (lead(is_stopped, "60000", &sum, &e)) fail_msg("%s", e.msg);
    assert_int_equal(sum.left, ITEMS);
    assert_true(sum.stopped);
    assert_int_equal(other.step, 4);
    assert_int_equal(other.heard[MSG_END], 1);
    assert_true(other.ended && since() < 30);
}

/* The rank that is told so ends its worker, whatever that has in hand. */
static int stops(msg_t *m)
{
    if (other.heard[MSG_GONE]) return say(MSG_END, 0, m);
    if (!other.heard[MSG_HELLO]) return 0;
    if (!other.step++) return give("60000", m);
    return other.heard[MSG_START] && !other.heard[MSG_ITEM]++ && say(MSG_QUIT, 1, m);
}

static void stopped(void **state)
{
    err_t e = {0};
    (void)state;
    if (serve(stops, &e)) fail_msg("%s", e.msg);
    assert_true(since() < 30 && other.ended);
    assert_int_equal(other.heard[MSG_RESULT], 0);
}

/* One that comes while MPI starts, of one rank. */
static void early_signal(void **state)
{
    sweepsum_t sum;
    err_t e = {0};
    (void)state;
    other.size = 1;
    other.signal = SIGUSR1;
    if (lead(nothing, "300", &sum, &e)) fail_msg("%s", e.msg);
    assert_true(sum.stopped);
    assert_in_range(sum.left, 1, ITEMS);
}

/* After the sweep they do what they did before. */
static void later_signal(void **state)
{
    struct sigaction a;
    sweepsum_t sum;
    err_t e = {0};
    (void)state;
    other.size = 1;
    if (lead(nothing, "1", &sum, &e)) fail_msg("%s", e.msg);
    assert_int_equal(sigaction(SIGTERM, NULL, &a), 0);
    assert_true(a.sa_handler == SIG_DFL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(leader_dies, setup, teardown), cmocka_unit_test_setup_teardown(leader_never_starts, setup, teardown),
        cmocka_unit_test_setup_teardown(long_item, setup, teardown),   cmocka_unit_test_setup_teardown(lost_late, setup, teardown),
        cmocka_unit_test_setup_teardown(rank_dies, setup, teardown),   cmocka_unit_test_setup_teardown(two_signals, setup, teardown),
        cmocka_unit_test_setup_teardown(stopped, setup, teardown),     cmocka_unit_test_setup_teardown(early_signal, setup, teardown),
        cmocka_unit_test_setup_teardown(later_signal, setup, teardown), cmocka_unit_test_setup_teardown(dies_after_quit, setup, teardown),
        cmocka_unit_test_setup_teardown(rank_is_deaf, setup, teardown), cmocka_unit_test_setup_teardown(long_plan, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
