/* fsc: Fourier shell correlation of two volumes on one grid, and the resolution that it gives.
 *
 * With F and G the transforms of the volumes, the correlation of a shell is
 *     sum of Re(F conj(G)) / sqrt(sum of |F|^2  sum of |G|^2)
 * over the Fourier voxels in it. A Fourier voxel of frequency s (1/angstrom, with the voxel size of each axis) is in shell
 * floor(s / step + 1/2), where step is 1 over the longest edge of the box: shells are one Fourier voxel of that axis thick,
 * and spherical in 1/angstrom whatever the sides and voxel sizes are. The last shell is the one at, or next below, the lowest
 * Nyquist frequency of the axes (of those of more than one voxel); the corners beyond are left out. In a cube of n cubic
 * voxels these are RELION's shells, 0 to n/2. The sums run, as RELION's, over the half transform that a real volume has
 * (kx >= 0), so that what lies on the plane kx = 0 counts twice as much as the rest: with each voxel counted once, curves
 * differ by 0.001 to 0.02 in the noise, and the resolution hardly (tests/parity/fsc.tsv).
 * Shell 0 is the mean of the volumes, which says nothing: it is given as 1. A shell where one of the two has nothing at
 * all is 0.
 *
 * With a mask, both volumes are multiplied by it first; the mask itself then correlates. How much of the correlation is the
 * mask's is seen when the phases of both volumes, from the shell on where the unmasked curve first falls below
 * FSC_RANDOMISE_AT, are replaced by random ones before masking: with t the masked and r the randomised curve,
 *     corrected = (t - r) / (1 - r), and 0 where r > t,
 * from two shells beyond that one; t before. The random phases are those of a real volume, so the amplitudes stay.
 *
 * Sums are in double, in parts whose number does not depend on that of the threads: the same bytes for any.
 * Sources: Harauz and van Heel 1986, Optik 73:146; Rosenthal and Henderson 2003, J. Mol. Biol. 333:721 (0.143); Chen et al.
 * 2013, Ultramicroscopy 135:24 (randomised phases); relion_postprocess. */
#ifndef CRYOLEX_VOXEL_FSC_H
#define CRYOLEX_VOXEL_FSC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vol.h"
#include "voxel/fft.h"

#define FSC_GOLD 0.143         /* threshold for two half-maps refined apart */
#define FSC_RANDOMISE_AT 0.8
#define FSC_VOXEL_SLACK 1e-3   /* voxel sizes may differ by this fraction */

typedef enum { FSC_UNMASKED, FSC_MASKED, FSC_RANDOMISED, FSC_CORRECTED, FSC_CURVES } fsckind_t;
extern const char *const fsc_name[FSC_CURVES]; /* "unmasked" and so on */

typedef struct {
    size_t n;                  /* shells, 0..n-1 */
    double step;               /* 1/angstrom: shell k is at k * step */
    size_t *count;             /* (n) Fourier voxels summed, kx >= 0 */
    double *curve[FSC_CURVES]; /* (n) each, -1..1; NULL: not asked for */
    size_t from;               /* first shell with random phases; 0: none */
} fsc_t;

/* {0} or NULL: the unmasked curve alone. */
typedef struct {
    const vol_t *mask;   /* 0..1; borrowed; NULL: none */
    bool randomise;      /* the randomised and the corrected curve too; wants a mask */
    uint64_t seed;       /* of the random phases */
    const char *name[3]; /* of the first volume, the second and the mask, for messages; NULL: "first map" and so on */
} fsc_opts_t;

/* Whether two volumes lie on one grid: sides equal, voxel sizes within FSC_VOXEL_SLACK. Origins and data are not looked at.
 * 0, or -1 with ERR_RANGE and a message that has both names, the field and both values. */
int fsc_agree(const vol_t *a, const char *name_a, const vol_t *b, const char *name_b, err_t *err);

/* The curves of a and b.
 *
 * Out:  f  free with fsc_free(). Where the unmasked curve never falls below FSC_RANDOMISE_AT nothing is randomised: f->from is 0,
 *          and the randomised curve is 0 and the corrected one the masked.
 * 0, or -1 with *f empty:
 *   ERR_RANGE   grids that do not agree; a box of one voxel; a mask with values outside -0.001..1.001 or nothing above 0
 *   ERR_FORMAT  NaN or infinite voxels; a map that is the same in every voxel
 *   ERR_USAGE   randomise without a mask
 *   ERR_NOMEM, ERR_INTERNAL
 * Memory, in maps: 2 without a mask, 3 with one, beside what is given. Runs on all threads. Thread-safe. */
int fsc_make(const vol_t *a, const vol_t *b, const fsc_opts_t *o, fsc_t *f, err_t *err);
void fsc_free(fsc_t *f); /* leaves {0} */

/* Random phases for c (nz,ny,nx/2+1), the transform of a volume with the sides and voxel sizes of v (its data are not read), wherever the frequency
 * is at least that of shell `from` (not rounded). Amplitudes stay, and so does that it is the transform of a real volume. A number has its
 * phase by the seed and its place. 0, or -1: ERR_RANGE a box of one voxel. */
int fsc_randomise(const vol_t *v, size_t from, uint64_t seed, cplx_t *c, err_t *err);

/* Planes z0..z0+nz-1 of a volume to `planes` (nz,ny,nx); 0, or -1 with err. Called from one thread. */
typedef int (*fsc_read_t)(void *ctx, size_t z0, size_t nz, float *planes, err_t *err);

/* Half-maps: a becomes the average of itself and of a second volume on its grid (fsc_agree), which is read plane by plane and
 * never held; f gets their unmasked curve. name: of the two, for messages, as in fsc_opts_t.
 * The second transform is that of the sum less the first, so the curve is that of fsc_make() to some 1e-6.
 * 0, or -1 with a undefined and *f empty: what `read` says; ERR_RANGE, ERR_FORMAT as fsc_make(); ERR_NOMEM, ERR_INTERNAL.
 * Memory, in maps: 2 beside a. Runs on all threads. Thread-safe. */
int fsc_average(vol_t *a, fsc_read_t read, void *ctx, const char *const name[2], fsc_t *f, err_t *err);

/* The curve to judge by: corrected where there is one, else masked, else unmasked. */
fsckind_t fsc_best(const fsc_t *f);

/* The resolution in angstrom: 1 over the frequency at which a curve (f->curve[kind], not NULL) first falls below the
 * threshold, by linear interpolation between the shell that is below and the one before it. *limited (may be NULL) is true
 * where the curve never does: then it is the resolution of the last shell. NAN where shell 1 is below already. */
double fsc_resolution(const fsc_t *f, fsckind_t kind, double threshold, bool *limited);

#endif
