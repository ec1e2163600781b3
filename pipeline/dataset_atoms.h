/* dataset_atoms: atoms of many models in little memory: 8 bytes an atom and 4 a residue. */
#ifndef CRYOLEX_PIPELINE_DATASET_ATOMS_H
#define CRYOLEX_PIPELINE_DATASET_ATOMS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "pdb/model.h"

enum { ATOMS_TYPES = 65536 };

/* What atoms and residues can be. */
typedef struct {
    uint8_t element, kind; /* as in atom_t */
    char name[4];
} atomtype_t;
typedef struct {
    char name[4];
} restype_t;

/* n models. Coordinates are centre + step * xyz, angstrom. */
typedef struct dataset_atoms {
    size_t n, cap;
    size_t *at;         /* (n + 1) first atom of each model */
    size_t *res_at;     /* (n + 1) first residue */
    size_t *chain_at;   /* (n + 1) first chain */
    size_t *occ_at;     /* (n + 1) into occ: as many as atoms, or none where every occupancy is 1 */
    float *centre;      /* (n, 3) angstrom */
    float *step;        /* (n) angstrom */
    uint8_t *trace;     /* (n) model_t.trace */

    int16_t *xyz;       /* (atoms, 3) */
    uint16_t *type;     /* (atoms) rows of atomtype */
    uint16_t *res_n;    /* (residues) number of atoms */
    uint16_t *res_type; /* (residues) rows of restype */
    uint32_t *chain_n;  /* (chains) number of residues */
    uint16_t *occ;      /* occupancy in hundredths */
    size_t cap_xyz, cap_type, cap_res_n, cap_res_type, cap_chain, cap_occ;

    atomtype_t *atomtype;
    restype_t *restype;
    size_t atomtypes, restypes, cap_atomtype, cap_restype;
    uint32_t *slot[2]; /* while it grows: hash tables of both, 0 is free, else row + 1 */
} dataset_atoms_t;

/* Starts from NULL: a new, empty one. NULL: ERR_NOMEM. */
dataset_atoms_t *atoms_new(err_t *err);
void atoms_free(dataset_atoms_t *a); /* NULL is fine */

/* Add a model as number a->n. 0, or -1 with *a as before: ERR_NOMEM; ERR_RANGE a residue of more than 65,535 atoms, more than
 * ATOMS_TYPES types, a model without atoms. */
int atoms_add(dataset_atoms_t *a, const model_t *m, err_t *err);

#endif
