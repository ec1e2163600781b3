/* body: a model as points with weight, to take away from and add to; the working form of views. */
#ifndef CRYOLEX_VOXEL_BODY_H
#define CRYOLEX_VOXEL_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rng.h"
#include "base/vol.h"
#include "pdb/model.h"

typedef struct {
    float p[3];   /* angstrom */
    float weight; /* atomic numbers, as simulate() has them */
    uint32_t chain;
    float key;    /* scratch */
} point_t;

/* The measures are those of the last body_measure(). */
typedef struct {
    point_t *point;
    size_t n, cap;
    float *scratch; /* (cap) */
    double mass, centre[3], rg, axis[3][3];
    double var;     /* mean variance of a point along one axis, square angstrom */
} body_t;

/* The points about their mean, b->centre, times `size`, and x mirrored there when `flip`. Of a model of more than BODY_FINE atoms the side chains of a trace stay on its CA
 * atoms, and of one of more than BODY_MANY every k-th atom stands for k.
 * b is filled; end with body_free(). 0, or -1 with *b empty: ERR_NOMEM. */
int body_new(const model_t *m, double size, bool flip, body_t *b, err_t *err);
void body_free(body_t *b); /* leaves {0} */
#define BODY_FINE 4000
#define BODY_MANY 30000

/* 0, or -1: ERR_RANGE no weight, or no extent; ERR_NOMEM. */
int body_measure(body_t *b, err_t *err);
void body_box(const body_t *b, double lo[3], double hi[3]);

/* Uniform on the sphere; a random point of the body; a point about its centre. */
void body_direction(rng_t *r, double u[3]);
void body_pick(const body_t *b, rng_t *r, double p[3]);
void body_focus(const body_t *b, rng_t *r, double p[3]);

/* Drop a fraction of the points: those farthest along u, those farthest from u, or those nearest to it. */
typedef enum { BODY_ALONG, BODY_FROM, BODY_NEAR } bodyside_t;
void body_drop(body_t *b, bodyside_t side, const double u[3], double fraction);

/* Drop whole chains at random, up to a fraction of the weight. 0, or -1: ERR_NOMEM. */
int body_drop_chains(body_t *b, double fraction, rng_t *r, err_t *err);

/* Weights times 1 - amount (d / the largest d)^2, d the distance from the focus. */
void body_fade(body_t *b, const double focus[3], double amount);

/* Add a turned copy of a fraction of the points (those beyond a random plane), or a ball of so much weight, at the
 * surface. 0, or -1: ERR_NOMEM. */
int body_add_copy(body_t *b, double fraction, rng_t *r, err_t *err);
int body_add_ball(body_t *b, double weight, rng_t *r, err_t *err);

/* Add each point to the eight voxels about it (trilinear: variance h^2/6 on average). With a focus, what is far from it goes
 * to `far`, a volume like v, in part and then wholly. What lies off the grid is left out. */
void body_splat(const body_t *b, const double *focus, vol_t *v, vol_t *far);

/* A belt of detergent or lipid. */
typedef struct {
    double normal[3], offset; /* its middle plane; angstrom */
    double half, width;       /* half the height; how far it reaches beyond the body, angstrom */
    double density;           /* relative to what 1 is in the volume */
    double dip;               /* by which fraction the middle plane is less dense, 0..1 */
    double round;             /* of the rim: 0 a slab, 1 a torus */
    bool disc;                /* a round disc about the middle, not as wide everywhere */
} belt_t;

/* Lay a belt about the points in its slab, where v leaves room: v += belt (1 - v), v within 0..1. */
void body_belt(const body_t *b, const belt_t *belt, vol_t *v);

#endif
