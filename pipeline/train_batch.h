/* train_batch: what one step is fed: this rank's rows of the batch, made on all threads.
 * Letters: B entries of the whole batch; b = B / K of this rank, rows [rank b, rank b + b); F, S, dim as in train_data.h. */
#ifndef CRYOLEX_PIPELINE_TRAIN_BATCH_H
#define CRYOLEX_PIPELINE_TRAIN_BATCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "nn/comm.h"
#include "pipeline/train.h"
#include "pipeline/train_data.h"

typedef struct {
    const traindata_t *data;
    const trainopts_t *o;
    size_t batch, from, rows; /* B, first row of this rank, b */
    size_t dim;               /* of a text; 0: none wanted */
    size_t *entry;            /* (B) */
    size_t *work;             /* (b) rows in the order in which they are made, the largest first */
    float *cubes;             /* (2b, S^3) clean, then views */
    float *features;          /* (2b, F) */
    float *text;              /* (2b, dim) of a caption for each; 0 where there is none */
    float *room;              /* (threads, S^3) */
    uint64_t *same, *meaning; /* (B) labels for infonce_run() */
    unsigned char *told;      /* (B) whether the entry has a caption */
    unsigned char *bad;       /* (b) whether the view could not be made and the clean cube stands for it */
    size_t failed;            /* of them */
} trainbatch_t;

/* 0, or -1 ERR_NOMEM, with *b for freeing. */
int trainbatch_new(const traindata_t *t, const trainopts_t *o, size_t dim, const comm_t *comm, trainbatch_t *b, err_t *err);
void trainbatch_free(trainbatch_t *b);

/* Fill all else from b->entry for the given step. */
void trainbatch_make(trainbatch_t *b, uint64_t step);

#endif
