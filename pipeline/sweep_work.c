/* sweep_work: the process that does the items of a sweep (see sweep_work.h).
 *
 * Every thread does whole items, one after the other: reading and decompressing, cube, network, search. As they are at different stages, disk,
 * memory and arithmetic overlap without any thread waiting for another; and the files of the next items are asked for ahead, so that the disk works
 * while all threads do. What an item will need is known from its header, and it waits until there is memory for it, in the order of their coming. A large
 * item, which keeps others out, has the threads that they would have used. */
#include "pipeline/sweep_work.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/threads.h"

enum { AHEAD_BYTES = 1 << 28 };

typedef struct {
    const sweepjob_t *job;
    int fd;
    size_t threads, spare; /* bytes for items */
    pthread_mutex_t lock, sending;
    pthread_cond_t changed;
    msg_t *queue; /* (cap) from first on: as many as threads and SWEEP_AHEAD, and what a worker that died was sent besides */
    size_t first, queued, cap;
    size_t busy;          /* threads with an item */
    size_t used;          /* bytes that items in hand need */
    size_t ticket, turn;  /* of those that wait for memory */
    bool quit;
} worker_t;

typedef struct {
    worker_t *w;
    size_t number;
    pthread_t thread;
} workthread_t;

/* Nobody to tell: rank 0 is gone, and the ledger with what it has. */
static void send_or_end(worker_t *w, msg_t *m, int made)
{
    err_t err = {0};
    pthread_mutex_lock(&w->sending);
    int rc = made ? -1 : msg_send(w->fd, m, &err);
    pthread_mutex_unlock(&w->sending);
    mem_free(m->p);
    if (rc) _exit(0);
}

static void tell_start(worker_t *w, uint64_t number)
{
    msg_t m;
    send_or_end(w, &m, msg_plain(MSG_START, number, &m, NULL));
}

static void tell_result(worker_t *w, uint64_t number, const result_t *r)
{
    msg_t m;
    send_or_end(w, &m, msg_result(number, r, &m, NULL));
}

/* The next item; false at the end. */
static bool next(worker_t *w, msg_t *m, size_t *ticket)
{
    pthread_mutex_lock(&w->lock);
    while (!w->queued && !w->quit) pthread_cond_wait(&w->changed, &w->lock);
    bool any = w->queued;
    if (any) {
        *m = w->queue[w->first++];
        w->queued--;
        w->busy++;
        *ticket = w->ticket++;
    }
    pthread_mutex_unlock(&w->lock);
    return any;
}

/* Wait until there is room for `need` bytes, or nobody else has any; in turn. Returns how many threads go with it. */
static int admit(worker_t *w, size_t ticket, size_t need)
{
    pthread_mutex_lock(&w->lock);
    while (ticket != w->turn || (w->used && w->used + need > w->spare)) pthread_cond_wait(&w->changed, &w->lock);
    w->used += need;
    w->turn++;
    double share = w->spare ? (double)need / (double)w->spare : 1;
    size_t by_memory = (size_t)((double)w->threads * (share < 1 ? share : 1)), by_rest = w->queued ? 1 : w->threads / w->busy;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    size_t n = by_memory > by_rest ? by_memory : by_rest;
    return n > 1 ? (int)n : 1;
}

static void leave(worker_t *w, size_t need)
{
    pthread_mutex_lock(&w->lock);
    w->used -= need;
    w->busy--;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

static void do_item(worker_t *w, size_t thread, const msg_t *m, size_t ticket)
{
    msgkind_t kind;
    uint64_t number;
    item_t it;
    result_t r = {0};
    sweeplook_t look = {0};
    if (!msg_head(m, &kind, &number) || msg_get_item(m, &it, NULL)) _exit(0);
    tell_start(w, number);
    threads_set(1);
    bool go_on = w->job->look(w->job->ctx, &it, w->spare, &look, &r);
    if (!go_on) look.need = 0;
    threads_set(admit(w, ticket, look.need));
    if (go_on) w->job->work(w->job->ctx, thread, &it, &look, &r);
    leave(w, look.need);
    tell_result(w, number, &r);
    result_free(&r);
}

static void *work(void *arg)
{
    workthread_t *t = arg;
    msg_t m;
    size_t ticket = 0;
    while (next(t->w, &m, &ticket)) {
        do_item(t->w, t->number, &m, ticket);
        mem_free(m.p);
    }
    return NULL;
}

/* Ask the disk for a file before it is wanted. */
static void ask_ahead(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return;
    posix_fadvise(fd, 0, AHEAD_BYTES, POSIX_FADV_WILLNEED);
    close(fd);
}

/* Takes m. */
static void enqueue(worker_t *w, msg_t m)
{
    if (w->first) memmove(w->queue, w->queue + w->first, w->queued * sizeof m);
    w->first = 0;
    if (mem_grow(&w->queue, &w->cap, w->queued + 1, sizeof m, NULL)) _exit(3);
    w->queue[w->queued++] = m;
}

/* Put what comes into the queue until there is no more. */
static void listen_for(worker_t *w)
{
    for (bool more = true; more;) {
        msg_t m;
        msgkind_t kind;
        uint64_t number;
        item_t it;
        if (msg_receive(w->fd, &m, NULL) < 1 || !msg_head(&m, &kind, &number)) _exit(0);
        if (kind == MSG_ITEM && !msg_get_item(&m, &it, NULL)) ask_ahead(it.path);
        pthread_mutex_lock(&w->lock);
        if (kind == MSG_ITEM) enqueue(w, m);
        if (kind == MSG_QUIT) {
            while (w->queued) mem_free(w->queue[w->first + --w->queued].p);
            w->quit = true;
            more = false;
        }
        pthread_cond_broadcast(&w->changed);
        pthread_mutex_unlock(&w->lock);
        if (kind != MSG_ITEM) mem_free(m.p);
    }
}

static int start_threads(worker_t *w, workthread_t *t)
{
    for (size_t i = 0; i < w->threads; i++) {
        t[i] = (workthread_t){.w = w, .number = i};
        if (pthread_create(&t[i].thread, NULL, work, &t[i])) return -1;
    }
    return 0;
}

/* All that the process does. */
static void worker(const sweepjob_t *job, size_t threads, size_t memory, int fd)
{
    worker_t *w = mem_zero(1, sizeof *w, NULL);
    workthread_t *t = mem_zero(threads, sizeof *t, NULL);
    hello_t h;
    msg_t m;
    if (!w || !t) _exit(3);
    memset(&h, 0, sizeof h);
    h.threads = threads;
    *w = (worker_t){.job = job, .fd = fd, .threads = threads, .lock = PTHREAD_MUTEX_INITIALIZER, .sending = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    if (!job->open(job->ctx, threads, &h.run, &h.err)) {
        double had = clock_peak(), rest = (double)memory - had;
        w->spare = rest > 0 ? (size_t)rest : 0;
        if (rest < 0.02 * (double)memory)
            err_set(&h.err, ERR_RANGE, "--memory: model and index take %.0f MB of %.0f on %zu threads, and leave none for maps", had / 1e6, (double)memory / 1e6, threads);
    }
    if (h.err.code == ERR_OK && start_threads(w, t)) err_set(&h.err, ERR_NOMEM, "cannot start %zu threads", threads);
    send_or_end(w, &m, msg_hello(&h, &m, NULL));
    listen_for(w);
    for (size_t i = 0; h.err.code == ERR_OK && i < threads; i++) pthread_join(t[i].thread, NULL);
    _exit(0);
}

int worker_start(const sweepjob_t *job, size_t threads, size_t memory, pid_t *pid, int *fd, err_t *err)
{
    int pair[2];
    pid_t parent = getpid();
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) return err_set(err, ERR_IO, "cannot make a socket: %s", strerror(errno));
    *pid = fork();
    if (*pid < 0) {
        close(pair[0]);
        close(pair[1]);
        return err_set(err, ERR_IO, "cannot start a process: %s", strerror(errno));
    }
    if (!*pid) {
        close(pair[0]);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(0);
        signal(SIGINT, SIG_IGN);
        signal(SIGTERM, SIG_IGN);
        signal(SIGUSR1, SIG_IGN);
        worker(job, threads, memory, pair[1]);
    }
    close(pair[1]);
    *fd = pair[0];
    return 0;
}
