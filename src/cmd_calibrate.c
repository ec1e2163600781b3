/* cmd_calibrate: cryolex index calibrate, how sure annotation may be. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "pipeline/calibrate.h"
#include "pipeline/modelfile.h"
#include "src/mapopts.h"
#include "src/outpath.h"
#include "src/table.h"

typedef struct {
    const char *out, *model, *data;
    long seed;
    int split;
} opts_t;

static const opt_t rows[] = {
    {'d', "dataset", OPT_STR, offsetof(opts_t, data), "DATASET", 0, 0, NULL, NULL, "Of dataset build: whose entries are viewed, and whose groups are relatives"},
    {'m', "model", OPT_STR, offsetof(opts_t, model), "MODEL", 0, 0, NULL, NULL, "The model that the index was made with"},
    {'o', "output", OPT_STR, offsetof(opts_t, out), "INDEX", 0, 0, NULL, NULL, "The index to write (HDF5): a file, no pipe; without it, INDEX itself is replaced"},
    {0, "split", OPT_CHOICE, offsetof(opts_t, split), NULL, 0, 0, "train|valid|test", "valid", "The split of the dataset whose entries are viewed"},
    {0, "seed", OPT_INT, offsetof(opts_t, seed), "N", 0, 1e9, NULL, "3", "Of the views"},
    {0},
};

static void print_fit(const char *kind, const calibfit_t *c, const double *weight, const char *const *name, size_t n)
{
    printf("%s\t%.0f\t%.0f\t%.5f\t%.5f\t", kind, c->pairs, c->terms, c->before, c->after);
    for (size_t k = 0; k < n; k++) printf("%s%s=%.4f", k ? ";" : "", name[k], weight[k]);
    putchar('\n');
}

static int calibrate(const app_t *app, const opts_t *o, const char *path, err_t *err)
{
    static const unsigned parts = INDEX_TEXT(INDEX_ID) | INDEX_TEXT(INDEX_MOLECULES) | INDEX_CUBE | INDEX_VOLUME | INDEX_EMBED | INDEX_VOCAB | INDEX_VOCAB_EMBED;
    const char *out = o->out ? o->out : path;
    index_t x = {0};
    modelfile_t model = {0};
    dataset_t data = {0};
    evidence_t e;
    calibrated_t c;
    mapopts_t map = {0};
    benchwork_t w = {.data = &data, .log = &app->log, .seed = (uint64_t)o->seed, .dir = "", .split = (split_t)o->split};
    int rc = outpath_whole("index calibrate", out, err) || outpath_writable(out, err) || index_read(path, parts, &x, err) || modelfile_read(o->model, &model, err) ||
                     index_of_model(&x, path, model.hash, o->model, err) || dataset_read(o->data, &data, err)
                 ? -1
                 : 0;
    if (!rc) {
        model.encoder->frames = x.frames == 1 ? 1 : ENCODER_FRAMES;
        w.search = (benchsearch_t){.x = &x, .encoder = model.encoder, .scoring = x.scoring};
        w.map = mapopts_mrc(&map, app);
        rc = encoder_ready(model.encoder, err) || bench_search_join(&w.search, err) || calibrate_run(&w, &e, &c, err) || index_put_evidence(path, out, &e, err) ? -1 : 0;
    }
    if (!rc) {
        printf("kind\tpairs\ttrue\tloss_before\tloss_after\tweights\n");
        for (int s = 0; s < TERM_KINDS; s++) print_fit(term_space_name[s], &c.kind[s], e.weight[s], evidence_name, EVIDENCE_FEATURES);
        print_fit("known", &c.known, e.known, known_name, KNOWN_FEATURES);
        log_msg(&app->log, LOG_INFO, "%s: fitted on %zu views; below %.3f a query is novel: %.1f %% of those that find a relative are not, %.1f %% of the others are", out,
                c.views, e.cut, 100 * c.kept, 100 * c.refused);
    }
    bench_search_end(&w.search);
    dataset_free(&data);
    modelfile_free(&model);
    index_free(&x);
    return rc;
}

static int run(const app_t *app, const void *opts, int argc, char **argv)
{
    const opts_t *o = opts;
    err_t err = {0};
    (void)argc;
    if (!o->data) err_set(&err, ERR_USAGE, "index calibrate: no dataset; give -d DATASET");
    else if (!o->model) err_set(&err, ERR_USAGE, "index calibrate: no model; give -m MODEL");
    return err.code != ERR_OK || calibrate(app, o, argv[0], &err) ? cmd_fail(app, &err) : EXIT_DONE;
}

const cmd_t cmd_index_calibrate = {
    .name = "index calibrate",
    .args = "-d DATASET -m MODEL INDEX",
    .summary = "Fit how sure annotate may be of what it tells",
    .about = "Annotates EM-like views of the validation entries of DATASET three times: by the index as it is, without the view's own entry, and without all entries of its "
             "group, as a family that nobody has seen. Probabilities of terms are then fitted to what is so, by logistic regression of each kind of term on the votes of the hits, "
             "the cosine of its text and how common it is; and so is the probability that a relative of the query is among its ten best hits. The weights go into the index, "
             "where annotate finds them. Only views count, no real map: how far the probabilities hold for these is what bench function measures.\n\n"
             "Printed is a table: kind; pairs of view and term, and how many are so; mean -log probability of what is so before and after, in nats; weights.",
    .example = "cryolex index calibrate -d dataset.h5 -m model.safetensors pdb.index.h5",
    .opts = rows,
    .opt_size = sizeof(opts_t),
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
