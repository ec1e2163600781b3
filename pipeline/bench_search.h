/* bench_search: the methods that the program has itself, as scores of all entries of an index. */
#ifndef CRYOLEX_PIPELINE_BENCH_SEARCH_H
#define CRYOLEX_PIPELINE_BENCH_SEARCH_H

#include <stdbool.h>

#include "pipeline/describe.h"
#include "pipeline/index.h"
#include "pipeline/search.h"
#include "voxel/encoder.h"

typedef struct {
    const char *name;
    enum { WITH_INDEX, WITH_MODEL, WITH_BASE, WITH_UNTRAINED } with; /* what has to be there */
    searchkind_t kind;
    bool shape_only, plain;
} benchmethod_t;

#define BENCH_SEARCHES 13
extern const benchmethod_t bench_searches[BENCH_SEARCHES];

/* What is searched. Borrowed but for column. */
typedef struct {
    const index_t *x;      /* the gallery: read with cubes, and with embeddings where there is an encoder */
    const index_t *base;   /* the same entries with Zernike invariants, profiles and, of an untrained network, embeddings; NULL */
    encoder_t *encoder;    /* NULL: none */
    encoder_t *untrained;  /* its embeddings are those of base; NULL */
    scoring_t scoring;
    size_t *column;        /* (base->n) row of x; x->n where x has not the entry */
    size_t missing;        /* entries of x that base lacks: they come last */
} benchsearch_t;

/* Set column from the ids of both (read with INDEX_TEXT(INDEX_ID)). 0, or -1: ERR_RANGE nothing in common; ERR_NOMEM. */
int bench_search_join(benchsearch_t *s, err_t *err);
void bench_search_end(benchsearch_t *s); /* column */

bool bench_search_has(const benchsearch_t *s, const benchmethod_t *m);

/* score (x->n) of a query with its embeddings z and zu (of the untrained network), index_poses() of each; -INFINITY for entries that are skipped or
 * missing. 0, or -1: those of search_run(). */
int bench_search(const benchsearch_t *s, const benchmethod_t *m, const record_t *q, const float *z, const float *zu, const unsigned char *skip,
                 float *score, err_t *err);

/* ---- queries, described and embedded in batches ---- */

/* Called from many threads: describe query i into out->rec, with the cube (d->cubes is set), or set out->err. */
typedef void (*bench_make_t)(void *ctx, const describer_t *d, size_t i, described_t *out);
/* Called for each query in order, from one thread; z and zu NULL without such an encoder. What failed has been logged and is not handed over. 0, or -1 to
 * stop. */
typedef int (*bench_take_t)(void *ctx, size_t i, const record_t *r, const float *z, const float *zu, err_t *err);

/* n queries. *failed counts those that could not be described. 0, or -1: ERR_UNSUP encoders that want cubes of different sides; what take says; ERR_NOMEM. */
int bench_each(const benchsearch_t *s, const mrc_opts_t *map, const log_t *log, size_t n, bench_make_t make, bench_take_t take, void *ctx,
               size_t *failed, err_t *err);

#endif
