/* png: a picture, grey or in colours, as a PNG file. */
#ifndef CRYOLEX_SRC_PNG_H
#define CRYOLEX_SRC_PNG_H

#include <stddef.h>

#include "base/err.h"

#define PNG_SIDE_MAX 32768 /* pixels */

/* Write px (h,w), 0 black to 255 white, as an 8-bit grey PNG; path as outfile_open(). 0, or -1: ERR_RANGE a side of 0 or over
 * PNG_SIDE_MAX, ERR_IO, ERR_NOMEM. Source: PNG specification, ISO/IEC 15948. */
int png_write(const char *path, const unsigned char *px, size_t w, size_t h, err_t *err);

/* The same in colours: px (h,w,3), red, green, blue, 8 bits each. */
int png_write_rgb(const char *path, const unsigned char *px, size_t w, size_t h, err_t *err);

/* The bytes of such a file, *n of them, free with mem_free(). px (h,w,channels): 1 grey, 3 colours, 4 colours and opacity (colours not multiplied by it).
 * NULL: ERR_RANGE, ERR_NOMEM, without a name. */
unsigned char *png_pack(const unsigned char *px, size_t w, size_t h, int channels, size_t *n, err_t *err);

#endif
