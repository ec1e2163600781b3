/* blur: a Gaussian in real space; nothing wraps round the box. */
#ifndef CRYOLEX_VOXEL_BLUR_H
#define CRYOLEX_VOXEL_BLUR_H

#include "base/err.h"
#include "base/vol.h"

/* out = in convolved with a Gaussian of standard deviation sigma (angstrom), cut at 3.5 sigma and renormalised; beyond
 * the box the density counts as `outside`. in and out have equal sides and may be the same volume.
 * sigma <= 0 copies. 0, or -1: ERR_NOMEM, ERR_USAGE unequal sides. The same bytes for any number of threads. */
int blur_gauss(const vol_t *in, vol_t *out, double sigma, double outside, err_t *err);

#endif
