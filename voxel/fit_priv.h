/* fit_priv: between fit.c, fit_search.c and fit_refine.c. */
#ifndef CRYOLEX_VOXEL_FIT_PRIV_H
#define CRYOLEX_VOXEL_FIT_PRIV_H

#include <stddef.h>

#include "base/err.h"
#include "base/vol.h"
#include "voxel/pose.h"

/* A model's density where it is above a small part of its highest. */
typedef struct {
    size_t n;
    double (*p)[3]; /* angstrom, about the model's centre */
    float *w;
    double radius;  /* of the farthest point */
} points_t;

/* ---- fit_search.c ---- */

/* The best translation of one rotation. */
typedef struct {
    double score;
    size_t rotation;
    pose_t pose; /* of points_t.p, in the map's frame */
} found_t;

/* The cross-correlation of the model with the map, for n rotations of pose_spread(n) and every translation by whole voxels that leaves
 * the model's centre inside the box from lo to hi (angstrom).
 * map: cubic voxels, 0 where nothing is. found (n): in the order of rotations. 0, or -1: ERR_NOMEM, ERR_RANGE, ERR_INTERNAL.
 * The same bytes for any number of threads. */
int fit_search(const vol_t *map, const points_t *m, const double lo[3], const double hi[3], size_t n, found_t *found, err_t *err);

/* ---- fit_refine.c ---- */

/* Moves *pose towards the nearest maximum of the correlation about the mean of the model's points with the map at their places, by quadratic
 * B-splines on the map's voxels (which smooth it by half a voxel); beyond the map is 0. The Levenberg-Marquardt method of GSL
 * (gsl_multilarge_nlinear) over a rotation vector, a translation, and the scale and offset of the map's values that leave least of the points' weights:
 * the least squares of that are (1 - correlation^2) of the weights' own. It ends after `steps`, or when one moves less than `still`: angstrom, of the
 * centre and of a point at half the radius.
 * GSL's error handler is turned off for the process.
 * Out: *score  the correlation there; 0, and *pose as it is, where there are no more points than parameters. 0, or -1: ERR_NOMEM. */
int fit_climb(const vol_t *map, const points_t *m, int steps, double still, pose_t *pose, double *score, err_t *err);

#endif
