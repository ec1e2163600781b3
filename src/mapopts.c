/* mapopts: how to read a map, as options (see mapopts.h). */
#include "src/mapopts.h"

const opt_t mapopts_rows[] = {
    {0, "apix", OPT_REAL, offsetof(mapopts_t, apix), "A", 1e-3, 1e5, NULL, NULL,
     "Voxel size in angstrom, instead of the header's; needed where a file has none (TIFF, many SPIDER, EM and HDF5 files)"},
    {0, "origin", OPT_CHOICE, offsetof(mapopts_t, origin), NULL, 0, 0, "auto|start|origin|none", "auto",
     "Where a map lies: by ORIGIN where it is set, else NSTART (auto); by NSTART; by ORIGIN; at zero"},
    {0, "mode0", OPT_CHOICE, offsetof(mapopts_t, mode0), NULL, 0, 0, "auto|signed|unsigned", "auto",
     "Bytes of a mode 0 map; auto follows MRC2014 (signed) and the flag of IMOD"},
    {0, "volume", OPT_INT, offsetof(mapopts_t, volume), "K", 1, 1e9, NULL, NULL, "Volume of a stack of volumes, from 1"},
    {0, "images", OPT_FLAG, offsetof(mapopts_t, images), NULL, 0, 0, NULL, NULL, "Take a stack of images for a volume"},
    {0},
};

mrc_opts_t mapopts_mrc(const mapopts_t *m, const app_t *app)
{
    return (mrc_opts_t){.origin = m->origin,
                        .mode0 = m->mode0,
                        .volume = m->volume,
                        .apix = m->apix,
                        .mem_limit = app->memory,
                        .images = m->images};
}
