/* membrane: where the lipid bilayer (or the detergent that stands for it) lies around a model. */
#ifndef CRYOLEX_VOXEL_MEMBRANE_H
#define CRYOLEX_VOXEL_MEMBRANE_H

#include "base/err.h"
#include "pdb/model.h"

/* A slab: points p with |normal . p - offset| <= half. half = 0: no membrane. Angstrom, in the coordinates of the model. */
typedef struct {
    float normal[3]; /* unit length */
    float offset, half;
    float score;     /* how sure: hydrophobic fraction of the surface residues inside the slab less that outside, -1..1 */
} membrane_t;

/* The slab in which the residues at the surface are most hydrophobic; half = 0 where none stands out. Works on full models
 * and on CA traces. 0, or -1: ERR_NOMEM. Thread-safe. */
int membrane_find(const model_t *m, membrane_t *out, err_t *err);

#endif
