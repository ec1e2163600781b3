/* symmetry: axes of rotation by correlation (see symmetry.h). */
#include "voxel/symmetry.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { AXES = 600, ALL = AXES + 3, BEST = 72, KEEP = 6, THIN = 6, VERY_THIN = 24 };
static const double SPHERE = 0.44, APART = 0.21; /* of a side; radians between axes that are kept */
static const double NEAR = 0.05; /* of SYMMETRY_SCORE: what tilts of two degrees and less may add */
static const double VISIBLE = 0.01; /* least that the correlation falls short of 1 between turns */

typedef float four_t __attribute__((vector_size(4 * sizeof(float)), may_alias));
typedef int32_t four_int_t __attribute__((vector_size(4 * sizeof(int32_t))));

/* Points of the sphere, from the middle. */
typedef struct {
    size_t n;           /* and the arrays go on with zeros to a multiple of 4 */
    float *x, *y, *z, *v; /* v: values there */
    double sum, square; /* of the values */
} points_t;

typedef struct {
    size_t side;
    four_t *cell;    /* (side,side,side) the values at a voxel, beside it along x, along y, and along both */
    points_t all, few, fewest; /* few: every THINth; fewest: every VERY_THINth */
    float *own;      /* what the points lie in */
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

enum { STEP = 64 }; /* points at a time */

/* Where points at .. at + m go under the turn r: the cell, and the place in it. m is a multiple of 4. */
static void places(const body_t *b, const points_t *p, const float *r, size_t at, size_t m, int32_t *cell, float (*in)[STEP])
{
    const int32_t s = (int32_t)b->side;
    const float middle = (float)(b->side - 1) / 2;
    for (size_t i = 0; i < m; i += 4) {
        const four_t x = *(const four_t *)(p->x + at + i), y = *(const four_t *)(p->y + at + i), z = *(const four_t *)(p->z + at + i);
        four_int_t k[3];
        for (int d = 0; d < 3; d++) {
            const four_t t = r[3 * d] * x + r[3 * d + 1] * y + r[3 * d + 2] * z + middle; /* > 0: the sphere is well inside */
            k[d] = __builtin_convertvector(t, four_int_t);
            *(four_t *)(in[d] + i) = t - __builtin_convertvector(k[d], four_t);
        }
        *(four_int_t *)(cell + i) = (k[2] * s + k[1]) * s + k[0];
    }
}

/* The correlation of the density with itself turned by an angle about a. */
static double turned(const body_t *b, const double *a, double angle, const points_t *p)
{
    const double c = cos(angle), s = sin(angle), t = 1 - c;
    const double r[9] = {t * a[0] * a[0] + c,        t * a[0] * a[1] - s * a[2], t * a[0] * a[2] + s * a[1],
                         t * a[0] * a[1] + s * a[2], t * a[1] * a[1] + c,        t * a[1] * a[2] - s * a[0],
                         t * a[0] * a[2] - s * a[1], t * a[1] * a[2] + s * a[0], t * a[2] * a[2] + c};
    const size_t plane = b->side * b->side;
    float m[9];
    for (int i = 0; i < 9; i++) m[i] = (float)r[i];
    double y1 = 0, yy = 0, xy = 0;
    for (size_t at = 0; at < p->n; at += STEP) {
        int32_t cell[STEP] __attribute__((aligned(16)));
        float in[3][STEP] __attribute__((aligned(16))), y[STEP] __attribute__((aligned(16)));
        const size_t left = p->n - at < STEP ? p->n - at : STEP, wide = (left + 3) / 4 * 4;
        places(b, p, m, at, wide, cell, in);
        for (size_t i = 0; i < left; i++) {
            const four_t low = b->cell[cell[i]], q = low + in[2][i] * (b->cell[(size_t)cell[i] + plane] - low);
            const float u = q[0] + in[0][i] * (q[1] - q[0]), v = q[2] + in[0][i] * (q[3] - q[2]);
            y[i] = u + in[1][i] * (v - u);
        }
        for (size_t i = left; i < wide; i++) y[i] = 0;
        four_t s1 = {0}, s2 = {0}, s3 = {0};
        for (size_t i = 0; i < wide; i += 4) {
            const four_t w = *(const four_t *)(y + i);
            s1 += w;
            s2 += w * w;
            s3 += w * *(const four_t *)(p->v + at + i);
        }
        y1 += (double)(s1[0] + s1[1] + s1[2] + s1[3]);
        yy += (double)(s2[0] + s2[1] + s2[2] + s2[3]);
        xy += (double)(s3[0] + s3[1] + s3[2] + s3[3]);
    }
    const double n = (double)p->n, vx = p->square - p->sum * p->sum / n, vy = yy - y1 * y1 / n;
    return vx > 0 && vy > 0 ? (xy - p->sum * y1 / n) / sqrt(vx * vy) : 0;
}

static double fold_of(const body_t *b, const double *a, int fold, const points_t *p) { return turned(b, a, 2 * M_PI / fold, p); }

/* Up the correlation of points p, by tilts of `step` and of halves of it, down to `last`. */
static void climb(const body_t *b, axis_t *x, int fold, const points_t *p, double step, double last)
{
    x->c = fold_of(b, x->axis, fold, p);
    for (; step > last; step /= 2)
        for (bool moved = true; moved;) {
            double u[3], w[3];
            moved = false;
            frame_of(x->axis, u, w);
            for (int k = 0; k < 4; k++) {
                const double *e = k < 2 ? u : w, s = k % 2 ? -step : step;
                axis_t y = *x;
                for (int i = 0; i < 3; i++) y.axis[i] += s * e[i];
                unit(y.axis);
                y.c = fold_of(b, y.axis, fold, p);
                if (y.c <= x->c + 1e-5) continue;
                *x = y;
                moved = true;
                break;
            }
        }
}

/* First by few points; what is then far from symmetric is left there, as tilts of two degrees change little. */
static void refine(const body_t *b, axis_t *x, int fold)
{
    climb(b, x, fold, &b->few, 0.07, 0.03);
    climb(b, x, fold, &b->all, 0, 0.03);
    if (x->c >= SYMMETRY_SCORE - NEAR) climb(b, x, fold, &b->all, 0.035, 0.006);
}

/* The least correlation under all turns of the axis, to *score, and 1 - how much that falls short of 1 over how much halfway between turns; 0 where
 * hardly anything is short there. */
static double contrast(const body_t *b, const axis_t *x, int fold, double *score)
{
    const double off = 1 - turned(b, x->axis, M_PI / fold, &b->all);
    double least = x->c;
    for (int k = 2; 2 * k <= fold; k++) least = fmin(least, turned(b, x->axis, 2 * M_PI * k / fold, &b->all));
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

/* Axis i of ALL: those of the cube come last. */
static void axis_of(int i, double a[3])
{
    const double golden = M_PI * (3 - sqrt(5)), z = (i + 0.5) / AXES, r = sqrt(fmax(1 - z * z, 0));
    for (int k = 0; k < 3; k++) a[k] = i == AXES + k;
    if (i < AXES) a[0] = r * cos(golden * i), a[1] = r * sin(golden * i), a[2] = z;
}

/* The BESTth largest of the ALL numbers c. */
static double bar_of(const double *c)
{
    double top[BEST] = {0};
    int n = 0;
    for (int i = 0; i < ALL; i++) {
        if (n == BEST && c[i] <= top[BEST - 1]) continue;
        int k = n < BEST ? n++ : BEST - 1;
        for (; k > 0 && top[k - 1] < c[i]; k--) top[k] = top[k - 1];
        top[k] = c[i];
    }
    return top[BEST - 1];
}

/* The best of one fold over a hemisphere: at most KEEP of them, apart; how many. By the fewest points first, and the BEST of these by more.
 * c (ALL) is scratch. */
static size_t seek(const body_t *b, int fold, double *c, axis_t *best)
{
    size_t n = 0;
#pragma omp parallel for schedule(static)
    for (int i = 0; i < ALL; i++) {
        double a[3];
        axis_of(i, a);
        c[i] = fold_of(b, a, fold, &b->fewest);
    }
    const double bar = bar_of(c);
#pragma omp parallel for schedule(dynamic, 8)
    for (int i = 0; i < ALL; i++) {
        double a[3];
        axis_of(i, a);
        c[i] = c[i] >= bar ? fold_of(b, a, fold, &b->few) : -2;
    }
    while (n < KEEP) {
        int k = 0;
        for (int i = 1; i < ALL; i++)
            if (c[i] > c[k]) k = i;
        if (c[k] < -1) break;
        double a[3];
        axis_of(k, a);
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
        x.c = fold_of(b, x.axis, fold, &b->few);
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

static size_t padded(size_t n) { return (n + 3) / 4 * 4; }

/* The points of the sphere in memory of their own. */
static int take_points(body_t *b, const float *cube, err_t *err)
{
    const size_t side = b->side;
    const double middle = ((double)side - 1) / 2, r = SPHERE * (double)side;
    size_t room = padded(side * side * side) + 4;
    points_t *set[3] = {&b->all, &b->few, &b->fewest};
    static const size_t every[3] = {1, THIN, VERY_THIN};
    b->own = mem_zero(3 * room, 4 * sizeof *b->own, err);
    if (!b->own) return -1;
    for (size_t k = 0; k < 3; k++)
        *set[k] = (points_t){.x = b->own + 4 * k * room, .y = b->own + (4 * k + 1) * room, .z = b->own + (4 * k + 2) * room, .v = b->own + (4 * k + 3) * room};
    for (size_t i = 0, n = 0; i < side * side * side; i++) {
        const double p[3] = {(double)(i % side) - middle, (double)(i / side % side) - middle, (double)(i / side / side) - middle};
        if (dot(p, p) > r * r) continue;
        for (size_t k = 0; k < 3; k++) {
            if (n % every[k]) continue;
            points_t *s = set[k];
            s->x[s->n] = (float)p[0], s->y[s->n] = (float)p[1], s->z[s->n] = (float)p[2], s->v[s->n] = cube[i];
            s->sum += (double)cube[i];
            s->square += (double)cube[i] * (double)cube[i];
            s->n++;
        }
        n++;
    }
    return 0;
}

/* What a point between voxels is made of, side by side. */
static int take_cells(body_t *b, const float *cube, err_t *err)
{
    const size_t s = b->side, n = s * s * s;
    b->cell = mem_new(n, sizeof *b->cell, err);
    if (!b->cell) return -1;
    for (size_t i = 0; i < n; i++) { /* at the far faces, where no point comes, anything */
        const size_t x = i + 1 < n ? i + 1 : i, y = i + s < n ? i + s : i, xy = i + s + 1 < n ? i + s + 1 : i;
        b->cell[i] = (four_t){cube[i], cube[x], cube[y], cube[xy]};
    }
    return 0;
}

int symmetry_guess(const float *cube, size_t side, symmetry_t *out, err_t *err)
{
    body_t b = {.side = side};
    if (side < 12 || side > 64) return err_set(err, ERR_RANGE, "symmetry: a cube of side %zu (12 to 64)", side);
    double *c = mem_new(ALL, sizeof *c, err);
    int rc = c && !take_points(&b, cube, err) && !take_cells(&b, cube, err) ? 0 : -1;
    if (!rc) judge(&b, c, out);
    mem_free(c);
    mem_free(b.cell);
    mem_free(b.own);
    return rc;
}
