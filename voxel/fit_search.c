/* fit_search: the cross-correlation of a model with a map, for many rotations and all translations (see fit_priv.h).
 *
 * For each rotation the model's points are spread over the grid (trilinear), transformed, multiplied with the transform of the map,
 * and transformed back: the convolution theorem, Katchalski-Katzir et al. 1992, PNAS 89:2195. The map is filtered by the Laplacian,
 * so that surfaces count and a part finds its place in a whole, where without it the densest place would do: Chacon and Wriggers
 * 2002, J. Mol. Biol. 317:375.
 *
 * Two rotations go through together, as the real and the imaginary part of one density: the correlation is linear in it, and the
 * map is real. The box is no larger than what keeps the translations that are asked for from seeing the model come round again, in sides that FFTW
 * is fast at. What is known to be zero or is not asked for is left out: rows and planes beside the model, frequencies beyond the
 * ellipsoid of Nyquist, rows and planes of other translations. Between the passes along y there and back one slab (nz,nx) goes through
 * all of transform, product and inverse, so it stays in the cache. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "voxel/fft.h"
#include "voxel/fit_priv.h"

enum {
    FRINGE = 3, /* voxels beyond the box of translations in which the map may be more than 0 */
    PAIR = 2,   /* rotations that go through together */
    LINE = 4,   /* widths are multiples of this, */
    ODD = 8     /* and this many pairs lie between planes, so that columns do not fall on one another in the cache */
};

typedef struct {
    const vol_t *map;
    const points_t *m;
    size_t n[3], plane; /* of the box of the transforms; pairs from plane to plane */
    size_t mid, span;   /* the model is drawn about voxel (mid,mid,mid) and lies in 0..span-1 along each axis */
    long first[3];      /* voxel of the map where the centre is at translation 0, */
    size_t count[3];    /* the first of so many along each axis: those looked at */
    size_t *width;      /* (ny) kx that count by ky: 0..width-1 and nx-width..nx-1, or all where that is all */
    cplx_t *map_f;      /* (ny,nz,nx): slabs of ky */
    const fftplan_t *x_in, *x_out, *y, **z_in, **z_out; /* z (nx + 1) by width */
} search_t;

/* One for each thread. */
typedef struct {
    cplx_t *model; /* (span,span,nx) */
    cplx_t *one;   /* (ny,nx): a plane on its way in: 0 from row `span` on */
    cplx_t *in;    /* (nz,plane): 0 from plane `span` on */
    cplx_t *slab;  /* (nz,nx) */
    cplx_t *out;   /* (nz,plane) */
    cplx_t *other; /* (ny,nx): a plane on its way out */
    cplx_t *row;   /* (count[1],nx) */
} room_t;

/* ---- layout ---- */

/* What a transform of n samples takes, about, in those of the fastest (FFTW 3.3.10 with AVX, lines side by side); 0: not one of the sizes
 * that are used, which are even, so that rows are aligned. One codelet does 16, 20, 32 and 64 at once. */
static double time_of(size_t n)
{
    size_t m = n;
    while (m % 2 == 0) m /= 2;
    while (m % 3 == 0) m /= 3;
    while (m % 5 == 0) m /= 5;
    if (m > 1 || n % 2) return 0;
    if (n == 16 || n == 20 || n == 32 || n == 64) return 1;
    return n == 128 ? 1.6 : n % 4 ? 4 : 2.4;
}

/* The sides of the box, at least those of n: the fastest. */
static void good_box(size_t n[3])
{
    enum { TRIED = 24 };
    size_t side[3][TRIED], tried[3] = {0}, best[3];
    double least = INFINITY;
    for (int d = 0; d < 3; d++)
        for (size_t s = n[d]; tried[d] < TRIED && (s <= 2 * n[d] || !tried[d]); s++)
            if (time_of(s) > 0) side[d][tried[d]++] = s;
    for (size_t i = 0; i < tried[0]; i++)
        for (size_t j = 0; j < tried[1]; j++)
            for (size_t k = 0; k < tried[2]; k++) {
                size_t x = side[0][i], y = side[1][j], z = side[2][k];
                double t = (double)(x * y * z) * (time_of(x) + time_of(y) + 2 * time_of(z));
                if (!(t < least)) continue;
                least = t;
                best[0] = x;
                best[1] = y;
                best[2] = z;
            }
    memcpy(n, best, sizeof best);
}

static int lay_out(search_t *s, const double lo[3], const double hi[3], err_t *err)
{
    const vol_t *v = s->map;
    s->mid = (size_t)ceil(s->m->radius / v->voxel[0] + 1e-6);
    s->span = 2 * s->mid + 2;
    for (int d = 0; d < 3; d++) {
        long a = (long)ceil((lo[d] - v->origin[d]) / v->voxel[d] - 1e-6), b = (long)floor((hi[d] - v->origin[d]) / v->voxel[d] + 1e-6);
        s->first[d] = a;
        s->count[d] = b < a ? 1 : (size_t)(b - a) + 1;
        s->n[d] = s->count[d] + s->mid + FRINGE + 1;
        if (s->n[d] < s->span) s->n[d] = s->span;
        if (s->n[d] > VOL_SIDE_MAX) return err_set(err, ERR_RANGE, "a box of %zu voxels to search (at most %d); a larger step?", s->n[d], VOL_SIDE_MAX);
    }
    good_box(s->n);
    s->plane = s->n[1] * s->n[0] + ODD;
    return 0;
}

static const fftplan_t *way_back(size_t n, size_t many, size_t stride, size_t dist, size_t to, err_t *err)
{
    return fft_plan(&(fftline_t){FFT_C2C_BACK, n, many, stride, dist, to}, err);
}

static int make_plans(search_t *s, err_t *err)
{
    size_t nx = s->n[0], ny = s->n[1], nz = s->n[2];
    s->width = mem_new(ny, sizeof *s->width, err);
    s->z_in = mem_zero(nx + 1, sizeof *s->z_in, err);
    s->z_out = mem_zero(nx + 1, sizeof *s->z_out, err);
    if (!s->width || !s->z_in || !s->z_out) return -1;
    s->x_in = way_back(nx, s->span, 1, nx, 1, err);
    s->x_out = way_back(nx, s->count[1], 1, nx, 1, err);
    s->y = way_back(ny, nx, nx, 1, nx, err);
    if (!s->x_in || !s->x_out || !s->y) return -1;
    for (size_t y = 0; y < ny; y++) {
        double k = (double)(2 * y > ny ? ny - y : y) / ((double)ny / 2), most = sqrt(fmax(0, 1 - k * k)) * (double)nx / 2;
        size_t w = ((size_t)most + LINE) / LINE * LINE;
        s->width[y] = w = 2 * w < nx ? w : nx;
        if (!s->z_in[w]) s->z_in[w] = way_back(nz, w, s->plane, 1, nx, err);
        if (!s->z_out[w]) s->z_out[w] = way_back(nz, w, nx, 1, s->plane, err);
        if (!s->z_in[w] || !s->z_out[w]) return -1;
    }
    return 0;
}

/* ---- the map ---- */

static size_t wrapped(long at, size_t n)
{
    long m = at % (long)n;
    return (size_t)(m < 0 ? m + (long)n : m);
}

/* The map in the box: its voxel `first` at (mid,mid,mid), where the centre of the model is drawn. */
static void put_map(const search_t *s, float *box)
{
    const vol_t *v = s->map;
    for (size_t z = 0; z < v->nz; z++)
        for (size_t y = 0; y < v->ny; y++) {
            size_t bz = wrapped((long)(z + s->mid) - s->first[2], s->n[2]), by = wrapped((long)(y + s->mid) - s->first[1], s->n[1]);
            const float *from = v->data + vol_idx(v, 0, y, z);
            float *to = box + (bz * s->n[1] + by) * s->n[0];
            for (size_t x = 0; x < v->nx; x++) to[wrapped((long)(x + s->mid) - s->first[0], s->n[0])] += from[x];
        }
}

/* Square of a frequency, of Nyquist's. */
static double square_of(size_t k, size_t n)
{
    double f = (double)(2 * k > n ? n - k : k) / ((double)n / 2);
    return f * f;
}

/* The transform of the map's Laplacian (but for a factor), 0 beyond Nyquist's ellipsoid, scaled for the way back. */
static int transform_map(search_t *s, err_t *err)
{
    size_t nx = s->n[0], ny = s->n[1], nz = s->n[2], nxh = nx / 2 + 1, len = nx * ny * nz;
    float *box = mem_zero(len, sizeof *box, err);
    cplx_t *f = mem_new(nz * ny * nxh, sizeof *f, err);
    s->map_f = mem_new(len, sizeof *s->map_f, err);
    int rc = box && f && s->map_f ? 0 : -1;
    if (!rc) put_map(s, box);
    if (!rc) rc = fft_forward(nx, ny, nz, box, f, err);
    for (size_t y = 0; !rc && y < ny; y++)
        for (size_t z = 0; z < nz; z++)
            for (size_t x = 0; x < nx; x++) {
                double k2 = square_of(x, nx) + square_of(y, ny) + square_of(z, nz);
                float keep = k2 < 1 ? (float)(k2 / (double)len) : 0;
                bool half = x < nxh; /* the rest is conjugate */
                const float *from = half ? f[(z * ny + y) * nxh + x] : f[((nz - z) % nz * ny + (ny - y) % ny) * nxh + nx - x];
                float *to = s->map_f[(y * nz + z) * nx + x];
                to[0] = from[0] * keep;
                to[1] = half ? from[1] * keep : -from[1] * keep;
            }
    mem_free(box);
    mem_free(f);
    return rc;
}

/* ---- a pair of rotations ---- */

/* The rotated points, spread over part 0 (real) or 1 of room->model. */
static void draw(const search_t *s, const double r[3][3], size_t part, room_t *room)
{
    size_t nx = s->n[0], plane = s->span * nx;
    double inv = 1 / s->map->voxel[0];
    for (size_t i = 0; i < s->m->n; i++) {
        const double *p = s->m->p[i];
        size_t at[3];
        float f[3], w = s->m->w[i];
        for (int d = 0; d < 3; d++) {
            double u = (r[d][0] * p[0] + r[d][1] * p[1] + r[d][2] * p[2]) * inv + (double)s->mid;
            at[d] = (size_t)u;
            f[d] = (float)(u - (double)at[d]);
        }
        float *q = room->model[at[2] * plane + at[1] * nx + at[0]] + part;
        for (int z = 0; z < 2; z++)
            for (int y = 0; y < 2; y++) {
                float wyz = w * (z ? f[2] : 1 - f[2]) * (y ? f[1] : 1 - f[1]), *line = q + 2 * ((size_t)z * plane + (size_t)y * nx);
                line[0] += wyz * (1 - f[0]);
                line[2] += wyz * f[0];
            }
    }
}

/* a *= b, pairwise. */
static void product(cplx_t *a, const cplx_t *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float re = a[i][0] * b[i][0] - a[i][1] * b[i][1], im = a[i][0] * b[i][1] + a[i][1] * b[i][0];
        a[i][0] = re;
        a[i][1] = im;
    }
}

/* One ky, kx from `x` to x + w: along z, times the map, back. */
static void slab(const search_t *s, size_t y, size_t x, size_t w, room_t *room)
{
    size_t nx = s->n[0], nz = s->n[2];
    fft_run(s->z_in[w], room->in + y * nx + x, room->slab + x);
    for (size_t z = 0; z < nz; z++) product(room->slab + z * nx + x, (const cplx_t *)s->map_f + (y * nz + z) * nx + x, w);
    fft_run(s->z_out[w], room->slab + x, room->out + y * nx + x);
}

/* The highest value of either part among the translations that are looked at, and where; the first in order z, y, x where they tie. */
static void highest(const search_t *s, room_t *room, found_t found[PAIR], size_t best[PAIR][3])
{
    size_t nx = s->n[0];
    float top[PAIR] = {-INFINITY, -INFINITY};
    for (size_t z = 0; z < s->count[2]; z++) {
        fft_run(s->y, room->out + z * s->plane, room->other);
        fft_run(s->x_out, room->other, room->row);
        for (size_t y = 0; y < s->count[1]; y++)
            for (size_t x = 0; x < s->count[0]; x++) {
                const float *v = room->row[y * nx + x];
                for (size_t p = 0; p < PAIR; p++) {
                    if (!(v[p] > top[p])) continue;
                    top[p] = v[p];
                    best[p][0] = x;
                    best[p][1] = y;
                    best[p][2] = z;
                }
            }
    }
    for (size_t p = 0; p < PAIR; p++) found[p].score = (double)top[p];
}

/* Rotations `first` and the one after it of n; found is theirs. */
static void some_rotations(const search_t *s, room_t *room, size_t first, size_t n, found_t *found)
{
    size_t nx = s->n[0], ny = s->n[1], best[PAIR][3] = {{0}};
    found_t pair[PAIR] = {{0}};
    memset(room->model, 0, s->span * s->span * nx * sizeof *room->model);
    for (size_t p = 0; p < PAIR && first + p < n; p++) {
        double q[4];
        pair[p].rotation = first + p;
        pose_spread(first + p, n, q);
        pose_matrix(q, pair[p].pose.r);
        draw(s, pair[p].pose.r, p, room);
    }
    for (size_t z = 0; z < s->span; z++) {
        fft_run(s->x_in, room->model + z * s->span * nx, room->one);
        fft_run(s->y, room->one, room->in + z * s->plane);
    }
    for (size_t y = 0; y < ny; y++) {
        size_t w = s->width[y];
        slab(s, y, 0, w, room);
        if (w < nx) slab(s, y, nx - w, w, room);
    }
    highest(s, room, pair, best);
    for (size_t p = 0; p < PAIR && first + p < n; p++) {
        for (int d = 0; d < 3; d++) pair[p].pose.t[d] = s->map->origin[d] + s->map->voxel[d] * (double)(s->first[d] + (long)best[p][d]);
        found[p] = pair[p];
    }
}

/* ---- all of them ---- */

static bool room_new(const search_t *s, room_t *r)
{
    size_t flat = s->n[0] * s->n[1], deep = s->n[2] * s->plane;
    r->model = mem_new(s->span * s->span, s->n[0] * sizeof *r->model, NULL);
    r->one = mem_zero(flat, sizeof *r->one, NULL);
    r->in = mem_zero(deep, sizeof *r->in, NULL);
    r->slab = mem_new(s->n[2] * s->n[0], sizeof *r->slab, NULL);
    r->out = mem_zero(deep, sizeof *r->out, NULL);
    r->other = mem_new(flat, sizeof *r->other, NULL);
    r->row = mem_new(s->count[1], s->n[0] * sizeof *r->row, NULL);
    return r->model && r->one && r->in && r->slab && r->out && r->other && r->row;
}

static void room_free(room_t *r)
{
    mem_free(r->model);
    mem_free(r->one);
    mem_free(r->in);
    mem_free(r->slab);
    mem_free(r->out);
    mem_free(r->other);
    mem_free(r->row);
}

int fit_search(const vol_t *map, const points_t *m, const double lo[3], const double hi[3], size_t n, found_t *found, err_t *err)
{
    search_t s = {.map = map, .m = m};
    int rc = lay_out(&s, lo, hi, err) || make_plans(&s, err) || transform_map(&s, err) ? -1 : 0;
    bool begun = rc == 0, failed = false;
#pragma omp parallel if (begun)
    {
        room_t room = {0};
        bool ready = begun && room_new(&s, &room);
#pragma omp for schedule(dynamic, 2)
        for (size_t i = 0; i < n; i += PAIR)
            if (ready) some_rotations(&s, &room, i, n, found + i);
        if (begun && !ready) {
#pragma omp atomic write
            failed = true;
        }
        room_free(&room);
    }
    if (failed) rc = err_set(err, ERR_NOMEM, "no memory for a box of %zu x %zu x %zu voxels on each thread", s.n[0], s.n[1], s.n[2]);
    mem_free(s.width);
    mem_free(s.z_in);
    mem_free(s.z_out);
    mem_free(s.map_f);
    return rc;
}
