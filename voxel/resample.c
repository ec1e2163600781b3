/* resample: Fourier crop and pad of a volume, axis by axis (see resample.h). */
#include "voxel/resample.h"

#include <math.h>
#include <omp.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/threads.h"
#include "voxel/fft.h"
#include "voxel/lines.h"

struct resample {
    vol_t in, out;      /* sides, voxel, origin; no data */
    lines_t *axis[3];   /* x, y, z; axes of equal sides share one */
    float *mid;         /* (nz,my,mx): the planes, reduced */
    bool *have;         /* (nz) */
    bool failed;        /* a source could not give a plane */
    float *work;        /* (threads,per_thread) */
    size_t threads, per_thread, planes;
};

/* A plane on its way: (nx,my) after the y pass, turned so that the x pass finds its lines side by side. */
static size_t turned_len(const resample_t *r) { return r->in.nx * r->out.ny; }

/* Workspace of one thread: a turned plane and what the largest axis needs, in whole rows to keep alignment. */
static int work_new(resample_t *r, err_t *err)
{
    size_t most = 0;
    for (int a = 0; a < 3; a++) {
        size_t n = lines_work(r->axis[a]);
        if (n > most) most = n;
    }
    r->per_thread = most + (turned_len(r) + LINES_W - 1) / LINES_W * LINES_W;
    r->threads = (size_t)threads_max();
    r->work = mem_zero(r->threads * r->per_thread, sizeof *r->work, err);
    return r->work ? 0 : -1;
}

resample_t *resample_begin(const vol_t *shape, size_t nx, size_t ny, size_t nz, err_t *err)
{
    size_t n[3] = {shape->nx, shape->ny, shape->nz}, m[3] = {nx, ny, nz};
    resample_t *r = mem_zero(1, sizeof *r, err);
    if (!r) return NULL;
    r->in = r->out = *shape;
    r->in.data = r->out.data = NULL;
    r->out.nx = nx;
    r->out.ny = ny;
    r->out.nz = nz;
    for (int a = 0; a < 3; a++) {
        if (!m[a] || m[a] > VOL_SIDE_MAX || !n[a] || n[a] > VOL_SIDE_MAX) {
            err_set(err, ERR_RANGE, "resample: %zu to %zu voxels (each side is 1 to %d)", n[a], m[a], VOL_SIDE_MAX);
            goto fail;
        }
        r->out.voxel[a] = (double)n[a] * shape->voxel[a] / (double)m[a];
        for (int b = 0; b < a; b++)
            if (n[b] == n[a] && m[b] == m[a]) r->axis[a] = r->axis[b];
        if (!r->axis[a] && !(r->axis[a] = lines_new(n[a], m[a], LINES_AUTO, err))) goto fail;
    }
    r->mid = mem_new(r->in.nz * ny * nx, sizeof *r->mid, err);
    r->have = mem_zero(r->in.nz, sizeof *r->have, err);
    if (!r->mid || !r->have || work_new(r, err)) goto fail;
    return r;
fail:
    resample_free(r);
    return NULL;
}

void resample_free(resample_t *r)
{
    if (!r) return;
    for (int a = 0; a < 3; a++) {
        bool shared = false;
        for (int b = 0; b < a; b++) shared = shared || r->axis[b] == r->axis[a];
        if (!shared) lines_free(r->axis[a]);
    }
    mem_free(r->mid);
    mem_free(r->have);
    mem_free(r->work);
    mem_free(r);
}

static size_t width(size_t c, size_t n) { return n - c < LINES_W ? n - c : LINES_W; }

/* in (ny,nx), `row` floats from row to row -> out (my,mx) */
static void plane(const resample_t *r, const float *in, size_t row, float *out, float *work)
{
    size_t nx = r->in.nx, my = r->out.ny, mx = r->out.nx;
    float *turned = work, *rest = work + r->per_thread - lines_work(r->axis[1]);
    for (size_t x = 0; x < nx; x += LINES_W)
        lines_run(r->axis[1], in + x, row, width(x, nx), true, turned + x * my, my, rest);
    rest = work + r->per_thread - lines_work(r->axis[0]);
    for (size_t y = 0; y < my; y += LINES_W)
        lines_run(r->axis[0], turned + y, my, width(y, my), true, out + y * mx, mx, rest);
}

static float *work_of(const resample_t *r) { return r->work + (size_t)omp_get_thread_num() * r->per_thread; }

int resample_part(resample_t *r, size_t z0, size_t nz, const float *data, size_t row, size_t area, err_t *err)
{
    size_t reduced = r->out.nx * r->out.ny;
    if (z0 > r->in.nz || nz > r->in.nz - z0)
        return err_set(err, ERR_USAGE, "resample: planes %zu to %zu of %zu", z0, z0 + nz, r->in.nz);
    for (size_t z = z0; z < z0 + nz; z++)
        if (r->have[z]) return err_set(err, ERR_USAGE, "resample: plane %zu came twice", z);
    memset(r->have + z0, true, nz);
    r->planes += nz;
#pragma omp parallel for schedule(dynamic) num_threads(r->threads)
    for (size_t z = 0; z < nz; z++)
        plane(r, data + z * area, row, r->mid + (z0 + z) * reduced, work_of(r));
    return 0;
}

int resample_slab(resample_t *r, size_t z0, size_t nz, const float *data, err_t *err)
{
    return resample_part(r, z0, nz, data, r->in.nx, r->in.nx * r->in.ny, err);
}

int resample_from(resample_t *r, resample_read_t read, void *ctx, err_t *err)
{
    size_t nz = r->in.nz, size = r->in.nx * r->in.ny, reduced = r->out.nx * r->out.ny;
    err_t first = {0}; /* of the threads */
    if (r->planes) return err_set(err, ERR_USAGE, "resample: planes came before");
    float *buf = mem_new(r->threads * size, sizeof *buf, err);
    if (!buf) return -1;
#pragma omp parallel for schedule(dynamic) num_threads(r->threads)
    for (size_t z = 0; z < nz; z++) {
        float *in = buf + (size_t)omp_get_thread_num() * size;
        err_t e = {0};
        bool stop;
#pragma omp atomic read
        stop = r->failed;
        if (stop) continue;
        if (!read(ctx, z, 1, in, &e)) {
            plane(r, in, r->in.nx, r->mid + z * reduced, work_of(r));
            continue;
        }
#pragma omp atomic write
        r->failed = true;
#pragma omp critical(resample_from)
        err_set(&first, e.code, "%s", e.msg);
    }
    mem_free(buf);
    if (r->failed) return err_set(err, first.code, "%s", first.msg);
    memset(r->have, true, nz);
    r->planes = nz;
    return 0;
}

vol_t *resample_end(resample_t *r, err_t *err)
{
    size_t cols = r->out.nx * r->out.ny;
    if (r->planes != r->in.nz) {
        err_set(err, ERR_USAGE, "resample: %zu planes of %zu came", r->planes, r->in.nz);
        return NULL;
    }
    vol_t *v = vol_new(r->out.nx, r->out.ny, r->out.nz, 1, err);
    if (!v) return NULL;
    memcpy(v->voxel, r->out.voxel, sizeof v->voxel);
    memcpy(v->origin, r->out.origin, sizeof v->origin);
#pragma omp parallel for schedule(dynamic) num_threads(r->threads)
    for (size_t c = 0; c < cols; c += LINES_W)
        lines_run(r->axis[2], r->mid + c, cols, width(c, cols), false, v->data + c, cols, work_of(r));
    return v;
}

vol_t *resample_box(const vol_t *v, size_t nx, size_t ny, size_t nz, err_t *err)
{
    resample_t *r = resample_begin(v, nx, ny, nz, err);
    vol_t *w = r && !resample_slab(r, 0, v->nz, v->data, err) ? resample_end(r, err) : NULL;
    resample_free(r);
    return w;
}

int resample_sides(const vol_t *v, double apix, size_t side[3], err_t *err)
{
    size_t n[3] = {v->nx, v->ny, v->nz};
    if (!(apix > 0) || !isfinite(apix)) return err_set(err, ERR_RANGE, "resample: voxel of %g angstrom", apix);
    for (int a = 0; a < 3; a++) {
        double half = round((double)n[a] * v->voxel[a] / apix / 2);
        if (!(half <= VOL_SIDE_MAX / 2))
            return err_set(err, ERR_RANGE, "resample: %zu voxels of %g angstrom to %g angstrom (at most %d voxels)", n[a],
                           v->voxel[a], apix, VOL_SIDE_MAX);
        side[a] = n[a] == 1 ? 1 : half < 1 ? 2 : 2 * (size_t)half;
    }
    return 0;
}

vol_t *resample_apix(const vol_t *v, double apix, err_t *err)
{
    size_t m[3];
    if (resample_sides(v, apix, m, err)) return NULL;
    return resample_box(v, m[0], m[1], m[2], err);
}

vol_t *resample_window(const vol_t *v, size_t nx, size_t ny, size_t nz, float fill, err_t *err)
{
    vol_t *w = vol_new(nx, ny, nz, 1, err);
    if (!w) return NULL;
    /* New voxel j is old voxel j + shift. */
    ptrdiff_t n[3] = {(ptrdiff_t)v->nx, (ptrdiff_t)v->ny, (ptrdiff_t)v->nz};
    ptrdiff_t m[3] = {(ptrdiff_t)nx, (ptrdiff_t)ny, (ptrdiff_t)nz}, shift[3], from[3], to[3];
    for (int a = 0; a < 3; a++) {
        shift[a] = n[a] / 2 - m[a] / 2;
        from[a] = shift[a] < 0 ? -shift[a] : 0; /* first and past-the-last new voxel that exists in the old */
        to[a] = m[a] < n[a] - shift[a] ? m[a] : n[a] - shift[a];
        w->voxel[a] = v->voxel[a];
        w->origin[a] = v->origin[a] + (double)shift[a] * v->voxel[a];
    }
#pragma omp parallel for schedule(static)
    for (ptrdiff_t z = 0; z < m[2]; z++)
        for (ptrdiff_t y = 0; y < m[1]; y++) {
            float *row = w->data + (z * m[1] + y) * m[0];
            bool inside = z >= from[2] && z < to[2] && y >= from[1] && y < to[1];
            for (ptrdiff_t x = 0; x < m[0]; x++)
                if (!inside || x < from[0] || x >= to[0]) row[x] = fill;
            if (!inside) continue;
            const float *old = v->data + ((z + shift[2]) * n[1] + y + shift[1]) * n[0] + shift[0];
            memcpy(row + from[0], old + from[0], (size_t)(to[0] - from[0]) * sizeof *row);
        }
    return w;
}

/* Index of frequency k (negative in the upper half) on n samples. */
static size_t slot(ptrdiff_t k, size_t n) { return (size_t)(k < 0 ? k + (ptrdiff_t)n : k); }

/* Weight of frequency k when going between n and m samples: see the header. */
static double weight(ptrdiff_t k, size_t n, size_t m)
{
    ptrdiff_t lo = (ptrdiff_t)(n < m ? n : m);
    return n != m && (2 * k == lo || 2 * k == -lo) ? 0.5 : 1;
}

/* F at (kx,ky,kz), any sign, from the half-complex f of v's sides. */
static void pick(const vol_t *v, cplx_t *f, ptrdiff_t kx, ptrdiff_t ky, ptrdiff_t kz, float c[2])
{
    float sign = 1;
    if (kx < 0) {
        kx = -kx;
        ky = -ky;
        kz = -kz;
        sign = -1;
    }
    const float *p = f[(slot(kz, v->nz) % v->nz * v->ny + slot(ky, v->ny) % v->ny) * (v->nx / 2 + 1) + (size_t)kx];
    c[0] = p[0];
    c[1] = sign * p[1];
}

/* g += weighted f, over all frequencies that both grids have. g (mz,my,mx/2+1). */
static void crop(const vol_t *v, cplx_t *f, const vol_t *w, cplx_t *g)
{
    ptrdiff_t lx = (ptrdiff_t)(v->nx < w->nx ? v->nx : w->nx) / 2, ly = (ptrdiff_t)(v->ny < w->ny ? v->ny : w->ny) / 2;
    ptrdiff_t lz = (ptrdiff_t)(v->nz < w->nz ? v->nz : w->nz) / 2;
    double scale = (double)vol_len(w) / (double)vol_len(v);
    /* With n == m even, -n/2 is n/2 and comes once. */
    ptrdiff_t fx = v->nx == w->nx && v->nx % 2 == 0 ? 1 : 0, fy = v->ny == w->ny && v->ny % 2 == 0 ? 1 : 0;
    ptrdiff_t fz = v->nz == w->nz && v->nz % 2 == 0 ? 1 : 0;
    for (ptrdiff_t kz = -lz + fz; kz <= lz; kz++)
        for (ptrdiff_t ky = -ly + fy; ky <= ly; ky++)
            for (ptrdiff_t kx = -lx + fx; kx <= lx; kx++) {
                size_t ix = slot(kx, w->nx) % w->nx;
                if (ix > w->nx / 2) continue; /* the half that is not stored */
                float c[2];
                double s = scale * weight(kx, v->nx, w->nx) * weight(ky, v->ny, w->ny) * weight(kz, v->nz, w->nz);
                float *to = g[(slot(kz, w->nz) % w->nz * w->ny + slot(ky, w->ny) % w->ny) * (w->nx / 2 + 1) + ix];
                pick(v, f, kx, ky, kz, c);
                to[0] += (float)(s * (double)c[0]);
                to[1] += (float)(s * (double)c[1]);
            }
}

vol_t *resample_ref(const vol_t *v, size_t nx, size_t ny, size_t nz, err_t *err)
{
    vol_t *w = vol_new(nx, ny, nz, 1, err);
    cplx_t *f = mem_new((v->nx / 2 + 1) * v->ny * v->nz, sizeof *f, err), *g = mem_zero((nx / 2 + 1) * ny * nz, sizeof *g, err);
    int bad = !w || !f || !g || fft_forward(v->nx, v->ny, v->nz, v->data, f, err);
    if (!bad) {
        crop(v, f, w, g);
        size_t n[3] = {v->nx, v->ny, v->nz}, m[3] = {nx, ny, nz};
        for (int a = 0; a < 3; a++) {
            w->voxel[a] = (double)n[a] * v->voxel[a] / (double)m[a];
            w->origin[a] = v->origin[a];
        }
        bad = fft_inverse(nx, ny, nz, g, w->data, err);
    }
    mem_free(f);
    mem_free(g);
    if (!bad) return w;
    vol_free(w);
    return NULL;
}
