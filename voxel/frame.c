/* frame: centre, size and principal axes of a density (see frame.h). */
#include "voxel/frame.h"

#include <gsl/gsl_eigen.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"

enum { NSUM = 10 }; /* 1, x, y, z, xx, yy, zz, xy, xz, yz in voxel units */

/* Sums over one plane z; x and y are in voxels. */
static void plane_sums(const vol_t *g, const float *w, size_t z, double s[NSUM])
{
    memset(s, 0, NSUM * sizeof *s);
    for (size_t y = 0; y < g->ny; y++) {
        const float *p = w + (z * g->ny + y) * g->nx;
        double a = 0, ax = 0, axx = 0;
        for (size_t x = 0; x < g->nx; x++) {
            if (!(p[x] > 0) || !isfinite(p[x])) continue;
            double m = (double)p[x], t = (double)x;
            a += m;
            ax += m * t;
            axx += m * t * t;
        }
        double yy = (double)y, zz = (double)z;
        const double row[NSUM] = {a, ax, a * yy, a * zz, axx, a * yy * yy, a * zz * zz, ax * yy, ax * zz, a * yy * zz};
        for (int k = 0; k < NSUM; k++) s[k] += row[k];
    }
}

/* Principal axes of the covariance c (3,3), largest first, right-handed; c is spoilt. The workspace is ours: GSL's own ends the process where there is no memory. */
void frame_axes(double c[3][3], frame_t *f)
{
    double work[4][3], vec[9], val[3];
    gsl_eigen_symmv_workspace ws = {.size = 3, .d = work[0], .sd = work[1], .gc = work[2], .gs = work[3]};
    gsl_matrix_view a = gsl_matrix_view_array(&c[0][0], 3, 3), e = gsl_matrix_view_array(vec, 3, 3);
    gsl_vector_view v = gsl_vector_view_array(val, 3);
    gsl_eigen_symmv(&a.matrix, &v.vector, &e.matrix, &ws);
    gsl_eigen_symmv_sort(&v.vector, &e.matrix, GSL_EIGEN_SORT_VAL_DESC);
    for (int k = 0; k < 3; k++) {
        f->moment[k] = val[k] > 0 ? val[k] : 0;
        for (int i = 0; i < 3; i++) f->axis[k][i] = vec[3 * i + k];
    }
    double(*r)[3] = f->axis;
    for (int i = 0; i < 3; i++) r[2][i] = r[0][(i + 1) % 3] * r[1][(i + 2) % 3] - r[0][(i + 2) % 3] * r[1][(i + 1) % 3];
}

int frame_of(const vol_t *grid, const float *w, frame_t *f, err_t *err)
{
    double(*part)[NSUM] = mem_new(grid->nz, sizeof *part, err), s[NSUM] = {0};
    if (!part) return -1;
#pragma omp parallel for schedule(static)
    for (size_t z = 0; z < grid->nz; z++) plane_sums(grid, w, z, part[z]);
    for (size_t z = 0; z < grid->nz; z++)
        for (int k = 0; k < NSUM; k++) s[k] += part[z][k];
    mem_free(part);
    if (!(s[0] > 0)) return err_set(err, ERR_RANGE, "frame: no density");

    const double *h = grid->voxel;
    double m[3], c[3][3];
    for (int i = 0; i < 3; i++) {
        m[i] = s[1 + i] / s[0];
        f->centre[i] = grid->origin[i] + h[i] * m[i];
    }
    static const int second[3][3] = {{4, 7, 8}, {7, 5, 9}, {8, 9, 6}};
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) c[i][j] = (s[second[i][j]] / s[0] - m[i] * m[j]) * h[i] * h[j];
    double rg2 = c[0][0] + c[1][1] + c[2][2];
    if (!(rg2 > 0)) return err_set(err, ERR_RANGE, "frame: the density is a single voxel");
    f->rg = sqrt(rg2);
    f->mass = s[0] * h[0] * h[1] * h[2];
    frame_axes(c, f);
    return 0;
}

void frame_shake(frame_t *f, double size, rng_t *r)
{
    double c[3][3] = {{0}}, sd = size * f->rg * f->rg / 3, trace = 0;
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            for (int k = 0; k < 3; k++) c[i][j] += f->moment[k] * f->axis[k][i] * f->axis[k][j];
    for (int i = 0; i < 3; i++)
        for (int j = i; j < 3; j++) {
            c[i][j] += sd * rng_normal(r);
            c[j][i] = c[i][j];
        }
    frame_axes(c, f);
    for (int k = 0; k < 3; k++) trace += f->moment[k];
    for (int k = 0; k < 3 && trace > 0; k++) f->moment[k] *= f->rg * f->rg / trace;
}
