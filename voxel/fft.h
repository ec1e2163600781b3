/* fft: single-precision Fourier transforms of real volumes, by FFTW.
 *
 * Forward: F(k) = sum over x of f(x) exp(-2 pi i k x / n), unscaled. Inverse: the opposite sign, divided by the
 * number of voxels, so that inverse(forward(f)) = f.
 * A half-complex volume is (nz,ny,nx/2+1) pairs (re,im), kx = 0..nx/2 fastest; ky and kz run 0..n-1 and stand for
 * k or k - n (the negative frequencies in the upper half).
 *
 * The work is divided into independent lines, each transformed by one thread with the same plan, so the result is
 * the same bytes for any number of threads (plans that FFTW threads itself differ with their number). Plans are made
 * with FFTW_ESTIMATE: a measured plan could change the bytes from one run to the next. Plans are kept for the life of
 * the process, made and found under one lock; running them takes no lock. All functions are thread-safe.
 * Source: Frigo and Johnson 2005, Proc. IEEE 93:216 (FFTW). */
#ifndef CRYOLEX_VOXEL_FFT_H
#define CRYOLEX_VOXEL_FFT_H

#include <stddef.h>

#include "base/err.h"

typedef float cplx_t[2]; /* re, im */

/* in (nz,ny,nx), kept -> out (nz,ny,nx/2+1). Sides 1..VOL_SIDE_MAX. 0, or -1 with ERR_NOMEM or ERR_INTERNAL. */
int fft_forward(size_t nx, size_t ny, size_t nz, const float *in, cplx_t *out, err_t *err);

/* in (nz,ny,nx/2+1), overwritten -> out (nz,ny,nx). What is not the transform of a real volume (the imaginary part
 * of F(0), say) is dropped. Errors as above. */
int fft_inverse(size_t nx, size_t ny, size_t nz, cplx_t *in, float *out, err_t *err);

/* Batches of one-dimensional transforms, for code that goes line by line itself. Line b, sample i of the real side
 * is at [i * stride + b * dist] floats, of the complex side at [i * stride + b * dist] pairs, with these
 * stride and dist on both sides. */
typedef enum { FFT_R2C, FFT_C2R, FFT_C2C, FFT_C2C_BACK } fftkind_t;
typedef struct {
    fftkind_t kind;
    size_t n, many, stride, dist;
    size_t to; /* C2C: stride of the output, which is then another array, of the same dist, and both start at multiples of 16 bytes: some four times as fast; 0: in place */
} fftline_t;
typedef struct fftplan fftplan_t; /* owned by this module; never freed */

/* NULL: ERR_NOMEM, ERR_INTERNAL. */
const fftplan_t *fft_plan(const fftline_t *line, err_t *err);

/* Run it, unscaled both ways. R2C and C2R: in and out must not overlap, and C2R overwrites in; C2C: in == out, or with line.to two that do not overlap, of which in is kept. */
void fft_run(const fftplan_t *p, void *in, void *out);

#endif
