/* step: one step of a plan on a chunk of samples, forward (nn/step.c) and backward (nn/step_back.c). Inside nn/ only. */
#ifndef CRYOLEX_NN_STEP_H
#define CRYOLEX_NN_STEP_H

#include "nn/plan.h"

struct run {
    plan_t p;
    const pass_t *pass;
    const comm_t *comm;
    int threads;
    size_t bytes;
    float *weights, *stat;        /* of all steps */
    float *kept, *aux, *grad;     /* of all samples */
    float *arena, *work, *acc;    /* of all threads; of all threads; of all groups */
    double *partial;              /* (batch, 2, lanes): sums of a batchnorm, sample by sample */
    float *sums;                  /* (2 lanes + 1): over samples and ranks */
    size_t lanes;                 /* most lanes of a batchnorm that waits */
    double total;                 /* samples of all ranks */
    const float *params;          /* training: borrowed */
    size_t n;                     /* samples of the last forward */
    uint64_t seed;
    const float *const *in;       /* of this call */
    float *const *din;
};

/* Samples s0 .. s0 + n - 1, in the arena from its sample `off` of `chunk` on, and what their thread may use. */
typedef struct {
    const run_t *r;
    size_t s0, n, off, chunk;
    bool again; /* backward: values that were not kept are made again */
    float *arena, *work, *acc;
} span_t;

/* Part of a step's work on one sample: units u0 <= u < u1 of step_units(). */
typedef struct {
    size_t u0, u1;
} part_t;

/* What batchnorm needs of a whole batch; arrays of stride floats each in run_t.stat. */
typedef struct {
    float *mean, *rstd, *var; /* var: unbiased, for the running statistics */
    float *k0, *k1;           /* backward: of 1 and of x - mean */
} bnstat_t;
bnstat_t step_stat(const run_t *r, const step_t *s);

/* Where the chunk's first sample lies: a value (when made again: that of backward), one in backward, a gradient. */
float *span_value(const span_t *c, size_t v);
float *span_back(const span_t *c, size_t v);
float *span_grad(const span_t *c, size_t v);
float *span_aux(const span_t *c, const step_t *s, size_t i); /* of sample s0 + i */

/* Units of work that one sample of the step may be shared out in; 1: it cannot. */
size_t step_units(const run_t *r, const step_t *s);
/* part: NULL, all of each sample. Redone (span_t): what was saved is read. */
void step_forward(const span_t *c, const step_t *s, const part_t *part);
void step_backward(const span_t *c, const step_t *s);

/* The lanes of blocks b0.. of sample i: mean and 1/sd of each lane's group, 0 past the channels. */
void point_lanes(const span_t *c, const step_t *s, size_t i, size_t b0, size_t blocks, float *mean, float *rstd);
/* Blocks that hold whole groups. */
size_t point_unit(const run_t *r, const step_t *s);

/* Parameters in the steps' own order (nn/load.c), for the way forward or backward, and gradients out of it. */
void step_load(const run_t *r, const step_t *s, const float *params, bool back, float *work);
void step_finish(const run_t *r, const step_t *s, const float *acc, float *grads, float *work);

/* Volume of one sample <-> rows (vox,C). */
void rows_take(const geom_t *g, const float *x, float *rows);
void rows_put(const geom_t *g, const float *rows, float *x);

#endif
