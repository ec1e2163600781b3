/* fit_refine: the correlation of a model with a map at its place, and the way up to the nearest maximum (see fit_priv.h). */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include <gsl/gsl_blas.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_multimin.h>

#include "voxel/fit_priv.h"

enum { STEPS = 60, PARAMS = 6 };
static const double FIRST_STEP = 0.5; /* angstrom, of a point at half the radius */

/* Sums over the points: of the map's values s, and of what their correlation with the weights needs. */
typedef struct {
    double s, ss, sw, w, ww;
    double ds[PARAMS], dss[PARAMS], dsw[PARAMS]; /* derivatives by rotation (about the pose's t) and translation */
} sums_t;

/* Quadratic B-spline weights of the voxels about u, of which *first is the first, and their derivatives. False where the three
 * do not lie in 0..n-1. */
static bool spline(double u, size_t n, size_t *first, float w[3], float d[3])
{
    if (!(u > -0.5 && u < (double)n)) return false;
    double near = floor(u + 0.5);
    if (near < 1 || near + 1 >= (double)n) return false;
    float f = (float)(u - near), a = 0.5f - f, b = 0.5f + f;
    *first = (size_t)near - 1;
    w[0] = 0.5f * a * a;
    w[1] = 0.75f - f * f;
    w[2] = 0.5f * b * b;
    d[0] = -a;
    d[1] = -2 * f;
    d[2] = b;
    return true;
}

/* The map at x (angstrom) and its gradient (per angstrom); 0 beyond the map. */
static float value_at(const vol_t *v, const double x[3], float g[3])
{
    const size_t n[3] = {v->nx, v->ny, v->nz};
    size_t at[3];
    float w[3][3], d[3][3], value = 0, gx = 0, gy = 0, gz = 0;
    for (int k = 0; k < 3; k++)
        if (!spline((x[k] - v->origin[k]) / v->voxel[k], n[k], &at[k], w[k], d[k])) return g[0] = g[1] = g[2] = 0;
    const float *p = v->data + vol_idx(v, at[0], at[1], at[2]);
    for (int z = 0; z < 3; z++) {
        float plane = 0, px = 0, py = 0;
        for (int y = 0; y < 3; y++) {
            const float *q = p + ((size_t)z * v->ny + (size_t)y) * v->nx;
            float row = q[0] * w[0][0] + q[1] * w[0][1] + q[2] * w[0][2];
            px += w[1][y] * (q[0] * d[0][0] + q[1] * d[0][1] + q[2] * d[0][2]);
            plane += w[1][y] * row;
            py += d[1][y] * row;
        }
        value += w[2][z] * plane;
        gx += w[2][z] * px;
        gy += w[2][z] * py;
        gz += d[2][z] * plane;
    }
    g[0] = gx / (float)v->voxel[0];
    g[1] = gy / (float)v->voxel[1];
    g[2] = gz / (float)v->voxel[2];
    return value;
}

static void add(sums_t *a, double s, double w, const double arm[3], const float g[3])
{
    const double d[3] = {(double)g[0], (double)g[1], (double)g[2]};
    const double by[PARAMS] = {arm[1] * d[2] - arm[2] * d[1], arm[2] * d[0] - arm[0] * d[2], arm[0] * d[1] - arm[1] * d[0], d[0], d[1], d[2]};
    a->s += s;
    a->ss += s * s;
    a->sw += s * w;
    a->w += w;
    a->ww += w * w;
    for (int k = 0; k < PARAMS; k++) {
        a->ds[k] += by[k];
        a->dss[k] += 2 * s * by[k];
        a->dsw[k] += w * by[k];
    }
}

/* The correlation, and where `slope` is not NULL its derivatives. */
static double correlation(const vol_t *map, const points_t *m, const pose_t *pose, double slope[PARAMS])
{
    sums_t a = {0};
    double n = (double)m->n;
    for (size_t i = 0; i < m->n; i++) {
        double arm[3], x[3];
        float g[3];
        for (int k = 0; k < 3; k++) {
            arm[k] = pose->r[k][0] * m->p[i][0] + pose->r[k][1] * m->p[i][1] + pose->r[k][2] * m->p[i][2];
            x[k] = arm[k] + pose->t[k];
        }
        double s = (double)value_at(map, x, g);
        add(&a, s, (double)m->w[i], arm, g);
    }
    double cov = n * a.sw - a.s * a.w, var = n * a.ss - a.s * a.s, own = n * a.ww - a.w * a.w;
    if (slope) memset(slope, 0, PARAMS * sizeof *slope);
    if (!(var > 1e-12 * n * a.ss && own > 0)) return 0;
    double norm = sqrt(var) * sqrt(own);
    for (int k = 0; slope && k < PARAMS; k++)
        slope[k] = (n * a.dsw[k] - a.ds[k] * a.w) / norm - cov / norm * (n * a.dss[k] - 2 * a.s * a.ds[k]) / (2 * var);
    return cov / norm;
}

double fit_correlation(const vol_t *map, const points_t *m, const pose_t *pose) { return correlation(map, m, pose, NULL); }

/* ---- the way up ---- */

typedef struct {
    const vol_t *map;
    const points_t *m;
    pose_t from;
    double arm; /* angstrom a radian: a parameter of rotation is so many angstrom */
} climb_t;

static pose_t pose_of(const climb_t *c, const gsl_vector *u, double jacobian[3][3])
{
    pose_t p;
    double w[3], turn[3][3];
    for (size_t k = 0; k < 3; k++) {
        w[k] = gsl_vector_get(u, k) / c->arm;
        p.t[k] = c->from.t[k] + gsl_vector_get(u, k + 3);
    }
    pose_turn(w, turn, jacobian);
    pose_product(turn, c->from.r, p.r);
    return p;
}

static void value_and_slope(const gsl_vector *u, void *ctx, double *f, gsl_vector *g)
{
    const climb_t *c = ctx;
    double j[3][3], s[PARAMS];
    pose_t p = pose_of(c, u, j);
    *f = -correlation(c->map, c->m, &p, s);
    for (size_t k = 0; k < 3; k++) {
        gsl_vector_set(g, k, -(j[0][k] * s[0] + j[1][k] * s[1] + j[2][k] * s[2]) / c->arm);
        gsl_vector_set(g, k + 3, -s[k + 3]);
    }
}

static double value_only(const gsl_vector *u, void *ctx)
{
    const climb_t *c = ctx;
    pose_t p = pose_of(c, u, NULL);
    return -correlation(c->map, c->m, &p, NULL);
}

static void slope_only(const gsl_vector *u, void *ctx, gsl_vector *g)
{
    double f;
    value_and_slope(u, ctx, &f, g);
}

int fit_climb(const vol_t *map, const points_t *m, double flat, pose_t *pose, double *score, err_t *err)
{
    climb_t c = {.map = map, .m = m, .from = *pose, .arm = fmax(m->radius / 2, 1)};
    gsl_multimin_function_fdf f = {.f = value_only, .df = slope_only, .fdf = value_and_slope, .n = PARAMS, .params = &c};
    gsl_vector *u = gsl_vector_calloc(PARAMS);
    gsl_multimin_fdfminimizer *s = gsl_multimin_fdfminimizer_alloc(gsl_multimin_fdfminimizer_vector_bfgs2, PARAMS);
    int rc = u && s ? 0 : err_set(err, ERR_NOMEM, "no memory to refine a pose");
    if (!rc) {
        gsl_multimin_fdfminimizer_set(s, &f, u, FIRST_STEP, 0.1);
        for (int k = 0; k < STEPS && !gsl_multimin_fdfminimizer_iterate(s); k++)
            if (gsl_multimin_test_gradient(s->gradient, flat) == GSL_SUCCESS) break;
        *pose = pose_of(&c, s->x, NULL);
        *score = -s->f;
    }
    if (s) gsl_multimin_fdfminimizer_free(s);
    if (u) gsl_vector_free(u);
    return rc;
}
