/* train_valid: retrieval on the validation split. Letters as in train_data.h; Q queries, G entries of a gallery. */
#ifndef CRYOLEX_PIPELINE_TRAIN_VALID_H
#define CRYOLEX_PIPELINE_TRAIN_VALID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"
#include "nn/comm.h"
#include "pipeline/train.h"
#include "pipeline/train_data.h"

typedef struct {
    const traindata_t *data;
    const comm_t *comm;
    size_t queries;       /* Q; 0: there is nothing to validate on */
    size_t *query;        /* (Q) entries of the validation split */
    uint8_t *views;       /* (Q, S^3) EM-like views of them, always the same */
    float *view_features; /* (Q, F) */
    size_t entries;       /* usable ones: */
    size_t *entry;        /* queries first, then others in random order */
    size_t gallery;       /* how many of them are searched but at the end */
} trainvalid_set_t;

/* Draw queries and gallery and make the views. 0, or -1 ERR_NOMEM, with *v for freeing. */
int trainvalid_new(const traindata_t *t, const trainopts_t *o, const comm_t *comm, const log_t *log, trainvalid_set_t *v,
                   err_t *err);
void trainvalid_free(trainvalid_set_t *v);

/* Embed and search with the encoder's present parameters (encoder_ready() is called) and the text projection (d, dim), NULL: none; all: the
 * gallery is every usable entry. 0, or -1: errors of encoder_embed, of comm; ERR_NOMEM. Ranks share the work; equal bytes on any
 * number of threads and ranks. */
int trainvalid_run(const trainvalid_set_t *v, encoder_t *e, const float *text, bool all, trainvalid_t *out, err_t *err);

/* What runs are compared by, 0..1: the mean reciprocal ranks, by the weights of the objectives. */
double trainvalid_score(const trainvalid_t *r, const trainopts_t *o);

#endif
