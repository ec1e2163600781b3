/* target: a map that models are placed in, from its file. */
#ifndef CRYOLEX_PIPELINE_TARGET_H
#define CRYOLEX_PIPELINE_TARGET_H

#include <stdbool.h>

#include "base/err.h"
#include "base/notes.h"
#include "mrc/emdb.h"
#include "mrc/map.h"
#include "voxel/fit.h"

/* Start from {0}; end with target_close(). */
typedef struct {
    vol_t *v;
    fitmap_t *map;
    double level;      /* contour: the one given, else of the EMDB header, else estimated */
    bool estimated;
    double resolution; /* angstrom: the one given, else of the two half-maps, else of the EMDB header, else TARGET_VOXELS voxels */
    bool guessed;      /* the last of these */
} target_t;
#define TARGET_VOXELS 3.0

/* half: the other half-map, path being one, or NULL: the target is their average (halves_read()), and the header is path's. contour, resolution: NAN where
 * not given. notes as of map_read() or halves_read(), and header_of_map(). 0, or -1 with file and reason: the errors of these, contour_estimate() and
 * fit_map_new(). */
int target_open(target_t *t, const char *path, const char *half, const mrc_opts_t *how, const emdb_where_t *where, double contour,
                double resolution, notes_t *notes, err_t *err);
void target_close(target_t *t); /* leaves {0} */

/* Read the model of a file and place it. *m (or NULL) is the model, for model_free(), whether it was placed or not. 0, or -1 with the file: the errors of
 * pdb_read() and fit_model(). */
int target_place(const target_t *t, const char *path, const char *assembly, const fit_opts_t *o, fit_t *out, model_t **m, notes_t *notes, err_t *err);

#endif
