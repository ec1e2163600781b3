/* view: a canonical cube of a model as it would come from a map (DESIGN 4). */
#ifndef CRYOLEX_VOXEL_VIEW_H
#define CRYOLEX_VOXEL_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vol.h"
#include "pdb/model.h"
#include "voxel/cube.h"
#include "voxel/membrane.h"

/* What may happen to a model on its way into an EM-like view. Each pair is the range of a uniform draw, each probability
 * a number in 0..1. view_em has the defaults; {0} changes nothing (a clean view). */
typedef struct {
    size_t side; /* of the cube */
    double resolution[2];   /* angstrom */
    /* ... the rest by whoever implements it: belt, missing and extra parts, B-factor blur and sharpening, coloured noise inside and outside,
     * solvent plateau, masking, contour jitter, magnification, frame jitter, hand flip */
} viewopts_t;
extern const viewopts_t view_em;

/* Make a view of m.
 * In:   span  membrane of m, or NULL
 *       seed  of every random choice
 * Out:  c     as of cube_make(), free with cube_free()
 * 0, or -1: errors of simulate and cube_make. Thread-safe; one thread; the same bytes for equal input. */
int view_make(const model_t *m, const membrane_t *span, const viewopts_t *o, uint64_t seed, cube_t *c, err_t *err);

/* The density before the cube is made of it (for previews). A new volume; NULL on error. */
vol_t *view_density(const model_t *m, const membrane_t *span, const viewopts_t *o, uint64_t seed, err_t *err);

#endif
