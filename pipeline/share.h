/* share: where the files are that come with the program. */
#ifndef CRYOLEX_PIPELINE_SHARE_H
#define CRYOLEX_PIPELINE_SHARE_H

#include "base/err.h"

#define SHARE_MODEL "default.safetensors"
#define SHARE_INDEX "default.index.h5"

/* The path of a file by its name: in the folder that the environment variable CRYOLEX_SHARE names, and where that is not set or
 * empty, in the folder that the program was installed with, else in ../share/cryolex, from where the program is, for an installation that was moved,
 * else in share/ beside the program or one above, where an uninstalled one finds those of its source. A new string, free with mem_free(). NULL: ERR_NOTFOUND (the message tells where it
 * was looked for), ERR_NOMEM. */
char *share_file(const char *name, err_t *err);

#endif
