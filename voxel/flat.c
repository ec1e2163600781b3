/* flat: planes and sums of planes (see flat.h). */
#include "voxel/flat.h"

#include <math.h>
#include <stdbool.h>

#include "base/mem.h"

/* Which axis of the volume goes to the right, which up, which along the line of sight; and whether it goes the other way. */
typedef struct {
    int right, up, along;
    int right_back, up_back;
} facing_t;

static facing_t facing(raycastview_t view)
{
    static const facing_t all[RAYCAST_VIEWS] = {{0, 1, 2, 0, 0}, {2, 1, 0, 1, 0}, {0, 2, 1, 0, 1}};
    return all[view];
}

static int begin(const vol_t *v, const facing_t *a, flat_t *f, err_t *err)
{
    const size_t side[3] = {v->nx, v->ny, v->nz};
    *f = (flat_t){side[a->right], side[a->up], {v->voxel[a->right], v->voxel[a->up]}, mem_new(side[a->right] * side[a->up], sizeof(float), err)};
    return f->v ? 0 : -1;
}

/* The voxel, at 0 along the line of sight, that goes to column i of row j; and the way to the next one along that line. */
static size_t first(const vol_t *v, const facing_t *a, size_t i, size_t j, size_t *next)
{
    const size_t side[3] = {v->nx, v->ny, v->nz}, step[3] = {1, v->nx, v->nx * v->ny};
    *next = step[a->along];
    return (a->right_back ? side[a->right] - 1 - i : i) * step[a->right] + (a->up_back ? j : side[a->up] - 1 - j) * step[a->up];
}

int flat_slice(const vol_t *v, raycastview_t view, const double place[3], flat_t *f, err_t *err)
{
    const size_t side[3] = {v->nx, v->ny, v->nz};
    const facing_t a = facing(view);
    double deep = (place[a.along] - v->origin[a.along]) / v->voxel[a.along], last = (double)side[a.along] - 1;
    size_t plane = (size_t)fmax(0, fmin(last, floor(deep + 0.5)));
    if (begin(v, &a, f, err)) return -1;
    for (size_t j = 0; j < f->h; j++)
        for (size_t i = 0; i < f->w; i++) {
            size_t next, at = first(v, &a, i, j, &next);
            float x = v->data[at + plane * next];
            f->v[j * f->w + i] = isfinite(x) ? x : NAN;
        }
    return 0;
}

/* Along y and z whole rows of x are added, since the memory lies so; `line` has room for a row. */
static void row_sums(const vol_t *v, const facing_t *a, flat_t *f, size_t j, double *line)
{
    const size_t side[3] = {v->nx, v->ny, v->nz};
    size_t next, at = first(v, a, 0, j, &next);
    for (size_t i = 0; i < f->w; i++) line[i] = 0;
    for (size_t k = 0; k < side[a->along]; k++)
        for (size_t i = 0; i < f->w; i++) {
            double x = (double)v->data[at + k * next + i];
            line[i] += isfinite(x) ? x : 0;
        }
    for (size_t i = 0; i < f->w; i++) f->v[j * f->w + i] = (float)(line[i] / (double)side[a->along]);
}

static void column_sums(const vol_t *v, const facing_t *a, flat_t *f, size_t i)
{
    for (size_t j = 0; j < f->h; j++) {
        size_t next, at = first(v, a, i, j, &next);
        double sum = 0;
        for (size_t k = 0; k < v->nx; k++) {
            double x = (double)v->data[at + k];
            sum += isfinite(x) ? x : 0;
        }
        f->v[j * f->w + i] = (float)(sum / (double)v->nx);
    }
}

int flat_project(const vol_t *v, raycastview_t view, flat_t *f, err_t *err)
{
    const facing_t a = facing(view);
    int failed = 0;
    if (begin(v, &a, f, err)) return -1;
    if (a.along == 0) {
#pragma omp parallel for schedule(static)
        for (size_t i = 0; i < f->w; i++) column_sums(v, &a, f, i);
        return 0;
    }
#pragma omp parallel reduction(| : failed)
    {
        double *line = mem_new(f->w, sizeof *line, NULL);
        failed |= !line;
#pragma omp for schedule(static)
        for (size_t j = 0; j < f->h; j++)
            if (line) row_sums(v, &a, f, j, line);
        mem_free(line);
    }
    if (!failed) return 0;
    flat_free(f);
    return err_set(err, ERR_NOMEM, "memory: a row of %zu voxels", v->nx);
}

void flat_where(const vol_t *v, raycastview_t view, const double place[3], double at[2])
{
    const size_t side[3] = {v->nx, v->ny, v->nz};
    const facing_t a = facing(view);
    const double right = (place[a.right] - v->origin[a.right]) / v->voxel[a.right], up = (place[a.up] - v->origin[a.up]) / v->voxel[a.up];
    at[0] = a.right_back ? (double)side[a.right] - 1 - right : right;
    at[1] = a.up_back ? up : (double)side[a.up] - 1 - up;
}

void flat_free(flat_t *f)
{
    mem_free(f->v);
    *f = (flat_t){0};
}

static float at(const flat_t *f, long i, long j)
{
    i = i < 0 ? 0 : i < (long)f->w ? i : (long)f->w - 1;
    j = j < 0 ? 0 : j < (long)f->h ? j : (long)f->h - 1;
    return f->v[(size_t)j * f->w + (size_t)i];
}

/* Weights of the four places about t, 0..1 from the second. */
static void weights(double t, bool cubic, double w[4])
{
    double t2 = t * t, t3 = t2 * t;
    w[0] = cubic ? (-t3 + 2 * t2 - t) / 2 : 0;
    w[1] = cubic ? (3 * t3 - 5 * t2 + 2) / 2 : 1 - t;
    w[2] = cubic ? (-3 * t3 + 4 * t2 + t) / 2 : t;
    w[3] = cubic ? (t3 - t2) / 2 : 0;
}

/* The value at column x, row y; NAN half a voxel outside. */
static double value(const flat_t *f, double x, double y, bool cubic)
{
    double wx[4], wy[4], sum = 0;
    if (!(x >= -0.5 && y >= -0.5 && x <= (double)f->w - 0.5 && y <= (double)f->h - 0.5)) return NAN;
    long i = (long)floor(x), j = (long)floor(y);
    weights(x - (double)i, cubic, wx);
    weights(y - (double)j, cubic, wy);
    for (int b = 0; b < 4; b++)
        for (int a = 0; a < 4; a++)
            if (wx[a] * wy[b] != 0) sum += wx[a] * wy[b] * (double)at(f, i + a - 1, j + b - 1);
    return sum;
}

void flat_fit(const flat_t *f, const double middle[2], double pitch, size_t w, size_t h, float *out)
{
    double coarse = pitch / fmin(f->pitch[0], f->pitch[1]);
    int m = coarse > 1 ? (int)fmin(16, ceil(coarse)) : 1;
#pragma omp parallel for schedule(static)
    for (size_t j = 0; j < h; j++)
        for (size_t i = 0; i < w; i++) {
            double sum = 0;
            for (int k = 0; k < m * m; k++) {
                double x = ((double)i + (k % m + 0.5) / m - 0.5 * (double)w) * pitch / f->pitch[0] + middle[0];
                double y = ((double)j + (k / m + 0.5) / m - 0.5 * (double)h) * pitch / f->pitch[1] + middle[1];
                sum += value(f, x, y, m == 1);
            }
            out[j * w + i] = (float)(sum / (m * m));
        }
}
