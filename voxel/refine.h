/* refine: a volume on a finer grid, by the cubic spline through its voxels. */
#ifndef CRYOLEX_VOXEL_REFINE_H
#define CRYOLEX_VOXEL_REFINE_H

#include <stddef.h>

#include "base/err.h"
#include "base/vol.h"

/* Voxels (nx,ny,nz) of v from `at` on, with `times` as many steps between them: a new volume of ((nx-1)*times+1, ...) voxels whose every
 * times-th is one of v, to rounding. Between them lies the interpolating spline of degree 3, smooth to the second derivative, mirrored at the edges of
 * the part. times 1 copies. Voxels that are not finite become `fill` first. Voxel size and origin are those of the new grid.
 *
 * NULL: ERR_RANGE a part outside of v or of no voxels, times 0, a side past VOL_SIDE_MAX; ERR_NOMEM. Thread-safe; same bytes for any number of
 * threads. Source: Unser, Aldroubi and Eden 1993, IEEE Trans. Signal Process. 41:821. */
vol_t *refine_part(const vol_t *v, const size_t at[3], const size_t side[3], size_t times, float fill, err_t *err);

#endif
