/* clx_query: libcryolex: queries (see cryolex.h). */
#include "lib/clx_priv.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "base/vol.h"
#include "pipeline/embed.h"
#include "voxel/symmetry.h"

void clx_query_free(clx_query_t *q)
{
    if (!q) return;
    record_free(&q->rec);
    notes_free(&q->notes);
    mem_free(q->z);
    mem_free(q);
}

static void tell(clx_query_t *q)
{
    const record_t *r = &q->rec;
    char *const text[] = {r->title, r->method, r->molecules, r->organisms};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) utf8_clean(text[i], text[i]);
    for (size_t i = 0; i < q->notes.n; i++) utf8_clean(q->notes.line[i], q->notes.line[i]);
    q->about = (clx_about_t){.is_model = r->kind == ITEM_MODEL,
                             .contour_estimated = r->estimated,
                             .contour = (double)r->level,
                             .rg = (double)r->rg,
                             .volume = (double)r->volume,
                             .mass = describe_mass(r),
                             .resolution = r->resolution > 0 ? (double)r->resolution : (double)NAN,
                             .title = r->title,
                             .method = r->method,
                             .molecules = r->molecules,
                             .organisms = r->organisms,
                             .notes = q->notes.n,
                             .note = (const char *const *)q->notes.line};
}

/* Embed the record that a query has. */
static int embed(clx_t *c, clx_query_t *q, err_t *err)
{
    q->poses = c->poses;
    q->d = c->x.d;
    q->side = c->d.side;
    q->z = mem_new(q->poses * q->d, sizeof *q->z, err);
    if (!q->z) return -1;
    pthread_mutex_lock(&c->lock);
    int rc = embed_record(c->model.encoder, (int)q->poses, &q->rec, q->z, err);
    pthread_mutex_unlock(&c->lock);
    if (!rc) tell(q);
    return rc;
}

/* The describer and the item that `how` means. */
static int heed(const clx_how_t *how, describer_t *d, item_t *it, err_t *err)
{
    if (!how) return 0;
    if (how->size < sizeof *how) return err_set(err, ERR_USAGE, "clx_how_t: size %zu (%zu is wanted)", how->size, sizeof *how);
    if (!(how->voxel >= 0) || isinf(how->voxel)) return err_set(err, ERR_USAGE, "%s: voxel size %g", it->path, how->voxel);
    if (how->contour) it->contour = *how->contour;
    it->apix = how->voxel;
    it->half = how->half;
    it->assembly = how->assembly;
    d->map.mem_limit = how->memory;
    d->header = (emdb_where_t){.off = how->header && !*how->header, .path = how->header && *how->header ? how->header : NULL};
    return 0;
}

clx_query_t *clx_query_file(clx_t *c, const char *path, const clx_how_t *how, clx_err_t *err)
{
    err_t own = {0};
    describer_t d = c->d; /* its tables are shared */
    item_t it = {.id = path, .path = path, .contour = (double)NAN};
    clx_query_t *q = mem_zero(1, sizeof *q, &own);
    inner_begin();
    int rc = q && !heed(how, &d, &it, &own) && !describe_file(&d, &it, &q->rec, &q->notes, &own) ? embed(c, q, &own) : -1;
    inner_end();
    if (!rc) return q;
    err_prefix(&own, path);
    clx_query_free(q);
    inner_fail(err, &own);
    return NULL;
}

clx_query_t *clx_query_array(clx_t *c, const float *data, size_t nx, size_t ny, size_t nz, const double voxel[3], const double *contour,
                             clx_err_t *err)
{
    err_t own = {0};
    clx_query_t *q = mem_zero(1, sizeof *q, &own);
    vol_t *v = NULL;
    int rc = q ? 0 : -1;
    for (int k = 0; k < 3 && !rc; k++)
        if (!(voxel[k] > 0) || isinf(voxel[k])) rc = err_set(&own, ERR_USAGE, "voxel size %g along %c", voxel[k], "xyz"[k]);
    if (!rc && !(v = vol_new(nx, ny, nz, voxel[0], &own))) rc = -1;
    inner_begin();
    if (!rc) {
        memcpy(v->voxel, voxel, sizeof v->voxel);
        memcpy(v->data, data, vol_len(v) * sizeof *v->data);
        rc = describe_volume(&c->d, v, contour ? *contour : (double)NAN, &q->rec, &own) || embed(c, q, &own) ? -1 : 0;
    }
    inner_end();
    vol_free(v);
    if (!rc) return q;
    clx_query_free(q);
    inner_fail(err, &own);
    return NULL;
}

const clx_about_t *clx_query_about(const clx_query_t *q) { return &q->about; }

const float *clx_query_embeddings(const clx_query_t *q, size_t *p, size_t *d)
{
    if (p) *p = q->poses;
    if (d) *d = q->d;
    return q->z;
}

const float *clx_query_cube(const clx_query_t *q, size_t *s)
{
    if (s) *s = q->side;
    return q->rec.density;
}

int clx_query_symmetry(const clx_query_t *q, char group[8], double *score, clx_err_t *err)
{
    err_t own = {0};
    symmetry_t s;
    inner_begin();
    int rc = symmetry_guess(q->rec.density, q->side, &s, &own);
    inner_end();
    if (rc) return inner_fail(err, &own);
    memcpy(group, s.group, sizeof s.group);
    if (score) *score = s.score;
    return 0;
}
