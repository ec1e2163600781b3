/* annotate: what a structure is and does, from the entries nearest to it and from the terms nearest to it. */
#ifndef CRYOLEX_PIPELINE_ANNOTATE_H
#define CRYOLEX_PIPELINE_ANNOTATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "pipeline/describe.h"
#include "pipeline/evidence.h"
#include "pipeline/index.h"
#include "pipeline/scoring.h"
#include "pipeline/search.h"

#define ANNOTATE_SUPPORT 3 /* hits named for a term */
#define ANNOTATE_SURER 0.75 /* a term is left out where one that is told under it has at least this share of its confidence */

typedef struct {
    size_t hits;           /* nearest entries that have a say, > 0 */
    size_t terms;          /* most terms of a namespace, > 0 */
    double min_confidence; /* of a term; 0..1 */
    unsigned spaces;       /* bits 1 << termspace_t: kinds wanted */
    bool ancestors;        /* also terms that ANNOTATE_SURER leaves out */
    const scoring_t *scoring; /* NULL: scoring_default */
    const evidence_t *evidence; /* NULL: that of the index where it is fitted, else evidence_default(scoring->text) */
    const terms_t *molecules;   /* of all entries, terms_of_molecules(); NULL: no names of molecules */
    bool force;                 /* tell terms of a novel query, too */
    const unsigned char *skip; /* (x->n) 1: an entry that is left out, as if the index had it not; NULL: none */
} annotate_opts_t;

typedef struct {
    size_t term;      /* row of index_t.terms, or of the molecules */
    float confidence; /* 0..1; never more than that of an ancestor */
    float vote;       /* share of the hits that have it, by weight; 0..1 */
    float text;       /* standard deviations by which its cosine stands above the mean of its namespace; NAN without embeddings */
    size_t hits;      /* how many of the hits have it, */
    size_t support[ANNOTATE_SUPPORT]; /* and the nearest of them: numbers of hits from 0 */
} termhit_t;

typedef struct {
    size_t n;
    hit_t *hit;      /* (n) nearest entries, best first, by SEARCH_BOTH */
    double known;    /* probability that a relative of the query is among the first hits, evidence_known(); NAN where the evidence is not fitted */
    bool novel;      /* known is below the cut: no terms, unless forced */
    size_t terms;
    termhit_t *term; /* (terms) by namespace in the order of termspace_t, then by confidence; equal ones by rarity, then the special before the
                      * general */
    size_t molecules;
    termhit_t *molecule; /* (molecules) likewise */
} annotation_t;

/* Annotate a query with embeddings z (index_poses(x), d); the one that is nearest to the first hit is compared with terms.
 *
 * A term's vote v is the share of the weight of the annotated hits that have it, a hit's weight being exp((score - best
 * score) / scoring.vote). That, the nearest hits counted more evenly, the cosine of
 * structure and term, and how common the term is make its confidence by the weights of evidence.h. Last, an ancestor has at least the
 * confidence of its descendants.
 *
 * In:   x  read with INDEX_CUBE, INDEX_EMBED, INDEX_VOCAB; with INDEX_VOCAB_EMBED the cosines count
 * Out:  a  end with annotation_free(). No terms where the index has none
 * 0, or -1 with *a empty: the errors of search_run(). The same bytes for any number of threads. */
int annotate_run(const index_t *x, const record_t *query, const float *z, const annotate_opts_t *o, annotation_t *a, err_t *err);
void annotation_free(annotation_t *a); /* leaves {0} */

/* The hits, known and novel alone. */
int annotate_hits(const index_t *x, const record_t *query, const float *z, const annotate_opts_t *o, annotation_t *a, err_t *err);
/* What evidence_known() weighs, of an annotation with hits. */
void annotate_known(const annotation_t *a, const record_t *query, double feature[KNOWN_FEATURES]);
/* feature (t->n, EVIDENCE_FEATURES): what evidence_term() weighs, of the terms t of all entries, by the hits of a. 0, or -1 ERR_NOMEM. */
int annotate_features(const terms_t *t, const float *z, const annotate_opts_t *o, const scoring_t *s, const annotation_t *a, float *feature, err_t *err);

#endif
