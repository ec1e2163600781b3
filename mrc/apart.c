/* apart: a fork that answers questions (see apart.h). */
#include "config.h" /* memfd_create() is of Linux */

#include "mrc/apart.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
    size_t ask[2], room;
} question_t;

typedef struct {
    int rc;
    err_t err;
} answer_t;

static bool send_all(int fd, const void *buf, size_t n)
{
    const char *p = buf;
    while (n) {
        ssize_t k = send(fd, p, n, MSG_NOSIGNAL);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) return false;
        p += k;
        n -= (size_t)k;
    }
    return true;
}

static bool take_all(int fd, void *buf, size_t n)
{
    char *p = buf;
    while (n) {
        ssize_t k = recv(fd, p, n, 0);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) return false;
        p += k;
        n -= (size_t)k;
    }
    return true;
}

/* See `room` bytes of the memory of both. */
static bool see(apart_t *a, size_t room)
{
    if (room <= a->room) return true;
    if (a->shared) munmap(a->shared, a->room);
    void *p = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_SHARED, a->mem, 0);
    a->shared = p == MAP_FAILED ? NULL : p;
    a->room = a->shared ? room : 0;
    return a->shared;
}

/* ---- the fork ---- */

/* It ends by a signal as any process does, silently and without leaving its memory in a file. */
static void settle(void)
{
    static const int ends[] = {SIGXCPU, SIGALRM, SIGTERM, SIGINT, SIGHUP, SIGPIPE}, faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP};
    sigset_t none;
    for (size_t k = 0; k < sizeof ends / sizeof *ends; k++) signal(ends[k], SIG_DFL);
#ifndef APART_SPEAKS /* where it does, a sanitizer tells of faults */
    for (size_t k = 0; k < sizeof faults / sizeof *faults; k++) signal(faults[k], SIG_DFL);
#endif
    (void)faults;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_DUMPABLE, 0);
#if !defined __SANITIZE_ADDRESS__ && !defined APART_SPEAKS
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null >= 0) dup2(null, STDERR_FILENO);
#endif
}

static void limit(size_t room)
{
    struct rusage used;
    struct rlimit r;
    if (getrusage(RUSAGE_SELF, &used) || getrlimit(RLIMIT_CPU, &r)) return;
    rlim_t end = (rlim_t)used.ru_utime.tv_sec + (rlim_t)used.ru_stime.tv_sec + APART_SECONDS + (rlim_t)(room >> 20);
    if (r.rlim_max != RLIM_INFINITY && end > r.rlim_max) end = r.rlim_max;
    r.rlim_cur = end;
    setrlimit(RLIMIT_CPU, &r);
}

/* Until the asking side is gone: its end of the socket may live on in other forks of it. */
static bool await(int fd, pid_t parent)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int k;
    while ((k = poll(&p, 1, 2000)) <= 0)
        if ((k < 0 && errno != EINTR) || getppid() != parent) return false;
    return true;
}

static _Noreturn void serve_all(apart_t *a, pid_t parent, apart_serve_t serve, void *ctx)
{
    question_t q;
    settle();
    while (await(a->fd, parent) && take_all(a->fd, &q, sizeof q)) {
        answer_t r = {0};
        limit(q.room);
        r.rc = see(a, q.room) ? serve(ctx, q.ask, a->shared, a->room, &r.err) : err_set(&r.err, ERR_NOMEM, "no memory of %zu bytes", q.room);
        if (!send_all(a->fd, &r, sizeof r)) break;
    }
    _exit(0);
}

int apart_start(apart_t *a, apart_serve_t serve, void *ctx, err_t *err)
{
    int fd[2];
    const pid_t parent = getpid();
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd)) return err_set(err, ERR_NOMEM, "no socket: %s", strerror(errno));
    a->mem = memfd_create("cryolex", MFD_CLOEXEC);
    a->pid = a->mem < 0 ? -1 : fork();
    if (a->pid == 0) {
        close(fd[0]);
        a->fd = fd[1];
        serve_all(a, parent, serve, ctx);
    }
    int why = errno;
    close(fd[1]);
    a->fd = fd[0];
    if (a->pid > 0) return 0;
    a->pid = 0;
    return err_set(err, ERR_NOMEM, "no process of its own for the reader: %s", strerror(why));
}

/* ---- the asking side ---- */

static int died(apart_t *a, const char *what, err_t *err)
{
    int status = 0;
    pid_t got;
    while ((got = waitpid(a->pid, &status, 0)) < 0 && errno == EINTR) continue;
    a->pid = 0;
    if (got > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
        return err_set(err, ERR_FORMAT, "%s takes more than %d s: damaged", what, APART_SECONDS);
    if (got > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) return err_set(err, ERR_NOMEM, "%s was ended from without, as for want of memory", what);
    if (got > 0 && WIFSIGNALED(status)) return err_set(err, ERR_FORMAT, "%s crashed (signal %d): damaged", what, WTERMSIG(status));
    return err_set(err, ERR_FORMAT, "%s crashed: damaged", what);
}

int apart_ask(apart_t *a, const size_t ask[2], size_t room, const char *what, err_t *err)
{
    question_t q = {{ask[0], ask[1]}, room};
    answer_t r;
    if (!a->pid) return err_set(err, ERR_FORMAT, "%s crashed before: damaged", what);
    if (room > a->room && ftruncate(a->mem, (off_t)room)) return err_set(err, ERR_NOMEM, "no memory of %zu bytes: %s", room, strerror(errno));
    if (!see(a, room)) return err_set(err, ERR_NOMEM, "no memory of %zu bytes", room);
    if (!send_all(a->fd, &q, sizeof q) || !take_all(a->fd, &r, sizeof r)) return died(a, what, err);
    r.err.msg[sizeof r.err.msg - 1] = 0;
    return r.rc ? err_set(err, r.err.code, "%s", r.err.msg) : 0;
}

void apart_end(apart_t *a)
{
    if (a->pid > 0) {
        kill(a->pid, SIGKILL); /* it only reads */
        while (waitpid(a->pid, NULL, 0) < 0 && errno == EINTR) continue;
    }
    if (a->shared) munmap(a->shared, a->room);
    if (a->mem >= 0) close(a->mem);
    if (a->fd >= 0) close(a->fd);
    *a = APART_NONE;
}
