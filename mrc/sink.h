/* sink: where the bytes of a map go, in order: a file that appears whole or not at all, or a gzip stream into one. */
#ifndef CRYOLEX_MRC_SINK_H
#define CRYOLEX_MRC_SINK_H

#include <zlib.h>

#include "base/file.h"
#include "base/vol.h"
#include "mrc/values.h"

typedef struct {
    outfile_t out;
    const char *path; /* borrowed */
    bool gz;
    z_stream z;
} sink_t;

/* 0, or -1 with the errors of outfile_open(). End with exactly one of close or abort. */
int sink_open(sink_t *s, const char *path, bool gz, err_t *err);
int sink_put(sink_t *s, const unsigned char *b, size_t n, err_t *err); /* 0, or -1 with ERR_IO or ERR_INTERNAL */
/* The n values at x as f stores them. 0, or -1, also with ERR_NOMEM. */
int sink_values(sink_t *s, const fit_t *f, bool big_endian, const float *x, size_t n, err_t *err);
/* What was written: kept where rc is 0, else removed. 0, or -1 with the errors of outfile_close(); rc as it is where that is not 0. */
int sink_end(sink_t *s, int rc, err_t *err);

#endif
