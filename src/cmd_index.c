/* cmd_index: cryolex index build | info | merge. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "pipeline/build.h"
#include "pipeline/index.h"
#include "pipeline/manifest.h"
#include "pipeline/modelfile.h"
#include "pipeline/par.h"
#include "src/indexopts.h"
#include "src/outpath.h"
#include "src/shard.h"
#include "src/table.h"

typedef struct {
    const char *out, *shard;
    entryopts_t entry;
} build_opts_t;

static const opt_t build_rows[] = {
    {'o', "output", OPT_STR, offsetof(build_opts_t, out), "INDEX", 0, 0, NULL, NULL, "The index to write (HDF5): a file, no pipe"},
    {0, "assembly", OPT_STR, offsetof(build_opts_t, entry.assembly), "ID", 0, 0, NULL, NULL,
     "Biological assembly of the models: an id, or asu for the model as deposited; without it, assembly 1 of crystal "
     "entries and the deposited model of others. A manifest's column assembly comes first"},
    {'m', "model", OPT_STR, offsetof(build_opts_t, entry.model), "MODEL", 0, 0, NULL, NULL,
     "Embed every entry with this model, which searches then have to use"},
    {0, "annot", OPT_STR, offsetof(build_opts_t, entry.annot), "FOLDER", 0, 0, NULL, NULL, ANNOT_HELP},
    {0, "text-model", OPT_STR, offsetof(build_opts_t, entry.text_model), "TEXT", 0, 0, NULL, NULL, TEXT_MODEL_HELP},
    {0, "shard", OPT_STR, offsetof(build_opts_t, shard), "I/N", 0, 0, NULL, NULL,
     "Do only every N-th entry from the I-th on, 1/N to N/N, or slurm, the part of a task of a Slurm array; cryolex index merge then makes of all N shards "
     "what one run would have made"},
    {0, "store", OPT_GROUP, offsetof(build_opts_t, entry.store), NULL, 0, 0, storeopts_rows, NULL, NULL},
    {0, "headers", OPT_GROUP, offsetof(build_opts_t, entry.header), NULL, 0, 0, headopts_rows, NULL, NULL},
    {0, "maps", OPT_GROUP, offsetof(build_opts_t, entry.map), NULL, 0, 0, mapopts_rows, NULL, NULL},
    {0},
};

/* What a build reads, and what comes of it. */
typedef struct {
    const app_t *app;
    const build_opts_t *o;
    manifest_t m;
    describer_t d;
    modelfile_t model;
    index_t x;
    size_t failed;
} build_t;

/* What cannot be, before the work. */
static int check_build(const build_opts_t *o, index_t *x, const comm_t *c, err_t *err)
{
    if (!o->out) return err_set(err, ERR_USAGE, "index build: no output; give -o INDEX");
    if (o->shard && c->size > 1) return err_set(err, ERR_USAGE, "index build: --shard under mpirun: one of both");
    if (o->shard && (o->entry.store.compact || o->entry.store.without))
        return err_set(err, ERR_USAGE, "index build: --shard: a shard is stored in full; give --compact and --without to index merge");
    x->shards = c->size > 1 ? (size_t)c->size : 0;
    x->shard = (size_t)c->rank;
    if (o->shard && shard_parse("index build", o->shard, &x->shard, &x->shards, err)) return -1;
    index_t dry = {.scoring = scoring_default};
    return storeopts_take("index build", &o->entry.store, &dry, err) || outpath_whole("index build", o->out, err) ? -1 : 0;
}

static int open_build(build_t *b, int argc, char **argv, err_t *err)
{
    const build_opts_t *o = b->o;
    const char *model = o->entry.model;
    if (entryopts_open(b->app, o->out, &o->entry, argc, argv, &b->m, &b->d, err)) return -1;
    if (!model) return 0;
    if (modelfile_read(model, &b->model, err) || encoder_ready(b->model.encoder, err)) return -1;
    b->x.d = b->model.encoder->d;
    b->x.frames = b->model.encoder->frames;
    memcpy(b->x.model, b->model.hash, sizeof b->x.model);
    if (b->model.untrained) log_msg(&b->app->log, LOG_INFO, "%s: an untrained model: its parameters are random", model);
    return 0;
}

static int build(build_t *b, const comm_t *c, int argc, char **argv, err_t *err)
{
    const build_opts_t *o = b->o;
    const log_t warn = {.f = b->app->log.f, .level = LOG_WARN}, *log = c->rank ? &warn : &b->app->log;
    index_t *x = &b->x;
    if (open_build(b, argc, argv, err) || build_index(&b->m, &b->d, b->model.encoder, log, x, &b->failed, err)) return -1;
    if (c->size > 1 && build_gather(x, o->out, c, &b->failed, err)) return -1;
    if (c->rank) return 0;
    if (!x->n) return err_set(err, ERR_FORMAT, "%s: nothing to index: none of %zu entries%s could be read%s", o->out, b->m.n, x->shards ? " that are in this shard" : "",
                       x->shards ? " (index merge --partial does without)" : "");
    if (storeopts_take("index build", &o->entry.store, x, err)) return -1;
    if (x->shards) x->store.float32 = x->store.exact = true;
    if ((o->entry.annot && indexopts_annotate(b->app, o->out, o->entry.annot, o->entry.text_model, &b->model, o->entry.model, x, err)) || index_write(o->out, x, err)) return -1;
    log_msg(&b->app->log, LOG_INFO, "%s: %zu entries, %zu left out", o->out, x->n, b->failed);
    return 0;
}

static int run_build(const app_t *app, const void *opts, int argc, char **argv)
{
    app_t own = *app;
    build_t b = {.app = &own, .o = opts, .x = {.scoring = scoring_default}};
    err_t err = {0};
    comm_t c;
    if (par_begin(&c, &err)) return cmd_fail(app, &err);
    if (c.rank) own.log.level = LOG_ERROR; /* what all of them see is told once */
    int rc = check_build(b.o, &b.x, &c, &err) || build(&b, &c, argc, argv, &err) ? -1 : 0;
    int status = rc ? cmd_fail(app, &err) : b.failed && !c.rank ? EXIT_SOME_FAILED : EXIT_DONE;
    index_free(&b.x);
    describe_end(&b.d);
    modelfile_free(&b.model);
    manifest_free(&b.m);
    par_end(&c, !rc);
    return status;
}

const cmd_t cmd_index_build = {
    .name = "index build",
    .args = "-o INDEX MANIFEST|FOLDER|FILE...",
    .summary = "Describe maps and models, and store them for searching",
    .about = "Reads atomic models (PDB or mmCIF, plain or gzip) and density maps (MRC or CCP4, plain, gzip, bzip2, xz or zstd), "
             "and writes one HDF5 file that cryolex search uses. A model is simulated into density first.\n\n"
             "A manifest is a table of tab-separated columns with a header row; it needs the columns id and path (relative paths "
             "start at its folder) and may have kind (map, model), contour, apix, assembly, title, caption, terms, "
             "group, split and pair. A folder stands for every map and model file below it, whose id is its name.\n\n"
             "With --model the index has the embedding of every entry, and with --annot what the entries do: cryolex annotate "
             "needs both.\n\n"
             "An entry that cannot be read is reported and left out, and the exit status is then 1.\n\n"
             "Under mpirun -n K the entries are shared by K processes, on a file system that all of them see; the index is the same to the byte, and so "
             "is that of shards (--shard) that are merged.",
    .example = "cryolex index build -o pdb.index.h5 ~/structures",
    .opts = build_rows,
    .opt_size = sizeof(build_opts_t),
    .min_args = 1,
    .max_args = -1,
    .run = run_build,
};

static void print_space(const index_t *x)
{
    if (*x->model) printf("model\t%s\nframes\t%d\n", x->model, x->frames);
    if (x->shards) printf("shard\t%zu/%zu\nmanifest_items\t%zu\n", x->shard + 1, x->shards, x->items);
    if (x->d) printf("embedding\t%zu\n", x->d);
    if (x->terms.n) printf("terms\t%zu\nterms_of_entries\t%zu\n", x->terms.n, x->terms.of.at[x->n]);
    if (x->terms.z) printf("text_model\t%s\ntext_hash\t%s\n", x->terms.text_model, x->terms.text_hash);
    if (x->store.no_zernike || x->store.no_profile)
        printf("without\t%s%s%s\n", x->store.no_zernike ? "zernike" : "", x->store.no_zernike && x->store.no_profile ? "," : "",
               x->store.no_profile ? "profile" : "");
    if (x->terms.n) printf("calibrated\t%s\n", x->evidence.fitted ? "yes" : "no");
    if (x->evidence.fitted) printf("known.cut\t%g\n", x->evidence.cut);
    scoring_t s = x->scoring;
    for (size_t k = 0; k < SCORING_FIELDS; k++)
        printf("scoring.%s\t%g%s\n", scoring_name[k], *scoring_field(&s, k), x->scored ? "" : " (default)");
}

static int run_info(const app_t *app, const void *opts, int argc, char **argv)
{
    index_t x;
    err_t err = {0};
    (void)opts;
    (void)argc;
    if (index_read(argv[0], INDEX_TEXT(INDEX_ID) | INDEX_TEXT(INDEX_KIND) | INDEX_EMBED | INDEX_VOCAB | INDEX_VOCAB_EMBED, &x, &err))
        return cmd_fail(app, &err);
    size_t maps = 0;
    float lo = x.rg[0], hi = x.rg[0];
    for (size_t i = 0; i < x.n; i++) {
        maps += !strcmp(x.text[INDEX_KIND][i], "map");
        lo = x.rg[i] < lo ? x.rg[i] : lo;
        hi = x.rg[i] > hi ? x.rg[i] : hi;
    }
    printf("field\tvalue\n");
    printf("path\t%s\nformat\t%s %d\ncube_version\t%d\n", argv[0], INDEX_FORMAT, x.version, CUBE_VERSION);
    printf("entries\t%zu\nmodels\t%zu\nmaps\t%zu\n", x.n, x.n - maps, maps);
    printf("rg_min_angstrom\t%.1f\nrg_max_angstrom\t%.1f\n", (double)lo, (double)hi);
    printf("first_id\t%s\nlast_id\t%s\n", x.text[INDEX_ID][0], x.text[INDEX_ID][x.n - 1]);
    print_space(&x);
    index_free(&x);
    return EXIT_DONE;
}

const cmd_t cmd_index_info = {
    .name = "index info",
    .args = "INDEX",
    .summary = "What an index holds",
    .about = "Prints format, versions, number of entries, range of sizes, the model of the embeddings, terms and the weights of the score as a table of two columns.",
    .example = "cryolex index info pdb.index.h5",
    .min_args = 1,
    .max_args = 1,
    .run = run_info,
};

typedef struct {
    const char *out;
    bool partial;
    storeopts_t store;
} merge_opts_t;

static const opt_t merge_rows[] = {
    {'o', "output", OPT_STR, offsetof(merge_opts_t, out), "INDEX", 0, 0, NULL, NULL, "The index to write (HDF5): a file, no pipe"},
    {0, "partial", OPT_FLAG, offsetof(merge_opts_t, partial), NULL, 0, 0, NULL, NULL, "Of shards, go without those that are missing"},
    {0, "store", OPT_GROUP, offsetof(merge_opts_t, store), NULL, 0, 0, storeopts_rows, NULL, NULL},
    {0},
};

/* Join them all. */
static int merge(const merge_opts_t *o, int files, char **path, index_t *all, err_t *err)
{
    unsigned char *joined = NULL;
    int rc = 0;
    for (int i = 0; !rc && i < files; i++) {
        index_t x = {0};
        rc = index_read(path[i], INDEX_ALL, &x, err);
        if (!rc && x.shards && !joined && !(joined = mem_zero(x.shards, 1, err))) rc = -1;
        if (!rc && index_join(all, &x, err)) {
            err_prefix(err, path[i]);
            rc = -1;
        }
        if (!rc && x.shards) joined[x.shard] = 1;
        index_free(&x);
    }
    if (!rc && all->shards) {
        all->store.float32 = all->store.exact = false;
        rc = index_whole(all, joined, o->partial, err);
    }
    mem_free(joined);
    return rc;
}

static int run_merge(const app_t *app, const void *opts, int argc, char **argv)
{
    const merge_opts_t *o = opts;
    index_t all = {.scoring = scoring_default};
    err_t err = {0};
    if (!o->out)
        err_set(&err, ERR_USAGE, "index merge: no output; give -o INDEX");
    else if (!outpath_whole("index merge", o->out, &err))
        outpath_writable(o->out, &err);
    if (err.code == ERR_OK && !merge(o, argc, argv, &all, &err) && !storeopts_take("index merge", &o->store, &all, &err) && !index_write(o->out, &all, &err))
        log_msg(&app->log, LOG_INFO, "%s: %zu entries from %d indexes", o->out, all.n, argc);
    index_free(&all);
    return err.code == ERR_OK ? EXIT_DONE : cmd_fail(app, &err);
}

const cmd_t cmd_index_merge = {
    .name = "index merge",
    .args = "-o INDEX INDEX...",
    .summary = "Join indexes into one",
    .about = "Entries keep their order; those of shards (index build --shard) get that of the manifest, and the index is then what one run would have made, to the byte. An id that two indexes share is an error, as are embeddings of two models, and nothing is "
             "written. A single index is written again, with the options given here: smaller, or with other weights of the score.",
    .example = "cryolex index merge -o all.h5 part-1.h5 part-2.h5",
    .opts = merge_rows,
    .opt_size = sizeof(merge_opts_t),
    .min_args = 1,
    .max_args = -1,
    .run = run_merge,
};
