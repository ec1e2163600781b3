/* h5matrix: the large matrices of an index, read faster than HDF5 reads them. Called from one thread. */
#ifndef CRYOLEX_PIPELINE_H5MATRIX_H
#define CRYOLEX_PIPELINE_H5MATRIX_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "pipeline/h5read.h"

#define H5MATRIX_COLS_MAX 65536

/* Rows of length 1, float16 or float32 in the file: *z (n, *d), brought to length 1 again after the rounding (those of float32 stay as they are where they are so to 1e-6); free with
 * mem_free(). 0, or -1: ERR_FORMAT missing, damaged, of another shape, a row that is not finite or not of length 1 to within
 * 1 %; ERR_NOMEM. */
int h5matrix_unit(const h5in_t *in, const char *name, size_t n, size_t *d, float **z, err_t *err);

/* d of such a dataset. 0, or -1 ERR_FORMAT. */
int h5matrix_cols(const h5in_t *in, const char *name, size_t n, size_t *d, err_t *err);

/* int8 (n, cols), deflated in blocks of rows that all threads inflate, or in any other form. 0, or -1: ERR_FORMAT, ERR_NOMEM. */
int h5matrix_bytes(const h5in_t *in, const char *name, size_t n, size_t cols, int8_t **out, err_t *err);

#endif
