/* calibrate: logistic regression of what is so on what is known (see calibrate.h). */
#include "pipeline/calibrate.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_multimin.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "pipeline/annotate.h"

enum { WIDTH = KNOWN_FEATURES, HITS = 50, SPARSE = 16 };
_Static_assert((int)EVIDENCE_FEATURES <= (int)KNOWN_FEATURES, "pairs have room for both");

typedef struct {
    float x[WIDTH], weight, y;
} pair_t;

typedef struct {
    pair_t *pair;
    size_t n, cap, width;
} pairs_t;

bool calibrate_says(const terms_t *t, size_t entry, int space)
{
    for (size_t k = t->of.at[entry]; k < t->of.at[entry + 1]; k++)
        if (space == TERM_EC || t->space[t->of.item[k]] == space) return true;
    return false;
}

/* ---- the fit ---- */

static const double RIDGE = 1e-5; /* weights that the pairs do not tell stay small */

/* -log of the probability of y, from x = log-odds of 1. */
static double loss(double x, double y) { return y > 0.5 ? log1p(exp(-x)) : x + log1p(exp(-x)); }

static double total(const gsl_vector *w, void *ctx, gsl_vector *slope)
{
    const pairs_t *p = ctx;
    double sum = 0, weight = 0, d[WIDTH] = {0}, a[WIDTH];
    for (size_t k = 0; k < p->width; k++) a[k] = gsl_vector_get(w, k);
    for (size_t i = 0; i < p->n; i++) {
        const pair_t *q = &p->pair[i];
        double x = 0;
        for (size_t k = 0; k < p->width; k++) x += a[k] * (double)q->x[k];
        x = fmax(fmin(x, 500), -500);
        sum += (double)q->weight * loss(x, (double)q->y);
        weight += (double)q->weight;
        const double off = (double)q->weight * (evidence_logistic(x) - (double)q->y);
        for (size_t k = 0; k < p->width; k++) d[k] += off * (double)q->x[k];
    }
    for (size_t k = 0; k < p->width; k++) {
        if (slope) gsl_vector_set(slope, k, d[k] / weight + 2 * RIDGE * a[k]);
        sum += weight * RIDGE * a[k] * a[k];
    }
    return sum / weight;
}

static double only_total(const gsl_vector *w, void *ctx) { return total(w, ctx, NULL); }
static void only_slope(const gsl_vector *w, void *ctx, gsl_vector *slope) { total(w, ctx, slope); }
static void both(const gsl_vector *w, void *ctx, double *f, gsl_vector *slope) { *f = total(w, ctx, slope); }

/* From `weight`, which it improves. */
static int fit(pairs_t *p, double *weight, calibfit_t *c, err_t *err)
{
    gsl_multimin_function_fdf f = {only_total, only_slope, both, p->width, p};
    gsl_error_handler_t *old = gsl_set_error_handler_off();
    gsl_multimin_fdfminimizer *m = gsl_multimin_fdfminimizer_alloc(gsl_multimin_fdfminimizer_vector_bfgs2, p->width);
    gsl_vector *w = gsl_vector_alloc(p->width);
    int rc = m && w ? 0 : err_set(err, ERR_NOMEM, "no memory for a fit");
    for (size_t k = 0; !rc && k < p->width; k++) gsl_vector_set(w, k, weight[k]);
    if (!rc) {
        c->before = only_total(w, p);
        int status = gsl_multimin_fdfminimizer_set(m, &f, w, 0.1, 0.1);
        for (int i = 0; i < 500 && !status; i++) {
            status = gsl_multimin_fdfminimizer_iterate(m);
            if (!status && gsl_multimin_test_gradient(m->gradient, 1e-7) == GSL_SUCCESS) break;
        }
        for (size_t k = 0; k < p->width; k++) weight[k] = gsl_vector_get(m->x, k); /* GSL_ENOPROG: it is as good as it gets */
        c->after = only_total(m->x, p);
        if (status && status != GSL_ENOPROG) rc = err_set(err, ERR_INTERNAL, "calibrate: %s", gsl_strerror(status));
        for (size_t k = 0; !rc && k < p->width; k++)
            if (!isfinite(weight[k])) rc = err_set(err, ERR_INTERNAL, "calibrate: a fit that does not end");
    }
    if (m) gsl_multimin_fdfminimizer_free(m);
    if (w) gsl_vector_free(w);
    gsl_set_error_handler(old);
    return rc;
}

/* ---- pairs of view and term ---- */

typedef struct {
    benchmaps_t *m;
    const benchwork_t *w;
    terms_t molecules;
    pairs_t kind[TERM_KINDS], known;
    unsigned char *skip; /* (gallery) */
    float *feature;      /* (terms or molecules, EVIDENCE_FEATURES) */
    uint8_t *truth;
    size_t views;
} work_t;

static int add(pairs_t *p, const float *x, size_t width, float weight, bool y, err_t *err)
{
    if (mem_grow(&p->pair, &p->cap, p->n + 1, sizeof *p->pair, err)) return -1;
    pair_t *q = &p->pair[p->n++];
    *q = (pair_t){.weight = weight, .y = y};
    memcpy(q->x, x, width * sizeof *x);
    p->width = width;
    return 0;
}

/* All that the entry has or a hit has; of the rest, of which there are many that are much alike, one in SPARSE that counts so often. */
static int add_terms(work_t *o, const terms_t *t, size_t own, const float *z, const annotate_opts_t *how, const annotation_t *a, err_t *err)
{
    bool says[TERM_KINDS];
    if (annotate_features(t, z, how, &o->w->search.scoring, a, o->feature, err)) return -1;
    for (int s = 0; s < TERM_KINDS; s++) says[s] = calibrate_says(t, own, s);
    memset(o->truth, 0, t->n);
    for (size_t k = t->of.at[own]; k < t->of.at[own + 1]; k++) o->truth[t->of.item[k]] = 1;
    for (size_t i = 0; i < t->n; i++) {
        const float *x = o->feature + i * EVIDENCE_FEATURES;
        if (!says[t->space[i]]) continue;
        bool plain = !o->truth[i] && x[EVIDENCE_BROAD] <= x[EVIDENCE_BASE] && x[EVIDENCE_VOTE] <= x[EVIDENCE_BASE];
        if (plain && (i + o->views * 7) % SPARSE) continue;
        if (add(&o->kind[t->space[i]], x, EVIDENCE_FEATURES, plain ? SPARSE : 1, o->truth[i], err)) return -1;
    }
    return 0;
}

/* By the gallery without o->skip. */
static int annotate_by(work_t *o, size_t own, const unsigned char *relative, const record_t *r, const float *z, err_t *err)
{
    const index_t *x = o->w->search.x;
    const annotate_opts_t how = {.hits = HITS, .scoring = &o->w->search.scoring, .skip = o->skip};
    annotation_t a;
    double k[KNOWN_FEATURES];
    float f[KNOWN_FEATURES];
    if (annotate_hits(x, r, z, &how, &a, err)) return -1;
    annotate_known(&a, r, k);
    for (int i = 0; i < KNOWN_FEATURES; i++) f[i] = (float)k[i];
    int rc = add_terms(o, &x->terms, own, z, &how, &a, err) || (o->molecules.n && add_terms(o, &o->molecules, own, z, &how, &a, err)) ? -1 : 0;
    bool found = false;
    for (size_t i = 0; i < a.n && i < KNOWN_NEAREST; i++) found = found || relative[a.hit[i].entry];
    annotation_free(&a);
    return rc ? rc : add(&o->known, f, KNOWN_FEATURES, 1, found, err);
}

static int take(void *ctx, size_t i, const benchquery_t *q, const record_t *r, const float *z, const float *zu, err_t *err)
{
    work_t *o = ctx;
    const index_t *x = o->w->search.x;
    long own = benchmaps_own(o->m, i);
    (void)q, (void)zu;
    if (own < 0) return 0;
    unsigned char *relative = mem_zero(x->n, 1, err);
    int rc = relative ? benchmaps_relatives(o->m, o->w, i, relative, err) : -1;
    for (int g = 0; !rc && g < CALIBRATE_GALLERIES; g++) {
        for (size_t e = 0; e < x->n; e++) o->skip[e] = g == GALLERY_STRANGERS ? relative[e] : g == GALLERY_OTHERS && e == (size_t)own;
        rc = annotate_by(o, (size_t)own, relative, r, z, err);
    }
    mem_free(relative);
    if (!rc) o->views++;
    return rc;
}

/* ---- the cut ---- */

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The highest that keeps CALIBRATE_KEEP of what has found relatives; no higher than one half. */
static int set_cut(const pairs_t *p, evidence_t *e, calibrated_t *c, err_t *err)
{
    double *x = mem_new(p->n, sizeof *x, err);
    size_t n = 0, lost = 0, refused = 0;
    if (!x) return -1;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < p->n; i++) {
            double f[KNOWN_FEATURES];
            for (int k = 0; k < KNOWN_FEATURES; k++) f[k] = (double)p->pair[i].x[k];
            double known = evidence_known(e, f);
            bool has = p->pair[i].y > 0.5f;
            if (!pass && has) x[n++] = known;
            if (pass) lost += has && known < e->cut, refused += !has && known < e->cut;
            if (pass || i + 1 < p->n || !n) continue;
            qsort(x, n, sizeof *x, ascending);
            e->cut = fmin(floor(1000 * x[(size_t)((1 - CALIBRATE_KEEP) * (double)n)]) / 1000, 0.5);
        }
    c->kept = n ? 1 - (double)lost / (double)n : (double)NAN;
    c->refused = p->n > n ? (double)refused / (double)(p->n - n) : (double)NAN;
    mem_free(x);
    return 0;
}

static void count(const pairs_t *p, calibfit_t *c)
{
    for (size_t i = 0; i < p->n; i++) {
        c->pairs += (double)p->pair[i].weight;
        c->terms += (double)p->pair[i].y;
    }
}

static int fit_all(work_t *o, evidence_t *e, calibrated_t *c, err_t *err)
{
    *e = evidence_default(o->w->search.scoring.text);
    for (int s = 0; s < TERM_KINDS; s++) {
        count(&o->kind[s], &c->kind[s]);
        if (c->kind[s].terms > 0 && fit(&o->kind[s], e->weight[s], &c->kind[s], err)) return -1;
    }
    count(&o->known, &c->known);
    if (!(c->known.terms > 0)) return err_set(err, ERR_RANGE, "calibrate: no view whose entry is in the index");
    e->fitted = true;
    return fit(&o->known, e->known, &c->known, err) || set_cut(&o->known, e, c, err) ? -1 : 0;
}

int calibrate_run(const benchwork_t *w, evidence_t *e, calibrated_t *c, err_t *err)
{
    const index_t *x = w->search.x;
    *c = (calibrated_t){0};
    if (!x->terms.n) return err_set(err, ERR_UNSUP, "calibrate: the index has no terms (index build --annot)");
    if (!w->search.encoder) return err_set(err, ERR_UNSUP, "calibrate: the index has no model");
    work_t *o = mem_zero(1, sizeof *o, err);
    if (!o) return -1;
    o->w = w;
    int rc = (o->m = benchmaps_views(w, err)) && (!x->text[INDEX_MOLECULES] || !terms_of_molecules(x->text[INDEX_MOLECULES], x->n, &o->molecules, err)) ? 0 : -1;
    size_t most = x->terms.n > o->molecules.n ? x->terms.n : o->molecules.n;
    if (!rc) {
        o->skip = mem_zero(x->n, 1, err);
        o->truth = mem_zero(most > x->n ? most : x->n, 1, err);
        o->feature = mem_new(most, EVIDENCE_FEATURES * sizeof *o->feature, err);
        rc = o->skip && o->truth && o->feature ? benchmaps_run(o->m, w, take, o, &c->failed, err) : -1;
    }
    c->views = o->views;
    if (!rc) rc = fit_all(o, e, c, err);
    for (int s = 0; s < TERM_KINDS; s++) mem_free(o->kind[s].pair);
    void *const own[] = {o->known.pair, o->skip, o->truth, o->feature};
    for (size_t k = 0; k < sizeof own / sizeof *own; k++) mem_free(own[k]);
    terms_free(&o->molecules);
    benchmaps_free(o->m);
    mem_free(o);
    return rc;
}
