/* terms_h5: the vocabulary of an index in its HDF5 file. One thread. */
#ifndef CRYOLEX_PIPELINE_TERMS_H5_H
#define CRYOLEX_PIPELINE_TERMS_H5_H

#include <hdf5.h>
#include <stdbool.h>

#include "pipeline/terms.h"

/* In an HDF5 file: /vocab/{id,name,namespace} fixed-length UTF-8 (n), /vocab/parents_indptr (n+1) and parents_indices,
 * /vocab/embeddings float16 (n,d); /terms/{indptr,indices}: the rows of an entry, as in a SciPy CSR matrix. Attributes
 * text_model, text_hash. 0, or -1: HDF5 fails, ERR_NOMEM. */
/* step: of the embeddings, see h5_put_half(); exact: they are float32. */
int terms_write(hid_t file, const terms_t *t, double step, bool exact, err_t *err);
/* embeddings: t->z too. *t is {0} where the file has no terms. 0, or -1 with *t empty: ERR_FORMAT (lists that are not in order, rows
 * that there are not, a parent behind its child, values that are not finite), ERR_NOMEM. */
int terms_read(hid_t file, const char *path, size_t entries, bool embeddings, terms_t *t, err_t *err);

#endif
