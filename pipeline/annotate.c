/* annotate: terms from the nearest entries and from the shared space (see annotate.h). */
#include "pipeline/annotate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void annotation_free(annotation_t *a)
{
    mem_free(a->hit);
    mem_free(a->term);
    *a = (annotation_t){0};
}

/* Numbers of every term. */
typedef struct {
    float *base;       /* share of the annotated entries that have it */
    float *vote;       /* and of the hits, by weight */
    float *text;       /* NULL without embeddings */
    float *confidence;
    unsigned char *told;
} marks_t;

static int marks_new(const terms_t *t, marks_t *m, err_t *err)
{
    m->base = mem_zero(t->n, sizeof *m->base, err);
    m->vote = mem_zero(t->n, sizeof *m->vote, err);
    m->confidence = mem_zero(t->n, sizeof *m->confidence, err);
    m->told = mem_zero(t->n, 1, err);
    if (t->z) m->text = mem_zero(t->n, sizeof *m->text, err);
    return m->base && m->vote && m->confidence && m->told && (m->text || !t->z) ? 0 : -1;
}

static void marks_free(marks_t *m)
{
    mem_free(m->base);
    mem_free(m->vote);
    mem_free(m->text);
    mem_free(m->confidence);
    mem_free(m->told);
}

static bool annotated(const terms_t *t, size_t entry) { return t->of.at[entry + 1] > t->of.at[entry]; }

static void base_rates(const terms_t *t, const unsigned char *skip, float *base)
{
    size_t n = 0;
    for (size_t i = 0; i < t->entries; i++) {
        if (skip && skip[i]) continue;
        n += annotated(t, i);
        for (size_t k = t->of.at[i]; k < t->of.at[i + 1]; k++) base[t->of.item[k]] += 1;
    }
    for (size_t i = 0; n && i < t->n; i++) base[i] /= (float)n;
}

/* Votes of the hits; false where none of them is annotated. */
static bool votes(const terms_t *t, const hit_t *h, size_t n, double width, float *vote)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        if (!annotated(t, h[i].entry)) continue;
        double w = exp(((double)h[i].score - (double)h[0].score) / width);
        sum += w;
        for (size_t k = t->of.at[h[i].entry]; k < t->of.at[h[i].entry + 1]; k++) vote[t->of.item[k]] += (float)w;
    }
    for (size_t i = 0; sum > 0 && i < t->n; i++) vote[i] = fminf((float)((double)vote[i] / sum), 1);
    return sum > 0;
}

/* Cosine of every term with z, in standard deviations about the mean of its namespace. */
static void cosines(const terms_t *t, const float *z, float *text)
{
    double n[TERM_SPACES] = {0}, sum[TERM_SPACES] = {0}, sq[TERM_SPACES] = {0};
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < t->n; i++) {
        float c[8] = {0};
        for (size_t k = 0; k < t->d; k++) c[k % 8] += z[k] * t->z[i * t->d + k];
        text[i] = ((c[0] + c[1]) + (c[2] + c[3])) + ((c[4] + c[5]) + (c[6] + c[7]));
    }
    for (size_t i = 0; i < t->n; i++) {
        n[t->space[i]] += 1;
        sum[t->space[i]] += (double)text[i];
        sq[t->space[i]] += (double)text[i] * (double)text[i];
    }
    for (size_t i = 0; i < t->n; i++) {
        int s = t->space[i];
        double mean = sum[s] / n[s], var = sq[s] / n[s] - mean * mean;
        text[i] = var > 1e-12 ? (float)(((double)text[i] - mean) / sqrt(var)) : 0;
    }
}

static double logit(double p)
{
    p = fmin(fmax(p, 1e-6), 1 - 1e-6);
    return log(p / (1 - p));
}

static void confidences(const terms_t *t, const marks_t *m, double trust, double weight)
{
    for (size_t i = 0; i < t->n; i++) {
        double p = trust * (double)m->vote[i] + (1 - trust) * (double)m->base[i];
        double x = logit(p) + (m->text ? weight * (double)m->text[i] : 0);
        m->confidence[i] = (float)(1 / (1 + exp(-x)));
    }
    for (size_t i = t->n; i-- > 0;) /* children come after their parents */
        for (size_t k = t->parents.at[i]; k < t->parents.at[i + 1]; k++) {
            float *up = &m->confidence[t->parents.item[k]];
            *up = fmaxf(*up, m->confidence[i]);
        }
}

/* Mark what is confident enough, without the ancestors of what is. */
static void tell(const terms_t *t, const annotate_opts_t *o, const marks_t *m)
{
    for (size_t i = 0; i < t->n; i++)
        m->told[i] = (double)m->confidence[i] >= o->min_confidence && (o->spaces & 1u << t->space[i]);
    if (o->ancestors) return;
    for (size_t i = t->n; i-- > 0;) { /* 1: told; 2: an ancestor of such */
        if (!m->told[i]) continue;
        for (size_t k = t->parents.at[i]; k < t->parents.at[i + 1]; k++) {
            unsigned char *up = &m->told[t->parents.item[k]];
            if (*up) *up = 2;
        }
    }
}

typedef struct {
    termhit_t hit;
    int space;
    float base;
} ranked_t;

static int by_confidence(const void *a, const void *b)
{
    const ranked_t *x = a, *y = b;
    if (x->space != y->space) return x->space < y->space ? -1 : 1;
    if (x->hit.confidence != y->hit.confidence) return x->hit.confidence < y->hit.confidence ? 1 : -1;
    if (x->base != y->base) return x->base < y->base ? -1 : 1;
    return (x->hit.term < y->hit.term) - (x->hit.term > y->hit.term); /* the more special one first */
}

static bool has_term(const terms_t *t, size_t entry, size_t term)
{
    size_t lo = t->of.at[entry], hi = t->of.at[entry + 1];
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (t->of.item[mid] == term) return true;
        if (t->of.item[mid] < term) lo = mid + 1;
        else hi = mid;
    }
    return false;
}

static void support(const terms_t *t, const annotation_t *a, termhit_t *h)
{
    for (size_t i = 0; i < a->n; i++) {
        if (!has_term(t, a->hit[i].entry, h->term)) continue;
        if (h->hits < ANNOTATE_SUPPORT) h->support[h->hits] = i;
        h->hits++;
    }
}

/* The terms that are told, best first, at most o->terms of a namespace, into a->term. */
static int collect(const terms_t *t, const annotate_opts_t *o, const marks_t *m, annotation_t *a, err_t *err)
{
    size_t n = 0, of_space[TERM_SPACES] = {0};
    for (size_t i = 0; i < t->n; i++) n += m->told[i] == 1;
    ranked_t *r = mem_new(n, sizeof *r, err);
    a->term = mem_zero(n, sizeof *a->term, err);
    if (!r || !a->term) {
        mem_free(r);
        return -1;
    }
    n = 0;
    for (size_t i = 0; i < t->n; i++)
        if (m->told[i] == 1)
            r[n++] = (ranked_t){.hit = {.term = i, .confidence = m->confidence[i], .vote = m->vote[i], .text = m->text ? m->text[i] : NAN},
                                .space = t->space[i],
                                .base = m->base[i]};
    qsort(r, n, sizeof *r, by_confidence);
    for (size_t i = 0; i < n; i++) {
        if (of_space[r[i].space]++ >= o->terms) continue;
        a->term[a->terms] = r[i].hit;
        support(t, a, &a->term[a->terms++]);
    }
    mem_free(r);
    return 0;
}

static int annotate_terms(const terms_t *t, const float *z, const annotate_opts_t *o, const scoring_t *s, annotation_t *a, err_t *err)
{
    marks_t m = {0};
    int rc = marks_new(t, &m, err);
    if (!rc) {
        double trust = 0;
        for (size_t i = 0; i < a->n; i++) trust = fmax(trust, (double)a->hit[i].confidence);
        base_rates(t, o->skip, m.base);
        if (!votes(t, a->hit, a->n, s->vote, m.vote)) trust = 0;
        if (m.text) cosines(t, z, m.text);
        confidences(t, &m, trust, s->text);
        tell(t, o, &m);
        rc = collect(t, o, &m, a, err);
    }
    marks_free(&m);
    return rc;
}

int annotate_run(const index_t *x, const record_t *query, const float *z, const annotate_opts_t *o, annotation_t *a, err_t *err)
{
    const scoring_t *s = o->scoring ? o->scoring : &scoring_default;
    const search_opts_t search = {.kind = SEARCH_BOTH, .top = o->hits, .skip = o->skip, .scoring = s};
    *a = (annotation_t){0};
    a->hit = mem_new(o->hits < x->n ? o->hits : x->n, sizeof *a->hit, err);
    int rc = a->hit && !search_run(x, query, z, &search, a->hit, &a->n, err) ? 0 : -1;
    if (!rc && x->terms.n) rc = annotate_terms(&x->terms, z + (a->n ? a->hit[0].pose : 0) * x->d, o, s, a, err);
    if (rc) annotation_free(a);
    return rc;
}
