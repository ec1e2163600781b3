/* vol: a density on a regular orthogonal grid (see vol.h). */
#include "base/vol.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

vol_t *vol_new(size_t nx, size_t ny, size_t nz, double voxel, err_t *err)
{
    if (!nx || !ny || !nz || nx > VOL_SIDE_MAX || ny > VOL_SIDE_MAX || nz > VOL_SIDE_MAX) {
        err_set(err, ERR_RANGE, "volume: %zu x %zu x %zu voxels (each side is 1 to %d)", nx, ny, nz, VOL_SIDE_MAX);
        return NULL;
    }
    vol_t *v = mem_zero(1, sizeof *v, err);
    if (!v) return NULL;
    *v = (vol_t){.nx = nx, .ny = ny, .nz = nz, .voxel = {voxel, voxel, voxel}};
    v->data = mem_zero(nx * ny * nz, sizeof *v->data, err);
    if (!v->data) {
        mem_free(v);
        return NULL;
    }
    return v;
}

vol_t *vol_clone(const vol_t *v, err_t *err)
{
    vol_t *w = mem_new(1, sizeof *w, err);
    if (!w) return NULL;
    *w = *v;
    w->lead = 0;
    w->data = mem_new(vol_len(v), sizeof *w->data, err);
    if (!w->data) {
        mem_free(w);
        return NULL;
    }
    memcpy(w->data, v->data, vol_len(v) * sizeof *w->data);
    return w;
}

void vol_free(vol_t *v)
{
    if (!v) return;
    mem_free(v->data ? v->data - v->lead : NULL);
    mem_free(v);
}

/* Sums of one plane, relative to a shift near the mean so that the variance keeps its digits. */
typedef struct {
    double sum, sq, min, max;
    size_t n;
} part_t;

static part_t plane_sums(const float *p, size_t n, double shift)
{
    part_t a = {.min = INFINITY, .max = -INFINITY};
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(p[i])) continue;
        double d = (double)p[i] - shift;
        a.sum += d;
        a.sq += d * d;
        if ((double)p[i] < a.min) a.min = (double)p[i];
        if ((double)p[i] > a.max) a.max = (double)p[i];
        a.n++;
    }
    return a;
}

void vol_stats(const vol_t *v, volstat_t *s)
{
    size_t plane = v->nx * v->ny;
    double shift = isfinite(v->data[0]) ? (double)v->data[0] : 0;
    part_t all = {.min = INFINITY, .max = -INFINITY};

    /* Blocks of planes in parallel, added in order. */
    enum { BLOCK = 64 };
    part_t part[BLOCK];
    for (size_t z0 = 0; z0 < v->nz; z0 += BLOCK) {
        size_t nb = v->nz - z0 < BLOCK ? v->nz - z0 : BLOCK;
#pragma omp parallel for schedule(static)
        for (size_t b = 0; b < nb; b++) part[b] = plane_sums(v->data + (z0 + b) * plane, plane, shift);
        for (size_t b = 0; b < nb; b++) {
            all.sum += part[b].sum;
            all.sq += part[b].sq;
            all.n += part[b].n;
            if (part[b].min < all.min) all.min = part[b].min;
            if (part[b].max > all.max) all.max = part[b].max;
        }
    }
    *s = (volstat_t){.bad = vol_len(v) - all.n};
    if (!all.n) return;
    double m = all.sum / (double)all.n, var = all.sq / (double)all.n - m * m;
    s->mean = m + shift;
    s->sd = var > 0 ? sqrt(var) : 0;
    s->min = all.min;
    s->max = all.max;
}
