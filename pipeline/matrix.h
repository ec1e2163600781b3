/* matrix: vectors of a file: a matrix of NumPy (.npy), or what cryolex embed and index build write (HDF5). */
#ifndef CRYOLEX_PIPELINE_MATRIX_H
#define CRYOLEX_PIPELINE_MATRIX_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define MATRIX_ROWS 1u /* the vectors */
#define MATRIX_IDS 2u  /* the ids */

/* n vectors of d numbers. One of f and h where rows were asked for. */
typedef struct {
    size_t n, d;
    const float *f;    /* (n,d) */
    const uint16_t *h; /* (n,d) float16 */
    char **id;         /* (n); NULL: the file has none, or they were not asked for */
    float *own;
    void *map;
    size_t map_bytes;
} matrix_t;

/* By content. A .npy file (C order, little endian, float32 or float16, two dimensions) is mapped, and its rows are paged in as they are looked at: it
 * may be larger than memory, and has no ids. Of HDF5, /embeddings is read into memory as float32 and brought to length 1 (h5matrix.h), with /id or
 * /ids. parts: MATRIX_ROWS | MATRIX_IDS, or 0 for n and d alone. The numbers of a .npy file are not looked at.
 * 0, or -1 with *m empty: ERR_IO; ERR_FORMAT neither of both, damaged, another shape; ERR_UNSUP another type or order; ERR_NOMEM. HDF5 is called
 * from one thread. End with matrix_close(). Source: numpy.lib.format, versions 1.0 to 3.0. */
int matrix_open(const char *path, unsigned parts, matrix_t *m, err_t *err);
void matrix_close(matrix_t *m); /* leaves {0} */

#endif
