/* dataset_text: captions of the entries of a dataset, and their vectors. */
#ifndef CRYOLEX_PIPELINE_DATASET_TEXT_H
#define CRYOLEX_PIPELINE_DATASET_TEXT_H

#include <stdint.h>

#include "base/err.h"
#include "base/log.h"
#include "pipeline/annot.h"
#include "pipeline/dataset.h"

/* Give the entries of d that something is known about up to `variants` captions each (caption_make(); equal ones of an entry once) and embed
 * them, each different text once. d has n, pdb and caption_at (n + 1, zeros).
 * 0, or -1: errors of sentence_encode(), sentence_hash(); ERR_NOMEM. */
int text_add(dataset_t *d, const annot_t *annot, const sentence_t *s, unsigned variants, uint64_t seed, const log_t *log, err_t *err);

#endif
