/* cryolex: what is this cryo-EM map, and what does it do? The program: a table of commands. */
#include <cblas.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/threads.h"
#include "config.h"
#include "src/cmd.h"
#include "src/doc.h"

static const opt_t common[] = {
    {'j', "threads", OPT_INT, offsetof(app_t, threads), "N", 0, 4096, NULL, "0",
     "Threads; 0 is every core. Results do not depend on it"},
    {0, "memory", OPT_SIZE, offsetof(app_t, memory), "SIZE", 1 << 20, 0x1p50, NULL, "8G",
     "Refuse, or stream, a map that needs more memory than this"},
    {'q', "quiet", OPT_FLAG, offsetof(app_t, quiet), NULL, 0, 0, NULL, NULL, "Only warnings and errors on stderr"},
    {0},
};

int cmd_fail(const app_t *app, const err_t *err)
{
    if (err->code != ERR_USAGE) {
        log_msg(&app->log, LOG_ERROR, "%s", err->msg);
        return EXIT_NOT_RUN;
    }
    log_msg(&app->log, LOG_ERROR, "%s; see cryolex %s -h", err->msg, app->cmd);
    return EXIT_MISUSE;
}

/* The command that argv[1] (and argv[2]) name; *words is how many. NULL if there is none. */
static const cmd_t *cmd_find(int argc, char **argv, int *words)
{
    for (const cmd_t *const *c = cmd_table; *c; c++) {
        const char *name = (*c)->name, *gap = strchr(name, ' ');
        if (!gap && !strcmp(argv[1], name)) {
            *words = 1;
            return *c;
        }
        if (gap && argc > 2 && strlen(argv[1]) == (size_t)(gap - name) && !strncmp(argv[1], name, (size_t)(gap - name)) &&
            !strcmp(argv[2], gap + 1)) {
            *words = 2;
            return *c;
        }
    }
    return NULL;
}

/* The cores have one owner: our own parallel regions. OpenBLAS has made its threads by the time that main() runs, and they wait for work by
 * yielding, which costs a short run a tenth of a second; where the library has a name for it, they are ended. */
int blas_thread_shutdown_(void) __attribute__((weak));
static void one_owner(void)
{
    openblas_set_num_threads(1);
    if (blas_thread_shutdown_) blas_thread_shutdown_();
}

static int run(const cmd_t *c, int argc, char **argv)
{
    app_t app = {.cmd = c->name, .log = {.f = stderr, .level = LOG_INFO, .tty = isatty(STDERR_FILENO)}};
    void *opts = mem_zero(1, c->opt_size ? c->opt_size : 1, NULL);
    err_t err = {0};
    int first = 1, status = EXIT_MISUSE;
    bool help = false;
    if (!opts) return EXIT_NOT_RUN;

    opt_defaults(common, &app);
    opt_defaults(c->opts, opts);
    if (opt_parse(c->opts, opts, common, &app, argc, argv, &first, &help, &err)) {
        fprintf(stderr, "cryolex: %s; see cryolex %s -h\n", err.msg, c->name);
        goto done;
    }
    if (help) {
        doc_help(c, common, stdout);
        status = EXIT_DONE;
        goto done;
    }
    int n = argc - first;
    if (n < c->min_args || (c->max_args >= 0 && n > c->max_args)) {
        fprintf(stderr, "cryolex: %s: %d operands; usage: cryolex %s [options] %s; see cryolex %s -h\n", c->name, n, c->name, c->args,
                c->name);
        goto done;
    }
    if (app.quiet) app.log.level = LOG_WARN;
    threads_set((int)app.threads);
    one_owner();
    double t = clock_wall();
    status = c->run(&app, opts, n, argv + first);
    if (status != EXIT_MISUSE)
        log_msg(&app.log, LOG_INFO, "%s: %.2f s wall, %.2f s CPU, %.0f MB peak", c->name, clock_wall() - t, clock_cpu(),
            clock_peak() / 1e6);
done:
    mem_free(opts);
    return status;
}

/* No command by that name: misuse, but for the first of two words and a -h. */
static int no_command(const char *what, const char *next)
{
    if ((!strcmp(next, "-h") || !strcmp(next, "--help")) && doc_group_help(what, stdout)) return EXIT_DONE;
    fprintf(stderr, "cryolex: %s", *what ? what : "no command given");
    if (doc_group(what, ": one of ", ", ", stderr))
        fprintf(stderr, " is wanted; see cryolex %s -h\n", what);
    else
        fprintf(stderr, "%s; see cryolex -h\n", *what ? ": no such command" : "");
    return EXIT_MISUSE;
}

/* For the build: `cryolex --man` lists the man pages, `cryolex --man PAGE` prints one. */
static int man(int argc, char **argv)
{
    if (argc < 3) {
        doc_pages(stdout);
        return EXIT_DONE;
    }
    if (!doc_man(argv[2], common, stdout)) return EXIT_DONE;
    fprintf(stderr, "cryolex: --man: no page %s; see cryolex --man\n", argv[2]);
    return EXIT_MISUSE;
}

/* A standard stream that the caller has closed must not become some file that we open: put in its place
 * one that fails to read (0) or to write (1, 2). */
static void streams_open(void)
{
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", fd ? O_RDONLY : O_WRONLY) != fd) exit(EXIT_NOT_RUN);
}

int main(int argc, char **argv)
{
    int status = EXIT_DONE, words = 0;
    streams_open();
    signal(SIGXFSZ, SIG_IGN); /* past a limit on file size a write fails, like one to a full disk */
    const char *what = argc > 1 ? argv[1] : "";
    const cmd_t *c = argc > 1 ? cmd_find(argc, argv, &words) : NULL;

    if (c)
        status = run(c, argc - words, argv + words);
    else if (!strcmp(what, "-h") || !strcmp(what, "--help") || !strcmp(what, "help"))
        doc_overview(stdout);
    else if (!strcmp(what, "-V") || !strcmp(what, "--version"))
        doc_version(stdout);
    else if (!strcmp(what, "--man"))
        status = man(argc, argv);
    else if (!strcmp(what, "--completion"))
        doc_completion(common, stdout);
    else
        status = no_command(what, argc > 2 ? argv[2] : "");
    if (fflush(stdout) || ferror(stdout)) {
        fprintf(stderr, "cryolex: error: standard output: cannot write\n");
        return EXIT_NOT_RUN;
    }
    return status;
}
