/* evidence: how sure annotation is of a term, and of its having seen the like: weights fitted on views of entries that the network was not trained on (calibrate.h). */
#ifndef CRYOLEX_PIPELINE_EVIDENCE_H
#define CRYOLEX_PIPELINE_EVIDENCE_H

#include <stdbool.h>

#include "base/err.h"
#include "pipeline/terms.h"

/* What is known of a term before it is weighed. b is the share of annotated entries that have it. */
enum {
    EVIDENCE_BIAS,  /* 1 */
    EVIDENCE_VOTE,  /* logit of C v + (1 - C) b: v the share of the weight of hits, C the highest confidence of a hit */
    EVIDENCE_BROAD, /* logit of (sum of 1 / rank of the EVIDENCE_NEAREST best hits that have it + b) / (sum of 1 / rank + 1) */
    EVIDENCE_TEXT,  /* standard deviations of the cosine of its text above the mean of its namespace; 0 without */
    EVIDENCE_BASE,  /* logit of b */
    EVIDENCE_FEATURES
};
enum { EVIDENCE_NEAREST = 10 };
extern const char *const evidence_name[EVIDENCE_FEATURES]; /* "bias", "vote", "broad", "text", "base" */

/* What is known of the hits. */
enum {
    KNOWN_BIAS,       /* 1 */
    KNOWN_CONFIDENCE, /* logit of the highest confidence of a hit */
    KNOWN_COSINE,     /* of the first hit; its correlation of cubes */
    KNOWN_CUBE,
    KNOWN_LEAD,       /* score of the first hit less that of the tenth */
    KNOWN_SPREAD,     /* and less that of the last, of 50 */
    KNOWN_SIZE,       /* ln of the query's Rg in nm */
    KNOWN_FEATURES
};
extern const char *const known_name[KNOWN_FEATURES];

/* The probability of a term is the logistic function of weight x features; then an ancestor has at least that of its descendants. The probability that one
 * of the KNOWN_NEAREST best hits is a relative of the query, of known x features; below `cut` the query is novel: unlike anything in the index, as far as can be told. */
enum { KNOWN_NEAREST = 10 };
typedef struct {
    bool fitted; /* false: weights of evidence_default(), and no query is novel */
    double weight[TERM_KINDS][EVIDENCE_FEATURES];
    double known[KNOWN_FEATURES], cut; /* cut 0..1 */
} evidence_t;

/* That of an index which was not calibrated: the logit of the vote, moved by `text` for each standard deviation. */
evidence_t evidence_default(double text);
/* 0, or -1 ERR_FORMAT: a weight that is not finite, a cut outside 0..1. */
int evidence_check(const evidence_t *e, err_t *err);

double evidence_logit(double p);   /* of p within 1e-6..1 - 1e-6 */
double evidence_logistic(double x);
double evidence_term(const evidence_t *e, int space, const float feature[EVIDENCE_FEATURES]);
double evidence_known(const evidence_t *e, const double feature[KNOWN_FEATURES]);

#endif
