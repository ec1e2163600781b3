/* mapwrite: the door to the writers of all formats (see map.h). */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "mrc/map.h"
#include "mrc/output.h"

typedef struct {
    const char *name;
    raw_t kinds[5];
    size_t n;
    const char *list; /* of the kinds, for messages */
    int (*write)(const output_t *o, err_t *err);
} writer_t;

static const writer_t writers[] = {
    [MAP_MRC] = {"MRC", {RAW_INT8, RAW_INT16, RAW_FLOAT32, RAW_UINT16, RAW_FLOAT16}, 5, "int8, int16, uint16, float16 and float32", output_mrc},
    [MAP_HDF5] = {"HDF5 as EMAN2 has it", {RAW_UINT8, RAW_UINT16, RAW_FLOAT32}, 3, "uint8, uint16 and float32", output_hdf5},
    [MAP_TIFF] = {"TIFF", {RAW_UINT8, RAW_INT16, RAW_UINT16, RAW_FLOAT32}, 4, "uint8, int16, uint16 and float32", output_tiff},
};

static bool ends(const char *path, size_t n, const char *suffix)
{
    size_t k = strlen(suffix);
    return n > k && !strncasecmp(path + n - k, suffix, k);
}

int map_format_of(const char *path, bool *gz)
{
    static const struct {
        const char *suffix;
        int format;
    } rows[] = {{".mrc", MAP_MRC},  {".map", MAP_MRC},   {".ccp4", MAP_MRC}, {".rec", MAP_MRC}, {".st", MAP_MRC},
                {".hdf", MAP_HDF5}, {".hdf5", MAP_HDF5}, {".h5", MAP_HDF5},  {".tif", MAP_TIFF}, {".tiff", MAP_TIFF}};
    size_t n = strlen(path);
    *gz = ends(path, n, ".gz");
    if (*gz) n -= 3;
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
        if (ends(path, n, rows[k].suffix)) return rows[k].format;
    return MAP_BY_NAME;
}

static int find_kind(const char *path, const writer_t *w, const char *type, raw_t *kind, err_t *err)
{
    for (size_t k = 0; k < w->n; k++)
        if (!strcmp(raw_name(w->kinds[k]), type)) {
            *kind = w->kinds[k];
            return 0;
        }
    return err_set(err, ERR_USAGE, "%s: %s cannot hold %s (it holds %s)", path, w->name, type, w->list);
}

/* What the format has no place for. */
static void note_losses(const output_t *o, int format)
{
    const double *x = o->v->origin;
    if (format == MAP_TIFF && (x[0] > 0 || x[0] < 0 || x[1] > 0 || x[1] < 0 || x[2] > 0 || x[2] < 0))
        notes_add(o->notes, "TIFF has no origin: %g, %g, %g is in its description, where only CryoLex looks", x[0], x[1], x[2]);
    if (format != MAP_MRC && o->labels) notes_add(o->notes, "%zu labels are lost: %s has none", o->labels, writers[format].name);
    if (format == MAP_TIFF && o->fit.scaled) notes_add(o->notes, "TIFF does not tell how values were scaled: reading gives the scaled ones");
}

/* What is to be written, as far as options tell. */
static int choose(const char *path, const map_wopts_t *w, int *format, raw_t *kind, bool *gz, err_t *err)
{
    *format = map_format_of(path, gz);
    if (w->format) *format = w->format;
    if (!*format && !strcmp(path, "-")) *format = MAP_MRC;
    if (!*format)
        return err_set(err, ERR_USAGE, "%s: its name tells no format to write (.mrc, .map, .ccp4, .rec, .st, .hdf, .hdf5, .h5, .tif, .tiff)", path);
    if (*gz && *format != MAP_MRC) return err_set(err, ERR_USAGE, "%s: %s is not written compressed by gzip, MRC is", path, writers[*format].name);
    if (*format == MAP_HDF5 && !outfile_whole(path)) return err_set(err, ERR_USAGE, "%s: HDF5 needs a regular file, no pipe or device", path);
    if (find_kind(path, &writers[*format], w->type ? w->type : "float32", kind, err)) return -1;
    if (w->scale && (*kind == RAW_FLOAT32 || *kind == RAW_FLOAT16))
        return err_set(err, ERR_USAGE, "%s: %s is no integer, nothing is scaled to its range", path, w->type ? w->type : "float32");
    return 0;
}

int map_write_check(const char *path, const map_wopts_t *opts, err_t *err)
{
    static const map_wopts_t plain;
    int format;
    raw_t kind;
    bool gz;
    return choose(path, opts ? opts : &plain, &format, &kind, &gz, err);
}

int map_write(const char *path, const vol_t *v, const map_wopts_t *opts, notes_t *notes, err_t *err)
{
    static const map_wopts_t plain;
    const map_wopts_t *w = opts ? opts : &plain;
    output_t o = {.path = path, .v = v, .big_endian = w->big_endian, .bigtiff = w->bigtiff, .label = w->label, .labels = w->labels, .notes = notes};
    int format;
    raw_t kind;
    if (choose(path, w, &format, &kind, &o.gz, err)) return -1;
    if (values_fit(path, w->type ? w->type : "float32", v, kind, w->scale, w->clip, &o.fit, &o.stat, notes, err)) return -1;
    note_losses(&o, format);
    return writers[format].write(&o, err);
}
