/* step_priv: what the two halves of step share. */
#ifndef CRYOLEX_NN_STEP_PRIV_H
#define CRYOLEX_NN_STEP_PRIV_H

#include "nn/pool.h"
#include "nn/step.h"

poolshape_t step_pool(const run_t *r, const step_t *s);
/* y = mask x / (1 - p), or with `sum` += that: the mask of sample i of the chunk. */
void step_dropout(const span_t *c, const step_t *s, size_t i, const float *x, float *y, bool sum);
/* A batchnorm, one sample: d back through the activation and on to `add`; sums (2, lanes): of d, and of d (x - mean). */
void step_batch_sums(const span_t *c, const step_t *s, double *sums);
double l2_length(const float *x, size_t n);

#endif
