/* scoring: the numbers that a search by the learned space weighs with, in one place. An index may carry its own, calibrated
 * ones. */
#ifndef CRYOLEX_PIPELINE_SCORING_H
#define CRYOLEX_PIPELINE_SCORING_H

#include <stddef.h>

#include "base/err.h"

typedef struct {
    /* Two-stage score: cosine x cosine of the embeddings + cube x correlation of the cubes - (dlog_rg / size)^2 / 2 */
    double cosine, cube, size;
    double learned; /* weight of the cosine where cubes are not compared */
    /* Confidence of a hit, the probability that it is the same protein: the logistic function of bias + margin x (its score -
     * the best score of another entry) + quality x (cosine x cosine + cube x correlation) / (cosine + cube) */
    double bias, margin, quality;
    double vote; /* annotation: a hit counts exp((its score - the best score) / vote) */
    double text; /* annotation: log-odds that a term gains for each standard deviation by which its cosine with the query
                  * stands above the mean of its namespace; 0: hits alone */
} scoring_t;

extern const scoring_t scoring_default;

/* The fields by name. */
#define SCORING_FIELDS 9
extern const char *const scoring_name[SCORING_FIELDS];
double *scoring_field(scoring_t *s, size_t k);

/* Change the fields that `text` names: "cosine=14,cube=25". 0, or -1 ERR_USAGE: a name that is none; scoring_check(). */
int scoring_set(scoring_t *s, const char *text, err_t *err);
/* 0, or -1 ERR_USAGE: a number that is not finite; cosine, cube, learned, text below 0; size, vote not above 0. */
int scoring_check(const scoring_t *s, err_t *err);

/* Confidence of a hit; margin: its score less the best of another entry. */
double scoring_confidence(const scoring_t *s, double cosine, double cube, double margin);

#endif
