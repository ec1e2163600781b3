/* surface: the isosurface of a density, made ready to be looked at by raycast.h. */
#ifndef CRYOLEX_VOXEL_SURFACE_H
#define CRYOLEX_VOXEL_SURFACE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vol.h"

#define SURFACE_BLOCK 4 /* voxels along an edge */
#define SURFACE_SHADES 2

/* A coarse grid over a surface's density; the centre of cell (0,0,0) lies at voxel `from`, cells are SURFACE_BLOCK voxels apart. */
typedef struct {
    size_t n[3];
    float from;
    float *data; /* (n[2],n[1],n[0]) */
} shade_t;

typedef struct {
    vol_t *v;        /* the part of the map that holds the surface, finer or coarser than the map, with a margin below the level; specks are below it, too */
    float level;
    size_t blocks[3];
    float *most;     /* (blocks z,y,x) greatest value at the corners of a block's cells */
    shade_t full[SURFACE_SHADES]; /* share of the space about a place that is inside: near, and far */
    double lo[3], hi[3]; /* angstrom, in the map's coordinates: what encloses the surface */
    size_t above;    /* voxels of v above the level */
    size_t specks;   /* bodies that were left out */
} surface_t;

/* The surface of v at `level`.
 *
 * In:   v       sides of 2 voxels and more; voxels that are not finite are outside
 *       level   in units of the map
 *       specks  bodies with fewer voxels than this part of the largest (0 to 1) are left out; 0 keeps all
 * The part of the map above the level is refined where it is small, by the spline through it (refine.h), so that few voxels do not show as
 * steps, and averaged over blocks of voxels where it is larger than SURFACE_SIDE. Where the map ends inside, the surface is closed.
 * NULL: ERR_RANGE nothing above the level (the message has the greatest value), a map with a side of 1, specks out of range; ERR_NOMEM. Free with
 * surface_free(). Thread-safe; same bytes for any number of threads. */
surface_t *surface_new(const vol_t *v, double level, double specks, err_t *err);
void surface_free(surface_t *s); /* NULL is fine */
#define SURFACE_SIDE 400

#endif
