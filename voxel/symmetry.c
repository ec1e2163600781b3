/* symmetry: axes of rotation by correlation (see symmetry.h). */
#include "voxel/symmetry.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { AXES = 600, KEEP = 6, THIN = 3 };
static const double SPHERE = 0.44, APART = 0.21; /* of a side; radians between axes that are kept */
static const double VISIBLE = 0.01; /* least that the correlation falls short of 1 between turns */

typedef struct {
    const float *f;
    size_t side;
    double middle;
    float *at;   /* (n, 3) points of the sphere, from the middle */
    double *v;   /* (n) values there */
    size_t n;
} body_t;

typedef struct {
    double axis[3], c;
} axis_t;

static double dot(const double *a, const double *b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

static void unit(double *a)
{
    const double n = sqrt(dot(a, a));
    for (int k = 0; k < 3; k++) a[k] /= n;
}

/* Two unit vectors at right angles to a and to each other. */
static void frame_of(const double *a, double *u, double *w)
{
    const int k = fabs(a[0]) < 0.6 ? 0 : 1;
    double e[3] = {0};
    e[k] = 1;
    for (int i = 0; i < 3; i++) u[i] = e[i] - a[k] * a[i];
    unit(u);
    w[0] = a[1] * u[2] - a[2] * u[1];
    w[1] = a[2] * u[0] - a[0] * u[2];
    w[2] = a[0] * u[1] - a[1] * u[0];
}

/* ---- correlation with itself turned ---- */

static double value(const body_t *b, double x, double y, double z)
{
    const double most = (double)b->side - 1.001;
    x = fmin(fmax(x + b->middle, 0), most), y = fmin(fmax(y + b->middle, 0), most), z = fmin(fmax(z + b->middle, 0), most);
    const size_t i = (size_t)x, j = (size_t)y, k = (size_t)z, s = b->side;
    const double u = x - (double)i, v = y - (double)j, w = z - (double)k;
    const float *p = b->f + (k * s + j) * s + i;
    const double a = (double)p[0] + u * (double)(p[1] - p[0]), c = (double)p[s] + u * (double)(p[s + 1] - p[s]);
    const float *q = p + s * s;
    const double d = (double)q[0] + u * (double)(q[1] - q[0]), e = (double)q[s] + u * (double)(q[s + 1] - q[s]);
    return (a + v * (c - a)) * (1 - w) + (d + v * (e - d)) * w;
}

/* Every `thin`th point counts. */
static double turned(const body_t *b, const double *a, double angle, size_t thin)
{
    const double c = cos(angle), s = sin(angle), t = 1 - c;
    const double r[9] = {t * a[0] * a[0] + c,        t * a[0] * a[1] - s * a[2], t * a[0] * a[2] + s * a[1],
                         t * a[0] * a[1] + s * a[2], t * a[1] * a[1] + c,        t * a[1] * a[2] - s * a[0],
                         t * a[0] * a[2] - s * a[1], t * a[1] * a[2] + s * a[0], t * a[2] * a[2] + c};
    double n = 0, x1 = 0, y1 = 0, xx = 0, yy = 0, xy = 0;
    for (size_t i = 0; i < b->n; i += thin) {
        const double p[3] = {(double)b->at[3 * i], (double)b->at[3 * i + 1], (double)b->at[3 * i + 2]};
        const double x = b->v[i], y = value(b, dot(r, p), dot(r + 3, p), dot(r + 6, p));
        n += 1, x1 += x, y1 += y, xx += x * x, yy += y * y, xy += x * y;
    }
    const double vx = xx - x1 * x1 / n, vy = yy - y1 * y1 / n;
    return vx > 0 && vy > 0 ? (xy - x1 * y1 / n) / sqrt(vx * vy) : 0;
}

static double fold_of(const body_t *b, const double *a, int fold, size_t thin) { return turned(b, a, 2 * M_PI / fold, thin); }

/* Up the correlation, by ever smaller tilts. */
static void refine(const body_t *b, axis_t *x, int fold)
{
    x->c = fold_of(b, x->axis, fold, 1);
    for (double step = 0.07; step > 0.006; step /= 2)
        for (bool moved = true; moved;) {
            double u[3], w[3];
            moved = false;
            frame_of(x->axis, u, w);
            for (int k = 0; k < 4; k++) {
                const double *e = k < 2 ? u : w, s = k % 2 ? -step : step;
                axis_t y = *x;
                for (int i = 0; i < 3; i++) y.axis[i] += s * e[i];
                unit(y.axis);
                y.c = fold_of(b, y.axis, fold, 1);
                if (y.c <= x->c + 1e-5) continue;
                *x = y;
                moved = true;
                break;
            }
        }
}

/* The least correlation under all turns of the axis, to *score, and 1 - how much that falls short of 1 over how much halfway between turns; 0 where
 * hardly anything is short there. */
static double contrast(const body_t *b, const axis_t *x, int fold, double *score)
{
    const double off = 1 - turned(b, x->axis, M_PI / fold, 1);
    double least = x->c;
    for (int k = 2; 2 * k <= fold; k++) least = fmin(least, turned(b, x->axis, 2 * M_PI * k / fold, 1));
    *score = least;
    return off > VISIBLE ? fmax(1 - (1 - least) / off, 0) : 0;
}

static bool holds(const body_t *b, const axis_t *x, int fold, double *score, double *least)
{
    double c;
    if (x->c < SYMMETRY_SCORE) return false;
    const double k = contrast(b, x, fold, &c);
    if (k < SYMMETRY_CONTRAST || c < SYMMETRY_SCORE) return false;
    *score = fmin(*score, c);
    *least = fmin(*least, k);
    return true;
}

/* ---- axes ---- */

/* The best of one fold over a hemisphere: at most KEEP of them, apart; how many. c (AXES + 3) is scratch. */
static size_t seek(const body_t *b, int fold, double *c, axis_t *best)
{
    const double golden = M_PI * (3 - sqrt(5));
    size_t n = 0;
#pragma omp parallel for schedule(static)
    for (int i = 0; i < AXES + 3; i++) {
        double a[3] = {i == AXES, i == AXES + 1, i == AXES + 2};
        if (i < AXES) {
            const double z = (i + 0.5) / AXES, r = sqrt(1 - z * z);
            a[0] = r * cos(golden * i), a[1] = r * sin(golden * i), a[2] = z;
        }
        c[i] = fold_of(b, a, fold, THIN);
    }
    while (n < KEEP) {
        int k = 0;
        for (int i = 1; i < AXES + 3; i++)
            if (c[i] > c[k]) k = i;
        if (c[k] < -1) break;
        double a[3] = {k == AXES, k == AXES + 1, k == AXES + 2};
        if (k < AXES) {
            const double z = (k + 0.5) / AXES, r = sqrt(1 - z * z);
            a[0] = r * cos(golden * k), a[1] = r * sin(golden * k), a[2] = z;
        }
        c[k] = -2;
        bool near = false;
        for (size_t i = 0; i < n; i++) near = near || fabs(dot(best[i].axis, a)) > cos(APART);
        if (near) continue;
        memcpy(best[n].axis, a, sizeof a);
        refine(b, &best[n++], fold);
    }
    for (size_t i = 1; i < n; i++) /* best first */
        for (size_t k = i; k > 0 && best[k].c > best[k - 1].c; k--) {
            axis_t t = best[k];
            best[k] = best[k - 1];
            best[k - 1] = t;
        }
    return n;
}

/* The best axis of a fold at an angle to a. */
static axis_t on_cone(const body_t *b, const double *a, double angle, int fold)
{
    enum { STEPS = 72 };
    double u[3], w[3];
    axis_t best = {.c = -2};
    frame_of(a, u, w);
    for (int k = 0; k < STEPS; k++) {
        axis_t x;
        const double t = 2 * M_PI * k / STEPS;
        for (int i = 0; i < 3; i++) x.axis[i] = cos(angle) * a[i] + sin(angle) * (cos(t) * u[i] + sin(t) * w[i]);
        x.c = fold_of(b, x.axis, fold, THIN);
        if (x.c > best.c) best = x;
    }
    refine(b, &best, fold);
    return best;
}

static void is(symmetry_t *out, const char *group, int order, const axis_t *x, double score, double least)
{
    snprintf(out->group, sizeof out->group, "%s", group);
    out->order = order;
    out->score = score;
    out->contrast = least;
    memcpy(out->axis, x->axis, sizeof out->axis);
}

/* With a first axis that holds, a group of several axes by those at given angles. */
static bool with(const body_t *b, const axis_t *x, int fold, const char *group, int order, const int folds[2], const double angles[2], symmetry_t *out)
{
    double least = 1, score = 1;
    if (!holds(b, x, fold, &score, &least)) return false;
    for (int k = 0; k < 2 && folds[k]; k++) {
        axis_t y = on_cone(b, x->axis, angles[k], folds[k]);
        const double off = fabs(acos(fmin(fabs(dot(x->axis, y.axis)), 1)) - angles[k]);
        if (off > 0.14 || !holds(b, &y, folds[k], &score, &least)) return false;
    }
    is(out, group, order, x, score, least);
    return true;
}

static void judge(const body_t *b, double *c, symmetry_t *out)
{
    static const double MAGIC = 0.9553166, FIVE3 = 0.6523581, FIVE2 = 0.5535744, THREES = 1.2309594; /* angles of axes of O and T, and of I */
    axis_t best[SYMMETRY_FOLD + 1][KEEP];
    size_t n[SYMMETRY_FOLD + 1] = {0};
    for (int fold = 2; fold <= SYMMETRY_FOLD; fold++) n[fold] = seek(b, fold, c, best[fold]);
    if (n[5] && with(b, best[5], 5, "I", 60, (const int[]){3, 2}, (const double[]){FIVE3, FIVE2}, out)) return;
    if (n[4] && with(b, best[4], 4, "O", 24, (const int[]){3, 2}, (const double[]){MAGIC, M_PI / 4}, out)) return;
    if (n[3] && with(b, best[3], 3, "T", 12, (const int[]){3, 2}, (const double[]){THREES, MAGIC}, out)) return;
    for (int fold = SYMMETRY_FOLD; fold >= 2; fold--)
        for (size_t i = 0; i < n[fold]; i++) {
            char name[8];
            snprintf(name, sizeof name, "D%d", fold);
            if (with(b, &best[fold][i], fold, name, 2 * fold, (const int[]){2, 0}, (const double[]){M_PI / 2, 0}, out)) return;
            snprintf(name, sizeof name, "C%d", fold);
            if (with(b, &best[fold][i], fold, name, fold, (const int[]){0, 0}, (const double[]){0, 0}, out)) return;
        }
    *out = (symmetry_t){.group = "C1", .order = 1, .score = 1};
}

int symmetry_guess(const float *cube, size_t side, symmetry_t *out, err_t *err)
{
    body_t b = {.f = cube, .side = side, .middle = ((double)side - 1) / 2};
    if (side < 12 || side > 64) return err_set(err, ERR_RANGE, "symmetry: a cube of side %zu (12 to 64)", side);
    double *c = mem_new(AXES + 3, sizeof *c, err);
    b.at = mem_new(side * side * side, 3 * sizeof *b.at, err);
    b.v = mem_new(side * side * side, sizeof *b.v, err);
    int rc = c && b.at && b.v ? 0 : -1;
    const double r = SPHERE * (double)side;
    for (size_t i = 0; !rc && i < side * side * side; i++) {
        const double p[3] = {(double)(i % side) - b.middle, (double)(i / side % side) - b.middle, (double)(i / side / side) - b.middle};
        if (dot(p, p) > r * r) continue;
        for (int k = 0; k < 3; k++) b.at[3 * b.n + (size_t)k] = (float)p[k];
        b.v[b.n++] = (double)cube[i];
    }
    if (!rc) judge(&b, c, out);
    mem_free(c);
    mem_free(b.at);
    mem_free(b.v);
    return rc;
}
