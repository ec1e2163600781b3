/* raycast: a lit picture of an isosurface, and of a model within it.
 *
 * Parallel projection. A key light from above on the left, a fill light from the right, light from all sides that hollows get less of, a faint gloss, and a
 * dark line where something ends before what lies far behind it. What is farther away is a little darker, so that a picture goes
 * with any background. */
#ifndef CRYOLEX_VOXEL_RAYCAST_H
#define CRYOLEX_VOXEL_RAYCAST_H

#include <stddef.h>

#include "base/err.h"
#include "voxel/surface.h"
#include "voxel/tubes.h"

typedef enum { RAYCAST_FRONT, RAYCAST_SIDE, RAYCAST_TOP, RAYCAST_VIEWS } raycastview_t;
extern const char *const raycast_view[RAYCAST_VIEWS]; /* the axis that points at the viewer: "z", "x", "y" */

/* Rows: the directions in the map's coordinates that are right, up and towards the viewer in the picture. FRONT: +x, +y, +z; SIDE, FRONT turned about
 * the vertical: -z, +y, +x; TOP, about the horizontal: +x, -z, +y. */
void raycast_turn(raycastview_t view, double turn[3][3]);

typedef struct {
    double turn[3][3]; /* an orthonormal frame, as raycast_turn() */
    double centre[3];  /* angstrom: in the middle of the picture */
    double half;       /* angstrom: from there to the nearer edge */
    size_t w, h;       /* pixels */
    float colour[3];   /* of the surface: red, green, blue, 0..1 */
    int radial;        /* coloured by the distance from the centre instead, blue to red, from half the greatest on */
    const tubeat_t *tube; /* n places, or NULL; the surface is then translucent */
    size_t n;
    double thick;      /* angstrom: radius of a tube; at least about a pixel is drawn */
} camera_t;

#define RAYCAST_SIDE_MAX 8192 /* pixels */

/* The middle of a surface, and the `half` that shows all of it whichever way raycast_turn() looks, with a margin of 4 %. Also of a model of n places,
 * n 0 for none, unless that needs more than RAYCAST_STRETCH times the room. */
void raycast_frame(const surface_t *s, const tubeat_t *tube, size_t n, double centre[3], double *half);
#define RAYCAST_STRETCH 1.5

/* Memory that pictures use one after the other, about 180 bytes a pixel, with tubes 330. Start from {0}, end with raycast_room_free(). */
typedef struct {
    struct raycast_seen *seen;
    struct raycast_tube *tubes;
    size_t seen_cap, tubes_cap;
} raycast_room_t;
void raycast_room_free(raycast_room_t *r); /* leaves {0} */

/* The picture: rgba (h,w,4), the caller's, top row first, 0..1, colours times their opacity. Antialiased. 0, or -1: ERR_RANGE a side of 0 or over
 * RAYCAST_SIDE_MAX, half of 0 or less; ERR_NOMEM. Thread-safe, with a room each; same bytes for any number of threads.
 * Source: Levoy 1988, IEEE CG&A 8(3):29 (rays through volumes, shading by the gradient). */
int raycast(const surface_t *s, const camera_t *c, raycast_room_t *room, float *rgba, err_t *err);

/* Colour of a chain, 0..1, by its number. */
void raycast_chain(size_t chain, float rgb[3]);

#endif
