/* refine: cubic B-spline interpolation, one axis after the other (see refine.h). */
#include "voxel/refine.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

/* Coefficients of the spline through c[0..n-1], in place; the line is mirrored about its end voxels. */
static void coefficients(double *c, size_t n)
{
    const double pole = sqrt(3.0) - 2;
    if (n < 2) return;
    for (size_t i = 0; i < n; i++) c[i] *= (1 - pole) * (1 - 1 / pole);
    double there = pole, back = pow(pole, (double)n - 1), sum = c[0] + back * c[n - 1]; /* over one period of the mirrored line */
    back *= back / pole;
    for (size_t i = 1; i + 1 < n; i++, there *= pole, back /= pole) sum += (there + back) * c[i];
    c[0] = sum / (1 - there * there);
    for (size_t i = 1; i < n; i++) c[i] += pole * c[i - 1];
    c[n - 1] = pole / (pole * pole - 1) * (c[n - 1] + pole * c[n - 2]);
    for (size_t i = n - 1; i-- > 0;) c[i] = pole * (c[i + 1] - c[i]);
}

/* Values of the spline of c (n) at steps of 1/times: out has (n - 1) * times + 1 places, `stride` apart. */
static void values(const double *c, size_t n, size_t times, float *out, size_t stride)
{
    for (size_t k = 0; k <= (n - 1) * times; k++) {
        size_t i = k / times, next = i + 1 < n ? i + 1 : n > 1 ? n - 2 : 0, prev = i ? i - 1 : n > 1 ? 1 : 0;
        size_t after = i + 2 < n ? i + 2 : n > 2 ? 2 * n - 4 - i : prev;
        double t = (double)(k % times) / (double)times, u = 1 - t;
        if (i + 1 == n) after = next; /* t is 0, so is its weight */
        out[k * stride] = (float)((u * u * u * c[prev] + (4 - 6 * t * t + 3 * t * t * t) * c[i] + (4 - 6 * u * u + 3 * u * u * u) * c[next] + t * t * t * c[after]) / 6);
    }
}

/* One axis of (outer, n, inner) to (outer, m, inner). */
static int along(const float *in, size_t outer, size_t n, size_t inner, size_t times, float *out, err_t *err)
{
    size_t m = (n - 1) * times + 1;
    int failed = 0;
#pragma omp parallel reduction(| : failed)
    {
        double *line = mem_new(n, sizeof *line, NULL);
        failed |= !line;
#pragma omp for schedule(static)
        for (size_t k = 0; k < outer * inner; k++) {
            const float *from = in + k / inner * n * inner + k % inner;
            if (!line) continue;
            for (size_t i = 0; i < n; i++) line[i] = (double)from[i * inner];
            coefficients(line, n);
            values(line, n, times, out + k / inner * m * inner + k % inner, inner);
        }
        mem_free(line);
    }
    return failed ? err_set(err, ERR_NOMEM, "memory: a line of %zu voxels", n) : 0;
}

static vol_t *part(const vol_t *v, const size_t at[3], const size_t side[3], float fill, err_t *err)
{
    vol_t *p = vol_new(side[0], side[1], side[2], 1, err);
    if (!p) return NULL;
    for (int d = 0; d < 3; d++) {
        p->voxel[d] = v->voxel[d];
        p->origin[d] = v->origin[d] + (double)at[d] * v->voxel[d];
    }
#pragma omp parallel for schedule(static)
    for (size_t z = 0; z < side[2]; z++)
        for (size_t y = 0; y < side[1]; y++) {
            const float *from = v->data + vol_idx(v, at[0], at[1] + y, at[2] + z);
            float *to = p->data + vol_idx(p, 0, y, z);
            for (size_t x = 0; x < side[0]; x++) to[x] = isfinite(from[x]) ? from[x] : fill;
        }
    return p;
}

vol_t *refine_part(const vol_t *v, const size_t at[3], const size_t side[3], size_t times, float fill, err_t *err)
{
    const size_t have[3] = {v->nx, v->ny, v->nz};
    vol_t *p, *wide = NULL, *flat = NULL, *out = NULL;
    for (int d = 0; d < 3; d++)
        if (!times || !side[d] || at[d] >= have[d] || side[d] > have[d] - at[d])
            return err_set(err, ERR_RANGE, "refine: %zu voxels from %zu on, times %zu (there are %zu)", side[d], at[d], times, have[d]), NULL;
    if (!(p = part(v, at, side, fill, err)) || times == 1) return p;
    size_t m[3];
    for (int d = 0; d < 3; d++) m[d] = (side[d] - 1) * times + 1;
    if ((wide = vol_new(m[0], side[1], side[2], 1, err)) && (flat = vol_new(m[0], m[1], side[2], 1, err)) && (out = vol_new(m[0], m[1], m[2], 1, err)) &&
        (along(p->data, side[2] * side[1], side[0], 1, times, wide->data, err) || along(wide->data, side[2], side[1], m[0], times, flat->data, err) ||
         along(flat->data, 1, side[2], m[0] * m[1], times, out->data, err))) {
        vol_free(out);
        out = NULL;
    }
    for (int d = 0; out && d < 3; d++) {
        out->voxel[d] = p->voxel[d] / (double)times;
        out->origin[d] = p->origin[d];
    }
    vol_free(p);
    vol_free(wide);
    vol_free(flat);
    return out;
}
