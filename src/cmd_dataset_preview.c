/* cryolex dataset preview: a sheet of views beside clean cubes and real maps. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "mrc/map.h"
#include "pdb/pdb.h"
#include "pipeline/dataset.h"
#include "pipeline/describe.h"
#include "pipeline/header.h"
#include "src/inputs.h"
#include "src/outpath.h"
#include "src/png.h"
#include "src/table.h"
#include "voxel/view.h"

enum { SIDE = CUBE_SIDE, ZOOM = 3, TILE = SIDE * ZOOM, GAP = 6, CELLS_MAX = 64, ROWS_MAX = 150 };

typedef struct {
    const char *out, *dataset;
    long views, count, seed;
} opts_t;

#define AT(field) offsetof(opts_t, field)
static const opt_t rows[] = {
    {'o', "output", OPT_STR, AT(out), "PNG", 0, 0, NULL, NULL, "The picture to write"},
    {'d', "dataset", OPT_STR, AT(dataset), "DATASET", 0, 0, NULL, NULL, "Entries of this dataset, drawn at random, before the operands"},
    {'n', "count", OPT_INT, AT(count), "N", 1, ROWS_MAX, NULL, "8", "How many of them"},
    {0, "views", OPT_INT, AT(views), "N", 1, 32, NULL, "6", "Views of each model"},
    {0, "seed", OPT_INT, AT(seed), "N", 0, 1L << 53, NULL, "1", "Seed of the views and of the entries"},
    {0},
};

/* The sheet: a row of cells for each model, in each cell a projection over a central slice. */
typedef struct {
    size_t w, h, rows, cells;
    unsigned char *px;
    size_t row, cell; /* where the next cube goes; row counts from 1 */
    float *turns, *clean; /* (24, 4096), (4096) */
    bool known;       /* clean is that of this row */
    cube_t first;     /* the clean cube */
} sheet_t;

static int sheet_new(sheet_t *s, size_t nrows, size_t cells, err_t *err)
{
    *s = (sheet_t){.rows = nrows, .cells = cells, .w = cells * (TILE + GAP) + GAP, .h = nrows * (2 * TILE + 2 * GAP) + GAP};
    s->turns = mem_new((size_t)DESC_TURNS * DESC_LEN, sizeof *s->turns, err);
    s->clean = mem_new((size_t)DESC_TURNS * DESC_LEN, sizeof *s->clean, err);
    s->px = mem_new(s->w * s->h, 1, err);
    if (!s->px || !s->clean || !s->turns) return -1;
    memset(s->px, 96, s->w * s->h);
    return 0;
}

static void sheet_free(sheet_t *s)
{
    mem_free(s->px);
    mem_free(s->turns);
    mem_free(s->clean);
    cube_free(&s->first);
}

/* Turn of the cube that agrees best with the clean one of the row, and their correlation. */
static int best_turn(const sheet_t *s, double *most)
{
    int best = 0;
    *most = -2;
    for (int k = 0; k < DESC_TURNS; k++) {
        double dot = 0;
        for (size_t i = 0; i < DESC_LEN; i++) dot += (double)(s->turns[(size_t)k * DESC_LEN + i] * s->clean[i]);
        if (dot <= *most) continue;
        *most = dot;
        best = k;
    }
    return best;
}

static unsigned char grey(double x) { return (unsigned char)(255 * (x < 0 ? 0 : x > 1 ? 1 : x)); }

/* Draw c (SIDE^3) in the next cell: the sum along z, and the slice in the middle. */
static void paint(sheet_t *s, const float *c)
{
    size_t left = GAP + s->cell * (TILE + GAP), top = GAP + (s->row - 1) * (2 * TILE + 2 * GAP);
    double sum[SIDE * SIDE] = {0}, most = 0;
    for (size_t i = 0; i < (size_t)SIDE * SIDE * SIDE; i++) sum[i % (SIDE * SIDE)] += (double)c[i];
    for (size_t i = 0; i < (size_t)SIDE * SIDE; i++) most = fmax(most, sum[i]);
    for (size_t y = 0; y < TILE; y++)
        for (size_t x = 0; x < TILE; x++) {
            size_t i = (y / ZOOM) * SIDE + x / ZOOM;
            double mid = 0.5 * (double)(c[(SIDE / 2 - 1) * SIDE * SIDE + i] + c[SIDE / 2 * SIDE * SIDE + i]);
            s->px[(top + y) * s->w + left + x] = grey(most > 0 ? sum[i] / most : 0);
            s->px[(top + TILE + y) * s->w + left + x] = grey(mid);
        }
    s->cell++;
}

/* Draw a cube, turned as the clean one of its row, and print how they differ. A clean one begins a row. */
static int add(sheet_t *s, const char *id, const char *what, cube_t *c, err_t *err)
{
    int8_t desc[DESC_LEN];
    double corr = 1;
    bool clean = !strcmp(what, "clean");
    if (clean || !s->row || s->cell >= s->cells) {
        s->row++;
        s->cell = 0;
        s->known = clean;
    }
    float *turned = mem_new((size_t)SIDE * SIDE * SIDE, sizeof *turned, err);
    if (!turned) return -1;
    desc_pack(c->data, c->side, desc);
    desc_turns(desc, clean ? s->clean : s->turns);
    turn_cube(c->data, c->side, clean || !s->known ? 0 : best_turn(s, &corr), turned);
    paint(s, turned);
    mem_free(turned);
    printf("%zu\t%zu\t%s\t%s", s->row, s->cell, id, what);
    if (s->known && !clean)
        printf("\t%.4f\t%.4f\t%.4f\n", corr, c->frame.rg / s->first.frame.rg, c->volume / s->first.volume);
    else
        printf("\t-\t-\t-\n");
    if (clean) {
        cube_free(&s->first);
        s->first = *c;
        *c = (cube_t){0};
    }
    cube_free(c);
    return 0;
}

static int add_model(sheet_t *s, const char *id, const model_t *m, const membrane_t *span, const opts_t *o, err_t *err)
{
    cube_t c;
    vol_t *v = describe_density(m, err);
    int rc = v ? cube_make(v, NULL, &c, err) : -1;
    vol_free(v);
    if (rc || add(s, id, "clean", &c, err)) return -1;
    for (long k = 0; k < o->views; k++)
        if (view_make(m, span, &view_em, (uint64_t)(o->seed + 1000 * k) + (s->row << 32), &c, err) || add(s, id, "view", &c, err)) return -1;
    return 0;
}

/* A file: a model begins a row, a map goes into the row of the model before it. */
static int add_file(const app_t *app, sheet_t *s, const item_t *it, const opts_t *o, err_t *err)
{
    cube_t c;
    membrane_t span;
    if ((it->kind == ITEM_AUTO ? manifest_kind(it->path) : it->kind) == ITEM_MODEL) {
        model_t *m = pdb_read(it->path, it->assembly, NULL, err);
        int rc = m && !membrane_find(m, &span, err) ? add_model(s, it->id, m, &span, o, err) : -1;
        model_free(m);
        return rc;
    }
    const mrc_opts_t how = {.apix = it->apix, .mem_limit = app->memory};
    const emdb_where_t beside = {0};
    double level = it->contour;
    emdb_t e = {0};
    notes_t notes = {0};
    vol_t *v = map_read(it->path, &how, NULL, NULL, err);
    int rc = v && header_of_map(it->path, &beside, v, &level, &e, &notes, err) >= 0 ? 0 : -1;
    const cube_opts_t co = {.contour = isnan(level) ? NULL : &level};
    if (!rc) rc = cube_make(v, &co, &c, err) ? -1 : add(s, it->id, "map", &c, err);
    log_notes(&app->log, it->path, &notes);
    notes_free(&notes);
    emdb_free(&e);
    vol_free(v);
    return rc;
}

static int add_dataset(sheet_t *s, const dataset_t *d, const opts_t *o, err_t *err)
{
    rng_t r;
    rng_seed(&r, (uint64_t)o->seed);
    for (long k = 0; k < o->count; k++) {
        size_t i = (size_t)(rng_unit(&r) * (double)d->n);
        model_t *m = dataset_model(d, i, err);
        int rc = m ? add_model(s, d->id[i], m, &d->span[i], o, err) : -1;
        model_free(m);
        if (rc) return -1;
    }
    return 0;
}

/* Rows that the files need, and cells of the longest: a clean cube, its views, and the maps that follow. */
static void measure(const manifest_t *m, const opts_t *o, size_t *nrows, size_t *cells)
{
    size_t at = 0;
    *nrows = o->dataset ? (size_t)o->count : 0;
    *cells = (size_t)o->views + 1;
    for (size_t i = 0; i < m->n; i++) {
        bool model = (m->item[i].kind == ITEM_AUTO ? manifest_kind(m->item[i].path) : m->item[i].kind) == ITEM_MODEL;
        if (model || at >= CELLS_MAX || !*nrows) {
            ++*nrows;
            at = 0;
        }
        at += model ? (size_t)o->views + 1 : 1;
        if (at > *cells) *cells = at;
    }
}

static int run(const app_t *app, const void *options, int argc, char **argv)
{
    const opts_t *o = options;
    manifest_t m = {0};
    dataset_t d = {0};
    sheet_t s = {0};
    err_t err = {0};
    size_t nrows, cells;
    if (!o->out || (!argc && !o->dataset)) {
        err_set(&err, ERR_USAGE, "dataset preview: %s", o->out ? "nothing to draw; give -d DATASET, or models" : "no output; give -o PNG");
        goto done;
    }
    if (!strcmp(o->out, "-")) {
        err_set(&err, ERR_USAGE, "dataset preview: the picture cannot go where the table goes, standard output");
        goto done;
    }
    if (argc && (inputs_read(app, argc, argv, &m, &err) || inputs_spare("dataset preview", o->out, argc, argv, &m, &err))) goto done;
    if (o->dataset && (outpath_not_input("dataset preview", o->out, o->dataset, &err) || dataset_read(o->dataset, &d, &err))) goto done;
    measure(&m, o, &nrows, &cells);
    if (nrows > ROWS_MAX) {
        err_set(&err, ERR_RANGE, "dataset preview: %zu rows are no sheet (at most %d)", nrows, ROWS_MAX);
        goto done;
    }
    if (outpath_writable(o->out, &err) || sheet_new(&s, nrows, cells, &err)) goto done;
    printf("row\tcell\tid\twhat\tcorrelation\trg_ratio\tvolume_ratio\n");
    if (o->dataset && add_dataset(&s, &d, o, &err)) goto done;
    for (size_t i = 0; i < m.n; i++)
        if (add_file(app, &s, &m.item[i], o, &err)) goto done;
    png_write(o->out, s.px, s.w, s.h, &err);
done:
    sheet_free(&s);
    dataset_free(&d);
    manifest_free(&m);
    return err.code != ERR_OK ? cmd_fail(app, &err) : EXIT_DONE;
}

const cmd_t cmd_dataset_preview = {
    .name = "dataset preview",
    .args = "-o PNG [MODEL|MAP|MANIFEST...]",
    .summary = "Draw EM-like views beside clean cubes and real maps",
    .about = "Draws a sheet: for each model a row of canonical cubes, first the clean one, as index build makes it, then views as "
             "training makes them from the same model, then the real maps that follow the model among the operands. Of each cube there is "
             "the projection along its third axis and, below, the slice through its middle. All are turned by quarter turns to agree "
             "best with the clean cube.\n\n"
             "Prints a table of the cells: the correlation with the clean cube, and the ratios of the radii of gyration and of "
             "the volumes.",
    .example = "cryolex dataset preview -o sheet.png 5ivw.pdb.gz EMD-8131_5A.mrc",
    .opts = rows,
    .opt_size = sizeof(opts_t),
    .min_args = 0,
    .max_args = -1,
    .run = run,
};
