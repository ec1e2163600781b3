/* axes: sections as a file has them, to their places in a volume with axes x, y, z. */
#ifndef CRYOLEX_MRC_AXES_H
#define CRYOLEX_MRC_AXES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/vol.h"

enum { AXES_BATCH = 16 }; /* sections that are held, beside the volume, where they are scattered */

/* axis: 0 x, 1 y, 2 z of column, row and section; a permutation. Are sections of the file sections of the volume, in order? */
static inline bool axes_straight(const int *axis) { return axis[0] == 0 && axis[1] == 1; }

/* count sections (count, n[1], n[0]) from `section` on to their places in v, whose sides are n as x, y, z. */
void axes_scatter(const size_t *n, const int *axis, const float *in, size_t section, size_t count, const vol_t *v);

#endif
