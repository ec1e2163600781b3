/* softmask: contour, distance, cosine edge (see softmask.h). */
#include "voxel/softmask.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/mem.h"
#include "base/threads.h"
#include "voxel/contour.h"
#include "voxel/filter.h"

/* ---- squared distances, axis by axis ---- */

/* A line of n samples: what is there, and the lower envelope of the parabolas that stand on it. */
typedef struct {
    double *f, *start; /* start[k]: from where on parabola k is the lowest */
    size_t *at;        /* its foot */
} line_t;

/* f[i] = min over j of f[j] + (w (i - j))^2, in place; infinities stand for nothing. */
static void envelope(const line_t *l, size_t n, double w)
{
    size_t m = 0;
    double w2 = w * w;
    for (size_t i = 0; i < n; i++) {
        if (isinf(l->f[i])) continue;
        double s = -INFINITY;
        while (m) {
            double a = (double)l->at[m - 1], b = (double)i;
            s = (l->f[i] - l->f[l->at[m - 1]] + w2 * (b * b - a * a)) / (2 * w2 * (b - a));
            if (s > l->start[m - 1]) break;
            m--;
        }
        l->start[m] = m ? s : -INFINITY;
        l->at[m++] = i;
    }
    if (!m) return;
    double *out = l->start + n; /* the second half */
    for (size_t i = 0, k = 0; i < n; i++) {
        while (k + 1 < m && l->start[k + 1] < (double)i) k++;
        double d = ((double)i - (double)l->at[k]) * w;
        out[i] = d * d + l->f[l->at[k]];
    }
    memcpy(l->f, out, n * sizeof *out);
}

/* All lines along axis d of v; room: one line for each thread. */
static void along(vol_t *v, int d, const line_t *room)
{
    const size_t n[3] = {v->nx, v->ny, v->nz}, stride[3] = {1, v->nx, v->nx * v->ny};
    int outer = d == 2 ? 1 : 2, inner = d == 0 ? 1 : 0;
#pragma omp parallel for schedule(static)
    for (size_t o = 0; o < n[outer]; o++) {
        const line_t *l = &room[omp_get_thread_num()];
        for (size_t i = 0; i < n[inner]; i++) {
            float *p = v->data + o * stride[outer] + i * stride[inner];
            for (size_t k = 0; k < n[d]; k++) l->f[k] = (double)p[k * stride[d]];
            envelope(l, n[d], v->voxel[d]);
            for (size_t k = 0; k < n[d]; k++) p[k * stride[d]] = (float)l->f[k];
        }
    }
}

int softmask_distance(vol_t *v, const unsigned char *inside, err_t *err)
{
    size_t most = v->nx > v->ny ? v->nx : v->ny, threads = (size_t)threads_max();
    most = most > v->nz ? most : v->nz;
    double *real = mem_new(threads * most, 3 * sizeof *real, err);
    size_t *at = mem_new(threads * most, sizeof *at, err);
    line_t *room = mem_new(threads, sizeof *room, err);
    int rc = real && at && room ? 0 : -1;
    if (!rc) {
        for (size_t t = 0; t < threads; t++) room[t] = (line_t){real + 3 * t * most, real + (3 * t + 1) * most, at + t * most};
        for (size_t i = 0; i < vol_len(v); i++) v->data[i] = inside[i] ? 0 : INFINITY;
        for (int d = 0; d < 3; d++) along(v, d, room);
    }
    mem_free(real);
    mem_free(at);
    mem_free(room);
    return rc;
}

/* ---- the mask ---- */

static void soften(vol_t *v, double extend, double edge)
{
    size_t len = vol_len(v);
    for (size_t i = 0; i < len; i++) {
        double t = (sqrt((double)v->data[i]) - extend) / edge;
        v->data[i] = (float)(t <= 0 ? 1 : t >= 1 ? 0 : 0.5 * (1 + cos(M_PI * t)));
    }
}

vol_t *softmask_make(const vol_t *v, const softmask_opts_t *opts, err_t *err)
{
    softmask_opts_t o = opts ? *opts : (softmask_opts_t){0};
    filter_t low = {.lowpass = o.lowpass > 0 ? o.lowpass : SOFTMASK_LOWPASS};
    double side = fmax(v->voxel[0], fmax(v->voxel[1], v->voxel[2]));
    double extend = (o.extend > 0 ? o.extend : SOFTMASK_EXTEND) * side, edge = (o.edge > 0 ? o.edge : SOFTMASK_EDGE) * side;
    contour_t c;
    size_t inside;
    vol_t *m = vol_clone(v, err);
    unsigned char *bodies = NULL;
    int rc = m && !filter_apply(m, &low, err) && !contour_estimate(m, &c, err) ? 0 : -1;
    if (!rc) rc = (bodies = mem_new(vol_len(v), 1, err)) != NULL ? 0 : -1;
    if (!rc) rc = contour_mask(m, c.level, SOFTMASK_KEEP, bodies, &inside, err);
    if (!rc) rc = softmask_distance(m, bodies, err);
    if (!rc) soften(m, extend, edge);
    mem_free(bodies);
    if (!rc) return m;
    vol_free(m);
    return NULL;
}
