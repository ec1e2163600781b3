/* vectors: embeddings with their ids, gathered in memory and written as a file. */
#ifndef CRYOLEX_PIPELINE_VECTORS_H
#define CRYOLEX_PIPELINE_VECTORS_H

#include <stddef.h>

#include "base/err.h"

#define VECTORS_FORMAT "cryolex-embeddings"
#define VECTORS_VERSION 1

/* n rows. Start from {.d = ...}; end with vectors_free(). */
typedef struct {
    size_t n, cap, d;
    char **id;
    float *rg; /* (n) angstrom */
    float *z;  /* (n, d) */
} vectors_t;

int vectors_add(vectors_t *v, const char *id, float rg, const float *z, err_t *err); /* copies; 0, or -1 ERR_NOMEM */
void vectors_free(vectors_t *v);                                                   /* leaves {0} */

/* NumPy's own file: (n, d) float32, little endian; numpy.load(path). The whole file or none of it; no row is fine.
 * 0, or -1: ERR_IO, ERR_NOMEM. Source: numpy.lib.format, version 1.0. */
int vectors_npy(const char *path, const vectors_t *v, err_t *err);

/* HDF5: /embeddings float32 (n, d), /ids fixed-length UTF-8 (n), /rg float32 (n); attributes format, format_version,
 * program, cube_version, model (hash, modelfile.h), frames. The whole file or none of it.
 * 0, or -1: ERR_IO, ERR_RANGE no row, ERR_NOMEM. */
int vectors_h5(const char *path, const vectors_t *v, const char *model, int frames, err_t *err);

/* Read such a file: /ids, /embeddings, /rg. 0, or -1 with *v empty: the errors of h5read.h; ERR_FORMAT. */
int vectors_read(const char *path, vectors_t *v, err_t *err);

#endif
