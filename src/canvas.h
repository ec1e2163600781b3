/* canvas: a drawing of lines and words, as SVG or PNG. One set of calls makes both.
 *
 * Units are SVG's pixels, x to the right and y down; a PNG has CANVAS_ZOOM pixels to each. Colours are 0xRRGGBB. Calls take effect
 * in order, later over earlier; what lies outside is cut. Memory that runs out is told by canvas_write(). One thread at a time. */
#ifndef CRYOLEX_SRC_CANVAS_H
#define CRYOLEX_SRC_CANVAS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CANVAS_ZOOM 2
#define CANVAS_SIDE_MAX 8192 /* units */

typedef enum { CANVAS_NONE, CANVAS_SVG, CANVAS_PNG } canvaskind_t;
typedef struct canvas canvas_t;

/* By the suffix of a name, capitals or not; CANVAS_NONE where it ends neither in .svg nor in .png. */
canvaskind_t canvas_kind(const char *path);

/* A white sheet of w x h units, 1 to CANVAS_SIDE_MAX; NULL: ERR_NOMEM. Free with canvas_free(). */
canvas_t *canvas_new(canvaskind_t kind, size_t w, size_t h, err_t *err);
void canvas_free(canvas_t *c); /* NULL is fine */

/* A line through n points (x,y), round at its ends and corners. dash > 0: in pieces of that length, with gaps as long. */
void canvas_line(canvas_t *c, const double (*p)[2], size_t n, double width, double dash, uint32_t rgb);

/* A filled rectangle. */
void canvas_rect(canvas_t *c, double x, double y, double w, double h, uint32_t rgb);

/* A line of UTF-8 text; (x,y) is on its baseline, at its start (anchor 0), middle (0.5) or end (1). upward != 0: it runs from bottom
 * to top. In SVG the viewer's sans-serif; in PNG a stroke font that has the ASCII letters, digits, signs, and the angstrom sign;
 * what it has not is a box. */
void canvas_text(canvas_t *c, double x, double y, double size, double anchor, int upward, uint32_t rgb, const char *text);

/* A picture px (h,w,3) of pixels, not units, its top left corner at (x,y); in a PNG only. */
void canvas_image(canvas_t *c, double x, double y, const unsigned char *px, size_t w, size_t h);

/* To a file, whole or not at all; path as outfile_open(). 0, or -1: ERR_IO, ERR_NOMEM. */
int canvas_write(canvas_t *c, const char *path, err_t *err);

#endif
