/* cube: the canonical cube, the one representation of a map and of a model (DESIGN 2). */
#ifndef CRYOLEX_VOXEL_CUBE_H
#define CRYOLEX_VOXEL_CUBE_H

#include <stddef.h>

#include "base/err.h"
#include "base/vol.h"
#include "voxel/frame.h"

#define CUBE_SIDE 32       /* default side, voxels */
#define CUBE_EDGE 5.0      /* edge of the cube, in radii of gyration */
#define CUBE_BLUR 0.11     /* sigma of the low-pass before everything else, in radii of gyration */
#define CUBE_SHELLS 10     /* Fourier shells 0..9 (cycles per edge) are kept, the rest dropped */
#define CUBE_GAIN 6.0      /* most that the spectrum match may amplify a shell */
#define CUBE_VERSION 1     /* of all of the above and of the code; stored in an index */

typedef struct {
    size_t side;      /* voxels; 0 is CUBE_SIDE; even, 16..64 */
    const double *contour; /* level, in units of the map; NULL: estimated */
    int as_sampled;        /* leave the spectrum and the values as they were sampled (to measure the reference) */
    int draft;             /* faster, for views: the grid of the map is the work grid (so it should be about WORK_VOXEL to twice that and
                            * hold little but the molecule), DRAFT_ROUNDS rounds. Much the same cube, not the same bytes */
    int (*adjust)(frame_t *f, void *ctx, err_t *err); /* NULL, or changes the frame before the cube is sampled along it; a
                                                       * failure (-1, err set) is one of cube_make */
    void *ctx;             /* of adjust */
} cube_opts_t;

typedef struct {
    size_t side;
    float *data;        /* (side,side,side), x fastest, along axis[0]; 0..1 */
    frame_t frame;      /* centre, axes, radius of gyration: angstrom, in the coordinates of the map */
    double voxel;       /* CUBE_EDGE * rg / side, angstrom */
    double level;       /* contour level at the cube's resolution */
    double map_level;   /* that of the map as it came, contour_estimate(); NAN where that finds none */
    double background;
    size_t bad;       /* voxels of v that are NaN or infinite */
    double volume;      /* cubic angstrom inside the contour at the cube's resolution */
} cube_t;

/* Make the canonical cube of a density.
 *
 * Below a given contour the density is cut. It is low-passed to CUBE_BLUR * Rg; what stands above the level there
 * (contour_estimate), less specks, gives centre, Rg and principal axes, four times over, since the low-pass depends on
 * Rg. The cube is sampled along the axes, its radial amplitude spectrum brought to one reference, and it is scaled to
 * 0..1 by a high quantile.
 *
 * Up to the four frames of frame.h and to sampling error the cube does not change when the map is turned, moved,
 * padded, scaled, shifted in value, or stored in another axis order.
 *
 * In:   v  sides of 4 voxels and more; borrowed and unchanged; non-finite voxels count as background, a few hot or cold
 *          ones (contour_survey) are cut back
 *       o  NULL: defaults
 * Out:  c  free c->data with cube_free()
 * 0, or -1 with *c empty: ERR_RANGE a flat map, a contour above all of it, nothing above the level, a side below 4; ERR_USAGE side; ERR_NOMEM.
 * Thread-safe; the same bytes for any number of threads. */
int cube_make(const vol_t *v, const cube_opts_t *o, cube_t *c, err_t *err);
void cube_free(cube_t *c); /* leaves {0} */

/* The same, and *other, the cube that cube_make() makes with that side, for little more than the price of one; NULL: none. Both are empty on failure. */
int cube_make_both(const vol_t *v, const cube_opts_t *o, cube_t *c, cube_t *other, size_t side, err_t *err);

#endif
