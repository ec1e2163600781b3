/* sheet: tiles, labels and a scale bar (see sheet.h). */
#include "src/sheet.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "src/canvas.h"
#include "voxel/flat.h"
#include "voxel/raycast.h"

enum { GAP = 6, TITLE = 46, CAPTION = 20 }; /* units of the canvas */
static const double ROUND = 1.5;

typedef struct {
    const vol_t *v;
    const sheet_t *how;
    float level;
    surface_t *s;
    double centre[3], half; /* of it, angstrom */
    canvas_t *c;
    double top;          /* where the next row begins */
    size_t w, h;         /* units */
    uint32_t paper, ink, faint;
} draw_t;

static unsigned char byte(float x) { return (unsigned char)(255 * (x < 0 ? 0 : x > 1 ? 1 : x) + 0.5f); }

static float part(uint32_t rgb, int k) { return (float)(rgb >> (16 - 8 * k) & 255) / 255; }

double sheet_bar(double room)
{
    double ten = pow(10, floor(log10(room) + 1e-9));
    return ten * (room >= 5 * ten ? 5 : room >= 2 * ten ? 2 : 1);
}

/* A bar in the bottom left corner of the tile at (x,y), `pitch` angstrom a pixel. */
static void scale_bar(const draw_t *d, double x, double y, size_t tile, double pitch)
{
    double bar = sheet_bar(0.3 * pitch * (double)tile), units = bar / pitch / CANVAS_ZOOM, low = y + (double)tile / CANVAS_ZOOM - 8;
    char text[32];
    if (bar >= 100) snprintf(text, sizeof text, "%g nm", bar / 10);
    else snprintf(text, sizeof text, "%g \303\205", bar);
    canvas_rect(d->c, x + 8, low - 2.5, units, 2.5, d->ink);
    canvas_text(d->c, x + 8, low - 7, 10, 0, 0, d->ink, text);
}

static void caption(const draw_t *d, double x, size_t tile, double size, const char *text)
{
    canvas_text(d->c, x + 0.5 * (double)tile / CANVAS_ZOOM, d->top + (double)tile / CANVAS_ZOOM + 13, size, 0.5, 0, d->faint, text);
}

/* ---- the surface ---- */

static void on_paper(const draw_t *d, const float *rgba, size_t n, unsigned char *px)
{
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < 3; k++) px[3 * i + (size_t)k] = byte(rgba[4 * i + (size_t)k] + (1 - rgba[4 * i + 3]) * part(d->paper, k));
}

static int draw_surface(draw_t *d, size_t tile, err_t *err)
{
    const sheet_t *o = d->how;
    float *rgba = mem_new(tile * tile, 4 * sizeof *rgba, err);
    unsigned char *px = rgba ? mem_new(tile * tile, 3, err) : NULL;
    camera_t c = {.w = tile, .h = tile, .half = d->half, .radial = o->radial, .tube = o->tube, .n = o->tubes, .thick = SHEET_TUBE};
    raycast_room_t room = {0};
    int rc = px ? 0 : -1;
    memcpy(c.centre, d->centre, sizeof c.centre);
    for (int k = 0; k < 3; k++) c.colour[k] = part(o->colour, k);
    for (int k = 0; !rc && k < RAYCAST_VIEWS; k++) {
        double x = GAP + (double)k * ((double)tile / CANVAS_ZOOM + GAP);
        char text[64];
        raycast_turn((raycastview_t)k, c.turn);
        rc = raycast(d->s, &c, &room, rgba, err);
        if (rc) break;
        on_paper(d, rgba, tile * tile, px);
        canvas_image(d->c, x, d->top, px, tile, tile);
        if (k == 0) scale_bar(d, x, d->top, tile, 2 * c.half / (double)tile);
        snprintf(text, sizeof text, "surface along %s", raycast_view[k]);
        caption(d, x, tile, 11, text);
    }
    raycast_room_free(&room);
    mem_free(px);
    mem_free(rgba);
    return rc;
}

/* ---- slices and projections ---- */

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

/* How much of the pixel a line where the picture crosses the level covers. */
static float on_line(const float *x, size_t tile, size_t i, size_t j, float level)
{
    float here = x[j * tile + i] - level, steep;
    if (!i || !j || i + 1 == tile || j + 1 == tile) return 0;
    float dx = (x[j * tile + i + 1] - x[j * tile + i - 1]) / 2, dy = (x[(j + 1) * tile + i] - x[(j - 1) * tile + i]) / 2;
    steep = sqrtf(dx * dx + dy * dy);
    if (!(steep > 0)) return 0;
    return fmaxf(0, fminf(1, 1.1f - fabsf(here) / steep));
}

/* The tile of a picture; of a slice with the contour on it. */
static int paint(const draw_t *d, const flat_t *f, const double middle[2], double pitch, size_t tile, bool slice, unsigned char *px, err_t *err)
{
    static const float line[3] = {1.0f, 0.62f, 0.10f};
    float black, white, *x = mem_new(tile * tile, sizeof *x, err);
    if (!x || limits(f, &black, &white, err)) {
        mem_free(x);
        return -1;
    }
    flat_fit(f, middle, pitch, tile, tile, x);
    for (size_t j = 0; j < tile; j++)
        for (size_t i = 0; i < tile; i++) {
            float v = x[j * tile + i], grey = white > black ? (v - black) / (white - black) : 0, cover = slice ? on_line(x, tile, i, j, d->level) : 0;
            for (int k = 0; k < 3; k++)
                px[3 * (j * tile + i) + (size_t)k] = isnan(v) ? byte(part(d->paper, k)) : byte(fmaxf(0, fminf(1, grey)) * (1 - cover) + cover * line[k]);
        }
    mem_free(x);
    return 0;
}

/* What is round the surface, to ROUND times its size, or to the end of the box. */
static int draw_flat(draw_t *d, size_t tile, double left, bool slice, err_t *err)
{
    const vol_t *v = d->v;
    double edge = fmax((double)v->nx * v->voxel[0], fmax((double)v->ny * v->voxel[1], (double)v->nz * v->voxel[2]));
    bool whole = ROUND * 2 * d->half >= edge;
    double pitch = fmin(edge, ROUND * 2 * d->half) / (double)tile, place[3];
    unsigned char *px = mem_new(tile * tile, 3, err);
    int rc = px ? 0 : -1;
    const double side[3] = {(double)v->nx - 1, (double)v->ny - 1, (double)v->nz - 1};
    for (int k = 0; k < 3; k++) place[k] = whole ? v->origin[k] + 0.5 * side[k] * v->voxel[k] : d->centre[k];
    for (int k = 0; !rc && k < RAYCAST_VIEWS; k++) {
        double x = left + (double)k * ((double)tile / CANVAS_ZOOM + GAP), middle[2];
        flat_t f = {0};
        char text[64];
        rc = slice ? flat_slice(v, (raycastview_t)k, d->centre, &f, err) : flat_project(v, (raycastview_t)k, &f, err);
        flat_where(v, (raycastview_t)k, place, middle);
        if (!rc) rc = paint(d, &f, middle, pitch, tile, slice, px, err);
        flat_free(&f);
        if (rc) break;
        canvas_image(d->c, x, d->top, px, tile, tile);
        snprintf(text, sizeof text, slice ? "slice, %s" : "projection, %s", raycast_view[k]);
        caption(d, x, tile, 9.5, text);
    }
    mem_free(px);
    return rc;
}

/* ---- the sheet ---- */

/* Text that would be too wide ends in dots. */
static void line(const draw_t *d, double y, double size, uint32_t rgb, const char *text)
{
    size_t most = (size_t)((double)(d->w - 2 * GAP) / (0.6 * size)), n = strlen(text);
    char cut[512];
    if (n <= most || most < 8 || most > sizeof cut - 4) snprintf(cut, sizeof cut, "%s", text);
    else snprintf(cut, sizeof cut, "%.*s...", (int)(most - 3), text);
    canvas_text(d->c, GAP + 2, y, size, 0, 0, rgb, cut);
}

int sheet_write(const char *path, const vol_t *v, double level, const sheet_t *how, err_t *err)
{
    bool two = how->parts & SHEET_SLICES && how->parts & SHEET_PROJECTIONS, any = how->parts & (SHEET_SLICES | SHEET_PROJECTIONS);
    size_t unit = CANVAS_ZOOM * GAP, big = how->tile + how->tile % CANVAS_ZOOM;
    size_t small = two ? (3 * big + 2 * unit - 5 * unit) / 6 : big; /* as wide together */
    small -= small % CANVAS_ZOOM;
    draw_t d = {.v = v, .how = how, .level = (float)level, .w = 3 * big / CANVAS_ZOOM + 4 * GAP, .top = GAP};
    d.paper = how->dark ? 0x101216 : 0xffffff, d.ink = how->dark ? 0xe8e8e8 : 0x222222, d.faint = how->dark ? 0xa0a4aa : 0x6a6e74;
    if (how->title) d.top += TITLE;
    d.h = (size_t)d.top + (how->parts & SHEET_SURFACE ? big / CANVAS_ZOOM + CAPTION + GAP : 0) + (any ? small / CANVAS_ZOOM + CAPTION + GAP : 0);
    if (!(d.s = surface_new(v, level, how->specks, err))) return -1;
    raycast_frame(d.s, how->tube, how->tubes, d.centre, &d.half);
    if (!(d.c = canvas_new(CANVAS_PNG, d.w, d.h, err))) {
        surface_free(d.s);
        return -1;
    }
    canvas_rect(d.c, 0, 0, (double)d.w, (double)d.h, d.paper);
    if (how->title) line(&d, GAP + 18, 15, d.ink, how->title);
    if (how->title && how->note) line(&d, GAP + 37, 11, d.faint, how->note);
    int rc = how->parts & SHEET_SURFACE ? draw_surface(&d, big, err) : 0;
    if (how->parts & SHEET_SURFACE) d.top += (double)(big / CANVAS_ZOOM + CAPTION + GAP);
    double left = GAP;
    if (!rc && how->parts & SHEET_SLICES) {
        rc = draw_flat(&d, small, left, true, err);
        left += 3 * ((double)small / CANVAS_ZOOM + GAP);
    }
    if (!rc && how->parts & SHEET_PROJECTIONS) rc = draw_flat(&d, small, left, false, err);
    if (!rc) rc = canvas_write(d.c, path, err);
    canvas_free(d.c);
    surface_free(d.s);
    return rc;
}
