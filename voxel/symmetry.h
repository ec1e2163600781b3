/* symmetry: a guess at the point group of a density, by comparing it with itself turned. */
#ifndef CRYOLEX_VOXEL_SYMMETRY_H
#define CRYOLEX_VOXEL_SYMMETRY_H

#include <stddef.h>

#include "base/err.h"

#define SYMMETRY_FOLD 12 /* highest order of an axis that is looked for */

typedef struct {
    char group[8];   /* "C1", "C4", "D7", "T", "O", "I" */
    int order;       /* of the group: 1, 4, 14, 12, 24, 60 */
    double score;    /* least correlation of the density with itself under the rotations that make the group; 1 for C1 */
    double contrast; /* 0..1: how much less it falls short of 1 there than halfway between them, the least of all axes; 0 for C1 */
    double axis[3];  /* of highest order, of length 1, in the frame of the cube; 0 for C1 */
} symmetry_t;

#define SYMMETRY_SCORE 0.93    /* least that counts as symmetric */
#define SYMMETRY_CONTRAST 0.70 /* likewise; a body that looks much the same turned by any angle shows nothing */

/* cube (side,side,side), x fastest: a density whose centre of mass is the middle of the cube, low-passed so that an axis is not lost by a turn of a few
 * degrees, as the canonical cube is. What lies in the sphere of 0.44 sides counts. Axes are sought on a grid of some 6 degrees and refined; a group
 * needs all of its kinds of axes at their angles. Of a density at a resolution that does not show the parts of a ring, the ring is C1 or of a lower order.
 * 0, or -1: ERR_RANGE side outside 12..64; ERR_NOMEM. The same bytes for any number of threads. */
int symmetry_guess(const float *cube, size_t side, symmetry_t *out, err_t *err);

#endif
