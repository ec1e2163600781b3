/* cmd_serve: cryolex serve, queries by a browser or a script on this machine. */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/query.h"
#include "src/serve.h"

typedef struct {
    const char *index, *model, *folder;
    long port, waiting, keep;
    size_t upload, spool, unpacked;
    double age, seconds, patience;
} opts_t;

static const opt_t rows[] = {
    {'p', "port", OPT_INT, offsetof(opts_t, port), "N", 0, 65535, NULL, "8350", "Port to listen on; 0 is any that is free"},
    {'i', "index", OPT_STR, offsetof(opts_t, index), "INDEX", 0, 0, NULL, NULL, "The index to search, as of annotate"},
    {'m', "model", OPT_STR, offsetof(opts_t, model), "MODEL", 0, 0, NULL, NULL, "The model that the index was made with, as of annotate"},
    {0, "max-upload", OPT_SIZE, offsetof(opts_t, upload), "SIZE", 1, 0x1p50, NULL, "1G", "Largest file that is taken"},
    {0, "max-unpacked", OPT_SIZE, offsetof(opts_t, unpacked), "SIZE", 1, 0x1p50, NULL, "8G",
     "Largest MRC map, unpacked, by what its header promises; refused before it is unpacked. Other formats are held by --memory and --time"},
    {0, "spool", OPT_SIZE, offsetof(opts_t, spool), "SIZE", 1, 0x1p50, NULL, "8G", "Most bytes of files that wait and of report pages, together; the oldest pages make room"},
    {0, "queue", OPT_INT, offsetof(opts_t, waiting), "N", 1, 1e6, NULL, "32", "Most queries that wait"},
    {0, "time", OPT_REAL, offsetof(opts_t, seconds), "S", 0.1, 1e6, NULL, "300", "Seconds after which a query is ended"},
    {0, "keep", OPT_INT, offsetof(opts_t, keep), "N", 1, 1e6, NULL, "200", "Most results that are kept, the newest"},
    {0, "age", OPT_REAL, offsetof(opts_t, age), "S", 0.1, 1e9, NULL, "3600", "Seconds after which a result is forgotten"},
    {0, "patience", OPT_REAL, offsetof(opts_t, patience), "S", 0.1, 1e6, NULL, "30",
     "Seconds for a request's header, for each half MiB of an upload and for taking an answer, after which the connection is closed"},
    {0, "folder", OPT_STR, offsetof(opts_t, folder), "DIR", 0, 0, NULL, NULL,
     "Whose disk holds uploads, as files without a name; without it $TMPDIR, else /tmp"},
    {0},
};

/* Whether queries can be run at all, found out by a process that ends, at the latest with us: index and model stay out of the server's memory. An exit status. */
static int try_out(const app_t *app, const opts_t *o)
{
    int status = 0;
    const pid_t parent = getpid();
    pid_t pid = fork(), got;
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(EXIT_NOT_RUN);
        queryopts_t query = {.index = o->index, .model = o->model, .contour = (double)NAN, .header = {.off = true}};
        mapopts_t map = {0};
        query_t q;
        err_t err = {0};
        status = query_open(&q, app, &query, &map, 1, QUERY_LEARNED, 0, 0, 0, &err) ? cmd_fail(app, &err) : EXIT_DONE;
        _exit(status);
    }
    while ((got = waitpid(pid, &status, 0)) < 0 && errno == EINTR) continue;
    return got == pid && WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_NOT_RUN;
}

static int run(const app_t *app, const void *opts, int argc, char **argv)
{
    const opts_t *o = opts;
    const char *tmp = getenv("TMPDIR");
    joblimits_t lim = {.folder = o->folder ? o->folder : tmp && *tmp ? tmp : "/tmp", .index = o->index, .model = o->model, .upload = o->upload,
                       .spool = o->spool, .unpacked = o->unpacked, .memory = app->memory, .threads = app->threads, .waiting = o->waiting,
                       .keep = o->keep, .age = o->age, .seconds = o->seconds};
    serveopts_t how = {.port = (int)o->port, .patience = o->patience};
    err_t err = {0};
    (void)argc, (void)argv;
    int status = try_out(app, o);
    if (status) return status;
    return serve_run(&how, &lim, &app->log, &err) ? cmd_fail(app, &err) : EXIT_DONE;
}

const cmd_t cmd_serve = {
    .name = "serve",
    .args = "",
    .summary = "Queries by a browser or a script on this machine",
    .about = "Listens on 127.0.0.1, which only this machine reaches, and writes the address to standard output. Its page takes a map or a model, "
             "shows where the query stands, and then what annotate finds, as the page of report. Queries are computed one after another, each on all cores by a process of its own, "
             "under --memory and --time; further ones wait.\n\n"
             "For scripts: POST /api/query?name=NAME with the file as the body (and contour=, apix=, as of annotate) answers with a JSON object that "
             "has an id; GET /api/query/ID tells its state (waiting, with the number of queries ahead; running; done, with the object of annotate --format json as result; "
             "failed, with an error), and DELETE /api/query/ID ends and forgets it.\n\n"
             "Uploads and pages are files without a name, results are kept in memory: nothing is left behind, however the server ends. SIGTERM, SIGINT and SIGHUP end it, and "
             "with it the queries that run or wait. Requests with another Host than this machine's name for itself, or of another server's pages, are "
             "refused; whoever can log in to this machine can ask queries, but has to know the id to see a result. From elsewhere, forward a port: ssh -L 8350:127.0.0.1:8350 HOST.",
    .example = "cryolex serve --port 8350",
    .opts = rows,
    .opt_size = sizeof(opts_t),
    .min_args = 0,
    .max_args = 0,
    .run = run,
};
