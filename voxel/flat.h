/* flat: slices and projections of a volume, as pictures. */
#ifndef CRYOLEX_VOXEL_FLAT_H
#define CRYOLEX_VOXEL_FLAT_H

#include <stddef.h>

#include "base/err.h"
#include "base/vol.h"
#include "voxel/raycast.h"

typedef struct {
    size_t w, h;
    double pitch[2]; /* angstrom between columns, between rows */
    float *v;        /* (h,w), top row first */
} flat_t;

/* The plane of voxels nearest to `place` (angstrom, in the volume's coordinates; one outside is the outermost) that a viewer of raycast.h faces, or the mean of all
 * planes along that line of sight, right and up as there. Voxels that are not finite are NAN in a slice and left out of a mean. 0, or -1: ERR_NOMEM.
 * Free with flat_free(). Thread-safe; same bytes for any number of threads. */
int flat_slice(const vol_t *v, raycastview_t view, const double place[3], flat_t *f, err_t *err);
int flat_project(const vol_t *v, raycastview_t view, flat_t *f, err_t *err);
void flat_free(flat_t *f); /* leaves {0} */

/* The same in out (h,w), `pitch` angstrom between pixels both ways, with column middle[0], row middle[1], in the middle: by cubic
 * convolution (Keys 1981, IEEE Trans. ASSP 29:1153) where that is finer, by means of bilinear values where it is coarser; NAN beside the
 * picture. Thread-safe. */
void flat_fit(const flat_t *f, const double middle[2], double pitch, size_t w, size_t h, float *out);

/* Column and row of a place, from 0, in the picture of a view of v. */
void flat_where(const vol_t *v, raycastview_t view, const double place[3], double at[2]);

#endif
