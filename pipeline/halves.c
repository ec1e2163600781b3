/* halves: the average of two half-maps and their resolution (see halves.h). */
#include "pipeline/halves.h"

#include <math.h>
#include <string.h>

#include "mrc/planes.h"
#include "voxel/fsc.h"

/* Plane by plane from a volume that is held. */
static int read_held(void *ctx, size_t z0, size_t nz, float *planes, err_t *err)
{
    const vol_t *v = ctx;
    size_t len = v->nx * v->ny;
    (void)err;
    memcpy(planes, v->data + z0 * len, nz * len * sizeof *planes);
    return 0;
}

static void tell(const char *b, const fsc_t *f, double *resolution, notes_t *notes)
{
    bool limited, one = true;
    double r = fsc_resolution(f, FSC_UNMASKED, FSC_GOLD, &limited);
    for (size_t k = 0; k < f->n; k++) one = one && f->curve[FSC_UNMASKED][k] > 1 - 1e-9;
    *resolution = isnan(r) || limited ? 0 : r;
    if (one) notes_add(notes, "%s is the same map, or a multiple of it: not two half-maps", b);
    else if (isnan(r)) notes_add(notes, "averaged with %s: no resolution, the Fourier shell correlation is below %g from the first shell on", b, FSC_GOLD);
    else if (limited) notes_add(notes, "averaged with %s: resolution %.2f angstrom or better, the Fourier shell correlation is never below %g", b, r, FSC_GOLD);
    else notes_add(notes, "averaged with %s: resolution %.2f angstrom at a Fourier shell correlation of %g, no mask", b, r, FSC_GOLD);
}

static int room_for(const char *path, const vol_t *a, int maps, size_t limit, err_t *err)
{
    size_t need = vol_len(a) * sizeof(float) * (size_t)maps;
    if (!limit || need <= limit) return 0;
    return err_set(err, ERR_RANGE, "%s: two half-maps need about %zu bytes of memory (the limit is %zu); see --memory", path, need, limit);
}

vol_t *halves_read(const char *a, const char *b, const mrc_opts_t *opts, double *resolution, notes_t *notes, err_t *err)
{
    const char *const name[2] = {a, b};
    size_t limit = opts ? opts->mem_limit : 0;
    vol_t shape, *held = NULL, *v = map_read(a, opts, NULL, notes, err);
    planes_t *p = v ? planes_open(b, opts, &shape, notes, NULL) : NULL;
    fsc_t f = {0};
    int rc = v && !room_for(a, v, p ? 3 : 4, limit, err) ? 0 : -1;
    if (!rc && !p && !(held = map_read(b, opts, NULL, notes, err))) rc = -1;
    if (!rc) rc = fsc_agree(v, a, p ? &shape : held, b, err);
    if (!rc) rc = fsc_average(v, p ? planes_read : read_held, p ? (void *)p : (void *)held, name, &f, err);
    if (!rc) tell(b, &f, resolution, notes);
    fsc_free(&f);
    planes_close(p);
    vol_free(held);
    if (!rc) return v;
    vol_free(v);
    return NULL;
}
