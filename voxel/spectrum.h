/* spectrum: bring the radial amplitude spectrum of a cube to one reference. */
#ifndef CRYOLEX_VOXEL_SPECTRUM_H
#define CRYOLEX_VOXEL_SPECTRUM_H

#include <stddef.h>

#include "base/err.h"

#define SPECTRUM_MAX 33 /* shells of the largest cube, side 64 */

/* Root mean square amplitude |F| of each shell k = 0..side/2 (cycles per edge, rounded) of a cube (side,side,side);
 * amp holds side/2 + 1 numbers. 0, or -1: ERR_NOMEM. Thread-safe. */
int spectrum_of(const float *cube, size_t side, double *amp, err_t *err);

/* In place: each shell k < CUBE_SHELLS is scaled so that its amplitude, relative to shell 1, is the reference's (by
 * CUBE_GAIN at most); the shells above are dropped. Sharpening, B factor and blur thereby cancel, phases stay.
 * The reference is the median over simulated PDB entries. 0, or -1: ERR_NOMEM. Thread-safe. */
int spectrum_match(float *cube, size_t side, err_t *err);

#endif
