/* profile: how a density is spread over spherical shells about the centre of its cube. */
#ifndef CRYOLEX_VOXEL_PROFILE_H
#define CRYOLEX_VOXEL_PROFILE_H

#include <stddef.h>

#include "base/err.h"

#define PROFILE_SHELLS 16
#define PROFILE_COUNT (2 * PROFILE_SHELLS) /* numbers in a profile */
#define PROFILE_SIDE_MAX 1024              /* voxels */

/* Mean and standard deviation (the population's) of the density in each shell, divided by the length of the whole
 * vector: rotations and mirror images of a density, and its positive multiples, have the same profile.
 *
 * In:   cube  (n,n,n), x fastest
 *       n     1..PROFILE_SIDE_MAX
 * Out:  out   (PROFILE_COUNT): the means, from the centre outwards, then the deviations. Euclidean length 1
 *
 * The centre is that of the cube, (n - 1) / 2 in voxel numbers. Shell k holds the voxels whose centre is at
 * k w <= d < (k + 1) w from it, w = n / 2 / PROFILE_SHELLS voxels; those beyond n / 2 do not count. A shell without
 * voxels (n < 32) has mean and deviation 0.
 *
 * 0, or -1 with out undefined: ERR_RANGE n out of range, a voxel within n / 2 that is NaN or infinite, all of them 0.
 * Thread-safe; the same bytes each time. */
int profile_make(const float *cube, size_t n, float *out, err_t *err);

/* Euclidean distance of two profiles, 0..2. */
double profile_distance(const float *a, const float *b);

#endif
