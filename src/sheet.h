/* sheet: the picture of a map: its surface from three sides, slices through its middle, projections. */
#ifndef CRYOLEX_SRC_SHEET_H
#define CRYOLEX_SRC_SHEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vol.h"
#include "voxel/tubes.h"

enum { SHEET_SURFACE = 1, SHEET_SLICES = 2, SHEET_PROJECTIONS = 4, SHEET_ALL = 7 };
#define SHEET_TILE_MIN 64 /* pixels */
#define SHEET_TILE_MAX 2400

typedef struct {
    unsigned parts;   /* SHEET_* */
    size_t tile;      /* pixels along an edge of a view */
    bool dark;        /* background */
    bool radial;      /* colour by distance from the middle */
    uint32_t colour;  /* of the surface, 0xRRGGBB */
    double specks;    /* as surface_new() */
    const char *title, *note; /* two lines above, or NULL */
    const tubeat_t *tube;     /* (tubes) or NULL, see tubes.h; in the map's coordinates */
    size_t tubes;
} sheet_t;

/* Draw v, with its surface at `level`, to the PNG `path`. 0, or -1: the errors of surface_new(), without a name; ERR_IO, ERR_NOMEM. The same bytes for any
 * number of threads. */
int sheet_write(const char *path, const vol_t *v, double level, const sheet_t *how, err_t *err);

#endif
