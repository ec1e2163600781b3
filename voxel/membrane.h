/* membrane: where the lipid bilayer (or the detergent that stands for it) lies around a model. */
#ifndef CRYOLEX_VOXEL_MEMBRANE_H
#define CRYOLEX_VOXEL_MEMBRANE_H

#include "base/err.h"
#include "pdb/model.h"

/* A slab: points p with |normal . p - offset| <= half. half = 0: no membrane. Angstrom, in the coordinates of the model. */
typedef struct {
    float normal[3]; /* unit length */
    float offset, half;
    float score;     /* how sure: hydrophobic fraction of the exposed residues inside the slab less that outside, -1..1;
                      * of the best slab also where half is 0 */
} membrane_t;

/* The slab in which the residues at the surface are most hydrophobic; half = 0 where none stands out.
 *
 * A residue counts as exposed by how few CA atoms lie in the half sphere on the side of its side chain, which the CA
 * atoms of its neighbours along the chain tell: full models and CA traces give the same answer. Each exposed residue has a
 * weight, how much more often it faces lipid than water. All directions (a grid on the half sphere, then finer and finer
 * steps), offsets and thicknesses of 20 to 36 angstrom are tried; the slab of the largest sum wins. It is a membrane when the
 * sum and its mean over the slab are large enough. Only protein is looked at.
 *
 * 0, or -1: ERR_NOMEM. Thread-safe; the same bytes each time.
 * Sources: Tusnady, Dosztanyi and Simon 2005, Bioinformatics 21:1276 (TMDET: a slab of hydrophobic surface); Hamelryck 2005,
 * Proteins 59:38 (half-sphere exposure). */
int membrane_find(const model_t *m, membrane_t *out, err_t *err);

#endif
