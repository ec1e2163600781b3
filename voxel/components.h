/* components: connected components of a mask on a 3D grid. */
#ifndef CRYOLEX_VOXEL_COMPONENTS_H
#define CRYOLEX_VOXEL_COMPONENTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Label the connected components of a mask.
 *
 * In:   mask          (nz,ny,nx), x fastest; a byte other than 0 is inside
 *       connectivity  6 (shared faces), 18 (faces and edges) or 26 (faces, edges and corners)
 * Out:  label         (nz,ny,nx), the caller's: 0 outside, 1..count inside, numbered by the first voxel of
 *                     each component in scan order (x fastest, then y, then z)
 *       count         number of components
 *
 * 0, or -1 with label undefined:
 *   ERR_USAGE  a connectivity other than these
 *   ERR_RANGE  a side of 0, or 2^32 - 1 voxels and more
 * Allocates nothing: the label array is its own union-find forest. The same bytes for any number of threads.
 * Thread-safe. Source: two passes with union-find over runs, He, Chao and Suzuki 2008, IEEE Trans. Image
 * Process. 17:749. */
int components_label(const unsigned char *mask, size_t nx, size_t ny, size_t nz, int connectivity, uint32_t *label,
                     size_t *count, err_t *err);

/* Voxels of each component: size[0] is the number of voxels outside, size[1..count] that of each label.
 * label (n) as components_label() left it; size has count + 1 places. Thread-safe. */
void components_sizes(const uint32_t *label, size_t n, size_t count, size_t *size);

#endif
