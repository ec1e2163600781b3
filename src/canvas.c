/* canvas: the two kinds of sheet (see canvas.h). SVG is text as it comes; a PNG is painted by the part of each pixel that a line
 * covers, taken from the distance of its centre. */
#include "src/canvas.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/mem.h"
#include "src/png.h"
#include "src/strokes.h"

static const double PEN = 0.085; /* of a letter, in its size */

struct canvas {
    canvaskind_t kind;
    size_t w, h; /* units; below, pixels */
    char *text;  /* SVG */
    size_t used, cap;
    size_t pw, ph; /* PNG */
    unsigned char *px; /* (ph,pw,3) */
    float *cover;      /* (ph,pw) of the line that is being drawn; zeros between */
    size_t x0, x1, y0, y1; /* where that is not zero */
    err_t err;
};

canvaskind_t canvas_kind(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot && !strcasecmp(dot, ".svg") ? CANVAS_SVG : dot && !strcasecmp(dot, ".png") ? CANVAS_PNG : CANVAS_NONE;
}

/* ---- SVG ---- */

static void ERR_PRINTF(2, 3) put(canvas_t *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0 || mem_grow(&c->text, &c->cap, c->used + (size_t)n + 1, 1, &c->err)) return;
    va_start(ap, fmt);
    vsnprintf(c->text + c->used, (size_t)n + 1, fmt, ap);
    va_end(ap);
    c->used += (size_t)n;
}

static void put_escaped(canvas_t *c, const char *s)
{
    for (; *s; s++) {
        if (*s == '<') put(c, "&lt;");
        else if (*s == '>') put(c, "&gt;");
        else if (*s == '&') put(c, "&amp;");
        else if ((unsigned char)*s >= ' ') put(c, "%c", *s);
    }
}

/* ---- PNG ---- */

/* Where (x,y), pixels, is nearer than half a width to the segment from a to b, it is covered. */
static void cover_segment(canvas_t *c, const double a[2], const double b[2], double half)
{
    double lo[2], hi[2], d[2] = {b[0] - a[0], b[1] - a[1]}, len2 = d[0] * d[0] + d[1] * d[1];
    for (int i = 0; i < 2; i++) {
        lo[i] = fmin(a[i], b[i]) - half - 1;
        hi[i] = fmax(a[i], b[i]) + half + 1;
    }
    if (!(hi[0] > 0 && hi[1] > 0 && lo[0] < (double)c->pw && lo[1] < (double)c->ph)) return;
    size_t x0 = lo[0] > 0 ? (size_t)lo[0] : 0, y0 = lo[1] > 0 ? (size_t)lo[1] : 0;
    size_t x1 = (size_t)fmin(ceil(hi[0]), (double)c->pw), y1 = (size_t)fmin(ceil(hi[1]), (double)c->ph);
    for (size_t y = y0; y < y1; y++)
        for (size_t x = x0; x < x1; x++) {
            double px = (double)x + 0.5 - a[0], py = (double)y + 0.5 - a[1];
            double t = len2 > 0 ? fmax(0, fmin(1, (px * d[0] + py * d[1]) / len2)) : 0;
            double by = half + 0.5 - hypot(px - t * d[0], py - t * d[1]);
            float *at = &c->cover[y * c->pw + x];
            *at = fmaxf(*at, (float)fmax(0, fmin(1, by)));
        }
    c->x0 = x0 < c->x0 ? x0 : c->x0;
    c->y0 = y0 < c->y0 ? y0 : c->y0;
    c->x1 = x1 > c->x1 ? x1 : c->x1;
    c->y1 = y1 > c->y1 ? y1 : c->y1;
}

static void blend(canvas_t *c, size_t pixel, double part, uint32_t rgb)
{
    for (int k = 0; k < 3; k++) {
        unsigned char *p = &c->px[3 * pixel + (size_t)k];
        double ink = (double)((rgb >> (16 - 8 * k)) & 255);
        *p = (unsigned char)((double)*p + part * (ink - (double)*p) + 0.5);
    }
}

/* Paint what is covered, and clear it. */
static void ink(canvas_t *c, uint32_t rgb)
{
    for (size_t y = c->y0; y < c->y1; y++)
        for (size_t x = c->x0; x < c->x1; x++) {
            float *at = &c->cover[y * c->pw + x];
            if (*at > 0) blend(c, y * c->pw + x, (double)*at, rgb);
            *at = 0;
        }
    c->x0 = c->pw, c->y0 = c->ph, c->x1 = c->y1 = 0;
}

/* A line in dashes: the pieces that a pen along it draws. */
static void cover_dashes(canvas_t *c, const double (*p)[2], size_t n, double half, double dash)
{
    double at = 0; /* along the line, of the next point */
    for (size_t i = 0; i + 1 < n; i++) {
        double d[2] = {p[i + 1][0] - p[i][0], p[i + 1][1] - p[i][1]}, len = hypot(d[0], d[1]), s = 0;
        while (s < len) {
            double k = floor((at + s) / dash + 1e-9), e = fmin(len, (k + 1) * dash - at);
            const double a[2] = {p[i][0] + d[0] * s / len, p[i][1] + d[1] * s / len}, b[2] = {p[i][0] + d[0] * e / len, p[i][1] + d[1] * e / len};
            if (fmod(k, 2) < 0.5) cover_segment(c, a, b, half);
            s = e > s ? e : len;
        }
        at += len;
    }
}

typedef struct {
    canvas_t *c;
    double x, y, size; /* pixels: where the text begins */
    int upward;
} letters_t;

static void letter(void *ctx, const double (*p)[2], size_t n)
{
    const letters_t *l = ctx;
    double last[2] = {0};
    for (size_t i = 0; i < n; i++) {
        double along = p[i][0] * l->size, up = p[i][1] * l->size;
        const double q[2] = {l->upward ? l->x - up : l->x + along, l->upward ? l->y - along : l->y - up};
        if (i || n == 1) cover_segment(l->c, i ? last : q, q, l->size * PEN / 2);
        last[0] = q[0], last[1] = q[1];
    }
}

/* ---- both ---- */

canvas_t *canvas_new(canvaskind_t kind, size_t w, size_t h, err_t *err)
{
    canvas_t *c = mem_zero(1, sizeof *c, err);
    if (!c) return NULL;
    *c = (canvas_t){.kind = kind, .w = w, .h = h, .pw = w * CANVAS_ZOOM, .ph = h * CANVAS_ZOOM};
    c->x0 = c->pw, c->y0 = c->ph;
    if (kind == CANVAS_SVG) {
        put(c,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%zu\" height=\"%zu\" viewBox=\"0 0 %zu %zu\" "
            "font-family=\"Helvetica, Arial, 'DejaVu Sans', sans-serif\">\n",
            w, h, w, h);
        canvas_rect(c, 0, 0, (double)w, (double)h, 0xffffff);
        return c;
    }
    c->px = mem_new(c->pw * c->ph, 3, err);
    c->cover = mem_zero(c->pw * c->ph, sizeof *c->cover, err);
    if (!c->px || !c->cover) {
        canvas_free(c);
        return NULL;
    }
    memset(c->px, 255, c->pw * c->ph * 3);
    return c;
}

void canvas_free(canvas_t *c)
{
    if (!c) return;
    mem_free(c->text);
    mem_free(c->px);
    mem_free(c->cover);
    mem_free(c);
}

static void svg_line(canvas_t *c, const double (*p)[2], size_t n, double width, double dash, uint32_t rgb)
{
    put(c, "<polyline fill=\"none\" stroke=\"#%06x\" stroke-width=\"%.4g\" stroke-linejoin=\"round\" stroke-linecap=\"%s\"", (unsigned)rgb, width,
        dash > 0 ? "butt" : "round");
    if (dash > 0) put(c, " stroke-dasharray=\"%.4g\"", dash);
    put(c, " points=\"");
    for (size_t i = 0; i < n; i++) put(c, "%s%.2f,%.2f", i ? " " : "", p[i][0], p[i][1]);
    put(c, "\"/>\n");
}

void canvas_line(canvas_t *c, const double (*p)[2], size_t n, double width, double dash, uint32_t rgb)
{
    if (c->kind == CANVAS_SVG) {
        svg_line(c, p, n, width, dash, rgb);
        return;
    }
    double(*q)[2] = mem_new(n, sizeof *q, &c->err);
    if (!q) return;
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < 2; k++) q[i][k] = p[i][k] * CANVAS_ZOOM;
    if (dash > 0) cover_dashes(c, (const double(*)[2])q, n, width * CANVAS_ZOOM / 2, dash * CANVAS_ZOOM);
    else
        for (size_t i = 0; i + 1 < n; i++) cover_segment(c, q[i], q[i + 1], width * CANVAS_ZOOM / 2);
    ink(c, rgb);
    mem_free(q);
}

void canvas_rect(canvas_t *c, double x, double y, double w, double h, uint32_t rgb)
{
    if (c->kind == CANVAS_SVG) {
        put(c, "<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" fill=\"#%06x\"/>\n", x, y, w, h, (unsigned)rgb);
        return;
    }
    double x1 = fmin((x + w) * CANVAS_ZOOM, (double)c->pw), y1 = fmin((y + h) * CANVAS_ZOOM, (double)c->ph);
    for (size_t j = (size_t)fmax(0, y * CANVAS_ZOOM); (double)j < y1; j++)
        for (size_t i = (size_t)fmax(0, x * CANVAS_ZOOM); (double)i < x1; i++) blend(c, j * c->pw + i, 1, rgb);
}

void canvas_text(canvas_t *c, double x, double y, double size, double anchor, int upward, uint32_t rgb, const char *text)
{
    if (c->kind == CANVAS_SVG) {
        put(c, "<text x=\"%.2f\" y=\"%.2f\" font-size=\"%.4g\" fill=\"#%06x\" text-anchor=\"%s\"", x, y, size, (unsigned)rgb,
            anchor > 0.75 ? "end" : anchor > 0.25 ? "middle" : "start");
        if (upward) put(c, " transform=\"rotate(-90 %.2f %.2f)\"", x, y);
        put(c, ">");
        put_escaped(c, text);
        put(c, "</text>\n");
        return;
    }
    double back = anchor * strokes_width(text) * size;
    letters_t l = {c, (upward ? x : x - back) * CANVAS_ZOOM, (upward ? y + back : y) * CANVAS_ZOOM, size * CANVAS_ZOOM, upward};
    strokes_text(text, letter, &l);
    ink(c, rgb);
}

void canvas_image(canvas_t *c, double x, double y, const unsigned char *px, size_t w, size_t h)
{
    long left = lround(x * CANVAS_ZOOM), top = lround(y * CANVAS_ZOOM);
    for (long j = 0; c->kind == CANVAS_PNG && j < (long)h; j++)
        for (long i = 0; i < (long)w; i++)
            if (left + i >= 0 && top + j >= 0 && left + i < (long)c->pw && top + j < (long)c->ph)
                memcpy(c->px + 3 * ((size_t)(top + j) * c->pw + (size_t)(left + i)), px + 3 * ((size_t)j * w + (size_t)i), 3);
}

int canvas_write(canvas_t *c, const char *path, err_t *err)
{
    outfile_t out = {0};
    if (c->kind == CANVAS_SVG) put(c, "</svg>\n");
    if (c->err.code != ERR_OK) return err_set(err, c->err.code, "%s: %s", path, c->err.msg);
    if (c->kind == CANVAS_PNG) return png_write_rgb(path, c->px, c->pw, c->ph, err);
    if (outfile_open(&out, path, err)) return -1;
    fwrite(c->text, 1, c->used, out.f);
    return outfile_close(&out, err);
}
