/* target: a map that models are placed in, from its file (see target.h). */
#include "pipeline/target.h"

#include <math.h>

#include "pdb/pdb.h"
#include "pipeline/halves.h"
#include "pipeline/header.h"
#include "voxel/contour.h"

int target_open(target_t *t, const char *path, const char *half, const mrc_opts_t *how, const emdb_where_t *where, double contour,
                double resolution, notes_t *notes, err_t *err)
{
    emdb_t e = {0};
    contour_t c;
    err_t why = {0};
    *t = (target_t){.level = contour, .resolution = resolution};
    double of_halves = 0;
    t->v = half ? halves_read(path, half, how, &of_halves, notes, err) : map_read(path, how, NULL, notes, err);
    if (!t->v) return -1;
    if (of_halves > 0 && isnan(resolution)) t->resolution = of_halves;
    int found = header_of_map(path, where, t->v, &t->level, &e, notes, err);
    if (found < 0) return -1;
    if (found && isnan(t->resolution)) t->resolution = e.resolution;
    emdb_free(&e);
    t->estimated = isnan(t->level);
    t->guessed = isnan(t->resolution);
    if (t->guessed) t->resolution = TARGET_VOXELS * cbrt(t->v->voxel[0] * t->v->voxel[1] * t->v->voxel[2]);
    int rc = t->estimated ? contour_estimate(t->v, &c, &why) : 0;
    if (!rc && t->estimated) t->level = c.level;
    if (!rc && !(t->map = fit_map_new(t->v, t->level, t->resolution, &why))) rc = -1;
    return rc ? err_set(err, why.code, "%s: %s", path, why.msg) : 0;
}

void target_close(target_t *t)
{
    fit_map_free(t->map);
    vol_free(t->v);
    *t = (target_t){0};
}

int target_place(const target_t *t, const char *path, const char *assembly, const fit_opts_t *o, fit_t *out, model_t **m, notes_t *notes, err_t *err)
{
    err_t why = {0};
    if (!(*m = pdb_read(path, assembly, notes, err))) return -1;
    return fit_model(t->map, *m, o, out, &why) ? err_set(err, why.code, "%s: %s", path, why.msg) : 0;
}
