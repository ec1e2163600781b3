/* embed: from files, maps and models, to embeddings. */
#ifndef CRYOLEX_PIPELINE_EMBED_H
#define CRYOLEX_PIPELINE_EMBED_H

#include <stddef.h>

#include "base/err.h"
#include "base/progress.h"
#include "pipeline/describe.h"
#include "pipeline/index.h"
#include "pipeline/manifest.h"
#include "pipeline/modelfile.h"
#include "voxel/encoder.h"

#define EMBED_BATCH 64 /* items described and embedded at a time */

/* Called for every item, in order, from one thread: what became of it, and its embedding z (d), which is NULL where
 * got->err tells why there is none. 0, or -1 with err to stop. */
typedef int (*embed_take_t)(void *ctx, const item_t *it, const described_t *got, const float *z, err_t *err);

/* Describe (describe.h) and embed n items; an item that cannot be read is handed over with its reason and the rest goes on.
 * In:   e  encoder_ready(), with DESCRIBE_ZERNIKE invariants
 *       poses  1: the embedding of each, by e->frames; more, up to ENCODER_POSES: of so many poses, and z is (poses, d)
 *       d  sets d->cubes, and d->side to that of e
 * Steps the bar. Memory is that of EMBED_BATCH records, whatever n is. The same bytes for any number of threads and any
 * order of items. 0, or -1: what take says; ERR_NOMEM. */
int embed_items(encoder_t *e, int poses, describer_t *d, const item_t *it, size_t n, progress_t *bar, embed_take_t take, void *ctx,
                err_t *err);

/* The embeddings z (poses, d) of one record, which has the cube of e->side (describer_t.cubes): the same bytes as those of embed_items(). 0, or -1
 * with the errors of encoder_embed_poses(). */
int embed_record(encoder_t *e, int poses, const record_t *r, float *z, err_t *err);

/* Make the encoder of a model ready for queries of an index, whose frames it takes; path and model are files, for the message. 0, or -1:
 * index_of_model(); ERR_FORMAT embeddings of another length than the model's; encoder_ready(). */
int embed_ready(modelfile_t *m, const char *model, const index_t *x, const char *path, err_t *err);

#endif
