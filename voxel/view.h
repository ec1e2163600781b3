/* view: a canonical cube of a model as it would come from a map (DESIGN 4). */
#ifndef CRYOLEX_VOXEL_VIEW_H
#define CRYOLEX_VOXEL_VIEW_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vol.h"
#include "pdb/model.h"
#include "voxel/cube.h"
#include "voxel/membrane.h"

/* Something that happens to some views: with probability p, by an amount drawn uniformly between lo and hi. */
typedef struct {
    double p, lo, hi;
} chance_t;

/* What may happen to a model on its way into an EM-like view, in the order in which it does. view_em has the defaults;
 * {0} changes nothing but the grid. "Density" is relative to the mean inside
 * the volume of the atoms. */
typedef struct {
    size_t side;         /* of the cube; 0: CUBE_SIDE */
    chance_t hand;       /* mirrored; the amount does not matter */
    chance_t magnify;    /* length, a factor */
    /* the body: fractions are of its weight */
    chance_t chains;     /* whole chains missing, at most this fraction */
    chance_t plane;      /* what lies beyond a random plane missing, fraction */
    chance_t bite;       /* what lies in a ball about a random atom missing, fraction */
    chance_t distal;     /* the atoms farthest from the centre missing, fraction */
    chance_t fade;       /* weight lost at the rim; 0 nothing, 1 all; by the square of the distance from a random focus */
    chance_t copy;       /* a part of itself once more, turned at random, at the surface; fraction */
    chance_t partner;    /* one to three shapeless balls at the surface; fraction, of all together */
    chance_t glycans;    /* small balls on the surface, number */
    /* the density */
    double grid[2];      /* voxel, in radii of gyration, uniform */
    double resolution[2]; /* angstrom, log-uniform; 0: DESCRIBE's of the clean view, 8 */
    chance_t bfactor;    /* further blur, square angstrom */
    double blur_most;    /* no one blur (resolution, bfactor, local, smooth) has a sigma above this, in radii of gyration: small
                          * particles are not seen at low resolution; 0: no bound */
    chance_t sharpen;    /* gain of an unsharp mask of 1.5 times the width of the blur */
    chance_t local;      /* further blur of the part far from a random focus, sigma in angstrom */
    chance_t belt;       /* detergent or lipid about the span; width, angstrom */
    chance_t weak;       /* the same where no membrane is known, across a random principal axis */
    double belt_density[2], belt_half[2]; /* density; half the height, angstrom */
    chance_t plateau;    /* solvent inside the mask above that outside, density */
    chance_t noise;      /* everywhere; standard deviation, density */
    chance_t inner;      /* further noise within the body, density */
    double colour[2];    /* sigma of the Gaussian that colours it, in voxels */
    chance_t mask;       /* soft mask; distance from the body, angstrom */
    chance_t contour;    /* cut at a level: volume inside over that of the atoms, log-uniform */
    chance_t coarse;     /* that contour on a grid of twice the voxel; the amount does not matter */
    chance_t smooth;     /* then blurred, sigma in angstrom */
    chance_t recut;      /* then 0 outside the contour again; the amount does not matter */
    /* the frame */
    chance_t shake;      /* of the second moments, see frame_shake() */
    double shift, scale; /* of the centre and of the radius, standard deviation in radii of gyration */
} viewopts_t;
extern const viewopts_t view_em;

#define VIEW_DENSITY 0.39 /* atomic numbers per cubic angstrom, hydrogen left out: 52 a residue in 134 cubic angstrom */
#define VIEW_SIDE 64      /* longest side of the grid, voxels */

/* Make a view of m.
 * In:   span  membrane of m, or NULL
 *       seed  of every random choice
 * Out:  c     as of cube_make(), free with cube_free()
 * 0, or -1: ERR_RANGE nothing with weight, or no extent; the errors of cube_make. Thread-safe; the same bytes for equal
 * input and any number of threads. */
int view_make(const model_t *m, const membrane_t *span, const viewopts_t *o, uint64_t seed, cube_t *c, err_t *err);

/* The density before the cube is made of it (for previews), as view_make() with the same arguments makes it. A new volume;
 * NULL on error. */
vol_t *view_density(const model_t *m, const membrane_t *span, const viewopts_t *o, uint64_t seed, err_t *err);

/* The resolution, in angstrom, that the view of this seed is made at, before any further blur. */
double view_resolution(const viewopts_t *o, uint64_t seed);

#endif
