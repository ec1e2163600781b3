/* coarse: large maps read onto a coarser grid, section by section (see coarse.h). */
#include "pipeline/coarse.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "mrc/planes.h"
#include "mrc/stream.h"
#include "voxel/resample.h"

typedef struct {
    planes_t *planes;
    size_t area; /* voxels of a section */
    size_t bad;
} finite_t;

static size_t make_finite(float *x, size_t n)
{
    size_t bad = 0;
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i])) {
            x[i] = 0;
            bad++;
        }
    return bad;
}

static int read_finite(void *ctx, size_t z0, size_t nz, float *out, err_t *err)
{
    finite_t *f = ctx;
    if (planes_read(f->planes, z0, nz, out, err)) return -1;
    size_t bad = make_finite(out, nz * f->area);
#pragma omp atomic
    f->bad += bad;
    return 0;
}

static int by_stream(resample_t *r, stream_t *s, const vol_t *shape, size_t *bad, err_t *err)
{
    float *plane = mem_new(shape->nx * shape->ny, sizeof *plane, err);
    int rc = plane ? 0 : -1;
    for (size_t z = 0; z < shape->nz && !rc; z++) {
        rc = stream_next(s, plane, err);
        if (rc) break;
        *bad += make_finite(plane, shape->nx * shape->ny);
        rc = resample_slab(r, z, 1, plane, err);
    }
    mem_free(plane);
    return rc;
}

/* Half, a third, ... of each side, even as a Fourier grid likes it, so that all is at most `to` voxels or little more. */
static void choose_sides(const vol_t *shape, size_t to, size_t *m)
{
    const size_t n[3] = {shape->nx, shape->ny, shape->nz};
    double s = cbrt((double)to / (double)vol_len(shape));
    for (int k = 0; k < 3; k++) {
        m[k] = 2 * (size_t)((double)n[k] * s / 2);
        if (m[k] < 8) m[k] = n[k] < 8 ? n[k] : 8;
    }
}

static vol_t *reduced(planes_t *p, stream_t *s, const vol_t *shape, size_t to, notes_t *notes, err_t *err)
{
    size_t m[3], bad = 0;
    choose_sides(shape, to, m);
    finite_t f = {.planes = p, .area = shape->nx * shape->ny};
    resample_t *r = resample_begin(shape, m[0], m[1], m[2], err);
    int rc = !r ? -1 : p ? resample_from(r, read_finite, &f, err) : by_stream(r, s, shape, &bad, err);
    vol_t *v = rc ? NULL : resample_end(r, err);
    resample_free(r);
    if (!v) return NULL;
    notes_add(notes, "%zu x %zu x %zu voxels are read as %zu x %zu x %zu of %.4g A", shape->nx, shape->ny, shape->nz, m[0], m[1], m[2], v->voxel[0]);
    if (bad + f.bad) notes_add(notes, "%zu voxels are NaN or infinite: taken as 0", bad + f.bad);
    return v;
}

/* An ordinary file of so many bytes that it may hold more than `from` voxels: a sixteenth of them, for what chunks of HDF5 may be packed by. */
static bool may_be_large(const char *path, size_t from)
{
    struct stat st;
    return strcmp(path, "-") != 0 && !stat(path, &st) && S_ISREG(st.st_mode) && (size_t)st.st_size >= from / 16;
}

static bool large_mrc(const char *path, const mrc_opts_t *opts, size_t from)
{
    mrc_header_t h;
    return may_be_large(path, from) && !mrc_head(path, opts, &h, NULL, NULL) && h.size[0] * h.size[1] * h.size[2] > from;
}

vol_t *coarse_read(const char *path, const mrc_opts_t *opts, size_t from, size_t to, notes_t *notes, err_t *err)
{
    vol_t shape = {0}, *v = NULL;
    notes_t mine = {0};
    planes_t *p = may_be_large(path, from) ? planes_open(path, opts, &shape, &mine, NULL) : NULL;
    stream_t *s = !p && large_mrc(path, opts, from) ? stream_open(path, opts, &shape, &mine, NULL) : NULL;
    if ((p || s) && vol_len(&shape) > from) v = reduced(p, s, &shape, to, &mine, NULL);
    planes_close(p);
    stream_close(s);
    for (size_t i = 0; v && i < mine.n; i++) notes_add(notes, "%s", mine.line[i]);
    notes_free(&mine);
    return v ? v : map_read(path, opts, NULL, notes, err);
}
