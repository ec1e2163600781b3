/* bench_words: structures and words: captions of a dataset both ways, and free texts. */
#ifndef CRYOLEX_PIPELINE_BENCH_WORDS_H
#define CRYOLEX_PIPELINE_BENCH_WORDS_H

#include "pipeline/bench_maps.h"
#include "pipeline/modelfile.h"

/* The protocol pdb, of arXiv 2506.08023: structures of the split, by their embeddings in the gallery, against the first captions of these (task[0]), and captions against
 * structures (task[1]). Relevant: the entry's own; same set of 30 % clusters; one, or three GO terms in common, ancestors not counted. Methods: random; nearest_training, the caption of the
 * training structure nearest by cube and size, by the cosine of the frozen encoder (the other way: the structure of the training caption nearest to the text); learned; rivals, whose ids are
 * ID and ID.text. 0, or -1: ERR_UNSUP a dataset without embedded captions, a model that knows no text or another encoder; ERR_RANGE no entry of the split has a
 * caption and is in the gallery; ERR_NOMEM. Both are ended with bench_end(), also after an error. */
int bench_pdb(const benchwork_t *w, const modelfile_t *model, benchtask_t task[2], err_t *err);

/* The protocol text: free texts of a table with columns query and relevant (ids of entries, or of terms that entries have, separated by spaces), against the gallery, which is read with terms.
 * Methods: random; keywords, how many of the words of the query are in title and names of molecules; words, as search --text; learned, by structure alone. text_model: as textmodel_open().
 * 0, or -1: ERR_IO, ERR_FORMAT of the table; ERR_UNSUP; ERR_RANGE no query with something relevant in the gallery; ERR_NOMEM. */
int bench_text(const benchwork_t *w, const modelfile_t *model, const char *table, const char *text_model, benchtask_t *t, err_t *err);

#endif
