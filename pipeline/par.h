/* par: the ranks of a run that mpirun started. par_mpi.c and par_serial.c implement it; configure picks one. */
#ifndef CRYOLEX_PIPELINE_PAR_H
#define CRYOLEX_PIPELINE_PAR_H

#include <stdbool.h>

#include "base/err.h"
#include "nn/comm.h"

/* Whether this program can have several ranks. */
extern const bool par_mpi;

/* All ranks, for one thread of each: the whole life of a process has one par_begin() and one par_end(). Without MPI, and
 * in a program that mpirun did not start, one rank. Sums are made in rank order, so that equal input has equal bytes.
 * 0, or -1: ERR_INTERNAL what MPI fails with; ERR_USAGE several processes under mpirun of a program without MPI. */
int par_begin(comm_t *c, err_t *err);
/* ok: false ends the other ranks too, which may be waiting for this one. */
void par_end(comm_t *c, bool ok);

#endif
