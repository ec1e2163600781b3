/* bench: the same questions put to several methods: queries, an order of the gallery by each method, ranks of what is relevant, and the report
 * of it all. What the questions are is bench_maps.h, bench_words.h and bench_function.h. */
#ifndef CRYOLEX_PIPELINE_BENCH_H
#define CRYOLEX_PIPELINE_BENCH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/log.h"
#include "pipeline/measure.h"

#define BENCH_KINDS 6   /* of relevance */
#define BENCH_HITS 5    /* kept of each query and method */
#define BENCH_METHODS 40
#define BENCH_HARD 0x40u /* bits of an entry, above those of the kinds: it is of about the mass of the query's entry, or relevant; */
#define BENCH_ALL 0x80u  /* it is in the gallery */
#define BENCH_MASS 0.1   /* how much masses of about the same differ at most, as a share */
#define BENCH_DENSITY 0.81 /* daltons a cubic angstrom of protein */
enum { GALLERY_ALL, GALLERY_HARD, GALLERIES };
extern const char *const bench_gallery[GALLERIES]; /* "all", "equal_mass" */

/* Strings are owned by the task that the query is of; "" or NAN: unknown. */
typedef struct {
    char *id, *path, *group, *entry;
    double resolution, rg; /* angstrom */
    double mass;           /* kilodaltons, of the entry, from the volume of its envelope */
} benchquery_t;

typedef struct {
    uint32_t column;
    uint8_t bits;
    float score;
} benchhit_t;

/* One kind of query against one gallery. */
typedef struct {
    const char *name;                 /* "map", "view", "structure to text" */
    size_t columns;                   /* entries of the gallery, or texts */
    char *const *column;              /* their ids; borrowed, or kept */
    char **kept;
    const char *kind[BENCH_KINDS];    /* what counts as relevant: bit 1 << k */
    size_t kinds;
    char *method[BENCH_METHODS];
    size_t methods;
    bool hard;                        /* also with the gallery of equal mass */

    benchquery_t *query;
    size_t n, cap;
    double *rank, *ap;  /* (n, methods, GALLERIES, kinds) */
    uint32_t *relevant; /* (n, GALLERIES, kinds) */
    benchhit_t *hit;    /* (n, methods, BENCH_HITS) */

    uint64_t seed;
    uint32_t *tie;      /* (columns) */
    float *score;       /* (methods, columns): the caller's to fill before bench_query() */
    uint8_t *bits;      /* (columns): likewise */
    measure_key_t *key; /* (methods, columns) */
    uint32_t *order;    /* (methods, columns) */
} benchtask_t;

/* A task without queries. Name and kinds are borrowed. 0, or -1 ERR_NOMEM. End with bench_end(), also after an error. */
int bench_task(benchtask_t *t, const char *name, size_t columns, char *const *column, uint64_t seed, err_t *err);
int bench_kind(benchtask_t *t, const char *name);                    /* before the first query; the number of its bit */
int bench_method(benchtask_t *t, const char *name, err_t *err);      /* before bench_ready(); its row in t->score, or -1: ERR_NOMEM, ERR_USAGE a name twice or too many */
int bench_ready(benchtask_t *t, err_t *err);                         /* makes room for scores; 0, or -1 ERR_NOMEM */
/* Evaluate a query by t->score and t->bits: an entry without BENCH_ALL is not in the gallery. Strings are copied; NULL is "". 0, or -1 ERR_NOMEM.
 * The same bytes for any number of threads. */
int bench_query(benchtask_t *t, const benchquery_t *q, err_t *err);
void bench_end(benchtask_t *t); /* leaves {0} */

/* Own the ids of columns from now on. 0, or -1 ERR_NOMEM. */
int bench_keep_columns(benchtask_t *t, err_t *err);

/* Scores at random, by the seed and the number of the query. */
void bench_random(benchtask_t *t, int method);

/* ---- the report ---- */

typedef struct {
    const char *dir;       /* made where it is not there */
    const char *protocol;
    json_t *about;         /* what it was made with; borrowed */
    size_t failed;         /* queries that could not be read, and are not in it */
    size_t times;          /* resamplings */
    uint64_t seed;
} benchreport_t;

/* Write of n tasks
 *   queries.tsv  task query entry group resolution rg mass_kda path
 *   ranks.tsv    task query method gallery relevance relevant rank average_precision resolution mass_kda
 *   hits.tsv     task query method rank id score relevance
 *   curves.tsv   task gallery relevance method k recall
 *   summary.tsv  task gallery relevance bin method queries relevant, then each measure with low and high
 *   summary.json the same with `about` and `failed`
 * each whole or not at all; equal input gives equal bytes. 0, or -1: ERR_IO, ERR_RANGE no query, ERR_NOMEM. */
int bench_write(const benchreport_t *r, const benchtask_t *task, size_t n, err_t *err);

/* Rows of queries.tsv; without a task the header. */
void bench_queries(FILE *f, const char *task, const benchquery_t *q, size_t n);

/* Copy strings (NULL is "") into *to. bench_query_free() leaves {0}. 0, or -1 ERR_NOMEM. */
int bench_query_copy(benchquery_t *to, const benchquery_t *q, err_t *err);
void bench_query_free(benchquery_t *q);

/* Make a folder where it is not there: 0, or -1 ERR_IO. The name of a file in it. */
int bench_folder(const char *dir, err_t *err);
char *bench_path(const char *dir, const char *name, err_t *err); /* new; mem_free() */

/* Groups of queries by name: group (n) gets numbers from 0 in order of arrival; how many, or 0 ERR_NOMEM. A query without a group is one of its own. */
size_t bench_groups(const benchquery_t *q, size_t n, uint32_t *group, err_t *err);

/* Add to a JSON object what a file is: {name: {"path", "sha256"}}; the path without its folder. 0, or -1: ERR_IO, ERR_NOMEM. */
int bench_about_file(json_t *about, const char *name, const char *path, err_t *err);

/* Write JSON so that numbers have six digits. 0, or -1: ERR_IO, ERR_NOMEM. */
int bench_json(const char *path, const json_t *j, err_t *err);
/* A number as the tables have it (six significant digits), "-" for NAN. */
void bench_number(FILE *f, double x);

/* The entry that an id is of, in small letters: of 1abc, 1abc_A or 1ABC-2 the PDB id, of emd_1234 or EMD-1234_5A "emd-1234", of others all of it. out has room for n
 * bytes, and may be id. */
void bench_entry(const char *id, char *out, size_t n);

#endif
