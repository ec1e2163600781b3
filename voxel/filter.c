/* filter: radial filters in Fourier space (see filter.h). */
#include "voxel/filter.h"

#include <math.h>

#include "base/mem.h"
#include "voxel/fft.h"

/* Raised cosine from 1 to 0 around s0, width wide. */
static double edge_down(double s, double s0, double width)
{
    double t = (s - s0) / width + 0.5;
    return t <= 0 ? 1 : t >= 1 ? 0 : 0.5 * (1 + cos(M_PI * t));
}

double filter_gain(const filter_t *f, double s)
{
    double edge = f->edge > 0 ? f->edge : FILTER_EDGE, g = 1;
    s = fabs(s);
    if (f->lowpass > 0) g *= edge_down(s, 1 / f->lowpass, edge / f->lowpass);
    if (f->highpass > 0) g *= 1 - edge_down(s, 1 / f->highpass, edge / f->highpass);
    return g * exp(-(f->bfactor / 4 + 2 * M_PI * M_PI * f->sigma * f->sigma) * s * s);
}

static int check(const filter_t *f, err_t *err)
{
    const struct {
        const char *name;
        double value, min, max;
    } rows[] = {{"lowpass", f->lowpass, 0, 1e9},
                {"highpass", f->highpass, 0, 1e9},
                {"edge", f->edge, 0, 2},
                {"bfactor", f->bfactor, -1e9, 1e9},
                {"sigma", f->sigma, 0, 1e9}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!(rows[i].value >= rows[i].min && rows[i].value <= rows[i].max))
            return err_set(err, ERR_RANGE, "filter: %s %g (%g to %g)", rows[i].name, rows[i].value, rows[i].min, rows[i].max);
    return 0;
}

/* Frequency of slot i of n, 1/angstrom. */
static double freq(size_t i, size_t n, double voxel)
{
    double k = 2 * i > n ? (double)i - (double)n : (double)i;
    return k / ((double)n * voxel);
}

int filter_apply(vol_t *v, const filter_t *f, err_t *err)
{
    size_t nxh = v->nx / 2 + 1;
    if (check(f, err)) return -1;
    cplx_t *c = mem_new(nxh * v->ny * v->nz, sizeof *c, err);
    int rc = c && !fft_forward(v->nx, v->ny, v->nz, v->data, c, err) ? 0 : -1;
    if (rc) goto done;
#pragma omp parallel for schedule(static)
    for (size_t z = 0; z < v->nz; z++)
        for (size_t y = 0; y < v->ny; y++) {
            double sz = freq(z, v->nz, v->voxel[2]), sy = freq(y, v->ny, v->voxel[1]);
            cplx_t *row = c + (z * v->ny + y) * nxh;
            for (size_t x = 0; x < nxh; x++) {
                double sx = freq(x, v->nx, v->voxel[0]);
                float g = (float)filter_gain(f, sqrt(sx * sx + sy * sy + sz * sz));
                row[x][0] *= g;
                row[x][1] *= g;
            }
        }
    rc = fft_inverse(v->nx, v->ny, v->nz, c, v->data, err);
done:
    mem_free(c);
    return rc;
}
