/* picture: views of a map as pixels: of its surface, of slices and projections. */
#ifndef CRYOLEX_SRC_PICTURE_H
#define CRYOLEX_SRC_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vol.h"
#include "voxel/raycast.h"
#include "voxel/surface.h"

#define PICTURE_COLOUR 0x9dbbdc /* of a surface, 0xRRGGBB */
#define PICTURE_SPECKS 0.01     /* as surface_new() */
#define PICTURE_TUBE 1.1        /* angstrom: radius of a tube */

/* px (h,w,4): red, green, blue, opacity. Owned; picture_free(). */
typedef struct {
    unsigned char *px;
    size_t w, h;
} picture_t;
void picture_free(picture_t *p); /* leaves {0} */

/* What raycast() makes of it. 0, or -1 with its errors. */
int picture_surface(const surface_t *s, const camera_t *c, raycast_room_t *room, picture_t *p, err_t *err);

/* What slices and projections of a map show beside a surface with this centre and half (raycast_frame()): what is round it, to one and a half times its size, or
 * the whole box, and which place, in angstrom, is in the middle. Returns the edge of the picture, angstrom. */
double picture_round(const vol_t *v, const double centre[3], double half, double middle[3]);

/* A slice through `centre`, with a line where it crosses `level`, or a projection, `tile` pixels and `edge` angstrom wide and high, `middle` in its middle. Black and white are
 * at the few lowest and highest values; nothing is beside the box. 0, or -1: ERR_NOMEM. */
int picture_slice(const vol_t *v, raycastview_t view, const double centre[3], float level, const double middle[3], double edge, size_t tile, picture_t *p, err_t *err);
int picture_projection(const vol_t *v, raycastview_t view, const double middle[3], double edge, size_t tile, picture_t *p, err_t *err);

/* 0xRRGGBB to 0..1. */
void picture_rgb(uint32_t rgb, float out[3]);

/* The length of a scale bar: 1, 2 or 5 times a power of ten, angstrom, the most that is no more than `room`; and what it is called. */
double picture_bar(double room, char text[32]);

#endif
