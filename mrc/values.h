/* values: what becomes of a density's values in a file of a narrower type. */
#ifndef CRYOLEX_MRC_VALUES_H
#define CRYOLEX_MRC_VALUES_H

#include "base/notes.h"
#include "base/vol.h"
#include "mrc/data.h"

/* How values are stored: clip(round(value * mul + add)). */
typedef struct {
    raw_t kind;
    bool whole, clip, scaled;
    double lo, hi;   /* what the kind holds */
    double mul, add; /* 1, 0 unless scaled */
} fit_t;

/* How to store v as `kind` (of 8 or 16 bits, or RAW_FLOAT32), and the statistics of what will be stored, of the finite values.
 *   scale  of an integer kind: the finite values from least to greatest become its whole range
 *   clip   what is out of range becomes the nearest limit (of float16, what is finite), NaN in an integer kind 0
 * `type` is what messages call the kind. Notes say what is rounded, clipped, scaled, NaN or infinite. 0, or -1:
 *   ERR_RANGE  a value that the kind cannot hold, without clip
 *   ERR_USAGE  scale for a float kind */
int values_fit(const char *path, const char *type, const vol_t *v, raw_t kind, bool scale, bool clip, fit_t *f, volstat_t *s, notes_t *notes,
               err_t *err);

/* n values as they are stored, to raw. */
void values_encode(const fit_t *f, bool big_endian, const float *x, unsigned char *raw, size_t n);

#endif
