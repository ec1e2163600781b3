/* frame: centre, size and principal axes of a density. */
#ifndef CRYOLEX_VOXEL_FRAME_H
#define CRYOLEX_VOXEL_FRAME_H

#include "base/err.h"
#include "base/rng.h"
#include "base/vol.h"

typedef struct {
    double centre[3];   /* centre of mass, angstrom, in the coordinates of the volume */
    double rg;          /* radius of gyration, angstrom */
    double axis[3][3];  /* rows: unit vectors of the principal axes, largest moment first; right-handed */
    double moment[3];   /* mean square distance along each axis, square angstrom; their sum is rg^2 */
    double mass;        /* sum of the weights times the volume of a voxel */
} frame_t;

/* Moments of the weights w (nz,ny,nx), one a voxel of `grid` (whose own data are not looked at); negative and
 * non-finite weights count as 0. Each sign of axis[0] and axis[1] is arbitrary: the four frames (+,+) (+,-) (-,+)
 * (-,-), with axis[2] their cross product, are one and the same to us.
 * Sums go plane by plane in double: the same bytes for any number of threads.
 * 0, or -1: ERR_RANGE no weight, or no extent; ERR_NOMEM. Thread-safe. */
int frame_of(const vol_t *grid, const float *w, frame_t *f, err_t *err);

/* Axes and moments of f from a matrix of second moments, symmetric, square angstrom, which is spoilt. It takes no memory. */
void frame_axes(double c[3][3], frame_t *f);

/* As another map of the same thing would have it: to the matrix of second moments is added a random symmetric one, normal,
 * with standard deviation size * rg^2 / 3 an element, and the axes are found again. Axes that are well apart tilt by a few
 * degrees; those of near-equal moments turn within their plane, or change places. The radius stays. */
void frame_shake(frame_t *f, double size, rng_t *r);

#endif
