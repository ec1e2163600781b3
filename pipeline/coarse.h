/* coarse: a map of any size as a volume of bounded size, for descriptors, which need no fine grid. */
#ifndef CRYOLEX_PIPELINE_COARSE_H
#define CRYOLEX_PIPELINE_COARSE_H

#include "mrc/map.h"

enum { COARSE_FROM = 1 << 27, COARSE_TO = 1 << 26 }; /* voxels: 512^3, and 406^3 */

/* As map_read(), but a map of more than `from` voxels whose sections come one by one (planes.h; of compressed ones stream.h) is read onto a
 * coarser grid of at most some `to` voxels, by Fourier cropping, and never held whole; a note says so. NaN and infinities count as 0 there, with
 * a note. Memory: the compressed file where it is compressed, and 4 bytes x to x (1 + sections / coarser sections). Another map of more than
 * `from` voxels is read whole. */
vol_t *coarse_read(const char *path, const mrc_opts_t *opts, size_t from, size_t to, notes_t *notes, err_t *err);

#endif
