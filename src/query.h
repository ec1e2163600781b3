/* query: maps and models that are looked up in an index; what search and annotate have in common. */
#ifndef CRYOLEX_SRC_QUERY_H
#define CRYOLEX_SRC_QUERY_H

#include "pipeline/describe.h"
#include "pipeline/index.h"
#include "pipeline/modelfile.h"
#include "pipeline/scoring.h"
#include "src/cmd.h"
#include "src/headopts.h"
#include "src/mapopts.h"

/* Options of the commands; rows of a group. */
typedef struct {
    const char *index, *model, *assembly, *scoring;
    double contour;
    headopts_t header;
    bool halves;
} queryopts_t;
extern const opt_t query_rows[];
#define query_rows_single (query_rows + 1) /* all but --half-maps, for a command that takes one file at a time */

/* What queries are run on. */
typedef struct {
    const app_t *app;
    const queryopts_t *o;
    char *index_path, *model_path; /* "" without a model */
    index_t x;
    modelfile_t model;             /* encoder NULL: without embeddings */
    describer_t d;
    scoring_t scoring;             /* of the index, as changed by --scoring */
} query_t;

typedef enum {
    QUERY_PLAIN,   /* no embeddings of queries */
    QUERY_LEARNED, /* with the model, which has to be that of the index */
    QUERY_AUTO     /* QUERY_LEARNED where the index has embeddings */
} querykind_t;

/* The index: that of the option, else of CRYOLEX_INDEX, else the one that comes with the program; the model likewise, by CRYOLEX_MODEL.
 * parts (index_read) gets INDEX_EMBED by itself, and plain (such parts where it comes out so) or learned is added to it.
 * n: files that query_run() will be given. 0, or -1 with *q for query_close() only: ERR_USAGE there is no index or model, or an odd number of
 * half-maps; headopts_where(); index_read(), modelfile_read(), index_of_model(); ERR_NOMEM. */
int query_open(query_t *q, const app_t *app, const queryopts_t *o, const mapopts_t *map, size_t n, querykind_t kind, unsigned parts,
               unsigned plain, unsigned learned, err_t *err);
void query_close(query_t *q);

/* Called for each query that could be described, in order, with its file or files. z (index_poses(), d), or NULL without a model. 0, or -1 with err:
 * this query failed. */
typedef int (*query_take_t)(void *ctx, const item_t *it, const record_t *rec, const float *z, err_t *err);

/* Describe and embed n files on all cores, and hand each over, a pair of half-maps under the name of the first; what fails is logged.
 * Returns how many queries failed, or n where all did. */
size_t query_run(query_t *q, char **path, size_t n, query_take_t take, void *ctx);

/* One line on the log of what a query is like. */
void query_tell(const query_t *q, const char *path, const record_t *rec);
/* A warning where it is smaller than any protein. */
void query_doubt(const query_t *q, const char *path, const record_t *rec);

#endif
