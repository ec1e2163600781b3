/* strokes: a small sans-serif font of lines and arcs, for pictures made of pixels. */
#ifndef CRYOLEX_SRC_STROKES_H
#define CRYOLEX_SRC_STROKES_H

#include <stddef.h>

/* Points of one stroke, for strokes_text(); (x,y), in units of the text's size, y up from the baseline. */
typedef void (*strokes_take_t)(void *ctx, const double (*p)[2], size_t n);

/* Width of a line of UTF-8 text of size 1. */
double strokes_width(const char *text);

/* Each stroke of the text of size 1, from (0,0) on. Capitals are 0.7 high. */
void strokes_text(const char *text, strokes_take_t take, void *ctx);

#endif
