/* fit: the place of an atomic model in a map (see fit.h). */
#include "voxel/fit.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "voxel/blur.h"
#include "voxel/contour.h"
#include "voxel/fit_priv.h"
#include "voxel/frame.h"
#include "voxel/simulate.h"

enum { POINTS_FEW = 3000, POINTS_MOST = 30000, STARTS = 4, FINALISTS = 12, STEPS_FEW = 12, STEPS_MOST = 60 };
static const double COARSE = 3.0;      /* resolution of the search, in steps */
static const double FINE_ENOUGH = 4.0; /* ratio of resolutions above which there is a level between */
static const double NEARLY = 0.01, AT_LAST = 1e-3; /* steps of refinement that end it, in voxels */
static const double HOPE = 0.75;         /* of the best correlation: what is below is given up */
static const double SAME_PLACE = 1.0;  /* steps: nearer poses of like rotation are one */

struct fitmap {
    const vol_t *v;
    unsigned char *inside; /* (nz,ny,nx) of v: above the contour */
    size_t n_inside;
    double sum, squares;   /* of the values there, over the background and cut */
    double background, top; /* values below and above are cut */
    double resolution;
    double lo[3], hi[3];    /* angstrom: box round the centres of the voxels inside */
    vol_t *crop;            /* that box and a margin: values less the background, cut */
    vol_t *body;            /* the same, 0 outside the contour and evened out inside it */
    frame_t frame;          /* of the body */
};

static const double EVEN = 0.7;        /* of the mean inside the contour: what is higher counts as much in the search, so that parts of
                                        * high density do not draw every model to them */

static double mean_voxel(const vol_t *v) { return cbrt(v->voxel[0] * v->voxel[1] * v->voxel[2]); }

/* ---- the map ---- */

static void bounds(fitmap_t *f, size_t lo[3], size_t hi[3])
{
    const vol_t *v = f->v;
    for (int d = 0; d < 3; d++) lo[d] = SIZE_MAX, hi[d] = 0;
    for (size_t z = 0, i = 0; z < v->nz; z++)
        for (size_t y = 0; y < v->ny; y++)
            for (size_t x = 0; x < v->nx; x++, i++) {
                if (!f->inside[i]) continue;
                const size_t at[3] = {x, y, z};
                for (int d = 0; d < 3; d++) {
                    if (at[d] < lo[d]) lo[d] = at[d];
                    if (at[d] > hi[d]) hi[d] = at[d];
                }
            }
    for (int d = 0; d < 3; d++) {
        f->lo[d] = v->origin[d] + v->voxel[d] * (double)lo[d];
        f->hi[d] = v->origin[d] + v->voxel[d] * (double)hi[d];
    }
}

/* Of one value: over the background, cut. */
static double above(const fitmap_t *f, float v)
{
    return isfinite(v) ? fmax(0, fmin((double)v, f->top) - f->background) : 0;
}

static void sum_inside(fitmap_t *f)
{
    size_t plane = f->v->nx * f->v->ny;
    for (size_t z = 0; z < f->v->nz; z++) {
        double sum = 0, squares = 0;
        for (size_t i = z * plane; i < (z + 1) * plane; i++) {
            if (!f->inside[i]) continue;
            double v = above(f, f->v->data[i]);
            sum += v;
            squares += v * v;
        }
        f->sum += sum;
        f->squares += squares;
    }
}

/* The voxels lo..hi and a margin as far as the map goes; beyond it what is outside counts as 0. */
static int cut_out(fitmap_t *f, const size_t lo[3], const size_t hi[3], err_t *err)
{
    const vol_t *v = f->v;
    const size_t side[3] = {v->nx, v->ny, v->nz};
    size_t from[3], n[3];
    double even = EVEN * f->sum / (double)f->n_inside;
    for (int d = 0; d < 3; d++) {
        size_t margin = (size_t)ceil(f->resolution / v->voxel[d]) + 2;
        from[d] = lo[d] > margin ? lo[d] - margin : 0;
        size_t to = hi[d] + margin < side[d] ? hi[d] + margin : side[d] - 1;
        n[d] = to - from[d] + 1;
    }
    f->crop = vol_new(n[0], n[1], n[2], 1, err);
    f->body = vol_new(n[0], n[1], n[2], 1, err);
    if (!f->crop || !f->body) return -1;
    for (int d = 0; d < 3; d++) {
        f->crop->voxel[d] = f->body->voxel[d] = v->voxel[d];
        f->crop->origin[d] = f->body->origin[d] = v->origin[d] + v->voxel[d] * (double)from[d];
    }
#pragma omp parallel for schedule(static)
    for (size_t z = 0; z < n[2]; z++)
        for (size_t y = 0; y < n[1]; y++)
            for (size_t x = 0; x < n[0]; x++) {
                size_t at = vol_idx(v, x + from[0], y + from[1], z + from[2]), to = vol_idx(f->crop, x, y, z);
                double value = above(f, v->data[at]);
                f->crop->data[to] = (float)value;
                f->body->data[to] = f->inside[at] ? (float)fmin(value, even) : 0;
            }
    return 0;
}

fitmap_t *fit_map_new(const vol_t *v, double level, double resolution, err_t *err)
{
    survey_t s;
    size_t lo[3], hi[3];
    fitmap_t *f = mem_zero(1, sizeof *f, err);
    if (!f) return NULL;
    f->v = v;
    f->resolution = fmax(resolution, FIT_VOXELS * mean_voxel(v));
    if (!(resolution > 0 && isfinite(resolution))) {
        err_set(err, ERR_USAGE, "resolution %g (more than 0 is wanted)", resolution);
        goto fail;
    }
    if (!(f->inside = mem_new(vol_len(v), 1, err)) || contour_survey(v, &s, err) ||
        contour_mask(v, level, FIT_SPECK, f->inside, &f->n_inside, err))
        goto fail;
    f->background = fmin(s.background, level);
    f->top = fmax(s.hi, level);
    sum_inside(f);
    bounds(f, lo, hi);
    if (cut_out(f, lo, hi, err) || frame_of(f->body, f->body->data, &f->frame, err)) goto fail;
    return f;
fail:
    fit_map_free(f);
    return NULL;
}

void fit_map_free(fitmap_t *f)
{
    if (!f) return;
    mem_free(f->inside);
    vol_free(f->crop);
    vol_free(f->body);
    mem_free(f);
}

double fit_map_resolution(const fitmap_t *f) { return f->resolution; }

/* ---- one resolution ---- */

typedef struct {
    double resolution, voxel;
    vol_t *map; /* owned unless it is the crop */
    bool own;
    points_t points;
} level_t;

static void points_free(points_t *p)
{
    mem_free(p->p);
    mem_free(p->w);
    *p = (points_t){0};
}

static void level_free(level_t *l)
{
    if (l->own) vol_free(l->map);
    points_free(&l->points);
    *l = (level_t){0};
}

/* Add w to the eight voxels about u (voxels), as far as they are there. */
static void spread(vol_t *v, const double u[3], double w)
{
    long at[3];
    double f[3];
    const long side[3] = {(long)v->nx, (long)v->ny, (long)v->nz};
    for (int d = 0; d < 3; d++) {
        at[d] = (long)floor(u[d]);
        f[d] = u[d] - (double)at[d];
    }
    for (int c = 0; c < 8; c++) {
        long p[3];
        double part = w;
        bool there = true;
        for (int d = 0; d < 3; d++) {
            int one = c >> d & 1;
            p[d] = at[d] + one;
            part *= one ? f[d] : 1 - f[d];
            there = there && p[d] >= 0 && p[d] < side[d];
        }
        if (there) v->data[vol_idx(v, (size_t)p[0], (size_t)p[1], (size_t)p[2])] += (float)part;
    }
}

/* The body of the map at a lower resolution on voxels of `voxel` angstrom: mean values, so that units stay. */
static vol_t *coarser(const fitmap_t *f, double resolution, double voxel, err_t *err)
{
    const vol_t *b = f->body;
    const size_t n[3] = {b->nx, b->ny, b->nz};
    size_t side[3], margin = (size_t)ceil(resolution / voxel) + 2;
    double share = b->voxel[0] * b->voxel[1] * b->voxel[2] / (voxel * voxel * voxel);
    for (int d = 0; d < 3; d++) side[d] = (size_t)ceil((double)n[d] * b->voxel[d] / voxel) + 2 * margin;
    vol_t *v = vol_new(side[0], side[1], side[2], voxel, err);
    if (!v) return NULL;
    for (int d = 0; d < 3; d++) v->origin[d] = b->origin[d] - voxel * (double)margin;
    for (size_t z = 0, i = 0; z < n[2]; z++)
        for (size_t y = 0; y < n[1]; y++)
            for (size_t x = 0; x < n[0]; x++, i++) {
                if (!(b->data[i] > 0)) continue;
                const size_t at[3] = {x, y, z};
                double u[3];
                for (int d = 0; d < 3; d++) u[d] = (b->origin[d] + b->voxel[d] * (double)at[d] - v->origin[d]) / voxel;
                spread(v, u, share * (double)b->data[i]);
            }
    double sigma2 = SIM_SIGMA * SIM_SIGMA * (resolution * resolution - f->resolution * f->resolution) - voxel * voxel / 6;
    if (sigma2 > 0 && blur_gauss(v, v, sqrt(sigma2), 0, err)) {
        vol_free(v);
        return NULL;
    }
    return v;
}

/* What a model looks like at a resolution, about `centre`. */
static int points_of(const model_t *m, double resolution, double voxel, const double centre[3], size_t memory, points_t *p, err_t *err)
{
    vol_t *v = simulate(m, &(sim_opts_t){.resolution = resolution, .voxel = voxel, .memory = memory}, err);
    if (!v) return -1;
    float top = 0, least;
    size_t n = 0, len = vol_len(v);
    for (size_t i = 0; i < len; i++) top = fmaxf(top, v->data[i]);
    least = (float)FIT_MASK * top;
    for (size_t i = 0; i < len; i++) n += v->data[i] > least;
    *p = (points_t){.p = mem_new(n, sizeof *p->p, err), .w = mem_new(n, sizeof *p->w, err)};
    int rc = p->p && p->w ? 0 : -1;
    if (!rc && !n) rc = err_set(err, ERR_RANGE, "a model without density");
    for (size_t i = 0; !rc && i < len; i++) {
        if (!(v->data[i] > least)) continue;
        const size_t at[3] = {i % v->nx, i / v->nx % v->ny, i / v->nx / v->ny};
        double r2 = 0;
        for (int d = 0; d < 3; d++) {
            double x = v->origin[d] + v->voxel[d] * (double)at[d] - centre[d];
            p->p[p->n][d] = x;
            r2 += x * x;
        }
        p->radius = fmax(p->radius, sqrt(r2));
        p->w[p->n++] = v->data[i];
    }
    vol_free(v);
    return rc;
}

/* Level k of `levels`: the first is that of the search, the last has the map's own voxels. */
static int level_make(const fitmap_t *f, const model_t *m, const double centre[3], double resolution, double voxel, bool last,
                      const fit_opts_t *o, level_t *l, err_t *err)
{
    *l = (level_t){.resolution = resolution, .voxel = voxel, .own = !last};
    if (!(l->map = last ? f->crop : coarser(f, resolution, voxel, err))) return -1;
    for (;;) {
        if (points_of(m, resolution, voxel, centre, o->memory, &l->points, err)) return -1;
        if (!last || l->points.n <= POINTS_MOST) return 0;
        voxel *= 1.02 * cbrt((double)l->points.n / POINTS_MOST);
        points_free(&l->points);
    }
}

/* ---- poses ---- */

typedef struct {
    pose_t pose; /* of points about the centre */
    double score;
    size_t order; /* among equals the first counts */
} cand_t;

static int by_score(const void *a, const void *b)
{
    const cand_t *p = a, *q = b;
    return p->score > q->score ? -1 : p->score < q->score ? 1 : p->order < q->order ? -1 : p->order > q->order;
}

/* Keep of n, sorted, the first `most` that are not near one before them. Returns how many. */
static size_t distinct(cand_t *c, size_t n, size_t most, double angle, double distance)
{
    size_t kept = 0;
    for (size_t i = 0; i < n && kept < most; i++) {
        bool fresh = true;
        for (size_t j = 0; j < kept && fresh; j++) {
            double d2 = 0;
            for (int d = 0; d < 3; d++) d2 += (c[i].pose.t[d] - c[j].pose.t[d]) * (c[i].pose.t[d] - c[j].pose.t[d]);
            fresh = d2 > distance * distance || pose_angle(c[i].pose.r, c[j].pose.r) > angle;
        }
        if (fresh) c[kept++] = c[i];
    }
    return kept;
}

/* About POINTS_FEW of p, every so-maniest; borrows nothing. 0, or -1: ERR_NOMEM. */
static int some_points(const points_t *p, points_t *few, err_t *err)
{
    size_t step = (p->n + POINTS_FEW - 1) / POINTS_FEW, n = (p->n + step - 1) / step;
    *few = (points_t){.n = n, .p = mem_new(n, sizeof *few->p, err), .w = mem_new(n, sizeof *few->w, err), .radius = p->radius};
    if (!few->p || !few->w) return -1;
    for (size_t i = 0; i < n; i++) {
        memcpy(few->p[i], p->p[i * step], sizeof few->p[i]);
        few->w[i] = p->w[i * step];
    }
    return 0;
}

/* Each on its way to its maximum, by some of the points: enough to tell them apart. */
static int climb_all(const level_t *l, cand_t *c, size_t n, int steps, err_t *err)
{
    bool failed = false;
    points_t few;
    if (some_points(&l->points, &few, err)) failed = true;
    if (failed) n = 0;
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t i = 0; i < n; i++)
        if (fit_climb(l->map, &few, steps, NEARLY * l->voxel, &c[i].pose, &c[i].score, NULL)) {
#pragma omp atomic write
            failed = true;
        }
    points_free(&few);
    if (failed) return err_set(err, ERR_NOMEM, "no memory to refine a pose");
    qsort(c, n, sizeof *c, by_score);
    return 0;
}

/* The four poses that lay the axes of the model on those of the map. */
static void frame_starts(const fitmap_t *f, const frame_t *model, cand_t *c)
{
    static const double sign[STARTS][3] = {{1, 1, 1}, {1, -1, -1}, {-1, 1, -1}, {-1, -1, 1}};
    for (size_t k = 0; k < STARTS; k++) {
        c[k] = (cand_t){.order = k};
        for (int i = 0; i < 3; i++) {
            c[k].pose.t[i] = f->frame.centre[i];
            for (int j = 0; j < 3; j++)
                for (int a = 0; a < 3; a++) c[k].pose.r[i][j] += f->frame.axis[a][i] * sign[k][a] * model->axis[a][j];
        }
    }
}

static double z_score(const found_t *found, size_t n, double *top)
{
    double mean = 0, var = 0;
    *top = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        mean += found[i].score / (double)n;
        *top = fmax(*top, found[i].score);
    }
    for (size_t i = 0; i < n; i++) var += (found[i].score - mean) * (found[i].score - mean) / (double)n;
    return var > 0 ? (*top - mean) / sqrt(var) : 0;
}

/* The search: fills c with the STARTS and then the best, at most o->keep; *n of them. */
static int search(const fitmap_t *f, const level_t *l, const frame_t *model, const fit_opts_t *o, cand_t **c, size_t *n, fit_t *out, err_t *err)
{
    double top;
    out->rotations = pose_count(o->angle * M_PI / 180);
    found_t *found = mem_zero(out->rotations, sizeof *found, err);
    cand_t *all = mem_zero(out->rotations + STARTS, sizeof *all, err);
    int rc = found && all ? fit_search(l->map, &l->points, f->lo, f->hi, out->rotations, found, err) : -1;
    if (!rc) {
        out->z = z_score(found, out->rotations, &top);
        for (size_t i = 0; i < out->rotations; i++) all[STARTS + i] = (cand_t){found[i].pose, found[i].score, STARTS + i};
        qsort(all + STARTS, out->rotations, sizeof *all, by_score);
        frame_starts(f, model, all);
        *n = STARTS + distinct(all + STARTS, out->rotations, o->keep, 0.75 * o->angle * M_PI / 180, 2 * o->step);
        *c = all;
        all = NULL;
    }
    mem_free(found);
    mem_free(all);
    return rc;
}

/* ---- the last numbers ---- */

static model_t moved(const model_t *m, const pose_t *pose, const double origin[3], err_t *err)
{
    model_t out = *m;
    if (!(out.atom = mem_new(m->n, sizeof *out.atom, err))) return out;
    for (size_t i = 0; i < m->n; i++) {
        double x[3] = {(double)m->atom[i].x, (double)m->atom[i].y, (double)m->atom[i].z};
        pose_apply(pose, x, x);
        out.atom[i] = m->atom[i];
        out.atom[i].x = (float)(x[0] - origin[0]);
        out.atom[i].y = (float)(x[1] - origin[1]);
        out.atom[i].z = (float)(x[2] - origin[2]);
    }
    return out;
}

/* Index of the map's voxel nearest to x (angstrom from voxel 0), or -1 where there is none. */
static long nearest(const vol_t *v, const double x[3])
{
    const size_t n[3] = {v->nx, v->ny, v->nz};
    long at[3];
    for (int d = 0; d < 3; d++) {
        double u = floor(x[d] / v->voxel[d] + 0.5);
        if (!(u >= 0 && u < (double)n[d])) return -1;
        at[d] = (long)u;
    }
    return (at[2] * (long)v->ny + at[1]) * (long)v->nx + at[0];
}

static double pearson(double n, double a, double b, double aa, double bb, double ab)
{
    double var = n * aa - a * a, own = n * bb - b * b;
    return var > 0 && own > 0 ? (n * ab - a * b) / (sqrt(var) * sqrt(own)) : 0;
}

/* Values of the map are looked up where the model is simulated: at its voxels, if these are cubic, else at the nearest. */
static int measure(const fitmap_t *f, const model_t *m, const pose_t *pose, size_t memory, fit_t *out, err_t *err)
{
    model_t moving = moved(m, pose, f->v->origin, err);
    if (!moving.atom) return -1;
    vol_t *s = simulate(&moving, &(sim_opts_t){.resolution = f->resolution, .voxel = mean_voxel(f->v), .memory = memory}, err);
    double n = 0, a = 0, b = 0, aa = 0, bb = 0, ab = 0, in = 0, all = 0, covered = 0;
    double sum = f->sum, squares = f->squares; /* of what is inside and not covered */
    float top = 0;
    for (size_t i = 0; s && i < vol_len(s); i++) top = fmaxf(top, s->data[i]);
    for (size_t i = 0; s && i < vol_len(s); i++) {
        if (!(s->data[i] > (float)FIT_MASK * top)) continue;
        const double x[3] = {s->origin[0] + s->voxel[0] * (double)(i % s->nx), s->origin[1] + s->voxel[1] * (double)(i / s->nx % s->ny),
                             s->origin[2] + s->voxel[2] * (double)(i / s->nx / s->ny)};
        long at = nearest(f->v, x);
        double v = at < 0 ? 0 : above(f, f->v->data[at]), w = (double)s->data[i];
        if (at >= 0 && f->inside[at]) {
            covered++;
            sum -= v;
            squares -= v * v;
        }
        n++;
        a += v;
        b += w;
        aa += v * v;
        bb += w * w;
        ab += v * w;
    }
    for (size_t i = 0; i < m->n; i++) {
        const double x[3] = {(double)moving.atom[i].x, (double)moving.atom[i].y, (double)moving.atom[i].z};
        double w = (double)m->atom[i].occ * (m->atom[i].element ? m->atom[i].element : 6);
        long at = nearest(f->v, x);
        all += w;
        in += at >= 0 && f->inside[at] ? w : 0;
    }
    out->pose = *pose;
    out->correlation = pearson(n, a, b, aa, bb, ab);
    out->overall = pearson(n + (double)f->n_inside - covered, a + sum, b, aa + squares, bb, ab);
    out->inside = all > 0 ? in / all : 0;
    out->occupied = fmin(1, covered / (double)f->n_inside);
    mem_free(moving.atom);
    vol_free(s);
    return s ? 0 : -1;
}

/* ---- all of it ---- */

static int model_frame(const model_t *m, frame_t *f, err_t *err)
{
    vol_t *v = NULL;
    double mean[3] = {0}, rg2 = 0;
    for (size_t i = 0; i < m->n; i++) {
        const double x[3] = {(double)m->atom[i].x, (double)m->atom[i].y, (double)m->atom[i].z};
        for (int d = 0; d < 3; d++) mean[d] += x[d] / (double)m->n;
        rg2 += (x[0] * x[0] + x[1] * x[1] + x[2] * x[2]) / (double)m->n;
    }
    double rg = sqrt(fmax(0, rg2 - mean[0] * mean[0] - mean[1] * mean[1] - mean[2] * mean[2])), res = fmax(6, rg / 2);
    int rc = (v = simulate(m, &(sim_opts_t){.resolution = res, .voxel = res / 2}, err)) ? frame_of(v, v->data, f, err) : -1;
    vol_free(v);
    return rc;
}

static int settle(const fitmap_t *f, const frame_t *model, const fit_opts_t *in, fit_opts_t *o, err_t *err)
{
    *o = in ? *in : (fit_opts_t){0};
    if (!(o->step >= 0 && isfinite(o->step))) return err_set(err, ERR_USAGE, "step %g angstrom (0 or more is wanted)", o->step);
    if (!(o->angle >= 0 && o->angle <= 120)) return err_set(err, ERR_USAGE, "angle %g degrees (0 to 120 is wanted)", o->angle);
    if (!(o->step > 0)) o->step = fmin(FIT_STEP_MOST, fmax(FIT_STEP_LEAST, model->rg / 6));
    o->step = fmax(o->step, fmax(mean_voxel(f->v), f->resolution / COARSE));
    if (!(o->angle > 0)) o->angle = FIT_ANGLE;
    if (!o->keep) o->keep = FIT_KEEP;
    return 0;
}

/* How many of n, sorted, may still turn out to be the best. */
static size_t hopeful(const cand_t *c, size_t n)
{
    size_t k = 1;
    while (k < n && c[k].score >= HOPE * c->score) k++;
    return k;
}

/* Refine through the levels; what is left after each are the best of other rotation. What is far behind after a few steps is not led to its maximum. */
static int refine(const fitmap_t *f, const model_t *m, const double centre[3], const fit_opts_t *o, const level_t *first, cand_t *c, size_t n,
                  err_t *err)
{
    double coarse = first->resolution, ratio = coarse / f->resolution, near = 5 * M_PI / 180;
    double res[2] = {sqrt(coarse * f->resolution), f->resolution};
    if (climb_all(first, c, n, STEPS_FEW, err)) return -1;
    n = distinct(c, hopeful(c, n), n, near, SAME_PLACE * o->step);
    if (climb_all(first, c, n, STEPS_MOST, err)) return -1;
    n = distinct(c, hopeful(c, n), FINALISTS, near, SAME_PLACE * o->step);
    for (int k = ratio > FINE_ENOUGH ? 0 : 1; k < 2; k++) {
        level_t l;
        int rc = level_make(f, m, centre, res[k], fmax(mean_voxel(f->v), res[k] / COARSE), k == 1, o, &l, err);
        if (!rc) rc = climb_all(&l, c, n, STEPS_MOST, err);
        if (!rc && k == 1) rc = fit_climb(l.map, &l.points, STEPS_MOST, AT_LAST * l.voxel, &c->pose, &c->score, err);
        level_free(&l);
        if (rc) return -1;
        n = distinct(c, hopeful(c, n), n, near, SAME_PLACE * o->step / (k + 1));
    }
    return 0;
}

int fit_model(const fitmap_t *f, const model_t *m, const fit_opts_t *opts, fit_t *out, err_t *err)
{
    fit_opts_t o;
    frame_t own;
    level_t first = {0};
    cand_t *c = NULL;
    size_t n = 0;
    *out = (fit_t){0};
    int rc = model_frame(m, &own, err) || settle(f, &own, opts, &o, err) ||
             level_make(f, m, own.centre, COARSE * o.step, o.step, false, &o, &first, err) ||
             search(f, &first, &own, &o, &c, &n, out, err) || refine(f, m, own.centre, &o, &first, c, n, err);
    if (!rc) {
        pose_t p = c[0].pose; /* of points about the centre; now of coordinates */
        for (int d = 0; d < 3; d++)
            for (int e = 0; e < 3; e++) p.t[d] -= p.r[d][e] * own.centre[e];
        out->step = o.step;
        out->angle = o.angle;
        rc = measure(f, m, &p, o.memory, out, err);
    }
    level_free(&first);
    mem_free(c);
    return rc ? -1 : 0;
}

int fit_measure(const fitmap_t *f, const model_t *m, const fit_opts_t *o, fit_t *out, err_t *err)
{
    static const pose_t still = {.r = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
    *out = (fit_t){.z = (double)NAN};
    return measure(f, m, &still, o ? o->memory : 0, out, err);
}
