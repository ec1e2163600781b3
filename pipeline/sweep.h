/* sweep: one job on each of many items, by processes that may die, with what is done kept in a ledger.
 *
 * A rank (one process, or each of those that mpirun started) has a child process, its worker, that does the items on all its threads; so what crashes a
 * library costs the items in hand, not the run. Rank 0 hands out items, whoever asks first, and writes the results into the ledger (ledger.h). Items
 * that were in hand when a worker died are done once more, each alone; one that is alone when its worker dies has failed.
 *
 * A killed run loses the items in hand. Results do not depend on threads, ranks, shards or interruptions. */
#ifndef CRYOLEX_PIPELINE_SWEEP_H
#define CRYOLEX_PIPELINE_SWEEP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/log.h"
#include "pipeline/ledger.h"
#include "pipeline/manifest.h"
#include "pipeline/sweep_msg.h"

/* What a look at an item before it is done says. */
typedef struct {
    size_t need;     /* bytes that doing it takes */
    size_t size[3];  /* voxels; 0 unknown */
    double voxel[3]; /* angstrom */
    size_t coarse;   /* voxels: read it onto a grid of so many, as it is too large for the memory; 0: as it is */
} sweeplook_t;

/* What is done. All but header() is called in the worker. */
typedef struct {
    void *ctx;
    /* In rank 0. Another file that the results of an item depend on beside its map or maps: 1 with *path (mem_free()), 0 there is none, -1. NULL: of no item. */
    int (*header)(void *ctx, const item_t *it, char **path, err_t *err);
    /* Load what is needed. *run: what results depend on. 0, or -1: the sweep cannot start. */
    int (*open)(void *ctx, size_t threads, sweeprun_t *run, err_t *err);
    /* Any thread. `spare` is what items may take, bytes. False where that ends it: skipped, or failed, *r, which is {0} before. */
    bool (*look)(void *ctx, const item_t *it, size_t spare, sweeplook_t *look, result_t *r);
    /* Thread number 0..threads-1; several items at once. Fills *r, which look() has seen, done or failed. */
    void (*work)(void *ctx, size_t thread, const item_t *it, const sweeplook_t *look, result_t *r);
} sweepjob_t;

typedef struct {
    const char *dir;
    size_t shard, shards; /* the shard-th (from 1) of so many; 1 of 1: all. An item is in the same one whatever else is in the manifest */
    size_t threads, memory; /* of a rank; bytes for all that a worker has, items in hand and what open() loaded */
    bool retry_failed;    /* do those that failed again, */
    bool force;           /* or all */
    double silent;        /* seconds without a word after which the other ranks give up rank 0, and it, after a tenth of them, another; 0: 300 */
    const log_t *log;
} sweepopts_t;

/* In how many items it ended. */
typedef struct {
    size_t items, left;            /* in the shard; without a result */
    size_t now[LEDGER_STATES];     /* by this run */
    size_t total[LEDGER_STATES];
    size_t twice;                  /* rows of the manifest that are another's again: left out */
    bool stopped;                  /* by a signal */
    double cpu, peak;              /* of the workers of rank 0: seconds; bytes of the largest */
} sweepsum_t;

typedef struct sweep sweep_t;

/* Start: folder, worker, ranks. SIGTERM, SIGINT and SIGUSR1 then ask for an end, also those that come meanwhile. Called before this process has used threads. NULL: ERR_IO the folder; ERR_USAGE, ERR_UNSUP it holds a sweep in another
 * number of parts, of which each rank says so, before it is one of several, and nothing is made; the errors of par_begin(); ERR_NOMEM. End with sweep_end(). */
sweep_t *sweep_begin(const sweepopts_t *o, const sweepjob_t *job, err_t *err);
bool sweep_leads(const sweep_t *s); /* rank 0 */

/* Ranks but 0: work as rank 0 says, to its end. 0, or -1: ERR_INTERNAL rank 0 is silent. */
int sweep_serve(sweep_t *s, err_t *err);

/* Rank 0: do the items of the manifest that the ledger has no result of, in its order. An item that fails is logged. After a signal, those in
 * hand are finished; after a second one they are not, on any rank. 0, or -1, with all that was done in the ledger:
 *   what open() says
 *   ERR_USAGE     the ledger is of a sweep with another model, index or options (not with force)
 *   ERR_INTERNAL  workers die before they are ready
 * and the errors of ledger.h. */
int sweep_items(sweep_t *s, const manifest_t *m, sweepsum_t *sum, err_t *err);

/* The folder of this shard, where its ledger is and its results go: dir, or shard-I-of-N in it. */
const char *sweep_folder(const sweep_t *s);
const sweeprun_t *sweep_run(const sweep_t *s); /* after sweep_items() */
void sweep_end(sweep_t *s, bool ok);           /* ok false: on rank 0, ends the other ranks. Signals do again what they did before */

#endif
