/* scoring: weights of the score and of the confidence (see scoring.h). */
#include "pipeline/scoring.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Weights of the prototype (DESIGN 2), and round numbers: what is calibrated on views of the validation split travels with
 * an index. */
const scoring_t scoring_default = {.cosine = 14,
                                   .cube = 25,
                                   .size = 0.08,
                                   .learned = 20,
                                   .bias = -14,
                                   .margin = 0.5,
                                   .quality = 16,
                                   .vote = 2,
                                   .text = 0.5};

typedef enum { ANY, NOT_BELOW_0, ABOVE_0 } range_t;

static const struct {
    size_t at;
    range_t range;
} field[SCORING_FIELDS] = {
    {offsetof(scoring_t, cosine), NOT_BELOW_0},  {offsetof(scoring_t, cube), NOT_BELOW_0}, {offsetof(scoring_t, size), ABOVE_0},
    {offsetof(scoring_t, learned), NOT_BELOW_0}, {offsetof(scoring_t, bias), ANY},         {offsetof(scoring_t, margin), ANY},
    {offsetof(scoring_t, quality), ANY},         {offsetof(scoring_t, vote), ABOVE_0},     {offsetof(scoring_t, text), NOT_BELOW_0}};

const char *const scoring_name[SCORING_FIELDS] = {"cosine", "cube", "size", "learned", "bias", "margin", "quality", "vote", "text"};

double *scoring_field(scoring_t *s, size_t k) { return (double *)(void *)((char *)s + field[k].at); }

int scoring_check(const scoring_t *s, err_t *err)
{
    static const char *const wanted[] = {"a number", "a number of 0 or more", "a number above 0"};
    scoring_t copy = *s;
    for (size_t k = 0; k < SCORING_FIELDS; k++) {
        double x = *scoring_field(&copy, k);
        range_t r = field[k].range;
        if (!isfinite(x) || (r == NOT_BELOW_0 && x < 0) || (r == ABOVE_0 && x <= 0))
            return err_set(err, ERR_USAGE, "scoring: %s=%g (%s is wanted)", scoring_name[k], x, wanted[r]);
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
            return err_set(err, ERR_USAGE,
                           "scoring: %s: NAME=NUMBER,... is wanted, of cosine, cube, size, learned, bias, margin, quality, vote, text",
                           text);
        p = *end ? end + 1 : end;
    }
    return scoring_check(s, err);
}

double scoring_confidence(const scoring_t *s, double cosine, double cube, double margin)
{
    double sum = s->cosine + s->cube, quality = sum > 0 ? (s->cosine * cosine + s->cube * cube) / sum : 0;
    return 1 / (1 + exp(-(s->bias + s->margin * margin + s->quality * quality)));
}
