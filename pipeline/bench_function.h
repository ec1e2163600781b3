/* bench_function: what a density does, told from its hits, by the gallery as it is and without relatives of the query. */
#ifndef CRYOLEX_PIPELINE_BENCH_FUNCTION_H
#define CRYOLEX_PIPELINE_BENCH_FUNCTION_H

#include "pipeline/bench_maps.h"

/* The protocol function: GO terms of the queries of m by namespace. w->search.x is read with INDEX_VOCAB, and with INDEX_VOCAB_EMBED for the part of text.
 * Writes into r->dir
 *   queries.tsv           as bench_write()
 *   function_queries.tsv  gallery query namespace method terms f average_precision resolution mass_kda
 *   function_curves.tsv   gallery namespace method threshold precision recall
 *   function.tsv          gallery namespace method queries, then fmax, smin and aupr with low and high, and the threshold of fmax
 *   novel.tsv             gallery relative queries novel: how many queries were called novel, by whether a relative is among the first ten hits
 *   calibration.tsv, calibration_summary.tsv  see bench_calib.h: probabilities of `annotate` of at least 0.1, of entries (the first five: is it the same protein?) and
 *                         of a relative among the first ten hits; by the gallery as it is and without the query's relatives
 *   summary.json          function.tsv and calibration_summary.tsv, with `about` and `failed`
 * 0, or -1: ERR_UNSUP an index without terms; ERR_RANGE no query with a term; those of bench_search(), annotate_run(); ERR_IO; ERR_NOMEM. */
int bench_function(benchmaps_t *m, const benchwork_t *w, const benchreport_t *r, size_t *failed, err_t *err);

/* Information (t->n), in bits, of each term given its parents: -log2 of the share of entries with all parents (of those with any term of the namespace,
 * where it has none) that have it; 0 where no entry has it. 0, or -1 ERR_NOMEM. Source: Clark and Radivojac 2013, Bioinformatics 29:i53. */
int bench_information(const terms_t *t, double *information, err_t *err);

#endif
