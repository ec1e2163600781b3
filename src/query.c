/* query: maps and models that are looked up in an index (see query.h). */
#include "src/query.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "pipeline/embed.h"
#include "pipeline/share.h"
#include "src/inputs.h"

static const float SMALL_RG = 7; /* angstrom */

const opt_t query_rows[] = {
    {0, "half-maps", OPT_FLAG, offsetof(queryopts_t, halves), NULL, 0, 0, NULL, NULL, HALVES_HELP},
    {'i', "index", OPT_STR, offsetof(queryopts_t, index), "INDEX", 0, 0, NULL, NULL,
     "The index to search; without it, the one that the environment variable CRYOLEX_INDEX names, else the one that comes with "
     "the program"},
    {'m', "model", OPT_STR, offsetof(queryopts_t, model), "MODEL", 0, 0, NULL, NULL,
     "The model that the index was made with; without it, the one that CRYOLEX_MODEL names, else the one that comes with the "
     "program"},
    {'c', "contour", OPT_MAYBE, offsetof(queryopts_t, contour), "LEVEL", -HUGE_VAL, HUGE_VAL, NULL, NULL,
     "Contour level of the query maps, in their own units; without it, that of their EMDB headers, else estimated"},
    {0, "header", OPT_STR, offsetof(queryopts_t, header.path), HEADER_ARG, 0, 0, NULL, NULL, HEADER_HELP},
    {0, "no-header", OPT_FLAG, offsetof(queryopts_t, header.off), NULL, 0, 0, NULL, NULL, NO_HEADER_HELP},
    {0, "assembly", OPT_STR, offsetof(queryopts_t, assembly), "ID", 0, 0, NULL, NULL,
     "Biological assembly of query models: an id, or asu for the model as deposited"},
    {0, "scoring", OPT_STR, offsetof(queryopts_t, scoring), "LIST", 0, 0, NULL, NULL,
     "Weights other than those of the index (which index info shows): some of cosine, cube, size, learned, bias, margin, quality, "
     "vote, text, as NAME=NUMBER,..."},
    {0},
};

/* The first of: the option, what the environment variable says, the file that comes with the program. */
static char *path_of(const app_t *app, const char *option, const char *variable, const char *what, const char *letter, const char *shipped,
                     err_t *err)
{
    const char *set = option ? option : getenv(variable);
    err_t own = {0};
    if (set && *set) return mem_str(set, err);
    char *path = share_file(shipped, &own);
    if (!path && own.code != ERR_NOTFOUND) err_set(err, own.code, "%s", own.msg);
    else if (!path)
        err_set(err, ERR_USAGE, "%s: no %s; give %s or set %s: there is %s", app->cmd, what, letter, variable, own.msg);
    return path;
}

static int open_model(query_t *q, err_t *err)
{
    q->model_path = path_of(q->app, q->o->model, "CRYOLEX_MODEL", "model", "-m MODEL", SHARE_MODEL, err);
    if (!q->model_path || modelfile_read(q->model_path, &q->model, err)) return -1;
    if (q->model.untrained)
        log_msg(&q->app->log, LOG_INFO, "%s: an untrained model: its parameters are random", q->model_path);
    return embed_ready(&q->model, q->model_path, &q->x, q->index_path, err);
}

int query_open(query_t *q, const app_t *app, const queryopts_t *o, const mapopts_t *map, size_t n, querykind_t kind, unsigned parts,
               unsigned plain, unsigned learned, err_t *err)
{
    mrc_opts_t how = mapopts_mrc(map, app);
    index_t peek = {0};
    emdb_where_t where;
    *q = (query_t){.app = app, .o = o};
    if (o->halves && inputs_pairs(app, n, err)) return -1;
    if (headopts_where(&o->header, app, o->halves ? n / 2 : n, &where, err)) return -1;
    if (!(q->index_path = path_of(app, o->index, "CRYOLEX_INDEX", "index", "-i INDEX", SHARE_INDEX, err))) return -1;
    if (kind == QUERY_AUTO) {
        if (index_read(q->index_path, 0, &peek, err)) return -1;
        kind = *peek.model ? QUERY_LEARNED : QUERY_PLAIN;
        index_free(&peek);
    }
    parts |= kind == QUERY_LEARNED ? learned | INDEX_EMBED : plain;
    if (index_read(q->index_path, parts, &q->x, err) || describe_new(&q->d, &how, err)) return -1;
    q->d.header = where;
    q->scoring = q->x.scoring;
    if (o->scoring && scoring_set(&q->scoring, o->scoring, err)) return -1;
    return kind == QUERY_PLAIN ? 0 : open_model(q, err);
}

void query_close(query_t *q)
{
    describe_end(&q->d);
    modelfile_free(&q->model);
    index_free(&q->x);
    mem_free(q->index_path);
    mem_free(q->model_path);
    *q = (query_t){0};
}

void query_tell(const query_t *q, const char *path, const record_t *rec)
{
    char level[64] = "";
    if (rec->kind == ITEM_MAP && isfinite(rec->level))
        snprintf(level, sizeof level, ", contour %s%.4g", rec->estimated ? "about " : "", (double)rec->level);
    log_msg(&q->app->log, LOG_INFO, "%s: Rg %.1f A, envelope %.4g nm^3%s", path, (double)rec->rg, (double)rec->volume / 1000, level);
}

void query_doubt(const query_t *q, const char *path, const record_t *rec)
{
    if (rec->rg < SMALL_RG)
        log_msg(&q->app->log, LOG_WARN, "%s: Rg %.1f A is less than any protein's: is the voxel size right?", path, (double)rec->rg);
}

typedef struct {
    query_t *q;
    query_take_t take;
    void *ctx;
    size_t failed;
} sink_t;

static int hand_over(void *ctx, const item_t *it, const described_t *got, const float *z, err_t *err)
{
    sink_t *s = ctx;
    err_t own = got->err;
    (void)err;
    log_notes(&s->q->app->log, it->path, &got->notes);
    if (own.code == ERR_OK) s->take(s->ctx, it, &got->rec, z, &own);
    if (own.code == ERR_OK) return 0;
    log_msg(&s->q->app->log, LOG_ERROR, "%s", own.msg);
    s->failed++;
    return 0;
}

/* Without a model. */
static int describe_all(query_t *q, const item_t *item, size_t n, sink_t *s, err_t *err)
{
    described_t *got = mem_zero(DESCRIBE_BATCH, sizeof *got, err);
    if (!got) return -1;
    for (size_t at = 0; at < n; at += DESCRIBE_BATCH) {
        size_t m = n - at < DESCRIBE_BATCH ? n - at : DESCRIBE_BATCH;
        describe_many(&q->d, item + at, m, NULL, got, NULL);
        for (size_t i = 0; i < m; i++) {
            hand_over(s, &item[at + i], &got[i], NULL, err);
            described_free(&got[i]);
        }
    }
    mem_free(got);
    return 0;
}

size_t query_run(query_t *q, char **path, size_t n, query_take_t take, void *ctx)
{
    err_t err = {0};
    sink_t s = {.q = q, .take = take, .ctx = ctx};
    size_t files = n, step = q->o->halves ? 2 : 1;
    n /= step;
    item_t *item = mem_zero(n, sizeof *item, &err);
    for (size_t i = 0; item && i < n; i++)
        item[i] = (item_t){.id = path[step * i], .path = path[step * i], .half = step > 1 ? path[step * i + 1] : NULL,
                           .contour = q->o->contour, .assembly = q->o->assembly};
    int rc = !item            ? -1
             : q->model.encoder ? embed_items(q->model.encoder, (int)index_poses(&q->x), &q->d, item, n, NULL, hand_over, &s, &err)
                                : describe_all(q, item, n, &s, &err);
    mem_free(item);
    if (!rc) return s.failed < n ? s.failed : files;
    log_msg(&q->app->log, LOG_ERROR, "%s", err.msg);
    return files;
}
