/* train_check: the state of a training run between two steps, as a safetensors file: tensors params, best (where there was
 * a validation), and those of nn/optim.h; metadata with everything else. */
#ifndef CRYOLEX_PIPELINE_TRAIN_CHECK_H
#define CRYOLEX_PIPELINE_TRAIN_CHECK_H

#include <stdint.h>

#include "base/err.h"
#include "nn/optim.h"
#include "pipeline/train.h"

#define TRAINCHECK_FORMAT "cryolex training 1"

typedef struct {
    uint64_t step, epoch, at;  /* steps done; place of the next batch (train_draw.h) */
    uint64_t best_step, worse; /* 0: the start; validations since the best */
    double best_score;
    trainvalid_t best_valid;
} trainstate_t;

typedef struct {
    const char *options; /* what a run has to agree in to go on: JSON text (train_report.h) */
    size_t n;            /* floats of the block */
    float *params, *best; /* (n) */
    optim_t *optim;
    trainstate_t *state;
} traincheck_t;

/* Write whole or not at all; equal states give equal bytes. 0, or -1: ERR_IO, ERR_NOMEM. */
int traincheck_write(const char *path, const traincheck_t *c, err_t *err);

/* Fill params, best, optim and state. 0, or -1: ERR_IO; ERR_FORMAT a file that is none or is damaged; ERR_UNSUP another format;
 * ERR_USAGE other options: the message shows where they begin to differ. */
int traincheck_read(const char *path, traincheck_t *c, err_t *err);

#endif
