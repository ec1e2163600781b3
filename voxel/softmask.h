/* softmask: a mask with a soft edge around what is dense in a map. */
#ifndef CRYOLEX_VOXEL_SOFTMASK_H
#define CRYOLEX_VOXEL_SOFTMASK_H

#include "base/err.h"
#include "base/vol.h"

#define SOFTMASK_LOWPASS 15.0 /* angstrom */
#define SOFTMASK_KEEP 0.05    /* of the largest body, by voxels: a smaller one is left out */
#define SOFTMASK_EXTEND 3.0   /* voxels (of the largest voxel side, where they differ) */
#define SOFTMASK_EDGE 6.0     /* voxels, likewise */

/* {0} or NULL: the defaults above, each for itself. */
typedef struct {
    double lowpass, extend, edge;
} softmask_opts_t;

/* The density is low-passed; what is above its contour (contour_estimate, contour_mask with SOFTMASK_KEEP) is 1, and so is
 * all within `extend` of it; from there the mask falls to 0 as a raised cosine that is `edge` wide. Distances are exact, from
 * voxel centre to voxel centre, in angstrom; they do not wrap round the box.
 *
 * A new volume on the grid of v, 0..1; free with vol_free(). NULL: ERR_RANGE as contour_estimate() (a flat map, nothing above
 * the background) or a lowpass that filter_apply() refuses, ERR_NOMEM, ERR_INTERNAL.
 * Memory, in maps: 3 with the result. Runs on all threads; the same bytes for any number.
 * Source of the distances: Felzenszwalb and Huttenlocher 2012, Theory Comput. 8:415. */
vol_t *softmask_make(const vol_t *v, const softmask_opts_t *o, err_t *err);

/* Squared distance, in angstrom, of each voxel centre to the nearest voxel that is not 0 in `inside` (nz,ny,nx), which has at
 * least one. v: sides and voxel sizes; its data get the result. 0, or -1: ERR_NOMEM. */
int softmask_distance(vol_t *v, const unsigned char *inside, err_t *err);

#endif
