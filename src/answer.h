/* answer: what annotate finds about a map or a model, as JSON; of the commands that tell it. */
#ifndef CRYOLEX_SRC_ANSWER_H
#define CRYOLEX_SRC_ANSWER_H

#include <jansson.h>

#include "pipeline/annotate.h"
#include "voxel/symmetry.h"

#define ANSWER_SPACES "function,process,component,ec,pfam,cath,molecule" /* every kind of term */

/* What is told of the body itself. */
typedef struct {
    const record_t *rec;
    symmetry_t symmetry; /* group "" where there is no cube */
} answerbody_t;

/* Of a record, whose cube is of so many voxels a side; borrows it. 0, or -1: the errors of symmetry_guess(). */
int answer_body(const record_t *rec, size_t side, answerbody_t *body, err_t *err);

/* "go", or the name of another kind of terms. Static. */
const char *answer_kind(int space);

/* Bits 1 << termspace_t of the namespaces in a list, ANSWER_SPACES or part of it, or 0 with ERR_USAGE; cmd is the command, for the message. */
unsigned answer_spaces(const char *cmd, const char *list, err_t *err);

/* One object, as annotate --format json prints it, with the first `entries` hits of a. json_decref(). */
json_t *answer_json(const char *query, const answerbody_t *body, const index_t *x, const terms_t *molecules, const annotation_t *a, size_t entries);

#endif
