/* cxc: scripts that open a map and models placed in it in ChimeraX. */
#ifndef CRYOLEX_SRC_CXC_H
#define CRYOLEX_SRC_CXC_H

#include <stdio.h>

#include "base/err.h"

/* DIR/fit.cxc: the map, by its way from dir, at `level`, and n files in dir, the best first and shown; file[i] is a path, whose name counts. 0, or -1 ERR_IO,
 * ERR_NOMEM. */
int cxc_write(const char *dir, const char *map, double level, const char *const *file, size_t n, err_t *err);

/* The same commands, with the map by the path that is given. */
void cxc_print(FILE *f, const char *map, double level, const char *const *file, size_t n);

#endif
