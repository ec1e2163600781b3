/* trace: Gaussians that stand for the residues of a CA or P trace. */
#ifndef CRYOLEX_VOXEL_TRACE_H
#define CRYOLEX_VOXEL_TRACE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "pdb/model.h"

/* A Gaussian; x, y, z and var (variance along one axis) in angstrom and square angstrom. */
typedef struct {
    float x, y, z;
    float weight; /* atomic numbers, times occupancy */
    float var;
    int element;  /* of a single atom, or 6 for a residue */
    float b;      /* B factor, square angstrom; 0 for a residue */
    uint32_t chain; /* as in the model */
} blob_t;

#define TRACE_PARTS 3

/* The blobs of a model, in the order of its atoms: one for an atom; for a residue of a trace chain up to TRACE_PARTS
 * (backbone, side chain; phosphate, sugar, base), placed by its neighbours along the chain, or one about CA or P where it has none. Atoms without weight are left out.
 * *n receives their number, free with mem_free(). NULL: ERR_NOMEM. Thread-safe. */
blob_t *trace_blobs(const model_t *m, size_t *n, err_t *err);

#endif
