/* train_step: parameters, network, losses and optimiser of a training run.
 * One block of floats: those of the encoder, text.weight, and the two log scales. Letters as in train_batch.h; d numbers of an
 * embedding. */
#ifndef CRYOLEX_PIPELINE_TRAIN_STEP_H
#define CRYOLEX_PIPELINE_TRAIN_STEP_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "nn/comm.h"
#include "nn/loss.h"
#include "nn/net.h"
#include "nn/optim.h"
#include "pipeline/train.h"
#include "pipeline/train_batch.h"

enum { SCALE_VIEW, SCALE_TEXT, SCALES };

typedef struct {
    const trainopts_t *o;
    const comm_t *comm;
    const net_t *net;  /* the encoder's, borrowed */
    net_t *text_net;   /* linear layer and l2norm; NULL without text */
    size_t n, text_at, text_size, scale_at; /* of the block, floats; text.weight (d, dim) begins at text_at */
    float *params, *grads;                  /* (n) */
    optim_t *optim;
    run_t *run, *text_run;
    infonce_t *view_loss, *text_loss;
    size_t batch, rows, d;
    float *z, *t;       /* (2b, d) embeddings of cubes, of captions */
    float *all;         /* (K, 2b, d) gathered */
    float *half[4];     /* (B, d) clean, view; captions of clean, of view */
    float *dhalf[4];    /* gradients; also room */
    float *part[4];     /* (B, d) rows with captions: structures, captions, and gradients of both */
    uint64_t *label;    /* (B) */
} trainstep_t;

typedef struct {
    double loss, loss_view, loss_text; /* loss_text 0 where no row had a caption */
    double top1_view, top1_text;       /* of the batch */
    double scale[SCALES];              /* after the step */
    optstep_t step;
} stepout_t;

/* e's present parameters are where training starts; dim 0: no text. 0, or -1 with *s for freeing: ERR_RANGE options, ERR_NOMEM. */
int trainstep_new(const encoder_t *e, const trainopts_t *o, size_t dim, const comm_t *comm, trainstep_t *s, err_t *err);
void trainstep_free(trainstep_t *s);

/* One step at a learning rate. 0, or -1 with what comm fails with. The same bytes for any number of threads. */
int trainstep_run(trainstep_t *s, const trainbatch_t *b, uint64_t step, double rate, stepout_t *out, err_t *err);

#endif
