/* sweep_out: what a sweep found, from its ledgers into files. */
#ifndef CRYOLEX_PIPELINE_SWEEP_OUT_H
#define CRYOLEX_PIPELINE_SWEEP_OUT_H

#include <stddef.h>

#include "base/err.h"
#include "pipeline/ledger.h"

/* Items that ended alike. */
typedef struct {
    ledgerstate_t state; /* LEDGER_FAILED, LEDGER_SKIPPED */
    char *cause, *first; /* owned: the cause, and the message of the first */
    size_t n;
} sweepcause_t;

/* In how many parts the sweep in a folder is, by what ledgers are in it: 0 none, 1 all in one. 0, or -1: ERR_IO; ERR_UNSUP sweeps in several numbers of parts. */
int sweep_out_parts(const char *dir, size_t *parts, err_t *err);

/* What was written. End with sweep_out_free(). */
typedef struct {
    size_t total[LEDGER_STATES];
    sweepcause_t *cause; /* (causes) most frequent first */
    size_t causes, causecap;
    size_t shards, missing; /* shards that were joined; that are not there */
} sweepout_t;
void sweep_out_free(sweepout_t *o); /* leaves {0} */

/* Write into `dir` what its ledger holds, or the ledgers of its shards (shard-I-of-N), in the order of the manifest, each file atomically:
 *   results.jsonl   a line for each item that is done
 *   results.tsv     a row for each of these
 *   embeddings.h5   of each of these (vectors.h); none where none is done
 *   failures.tsv    id, path, state, cause, attempts, message of the others
 *   times.tsv       id, path, bytes, voxels and seconds of each: the only one that is not the same whenever it is made
 * The bytes do not depend on how the items were spread. 0, or -1: ERR_NOTFOUND no ledger; ERR_BUSY a sweep is at work on one; ERR_FORMAT an item in two of them; ERR_UNSUP ledgers of several
 * models, indexes, options, manifests or numbers of parts; ERR_NOMEM; the errors of ledger.h and vectors_h5(). */
int sweep_out(const char *dir, sweepout_t *o, err_t *err);

#endif
