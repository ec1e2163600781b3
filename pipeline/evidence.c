/* evidence: fitted probabilities of terms (see evidence.h). */
#include "pipeline/evidence.h"

#include <math.h>

const char *const evidence_name[EVIDENCE_FEATURES] = {"bias", "vote", "broad", "text", "base"};
const char *const known_name[KNOWN_FEATURES] = {"bias", "confidence", "cosine", "cube", "lead", "spread", "size"};

evidence_t evidence_default(double text)
{
    evidence_t e = {0};
    for (int s = 0; s < TERM_KINDS; s++) {
        e.weight[s][EVIDENCE_VOTE] = 1;
        e.weight[s][EVIDENCE_TEXT] = text;
    }
    return e;
}

int evidence_check(const evidence_t *e, err_t *err)
{
    bool good = e->cut >= 0 && e->cut <= 1;
    for (int s = 0; s < TERM_KINDS; s++)
        for (int k = 0; k < EVIDENCE_FEATURES; k++) good = good && isfinite(e->weight[s][k]);
    for (int k = 0; k < KNOWN_FEATURES; k++) good = good && isfinite(e->known[k]);
    return good ? 0 : err_set(err, ERR_FORMAT, "evidence: a weight that is not finite, or a cut outside 0 to 1");
}

double evidence_logit(double p)
{
    p = fmin(fmax(p, 1e-6), 1 - 1e-6);
    return log(p / (1 - p));
}

double evidence_logistic(double x) { return 1 / (1 + exp(-x)); }

double evidence_term(const evidence_t *e, int space, const float feature[EVIDENCE_FEATURES])
{
    double x = 0;
    for (int k = 0; k < EVIDENCE_FEATURES; k++) x += e->weight[space][k] * (double)feature[k];
    return evidence_logistic(x);
}

double evidence_known(const evidence_t *e, const double feature[KNOWN_FEATURES])
{
    double x = 0;
    for (int k = 0; k < KNOWN_FEATURES; k++) x += e->known[k] * feature[k];
    return evidence_logistic(x);
}
