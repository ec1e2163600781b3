/* fscplot: a picture of Fourier shell correlation curves. */
#ifndef CRYOLEX_SRC_FSCPLOT_H
#define CRYOLEX_SRC_FSCPLOT_H

#include "src/canvas.h"
#include "voxel/fsc.h"

/* All curves of f over the spatial frequency, with the thresholds (n of them), and the resolution by fsc_best() at each; as SVG or
 * PNG by the suffix of path (canvas_kind() is not CANVAS_NONE). 0, or -1: ERR_IO, ERR_NOMEM. */
int fscplot_write(const char *path, const fsc_t *f, const double *threshold, size_t n, err_t *err);

#endif
