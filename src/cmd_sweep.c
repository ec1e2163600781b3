/* cmd_sweep: cryolex sweep, annotate for all maps of an archive: resumable, on one machine or many. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/threads.h"
#include "pipeline/sweep_out.h"
#include "src/inputs.h"
#include "src/shard.h"
#include "src/sweepjob.h"
#include "src/table.h"

typedef struct {
    jobopts_t job;
    const char *out, *shard;
    bool merge, retry_failed, force;
} opts_t;

static const opt_t rows[] = {
    {'o', "output", OPT_STR, offsetof(opts_t, out), "DIR", 0, 0, NULL, NULL, "The folder of ledger and results, made where there is none"},
    {0, "retry-failed", OPT_FLAG, offsetof(opts_t, retry_failed), NULL, 0, 0, NULL, NULL, "Do those again that failed"},
    {0, "force", OPT_FLAG, offsetof(opts_t, force), NULL, 0, 0, NULL, NULL, "Do all again, also with another model, index or options"},
    {0, "shard", OPT_STR, offsetof(opts_t, shard), "I/N", 0, 0, NULL, NULL,
     "Do only the I-th of N parts, 1/N to N/N; without it, in a Slurm array, the part is that of the task. Its ledger and results are in a folder of their own in DIR"},
    {0, "merge", OPT_FLAG, offsetof(opts_t, merge), NULL, 0, 0, NULL, NULL, "Do nothing; write into DIR the results that its ledger, or those of its parts, hold so far"},
    {0, "what is done", OPT_GROUP, offsetof(opts_t, job), NULL, 0, 0, job_rows, NULL, NULL},
    {0, "queries", OPT_GROUP, offsetof(opts_t, job.query), NULL, 0, 0, query_rows_single, NULL, NULL},
    {0, "maps", OPT_GROUP, offsetof(opts_t, job.map), NULL, 0, 0, mapopts_rows, NULL, NULL},
    {0},
};

/* Which part: the option's, else that of a task of a Slurm array, else all. */
static int read_shard(const opts_t *o, sweepopts_t *s, err_t *err)
{
    const char *text = o->shard ? o->shard : getenv("SLURM_ARRAY_TASK_ID") ? "slurm" : "1/1";
    if (shard_parse("sweep", text, &s->shard, &s->shards, err)) return -1;
    s->shard++;
    return 0;
}

/* What failed and what was skipped, by cause. */
static void tell_causes(const app_t *app, const sweepout_t *out)
{
    for (size_t i = 0; i < out->causes; i++) {
        const sweepcause_t *c = &out->cause[i];
        log_msg(&app->log, c->state == LEDGER_FAILED ? LOG_WARN : LOG_INFO, "%s, %s: %zu, such as %s", ledger_state[c->state], c->cause, c->n, c->first);
    }
}

/* Write what the ledgers of a folder hold. */
static int write_results(const app_t *app, const char *dir, err_t *err)
{
    sweepout_t out;
    if (sweep_out(dir, &out, err)) return err->code == ERR_BUSY ? EXIT_AGAIN : EXIT_NOT_RUN;
    tell_causes(app, &out);
    if (out.missing) log_msg(&app->log, LOG_WARN, "%s: %zu parts are not there yet", dir, out.missing);
    if (out.total[LEDGER_PENDING]) log_msg(&app->log, LOG_WARN, "%s: %zu items have no result yet", dir, out.total[LEDGER_PENDING]);
    log_msg(&app->log, LOG_INFO, "%s: %zu done, %zu failed, %zu skipped", dir, out.total[LEDGER_DONE], out.total[LEDGER_FAILED], out.total[LEDGER_SKIPPED]);
    size_t later = out.total[LEDGER_PENDING] + out.missing, bad = out.total[LEDGER_FAILED], good = out.total[LEDGER_DONE] + out.total[LEDGER_SKIPPED];
    sweep_out_free(&out);
    return later ? EXIT_AGAIN : !bad ? EXIT_DONE : good ? EXIT_SOME_FAILED : EXIT_NOT_RUN;
}

/* As rank 0. The other ranks do not wait while results are written: *s is at its end then. */
static int lead(const app_t *app, sweep_t **s, char **argv, err_t *err)
{
    manifest_t m = {0};
    sweepsum_t sum;
    char *dir = mem_str(sweep_folder(*s), err);
    int status = EXIT_NOT_RUN;
    if (dir && !inputs_read(app, 1, argv, &m, err) && !sweep_items(*s, &m, &sum, err)) {
        if (sum.twice) log_msg(&app->log, LOG_WARN, "%zu rows have id and path of an earlier one: left out", sum.twice);
        if (sum.left) log_msg(&app->log, LOG_WARN, "%s: %zu of %zu items are left; the same command goes on", dir, sum.left, sum.items);
        if (sum.cpu > 0) log_msg(&app->log, LOG_INFO, "workers: %.2f s CPU, %.0f MB peak", sum.cpu, sum.peak / 1e6);
        sweep_end(*s, true);
        *s = NULL;
        status = sum.left ? EXIT_AGAIN : write_results(app, dir, err);
    }
    manifest_free(&m);
    mem_free(dir);
    return status;
}

static int run(const app_t *app, const void *opts, int argc, char **argv)
{
    const opts_t *o = opts;
    err_t err = {0};
    job_t j = {.app = app, .o = &o->job};
    sweepjob_t job = sweepjob(&j);
    sweepopts_t how = {.dir = o->out, .threads = (size_t)threads_max(), .memory = app->memory, .retry_failed = o->retry_failed, .force = o->force, .log = &app->log};
    sweep_t *s = NULL;
    int status = EXIT_NOT_RUN;
    if (!o->out) err_set(&err, ERR_USAGE, "sweep: no folder for the results; give -o DIR");
    else if (o->merge != (argc == 0)) err_set(&err, ERR_USAGE, o->merge ? "sweep: --merge takes no manifest" : "sweep: no manifest or folder of maps");
    else if (o->merge) status = write_results(app, o->out, &err);
    else if (!read_shard(o, &how, &err) && (s = sweep_begin(&how, &job, &err)))
        status = sweep_leads(s) ? lead(app, &s, argv, &err) : sweep_serve(s, &err) ? EXIT_NOT_RUN : EXIT_DONE;
    if (status == EXIT_AGAIN && err.code == ERR_BUSY) log_msg(&app->log, LOG_WARN, "%s: the results can be joined when it has ended", err.msg);
    else if (err.code != ERR_OK) status = cmd_fail(app, &err);
    sweep_end(s, err.code == ERR_OK);
    return status;
}

const cmd_t cmd_sweep = {
    .name = "sweep",
    .args = "-o DIR MANIFEST|FOLDER|-",
    .summary = "Annotate all maps of an archive, resumable, on many machines",
    .about = "For each map or model of a manifest or below a folder (see cryolex index build -h; - is a manifest on standard input): its embedding, the entries "
             "nearest to it, its terms, as cryolex annotate finds them with the same options, and what file and EMDB header say. All cores work, each on a map of its own, "
             "and --memory bounds the whole (of each rank); a map that is too large for it is read onto a coarser grid or, where that will not do, fails.\n\n"
             "What is done is kept in DIR/ledger.sqlite. After a kill, however hard, the same command goes on with what is not done, and does nothing twice. On SIGTERM, SIGINT or SIGUSR1 the maps in "
             "hand are finished, and the exit status is 75, which asks a batch system to put the job into its queue again. A map whose file or EMDB header has changed is done again; "
             "one that failed only with --retry-failed. A map that crashes the process that works on it twice has failed; the run goes on.\n\n"
             "At the end there are in DIR: results.jsonl, a line for each map that was done, the object that annotate --format json prints with id, map (what the file and its header say) and notes besides; "
             "results.tsv, a row for each of these with the first hit and the most confident term of each kind, as ID:PROBABILITY; embeddings.h5, as cryolex embed writes it; failures.tsv, what failed or was skipped, and why; "
             "times.tsv, seconds for reading it to the cube, network and search. They are in the order of the manifest and, but for times.tsv, the same bytes however the work was spread and interrupted.\n\n"
             "Several machines: mpirun -n K cryolex sweep ..., where rank 0 hands out the maps (mpirun --enable-recovery lets the others go on when a rank dies); or a Slurm array or --shard I/N, each part in a folder "
             "DIR/shard-I-of-N, and cryolex sweep -o DIR --merge at the end. scripts/slurm has job scripts.\n\n"
             "The exit status is 0 when every map was done or skipped, 1 when some failed, 75 when it was interrupted or, with --merge, when parts or items have no result yet or one is at work.",
    .example = "cryolex sweep -o sweep --skip-method tomography ~/emdb/structures",
    .opts = rows,
    .opt_size = sizeof(opts_t),
    .min_args = 0,
    .max_args = 1,
    .run = run,
};
