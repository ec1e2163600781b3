/* halves: two half-maps as one map. */
#ifndef CRYOLEX_PIPELINE_HALVES_H
#define CRYOLEX_PIPELINE_HALVES_H

#include "mrc/map.h"

/* Read half-map a, add b, halve: the average, with a's origin; free with vol_free().
 *
 * Out:  resolution  angstrom, by their Fourier shell correlation at FSC_GOLD, no mask (fsc_average()); 0 where the curve is below from the first
 *                   shell on, or never
 *       notes       those of both reads; one that tells the resolution, or why there is none
 * NULL: the errors of map_read() and fsc_average(); ERR_RANGE more than opts->mem_limit. The message begins with the name of the file.
 * b is read plane by plane where it lies straight in its file (planes.h), else held. Memory, in maps: 3, or 4. Thread-safe. */
vol_t *halves_read(const char *a, const char *b, const mrc_opts_t *opts, double *resolution, notes_t *notes, err_t *err);

#endif
