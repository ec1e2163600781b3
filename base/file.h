/* file: whole files in, atomic files out. */
#ifndef CRYOLEX_BASE_FILE_H
#define CRYOLEX_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"

/* The bytes of a file ("-" is standard input), at most `max` of them; one zero byte follows, not counted in *n.
 * Free with mem_free(). NULL: ERR_IO (cannot open or read, a directory), ERR_RANGE (more than max), ERR_NOMEM. */
unsigned char *file_read(const char *path, size_t max, size_t *n, err_t *err);

/* A file that appears whole or not at all: written beside its name as a new file NAME.tmp.PID (PID.1 and so on where that
 * is there), then renamed. A process that is killed leaves that file behind. A symbolic link stays, and the file that it leads to is replaced. "-" is
 * standard output; that, a pipe and a device are written as it goes. */
typedef struct {
    FILE *f;
    char *path; /* NULL for standard output */
    char *tmp;  /* NULL where it is written as it goes */
} outfile_t;

/* 0, or -1 with ERR_IO (an empty name, a directory, a link that leads nowhere, no permission) or ERR_NOMEM. End with
 * exactly one of close (flush, fsync, rename) or abort (remove). */
int outfile_open(outfile_t *o, const char *path, err_t *err);
int outfile_close(outfile_t *o, err_t *err); /* 0, or -1 with ERR_IO, also for a write that failed earlier; *o is empty then */
void outfile_abort(outfile_t *o);            /* harmless on an empty one */

/* Whether this is no "-", pipe or device, so that outfile_open() writes beside it (or fails). */
bool outfile_whole(const char *path);

#endif
