/* shard: which part of a batch this process does, of several that run side by side. */
#ifndef CRYOLEX_SRC_SHARD_H
#define CRYOLEX_SRC_SHARD_H

#include <stddef.h>

#include "base/err.h"

/* "I/N": part I of N, 1/N to N/N; "slurm": that of a task of a Slurm array, by SLURM_ARRAY_TASK_ID, _MIN, _STEP and _COUNT. *shard 0..*shards-1.
 * 0, or -1 ERR_USAGE; cmd is the command, for the message. */
int shard_parse(const char *cmd, const char *text, size_t *shard, size_t *shards, err_t *err);

#endif
