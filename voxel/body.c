/* body: a model as points with weight (see body.h). */
#include "voxel/body.h"

#include <gsl/gsl_statistics_float.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "voxel/frame.h"
#include "voxel/trace.h"
#include "voxel/view.h"

#define TWO_PI 6.283185307179586

static int reserve(body_t *b, size_t want, err_t *err)
{
    if (want <= b->cap) return 0;
    if (mem_grow(&b->point, &b->cap, want, sizeof *b->point, err)) return -1;
    mem_free(b->scratch);
    return (b->scratch = mem_new(b->cap, sizeof *b->scratch, err)) ? 0 : -1;
}

static void put(body_t *b, double x, double y, double z, double weight, uint32_t chain)
{
    b->point[b->n++] = (point_t){{(float)x, (float)y, (float)z}, (float)weight, chain, 0};
}

/* Blobs of the residues as simulate() has them. */
static int take_blobs(const model_t *m, body_t *b, err_t *err)
{
    size_t n;
    double var = 0, mass = 0;
    blob_t *blob = trace_blobs(m, &n, err);
    int rc = blob ? reserve(b, n + 1, err) : -1;
    for (size_t i = 0; !rc && i < n; i++) {
        put(b, (double)blob[i].x, (double)blob[i].y, (double)blob[i].z, (double)blob[i].weight, blob[i].chain);
        var += (double)(blob[i].weight * blob[i].var);
        mass += (double)blob[i].weight;
    }
    if (mass > 0) b->var = var / mass;
    mem_free(blob);
    return rc;
}

/* Atoms as they are; CA and P stand for a residue (mean weight) in a trace. Cheaper for many. */
static int take_atoms(const model_t *m, body_t *b, err_t *err)
{
    size_t step = m->n / BODY_MANY + 1;
    if (reserve(b, m->n / step + 1, err)) return -1;
    for (size_t i = 0; i < m->n; i += step) {
        const atom_t *a = &m->atom[i];
        bool residue = m->trace && (a->kind == KIND_PROTEIN || a->kind == KIND_NUCLEIC);
        double w = residue ? (a->kind == KIND_PROTEIN ? 52 : 149) : a->element ? a->element : 6;
        if (a->occ > 0) put(b, (double)a->x, (double)a->y, (double)a->z, w * (double)a->occ * (double)step, a->chain);
    }
    b->var = m->trace ? 4 : 0;
    return 0;
}

int body_new(const model_t *m, double size, bool flip, body_t *b, err_t *err)
{
    *b = (body_t){0};
    if (m->n > BODY_FINE ? take_atoms(m, b, err) : take_blobs(m, b, err)) {
        body_free(b);
        return -1;
    }
    for (size_t i = 0; i < b->n; i++)
        for (int d = 0; d < 3; d++) b->centre[d] += (double)b->point[i].p[d] / (double)b->n;
    for (size_t i = 0; i < b->n; i++) {
        float *p = b->point[i].p;
        for (int d = 0; d < 3; d++) p[d] = (float)(b->centre[d] + size * ((double)p[d] - b->centre[d]));
        if (flip) p[0] = (float)(2 * b->centre[0]) - p[0];
    }
    return 0;
}

void body_free(body_t *b)
{
    mem_free(b->point);
    mem_free(b->scratch);
    *b = (body_t){0};
}

int body_measure(body_t *b, err_t *err)
{
    double s[3] = {0}, c[3][3] = {{0}}, mass = 0, rg2 = 0;
    frame_t f;
    for (size_t i = 0; i < b->n; i++) {
        const point_t *p = &b->point[i];
        mass += (double)p->weight;
        for (int d = 0; d < 3; d++) s[d] += (double)p->weight * (double)p->p[d];
    }
    if (!(mass > 0)) return err_set(err, ERR_RANGE, "view: a model without weight");
    b->mass = mass;
    for (int d = 0; d < 3; d++) b->centre[d] = s[d] / mass;
    for (size_t i = 0; i < b->n; i++) {
        const point_t *p = &b->point[i];
        const double x[3] = {(double)p->p[0] - b->centre[0], (double)p->p[1] - b->centre[1], (double)p->p[2] - b->centre[2]};
        for (int d = 0; d < 3; d++)
            for (int e = 0; e <= d; e++) c[d][e] += (double)p->weight / mass * x[d] * x[e];
    }
    for (int d = 0; d < 3; d++) {
        rg2 += c[d][d];
        for (int e = d + 1; e < 3; e++) c[d][e] = c[e][d];
    }
    rg2 += 3 * b->var;
    if (!(rg2 > 0.01)) return err_set(err, ERR_RANGE, "view: a model without extent");
    b->rg = sqrt(rg2);
    frame_axes(c, &f);
    memcpy(b->axis, f.axis, sizeof b->axis);
    return 0;
}

void body_box(const body_t *b, double lo[3], double hi[3])
{
    for (int d = 0; d < 3; d++) {
        lo[d] = INFINITY;
        hi[d] = -INFINITY;
        for (size_t i = 0; i < b->n; i++) {
            lo[d] = fmin(lo[d], (double)b->point[i].p[d]);
            hi[d] = fmax(hi[d], (double)b->point[i].p[d]);
        }
    }
}

/* ---- random places ---- */

void body_direction(rng_t *r, double u[3])
{
    double z = 2 * rng_unit(r) - 1, a = TWO_PI * rng_unit(r), s = sqrt(1 - z * z);
    u[0] = s * cos(a);
    u[1] = s * sin(a);
    u[2] = z;
}

void body_pick(const body_t *b, rng_t *r, double p[3])
{
    const point_t *q = &b->point[(size_t)(rng_unit(r) * (double)b->n)];
    for (int d = 0; d < 3; d++) p[d] = (double)q->p[d];
}

void body_focus(const body_t *b, rng_t *r, double p[3])
{
    double u[3], far = 0.7 * b->rg * rng_unit(r);
    body_direction(r, u);
    for (int d = 0; d < 3; d++) p[d] = b->centre[d] + far * u[d];
}

/* The outermost point in about direction u from the centre. */
static const point_t *surface(const body_t *b, const double u[3])
{
    const point_t *best = b->point;
    double most = -INFINITY;
    for (size_t i = 0; i < b->n; i++) {
        double along = 0, sq = 0;
        for (int d = 0; d < 3; d++) {
            double x = (double)b->point[i].p[d] - b->centre[d];
            along += x * u[d];
            sq += x * x;
        }
        double score = along - 2 * sqrt(fmax(0, sq - along * along));
        if (score <= most) continue;
        most = score;
        best = &b->point[i];
    }
    return best;
}

/* ---- less ---- */

static float key_of(const point_t *p, bodyside_t side, const double u[3])
{
    double along = 0, sq = 0;
    for (int d = 0; d < 3; d++) {
        double x = (double)p->p[d] - u[d];
        along += (double)p->p[d] * u[d];
        sq += x * x;
    }
    return (float)(side == BODY_ALONG ? along : side == BODY_FROM ? sq : -sq);
}

/* Key of every point, and that above which a fraction of them lies. */
static float set_keys(body_t *b, bodyside_t side, const double u[3], double fraction)
{
    for (size_t i = 0; i < b->n; i++) b->scratch[i] = b->point[i].key = key_of(&b->point[i], side, u);
    return gsl_stats_float_select(b->scratch, 1, b->n, (size_t)((1 - fraction) * (double)(b->n - 1)));
}

void body_drop(body_t *b, bodyside_t side, const double u[3], double fraction)
{
    float top = set_keys(b, side, u, fraction);
    size_t k = 0;
    for (size_t i = 0; i < b->n; i++)
        if (b->point[i].key <= top) b->point[k++] = b->point[i];
    b->n = k;
}

int body_drop_chains(body_t *b, double fraction, rng_t *r, err_t *err)
{
    size_t chains = 0, k = 0;
    double lost = 0;
    for (size_t i = 0; i < b->n; i++)
        if (b->point[i].chain >= chains) chains = b->point[i].chain + 1;
    double *w = mem_zero(chains, sizeof *w, err);
    if (!w) return -1;
    for (size_t i = 0; i < b->n; i++) w[b->point[i].chain] += (double)b->point[i].weight;
    for (size_t try = 0; try < chains && try < 64; try++) {
        double *x = &w[(size_t)(rng_unit(r) * (double)chains)];
        if (!(*x > 0) || lost + *x > fraction * b->mass) continue;
        lost += *x;
        *x = -1;
    }
    for (size_t i = 0; i < b->n; i++)
        if (!(w[b->point[i].chain] < 0)) b->point[k++] = b->point[i];
    b->n = k;
    mem_free(w);
    return 0;
}

void body_fade(body_t *b, const double focus[3], double amount)
{
    float most = 0;
    for (size_t i = 0; i < b->n; i++) most = fmaxf(most, b->point[i].key = key_of(&b->point[i], BODY_FROM, focus));
    for (size_t i = 0; i < b->n && most > 0; i++) b->point[i].weight *= 1 - (float)amount * b->point[i].key / most;
}

/* ---- more ---- */

static void turn_of(rng_t *r, double m[3][3])
{
    double q[4], n = 0;
    for (int i = 0; i < 4; i++) {
        q[i] = rng_normal(r);
        n += q[i] * q[i];
    }
    for (int i = 0; i < 4; i++) q[i] /= sqrt(n);
    double a = q[0], x = q[1], y = q[2], z = q[3];
    const double t[3][3] = {{1 - 2 * (y * y + z * z), 2 * (x * y - a * z), 2 * (x * z + a * y)},
                            {2 * (x * y + a * z), 1 - 2 * (x * x + z * z), 2 * (y * z - a * x)},
                            {2 * (x * z - a * y), 2 * (y * z + a * x), 1 - 2 * (x * x + y * y)}};
    memcpy(m, t, sizeof t);
}

/* Move the points from `first` on, which lie about the origin, to the surface, touching it. */
static void dock(body_t *b, size_t first, rng_t *r)
{
    double u[3], reach = 0;
    size_t n = b->n;
    body_direction(r, u);
    b->n = first;
    const point_t *at = surface(b, u);
    b->n = n;
    for (size_t i = first; i < n; i++) {
        const float *p = b->point[i].p;
        reach = fmax(reach, -(u[0] * (double)p[0] + u[1] * (double)p[1] + u[2] * (double)p[2]));
    }
    for (size_t i = first; i < n; i++)
        for (int d = 0; d < 3; d++) b->point[i].p[d] += at->p[d] + (float)((reach + 1) * u[d]);
}

int body_add_copy(body_t *b, double fraction, rng_t *r, err_t *err)
{
    double u[3], t[3][3], c[3] = {0};
    size_t n = b->n;
    body_direction(r, u);
    turn_of(r, t);
    float top = set_keys(b, BODY_ALONG, u, fraction);
    if (reserve(b, 2 * n, err)) return -1;
    for (size_t i = 0; i < n; i++)
        if (b->point[i].key > top) b->point[b->n++] = b->point[i];
    for (size_t i = n; i < b->n; i++)
        for (int d = 0; d < 3; d++) c[d] += (double)b->point[i].p[d] / (double)(b->n - n);
    for (size_t i = n; i < b->n; i++) {
        float *p = b->point[i].p;
        const double x[3] = {(double)p[0] - c[0], (double)p[1] - c[1], (double)p[2] - c[2]};
        for (int d = 0; d < 3; d++) p[d] = (float)(t[d][0] * x[0] + t[d][1] * x[1] + t[d][2] * x[2]);
    }
    if (b->n > n) dock(b, n, r);
    return 0;
}

int body_add_ball(body_t *b, double weight, rng_t *r, err_t *err)
{
    double radius = cbrt(3 * weight / VIEW_DENSITY / (2 * TWO_PI)), t[3][3];
    size_t n = b->n, count = (size_t)fmin(400, 8 + weight / 60);
    const double axis[3] = {0.7 + 0.8 * rng_unit(r), 0.7 + 0.8 * rng_unit(r), 0.7 + 0.8 * rng_unit(r)};
    turn_of(r, t);
    if (reserve(b, n + count, err)) return -1;
    while (b->n < n + count) {
        const double x[3] = {2 * rng_unit(r) - 1, 2 * rng_unit(r) - 1, 2 * rng_unit(r) - 1};
        if (x[0] * x[0] + x[1] * x[1] + x[2] * x[2] > 1) continue;
        double p[3] = {0};
        for (int d = 0; d < 3; d++)
            for (int e = 0; e < 3; e++) p[d] += radius * t[d][e] * axis[e] * x[e];
        put(b, p[0], p[1], p[2], weight / (double)count, 0);
    }
    dock(b, n, r);
    return 0;
}

/* ---- onto a grid ---- */

static void splat(vol_t *v, const size_t at[3], const float f[3], float w)
{
    float *p = v->data + vol_idx(v, at[0], at[1], at[2]);
    size_t dy = v->nx, dz = v->nx * v->ny;
    float a = w * (1 - f[2]), b = w * f[2];
    const float c[4] = {a * (1 - f[1]), a * f[1], b * (1 - f[1]), b * f[1]};
    const size_t step[4] = {0, dy, dz, dz + dy};
    for (int k = 0; k < 4; k++) {
        p[step[k]] += c[k] * (1 - f[0]);
        p[step[k] + 1] += c[k] * f[0];
    }
}

void body_splat(const body_t *b, const double *focus, vol_t *v, vol_t *far)
{
    const size_t side[3] = {v->nx, v->ny, v->nz};
    for (size_t i = 0; i < b->n; i++) {
        const point_t *p = &b->point[i];
        size_t at[3];
        float f[3], q = 0;
        bool inside = true;
        for (int d = 0; d < 3; d++) {
            double t = ((double)p->p[d] - v->origin[d]) / v->voxel[d];
            inside = inside && t >= 0 && t < (double)(side[d] - 1);
            at[d] = inside ? (size_t)t : 0;
            f[d] = (float)(t - (double)at[d]);
        }
        if (!inside) continue;
        if (focus) {
            double t = sqrt((double)key_of(p, BODY_FROM, focus)) / b->rg - 0.5;
            q = (float)(t < 0 ? 0 : t > 1 ? 1 : t);
        }
        if (q < 1) splat(v, at, f, p->weight * (1 - q));
        if (q > 0) splat(far, at, f, p->weight * q);
    }
}

/* ---- belts ---- */

enum { SECTORS = 48 };

/* Where the belt runs: an in-plane frame about the middle of the points in the slab, and how far they reach in each
 * sector. */
typedef struct {
    double u[3], w[3], middle[2], rim[SECTORS], most;
} track_t;

static size_t sector(double x, double y)
{
    double t = (atan2(y, x) / TWO_PI + 1) * SECTORS;
    return (size_t)t % SECTORS;
}

static bool track_of(const body_t *b, const belt_t *belt, track_t *t)
{
    const double *n = belt->normal;
    int a = fabs(n[0]) < 0.6 ? 0 : 1;
    double e[3] = {0}, len = 0, mass = 0, rim[SECTORS] = {0};
    e[a] = 1;
    for (int d = 0; d < 3; d++) t->u[d] = n[(d + 1) % 3] * e[(d + 2) % 3] - n[(d + 2) % 3] * e[(d + 1) % 3];
    for (int d = 0; d < 3; d++) len += t->u[d] * t->u[d];
    for (int d = 0; d < 3; d++) t->u[d] /= sqrt(len);
    for (int d = 0; d < 3; d++) t->w[d] = n[(d + 1) % 3] * t->u[(d + 2) % 3] - n[(d + 2) % 3] * t->u[(d + 1) % 3];
    t->middle[0] = t->middle[1] = t->most = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < b->n; i++) {
            const double p[3] = {(double)b->point[i].p[0], (double)b->point[i].p[1], (double)b->point[i].p[2]};
            if (fabs(n[0] * p[0] + n[1] * p[1] + n[2] * p[2] - belt->offset) > belt->half) continue;
            double x = t->u[0] * p[0] + t->u[1] * p[1] + t->u[2] * p[2], y = t->w[0] * p[0] + t->w[1] * p[1] + t->w[2] * p[2];
            if (!pass) {
                t->middle[0] += (double)b->point[i].weight * x;
                t->middle[1] += (double)b->point[i].weight * y;
                mass += (double)b->point[i].weight;
            } else {
                double *s = &rim[sector(x - t->middle[0], y - t->middle[1])];
                *s = fmax(*s, hypot(x - t->middle[0], y - t->middle[1]));
            }
        }
        if (!(mass > 0)) return false;
        for (int k = 0; k < 2 && !pass; k++) t->middle[k] /= mass;
    }
    for (int k = 0; k < SECTORS; k++) { /* detergent smooths the outline */
        double sum = 0;
        for (int j = -3; j <= 3; j++) sum += rim[(k + j + SECTORS) % SECTORS] / 7;
        t->rim[k] = fmax(sum, 0.8 * rim[k]);
        t->most = fmax(t->most, rim[k]);
    }
    return true;
}

/* Density of the belt at height z above its middle and at (x, y) in its plane. */
static double belt_at(const track_t *t, const belt_t *belt, double z, double x, double y, double soft)
{
    double r = hypot(x, y), rim = belt->disc ? t->most : t->rim[sector(x, y)], out = (r - rim) / belt->width;
    if (r > rim + belt->width + soft) return 0;
    double o = out < 0 ? 0 : out > 1 ? 1 : out, half = belt->half * (1 - belt->round * (1 - sqrt(1 - o * o)));
    double edge = fmin((half - fabs(z)) / soft, (rim + belt->width - r) / soft) + 0.5;
    double shape = edge < 0 ? 0 : edge > 1 ? 1 : edge, height = fmin(1, fabs(z) / belt->half);
    return belt->density * shape * (1 - belt->dip * (1 - height * height));
}

void body_belt(const body_t *b, const belt_t *belt, vol_t *v)
{
    track_t t;
    if (!track_of(b, belt, &t)) return;
    double soft = fmax(5, v->voxel[0]);
    for (size_t z = 0, i = 0; z < v->nz; z++)
        for (size_t y = 0; y < v->ny; y++)
            for (size_t x = 0; x < v->nx; x++, i++) {
                double p[3] = {v->origin[0] + (double)x * v->voxel[0], v->origin[1] + (double)y * v->voxel[1],
                               v->origin[2] + (double)z * v->voxel[2]}, h = -belt->offset, a = -t.middle[0], c = -t.middle[1];
                for (int d = 0; d < 3; d++) h += belt->normal[d] * p[d];
                if (fabs(h) > belt->half + soft) continue;
                for (int d = 0; d < 3; d++) {
                    a += t.u[d] * p[d];
                    c += t.w[d] * p[d];
                }
                float room = 1 - v->data[i];
                room = room < 0 ? 0 : room > 1 ? 1 : room;
                v->data[i] += room * (float)belt_at(&t, belt, h, a, c, soft);
            }
}
