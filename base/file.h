/* file: whole files in, atomic files out. */
#ifndef CRYOLEX_BASE_FILE_H
#define CRYOLEX_BASE_FILE_H

#include <stddef.h>
#include <stdio.h>

#include "base/err.h"

/* The bytes of a file ("-" is standard input), at most `max` of them; one zero byte follows, not counted in *n.
 * Free with mem_free(). NULL: ERR_IO (cannot open or read, a directory), ERR_RANGE (more than max), ERR_NOMEM. */
unsigned char *file_read(const char *path, size_t max, size_t *n, err_t *err);

/* A file that appears whole or not at all: written beside its name as NAME.tmp.PID, then renamed.
 * "-" is standard output, written as it goes. */
typedef struct {
    FILE *f;
    char *path, *tmp; /* NULL for standard output */
} outfile_t;

/* 0, or -1 with ERR_IO or ERR_NOMEM. End with exactly one of close (flush, fsync, rename) or abort (remove). */
int outfile_open(outfile_t *o, const char *path, err_t *err);
int outfile_close(outfile_t *o, err_t *err); /* 0, or -1 with ERR_IO; *o is empty either way */
void outfile_abort(outfile_t *o);            /* harmless on an empty one */

#endif
