/* textmodel: where the sentence encoder is that a command works with. */
#ifndef CRYOLEX_PIPELINE_TEXTMODEL_H
#define CRYOLEX_PIPELINE_TEXTMODEL_H

#include "base/err.h"
#include "text/sentence.h"

/* The folder that `which` means: "minilm" and "mpnet" are the folders of these names in the cache (cryolex/text in
 * XDG_CACHE_HOME, or in .cache of HOME), where scripts/fetch-text-model puts them; anything else is a folder itself.
 * NULL: what the environment variable CRYOLEX_TEXT_MODEL says in the same way, else minilm.
 * A new string, free with mem_free(). NULL: ERR_NOTFOUND no such folder (the message tells how to get one), ERR_NOMEM. */
char *textmodel_folder(const char *which, err_t *err);

/* The same, opened; errors of sentence_open() too. */
sentence_t *textmodel_open(const char *which, err_t *err);

#endif
