/* headopts: the options of every command that takes a contour from an EMDB header. A command's options struct holds a headopts_t
 * and its table one row: {0, "headers", OPT_GROUP, offsetof(my_t, header), NULL, 0, 0, headopts_rows, NULL, NULL}. */
#ifndef CRYOLEX_SRC_HEADOPTS_H
#define CRYOLEX_SRC_HEADOPTS_H

#include "mrc/emdb.h"
#include "src/cmd.h"

#define HEADER_ARG "FILE|FOLDER"
#define HEADER_HELP                                                                                                                     \
    "The EMDB header (XML) of the map, or a folder that has those of the maps by name; without it, one beside the map is used: for "    \
    "emd_1234.map or EMD-1234.map.gz, emd-1234-v30.xml or emd-1234.xml, also in ../header"
#define NO_HEADER_HELP "Use no EMDB header"

typedef struct {
    const char *path;
    bool off;
} headopts_t;

extern const opt_t headopts_rows[];

/* Where headers of n inputs are looked for. 0, or -1: ERR_USAGE both options, or one header for several inputs; ERR_IO nothing of that name. */
int headopts_where(const headopts_t *h, const app_t *app, size_t n, emdb_where_t *where, err_t *err);

#endif
