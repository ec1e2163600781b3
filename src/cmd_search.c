/* cmd_search: cryolex search, the entries of an index nearest to a map, a model, or a text. */
#include "config.h" /* strcasestr() is of GNU */

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/tsv.h"
#include "pipeline/search.h"
#include "pipeline/structures.h"
#include "pipeline/target.h"
#include "pipeline/textmodel.h"
#include "src/json.h"
#include "src/query.h"
#include "src/table.h"

typedef struct {
    queryopts_t query;
    const char *text, *text_model, *structures, *like, *organism, *method, *cluster;
    double resolution;
    long top, rerank;
    int descriptor, format;
    bool shape_only, plain, explain;
    mapopts_t map;
} opts_t;

enum { FORMAT_TSV, FORMAT_JSON };
enum { D_AUTO, D_BOTH, D_LEARNED, D_CUBE, D_ZERNIKE, D_PROFILE, D_SIZE };
static const float DOUBTFUL = 0.9f;    /* right first hits of real maps correlate more, plain or aligned */
static const float UNLIKELY = 0.5f;    /* confidence of the first hit */

static const opt_t rows[] = {
    {0, "query", OPT_GROUP, offsetof(opts_t, query), NULL, 0, 0, query_rows, NULL, NULL},
    {'t', "text", OPT_STR, offsetof(opts_t, text), "TEXT", 0, 0, NULL, NULL,
     "Search what a text describes, instead of files, by the terms of entries (GO, EC, family); with -d learned by their structures. The sentence "
     "encoder of the model is needed (fetch-text-model gets it)"},
    {0, "text-model", OPT_STR, offsetof(opts_t, text_model), "TEXT", 0, 0, NULL, NULL,
     "The sentence encoder: minilm, mpnet or a folder; without it, what CRYOLEX_TEXT_MODEL says, else minilm"},
    {0, "like", OPT_STR, offsetof(opts_t, like), "ID", 0, 0, NULL, NULL, "Search with an entry of the index, as with a hit of another search, instead of files"},
    {'k', "top", OPT_INT, offsetof(opts_t, top), "N", 1, 1e9, NULL, "10", "Hits to print for each query"},
    {'d', "descriptor", OPT_CHOICE, offsetof(opts_t, descriptor), NULL, 0, 0, "auto|both|learned|cube|zernike|profile|size", "auto",
     "What is compared: embeddings and cubes (both), embeddings (learned), the canonical cube, Zernike invariants, the radial profile, "
     "or size alone; auto is both in an index that has embeddings, else cube"},
    {0, "shape-only", OPT_FLAG, offsetof(opts_t, shape_only), NULL, 0, 0, NULL, NULL, "Leave size out of the score"},
    {0, "plain", OPT_FLAG, offsetof(opts_t, plain), NULL, 0, 0, NULL, NULL,
     "Compare cubes as they stand, without a third stage that forgives a frame that is a little off"},
    {0, "rerank", OPT_INT, offsetof(opts_t, rerank), "N", 0, 10000, NULL, "0",
     "Place the first N hits in the map, as fit does, and put them in the order of their overall correlation there; the queries are maps, and --structures is needed"},
    {0, "structures", OPT_STR, offsetof(opts_t, structures), "FOLDER", 0, 0, NULL, NULL,
     "Where the files of entries are, for --rerank: 1abc.cif.gz or ab/1abc.cif.gz, and so on, as for fit"},
    {0, "organism", OPT_STR, offsetof(opts_t, organism), "TEXT", 0, 0, NULL, NULL, "Only entries with an organism whose name has TEXT in it, in any case"},
    {0, "method", OPT_STR, offsetof(opts_t, method), "TEXT", 0, 0, NULL, NULL, "Only entries whose method has TEXT in it, in any case: microscopy, X-RAY"},
    {0, "resolution", OPT_REAL, offsetof(opts_t, resolution), "MAX", 0, 1000, NULL, "0", "Only entries of this resolution in angstrom or better; 0 does not ask"},
    {0, "exclude-cluster", OPT_STR, offsetof(opts_t, cluster), "ID", 0, 0, NULL, NULL,
     "No entry that shares a cluster of 30 % sequence identity with this entry of the index, nor that entry"},
    {0, "explain", OPT_FLAG, offsetof(opts_t, explain), NULL, 0, 0, NULL, NULL,
     "Also say which terms (GO, EC, Pfam, CATH) a hit shares with the query: that of --like, the entry fitted into the map by its EMDB header, else the first hit"},
    {0, "format", OPT_CHOICE, offsetof(opts_t, format), NULL, 0, 0, "tsv|json", "tsv",
     "TSV with a header row, or one JSON object a line"},
    {0, "maps", OPT_GROUP, offsetof(opts_t, map), NULL, 0, 0, mapopts_rows, NULL, NULL},
    {0},
};

/* Columns of numbers, in order: name, digits after the point, sign shown. */
static const struct {
    const char *name;
    int digits;
    bool sign;
} column[] = {{"score", 4, false}, {"confidence", 3, false}, {"cosine", 4, false}, {"cube", 4, false}, {"distance", 4, false}, {"rg", 1, false}, {"dlog_rg", 3, true}};
enum { COLUMNS = sizeof column / sizeof *column };

static void numbers(const index_t *x, const hit_t *h, double out[COLUMNS])
{
    const double v[COLUMNS] = {(double)h->score, (double)h->confidence, (double)h->cosine, (double)h->cube, (double)h->distance,
                               (double)x->rg[h->entry], (double)h->dlog_rg};
    memcpy(out, v, sizeof v);
}

static void print_header(bool fit, bool explain)
{
    printf("query\trank\tid");
    for (int c = 0; c < COLUMNS; c++) printf("\t%s", column[c].name);
    printf("%s\ttitle%s\n", fit ? "\tfit" : "", explain ? "\tshared_with\tshared" : "");
}

enum { SHARED = 5 }; /* terms that are told of a hit */

/* "GO:0051082 unfolded protein binding; EC:..." */
static void put_shared(const index_t *x, size_t with, size_t entry)
{
    uint32_t row[SHARED];
    size_t n = terms_shared(&x->terms, with, entry, row, SHARED);
    putchar('\t');
    tsv_put(stdout, x->text[INDEX_ID][with]);
    putchar('\t');
    for (size_t k = 0; k < n; k++) {
        printf("%s%s ", k ? "; " : "", x->terms.id[row[k]]);
        tsv_put(stdout, x->terms.name[row[k]]);
    }
    if (!n) putchar('-');
}

/* fit: NULL, or (n) correlations of the placed hits, NAN where there is none. with: the entry whose terms are compared, or -1. */
static void print_tsv(const char *query, const index_t *x, const hit_t *h, const double *fit, long with, size_t n)
{
    double v[COLUMNS];
    for (size_t i = 0; i < n; i++) {
        tsv_put(stdout, query);
        printf("\t%zu\t", i + 1);
        tsv_put(stdout, x->text[INDEX_ID][h[i].entry]);
        numbers(x, &h[i], v);
        for (int c = 0; c < COLUMNS; c++)
            if (isnan(v[c])) printf("\t-");
            else printf(column[c].sign ? "\t%+.*f" : "\t%.*f", column[c].digits, v[c]);
        if (fit) printf(isnan(fit[i]) ? "\t-" : "\t%.4f", fit[i]);
        putchar('\t');
        tsv_put(stdout, x->text[INDEX_TITLE][h[i].entry]);
        if (with >= 0) put_shared(x, (size_t)with, h[i].entry);
        putchar('\n');
    }
}

static json_t *json_shared(const index_t *x, size_t with, size_t entry)
{
    uint32_t row[SHARED];
    size_t n = terms_shared(&x->terms, with, entry, row, SHARED);
    json_t *list = json_array();
    for (size_t k = 0; k < n; k++) {
        json_t *t = json_object();
        json_object_set_new(t, "id", json_text(x->terms.id[row[k]]));
        json_object_set_new(t, "name", json_text(x->terms.name[row[k]]));
        json_array_append_new(list, t);
    }
    return list;
}

static void print_json(const char *query, const index_t *x, const hit_t *h, const double *fit, long with, size_t n)
{
    double v[COLUMNS];
    for (size_t i = 0; i < n; i++) {
        json_t *j = json_object();
        json_object_set_new(j, "query", json_text(query));
        json_object_set_new(j, "rank", json_integer((json_int_t)i + 1));
        json_object_set_new(j, "id", json_text(x->text[INDEX_ID][h[i].entry]));
        numbers(x, &h[i], v);
        for (int c = 0; c < COLUMNS; c++)
            if (!isnan(v[c])) json_object_set_new(j, column[c].name, json_rounded(v[c], column[c].digits));
        if (fit && !isnan(fit[i])) json_object_set_new(j, "fit", json_rounded(fit[i], 4));
        json_object_set_new(j, "title", json_text(x->text[INDEX_TITLE][h[i].entry]));
        if (with >= 0) {
            json_object_set_new(j, "shared_with", json_text(x->text[INDEX_ID][with]));
            json_object_set_new(j, "shared", json_shared(x, (size_t)with, h[i].entry));
        }
        json_line(j);
    }
}

static void print_hits(const opts_t *o, const char *query, const index_t *x, const hit_t *h, const double *fit, long with, size_t n)
{
    (o->format == FORMAT_JSON ? print_json : print_tsv)(query, x, h, fit, with, n);
}

typedef struct {
    const opts_t *o;
    query_t *q;
    search_opts_t search;
    hit_t *hit;
    double *fit; /* as many; NULL without --rerank */
} job_t;

/* ---- --rerank ---- */

typedef struct {
    hit_t hit;
    double fit;
    size_t order;
} placed_t;

/* Those that were placed by correlation, then the rest as they were. */
static int by_fit(const void *a, const void *b)
{
    const placed_t *p = a, *q = b;
    double x = isnan(p->fit) ? -2 : p->fit, y = isnan(q->fit) ? -2 : q->fit;
    return x > y ? -1 : x < y ? 1 : p->order < q->order ? -1 : 1;
}

/* The correlation of an entry in the map, or NAN with a warning. */
static double place_entry(const app_t *app, const target_t *t, const char *folder, const char *id)
{
    const fit_opts_t how = {.memory = app->memory};
    err_t err = {0};
    fit_t fit;
    model_t *m = NULL;
    char *path = structures_find(folder, id, &err);
    int rc = path ? target_place(t, path, NULL, &how, &fit, &m, NULL, &err) : -1;
    if (rc) log_msg(&app->log, LOG_WARN, "%s (not placed, behind those that are)", err.msg);
    model_free(m);
    mem_free(path);
    return rc ? (double)NAN : fit.overall;
}

/* Reorders the first --rerank of n hits; fit (n) gets the correlations. */
static int rerank(const job_t *j, const item_t *it, hit_t *hit, double *fit, size_t n, err_t *err)
{
    const app_t *app = j->q->app;
    size_t most = (size_t)j->o->rerank < n ? (size_t)j->o->rerank : n;
    target_t t = {0};
    placed_t *p = mem_new(most, sizeof *p, err);
    int rc = p ? target_open(&t, it->path, it->half, &j->q->d.map, &j->q->d.header, j->o->query.contour, (double)NAN, NULL, err) : -1;
    for (size_t i = 0; !rc && i < n; i++) fit[i] = (double)NAN;
    for (size_t i = 0; !rc && i < most; i++)
        p[i] = (placed_t){hit[i], place_entry(app, &t, j->o->structures, j->q->x.text[INDEX_ID][hit[i].entry]), i};
    if (!rc) qsort(p, most, sizeof *p, by_fit);
    for (size_t i = 0; !rc && i < most; i++) {
        hit[i] = p[i].hit;
        fit[i] = p[i].fit;
    }
    mem_free(p);
    target_close(&t);
    return rc;
}

/* ---- --explain ---- */

/* The entry of an id, or of its PDB id with something behind it; -1 none. */
static long find_entry(const index_t *x, const char *id)
{
    const size_t n = strlen(id);
    for (int whole = 1; whole >= 0; whole--)
        for (size_t i = 0; i < x->n; i++) {
            const char *s = x->text[INDEX_ID][i];
            if (!strncasecmp(s, id, n) && (!s[n] || (!whole && !isalnum((unsigned char)s[n])))) return (long)i;
        }
    return -1;
}

/* The entry whose terms those of hits are compared with. */
static int shared_with(const job_t *j, const item_t *it, const record_t *rec, const hit_t *hit, size_t n, long *with, err_t *err)
{
    emdb_t e;
    char *path = NULL;
    *with = -1;
    if (!j->o->explain) return 0;
    int found = rec->kind == ITEM_MAP ? emdb_of_map(it->path, &j->q->d.header, &e, &path, NULL, err) : 0;
    if (found < 0) return -1;
    for (size_t i = 0; found && *with < 0 && i < e.fitted.n; i++) *with = find_entry(&j->q->x, e.fitted.str[i]);
    if (found) emdb_free(&e);
    mem_free(path);
    if (*with < 0 && n) *with = (long)hit[0].entry;
    return 0;
}

static int search_one(void *ctx, const item_t *it, const record_t *rec, const float *z, err_t *err)
{
    job_t *j = ctx;
    const char *path = it->path;
    const log_t *log = &j->q->app->log;
    size_t n;
    query_tell(j->q, path, rec);
    query_doubt(j->q, path, rec);
    if (search_run(&j->q->x, rec, z, &j->search, j->hit, &n, err)) return -1;
    if (j->search.kind == SEARCH_CUBE && n && j->hit[0].cube < DOUBTFUL)
        log_msg(log, LOG_WARN, "%s: the best hit correlates only %.2f: the index may hold nothing alike", path, (double)j->hit[0].cube);
    if (j->search.kind == SEARCH_BOTH && n && j->hit[0].confidence < UNLIKELY)
        log_msg(log, LOG_WARN, "%s: confidence in the best hit is only %.2f: the index may hold nothing alike", path,
                (double)j->hit[0].confidence);
    if (j->fit && rec->kind != ITEM_MAP) return err_set(err, ERR_USAGE, "%s: a model; --rerank places hits in maps", path);
    if (j->fit && rerank(j, it, j->hit, j->fit, n, err)) return -1;
    long with;
    if (shared_with(j, it, rec, j->hit, n, &with, err)) return -1;
    print_hits(j->o, path, &j->q->x, j->hit, j->fit, with, n);
    return 0;
}

/* ---- --like ---- */

/* The query that an entry of the index is; z (index_poses(), d) or NULL. */
static int record_of(const index_t *x, size_t i, record_t *r, float **z, err_t *err)
{
    *r = (record_t){.kind = ITEM_MODEL, .rg = x->rg[i], .level = NAN};
    if (x->cube) memcpy(r->cube, x->cube + i * DESC_LEN, sizeof r->cube);
    if (x->zernike) memcpy(r->zernike, x->zernike + i * DESCRIBE_ZERNIKE, sizeof r->zernike);
    if (x->profile) memcpy(r->profile, x->profile + i * DESCRIBE_PROFILE, sizeof r->profile);
    if (!x->z) return 0;
    *z = mem_new(index_poses(x) * x->d, sizeof **z, err);
    for (size_t p = 0; *z && p < index_poses(x); p++) memcpy(*z + p * x->d, x->z + i * x->d, x->d * sizeof **z);
    return *z ? 0 : -1;
}

static int search_like(const job_t *j, unsigned char *skip, err_t *err)
{
    const index_t *x = &j->q->x;
    const long i = find_entry(x, j->o->like);
    record_t *r = mem_zero(1, sizeof *r, err);
    float *z = NULL;
    size_t n = 0;
    search_opts_t how = j->search;
    int rc = !r ? -1 : i < 0 ? err_set(err, ERR_NOTFOUND, "search: --like %s: the index has no such entry", j->o->like) : record_of(x, (size_t)i, r, &z, err);
    if (!rc) {
        skip[i] = 1;
        how.skip = skip;
        rc = search_run(x, r, z, &how, j->hit, &n, err);
    }
    if (!rc) print_hits(j->o, x->text[INDEX_ID][i], x, j->hit, NULL, j->o->explain ? i : -1, n);
    mem_free(z);
    mem_free(r);
    return rc;
}

/* ---- filters ---- */

static bool filters(const opts_t *o) { return o->organism || o->method || o->resolution > 0 || o->cluster; }

static bool shares_cluster(const char *a, const char *b)
{
    for (const char *p = a; *p;) {
        size_t n = strcspn(p, ",");
        for (const char *q = b; *q;) {
            size_t m = strcspn(q, ",");
            if (n == m && !memcmp(p, q, n)) return true;
            q += m + (q[m] == ',');
        }
        p += n + (p[n] == ',');
    }
    return false;
}

/* Does any entry have something in this column? Or say that the index has not what an option needs. */
static int knows(const index_t *x, const char *path, int what, const char *option, err_t *err)
{
    for (size_t i = 0; i < x->n; i++)
        if (*x->text[what][i]) return 0;
    return err_set(err, ERR_UNSUP, "%s: no entry has a %s, which %s needs (index build%s gives it)", path,
                   what == INDEX_CLUSTERS ? "sequence cluster" : what == INDEX_RESOLUTION ? "resolution" : what == INDEX_METHOD ? "method" : "organism", option,
                   what == INDEX_RESOLUTION ? "" : " --annot");
}

/* skip (x->n): 1 what the filters leave out. */
static int filter(const opts_t *o, const query_t *q, unsigned char *skip, err_t *err)
{
    const index_t *x = &q->x;
    long near = -1;
    size_t left = 0;
    if ((o->organism && knows(x, q->index_path, INDEX_ORGANISMS, "--organism", err)) || (o->method && knows(x, q->index_path, INDEX_METHOD, "--method", err)) ||
        (o->resolution > 0 && knows(x, q->index_path, INDEX_RESOLUTION, "--resolution", err)) ||
        (o->cluster && knows(x, q->index_path, INDEX_CLUSTERS, "--exclude-cluster", err)))
        return -1;
    if (o->cluster && (near = find_entry(x, o->cluster)) < 0)
        return err_set(err, ERR_NOTFOUND, "search: --exclude-cluster %s: the index has no such entry", o->cluster);
    for (size_t i = 0; i < x->n; i++) {
        double resolution = o->resolution > 0 ? strtod(x->text[INDEX_RESOLUTION][i], NULL) : 0;
        skip[i] = (o->organism && !strcasestr(x->text[INDEX_ORGANISMS][i], o->organism)) || (o->method && !strcasestr(x->text[INDEX_METHOD][i], o->method)) ||
                  (o->resolution > 0 && !(resolution > 0 && resolution <= o->resolution)) ||
                  (near >= 0 && (i == (size_t)near || shares_cluster(x->text[INDEX_CLUSTERS][near], x->text[INDEX_CLUSTERS][i])));
        left += !skip[i];
    }
    return left ? 0 : err_set(err, ERR_NOTFOUND, "search: the filters leave none of %zu entries", x->n);
}

/* The embedding z (d) of a text. */
static int embed_text(const opts_t *o, const modelfile_t *m, const char *path, float *z, err_t *err)
{
    sentence_t *s = textmodel_of(o->text_model, m, path, err);
    int rc = s ? textmodel_embed(s, m, o->text, z, err) : -1;
    sentence_close(s);
    return rc;
}

/* hit has room for all entries where some are skipped. */
static int search_text(const opts_t *o, query_t *q, const unsigned char *skip, hit_t *hit, err_t *err)
{
    float *z = mem_new(q->model.encoder->d, sizeof *z, err);
    size_t n;
    bool terms = o->descriptor == D_AUTO && q->x.terms.z;
    int rc = z && !embed_text(o, &q->model, q->model_path, z, err) &&
                     !(terms ? search_words : search_vector)(&q->x, z, skip ? q->x.n : (size_t)o->top, hit, &n, err)
                 ? 0
                 : -1;
    size_t left = 0;
    for (size_t i = 0; !rc && i < n && left < (size_t)o->top; i++)
        if (!skip || !skip[hit[i].entry]) hit[left++] = hit[i];
    if (!rc) print_hits(o, o->text, &q->x, hit, NULL, o->explain && left ? (long)hit[0].entry : -1, left);
    mem_free(z);
    return rc;
}

/* What may be asked together. */
static int check(const opts_t *o, int files, err_t *err)
{
    if (!o->text && !o->like && !files) return err_set(err, ERR_USAGE, "search: nothing to search; give a FILE, --like or --text");
    if (o->like && (files || o->text)) return err_set(err, ERR_USAGE, "search: --like goes with neither files nor --text");
    if (o->rerank && o->like) return err_set(err, ERR_USAGE, "search: --rerank places hits in maps: --like has none");
    if (o->text && files) return err_set(err, ERR_USAGE, "search: --text and files do not go together");
    if (o->text && !*o->text) return err_set(err, ERR_USAGE, "search: --text: an empty text");
    if (o->text && o->descriptor != D_AUTO && o->descriptor != D_LEARNED)
        return err_set(err, ERR_USAGE, "search: --text is compared by terms and embeddings: no --descriptor but learned goes with it");
    if (o->shape_only && o->descriptor == D_SIZE)
        return err_set(err, ERR_USAGE, "search: --descriptor size and --shape-only leave nothing to compare");
    if (o->rerank && o->text) return err_set(err, ERR_USAGE, "search: --rerank places hits in maps: --text has none");
    if (o->rerank && !o->structures) return err_set(err, ERR_USAGE, "search: --rerank needs the files of entries; give --structures FOLDER");
    return 0;
}

static int run(const app_t *app, const void *opts, int argc, char **argv)
{
    static const searchkind_t kind[] = {SEARCH_CUBE, SEARCH_BOTH, SEARCH_LEARNED, SEARCH_CUBE, SEARCH_ZERNIKE, SEARCH_PROFILE, SEARCH_SIZE};
    static const unsigned plain[] = {INDEX_CUBE | INDEX_MAPPED, 0, 0, INDEX_CUBE | INDEX_MAPPED, INDEX_ZERNIKE, INDEX_PROFILE, 0};
    const opts_t *o = opts;
    const unsigned facts = (o->organism ? INDEX_TEXT(INDEX_ORGANISMS) : 0) | (o->method ? INDEX_TEXT(INDEX_METHOD) : 0) |
                           (o->resolution > 0 ? INDEX_TEXT(INDEX_RESOLUTION) : 0) | (o->cluster ? INDEX_TEXT(INDEX_CLUSTERS) : 0) | (o->explain ? INDEX_VOCAB : 0);
    unsigned char *skip = NULL;
    int d = o->text ? D_LEARNED : o->descriptor;
    err_t err = {0};
    query_t q = {0};
    hit_t *hit = NULL;
    double *fit = NULL;
    size_t failed = 0, n = (size_t)argc;
    int status = EXIT_NOT_RUN;
    querykind_t how = d == D_AUTO ? QUERY_AUTO : d == D_BOTH || d == D_LEARNED ? QUERY_LEARNED : QUERY_PLAIN;
    unsigned learned = o->text && o->descriptor == D_AUTO ? INDEX_VOCAB | INDEX_VOCAB_EMBED : d == D_LEARNED ? 0 : INDEX_CUBE | INDEX_MAPPED;
    if (check(o, argc, &err) ||
        query_open(&q, app, &o->query, &o->map, (size_t)argc, how, INDEX_TEXT(INDEX_ID) | INDEX_TEXT(INDEX_TITLE) | facts, plain[d], learned, &err) ||
        !(hit = mem_new((size_t)o->top < q.x.n && !o->text ? (size_t)o->top : q.x.n, sizeof *hit, &err)) ||
        (o->rerank && !(fit = mem_new((size_t)o->top < q.x.n ? (size_t)o->top : q.x.n, sizeof *fit, &err))))
        goto done;
    if (o->explain && !q.x.terms.n) err_set(&err, ERR_UNSUP, "%s: the index has no terms, which --explain needs (index build --annot)", q.index_path);
    if (err.code != ERR_OK || !(skip = mem_zero(q.x.n, 1, &err)) || (filters(o) && filter(o, &q, skip, &err))) goto done;
    job_t job = {.o = o, .q = &q, .hit = hit, .fit = fit};
    job.search = (search_opts_t){.kind = d == D_AUTO && q.model.encoder ? SEARCH_BOTH : kind[d], .shape_only = o->shape_only,
                                 .plain = o->plain, .top = (size_t)o->top, .skip = filters(o) ? skip : NULL, .scoring = &q.scoring};
    if (o->format == FORMAT_TSV) print_header(o->rerank > 0, o->explain);
    if (o->text) failed = search_text(o, &q, filters(o) ? skip : NULL, hit, &err) ? 1 : 0;
    else if (o->like) failed = search_like(&job, skip, &err) ? 1 : 0;
    else failed = query_run(&q, argv, n, search_one, &job);
    status = !failed ? EXIT_DONE : failed < n && !o->like ? EXIT_SOME_FAILED : EXIT_NOT_RUN;
done:
    if (err.code != ERR_OK) status = cmd_fail(app, &err);
    mem_free(hit);
    mem_free(fit);
    mem_free(skip);
    query_close(&q);
    return status;
}

const cmd_t cmd_search = {
    .name = "search",
    .args = "FILE...",
    .summary = "The entries of an index nearest to a map, a model or a text",
    .about = "Each FILE is a density map (MRC or CCP4, plain, gzip, bzip2, xz or zstd) or an atomic model (PDB or mmCIF, plain or "
             "gzip). The contour of a map is the one given, else that of its EMDB header, else estimated; axis order, position, orientation and padding do not matter. "
             "With no option but the file, the model and the index that come with the program are used.\n\n"
             "Columns: query; rank, from 1; id of the entry; score, higher is nearer; confidence, the probability that the hit is "
             "the same protein; cosine of the embeddings; cube, aligned correlation of the canonical cubes (-1 to 1); distance of the Zernike "
             "or profile vectors (0 is alike); rg, radius of gyration "
             "of the entry in angstrom; dlog_rg, natural logarithm of the ratio of the entry's to the query's; with --rerank fit, the overall correlation (see fit) of the entry's model, placed in the map; title; with --explain shared_with, the entry whose terms those of hits are compared with, and shared, the most special of the terms that both have. What was not "
             "compared is - (in JSON, it is not there).\n\n"
             "Cubes are compared in stages: the 1000 entries that are best by the plain correlation, or as many as --top asks for, are "
             "compared again by the aligned one, which forgives small errors of the position, the axes and the size of the query, so "
             "that it is never below the plain one. Beyond these, and with --plain, cube is the plain correlation.\n\n"
             "The score of both is cosine x (weight, 14) + cube x (weight, 25) - (dlog_rg / 0.08)^2 / 2, with the weights that the index "
             "carries in place of these, if any (cryolex index info shows them); confidence is a logistic function of the first two, and of how "
             "much the score differs from the best of another entry. Of learned it is 20 x cosine, of cube 25 x cube, of zernike and profile -25 x distance, each "
             "with the same size term; --shape-only leaves that out, and with --descriptor size there is nothing else. Of a text "
             "it is the largest cosine with the name of a term of the entry, and a tenth of the cosine with its structure, which is shown; "
             "with -d learned the latter alone.\n\n"
             "Filters leave entries out as if the index had them not; an index that has not what a filter asks for is an error.\n\n"
             "Something is always nearest: among some 8,700 PDB "
             "entries, maps of what is not among them still found an aligned correlation of 0.84 to 0.95, and the right entries were "
             "found at 0.91 to 0.99. A warning is given below 0.90, and where confidence is below 0.5.",
    .example = "cryolex search emd_1080.map.gz",
    .opts = rows,
    .opt_size = sizeof(opts_t),
    .min_args = 0,
    .max_args = -1,
    .run = run,
};
