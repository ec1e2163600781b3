/* surface: crop, refine, clean, and the coarse grids that make rays fast and hollows dark (see surface.h). */
#include "voxel/surface.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "voxel/components.h"
#include "voxel/refine.h"

enum { FINE = 128, FINE_MOST = 8, MARGIN = 2, WIDE_MOST = 10 }; /* voxels that a refined side has at least; most steps; voxels around what is above the level; blocks */

typedef struct {
    size_t lo[3], hi[3]; /* first and last voxel above the level */
    float most;          /* greatest value anywhere */
    size_t n;
} extent_t;

static void extent_of(const vol_t *v, float level, extent_t *e)
{
    size_t x0 = v->nx, y0 = v->ny, z0 = v->nz, x1 = 0, y1 = 0, z1 = 0, n = 0;
    float most = -INFINITY;
#pragma omp parallel for schedule(static) reduction(min : x0, y0, z0) reduction(max : x1, y1, z1, most) reduction(+ : n)
    for (size_t z = 0; z < v->nz; z++)
        for (size_t y = 0; y < v->ny; y++) {
            const float *row = v->data + vol_idx(v, 0, y, z);
            size_t first = v->nx, last = 0, here = 0;
            for (size_t x = 0; x < v->nx; x++) {
                if (!isfinite(row[x])) continue;
                most = row[x] > most ? row[x] : most;
                if (!(row[x] > level)) continue;
                if (!here++) first = x;
                last = x;
            }
            if (!here) continue;
            n += here;
            x0 = first < x0 ? first : x0;
            x1 = last > x1 ? last : x1;
            y0 = y < y0 ? y : y0;
            y1 = y > y1 ? y : y1;
            z0 = z < z0 ? z : z0;
            z1 = z > z1 ? z : z1;
        }
    *e = (extent_t){{x0, y0, z0}, {x1, y1, z1}, most, n};
}

/* Means over blocks of k voxels along each edge of the part from `at` on; what is left over at its far end goes. */
static vol_t *averaged(const vol_t *v, const size_t at[3], const size_t side[3], size_t k, float fill, err_t *err)
{
    vol_t *a = vol_new(side[0] / k, side[1] / k, side[2] / k, 1, err);
    if (!a) return NULL;
    for (int d = 0; d < 3; d++) {
        a->voxel[d] = v->voxel[d] * (double)k;
        a->origin[d] = v->origin[d] + ((double)at[d] + 0.5 * (double)(k - 1)) * v->voxel[d];
    }
#pragma omp parallel for schedule(static)
    for (size_t z = 0; z < a->nz; z++)
        for (size_t y = 0; y < a->ny; y++) {
            float *to = a->data + vol_idx(a, 0, y, z);
            for (size_t j = 0; j < k * k; j++) {
                const float *from = v->data + vol_idx(v, at[0], at[1] + y * k + j % k, at[2] + z * k + j / k);
                for (size_t x = 0; x < a->nx * k; x++) to[x / k] += isfinite(from[x]) ? from[x] : fill;
            }
            for (size_t x = 0; x < a->nx; x++) to[x] /= (float)(k * k * k);
        }
    return a;
}

/* The part of v about e, on the grid that is looked at. */
static vol_t *working(const vol_t *v, const extent_t *e, float fill, err_t *err)
{
    const size_t have[3] = {v->nx, v->ny, v->nz};
    size_t at[3], side[3], longest = 0, least = SIZE_MAX, times = 1;
    for (int d = 0; d < 3; d++) {
        at[d] = e->lo[d] > MARGIN ? e->lo[d] - MARGIN : 0;
        side[d] = (e->hi[d] + MARGIN + 1 < have[d] ? e->hi[d] + MARGIN + 1 : have[d]) - at[d];
        longest = side[d] > longest ? side[d] : longest;
        least = side[d] < least ? side[d] : least;
    }
    size_t k = (longest + SURFACE_SIDE - 1) / SURFACE_SIDE;
    if (k > 1 && least >= k) return averaged(v, at, side, k, fill, err);
    while (times < FINE_MOST && (longest - 1) * times + 1 < FINE) times++;
    return refine_part(v, at, side, times, fill, err);
}

/* One more voxel all round, below the level: what is above it at an edge is mirrored. */
static vol_t *closed(const vol_t *v, float level, err_t *err)
{
    vol_t *c = vol_new(v->nx + 2, v->ny + 2, v->nz + 2, 1, err);
    if (!c) return NULL;
    for (int d = 0; d < 3; d++) {
        c->voxel[d] = v->voxel[d];
        c->origin[d] = v->origin[d] - v->voxel[d];
    }
#pragma omp parallel for schedule(static)
    for (size_t z = 0; z < c->nz; z++)
        for (size_t y = 0; y < c->ny; y++) {
            bool edge = !z || !y || z + 1 == c->nz || y + 1 == c->ny;
            size_t fz = z ? z - 1 < v->nz ? z - 1 : v->nz - 1 : 0, fy = y ? y - 1 < v->ny ? y - 1 : v->ny - 1 : 0;
            const float *from = v->data + vol_idx(v, 0, fy, fz);
            float *to = c->data + vol_idx(c, 0, y, z);
            memcpy(to + 1, from, v->nx * sizeof *to);
            to[0] = from[0];
            to[c->nx - 1] = from[v->nx - 1];
            for (size_t x = 0; x < c->nx; x++)
                if ((edge || !x || x + 1 == c->nx) && to[x] > level) to[x] = 2 * level - to[x];
        }
    return c;
}

/* Bodies of fewer voxels than `part` of the largest are mirrored below the level, which in a cell that has none other leaves no surface. */
static int clean(surface_t *s, double part, err_t *err)
{
    vol_t *v = s->v;
    size_t n = vol_len(v), count = 0, most = 0;
    unsigned char *mask = mem_new(n, 1, err);
    uint32_t *label = mem_new(n, sizeof *label, err);
    size_t *size = NULL;
    int rc = -1;
    if (!mask || !label) goto done;
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i++) mask[i] = v->data[i] > s->level;
    if (components_label(mask, v->nx, v->ny, v->nz, 26, label, &count, err) || !(size = mem_new(count + 1, sizeof *size, err))) goto done;
    components_sizes(label, n, count, size);
    for (size_t i = 1; i <= count; i++) most = size[i] > most ? size[i] : most;
    size[0] = n;
    for (size_t i = 1; i <= count; i++) s->specks += (double)size[i] < part * (double)most;
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i++)
        if ((double)size[label[i]] < part * (double)most) v->data[i] = 2 * s->level - v->data[i];
    rc = 0;
done:
    mem_free(mask);
    mem_free(label);
    mem_free(size);
    return rc;
}

/* The greatest value at the corners of each block's cells, and the share of its voxels that are inside. */
static void blocks(surface_t *s, float *share)
{
    const vol_t *v = s->v;
#pragma omp parallel for schedule(static)
    for (size_t bz = 0; bz < s->blocks[2]; bz++)
        for (size_t by = 0; by < s->blocks[1]; by++)
            for (size_t bx = 0; bx < s->blocks[0]; bx++) {
                size_t x0 = bx * SURFACE_BLOCK, y0 = by * SURFACE_BLOCK, z0 = bz * SURFACE_BLOCK, inside = 0;
                float most = -INFINITY;
                for (size_t z = z0; z <= z0 + SURFACE_BLOCK && z < v->nz; z++)
                    for (size_t y = y0; y <= y0 + SURFACE_BLOCK && y < v->ny; y++) {
                        const float *row = v->data + vol_idx(v, 0, y, z);
                        bool own = z < z0 + SURFACE_BLOCK && y < y0 + SURFACE_BLOCK;
                        for (size_t x = x0; x <= x0 + SURFACE_BLOCK && x < v->nx; x++) {
                            most = row[x] > most ? row[x] : most;
                            inside += own && x < x0 + SURFACE_BLOCK && row[x] > s->level;
                        }
                    }
                size_t b = (bz * s->blocks[1] + by) * s->blocks[0] + bx;
                s->most[b] = most;
                share[b] = (float)inside / (float)(SURFACE_BLOCK * SURFACE_BLOCK * SURFACE_BLOCK);
            }
}

/* Means over 2r+1 places of each line of (outer, n, inner); outside is 0. */
static void box(const float *in, size_t outer, size_t n, size_t inner, size_t r, float *out)
{
#pragma omp parallel for schedule(static)
    for (size_t o = 0; o < outer; o++)
        for (size_t k = 0; k < inner; k++) {
            const float *from = in + o * n * inner + k;
            float *to = out + o * n * inner + k;
            double sum = 0;
            for (size_t i = 0; i < n + r; i++) {
                if (i < n) sum += (double)from[i * inner];
                if (i > 2 * r) sum -= (double)from[(i - 2 * r - 1) * inner];
                if (i >= r) to[(i - r) * inner] = (float)(sum / (double)(2 * r + 1));
            }
        }
}

/* share (blocks), smoothed over r blocks either way, with as many empty ones around. */
static int smooth(const surface_t *s, const float *share, size_t r, shade_t *out, err_t *err)
{
    size_t n = 1;
    for (int d = 0; d < 3; d++) n *= out->n[d] = s->blocks[d] + 4 * r;
    out->from = 0.5f * (SURFACE_BLOCK - 1) - (float)(2 * r * SURFACE_BLOCK);
    float *tmp = mem_new(n, sizeof *tmp, err);
    if (!tmp || !(out->data = mem_zero(n, sizeof *out->data, err))) {
        mem_free(tmp);
        return -1;
    }
    for (size_t z = 0; z < s->blocks[2]; z++)
        for (size_t y = 0; y < s->blocks[1]; y++)
            memcpy(out->data + ((z + 2 * r) * out->n[1] + y + 2 * r) * out->n[0] + 2 * r, share + (z * s->blocks[1] + y) * s->blocks[0],
                   s->blocks[0] * sizeof *share);
    for (int pass = 0; pass < 2; pass++) {
        box(out->data, out->n[1] * out->n[2], out->n[0], 1, r, tmp);
        box(tmp, out->n[2], out->n[1], out->n[0], r, out->data);
        box(out->data, 1, out->n[2], out->n[0] * out->n[1], r, tmp);
        memcpy(out->data, tmp, n * sizeof *tmp);
    }
    mem_free(tmp);
    return 0;
}

static int grids(surface_t *s, err_t *err)
{
    size_t n = 1, longest = 0;
    const size_t side[3] = {s->v->nx, s->v->ny, s->v->nz};
    for (int d = 0; d < 3; d++) {
        n *= s->blocks[d] = (side[d] + SURFACE_BLOCK - 1) / SURFACE_BLOCK;
        longest = s->blocks[d] > longest ? s->blocks[d] : longest;
    }
    float *share = mem_new(n, sizeof *share, err);
    size_t wide = 1 + longest / 12; /* blocks */
    if (wide > WIDE_MOST) wide = WIDE_MOST; /* of a thin slab: its longest sides would fill a box around it */
    int rc = -1;
    if (!share || !(s->most = mem_new(n, sizeof *s->most, err))) goto done;
    blocks(s, share);
    if (!smooth(s, share, 1, &s->full[0], err) && !smooth(s, share, wide, &s->full[1], err)) rc = 0;
done:
    mem_free(share);
    return rc;
}

surface_t *surface_new(const vol_t *v, double level, double specks, err_t *err)
{
    extent_t e;
    vol_t *p = NULL;
    surface_t *s = NULL;
    if (v->nx < 2 || v->ny < 2 || v->nz < 2) return err_set(err, ERR_RANGE, "a map of %zu x %zu x %zu voxels has no surface", v->nx, v->ny, v->nz), NULL;
    if (!isfinite((float)level)) return err_set(err, ERR_RANGE, "contour level %g (a finite number is wanted)", level), NULL;
    if (!(specks >= 0 && specks <= 1)) return err_set(err, ERR_RANGE, "specks %g (0 to 1)", specks), NULL;
    extent_of(v, (float)level, &e);
    if (!e.n) return err_set(err, ERR_RANGE, "nothing is above the contour level, %.6g (the greatest value is %.6g)", level, (double)e.most), NULL;
    if (!(s = mem_zero(1, sizeof *s, err))) return NULL;
    s->level = (float)level;
    if (!(p = working(v, &e, 1.5f * s->level - 0.5f * e.most, err)) || !(s->v = closed(p, s->level, err))) goto fail;
    if (specks > 0 && clean(s, specks, err)) goto fail;
    extent_of(s->v, s->level, &e);
    if (!e.n) { /* averaging took away what was thinner than a block */
        err_set(err, ERR_RANGE, "what is above the contour level, %.6g, is too little to be seen", level);
        goto fail;
    }
    for (int d = 0; d < 3; d++) {
        s->lo[d] = s->v->origin[d] + ((double)e.lo[d] - 0.5) * s->v->voxel[d];
        s->hi[d] = s->v->origin[d] + ((double)e.hi[d] + 0.5) * s->v->voxel[d];
    }
    s->above = e.n;
    if (grids(s, err)) goto fail;
    vol_free(p);
    return s;
fail:
    vol_free(p);
    surface_free(s);
    return NULL;
}

void surface_free(surface_t *s)
{
    if (!s) return;
    for (int k = 0; k < SURFACE_SHADES; k++) mem_free(s->full[k].data);
    mem_free(s->most);
    vol_free(s->v);
    mem_free(s);
}
