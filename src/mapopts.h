/* mapopts: the options of every command that reads a map. A command's options struct holds a mapopts_t and its table
 * one row: {0, "maps", OPT_GROUP, offsetof(my_t, map), NULL, 0, 0, mapopts_rows, NULL, NULL}. */
#ifndef CRYOLEX_SRC_MAPOPTS_H
#define CRYOLEX_SRC_MAPOPTS_H

#include "mrc/map.h"
#include "src/cmd.h"

typedef struct {
    int origin, mode0; /* as in mrc_opts_t */
    long volume;
    double apix;
    bool images;
} mapopts_t;

extern const opt_t mapopts_rows[];
#define mapopts_rows_how (mapopts_rows + 1) /* all but --apix, for a command where that means something else */

/* What they ask of map_read, with the program's memory limit. */
mrc_opts_t mapopts_mrc(const mapopts_t *m, const app_t *app);

#endif
