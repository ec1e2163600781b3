/* sweep_plan: which items of a manifest are still to be done, by the ledger. */
#ifndef CRYOLEX_PIPELINE_SWEEP_PLAN_H
#define CRYOLEX_PIPELINE_SWEEP_PLAN_H

#include "pipeline/sweep.h"

/* An item to be done. */
typedef struct {
    size_t item;    /* of the manifest */
    int64_t row;    /* of the ledger */
    char sig[17];   /* of what it is run with */
    char skip[17];  /* the same with the filters: of an item that they skip */
    int slot;       /* that has it, -1 none */
    bool started, done;
    int deaths;     /* of workers that were at it */
} task_t;

typedef struct {
    task_t *task; /* (n) in the order of the manifest */
    size_t n;
    int (*tick)(void *ctx, err_t *err); /* called for each item while the plan is made; -1 ends that. NULL: none */
    void *ctx;
} sweepplan_t;

/* Whether an item, by its id, is in the shard-th of `shards`. */
bool sweep_plan_in_shard(const char *id, size_t shard, size_t shards);

/* Enter the manifest into the ledger, in one transaction, and list what is to be done: what has no result, or one with another file, half-map or header (by
 * size and time), other values in the manifest, model, index or options; what failed with o->retry_failed; all with o->force. Of *p, tick and ctx are set before. Counts the rest in *sum. 0, or -1 with *p for sweep_plan_free() only:
 * ERR_USAGE the ledger is of another run (not with force); ERR_NOMEM and the errors of ledger.h. */
int sweep_plan_make(const sweepopts_t *o, const sweepjob_t *job, const sweeprun_t *run, const manifest_t *m, ledger_t *l, sweepplan_t *p, sweepsum_t *sum, err_t *err);
void sweep_plan_free(sweepplan_t *p);

#endif
