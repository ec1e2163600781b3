/* cube: the canonical cube (see cube.h; DESIGN 2). */
#include "voxel/cube.h"

#include <gsl/gsl_statistics_float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "voxel/blur.h"
#include "voxel/contour.h"
#include "voxel/resample.h"
#include "voxel/spectrum.h"

/* Sampling of the work grid and the bodies that stay. */
enum { LOOK_SIDE = 64, ROUNDS = 4, DRAFT_ROUNDS = 2, MIN_SIDE = 4 }; /* longest side of the first look; rounds of low-pass and moments; voxels */
static const double WORK_VOXEL = 0.085; /* of the work grid, in Rg */
static const double KEEP = 0.1;         /* bodies smaller than this share of the largest are specks */
static const double MARGIN = 0.6;       /* kept around the bodies when the box is cut, in Rg */
static const double CLIP = 0.98;        /* quantile of the density inside at which weights are clipped */

/* What one look at a density tells. */
typedef struct {
    contour_t contour;
    frame_t frame;
    size_t inside;       /* voxels */
    size_t lo[3], hi[3]; /* bounding box of the mask, hi exclusive */
} look_t;

typedef struct {
    vol_t *vol;          /* the work grid */
    vol_t *low;          /* low-passed */
    unsigned char *mask; /* bodies above the level */
    float *weight;
} work_t;

static void work_free(work_t *w)
{
    vol_free(w->vol);
    vol_free(w->low);
    mem_free(w->mask);
    mem_free(w->weight);
    *w = (work_t){0};
}

/* Take over a volume as the work grid. */
static int work_take(work_t *w, vol_t *vol, err_t *err)
{
    if (!vol) return -1;
    w->vol = vol;
    size_t n = vol_len(vol);
    w->low = vol_clone(vol, err);
    w->mask = mem_new(n, 1, err);
    w->weight = mem_new(n, sizeof *w->weight, err);
    if (w->low && w->mask && w->weight) return 0;
    work_free(w);
    return -1;
}

/* Quantile q of the n > 0 values of x, which are reordered. */
static float quantile(float *x, size_t n, double q)
{
    return gsl_stats_float_select(x, 1, n, (size_t)(q * (double)(n - 1)));
}

/* Weights: density above the background inside the mask, clipped at a high quantile. */
static void weigh(work_t *w, double background)
{
    size_t n = vol_len(w->low), k = 0;
    for (size_t i = 0; i < n; i++)
        if (w->mask[i]) w->weight[k++] = w->low->data[i];
    float top = quantile(w->weight, k, CLIP) - (float)background;
    for (size_t i = 0; i < n; i++) {
        float d = w->low->data[i] - (float)background;
        w->weight[i] = w->mask[i] ? (d < top ? d : top) : 0;
    }
}

static void bounds(const work_t *w, look_t *l)
{
    const vol_t *v = w->low;
    size_t side[3] = {v->nx, v->ny, v->nz}, i = 0;
    for (int d = 0; d < 3; d++) {
        l->lo[d] = side[d];
        l->hi[d] = 0;
    }
    for (size_t z = 0; z < v->nz; z++)
        for (size_t y = 0; y < v->ny; y++, i += v->nx) {
            const unsigned char *row = w->mask + i, *set = memchr(row, 1, v->nx);
            if (!set) continue;
            size_t end = v->nx;
            while (!row[end - 1]) end--;
            const size_t from[3] = {(size_t)(set - row), y, z}, to[3] = {end, y + 1, z + 1};
            for (int d = 0; d < 3; d++) {
                if (from[d] < l->lo[d]) l->lo[d] = from[d];
                if (to[d] > l->hi[d]) l->hi[d] = to[d];
            }
        }
}

/* Low-pass the work grid by sigma (angstrom), find level, bodies and moments. l->contour.background is what lies
 * beyond the box on entry, and the new estimate on return. */
static int look(work_t *w, double sigma, look_t *l, err_t *err)
{
    if (blur_gauss(w->vol, w->low, sigma, l->contour.background, err) || contour_estimate(w->low, &l->contour, err) ||
        contour_mask(w->low, l->contour.level, KEEP, w->mask, &l->inside, err))
        return -1;
    weigh(w, l->contour.background);
    bounds(w, l);
    return frame_of(w->low, w->weight, &l->frame, err);
}

/* The map as it is looked at: what is not clean is put right in copies of its planes. */
typedef struct {
    const vol_t *vol;
    const survey_t *survey;
    const double *contour; /* or NULL */
    bool clean;            /* every voxel is */
    size_t lo[3], nx, ny;  /* the part that is read */
} source_t;

typedef float four_t __attribute__((vector_size(16), aligned(4), may_alias));
typedef int32_t mask_t __attribute__((vector_size(16), may_alias));

/* The least float that is not below x. */
static float float_above(double x)
{
    float f = (float)x;
    return (double)f < x ? nextafterf(f, INFINITY) : f;
}

static four_t choose(mask_t mask, float yes, four_t no) { return (four_t)(((mask_t)((four_t){0} + yes) & mask) | ((mask_t)no & ~mask)); }

/* What is not finite or lies below a given contour is background, and outliers are cut back. */
static void put_right(const source_t *s, float *x, size_t n)
{
    const survey_t *v = s->survey;
    const float cut = s->contour ? float_above(*s->contour) : -INFINITY, lo = float_above(v->lo), hi = -float_above(-v->hi);
    const float background = (float)v->background, least = (float)v->lo, most = (float)v->hi;
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        const four_t a = *(four_t *)(x + i);
        const mask_t finite = (a > -INFINITY) & (a < INFINITY), in = finite & (a >= cut);
        *(four_t *)(x + i) = choose(~in, background, choose(a < lo, least, choose(a > hi, most, a)));
    }
    for (; i < n; i++) {
        if (!isfinite(x[i]) || x[i] < cut) x[i] = background;
        else if (x[i] < lo) x[i] = least;
        else if (x[i] > hi) x[i] = most;
    }
}

static int read_planes(void *ctx, size_t z0, size_t nz, float *out, err_t *err)
{
    const source_t *s = ctx;
    (void)err;
    for (size_t z = s->lo[2] + z0; z < s->lo[2] + z0 + nz; z++) {
        float *plane = out;
        for (size_t y = s->lo[1]; y < s->lo[1] + s->ny; y++, out += s->nx)
            memcpy(out, s->vol->data + vol_idx(s->vol, s->lo[0], y, z), s->nx * sizeof *out);
        put_right(s, plane, s->nx * s->ny);
    }
    return 0;
}

/* The part of the map from lo to hi (exclusive), at about `voxel` angstrom. */
static vol_t *regrid(source_t *s, const size_t lo[3], const size_t hi[3], double voxel, err_t *err)
{
    const size_t side[3] = {hi[0] - lo[0], hi[1] - lo[1], hi[2] - lo[2]};
    vol_t shape = {.nx = side[0], .ny = side[1], .nz = side[2]};
    size_t n[3];
    for (int d = 0; d < 3; d++) {
        double m = ceil((double)side[d] * s->vol->voxel[d] / voxel);
        n[d] = m < 1 ? 1 : m > VOL_SIDE_MAX ? VOL_SIDE_MAX : (size_t)m;
        shape.voxel[d] = s->vol->voxel[d];
        shape.origin[d] = s->vol->origin[d] + (double)lo[d] * s->vol->voxel[d];
        s->lo[d] = lo[d];
    }
    s->nx = side[0];
    s->ny = side[1];
    resample_t *r = resample_begin(&shape, n[0], n[1], n[2], err);
    int rc = !r ? -1
           : !s->clean ? resample_from(r, read_planes, s, err)
                       : resample_part(r, 0, side[2], s->vol->data + vol_idx(s->vol, lo[0], lo[1], lo[2]), s->vol->nx, s->vol->nx * s->vol->ny, err);
    vol_t *w = rc ? NULL : resample_end(r, err);
    resample_free(r);
    return w;
}

/* Where a body found on the look grid lies in v, with a margin; hi exclusive. */
static void region(const vol_t *v, const vol_t *grid, const look_t *l, double margin, size_t lo[3], size_t hi[3])
{
    const size_t side[3] = {v->nx, v->ny, v->nz};
    for (int d = 0; d < 3; d++) {
        double a = floor((double)l->lo[d] * grid->voxel[d] / v->voxel[d] - margin / v->voxel[d]);
        double b = ceil((double)l->hi[d] * grid->voxel[d] / v->voxel[d] + margin / v->voxel[d]);
        lo[d] = a < 0 ? 0 : (size_t)a;
        hi[d] = b > (double)side[d] ? side[d] : (size_t)b;
    }
}

/* Draft: the map is the work grid. */
static int work_draft(source_t *s, work_t *w, look_t *l, err_t *err)
{
    vol_t *v = vol_clone(s->vol, err);
    if (v && !s->clean) put_right(s, v->data, vol_len(v));
    return work_take(w, v, err) || look(w, v->voxel[0], l, err) ? -1 : 0;
}

/* First look at the whole box on a small grid, then the work grid: the part that holds the bodies, at WORK_VOXEL. */
static int work_make(source_t *s, work_t *w, look_t *l, err_t *err)
{
    const vol_t *v = s->vol;
    double edge = 0, fine = INFINITY;
    const size_t side[3] = {v->nx, v->ny, v->nz}, none[3] = {0};
    for (int d = 0; d < 3; d++) {
        edge = fmax(edge, (double)side[d] * v->voxel[d]);
        fine = fmin(fine, v->voxel[d]);
    }
    double voxel = fmax(fine, edge / LOOK_SIDE);
    if (work_take(w, regrid(s, none, side, voxel, err), err) || look(w, voxel, l, err)) return -1;

    size_t lo[3], hi[3];
    region(v, w->vol, l, MARGIN * l->frame.rg, lo, hi);
    work_free(w);
    return work_take(w, regrid(s, lo, hi, WORK_VOXEL * l->frame.rg, err), err);
}

/* Value of v at a point (angstrom), trilinear; `outside` beyond the grid. */
static float sample(const vol_t *v, const float *data, const double p[3], float outside)
{
    const size_t side[3] = {v->nx, v->ny, v->nz};
    size_t i[3];
    float f[3];
    for (int d = 0; d < 3; d++) {
        double t = (p[d] - v->origin[d]) / v->voxel[d];
        if (!(t >= 0) || t > (double)(side[d] - 1)) return outside;
        i[d] = (size_t)t;
        if (i[d] + 1 >= side[d]) i[d] = side[d] > 1 ? side[d] - 2 : 0;
        f[d] = (float)(t - (double)i[d]);
    }
    size_t dx = v->nx > 1, dy = v->ny > 1 ? v->nx : 0, dz = v->nz > 1 ? v->nx * v->ny : 0;
    const float *q = data + vol_idx(v, i[0], i[1], i[2]);
    float a = q[0] + f[0] * (q[dx] - q[0]), b = q[dy] + f[0] * (q[dy + dx] - q[dy]);
    float c = q[dz] + f[0] * (q[dz + dx] - q[dz]), e = q[dz + dy] + f[0] * (q[dz + dy + dx] - q[dz + dy]);
    a += f[1] * (b - a);
    c += f[1] * (e - c);
    return a + f[2] * (c - a);
}

/* Sample the weights along the axes of the frame into the cube. */
static void fill(const work_t *w, cube_t *c)
{
    double half = 0.5 * (double)(c->side - 1);
    const frame_t *f = &c->frame;
#pragma omp parallel for schedule(static)
    for (size_t z = 0; z < c->side; z++)
        for (size_t y = 0; y < c->side; y++)
            for (size_t x = 0; x < c->side; x++) {
                double u[3] = {((double)x - half) * c->voxel, ((double)y - half) * c->voxel, ((double)z - half) * c->voxel}, p[3];
                for (int d = 0; d < 3; d++)
                    p[d] = f->centre[d] + u[0] * f->axis[0][d] + u[1] * f->axis[1][d] + u[2] * f->axis[2][d];
                c->data[(z * c->side + y) * c->side + x] = sample(w->vol, w->weight, p, 0);
            }
}

/* Subtract a floor, divide by a high quantile of what is left, clip to 0..1. */
static int normalise(cube_t *c, err_t *err)
{
    size_t n = c->side * c->side * c->side, k = 0;
    float *s = mem_new(n, sizeof *s, err), top = 0;
    if (!s) return -1;
    for (size_t i = 0; i < n; i++)
        if (c->data[i] > 0) s[k++] = c->data[i];
    if (k) top = quantile(s, k, 0.99);
    mem_free(s);
    if (!(top > 0)) return err_set(err, ERR_RANGE, "cube: empty");
    for (size_t i = 0; i < n; i++) {
        float x = c->data[i] / top;
        c->data[i] = x < 0 ? 0 : x > 1 ? 1 : x;
    }
    return 0;
}

/* Side and shape that make a cube, and a map. */
static int check(const vol_t *v, size_t side, err_t *err)
{
    if (side < 16 || side > 64 || side % 2) return err_set(err, ERR_USAGE, "cube: side %zu (even, 16 to 64)", side);
    if (v->nx < MIN_SIDE || v->ny < MIN_SIDE || v->nz < MIN_SIDE)
        return err_set(err, ERR_RANGE, "cube: %zu x %zu x %zu voxels are no volume (each side %d or more)", v->nx, v->ny, v->nz, MIN_SIDE);
    return 0;
}

/* The work grid and what it tells; s: of the map as it came. */
static int survey(const vol_t *v, const cube_opts_t *o, work_t *w, look_t *l, survey_t *s, err_t *err)
{
    source_t map = {.vol = v, .survey = s, .contour = o ? o->contour : NULL};
    bool draft = o && o->draft;
    if (contour_survey(v, s, err)) return -1;
    if (map.contour && s->most < *map.contour) return err_set(err, ERR_RANGE, "contour %g: above all of the map (its largest value is %g)", *map.contour, s->most);
    map.clean = !s->bad && s->least >= s->lo && s->most <= s->hi && !(map.contour && s->least < *map.contour);
    l->contour.background = s->background;
    if ((draft ? work_draft : work_make)(&map, w, l, err)) return -1;
    for (int i = 0; i < (draft ? DRAFT_ROUNDS : ROUNDS); i++)
        if (look(w, CUBE_BLUR * l->frame.rg, l, err)) return -1;
    return 0;
}

/* A cube of c->side along c->frame. */
static int sample_cube(const work_t *w, const survey_t *s, const look_t *l, const cube_opts_t *o, cube_t *c, err_t *err)
{
    c->map_level = s->contrast ? s->contour.level : (double)NAN;
    c->bad = s->bad;
    c->voxel = CUBE_EDGE * c->frame.rg / (double)c->side;
    c->background = l->contour.background;
    c->level = l->contour.level;
    c->volume = (double)l->inside * w->vol->voxel[0] * w->vol->voxel[1] * w->vol->voxel[2];
    if (!(c->data = mem_new(c->side * c->side * c->side, sizeof *c->data, err))) return -1;
    fill(w, c);
    return o && o->as_sampled ? 0 : spectrum_match(c->data, c->side, err) || normalise(c, err) ? -1 : 0;
}

int cube_make_both(const vol_t *v, const cube_opts_t *o, cube_t *c, cube_t *other, size_t side, err_t *err)
{
    work_t w = {0};
    look_t l;
    survey_t s;
    *c = (cube_t){.side = o && o->side ? o->side : CUBE_SIDE};
    if (other) *other = (cube_t){.side = side};
    int rc = check(v, c->side, err) || (other && check(v, side, err)) || survey(v, o, &w, &l, &s, err) ? -1 : 0;
    if (!rc) {
        c->frame = l.frame;
        if (o && o->adjust) rc = o->adjust(&c->frame, o->ctx, err);
    }
    if (!rc) rc = sample_cube(&w, &s, &l, o, c, err);
    if (!rc && other) {
        other->frame = c->frame;
        rc = sample_cube(&w, &s, &l, o, other, err);
    }
    work_free(&w);
    if (rc) cube_free(c);
    if (rc && other) cube_free(other);
    return rc;
}

int cube_make(const vol_t *v, const cube_opts_t *o, cube_t *c, err_t *err) { return cube_make_both(v, o, c, NULL, 0, err); }

void cube_free(cube_t *c)
{
    mem_free(c->data);
    *c = (cube_t){0};
}
