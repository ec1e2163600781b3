/* cmd_index: cryolex index build | info | merge. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "pipeline/annot.h"
#include "pipeline/build.h"
#include "pipeline/index.h"
#include "pipeline/manifest.h"
#include "pipeline/modelfile.h"
#include "pipeline/textmodel.h"
#include "src/headopts.h"
#include "src/inputs.h"
#include "src/mapopts.h"
#include "src/outpath.h"
#include "src/table.h"

/* How to store an index: of build and merge. */
typedef struct {
    const char *without, *scoring;
    bool compact, float32;
} store_opts_t;

static const opt_t store_rows[] = {
    {0, "compact", OPT_FLAG, offsetof(store_opts_t, compact), NULL, 0, 0, NULL, NULL,
     "A small file: cubes of 64 levels and embeddings in steps of 1/512, deflated. Retrieval is the same, but each search reads the whole index"},
    {0, "without", OPT_STR, offsetof(store_opts_t, without), "LIST", 0, 0, NULL, NULL,
     "Leave out some of zernike, profile (which search --descriptor can then not compare) and path (where the entries were read)"},
    {0, "float32", OPT_FLAG, offsetof(store_opts_t, float32), NULL, 0, 0, NULL, NULL, "Embeddings in float32 instead of float16"},
    {0, "scoring", OPT_STR, offsetof(store_opts_t, scoring), "LIST", 0, 0, NULL, NULL,
     "Calibrated weights for searches in this index, NAME=NUMBER,...; names and defaults are in cryolex search -h"},
    {0},
};

/* Take the options into the index. 0, or -1 with ERR_USAGE. */
static int take_store(const char *cmd, const store_opts_t *o, index_t *x, err_t *err)
{
    const char *p = o->without ? o->without : "";
    while (*p) {
        size_t n = strcspn(p, ",");
        if (n == 7 && !strncmp(p, "zernike", n)) x->store.no_zernike = true;
        else if (n == 7 && !strncmp(p, "profile", n)) x->store.no_profile = true;
        else if (n == 4 && !strncmp(p, "path", n)) x->store.no_path = true;
        else return err_set(err, ERR_USAGE, "%s: --without %s: a list of some of zernike, profile, path is wanted", cmd, o->without);
        p += n + (p[n] == ',');
    }
    if (o->compact) x->store.compact = true;
    if (o->float32) x->store.float32 = true;
    if (!o->scoring) return 0;
    x->scored = true;
    return scoring_set(&x->scoring, o->scoring, err);
}

typedef struct {
    const char *out, *model, *annot, *text_model;
    const char *assembly;
    store_opts_t store;
    mapopts_t map;
    headopts_t header;
} build_opts_t;

static const opt_t build_rows[] = {
    {'o', "output", OPT_STR, offsetof(build_opts_t, out), "INDEX", 0, 0, NULL, NULL, "The index to write (HDF5): a file, no pipe"},
    {0, "assembly", OPT_STR, offsetof(build_opts_t, assembly), "ID", 0, 0, NULL, NULL,
     "Biological assembly of the models: an id, or asu for the model as deposited; without it, assembly 1 of crystal "
     "entries and the deposited model of others. A manifest's column assembly comes first"},
    {'m', "model", OPT_STR, offsetof(build_opts_t, model), "MODEL", 0, 0, NULL, NULL,
     "Embed every entry with this model, which searches then have to use"},
    {0, "annot", OPT_STR, offsetof(build_opts_t, annot), "FOLDER", 0, 0, NULL, NULL,
     "Give the entries the GO terms, EC numbers and Pfam families that the tables in FOLDER (see cryolex caption -h) know for their PDB ids (the ids up "
     "to the first _) or EMDB ids (emd_1234, EMD-1234), and titles where there are none. With a model that knows text the terms are embedded, too"},
    {0, "text-model", OPT_STR, offsetof(build_opts_t, text_model), "TEXT", 0, 0, NULL, NULL,
     "The sentence encoder of the model, for the terms: minilm, mpnet or a folder; without it, what the environment variable "
     "CRYOLEX_TEXT_MODEL says, else minilm"},
    {0, "store", OPT_GROUP, offsetof(build_opts_t, store), NULL, 0, 0, store_rows, NULL, NULL},
    {0, "headers", OPT_GROUP, offsetof(build_opts_t, header), NULL, 0, 0, headopts_rows, NULL, NULL},
    {0, "maps", OPT_GROUP, offsetof(build_opts_t, map), NULL, 0, 0, mapopts_rows, NULL, NULL},
    {0},
};

static int fill_clusters(index_t *x, size_t i, const facts_t *f, err_t *err)
{
    const size_t room = 11 * f->nclusters + 1;
    size_t at = 0;
    char *s = mem_zero(room, 1, err);
    if (!s) return -1;
    for (size_t k = 0; k < f->nclusters; k++) at += (size_t)snprintf(s + at, room - at, "%s%u", k ? "," : "", (unsigned)f->cluster[k]);
    mem_free(x->text[INDEX_CLUSTERS][i]);
    x->text[INDEX_CLUSTERS][i] = s;
    return 0;
}

/* Names that the tables have and the files had not. */
static int fill_facts(index_t *x, const annot_t *a, err_t *err)
{
    static const int column[] = {INDEX_TITLE, INDEX_METHOD, INDEX_MOLECULES, INDEX_ORGANISMS};
    for (size_t i = 0; i < x->n; i++) {
        const facts_t *f = terms_facts(a, x->text[INDEX_ID][i]);
        if (f && fill_clusters(x, i, f, err)) return -1;
        const char *const fact[] = {f ? f->title : "", f ? f->method : "", f ? f->molecules : "", f ? f->organism : ""};
        for (size_t k = 0; k < sizeof column / sizeof *column; k++) {
            char **s = &x->text[column[k]][i];
            if (**s || !*fact[k]) continue;
            char *copy = mem_str(fact[k], err);
            if (!copy) return -1;
            mem_free(*s);
            *s = copy;
        }
    }
    return 0;
}

/* The terms of the entries, embedded where the model knows text. */
static int annotate_index(const app_t *app, const build_opts_t *o, const modelfile_t *model, index_t *x, err_t *err)
{
    notes_t notes = {0};
    annot_t *a = annot_open(o->annot, &notes, err);
    sentence_t *s = NULL;
    log_notes(&app->log, o->annot, &notes);
    notes_free(&notes);
    int rc = a && !fill_facts(x, a, err) && !terms_make(a, x->text[INDEX_ID], x->n, &x->terms, err) ? 0 : -1;
    annot_free(a);
    if (!rc) log_msg(&app->log, LOG_INFO, "%s: %zu terms, %.1f an entry", o->out, x->terms.n,
                     x->terms.n ? (double)x->terms.of.at[x->n] / (double)x->n : 0);
    if (rc || !o->model || !x->terms.n) return rc;
    if (!model->text.dim) {
        log_msg(&app->log, LOG_WARN, "%s: the model knows no text: terms are not embedded", o->model);
        return 0;
    }
    rc = (s = textmodel_open(o->text_model, err)) && !terms_embed(&x->terms, model, s, err) ? 0 : -1;
    sentence_close(s);
    return rc;
}

static int run_build(const app_t *app, const void *opts, int argc, char **argv)
{
    const build_opts_t *o = opts;
    manifest_t m = {0};
    describer_t d = {0};
    modelfile_t model = {0};
    index_t x = {.scoring = scoring_default};
    err_t err = {0};
    size_t failed = 0;
    mrc_opts_t map = mapopts_mrc(&o->map, app);
    int status = EXIT_NOT_RUN;

    if (!o->out) err_set(&err, ERR_USAGE, "index build: no output; give -o INDEX");
    if (err.code != ERR_OK || take_store("index build", &o->store, &x, &err) || outpath_whole("index build", o->out, &err) ||
        (o->model && outpath_not_input("index build", o->out, o->model, &err)) || inputs_read(app, argc, argv, &m, &err) ||
        inputs_spare("index build", o->out, argc, argv, &m, &err) || describe_new(&d, &map, &err) ||
        headopts_where(&o->header, app, m.n, &d.header, &err) ||
        (o->model && (modelfile_read(o->model, &model, &err) || encoder_ready(model.encoder, &err))))
        goto done;
    for (size_t i = 0; i < m.n; i++)
        if (!m.item[i].assembly) m.item[i].assembly = o->assembly;
    if (o->model) {
        x.d = model.encoder->d;
        x.frames = model.encoder->frames;
        memcpy(x.model, model.hash, sizeof x.model);
        if (model.untrained) log_msg(&app->log, LOG_INFO, "%s: an untrained model: its parameters are random", o->model);
    }
    if (build_index(&m, &d, model.encoder, &app->log, &x, &failed, &err)) goto done;
    if (!x.n) {
        err_set(&err, ERR_FORMAT, "%s: nothing to index: none of %zu entries could be read", o->out, m.n);
        goto done;
    }
    if ((o->annot && annotate_index(app, o, &model, &x, &err)) || index_write(o->out, &x, &err)) goto done;
    log_msg(&app->log, LOG_INFO, "%s: %zu entries, %zu left out", o->out, x.n, failed);
    status = failed ? EXIT_SOME_FAILED : EXIT_DONE;
done:
    if (err.code != ERR_OK) status = cmd_fail(app, &err);
    index_free(&x);
    describe_end(&d);
    modelfile_free(&model);
    manifest_free(&m);
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
             "An entry that cannot be read is reported and left out, and the exit status is then 1.",
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
    store_opts_t store;
} merge_opts_t;

static const opt_t merge_rows[] = {
    {'o', "output", OPT_STR, offsetof(merge_opts_t, out), "INDEX", 0, 0, NULL, NULL, "The index to write (HDF5): a file, no pipe"},
    {0, "store", OPT_GROUP, offsetof(merge_opts_t, store), NULL, 0, 0, store_rows, NULL, NULL},
    {0},
};

static int run_merge(const app_t *app, const void *opts, int argc, char **argv)
{
    const merge_opts_t *o = opts;
    index_t all = {.scoring = scoring_default}, x = {0};
    err_t err = {0};
    if (!o->out)
        err_set(&err, ERR_USAGE, "index merge: no output; give -o INDEX");
    else if (!outpath_whole("index merge", o->out, &err))
        outpath_writable(o->out, &err);
    for (int i = 0; err.code == ERR_OK && i < argc; i++) {
        if (index_read(argv[i], INDEX_ALL, &x, &err)) break;
        if (index_join(&all, &x, &err)) err_prefix(&err, argv[i]);
        index_free(&x);
    }
    if (err.code == ERR_OK) take_store("index merge", &o->store, &all, &err);
    if (err.code == ERR_OK && !index_write(o->out, &all, &err))
        log_msg(&app->log, LOG_INFO, "%s: %zu entries from %d indexes", o->out, all.n, argc);
    index_free(&all);
    return err.code == ERR_OK ? EXIT_DONE : cmd_fail(app, &err);
}

const cmd_t cmd_index_merge = {
    .name = "index merge",
    .args = "-o INDEX INDEX...",
    .summary = "Join indexes into one",
    .about = "Entries keep their order. An id that two indexes share is an error, as are embeddings of two models, and nothing is "
             "written. A single index is written again, with the options given here: smaller, or with other weights of the score.",
    .example = "cryolex index merge -o all.h5 part-1.h5 part-2.h5",
    .opts = merge_rows,
    .opt_size = sizeof(merge_opts_t),
    .min_args = 1,
    .max_args = -1,
    .run = run_merge,
};
