/* caption: sentences about an entry, by template from facts (annot.h), never copied from titles. */
#ifndef CRYOLEX_PIPELINE_CAPTION_H
#define CRYOLEX_PIPELINE_CAPTION_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "pipeline/annot.h"

#define CAPTION_MAX 2048 /* bytes, with the zero at the end */
#define CAPTION_VARIANTS 4 /* usual number an entry */

/* Variant v = 0, 1, ... of the caption of an entry. Variant 0 tells all kinds of facts in the usual order: names, organism, EC,
 * function, process, component, oligomeric state; of long lists the most telling members, so that most captions have at most 60
 * words. The others choose template, order and subset of the facts at random from (seed, id, v). GO terms are pruned of their
 * ancestors; obsolete terms and those too general to tell anything are left out. UTF-8 as far as the tables are, one line.
 * Equal input gives equal bytes. *n bytes written, not counting the zero (0: neither a name nor a function is known).
 * 0, or -1: ERR_NOMEM. Thread-safe. */
int caption_make(const annot_t *a, const facts_t *f, unsigned v, uint64_t seed, char out[CAPTION_MAX], size_t *n, err_t *err);

#endif
