/* cmd_bench: cryolex bench, how well maps, views, texts and functions are found, by our methods and by others. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config.h"
#include "pipeline/bench.h"
#include "pipeline/bench_function.h"
#include "pipeline/bench_maps.h"
#include "pipeline/bench_words.h"
#include "pipeline/modelfile.h"
#include "pipeline/share.h"
#include "src/mapopts.h"
#include "src/table.h"

typedef struct {
    const char *dir, *index, *model, *base, *untrained, *data, *manifest, *embeddings, *scores, *scoring, *write_maps, *text_model;
    long seed, times, sheet;
    int split;
    mapopts_t map;
} opts_t;

static const opt_t rows[] = {
    {'o', "output", OPT_STR, offsetof(opts_t, dir), "DIR", 0, 0, NULL, NULL, "The folder for the report; it is made where it is not there"},
    {'i', "index", OPT_STR, offsetof(opts_t, index), "INDEX", 0, 0, NULL, NULL,
     "The gallery; without it, what CRYOLEX_INDEX names, else the index that comes with the program"},
    {'m', "model", OPT_STR, offsetof(opts_t, model), "MODEL", 0, 0, NULL, NULL,
     "The model of the index; without it, what CRYOLEX_MODEL names, else the one that comes with the program"},
    {0, "base", OPT_STR, offsetof(opts_t, base), "INDEX", 0, 0, NULL, NULL,
     "An index of the same entries with Zernike invariants and profiles, for the baselines of these; its embeddings are those of --untrained"},
    {0, "untrained", OPT_STR, offsetof(opts_t, untrained), "MODEL", 0, 0, NULL, NULL, "An untrained model, which --base was made with: a baseline"},
    {'d', "dataset", OPT_STR, offsetof(opts_t, data), "DATASET", 0, 0, NULL, NULL,
     "Of dataset build: its split has the queries of pdb, views and function, and it tells clusters, accessions, terms and relatives"},
    {0, "split", OPT_CHOICE, offsetof(opts_t, split), NULL, 0, 0, "train|valid|test", "test", "The split whose entries are queries"},
    {0, "queries", OPT_STR, offsetof(opts_t, manifest), "TSV", 0, 0, NULL, NULL,
     "The queries of emdb-pdb and text, and of function in place of views; the columns are told with the protocols"},
    {0, "embeddings", OPT_STR, offsetof(opts_t, embeddings), "LIST", 0, 0, NULL, NULL,
     "NAME=FILE,...: embeddings of queries and entries by other methods, HDF5 or TSV; compared by cosine"},
    {0, "scores", OPT_STR, offsetof(opts_t, scores), "LIST", 0, 0, NULL, NULL,
     "NAME=FILE,...: scores of pairs by other methods, a TSV with columns query, entry and score; a pair that is missing comes last"},
    {0, "scoring", OPT_STR, offsetof(opts_t, scoring), "LIST", 0, 0, NULL, NULL, "Weights other than those of the index, as for search"},
    {0, "write-views", OPT_STR, offsetof(opts_t, write_maps), "FOLDER", 0, 0, NULL, NULL, "Also write the views, as MRC maps, for other programs"},
    {0, "text-model", OPT_STR, offsetof(opts_t, text_model), "TEXT", 0, 0, NULL, NULL,
     "The sentence encoder of the protocol text: minilm, mpnet or a folder; without it, what CRYOLEX_TEXT_MODEL says, else minilm"},
    {0, "seed", OPT_INT, offsetof(opts_t, seed), "N", 0, 1e9, NULL, "2", "Of views, of what has equal scores, and of resampling"},
    {0, "times", OPT_INT, offsetof(opts_t, times), "N", 10, 1e6, NULL, "2000", "Resamplings for the intervals"},
    {0, "sheet", OPT_INT, offsetof(opts_t, sheet), "N", 0, 1000, NULL, "12", "About how many queries to draw with their hits"},
    {0, "maps", OPT_GROUP, offsetof(opts_t, map), NULL, 0, 0, mapopts_rows, NULL, NULL},
    {0},
};

/* All that is open. */
typedef struct {
    const app_t *app;
    const opts_t *o;
    char *index_path, *model_path;
    index_t x, base;
    modelfile_t model, untrained;
    dataset_t data;
    rivals_t rivals;
    benchwork_t w;
    json_t *about;
} open_t;

/* Parts of the gallery and of the baselines that protocols need. */
enum { GALLERY = INDEX_TEXT(INDEX_ID) | INDEX_TEXT(INDEX_TITLE) | INDEX_TEXT(INDEX_MOLECULES) | INDEX_CUBE | INDEX_VOLUME };

static char *path_of(const char *option, const char *variable, const char *shipped, err_t *err)
{
    const char *set = option ? option : getenv(variable);
    return set && *set ? mem_str(set, err) : share_file(shipped, err);
}

static int open_model(open_t *p, err_t *err)
{
    if (!*p->x.model) return 0;
    if (!(p->model_path = path_of(p->o->model, "CRYOLEX_MODEL", SHARE_MODEL, err)) || modelfile_read(p->model_path, &p->model, err) ||
        index_of_model(&p->x, p->index_path, p->model.hash, p->model_path, err))
        return -1;
    p->model.encoder->frames = p->x.frames == 1 ? 1 : ENCODER_FRAMES;
    return encoder_ready(p->model.encoder, err) || bench_about_file(p->about, "model", p->model_path, err) ? -1 : 0;
}

static int open_base(open_t *p, err_t *err)
{
    index_t peek = {0};
    const char *path = p->o->base;
    if (!path && !p->o->untrained) return 0;
    if (!path) return err_set(err, ERR_USAGE, "bench: --untrained needs the index that was made with it; give --base INDEX");
    if (index_read(path, INDEX_TEXT(INDEX_ID), &peek, err)) return -1;
    bool embedded = *peek.model != 0;
    index_free(&peek);
    unsigned parts = INDEX_TEXT(INDEX_ID) | INDEX_ZERNIKE | INDEX_PROFILE | (embedded && p->o->untrained ? INDEX_EMBED : 0);
    if (index_read(path, parts, &p->base, err) || bench_about_file(p->about, "base", path, err)) return -1;
    if (!p->o->untrained) return 0;
    if (modelfile_read(p->o->untrained, &p->untrained, err) || index_of_model(&p->base, path, p->untrained.hash, p->o->untrained, err)) return -1;
    p->untrained.encoder->frames = p->base.frames == 1 ? 1 : ENCODER_FRAMES;
    return encoder_ready(p->untrained.encoder, err) || bench_about_file(p->about, "untrained", p->o->untrained, err) ? -1 : 0;
}

/* The files of other methods, by the names of these. */
static int tell_rivals(open_t *p, err_t *err)
{
    json_t *files = json_object();
    int rc = 0;
    for (size_t k = 0; !rc && k < p->rivals.n; k++) rc = bench_about_file(files, p->rivals.rival[k].name, p->rivals.rival[k].path, err);
    json_object_set_new(p->about, "methods", files);
    return rc;
}

/* What the report was made with; files by their hashes, so that equal input gives equal bytes wherever it lies. */
static int tell(open_t *p, const char *protocol, err_t *err)
{
    const opts_t *o = p->o;
    json_t *a = p->about, *weights = json_object();
    scoring_t s = p->w.search.scoring;
    json_object_set_new(a, "program", json_string(PACKAGE_STRING));
    json_object_set_new(a, "protocol", json_string(protocol));
    json_object_set_new(a, "seed", json_integer(o->seed));
    json_object_set_new(a, "times", json_integer(o->times));
    json_object_set_new(a, "gallery", json_integer((json_int_t)p->x.n));
    for (size_t k = 0; k < SCORING_FIELDS; k++) json_object_set_new(weights, scoring_name[k], json_real(*scoring_field(&s, k)));
    json_object_set_new(a, "scoring", weights);
    if (o->data) json_object_set_new(a, "split", json_string(split_name[o->split]));
    if (bench_about_file(a, "index", p->index_path, err) || (o->data && bench_about_file(a, "dataset", o->data, err)) ||
        (o->manifest && bench_about_file(a, "queries", o->manifest, err)))
        return -1;
    return p->rivals.n ? tell_rivals(p, err) : 0;
}

static int open_all(open_t *p, const char *protocol, unsigned parts, err_t *err)
{
    const opts_t *o = p->o;
    index_t peek = {0};
    p->about = json_object();
    if (!(p->index_path = path_of(o->index, "CRYOLEX_INDEX", SHARE_INDEX, err)) || index_read(p->index_path, 0, &peek, err)) return -1;
    unsigned learned = *peek.model ? INDEX_EMBED : 0;
    index_free(&peek);
    if (index_read(p->index_path, GALLERY | parts | learned, &p->x, err) || open_model(p, err) || open_base(p, err) ||
        (o->data && dataset_read(o->data, &p->data, err)) || rivals_read(&p->rivals, o->embeddings, o->scores, err))
        return -1;
    p->w = (benchwork_t){.search = {.x = &p->x, .base = o->base ? &p->base : NULL, .encoder = p->model.encoder, .untrained = p->untrained.encoder,
                                    .scoring = p->x.scoring},
                         .data = o->data ? &p->data : NULL, .rivals = &p->rivals, .log = &p->app->log, .map = mapopts_mrc(&o->map, p->app),
                         .seed = (uint64_t)o->seed, .dir = o->dir, .split = (split_t)o->split, .write_maps = o->write_maps, .sheet = (size_t)o->sheet};
    if ((o->scoring && scoring_set(&p->w.search.scoring, o->scoring, err)) || bench_search_join(&p->w.search, err) || tell(p, protocol, err) || bench_folder(o->dir, err))
        return -1;
    if (p->w.search.missing)
        log_msg(&p->app->log, LOG_WARN, "%s: has not %zu of %zu entries of the gallery, which its methods put last", o->base, p->w.search.missing, p->x.n);
    return 0;
}

static void close_all(open_t *p)
{
    bench_search_end(&p->w.search);
    rivals_free(&p->rivals);
    dataset_free(&p->data);
    modelfile_free(&p->untrained);
    modelfile_free(&p->model);
    index_free(&p->base);
    index_free(&p->x);
    mem_free(p->index_path);
    mem_free(p->model_path);
    json_decref(p->about);
}

/* ---- protocols ---- */

static int report(const open_t *p, const char *protocol, const benchtask_t *t, size_t n, size_t failed, err_t *err)
{
    const benchreport_t r = {.dir = p->o->dir, .protocol = protocol, .about = p->about, .failed = failed, .times = (size_t)p->o->times, .seed = (uint64_t)p->o->seed};
    return bench_write(&r, t, n, err);
}

static int run_maps(open_t *p, const char *protocol, size_t *failed, err_t *err)
{
    benchtask_t t = {0};
    benchmaps_t *m = !strcmp(protocol, "views") ? benchmaps_views(&p->w, err) : benchmaps_table(&p->w, p->o->manifest, err);
    int rc = m && !bench_maps(m, &p->w, &t, failed, err) && !report(p, protocol, &t, 1, *failed, err) ? 0 : -1;
    bench_end(&t);
    benchmaps_free(m);
    return rc;
}

/* Views, or the maps of a table. */
static int run_function(open_t *p, const char *protocol, size_t *failed, err_t *err)
{
    const benchreport_t r = {.dir = p->o->dir, .protocol = protocol, .about = p->about, .times = (size_t)p->o->times, .seed = (uint64_t)p->o->seed};
    benchmaps_t *m = p->o->manifest ? benchmaps_table(&p->w, p->o->manifest, err) : benchmaps_views(&p->w, err);
    int rc = m ? bench_function(m, &p->w, &r, failed, err) : -1;
    benchmaps_free(m);
    return rc;
}

static int run_pdb(open_t *p, const char *protocol, size_t *failed, err_t *err)
{
    benchtask_t t[2] = {{0}};
    (void)failed;
    int rc = !bench_pdb(&p->w, &p->model, t, err) && !report(p, protocol, t, 2, 0, err) ? 0 : -1;
    bench_end(&t[0]);
    bench_end(&t[1]);
    return rc;
}

static int run_text(open_t *p, const char *protocol, size_t *failed, err_t *err)
{
    benchtask_t t = {0};
    (void)failed;
    int rc = !bench_text(&p->w, &p->model, p->o->manifest, p->o->text_model, &t, err) && !report(p, protocol, &t, 1, 0, err) ? 0 : -1;
    bench_end(&t);
    return rc;
}

enum { NEEDS_DATA = 1, NEEDS_QUERIES = 2 };
static const struct {
    const char *name;
    unsigned needs, parts; /* of the index */
    int (*run)(open_t *p, const char *protocol, size_t *failed, err_t *err);
} protocols[] = {
    {"views", NEEDS_DATA, 0, run_maps},
    {"emdb-pdb", NEEDS_QUERIES, 0, run_maps},
    {"pdb", NEEDS_DATA, 0, run_pdb},
    {"text", NEEDS_QUERIES, INDEX_VOCAB | INDEX_VOCAB_EMBED, run_text},
    {"function", NEEDS_DATA, INDEX_VOCAB | INDEX_VOCAB_EMBED, run_function},
};
enum { PROTOCOLS = sizeof protocols / sizeof *protocols };

static int find_protocol(const opts_t *o, const char *name, err_t *err)
{
    int k = 0;
    while (k < PROTOCOLS && strcmp(protocols[k].name, name) != 0) k++;
    if (k == PROTOCOLS) return err_set(err, ERR_USAGE, "bench: %s: no such protocol", name);
    if (!o->dir) return err_set(err, ERR_USAGE, "bench: no folder for the report; give -o DIR");
    if (protocols[k].needs & NEEDS_DATA && !o->data) return err_set(err, ERR_USAGE, "bench: %s needs --dataset", name);
    if (protocols[k].needs & NEEDS_QUERIES && !o->manifest) return err_set(err, ERR_USAGE, "bench: %s needs --queries", name);
    return k;
}

static int run(const app_t *app, const void *opts, int argc, char **argv)
{
    open_t p = {.app = app, .o = opts};
    err_t err = {0};
    size_t failed = 0;
    (void)argc;
    int k = find_protocol(opts, argv[0], &err);
    if (k >= 0 && !open_all(&p, argv[0], protocols[k].parts, &err)) protocols[k].run(&p, argv[0], &failed, &err);
    close_all(&p);
    if (err.code != ERR_OK) return cmd_fail(app, &err);
    return failed ? EXIT_SOME_FAILED : EXIT_DONE;
}

const cmd_t cmd_bench = {
    .name = "bench",
    .args = "PROTOCOL -o DIR",
    .summary = "How well maps, views and texts are found, as a report",
    .about = "Puts the same queries to every method, ranks the gallery by each, and writes what came of it to DIR: ranks of every query, measures with "
             "intervals, curves and the first hits, as tables, and summary.json with what it was made with. Equal input gives equal files. "
             "plot-bench DIR draws them.\n\n"
             "views: EM-like views of the entries of a split of --dataset, turned and disturbed as in training, against the gallery. Right is the entry; "
             "one that its clean cube does not tell from it (correlation above 0.99); one of the same set of 30 % clusters; one with an accession in common.\n\n"
             "emdb-pdb: real maps. --queries is a table with columns path (or file) and entry (or fitted_pdb), the PDB ids of what the map is of; and, if need be, id, "
             "group (or family: maps of one complex), resolution and contour. Maps without an entry, and of complexes that the gallery has not, are "
             "passed over. Right is the entry; an entry of any map of the group; with --dataset, an entry with one or three GO terms, their ancestors not counted, in common.\n\n"
             "pdb: structures of a split of --dataset against their captions, and captions against structures. Right is the entry's own; one of the same set of 30 % clusters; one with one "
             "or three GO terms, their ancestors not counted, in common. nearest_training: the caption of the training structure that is nearest by cube and size, compared by the frozen "
             "encoder, and the structure of the nearest training caption; learned: cosines in the learned space. Ids are ENTRY and ENTRY.text.\n\n"
             "text: free texts against the gallery. --queries is a table with columns query and relevant: PDB ids of what is meant, or terms (GO, EC, Pfam, CATH) that it has. keywords: how many words "
             "of the query are in title and names of molecules; words: as search --text; learned: by structures alone.\n\n"
             "function: GO terms of views, or of the maps of --queries, by namespace: Fmax, Smin and AUPR of the naive method, which tells the frequency of terms in training, of the first one or "
             "ten hits of each other, and of cryolex annotate. Galleries: all, and no_relatives: without the groups of the dataset that the query's complex is of. Also whether the "
             "probabilities that annotate gives (of 0.1 and more) are right, in bins, with Brier score and expected calibration error.\n\n"
             "Methods: random; size, the radius of gyration alone; profile and zernike, by distance, with _size and that of size (from --base); cube, the correlation of "
             "canonical cubes, aligned_ where the frame is forgiven; untrained and learned, the cosine of embeddings; two_stage, that of cryolex search, and two_stage_plain, "
             "with --plain. Others by --embeddings, where ids are those of queries.tsv and of the gallery, and by --scores. A query or an entry that "
             "a method knows nothing of comes last.\n\n"
             "Galleries: all, and equal_mass: what is right, and entries whose mass differs by at most 10 % from that of the entry that is. Masses are "
             "those of envelopes at 0.81 dalton a cubic angstrom, about a quarter more than the molecule's. Bins: by resolution (of a view, the one it was simulated at) and mass. "
             "Measures: share of queries with a right entry first, among five, among ten; mean reciprocal rank; mean average precision. Low and high are the ends of 95 % "
             "intervals of bootstrap resamplings of groups: maps of one family, views of entries of one group of the dataset. Entries of equal score come in an order drawn by the seed.",
    .example = "cryolex bench emdb-pdb -o report --queries maps.tsv",
    .opts = rows,
    .opt_size = sizeof(opts_t),
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
