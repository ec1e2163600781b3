/* netopts: the options of commands that make a network. */
#ifndef CRYOLEX_SRC_NETOPTS_H
#define CRYOLEX_SRC_NETOPTS_H

#include "base/err.h"
#include "base/opt.h"
#include "voxel/encoder.h"

typedef struct {
    const char *table, *features, *width;
    long side, blocks, dim;
    int head;
} netopts_t;

extern const opt_t netopts_rows[];

/* The network that the options describe, with parameters 0. cmd: the command, for messages. NULL: ERR_USAGE options that do not go
 * together, and the errors of file_read() and encoder_new(). */
encoder_t *netopts_encoder(const netopts_t *o, const char *cmd, err_t *err);

/* The table in a file, without the line ends after it; mem_free(). NULL: ERR_FORMAT where it is empty, and the errors of
 * file_read(). */
char *netopts_table(const char *path, err_t *err);

/* "log_rg,zernike" or "none", each name at most once, for the command cmd. How many, or -1 with ERR_USAGE. */
int netopts_features(const char *cmd, const char *list, feature_t part[FEATURE_KINDS], err_t *err);

#endif
