/* pose: rigid motions, and rotations spread evenly over all there are. */
#ifndef CRYOLEX_VOXEL_POSE_H
#define CRYOLEX_VOXEL_POSE_H

#include <stddef.h>

/* x -> r x + t; r is a proper rotation (rows), t in angstrom. */
typedef struct {
    double r[3][3], t[3];
} pose_t;

void pose_apply(const pose_t *p, const double x[3], double out[3]); /* out may be x */

/* Unit quaternion (w, x, y, z) of a rotation, w >= 0; and back. */
void pose_quaternion(const double r[3][3], double q[4]);
void pose_matrix(const double q[4], double r[3][3]);

/* The angle of the rotation from a to b, radians, 0..pi. */
double pose_angle(const double a[3][3], const double b[3][3]);

/* out = a b, rotations; out is neither. */
void pose_product(const double a[3][3], const double b[3][3], double out[3][3]);

/* r = exp of the rotation vector w (direction the axis, length the angle in radians), and its left Jacobian j:
 * exp(w + dw) = exp(j dw) exp(w) to first order. Either may be NULL. */
void pose_turn(const double w[3], double r[3][3], double j[3][3]);

/* How many rotations, evenly spread, lie about `angle` (radians, > 0) apart: 8 pi^2 / angle^3, at least 24. */
size_t pose_count(double angle);

/* The i-th of n rotations that are spread evenly, as a quaternion: a spiral over the sphere of quaternions.
 * Source: Alexa 2022, CVPR, 8291 (super-Fibonacci spirals). */
void pose_spread(size_t i, size_t n, double q[4]);

#endif
