/* inputs: the operands of a command that works on many maps and models. */
#ifndef CRYOLEX_SRC_INPUTS_H
#define CRYOLEX_SRC_INPUTS_H

#include "pipeline/manifest.h"
#include "src/cmd.h"

/* Manifests, folders and files (manifest_add) into *m, which starts from {0}; notes as warnings. 0, or -1 with the errors of
 * manifest_add, and ERR_FORMAT no entry. */
int inputs_read(const app_t *app, int argc, char **argv, manifest_t *m, err_t *err);

#define HALVES_HELP                                                                                                                  \
    "The files are half-maps, two and two: each pair is averaged, and the resolution told that their Fourier shell correlation gives (see " \
    "cryolex fsc)"

/* n files are pairs of half-maps: 0, or -1 with ERR_USAGE. */
int inputs_pairs(const app_t *app, size_t n, err_t *err);

/* The same as inputs_read() of pairs of half-maps: one item each, with the name of the first; ERR_USAGE where one is not the name of a file. */
int inputs_halves(const app_t *app, int argc, char **argv, manifest_t *m, err_t *err);

/* That the output destroys none of what is read, and can be written: asked before the work, which may take days. 0, or -1
 * with ERR_USAGE, ERR_IO. */
int inputs_spare(const char *cmd, const char *out, int argc, char **argv, const manifest_t *m, err_t *err);

#endif
