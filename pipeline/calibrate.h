/* calibrate: fit the evidence of annotation on views of entries that the network was not trained on. */
#ifndef CRYOLEX_PIPELINE_CALIBRATE_H
#define CRYOLEX_PIPELINE_CALIBRATE_H

#include "pipeline/bench_maps.h"
#include "pipeline/evidence.h"

/* What galleries a view is annotated by: as it is; without the view's entry; without any of its relatives, as a family that nobody has seen. */
enum { GALLERY_WHOLE, GALLERY_OTHERS, GALLERY_STRANGERS, CALIBRATE_GALLERIES };

/* How good a fit is, of one kind of term. Loss: mean of -log of the probability of what is so, in nats, over pairs of view and term. */
typedef struct {
    double pairs, terms;  /* weight of all pairs; pairs that are so */
    double before, after; /* loss with evidence_default(), and fitted */
} calibfit_t;

typedef struct {
    size_t views, failed;
    calibfit_t kind[TERM_KINDS], known;
    double kept, refused; /* shares: views whose first hits have a relative that are not called novel; others that are */
} calibrated_t;

/* The least share of views whose first hits have a relative that the cut keeps. */
#define CALIBRATE_KEEP 0.95

/* Views of w->data's split w->split, by w->seed, against w->search.x, which is read with INDEX_VOCAB, and with INDEX_VOCAB_EMBED and INDEX_TEXT(INDEX_MOLECULES) for
 * what these tell. Weights are those of the least loss (GSL's BFGS). A kind of term of which the entry of a view has none says nothing, but for EC numbers: an entry that
 * has any term and no EC number is no enzyme. 0, or -1: ERR_UNSUP an index without terms or a model; ERR_RANGE no view, or none with terms;
 * ERR_INTERNAL no fit; those of bench_maps.h. The same bytes for any number of threads. Source: Platt 1999, of logistic regression on scores. */
int calibrate_run(const benchwork_t *w, evidence_t *e, calibrated_t *c, err_t *err);

/* Does the entry say anything of a kind of term (see above)? */
bool calibrate_says(const terms_t *t, size_t entry, int space);

#endif
