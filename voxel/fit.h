/* fit: the place of an atomic model in a map, by rigid motion. */
#ifndef CRYOLEX_VOXEL_FIT_H
#define CRYOLEX_VOXEL_FIT_H

#include <stddef.h>

#include "base/err.h"
#include "base/vol.h"
#include "pdb/model.h"
#include "voxel/pose.h"

/* A map made ready for any number of models. */
typedef struct fitmap fitmap_t;

/* v: the map, which is borrowed until fit_map_free(); voxels that are not finite count as background.
 * level: the contour, in the map's units. Bodies above it of less than FIT_SPECK of the largest one are left out.
 * resolution: angstrom, > 0: that of the map, to which models are simulated; where it is finer than FIT_VOXELS voxels, so many voxels.
 * Free with fit_map_free(). NULL: ERR_USAGE a resolution that is not positive; ERR_RANGE nothing above the level, or no finite voxel; ERR_NOMEM. */
fitmap_t *fit_map_new(const vol_t *v, double level, double resolution, err_t *err);
void fit_map_free(fitmap_t *f); /* NULL is fine */
double fit_map_resolution(const fitmap_t *f); /* angstrom: as used */
#define FIT_SPECK 0.02
#define FIT_VOXELS 2.5

/* {0}: the defaults. */
typedef struct {
    double step;   /* angstrom: of translations in the coarse search; 0: a sixth of the model's radius of gyration, FIT_STEP_LEAST
                    * to FIT_STEP_MOST; never less than a third of the resolution or a voxel */
    double angle;  /* degrees between neighbouring rotations of it; 0: FIT_ANGLE */
    size_t keep;   /* poses of it that are refined; 0: FIT_KEEP */
    size_t memory; /* bytes for one simulated density; 0: 4 GiB */
} fit_opts_t;
#define FIT_STEP_LEAST 2.0
#define FIT_STEP_MOST 8.0
#define FIT_ANGLE 20.0
#define FIT_KEEP 16

/* A placed model. */
typedef struct {
    pose_t pose;        /* of the model's coordinates */
    double correlation; /* about the mean, of the simulated model with the map, over the voxels of the map where the model's
                         * density is above FIT_MASK of its highest; -1..1 */
    double overall;     /* the same over the voxels above the contour as well, where the model may be 0: a part of what is in the map has
                         * less of it than the whole; -1..1 */
    double inside;      /* fraction of the atoms, by weight, that lie above the contour; 0..1 */
    double occupied;    /* fraction of the volume above the contour where the model is (as in correlation); 0..1 */
    double z;           /* highest score of the coarse search: standard deviations over the mean of the best score of each rotation */
    double step, angle; /* as used: angstrom, degrees */
    size_t rotations;   /* searched */
} fit_t;
#define FIT_MASK 0.05

/* Place m in the map: a search of all rotations and translations at coarse resolution (three steps), whose best poses, and the
 * four that lay the principal axes of the model on those of the map, are refined at coarse, then at finer resolution, at last
 * in the map's own voxels. What correlates best there is the result.
 *
 * Scores of the search are cross-correlations of the simulated model with the Laplacian of the map inside its contour, both low-passed;
 * the centre of the model stays within the box round what is above the contour.
 * 0, or -1: ERR_USAGE an option that is negative or not finite, an angle past 120 degrees; ERR_RANGE a grid past `memory`; ERR_NOMEM; ERR_INTERNAL.
 * Runs on all threads; the same bytes for any number of them. Thread-safe. */
int fit_model(const fitmap_t *f, const model_t *m, const fit_opts_t *o, fit_t *out, err_t *err);

/* The numbers of a model as it stands (pose the identity, z NAN): out->correlation, overall, inside, occupied. Errors as above. */
int fit_measure(const fitmap_t *f, const model_t *m, const fit_opts_t *o, fit_t *out, err_t *err);

#endif
