/* fit_search: the cross-correlation of a model with a map, for many rotations and all translations (see fit_priv.h).
 *
 * For each rotation the model's points are spread over the grid (trilinear), transformed, multiplied with the transform of the map,
 * and transformed back: the convolution theorem, Katchalski-Katzir et al. 1992, PNAS 89:2195. The map is filtered by the Laplacian,
 * so that surfaces count and a part finds its place in a whole, where without it the densest place would do: Chacon and Wriggers
 * 2002, J. Mol. Biol. 317:375. What is known to be zero or is not asked for is left out: rows and planes beside the model, frequencies beyond the ellipsoid of Nyquist, rows and planes
 * of translations outside the box. Between the passes along y there and back one slab (nz,nx/2+1) goes through all of
 * transform, product and inverse, so it stays in the cache. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "voxel/fft.h"
#include "voxel/fit_priv.h"

enum { ODD = 8 }; /* pairs between planes, so that columns do not fall on one another in the cache */

typedef struct {
    const vol_t *map;
    const points_t *m;
    size_t n[3], nxh, plane; /* of the box of the transforms; pairs from plane to plane */
    size_t mid, span;        /* the model is drawn about voxel (mid,mid,mid) and lies in 0..span-1 along each axis */
    size_t first[3], count[3]; /* translations looked at: first + 0..count-1, modulo n */
    size_t *width;           /* (ny) pairs of a row that count, by ky */
    cplx_t *map_f;           /* (ny,nz,nxh): slabs of ky */
    const fftplan_t *rx, *cx, *fy, *by, **fz, **bz; /* fz, bz (nxh + 1) by width */
} search_t;

/* One for each thread. */
typedef struct {
    float *row;   /* (nx) */
    float *model; /* (span,span,nx) */
    cplx_t *f;    /* (nz,plane) */
} room_t;

/* The least even n' >= n whose only factors are 2, 3 and 5. */
static size_t good_side(size_t n)
{
    for (n += n & 1;; n += 2) {
        size_t m = n;
        while (m % 2 == 0) m /= 2;
        while (m % 3 == 0) m /= 3;
        while (m % 5 == 0) m /= 5;
        if (m == 1) return n;
    }
}

static int lay_out(search_t *s, const double lo[3], const double hi[3], err_t *err)
{
    const vol_t *v = s->map;
    const size_t side[3] = {v->nx, v->ny, v->nz};
    s->mid = (size_t)ceil(s->m->radius / v->voxel[0] + 1e-6);
    s->span = 2 * s->mid + 2;
    for (int d = 0; d < 3; d++) {
        long a = (long)ceil((lo[d] - v->origin[d]) / v->voxel[d] - 1e-6), b = (long)floor((hi[d] - v->origin[d]) / v->voxel[d] + 1e-6);
        if (b < a) b = a;
        size_t n = side[d] + s->mid + 1;
        s->n[d] = good_side(n > s->span ? n : s->span);
        if (s->n[d] > VOL_SIDE_MAX) return err_set(err, ERR_RANGE, "a box of %zu voxels to search (at most %d); a larger step?", s->n[d], VOL_SIDE_MAX);
        long t = (a - (long)s->mid) % (long)s->n[d];
        s->first[d] = (size_t)(t < 0 ? t + (long)s->n[d] : t);
        s->count[d] = (size_t)(b - a + 1) < s->n[d] ? (size_t)(b - a + 1) : s->n[d];
    }
    s->nxh = s->n[0] / 2 + 1;
    s->plane = s->n[1] * s->nxh + ODD;
    return 0;
}

static int make_plans(search_t *s, err_t *err)
{
    s->width = mem_new(s->n[1], sizeof *s->width, err);
    s->fz = mem_zero(s->nxh + 1, sizeof *s->fz, err);
    s->bz = mem_zero(s->nxh + 1, sizeof *s->bz, err);
    if (!s->width || !s->fz || !s->bz) return -1;
    s->rx = fft_plan(&(fftline_t){FFT_R2C, s->n[0], 1, 1, s->n[0]}, err);
    s->cx = fft_plan(&(fftline_t){FFT_C2R, s->n[0], 1, 1, s->n[0]}, err);
    s->fy = fft_plan(&(fftline_t){FFT_C2C, s->n[1], s->nxh, s->nxh, 1}, err);
    s->by = fft_plan(&(fftline_t){FFT_C2C_BACK, s->n[1], s->nxh, s->nxh, 1}, err);
    if (!s->rx || !s->cx || !s->fy || !s->by) return -1;
    for (size_t y = 0; y < s->n[1]; y++) {
        double k = (double)(2 * y > s->n[1] ? s->n[1] - y : y) / ((double)s->n[1] / 2), most = sqrt(fmax(0, 1 - k * k)) * (double)(s->n[0] / 2);
        size_t w = ((size_t)most + 4) & ~(size_t)3;
        s->width[y] = w = w < s->nxh ? w : s->nxh;
        if (!s->fz[w]) s->fz[w] = fft_plan(&(fftline_t){FFT_C2C, s->n[2], w, s->plane, 1}, err);
        if (!s->bz[w]) s->bz[w] = fft_plan(&(fftline_t){FFT_C2C_BACK, s->n[2], w, s->plane, 1}, err);
        if (!s->fz[w] || !s->bz[w]) return -1;
    }
    return 0;
}

/* The transform of the map's Laplacian (but for a factor), 0 beyond Nyquist's ellipsoid, scaled for the way back. */
static int transform_map(search_t *s, err_t *err)
{
    const vol_t *v = s->map;
    size_t len = s->n[0] * s->n[1] * s->n[2];
    float *box = mem_zero(len, sizeof *box, err);
    cplx_t *f = mem_new(s->n[2] * s->n[1] * s->nxh, sizeof *f, err);
    s->map_f = mem_new(s->n[2] * s->n[1] * s->nxh, sizeof *s->map_f, err);
    int rc = box && f && s->map_f ? 0 : -1;
    for (size_t z = 0; !rc && z < v->nz; z++)
        for (size_t y = 0; y < v->ny; y++)
            memcpy(box + (z * s->n[1] + y) * s->n[0], v->data + vol_idx(v, 0, y, z), v->nx * sizeof *box);
    if (!rc) rc = fft_forward(s->n[0], s->n[1], s->n[2], box, f, err);
    for (size_t y = 0; !rc && y < s->n[1]; y++)
        for (size_t z = 0; z < s->n[2]; z++)
            for (size_t x = 0; x < s->nxh; x++) {
                const size_t at[3] = {x, y, z};
                double k2 = 0; /* of Nyquist's */
                for (int d = 0; d < 3; d++) {
                    double k = (double)(2 * at[d] > s->n[d] ? s->n[d] - at[d] : at[d]) / ((double)s->n[d] / 2);
                    k2 += k * k;
                }
                float keep = k2 < 1 ? (float)(k2 / (double)len) : 0;
                float *to = s->map_f[(y * s->n[2] + z) * s->nxh + x], *from = f[(z * s->n[1] + y) * s->nxh + x];
                to[0] = from[0] * keep;
                to[1] = from[1] * keep;
            }
    mem_free(box);
    mem_free(f);
    return rc;
}

/* The rotated points, spread over room->model. */
static void draw(const search_t *s, const double r[3][3], room_t *room)
{
    size_t nx = s->n[0], plane = s->span * nx;
    double inv = 1 / s->map->voxel[0];
    memset(room->model, 0, s->span * plane * sizeof *room->model);
    for (size_t i = 0; i < s->m->n; i++) {
        const double *p = s->m->p[i];
        size_t at[3];
        float f[3], w = s->m->w[i];
        for (int d = 0; d < 3; d++) {
            double u = (r[d][0] * p[0] + r[d][1] * p[1] + r[d][2] * p[2]) * inv + (double)s->mid;
            at[d] = (size_t)u;
            f[d] = (float)(u - (double)at[d]);
        }
        float *q = room->model + at[2] * plane + at[1] * nx + at[0];
        for (int z = 0; z < 2; z++)
            for (int y = 0; y < 2; y++) {
                float wyz = w * (z ? f[2] : 1 - f[2]) * (y ? f[1] : 1 - f[1]), *line = q + (size_t)z * plane + (size_t)y * nx;
                line[0] += wyz * (1 - f[0]);
                line[1] += wyz * f[0];
            }
    }
}

/* One ky: forward along z, times the conjugate of the model, back. */
static void slab(const search_t *s, size_t y, cplx_t *f)
{
    size_t w = s->width[y];
    cplx_t *at = f + y * s->nxh;
    for (size_t z = s->span; z < s->n[2]; z++) memset(at + z * s->plane, 0, w * sizeof *at);
    fft_run(s->fz[w], at, at);
    for (size_t z = 0; z < s->n[2]; z++) {
        float *a = (float *)(at + z * s->plane);
        const float *b = (const float *)(s->map_f + (y * s->n[2] + z) * s->nxh);
        for (size_t x = 0; x < w; x++) {
            float re = b[2 * x] * a[2 * x] + b[2 * x + 1] * a[2 * x + 1], im = b[2 * x + 1] * a[2 * x] - b[2 * x] * a[2 * x + 1];
            a[2 * x] = re;
            a[2 * x + 1] = im;
        }
    }
    fft_run(s->bz[w], at, at);
    if (w < s->nxh)
        for (size_t z = 0; z < s->n[2]; z++) memset(at + z * s->plane + w, 0, (s->nxh - w) * sizeof *at);
}

/* The highest value among the translations that are looked at, and where; the first in order z, y, x where they tie. */
static double highest(const search_t *s, room_t *room, size_t best[3])
{
    double top = -INFINITY;
    for (size_t k = 0; k < s->count[2]; k++) {
        cplx_t *plane = room->f + (s->first[2] + k) % s->n[2] * s->plane;
        fft_run(s->by, plane, plane);
        for (size_t j = 0; j < s->count[1]; j++) {
            fft_run(s->cx, plane + (s->first[1] + j) % s->n[1] * s->nxh, room->row);
            for (size_t i = 0; i < s->count[0]; i++) {
                size_t x = s->first[0] + i;
                double v = (double)room->row[x < s->n[0] ? x : x - s->n[0]];
                if (!(v > top)) continue;
                top = v;
                best[0] = i;
                best[1] = j;
                best[2] = k;
            }
        }
    }
    return top;
}

static void one_rotation(const search_t *s, room_t *room, found_t *found, size_t n)
{
    double q[4];
    size_t best[3] = {0};
    pose_spread(found->rotation, n, q);
    pose_matrix(q, found->pose.r);
    draw(s, found->pose.r, room);
    for (size_t z = 0; z < s->span; z++) {
        cplx_t *plane = room->f + z * s->plane;
        for (size_t y = 0; y < s->span; y++) fft_run(s->rx, room->model + (z * s->span + y) * s->n[0], plane + y * s->nxh);
        memset(plane + s->span * s->nxh, 0, (s->n[1] - s->span) * s->nxh * sizeof *plane);
        fft_run(s->fy, plane, plane);
    }
    for (size_t y = 0; y < s->n[1]; y++) slab(s, y, room->f);
    found->score = highest(s, room, best);
    for (int d = 0; d < 3; d++) {
        double voxel = s->map->voxel[d];
        size_t at = (s->first[d] + best[d] + s->mid) % s->n[d];
        found->pose.t[d] = s->map->origin[d] + voxel * (double)at;
    }
}

int fit_search(const vol_t *map, const points_t *m, const double lo[3], const double hi[3], size_t n, found_t *found, err_t *err)
{
    search_t s = {.map = map, .m = m};
    int rc = lay_out(&s, lo, hi, err) || make_plans(&s, err) || transform_map(&s, err) ? -1 : 0;
    bool begun = rc == 0, failed = false;
#pragma omp parallel if (begun)
    {
        room_t room = {0};
        if (begun) {
            room.row = mem_new(s.n[0], sizeof *room.row, NULL);
            room.model = mem_new(s.span * s.span, s.n[0] * sizeof *room.model, NULL);
            room.f = mem_zero(s.n[2] * s.plane, sizeof *room.f, NULL);
        }
        bool ready = room.row && room.model && room.f;
#pragma omp for schedule(dynamic, 4)
        for (size_t i = 0; i < n; i++) {
            if (!ready) continue;
            found[i].rotation = i;
            one_rotation(&s, &room, &found[i], n);
        }
        if (begun && !ready) {
#pragma omp atomic write
            failed = true;
        }
        mem_free(room.row);
        mem_free(room.model);
        mem_free(room.f);
    }
    if (failed) rc = err_set(err, ERR_NOMEM, "no memory for a box of %zu x %zu x %zu voxels on each thread", s.n[0], s.n[1], s.n[2]);
    mem_free(s.width);
    mem_free(s.fz);
    mem_free(s.bz);
    mem_free(s.map_f);
    return rc;
}
