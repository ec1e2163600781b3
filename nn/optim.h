/* optim: AdamW over one block of parameters (Loshchilov and Hutter 2019, arXiv 1711.05101), with clipping by the global
 * norm and a moving average of the weights.
 *
 * Step t = 1, 2, ... on every float of a trained range, as torch.optim.AdamW does:
 *   w -= rate decay w                     (ranges that decay; rate is the range's own share of the step's)
 *   m += (1 - beta1) (g - m);  v = beta2 v + (1 - beta2) g^2
 *   w -= rate / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
 * with g the gradient times min(1, clip / (norm + 1e-6)), norm that of the whole gradient (torch's clip_grad_norm_).
 * Then average += (1 - min(average, t / (9 + t))) (w - average): short at first, as nothing is known yet. */
#ifndef CRYOLEX_NN_OPTIM_H
#define CRYOLEX_NN_OPTIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "nn/stfile.h"

typedef struct {
    size_t at, size; /* floats, from the start of the block */
    bool trained;    /* false (running statistics): left alone; its average is a copy */
    bool decays;
    double rate; /* what the rate of a step is multiplied by, above 0; 0: as 1 */
} optrange_t;

typedef struct {
    double beta1, beta2; /* 0 up to below 1; usual 0.9, 0.999 */
    double eps;          /* above 0; usual 1e-8 */
    double decay;        /* weight decay, 0 up; usual 0.01 to 0.1 */
    double clip;         /* largest norm of the gradient; 0: any */
    double average;      /* decay of the moving average, below 1, say 0.999; 0: none is kept */
} optopts_t;

typedef struct {
    double norm;  /* of the gradient, before clipping */
    bool clipped;
    bool skipped; /* the norm is not finite: nothing was changed but the count of skipped steps */
} optstep_t;

typedef struct optim optim_t;

/* For a block of n floats; ranges ascend and do not overlap, and what is outside them is left alone. params: starting point
 * of the average, NULL where there is none. NULL: ERR_RANGE an option or a range, ERR_NOMEM. Free with optim_free(). */
optim_t *optim_new(size_t n, const optrange_t *range, size_t nrange, const optopts_t *o, const float *params, err_t *err);
void optim_free(optim_t *o); /* NULL is fine */

/* One step at the given rate. Runs in parallel over fixed blocks, sums in their order: the same bytes for any number of
 * threads. grads are those of the whole batch (summed over ranks), and are not changed. */
void optim_step(optim_t *o, float *params, const float *grads, double rate, optstep_t *out);

const float *optim_average(const optim_t *o); /* (n), or NULL */
uint64_t optim_steps(const optim_t *o);       /* done, without those skipped */
uint64_t optim_skipped(const optim_t *o);

/* The state as tensors optim.m, optim.v, optim.average (float32, the whole block) and metadata optim.steps,
 * optim.skipped, to be written with whatever else the file has. They point into o. The number of tensors, 2 or 3. */
#define OPTIM_TENSORS 3
#define OPTIM_META 2
size_t optim_state(optim_t *o, sttensor_t t[OPTIM_TENSORS], stmeta_t meta[OPTIM_META]);
/* Back, exactly. 0, or -1 and o as it was: ERR_FORMAT a tensor or a count that is missing or does not fit. */
int optim_load(optim_t *o, const stfile_t *f, err_t *err);

#endif
