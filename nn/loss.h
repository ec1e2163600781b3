/* loss: what training makes small, with gradients.
 *
 * InfoNCE (van den Oord et al. 2018, arXiv 1807.03748; CLIP: Radford et al. 2021, arXiv 2103.00020) between paired unit
 * vectors, the whole batch of all ranks as negatives.
 * Letters: K ranks; B rows of one rank, the same on each; N = K B rows of the whole batch, rank by rank; d dimensions.
 *   L[i,j] = s a_i . b_j,  s = exp(log scale)
 *   a to b: mean over i of -(1 / |P(i)|) sum over j in P(i) of (L[i,j] - log sum over k of exp L[i,k])
 *   b to a: the same with L transposed;  two-sided: the mean of both
 * P(i), the positives of row i, always has i. With |P(i)| = 1 this is cross-entropy with target i; with more it is the mean
 * of log-probabilities ("out") form of Khosla et al. 2020, arXiv 2004.11362, eq. 2.
 *
 * Ranks: the loss and the statistics are those of the whole batch, the same on every rank. da, db and dscale are this rank's
 * terms of the gradient of that one loss: da_i includes what every rank's rows have from a_i. So gradients of parameters
 * are SUMMED over ranks (comm->sum), not averaged; K ranks then equal one process with the same whole batch up to the
 * order of summation. */
#ifndef CRYOLEX_NN_LOSS_H
#define CRYOLEX_NN_LOSS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "nn/comm.h"

#define INFONCE_ROWS_MAX ((size_t)1 << 20)
#define INFONCE_LABELS_MAX ((size_t)1 << 22)

typedef struct {
    size_t rows;        /* most rows in a call, B */
    size_t dim;         /* d */
    size_t labels;      /* most labels in a call; 0: only pairs are positives */
    bool both;          /* two-sided; else a to b */
    const comm_t *comm; /* NULL: comm_self */
} infonceopts_t;

/* Labels of this rank's rows: row i has label[at[i]] up to label[at[i + 1]], ascending. Two rows are positives of each
 * other when they share a label; one label a row makes groups. */
typedef struct {
    const size_t *at;      /* (B + 1), or NULL: one label a row */
    const uint64_t *label;
} labels_t;

typedef struct {
    double loss;
    double dscale;   /* this rank's terms of the gradient with respect to log scale */
    double top1;     /* share of rows of a whose nearest row of b is a positive (the first, where several are as near) */
    double positive; /* mean cosine of a row of a with its positives */
    double negative; /* and with the others; 0 where there is none */
} infonceout_t;

typedef struct infonce infonce_t; /* workspace; one caller at a time */

/* All memory is taken here: 9 B N bytes, and 8 N d more with several ranks. NULL: ERR_RANGE, ERR_NOMEM. Free with infonce_free(). */
infonce_t *infonce_new(const infonceopts_t *o, err_t *err);
void infonce_free(infonce_t *f); /* NULL is fine */

/* a, b (n,d), n in 1..rows; labels may be NULL. da, db (n,d) written; NULL: not wanted (all ranks alike).
 * log_scale outside 0..ln 100 counts as the nearer end (infonce_clamp), but the gradient is as if it did not.
 * 0, or -1: ERR_RANGE n or labels beyond what infonce_new was told, labels that descend, ranks with different n: on every
 * rank alike; what comm fails with. Runs in parallel; the same bytes for any number of threads. */
int infonce_run(infonce_t *f, size_t n, const float *a, const float *b, const labels_t *labels, float log_scale, float *da,
                float *db, infonceout_t *out, err_t *err);

/* Log scale clipped to 0..ln 100 (CLIP): for the parameter, after each step. */
float infonce_clamp(float log_scale);

/* Mean over n of (x - t)^2; dx (n), NULL: not wanted. Thread-safe, one thread. */
double loss_square(const float *x, const float *t, size_t n, float *dx);
/* Mean over rows of 1 - x . t, x and t (rows,d) of unit length: distillation. dx (rows,d), NULL: not wanted. */
double loss_cosine(const float *x, const float *t, size_t rows, size_t d, float *dx);

#endif
