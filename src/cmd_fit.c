/* cryolex fit: the places of atomic models in a map. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/tsv.h"
#include "pdb/pdb.h"
#include "pipeline/structures.h"
#include "pipeline/target.h"
#include "src/cxc.h"
#include "src/headopts.h"
#include "src/json.h"
#include "src/mapopts.h"
#include "src/table.h"

enum { FORMAT_TSV, FORMAT_JSON };

typedef struct {
    const char *out, *structures, *assembly;
    double contour, resolution, step, angle;
    long keep;
    int format;
    headopts_t header;
    mapopts_t map;
} opts_t;

#define AT(field) offsetof(opts_t, field)
static const opt_t rows[] = {
    {'o', "output", OPT_STR, AT(out), "FOLDER", 0, 0, NULL, NULL,
     "Write each placed model there as mmCIF, named by its entry, and fit.cxc, which opens the map and the models in ChimeraX"},
    {'s', "structures", OPT_STR, AT(structures), "FOLDER", 0, 0, NULL, NULL,
     "Where the files of entries that are given by id are, as 1abc.cif.gz or ab/1abc.cif.gz (.cif, .mmcif, .pdb, .ent, pdb1abc.ent, plain or .gz)"},
    {'c', "contour", OPT_MAYBE, AT(contour), "LEVEL", -HUGE_VAL, HUGE_VAL, NULL, NULL,
     "Contour level of the map, in its own units; without it, that of its EMDB header, else estimated"},
    {'r', "resolution", OPT_MAYBE, AT(resolution), "A", 0.5, 200, NULL, NULL,
     "Resolution of the map in angstrom; without it, that of its EMDB header, else three voxels; never less than 2.5 voxels"},
    {0, "step", OPT_REAL, AT(step), "A", 0, 1000, NULL, "0",
     "Step of translations in the search, in angstrom; 0: a sixth of the model's radius of gyration, from 2 to 8"},
    {0, "angle", OPT_REAL, AT(angle), "DEGREES", 4, 120, NULL, "20", "Angle between neighbouring rotations in the search"},
    {0, "keep", OPT_INT, AT(keep), "N", 1, 10000, NULL, "16", "Poses of the search that are refined"},
    {0, "assembly", OPT_STR, AT(assembly), "ID", 0, 0, NULL, NULL,
     "Biological assembly of the models: an id, or asu for the model as deposited (default: assembly 1 of an entry from diffraction, the deposited "
     "model of others)"},
    {0, "format", OPT_CHOICE, AT(format), NULL, 0, 0, "tsv|json", "tsv", "TSV with a header row, or one JSON object a line"},
    {0, "headers", OPT_GROUP, AT(header), NULL, 0, 0, headopts_rows, NULL, NULL},
    {0, "maps", OPT_GROUP, AT(map), NULL, 0, 0, mapopts_rows, NULL, NULL},
    {0},
};

/* One model. */
typedef struct {
    size_t order;
    char *path, *name, *file; /* file: "" when nothing is written */
    char *assembly;           /* that was built, as of model_t */
    fit_t fit;
} hit_t;

static void hit_free(hit_t *h)
{
    mem_free(h->path);
    mem_free(h->name);
    mem_free(h->file);
    mem_free(h->assembly);
}

static int by_correlation(const void *a, const void *b)
{
    const hit_t *p = a, *q = b;
    double d = q->fit.correlation - p->fit.correlation;
    return d > 0 ? 1 : d < 0 ? -1 : p->order < q->order ? -1 : 1;
}

/* ---- what is printed ---- */

enum { NUMBERS = 14 };
static const struct {
    const char *name;
    int digits;
} column[NUMBERS] = {{"correlation", 4}, {"overall", 4}, {"inside", 3}, {"occupied", 3}, {"z", 2}, {"qw", 6}, {"qx", 6}, {"qy", 6}, {"qz", 6},
                     {"tx", 3},          {"ty", 3},     {"tz", 3},       {"step", 2}, {"rotations", 0}};

static void numbers(const fit_t *f, double v[NUMBERS])
{
    double q[4];
    pose_quaternion(f->pose.r, q);
    const double all[NUMBERS] = {f->correlation, f->overall, f->inside, f->occupied, f->z, q[0], q[1], q[2], q[3], f->pose.t[0], f->pose.t[1], f->pose.t[2],
                                 f->step, (double)f->rotations};
    memcpy(v, all, sizeof all);
}

static void print_tsv(const hit_t *h, size_t n)
{
    double v[NUMBERS];
    printf("rank\tentry");
    for (int c = 0; c < NUMBERS; c++) printf("\t%s", column[c].name);
    printf("\tfile\n");
    for (size_t i = 0; i < n; i++) {
        printf("%zu\t", i + 1);
        tsv_put(stdout, h[i].name);
        numbers(&h[i].fit, v);
        for (int c = 0; c < NUMBERS; c++) printf("\t%.*f", column[c].digits, v[c]);
        putchar('\t');
        tsv_put(stdout, *h[i].file ? h[i].file : "-");
        putchar('\n');
    }
}

static void print_json(const hit_t *h, size_t n)
{
    double v[NUMBERS];
    for (size_t i = 0; i < n; i++) {
        json_t *j = json_object();
        json_object_set_new(j, "rank", json_integer((json_int_t)i + 1));
        json_object_set_new(j, "entry", json_text(h[i].name));
        numbers(&h[i].fit, v);
        for (int c = 0; c < NUMBERS; c++)
            json_object_set_new(j, column[c].name, column[c].digits ? json_rounded(v[c], column[c].digits) : json_integer((json_int_t)v[c]));
        if (*h[i].file) json_object_set_new(j, "file", json_text(h[i].file));
        json_line(j);
    }
}

/* ---- what is written ---- */

static int write_script(const opts_t *o, const char *map, const target_t *t, const hit_t *h, size_t n, err_t *err)
{
    const char **file = mem_new(n, sizeof *file, err);
    for (size_t i = 0; file && i < n; i++) file[i] = h[i].file;
    int rc = file ? cxc_write(o->out, map, t->level, file, n, err) : -1;
    mem_free(file);
    return rc;
}

/* The file of a placed model: named by its entry, and its place in the list where that name came before. */
static int write_model(const opts_t *o, hit_t *h, const hit_t *before, size_t n, err_t *err)
{
    size_t room = strlen(o->out) + strlen(h->name) + 32, same = 1;
    for (size_t i = 0; i < n; i++) same += !strcmp(before[i].name, h->name);
    mem_free(h->file);
    if (!(h->file = mem_new(room, 1, err))) return -1;
    if (same == 1) snprintf(h->file, room, "%s/%s.cif", o->out, h->name);
    else snprintf(h->file, room, "%s/%s-%zu.cif", o->out, h->name, same);
    struct stat a, b;
    if (!stat(h->file, &a) && !stat(h->path, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino)
        return err_set(err, ERR_USAGE, "fit: %s is the input; another folder is wanted", h->file);
    return pdb_place(h->path, h->assembly, h->fit.pose.r, h->fit.pose.t, h->file, err);
}

/* ---- the work ---- */

static int find(const opts_t *o, const char *operand, hit_t *h, err_t *err)
{
    if (!access(operand, F_OK) || strchr(operand, '/') || strchr(operand, '.')) h->path = mem_str(operand, err);
    else if (o->structures) h->path = structures_find(o->structures, operand, err);
    else return err_set(err, ERR_USAGE, "fit: %s: no such file (for the id of an entry, --structures FOLDER is wanted)", operand);
    h->name = h->path ? structures_name(h->path, err) : NULL;
    h->file = h->name ? mem_str("", err) : NULL;
    return h->file ? 0 : -1;
}

/* 0, or -1 with the reason. */
static int one(const app_t *app, const opts_t *o, const target_t *t, const char *operand, hit_t *h, err_t *err)
{
    const fit_opts_t how = {.step = o->step, .angle = o->angle, .keep = (size_t)o->keep, .memory = app->memory};
    notes_t notes = {0};
    model_t *m = NULL;
    int rc = find(o, operand, h, err);
    if (!rc) rc = target_place(t, h->path, o->assembly, &how, &h->fit, &m, &notes, err);
    if (h->path) log_notes(&app->log, h->path, &notes);
    if (!rc && !(h->assembly = mem_str(m->assembly, err))) rc = -1;
    if (!rc)
        log_msg(&app->log, LOG_INFO, "%s: correlation %.3f, %.0f %% of the model inside the contour, %.0f %% of the contour occupied, z %.1f", h->path,
                h->fit.correlation, 100 * h->fit.inside, 100 * h->fit.occupied, h->fit.z);
    model_free(m);
    notes_free(&notes);
    return rc;
}

static int make_folder(const char *path, err_t *err)
{
    struct stat st;
    if (!mkdir(path, 0777)) return 0;
    if (errno != EEXIST) return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    return !stat(path, &st) && S_ISDIR(st.st_mode) ? 0 : err_set(err, ERR_IO, "%s: not a folder", path);
}

static int open_map(const app_t *app, const opts_t *o, const char *path, target_t *t, err_t *err)
{
    mrc_opts_t how = mapopts_mrc(&o->map, app);
    emdb_where_t where;
    notes_t notes = {0};
    if (headopts_where(&o->header, app, 1, &where, err)) return -1;
    int rc = target_open(t, path, NULL, &how, &where, o->contour, o->resolution, &notes, err);
    log_notes(&app->log, path, &notes);
    notes_free(&notes);
    if (!rc)
        log_msg(&app->log, LOG_INFO, "%s: contour %s%.4g, resolution %s%.3g angstrom", path, t->estimated ? "about " : "", t->level,
                t->guessed ? "not known, taken for " : "", fit_map_resolution(t->map));
    return rc;
}

static int run(const app_t *app, const void *options, int argc, char **argv)
{
    const opts_t *o = options;
    size_t n = (size_t)argc - 1, placed = 0;
    err_t err = {0};
    target_t t = {0};
    hit_t *hit = mem_zero(n, sizeof *hit, &err);
    int rc = -1;
    if (!hit || open_map(app, o, argv[0], &t, &err) || (o->out && make_folder(o->out, &err))) goto done;
    for (size_t i = 0; i < n; i++) {
        err_t why = {0};
        hit[placed].order = i;
        if (!one(app, o, &t, argv[i + 1], &hit[placed], &why)) {
            placed++;
            continue;
        }
        log_msg(&app->log, LOG_ERROR, "%s", why.msg);
        hit_free(&hit[placed]);
        hit[placed] = (hit_t){0};
    }
    qsort(hit, placed, sizeof *hit, by_correlation);
    rc = 0;
    for (size_t i = 0; !rc && o->out && i < placed; i++) rc = write_model(o, &hit[i], hit, i, &err);
    if (!rc && o->out) rc = write_script(o, argv[0], &t, hit, placed, &err);
    if (!rc) (o->format == FORMAT_JSON ? print_json : print_tsv)(hit, placed);
done:
    for (size_t i = 0; hit && i < placed; i++) hit_free(&hit[i]);
    mem_free(hit);
    target_close(&t);
    return rc ? cmd_fail(app, &err) : placed == n ? EXIT_DONE : placed ? EXIT_SOME_FAILED : EXIT_NOT_RUN;
}

const cmd_t cmd_fit = {
    .name = "fit",
    .args = "MAP HIT...",
    .summary = "Place atomic models in a map",
    .about = "MAP is a density map. Each HIT is an atomic model (PDB or mmCIF, plain or gzip), or the id of an entry whose file is in the "
             "folder that --structures names. Where a model lies and how it is turned does not matter: all rotations and translations are "
             "searched at a low resolution, and the best poses, and those that lay the principal axes on one another, are refined up to the "
             "resolution of the map. Rows come by correlation, the best first.\n\n"
             "Columns: rank, from 1; entry; correlation, about the mean, of the simulated model with the map, over the voxels of the map where "
             "the model's density is above a twentieth of its highest; overall, the same over these and all that is above the contour, which is less for a part than "
             "for the whole; inside, the fraction of the atoms, by weight, that lie above "
             "the contour; occupied, the fraction of the volume above the contour where the model is; z, how many standard deviations the best score "
             "of the search lies above the mean over all rotations; the rotation as a unit quaternion qw, qx, qy, qz, and the translation "
             "tx, ty, tz in angstrom, which is added after the rotation: both are of the coordinates in the file; step of the search in angstrom; "
             "rotations searched; file, the placed model.\n\n"
             "A symmetric model has as many right places as it has symmetry, and any of them may come out. The correlation is that of the place: compare it between "
             "models of like size only, as a small part fits in many places; overall compares models that may be the whole.",
    .example = "cryolex fit -o fitted --structures ~/structures emd_3342.map.gz 5fwm 5fwp",
    .opts = rows,
    .opt_size = sizeof(opts_t),
    .min_args = 2,
    .max_args = -1,
    .run = run,
};
