/* sweep: one job on each of many items, by processes that may die (see sweep.h). */
#include "config.h" /* ppoll() */

#include "pipeline/sweep.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/progress.h"
#include "pipeline/par.h"
#include "pipeline/sweep_out.h"
#include "pipeline/sweep_plan.h"
#include "pipeline/sweep_work.h"

enum { LOOK_MS = 2, DEATHS = 3, SIGNALS = 3 };  /* between looks at MPI, which cannot be waited for together with a socket; workers that may die before they are ready */
static const double PATIENCE = 10; /* seconds for another sweep in the folder to end */

/* Seconds without a word after which the others give up rank 0, whose ledger may be on a file system that stalls. In parts of it: every rank is heard
 * once in a sixtieth; a rank that was not heard for a tenth, or takes no message for so long, is gone. Before its first word, when it reads the manifest, rank 0 has six times as long. */
static const double SILENT = 300;
static const int signals[SIGNALS] = {SIGTERM, SIGINT, SIGUSR1}; /* that ask for an end */

/* A worker as rank 0 sees it: slot k is that of rank k. */
typedef struct {
    bool ready, alone, quit, gone;
    bool silent;          /* gone, as it is not heard */
    bool deaf;            /* takes no messages: it is told no more, and missed */
    size_t threads, hand; /* items that it has */
    int deaths;           /* since it was ready */
    double heard;
} slot_t;

struct sweep {
    sweepopts_t o;
    const sweepjob_t *job;
    char *dir;
    comm_t comm;
    bool joined;  /* par_begin() */
    pid_t pid;    /* of this rank's worker */
    int fd;       /* -1: there is none */
    sigset_t mask; /* as it was before, and so the actions */
    struct sigaction had[SIGNALS];
    double limit;  /* seconds that rank 0 may be silent */
    double told;   /* when this rank last said that it is there */
    bool lost;     /* a rank is gone for good */
    sweeprun_t run;
    bool have_run;

    /* of rank 0 */
    slot_t *slot;
    ledger_t *ledger;
    sweepplan_t plan;
    size_t next, *back, backs, backcap;        /* first task that was never handed out; those that came back from a dead worker, */
    size_t *suspect, suspects, suspectcap;     /* and those that it was at */
    size_t left;
    bool stopped; /* by a second signal */
    const manifest_t *m;
    sweepsum_t *sum;
    progress_t *bar;
};

static volatile sig_atomic_t asked; /* how often a signal has asked for an end */
static void on_signal(int number)
{
    (void)number;
    asked++;
}

static void catch_signals(sweep_t *s)
{
    struct sigaction a = {.sa_handler = on_signal};
    sigset_t set;
    asked = 0;
    sigemptyset(&set);
    for (int i = 0; i < SIGNALS; i++) {
        sigaction(signals[i], &a, &s->had[i]);
        sigaddset(&set, signals[i]);
    }
    sigprocmask(SIG_BLOCK, &set, &s->mask); /* but while we wait, in ppoll() */
}

/* One that came meanwhile is ours still. */
static void release_signals(const sweep_t *s)
{
    sigprocmask(SIG_SETMASK, &s->mask, NULL);
    for (int i = 0; i < SIGNALS; i++) sigaction(signals[i], &s->had[i], NULL);
}

static int make_dir(const char *path, err_t *err)
{
    struct stat st;
    if (!mkdir(path, 0777) || (errno == EEXIST && !stat(path, &st) && S_ISDIR(st.st_mode))) return 0;
    return err_set(err, ERR_IO, "%s: cannot make this folder: %s", path, strerror(errno));
}

static int start_worker(sweep_t *s, err_t *err) { return worker_start(s->job, s->o.threads, s->o.memory, &s->pid, &s->fd, err); }

/* One number of parts for all that is in the folder. */
static int check_parts(const sweepopts_t *o, err_t *err)
{
    size_t parts;
    if (sweep_out_parts(o->dir, &parts, err)) return -1;
    if (!parts || parts == o->shards) return 0;
    if (parts == 1) return err_set(err, ERR_USAGE, "sweep: %s holds a sweep that is not in parts (now %zu): give another folder", o->dir, o->shards);
    if (o->shards < 2) return err_set(err, ERR_USAGE, "sweep: %s holds a sweep in %zu parts: give --shard I/%zu, or another folder", o->dir, parts, parts);
    return err_set(err, ERR_USAGE, "sweep: %s holds a sweep in %zu parts (now %zu): give another folder", o->dir, parts, o->shards);
}

sweep_t *sweep_begin(const sweepopts_t *o, const sweepjob_t *job, err_t *err)
{
    sweep_t *s = mem_zero(1, sizeof *s, err);
    size_t n = strlen(o->dir) + 64;
    if (!s) return NULL;
    *s = (sweep_t){.o = *o, .job = job, .comm = comm_self, .fd = -1, .dir = mem_new(n, 1, err)};
    if (!(s->o.silent > 0)) s->o.silent = SILENT;
    s->limit = 6 * s->o.silent;
    catch_signals(s); /* before MPI, whose threads would take them */
    if (!s->dir) goto fail;
    if (o->shards > 1) snprintf(s->dir, n, "%s/shard-%zu-of-%zu", o->dir, o->shard, o->shards);
    else snprintf(s->dir, n, "%s", o->dir);
    if (make_dir(o->dir, err) || check_parts(o, err) || (o->shards > 1 && make_dir(s->dir, err))) goto fail; /* every rank finds the same, so that none is waited for */
    if (start_worker(s, err)) goto fail; /* before MPI has threads */
    if (par_begin(&s->comm, err)) goto fail;
    s->joined = true;
    return s;
fail:
    sweep_end(s, false);
    return NULL;
}

bool sweep_leads(const sweep_t *s) { return s->comm.rank == 0; }
const char *sweep_folder(const sweep_t *s) { return s->dir; }
const sweeprun_t *sweep_run(const sweep_t *s) { return &s->run; }

/* End of the connection to this rank's worker; its status. */
static int reap(sweep_t *s)
{
    int status = 0;
    if (s->fd >= 0) close(s->fd);
    s->fd = -1;
    if (s->pid > 0)
        while (waitpid(s->pid, &status, 0) < 0 && errno == EINTR) continue;
    s->pid = 0;
    return status;
}

void sweep_end(sweep_t *s, bool ok)
{
    if (!s) return;
    if (s->pid > 0) kill(s->pid, SIGKILL);
    reap(s);
    if (s->joined && s->lost && ok) par_leave(&s->comm); /* MPI_Finalize would wait for the lost one */
    else if (s->joined) par_end(&s->comm, ok);
    release_signals(s);
    ledger_close(s->ledger);
    sweep_plan_free(&s->plan);
    mem_free(s->slot);
    mem_free(s->back);
    mem_free(s->suspect);
    mem_free(s->dir);
    mem_free(s);
}

/* Wait for the worker or a signal, with other ranks not for long. 1 where the worker has something to say, or is gone. */
static int wait_worker(const sweep_t *s)
{
    struct pollfd p = {.fd = s->fd, .events = POLLIN};
    struct timespec t = {.tv_nsec = LOOK_MS * 1000000L};
    return ppoll(&p, 1, s->comm.size > 1 || s->fd < 0 ? &t : NULL, &s->mask) > 0;
}

/* ---- from rank to rank ---- */

/* To rank 0. */
static int tell(sweep_t *s, msgkind_t kind, uint64_t number, err_t *err)
{
    msg_t m;
    if (msg_plain(kind, number, &m, err)) return -1;
    int rc = par_send(&s->comm, 0, m.p, m.n, s->limit, err);
    mem_free(m.p);
    return rc;
}

/* From rank 0 to another. The others wait meanwhile, so not for long. */
static void send_rank(sweep_t *s, int k, const msg_t *m)
{
    slot_t *slot = &s->slot[k];
    if (!slot->deaf && par_send(&s->comm, k, m->p, m->n, s->o.silent / 10, NULL)) slot->deaf = s->lost = true;
}

/* To all other ranks that are heard; the last word to all. */
static int tell_all(sweep_t *s, msgkind_t kind, uint64_t number, err_t *err)
{
    msg_t m;
    if (msg_plain(kind, number, &m, err)) return -1;
    for (int k = 1; k < s->comm.size; k++)
        if (kind == MSG_END || !s->slot[k].silent) send_rank(s, k, &m);
    mem_free(m.p);
    return 0;
}

/* Now and then, that this rank is there. */
static int say_alive(sweep_t *s, err_t *err)
{
    double now = clock_wall();
    if (s->comm.size < 2 || now - s->told < s->o.silent / 60) return 0;
    s->told = now;
    return s->comm.rank ? tell(s, MSG_ALIVE, 0, err) : tell_all(s, MSG_ALIVE, 0, err);
}

/* ---- ranks but 0: between rank 0 and the worker ---- */

/* What the worker says goes to rank 0; one that died is told and, while there is work, replaced. */
static int from_worker(sweep_t *s, slot_t *mine, err_t *err)
{
    msg_t m;
    int rc = msg_receive(s->fd, &m, err);
    if (rc < 0) return -1;
    if (rc) {
        mine->deaths = 0;
        rc = par_send(&s->comm, 0, m.p, m.n, s->limit, err);
        mem_free(m.p);
        return rc;
    }
    int status = reap(s);
    if (!mine->quit && ++mine->deaths < DEATHS && start_worker(s, err)) return -1;
    return tell(s, MSG_GONE, (uint64_t)status, err);
}

static int from_leader(sweep_t *s, slot_t *mine, err_t *err)
{
    msg_t m;
    msgkind_t kind;
    uint64_t number;
    int from, rc = par_take(&s->comm, &from, &m.p, &m.n, err);
    if (rc < 1) return rc;
    if (!msg_head(&m, &kind, &number)) kind = MSG_KINDS;
    s->limit = s->o.silent;
    mine->heard = clock_wall();
    if ((kind == MSG_ITEM || kind == MSG_QUIT) && s->fd >= 0) msg_send(s->fd, &m, NULL); /* a worker that is dead will be seen to be */
    if (kind == MSG_QUIT) {
        mine->quit = true;
        if (number && s->pid > 0) kill(s->pid, SIGKILL);
    }
    if (kind == MSG_END) {
        mine->gone = true;
        s->lost = number;
    }
    mem_free(m.p);
    return 1;
}

/* 0, or -1 where rank 0 has long been silent. */
static int miss_leader(const sweep_t *s, const slot_t *mine, err_t *err)
{
    if (clock_wall() - mine->heard < s->limit) return 0;
    return err_set(err, ERR_INTERNAL, "sweep: rank 0 has not been heard for %.0f s, so the sweep ends; the same command goes on", s->limit);
}

int sweep_serve(sweep_t *s, err_t *err)
{
    slot_t mine = {.heard = clock_wall()};
    int rc = 0;
    while (!rc && !mine.gone) {
        if (wait_worker(s) && s->fd >= 0) rc = from_worker(s, &mine, err);
        while (!rc && !mine.gone && (rc = from_leader(s, &mine, err)) == 1) rc = 0;
        if (!rc && !mine.gone) rc = miss_leader(s, &mine, err) || say_alive(s, err) ? -1 : 0;
    }
    return rc;
}

/* ---- rank 0 ---- */

/* To slot k; takes m. One that does not listen will be seen to be gone, or be missed. */
static void send_to(sweep_t *s, int k, msg_t *m)
{
    if (k) send_rank(s, k, m);
    else if (s->fd >= 0) msg_send(s->fd, m, NULL);
    mem_free(m->p);
}

/* now: without what is in hand. */
static int send_quit(sweep_t *s, int k, bool now, err_t *err)
{
    msg_t m;
    s->slot[k].quit = true;
    if (msg_plain(MSG_QUIT, now, &m, err)) return -1;
    send_to(s, k, &m);
    return 0;
}

/* At once, as a second signal asks. */
static int stop(sweep_t *s, err_t *err)
{
    int rc = 0;
    if (s->stopped) return 0;
    s->stopped = true;
    for (int k = 0; !rc && k < s->comm.size; k++)
        if (!s->slot[k].gone) rc = send_quit(s, k, true, err);
    if (s->pid > 0) kill(s->pid, SIGKILL);
    return rc;
}

static int push(size_t **list, size_t *n, size_t *cap, size_t x, err_t *err)
{
    if (mem_grow(list, cap, *n + 1, sizeof **list, err)) return -1;
    (*list)[(*n)++] = x;
    return 0;
}

/* The last of a list that is not done, as a rank that was silent may have done it after all; or the number of tasks. */
static size_t pop(const sweep_t *s, const size_t *list, size_t *n)
{
    while (*n)
        if (!s->plan.task[list[--*n]].done) return list[*n];
    return s->plan.n;
}

/* A task for slot k, or the number of tasks where there is none for it now. */
static size_t choose(sweep_t *s, slot_t *slot)
{
    size_t i = s->plan.n;
    if (slot->alone) return i;
    if ((i = pop(s, s->back, &s->backs)) < s->plan.n) return i;
    if (s->next < s->plan.n) return s->next++;
    if (slot->hand || (i = pop(s, s->suspect, &s->suspects)) == s->plan.n) return s->plan.n;
    slot->alone = true;
    return i;
}

/* Give slot k as much as it can hold; when there is nothing left to do, or an end is asked for, tell it. */
static int feed(sweep_t *s, int k, err_t *err)
{
    slot_t *slot = &s->slot[k];
    msg_t m;
    if (slot->gone || slot->quit || slot->deaf || !slot->ready) return 0;
    if (asked || !s->left) return send_quit(s, k, false, err);
    while (!slot->deaf && slot->hand < slot->threads + SWEEP_AHEAD) {
        size_t i = choose(s, slot);
        if (i == s->plan.n) return 0;
        task_t *t = &s->plan.task[i];
        t->slot = k;
        t->started = false;
        slot->hand++;
        if (msg_item(i, &s->m->item[t->item], &m, err)) return -1;
        send_to(s, k, &m);
    }
    return 0;
}

static int settle(sweep_t *s, task_t *t, const result_t *r, err_t *err)
{
    t->done = true;
    s->left--;
    s->sum->now[r->state]++;
    s->sum->total[r->state]++;
    if (r->state == LEDGER_FAILED) log_msg(s->o.log, LOG_WARN, "failed: %s", r->message);
    progress_step(s->bar, 1, r->state == LEDGER_FAILED);
    return ledger_put(s->ledger, t->row, r->state == LEDGER_SKIPPED ? t->skip : t->sig, r, err);
}

static int crash(sweep_t *s, task_t *t, int status, err_t *err)
{
    char text[512];
    const item_t *it = &s->m->item[t->item];
    if (WIFSIGNALED(status)) snprintf(text, sizeof text, "%s: the process that worked on it was ended by signal %d (%s), twice", it->path, WTERMSIG(status), strsignal(WTERMSIG(status)));
    else snprintf(text, sizeof text, "%s: the process that worked on it ended, twice", it->path);
    result_t r = {.state = LEDGER_FAILED, .cause = mem_str("crash", err), .message = mem_str(text, err), .crashed = true};
    int rc = r.cause && r.message ? settle(s, t, &r, err) : -1;
    result_free(&r);
    return rc;
}

/* What slot k had in hand is to be done by others: that which it was at alone, and only once more. */
static int bereave(sweep_t *s, int k, int status, err_t *err)
{
    slot_t *slot = &s->slot[k];
    for (size_t i = 0; i < s->plan.n; i++) {
        task_t *t = &s->plan.task[i];
        if (t->done || t->slot != k) continue;
        t->slot = -1;
        if (!t->started) {
            if (push(&s->back, &s->backs, &s->backcap, i, err)) return -1;
        } else if (slot->alone && ++t->deaths > 1) {
            if (crash(s, t, status, err)) return -1;
        } else {
            t->deaths = 1;
            if (push(&s->suspect, &s->suspects, &s->suspectcap, i, err)) return -1;
        }
    }
    slot->hand = 0;
    slot->alone = slot->ready = false;
    return 0;
}

/* Slot k's worker is no more. */
static int gone(sweep_t *s, int k, int status, err_t *err)
{
    slot_t *slot = &s->slot[k];
    if (slot->quit) {
        slot->gone = true;
        return 0;
    }
    log_msg(s->o.log, LOG_WARN, "a worker died (%s %d): what it was at is done again", WIFSIGNALED(status) ? "signal" : "status",
            WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    if (bereave(s, k, status, err)) return -1;
    if (++slot->deaths >= DEATHS) slot->gone = true;
    else if (!k && start_worker(s, err)) return -1;
    for (int i = 0; i < s->comm.size; i++)
        if (!s->slot[i].gone) return 0;
    return s->left ? err_set(err, ERR_INTERNAL, "workers die before they are ready (%s %d)", WIFSIGNALED(status) ? "signal" : "status",
                              WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status))
                   : 0;
}

static int greet(sweep_t *s, int k, const msg_t *m, err_t *err)
{
    hello_t h;
    if (msg_get_hello(m, &h, err)) return -1;
    if (h.err.code != ERR_OK) return err_set(err, h.err.code, "%s", h.err.msg);
    if (!s->have_run) s->run = h.run;
    s->have_run = true;
    if (memcmp(&s->run, &h.run, sizeof h.run) != 0) return err_set(err, ERR_USAGE, "rank %d has another model, index or options than rank 0", k);
    s->slot[k].ready = true;
    s->slot[k].deaths = 0;
    s->slot[k].threads = h.threads;
    return 0;
}

/* A message from slot k. */
static int hear(sweep_t *s, int k, const msg_t *m, err_t *err)
{
    slot_t *slot = &s->slot[k];
    msgkind_t kind;
    uint64_t number;
    result_t r;
    if (!msg_head(m, &kind, &number)) return err_set(err, ERR_INTERNAL, "a message between processes is damaged");
    slot->heard = clock_wall();
    if (!slot->deaf) slot->silent = false;
    if (kind == MSG_HELLO) return greet(s, k, m, err);
    if (kind == MSG_GONE) return gone(s, k, (int)number, err);
    if (kind != MSG_START && kind != MSG_RESULT) return 0;
    if (number >= s->plan.n) return err_set(err, ERR_INTERNAL, "a message between processes is damaged");
    task_t *t = &s->plan.task[number];
    bool ours = t->slot == k; /* else one that was given to another, as this rank had long been silent; it may be done by now */
    if (kind == MSG_START) {
        if (ours) t->started = true;
        return 0;
    }
    if (msg_get_result(m, &r, err)) return -1;
    if (ours) {
        slot->hand--;
        slot->alone = false;
        slot->deaths = 0;
        t->slot = -1;
    }
    int rc = t->done ? 0 : settle(s, t, &r, err);
    result_free(&r);
    return rc;
}

/* All that has been said since the last time. 0, or -1. */
static int listen_all(sweep_t *s, err_t *err)
{
    struct pollfd p = {.fd = s->fd, .events = POLLIN};
    msg_t m;
    int rc = 0, from;
    while (!rc && s->fd >= 0 && poll(&p, 1, 0) > 0) {
        int got = msg_receive(s->fd, &m, err);
        if (got < 0) return -1;
        if (!got) {
            rc = gone(s, 0, reap(s), err);
            break;
        }
        rc = hear(s, 0, &m, err);
        mem_free(m.p);
    }
    while (!rc && s->comm.size > 1 && (rc = par_take(&s->comm, &from, &m.p, &m.n, err)) == 1) {
        rc = hear(s, from, &m, err);
        mem_free(m.p);
    }
    return rc;
}

/* Ranks that have been silent, or take no messages; also those whose worker has gone, as MPI waits for all. */
static int miss(sweep_t *s, err_t *err)
{
    double now = clock_wall();
    for (int k = 1; k < s->comm.size; k++) {
        slot_t *slot = &s->slot[k];
        if (slot->silent || (!slot->deaf && now - slot->heard < s->o.silent / 10)) continue;
        log_msg(s->o.log, LOG_WARN, "rank %d %s for %.0f s: what it had is done by others", k, slot->deaf ? "has taken no message" : "has not been heard", s->o.silent / 10);
        slot->silent = s->lost = true;
        if (!slot->gone && bereave(s, k, 0, err)) return -1;
        slot->gone = true;
    }
    return 0;
}

static bool all_gone(const sweep_t *s)
{
    for (int k = 0; k < s->comm.size; k++)
        if (!s->slot[k].gone) return false;
    return true;
}

/* Until every worker has gone; what came in together is one transaction. */
static int lead(sweep_t *s, err_t *err)
{
    int rc = 0;
    while (!rc && !all_gone(s)) {
        for (int k = 0; !rc && k < s->comm.size; k++) rc = feed(s, k, err) || say_alive(s, err) ? -1 : 0;
        if (!rc && asked > 1) rc = stop(s, err);
        if (rc || all_gone(s)) break;
        wait_worker(s);
        if (ledger_begin(s->ledger, err)) return -1;
        rc = listen_all(s, err) || miss(s, err) ? -1 : 0;
        if (ledger_commit(s->ledger, err)) rc = -1;
    }
    return rc ? rc : tell_all(s, MSG_END, s->lost, err);
}

static int tick(void *s, err_t *err) { return say_alive(s, err); }

/* The first word of our own worker, which tells what the sweep is run with. */
static int first_hello(sweep_t *s, err_t *err)
{
    msg_t m;
    msgkind_t kind;
    uint64_t number;
    int rc = msg_receive(s->fd, &m, err);
    if (rc < 0) return -1;
    if (!rc) return err_set(err, ERR_INTERNAL, "a worker died before it was ready (wait status %d)", reap(s));
    rc = msg_head(&m, &kind, &number) && kind == MSG_HELLO ? greet(s, 0, &m, err) : err_set(err, ERR_INTERNAL, "a message between processes is damaged");
    mem_free(m.p);
    return rc;
}

int sweep_items(sweep_t *s, const manifest_t *m, sweepsum_t *sum, err_t *err)
{
    *sum = (sweepsum_t){0};
    s->m = m;
    s->sum = sum;
    s->slot = mem_zero((size_t)s->comm.size, sizeof *s->slot, err);
    if (!s->slot || first_hello(s, err)) return -1;
    for (int k = 0; k < s->comm.size; k++) s->slot[k].heard = clock_wall();
    s->plan.tick = tick;
    s->plan.ctx = s;
    if (!(s->ledger = ledger_open(s->dir, false, PATIENCE, err)) || sweep_plan_make(&s->o, s->job, &s->run, m, s->ledger, &s->plan, sum, err)) return -1;
    s->left = s->plan.n;
    if (sum->items > s->left) log_msg(s->o.log, LOG_INFO, "%s: %zu of %zu items have a result; %zu are to be done", s->dir, sum->items - s->left, sum->items, s->left);
    s->bar = progress_new(s->o.log, "sweep", "items", s->left);
    int rc = lead(s, err);
    progress_end(s->bar);
    sum->left = s->left;
    sum->stopped = asked > 0;
    struct rusage u;
    if (!getrusage(RUSAGE_CHILDREN, &u)) {
        sum->cpu = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + 1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
        sum->peak = 1024.0 * (double)u.ru_maxrss;
    }
    ledger_close(s->ledger); /* for whoever reads it next */
    s->ledger = NULL;
    return rc;
}
