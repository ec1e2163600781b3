/* measure: ranks, intervals, Fmax, Smin and AUPR (see measure.h). */
#include "pipeline/measure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

uint32_t *measure_ties(size_t n, uint64_t seed, err_t *err)
{
    rng_t r;
    uint32_t *p = mem_new(n, sizeof *p, err);
    rng_seed(&r, seed);
    for (size_t i = 0; p && i < n; i++) { /* Fisher and Yates, from the inside */
        size_t j = (size_t)(rng_unit(&r) * (double)(i + 1));
        p[i] = p[j];
        p[j] = (uint32_t)i;
    }
    return p;
}

static int by_score(const void *a, const void *b)
{
    const measure_key_t *x = a, *y = b;
    if (x->score != y->score) return x->score < y->score ? 1 : -1;
    return (x->tie > y->tie) - (x->tie < y->tie);
}

void measure_order(const float *score, const uint32_t *tie, size_t n, measure_key_t *key, uint32_t *order)
{
    for (size_t i = 0; i < n; i++) key[i] = (measure_key_t){isnan(score[i]) ? -INFINITY : score[i], tie[i], (uint32_t)i};
    qsort(key, n, sizeof *key, by_score);
    for (size_t i = 0; i < n; i++) order[i] = key[i].entry;
}

void measure_rank(const uint32_t *order, size_t n, const uint8_t *bits, unsigned bit, unsigned in, double *rank, double *ap)
{
    size_t at = 0, found = 0;
    double sum = 0;
    *rank = *ap = NAN;
    for (size_t i = 0; i < n; i++) {
        unsigned b = bits[order[i]];
        if (!(b & in)) continue;
        at++;
        if (!(b & bit)) continue;
        if (!found) *rank = (double)at;
        found++;
        sum += (double)found / (double)at;
    }
    if (found) *ap = sum / (double)found;
}

/* ---- intervals ---- */

int bootstrap_new(bootstrap_t *b, size_t groups, size_t times, uint64_t seed, err_t *err)
{
    rng_t r;
    *b = (bootstrap_t){.groups = groups, .times = times};
    if (!groups || groups > UINT16_MAX) return err_set(err, ERR_RANGE, "bootstrap: %zu groups (1 to %d)", groups, UINT16_MAX);
    if (!(b->count = mem_zero(times * groups, sizeof *b->count, err))) return -1;
    rng_seed(&r, seed);
    for (size_t t = 0; t < times; t++)
        for (size_t g = 0; g < groups; g++) b->count[t * groups + (size_t)(rng_unit(&r) * (double)groups)]++;
    return 0;
}

void bootstrap_free(bootstrap_t *b)
{
    mem_free(b->count);
    *b = (bootstrap_t){0};
}

static int ascending(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

void bootstrap_ends(double *x, size_t n, interval_t *out)
{
    size_t m = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(x[i])) x[m++] = x[i];
    out->low = out->high = NAN;
    if (!m) return;
    qsort(x, m, sizeof *x, ascending);
    size_t cut = (size_t)((double)m * (1 - MEASURE_LEVEL) / 2 + 1e-9);
    out->low = x[cut];
    out->high = x[m - 1 - cut];
}

int bootstrap_mean(const bootstrap_t *b, const uint32_t *group, const double *value, size_t n, interval_t *out, err_t *err)
{
    double *sum = mem_zero(2 * b->groups, sizeof *sum, err), *count = sum + b->groups, *x = mem_new(b->times, sizeof *x, err), all = 0, many = 0;
    *out = (interval_t){NAN, NAN, NAN};
    int rc = sum && x ? 0 : -1;
    for (size_t i = 0; !rc && i < n; i++) {
        if (isnan(value[i])) continue;
        sum[group[i]] += value[i];
        count[group[i]] += 1;
        all += value[i];
        many += 1;
    }
    if (!rc && many > 0) out->value = all / many;
#pragma omp parallel for schedule(static) if (!rc)
    for (size_t t = 0; t < (rc ? 0 : b->times); t++) {
        double s = 0, c = 0;
        for (size_t g = 0; g < b->groups; g++) {
            s += (double)b->count[t * b->groups + g] * sum[g];
            c += (double)b->count[t * b->groups + g] * count[g];
        }
        x[t] = c > 0 ? s / c : NAN;
    }
    if (!rc) bootstrap_ends(x, b->times, out);
    mem_free(sum);
    mem_free(x);
    return rc;
}

/* ---- predicted terms ---- */

int cafa_new(cafaset_t *s, size_t groups, err_t *err)
{
    *s = (cafaset_t){.groups = groups, .of = mem_zero(groups, sizeof *s->of, err)};
    return s->of ? 0 : -1;
}

void cafa_free(cafaset_t *s)
{
    mem_free(s->of);
    *s = (cafaset_t){0};
}

static size_t level_of(float score) { return (size_t)lround(fmin(fmax((double)score, 0), 1) * CAFA_LEVELS); }

/* Average precision of counts by level; levels that have no pair do nothing. */
static double precision_of(const double *right, const double *all)
{
    double r = 0, a = 0, sum = 0, total = 0;
    for (size_t k = 0; k <= CAFA_LEVELS; k++) total += right[k];
    for (size_t k = CAFA_LEVELS + 1; k-- > 0;) {
        r += right[k];
        a += all[k];
        if (right[k] > 0) sum += right[k] * r / a;
    }
    return total > 0 ? sum / total : NAN;
}

static double f_of(double p, double r) { return p + r > 0 ? 2 * p * r / (p + r) : 0; }

void cafa_add(cafaset_t *s, size_t group, const float *score, const uint8_t *truth, const double *information, size_t terms, double *ap,
              double *f)
{
    double right[CAFA_LEVELS + 1] = {0}, all[CAFA_LEVELS + 1] = {0}, known[CAFA_LEVELS + 1] = {0}, told[CAFA_LEVELS + 1] = {0};
    double wanted = 0, bits = 0, hit = 0, said = 0, hit_bits = 0, said_bits = 0, best = 0;
    cafa_t *c = &s->of[group];
    for (size_t j = 0; j < terms; j++) {
        size_t k = level_of(score[j]);
        all[k] += 1;
        told[k] += information[j];
        if (!truth[j]) continue;
        right[k] += 1;
        known[k] += information[j];
        wanted += 1;
        bits += information[j];
    }
    if (ap) *ap = NAN;
    if (f) *f = NAN;
    if (!(wanted > 0)) return;
    for (size_t k = CAFA_LEVELS + 1; k-- > 0;) {
        c->right[k] += right[k];
        c->all[k] += all[k];
        if (!k) break;
        hit += right[k];
        said += all[k];
        hit_bits += known[k];
        said_bits += told[k];
        if (k % (CAFA_LEVELS / CAFA_STEPS)) continue;
        size_t t = k / (CAFA_LEVELS / CAFA_STEPS) - 1;
        c->some[t] += said > 0;
        c->precision[t] += said > 0 ? hit / said : 0;
        c->recall[t] += hit / wanted;
        c->remaining[t] += bits - hit_bits;
        c->wrong[t] += said_bits - hit_bits;
        best = fmax(best, said > 0 ? f_of(hit / said, hit / wanted) : 0);
    }
    c->n += 1;
    if (ap) *ap = precision_of(right, all);
    if (f) *f = best;
}

/* Fmax, Smin and AUPR of sums. */
static void summary(const cafa_t *c, double *f, double *threshold, double *s, double *aupr)
{
    *f = *s = NAN;
    *aupr = precision_of(c->right, c->all);
    for (size_t t = 0; t < CAFA_STEPS && c->n > 0; t++) {
        double now = c->some[t] > 0 ? f_of(c->precision[t] / c->some[t], c->recall[t] / c->n) : 0;
        double far = sqrt(pow(c->remaining[t] / c->n, 2) + pow(c->wrong[t] / c->n, 2));
        if (!(now <= *f)) {
            *f = now;
            *threshold = (double)(t + 1) / CAFA_STEPS;
        }
        if (!(far >= *s)) *s = far;
    }
}

/* sum += weight x c; all of a cafa_t is double. */
static void add_weighted(cafa_t *sum, const cafa_t *c, double weight)
{
    double *to = &sum->n;
    const double *from = &c->n;
    for (size_t i = 0; i < sizeof *c / sizeof *from; i++) to[i] += weight * from[i];
}

int cafa_result(const cafaset_t *s, const bootstrap_t *b, cafaresult_t *out, err_t *err)
{
    size_t times = b ? b->times : 0;
    double unused;
    cafa_t *sum = mem_zero(1, sizeof *sum, err);
    double *x = mem_new(3 * times, sizeof *x, err);
    int rc = sum && x ? 0 : -1;
    *out = (cafaresult_t){.fmax = {NAN, NAN, NAN}, .smin = {NAN, NAN, NAN}, .aupr = {NAN, NAN, NAN}, .threshold = NAN};
    for (size_t g = 0; !rc && g < s->groups; g++) add_weighted(sum, &s->of[g], 1);
    if (!rc) {
        summary(sum, &out->fmax.value, &out->threshold, &out->smin.value, &out->aupr.value);
        out->queries = sum->n;
        for (size_t t = 0; t < CAFA_STEPS; t++) {
            out->precision[t] = sum->some[t] > 0 ? sum->precision[t] / sum->some[t] : NAN;
            out->recall[t] = sum->n > 0 ? sum->recall[t] / sum->n : NAN;
        }
    }
#pragma omp parallel for schedule(static) private(unused) if (!rc)
    for (size_t t = 0; t < (rc ? 0 : times); t++) {
        cafa_t one = {.n = 0};
        for (size_t g = 0; g < s->groups; g++)
            if (b->count[t * b->groups + g]) add_weighted(&one, &s->of[g], (double)b->count[t * b->groups + g]);
        summary(&one, &x[t], &unused, &x[times + t], &x[2 * times + t]);
    }
    if (!rc && times) {
        bootstrap_ends(x, times, &out->fmax);
        bootstrap_ends(x + times, times, &out->smin);
        bootstrap_ends(x + 2 * times, times, &out->aupr);
    }
    mem_free(sum);
    mem_free(x);
    return rc;
}
