/* overview: many answers on one page: a table to sort and filter, what failed, a map of the embeddings. */
#ifndef CRYOLEX_SRC_OVERVIEW_H
#define CRYOLEX_SRC_OVERVIEW_H

#include <jansson.h>

#include "base/err.h"

/* DIR/index.html.
 *
 * In:   answers  an array as results_read() gives
 *       name     of the page of each, NULL for one without
 *       sweep    folder of the sweep that they are of, for its failures.tsv and embeddings.h5, or NULL
 * 0, or -1: ERR_IO, ERR_FORMAT, ERR_NOMEM. */
int overview_write(const char *dir, const json_t *answers, const char *const *name, const char *sweep, err_t *err);

#endif
