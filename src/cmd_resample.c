/* cryolex resample: a map with another voxel size, another box, or filtered. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mrc/map.h"
#include "mrc/planes.h"
#include "pipeline/halves.h"
#include "src/mapopts.h"
#include "src/outpath.h"
#include "src/table.h"
#include "voxel/filter.h"
#include "voxel/resample.h"

typedef struct {
    mapopts_t map;
    double apix;
    long box;
    filter_t filter;
    int mode;
    bool halves;
} opts_t;

#define AT(field) offsetof(opts_t, field)
static const opt_t rows[] = {
    {'a', "apix", OPT_REAL, AT(apix), "A", 1e-3, 1e5, NULL, NULL,
     "New voxel size in angstrom. The field of view stays, so each side is rounded to an even number of voxels and the voxel "
     "size that results is the nearest possible one"},
    {0, "box", OPT_INT, AT(box), "N", 1, VOL_SIDE_MAX, NULL, NULL,
     "Then crop, or pad with zeros, to a cube of N voxels around the centre (voxel N/2); the density stays where it is in space"},
    {0, "lowpass", OPT_REAL, AT(filter.lowpass), "A", 1e-3, 1e6, NULL, NULL, "Low-pass filter at this resolution in angstrom"},
    {0, "highpass", OPT_REAL, AT(filter.highpass), "A", 1e-3, 1e6, NULL, NULL, "High-pass filter at this resolution in angstrom"},
    {0, "edge", OPT_REAL, AT(filter.edge), "F", 1e-6, 2, NULL, "0.1",
     "Width of these filters' raised-cosine edge, as a fraction of the frequency at which it is centred"},
    {0, "bfactor", OPT_REAL, AT(filter.bfactor), "B", -1e5, 1e5, NULL, NULL,
     "Multiply amplitudes by exp(-B s^2/4), s in 1/angstrom; below 0 sharpens"},
    {0, "half-maps", OPT_FLAG, AT(halves), NULL, 0, 0, NULL, NULL,
     "There are two IN, half-maps: they are averaged, and the average is low-passed at the resolution that their Fourier shell correlation "
     "gives at 0.143 without a mask (see cryolex fsc), unless --lowpass says where. The resolution is told"},
    {0, "mode", OPT_CHOICE, AT(mode), NULL, 0, 0, "0|1|2|6|12", "2", "MRC mode of the output"},
    {0, "in-apix", OPT_REAL, AT(map.apix), "A", 1e-3, 1e5, NULL, NULL, "Voxel size of IN, instead of the header's; needed where the file has none"},
    {0, "maps", OPT_GROUP, AT(map), NULL, 0, 0, mapopts_rows_how, NULL, NULL},
    {0},
};

/* Is there room for so many floats? A number of voxels is at most VOL_SIDE_MAX^3, so that a few of them fit a size_t. */
static int room_for(const app_t *app, const char *path, size_t floats, err_t *err)
{
    if (floats * sizeof(float) <= app->memory) return 0;
    return err_set(err, ERR_RANGE, "%s: the new map needs %zu bytes of memory (the limit is %zu); see --memory", path,
                   floats * sizeof(float), app->memory);
}

/* The sides of the new map, for which there is room beside `held` floats and the planes between old and new. */
static int new_sides(const app_t *app, const char *path, const vol_t *shape, double apix, size_t held, size_t *m, err_t *err)
{
    if (resample_sides(shape, apix, m, err)) return -1;
    return room_for(app, path, held + m[0] * m[1] * (shape->nz + m[2]), err);
}

/* Section by section where the file allows it; the whole map is never held. */
static vol_t *by_sections(const app_t *app, const char *path, planes_t *p, const vol_t *shape, double apix, err_t *err)
{
    size_t m[3];
    if (new_sides(app, path, shape, apix, 0, m, err)) return NULL;
    resample_t *r = resample_begin(shape, m[0], m[1], m[2], err);
    vol_t *v = r && !resample_from(r, planes_read, p, err) ? resample_end(r, err) : NULL;
    resample_free(r);
    return v;
}

static vol_t *grid_changed(const app_t *app, const char *path, vol_t *v, double apix, err_t *err)
{
    size_t m[3];
    if (!v || !(apix > 0)) return v;
    vol_t *w = new_sides(app, path, v, apix, vol_len(v), m, err) ? NULL : resample_apix(v, apix, err);
    vol_free(v);
    return w;
}

static vol_t *whole(const app_t *app, const char *path, const mrc_opts_t *mo, double apix, notes_t *notes, err_t *err)
{
    return grid_changed(app, path, map_read(path, mo, NULL, notes, err), apix, err);
}

/* The average of two half-maps; where no low-pass is asked for, *lowpass becomes their resolution. */
static vol_t *averaged(const app_t *app, char **path, const opts_t *o, double *lowpass, err_t *err)
{
    mrc_opts_t mo = mapopts_mrc(&o->map, app);
    notes_t notes = {0};
    double resolution = 0;
    vol_t *v = halves_read(path[0], path[1], &mo, &resolution, &notes, err);
    log_notes(&app->log, path[0], &notes);
    notes_free(&notes);
    if (v && !(*lowpass > 0)) *lowpass = resolution;
    bool read = v != NULL;
    v = grid_changed(app, path[0], v, o->apix, err);
    if (read && !v) err_prefix(err, path[0]);
    return v;
}

static vol_t *rescaled(const app_t *app, const char *path, const opts_t *o, err_t *err)
{
    mrc_opts_t mo = mapopts_mrc(&o->map, app);
    notes_t notes = {0};
    vol_t shape, *v;
    planes_t *p = o->apix > 0 ? planes_open(path, &mo, &shape, &notes, NULL) : NULL;
    v = p ? by_sections(app, path, p, &shape, o->apix, err) : whole(app, path, &mo, o->apix, &notes, err);
    planes_close(p);
    log_notes(&app->log, path, &notes);
    notes_free(&notes);
    return v;
}

static bool filters(const filter_t *f) { return f->lowpass > 0 || f->highpass > 0 || fabs(f->bfactor) > 0; }

static int filtered(const app_t *app, const char *path, vol_t *v, const filter_t *f, err_t *err)
{
    size_t spectrum = 2 * (v->nx / 2 + 1) * v->ny * v->nz;
    return room_for(app, path, vol_len(v) + spectrum, err) ? -1 : filter_apply(v, f, err);
}

/* One bad voxel spoils every frequency; one look at the result tells. */
static int check_finite(const vol_t *v, const char *path, err_t *err)
{
    volstat_t s;
    vol_stats(v, &s);
    if (!s.bad) return 0;
    return err_set(err, ERR_FORMAT, "%s: NaN or infinite voxels, which would spread over the whole map", path);
}

/* What is to be done, and whether it can be written. */
static int check_operands(const opts_t *o, int argc, char **argv, err_t *err)
{
    int in = o->halves ? 2 : 1;
    if (argc != in + 1) return err_set(err, ERR_USAGE, "resample: %d operands (%s)", argc, in > 1 ? "--half-maps: A, B and OUT" : "IN and OUT");
    if (!(o->apix > 0) && !o->box && !filters(&o->filter) && !o->halves)
        return err_set(err, ERR_USAGE, "resample: nothing to do (--apix, --box, --lowpass, --highpass, --bfactor or --half-maps is wanted)");
    for (int i = 0; i < in; i++)
        if (outpath_not_input("resample", argv[in], argv[i], err)) return -1;
    return outpath_writable(argv[in], err);
}

static int run(const app_t *app, const void *options, int argc, char **argv)
{
    const opts_t *o = options;
    static const int mode[] = {0, 1, 2, 6, 12};
    mrc_wopts_t wo = {.mode = mode[o->mode]};
    filter_t filter = o->filter;
    err_t err = {0};
    int rc = -1;
    if (check_operands(o, argc, argv, &err)) return cmd_fail(app, &err);
    const char *out = argv[argc - 1];
    vol_t *v = o->halves ? averaged(app, argv, o, &filter.lowpass, &err) : rescaled(app, argv[0], o, &err);
    if (!v && o->halves) goto fail; /* the message has the name of one of the two */
    if (!v) goto done;
    if (filters(&filter) && filtered(app, argv[0], v, &filter, &err)) goto done;
    if ((o->apix > 0 || filters(&filter)) && check_finite(v, argv[0], &err)) goto done;
    if (o->box) {
        size_t n = (size_t)o->box;
        if (room_for(app, argv[0], vol_len(v) + n * n * n, &err)) goto done;
        vol_t *w = resample_window(v, n, n, n, 0, &err);
        vol_free(v);
        v = w;
        if (!v) goto done;
    }
    if (mrc_write(out, v, &wo, &err)) goto fail;
    log_msg(&app->log, LOG_INFO, "%s: %zu x %zu x %zu voxels of %.6g x %.6g x %.6g angstrom", out, v->nx, v->ny, v->nz, v->voxel[0],
            v->voxel[1], v->voxel[2]);
    rc = 0;
done:
    if (rc) err_prefix(&err, strcmp(argv[0], "-") ? argv[0] : "standard input");
fail:
    vol_free(v);
    return rc ? cmd_fail(app, &err) : EXIT_DONE;
}

const cmd_t cmd_resample = {
    .name = "resample",
    .args = "IN OUT",
    .summary = "Change voxel size or box of a map, or filter it",
    .about = "IN is a density map; OUT is an MRC2014 map, compressed when its name ends in\n"
             ".gz; \"-\" is standard input or output.\n\n"
             "The voxel size is changed by Fourier cropping or padding: frequencies that both\n"
             "grids can hold are kept unchanged, the mean is kept, and the centre of voxel\n"
             "(0,0,0) stays where it is. Filters come next, then --box. With --apix an\n"
             "uncompressed map is read section by section and never held whole.\n\n"
             "With --half-maps the operands are A B OUT.",
    .example = "cryolex resample --apix 4 --box 64 emd_1234.map.gz small.mrc",
    .opts = rows,
    .opt_size = sizeof(opts_t),
    .min_args = 2,
    .max_args = 3,
    .run = run,
};
