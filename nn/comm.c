/* comm: one process alone (see comm.h). */
#include "nn/comm.h"

#include <string.h>

static int self_sum(const comm_t *c, float *x, size_t n, err_t *err)
{
    (void)c, (void)x, (void)n, (void)err;
    return 0;
}

static int self_gather(const comm_t *c, const float *x, size_t n, float *all, err_t *err)
{
    (void)c, (void)err;
    if (all != x) memmove(all, x, n * sizeof *x);
    return 0;
}

const comm_t comm_self = {0, 1, self_sum, self_gather, NULL};
