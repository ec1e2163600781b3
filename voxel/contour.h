/* contour: the level that separates a molecule from what surrounds it, and the mask above it. */
#ifndef CRYOLEX_VOXEL_CONTOUR_H
#define CRYOLEX_VOXEL_CONTOUR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vol.h"

typedef struct {
    double background; /* the commonest value: solvent, or 0 in a masked map */
    double level;      /* density above it is molecule */
    double plateau;    /* mean density above the level */
    double noise;      /* standard deviation of the background */
    double inside;     /* fraction of the voxels above the level, 0..1 */
} contour_t;

/* Estimate the contour level of a density. At the resolution of a map it is near the level that its authors recommend
 * (tests/parity/contour.tsv); of a low-passed one it is the envelope.
 *
 * The background is the mode of the histogram, and its noise the spread of the values below the mode. The level L is a
 * fixed point of
 *     L = background + CONTOUR_FRACTION * (mean of the density above L - background)
 * (iterative threshold selection, Ridler and Calvard 1978, IEEE Trans. SMC 8:630), at least CONTOUR_NOISE times the noise
 * above the background; where there are several (hot voxels make one of their own), the one with most contrast,
 * n (mean - background)^2 over the n voxels above it; where there is none, the top of the noise, or, where next to nothing
 * stands above that, a fixed point nearer to the background. Scaling or shifting the
 * density scales and shifts the level; padding with background leaves it.
 *
 * In:  v  finite voxels only are used
 * 0, or -1: ERR_RANGE no finite voxel, all equal ("flat map"), nothing above the background; ERR_NOMEM. Thread-safe. */
int contour_estimate(const vol_t *v, contour_t *c, err_t *err);
#define CONTOUR_FRACTION 0.5
#define CONTOUR_NOISE 3.0

typedef struct {
    double background;
    double lo, hi; /* a voxel beyond is an outlier: ten times as far from the background as all but one voxel in 10^4 */
    double least, most; /* of the finite voxels */
    size_t bad;         /* voxels that are NaN or infinite */
    bool contrast;      /* contour_estimate() finds a level, */
    contour_t contour;  /* and this is what it tells */
} survey_t;

/* What is common in a map and what is not. Errors as above. */
int contour_survey(const vol_t *v, survey_t *s, err_t *err);

/* mask[i] = 1 where v > level and the voxel belongs to a body of at least `keep` (0..1) times the voxels of the
 * largest one, joined through faces, edges and corners; 0 elsewhere. mask (nz,ny,nx) is the caller's.
 * Out: *inside  voxels set.   0, or -1: ERR_RANGE nothing above the level; ERR_NOMEM. */
int contour_mask(const vol_t *v, double level, double keep, unsigned char *mask, size_t *inside, err_t *err);

#endif
