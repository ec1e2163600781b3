/* picture: floats into bytes, greys, the contour's line (see picture.h). */
#include "src/picture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "voxel/flat.h"

static const double ROUND = 1.5;

void picture_free(picture_t *p)
{
    mem_free(p->px);
    *p = (picture_t){0};
}

void picture_rgb(uint32_t rgb, float out[3])
{
    for (int k = 0; k < 3; k++) out[k] = (float)(rgb >> (16 - 8 * k) & 255) / 255;
}

double picture_bar(double room, char text[32])
{
    double ten = pow(10, floor(log10(room) + 1e-9)), bar = ten * (room >= 5 * ten ? 5 : room >= 2 * ten ? 2 : 1);
    if (bar >= 100) snprintf(text, 32, "%g nm", bar / 10);
    else snprintf(text, 32, "%g \303\205", bar);
    return bar;
}

static unsigned char byte(float x) { return (unsigned char)(255 * (x > 0 ? x < 1 ? x : 1 : 0) + 0.5f); }

static int begin(picture_t *p, size_t w, size_t h, err_t *err)
{
    *p = (picture_t){mem_new(w * h, 4, err), w, h};
    return p->px ? 0 : -1;
}

int picture_surface(const surface_t *s, const camera_t *c, raycast_room_t *room, picture_t *p, err_t *err)
{
    float *rgba = mem_new(c->w * c->h, 4 * sizeof *rgba, err);
    int rc = rgba ? raycast(s, c, room, rgba, err) : -1;
    if (!rc) rc = begin(p, c->w, c->h, err);
    for (size_t i = 0; !rc && i < c->w * c->h; i++) {
        float a = rgba[4 * i + 3];
        for (size_t k = 0; k < 3; k++) p->px[4 * i + k] = a > 0 ? byte(rgba[4 * i + k] / a) : 0;
        p->px[4 * i + 3] = byte(a);
    }
    mem_free(rgba);
    return rc;
}

double picture_round(const vol_t *v, const double centre[3], double half, double middle[3])
{
    const double side[3] = {(double)v->nx, (double)v->ny, (double)v->nz};
    double edge = 0;
    for (int k = 0; k < 3; k++) edge = fmax(edge, side[k] * v->voxel[k]);
    bool whole = ROUND * 2 * half >= edge;
    for (int k = 0; k < 3; k++) middle[k] = whole ? v->origin[k] + 0.5 * (side[k] - 1) * v->voxel[k] : centre[k];
    return whole ? edge : ROUND * 2 * half;
}

static int by_value(const void *a, const void *b)
{
    float p = *(const float *)a, q = *(const float *)b;
    return p < q ? -1 : p > q;
}

/* What is drawn black and what white: of a sample of the finite values, all but the lowest and the highest few. */
static int limits(const flat_t *f, float *black, float *white, err_t *err)
{
    enum { SAMPLE = 20000 };
    size_t n = f->w * f->h, step = n / SAMPLE + 1, k = 0;
    float *x = mem_new(n / step + 1, sizeof *x, err);
    if (!x) return -1;
    for (size_t i = 0; i < n; i += step)
        if (isfinite(f->v[i])) x[k++] = f->v[i];
    qsort(x, k, sizeof *x, by_value);
    *black = k ? x[k / 200] : 0;
    *white = k ? x[k - 1 - k / 500] : 1;
    if (!(*white > *black) && k) *black = x[0], *white = x[k - 1];
    mem_free(x);
    return 0;
}

/* How much of the pixel a line where the picture crosses the level covers; none for a level of NAN. */
static float on_line(const float *x, size_t tile, size_t i, size_t j, float level)
{
    float here = x[j * tile + i] - level;
    if (!i || !j || i + 1 == tile || j + 1 == tile) return 0;
    float dx = (x[j * tile + i + 1] - x[j * tile + i - 1]) / 2, dy = (x[(j + 1) * tile + i] - x[(j - 1) * tile + i]) / 2, steep = sqrtf(dx * dx + dy * dy);
    float cover = 1.1f - fabsf(here) / steep;
    return steep > 0 && cover > 0 ? cover < 1 ? cover : 1 : 0;
}

static int paint(const flat_t *f, const double middle[2], double pitch, float level, size_t tile, picture_t *p, err_t *err)
{
    static const float line[3] = {1.0f, 0.62f, 0.10f};
    float black, white, *x = mem_new(tile * tile, sizeof *x, err);
    int rc = x && !limits(f, &black, &white, err) ? begin(p, tile, tile, err) : -1;
    if (!rc) flat_fit(f, middle, pitch, tile, tile, x);
    for (size_t n = 0; !rc && n < tile * tile; n++) {
        float grey = white > black ? (x[n] - black) / (white - black) : 0, cover = on_line(x, tile, n % tile, n / tile, level);
        grey = grey > 0 ? grey < 1 ? grey : 1 : 0;
        for (size_t k = 0; k < 3; k++) p->px[4 * n + k] = byte(grey * (1 - cover) + cover * line[k]);
        p->px[4 * n + 3] = isnan(x[n]) ? 0 : 255;
    }
    mem_free(x);
    return rc;
}

/* Ends f. */
static int drawn(int rc, const vol_t *v, raycastview_t view, flat_t *f, const double middle[3], double edge, float level, size_t tile, picture_t *p, err_t *err)
{
    double at[2];
    flat_where(v, view, middle, at);
    if (!rc) rc = paint(f, at, edge / (double)tile, level, tile, p, err);
    flat_free(f);
    return rc;
}

int picture_slice(const vol_t *v, raycastview_t view, const double centre[3], float level, const double middle[3], double edge, size_t tile, picture_t *p, err_t *err)
{
    flat_t f = {0};
    return drawn(flat_slice(v, view, centre, &f, err), v, view, &f, middle, edge, level, tile, p, err);
}

int picture_projection(const vol_t *v, raycastview_t view, const double middle[3], double edge, size_t tile, picture_t *p, err_t *err)
{
    flat_t f = {0};
    return drawn(flat_project(v, view, &f, err), v, view, &f, middle, edge, NAN, tile, p, err);
}
