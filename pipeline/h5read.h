/* h5read: reading HDF5 files in which nothing can be trusted. One thread. */
#ifndef CRYOLEX_PIPELINE_H5READ_H
#define CRYOLEX_PIPELINE_H5READ_H

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* A file that is open, and the first error. Messages name file and dataset. */
typedef struct {
    hid_t file;
    const char *path; /* borrowed */
} h5in_t;

/* 0, or -1: ERR_IO cannot open, ERR_FORMAT no HDF5 file, or its attribute `format` is another than the one given (`what` is wanted). */
int h5read_open(h5in_t *in, const char *path, const char *format, const char *what, err_t *err);
void h5read_close(h5in_t *in);

/* The rest: 0, or -1 with ERR_FORMAT (missing, damaged, of another shape) or ERR_NOMEM. */
int h5read_attr(const h5in_t *in, const char *name, hid_t type, void *out, err_t *err);
/* Text attribute, zero-ended; at most room - 1 bytes. */
int h5read_attr_text(const h5in_t *in, const char *name, char *out, size_t room, err_t *err);
/* Rows of a dataset whose other dimension is cols (0: a vector). */
int h5read_rows(const h5in_t *in, const char *name, size_t cols, size_t *n, err_t *err);
/* A dataset of n rows and `cols` columns (0: a vector) as an array of `type`, in memory the size of one being `size`; free with mem_free(). */
int h5read_data(const h5in_t *in, const char *name, hid_t type, size_t size, size_t n, size_t cols, void *out, err_t *err);
/* n strings of fixed length, as pointers and bytes in one block; free with mem_free(). */
int h5read_text(const h5in_t *in, const char *name, size_t n, char ***out, err_t *err);

#endif
