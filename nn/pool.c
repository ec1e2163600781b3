/* pool: mean, maximum and generalised mean over windows (see pool.h). */
#include "nn/pool.h"

#include <math.h>
#include <string.h>

enum { LANES = 16 };

/* A window of one block: its voxels are at x + ((z H + y) W + x) b. */
typedef struct {
    const float *x;
    size_t at, n[3], row, plane, b; /* at: floats from the start of the block */
} window_t;

static size_t whole(const poolshape_t *s, int d)
{
    return s->side ? s->side : s->in[d];
}

static size_t count(const poolshape_t *s, int d)
{
    return s->side ? s->out[d] : 1;
}

static window_t window(const poolshape_t *s, const float *x, size_t blk, size_t z, size_t y, size_t xx)
{
    window_t w = {.n = {whole(s, 0), whole(s, 1), whole(s, 2)}, .row = s->in[2] * s->b, .b = s->b};
    w.plane = w.row * s->in[1];
    w.at = blk * w.plane * s->in[0] + z * s->stride * w.plane + y * s->stride * w.row + xx * s->stride * s->b;
    w.x = x ? x + w.at : NULL;
    return w;
}

static size_t size(const window_t *w)
{
    return w->n[0] * w->n[1] * w->n[2];
}

static void sum_of(const window_t *w, double *sum)
{
    for (size_t l = 0; l < w->b; l++) sum[l] = 0;
    for (size_t z = 0; z < w->n[0]; z++)
        for (size_t y = 0; y < w->n[1]; y++) {
            const float *p = w->x + z * w->plane + y * w->row;
            float part[LANES] = {0};
            for (size_t i = 0; i < w->n[2]; i++)
                for (size_t l = 0; l < w->b; l++) part[l] += p[i * w->b + l];
            for (size_t l = 0; l < w->b; l++) sum[l] += (double)part[l];
        }
}

static void max_of(const window_t *w, float *most)
{
    for (size_t l = 0; l < w->b; l++) most[l] = w->x[l];
    for (size_t z = 0; z < w->n[0]; z++)
        for (size_t y = 0; y < w->n[1]; y++) {
            const float *p = w->x + z * w->plane + y * w->row;
            for (size_t i = 0; i < w->n[2]; i++)
                for (size_t l = 0; l < w->b; l++) {
                    float v = p[i * w->b + l];
                    most[l] = v > most[l] || v != v ? v : most[l];
                }
        }
}

/* mean of max(x,eps)^p, and with slope its derivative with respect to p */
static double power_of(const window_t *w, const poolshape_t *s, size_t l, double *slope)
{
    double sum = 0, ds = 0;
    for (size_t z = 0; z < w->n[0]; z++)
        for (size_t y = 0; y < w->n[1]; y++)
            for (size_t i = 0; i < w->n[2]; i++) {
                float v = w->x[z * w->plane + y * w->row + i * w->b + l];
                double c = v < s->eps ? (double)s->eps : (double)v, q = pow(c, (double)s->p);
                sum += q;
                ds += q * log(c);
            }
    if (slope) *slope = ds / (double)size(w);
    return sum / (double)size(w);
}

static size_t lanes_of(const poolshape_t *s, size_t blk)
{
    size_t left = s->c - blk * s->b;
    return left < s->b ? left : s->b;
}

static void one(const poolshape_t *s, const window_t *w, size_t lanes, float *y)
{
    double sum[LANES];
    if (s->kind == POOL_MAX) {
        max_of(w, y);
    } else if (s->kind == POOL_MEAN) {
        sum_of(w, sum);
        for (size_t l = 0; l < s->b; l++) y[l] = (float)(sum[l] / (double)size(w));
    } else {
        for (size_t l = 0; l < s->b; l++) y[l] = l < lanes ? (float)pow(power_of(w, s, l, NULL), 1 / (double)s->p) : 0;
    }
}

void pool_forward(const poolshape_t *s, const float *x, float *y)
{
    for (size_t blk = 0; blk < s->blocks; blk++)
        for (size_t z = 0; z < count(s, 0); z++)
            for (size_t yy = 0; yy < count(s, 1); yy++)
                for (size_t xx = 0; xx < count(s, 2); xx++, y += s->b) {
                    window_t w = window(s, x, blk, z, yy, xx);
                    one(s, &w, lanes_of(s, blk), y);
                }
}

static void back_mean(const window_t *w, const float *dy, float *dx)
{
    float f = 1 / (float)size(w);
    for (size_t z = 0; z < w->n[0]; z++)
        for (size_t y = 0; y < w->n[1]; y++)
            for (size_t i = 0; i < w->n[2]; i++) {
                float *p = dx + z * w->plane + y * w->row + i * w->b;
                for (size_t l = 0; l < w->b; l++) p[l] += dy[l] * f;
            }
}

static void back_max(const window_t *w, const float *dy, float *dx)
{
    size_t at[LANES] = {0};
    float most[LANES];
    for (size_t l = 0; l < w->b; l++) most[l] = w->x[l];
    for (size_t z = 0; z < w->n[0]; z++)
        for (size_t y = 0; y < w->n[1]; y++)
            for (size_t i = 0; i < w->n[2]; i++)
                for (size_t l = 0; l < w->b; l++) {
                    size_t k = z * w->plane + y * w->row + i * w->b;
                    float v = w->x[k + l];
                    bool more = v > most[l] || v != v;
                    most[l] = more ? v : most[l];
                    at[l] = more ? k : at[l];
                }
    for (size_t l = 0; l < w->b; l++) dx[at[l] + l] += dy[l];
}

/* y = m^(1/p): dy/dx = y / m mean' , dy/dp = y (m'/(p m) - log m / p^2) */
static void back_gem(const window_t *w, const poolshape_t *s, const float *dy, size_t lanes, float *dx, double *dp)
{
    double p = (double)s->p;
    for (size_t l = 0; l < lanes; l++) {
        double slope, m = power_of(w, s, l, &slope), y = pow(m, 1 / p), f = (double)dy[l] * y / m / (double)size(w);
        *dp += (double)dy[l] * y * (slope / (p * m) - log(m) / (p * p));
        for (size_t z = 0; z < w->n[0]; z++)
            for (size_t yy = 0; yy < w->n[1]; yy++)
                for (size_t i = 0; i < w->n[2]; i++) {
                    size_t k = z * w->plane + yy * w->row + i * w->b + l;
                    if (w->x[k] >= s->eps) dx[k] += (float)(f * pow((double)w->x[k], p - 1));
                }
    }
}

void pool_backward(const poolshape_t *s, const float *x, const float *dy, float *dx, bool sum, float *dp)
{
    double slope = 0;
    if (!sum) memset(dx, 0, s->blocks * s->b * s->in[0] * s->in[1] * s->in[2] * sizeof *dx);
    for (size_t blk = 0; blk < s->blocks; blk++)
        for (size_t z = 0; z < count(s, 0); z++)
            for (size_t y = 0; y < count(s, 1); y++)
                for (size_t xx = 0; xx < count(s, 2); xx++, dy += s->b) {
                    window_t w = window(s, x, blk, z, y, xx);
                    size_t left = lanes_of(s, blk);
                    if (s->kind == POOL_MEAN) back_mean(&w, dy, dx + w.at);
                    else if (s->kind == POOL_MAX) back_max(&w, dy, dx + w.at);
                    else back_gem(&w, s, dy, left, dx + w.at, &slope);
                }
    if (dp) *dp += (float)slope;
}
