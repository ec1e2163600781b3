/* build: an index from a manifest, on all cores. */
#ifndef CRYOLEX_PIPELINE_BUILD_H
#define CRYOLEX_PIPELINE_BUILD_H

#include <stddef.h>

#include "base/err.h"
#include "base/log.h"
#include "pipeline/describe.h"
#include "pipeline/index.h"
#include "pipeline/manifest.h"
#include "voxel/encoder.h"

/* Describe every item of the manifest and add it to *x, in the order of the manifest whatever the number of threads.
 * An item that cannot be read, or whose id came before, is reported on `log` with its reason, counted in *failed and
 * left out. With an encoder, encoder_ready(), each has its embedding: x->d is that of e. d->cubes and d->side are set.
 * *x starts from {.scoring = scoring_default}. 0, or -1: ERR_NOMEM. */
int build_index(const manifest_t *m, describer_t *d, encoder_t *e, const log_t *log, index_t *x, size_t *failed, err_t *err);

#endif
