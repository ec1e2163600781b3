/* cryolex render: pictures of a map. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "pdb/pdb.h"
#include "pipeline/header.h"
#include "src/headopts.h"
#include "src/mapopts.h"
#include "src/outpath.h"
#include "src/sheet.h"
#include "src/table.h"
#include "voxel/contour.h"
#include "voxel/surface.h"

typedef struct {
    double contour, specks;
    const char *parts, *colour, *model, *assembly;
    long size;
    int background;
    bool bare;
    headopts_t header;
    mapopts_t map;
} opts_t;

#define AT(field) offsetof(opts_t, field)
static const opt_t rows[] = {
    {'c', "contour", OPT_MAYBE, AT(contour), "LEVEL", -HUGE_VAL, HUGE_VAL, NULL, NULL,
     "Contour level of the map, in its own units; without it, that of its EMDB header, else estimated"},
    {'m', "model", OPT_STR, AT(model), "FILE", 0, 0, NULL, NULL,
     "Draw this atomic model (PDB or mmCIF) as tubes through its CA and P atoms, where its coordinates say, in a translucent surface"},
    {0, "assembly", OPT_STR, AT(assembly), "ID", 0, 0, NULL, NULL,
     "Biological assembly of the model: an id, or asu for the model as deposited (default: as deposited)"},
    {'p', "parts", OPT_STR, AT(parts), "LIST", 0, 0, NULL, "surface,slices,projections", "What is drawn: some of surface, slices, projections"},
    {'s', "size", OPT_INT, AT(size), "N", SHEET_TILE_MIN, SHEET_TILE_MAX, NULL, "480", "Pixels along an edge of each view of the surface"},
    {'b', "background", OPT_CHOICE, AT(background), NULL, 0, 0, "light|dark", "light", "Background"},
    {0, "colour", OPT_STR, AT(colour), "COLOUR", 0, 0, NULL, "#9dbbdc",
     "Colour of the surface, as #rrggbb; or radial: by the distance from the middle, blue to red"},
    {0, "color", OPT_STR, AT(colour), "COLOUR", 0, 0, NULL, "#9dbbdc", "The same"},
    {0, "specks", OPT_REAL, AT(specks), "PART", 0, 1, NULL, "0.01", "Leave out bodies smaller than this part of the largest; 0 draws all"},
    {0, "bare", OPT_FLAG, AT(bare), NULL, 0, 0, NULL, NULL, "No title above"},
    {0, "headers", OPT_GROUP, AT(header), NULL, 0, 0, headopts_rows, NULL, NULL},
    {0, "maps", OPT_GROUP, AT(map), NULL, 0, 0, mapopts_rows, NULL, NULL},
    {0},
};

/* Bits of the parts in a list, or 0 with err. */
static unsigned read_parts(const char *list, err_t *err)
{
    static const char *const name[] = {"surface", "slices", "projections"};
    unsigned bits = 0;
    for (const char *p = list;; p++) {
        size_t n = strcspn(p, ","), k = 0;
        while (k < 3 && (strlen(name[k]) != n || memcmp(p, name[k], n) != 0)) k++;
        if (k == 3) {
            err_set(err, ERR_USAGE, "render: --parts %s: a list of some of surface, slices, projections is wanted", list);
            return 0;
        }
        bits |= 1u << k;
        p += n;
        if (!*p) return bits;
    }
}

static int read_colour(const char *text, sheet_t *s, err_t *err)
{
    char *end;
    const char *digits = text + (*text == '#');
    s->radial = !strcmp(text, "radial");
    if (s->radial) return 0;
    unsigned long rgb = strtoul(digits, &end, 16);
    if (strlen(digits) != 6 || *end || strspn(digits, "0123456789abcdefABCDEF") != 6)
        return err_set(err, ERR_USAGE, "render: --colour %s: #rrggbb or radial is wanted", text);
    s->colour = (uint32_t)rgb;
    return 0;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

/* The map, the level that is drawn, and a line about both. */
typedef struct {
    vol_t *v;
    double level;
    char about[256];
} subject_t;

static int read_map(const app_t *app, const opts_t *o, const char *path, subject_t *s, err_t *err)
{
    mrc_opts_t how = mapopts_mrc(&o->map, app);
    emdb_where_t where;
    emdb_t e = {0};
    notes_t notes = {0};
    contour_t c;
    err_t why = {0};
    if (headopts_where(&o->header, app, 1, &where, err)) return -1;
    s->level = o->contour;
    s->v = map_read(path, &how, NULL, &notes, err);
    int rc = s->v && header_of_map(path, &where, s->v, &s->level, &e, &notes, err) >= 0 ? 0 : -1;
    log_notes(&app->log, path, &notes);
    notes_free(&notes);
    const char *from = isnan(s->level) ? "estimated" : isnan(o->contour) ? "of the EMDB header" : "given";
    if (!rc && isnan(s->level)) {
        rc = contour_estimate(s->v, &c, &why);
        if (rc) err_set(err, why.code, "%s: %s", path, why.msg);
        s->level = c.level;
    }
    if (!rc) {
        const vol_t *v = s->v;
        bool cubic = v->voxel[0] == v->voxel[1] && v->voxel[1] == v->voxel[2];
        int n = snprintf(s->about, sizeof s->about, "contour %.4g, %s; %zu x %zu x %zu voxels of %.4g", s->level, from, v->nx, v->ny, v->nz, v->voxel[0]);
        if (!cubic && n > 0) n += snprintf(s->about + n, sizeof s->about - (size_t)n, " x %.4g x %.4g", v->voxel[1], v->voxel[2]);
        if (n > 0) n += snprintf(s->about + n, sizeof s->about - (size_t)n, " \303\205");
        if (e.resolution > 0 && n > 0) snprintf(s->about + n, sizeof s->about - (size_t)n, "; resolution %.3g \303\205", e.resolution);
    }
    emdb_free(&e);
    return rc;
}

static int read_model(const app_t *app, const opts_t *o, sheet_t *s, tubeat_t **tube, err_t *err)
{
    notes_t notes = {0};
    model_t *m = pdb_read(o->model, o->assembly ? o->assembly : "asu", &notes, err);
    log_notes(&app->log, o->model, &notes);
    notes_free(&notes);
    if (!m) return -1;
    *tube = tubes_of(m, &s->tubes, err);
    model_free(m);
    if (*tube && !s->tubes) err_set(err, ERR_RANGE, "%s: no CA or P atom to draw", o->model);
    s->tube = *tube;
    return s->tubes ? 0 : -1;
}

static int run(const app_t *app, const void *options, int argc, char **argv)
{
    (void)argc;
    const opts_t *o = options;
    const char *path = argv[0], *out = argv[1], *dot = strrchr(out, '.');
    sheet_t s = {.tile = (size_t)o->size, .dark = o->background, .specks = o->specks};
    subject_t m = {0};
    tubeat_t *tube = NULL;
    err_t err = {0}, why = {0};
    int rc = -1;
    if (!(s.parts = read_parts(o->parts, &err)) || read_colour(o->colour, &s, &err)) goto done;
    if (!dot || strcasecmp(dot, ".png") != 0) {
        err_set(&err, ERR_USAGE, "render: %s: the name of the picture does not end in .png", out);
        goto done;
    }
    if (outpath_not_input("render", out, path, &err) || (o->model && outpath_not_input("render", out, o->model, &err)) || outpath_writable(out, &err) ||
        read_map(app, o, path, &m, &err) || (o->model && read_model(app, o, &s, &tube, &err)))
        goto done;
    if (!o->bare) s.title = base_name(path), s.note = m.about;
    rc = sheet_write(out, m.v, m.level, &s, &why);
    if (rc && why.code == ERR_IO) err = why; /* of the picture, which it names */
    else if (rc) err_set(&err, why.code, "%s: %s", path, why.msg);
    else log_msg(&app->log, LOG_INFO, "%s: %s", path, m.about);
done:
    vol_free(m.v);
    mem_free(tube);
    return rc ? cmd_fail(app, &err) : EXIT_DONE;
}

const cmd_t cmd_render = {
    .name = "render",
    .args = "MAP PNG",
    .summary = "Draw a map: its surface, slices, projections",
    .about = "Draws the isosurface at the contour from three sides (along z, x and y, a quarter turn apart), the slices through the middle of "
             "the box, with the contour on them, and the projections along the same lines of sight. In all of them the axis that the "
             "caption names points at the viewer. The surface of a small map is that of the spline through its voxels; a map with more than 400 voxels "
             "along an edge of what is above the contour is averaged over blocks of voxels first.\n\n"
             "With --model the places are those of the model's file, so that a model which cryolex fit has placed lies where it was placed.",
    .example = "cryolex render --model fitted/5fwm.cif emd_3342.map.gz emd_3342.png",
    .opts = rows,
    .opt_size = sizeof(opts_t),
    .min_args = 2,
    .max_args = 2,
    .run = run,
};
