/* model: an atomic model; what pdb/ makes and voxel/ simulates from. */
#ifndef CRYOLEX_PDB_MODEL_H
#define CRYOLEX_PDB_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

typedef enum { KIND_PROTEIN, KIND_NUCLEIC, KIND_SUGAR, KIND_LIGAND, KIND_WATER } entkind_t;

/* One atom, 40 bytes. */
typedef struct {
    float x, y, z;       /* angstrom */
    float occ;           /* occupancy; 1 where the file has none */
    float b;             /* isotropic B factor, square angstrom; 0 where the file has none */
    uint32_t residue;    /* running number of its residue in the model, from 0 */
    uint16_t chain;      /* running number of its chain, from 0 (copies made by the assembly count) */
    uint8_t element;     /* atomic number; 0 unknown */
    uint8_t kind;        /* entkind_t */
    char name[4];        /* "CA", "P", ...; zero padded, not terminated when 4 long */
    char resname[4];     /* "ALA", "DG", ...; first 4 characters */
} atom_t;

/* Facts from the header; a string that the file lacks is "". Lists are joined by "; ". All are UTF-8, and
 * owned by the model. */
typedef struct {
    char *id;         /* PDB id in lower case */
    char *title;
    char *method;     /* "X-RAY DIFFRACTION", "ELECTRON MICROSCOPY", "SOLUTION NMR", ... */
    char *keywords;
    char *molecules;  /* names of the entities */
    char *organisms;
    char *ec;         /* EC numbers */
    char *uniprot;    /* UniProt accessions */
    double resolution; /* angstrom; 0 when not given */
} modelfacts_t;

typedef struct {
    atom_t *atom; /* atom[0..n-1], chain by chain, residue by residue */
    size_t n, nres, nchain;
    int trace;      /* 1: one atom a residue (a CA or P trace); see pdb.h */
    char *assembly; /* id of the assembly that was built, "" for the deposited model */
    modelfacts_t facts;
} model_t;

void model_free(model_t *m); /* NULL is fine */

#endif
