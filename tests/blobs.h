/* blobs: an asymmetric density made of Gaussians, drawn at any place and turn on any grid. For tests. */
#ifndef CRYOLEX_TESTS_BLOBS_H
#define CRYOLEX_TESTS_BLOBS_H

#include <math.h>
#include <stddef.h>

#include "base/rng.h"
#include "base/vol.h"

#define BLOBS 24

typedef struct {
    double p[BLOBS][3]; /* angstrom, about the origin */
    double w[BLOBS], sigma;
} blobs_t;

/* A random walk, so that the body is connected and has no symmetry; about 60 angstrom long. */
static inline void blobs_make(blobs_t *b, uint64_t seed)
{
    rng_t r;
    double at[3] = {0}, mean[3] = {0}, drift[3];
    rng_seed(&r, seed);
    b->sigma = 5;
    for (int d = 0; d < 3; d++) drift[d] = 1.5 * rng_normal(&r);
    for (int i = 0; i < BLOBS; i++) {
        for (int d = 0; d < 3; d++) {
            b->p[i][d] = at[d];
            mean[d] += at[d] / BLOBS;
            at[d] += drift[d] + 4 * rng_normal(&r);
        }
        b->w[i] = 0.8 + 0.4 * rng_unit(&r);
    }
    for (int i = 0; i < BLOBS; i++)
        for (int d = 0; d < 3; d++) b->p[i][d] -= mean[d];
}

/* A random proper rotation (uniform quaternion). */
static inline void blobs_rotation(rng_t *r, double m[3][3])
{
    double q[4], n = 0;
    for (int i = 0; i < 4; i++) {
        q[i] = rng_normal(r);
        n += q[i] * q[i];
    }
    n = sqrt(n);
    for (int i = 0; i < 4; i++) q[i] /= n;
    double a = q[0], x = q[1], y = q[2], z = q[3];
    const double t[3][3] = {{1 - 2 * (y * y + z * z), 2 * (x * y - a * z), 2 * (x * z + a * y)},
                            {2 * (x * y + a * z), 1 - 2 * (x * x + z * z), 2 * (y * z - a * x)},
                            {2 * (x * z - a * y), 2 * (y * z + a * x), 1 - 2 * (x * x + y * y)}};
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) m[i][j] = t[i][j];
}

/* Add the density, turned by m and moved by t (angstrom), to v. */
static inline void blobs_draw(const blobs_t *b, double m[3][3], const double t[3], vol_t *v)
{
    for (int i = 0; i < BLOBS; i++) {
        double p[3];
        for (int d = 0; d < 3; d++) p[d] = t[d] + m[d][0] * b->p[i][0] + m[d][1] * b->p[i][1] + m[d][2] * b->p[i][2];
        for (size_t z = 0; z < v->nz; z++)
            for (size_t y = 0; y < v->ny; y++)
                for (size_t x = 0; x < v->nx; x++) {
                    double dx = v->origin[0] + (double)x * v->voxel[0] - p[0], dy = v->origin[1] + (double)y * v->voxel[1] - p[1];
                    double dz = v->origin[2] + (double)z * v->voxel[2] - p[2];
                    double e = (dx * dx + dy * dy + dz * dz) / (2 * b->sigma * b->sigma);
                    if (e < 20) v->data[vol_idx(v, x, y, z)] += (float)(b->w[i] * exp(-e));
                }
    }
}

#endif
