/* bench_calib: are probabilities what they say? Pairs of what was said and whether it was so, in bins. */
#ifndef CRYOLEX_PIPELINE_BENCH_CALIB_H
#define CRYOLEX_PIPELINE_BENCH_CALIB_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "pipeline/measure.h"

#define CALIB_BINS 10 /* of equal width, from 0 to 1 */
#define CALIB_ROWS 32

typedef struct calib calib_t;

/* Of queries of G groups. NULL: ERR_NOMEM. */
calib_t *calib_new(size_t groups, err_t *err);
void calib_free(calib_t *c); /* NULL is fine */

/* A pair of a row, that is, of a gallery and a kind, which are borrowed and told apart by their text. said: 0..1. 0, or -1: ERR_INTERNAL too many rows; ERR_NOMEM. */
int calib_add(calib_t *c, const char *gallery, const char *kind, size_t group, double said, bool was, err_t *err);

/* Write into dir
 *   calibration.tsv          gallery kind low high pairs said was
 *   calibration_summary.tsv  gallery kind pairs, and brier and ece with low and high
 * Brier 1950: the mean of (said - was)^2. Expected calibration error (Naeini et al. 2015): the mean over pairs of |mean said - share that was so| of their bin. Intervals by
 * b, of the same groups. Rows go to `rows`, too. 0, or -1: ERR_IO, ERR_NOMEM. */
int calib_write(const calib_t *c, const bootstrap_t *b, const char *dir, json_t *rows, err_t *err);

#endif
