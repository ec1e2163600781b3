/* bench_maps: densities as queries: EM-like views of the entries of a dataset, and real maps of a manifest. */
#ifndef CRYOLEX_PIPELINE_BENCH_MAPS_H
#define CRYOLEX_PIPELINE_BENCH_MAPS_H

#include "pipeline/bench.h"
#include "pipeline/bench_search.h"
#include "pipeline/dataset.h"
#include "pipeline/rivals.h"

/* What a benchmark works with. All borrowed. */
typedef struct {
    benchsearch_t search;
    const dataset_t *data;  /* NULL: none */
    const rivals_t *rivals;
    const log_t *log;
    mrc_opts_t map;
    uint64_t seed;
    const char *dir;
    split_t split;          /* of the dataset, whose entries are queries */
    const char *write_maps; /* folder for views as maps; NULL */
    size_t sheet;           /* queries of the contact sheet */
} benchwork_t;

/* Entries of the gallery as the dataset knows them: row[i], or -1. A part that the dataset lacks counts as the entry. New; mem_free(). NULL: ERR_NOMEM. */
long *bench_rows(const dataset_t *d, char *const *id, size_t n, err_t *err);

/* Items that rows a and b of a list have in common; are the two rows equal, and not empty? */
size_t bench_in_common(const lists_t *l, size_t a, size_t b);
bool bench_same_set(const lists_t *l, size_t a, size_t b);

/* Queries that are densities. */
typedef struct benchmaps benchmaps_t;
/* Views: one of each entry of the split, turned and disturbed by the seed, its id ENTRY.view. */
benchmaps_t *benchmaps_views(const benchwork_t *w, err_t *err);
/* Maps: a TSV with columns path or file, and fitted_pdb or entry (PDB ids of what the map is of; a map without one, or whose complex the gallery has not, is
 * passed over with a note); family or group, id, resolution and contour may be missing. Relative paths start at the table's folder. ERR_IO, ERR_FORMAT, ERR_RANGE
 * no map is left. */
benchmaps_t *benchmaps_table(const benchwork_t *w, const char *path, err_t *err);
void benchmaps_free(benchmaps_t *m);
size_t benchmaps_count(const benchmaps_t *m);
size_t benchmaps_groups(const benchmaps_t *m, uint32_t *group, err_t *err); /* as bench_groups() */

/* Called for each query with its bits of relevance (gallery): see benchmaps_bits(). */
typedef int (*benchmaps_take_t)(void *ctx, size_t i, const benchquery_t *q, const record_t *r, const float *z, const float *zu, err_t *err);
/* Describe, embed and hand over all. What fails is logged and counted. */
int benchmaps_run(benchmaps_t *m, const benchwork_t *w, benchmaps_take_t take, void *ctx, size_t *failed, err_t *err);

/* Kinds of relevance of the task, and the bits (gallery) of query i. 0, or -1 ERR_NOMEM. */
void benchmaps_kinds(const benchmaps_t *m, benchtask_t *t);
int benchmaps_bits(const benchmaps_t *m, const benchwork_t *w, size_t i, uint8_t *bits, err_t *err);
/* Bits of the kinds that mean the same protein, not only the same function. */
unsigned benchmaps_same(const benchmaps_t *m);
/* relative (gallery) 1: entries of the groups of the dataset that query i or its kin are of. Without a dataset the entries of query i and its kin alone. */
int benchmaps_relatives(const benchmaps_t *m, const benchwork_t *w, size_t i, uint8_t *relative, err_t *err);
/* The entry of the gallery that query i is of, or -1. */
long benchmaps_own(const benchmaps_t *m, size_t i);

/* The protocols views and emdb-pdb: fill the task, and write w->dir/sheet.tsv: projections of queries and of their first hits by the best method there is. 0, or -1. */
int bench_maps(benchmaps_t *m, const benchwork_t *w, benchtask_t *t, size_t *failed, err_t *err);

#endif
