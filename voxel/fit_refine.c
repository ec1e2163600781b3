/* fit_refine: the correlation of a model with a map at its place, and the way up to the nearest maximum (see fit_priv.h). */
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include <gsl/gsl_errno.h>
#include <gsl/gsl_matrix.h>
#include <gsl/gsl_multilarge_nlinear.h>
#include <gsl/gsl_vector.h>

#include "voxel/fit_priv.h"

enum { SCALE = 6, OFFSET = 7, PARAMS = 8 }; /* parameters: rotation vector, translation, and two of the map's values */

typedef float v4_t __attribute__((vector_size(16)));

/* Quadratic B-spline weights of the voxels about u, of which *first is the first, and their derivatives. False where the
 * three do not lie in 0..n-1. */
static bool spline(double u, size_t n, size_t *first, float w[3], float d[3])
{
    if (!(u > -0.5 && u < (double)n)) return false;
    size_t near = (size_t)(u + 0.5);
    if (near < 1 || near + 1 >= n) return false;
    float f = (float)(u - (double)near), a = 0.5f - f, b = 0.5f + f;
    *first = near - 1;
    w[0] = 0.5f * a * a;
    w[1] = 0.75f - f * f;
    w[2] = 0.5f * b * b;
    d[0] = -a;
    d[1] = -2 * f;
    d[2] = b;
    return true;
}

static float total(v4_t v) { return (v[0] + v[2]) + (v[1] + v[3]); }

static v4_t four(const float *p)
{
    v4_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* The map at u (voxels) and its gradient (per voxel); 0 beyond the map. */
static float value_at(const vol_t *v, const double u[3], float g[3])
{
    size_t x, y, z;
    float wx[3], wy[3], wz[3], dx[3], dy[3], dz[3];
    v4_t at = {0}, by_y = {0}, by_z = {0};
    if (!spline(u[0], v->nx, &x, wx, dx) || !spline(u[1], v->ny, &y, wy, dy) || !spline(u[2], v->nz, &z, wz, dz))
        return g[0] = g[1] = g[2] = 0;
    const float *p = v->data + vol_idx(v, x, y, z), *end = v->data + vol_len(v);
    for (int k = 0; k < 3; k++, p += v->nx * v->ny) {
        const float *b = p + v->nx, *c = b + v->nx;
        v4_t r0 = four(p), r1 = four(b), r2 = c + 4 <= end ? four(c) : (v4_t){c[0], c[1], c[2]};
        v4_t plane = wy[0] * r0 + wy[1] * r1 + wy[2] * r2;
        at += wz[k] * plane;
        by_z += dz[k] * plane;
        by_y += wz[k] * (dy[0] * r0 + dy[1] * r1 + dy[2] * r2);
    }
    const v4_t w = {wx[0], wx[1], wx[2]}, d = {dx[0], dx[1], dx[2]};
    g[0] = total(at * d);
    g[1] = total(by_y * w);
    g[2] = total(by_z * w);
    return total(at * w);
}

typedef struct {
    const vol_t *map;
    const points_t *m;
    pose_t from;
    double arm;             /* angstrom a radian: a parameter of rotation is so many angstrom */
    double inv[3];          /* voxels an angstrom */
} climb_t;

static double param(const gsl_vector *u, size_t k) { return gsl_vector_get(u, k); }

static pose_t pose_of(const climb_t *c, const gsl_vector *u, double jacobian[3][3])
{
    pose_t p;
    double w[3], turn[3][3];
    for (size_t k = 0; k < 3; k++) {
        w[k] = param(u, k) / c->arm;
        p.t[k] = c->from.t[k] + param(u, k + 3);
    }
    pose_turn(w, turn, jacobian);
    pose_product(turn, c->from.r, p.r);
    return p;
}

/* Point i at a pose: the map's value there, its gradient g (per voxel), and the point's arm about the pose's t. */
static double value_of(const climb_t *c, const pose_t *pose, size_t i, double arm[3], float g[3])
{
    const double *p = c->m->p[i];
    double u[3];
    for (int k = 0; k < 3; k++) {
        arm[k] = pose->r[k][0] * p[0] + pose->r[k][1] * p[1] + pose->r[k][2] * p[2];
        u[k] = (arm[k] + pose->t[k] - c->map->origin[k]) * c->inv[k];
    }
    return (double)value_at(c->map, u, g);
}

/* What is left of the weights: w - scale * value - offset. */
static int residuals(const gsl_vector *u, void *ctx, gsl_vector *f)
{
    climb_t *c = ctx;
    pose_t pose = pose_of(c, u, NULL);
    double scale = param(u, SCALE), offset = param(u, OFFSET), arm[3];
    float g[3];
    for (size_t i = 0; i < c->m->n; i++) gsl_vector_set(f, i, (double)c->m->w[i] - scale * value_of(c, &pose, i, arm, g) - offset);
    return GSL_SUCCESS;
}

/* v = J^T f and J^T J. */
static int normal(CBLAS_TRANSPOSE_t way, const gsl_vector *u, const gsl_vector *f, void *ctx, gsl_vector *v, gsl_matrix *square)
{
    climb_t *c = ctx;
    double j[3][3], scale = param(u, SCALE), jf[PARAMS] = {0}, jj[PARAMS][PARAMS] = {{0}};
    pose_t pose = pose_of(c, u, j);
    if (way != CblasTrans || !v) return GSL_EINVAL;
    for (size_t i = 0; i < c->m->n; i++) {
        double a[3], row[PARAMS], t[3], r = gsl_vector_get(f, i);
        float g[3];
        double value = value_of(c, &pose, i, a, g);
        for (int k = 0; k < 3; k++) row[3 + k] = -scale * (double)g[k] * c->inv[k];
        t[0] = a[1] * row[5] - a[2] * row[4];
        t[1] = a[2] * row[3] - a[0] * row[5];
        t[2] = a[0] * row[4] - a[1] * row[3];
        for (int k = 0; k < 3; k++) row[k] = (j[0][k] * t[0] + j[1][k] * t[1] + j[2][k] * t[2]) / c->arm;
        row[SCALE] = -value;
        row[OFFSET] = -1;
        for (int k = 0; k < PARAMS; k++) {
            jf[k] += row[k] * r;
            for (int l = 0; l <= k; l++) jj[k][l] += row[k] * row[l];
        }
    }
    for (size_t k = 0; k < PARAMS; k++) {
        gsl_vector_set(v, k, jf[k]);
        for (size_t l = 0; square && l < PARAMS; l++) gsl_matrix_set(square, k, l, l <= k ? jj[k][l] : jj[l][k]);
    }
    return GSL_SUCCESS;
}

/* Scale and offset that fit best at the start, or 0 and the mean weight. */
static void start(const climb_t *c, gsl_vector *u)
{
    double n = (double)c->m->n, s = 0, ss = 0, sw = 0, w = 0, arm[3];
    float g[3];
    for (size_t i = 0; i < c->m->n; i++) {
        double value = value_of(c, &c->from, i, arm, g), weight = (double)c->m->w[i];
        s += value;
        ss += value * value;
        sw += value * weight;
        w += weight;
    }
    double var = n * ss - s * s, scale = var > 1e-12 * n * ss ? (n * sw - s * w) / var : 0;
    gsl_vector_set_zero(u);
    gsl_vector_set(u, SCALE, scale);
    gsl_vector_set(u, OFFSET, (w - scale * s) / n);
}

/* The correlation about the mean that residuals f of a fit with scale and offset stand for. */
static double correlation(const climb_t *c, const gsl_vector *u, const gsl_vector *f)
{
    double n = (double)c->m->n, w = 0, ww = 0, rest = 0;
    for (size_t i = 0; i < c->m->n; i++) {
        double weight = (double)c->m->w[i], r = gsl_vector_get(f, i);
        w += weight;
        ww += weight * weight;
        rest += r * r;
    }
    double own = ww - w * w / n, share = own > 0 ? fmax(0, 1 - rest / own) : 0;
    return param(u, SCALE) < 0 ? -sqrt(share) : sqrt(share);
}

/* A matrix that is no longer positive, of a body that looks the same from all sides, ends a climb, and not the program. */
static pthread_once_t quiet = PTHREAD_ONCE_INIT;
static void no_abort(void) { gsl_set_error_handler_off(); }

int fit_climb(const vol_t *map, const points_t *m, int steps, double still, pose_t *pose, double *score, err_t *err)
{
    climb_t c = {.map = map, .m = m, .from = *pose, .arm = fmax(m->radius / 2, 1), .inv = {1 / map->voxel[0], 1 / map->voxel[1], 1 / map->voxel[2]}};
    gsl_multilarge_nlinear_fdf f = {.f = residuals, .df = normal, .n = m->n, .p = PARAMS, .params = &c};
    gsl_multilarge_nlinear_parameters how = gsl_multilarge_nlinear_default_parameters();
    how.trs = gsl_multilarge_nlinear_trs_lm;
    how.solver = gsl_multilarge_nlinear_solver_cholesky;
    pthread_once(&quiet, no_abort);
    *score = 0;
    if (m->n <= PARAMS) return 0;
    gsl_vector *u = gsl_vector_calloc(PARAMS);
    gsl_multilarge_nlinear_workspace *w = gsl_multilarge_nlinear_alloc(gsl_multilarge_nlinear_trust, &how, m->n, PARAMS);
    int rc = u && w ? 0 : err_set(err, ERR_NOMEM, "no memory to refine a pose");
    if (!rc) {
        start(&c, u);
        gsl_multilarge_nlinear_init(u, &f, w);
        for (int k = 0; k < steps && !gsl_multilarge_nlinear_iterate(w); k++) {
            double step = 0;
            for (size_t i = 0; i < SCALE; i++) step = fmax(step, fabs(gsl_vector_get(w->dx, i)));
            if (step < still) break;
        }
        *pose = pose_of(&c, w->x, NULL);
        *score = correlation(&c, w->x, w->f);
    }
    if (w) gsl_multilarge_nlinear_free(w);
    if (u) gsl_vector_free(u);
    return rc;
}
