/* scoring: weights of the score and of the confidence (see scoring.h). */
#include "pipeline/scoring.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The prototype's weights (DESIGN 2); the rest awaits calibration on the validation split. */
const scoring_t scoring_default = {
    .cosine = 14, .cube = 25, .size = 0.08, .bias = -16, .margin = 1, .quality = 20, .vote = 2, .text = 0.5};

const char *const scoring_name[SCORING_FIELDS] = {"cosine", "cube", "size", "bias", "margin", "quality", "vote", "text"};

double *scoring_field(scoring_t *s, size_t k)
{
    double *const field[SCORING_FIELDS] = {&s->cosine, &s->cube, &s->size, &s->bias, &s->margin, &s->quality, &s->vote, &s->text};
    return field[k];
}

int scoring_check(const scoring_t *s, err_t *err)
{
    scoring_t t = *s;
    for (size_t k = 0; k < SCORING_FIELDS; k++) {
        double x = *scoring_field(&t, k);
        bool width = scoring_field(&t, k) == &t.size || scoring_field(&t, k) == &t.vote;
        bool sign = scoring_field(&t, k) == &t.bias || scoring_field(&t, k) == &t.quality;
        if (!(isfinite(x) && (sign || (width ? x > 0 : x >= 0))))
            return err_set(err, ERR_USAGE, "scoring: %s=%g (%s is wanted)", scoring_name[k], x,
                           sign    ? "a number"
                           : width ? "a number above 0"
                                   : "a number of 0 or more");
    }
    return 0;
}

int scoring_set(scoring_t *s, const char *text, err_t *err)
{
    for (const char *p = text; *p;) {
        size_t n = strcspn(p, "="), k = 0;
        char *end = NULL;
        while (k < SCORING_FIELDS && (strlen(scoring_name[k]) != n || memcmp(p, scoring_name[k], n) != 0)) k++;
        if (k < SCORING_FIELDS && p[n] == '=') *scoring_field(s, k) = strtod(p + n + 1, &end);
        if (!end || end == p + n + 1 || (*end && *end != ','))
            return err_set(err, ERR_USAGE, "scoring: %s: NAME=NUMBER,... is wanted, of cosine, cube, size, bias, margin, quality, "
                                           "vote, text", text);
        p = *end ? end + 1 : end;
    }
    return scoring_check(s, err);
}
