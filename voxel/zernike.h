/* zernike: rotation invariants of a density in a ball, from 3D Zernike polynomials. */
#ifndef CRYOLEX_VOXEL_ZERNIKE_H
#define CRYOLEX_VOXEL_ZERNIKE_H

#include <stddef.h>

#include "base/err.h"

#define ZERNIKE_ORDER 20      /* the order in use in the field, and the highest here: 121 invariants */
#define ZERNIKE_SIDE_MAX 1024 /* voxels */

/* The polynomials up to one order. Read only after zernike_new(): one for all threads. */
typedef struct zernike zernike_t;

/* How a vector of invariants is scaled. To our knowledge Novotni and Klein compare the invariants of binary objects as
 * they are (RAW), and 3D-SURFER and EM-SURFER divide by the norm of the vector (UNIT): not checked against their
 * code. Density times a positive
 * constant gives the same vector under MASS and UNIT, up to rounding. */
typedef enum {
    ZERNIKE_RAW,  /* F_nl; the solid unit ball of density 1 has F_00 = 1 */
    ZERNIKE_MASS, /* F_nl / F_00: F_00 = |mean density in the ball| */
    ZERNIKE_UNIT  /* F_nl / sqrt(sum F_nl^2): Euclidean length 1 */
} zernorm_t;

/* Polynomials of order 0..order; about 2 MB and 0.1 s at order 20. Free with zernike_free().
 * NULL: ERR_RANGE an order outside 0..ZERNIKE_ORDER, ERR_NOMEM. Thread-safe. */
zernike_t *zernike_new(int order, err_t *err);
void zernike_free(zernike_t *z); /* NULL is fine */

/* Number of invariants: 121 at order 20. Number of polynomials: (order + 1)(order + 2)(order + 3) / 6. */
size_t zernike_count(const zernike_t *z);
size_t zernike_terms(const zernike_t *z);

/* Place of F_nl in the vector: n from 0 up, within n by l = n % 2, n % 2 + 2, ..., n. */
size_t zernike_place(int n, int l);

/* Invariants F_nl = sqrt(sum over m of |Omega_nl^m|^2), Omega = 3/(4 pi) integral of density x conj(Z_nl^m).
 *
 * In:   cube    (n,n,n), x fastest: constant over each voxel, and integrated over its extent, not at its centre
 *       n       1..ZERNIKE_SIDE_MAX
 *       radius  of the unit ball in voxels, > 0; n / 2.0 is the ball that touches the faces. Its centre is that of
 *               the cube, (n - 1) / 2 in voxel numbers. Voxels that reach out of the ball do not count: the
 *               polynomials grow steeply there
 *       norm    how the vector is scaled
 * Out:  out     (zernike_count(z)), in the order of zernike_place()
 *
 * 0, or -1 with out undefined:
 *   ERR_RANGE  n or radius out of range; a voxel in the ball that is NaN or infinite; nothing to divide by (all
 *              voxels 0, or F_00 = 0 under ZERNIKE_MASS)
 *   ERR_NOMEM
 * Rotations and mirror images of a density have the same invariants; those that map the grid onto itself, to rounding.
 * Runs on one thread; thread-safe; the same bytes each time.
 * Source: Canterakis 1999, Proc. 11th Scand. Conf. Image Analysis, 85; Novotni and Klein 2003, Proc. 8th ACM Symp.
 * Solid Modeling, 216. */
int zernike_invariants(const zernike_t *z, const float *cube, size_t n, double radius, zernorm_t norm, float *out,
                       err_t *err);

/* Values at a point of the unit ball of all polynomials in real form, orthogonal under 3/(4 pi) times the integral over
 * the ball and of mean square 1 there: for m > 0, sqrt(2) Re and sqrt(2) Im of Z_nl^m take the places of m and -m.
 * In: x, the point. Out: value (zernike_terms(z)) and, where place is not NULL, the place of each polynomial's (n,l) in
 * the vector of invariants. For tests and for rebuilding a density from its coefficients. */
void zernike_values(const zernike_t *z, const double x[3], double *value, size_t *place);

/* Euclidean distance of two vectors of n invariants, the measure of EM-SURFER. */
double zernike_distance(const float *a, const float *b, size_t n);

#endif
