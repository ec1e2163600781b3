/* view: EM-like views of a model (see view.h; DESIGN 4): what befalls the body, then its density, then the frame. */
#include "voxel/view.h"

#include <gsl/gsl_statistics_float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "voxel/blur.h"
#include "voxel/body.h"
#include "voxel/simulate.h"

#define TWO_PI 6.283185307179586

const viewopts_t view_em = {
    .magnify = {1, 0.97, 1.03},
    .chains = {0.1, 0.05, 0.3},
    .plane = {0.12, 0.02, 0.2},
    .bite = {0.12, 0.02, 0.15},
    .distal = {0.2, 0.01, 0.1},
    .fade = {0.4, 0.1, 0.8},
    .copy = {0.06, 0.03, 0.2},
    .partner = {0.12, 0.02, 0.2},
    .glycans = {0.15, 1, 8},
    .grid = {0.1, 0.15},
    .resolution = {3, 20},
    .bfactor = {0.5, 0, 600},
    .blur_most = 0.11,
    .sharpen = {0.4, 0.1, 1},
    .local = {0.4, 1, 6},
    .belt = {0.85, 10, 35},
    .weak = {0.03, 10, 35},
    .belt_density = {0.25, 0.95},
    .belt_half = {13, 22},
    .plateau = {0.2, 0.02, 0.2},
    .noise = {0.8, 0, 0.12},
    .inner = {0.5, 0, 0.25},
    .colour = {0.6, 2},
    .mask = {0.5, 4, 20},
    .contour = {0.75, 0.45, 2},
    .coarse = {0.4, 0, 0},
    .smooth = {0.6, 1, 6},
    .recut = {0.5, 0, 0},
    .shake = {0.9, 0, 0.06},
    .shift = 0.01,
    .scale = 0.01,
};

static double draw(rng_t *r, const double range[2]) { return range[0] + (range[1] - range[0]) * rng_unit(r); }

/* Whether it happens, and how much of it. */
static bool happens(rng_t *r, const chance_t *c, double *amount)
{
    *amount = 0;
    if (!(rng_unit(r) < c->p)) return false;
    *amount = c->lo + (c->hi - c->lo) * rng_unit(r);
    return true;
}

/* A sigma (angstrom) within the bound on blurs. */
static double bounded(const viewopts_t *o, const body_t *b, double sigma)
{
    return o->blur_most > 0 ? fmin(sigma, o->blur_most * b->rg) : sigma;
}

/* ---- the body ---- */

static int lose_parts(body_t *b, const viewopts_t *o, rng_t *r, err_t *err)
{
    double f, u[3];
    if (happens(r, &o->chains, &f) && body_drop_chains(b, f, r, err)) return -1;
    if (happens(r, &o->plane, &f)) {
        body_direction(r, u);
        body_drop(b, BODY_ALONG, u, f);
    }
    if (happens(r, &o->bite, &f)) {
        body_pick(b, r, u);
        body_drop(b, BODY_NEAR, u, f);
    }
    if (happens(r, &o->distal, &f)) body_drop(b, BODY_FROM, b->centre, f);
    return body_measure(b, err);
}

static int gain_parts(body_t *b, const viewopts_t *o, rng_t *r, err_t *err)
{
    double f;
    double mass = b->mass;
    if (happens(r, &o->copy, &f) && body_add_copy(b, f, r, err)) return -1;
    if (happens(r, &o->partner, &f)) {
        int balls = 1 + (int)(3 * rng_unit(r));
        for (int k = 0; k < balls; k++)
            if (body_add_ball(b, f * mass / balls, r, err)) return -1;
    }
    if (happens(r, &o->glycans, &f))
        for (int k = 0; k < (int)f; k++)
            if (body_add_ball(b, 400 + 800 * rng_unit(r), r, err)) return -1; /* 3 to 9 sugars of some 130 */
    return body_measure(b, err);
}

/* The model as a body of points, changed; *span becomes the membrane in its coordinates. */
static int body_make(const model_t *m, const viewopts_t *o, rng_t *r, body_t *b, membrane_t *span, err_t *err)
{
    double amount, size = 1;
    bool flip = happens(r, &o->hand, &amount);
    if (happens(r, &o->magnify, &amount)) size = amount;
    if (body_new(m, size, flip, b, err)) return -1;
    double mid = 0, after = 0; /* of the body along the normal */
    for (int d = 0; d < 3; d++) mid += (double)span->normal[d] * b->centre[d];
    if (flip) span->normal[0] = -span->normal[0];
    for (int d = 0; d < 3; d++) after += (double)span->normal[d] * b->centre[d];
    span->offset = (float)(after + size * ((double)span->offset - mid));
    span->half *= (float)size;
    if (body_measure(b, err) || lose_parts(b, o, r, err) || gain_parts(b, o, r, err)) return -1;
    if (happens(r, &o->fade, &amount)) {
        double focus[3];
        body_focus(b, r, focus);
        body_fade(b, focus, amount);
    }
    return body_measure(b, err);
}

/* ---- the density ---- */

/* Grid about the body with a margin, at most VIEW_SIDE voxels a side. */
static vol_t *grid_make(const body_t *b, double voxel, double margin, rng_t *r, err_t *err)
{
    double lo[3], hi[3];
    size_t n[3];
    body_box(b, lo, hi);
    for (int d = 0; d < 3; d++) voxel = fmax(voxel, (hi[d] - lo[d] + 2 * margin) / (VIEW_SIDE - 2));
    for (int d = 0; d < 3; d++) n[d] = (size_t)fmin(VIEW_SIDE, fmax(8, ceil((hi[d] - lo[d] + 2 * margin) / voxel) + 1));
    vol_t *v = vol_new(n[0], n[1], n[2], voxel, err);
    for (int d = 0; v && d < 3; d++)
        v->origin[d] = 0.5 * (lo[d] + hi[d]) - 0.5 * voxel * ((double)n[d] - 1) + voxel * (rng_unit(r) - 0.5);
    return v;
}

/* Blur to variance `var`, of which the spreading of points over the grid has done a part. */
static int settle(vol_t *v, double var, err_t *err)
{
    double h = v->voxel[0];
    var -= h * h / 6;
    return var > 0.04 * h * h ? blur_gauss(v, v, sqrt(var), 0, err) : 0;
}

/* The body at a resolution, of which the parts far from a focus may be less. */
static int draw_body(const body_t *b, const viewopts_t *o, double var, vol_t *v, rng_t *r, err_t *err)
{
    double more, focus[3];
    if (!happens(r, &o->local, &more)) {
        body_splat(b, NULL, v, NULL);
        return settle(v, var, err);
    }
    vol_t *far = vol_clone(v, err);
    if (!far) return -1;
    body_focus(b, r, focus);
    body_splat(b, focus, v, far);
    more = bounded(o, b, more);
    int rc = settle(v, var, err) || settle(far, var + more * more, err) ? -1 : 0;
    for (size_t i = 0; !rc && i < vol_len(v); i++) v->data[i] += far->data[i];
    vol_free(far);
    return rc;
}

/* v += gain * (v - v blurred) */
static int sharpen(vol_t *v, double gain, double sigma, vol_t *tmp, err_t *err)
{
    if (blur_gauss(v, tmp, sigma, 0, err)) return -1;
    for (size_t i = 0; i < vol_len(v); i++) v->data[i] += (float)gain * (v->data[i] - tmp->data[i]);
    return 0;
}

/* Noise of unit standard deviation. The sum of four uniform numbers is normal enough before the blur. */
static int make_noise(vol_t *n, double sigma, rng_t *r, err_t *err)
{
    volstat_t s;
    for (size_t i = 0; i < vol_len(n); i++) {
        uint64_t x = rng_next(r);
        n->data[i] = (float)((int32_t)((x & 0xffff) + (x >> 16 & 0xffff) + (x >> 32 & 0xffff) + (x >> 48)) - 2 * 65535);
    }
    if (blur_gauss(n, n, sigma, 0, err)) return -1;
    vol_stats(n, &s);
    float scale = s.sd > 0 ? (float)(1 / s.sd) : 0;
    for (size_t i = 0; i < vol_len(n); i++) n->data[i] *= scale;
    return 0;
}

static int add_noise(vol_t *v, const viewopts_t *o, vol_t *tmp, rng_t *r, err_t *err)
{
    double everywhere, inner;
    bool a = happens(r, &o->noise, &everywhere), b = happens(r, &o->inner, &inner);
    if (!a && !b) return 0;
    if (make_noise(tmp, draw(r, o->colour) * v->voxel[0], r, err)) return -1;
    for (size_t i = 0; i < vol_len(v); i++) {
        float body = v->data[i] < 0 ? 0 : v->data[i] > 1 ? 1 : v->data[i];
        v->data[i] += tmp->data[i] * ((float)everywhere + (float)inner * body);
    }
    return 0;
}

/* The level above which lie about `volume` cubic angstrom of v. */
static float level_of(const vol_t *v, double volume, float *scratch)
{
    size_t n = vol_len(v);
    double k = volume / (v->voxel[0] * v->voxel[1] * v->voxel[2]);
    size_t in = k < 1 ? 1 : k > 0.9 * (double)n ? (size_t)(0.9 * (double)n) : (size_t)k;
    memcpy(scratch, v->data, n * sizeof *scratch);
    return gsl_stats_float_select(scratch, 1, n, n - 1 - in);
}

/* Scale v so that the mean of its densest `volume` cubic angstrom is 1; returns the density that bounds them. */
static float normalise(vol_t *v, double volume, float *scratch)
{
    float edge = level_of(v, volume, scratch);
    double sum = 0, in = 0;
    for (size_t i = 0; i < vol_len(v); i++) {
        if (!(v->data[i] > edge)) continue;
        sum += (double)v->data[i];
        in++;
    }
    float scale = sum > 0 ? (float)(in / sum) : 1;
    for (size_t i = 0; i < vol_len(v); i++) v->data[i] *= scale;
    return edge * scale;
}

/* Soft envelope into tmp: 1 up to about `width` from where v stands above the edge, 0 beyond. */
static int envelope(const vol_t *v, float edge, double width, vol_t *tmp, err_t *err)
{
    for (size_t i = 0; i < vol_len(v); i++) tmp->data[i] = v->data[i] > edge ? 1 : 0;
    if (blur_gauss(tmp, tmp, width, 0, err)) return -1;
    float top = 0; /* 1, or less of a body smaller than the width */
    for (size_t i = 0; i < vol_len(v); i++) top = fmaxf(top, tmp->data[i]);
    for (size_t i = 0; i < vol_len(v); i++) {
        float t = 8 * tmp->data[i] / top - 0.5f; /* the blurred step is 0.16 a sigma away from it */
        tmp->data[i] = t < 0 ? 0 : t > 1 ? 1 : t;
    }
    return 0;
}

/* Solvent, noise, mask. */
static int surround(vol_t *v, const viewopts_t *o, float edge, vol_t *tmp, rng_t *r, err_t *err)
{
    double width, level;
    bool masked = happens(r, &o->mask, &width), raised = happens(r, &o->plateau, &level);
    vol_t *mask = NULL;
    if ((masked || raised) && (!(mask = vol_clone(v, err)) || envelope(v, edge, masked ? width : 10, mask, err))) {
        vol_free(mask);
        return -1;
    }
    for (size_t i = 0; raised && i < vol_len(v); i++) v->data[i] += (float)level * mask->data[i] * fmaxf(0, 1 - v->data[i]);
    int rc = add_noise(v, o, tmp, r, err);
    for (size_t i = 0; !rc && masked && i < vol_len(v); i++) v->data[i] *= mask->data[i];
    vol_free(mask);
    return rc;
}

/* A mask as a grid twice as coarse has it: in blocks of two voxels a side, each as its first. */
static void coarsen(unsigned char *in, const vol_t *v)
{
    for (size_t z = 0, i = 0; z < v->nz; z++)
        for (size_t y = 0; y < v->ny; y++)
            for (size_t x = 0; x < v->nx; x++, i++) in[i] = in[vol_idx(v, x & ~(size_t)1, y & ~(size_t)1, z & ~(size_t)1)];
}

/* Cut at a contour, smooth, cut again. */
static int cut(vol_t *v, const viewopts_t *o, const body_t *b, double volume, vol_t *tmp, rng_t *r, err_t *err)
{
    double amount, sigma;
    bool cuts = rng_unit(r) < o->contour.p, recut;
    unsigned char *in = NULL;
    if (cuts) {
        amount = o->contour.lo * pow(o->contour.hi / o->contour.lo, rng_unit(r));
        float level = fmaxf(0, level_of(v, amount * volume, tmp->data));
        if (!(in = mem_new(vol_len(v), 1, err))) return -1;
        for (size_t i = 0; i < vol_len(v); i++) in[i] = v->data[i] > level;
        if (happens(r, &o->coarse, &amount)) coarsen(in, v);
        for (size_t i = 0; i < vol_len(v); i++)
            if (!in[i]) v->data[i] = 0;
    }
    int rc = happens(r, &o->smooth, &sigma) ? blur_gauss(v, v, bounded(o, b, sigma), 0, err) : 0;
    recut = happens(r, &o->recut, &amount);
    for (size_t i = 0; !rc && recut && cuts && i < vol_len(v); i++)
        if (!in[i]) v->data[i] = 0;
    mem_free(in);
    return rc;
}

/* Where a belt goes: about the span, or, on weak evidence, across a random principal axis. False: nowhere. */
static bool belt_place(const body_t *b, const viewopts_t *o, const membrane_t *span, rng_t *r, belt_t *belt)
{
    bool known = span->half > 0;
    if (!happens(r, known ? &o->belt : &o->weak, &belt->width)) return false;
    belt->half = draw(r, o->belt_half);
    belt->density = draw(r, o->belt_density);
    belt->dip = 0.7 * rng_unit(r);
    belt->round = rng_unit(r);
    belt->disc = rng_unit(r) < 0.3;
    belt->offset = (double)span->offset + 2 * (rng_unit(r) - 0.5);
    for (int d = 0; d < 3; d++) belt->normal[d] = (double)span->normal[d];
    if (known) return true;
    int k = (int)(3 * rng_unit(r));
    belt->offset = b->rg * (rng_unit(r) - 0.5);
    for (int d = 0; d < 3; d++) {
        belt->normal[d] = b->axis[k][d];
        belt->offset += b->axis[k][d] * b->centre[d];
    }
    return true;
}

/* The first draw of a view. */
static double draw_resolution(const viewopts_t *o, rng_t *r)
{
    return o->resolution[0] > 0 ? o->resolution[0] * pow(o->resolution[1] / o->resolution[0], rng_unit(r)) : 8;
}

double view_resolution(const viewopts_t *o, uint64_t seed)
{
    rng_t r;
    rng_seed(&r, seed);
    return draw_resolution(o, &r);
}

static vol_t *density(const model_t *m, const membrane_t *known, const viewopts_t *o, rng_t *r, err_t *err)
{
    body_t b = {0};
    belt_t belt;
    membrane_t span = known ? *known : (membrane_t){.half = 0};
    vol_t *v = NULL, *tmp = NULL;
    int rc = -1;
    double amount, res = draw_resolution(o, r);
    double more = happens(r, &o->bfactor, &amount) ? sqrt(amount / 2) / TWO_PI : 0; /* sigma of exp(-B s^2 / 4) */
    if (body_make(m, o, r, &b, &span, err)) goto done;
    double var = pow(bounded(o, &b, SIM_SIGMA * res), 2) + pow(bounded(o, &b, more), 2);

    bool belted = belt_place(&b, o, &span, r, &belt);
    double voxel = b.rg * (o->grid[0] > 0 ? draw(r, o->grid) : 0.1);
    double margin = 2 * voxel + 2 * sqrt(var) + (belted ? belt.width : 0) + 0.1 * b.rg;
    if (!(v = grid_make(&b, voxel, margin, r, err)) || !(tmp = vol_clone(v, err)) || draw_body(&b, o, var + b.var, v, r, err)) goto done;
    double volume = b.mass / VIEW_DENSITY;
    float edge = normalise(v, volume, tmp->data);
    if (happens(r, &o->sharpen, &amount) && sharpen(v, amount, fmax(1.5 * sqrt(var), v->voxel[0]), tmp, err)) goto done;
    if (belted) body_belt(&b, &belt, v);
    if (surround(v, o, edge, tmp, r, err) || cut(v, o, &b, volume, tmp, r, err)) goto done;
    rc = 0;
done:
    body_free(&b);
    vol_free(tmp);
    if (!rc) return v;
    vol_free(v);
    return NULL;
}

vol_t *view_density(const model_t *m, const membrane_t *span, const viewopts_t *o, uint64_t seed, err_t *err)
{
    rng_t r;
    rng_seed(&r, seed);
    return density(m, span, o, &r, err);
}

/* ---- the cube ---- */

typedef struct {
    const viewopts_t *o;
    rng_t r;
} shaker_t;

static int shake(frame_t *f, void *ctx, err_t *err)
{
    shaker_t *s = ctx;
    double size;
    (void)err;
    if (happens(&s->r, &s->o->shake, &size)) frame_shake(f, size, &s->r);
    for (int d = 0; d < 3; d++) f->centre[d] += s->o->shift * f->rg * rng_normal(&s->r);
    f->rg *= exp(s->o->scale * rng_normal(&s->r));
    return 0;
}

int view_make(const model_t *m, const membrane_t *span, const viewopts_t *o, uint64_t seed, cube_t *c, err_t *err)
{
    shaker_t s = {.o = o};
    cube_opts_t co = {.side = o->side, .draft = 1, .adjust = shake, .ctx = &s};
    *c = (cube_t){0};
    rng_seed(&s.r, seed);
    vol_t *v = density(m, span, o, &s.r, err);
    if (!v) return -1;
    int rc = cube_make(v, &co, c, err);
    vol_free(v);
    return rc;
}
