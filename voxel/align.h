/* align: the aligned correlation of cube descriptors, which forgives a frame that is a little off.
 *
 * The frame of a map (centre, axes, Rg) is disturbed by what the density has more or less than the model: noise, a belt
 * of lipid, a missing part. To first order a shift, a rotation and a change of scale move the query q within the space of
 * q and its derivatives D_m, the tangents. The aligned correlation of q with c, both of mean 0 and length 1, is
 *     sqrt(max over b, a of 1 - |c - b q - sum_m a_m D_m|^2 - sum_m r_m a_m^2),    r_m = ALIGN_NOISE / sigma_m^2,
 * of which the last sum holds the a_m to a Gaussian prior of standard deviation sigma_m, against a residual of variance
 * ALIGN_NOISE. As b is free and a = 0 is allowed, it is at least the correlation, and it is at most 1. In closed form it is the
 * norm of the dot products of c with ALIGN_IMAGES images W = C^-1 B, where B holds q and the D_m, and B B^T + diag(0, r) = C C^T
 * (Cholesky); the first image is q. Under a turn of the axes the images turn with q, as the priors do not tell axes apart.
 * Source: tangent distance, Simard, LeCun and Denker 1993, NIPS 5:50. */
#ifndef CRYOLEX_VOXEL_ALIGN_H
#define CRYOLEX_VOXEL_ALIGN_H

#include <stdint.h>

#include "voxel/desc.h"

#define ALIGN_NOISE 0.025                  /* squared distance of unit vectors */
#define ALIGN_SHIFT 3.0                    /* sigma of a shift along x, y and z: voxels of the descriptor */
#define ALIGN_ANGLE 0.52359877559829887308 /* of a rotation about x, y and z: 30 degrees, in radians */
#define ALIGN_SCALE 0.3                    /* of the logarithm of the scale */
#define ALIGN_MODES 7
#define ALIGN_IMAGES (1 + ALIGN_MODES)

/* turns (24, 8, 4096): the images W of a descriptor under each turn of turn.h, for desc_match(); 0 when desc is constant.
 * Derivatives are spectral, that is of the periodic interpolation without its Nyquist term; rotation and scale are about the
 * middle of the cube. Thread-safe. */
void align_turns(const int8_t desc[DESC_LEN], float *turns);

#endif
