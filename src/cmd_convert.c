/* cryolex convert: a density map in another format. */
#include <stdlib.h>
#include <string.h>

#include "mrc/map.h"
#include "src/mapopts.h"
#include "src/outpath.h"
#include "src/table.h"

typedef struct {
    mapopts_t map;
    int to, type, order;
    bool scale, clip, bigtiff;
} opts_t;

#define AT(field) offsetof(opts_t, field)
static const opt_t rows[] = {
    {'t', "to", OPT_CHOICE, AT(to), NULL, 0, 0, "name|mrc|hdf5|tiff", "name",
     "Format of OUT; name: as the end of its name tells, .mrc .map .ccp4 .rec .st, each also with .gz, .hdf .hdf5 .h5, .tif .tiff; \"-\" is MRC"},
    {0, "type", OPT_CHOICE, AT(type), NULL, 0, 0, "float32|float16|int8|uint8|int16|uint16", "float32",
     "Type of a value. MRC has float32 (mode 2), float16 (12), int8 (0), int16 (1), uint16 (6); HDF5 float32, uint8, uint16; TIFF float32, "
     "uint8, int16, uint16. Integers are rounded to nearest, and a value that the type cannot hold is an error, unless --scale or --clip"},
    {0, "scale", OPT_FLAG, AT(scale), NULL, 0, 0, NULL, NULL,
     "Of integers: least to greatest value become the whole range of the type. HDF5 tells readers the way back, MRC has it in a label"},
    {0, "clip", OPT_FLAG, AT(clip), NULL, 0, 0, NULL, NULL, "What is out of the type's range becomes its nearest limit; in integers NaN becomes 0"},
    {0, "byte-order", OPT_CHOICE, AT(order), NULL, 0, 0, "little|big", "little", "Byte order of OUT"},
    {0, "bigtiff", OPT_FLAG, AT(bigtiff), NULL, 0, 0, NULL, NULL, "Of TIFF: BigTIFF, which is else written only past 4 GB"},
    {0, "maps", OPT_GROUP, AT(map), NULL, 0, 0, mapopts_rows, NULL, NULL},
    {0},
};

/* Labels of an MRC header go along, without those of nothing. */
static size_t take_labels(const map_info_t *info, const char *label[10])
{
    size_t n = 0;
    if (!info->format || strcmp(info->format, "MRC")) return 0;
    for (int i = 0; i < info->mrc.nlabl && i < 10; i++)
        if (info->mrc.label[i][0] && strcmp(info->mrc.label[i], "Created by CryoLex")) label[n++] = info->mrc.label[i];
    return n;
}

static void note_head(const map_info_t *info, size_t labels, notes_t *notes)
{
    if (!info->format || strcmp(info->format, "MRC")) return;
    if (info->mrc.nsymbt > 0) notes_add(notes, "the extended header (%d bytes) is not kept", (int)info->mrc.nsymbt);
    if (labels > 9) notes_add(notes, "the last of 10 labels is not kept");
}

static int run(const app_t *app, const void *options, int argc, char **argv)
{
    static const char *const types[] = {"float32", "float16", "int8", "uint8", "int16", "uint16"};
    const opts_t *o = options;
    const char *label[10];
    map_wopts_t wo = {.format = o->to, .type = types[o->type], .big_endian = o->order == 1, .scale = o->scale, .clip = o->clip,
                      .bigtiff = o->bigtiff, .label = label};
    mrc_opts_t mo = mapopts_mrc(&o->map, app);
    map_info_t info = {0};
    notes_t in = {0}, out = {0};
    err_t err = {0};
    vol_t *v = NULL;
    (void)argc;
    int rc = outpath_not_input("convert", argv[1], argv[0], &err) || map_write_check(argv[1], &wo, &err) || outpath_writable(argv[1], &err);
    if (rc) return cmd_fail(app, &err);
    v = map_read(argv[0], &mo, &info, &in, &err);
    log_notes(&app->log, argv[0], &in);
    if (!v) {
        err_prefix(&err, strcmp(argv[0], "-") ? argv[0] : "standard input");
        goto done;
    }
    wo.labels = take_labels(&info, label);
    note_head(&info, wo.labels, &out);
    if (wo.labels > 9) wo.labels = 9;
    rc = map_write(argv[1], v, &wo, &out, &err);
    log_notes(&app->log, argv[1], &out);
    if (!rc)
        log_msg(&app->log, LOG_INFO, "%s: %zu x %zu x %zu voxels of %.6g x %.6g x %.6g angstrom, %s", argv[1], v->nx, v->ny, v->nz, v->voxel[0],
                v->voxel[1], v->voxel[2], wo.type);
done:
    rc = rc || !v;
    vol_free(v);
    map_info_free(&info);
    notes_free(&in);
    notes_free(&out);
    return rc ? cmd_fail(app, &err) : EXIT_DONE;
}

const cmd_t cmd_convert = {
    .name = "convert",
    .args = "IN OUT",
    .summary = "Write a density map in another format",
    .about = "IN is a map in any format that cryolex info reads, told by its content. OUT is\n"
             "MRC2014, HDF5 as EMAN2 lays it out, or TIFF, a page a section, as ImageJ opens\n"
             "it; \"-\" is standard input or output. Values, voxel size and origin are kept;\n"
             "what the new format cannot hold is said. Axes become x, y, z.",
    .example = "cryolex convert emd_1234.map.gz emd_1234.hdf",
    .opts = rows,
    .opt_size = sizeof(opts_t),
    .min_args = 2,
    .max_args = 2,
    .run = run,
};
