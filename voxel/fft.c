/* fft: transforms of real volumes in passes over independent lines (see fft.h).
 * Along x: the rows of one plane. Along y and z: blocks of BLOCK neighbouring columns, copied together so that
 * every stride is short whatever the size of the volume. */
#include "voxel/fft.h"

#include <fftw3.h>
#include <omp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/threads.h"

enum { BLOCK = 16 }; /* columns: 128 bytes, two cache lines */

struct fftplan {
    fftline_t line;
    fftwf_plan plan;
    struct fftplan *next;
};

/* FFTW's planner is one per process, and so is this list of what it made. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct fftplan *made;

static fftwf_plan plan_make(const fftline_t *l, void *a, void *b)
{
    int n = (int)l->n, many = (int)l->many, s = (int)l->stride, d = (int)l->dist;
    unsigned flags = FFTW_ESTIMATE | (l->to ? FFTW_PRESERVE_INPUT : FFTW_UNALIGNED); /* which does without SIMD */
    switch (l->kind) {
    case FFT_R2C: return fftwf_plan_many_dft_r2c(1, &n, many, a, NULL, s, d, b, NULL, s, d, flags);
    case FFT_C2R: return fftwf_plan_many_dft_c2r(1, &n, many, b, NULL, s, d, a, NULL, s, d, flags | FFTW_DESTROY_INPUT);
    case FFT_C2C:
    case FFT_C2C_BACK: {
        int sign = l->kind == FFT_C2C ? FFTW_FORWARD : FFTW_BACKWARD, to = l->to ? (int)l->to : s;
        return fftwf_plan_many_dft(1, &n, many, b, NULL, s, d, l->to ? a : b, NULL, to, d, sign, flags);
    }
    }
    return NULL;
}

static bool same(const fftline_t *a, const fftline_t *b)
{
    return a->kind == b->kind && a->n == b->n && a->many == b->many && a->stride == b->stride && a->dist == b->dist && a->to == b->to;
}

const fftplan_t *fft_plan(const fftline_t *line, err_t *err)
{
    size_t len = line->n * (line->to > line->stride ? line->to : line->stride) + line->many * line->dist;
    struct fftplan *p;
    pthread_mutex_lock(&lock);
    for (p = made; p && !same(&p->line, line); p = p->next) {}
    if (!p && (p = mem_zero(1, sizeof *p, err)) != NULL) {
        cplx_t *a = mem_new(len, sizeof *a, err); /* addresses for the planner, which leaves them alone */
        cplx_t *b = mem_new(len, sizeof *b, err);
        p->line = *line;
        if (a && b && !(p->plan = plan_make(line, a, b)))
            err_set(err, ERR_INTERNAL, "FFTW: no plan for %zu lines of %zu", line->many, line->n);
        mem_free(a);
        mem_free(b);
        if (p->plan) {
            p->next = made;
            made = p;
        } else {
            mem_free(p);
            p = NULL;
        }
    }
    pthread_mutex_unlock(&lock);
    return p;
}

void fft_run(const fftplan_t *p, void *in, void *out)
{
    switch (p->line.kind) {
    case FFT_R2C: fftwf_execute_dft_r2c(p->plan, in, out); break;
    case FFT_C2R: fftwf_execute_dft_c2r(p->plan, in, out); break;
    case FFT_C2C:
    case FFT_C2C_BACK: fftwf_execute_dft(p->plan, in, p->line.to ? out : in); break;
    }
}

/* Transform columns c0..c0+w-1 of a (n,stride) array in place; buf holds n * BLOCK. */
static void columns(const fftplan_t *p, cplx_t *a, size_t stride, size_t w, cplx_t *buf)
{
    size_t n = p->line.n;
    for (size_t i = 0; i < n; i++) memcpy(buf[i * BLOCK], a[i * stride], w * sizeof *a);
    fft_run(p, buf, buf);
    for (size_t i = 0; i < n; i++) memcpy(a[i * stride], buf[i * BLOCK], w * sizeof *a);
}

/* The y pass over one plane (ny,nxh). */
static void plane_columns(const fftplan_t *p, cplx_t *plane, size_t nxh, cplx_t *buf)
{
    for (size_t c = 0; c < nxh; c += BLOCK) columns(p, plane + c, nxh, nxh - c < BLOCK ? nxh - c : BLOCK, buf);
}

/* The z pass over the volume (nz,cols). buf: one of n * BLOCK for each thread. */
static void volume_columns(const fftplan_t *p, cplx_t *vol, size_t cols, cplx_t *buf)
{
#pragma omp parallel for schedule(static)
    for (size_t c = 0; c < cols; c += BLOCK)
        columns(p, vol + c, cols, cols - c < BLOCK ? cols - c : BLOCK,
                buf + (size_t)omp_get_thread_num() * p->line.n * BLOCK);
}

/* One zeroed buffer of max(ny,nz) * BLOCK for each thread: unused columns of a short block are transformed too. */
static cplx_t *buffers(size_t ny, size_t nz, err_t *err)
{
    return mem_zero((size_t)threads_max() * (ny > nz ? ny : nz) * BLOCK, sizeof(cplx_t), err);
}

static const fftplan_t *column_plan(fftkind_t kind, size_t n, err_t *err)
{
    return fft_plan(&(fftline_t){kind, n, BLOCK, BLOCK, 1, 0}, err);
}

int fft_forward(size_t nx, size_t ny, size_t nz, const float *in, cplx_t *out, err_t *err)
{
    size_t nxh = nx / 2 + 1;
    const fftplan_t *px = fft_plan(&(fftline_t){FFT_R2C, nx, 1, 1, nx, 0}, err);
    const fftplan_t *py = column_plan(FFT_C2C, ny, err), *pz = column_plan(FFT_C2C, nz, err);
    cplx_t *buf = buffers(ny, nz, err);
    if (!px || !py || !pz || !buf) {
        mem_free(buf);
        return -1;
    }
#pragma omp parallel for schedule(static)
    for (size_t z = 0; z < nz; z++) {
        cplx_t *plane = out + z * ny * nxh;
        for (size_t y = 0; y < ny; y++) /* r2c keeps its input, though FFTW's type does not say so */
            fft_run(px, (float *)(uintptr_t)(in + (z * ny + y) * nx), plane + y * nxh);
        if (ny > 1) plane_columns(py, plane, nxh, buf + (size_t)omp_get_thread_num() * ny * BLOCK);
    }
    if (nz > 1) volume_columns(pz, out, ny * nxh, buf);
    mem_free(buf);
    return 0;
}

int fft_inverse(size_t nx, size_t ny, size_t nz, cplx_t *in, float *out, err_t *err)
{
    size_t nxh = nx / 2 + 1;
    float scale = (float)(1 / ((double)nx * (double)ny * (double)nz));
    const fftplan_t *px = fft_plan(&(fftline_t){FFT_C2R, nx, 1, 1, nx, 0}, err);
    const fftplan_t *py = column_plan(FFT_C2C_BACK, ny, err), *pz = column_plan(FFT_C2C_BACK, nz, err);
    cplx_t *buf = buffers(ny, nz, err);
    if (!px || !py || !pz || !buf) {
        mem_free(buf);
        return -1;
    }
    if (nz > 1) volume_columns(pz, in, ny * nxh, buf);
#pragma omp parallel for schedule(static)
    for (size_t z = 0; z < nz; z++) {
        cplx_t *plane = in + z * ny * nxh;
        if (ny > 1) plane_columns(py, plane, nxh, buf + (size_t)omp_get_thread_num() * ny * BLOCK);
        for (size_t y = 0; y < ny; y++) {
            float *row = out + (z * ny + y) * nx;
            fft_run(px, plane + y * nxh, row);
            for (size_t x = 0; x < nx; x++) row[x] *= scale;
        }
    }
    mem_free(buf);
    return 0;
}
