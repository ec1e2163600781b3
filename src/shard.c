/* shard: which part of a batch this process does (see shard.h). */
#include "src/shard.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SHARDS_MAX 1000000

/* A whole number at *s, which moves behind it. */
static bool number(const char **s, size_t *out)
{
    char *end;
    if (**s < '0' || **s > '9') return false;
    unsigned long v = strtoul(*s, &end, 10);
    *s = end;
    *out = (size_t)v;
    return v <= SHARDS_MAX;
}

/* Of an environment variable; false where there is none. */
static bool variable(const char *name, size_t *out)
{
    const char *s = getenv(name);
    return s && number(&s, out) && !*s;
}

static int of_slurm(const char *cmd, size_t *shard, size_t *shards, err_t *err)
{
    size_t id, first = 0, step = 1;
    if (!variable("SLURM_ARRAY_TASK_ID", &id) || !variable("SLURM_ARRAY_TASK_COUNT", shards))
        return err_set(err, ERR_USAGE, "%s: --shard slurm: no task of a Slurm array (SLURM_ARRAY_TASK_ID and SLURM_ARRAY_TASK_COUNT are not set)", cmd);
    variable("SLURM_ARRAY_TASK_MIN", &first);
    variable("SLURM_ARRAY_TASK_STEP", &step);
    *shard = id >= first && step ? (id - first) / step : *shards;
    if (*shard < *shards) return 0;
    return err_set(err, ERR_USAGE, "%s: --shard slurm: SLURM_ARRAY_TASK_ID is %zu (from %zu, %zu tasks)", cmd, id, first, *shards);
}

int shard_parse(const char *cmd, const char *text, size_t *shard, size_t *shards, err_t *err)
{
    const char *s = text;
    if (!strcmp(text, "slurm")) return of_slurm(cmd, shard, shards, err);
    if (number(&s, shard) && *s++ == '/' && number(&s, shards) && !*s && *shard >= 1 && *shard <= *shards) {
        --*shard;
        return 0;
    }
    return err_set(err, ERR_USAGE, "%s: --shard %s: I/N, with I from 1 to N, or slurm is wanted", cmd, text);
}
