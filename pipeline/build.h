/* build: an index from a manifest, on all cores. */
#ifndef CRYOLEX_PIPELINE_BUILD_H
#define CRYOLEX_PIPELINE_BUILD_H

#include <stddef.h>

#include "base/err.h"
#include "base/log.h"
#include "nn/comm.h"
#include "pipeline/describe.h"
#include "pipeline/index.h"
#include "pipeline/manifest.h"
#include "voxel/encoder.h"

/* Describe every item of the manifest and add it to *x, in the order of the manifest whatever the number of threads; of a shard
 * (x->shards) every item whose row is x->shard modulo that. Entries get digests; x->items is set in a shard.
 * An item that cannot be read, or whose id came before, is reported on `log` with its reason, counted in *failed and
 * left out. With an encoder, encoder_ready(), each has its embedding: x->d is that of e. d->cubes and d->side are set.
 * *x starts from {.scoring = scoring_default}. 0, or -1: ERR_NOMEM. */
int build_index(const manifest_t *m, describer_t *d, encoder_t *e, const log_t *log, index_t *x, size_t *failed, err_t *err);

/* What the ranks have built, each a shard of the manifest by its number, as one index at rank 0, without x->shards: the same as one process had built. The others'
 * come through files beside `out`, named OUT.shard-R, which rank 0 removes; theirs are then empty. *failed is added up. Called by all ranks. 0, or -1: the errors
 * of index_write(), index_read() and of c. */
int build_gather(index_t *x, const char *out, const comm_t *c, size_t *failed, err_t *err);

#endif
