/* fscplot: axes, curves, thresholds, legend (see fscplot.h). */
#include "src/fscplot.h"

#include <math.h>
#include <stdio.h>

#include "base/mem.h"

enum { WIDTH = 760, HEIGHT = 520, LEFT = 72, RIGHT = 24, TOP = 74, BOTTOM = 78 };
enum { INK = 0x222222, FAINT = 0xe4e4e4, GREY = 0x6e6e6e };
static const double SMALL = 13, NORMAL = 15, LARGE = 19; /* text */

/* Colours that the colour-blind tell apart, and the words of the legend. */
static const struct {
    uint32_t rgb;
    const char *label;
} curve[FSC_CURVES] = {[FSC_UNMASKED] = {0x0072b2, "unmasked"},
                       [FSC_MASKED] = {0x009e73, "masked"},
                       [FSC_RANDOMISED] = {0xd55e00, "random phases"},
                       [FSC_CORRECTED] = {0x000000, "corrected"}};

typedef struct {
    canvas_t *c;
    const fsc_t *f;
    double right, low; /* the frequency at the right edge; the correlation at the bottom */
} plot_t;

static double at_x(const plot_t *p, double s) { return LEFT + s / p->right * (WIDTH - LEFT - RIGHT); }
static double at_y(const plot_t *p, double v) { return TOP + (1 - v) / (1 - p->low) * (HEIGHT - TOP - BOTTOM); }

static void segment(const plot_t *p, double x0, double y0, double x1, double y1, double width, double dash, uint32_t rgb)
{
    const double q[2][2] = {{x0, y0}, {x1, y1}};
    canvas_line(p->c, q, 2, width, dash, rgb);
}

/* 1, 2 or 5 times a power of ten: the least that makes at most `most` steps of a range. */
static double tick(double range, int most)
{
    double ten = pow(10, floor(log10(range / most)));
    for (int k = 0; k < 3; k++) {
        double step = ten * (k == 0 ? 1 : k == 1 ? 2 : 5);
        if (range / step <= most + 1e-9) return step;
    }
    return 10 * ten;
}

static void x_axis(const plot_t *p)
{
    double step = tick(p->right, 12), bottom = at_y(p, p->low);
    int digits = (int)fmax(0, ceil(-log10(step) - 1e-9));
    char text[64];
    for (int i = 0; i * step <= p->right * (1 + 1e-9); i++) {
        double s = i * step, x = at_x(p, s);
        if (i) segment(p, x, at_y(p, 1), x, bottom, 1, 0, FAINT);
        segment(p, x, bottom, x, bottom + 5, 1, 0, INK);
        snprintf(text, sizeof text, "%.*f", i ? digits : 0, s);
        canvas_text(p->c, x, bottom + 20, SMALL, 0.5, 0, INK, text);
        if (i) snprintf(text, sizeof text, 1 / s < 9.95 ? "%.2f" : 1 / s < 99.5 ? "%.1f" : "%.0f", 1 / s);
        if (i) canvas_text(p->c, x, bottom + 37, SMALL, 0.5, 0, GREY, text);
    }
    canvas_text(p->c, LEFT - 12, bottom + 37, SMALL, 1, 0, GREY, "\303\205");
    canvas_text(p->c, (LEFT + WIDTH - RIGHT) / 2.0, bottom + 62, NORMAL, 0.5, 0, INK,
                "spatial frequency (1/\303\205), and resolution (\303\205) below it");
}

static void y_axis(const plot_t *p)
{
    char text[32];
    for (int i = (int)ceil(p->low * 5 - 1e-9); i <= 5; i++) {
        double y = at_y(p, i / 5.0);
        segment(p, LEFT, y, WIDTH - RIGHT, y, 1, 0, i ? FAINT : GREY);
        segment(p, LEFT - 5, y, LEFT, y, 1, 0, INK);
        snprintf(text, sizeof text, "%.1f", i / 5.0);
        canvas_text(p->c, LEFT - 10, y + 4.5, SMALL, 1, 0, INK, text);
    }
    canvas_text(p->c, 24, (at_y(p, 1) + at_y(p, p->low)) / 2, NORMAL, 0.5, 1, INK, "Fourier shell correlation");
}

static void frame(const plot_t *p)
{
    const double l = LEFT, r = WIDTH - RIGHT, t = at_y(p, 1), b = at_y(p, p->low), q[5][2] = {{l, t}, {r, t}, {r, b}, {l, b}, {l, t}};
    canvas_line(p->c, q, 5, 1, 0, INK);
}

static int draw_curve(const plot_t *p, int kind, err_t *err)
{
    double(*q)[2] = mem_new(p->f->n, sizeof *q, err);
    if (!q) return -1;
    for (size_t k = 0; k < p->f->n; k++) {
        q[k][0] = at_x(p, (double)k * p->f->step);
        q[k][1] = at_y(p, fmax(p->low, p->f->curve[kind][k]));
    }
    canvas_line(p->c, (const double(*)[2])q, p->f->n, 2, 0, curve[kind].rgb);
    mem_free(q);
    return 0;
}

enum { LEGEND = 160, ROW = 22 }; /* width; height of a row */

/* Whether a curve comes where the legend would lie in the top right corner. */
static bool in_the_way(const plot_t *p, int rows)
{
    for (int k = 0; k < FSC_CURVES; k++)
        for (size_t i = 0; p->f->curve[k] && i < p->f->n; i++)
            if (at_x(p, (double)i * p->f->step) > WIDTH - RIGHT - LEGEND - 30 && at_y(p, p->f->curve[k][i]) < TOP + 14 + ROW * rows + 16) return true;
    return false;
}

/* On white, in the top right corner, or else the bottom left, where curves that stay high leave room. */
static void legend(const plot_t *p)
{
    int rows = 0;
    for (int k = 0; k < FSC_CURVES; k++) rows += p->f->curve[k] != NULL;
    bool high = in_the_way(p, rows);
    double x = high ? LEFT + 12 : WIDTH - RIGHT - LEGEND - 12, y = high ? at_y(p, 0.2) - ROW * rows - 16 : TOP + 14;
    canvas_rect(p->c, x, y, LEGEND, ROW * rows + 10, 0xffffff);
    for (int k = 0; k < FSC_CURVES; k++) {
        if (!p->f->curve[k]) continue;
        y += ROW;
        segment(p, x + 10, y - 5, x + 40, y - 5, 2.5, 0, curve[k].rgb);
        canvas_text(p->c, x + 50, y, SMALL, 0, 0, INK, curve[k].label);
    }
}

/* How high the curves come between two places across, at their corners and at both ends. */
static double crest(const plot_t *p, double x0, double x1)
{
    double y = at_y(p, p->low), per = at_x(p, p->f->step) - LEFT;
    for (int k = 0; k < FSC_CURVES; k++) {
        const double *c = p->f->curve[k];
        for (size_t i = 0; c && i + 1 < p->f->n; i++) {
            double x = LEFT + per * (double)i, from = fmax(x, x0), to = fmin(x + per, x1), slope = (c[i + 1] - c[i]) / per;
            if (from <= to) y = fmin(y, at_y(p, fmax(c[i] + slope * (from - x), c[i] + slope * (to - x))));
        }
    }
    return y;
}

/* A dashed line across at a threshold, and one down from where the best curve crosses it. */
static void threshold_line(const plot_t *p, double t)
{
    bool limited;
    double y = at_y(p, t), r = fsc_resolution(p->f, fsc_best(p->f), t, &limited);
    char text[32];
    segment(p, LEFT, y, WIDTH - RIGHT, y, 1.2, 6, GREY);
    snprintf(text, sizeof text, "%.4g", t);
    canvas_text(p->c, WIDTH - RIGHT - 6, y - 5, SMALL, 1, 0, GREY, text);
    if (isnan(r) || limited) return;
    double x = at_x(p, 1 / r), w = 58, over = y - 6;
    segment(p, x, y, x, at_y(p, p->low), 1.2, 3, INK);
    snprintf(text, sizeof text, "%.2f \303\205", r);
    bool fits = x + w + 6 < WIDTH - RIGHT - 50; /* clear of the threshold's own number */
    double top = crest(p, x + 6, x + 6 + w) - 6;
    if (top < over && top > over - 40) over = top; /* a curve that lingers there; one far above falls steeply, past the beginning */
    canvas_text(p->c, fits ? x + 6 : x - 6, fits ? over : y + 16, SMALL, fits ? 0 : 1, 0, INK, text); /* where a falling curve is not */
}

static void headline(const plot_t *p, double t)
{
    bool limited;
    fsckind_t kind = fsc_best(p->f);
    double r = fsc_resolution(p->f, kind, t, &limited);
    char text[128];
    if (isnan(r)) snprintf(text, sizeof text, "No resolution: below %.4g from the first shell on", t);
    else if (limited) snprintf(text, sizeof text, "%.2f \303\205 or better: never below %.4g", r, t);
    else snprintf(text, sizeof text, "Resolution %.2f \303\205 at FSC %.4g", r, t);
    canvas_text(p->c, LEFT, 34, LARGE, 0, 0, INK, text);
    snprintf(text, sizeof text, "%s curve, %zu shells of 1/%.1f \303\205", fsc_name[kind], p->f->n, 1 / p->f->step);
    canvas_text(p->c, LEFT, 57, SMALL, 0, 0, GREY, text);
}

int fscplot_write(const char *path, const fsc_t *f, const double *threshold, size_t n, err_t *err)
{
    plot_t p = {.f = f, .right = f->step * (double)(f->n - 1), .low = 0};
    int rc = 0;
    for (int k = 0; k < FSC_CURVES; k++)
        for (size_t i = 0; f->curve[k] && i < f->n; i++) p.low = fmin(p.low, f->curve[k][i]);
    p.low = fmax(-1, fmin(-0.1, floor(p.low * 10) / 10)); /* room for noise round 0 */
    if (!(p.c = canvas_new(canvas_kind(path), WIDTH, HEIGHT, err))) return -1;
    x_axis(&p);
    y_axis(&p);
    frame(&p);
    for (int k = 0; !rc && k < FSC_CURVES; k++)
        if (f->curve[k]) rc = draw_curve(&p, k, err);
    for (size_t i = 0; i < n; i++) threshold_line(&p, threshold[i]);
    legend(&p);
    headline(&p, n ? threshold[0] : FSC_GOLD);
    if (!rc) rc = canvas_write(p.c, path, err);
    canvas_free(p.c);
    return rc;
}
