/* sheet: tiles, labels and a scale bar (see sheet.h). */
#include "src/sheet.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "src/canvas.h"
#include "src/picture.h"

enum { GAP = 6, TITLE = 46, CAPTION = 20 }; /* units of the canvas */

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

/* A bar in the bottom left corner of the tile at (x,y), `pitch` angstrom a pixel. */
static void scale_bar(const draw_t *d, double x, double y, size_t tile, double pitch)
{
    char text[32];
    double bar = picture_bar(0.3 * pitch * (double)tile, text), units = bar / pitch / CANVAS_ZOOM, low = y + (double)tile / CANVAS_ZOOM - 8;
    canvas_rect(d->c, x + 8, low - 2.5, units, 2.5, d->ink);
    canvas_text(d->c, x + 8, low - 7, 10, 0, 0, d->ink, text);
}

static void caption(const draw_t *d, double x, size_t tile, double size, const char *text)
{
    canvas_text(d->c, x + 0.5 * (double)tile / CANVAS_ZOOM, d->top + (double)tile / CANVAS_ZOOM + 13, size, 0.5, 0, d->faint, text);
}

/* A picture at (x, top), on paper; ends it. */
static int put(const draw_t *d, double x, picture_t *p, err_t *err)
{
    size_t n = p->w * p->h;
    unsigned char *rgb = mem_new(n, 3, err);
    for (size_t i = 0; rgb && i < n; i++)
        for (size_t k = 0; k < 3; k++) {
            unsigned a = p->px[4 * i + 3], paper = d->paper >> (16 - 8 * k) & 255;
            rgb[3 * i + k] = (unsigned char)((p->px[4 * i + k] * a + paper * (255 - a) + 127) / 255);
        }
    if (rgb) canvas_image(d->c, x, d->top, rgb, p->w, p->h);
    picture_free(p);
    mem_free(rgb);
    return rgb ? 0 : -1;
}

static int draw_surface(const draw_t *d, size_t tile, err_t *err)
{
    const sheet_t *o = d->how;
    camera_t c = {.w = tile, .h = tile, .half = d->half, .radial = o->radial, .tube = o->tube, .n = o->tubes, .thick = PICTURE_TUBE};
    raycast_room_t room = {0};
    int rc = 0;
    memcpy(c.centre, d->centre, sizeof c.centre);
    picture_rgb(o->colour, c.colour);
    for (int k = 0; !rc && k < RAYCAST_VIEWS; k++) {
        double x = GAP + (double)k * ((double)tile / CANVAS_ZOOM + GAP);
        picture_t p = {0};
        char text[64];
        raycast_turn((raycastview_t)k, c.turn);
        rc = picture_surface(d->s, &c, &room, &p, err) ? -1 : put(d, x, &p, err);
        if (k == 0) scale_bar(d, x, d->top, tile, 2 * c.half / (double)tile);
        snprintf(text, sizeof text, "surface along %s", raycast_view[k]);
        caption(d, x, tile, 11, text);
    }
    raycast_room_free(&room);
    return rc;
}

static int draw_flat(const draw_t *d, size_t tile, double left, bool slice, err_t *err)
{
    double middle[3], edge = picture_round(d->v, d->centre, d->half, middle);
    int rc = 0;
    for (int k = 0; !rc && k < RAYCAST_VIEWS; k++) {
        double x = left + (double)k * ((double)tile / CANVAS_ZOOM + GAP);
        raycastview_t view = (raycastview_t)k;
        picture_t p = {0};
        char text[64];
        rc = slice ? picture_slice(d->v, view, d->centre, d->level, middle, edge, tile, &p, err) : picture_projection(d->v, view, middle, edge, tile, &p, err);
        if (!rc) rc = put(d, x, &p, err);
        snprintf(text, sizeof text, slice ? "slice, %s" : "projection, %s", raycast_view[k]);
        caption(d, x, tile, 9.5, text);
    }
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
