/* plane: embeddings as points of a plane, for the eye. */
#ifndef CRYOLEX_PIPELINE_PLANE_H
#define CRYOLEX_PIPELINE_PLANE_H

#include <stddef.h>

#include "base/err.h"

#define PLANE_MOST 2048 /* numbers of a vector */

/* The first two principal components of n vectors z (n,d): at (n,2), the caller's, and in share[0], share[1] the part of the variance that each tells. Of either
 * component the loading of largest size is positive. What is not finite counts as 0. Components without variance are 0. The same bytes for any number of threads.
 * 0, or -1: ERR_RANGE d of 0 or over PLANE_MOST; ERR_NOMEM. */
int plane_of(const float *z, size_t n, size_t d, double *at, double share[2], err_t *err);

#endif
