/* dataset_facts: what is known about the entries of a dataset, as lists of names. */
#ifndef CRYOLEX_PIPELINE_DATASET_FACTS_H
#define CRYOLEX_PIPELINE_DATASET_FACTS_H

#include "base/err.h"
#include "base/log.h"
#include "pipeline/annot.h"
#include "pipeline/dataset.h"
#include "pipeline/manifest.h"

/* Fill all vocabularies and lists of d, whose n, id and pdb are there.
 * In:   item   (n) rows of the manifest, for their groups
 *       annot  or NULL: no terms, clusters and accessions
 *       maps   path of the table of real maps (dataset_build.h), or NULL
 *       log    how many entries have nothing that tells their kin
 * 0, or -1: ERR_IO, ERR_FORMAT (the table of maps), ERR_NOMEM. */
int facts_add(dataset_t *d, const item_t *const *item, const annot_t *annot, const char *maps, const log_t *log, err_t *err);

#endif
