/* cmd_index_update: cryolex index update. */
#include <stdlib.h>

#include "base/mem.h"
#include "pipeline/modelfile.h"
#include "pipeline/update.h"
#include "src/indexopts.h"
#include "src/outpath.h"
#include "src/table.h"

typedef struct {
    const char *out, *obsolete;
    bool prune;
    entryopts_t entry;
} opts_t;

static const opt_t rows[] = {
    {'o', "output", OPT_STR, offsetof(opts_t, out), "FILE", 0, 0, NULL, NULL, "Write the index here; without it, in the place of INDEX, whole or not at all"},
    {0, "obsolete", OPT_STR, offsetof(opts_t, obsolete), "FILE", 0, 0, NULL, NULL,
     "Drop the entries whose ids FILE has: obsolete.dat of the wwPDB, or an id a line"},
    {0, "prune", OPT_FLAG, offsetof(opts_t, prune), NULL, 0, 0, NULL, NULL, "Drop the entries that the manifest has not; the index is then in its order"},
    {0, "assembly", OPT_STR, offsetof(opts_t, entry.assembly), "ID", 0, 0, NULL, NULL, "As of index build: give the same"},
    {'m', "model", OPT_STR, offsetof(opts_t, entry.model), "MODEL", 0, 0, NULL, NULL, "The model that the index was made with; an index with embeddings needs it"},
    {0, "annot", OPT_STR, offsetof(opts_t, entry.annot), "FOLDER", 0, 0, NULL, NULL, "The tables, as of index build, for all entries anew; an index with terms needs it"},
    {0, "text-model", OPT_STR, offsetof(opts_t, entry.text_model), "TEXT", 0, 0, NULL, NULL, TEXT_MODEL_HELP},
    {0, "store", OPT_GROUP, offsetof(opts_t, entry.store), NULL, 0, 0, storeopts_rows, NULL, NULL},
    {0, "headers", OPT_GROUP, offsetof(opts_t, entry.header), NULL, 0, 0, headopts_rows, NULL, NULL},
    {0, "maps", OPT_GROUP, offsetof(opts_t, entry.map), NULL, 0, 0, mapopts_rows, NULL, NULL},
    {0},
};

typedef struct {
    const app_t *app;
    const opts_t *o;
    const char *index, *out;
    manifest_t m;
    describer_t d;
    modelfile_t model;
    intern_t obsolete;
    index_t x;
} job_t;

static int open_all(job_t *j, int argc, char **argv, err_t *err)
{
    const opts_t *o = j->o;
    const char *model = o->entry.model;
    if (outpath_whole("index update", j->out, err) || (o->obsolete && update_obsolete(o->obsolete, &j->obsolete, err)) ||
        entryopts_open(j->app, j->out, &o->entry, argc, argv, &j->m, &j->d, err) || index_read(j->index, INDEX_ALL, &j->x, err))
        return -1;
    if (j->x.shards) return err_set(err, ERR_UNSUP, "%s: a shard: merge them first (cryolex index merge)", j->index);
    if (j->x.terms.n && !o->entry.annot) return err_set(err, ERR_USAGE, "index update: %s has terms; give --annot FOLDER", j->index);
    if (j->x.d && !model) return err_set(err, ERR_USAGE, "index update: %s has embeddings, of model %s; give -m MODEL", j->index, j->x.model);
    if (!model) return 0;
    if (modelfile_read(model, &j->model, err) || index_of_model(&j->x, j->index, j->model.hash, model, err)) return -1;
    j->model.encoder->frames = j->x.frames == 1 ? 1 : ENCODER_FRAMES;
    return encoder_ready(j->model.encoder, err);
}

static int update(job_t *j, updated_t *n, err_t *err)
{
    const opts_t *o = j->o;
    index_t *x = &j->x;
    const indexstore_t was = x->was, had = x->store;
    if (update_index(x, &j->m, o->obsolete ? &j->obsolete : NULL, o->prune, &j->d, j->model.encoder, &j->app->log, n, err)) return -1;
    if (!x->n) return err_set(err, ERR_FORMAT, "%s: no entry would be left", j->index);
    x->store = had;
    x->store.compact = was.compact;
    x->store.float32 = was.float32;
    if (storeopts_take("index update", &o->entry.store, x, err) ||
        (o->entry.annot && indexopts_annotate(j->app, j->out, o->entry.annot, o->entry.text_model, &j->model, o->entry.model, x, err)))
        return -1;
    return index_write(j->out, x, err);
}

static int run(const app_t *app, const void *opts, int argc, char **argv)
{
    const opts_t *o = opts;
    job_t j = {.app = app, .o = o, .index = argv[0], .out = o->out ? o->out : argv[0]};
    updated_t n = {0};
    err_t err = {0};
    int rc = open_all(&j, argc - 1, argv + 1, &err) || update(&j, &n, &err) ? -1 : 0;
    if (!rc)
        log_msg(&app->log, LOG_INFO, "%s: %zu entries: %zu kept, %zu added, %zu replaced, %zu dropped, %zu failed", j.out, j.x.n, n.kept, n.added,
                n.replaced, n.dropped, n.failed);
    int status = rc ? cmd_fail(app, &err) : n.failed ? EXIT_SOME_FAILED : EXIT_DONE;
    index_free(&j.x);
    intern_free(&j.obsolete);
    describe_end(&j.d);
    modelfile_free(&j.model);
    manifest_free(&j.m);
    return status;
}

const cmd_t cmd_index_update = {
    .name = "index update",
    .args = "INDEX MANIFEST|FOLDER|FILE...",
    .summary = "Bring an index up to date",
    .about =
        "Adds the entries of the manifest that INDEX has not, replaces those that have changed, and leaves the others. An entry has changed where its "
        "digest is another: of the bytes of its file (and its EMDB header), and of what the manifest says of contour, resolution, assembly and title. Nothing goes by dates. "
        "Entries of an index that was made before there were digests are all made again.\n\n"
        "Entries that the manifest has not stay, and so do those whose file cannot be read, which is reported; --obsolete and --prune drop entries. "
        "New entries come at the end. With --prune the order is that of the manifest, and the index is the one that cryolex index build makes of it, to the byte, given "
        "the same options, but for names that older tables (--annot) gave. How the index is stored (--compact, --float32) stays, and so do weights and calibration.\n\n"
        "The index is written beside its place and then moved there: searches that run go on with the old one.",
    .example = "cryolex index update -m model.safetensors --annot annotation --obsolete obsolete.dat pdb.index.h5 ~/structures",
    .opts = rows,
    .opt_size = sizeof(opts_t),
    .min_args = 2,
    .max_args = -1,
    .run = run,
};
