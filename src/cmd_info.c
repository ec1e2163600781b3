/* cryolex info: what a density file holds. */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "mrc/map.h"
#include "src/headopts.h"
#include "src/json.h"
#include "src/mapopts.h"
#include "src/table.h"

enum { FORMAT_TEXT, FORMAT_JSON };

typedef struct {
    mapopts_t map;
    headopts_t header;
    int format;
} info_t;

/* All that is told of one file. */
typedef struct {
    const char *path;
    map_info_t h;
    size_t size[3]; /* of the volume as read, as the two below; angstrom */
    double voxel[3], origin[3];
    volstat_t s;
    char *header; /* of EMDB, its path; NULL: none */
    emdb_t e;
    notes_t notes;
} facts_t;

static const opt_t rows[] = {
    {0, "format", OPT_CHOICE, offsetof(info_t, format), NULL, 0, 0, "text|json", "text", "Text for people, or one JSON object a file"},
    {0, "headers", OPT_GROUP, offsetof(info_t, header), NULL, 0, 0, headopts_rows, NULL, NULL},
    {0, "maps", OPT_GROUP, offsetof(info_t, map), NULL, 0, 0, mapopts_rows, NULL, NULL},
    {0},
};

static const char *mode_text(const mrc_header_t *h)
{
    switch (h->read_mode) {
    case 0: return h->mode0_unsigned ? "unsigned bytes" : "signed bytes";
    case 1: return "int16";
    case 2: return "float32";
    case 6: return "uint16";
    case 12: return "float16";
    default: return "4-bit";
    }
}

static const char *kind_text(const map_info_t *h)
{
    return h->image_stack ? "image stack" : h->volumes > 1 ? "stack of volumes" : h->size[h->axis[2]] == 1 ? "image" : "volume";
}

static bool is_mrc(const map_info_t *h) { return !strcmp(h->format, "MRC"); }

static bool has_order(const map_info_t *h) { return strcmp(h->type, "text") != 0 && !strstr(h->type, "int8"); }

/* ---- what EMDB says beside the map ---- */

static void text_line(const char *what, const char *s)
{
    char *clean = *s ? mem_new(strlen(s) + 1, 1, NULL) : NULL;
    if (!clean) return;
    utf8_clean(s, clean);
    printf("    %-12s%s\n", what, clean);
    mem_free(clean);
}

static void text_set(const char *what, const intern_t *set)
{
    for (size_t i = 0; i < set->n; i++) text_line(i ? "" : what, set->str[i]);
}

static void print_header(const facts_t *f)
{
    const emdb_t *e = &f->e;
    char line[512];
    if (!f->header) return;
    printf("  EMDB      ");
    snprintf(line, sizeof line, "%s, schema %s, %s", e->id, e->version, f->header);
    utf8_clean(line, line);
    puts(line);
    text_line("title", e->title);
    text_line("sample", e->sample);
    text_line("method", e->method);
    snprintf(line, sizeof line, "%.6g A%s%s", e->resolution, *e->resolution_method ? ", " : "", e->resolution_method);
    if (!isnan(e->resolution)) text_line("resolution", line);
    snprintf(line, sizeof line, "%.9g%s%s", e->contour, *e->contour_source ? ", source " : "", e->contour_source);
    if (!isnan(e->contour)) text_line("contour", line);
    for (size_t i = 0; i < e->fitted.n; i++)
        printf("    %-12s%s (%s)\n", i ? "" : "models", e->fitted.str[i], emdb_relation[e->relation[i]]);
    text_set("molecules", &e->molecules);
    text_set("organisms", &e->organisms);
    for (int k = 0; k < EMDB_REFS; k++) text_set(emdb_ref[k], &e->ref[k]);
}

/* What only the header of an MRC file has. */
static void print_mrc(const facts_t *f)
{
    const mrc_header_t *h = &f->h.mrc;
    char label[81];
    printf("  header    %.6g to %.6g, mean %.6g, rms %.6g\n", (double)h->dmin, (double)h->dmax, (double)h->dmean,
           (double)h->rms);
    if (h->nsymbt) printf("  extended  %d bytes claimed, type '%s'\n", h->nsymbt, h->exttyp);
    for (int k = 0; k < 10; k++)
        if (h->label[k][0]) {
            utf8_clean(h->label[k], label);
            printf("  label %d   %s\n", k + 1, label);
        }
}

static void print_kind(const map_info_t *h)
{
    if (is_mrc(h)) {
        printf("  kind      %s, mode %d (%s), %s-endian, compression %s\n", kind_text(h), h->mrc.mode, mode_text(&h->mrc),
               h->big_endian ? "big" : "little", h->codec);
        return;
    }
    printf("  kind      %s, %s%s%s%s, %s%s, compression %s\n", kind_text(h), h->format, *h->layout ? " (" : "", h->layout,
           *h->layout ? ")" : "", h->type, !has_order(h) ? "" : h->big_endian ? ", big-endian" : ", little-endian", h->codec);
}

static void print_text(const facts_t *f)
{
    const map_info_t *h = &f->h;
    char clean[512];
    printf("%s\n", f->path);
    print_kind(h);
    printf("  size      %zu x %zu x %zu voxels (x, y, z)", f->size[0], f->size[1], f->size[2]);
    if (h->volumes > 1) printf(", %zu volumes", h->volumes);
    if (h->voxel_known) {
        printf("\n  voxel     %.6g x %.6g x %.6g A\n", f->voxel[0], f->voxel[1], f->voxel[2]);
        printf("  box       %.6g x %.6g x %.6g A\n", (double)f->size[0] * f->voxel[0], (double)f->size[1] * f->voxel[1],
               (double)f->size[2] * f->voxel[2]);
    } else {
        printf("\n  voxel     unknown\n");
    }
    printf("  origin    %.6g, %.6g, %.6g A", f->origin[0], f->origin[1], f->origin[2]);
    const mrc_header_t *r = &h->mrc;
    if (is_mrc(h))
        printf(" (ORIGIN %g, %g, %g; NSTART %d, %d, %d)", (double)r->origin[0], (double)r->origin[1], (double)r->origin[2], r->nstart[0],
               r->nstart[1], r->nstart[2]);
    printf("\n  axes      columns %c, rows %c, sections %c\n", 'x' + h->axis[0], 'x' + h->axis[1], 'x' + h->axis[2]);
    if (is_mrc(h))
        printf("  cell      %g, %g, %g A; %g, %g, %g degrees; %d x %d x %d intervals; space group %d\n", (double)r->cella[0],
               (double)r->cella[1], (double)r->cella[2], (double)r->cellb[0], (double)r->cellb[1], (double)r->cellb[2], r->m[0],
               r->m[1], r->m[2], r->ispg);
    else if (h->skewed)
        printf("  cell      %g, %g, %g degrees\n", h->angle[0], h->angle[1], h->angle[2]);
    printf("  values    %.6g to %.6g, mean %.6g, sd %.6g", f->s.min, f->s.max, f->s.mean, f->s.sd);
    if (f->s.bad) printf(", %zu not finite", f->s.bad);
    putchar('\n');
    if (is_mrc(h)) print_mrc(f);
    for (size_t k = 0; k < h->text.n; k++) {
        utf8_clean(h->text.line[k], clean);
        printf("  field     %s\n", clean);
    }
    print_header(f);
    for (size_t k = 0; k < f->notes.n; k++) printf("  note      %s\n", f->notes.line[k]);
}

static json_t *triple(const double *x) { return json_pack("[f,f,f]", x[0], x[1], x[2]); }

/* A number; null for NaN and infinities, which JSON does not have. */
static json_t *real(double x)
{
    json_t *j = json_real(x);
    return j ? j : json_null();
}

static json_t *stats_json(double min, double max, double mean, double sd)
{
    return json_pack("{s:o,s:o,s:o,s:o}", "min", real(min), "max", real(max), "mean", real(mean), "sd", real(sd));
}

static json_t *json_set(const intern_t *set)
{
    json_t *j = json_array();
    for (size_t i = 0; i < set->n; i++) json_array_append_new(j, json_text(set->str[i]));
    return j;
}

static json_t *header_json(const facts_t *f)
{
    const emdb_t *e = &f->e;
    json_t *j = json_object(), *models = json_array(), *refs = json_object();
    for (size_t i = 0; i < e->fitted.n; i++)
        json_array_append_new(models, json_pack("{s:s,s:s}", "id", e->fitted.str[i], "relation", emdb_relation[e->relation[i]]));
    for (int k = 0; k < EMDB_REFS; k++) json_object_set_new(refs, emdb_ref[k], json_set(&e->ref[k]));
    json_object_set_new(j, "file", json_text(f->header));
    const struct {
        const char *key, *s;
    } text[] = {{"id", e->id}, {"schema", e->version}, {"title", e->title}, {"sample", e->sample}, {"method", e->method},
                {"resolution_method", e->resolution_method}, {"contour_source", e->contour_source}};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) json_object_set_new(j, text[i].key, json_text(text[i].s));
    json_object_set_new(j, "resolution", real(e->resolution));
    json_object_set_new(j, "contour", real(e->contour));
    json_object_set_new(j, "models", models);
    json_object_set_new(j, "molecules", json_set(&e->molecules));
    json_object_set_new(j, "organisms", json_set(&e->organisms));
    json_object_set_new(j, "references", refs);
    return j;
}

/* Lines of a file, which may hold any bytes. */
static json_t *lines_json(const notes_t *lines)
{
    json_t *j = json_array();
    for (size_t k = 0; k < lines->n; k++) json_array_append_new(j, json_text(lines->line[k]));
    return j;
}

static json_t *labels_json(const mrc_header_t *h)
{
    json_t *j = json_array();
    for (int k = 0; k < 10; k++)
        if (h->label[k][0]) json_array_append_new(j, json_text(h->label[k]));
    return j;
}

/* What only the header of an MRC file has. */
static void add_mrc(json_t *j, const mrc_header_t *h)
{
    json_object_set_new(j, "mode", json_integer(h->mode));
    json_object_set_new(j, "nstart", json_pack("[i,i,i]", h->nstart[0], h->nstart[1], h->nstart[2]));
    json_object_set_new(j, "space_group", json_integer(h->ispg));
    json_object_set_new(j, "extended_header", json_integer(h->nsymbt));
    json_object_set_new(j, "header_statistics",
                        stats_json((double)h->dmin, (double)h->dmax, (double)h->dmean, (double)h->rms));
    json_object_set_new(j, "labels", labels_json(h));
}

static json_t *facts_json(const facts_t *f)
{
    const map_info_t *h = &f->h;
    char axes[4] = {(char)('x' + h->axis[0]), (char)('x' + h->axis[1]), (char)('x' + h->axis[2]), 0};
    json_t *j = json_object();
    json_object_set_new(j, "file", json_text(f->path));
    json_object_set_new(j, "format", json_string(h->format));
    json_object_set_new(j, "layout", *h->layout ? json_string(h->layout) : json_null());
    json_object_set_new(j, "kind", json_string(kind_text(h)));
    json_object_set_new(j, "values", json_string(is_mrc(h) ? mode_text(&h->mrc) : h->type));
    json_object_set_new(j, "byte_order", !is_mrc(h) && !has_order(h) ? json_null() : json_string(h->big_endian ? "big" : "little"));
    json_object_set_new(j, "compression", json_string(h->codec));
    json_object_set_new(j, "size", json_pack("[I,I,I]", (json_int_t)f->size[0], (json_int_t)f->size[1], (json_int_t)f->size[2]));
    json_object_set_new(j, "volumes", json_integer((json_int_t)h->volumes));
    json_object_set_new(j, "voxel", h->voxel_known ? triple(f->voxel) : json_null());
    json_object_set_new(j, "origin", triple(f->origin));
    json_object_set_new(j, "axes", json_string(axes));
    json_object_set_new(j, "angles", triple(h->angle));
    json_object_set_new(j, "statistics", stats_json(f->s.min, f->s.max, f->s.mean, f->s.sd));
    json_object_set_new(j, "not_finite", json_integer((json_int_t)f->s.bad));
    if (is_mrc(h)) add_mrc(j, &h->mrc);
    else json_object_set_new(j, "fields", lines_json(&h->text));
    if (f->header) json_object_set_new(j, "emdb", header_json(f));
    json_object_set_new(j, "notes", lines_json(&f->notes));
    return j;
}

static void facts_free(facts_t *f)
{
    notes_free(&f->notes);
    map_info_free(&f->h);
    emdb_free(&f->e);
    mem_free(f->header);
}

/* One file; a stack is told by its first volume, or the one asked for. */
static int info_one(const app_t *app, const info_t *o, const emdb_where_t *where, const char *path, bool first)
{
    facts_t f = {.path = path};
    err_t err = {0};
    mrc_opts_t mo = mapopts_mrc(&o->map, app);
    mo.images = mo.any_voxel = true;
    if (!mo.volume) mo.volume = 1;
    vol_t *v = map_read(path, &mo, &f.h, &f.notes, &err);
    if (!v || emdb_of_map(path, where, &f.e, &f.header, &f.notes, &err) < 0) {
        vol_free(v);
        log_msg(&app->log, LOG_ERROR, "%s", err.msg);
        facts_free(&f);
        return -1;
    }
    if (f.h.volumes > 1 && !o->map.volume) notes_add(&f.notes, "statistics of the first volume; see --volume");
    f.size[0] = v->nx, f.size[1] = v->ny, f.size[2] = v->nz;
    memcpy(f.voxel, v->voxel, sizeof f.voxel);
    memcpy(f.origin, v->origin, sizeof f.origin);
    vol_stats(v, &f.s);
    vol_free(v);
    if (o->format == FORMAT_JSON) {
        json_t *j = facts_json(&f);
        json_dumpf(j, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
        putchar('\n');
        json_decref(j);
    } else {
        if (!first) putchar('\n');
        print_text(&f);
    }
    facts_free(&f);
    return 0;
}

static int run(const app_t *app, const void *opts, int argc, char **argv)
{
    const info_t *o = opts;
    int failed = 0;
    err_t err = {0};
    emdb_where_t where;
    if (headopts_where(&o->header, app, (size_t)argc, &where, &err)) return cmd_fail(app, &err);
    for (int i = 0; i < argc; i++) failed += info_one(app, o, &where, argv[i], i == failed) != 0;
    return !failed ? EXIT_DONE : failed < argc ? EXIT_SOME_FAILED : EXIT_NOT_RUN;
}

const cmd_t cmd_info = {
    .name = "info",
    .args = "FILE...",
    .summary = "What a map holds: size, voxel, origin, statistics, faults",
    .about = "The statistics are those of the values in the file, not of its header. A \"note\" is a fault of the\n"
             "file that was read past, or a choice that the reader made. Stacks are told by their first volume,\n"
             "image stacks as a whole, with or without --images. A cell that is not orthogonal is resampled to an orthogonal\n"
             "grid, and size, voxel, box and origin are those of that grid; \"cell\" is the file's.\n\n"
             "Formats, told by content: MRC and CCP4, HDF5 (EMAN2, IMOD, Chimera), TIFF, Situs, OpenDX, SPIDER, EM; each also\n"
             "compressed by gzip, bzip2, xz or zstd.\n\n"
             "\"EMDB\" is what the header XML of the entry says, where one is found beside the map or given. Models are full, partial or apart as\n"
             "they overlap the map, unsaid where an older header does not say, and initial where the entry was there before.\n\n"
             "Status 1 when some of several files cannot be read, 3 when none can.",
    .example = "cryolex info --format json emd_1080.map.gz",
    .opts = rows,
    .opt_size = sizeof(info_t),
    .min_args = 1,
    .max_args = -1,
    .run = run,
};
