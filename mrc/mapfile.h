/* mapfile: a file of a format other than MRC, opened; what map.c and planes.c share. */
#ifndef CRYOLEX_MRC_MAPFILE_H
#define CRYOLEX_MRC_MAPFILE_H

#include "mrc/format.h"

void mapfile_init(mapfile_t *m, const mrc_opts_t *opts, notes_t *notes);
/* Of an opened src: its format, NULL where the MRC reader has to say what it is. 0, or -1 where it cannot be read. */
int mapfile_sniff(mapfile_t *m, err_t *err);
/* With name and format set: the header read and judged, the volume chosen. 0, or -1 with the errors of map_read. */
int mapfile_open(mapfile_t *m, err_t *err);
void mapfile_close(mapfile_t *m); /* src too */

#endif
