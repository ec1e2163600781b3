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

/* Messages of bytes, in the order in which one rank sends them to another; beside the calls of comm_t. send: 0, or -1 ERR_NOMEM, ERR_INTERNAL, also where the other has
 * not taken it for `wait` seconds, as it may have died. take: 1 with the next
 * that has arrived, *p (mem_free()) and the rank that it is *from; 0 there is none; -1 ERR_INTERNAL, ERR_NOMEM. */
int par_send(const comm_t *c, int to, const void *p, size_t n, double wait, err_t *err);
int par_take(const comm_t *c, int *from, unsigned char **p, size_t *n, err_t *err);

/* In place of par_end() where a rank has died, for which MPI would wait for ever: the process may only exit. mpirun lets the others live when it is told to
 * (Open MPI: --enable-recovery). */
void par_leave(comm_t *c);

#endif
