/* servejob: the queries of cryolex serve (see servejob.h). */
#include "config.h" /* O_TMPFILE, pipe2() */

#include "src/servejob.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "mrc/mrc.h"
#include "src/json.h"
#include "src/servereport.h"

const char *const job_state[JOB_STATES] = {"upload", "waiting", "running", "done", "failed"};

enum { OUT, SAID, PIPES };
enum { UPLOAD_FD = 3, PAGES = 256 }; /* files that are held open for pages */
#define UPLOAD_PATH "/dev/fd/3"
static const size_t pipe_max[PIPES] = {[OUT] = 4 << 20, [SAID] = 16 << 10}; /* more than that of a query is dropped */
static const size_t PAGE_MAX = (size_t)32 << 20;                            /* bytes of a page */
static const rlim_t BESIDE = (rlim_t)4 << 30;                               /* address space beside the map: libraries, index, stacks */

typedef struct {
    int fd; /* -1: at its end */
    char *text;
    size_t n, cap;
} pipe_t;

struct jobs {
    const joblimits_t *lim;
    job_t *first, **last;
    job_t *running;
    pid_t pid;
    double began;  /* clock_wall() of its process */
    bool paging;   /* the result is there, the process makes the page */
    pipe_t pipe[PIPES];
    size_t spooled, paged; /* bytes of uploads; of pages, with all that the one being made may take */
};

static int nameless(const char *folder, err_t *err)
{
    int fd = open(folder, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) return fd;
    size_t n = strlen(folder) + 32; /* a file system that has no such files */
    char *path = mem_new(n, 1, err);
    if (!path) return -1;
    snprintf(path, n, "%s/cryolex-XXXXXX", folder);
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0) unlink(path);
    else err_set(err, ERR_IO, "%s: no file can be made here: %s", folder, strerror(errno));
    mem_free(path);
    return fd;
}

jobs_t *jobs_new(const joblimits_t *lim, err_t *err)
{
    int fd = nameless(lim->folder, err);
    jobs_t *js = fd < 0 ? NULL : mem_zero(1, sizeof *js, err);
    if (fd >= 0) close(fd);
    if (!js) return NULL;
    js->lim = lim;
    js->last = &js->first;
    for (int k = 0; k < PIPES; k++) js->pipe[k].fd = -1;
    return js;
}

void jobs_free(jobs_t *js)
{
    if (!js) return;
    while (js->first) job_drop(js, js->first);
    for (int k = 0; k < PIPES; k++) mem_free(js->pipe[k].text);
    mem_free(js);
}

/* ---- uploads ---- */

size_t jobs_count(const jobs_t *js, jobstate_t state)
{
    size_t n = 0;
    for (const job_t *j = js->first; j; j = j->next) n += j->state == state;
    return n;
}

/* Room for n more bytes of an upload that has `has`? */
static int room(const jobs_t *js, size_t has, size_t n, err_t *err)
{
    const joblimits_t *l = js->lim;
    if (n > l->upload || has > l->upload - n) return err_set(err, ERR_RANGE, "the file is larger than %zu MiB, the most that is taken", l->upload >> 20);
    if (n > l->spool || js->spooled > l->spool - n) return err_set(err, ERR_USAGE, "too much is waiting; try again later");
    return 0;
}

static void forget_page(jobs_t *js, job_t *j)
{
    if (j->page < 0) return;
    close(j->page);
    j->page = -1;
    js->paged -= j->page_bytes;
}

/* Old pages go until n more bytes fit, none where they never will: a plain page has the result, too. */
static int make_room(jobs_t *js, size_t n, err_t *err)
{
    const size_t all = js->lim->spool, stay = js->paging ? js->running->page_bytes : 0;
    if (js->spooled + stay + n > all) return err_set(err, ERR_USAGE, "too much is waiting; try again later");
    for (job_t *j = js->first; j && js->spooled + js->paged + n > all; j = j->next)
        if (j != js->running) forget_page(js, j);
    return 0;
}

static int full(const jobs_t *js, err_t *err)
{
    if (jobs_count(js, JOB_WAITING) < (size_t)js->lim->waiting) return 0;
    return err_set(err, ERR_USAGE, "%ld queries are waiting, the most that may; try again later", js->lim->waiting);
}

static int make_id(char id[JOB_ID + 1], err_t *err)
{
    unsigned char r[JOB_ID / 2];
    if (getrandom(r, sizeof r, 0) != (ssize_t)sizeof r) return err_set(err, ERR_INTERNAL, "no random numbers: %s", strerror(errno));
    for (size_t i = 0; i < sizeof r; i++) snprintf(id + 2 * i, 3, "%02x", r[i]);
    return 0;
}

job_t *job_new(jobs_t *js, const char *name, size_t expected, err_t *err)
{
    if (full(js, err) || room(js, 0, expected, err)) return NULL;
    job_t *j = mem_zero(1, sizeof *j, err);
    if (!j) return NULL;
    *j = (job_t){.fd = -1, .page = -1, .contour = (double)NAN, .apix = (double)NAN, .since = clock_wall()};
    snprintf(j->name, sizeof j->name, "%s", *name ? name : "upload");
    utf8_clean(j->name, j->name);
    if (make_id(j->id, err) || (j->fd = nameless(js->lim->folder, err)) < 0) {
        mem_free(j);
        return NULL;
    }
    *js->last = j;
    js->last = &j->next;
    return j;
}

int job_write(jobs_t *js, job_t *j, const void *data, size_t n, err_t *err)
{
    const char *p = data;
    if (room(js, j->bytes, n, err) || make_room(js, n, err)) return -1;
    while (n) {
        ssize_t k = write(j->fd, p, n);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) return err_set(err, ERR_IO, "the upload cannot be kept: %s", strerror(errno));
        p += k;
        n -= (size_t)k;
        j->bytes += (size_t)k;
        js->spooled += (size_t)k;
    }
    return 0;
}

static void enter(job_t *j, jobstate_t state)
{
    double now = clock_wall();
    if (j->state == JOB_RUNNING) j->took = now - j->since;
    j->state = state;
    j->since = now;
}

/* The queue is in the order of submission: the query goes to the end. */
static void unlink_job(jobs_t *js, job_t *j)
{
    job_t **p = &js->first;
    while (*p != j) p = &(*p)->next;
    *p = j->next;
    if (js->last == &j->next) js->last = p;
    j->next = NULL;
}

int job_submit(jobs_t *js, job_t *j, err_t *err)
{
    if (!j->bytes) return err_set(err, ERR_FORMAT, "the file is empty");
    if (full(js, err)) return -1;
    unlink_job(js, j);
    *js->last = j;
    js->last = &j->next;
    enter(j, JOB_WAITING);
    return 0;
}

job_t *job_find(jobs_t *js, const char *id)
{
    for (job_t *j = js->first; j; j = j->next)
        if (j->state != JOB_UPLOAD && !strcmp(j->id, id)) return j;
    return NULL;
}

size_t job_ahead(const jobs_t *js, const job_t *j)
{
    size_t n = js->running != NULL;
    for (const job_t *i = js->first; i && i != j; i = i->next) n += i->state == JOB_WAITING;
    return n;
}

static void forget_file(jobs_t *js, job_t *j)
{
    if (j->fd < 0) return;
    close(j->fd);
    j->fd = -1;
    js->spooled -= j->bytes;
}

/* ---- the process of a query ---- */

/* It is told to stop by limits of its own, too, and ends when the server does. */
static void settle(const joblimits_t *l, pid_t parent)
{
    static const int handled[] = {SIGPIPE, SIGTERM, SIGINT, SIGHUP};
    sigset_t none;
    for (size_t k = 0; k < sizeof handled / sizeof *handled; k++) signal(handled[k], SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setsid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    long cores = l->threads ? l->threads : sysconf(_SC_NPROCESSORS_ONLN);
    rlim_t cpu = (rlim_t)(l->seconds * (double)(cores > 0 ? cores : 1)) + 1;
    setrlimit(RLIMIT_CPU, &(struct rlimit){cpu, cpu});
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__ /* whose address space is large */
    setrlimit(RLIMIT_AS, &(struct rlimit){l->memory + BESIDE, l->memory + BESIDE});
#endif
}

/* A map that promises too much is refused before any of it is unpacked: a small file can promise terabytes. */
static void refuse_bomb(const joblimits_t *l)
{
    mrc_header_t h;
    if (mrc_head(UPLOAD_PATH, NULL, &h, NULL, NULL) || h.data_bytes <= l->unpacked) return;
    dprintf(STDERR_FILENO, "cryolex: error: " UPLOAD_PATH ": %zu x %zu x %zu voxels, %.1f GB unpacked (at most %.1f here)\n", h.size[0], h.size[1], h.size[2],
            (double)h.data_bytes / 1e9, (double)l->unpacked / 1e9);
    _exit(3);
}

/* It has these files and no other: no connection of the server's lives on in it. */
static void take_files(const job_t *j, const int out[PIPES])
{
    int null = open("/dev/null", O_RDWR);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out[OUT], STDOUT_FILENO) < 0 || dup2(out[SAID], STDERR_FILENO) < 0) _exit(1);
    if (j->fd == UPLOAD_FD ? fcntl(j->fd, F_SETFD, 0) : dup2(j->fd, UPLOAD_FD) < 0) _exit(1);
    if (close_range(UPLOAD_FD + 1, ~0U, 0)) _exit(1);
}

static _Noreturn void compute(const joblimits_t *l, const job_t *j, pid_t parent, const int out[PIPES])
{
    char threads[24], memory[24], contour[64], apix[64];
    const char *argv[24] = {"cryolex", "annotate", "--quiet", "--format", "json", "--no-header", "--threads", threads, "--memory", memory};
    int n = 10;
    settle(l, parent);
    take_files(j, out);
    snprintf(threads, sizeof threads, "%ld", l->threads);
    snprintf(memory, sizeof memory, "%zu", l->memory);
    if (l->index) argv[n++] = "-i", argv[n++] = l->index;
    if (l->model) argv[n++] = "-m", argv[n++] = l->model;
    if (!isnan(j->contour)) snprintf(contour, sizeof contour, "--contour=%.17g", j->contour), argv[n++] = contour;
    if (!isnan(j->apix)) snprintf(apix, sizeof apix, "--apix=%.17g", j->apix), argv[n++] = apix;
    argv[n++] = UPLOAD_PATH;
    refuse_bomb(l);
    union {
        const char **in;
        char **out;
    } args = {.in = argv}; /* execv() changes none of them */
    execv("/proc/self/exe", args.out);
    dprintf(STDERR_FILENO, "cryolex: error: the program cannot be run: %s\n", strerror(errno));
    _exit(3);
}

/* The page, to a file. What is wrong with it is no matter: the result is there. */
static _Noreturn void make_page(const joblimits_t *l, const job_t *j, pid_t parent)
{
    const int out[PIPES] = {[OUT] = j->page, [SAID] = open("/dev/null", O_WRONLY)};
    settle(l, parent);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){j->page_bytes, j->page_bytes});
    take_files(j, out);
    _exit(servereport_print(stdout, j, UPLOAD_PATH, l, NULL) ? 3 : 0);
}

static void fail(jobs_t *js, job_t *j, const char *why)
{
    snprintf(j->why, sizeof j->why, "%s", why);
    enter(j, JOB_FAILED);
    forget_file(js, j);
}

static void start(jobs_t *js, job_t *j)
{
    int fd[PIPES][2] = {{-1, -1}, {-1, -1}}, out[PIPES];
    bool ok = true;
    const pid_t parent = getpid();
    for (int k = 0; ok && k < PIPES; k++) ok = pipe2(fd[k], O_CLOEXEC) == 0 && fcntl(fd[k][0], F_SETFL, O_NONBLOCK) == 0;
    for (int k = 0; k < PIPES; k++) out[k] = fd[k][1];
    js->pid = ok ? fork() : -1;
    if (js->pid == 0) compute(js->lim, j, parent, out);
    ok = js->pid > 0;
    for (int k = 0; k < PIPES; k++) {
        if (fd[k][1] >= 0) close(fd[k][1]);
        if (!ok && fd[k][0] >= 0) close(fd[k][0]);
        js->pipe[k].fd = ok ? fd[k][0] : -1;
        js->pipe[k].n = 0;
    }
    enter(j, JOB_RUNNING);
    js->began = j->since;
    if (ok) js->running = j;
    else fail(js, j, "no process could be started for this query; try again later");
}

/* What is there now, but not without end: it may write faster than we read. */
static void take(pipe_t *p, size_t most)
{
    char block[1 << 14];
    ssize_t k = 0;
    for (int turns = 0; turns < 64 && p->fd >= 0 && (k = read(p->fd, block, sizeof block)) > 0; turns++) {
        size_t n = (size_t)k < most - p->n ? (size_t)k : most - p->n;
        if (mem_grow(&p->text, &p->cap, p->n + n + 1, 1, NULL)) continue;
        memcpy(p->text + p->n, block, n);
        p->n += n;
    }
    if (p->fd < 0 || k > 0 || (k < 0 && (errno == EAGAIN || errno == EINTR))) return;
    close(p->fd);
    p->fd = -1;
}

/* Ended by itself? Its number is not given away before reap(). */
static bool has_ended(const jobs_t *js)
{
    siginfo_t info = {0};
    return !waitid(P_PID, (id_t)js->pid, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid == js->pid;
}

static void end_it(const jobs_t *js)
{
    kill(-js->pid, SIGKILL); /* with what it has started */
    kill(js->pid, SIGKILL);  /* where it has no group yet */
}

/* The end of the running query, however it came to it: nothing of it is left. Returns its status. */
static int reap(jobs_t *js)
{
    int status = 0;
    end_it(js);
    while (waitpid(js->pid, &status, 0) < 0 && errno == EINTR) continue;
    for (int k = 0; k < PIPES; k++) {
        pipe_t *p = &js->pipe[k];
        take(p, pipe_max[k]);
        if (p->fd >= 0) close(p->fd);
        p->fd = -1;
        if (!mem_grow(&p->text, &p->cap, p->n + 1, 1, NULL)) p->text[p->n] = 0;
        else p->n = 0;
    }
    js->running = NULL;
    js->pid = 0;
    return status;
}

/* ---- what it says ---- */

/* The object that it printed, with the name for the query; NULL where it is none. */
static char *result_of(const pipe_t *p, const char *name)
{
    json_t *r = p->n ? json_loadb(p->text, p->n, JSON_DISABLE_EOF_CHECK, NULL) : NULL;
    char *text = NULL;
    if (json_is_object(r) && !json_object_set_new(r, "query", json_text(name))) {
        char *dump = json_dumps(r, JSON_COMPACT | JSON_REAL_PRECISION(9));
        text = dump ? mem_str(dump, NULL) : NULL;
        free(dump); /* jansson's own */
    }
    json_decref(r);
    return text;
}

/* Its first error, with the name for the path. */
static void why_of(const pipe_t *p, const char *name, char *why, size_t room)
{
    static const char mark[] = "cryolex: error: ";
    const char *at = p->n ? strstr(p->text, mark) : NULL;
    size_t n = 0;
    if (!at) {
        snprintf(why, room, "it failed without a word");
        return;
    }
    for (at += sizeof mark - 1; *at && *at != '\n' && n + 1 < room; at++) {
        if (!strncmp(at, UPLOAD_PATH, sizeof UPLOAD_PATH - 1)) {
            n += (size_t)snprintf(why + n, room - n, "%s", name);
            if (n >= room) n = room - 1;
            at += sizeof UPLOAD_PATH - 2;
        } else {
            why[n++] = *at;
        }
    }
    why[n] = 0;
    utf8_clean(why, why);
}

/* false: no process can be started for it. */
static bool start_page(jobs_t *js, job_t *j)
{
    const pid_t parent = getpid();
    size_t pages = 0, left = js->lim->spool - js->spooled, most = js->lim->spool / 4 < PAGE_MAX ? js->lim->spool / 4 : PAGE_MAX; /* so that others stay */
    for (const job_t *i = js->first; i; i = i->next) pages += i->page >= 0;
    if (pages >= PAGES) return false;
    j->page_bytes = left < most ? left : most;
    if (make_room(js, j->page_bytes, NULL) || (j->page = nameless(js->lim->folder, NULL)) < 0) return false;
    js->paged += j->page_bytes;
    js->pid = fork();
    if (js->pid == 0) make_page(js->lim, j, parent);
    if (js->pid < 0) return false;
    js->began = clock_wall();
    j->late = false;
    js->paging = true;
    js->running = j;
    return true;
}

/* A page that is made: it takes what it has. */
static void keep_page(jobs_t *js, job_t *j)
{
    struct stat st;
    if (fstat(j->page, &st) || (size_t)st.st_size > j->page_bytes) return;
    js->paged -= j->page_bytes - (size_t)st.st_size;
    j->page_bytes = (size_t)st.st_size;
}

static void conclude(jobs_t *js)
{
    job_t *j = js->running;
    const joblimits_t *l = js->lim;
    int status = reap(js);
    bool well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (js->paging) {
        js->paging = false;
        if (well) keep_page(js, j);
        else forget_page(js, j);
        enter(j, JOB_DONE);
        forget_file(js, j);
        return;
    }
    if (well && (j->result = result_of(&js->pipe[OUT], j->name))) {
        if (start_page(js, j)) return;
        forget_page(js, j);
        enter(j, JOB_DONE);
        forget_file(js, j);
        return;
    }
    enter(j, JOB_FAILED);
    forget_file(js, j);
    if (j->late || (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)) snprintf(j->why, sizeof j->why, "it took more than %g s", l->seconds);
    else if (WIFSIGNALED(status)) snprintf(j->why, sizeof j->why, "the query crashed (signal %d)", WTERMSIG(status));
    else why_of(&js->pipe[SAID], j->name, j->why, sizeof j->why);
}

void job_drop(jobs_t *js, job_t *j)
{
    if (j == js->running) {
        reap(js);
        js->paging = false;
    }
    forget_file(js, j);
    forget_page(js, j);
    unlink_job(js, j);
    mem_free(j->result);
    mem_free(j);
}

void jobs_drop_queue(jobs_t *js)
{
    for (job_t *j = js->first, *next; j; j = next) {
        next = j->next;
        if (j->state == JOB_WAITING || j->state == JOB_RUNNING) job_drop(js, j);
    }
}

/* ---- as time passes ---- */

size_t jobs_poll(const jobs_t *js, struct pollfd *p)
{
    size_t n = 0;
    for (int k = 0; k < PIPES; k++)
        if (js->pipe[k].fd >= 0) p[n++] = (struct pollfd){.fd = js->pipe[k].fd, .events = POLLIN};
    return n;
}

static bool ended(const job_t *j) { return j->state == JOB_DONE || j->state == JOB_FAILED; }

static void forget_old(jobs_t *js)
{
    size_t kept = jobs_count(js, JOB_DONE) + jobs_count(js, JOB_FAILED);
    double now = clock_wall();
    for (job_t *j = js->first, *next; j; j = next) {
        next = j->next;
        if (!ended(j) || (kept <= (size_t)js->lim->keep && now - j->since <= js->lim->age)) continue;
        job_drop(js, j);
        kept--;
    }
}

void jobs_step(jobs_t *js)
{
    for (int k = 0; k < PIPES; k++) take(&js->pipe[k], pipe_max[k]);
    if (js->running && has_ended(js)) conclude(js);
    if (js->running && !js->running->late && clock_wall() - js->began > js->lim->seconds) {
        js->running->late = true;
        end_it(js);
    }
    for (job_t *j = js->first; j && !js->running; j = j->next)
        if (j->state == JOB_WAITING) start(js, j);
    forget_old(js);
}
