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
    mem_free(a->molecule);
    *a = (annotation_t){0};
}

/* Numbers of every term. */
typedef struct {
    float *base;       /* share of the annotated entries that have it */
    float *vote;       /* and of the hits, by weight */
    float *broad;      /* and of the nearest, more evenly */
    float *text;       /* NULL without embeddings */
    float *confidence;
    float *below;      /* highest confidence of a descendant that is told */
    unsigned char *told;
    double trust;      /* in the votes */
} marks_t;

static int marks_new(const terms_t *t, marks_t *m, err_t *err)
{
    m->base = mem_zero(t->n, sizeof *m->base, err);
    m->vote = mem_zero(t->n, sizeof *m->vote, err);
    m->broad = mem_zero(t->n, sizeof *m->broad, err);
    m->confidence = mem_zero(t->n, sizeof *m->confidence, err);
    m->below = mem_zero(t->n, sizeof *m->below, err);
    m->told = mem_zero(t->n, 1, err);
    if (t->z) m->text = mem_zero(t->n, sizeof *m->text, err);
    return m->base && m->vote && m->broad && m->confidence && m->below && m->told && (m->text || !t->z) ? 0 : -1;
}

static void marks_free(marks_t *m)
{
    void *const own[] = {m->base, m->vote, m->broad, m->text, m->confidence, m->below, m->told};
    for (size_t k = 0; k < sizeof own / sizeof *own; k++) mem_free(own[k]);
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

/* The nearest annotated hits, each by 1 / rank, and one more of a protein like any other. */
static void broad_votes(const terms_t *t, const hit_t *h, size_t n, const float *base, float *broad)
{
    double sum = 1;
    memcpy(broad, base, t->n * sizeof *broad);
    for (size_t i = 0, rank = 0; i < n && rank < EVIDENCE_NEAREST; i++) {
        if (!annotated(t, h[i].entry)) continue;
        double w = 1 / (double)++rank;
        sum += w;
        for (size_t k = t->of.at[h[i].entry]; k < t->of.at[h[i].entry + 1]; k++) broad[t->of.item[k]] += (float)w;
    }
    for (size_t i = 0; i < t->n; i++) broad[i] = (float)((double)broad[i] / sum);
}

typedef float four_t __attribute__((vector_size(16), aligned(4), may_alias));

/* a . b, by 8 lanes, in one order on every machine. */
static float dot(const float *a, const float *b, size_t d)
{
    four_t c[2] = {{0}};
    size_t k = 0;
    for (; k + 8 <= d; k += 8)
        for (size_t j = 0; j < 2; j++) c[j] += *(const four_t *)(a + k + 4 * j) * *(const four_t *)(b + k + 4 * j);
    for (; k < d; k++) c[k % 8 / 4][k % 4] += a[k] * b[k];
    return ((c[0][0] + c[0][1]) + (c[0][2] + c[0][3])) + ((c[1][0] + c[1][1]) + (c[1][2] + c[1][3]));
}

/* Cosine of every term with z, in standard deviations about the mean of its namespace. */
static void cosines(const terms_t *t, const float *z, float *text)
{
    double n[TERM_KINDS] = {0}, sum[TERM_KINDS] = {0}, sq[TERM_KINDS] = {0};
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < t->n; i++) text[i] = dot(z, t->z + i * t->d, t->d);
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

static void features_of(const marks_t *m, size_t i, float f[EVIDENCE_FEATURES])
{
    f[EVIDENCE_BIAS] = 1;
    f[EVIDENCE_VOTE] = (float)evidence_logit(m->trust * (double)m->vote[i] + (1 - m->trust) * (double)m->base[i]);
    f[EVIDENCE_BROAD] = (float)evidence_logit((double)m->broad[i]);
    f[EVIDENCE_TEXT] = m->text ? m->text[i] : 0;
    f[EVIDENCE_BASE] = (float)evidence_logit((double)m->base[i]);
}

static void confidences(const terms_t *t, const evidence_t *e, const marks_t *m)
{
    for (size_t i = 0; i < t->n; i++) {
        float f[EVIDENCE_FEATURES];
        features_of(m, i, f);
        m->confidence[i] = (float)evidence_term(e, t->space[i], f);
    }
    for (size_t i = t->n; i-- > 0;) /* children come after their parents */
        for (size_t k = t->parents.at[i]; k < t->parents.at[i + 1]; k++) {
            float *up = &m->confidence[t->parents.item[k]];
            *up = fmaxf(*up, m->confidence[i]);
        }
}

/* Mark what is confident enough, without those ancestors of what is told that are hardly surer. */
static void tell(const terms_t *t, const annotate_opts_t *o, const marks_t *m)
{
    for (size_t i = t->n; i-- > 0;) { /* children come after their parents */
        const double sure = (double)m->confidence[i];
        m->told[i] = sure >= o->min_confidence && (o->spaces & 1u << t->space[i]) && (o->ancestors || (double)m->below[i] < ANNOTATE_SURER * sure);
        const float best = m->told[i] ? fmaxf(m->below[i], m->confidence[i]) : m->below[i];
        for (size_t k = t->parents.at[i]; k < t->parents.at[i + 1]; k++) {
            float *up = &m->below[t->parents.item[k]];
            *up = fmaxf(*up, best);
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

/* The terms that are told, best first, at most o->terms of a namespace. */
static int collect(const terms_t *t, const annotate_opts_t *o, const marks_t *m, const annotation_t *a, termhit_t **told, size_t *count, err_t *err)
{
    size_t n = 0, of_space[TERM_KINDS] = {0};
    for (size_t i = 0; i < t->n; i++) n += m->told[i];
    ranked_t *r = mem_new(n, sizeof *r, err);
    *told = mem_zero(n, sizeof **told, err);
    if (!r || !*told) {
        mem_free(r);
        return -1;
    }
    n = 0;
    for (size_t i = 0; i < t->n; i++)
        if (m->told[i])
            r[n++] = (ranked_t){.hit = {.term = i, .confidence = m->confidence[i], .vote = m->vote[i], .text = m->text ? m->text[i] : NAN},
                                .space = t->space[i],
                                .base = m->base[i]};
    qsort(r, n, sizeof *r, by_confidence);
    for (size_t i = 0; i < n; i++) {
        if (of_space[r[i].space]++ >= o->terms) continue;
        (*told)[*count] = r[i].hit;
        support(t, a, &(*told)[(*count)++]);
    }
    mem_free(r);
    return 0;
}

/* All but confidence and told. */
static int look(const terms_t *t, const float *z, const annotate_opts_t *o, const scoring_t *s, const annotation_t *a, marks_t *m, err_t *err)
{
    if (marks_new(t, m, err)) return -1;
    for (size_t i = 0; i < a->n; i++) m->trust = fmax(m->trust, (double)a->hit[i].confidence);
    base_rates(t, o->skip, m->base);
    if (!votes(t, a->hit, a->n, s->vote, m->vote)) m->trust = 0;
    broad_votes(t, a->hit, a->n, m->base, m->broad);
    if (m->text) cosines(t, z, m->text);
    return 0;
}

static int annotate_terms(const terms_t *t, const float *z, const annotate_opts_t *o, const scoring_t *s, const evidence_t *e, const annotation_t *a,
                          termhit_t **told, size_t *count, err_t *err)
{
    marks_t m = {0};
    int rc = look(t, z, o, s, a, &m, err);
    if (!rc) {
        confidences(t, e, &m);
        tell(t, o, &m);
        rc = collect(t, o, &m, a, told, count, err);
    }
    marks_free(&m);
    return rc;
}

int annotate_features(const terms_t *t, const float *z, const annotate_opts_t *o, const scoring_t *s, const annotation_t *a, float *feature, err_t *err)
{
    marks_t m = {0};
    int rc = look(t, z + (a->n ? a->hit[0].pose : 0) * t->d, o, s, a, &m, err);
    for (size_t i = 0; !rc && i < t->n; i++) features_of(&m, i, feature + i * EVIDENCE_FEATURES);
    marks_free(&m);
    return rc;
}

void annotate_known(const annotation_t *a, const record_t *query, double feature[KNOWN_FEATURES])
{
    const size_t tenth = a->n < 10 ? a->n : 10;
    double most = 0;
    for (size_t i = 0; i < a->n; i++) most = fmax(most, (double)a->hit[i].confidence);
    feature[KNOWN_BIAS] = 1;
    feature[KNOWN_CONFIDENCE] = evidence_logit(most);
    feature[KNOWN_COSINE] = a->n ? (double)a->hit[0].cosine : 0;
    feature[KNOWN_CUBE] = a->n ? (double)a->hit[0].cube : 0;
    feature[KNOWN_LEAD] = a->n ? (double)a->hit[0].score - (double)a->hit[tenth - 1].score : 0;
    feature[KNOWN_SPREAD] = a->n ? (double)a->hit[0].score - (double)a->hit[a->n - 1].score : 0;
    feature[KNOWN_SIZE] = query->rg > 0 ? log((double)query->rg / 10) : 0;
}

int annotate_hits(const index_t *x, const record_t *query, const float *z, const annotate_opts_t *o, annotation_t *a, err_t *err)
{
    const scoring_t *s = o->scoring ? o->scoring : &scoring_default;
    const evidence_t *e = o->evidence ? o->evidence : &x->evidence;
    const search_opts_t search = {.kind = SEARCH_BOTH, .top = o->hits, .skip = o->skip, .scoring = s};
    *a = (annotation_t){.known = (double)NAN};
    a->hit = mem_new(o->hits < x->n ? o->hits : x->n, sizeof *a->hit, err);
    if (!a->hit || search_run(x, query, z, &search, a->hit, &a->n, err)) {
        annotation_free(a);
        return -1;
    }
    if (!e->fitted) return 0;
    double f[KNOWN_FEATURES];
    annotate_known(a, query, f);
    a->known = evidence_known(e, f);
    a->novel = a->known < e->cut;
    return 0;
}

int annotate_run(const index_t *x, const record_t *query, const float *z, const annotate_opts_t *o, annotation_t *a, err_t *err)
{
    const scoring_t *s = o->scoring ? o->scoring : &scoring_default;
    const evidence_t plain = evidence_default(s->text), *e = o->evidence ? o->evidence : x->evidence.fitted ? &x->evidence : &plain;
    if (annotate_hits(x, query, z, o, a, err)) return -1;
    if (a->novel && !o->force) return 0;
    const float *own = z + (a->n ? a->hit[0].pose : 0) * x->d;
    int rc = x->terms.n ? annotate_terms(&x->terms, own, o, s, e, a, &a->term, &a->terms, err) : 0;
    if (!rc && o->molecules && o->molecules->n && o->spaces & 1u << TERM_MOLECULE)
        rc = annotate_terms(o->molecules, own, o, s, e, a, &a->molecule, &a->molecules, err);
    if (rc) annotation_free(a);
    return rc;
}
