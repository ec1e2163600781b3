/* sweep_work: the process that does the items of a sweep. */
#ifndef CRYOLEX_PIPELINE_SWEEP_WORK_H
#define CRYOLEX_PIPELINE_SWEEP_WORK_H

#include <sys/types.h>

#include "pipeline/sweep.h"

/* Items that a worker has besides those in hand: their files are on their way from the disk. */
#define SWEEP_AHEAD 2

/* Fork a worker that talks through *fd, a socket. It ends when that is closed; it ignores SIGINT, SIGTERM and SIGUSR1. 0, or -1 ERR_IO. */
int worker_start(const sweepjob_t *job, size_t threads, size_t memory, pid_t *pid, int *fd, err_t *err);

#endif
