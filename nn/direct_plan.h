/* direct_plan: tables of offsets from which direct.c makes every pass a few sweeps (nn/direct_kern.h).
 *
 * A pass computes a volume of sums, `to`, from a volume it reads, `from`. Its planes go in steps: forward a step is one plane
 * of y. In the data gradient a step is `stride` planes of dx: position stride j + phi takes the same taps for all j, so that
 * each phi of the stride^3 phases is a convolution of stride 1 with its own part of the taps. */
#ifndef CRYOLEX_NN_DIRECT_PLAN_H
#define CRYOLEX_NN_DIRECT_PLAN_H

#include "nn/direct.h"
#include "nn/direct_kern.h"

typedef struct {
    size_t c, b, blocks; /* channels; in a block; blocks */
    size_t e[3];
} vol3_t;

typedef struct {
    size_t plane;           /* positions in a step */
    size_t odd;             /* which plane of a step: 0..stride-1 */
    int32_t *from, *to;     /* (slab * plane): read from the slab's buffer, written to the slab's first plane (blocks of vec) */
    int32_t *at;            /* (m): where each tap reads */
    int32_t *tap;           /* (m): where in the weights (co,ci,k,k,k), for output channel 0 */
    size_t m, packed;       /* taps; where the phase's packed weights begin */
} phase_t;

typedef struct {
    int back;               /* the data gradient */
    vol3_t from, to;
    size_t steps, slab;     /* of the whole volume; of a slab */
    size_t up;              /* planes of `from` a step */
    size_t each;            /* planes of `to` a step */
    size_t reach;           /* a position reads planes, rows and columns 0..reach of its place in the buffer */
    size_t low;             /* border before plane 0 */
    size_t q[3];            /* planes of a slab's buffer, its rows and columns */
    int copy;               /* 0: `from` is read where it stands, and is the buffer of all slabs */
    size_t block, sample;   /* floats: one block of the buffer; all of it */
    size_t group;           /* samples whose buffers stand side by side, for each panel of weights to be read once for all */
    size_t wstep;           /* floats of the weights between output channels */
    size_t nphase, packed;  /* floats of packed weights */
    phase_t phase[8];
} pass_t;

typedef struct {
    convshape_t s;
    const direct_kern_t *kern;
    size_t chunk;           /* taps whose weights stay in the nearest cache */
    pass_t forward, data;
    int32_t *line[2];       /* (chunk): line[v - 1][i] = i v vec */
} plan_t;

/* NULL: ERR_NOMEM. Free with plan_free(). */
plan_t *plan_new(const convshape_t *s, const direct_kern_t *kern, err_t *err);
void plan_free(void *plan);

#endif
