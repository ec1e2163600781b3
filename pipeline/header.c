/* header: the EMDB header of a map, and the contour that is taken from it (see header.h). */
#include "pipeline/header.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "voxel/tally.h"

enum { SAID = 400 };

/* Append to s, which has room for SAID bytes. */
static void say(char *s, const char *what)
{
    size_t n = strlen(s);
    snprintf(s + n, SAID - n, "%s%s", n ? ", " : "", what);
}

/* The models that lie in the map; those that it was made from are left to info. */
static void say_models(char *s, const emdb_t *e)
{
    char one[64];
    for (size_t i = 0; i < e->fitted.n; i++) {
        if (e->relation[i] > EMDB_UNSAID) continue;
        snprintf(one, sizeof one, "fitted model %s%s%s%s", e->fitted.str[i], e->relation[i] == EMDB_UNSAID ? "" : " (",
                 e->relation[i] == EMDB_UNSAID ? "" : emdb_relation[e->relation[i]], e->relation[i] == EMDB_UNSAID ? "" : ")");
        say(s, one);
    }
}

int header_of_map(const char *map, const emdb_where_t *where, const vol_t *v, double *contour, emdb_t *e, notes_t *notes, err_t *err)
{
    char *path, said[SAID] = "", one[64];
    int rc = emdb_of_map(map, where, e, &path, notes, err);
    if (rc != 1) return rc;
    if (isnan(*contour) && !isnan(e->contour)) {
        range_t r = RANGE_NONE;
        for (size_t z = 0; z < v->nz; z++) tally()->range(v->data + vol_idx(v, 0, 0, z), v->nx * v->ny, &r);
        const double min = (double)r.least, max = (double)r.most;
        if (e->contour > min && e->contour < max) {
            *contour = e->contour;
            snprintf(one, sizeof one, "contour %.6g", e->contour);
            say(said, one);
        } else {
            notes_add(notes, "contour %.6g of %s is not taken: the map's values are %.6g to %.6g", e->contour, path, min, max);
        }
    }
    if (!isnan(e->resolution)) {
        snprintf(one, sizeof one, "resolution %.4g A", e->resolution);
        say(said, one);
    }
    say_models(said, e);
    if (*said) notes_add(notes, "%s: from %s", said, path);
    mem_free(path);
    return 1;
}
