/* measure: how good an order of entries, or a set of predicted terms, is; with intervals by resampling groups of queries.
 *
 * Letters: N entries of a gallery; Q queries; G groups of queries; T terms. */
#ifndef CRYOLEX_PIPELINE_MEASURE_H
#define CRYOLEX_PIPELINE_MEASURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* ---- retrieval ---- */

/* A random order (N) of what has equal scores: a permutation of 0..n-1 by a seed. 0, or -1 ERR_NOMEM. New; mem_free(). */
uint32_t *measure_ties(size_t n, uint64_t seed, err_t *err);

/* order (N): entries by descending score (N), equal ones by ascending tie (N); key is scratch (N). A score that is not a number comes last. */
typedef struct {
    float score;
    uint32_t tie, entry;
} measure_key_t;
void measure_order(const float *score, const uint32_t *tie, size_t n, measure_key_t *key, uint32_t *order);

/* Rank, from 1, of the first relevant entry, and average precision; both NAN where none is. An entry is relevant when its bits (N)
 * have `bit`; entries with bits that have none of `in` are passed over. */
void measure_rank(const uint32_t *order, size_t n, const uint8_t *bits, unsigned bit, unsigned in, double *rank, double *ap);

/* ---- intervals ---- */

#define MEASURE_LEVEL 0.95

/* Resampling of G groups, not queries: three states of one complex are hardly three trials. */
typedef struct {
    size_t groups, times;
    uint16_t *count; /* (times, G) how often a group is drawn; each row sums to G */
} bootstrap_t;

typedef struct {
    double value, low, high; /* NAN where there is none */
} interval_t;

/* 0, or -1: ERR_RANGE no group, or more than 65535; ERR_NOMEM. End with bootstrap_free(). */
int bootstrap_new(bootstrap_t *b, size_t groups, size_t times, uint64_t seed, err_t *err);
void bootstrap_free(bootstrap_t *b); /* leaves {0} */

/* The mean of value (Q) of queries of groups group (Q), those that are NAN left out. 0, or -1 ERR_NOMEM. The same bytes for any
 * number of threads. */
int bootstrap_mean(const bootstrap_t *b, const uint32_t *group, const double *value, size_t n, interval_t *out, err_t *err);

/* Low and high of x (n), sorted in place, NAN left out: MEASURE_LEVEL of them lie between. */
void bootstrap_ends(double *x, size_t n, interval_t *out);

/* ---- predicted terms ---- */

#define CAFA_STEPS 100  /* thresholds 0.01, 0.02 ... 1 */
#define CAFA_LEVELS 1000 /* scores are rounded to multiples of 0.001 */

/* What is kept of the queries of a group: sums over them, by threshold. */
typedef struct {
    double n;                                             /* queries that have a true term */
    double some[CAFA_STEPS];                              /* with a prediction */
    double precision[CAFA_STEPS], recall[CAFA_STEPS];
    double remaining[CAFA_STEPS], wrong[CAFA_STEPS];      /* information: true and not predicted; predicted and not true */
    double right[CAFA_LEVELS + 1], all[CAFA_LEVELS + 1];  /* pairs of query and term by rounded score */
} cafa_t;

/* Predictions of G groups about one set of terms. */
typedef struct {
    size_t groups;
    cafa_t *of; /* (G) */
} cafaset_t;
int cafa_new(cafaset_t *s, size_t groups, err_t *err); /* 0, or -1 ERR_NOMEM; end with cafa_free() */
void cafa_free(cafaset_t *s);                          /* leaves {0} */

/* Add a query: score (T) 0..1, truth (T) 0 or 1, information (T) of the terms of one namespace, closed under ancestors, without
 * the root. A query without a true term is passed over. *ap (or NULL) gets its average precision over the terms, *f the largest F of its own;
 * NAN where it is passed over. */
void cafa_add(cafaset_t *s, size_t group, const float *score, const uint8_t *truth, const double *information, size_t terms, double *ap,
              double *f);

/* Fmax (Radivojac et al. 2013, Nat. Methods 10:221): the largest F over thresholds of the mean precision over queries with a
 * prediction and the mean recall over all. Smin (Jiang et al. 2016, Genome Biol. 17:184): the smallest sqrt(ru^2 + mi^2) of the mean remaining uncertainty and
 * misinformation. AUPR: the average precision over all pairs of query and term, equal scores taken together. b over the same groups, or NULL for no
 * intervals. 0, or -1 ERR_NOMEM. */
typedef struct {
    interval_t fmax, smin, aupr;
    double threshold;                                /* of Fmax */
    double precision[CAFA_STEPS], recall[CAFA_STEPS]; /* the curve; precision NAN where nothing is predicted */
    double queries;
} cafaresult_t;
int cafa_result(const cafaset_t *s, const bootstrap_t *b, cafaresult_t *out, err_t *err);

#endif
