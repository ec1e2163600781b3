/* scoring: the numbers that a search by the learned space weighs with, in one place. An index may carry its own, calibrated
 * ones. */
#ifndef CRYOLEX_PIPELINE_SCORING_H
#define CRYOLEX_PIPELINE_SCORING_H

#include <stddef.h>

#include "base/err.h"

typedef struct {
    double cosine; /* weight of the cosine of two embeddings, and */
    double cube;   /* of the correlation of two cubes, in a score that has both */
    double size;   /* standard deviation of ln Rg: the size term is -(difference / size)^2 / 2 */
    double bias, margin, quality; /* confidence of a hit: logistic(bias + margin x (its score - the best score of another entry)
                                   * + quality x its shape part, score without size term, over cosine + cube) */
    double vote; /* annotation: hits count exp((score - best score) / vote) */
    double text; /* annotation: log-odds that a term gains for each standard deviation by which its cosine with the query
                  * stands above those of its namespace; 0: hits alone */
} scoring_t;

extern const scoring_t scoring_default;

/* The fields by name. */
#define SCORING_FIELDS 8
extern const char *const scoring_name[SCORING_FIELDS];
double *scoring_field(scoring_t *s, size_t k);

/* Change the fields that `text` names: "cosine=14,cube=25". 0, or -1 ERR_USAGE: a name that is none, a number that is not
 * finite; cosine, cube, text and margin below 0, size and vote not above 0. */
int scoring_set(scoring_t *s, const char *text, err_t *err);
int scoring_check(const scoring_t *s, err_t *err);

#endif
