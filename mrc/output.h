/* output: what the writers of maps are given. map_write() and mrc_write() are the callers; a writer only lays out. */
#ifndef CRYOLEX_MRC_OUTPUT_H
#define CRYOLEX_MRC_OUTPUT_H

#include "base/notes.h"
#include "base/vol.h"
#include "mrc/values.h"

typedef struct {
    const char *path;
    const vol_t *v;
    fit_t fit;       /* how values are stored */
    volstat_t stat;  /* of the values as stored */
    bool big_endian;
    bool gz;         /* of MRC */
    bool bigtiff;    /* of TIFF: also below 4 GB */
    const char *const *label; /* of MRC */
    size_t labels;
    notes_t *notes;  /* or NULL */
} output_t;

/* Each writes the whole file, or nothing at all. 0, or -1 with ERR_IO, ERR_NOMEM or ERR_INTERNAL. */
int output_mrc(const output_t *o, err_t *err);
int output_hdf5(const output_t *o, err_t *err);
int output_tiff(const output_t *o, err_t *err);

#endif
