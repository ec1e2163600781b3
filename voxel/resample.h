/* resample: a volume on another grid, by Fourier crop or pad.
 *
 * The volume is taken as one period of a periodic function. New sides keep the field of view: along each axis
 * n * voxel stays the same, so the new voxel is n / m times the old one (to the last bit of double). The centre of voxel
 * (0,0,0) stays where it is and the origin does not change; new voxel j lies at the old coordinate j * n / m. With
 * even n and m voxel n/2 goes to m/2, the centre of the box in the habit of the field.
 * Frequencies below the lower of the two Nyquist limits are kept unchanged and the rest is left out, axis by axis; at
 * an even limit +Nyquist and -Nyquist are both given half weight, so the result is real and symmetric.
 * The mean is kept. Sides may be odd or even, 1 to VOL_SIDE_MAX, with any ratio; voxels may be anisotropic.
 * NaN and infinity spread over the whole result: replace them first.
 *
 * Only what is kept is computed: each plane of the input is reduced along y, then x, and the stack of reduced planes
 * along z, see lines.h. The result is the same bytes for any number of threads and any division into slabs. */
#ifndef CRYOLEX_VOXEL_RESAMPLE_H
#define CRYOLEX_VOXEL_RESAMPLE_H

#include <stddef.h>

#include "base/err.h"
#include "base/vol.h"

/* Same field of view, nx x ny x nz voxels. A new volume; free with vol_free(). NULL: ERR_RANGE a side outside
 * 1..VOL_SIDE_MAX, ERR_NOMEM, ERR_INTERNAL. Runs on all threads. */
vol_t *resample_box(const vol_t *v, size_t nx, size_t ny, size_t nz, err_t *err);

/* Cubic voxels of about `apix` angstrom (> 0). The field of view is kept, so each side is rounded:
 * m = 2 round(n * voxel / apix / 2), at least 2 (a side of 1 stays 1), and the exact voxel is n * voxel / m, which
 * v->voxel of the result gives; along different axes it may differ in the last per cent. Errors as above; a side past
 * VOL_SIDE_MAX or an apix that is not a positive number is ERR_RANGE. */
vol_t *resample_apix(const vol_t *v, double apix, err_t *err);

/* The sides that resample_apix gives; the same errors. Reads only the sides and voxel of v. */
int resample_sides(const vol_t *v, double apix, size_t side[3], err_t *err);

/* Crop or pad in real space around the centre: voxel n/2 (rounded down) becomes voxel m/2, along each axis. New voxels
 * get `fill`. Voxel size is kept and the origin moves, so every kept voxel stays where it is in space.
 * A new volume. NULL: ERR_RANGE, ERR_NOMEM. */
vol_t *resample_window(const vol_t *v, size_t nx, size_t ny, size_t nz, float fill, err_t *err);

/* The same as resample_box, for a map that comes in slabs and is never held whole. Memory: nz * my * mx floats
 * and the result. */
typedef struct resample resample_t;

/* `shape` gives sides, voxel and origin of the input; its data is not read and may be NULL. Free with
 * resample_free(). NULL as resample_box. */
resample_t *resample_begin(const vol_t *shape, size_t nx, size_t ny, size_t nz, err_t *err);

/* Planes z0..z0+nz-1, data (nz,ny,nx) of the input's sides, borrowed for the call. Slabs may come in any order; one
 * thread at a time (it runs on all). 0, or -1 with ERR_USAGE: a plane that does not exist or came before. */
int resample_slab(resample_t *r, size_t z0, size_t nz, const float *data, err_t *err);

/* The same of a part of a larger volume: `row` and `area` floats from row to row and from plane to plane. */
int resample_part(resample_t *r, size_t z0, size_t nz, const float *data, size_t row, size_t area, err_t *err);

/* All planes from a source that any thread may ask for any plane: read, convert and reduce go side by side.
 * Planes z0..z0+nz-1 to `planes` (nz,ny,nx); 0, or -1 with err set. Called from several threads at once. */
typedef int (*resample_read_t)(void *ctx, size_t z0, size_t nz, float *planes, err_t *err);

/* Instead of resample_slab. Memory: one plane for each thread more. 0, or -1 with the first error of `read`, ERR_NOMEM, or
 * ERR_USAGE when planes came before; after a failure r can only be freed. */
int resample_from(resample_t *r, resample_read_t read, void *ctx, err_t *err);

/* The result; NULL with ERR_USAGE when planes are missing, or ERR_NOMEM. r remains to be freed. */
vol_t *resample_end(resample_t *r, err_t *err);
void resample_free(resample_t *r); /* NULL is fine */

/* resample_box by one full transform there and one back: the plain form that the fast one is tested against. */
vol_t *resample_ref(const vol_t *v, size_t nx, size_t ny, size_t nz, err_t *err);

#endif
