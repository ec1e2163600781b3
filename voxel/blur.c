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

/* One line of n values at x, of which `pad` on either side are readable. */
static void blur_line(const float *x, float *y, size_t n, const float *k, size_t r)
{
    for (size_t i = 0; i < n; i++) y[i] = k[0] * x[i];
    for (size_t j = 1; j <= r; j++) {
        const float *a = x - j, *b = x + j;
        float w = k[j];
        for (size_t i = 0; i < n; i++) y[i] += w * (a[i] + b[i]);
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
            blur_line(pad + r, v->data + row * n, n, k, r);
        }
        mem_free(pad);
    }
    return failed ? err_set(err, ERR_NOMEM, "memory: a row of %zu voxels", n) : 0;
}

/* Along y or z: a sheet of `len` lines of nx values, `stride` floats apart; whole rows are added at a time. */
static void blur_sheet(float *base, size_t nx, size_t len, size_t stride, const float *k, size_t r, float outside, float *tmp)
{
    for (size_t i = 0; i < len; i++) memcpy(tmp + i * nx, base + i * stride, nx * sizeof *tmp);
    for (size_t i = 0; i < len; i++) {
        float *y = base + i * stride;
        const float *c = tmp + i * nx;
        for (size_t x = 0; x < nx; x++) y[x] = k[0] * c[x];
        for (size_t j = 1; j <= r; j++) {
            const float *a = i >= j ? tmp + (i - j) * nx : NULL, *b = i + j < len ? tmp + (i + j) * nx : NULL;
            float w = k[j];
            for (size_t x = 0; x < nx; x++) y[x] += w * ((a ? a[x] : outside) + (b ? b[x] : outside));
        }
    }
}

static int blur_yz(vol_t *v, int along_z, const float *k, size_t r, float outside, err_t *err)
{
    size_t len = along_z ? v->nz : v->ny, sheets = along_z ? v->ny : v->nz, plane = v->nx * v->ny;
    size_t stride = along_z ? plane : v->nx, step = along_z ? v->nx : plane;
    int failed = 0;
#pragma omp parallel reduction(| : failed)
    {
        float *tmp = mem_new(v->nx * len, sizeof *tmp, NULL);
        failed = !tmp;
#pragma omp for schedule(static)
        for (size_t s = 0; s < sheets; s++)
            if (tmp) blur_sheet(v->data + s * step, v->nx, len, stride, k, r, outside, tmp);
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
