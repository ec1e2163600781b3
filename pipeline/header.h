/* header: the EMDB header of a map, and the contour that is taken from it. */
#ifndef CRYOLEX_PIPELINE_HEADER_H
#define CRYOLEX_PIPELINE_HEADER_H

#include "base/vol.h"
#include "mrc/emdb.h"

/* The header of the map v, which was read from `map`, as emdb_of_map() finds it. *contour: the level that the user gave, which stays;
 * where it is NAN it becomes the header's, if that lies between the least and the greatest value of v (with the opposite said in a note), else
 * stays NAN. One note says what is taken from which file: contour, resolution, fitted models.
 * 1 with *e, 0 there is none, *e empty; -1 with the errors of emdb_of_map(). Thread-safe. */
int header_of_map(const char *map, const emdb_where_t *where, const vol_t *v, double *contour, emdb_t *e, notes_t *notes, err_t *err);

#endif
