/* filter: radial filters of a volume in Fourier space, in place.
 *
 * s is the spatial frequency, 1/angstrom, with the voxel size of each axis. The volume is taken as periodic. */
#ifndef CRYOLEX_VOXEL_FILTER_H
#define CRYOLEX_VOXEL_FILTER_H

#include "base/err.h"
#include "base/vol.h"

#define FILTER_EDGE 0.1 /* default width of an edge, as a fraction of its frequency */

/* What to do, multiplied together; a zero leaves that part out. Start from {0}. */
typedef struct {
    double lowpass;  /* angstrom: gain 1 below s = 1/lowpass, 0 above; exactly 1/2 at it */
    double highpass; /* angstrom: gain 0 below s = 1/highpass, 1 above; the mean goes too */
    double edge;     /* width of both edges, a raised cosine centred on its s and edge * s wide; 0: FILTER_EDGE; < 2 */
    double bfactor;  /* square angstrom: exp(-bfactor s^2 / 4); < 0 sharpens */
    double sigma;    /* angstrom: convolution with a Gaussian of that sigma, exp(-2 pi^2 sigma^2 s^2) */
} filter_t;

/* The gain at s; f as above. Even, real; gain(0) is 1 without a high-pass. */
double filter_gain(const filter_t *f, double s);

/* 0, or -1 with ERR_RANGE (a field that is not finite, a negative lowpass, highpass or sigma, an edge outside 0..2),
 * ERR_NOMEM, ERR_INTERNAL; v is unchanged then. Takes as much memory again as v. Runs on all threads, same bytes
 * for any number. */
int filter_apply(vol_t *v, const filter_t *f, err_t *err);

#endif
