/* stream: the sections of a map in order, decompressed as they are asked for, so that a compressed map is never held whole.
 * Serves MRC files, compressed or not and also from a pipe, with one volume, axes in the order x, y, z and an orthogonal cell; not mode 0,
 * whose meaning the length of the data decides. Anything else is for map_read. */
#ifndef CRYOLEX_MRC_STREAM_H
#define CRYOLEX_MRC_STREAM_H

#include "mrc/map.h"

typedef struct stream stream_t;

/* Open a map; arguments as map_read. `shape` gets sides, voxel size and origin, data NULL. Free with stream_close(). NULL: ERR_UNSUP, no such
 * map: call map_read, which reads it or says what is wrong (notes are then left as they were); ERR_RANGE, the compressed file alone is more
 * than opts->mem_limit; or ERR_NOMEM. Not for "-". Memory: the compressed file. */
stream_t *stream_open(const char *path, const mrc_opts_t *opts, vol_t *shape, notes_t *notes, err_t *err);

/* The next section as float32 to out (ny,nx), the values that map_read gives. One thread. 0, or -1 with ERR_IO (ends early) or
 * ERR_FORMAT damaged. */
int stream_next(stream_t *s, float *out, err_t *err);

void stream_close(stream_t *s); /* NULL is fine */

#endif
