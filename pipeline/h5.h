/* h5: writing HDF5 files whole. One thread. */
#ifndef CRYOLEX_PIPELINE_H5_H
#define CRYOLEX_PIPELINE_H5_H

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/file.h"

/* Before the first call: HDF5 prints nothing, and does not try again at exit to write what a full disk refused. */
void h5_quiet(void);

/* A file that appears whole or not at all (base/file.h): written beside its name, then renamed; a symbolic link stays.
 * HDF5 goes to and fro in a file, so "-", a pipe and a device are refused, unopened. 0, or -1 with ERR_IO, ERR_NOMEM and *o
 * empty. End with h5_finish(). */
typedef struct {
    hid_t file;
    outfile_t out;
} h5out_t;
int h5_create(h5out_t *o, const char *path, err_t *err);
/* Close; with ok keep the file, else remove it. 0, or -1 with ERR_IO, also where !ok and err holds nothing yet. */
int h5_finish(h5out_t *o, bool ok, err_t *err);

/* The rest: 0, or -1 where HDF5 fails. */
hid_t h5_text_type(size_t n); /* fixed-length UTF-8 of n bytes; H5Tclose() */
int h5_put_attr(hid_t file, const char *name, hid_t type, const void *value);
int h5_put_attr_text(hid_t file, const char *name, const char *value);
/* A dataset of n rows and `cols` columns (0: a vector); with `deflate` chunked and deflated. */
int h5_put_data(hid_t file, const char *name, hid_t type, size_t n, size_t cols, bool deflate, const void *data);
int h5_put_text(hid_t file, const char *name, size_t n, char *const *text, err_t *err);
/* Bytes (n, cols), deflated in blocks of rows that can be inflated side by side (h5matrix.h). */
int h5_put_blocks(hid_t file, const char *name, size_t n, size_t cols, const int8_t *data);
hid_t h5_half_type(void); /* float16; H5Tclose() */
/* float (n, cols) as float16, the nearest (HDF5 1.10, asked to round, stores half of some numbers); with a step above 0 rounded to
 * multiples of it first. Also -1 with ERR_NOMEM. */
int h5_put_half(hid_t file, const char *name, size_t n, size_t cols, bool deflate, const float *data, double step, err_t *err);

#endif
