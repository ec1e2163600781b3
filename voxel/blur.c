/* blur: a separable Gaussian in real space (see blur.h). */
#include "voxel/blur.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

/* Half kernel k[0..r], sum of the whole 1; r is its reach in voxels. NULL: ERR_NOMEM. */
static float *half_kernel(double sigma, size_t *r, err_t *err)
{
    *r = (size_t)ceil(3.5 * sigma);
    float *k = mem_new(*r + 1, sizeof *k, err);
    double sum = 0;
    if (!k) return NULL;
    for (size_t i = 0; i <= *r; i++) sum += (i ? 2 : 1) * exp(-0.5 * (double)(i * i) / (sigma * sigma));
    for (size_t i = 0; i <= *r; i++) k[i] = (float)(exp(-0.5 * (double)(i * i) / (sigma * sigma)) / sum);
    return k;
}

typedef float four_t __attribute__((vector_size(16), aligned(4), may_alias));
enum { WIDE = 4 }; /* vectors at a time: their sums stay in registers */

/* n values at x, each with its neighbours up to r times `stride` floats on either side. */
static void blur_line(const float *x, size_t stride, float *y, size_t n, const float *k, size_t r)
{
    size_t i = 0;
    for (; i + 4 * WIDE <= n; i += 4 * WIDE) {
        four_t s[WIDE];
        for (size_t q = 0; q < WIDE; q++) s[q] = k[0] * *(const four_t *)(x + i + 4 * q);
        for (size_t j = 1; j <= r; j++) {
            const float *a = x + i - j * stride, *b = x + i + j * stride;
            for (size_t q = 0; q < WIDE; q++) s[q] += k[j] * (*(const four_t *)(a + 4 * q) + *(const four_t *)(b + 4 * q));
        }
        for (size_t q = 0; q < WIDE; q++) *(four_t *)(y + i + 4 * q) = s[q];
    }
    for (; i < n; i++) {
        float s = k[0] * x[i];
        for (size_t j = 1; j <= r; j++) s += k[j] * (x[i - j * stride] + x[i + j * stride]);
        y[i] = s;
    }
}

/* Along x: every row by itself. */
static int blur_x(vol_t *v, const float *k, size_t r, float outside, err_t *err)
{
    size_t n = v->nx, rows = v->ny * v->nz;
    int failed = 0;
#pragma omp parallel reduction(| : failed)
    {
        float *pad = mem_new(n + 2 * r, sizeof *pad, NULL);
        failed = !pad;
        if (pad)
            for (size_t i = 0; i < r; i++) pad[i] = pad[n + r + i] = outside;
#pragma omp for schedule(static)
        for (size_t row = 0; row < rows; row++) {
            if (!pad) continue;
            memcpy(pad + r, v->data + row * n, n * sizeof *pad);
            blur_line(pad + r, 1, v->data + row * n, n, k, r);
        }
        mem_free(pad);
    }
    return failed ? err_set(err, ERR_NOMEM, "memory: a row of %zu voxels", n) : 0;
}

/* Along y or z: a sheet of `len` lines of nx values, `stride` floats apart; whole rows are added at a time. tmp (len + 2r, nx), of which the
 * first and last r rows are what lies outside. */
static void blur_sheet(float *base, size_t nx, size_t len, size_t stride, const float *k, size_t r, float *tmp)
{
    for (size_t i = 0; i < len; i++) memcpy(tmp + (r + i) * nx, base + i * stride, nx * sizeof *tmp);
    for (size_t i = 0; i < len; i++) blur_line(tmp + (r + i) * nx, nx, base + i * stride, nx, k, r);
}

static int blur_yz(vol_t *v, int along_z, const float *k, size_t r, float outside, err_t *err)
{
    size_t len = along_z ? v->nz : v->ny, sheets = along_z ? v->ny : v->nz, plane = v->nx * v->ny;
    size_t stride = along_z ? plane : v->nx, step = along_z ? v->nx : plane;
    int failed = 0;
#pragma omp parallel reduction(| : failed)
    {
        const size_t edge = r * v->nx, all = 2 * edge + v->nx * len;
        float *tmp = mem_new(all, sizeof *tmp, NULL);
        failed = !tmp;
        for (size_t i = 0; tmp && i < edge; i++) tmp[i] = tmp[all - 1 - i] = outside;
#pragma omp for schedule(static)
        for (size_t s = 0; s < sheets; s++)
            if (tmp) blur_sheet(v->data + s * step, v->nx, len, stride, k, r, tmp);
        mem_free(tmp);
    }
    return failed ? err_set(err, ERR_NOMEM, "memory: a sheet of %zu x %zu voxels", v->nx, len) : 0;
}

int blur_gauss(const vol_t *in, vol_t *out, double sigma, double outside, err_t *err)
{
    if (in->nx != out->nx || in->ny != out->ny || in->nz != out->nz)
        return err_set(err, ERR_USAGE, "blur: volumes of unequal sides");
    if (in != out) memcpy(out->data, in->data, vol_len(in) * sizeof *in->data);
    for (int d = 0; d < 3; d++) {
        size_t r;
        if (!(sigma > 0)) continue;
        float *k = half_kernel(sigma / out->voxel[d], &r, err);
        if (!k) return -1;
        int rc = d == 0 ? blur_x(out, k, r, (float)outside, err) : blur_yz(out, d == 2, k, r, (float)outside, err);
        mem_free(k);
        if (rc) return -1;
    }
    return 0;
}
