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

/* The plane through the middle of the volume (voxel n/2, rounded down) that a viewer of raycast.h faces, or the mean of all planes along that line of
 * sight, right and up as there. Voxels that are not finite are NAN in a slice and left out of a mean. 0, or -1: ERR_NOMEM. Free with flat_free().
 * Thread-safe; same bytes for any number of threads. */
int flat_slice(const vol_t *v, raycastview_t view, flat_t *f, err_t *err);
int flat_project(const vol_t *v, raycastview_t view, flat_t *f, err_t *err);
void flat_free(flat_t *f); /* leaves {0} */

/* The same in out (h,w), `pitch` angstrom between pixels both ways, middle on middle: by cubic convolution (Keys 1981, IEEE Trans. ASSP 29:1153)
 * where that is finer, by means of bilinear values where it is coarser; NAN beside the picture. Thread-safe. */
void flat_fit(const flat_t *f, double pitch, size_t w, size_t h, float *out);

#endif
