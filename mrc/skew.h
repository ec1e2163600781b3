/* skew: a density on the grid of a non-orthogonal cell, resampled to an orthogonal one.
 *
 * The new grid has x along a and y in the ab plane; its steps are |a|/MX, |b| sin(gamma)/MY and the distance of the ab
 * planes /MZ, so that its planes are those of the cell and each of its rows is a row of the cell, displaced. Only the
 * displacements of rows within planes are interpolated: cubic convolution (Keys 1981, IEEE Trans. ASSP 29:1153, a = -1/2),
 * exact for quadratic densities, with the edge voxel repeated. What the parallelepiped does not cover is 0. */
#ifndef CRYOLEX_MRC_SKEW_H
#define CRYOLEX_MRC_SKEW_H

#include <stddef.h>

#include "base/err.h"
#include "base/vol.h"

/* v (nz,ny,nx) on the cell's grid with v->voxel along its edges, angles in degrees (alpha, beta, gamma) of a cell
 * that exists, v->origin the Cartesian place of voxel 0. A new volume that covers all of v, axes x, y, z.
 * NULL: ERR_RANGE a side or more than mem_limit bytes (0: none), ERR_NOMEM. The result does not depend on threads. */
vol_t *skew_straighten(const vol_t *v, const double *angle, size_t mem_limit, err_t *err);

#endif
