/* run_priv: what the two halves of run share. */
#ifndef CRYOLEX_NN_RUN_PRIV_H
#define CRYOLEX_NN_RUN_PRIV_H

#include "nn/step_priv.h"

/* The calling thread's arena and workspace, for segment g. */
span_t run_span(const run_t *r, const seg_t *g);
/* The parameters of a segment into r->weights. */
void run_pack(run_t *r, const seg_t *g, bool back);
/* sums (n) of the samples' partial sums, in their order, and over the ranks; sums[n]: the samples of all. 0, or -1 from comm. */
int run_sum(run_t *r, size_t n, err_t *err);

#endif
