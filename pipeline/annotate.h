/* annotate: what a structure is and does, from the entries nearest to it and from the terms nearest to it. */
#ifndef CRYOLEX_PIPELINE_ANNOTATE_H
#define CRYOLEX_PIPELINE_ANNOTATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "pipeline/describe.h"
#include "pipeline/index.h"
#include "pipeline/scoring.h"
#include "pipeline/search.h"

#define ANNOTATE_SUPPORT 3 /* hits named for a term */

typedef struct {
    size_t hits;           /* nearest entries that have a say, > 0 */
    size_t terms;          /* most terms of a namespace, > 0 */
    double min_confidence; /* of a term; 0..1 */
    unsigned spaces;       /* bits 1 << termspace_t: namespaces wanted */
    bool ancestors;        /* also terms that are ancestors of others that are told */
    const scoring_t *scoring; /* NULL: scoring_default */
    const unsigned char *skip; /* (x->n) 1: an entry that is left out, as if the index had it not; NULL: none */
} annotate_opts_t;

typedef struct {
    size_t term;      /* row of index_t.terms */
    float confidence; /* 0..1; never more than that of an ancestor */
    float vote;       /* share of the hits that have it, by weight; 0..1 */
    float text;       /* standard deviations by which its cosine stands above the mean of its namespace; NAN without embeddings */
    size_t hits;      /* how many of the hits have it, */
    size_t support[ANNOTATE_SUPPORT]; /* and the nearest of them: numbers of hits from 0 */
} termhit_t;

typedef struct {
    size_t n;
    hit_t *hit;      /* (n) nearest entries, best first, by SEARCH_BOTH */
    size_t terms;
    termhit_t *term; /* (terms) by namespace in the order of termspace_t, then by confidence; equal ones by rarity, then the special before the
                      * general */
} annotation_t;

/* Annotate a query with embeddings z (index_poses(x), d); the one that is nearest to the first hit is compared with terms.
 *
 * A term's vote v is the share of the weight of the annotated hits that have it, a hit's weight being exp((score - best
 * score) / scoring.vote). With C the highest confidence of a hit and b the share of all annotated entries that have the term,
 * p = C v + (1 - C) b: where the hits are not to be trusted, terms are as likely as in any protein. The cosine of structure and
 * term moves that: logit(confidence) = logit(p) + scoring.text x (standard deviations of the cosine above the mean of the
 * namespace). Last, an ancestor has at least the confidence of its descendants.
 *
 * In:   x  read with INDEX_CUBE, INDEX_EMBED, INDEX_VOCAB; with INDEX_VOCAB_EMBED the cosines count
 * Out:  a  end with annotation_free(). No terms where the index has none
 * 0, or -1 with *a empty: the errors of search_run(). The same bytes for any number of threads. */
int annotate_run(const index_t *x, const record_t *query, const float *z, const annotate_opts_t *o, annotation_t *a, err_t *err);
void annotation_free(annotation_t *a); /* leaves {0} */

#endif
