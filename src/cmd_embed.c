/* cmd_embed: cryolex embed, the embeddings of maps and models. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/tsv.h"
#include "pipeline/embed.h"
#include "pipeline/modelfile.h"
#include "pipeline/unique.h"
#include "pipeline/vectors.h"
#include "src/headopts.h"
#include "src/inputs.h"
#include "src/json.h"
#include "src/mapopts.h"
#include "src/outpath.h"
#include "src/table.h"

typedef struct {
    const char *model, *out, *assembly;
    int format;
    bool one_frame;
    double contour;
    headopts_t header;
    bool halves;
    mapopts_t map;
} opts_t;

enum { FORMAT_TSV, FORMAT_JSON };
enum { DIGITS = 6 }; /* significant ones of a printed number */

static const opt_t rows[] = {
    {'m', "model", OPT_STR, offsetof(opts_t, model), "MODEL", 0, 0, NULL, NULL,
     "The model; without it, the one that the environment variable CRYOLEX_MODEL names"},
    {'o', "output", OPT_STR, offsetof(opts_t, out), "FILE", 0, 0, NULL, NULL,
     "Write the embeddings to FILE, by its suffix: .npy (NumPy) or .h5 (HDF5). Standard output then has the row, from 0, "
     "of each id"},
    {0, "one-frame", OPT_FLAG, offsetof(opts_t, one_frame), NULL, 0, 0, NULL, NULL,
     "Use one of the four orientations (half turns) instead of the mean of all: the network is four times as fast, and the "
     "result depends on which"},
    {'c', "contour", OPT_MAYBE, offsetof(opts_t, contour), "LEVEL", -HUGE_VAL, HUGE_VAL, NULL, NULL,
     "Contour level of the maps, in their own units; without it, that of their EMDB headers, else estimated. A manifest's column contour comes "
     "first"},
    {0, "assembly", OPT_STR, offsetof(opts_t, assembly), "ID", 0, 0, NULL, NULL,
     "Biological assembly of the models: an id, or asu for the model as deposited. A manifest's column assembly comes "
     "first"},
    {0, "format", OPT_CHOICE, offsetof(opts_t, format), NULL, 0, 0, "tsv|json", "tsv",
     "TSV with a header row, or one JSON object a line"},
    {0, "half-maps", OPT_FLAG, offsetof(opts_t, halves), NULL, 0, 0, NULL, NULL, HALVES_HELP},
    {0, "headers", OPT_GROUP, offsetof(opts_t, header), NULL, 0, 0, headopts_rows, NULL, NULL},
    {0, "maps", OPT_GROUP, offsetof(opts_t, map), NULL, 0, 0, mapopts_rows, NULL, NULL},
    {0},
};

/* What becomes of each item. */
typedef struct {
    const log_t *log;
    vectors_t v; /* d always; rows only with an output file */
    bool keep, json;
    size_t done, failed;
} sink_t;

static void print_header(const sink_t *s)
{
    if (s->json) return;
    printf(s->keep ? "row\tid\trg" : "id\trg");
    for (size_t j = 0; !s->keep && j < s->v.d; j++) printf("\tz%zu", j);
    putchar('\n');
}

static void print_tsv(const sink_t *s, const char *id, double rg, const float *z)
{
    if (s->keep) printf("%zu\t", s->done);
    tsv_put(stdout, id);
    printf("\t%.*g", DIGITS, rg);
    for (size_t j = 0; !s->keep && j < s->v.d; j++) printf("\t%.*g", DIGITS, (double)z[j]);
    putchar('\n');
}

static void print_json(const sink_t *s, const char *id, double rg, const float *z)
{
    json_t *j = json_object(), *list = s->keep ? NULL : json_array();
    if (s->keep) json_object_set_new(j, "row", json_integer((json_int_t)s->done));
    json_object_set_new(j, "id", json_text(id));
    json_object_set_new(j, "rg", json_significant(rg, DIGITS));
    for (size_t k = 0; list && k < s->v.d; k++) json_array_append_new(list, json_significant((double)z[k], DIGITS));
    if (list) json_object_set_new(j, "embedding", list);
    json_line(j);
}

static int take(void *ctx, const item_t *it, const described_t *got, const float *z, err_t *err)
{
    sink_t *s = ctx;
    if (!z) {
        log_msg(s->log, LOG_WARN, "left out: %s", got->err.msg);
        s->failed++;
        return 0;
    }
    if (got->rec.kind == ITEM_MAP) log_notes(s->log, it->path, &got->notes);
    if (s->keep && vectors_add(&s->v, it->id, got->rec.rg, z, err)) return -1;
    (s->json ? print_json : print_tsv)(s, it->id, (double)got->rec.rg, z);
    s->done++;
    return 0;
}

typedef enum { OUT_NONE, OUT_NPY, OUT_H5 } outkind_t;

/* By the suffix of the output; OUT_NONE with err where it says nothing. */
static outkind_t out_kind(const char *out, err_t *err)
{
    const char *dot = strrchr(out, '.');
    if (dot && !strcasecmp(dot, ".npy")) return OUT_NPY;
    if (dot && (!strcasecmp(dot, ".h5") || !strcasecmp(dot, ".hdf5"))) return OUT_H5;
    err_set(err, ERR_USAGE, "embed: %s: the name of the output ends neither in .npy nor in .h5", out);
    return OUT_NONE;
}

/* Ids tell the rows apart; files of one name in several folders share theirs. */
static int warn_twice(const app_t *app, const manifest_t *m, err_t *err)
{
    unsigned char *again = mem_new(m->n, 1, err);
    if (!again || unique_mark(&m->item->id, sizeof *m->item, m->n, again, err)) {
        mem_free(again);
        return -1;
    }
    size_t n = 0, first = 0;
    for (size_t i = m->n; i-- > 0;)
        if (again[i]) {
            n++;
            first = i;
        }
    if (n) log_msg(&app->log, LOG_WARN, "%zu ids are not the first of their name, such as %s", n, m->item[first].id);
    mem_free(again);
    return 0;
}

static int run_items(const app_t *app, const opts_t *o, manifest_t *m, modelfile_t *model, describer_t *d, sink_t *s,
                     err_t *err)
{
    encoder_t *e = model->encoder;
    if (o->one_frame) e->frames = 1;
    for (size_t i = 0; i < m->n; i++) {
        if (!m->item[i].assembly) m->item[i].assembly = o->assembly;
        if (isnan(m->item[i].contour)) m->item[i].contour = o->contour;
    }
    if (warn_twice(app, m, err) || encoder_ready(e, err)) return -1;
    s->v.d = e->d;
    print_header(s);
    progress_t *bar = progress_new(&app->log, "embed", "items", m->n);
    int rc = embed_items(e, 1, d, m->item, m->n, bar, take, s, err);
    progress_end(bar);
    return rc;
}

static int run(const app_t *app, const void *opts, int argc, char **argv)
{
    const opts_t *o = opts;
    err_t err = {0};
    manifest_t m = {0};
    modelfile_t model = {0};
    describer_t d = {0};
    sink_t s = {.log = &app->log, .json = o->format == FORMAT_JSON, .keep = o->out};
    mrc_opts_t map = mapopts_mrc(&o->map, app);
    const char *path = o->model ? o->model : getenv("CRYOLEX_MODEL");
    outkind_t kind = o->out ? out_kind(o->out, &err) : OUT_NONE;
    int status = EXIT_NOT_RUN;

    if (!path)
        err_set(&err, ERR_USAGE,
                "embed: no model; give -m MODEL or set CRYOLEX_MODEL (cryolex model new makes an untrained one)");
    if (kind == OUT_H5) outpath_whole("embed", o->out, &err);
    if (err.code != ERR_OK || (o->halves ? inputs_halves : inputs_read)(app, argc, argv, &m, &err) ||
        (o->out &&
         (outpath_not_input("embed", o->out, path, &err) || inputs_spare("embed", o->out, argc, argv, &m, &err))) ||
        modelfile_read(path, &model, &err) || describe_new(&d, &map, &err) ||
        headopts_where(&o->header, app, m.n, &d.header, &err))
        goto done;
    if (model.untrained) log_msg(&app->log, LOG_INFO, "%s: an untrained model: its parameters are random", path);
    if (run_items(app, o, &m, &model, &d, &s, &err)) goto done;
    if (s.done && kind == OUT_NPY && vectors_npy(o->out, &s.v, &err)) goto done;
    if (s.done && kind == OUT_H5 && vectors_h5(o->out, &s.v, model.hash, model.encoder->frames, &err)) goto done;
    if (o->out && s.done)
        log_msg(&app->log, LOG_INFO, "%s: %zu embeddings of %zu numbers, %zu left out", o->out, s.done, s.v.d, s.failed);
    status = !s.failed ? EXIT_DONE : s.done ? EXIT_SOME_FAILED : EXIT_NOT_RUN;
done:
    if (err.code != ERR_OK) status = cmd_fail(app, &err);
    vectors_free(&s.v);
    describe_end(&d);
    modelfile_free(&model);
    manifest_free(&m);
    return status;
}

const cmd_t cmd_embed = {
    .name = "embed",
    .args = "-m MODEL MANIFEST|FOLDER|FILE...",
    .summary = "The embeddings of maps and models",
    .about =
        "Reads density maps and atomic models, as cryolex index build does and from the same manifests, brings each into "
        "the "
        "canonical cube and runs the model's network on it. An embedding is a vector of length 1; the dot product of two "
        "says how alike they are to the network.\n\n"
        "Columns: id; rg, radius of gyration in angstrom, which is to be compared beside the embedding; z0, z1 and so on, "
        "the "
        "embedding, to six digits. With --output the vectors go to a file in full, and the columns are row (from 0), id, "
        "rg. A .npy file holds the matrix alone, numpy.load reads it; an HDF5 file has the datasets embeddings, ids and "
        "rg, and in "
        "its attributes the hash of the model.\n\n"
        "An item that cannot be read is reported and left out, and the exit status is then 1.",
    .example = "cryolex embed -m model.safetensors -o pdb.npy ~/structures >pdb.tsv",
    .opts = rows,
    .opt_size = sizeof(opts_t),
    .min_args = 1,
    .max_args = -1,
    .run = run,
};
