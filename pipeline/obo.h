/* obo: the Gene Ontology as its consortium publishes it, go.obo or go-basic.obo. */
#ifndef CRYOLEX_PIPELINE_OBO_H
#define CRYOLEX_PIPELINE_OBO_H

#include "base/tsv.h"

/* The [Term] stanzas of an OBO file, plain or gzip, as a table like go_terms: go_id, name, namespace, parents ("isa=GO:1;part_of=GO:2"),
 * obsolete (0 or 1); line[] is where a stanza begins. `path` must outlive it. Other stanzas, other tags and alternative ids are passed over.
 * 0, or -1: ERR_IO, ERR_RANGE, ERR_NOMEM; ERR_FORMAT a NUL byte, no term, a tag twice that may be there once, or damaged gzip data. End with tsv_free().
 * Source: The OBO Flat File Format Specification 1.2. */
int obo_read(const char *path, tsv_t *t, err_t *err);
/* The same of n bytes of plain text, which are changed and end with a zero byte behind them; nothing of them is kept. */
int obo_mem(const char *path, char *text, size_t n, tsv_t *t, err_t *err);

#endif
