/* search: the entries of an index nearest to a query. */
#ifndef CRYOLEX_PIPELINE_SEARCH_H
#define CRYOLEX_PIPELINE_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "pipeline/describe.h"
#include "pipeline/index.h"

/* What is compared. The score of an entry is its shape term plus its size term; higher is nearer. */
typedef enum {
    SEARCH_CUBE,    /* SEARCH_CUBE_WEIGHT x correlation of the 16^3 cubes, the best of 24 turns */
    SEARCH_ZERNIKE, /* -SEARCH_ZERNIKE_WEIGHT x Euclidean distance of the Zernike invariants (EM-SURFER) */
    SEARCH_PROFILE, /* -SEARCH_PROFILE_WEIGHT x Euclidean distance of the radial profiles */
    SEARCH_SIZE     /* nothing but the size term */
} searchkind_t;

/* Size term: -(difference in ln Rg / SEARCH_SIZE_WIDTH)^2 / 2, the logarithm of a Gaussian likelihood. */
#define SEARCH_SIZE_WIDTH 0.08
#define SEARCH_CUBE_WEIGHT 25.0
#define SEARCH_ZERNIKE_WEIGHT 25.0
#define SEARCH_PROFILE_WEIGHT 25.0

typedef struct {
    searchkind_t kind;
    bool shape_only; /* leave the size term out */
    size_t top;      /* hits wanted, > 0 */
} search_opts_t;

typedef struct {
    size_t entry;  /* row of the index */
    float score;
    float shape;   /* correlation -1..1 (cube), or distance >= 0 (Zernike, profile); 0 for size */
    float dlog_rg; /* ln(Rg of the entry / Rg of the query) */
} hit_t;

/* The `top` best entries, best first; equal scores by row. Exact: every entry is scored, or is shown not to matter by
 * its size term alone. hit holds min(top, x->n) on return, *n says how many.
 * 0, or -1: ERR_USAGE SEARCH_SIZE with shape_only; ERR_NOMEM. The same bytes for any number of threads. */
int search_run(const index_t *x, const record_t *query, const search_opts_t *o, hit_t *hit, size_t *n, err_t *err);

#endif
