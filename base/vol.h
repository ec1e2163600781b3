/* vol: a density on a regular orthogonal grid; what mrc/ makes and voxel/ works on. */
#ifndef CRYOLEX_BASE_VOL_H
#define CRYOLEX_BASE_VOL_H

#include <stddef.h>

#include "base/err.h"

#define VOL_SIDE_MAX 32768 /* voxels along one axis */

/* data (nz,ny,nx), x fastest: value at (x,y,z) is data[(z*ny + y)*nx + x].
 * The centre of voxel (x,y,z) is at origin + (x,y,z) * voxel, angstrom, right-handed. */
typedef struct {
    size_t nx, ny, nz;
    double voxel[3];  /* angstrom along x, y, z; > 0 */
    double origin[3]; /* angstrom; centre of voxel (0,0,0) */
    float *data;
    size_t lead; /* floats of its memory before data: the header, in a file that was decompressed at one go; 0 in any other volume */
} vol_t;

typedef struct {
    double min, max, mean, sd; /* over the finite voxels; sd is the population's. All 0 when there is none */
    size_t bad;                /* voxels that are NaN or infinite */
} volstat_t;

/* New volume of zeros, cubic voxel of `voxel` angstrom, origin 0; free with vol_free().
 * NULL: ERR_RANGE a side outside 1..VOL_SIDE_MAX, ERR_NOMEM. */
vol_t *vol_new(size_t nx, size_t ny, size_t nz, double voxel, err_t *err);
vol_t *vol_clone(const vol_t *v, err_t *err); /* deep copy; NULL: ERR_NOMEM */
void vol_free(vol_t *v);                      /* NULL is fine */

static inline size_t vol_len(const vol_t *v) { return v->nx * v->ny * v->nz; }
static inline size_t vol_idx(const vol_t *v, size_t x, size_t y, size_t z) { return (z * v->ny + y) * v->nx + x; }

/* Statistics in double, summed plane by plane: the same bytes for any number of threads. */
void vol_stats(const vol_t *v, volstat_t *s);

#endif
