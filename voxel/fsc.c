/* fsc: Fourier shell correlation (see fsc.h). */
#include "voxel/fsc.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

enum { PARTS = 64 }; /* of the sums, along z */

const char *const fsc_name[FSC_CURVES] = {"unmasked", "masked", "randomised", "corrected"};

/* ---- the shells ---- */

typedef struct {
    size_t n[3], nxh;
    double scale[3]; /* frequency of slot 1, in shells */
    double step;
    size_t shells;
} grid_t;

static int grid_of(const vol_t *v, grid_t *g, err_t *err)
{
    double edge = 0, nyquist = INFINITY;
    *g = (grid_t){.n = {v->nx, v->ny, v->nz}, .nxh = v->nx / 2 + 1};
    for (int d = 0; d < 3; d++) edge = fmax(edge, (double)g->n[d] * v->voxel[d]);
    for (int d = 0; d < 3; d++) {
        g->scale[d] = edge / ((double)g->n[d] * v->voxel[d]);
        if (g->n[d] > 1) nyquist = fmin(nyquist, g->scale[d] * (double)g->n[d] / 2);
    }
    if (isinf(nyquist)) return err_set(err, ERR_RANGE, "a box of one voxel has no shells");
    g->step = 1 / edge;
    g->shells = (size_t)(nyquist + 1e-6) + 1;
    return 0;
}

/* Frequency of slot i of axis d, in shells. */
static double freq(const grid_t *g, int d, size_t i)
{
    double k = 2 * i > g->n[d] ? (double)i - (double)g->n[d] : (double)i;
    return k * g->scale[d];
}

/* ---- the sums ---- */

typedef struct {
    double cross, f, g, count;
} shell_t;

/* Planes z0..z1-1. */
static void sum_planes(const grid_t *g, const cplx_t *f, const cplx_t *h, size_t z0, size_t z1, shell_t *out)
{
    for (size_t z = z0; z < z1; z++)
        for (size_t y = 0; y < g->n[1]; y++) {
            double sz = freq(g, 2, z), sy = freq(g, 1, y), szy = sz * sz + sy * sy;
            size_t row = (z * g->n[1] + y) * g->nxh;
            for (size_t x = 0; x < g->nxh; x++) {
                double sx = freq(g, 0, x), at = sqrt(szy + sx * sx) + 0.5;
                if (at >= (double)g->shells) break;
                shell_t *s = &out[(size_t)at];
                const double a[2] = {(double)f[row + x][0], (double)f[row + x][1]}, b[2] = {(double)h[row + x][0], (double)h[row + x][1]};
                s->cross += a[0] * b[0] + a[1] * b[1];
                s->f += a[0] * a[0] + a[1] * a[1];
                s->g += b[0] * b[0] + b[1] * b[1];
                s->count++;
            }
        }
}

/* One curve from two transforms; count may be NULL. */
static int correlate(const grid_t *g, const cplx_t *f, const cplx_t *h, double *curve, size_t *count, err_t *err)
{
    shell_t *part = mem_zero(PARTS * g->shells, sizeof *part, err);
    if (!part) return -1;
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t p = 0; p < PARTS; p++) sum_planes(g, f, h, p * g->n[2] / PARTS, (p + 1) * g->n[2] / PARTS, part + p * g->shells);
    for (size_t k = 0; k < g->shells; k++) {
        shell_t s = part[k];
        for (size_t p = 1; p < PARTS; p++) {
            const shell_t *q = &part[p * g->shells + k];
            s.cross += q->cross;
            s.f += q->f;
            s.g += q->g;
            s.count += q->count;
        }
        double power = sqrt(s.f) * sqrt(s.g);
        curve[k] = !k ? 1 : power > 0 ? fmax(-1, fmin(1, s.cross / power)) : 0;
        if (count) count[k] = (size_t)s.count;
    }
    mem_free(part);
    return 0;
}

/* ---- random phases ---- */

/* Keep the amplitude, take the phase that unit (0..1) says; a real number stays real. */
static void turn(cplx_t c, double unit, bool real, bool conjugate)
{
    double a = sqrt((double)c[0] * (double)c[0] + (double)c[1] * (double)c[1]), p = 2 * M_PI * unit;
    c[0] = (float)(real ? (unit < 0.5 ? a : -a) : a * cos(p));
    c[1] = (float)(real ? 0 : conjugate ? -a * sin(p) : a * sin(p));
}

/* One row (z,y). What lies on the planes kx = 0 and kx = nx/2 is the conjugate of its mate at (-z,-y): both
 * draw from the stream of the mate that comes first. */
static void turn_row(const grid_t *g, size_t z, size_t y, size_t from, uint64_t seed, cplx_t *row)
{
    size_t mz = z ? g->n[2] - z : 0, my = y ? g->n[1] - y : 0, own = z * g->n[1] + y, mate = mz * g->n[1] + my;
    double sz = freq(g, 2, z), sy = freq(g, 1, y), szy = sz * sz + sy * sy, least = (double)from * (double)from;
    rng_t inner, edge;
    rng_seed(&inner, seed + 2 * own);
    rng_seed(&edge, seed + 2 * (own < mate ? own : mate) + 1);
    for (size_t x = 0; x < g->nxh; x++) {
        double sx = freq(g, 0, x), unit;
        bool on_edge = !x || 2 * x == g->n[0];
        unit = rng_unit(on_edge ? &edge : &inner);
        if (szy + sx * sx >= least) turn(row[x], unit, on_edge && own == mate, on_edge && own > mate);
    }
}

static void randomise(const grid_t *g, size_t from, uint64_t seed, cplx_t *c)
{
#pragma omp parallel for schedule(static)
    for (size_t z = 0; z < g->n[2]; z++)
        for (size_t y = 0; y < g->n[1]; y++) turn_row(g, z, y, from, seed, c + (z * g->n[1] + y) * g->nxh);
}

int fsc_randomise(const vol_t *v, size_t from, uint64_t seed, cplx_t *c, err_t *err)
{
    grid_t g;
    if (grid_of(v, &g, err)) return -1;
    randomise(&g, from, seed, c);
    return 0;
}

/* ---- checks ---- */

int fsc_agree(const vol_t *a, const char *name_a, const vol_t *b, const char *name_b, err_t *err)
{
    const size_t na[3] = {a->nx, a->ny, a->nz}, nb[3] = {b->nx, b->ny, b->nz};
    for (int d = 0; d < 3; d++)
        if (na[d] != nb[d])
            return err_set(err, ERR_RANGE, "%s: side %c of %zu voxels (%s has %zu)", name_b, 'x' + d, nb[d], name_a, na[d]);
    for (int d = 0; d < 3; d++)
        if (!(fabs(a->voxel[d] - b->voxel[d]) <= FSC_VOXEL_SLACK * a->voxel[d]))
            return err_set(err, ERR_RANGE, "%s: voxel size %c of %.6g angstrom (%s has %.6g)", name_b, 'x' + d, b->voxel[d], name_a, a->voxel[d]);
    return 0;
}

static int check_map(const volstat_t *s, size_t len, const char *name, err_t *err)
{
    if (s->bad) return err_set(err, ERR_FORMAT, "%s: %zu of %zu voxels NaN or infinite", name, s->bad, len);
    if (!(s->max > s->min)) return err_set(err, ERR_FORMAT, "%s: every voxel is %g: nothing to correlate", name, s->min);
    return 0;
}

static int check_volume(const vol_t *v, const char *name, err_t *err)
{
    volstat_t s;
    vol_stats(v, &s);
    return check_map(&s, vol_len(v), name, err);
}

static int check_mask(const vol_t *v, const char *name, err_t *err)
{
    volstat_t s;
    vol_stats(v, &s);
    if (s.bad) return err_set(err, ERR_FORMAT, "%s: %zu of %zu voxels NaN or infinite", name, s.bad, vol_len(v));
    if (!(s.min >= -0.001 && s.max <= 1.001))
        return err_set(err, ERR_RANGE, "%s: values from %g to %g (a mask has 0 to 1)", name, s.min, s.max);
    return s.max > 0 ? 0 : err_set(err, ERR_RANGE, "%s: nothing above 0 (a mask is 1 inside)", name);
}

static int check(const vol_t *a, const vol_t *b, const fsc_opts_t *o, const char *const name[3], err_t *err)
{
    if (o->randomise && !o->mask) return err_set(err, ERR_USAGE, "fsc: randomised phases without a mask");
    if (fsc_agree(a, name[0], b, name[1], err) || (o->mask && fsc_agree(a, name[0], o->mask, name[2], err))) return -1;
    if (check_volume(a, name[0], err) || check_volume(b, name[1], err)) return -1;
    return o->mask ? check_mask(o->mask, name[2], err) : 0;
}

/* ---- the curves ---- */

static int curves_new(const grid_t *g, const fsc_opts_t *o, fsc_t *f, err_t *err)
{
    *f = (fsc_t){.n = g->shells, .step = g->step, .count = mem_zero(g->shells, sizeof *f->count, err)};
    for (int k = 0; k < FSC_CURVES; k++) {
        if (k == FSC_UNMASKED || (o->mask && (k == FSC_MASKED || o->randomise))) f->curve[k] = mem_zero(g->shells, sizeof **f->curve, err);
        else continue;
        if (!f->curve[k]) return -1;
    }
    return f->count ? 0 : -1;
}

void fsc_free(fsc_t *f)
{
    mem_free(f->count);
    for (int k = 0; k < FSC_CURVES; k++) mem_free(f->curve[k]);
    *f = (fsc_t){0};
}

/* out = in * mask; out may be in. */
static void multiply(const float *in, const vol_t *mask, float *out)
{
    size_t plane = mask->nx * mask->ny;
#pragma omp parallel for schedule(static)
    for (size_t z = 0; z < mask->nz; z++)
        for (size_t i = z * plane; i < (z + 1) * plane; i++) out[i] = in[i] * mask->data[i];
}

static int transform(const grid_t *g, const float *in, cplx_t *out, err_t *err) { return fft_forward(g->n[0], g->n[1], g->n[2], in, out, err); }

/* c, the transform of a map -> that of the map with random phases, masked. */
static int randomise_masked(const grid_t *g, const vol_t *mask, size_t from, uint64_t seed, cplx_t *c, float *room, err_t *err)
{
    randomise(g, from, seed, c);
    if (fft_inverse(g->n[0], g->n[1], g->n[2], c, room, err)) return -1;
    multiply(room, mask, room);
    return transform(g, room, c, err);
}

static int masked(const grid_t *g, const vol_t *v, const vol_t *mask, cplx_t *c, float *room, err_t *err)
{
    multiply(v->data, mask, room);
    return transform(g, room, c, err);
}

static size_t first_below(const double *curve, size_t n, double threshold)
{
    size_t k = 1;
    while (k < n && curve[k] >= threshold) k++;
    return k;
}

static void correct(fsc_t *f)
{
    for (size_t k = 0; k < f->n; k++) {
        double t = f->curve[FSC_MASKED][k], r = f->curve[FSC_RANDOMISED][k];
        f->curve[FSC_CORRECTED][k] = !f->from || k < f->from + 2 ? t : r > t || r >= 1 ? 0 : (t - r) / (1 - r);
    }
}

/* fa and fb hold the transforms of a and b. */
static int with_mask(const grid_t *g, const vol_t *a, const vol_t *b, const fsc_opts_t *o, cplx_t *fa, cplx_t *fb, fsc_t *f, err_t *err)
{
    size_t from = first_below(f->curve[FSC_UNMASKED], f->n, FSC_RANDOMISE_AT);
    float *room = mem_new(vol_len(a), sizeof *room, err);
    int rc = room ? 0 : -1;
    if (!rc && o->randomise && from < f->n) {
        f->from = from;
        rc = randomise_masked(g, o->mask, from, o->seed, fa, room, err) ||
             randomise_masked(g, o->mask, from, o->seed + ((uint64_t)1 << 60), fb, room, err) ||
             correlate(g, fa, fb, f->curve[FSC_RANDOMISED], NULL, err);
    }
    if (!rc)
        rc = masked(g, a, o->mask, fa, room, err) || masked(g, b, o->mask, fb, room, err) ||
             correlate(g, fa, fb, f->curve[FSC_MASKED], NULL, err);
    if (!rc && o->randomise) correct(f);
    mem_free(room);
    return rc ? -1 : 0;
}

int fsc_make(const vol_t *a, const vol_t *b, const fsc_opts_t *opts, fsc_t *f, err_t *err)
{
    static const fsc_opts_t plain = {0};
    const fsc_opts_t *o = opts ? opts : &plain;
    const char *const name[3] = {o->name[0] ? o->name[0] : "first map", o->name[1] ? o->name[1] : "second map", o->name[2] ? o->name[2] : "mask"};
    cplx_t *fa = NULL, *fb = NULL;
    grid_t g;
    int rc = -1;
    *f = (fsc_t){0};
    if (check(a, b, o, name, err) || grid_of(a, &g, err) || curves_new(&g, o, f, err)) goto done;
    fa = mem_new(g.nxh * g.n[1] * g.n[2], sizeof *fa, err);
    fb = mem_new(g.nxh * g.n[1] * g.n[2], sizeof *fb, err);
    if (!fa || !fb || transform(&g, a->data, fa, err) || transform(&g, b->data, fb, err)) goto done;
    rc = correlate(&g, fa, fb, f->curve[FSC_UNMASKED], f->count, err);
    if (!rc && o->mask) rc = with_mask(&g, a, b, o, fa, fb, f, err);
done:
    mem_free(fa);
    mem_free(fb);
    if (rc) fsc_free(f);
    return rc;
}

/* ---- half-maps ---- */

/* a += the second volume, of which s gets what check_map looks at. */
static int add_planes(vol_t *a, fsc_read_t read, void *ctx, volstat_t *s, err_t *err)
{
    size_t len = a->nx * a->ny;
    float *plane = mem_new(len, sizeof *plane, err);
    int rc = plane ? 0 : -1;
    *s = (volstat_t){.min = INFINITY, .max = -INFINITY};
    for (size_t z = 0; !rc && z < a->nz; z++) {
        if ((rc = read(ctx, z, 1, plane, err)) != 0) break;
        for (size_t i = 0; i < len; i++) {
            if (!isfinite(plane[i])) s->bad++;
            s->min = fmin(s->min, (double)plane[i]);
            s->max = fmax(s->max, (double)plane[i]);
            a->data[z * len + i] += plane[i];
        }
    }
    mem_free(plane);
    return rc;
}

static void subtract(const grid_t *g, const cplx_t *f, cplx_t *sum)
{
    size_t plane = g->nxh * g->n[1];
#pragma omp parallel for schedule(static)
    for (size_t z = 0; z < g->n[2]; z++)
        for (size_t i = z * plane; i < (z + 1) * plane; i++) {
            sum[i][0] -= f[i][0];
            sum[i][1] -= f[i][1];
        }
}

int fsc_average(vol_t *a, fsc_read_t read, void *ctx, const char *const name[2], fsc_t *f, err_t *err)
{
    static const fsc_opts_t plain = {0};
    const char *first = name && name[0] ? name[0] : "first map", *second = name && name[1] ? name[1] : "second map";
    cplx_t *fa = NULL, *fb = NULL;
    grid_t g;
    volstat_t s;
    int rc = -1;
    *f = (fsc_t){0};
    if (check_volume(a, first, err) || grid_of(a, &g, err) || curves_new(&g, &plain, f, err)) goto done;
    fa = mem_new(g.nxh * g.n[1] * g.n[2], sizeof *fa, err);
    if (!fa || transform(&g, a->data, fa, err) || add_planes(a, read, ctx, &s, err) || check_map(&s, vol_len(a), second, err)) goto done;
    fb = mem_new(g.nxh * g.n[1] * g.n[2], sizeof *fb, err);
    if (!fb || transform(&g, a->data, fb, err)) goto done;
    subtract(&g, fa, fb);
    rc = correlate(&g, fa, fb, f->curve[FSC_UNMASKED], f->count, err);
    for (size_t i = 0; i < vol_len(a); i++) a->data[i] *= 0.5f;
done:
    mem_free(fa);
    mem_free(fb);
    if (rc) fsc_free(f);
    return rc;
}

/* ---- the resolution ---- */

fsckind_t fsc_best(const fsc_t *f) { return f->curve[FSC_CORRECTED] ? FSC_CORRECTED : f->curve[FSC_MASKED] ? FSC_MASKED : FSC_UNMASKED; }

double fsc_resolution(const fsc_t *f, fsckind_t kind, double threshold, bool *limited)
{
    const double *c = f->curve[kind];
    size_t k = first_below(c, f->n, threshold);
    if (limited) *limited = k == f->n;
    if (k == 1) return (double)NAN;
    if (k == f->n) return 1 / ((double)(k - 1) * f->step);
    return 1 / (((double)k - 1 + (c[k - 1] - threshold) / (c[k - 1] - c[k])) * f->step);
}
