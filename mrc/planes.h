/* planes: the sections of a map one by one, in any order and from any thread, without reading it whole.
 * Serves what lies straight in its file: an uncompressed ordinary file, one volume, axes in the order x, y, z, an
 * orthogonal cell; of MRC, and of HDF5 (compressed chunks too: a layer of them is held, so that sections in order decode each
 * once), TIFF, SPIDER and EM, one thread reading at a time. Anything else is for map_read. */
#ifndef CRYOLEX_MRC_PLANES_H
#define CRYOLEX_MRC_PLANES_H

#include "mrc/map.h"

typedef struct planes planes_t;

/* Open a map; arguments as map_read (mem_limit is for what a reader holds). `shape` gets sides, voxel size and origin, data
 * NULL. Free with planes_close(). NULL: ERR_UNSUP, not a map that lies straight: call map_read, which reads it or says
 * what is wrong (notes are then left as they were, and nothing is taken from a pipe); or ERR_NOMEM. */
planes_t *planes_open(const char *path, const mrc_opts_t *opts, vol_t *shape, notes_t *notes, err_t *err);

/* Sections z0..z0+nz-1 as float32 to out (nz,ny,nx), the values that map_read gives. `planes` is a planes_t.
 * Any number of threads at once. 0, or -1 with ERR_IO (cannot read, shorter than promised), ERR_FORMAT damaged, or ERR_USAGE (no such
 * section). Its type suits resample_from(). */
int planes_read(void *planes, size_t z0, size_t nz, float *out, err_t *err);

void planes_close(planes_t *p); /* NULL is fine */

#endif
