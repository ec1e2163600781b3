/* rivals: what other programs make of queries and entries, to be ranked like our own. */
#ifndef CRYOLEX_PIPELINE_RIVALS_H
#define CRYOLEX_PIPELINE_RIVALS_H

#include "base/err.h"
#include "base/intern.h"

typedef struct {
    char *name, *path;
    intern_t id;     /* of vectors, or of the queries of scores */
    size_t d;        /* numbers of a vector; 0: scores of pairs */
    float *z;        /* (id.n, d), of length 1; a vector of zeros stays */
    intern_t entry;  /* of scores */
    size_t *at;      /* (id.n + 1) */
    struct {
        uint32_t entry;
        float score;
    } *pair;         /* (at[id.n]) by query */
} rival_t;

typedef struct {
    size_t n;
    rival_t *rival;
} rivals_t;

/* Lists "NAME=FILE,NAME=FILE", either NULL. A file of embeddings is
 *   HDF5   /ids fixed-length strings (n), /embeddings float (n,d), as cryolex embed writes it
 *   TSV    a column id, all others numbers
 * and one of scores a TSV with columns query, entry and score, higher is nearer. *r starts from {0}; end with rivals_free().
 * 0, or -1: ERR_USAGE no NAME=FILE; ERR_IO; ERR_FORMAT a column that is missing, an id or pair twice, a number that is none (with the line); ERR_NOMEM. */
int rivals_read(rivals_t *r, const char *embeddings, const char *scores, err_t *err);
void rivals_free(rivals_t *r); /* leaves {0} */

/* Scores (n) of entries id (n): the cosine, or the score; -INFINITY where the file has none. How many it has. */
size_t rival_score(const rival_t *r, const char *query, char *const *id, size_t n, float *score);

#endif
