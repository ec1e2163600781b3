/* outpath: whether a path can be written to, asked before the work. */
#ifndef CRYOLEX_SRC_OUTPATH_H
#define CRYOLEX_SRC_OUTPATH_H

#include "base/err.h"

/* 0, or -1 with ERR_USAGE where `out` and `in` are one regular file, by whatever names: it would be lost. "-" as `in` is
 * standard input; as `out` it is never an input. cmd is the command, for the message. */
int outpath_not_input(const char *cmd, const char *out, const char *in, err_t *err);

/* 0, or -1 with ERR_USAGE where `out` is "-", a pipe or a device, which HDF5 cannot be written to. */
int outpath_whole(const char *cmd, const char *out, err_t *err);

/* 0, or -1 with ERR_IO where the file `out` could not be made: it is a folder, a link that leads nowhere, or its own folder is
 * missing or not writable.
 * Makes a file beside it and removes it. Anything that exists and is no regular file passes. */
int outpath_writable(const char *out, err_t *err);

#endif
