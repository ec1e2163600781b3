/* comm: what a network and a loss need of the other ranks of a data-parallel run. pipeline/ makes one over MPI; with
 * one process it is comm_self. All ranks call in the same order. */
#ifndef CRYOLEX_NN_COMM_H
#define CRYOLEX_NN_COMM_H

#include <stddef.h>

#include "base/err.h"

typedef struct comm {
    int rank, size;
    /* x (n) of every rank summed in rank order, the result everywhere, in place. 0 or -1. */
    int (*sum)(const struct comm *c, float *x, size_t n, err_t *err);
    /* all (size * n) = x (n) of rank 0, of rank 1, ... n is the same on every rank. 0 or -1. */
    int (*gather)(const struct comm *c, const float *x, size_t n, float *all, err_t *err);
    void *ctx;
} comm_t;

extern const comm_t comm_self; /* one rank: sum leaves x, gather copies */

#endif
