/* dataset_build: a dataset from a manifest of models, on all cores. */
#ifndef CRYOLEX_PIPELINE_DATASET_BUILD_H
#define CRYOLEX_PIPELINE_DATASET_BUILD_H

#include <stddef.h>

#include "base/err.h"
#include "base/log.h"
#include "base/notes.h"
#include "pipeline/annot.h"
#include "pipeline/dataset.h"
#include "pipeline/manifest.h"
#include "pipeline/split.h"

typedef struct {
    const annot_t *annot; /* facts of entries; NULL: none, and no terms, clusters, accessions and captions */
    const char *maps;     /* table of real maps with columns family and fitted_pdb (PDB ids, or "-"), see dataset_maps_t; NULL: none */
    split_opts_t split;
    const sentence_t *text; /* encoder of captions; NULL: no captions */
    unsigned variants;      /* captions an entry, at most */
} dataset_opts_t;

/* Read every model of the manifest (as describe_file() does, by the same rule of assemblies) and what is known about it, and make the split; in the
 * order of the manifest and with the same result whatever the number of threads. What cannot be read, is no model or has the id of an
 * entry before it is reported on `log` with its reason, counted in *failed and left out. End with dataset_free().
 * 0, or -1 with *d empty: ERR_FORMAT no entry could be read, a bad table of maps; ERR_IO the table; ERR_RANGE a vector of text; ERR_NOMEM. */
int dataset_build(const manifest_t *m, const dataset_opts_t *o, const log_t *log, dataset_t *d, size_t *failed, err_t *err);

/* The PDB id in an entry's id, lower case: "1abc" of "1ABC", "1abc_A"; "" where there is none. */
void dataset_pdb_id(const char *id, char out[5]);

#endif
