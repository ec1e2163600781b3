/* update: an index brought up to date with a manifest, without describing again what has not changed. */
#ifndef CRYOLEX_PIPELINE_UPDATE_H
#define CRYOLEX_PIPELINE_UPDATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/intern.h"
#include "base/log.h"
#include "pipeline/describe.h"
#include "pipeline/index.h"
#include "pipeline/manifest.h"
#include "voxel/encoder.h"

/* What happened to entries. */
typedef struct {
    size_t kept, added, replaced, dropped;
    size_t failed; /* items that could not be read or whose id came before */
} updated_t;

/* Ids that are no more: PDB ids from a file as the wwPDB publishes it (obsolete.dat: the third word of lines that start with OBSLTE), or else the first word
 * of every line; in small letters, into *ids, which starts from {0} (intern_free()). 0, or -1: ERR_IO, ERR_NOMEM. */
int update_obsolete(const char *path, intern_t *ids, err_t *err);

/* Bring x, which has been read with INDEX_ALL, up to date:
 *   an item whose id x has not is added;
 *   one whose digest (describe_digest()) is not the entry's, or that has none, replaces it;
 *   of others the entry stays, with path, caption, terms, group, split and pair of the item;
 *   entries that `obsolete` (NULL: none) has, by their id or what is before its first _, are dropped, in any case of letters, and such items passed over;
 *   with prune so are entries that no item has.
 * Order: with prune that of the manifest, so that the index is the one that build_index() makes of it; else that of x, what is new at the end. An item that cannot be
 * read is reported and leaves the entry that was there, if any. Terms of new entries are left empty; scoring and evidence stay. What one of both has not, Zernike
 * invariants or profiles, new entries have not.
 * e: encoder_ready(), of the model of x; NULL where x has no embeddings. The strings of x are its own afterwards. 0, or -1 (*x is then for freeing only): ERR_NOMEM. */
int update_index(index_t *x, const manifest_t *m, const intern_t *obsolete, bool prune, describer_t *d, encoder_t *e, const log_t *log,
                 updated_t *n, err_t *err);

#endif
