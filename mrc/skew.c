/* skew: shears of rows within planes (see skew.h). */
#include "mrc/skew.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

/* Point (i,j,k) of the cell's grid lies at (i + p j + q k, j + r k, k) of the new one, in its voxels, less (x0, y0). */
typedef struct {
    double p, q, r;
    double x0, y0;
} shear_t;

/* Weights of samples floor(t)-1 .. floor(t)+2 for the fraction t. */
static void keys(double t, double *w)
{
    double t2 = t * t, t3 = t2 * t;
    w[0] = -0.5 * t3 + t2 - 0.5 * t;
    w[1] = 1.5 * t3 - 2.5 * t2 + 1;
    w[2] = -1.5 * t3 + 2 * t2 + 0.5 * t;
    w[3] = 0.5 * t3 - 0.5 * t2;
}

static ptrdiff_t clampi(ptrdiff_t i, size_t n) { return i < 0 ? 0 : i >= (ptrdiff_t)n ? (ptrdiff_t)n - 1 : i; }

/* Taps and their weights around position t of n samples; false where t is outside 0..n-1. */
static int taps(double t, size_t n, ptrdiff_t *at, double *w)
{
    const double eps = 1e-6; /* voxels: a corner is not lost to rounding */
    if (!(t >= -eps && t <= (double)(n - 1) + eps)) return 0;
    double f = floor(t);
    for (int m = 0; m < 4; m++) at[m] = clampi((ptrdiff_t)f - 1 + m, n);
    keys(t - f, w);
    return 1;
}

/* Row j of plane k of the new grid. */
static void shear_row(const vol_t *v, const shear_t *s, size_t nx, size_t j, size_t k, float *out)
{
    double y = (double)j + s->y0 - s->r * (double)k, wy[4], wx[4];
    ptrdiff_t row[4], col[4];
    if (!taps(y, v->ny, row, wy)) return; /* out is 0 */
    double shift = s->x0 - s->p * y - s->q * (double)k;
    for (size_t i = 0; i < nx; i++) {
        double sum = 0;
        if (!taps((double)i + shift, v->nx, col, wx)) continue;
        for (int b = 0; b < 4; b++) {
            const float *src = v->data + vol_idx(v, 0, (size_t)row[b], k);
            double line = 0;
            for (int a = 0; a < 4; a++) line += wx[a] * (double)src[col[a]];
            sum += wy[b] * line;
        }
        out[i] = (float)sum;
    }
}

/* The range of a*u + b*v over u in 0..m, v in 0..n, widened to whole numbers. */
static void span(double a, double m, double b, double n, double *lo, double *hi)
{
    double x = a * m, y = b * n;
    *lo = floor(fmin(x, 0) + fmin(y, 0) + 1e-6);
    *hi = ceil(fmax(x, 0) + fmax(y, 0) - 1e-6);
}

vol_t *skew_straighten(const vol_t *v, const double *angle, size_t mem_limit, err_t *err)
{
    const double rad = M_PI / 180, ca = cos(angle[0] * rad), cb = cos(angle[1] * rad), cg = cos(angle[2] * rad),
                 sg = sin(angle[2] * rad), yz = (ca - cb * cg) / sg, zz = sqrt(1 - cb * cb - yz * yz);
    const double step[3] = {v->voxel[0], v->voxel[1] * sg, v->voxel[2] * zz};
    shear_t s = {.p = v->voxel[1] * cg / step[0], .q = v->voxel[2] * cb / step[0], .r = v->voxel[2] * yz / step[1]};
    double x1, y1, my = (double)(v->ny - 1), mz = (double)(v->nz - 1);
    span(s.p, my, s.q, mz, &s.x0, &x1);
    span(s.r, mz, 0, 0, &s.y0, &y1);
    double nx = (double)v->nx + x1 - s.x0, ny = (double)v->ny + y1 - s.y0;
    double bytes = 4 * (nx * ny + (double)v->nx * (double)v->ny) * (double)v->nz;
    if (!(nx <= VOL_SIDE_MAX && ny <= VOL_SIDE_MAX) || (mem_limit && !(bytes <= (double)mem_limit))) {
        err_set(err, ERR_RANGE, "cell angles %g, %g, %g need a grid of %.0f x %.0f x %zu voxels and %.0f bytes (the limit is %zu)",
                angle[0], angle[1], angle[2], nx, ny, v->nz, bytes, mem_limit);
        return NULL;
    }
    vol_t *w = vol_new((size_t)nx, (size_t)ny, v->nz, 1, err);
    if (!w) return NULL;
    memcpy(w->voxel, step, sizeof step);
    memcpy(w->origin, v->origin, sizeof w->origin);
    w->origin[0] += s.x0 * step[0];
    w->origin[1] += s.y0 * step[1];
#pragma omp parallel for schedule(static) if (vol_len(w) > 1 << 16)
    for (size_t k = 0; k < w->nz; k++)
        for (size_t j = 0; j < w->ny; j++) shear_row(v, &s, w->nx, j, k, w->data + vol_idx(w, 0, j, k));
    return w;
}
