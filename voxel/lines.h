/* lines: Fourier crop or pad of many lines, from n to m samples over the same length: the one-dimensional step of
 * resample.
 *
 * Frequencies |k| < min(n,m)/2 are kept as they are; when min(n,m) is even, k = +min/2 and k = -min/2 each get the
 * weight 1/2 (real, and the same at both ends). Sample 0 stays where it is, and the mean is kept. n == m copies.
 * In the space of samples this is a matrix: out[j] = sum over i of d(i/n - j/m) in[i], d the Dirichlet kernel with
 * trapezoidal ends, even and of period 1. Two ways to the same numbers (to rounding):
 *   LINES_FOLD  the matrix product. Mirror symmetry, and for even n and m the shift by half the length, cut it into 2
 *               or 4 blocks of a quarter or a sixteenth the size: n m / 4 multiply-adds a line (n m / 2 when n or m is odd). The
 *               faster one for all but very long lines.
 *   LINES_FFT   transform, crop, transform back, by FFTW. */
#ifndef CRYOLEX_VOXEL_LINES_H
#define CRYOLEX_VOXEL_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define LINES_W 64 /* most lines in one call */

typedef enum { LINES_AUTO, LINES_FOLD, LINES_FFT } linesway_t;
typedef struct lines lines_t;

/* n, m 1..VOL_SIDE_MAX. Free with lines_free(). NULL: ERR_NOMEM, ERR_INTERNAL. */
lines_t *lines_new(size_t n, size_t m, linesway_t way, err_t *err);
void lines_free(lines_t *l); /* NULL is fine */

size_t lines_work(const lines_t *l); /* floats of workspace that a call needs, zeroed before the first */

/* w lines, w <= LINES_W. Sample i of line c is in[i * stride + c].
 * Sample j of line c goes to out[c * pitch + j] when turn is set, else to out[j * pitch + c].
 * in and out must not overlap. The lines do not influence each other, nor does w. Thread-safe, work being the
 * thread's own. A NaN spoils its whole line. */
void lines_run(const lines_t *l, const float *in, size_t stride, size_t w, bool turn, float *out, size_t pitch,
               float *work);

#endif
