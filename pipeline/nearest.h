/* nearest: the vectors of files that are nearest to some queries, exactly (nn/topk.h), by one process or by ranks that share the files. */
#ifndef CRYOLEX_PIPELINE_NEAREST_H
#define CRYOLEX_PIPELINE_NEAREST_H

#include <stddef.h>

#include "base/err.h"
#include "nn/comm.h"
#include "nn/topk.h"
#include "pipeline/matrix.h"

/* One of the files of a base (pipeline/matrix.h). Rows are numbered through all files, in their order. */
typedef struct {
    const char *path;
    size_t n, first; /* rows; number of row 0 */
} nearfile_t;

/* Look at what the files hold: file (files) gets it. 0, or -1: the errors of matrix_open(); ERR_FORMAT vectors of other than d numbers, no vector. */
int nearest_files(char *const *path, size_t files, size_t d, nearfile_t *file, err_t *err);

/* The ids of a file, for matrix_close(). 0, or -1 with *m empty: the errors of matrix_open(); ERR_FORMAT it has other rows than it had, of d numbers. */
int nearest_names(const nearfile_t *file, size_t d, matrix_t *m, err_t *err);

/* The k rows nearest to each of b queries q (b,d), by the dot product: hit (b,k), best first, the first *n of each k are there; everywhere the same, whatever
 * the number of ranks and threads. With as many files as ranks or more, a rank takes whole files in turn; with fewer it takes its
 * share of the rows of each. Called by all ranks. Of .npy files no more is in memory than the system keeps of them; of HDF5 files one at a
 * time. 0, or -1: the errors of matrix_open() and topk_look(), naming the file; of comm; ERR_NOMEM. */
int nearest_run(const nearfile_t *file, size_t files, const float *q, size_t b, size_t d, size_t k, const comm_t *c, near_t *hit, size_t *n,
                err_t *err);

#endif
