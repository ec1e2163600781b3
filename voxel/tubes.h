/* tubes: a model as tubes along its chains, for raycast.h to draw. */
#ifndef CRYOLEX_VOXEL_TUBES_H
#define CRYOLEX_VOXEL_TUBES_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "pdb/model.h"

/* A place along a tube, angstrom. */
typedef struct {
    float at[3];
    uint32_t chain;
    uint32_t begins; /* 1: no tube from the place before to this one */
} tubeat_t;

/* The smooth curve through the CA atoms of each protein chain and the P atoms of each nucleic acid, in steps of about half an angstrom; it breaks where
 * two neighbours lie more than TUBES_CA or TUBES_P angstrom apart. Atoms of any other kind are left out; a residue alone is one place.
 * *n receives their number, which may be 0; free with mem_free(). NULL: ERR_NOMEM. Thread-safe. */
tubeat_t *tubes_of(const model_t *m, size_t *n, err_t *err);
#define TUBES_CA 4.6
#define TUBES_P 9.0

#endif
