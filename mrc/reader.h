/* reader: one read under way; what read.c and validate.c share. */
#ifndef CRYOLEX_MRC_READER_H
#define CRYOLEX_MRC_READER_H

#include "mrc/data.h"
#include "mrc/head.h"
#include "mrc/source.h"

enum { READER_CHUNK = 1 << 18 }; /* bytes read at a time */

typedef struct {
    source_t src;
    const char *name;
    const char *want; /* what a file of another kind is told not to be */
    mrc_opts_t opts;
    mrc_header_t h;
    size_t row_bytes, volume; /* of a row as stored; which volume, from 0 */
    raw_t raw;
    vol_t *vol;
    bool cut;   /* the data ended too early */
    size_t bad; /* voxels read that are not finite */
    notes_t *notes;
} reader_t;

void reader_init(reader_t *r, const mrc_opts_t *opts, notes_t *notes);
/* raw and row_bytes from the header's read_mode, which is a density's. */
void reader_set_kind(reader_t *r);
/* The next `rows` rows as stored (C fastest) to out (rows, NX). tmp: READER_CHUNK bytes or one row, if that is more.
 * 0, or -1: ERR_IO the file ends, or cannot be read; ERR_FORMAT damaged compressed data. */
int reader_rows(reader_t *r, float *out, size_t rows, unsigned char *tmp, err_t *err);
/* Of an opened r->src with r->name: the volume, as mrc_read; r->h as far as it was understood. */
vol_t *reader_volume(reader_t *r, err_t *err);
/* Of an opened r->src with r->name: the departures, as mrc_validate. */
int reader_validate(reader_t *r, notes_t *list, err_t *err);

#endif
