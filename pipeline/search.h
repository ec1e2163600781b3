/* search: the entries of an index nearest to a query. */
#ifndef CRYOLEX_PIPELINE_SEARCH_H
#define CRYOLEX_PIPELINE_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "pipeline/describe.h"
#include "pipeline/index.h"
#include "pipeline/scoring.h"

/* What is compared. The score of an entry is its shape term plus its size term; higher is nearer.
 *
 * Cubes are compared twice. By the plain correlation of desc.h, the best of 24 turns, every entry is ranked. The frame of a query is
 * a little off, though, where its density has more or less than the model, and a frame that is off costs the right entry
 * more than it costs the wrong ones. So the SEARCH_ALIGNED best are compared again by the aligned correlation of align.h, which
 * takes its place, and ordered by it (of those, the ones that could not come first even with a correlation of 1 are passed over). As it is never below the plain one, the entries beyond, with their plain
 * correlation, still come after. */
typedef enum {
    SEARCH_CUBE,    /* SEARCH_CUBE_WEIGHT x correlation of the 16^3 cubes */
    SEARCH_ZERNIKE, /* -SEARCH_ZERNIKE_WEIGHT x Euclidean distance of the Zernike invariants (EM-SURFER) */
    SEARCH_PROFILE, /* -SEARCH_PROFILE_WEIGHT x Euclidean distance of the radial profiles */
    SEARCH_SIZE,    /* nothing but the size term */
    SEARCH_LEARNED, /* scoring.learned x cosine of the embeddings */
    SEARCH_BOTH     /* scoring.cosine x cosine + scoring.cube x correlation: recall by embedding and size, then the cubes */
} searchkind_t;

/* Size term: -(difference in ln Rg / width)^2 / 2, the logarithm of a Gaussian likelihood; width is that of the scoring where
 * embeddings are compared, else SEARCH_SIZE_WIDTH. */
#define SEARCH_SIZE_WIDTH 0.08
#define SEARCH_CUBE_WEIGHT 25.0
#define SEARCH_ZERNIKE_WEIGHT 25.0
#define SEARCH_PROFILE_WEIGHT 25.0
#define SEARCH_ALIGNED 1000 /* entries compared again, see search_opts_t.aligned */

typedef struct {
    searchkind_t kind;
    bool shape_only; /* leave the size term out */
    bool plain;      /* leave the aligned correlation out */
    size_t top;      /* hits wanted, > 0 */
    size_t aligned;  /* entries compared again; 0: SEARCH_ALIGNED, or `top` if that is more */
    const unsigned char *skip; /* (n) 1: an entry that is left out, as if the index had it not; NULL: none */
    const scoring_t *scoring; /* NULL: scoring_default */
} search_opts_t;

typedef struct {
    size_t entry;  /* row of the index */
    float score;
    float cosine, cube; /* -1..1; NAN where they were not compared; cube: aligned, see above, rounded to DESC_STEP */
    unsigned pose;      /* of the query, that the cosine is of */
    float distance;     /* of Zernike invariants or profiles, >= 0; NAN where they were not compared */
    float dlog_rg;      /* ln(Rg of the entry / Rg of the query); NAN for a query without size */
    float confidence;   /* SEARCH_BOTH: scoring_confidence(), 0..1; else NAN */
} hit_t;

/* The `top` best entries, best first; equal scores by row. Exact but for the choice of what is aligned: every entry is scored, or
 * is shown not to matter by what is known of it without its cube. z (index_poses(x), d): the query's embeddings, of length 1, of which the nearest to an entry
 * counts, for SEARCH_LEARNED and SEARCH_BOTH; else NULL. hit holds min(top, entries not skipped) on return, *n says how many.
 * 0, or -1: ERR_USAGE SEARCH_SIZE with shape_only; ERR_UNSUP the index has not what is to be compared; ERR_NOMEM. The same bytes
 * for any number of threads. */
int search_run(const index_t *x, const record_t *query, const float *z, const search_opts_t *o, hit_t *hit, size_t *n, err_t *err);

/* For a text, z (d) its projection, of length 1: the score is the largest cosine of z with a term of the entry (a term's embedding
 * is the projection of its name), plus SEARCH_WORDS_COSINE times the cosine with the entry's own embedding, which tells apart entries of the same terms. Entries without
 * terms come last. 0, or -1: ERR_UNSUP the index has no embeddings of entries or of terms; ERR_NOMEM. */
#define SEARCH_WORDS_COSINE 0.1
int search_words(const index_t *x, const float *z, size_t top, hit_t *hit, size_t *n, err_t *err);

/* The same by the cosine with the entry's own embedding alone. 0, or -1: ERR_UNSUP, ERR_NOMEM. */
int search_vector(const index_t *x, const float *z, size_t top, hit_t *hit, size_t *n, err_t *err);

#endif
