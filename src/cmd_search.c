/* cmd_search: cryolex search, the entries of an index nearest to a map or a model. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/tsv.h"
#include "pipeline/describe.h"
#include "pipeline/index.h"
#include "pipeline/search.h"
#include "src/json.h"
#include "src/mapopts.h"
#include "src/table.h"

typedef struct {
    const char *index, *assembly;
    long top;
    int descriptor, format;
    bool shape_only;
    double contour;
    mapopts_t map;
} opts_t;

enum { FORMAT_TSV, FORMAT_JSON };
static const float DOUBTFUL = 0.88f; /* lowest correlation of a right first hit, see doc/figures.md */
static const float SMALL_RG = 7;     /* angstrom */

static const opt_t rows[] = {
    {'i', "index", OPT_STR, offsetof(opts_t, index), "INDEX", 0, 0, NULL, NULL,
     "The index to search; without it, the one that the environment variable CRYOLEX_INDEX names"},
    {'k', "top", OPT_INT, offsetof(opts_t, top), "N", 1, 1e9, NULL, "10", "Hits to print for each query"},
    {'d', "descriptor", OPT_CHOICE, offsetof(opts_t, descriptor), NULL, 0, 0, "cube|zernike|profile|size", "cube",
     "What is compared: the canonical cube, Zernike invariants, the radial profile, or size alone"},
    {0, "shape-only", OPT_FLAG, offsetof(opts_t, shape_only), NULL, 0, 0, NULL, NULL, "Leave size out of the score"},
    {'c', "contour", OPT_MAYBE, offsetof(opts_t, contour), "LEVEL", -HUGE_VAL, HUGE_VAL, NULL, NULL,
     "Contour level of the query maps, in their own units; without it the level is estimated"},
    {0, "assembly", OPT_STR, offsetof(opts_t, assembly), "ID", 0, 0, NULL, NULL,
     "Biological assembly of query models: an id, or asu for the model as deposited"},
    {0, "format", OPT_CHOICE, offsetof(opts_t, format), NULL, 0, 0, "tsv|json", "tsv",
     "TSV with a header row, or one JSON object a line"},
    {0, "maps", OPT_GROUP, offsetof(opts_t, map), NULL, 0, 0, mapopts_rows, NULL, NULL},
    {0},
};

static void print_tsv(const char *query, const index_t *x, const hit_t *h, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t e = h[i].entry;
        tsv_put(stdout, query);
        printf("\t%zu\t", i + 1);
        tsv_put(stdout, x->text[INDEX_ID][e]);
        printf("\t%.4f\t%.4f\t%.1f\t%+.3f\t", (double)h[i].score, (double)h[i].shape, (double)x->rg[e], (double)h[i].dlog_rg);
        tsv_put(stdout, x->text[INDEX_TITLE][e]);
        putchar('\n');
    }
}

static void print_json(const char *query, const index_t *x, const hit_t *h, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t e = h[i].entry;
        json_t *j = json_object();
        json_object_set_new(j, "query", json_text(query));
        json_object_set_new(j, "rank", json_integer((json_int_t)i + 1));
        json_object_set_new(j, "id", json_text(x->text[INDEX_ID][e]));
        json_object_set_new(j, "score", json_rounded((double)h[i].score, 4));
        json_object_set_new(j, "shape", json_rounded((double)h[i].shape, 4));
        json_object_set_new(j, "rg", json_rounded((double)x->rg[e], 1));
        json_object_set_new(j, "dlog_rg", json_rounded((double)h[i].dlog_rg, 3));
        json_object_set_new(j, "title", json_text(x->text[INDEX_TITLE][e]));
        json_line(j);
    }
}

/* Tell what the query is like, search, print. 0, or -1 with err. */
static int search_one(const app_t *app, const opts_t *o, const index_t *x, const char *path, const record_t *rec, hit_t *hit,
                      err_t *err)
{
    search_opts_t s = {.kind = (searchkind_t)o->descriptor, .shape_only = o->shape_only, .top = (size_t)o->top};
    size_t n;
    char level[64] = "";
    if (rec->kind == ITEM_MAP && isfinite(rec->level))
        snprintf(level, sizeof level, ", contour %s%.4g", isnan(o->contour) ? "about " : "", (double)rec->level);
    log_msg(&app->log, LOG_INFO, "%s: Rg %.1f A, envelope %.4g nm^3%s", path, (double)rec->rg, (double)rec->volume / 1000, level);
    if (search_run(x, rec, &s, hit, &n, err)) return -1;
    if (s.kind == SEARCH_CUBE && n && hit[0].shape < DOUBTFUL)
        log_msg(&app->log, LOG_WARN, "%s: the best hit correlates only %.2f: the index may hold nothing alike", path, (double)hit[0].shape);
    if (rec->rg < SMALL_RG)
        log_msg(&app->log, LOG_WARN, "%s: Rg %.1f A is less than any protein's: is the voxel size right?", path, (double)rec->rg);
    (o->format == FORMAT_JSON ? print_json : print_tsv)(path, x, hit, n);
    return 0;
}

/* Up to DESCRIBE_BATCH queries: described on all cores, then searched in order. Returns how many failed. */
static size_t search_batch(const app_t *app, const opts_t *o, const describer_t *d, const index_t *x, char **path, size_t n,
                           item_t *item, described_t *got, hit_t *hit)
{
    size_t failed = 0;
    for (size_t i = 0; i < n; i++)
        item[i] = (item_t){.id = path[i], .path = path[i], .contour = o->contour, .assembly = o->assembly};
    describe_many(d, item, n, NULL, got, NULL);
    for (size_t i = 0; i < n; i++) {
        described_t *g = &got[i];
        log_notes(&app->log, path[i], &g->notes);
        if (g->err.code == ERR_OK) search_one(app, o, x, path[i], &g->rec, hit, &g->err);
        if (g->err.code != ERR_OK) {
            log_msg(&app->log, LOG_ERROR, "%s", g->err.msg);
            failed++;
        }
        described_free(g);
    }
    return failed;
}

static unsigned parts_of(const opts_t *o)
{
    static const unsigned part[] = {INDEX_CUBE | INDEX_MAPPED, INDEX_ZERNIKE, INDEX_PROFILE, 0}; /* by searchkind_t */
    return INDEX_TEXT(INDEX_ID) | INDEX_TEXT(INDEX_TITLE) | part[o->descriptor];
}

static int run(const app_t *app, const void *opts, int argc, char **argv)
{
    const opts_t *o = opts;
    err_t err = {0};
    index_t x = {0};
    describer_t d = {0};
    hit_t *hit = NULL;
    described_t *got = mem_zero(DESCRIBE_BATCH, sizeof *got, &err);
    item_t *item = mem_zero(DESCRIBE_BATCH, sizeof *item, &err);
    mrc_opts_t map = mapopts_mrc(&o->map, app);
    size_t failed = 0, n = (size_t)argc;
    int status = EXIT_NOT_RUN;

    const char *index = o->index ? o->index : getenv("CRYOLEX_INDEX");
    if (!index) err_set(&err, ERR_USAGE, "search: no index; give -i INDEX or set CRYOLEX_INDEX (cryolex index build makes one)");
    if (o->shape_only && o->descriptor == SEARCH_SIZE)
        err_set(&err, ERR_USAGE, "search: --descriptor size and --shape-only leave nothing to compare");
    if (err.code != ERR_OK || index_read(index, parts_of(o), &x, &err) || describe_new(&d, &map, &err)) goto done;
    if (!(hit = mem_new((size_t)o->top < x.n ? (size_t)o->top : x.n, sizeof *hit, &err))) goto done;

    if (o->format == FORMAT_TSV) printf("query\trank\tid\tscore\tshape\trg\tdlog_rg\ttitle\n");
    for (size_t at = 0; at < n; at += DESCRIBE_BATCH) {
        size_t m = n - at < DESCRIBE_BATCH ? n - at : DESCRIBE_BATCH;
        failed += search_batch(app, o, &d, &x, argv + at, m, item, got, hit);
    }
    status = !failed ? EXIT_DONE : failed < n ? EXIT_SOME_FAILED : EXIT_NOT_RUN;
done:
    if (err.code != ERR_OK) status = cmd_fail(app, &err);
    mem_free(item);
    mem_free(got);
    mem_free(hit);
    describe_end(&d);
    index_free(&x);
    return status;
}

const cmd_t cmd_search = {
    .name = "search",
    .args = "-i INDEX FILE...",
    .summary = "The entries of an index nearest to a map or a model",
    .about = "Each FILE is a density map (MRC or CCP4, plain, gzip, bzip2, xz or zstd) or an atomic model (PDB or mmCIF, plain or "
             "gzip). The contour of a map is estimated unless it is given; axis order, position, orientation and padding do not matter.\n\n"
             "Columns: query; rank, from 1; id of the entry; score, higher is nearer; shape, the correlation of the cubes "
             "(-1 to 1) or, with --descriptor zernike and profile, the distance of the vectors (0 is alike); rg, radius of gyration "
             "of the entry in angstrom; dlog_rg, natural logarithm of the ratio of the entry's to the query's; title.\n\n"
             "The score is 25 x correlation - (dlog_rg / 0.08)^2 / 2, or -25 x distance - (dlog_rg / 0.08)^2 / 2; the second part is "
             "left out by --shape-only, the first by --descriptor size. Something is always nearest: among some 8,700 PDB "
             "entries, maps of what is not among them still found a correlation of 0.79 to 0.94, and the right entries were "
             "found at 0.88 to 0.99. A warning is given below 0.88.",
    .example = "cryolex search -i pdb.index.h5 emd_1080.map.gz",
    .opts = rows,
    .opt_size = sizeof(opts_t),
    .min_args = 1,
    .max_args = -1,
    .run = run,
};
