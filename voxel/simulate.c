/* simulate: density from atoms (see simulate.h).
 *
 * Every atom is a sum of Gaussians. Direct: each is summed on the grid, the three factors along x, y and z made once. Splat: each is
 * summed with the variance of a common Gaussian taken out, which is then applied to the whole grid by three passes of
 * convolution. Sampled Gaussians of variances a and b (square voxels) convolve to the sampled Gaussian of variance a + b up to
 * an alias of about 2 exp(-2 pi^2 ab/(a+b)), so the two are chosen with ab/(a+b) = SPLAT: 5e-6. */
#include "voxel/simulate.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/threads.h"
#include "pdb/factors.h"
#include "voxel/trace.h"

#define SPLAT 0.65
#define FILTER_COST 2.5 /* a multiplication of the filter against one of the sum: it streams from memory */
#define TWO_PI 6.283185307179586

/* A Gaussian on the grid, in voxels: centre, integral over voxels, variance. */
typedef struct {
    float at[3];
    float weight;
    float var;
} gauss_t;

typedef struct {
    gauss_t *g;
    size_t n;
    double var_min, var_max;
} gausses_t;

/* ---- atoms to Gaussians, angstrom ---- */

static int expand_molmap(const blob_t *b, size_t n, double blur, gausses_t *out, err_t *err)
{
    if (!(out->g = mem_new(n, sizeof *out->g, err))) return -1;
    for (size_t i = 0; i < n; i++)
        out->g[i] = (gauss_t){{b[i].x, b[i].y, b[i].z}, b[i].weight, b[i].var + (float)blur};
    out->n = n;
    return 0;
}

static int expand_electron(const blob_t *b, size_t n, double blur, gausses_t *out, err_t *err)
{
    double a5[5], b5[5];
    if (!(out->g = mem_new(n, 5 * sizeof *out->g, err))) return -1;
    for (size_t i = 0; i < n; i++) {
        factors_electron(b[i].element, a5, b5);
        for (int k = 0; k < 5; k++) {
            double var = (b5[k] + (double)b[i].b) / (2 * TWO_PI * TWO_PI) + (double)b[i].var + blur;
            double w = (double)b[i].weight / b[i].element * a5[k];
            out->g[out->n++] = (gauss_t){{b[i].x, b[i].y, b[i].z}, (float)w, (float)var};
        }
    }
    return 0;
}

static int expand(const model_t *m, const sim_opts_t *o, gausses_t *out, err_t *err)
{
    size_t n;
    double blur = SIM_SIGMA * SIM_SIGMA * o->resolution * o->resolution;
    blob_t *b = trace_blobs(m, &n, err);
    if (!b) return -1;
    *out = (gausses_t){.var_min = INFINITY};
    int rc = o->kind == SIM_ELECTRON ? expand_electron(b, n, blur, out, err) : expand_molmap(b, n, blur, out, err);
    mem_free(b);
    for (size_t i = 0; !rc && i < out->n; i++) {
        if ((double)out->g[i].var < out->var_min) out->var_min = (double)out->g[i].var;
        if ((double)out->g[i].var > out->var_max) out->var_max = (double)out->g[i].var;
    }
    return rc;
}

/* ---- the grid ---- */

/* Atoms, not Gaussians, give the box: a model without weight still has one. */
static vol_t *make_grid(const model_t *m, const sim_opts_t *o, double sigma, err_t *err)
{
    double lo[3] = {INFINITY, INFINITY, INFINITY}, hi[3] = {-INFINITY, -INFINITY, -INFINITY}, cells = 1;
    double pad = o->pad > 0 ? o->pad : SIM_CUT * sigma, first[3], n[3];
    size_t memory = o->memory ? o->memory : (size_t)1 << 32;
    for (size_t i = 0; i < m->n; i++) {
        const double at[3] = {(double)m->atom[i].x, (double)m->atom[i].y, (double)m->atom[i].z};
        for (int k = 0; k < 3; k++) {
            lo[k] = fmin(lo[k], at[k]);
            hi[k] = fmax(hi[k], at[k]);
        }
    }
    for (int k = 0; k < 3; k++) {
        first[k] = floor((lo[k] - pad) / o->voxel);
        n[k] = ceil((hi[k] + pad) / o->voxel) - first[k] + 1;
        cells *= n[k];
        if (!(n[k] >= 1 && n[k] <= VOL_SIDE_MAX)) cells = INFINITY;
    }
    if (!(cells * sizeof(float) <= (double)memory)) {
        err_set(err, ERR_RANGE, "simulation: %.0f x %.0f x %.0f voxels of %g A (at most %d a side and %zu MiB)", n[0], n[1], n[2],
                o->voxel, VOL_SIDE_MAX, memory >> 20);
        return NULL;
    }
    vol_t *v = vol_new((size_t)n[0], (size_t)n[1], (size_t)n[2], o->voxel, err);
    for (int k = 0; v && k < 3; k++) v->origin[k] = first[k] * o->voxel;
    return v;
}

static void to_voxels(gausses_t *gs, const vol_t *v)
{
    double h = v->voxel[0];
    for (size_t i = 0; i < gs->n; i++) {
        gauss_t *g = &gs->g[i];
        for (int k = 0; k < 3; k++) g->at[k] = (float)(((double)g->at[k] - v->origin[k]) / h);
        g->weight = (float)((double)g->weight / (h * h * h));
        g->var = (float)((double)g->var / (h * h));
    }
    gs->var_min /= h * h;
    gs->var_max /= h * h;
}

/* ---- sums ---- */

/* Samples of a Gaussian of unit integral along one axis, clipped to 0..n-1: w[0..count-1] from voxel *first. */
static size_t axis_weights(double at, double var, size_t n, float *w, size_t *first)
{
    double r = SIM_CUT * sqrt(var), lo = ceil(at - r), hi = floor(at + r), norm = 1 / sqrt(TWO_PI * var);
    if (lo < 0) lo = 0;
    if (hi > (double)n - 1) hi = (double)n - 1;
    if (!(lo <= hi)) return 0;
    size_t count = (size_t)(hi - lo) + 1;
    /* e^(-(d+k)^2/2v) = e^(-d^2/2v) * prod_{j<k} e^(-(2d+2j+1)/2v): two exponentials and a recurrence. */
    double d = lo - at, value = norm * exp(-d * d / (2 * var)), ratio = exp(-(2 * d + 1) / (2 * var)), fall = exp(-1 / var);
    for (size_t k = 0; k < count; k++) {
        w[k] = (float)value;
        value *= ratio;
        ratio *= fall;
    }
    *first = (size_t)lo;
    return count;
}

/* Add the Gaussians, in order, to planes z0..z1-1; w has room for three axes of `room`. */
static void add_slab(vol_t *v, const gausses_t *gs, double less, size_t z0, size_t z1, float *w, size_t room)
{
    float *wx = w, *wy = w + room, *wz = w + 2 * room;
    for (size_t i = 0; i < gs->n; i++) {
        const gauss_t *g = &gs->g[i];
        double var = (double)g->var - less, r = SIM_CUT * sqrt(var), at = (double)g->at[2];
        if (at + r < (double)z0 || at - r > (double)z1) continue;
        size_t x, y, z;
        size_t nz = axis_weights(at, var, v->nz, wz, &z);
        size_t ny = axis_weights((double)g->at[1], var, v->ny, wy, &y);
        size_t nx = axis_weights((double)g->at[0], var, v->nx, wx, &x);
        for (size_t k = 0; k < nz; k++) {
            if (z + k < z0 || z + k >= z1) continue;
            for (size_t j = 0; j < ny; j++) {
                float f = g->weight * wz[k] * wy[j], *row = v->data + vol_idx(v, x, y + j, z + k);
                for (size_t l = 0; l < nx; l++) row[l] += f * wx[l];
            }
        }
    }
}

/* A voxel receives its Gaussians in their order whatever the slabs are: equal bytes for any number of threads. */
static int add_all(vol_t *v, const gausses_t *gs, double less, err_t *err)
{
    size_t room = (size_t)(2 * SIM_CUT * sqrt(gs->var_max - less)) + 3, slabs = (size_t)threads_max();
    if (slabs > 1) slabs *= 4;
    if (slabs > v->nz) slabs = v->nz;
    float *w = mem_new(slabs * room, 3 * sizeof *w, err);
    if (!w) return -1;
#pragma omp parallel for schedule(dynamic, 1) if (slabs > 1)
    for (size_t s = 0; s < slabs; s++)
        add_slab(v, gs, less, v->nz * s / slabs, v->nz * (s + 1) / slabs, w + 3 * room * s, room);
    mem_free(w);
    return 0;
}

/* ---- separable filter ---- */

/* out[i] = sum_k w[|k|] line[i+k], zero outside; along the slowest axis of a (n,m) array, m contiguous. */
static void filter_rows(const float *in, float *out, size_t n, size_t m, const float *w, size_t half)
{
    for (size_t i = 0; i < n; i++) {
        float *o = out + i * m;
        memset(o, 0, m * sizeof *o);
        size_t lo = i > half ? i - half : 0, hi = i + half < n - 1 ? i + half : n - 1;
        for (size_t k = lo; k <= hi; k++) {
            const float *src = in + k * m;
            float f = w[k > i ? k - i : i - k];
            for (size_t l = 0; l < m; l++) o[l] += f * src[l];
        }
    }
}

static void filter_line(const float *in, float *out, size_t n, const float *w, size_t half)
{
    for (size_t i = 0; i < n; i++) out[i] = w[0] * in[i];
    for (size_t k = 1; k <= half && k < n; k++) {
        for (size_t i = 0; i + k < n; i++) out[i] += w[k] * in[i + k];
        for (size_t i = k; i < n; i++) out[i] += w[k] * in[i - k];
    }
}

/* Convolve with a Gaussian of unit integral, variance `var` square voxels. */
static int blur(vol_t *v, double var, err_t *err)
{
    size_t half = (size_t)(SIM_CUT * sqrt(var)), plane = v->nx * v->ny;
    float *w = mem_new(half + 1, sizeof *w, err), *t = mem_new(vol_len(v), sizeof *t, err);
    int rc = w && t ? 0 : -1;
    if (!rc) {
        for (size_t k = 0; k <= half; k++) w[k] = (float)(exp(-(double)(k * k) / (2 * var)) / sqrt(TWO_PI * var));
#pragma omp parallel for schedule(static)
        for (size_t z = 0; z < v->nz; z++) {
            float *a = v->data + z * plane, *b = t + z * plane;
            for (size_t y = 0; y < v->ny; y++) filter_line(a + y * v->nx, b + y * v->nx, v->nx, w, half);
            filter_rows(b, a, v->ny, v->nx, w, half);
        }
        /* Along z, in strips of columns that stay in cache. */
        size_t strip = 256, strips = (plane + strip - 1) / strip;
#pragma omp parallel for schedule(static)
        for (size_t s = 0; s < strips; s++) {
            size_t at = s * strip, m = plane - at < strip ? plane - at : strip;
            for (size_t z = 0; z < v->nz; z++) {
                float *o = t + z * plane + at;
                memset(o, 0, m * sizeof *o);
                size_t lo = z > half ? z - half : 0, hi = z + half < v->nz - 1 ? z + half : v->nz - 1;
                for (size_t k = lo; k <= hi; k++) {
                    const float *src = v->data + k * plane + at;
                    float f = w[k > z ? k - z : z - k];
                    for (size_t l = 0; l < m; l++) o[l] += f * src[l];
                }
            }
        }
        float *swap = v->data;
        v->data = t;
        t = swap;
    }
    mem_free(w);
    mem_free(t);
    return rc;
}

/* ---- which way ---- */

/* Variance, square voxels, to take out of every Gaussian and give to the filter; 0: sum directly. Costs are counted in
 * multiplications, with a charge for each Gaussian's set-up. `room` is the pad in voxels: the filter wants the whole of every splat. */
static double choose(const vol_t *v, const gausses_t *gs, simpath_t path, double room)
{
    if (path == SIM_DIRECT || gs->var_min < 4 * SPLAT) return 0;
    double common = (gs->var_min + sqrt(gs->var_min * (gs->var_min - 4 * SPLAT))) / 2;
    if (room < SIM_CUT * sqrt(gs->var_max - common)) return 0;
    if (path == SIM_SPLAT) return common;
    double direct = 0, splat = 3 * FILTER_COST * (2 * SIM_CUT * sqrt(common) + 1) * (double)vol_len(v);
    for (size_t i = 0; i < gs->n; i++) {
        double a = 2 * SIM_CUT * sqrt((double)gs->g[i].var), b = 2 * SIM_CUT * sqrt((double)gs->g[i].var - common);
        direct += a * a * (a + 10);
        splat += b * b * (b + 10);
    }
    return splat < direct ? common : 0;
}

vol_t *simulate(const model_t *m, const sim_opts_t *o, err_t *err)
{
    gausses_t gs = {0};
    vol_t *v = NULL;
    int rc = -1;
    if (!(o->resolution > 0 && o->voxel > 0 && o->pad >= 0) || !isfinite(o->resolution + o->voxel + o->pad)) {
        err_set(err, ERR_USAGE, "simulation: resolution %g, voxel %g, pad %g angstrom (positive; pad may be 0)", o->resolution,
                o->voxel, o->pad);
        return NULL;
    }
    if (expand(m, o, &gs, err)) goto done;
    if (!(v = make_grid(m, o, sqrt(gs.var_max), err))) goto done;
    if (gs.n) {
        to_voxels(&gs, v);
        double less = choose(v, &gs, o->path, o->pad > 0 ? o->pad / o->voxel : INFINITY);
        if (add_all(v, &gs, less, err) || (less > 0 && blur(v, less, err))) goto done;
    }
    rc = 0;
done:
    mem_free(gs.g);
    if (rc) vol_free(v);
    return rc ? NULL : v;
}
