/* raycast: rays through blocks that hold the surface, at few pixels where it is smooth and at all where it is not (see raycast.h). */
#include "voxel/raycast.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"

enum { FINE = 3 }; /* places along a pixel's edge where the surface is known */
static const float NOTHING = -INFINITY;
static const double MARCH = 0.6; /* voxels */

const char *const raycast_view[RAYCAST_VIEWS] = {"z", "x", "y"};

void raycast_turn(raycastview_t view, double turn[3][3])
{
    static const double all[RAYCAST_VIEWS][3][3] = {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, {{0, 0, -1}, {0, 1, 0}, {1, 0, 0}}, {{1, 0, 0}, {0, 0, -1}, {0, 1, 0}}};
    memcpy(turn, all[view], sizeof all[view]);
}

static double frame_of(const double lo[3], const double hi[3], double centre[3])
{
    double half = 0;
    for (int d = 0; d < 3; d++) {
        centre[d] = (lo[d] + hi[d]) / 2;
        half = fmax(half, 1.04 * (hi[d] - lo[d]) / 2);
    }
    return half;
}

void raycast_frame(const surface_t *s, const tubeat_t *tube, size_t n, double centre[3], double *half)
{
    double lo[3], hi[3], other[3];
    memcpy(lo, s->lo, sizeof lo);
    memcpy(hi, s->hi, sizeof hi);
    for (size_t i = 0; i < n; i++)
        for (int d = 0; d < 3; d++) {
            lo[d] = fmin(lo[d], (double)tube[i].at[d] - 1);
            hi[d] = fmax(hi[d], (double)tube[i].at[d] + 1);
        }
    *half = frame_of(s->lo, s->hi, centre);
    double both = frame_of(lo, hi, other);
    if (both > RAYCAST_STRETCH * *half) return;
    *half = both;
    memcpy(centre, other, sizeof other);
}

void raycast_chain(size_t chain, float rgb[3])
{
    static const unsigned palette[] = {0x3b6fb6, 0xe07b39, 0x3f9b53, 0xc2443f, 0x8661b0, 0x9a6a4f, 0xd86ba9, 0x6f6f6f, 0xb0a22e, 0x2ba5b5, 0x6c8f2f, 0x4b4fa0};
    unsigned c = palette[chain % (sizeof palette / sizeof *palette)];
    for (int k = 0; k < 3; k++) rgb[k] = (float)(c >> (16 - 8 * k) & 255) / 255;
}

/* fmin() and fmax() are calls, since they mind NAN, which is not here. */
static inline double least(double a, double b) { return a < b ? a : b; }
static inline double most(double a, double b) { return a > b ? a : b; }
static inline float leastf(float a, float b) { return a < b ? a : b; }
static inline float mostf(float a, float b) { return a > b ? a : b; }

/* What is seen at a place of the fine grid. */
typedef struct raycast_seen {
    float depth; /* angstrom towards the viewer from the centre; NOTHING */
    float light; /* on it */
    float gloss;
    float slope; /* 1: faces the viewer */
    float range; /* of the distance from the centre, 0..1 */
} seen_t;

typedef struct raycast_tube {
    float depth, rgb[3];
} tubeseen_t;

/* The picture in the coordinates of the surface's voxels. */
typedef struct {
    const surface_t *s;
    const camera_t *c;
    size_t w, h;               /* of the fine grid */
    double pitch;              /* angstrom between its places */
    double x0, y0;             /* angstrom right and up of place (0,0) from the centre */
    double middle[3];          /* centre, voxels */
    double right[3], up[3], to[3]; /* an angstrom in these directions, voxels */
    double step;               /* angstrom between samples */
    double deepest, nearest;   /* angstrom towards the viewer: where the surface's box is */
    double farthest;           /* of its corners from the centre */
    seen_t *seen;              /* (h,w) */
    tubeseen_t *tubes;         /* (h,w), or NULL */
} scene_t;

/* ---- the density and the light ---- */

static float sample(const vol_t *v, double x, double y, double z)
{
    if (!(x >= 0 && y >= 0 && z >= 0 && x <= (double)(v->nx - 1) && y <= (double)(v->ny - 1) && z <= (double)(v->nz - 1))) return -INFINITY;
    size_t i = (size_t)x, j = (size_t)y, k = (size_t)z;
    i = i + 1 < v->nx ? i : v->nx - 2;
    j = j + 1 < v->ny ? j : v->ny - 2;
    k = k + 1 < v->nz ? k : v->nz - 2;
    float fx = (float)(x - (double)i), fy = (float)(y - (double)j), fz = (float)(z - (double)k);
    const float *a = v->data + vol_idx(v, i, j, k), *b = a + v->nx * v->ny;
    float p = a[0] + fx * (a[1] - a[0]), q = a[v->nx] + fx * (a[v->nx + 1] - a[v->nx]);
    float r = b[0] + fx * (b[1] - b[0]), t = b[v->nx] + fx * (b[v->nx + 1] - b[v->nx]);
    p += fy * (q - p);
    r += fy * (t - r);
    return p + fz * (r - p);
}

/* The coarse grid at a voxel; 0 outside. */
static double shade(const shade_t *g, const double p[3])
{
    size_t i[3];
    double f[3], sum = 0;
    for (int d = 0; d < 3; d++) {
        double x = (p[d] - (double)g->from) / SURFACE_BLOCK;
        if (!(x >= 0 && x < (double)(g->n[d] - 1))) return 0;
        i[d] = (size_t)x;
        f[d] = x - (double)i[d];
    }
    for (int k = 0; k < 8; k++) {
        size_t x = i[0] + (k & 1), y = i[1] + (k >> 1 & 1), z = i[2] + (size_t)(k >> 2);
        sum += (k & 1 ? f[0] : 1 - f[0]) * (k & 2 ? f[1] : 1 - f[1]) * (k & 4 ? f[2] : 1 - f[2]) * (double)g->data[(z * g->n[1] + y) * g->n[0] + x];
    }
    return sum;
}

/* Unit vector out of the density at p (voxels), in the map's directions. */
static void normal(const vol_t *v, const double p[3], double n[3])
{
    double len = 0;
    for (int d = 0; d < 3; d++) {
        double a[3] = {p[0], p[1], p[2]}, b[3] = {p[0], p[1], p[2]};
        const double side[3] = {(double)v->nx - 1, (double)v->ny - 1, (double)v->nz - 1};
        a[d] = most(0, a[d] - 1);
        b[d] = least(side[d], b[d] + 1);
        n[d] = (double)(sample(v, a[0], a[1], a[2]) - sample(v, b[0], b[1], b[2])) / ((b[d] - a[d]) * v->voxel[d]);
        len += n[d] * n[d];
    }
    len = sqrt(len);
    for (int d = 0; d < 3; d++) n[d] = len > 0 ? n[d] / len : d == 2;
}

static double dot3(const double a[3], const double b[3]) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

/* Light on a surface with normal n (right, up, towards), given what is open around it (1: all). */
static void lit(const double n[3], double open, float *light, float *gloss)
{
    static const double key[3] = {-0.40, 0.56, 0.725}, fill[3] = {0.72, 0.1, 0.687}, half[3] = {-0.215, 0.30, 0.929};
    double k = most(0, dot3(n, key)), f = most(0, dot3(n, fill)), h = most(0, dot3(n, half));
    h *= h, h *= h, h *= h, h *= h; /* to the 16th */
    *light = (float)(open * (0.50 + 0.08 * n[1]) + (0.4 + 0.6 * open) * (0.66 * k + 0.20 * f));
    *gloss = (float)(0.13 * h * h * open);
}

/* What is seen at p (voxels), depth angstrom towards the viewer. */
static seen_t look(const scene_t *q, const double p[3], double depth)
{
    const surface_t *s = q->s;
    double n[3], m[3], away[3], dim = 1;
    static const double reach[SURFACE_SHADES] = {3, 9}, deep[SURFACE_SHADES] = {0.85, 0.6}; /* voxels; how dark the inside would be */
    normal(s->v, p, n);
    for (int k = 0; k < SURFACE_SHADES; k++) {
        double at[3];
        for (int d = 0; d < 3; d++) at[d] = p[d] + n[d] * reach[k];
        dim *= 1 - deep[k] * shade(&s->full[k], at);
    }
    for (int k = 0; k < 3; k++) m[k] = dot3(n, q->c->turn[k]);
    for (int d = 0; d < 3; d++) away[d] = (p[d] - q->middle[d]) * s->v->voxel[d];
    seen_t r = {.depth = (float)depth, .slope = (float)fabs(m[2])};
    r.range = (float)(sqrt(dot3(away, away)) / q->farthest);
    lit(m, dim, &r.light, &r.gloss);
    r.light *= (float)(1 - 0.25 * (q->nearest - depth) / (q->nearest - q->deepest + 1e-9));
    return r;
}

/* ---- one ray ---- */

/* Where the ray, at `depth` angstrom, leaves the block that p lies in: the depth below which it is in another. */
static double leaves(const scene_t *q, const double start[3], const size_t b[3])
{
    double out = -INFINITY;
    for (int d = 0; d < 3; d++) {
        if (q->to[d] == 0) continue;
        double edge = (double)((q->to[d] > 0 ? b[d] : b[d] + 1) * SURFACE_BLOCK);
        out = most(out, (edge - start[d]) / q->to[d]);
    }
    return out;
}

/* Between two depths, the first above the level, the second below: where the level is. */
static double crossing(const scene_t *q, const double start[3], double in, double out)
{
    for (int k = 0; k < 6; k++) {
        double t = (in + out) / 2;
        if (sample(q->s->v, start[0] + t * q->to[0], start[1] + t * q->to[1], start[2] + t * q->to[2]) > q->s->level) in = t;
        else out = t;
    }
    return (in + out) / 2;
}

/* The ray towards -to through the place (x,y) angstrom right and up of the centre. */
static seen_t ray(const scene_t *q, double x, double y)
{
    const surface_t *s = q->s;
    const double side[3] = {(double)s->v->nx - 1, (double)s->v->ny - 1, (double)s->v->nz - 1};
    double start[3], near = q->nearest, far = q->deepest;
    for (int d = 0; d < 3; d++) {
        start[d] = q->middle[d] + x * q->right[d] + y * q->up[d];
        if (q->to[d] == 0) {
            if (!(start[d] >= 0 && start[d] <= side[d])) return (seen_t){.depth = NOTHING};
            continue;
        }
        double a = -start[d] / q->to[d], b = (side[d] - start[d]) / q->to[d];
        near = least(near, most(a, b));
        far = most(far, least(a, b));
    }
    for (double t = near, before = near; t > far;) {
        double p[3];
        size_t b[3];
        for (int d = 0; d < 3; d++) {
            p[d] = start[d] + (t - 1e-6 * q->step) * q->to[d];
            p[d] = p[d] > 0 ? p[d] < side[d] ? p[d] : side[d] : 0;
            b[d] = (size_t)p[d] / SURFACE_BLOCK;
            if (b[d] >= s->blocks[d]) b[d] = s->blocks[d] - 1;
        }
        double end = least(leaves(q, start, b), t - 1e-3 * q->step);
        if (s->most[(b[2] * s->blocks[1] + b[1]) * s->blocks[0] + b[0]] > s->level)
            for (; t > end && t > far; t -= q->step) {
                if (sample(s->v, start[0] + t * q->to[0], start[1] + t * q->to[1], start[2] + t * q->to[2]) > s->level) {
                    t = crossing(q, start, t, before);
                    for (int d = 0; d < 3; d++) p[d] = start[d] + t * q->to[d];
                    return look(q, p, t);
                }
                before = t;
            }
        else before = t = end;
    }
    return (seen_t){.depth = NOTHING};
}

static seen_t ray_at(const scene_t *q, size_t i, size_t j) { return ray(q, q->x0 + (double)i * q->pitch, q->y0 - (double)j * q->pitch); }

/* ---- the fine grid ---- */

/* The corners of the square of pixels that the place (i,j) lies in, or that it can be taken from them: all see nothing, or one smooth piece. */
static bool alike(const scene_t *q, const seen_t *const k[4])
{
    float far = INFINITY, near = NOTHING, dark = INFINITY, light = 0;
    for (int i = 0; i < 4; i++) {
        far = leastf(far, k[i]->depth);
        near = mostf(near, k[i]->depth);
        dark = leastf(dark, k[i]->light);
        light = mostf(light, k[i]->light);
    }
    if (near == NOTHING) return true;
    return far > NOTHING && near - far < 4 * (float)(q->pitch * FINE) && light - dark < 0.25f;
}

static seen_t between(const seen_t *const k[4], float fx, float fy)
{
    const float w[4] = {(1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy};
    seen_t r = {0};
    if (k[0]->depth == NOTHING) return *k[0];
    for (int i = 0; i < 4; i++) {
        r.depth += w[i] * k[i]->depth;
        r.light += w[i] * k[i]->light;
        r.gloss += w[i] * k[i]->gloss;
        r.slope += w[i] * k[i]->slope;
        r.range += w[i] * k[i]->range;
    }
    return r;
}

static void fill(scene_t *q)
{
    size_t w = q->w, h = q->h;
#pragma omp parallel for schedule(dynamic, 2)
    for (size_t j = 0; j < h; j += FINE)
        for (size_t i = 0; i < w; i += FINE) q->seen[j * w + i] = ray_at(q, i, j);
#pragma omp parallel for schedule(dynamic, 2)
    for (size_t j = 0; j < h; j++)
        for (size_t i = 0; i < w; i++) {
            if (i % FINE == 0 && j % FINE == 0) continue;
            size_t a = i - i % FINE, b = j - j % FINE, c = a + FINE < w ? a + FINE : a, d = b + FINE < h ? b + FINE : b;
            const seen_t *const k[4] = {&q->seen[b * w + a], &q->seen[b * w + c], &q->seen[d * w + a], &q->seen[d * w + c]};
            q->seen[j * w + i] = alike(q, k) ? between(k, (float)(i % FINE) / FINE, (float)(j % FINE) / FINE) : ray_at(q, i, j);
        }
}

/* ---- tubes ---- */

/* A ball at (x,y) right and up, z towards the viewer, angstrom. */
static void ball(scene_t *q, double x, double y, double z, double r, const float rgb[3])
{
    double i0 = (x - r - q->x0) / q->pitch, i1 = (x + r - q->x0) / q->pitch, j0 = (q->y0 - y - r) / q->pitch, j1 = (q->y0 - y + r) / q->pitch;
    if (!(i1 >= 0 && j1 >= 0 && i0 < (double)q->w && j0 < (double)q->h)) return;
    for (size_t j = (size_t)most(0, ceil(j0)); (double)j <= j1 && j < q->h; j++)
        for (size_t i = (size_t)most(0, ceil(i0)); (double)i <= i1 && i < q->w; i++) {
            double n[3] = {(q->x0 + (double)i * q->pitch - x) / r, (q->y0 - (double)j * q->pitch - y) / r, 0}, in = 1 - n[0] * n[0] - n[1] * n[1];
            tubeseen_t *t = &q->tubes[j * q->w + i];
            if (in < 0) continue;
            n[2] = sqrt(in);
            float depth = (float)(z + r * n[2]), light, gloss;
            if (depth <= t->depth) continue;
            lit(n, 1, &light, &gloss);
            light *= (float)(1 - 0.25 * most(0, least(1, (q->nearest - (double)depth) / (q->nearest - q->deepest + 1e-9))));
            t->depth = depth;
            for (int k = 0; k < 3; k++) t->rgb[k] = leastf(1, rgb[k] * light + gloss);
        }
}

/* Balls close together along each tube. */
static void draw_tubes(scene_t *q)
{
    const camera_t *c = q->c;
    double r = most(c->thick, 1.1 * q->pitch * FINE), last[3] = {0};
    for (size_t i = 0; i < q->w * q->h; i++) q->tubes[i].depth = NOTHING;
    for (size_t k = 0; k < c->n; k++) {
        double at[3], p[3], len = 0;
        float rgb[3];
        for (int d = 0; d < 3; d++) at[d] = (double)c->tube[k].at[d] - c->centre[d];
        for (int d = 0; d < 3; d++) p[d] = dot3(at, c->turn[d]);
        for (int d = 0; d < 3; d++) len += (p[d] - last[d]) * (p[d] - last[d]);
        raycast_chain(c->tube[k].chain, rgb);
        size_t steps = c->tube[k].begins ? 1 : (size_t)ceil(sqrt(len) / (0.35 * r));
        for (size_t i = 1; i <= steps; i++) {
            double t = c->tube[k].begins ? 1 : (double)i / (double)steps;
            ball(q, last[0] + t * (p[0] - last[0]), last[1] + t * (p[1] - last[1]), last[2] + t * (p[2] - last[2]), r, rgb);
        }
        memcpy(last, p, sizeof last);
    }
}

/* ---- the picture ---- */

/* Blue by way of white to red. */
static void rainbow(float t, float rgb[3])
{
    static const float stop[5][3] = {{0.17f, 0.33f, 0.75f}, {0.25f, 0.70f, 0.80f}, {0.55f, 0.80f, 0.40f}, {0.95f, 0.80f, 0.30f}, {0.82f, 0.25f, 0.20f}};
    float x = mostf(0, leastf(1, t)) * 4;
    int i = x < 3 ? (int)x : 3;
    for (int k = 0; k < 3; k++) rgb[k] = stop[i][k] + (x - (float)i) * (stop[i + 1][k] - stop[i][k]);
}

/* Dark where a neighbour lies far behind. */
static float outline(const scene_t *q, size_t i, size_t j)
{
    const long at[4][2] = {{-1, 0}, {1, 0}, {0, -1}, {0, 1}};
    float here = q->seen[j * q->w + i].depth, deep = here;
    for (int k = 0; k < 4; k++) {
        long x = (long)i + at[k][0] * (FINE - 1), y = (long)j + at[k][1] * (FINE - 1);
        if (x < 0 || y < 0 || x >= (long)q->w || y >= (long)q->h) continue;
        deep = leastf(deep, q->seen[(size_t)y * q->w + (size_t)x].depth);
    }
    float gap = (here - deep) / (float)(0.10 * q->c->half);
    return 1 - 0.5f * mostf(0, leastf(1, gap - 0.5f));
}

/* One place of the fine grid added to a pixel. */
static void add(const scene_t *q, size_t i, size_t j, float px[4])
{
    const seen_t *s = &q->seen[j * q->w + i];
    const tubeseen_t *t = q->tubes ? &q->tubes[j * q->w + i] : NULL;
    float rgb[3], a = 0, out[4] = {0};
    if (s->depth > NOTHING) {
        float dark = outline(q, i, j);
        if (q->c->radial) rainbow((s->range - 0.35f) / 0.6f, rgb);
        else memcpy(rgb, q->c->colour, sizeof rgb);
        a = 1;
        if (t) a = leastf(1, 0.20f + 0.45f * (1 - s->slope) * (1 - s->slope) + 0.7f * (1 - dark));
        for (int k = 0; k < 3; k++) out[k] = a * leastf(1, (rgb[k] * s->light + s->gloss) * dark);
        out[3] = a;
    }
    if (t && t->depth > NOTHING) {
        float under = t->depth >= s->depth ? 0.0f : 1.0f; /* in front of the surface, or behind it */
        for (int k = 0; k < 3; k++) out[k] = under > 0 ? out[k] + (1 - a) * t->rgb[k] : t->rgb[k];
        out[3] = 1;
    }
    for (int k = 0; k < 4; k++) px[k] += out[k] * (1.0f / (FINE * FINE));
}

static void set_up(scene_t *q)
{
    const camera_t *c = q->c;
    const vol_t *v = q->s->v;
    double voxel = least(v->voxel[0], least(v->voxel[1], v->voxel[2])), deep = INFINITY, near = -INFINITY;
    q->w = c->w * FINE;
    q->h = c->h * FINE;
    q->pitch = 2 * c->half / (double)(q->w < q->h ? q->w : q->h);
    q->x0 = -0.5 * q->pitch * (double)(q->w - 1);
    q->y0 = 0.5 * q->pitch * (double)(q->h - 1);
    for (int d = 0; d < 3; d++) {
        q->middle[d] = (c->centre[d] - v->origin[d]) / v->voxel[d];
        q->right[d] = c->turn[0][d] / v->voxel[d];
        q->up[d] = c->turn[1][d] / v->voxel[d];
        q->to[d] = fabs(c->turn[2][d]) < 1e-12 ? 0 : c->turn[2][d] / v->voxel[d];
    }
    q->step = MARCH / sqrt(dot3(q->to, q->to)); /* so many voxels, whatever their shape */
    for (int k = 0; k < 8; k++) {
        const double at[3] = {(k & 1 ? q->s->hi : q->s->lo)[0] - c->centre[0], (k & 2 ? q->s->hi : q->s->lo)[1] - c->centre[1],
                              (k & 4 ? q->s->hi : q->s->lo)[2] - c->centre[2]};
        double z = dot3(at, c->turn[2]);
        deep = least(deep, z);
        near = most(near, z);
        q->farthest = most(q->farthest, most(fabs(at[0]), most(fabs(at[1]), fabs(at[2]))));
    }
    q->deepest = deep - 2 * voxel;
    q->nearest = near + 2 * voxel;
}

void raycast_room_free(raycast_room_t *r)
{
    mem_free(r->seen);
    mem_free(r->tubes);
    *r = (raycast_room_t){0};
}

int raycast(const surface_t *s, const camera_t *c, raycast_room_t *room, float *rgba, err_t *err)
{
    scene_t q = {.s = s, .c = c};
    if (!c->w || !c->h || c->w > RAYCAST_SIDE_MAX || c->h > RAYCAST_SIDE_MAX)
        return err_set(err, ERR_RANGE, "a picture of %zu x %zu pixels (1 to %d)", c->w, c->h, RAYCAST_SIDE_MAX);
    if (!(c->half > 0)) return err_set(err, ERR_RANGE, "a picture of %g angstrom", 2 * c->half);
    set_up(&q);
    if (mem_grow(&room->seen, &room->seen_cap, q.w * q.h, sizeof *q.seen, err) ||
        (c->tube && mem_grow(&room->tubes, &room->tubes_cap, q.w * q.h, sizeof *q.tubes, err)))
        return -1;
    q.seen = room->seen;
    if (c->tube) q.tubes = room->tubes;
    fill(&q);
    if (c->tube) draw_tubes(&q);
#pragma omp parallel for schedule(static)
    for (size_t y = 0; y < c->h; y++)
        for (size_t x = 0; x < c->w; x++) {
            float *px = rgba + 4 * (y * c->w + x);
            memset(px, 0, 4 * sizeof *px);
            for (size_t k = 0; k < FINE * FINE; k++) add(&q, x * FINE + k % FINE, y * FINE + k / FINE, px);
        }
    return 0;
}
