/* textmodel: where the sentence encoder is that a command works with. */
#ifndef CRYOLEX_PIPELINE_TEXTMODEL_H
#define CRYOLEX_PIPELINE_TEXTMODEL_H

#include "base/err.h"
#include "pipeline/modelfile.h"
#include "text/sentence.h"

/* The folder that `which` means: "minilm" and "mpnet" are the folders of these names in the cache (cryolex/text in
 * XDG_CACHE_HOME, or in .cache of HOME), where scripts/fetch-text-model puts them; anything else is a folder itself.
 * NULL: what the environment variable CRYOLEX_TEXT_MODEL says in the same way, else minilm.
 * A new string, free with mem_free(). NULL: ERR_NOTFOUND no such folder (the message tells how to get one), ERR_NOMEM. */
char *textmodel_folder(const char *which, err_t *err);

/* The same, opened; errors of sentence_open() too. */
sentence_t *textmodel_open(const char *which, err_t *err);

/* The same for a model, whose sentence encoder it must be; path is the model's file, for messages. NULL: ERR_UNSUP a model that knows no text, or was trained with another
 * sentence encoder (both are named), too. */
sentence_t *textmodel_of(const char *which, const modelfile_t *m, const char *path, err_t *err);

/* The embedding z (d) of a text, by the encoder of textmodel_of(). 0, or -1: sentence_encode(); ERR_NOMEM. Thread-safe. */
int textmodel_embed(const sentence_t *s, const modelfile_t *m, const char *text, float *z, err_t *err);

#endif
