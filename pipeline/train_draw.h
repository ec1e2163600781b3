/* train_draw: which entries a step works on: the training split in epochs, large clusters thinned out. */
#ifndef CRYOLEX_PIPELINE_TRAIN_DRAW_H
#define CRYOLEX_PIPELINE_TRAIN_DRAW_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "pipeline/train.h"
#include "pipeline/train_data.h"

/* Entry row[i] is in a share chance[i] of the epochs, spread evenly over them from a random start; an epoch has them in random
 * order, or in random order of batches of entries of like size. Everything follows from seed and epoch. */
typedef struct {
    uint64_t seed;
    size_t batch;
    double alike;
    const float *log_rg; /* of the dataset's entries, borrowed */
    size_t n;       /* usable entries of the training split */
    size_t *row;    /* (n) of the dataset */
    double *chance; /* (n) above 0, up to 1 */
    struct drawsize *size; /* (n) room */
    size_t *order;  /* (n) rows of the present epoch, */
    size_t count;   /* that many; their expected number is the sum of chance */
    uint64_t epoch; /* present */
    size_t at;      /* next in order */
} traindraw_t;

/* At the start of epoch 0; seed, batch, balance and alike of o. 0, or -1: ERR_RANGE no entry, ERR_NOMEM. Free in any case. */
int traindraw_new(const traindata_t *t, const trainopts_t *o, traindraw_t *w, err_t *err);
void traindraw_free(traindraw_t *w);

/* Go to a place. */
void traindraw_seek(traindraw_t *w, uint64_t epoch, size_t at);

/* The next batch, all of one epoch; what is left at the end of one, too few for a batch, is passed over. 0, or -1 ERR_RANGE: an epoch
 * has fewer. */
int traindraw_next(traindraw_t *w, size_t *entry, err_t *err);

#endif
