/* strokes: glyphs as paths (see strokes.h). */
#include "src/strokes.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { POINTS = 128, CAPITAL = 14, SPACE = 5 };
static const double GAP = 3.4; /* between letters */

/* A path in units of a fourteenth of a capital's height, y up: "M x y" begins a stroke, "L x y" goes on, and "A x y rx ry from to" is
 * an arc round (x,y), in degrees, counter-clockwise where to > from, to which the stroke goes on; a whole round is a stroke of its own. */
static const struct {
    const char *is; /* UTF-8 */
    double width;
    const char *path;
} glyph[] = {
    {"0", 9, "A 4.5 7 4.4 7 0 360"},
    {"1", 9, "M 1.6 11.2 L 5.4 14 L 5.4 0"},
    {"2", 9, "A 4.4 9.8 4.1 4.2 170 -32 L 0.3 0 L 8.8 0"},
    {"3", 9, "A 4.3 10.6 3.7 3.4 155 -90 M 4.3 7.2 A 4.3 3.6 4.4 3.6 90 -155"},
    {"4", 9, "M 6.8 0 L 6.8 14 L 0 4 L 9.2 4"},
    {"5", 9, "M 8 14 L 1.6 14 L 0.93 7.4 A 4.3 4.5 4.4 4.5 140 -150"},
    {"6", 9, "A 4.6 4.5 4.3 4.5 0 360 M 0.3 4.5 A 8.2 4.5 7.9 9.5 180 97"},
    {"7", 9, "M 0.3 14 L 8.8 14 L 3.2 0"},
    {"8", 9, "A 4.5 10.6 3.7 3.4 0 360 A 4.5 3.6 4.4 3.6 0 360"},
    {"9", 9, "A 4.4 9.5 4.3 4.5 0 360 M 8.7 9.5 A 0.8 9.5 7.9 9.5 0 -83"},
    {".", 1.6, "A 0.8 0.4 0.3 0.3 0 360"},
    {",", 1.8, "M 1.1 0.6 L 0.2 -2.6"},
    {";", 1.8, "M 1.1 0.6 L 0.2 -2.6 M 1.1 8 L 1.1 8.4"},
    {"_", 8, "M 0 -1.5 L 8 -1.5"},
    {"#", 9, "M 2.4 0 L 4 14 M 5.6 0 L 7.2 14 M 0 4.6 L 8.8 4.6 M 0.6 9.4 L 9.4 9.4"},
    {"%", 11, "A 2.4 11 2.2 2.8 0 360 M 9.6 14 L 1.6 0 A 8.8 3 2.2 2.8 0 360"},
    {"~", 8, "M 0 6 A 2 6.2 2 1.6 180 0 A 6 6 2 1.6 180 360"},
    {"@", 13, "A 6.5 6 2.4 2.8 0 360 M 9 9 L 9 5 A 11 5 2 2.2 180 360 A 6.5 6 6.5 7.4 0 310"},
    {"'", 1.6, "M 0.8 14 L 0.8 10.5"},
    {"[", 3.4, "M 3.4 15 L 0.4 15 L 0.4 -2.5 L 3.4 -2.5"},
    {"]", 3.4, "M 0 15 L 3 15 L 3 -2.5 L 0 -2.5"},
    {"!", 1.6, "M 0.8 14 L 0.8 4.5 M 0.8 0.4 L 0.8 0.6"},
    {"?", 7, "M 0.2 11 A 3.4 10.6 3.3 3.4 170 -60 M 3.4 5.8 L 3.4 4 M 3.4 0.4 L 3.4 0.6"},
    {"*", 7, "M 3.5 14 L 3.5 7 M 0.5 12.3 L 6.5 8.7 M 6.5 12.3 L 0.5 8.7"},
    {":", 1.6, "A 0.8 0.4 0.3 0.3 0 360 A 0.8 8 0.3 0.3 0 360"},
    {"-", 5, "M 0 5 L 5 5"},
    {"+", 8, "M 0 5.5 L 8 5.5 M 4 1.5 L 4 9.5"},
    {"=", 8, "M 0 7.2 L 8 7.2 M 0 3.8 L 8 3.8"},
    {"/", 6, "M 0 -2 L 6 15"},
    {"(", 3, "A 7 5.5 7 10.5 125 235"},
    {")", 3, "A -4 5.5 7 10.5 55 -55"},
    {"a", 8.4, "A 4.2 5 4.2 5 0 360 M 8.4 10 L 8.4 0"},
    {"b", 8.4, "M 0 15 L 0 0 A 4.2 5 4.2 5 180 540"},
    {"c", 7.6, "A 4.4 5 4.4 5 47 313"},
    {"d", 8.4, "A 4.2 5 4.2 5 0 360 M 8.4 15 L 8.4 0"},
    {"e", 8.6, "M 0.2 5.2 L 8.6 5.2 A 4.4 5 4.3 5 2 318"},
    {"f", 5.4, "A 5 11.8 2.8 3.2 80 180 L 2.2 0 M 0 10 L 5 10"},
    {"g", 8.4, "A 4.2 5 4.2 5 0 360 M 8.4 10 L 8.4 -0.5 A 4.4 -0.5 4 4 0 -145"},
    {"h", 8, "M 0 15 L 0 0 M 0 6 A 4 6 4 4 180 0 L 8 0"},
    {"i", 0.8, "M 0.4 10 L 0.4 0 A 0.4 13.6 0.3 0.3 0 360"},
    {"j", 2.4, "M 2 10 L 2 -2 A -0.4 -2 2.4 2.4 0 -80 M 2 13.6 A 2 13.6 0.3 0.3 0 360"},
    {"k", 7.4, "M 0 15 L 0 0 M 7 10 L 0 3.6 M 2.6 6 L 7.4 0"},
    {"l", 0.8, "M 0.4 15 L 0.4 0"},
    {"m", 12.8, "M 0 10 L 0 0 M 0 6.5 A 3.2 6.5 3.2 3.5 180 0 L 6.4 0 M 6.4 6.5 A 9.6 6.5 3.2 3.5 180 0 L 12.8 0"},
    {"n", 8, "M 0 10 L 0 0 M 0 6 A 4 6 4 4 180 0 L 8 0"},
    {"o", 8.8, "A 4.4 5 4.4 5 0 360"},
    {"p", 8.4, "M 0 10 L 0 -4.5 M 0 5 A 4.2 5 4.2 5 180 540"},
    {"q", 8.4, "A 4.2 5 4.2 5 0 360 M 8.4 10 L 8.4 -4.5"},
    {"r", 4.6, "M 0 10 L 0 0 M 0 5.4 A 4.2 5.6 4.2 4.4 180 82"},
    {"s", 7.2, "A 3.7 7.5 3.2 2.5 35 270 A 3.7 2.5 3.6 2.5 90 -148"},
    {"t", 5.2, "M 2.4 13.4 L 2.4 3 A 5 2.8 2.6 2.8 180 275 M 0 10 L 5.2 10"},
    {"u", 8, "M 0 10 L 0 4 A 4 4 4 4 180 360 M 8 10 L 8 0"},
    {"v", 8.4, "M 0 10 L 4.2 0 L 8.4 10"},
    {"w", 12.4, "M 0 10 L 3.1 0 L 6.2 9.4 L 9.3 0 L 12.4 10"},
    {"x", 8, "M 0 10 L 8 0 M 8 10 L 0 0"},
    {"y", 8.4, "M 0 10 L 4.4 0 M 8.4 10 L 2.8 -4.5"},
    {"z", 8, "M 0.3 10 L 7.8 10 L 0 0 L 8 0"},
    {"A", 10.8, "M 0 0 L 5.4 14 L 10.8 0 M 1.9 4.8 L 8.9 4.8"},
    {"B", 9, "M 0 7.2 L 5 7.2 A 5 10.6 3.4 3.4 -90 90 L 0 14 L 0 0 L 5 0 A 5 3.6 4 3.6 -90 90"},
    {"C", 10.2, "A 5.8 7 5.8 7 45 315"},
    {"D", 10, "M 0 0 L 0 14 L 4 14 A 4 7 6 7 90 -90 L 0 0"},
    {"E", 8, "M 8 14 L 0 14 L 0 0 L 8 0 M 0 7.4 L 7 7.4"},
    {"F", 8, "M 8 14 L 0 14 L 0 0 M 0 7.4 L 6.8 7.4"},
    {"G", 11, "A 5.8 7 5.8 7 45 360 L 6.6 7"},
    {"H", 10, "M 0 0 L 0 14 M 10 0 L 10 14 M 0 7.4 L 10 7.4"},
    {"I", 0.8, "M 0.4 14 L 0.4 0"},
    {"J", 6.4, "M 6.4 14 L 6.4 4 A 3.2 4 3.2 4 0 -170"},
    {"K", 9.4, "M 0 14 L 0 0 M 9 14 L 0 5 M 3.4 8.4 L 9.4 0"},
    {"L", 7.6, "M 0 14 L 0 0 L 7.6 0"},
    {"M", 12, "M 0 0 L 0 14 L 6 3 L 12 14 L 12 0"},
    {"N", 10, "M 0 0 L 0 14 L 10 0 L 10 14"},
    {"O", 12, "A 6 7 6 7 0 360"},
    {"P", 8.8, "M 0 0 L 0 14 L 5 14 A 5 10.3 3.8 3.7 90 -90 L 0 6.6"},
    {"Q", 12, "A 6 7 6 7 0 360 M 7.4 3.6 L 12 -1"},
    {"R", 9.2, "M 0 0 L 0 14 L 5 14 A 5 10.4 3.8 3.6 90 -90 L 0 6.8 M 4.6 6.8 L 9.2 0"},
    {"S", 9.4, "A 4.7 10.6 4.2 3.4 38 270 A 4.7 3.6 4.6 3.6 90 -148"},
    {"T", 10, "M 0 14 L 10 14 M 5 14 L 5 0"},
    {"U", 9.6, "M 0 14 L 0 4.8 A 4.8 4.8 4.8 4.8 180 360 L 9.6 14"},
    {"V", 10.4, "M 0 14 L 5.2 0 L 10.4 14"},
    {"W", 15, "M 0 14 L 3.8 0 L 7.5 13 L 11.2 0 L 15 14"},
    {"X", 9.6, "M 0 14 L 9.6 0 M 9.6 14 L 0 0"},
    {"Y", 10, "M 0 14 L 5 6.6 L 10 14 M 5 6.6 L 5 0"},
    {"Z", 9, "M 0.3 14 L 8.8 14 L 0 0 L 9 0"},
    {"\303\205", 10.8, "M 0 0 L 5.4 13.2 L 10.8 0 M 1.9 4.6 L 8.9 4.6 A 5.4 15.6 1.7 1.7 0 360"}, /* angstrom */
    {NULL, 8, "M 0 0 L 0 14 L 8 14 L 8 0 L 0 0"},
};

/* The glyph at s, and how many bytes it takes. -1: a space. */
static int find(const char *s, size_t *bytes)
{
    int k = 0;
    *bytes = 1;
    if (*s == ' ') return -1;
    while (((unsigned char)s[*bytes] & 0xc0) == 0x80) ++*bytes;
    while (glyph[k].is && (strlen(glyph[k].is) != *bytes || strncmp(glyph[k].is, s, *bytes) != 0)) k++;
    return k;
}

static double advance(int k) { return k < 0 ? SPACE : glyph[k].width + GAP; }

double strokes_width(const char *text)
{
    double w = 0;
    for (size_t n; *text; text += n) w += advance(find(text, &n));
    return fmax(0, w - GAP) * 0.7 / CAPITAL;
}

typedef struct {
    double p[POINTS][2], left;
    size_t n;
    strokes_take_t take;
    void *ctx;
} pen_t;

static void point(pen_t *pen, double x, double y)
{
    if (pen->n == POINTS) return;
    pen->p[pen->n][0] = (pen->left + x) * 0.7 / CAPITAL;
    pen->p[pen->n++][1] = y * 0.7 / CAPITAL;
}

static void lift(pen_t *pen)
{
    if (pen->n) pen->take(pen->ctx, (const double(*)[2])pen->p, pen->n);
    pen->n = 0;
}

static void draw(pen_t *pen, const char *path)
{
    for (const char *s = path; *s;) {
        char op = *s++, *end;
        double v[6] = {0};
        int want = op == 'A' ? 6 : 2;
        for (int i = 0; i < want; i++, s = end) v[i] = strtod(s, &end);
        while (*s == ' ') s++;
        bool full = op == 'A' && fabs(v[5] - v[4]) >= 360;
        if (op == 'M' || full) lift(pen);
        if (op != 'A') point(pen, v[0], v[1]);
        for (int i = 0; op == 'A' && i <= 24; i++) {
            double t = (v[4] + (v[5] - v[4]) * i / 24) * M_PI / 180;
            point(pen, v[0] + v[2] * cos(t), v[1] + v[3] * sin(t));
        }
        if (full) lift(pen);
    }
    lift(pen);
}

void strokes_text(const char *text, strokes_take_t take, void *ctx)
{
    pen_t pen = {.take = take, .ctx = ctx};
    for (size_t n; *text; text += n) {
        int k = find(text, &n);
        if (k >= 0) draw(&pen, glyph[k].path);
        pen.left += advance(k);
    }
}
