/* bench_function: GO terms from hits without relatives (see bench_function.h). */
#include "pipeline/bench_function.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/tsv.h"
#include "pipeline/annotate.h"
#include "pipeline/bench_calib.h"
#include "pipeline/calibrate.h"

enum { STRANGENESS = 2 }; /* galleries: as it is, and without relatives of the query */
static const char *const galleries[STRANGENESS] = {"all", "no_relatives"};
enum { SPACES = TERM_COMPONENT + 1, NEAREST = 10, ANNOTATE_HITS = 50, FIRST_HITS = 5 };
static const double TOLD = 0.1; /* least confidence of a term whose probability is judged */

/* How a method tells terms. */
typedef struct {
    char *name;
    enum { BY_FREQUENCY, BY_HITS, BY_RIVAL, BY_ANNOTATE } by;
    size_t what, k; /* of bench_searches or of the rivals; hits that have a say */
} teller_t;

typedef struct {
    size_t gallery, space, method;
    uint32_t terms, query;
    double f, ap;
} line_t;

typedef struct {
    benchmaps_t *m;
    const benchwork_t *w;
    teller_t teller[BENCH_METHODS];
    size_t tellers;
    double *information;   /* (terms) */
    float *frequency;      /* (terms) in entries for training, or in all */
    uint32_t *of[SPACES];  /* terms of a namespace */
    size_t terms[SPACES];
    benchquery_t *query;   /* (benchmaps_count) */
    size_t n, unknown;
    line_t *line;
    size_t lines, cap;
    cafaset_t set[STRANGENESS][BENCH_METHODS][SPACES];
    uint32_t *group;       /* (benchmaps_count) */
    terms_t molecules;
    calib_t *calib;
    size_t asked[2][2], novel[2][2]; /* queries by gallery, and by whether it has a relative; and those that were called novel */
    /* scratch */
    unsigned char *skip;   /* (gallery) relatives */
    const unsigned char *without; /* what is out of the gallery: skip, or NULL */
    uint8_t *truth;        /* (terms) */
    float *score, *hits;   /* (terms), (gallery) */
} work_t;

int bench_information(const terms_t *t, double *information, err_t *err)
{
    double *have = mem_zero(2 * t->n, sizeof *have, err), *could = have + t->n, any[TERM_SPACES] = {0};
    uint8_t *mine = mem_zero(t->n, 1, err);
    int rc = have && mine ? 0 : -1;
    for (size_t e = 0; !rc && e < t->entries; e++) {
        bool in[TERM_SPACES] = {false};
        for (size_t k = t->of.at[e]; k < t->of.at[e + 1]; k++) mine[t->of.item[k]] = 1, in[t->space[t->of.item[k]]] = true;
        for (int s = 0; s < TERM_SPACES; s++) any[s] += in[s];
        for (size_t j = 0; j < t->n; j++) {
            bool all = t->parents.at[j] < t->parents.at[j + 1];
            for (size_t k = t->parents.at[j]; all && k < t->parents.at[j + 1]; k++) all = mine[t->parents.item[k]];
            have[j] += mine[j];
            could[j] += all;
        }
        for (size_t k = t->of.at[e]; k < t->of.at[e + 1]; k++) mine[t->of.item[k]] = 0;
    }
    for (size_t j = 0; !rc && j < t->n; j++) {
        if (t->parents.at[j] == t->parents.at[j + 1]) could[j] = any[t->space[j]];
        information[j] = have[j] > 0 && have[j] < could[j] ? -log2(have[j] / could[j]) : 0;
    }
    mem_free(have);
    mem_free(mine);
    return rc;
}

/* ---- what tells ---- */

static int add_teller(work_t *o, const char *name, int by, size_t what, size_t k, err_t *err)
{
    char full[128];
    if (k) snprintf(full, sizeof full, "%s_%zu", name, k);
    else snprintf(full, sizeof full, "%s", name);
    for (size_t i = 0; i < o->tellers; i++)
        if (!strcmp(o->teller[i].name, full)) return err_set(err, ERR_USAGE, "%s: two methods of this name", full);
    if (o->tellers == BENCH_METHODS) return err_set(err, ERR_USAGE, "%s: more than %d methods", name, BENCH_METHODS);
    teller_t *t = &o->teller[o->tellers];
    *t = (teller_t){.name = mem_str(full, err), .by = by, .what = what, .k = k};
    if (!t->name) return -1;
    o->tellers++;
    return 0;
}

static int make_tellers(work_t *o, err_t *err)
{
    static const char *const wanted[] = {"size", "profile", "zernike", "cube", "untrained", "learned", "two_stage"};
    if (add_teller(o, "naive", BY_FREQUENCY, 0, 0, err)) return -1;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        for (size_t s = 0; s < BENCH_SEARCHES; s++) {
            if (strcmp(wanted[i], bench_searches[s].name) != 0 || !bench_search_has(&o->w->search, &bench_searches[s])) continue;
            if (bench_searches[s].kind == SEARCH_PROFILE && add_teller(o, wanted[i], BY_HITS, s, 1, err)) return -1;
            if (add_teller(o, wanted[i], BY_HITS, s, NEAREST, err)) return -1;
        }
    for (size_t i = 0; o->w->rivals && i < o->w->rivals->n; i++)
        if (add_teller(o, o->w->rivals->rival[i].name, BY_RIVAL, i, NEAREST, err)) return -1;
    return o->w->search.encoder ? add_teller(o, "annotate", BY_ANNOTATE, 0, 0, err) : 0;
}

static int start(work_t *o, err_t *err)
{
    const index_t *x = o->w->search.x;
    const terms_t *t = &x->terms;
    const dataset_t *d = o->w->data;
    size_t n = 0;
    if (!t->n) return err_set(err, ERR_UNSUP, "bench: the index has no terms (index build --annot)");
    o->information = mem_zero(t->n, sizeof *o->information, err);
    o->frequency = mem_zero(t->n, sizeof *o->frequency, err);
    o->truth = mem_new(t->n, 1, err);
    o->score = mem_new(t->n, sizeof *o->score, err);
    o->hits = mem_new(x->n, sizeof *o->hits, err);
    o->skip = mem_new(x->n, 1, err);
    o->query = mem_zero(benchmaps_count(o->m), sizeof *o->query, err);
    o->group = mem_zero(benchmaps_count(o->m), sizeof *o->group, err);
    long *row = d ? bench_rows(d, x->text[INDEX_ID], x->n, err) : NULL;
    int rc = o->information && o->frequency && o->truth && o->score && o->hits && o->skip && o->query && o->group && (row || !d) ? 0 : -1;
    for (size_t s = 0; !rc && s < SPACES; s++) {
        if (!(o->of[s] = mem_new(t->n, sizeof **o->of, err))) rc = -1;
        for (size_t j = 0; !rc && j < t->n; j++)
            if (t->space[j] == s) o->of[s][o->terms[s]++] = (uint32_t)j;
    }
    for (size_t e = 0; !rc && e < x->n; e++) {
        if (t->of.at[e] == t->of.at[e + 1] || (d && (row[e] < 0 || d->split[row[e]] != SPLIT_TRAIN))) continue;
        n++;
        for (size_t k = t->of.at[e]; k < t->of.at[e + 1]; k++) o->frequency[t->of.item[k]] += 1;
    }
    for (size_t j = 0; !rc && n && j < t->n; j++) o->frequency[j] /= (float)n;
    mem_free(row);
    return rc || make_tellers(o, err) || bench_information(t, o->information, err) ? -1 : 0;
}

static void end(work_t *o)
{
    for (size_t k = 0; k < o->tellers; k++) {
        mem_free(o->teller[k].name);
        for (size_t g = 0; g < STRANGENESS; g++)
            for (size_t s = 0; s < SPACES; s++) cafa_free(&o->set[g][k][s]);
    }
    for (size_t s = 0; s < SPACES; s++) mem_free(o->of[s]);
    for (size_t i = 0; i < o->n; i++) bench_query_free(&o->query[i]);
    terms_free(&o->molecules);
    calib_free(o->calib);
    void *const own[] = {o->information, o->frequency, o->truth, o->score, o->hits, o->skip, o->query, o->group, o->line};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) mem_free(own[i]);
}

/* ---- one query ---- */

/* Terms of the k entries of the highest scores, each weighing 1 / rank; of equal ones the first. */
static void vote(work_t *o, size_t k)
{
    const index_t *x = o->w->search.x;
    const terms_t *t = &x->terms;
    double sum = 0;
    memset(o->score, 0, t->n * sizeof *o->score);
    for (size_t r = 1; r <= k; r++) {
        size_t best = x->n;
        for (size_t e = 0; e < x->n; e++)
            if (!(o->without && o->without[e]) && t->of.at[e] < t->of.at[e + 1] && o->hits[e] > -HUGE_VALF && (best == x->n || o->hits[e] > o->hits[best])) best = e;
        if (best == x->n) break;
        sum += 1 / (double)r;
        for (size_t i = t->of.at[best]; i < t->of.at[best + 1]; i++) o->score[t->of.item[i]] += (float)(1 / (double)r);
        o->hits[best] = -HUGE_VALF;
    }
    for (size_t j = 0; sum > 0 && j < t->n; j++) o->score[j] = (float)((double)o->score[j] / sum);
}

static int annotate(work_t *o, const record_t *r, const float *z, err_t *err)
{
    const index_t *x = o->w->search.x;
    annotation_t a;
    const annotate_opts_t how = {.hits = ANNOTATE_HITS, .terms = x->terms.n, .spaces = (1u << SPACES) - 1, .ancestors = true, .force = true, .scoring = &o->w->search.scoring,
                                 .skip = o->without};
    if (annotate_run(x, r, z, &how, &a, err)) return -1;
    memset(o->score, 0, x->terms.n * sizeof *o->score);
    for (size_t i = 0; i < a.terms; i++) o->score[a.term[i].term] = a.term[i].confidence;
    annotation_free(&a);
    return 0;
}

/* ---- are its probabilities right? ---- */

static int judge_terms(work_t *o, int g, const terms_t *t, const termhit_t *h, size_t n, size_t own, size_t group, err_t *err)
{
    for (; n; n--, h++) {
        bool has = false;
        if ((double)h->confidence < TOLD || !calibrate_says(t, own, t->space[h->term])) continue;
        for (size_t k = t->of.at[own]; !has && k < t->of.at[own + 1]; k++) has = t->of.item[k] == h->term;
        if (calib_add(o->calib, galleries[g], term_space_name[t->space[h->term]], group, (double)h->confidence, has, err)) return -1;
    }
    return 0;
}

/* By the gallery as it is, where what is of the same protein is right, and without relatives, where no entry is. */
static int calibration(work_t *o, size_t i, size_t own, const record_t *r, const float *z, err_t *err)
{
    const index_t *x = o->w->search.x;
    uint8_t *bits = mem_new(x->n, 1, err);
    int rc = bits ? benchmaps_bits(o->m, o->w, i, bits, err) : -1;
    for (int g = 0; !rc && g < 2; g++) {
        annotation_t a;
        const annotate_opts_t how = {.hits = ANNOTATE_HITS, .terms = x->terms.n + o->molecules.n, .spaces = (1u << TERM_KINDS) - 1, .ancestors = true,
                                     .scoring = &o->w->search.scoring, .molecules = &o->molecules, .skip = g ? o->skip : NULL};
        if ((rc = annotate_run(x, r, z, &how, &a, err))) break;
        bool relative = false;
        for (size_t k = 0; k < a.n && k < KNOWN_NEAREST; k++) relative = relative || o->skip[a.hit[k].entry];
        o->asked[g][relative]++;
        o->novel[g][relative] += a.novel;
        if (!isnan(a.known)) rc = calib_add(o->calib, "both", "known", o->group[i], a.known, relative, err);
        for (size_t k = 0; !rc && k < a.n && k < FIRST_HITS; k++)
            rc = calib_add(o->calib, galleries[g], "entry", o->group[i], (double)a.hit[k].confidence, (bits[a.hit[k].entry] & benchmaps_same(o->m)) != 0, err);
        if (!rc) rc = judge_terms(o, g, &x->terms, a.term, a.terms, own, o->group[i], err);
        if (!rc && o->molecules.n) rc = judge_terms(o, g, &o->molecules, a.molecule, a.molecules, own, o->group[i], err);
        annotation_free(&a);
    }
    mem_free(bits);
    return rc;
}

static int tell(work_t *o, const teller_t *t, const benchquery_t *q, const record_t *r, const float *z, const float *zu, err_t *err)
{
    const index_t *x = o->w->search.x;
    switch (t->by) {
    case BY_FREQUENCY: memcpy(o->score, o->frequency, x->terms.n * sizeof *o->score); return 0;
    case BY_ANNOTATE: return annotate(o, r, z, err);
    case BY_RIVAL: rival_score(&o->w->rivals->rival[t->what], q->id, x->text[INDEX_ID], x->n, o->hits); break;
    case BY_HITS:
        if (bench_search(&o->w->search, &bench_searches[t->what], r, z, zu, o->without, o->hits, err)) return -1;
        break;
    }
    vote(o, t->k);
    return 0;
}

/* Scores and truth of one namespace, to the set and as a line. */
static int judge(work_t *o, size_t g, size_t method, size_t s, size_t group, size_t terms, err_t *err)
{
    float *score = mem_new(o->terms[s], sizeof *score, err);
    uint8_t *truth = mem_new(o->terms[s], 1, err);
    double *bits = mem_new(o->terms[s], sizeof *bits, err);
    int rc = score && truth && bits && !mem_grow(&o->line, &o->cap, o->lines + 1, sizeof *o->line, err) ? 0 : -1;
    for (size_t j = 0; !rc && j < o->terms[s]; j++) {
        score[j] = o->score[o->of[s][j]];
        truth[j] = o->truth[o->of[s][j]];
        bits[j] = o->information[o->of[s][j]];
    }
    if (!rc) {
        line_t *l = &o->line[o->lines++];
        *l = (line_t){.gallery = g, .space = s, .method = method, .terms = (uint32_t)terms, .query = (uint32_t)o->n};
        cafa_add(&o->set[g][method][s], group, score, truth, bits, o->terms[s], &l->ap, &l->f);
    }
    mem_free(score);
    mem_free(truth);
    mem_free(bits);
    return rc;
}

static int take(void *ctx, size_t i, const benchquery_t *q, const record_t *r, const float *z, const float *zu, err_t *err)
{
    work_t *o = ctx;
    const terms_t *t = &o->w->search.x->terms;
    size_t many[SPACES] = {0};
    long own = benchmaps_own(o->m, i);
    if (own < 0 || t->of.at[own] == t->of.at[own + 1]) {
        o->unknown++;
        return 0;
    }
    memset(o->truth, 0, t->n);
    for (size_t k = t->of.at[own]; k < t->of.at[own + 1]; k++) {
        o->truth[t->of.item[k]] = 1;
        if (t->space[t->of.item[k]] < SPACES) many[t->space[t->of.item[k]]]++;
    }
    if (benchmaps_relatives(o->m, o->w, i, o->skip, err) || bench_query_copy(&o->query[o->n], q, err)) return -1;
    if (o->w->search.encoder && calibration(o, i, (size_t)own, r, z, err)) return -1;
    for (size_t g = 0; g < STRANGENESS; g++)
        for (size_t k = 0; k < o->tellers; k++) {
            o->without = g ? o->skip : NULL;
            if (tell(o, &o->teller[k], q, r, z, zu, err)) return -1;
            for (size_t s = 0; s < SPACES; s++)
                if (many[s] && judge(o, g, k, s, o->group[i], many[s], err)) return -1;
        }
    o->n++;
    return 0;
}

/* ---- the report ---- */

typedef void (*table_t)(const work_t *o, const void *extra, FILE *f);

static void put_queries(const work_t *o, const void *extra, FILE *f)
{
    (void)extra;
    bench_queries(f, NULL, NULL, 0);
    bench_queries(f, "function", o->query, o->n);
}

static void put_lines(const work_t *o, const void *extra, FILE *f)
{
    (void)extra;
    fprintf(f, "gallery\tquery\tnamespace\tmethod\tterms\tf\taverage_precision\tresolution\tmass_kda\n");
    for (const line_t *l = o->line; l < o->line + o->lines; l++) {
        const benchquery_t *q = &o->query[l->query];
        const double x[] = {l->f, l->ap, q->resolution, q->mass};
        fprintf(f, "%s\t", galleries[l->gallery]);
        tsv_put(f, q->id);
        fprintf(f, "\t%s\t", term_space_name[l->space]);
        tsv_put(f, o->teller[l->method].name);
        fprintf(f, "\t%u", (unsigned)l->terms);
        for (int c = 0; c < 4; c++) fputc('\t', f), bench_number(f, x[c]);
        fputc('\n', f);
    }
}

/* result (STRANGENESS, SPACES, tellers) */
static void put_curves(const work_t *o, const void *extra, FILE *f)
{
    const cafaresult_t *result = extra;
    fprintf(f, "gallery\tnamespace\tmethod\tthreshold\tprecision\trecall\n");
    for (size_t s = 0; s < STRANGENESS * SPACES; s++)
        for (size_t k = 0; k < o->tellers; k++)
            for (size_t t = 0; t < CAFA_STEPS; t++) {
                const cafaresult_t *r = &result[s * o->tellers + k];
                fprintf(f, "%s\t%s\t", galleries[s / SPACES], term_space_name[s % SPACES]);
                tsv_put(f, o->teller[k].name);
                fprintf(f, "\t%.2f\t", (double)(t + 1) / CAFA_STEPS);
                bench_number(f, r->precision[t]);
                fputc('\t', f);
                bench_number(f, r->recall[t]);
                fputc('\n', f);
            }
}

static void put_summary(const work_t *o, const void *extra, FILE *f)
{
    const cafaresult_t *result = extra;
    fprintf(f, "gallery\tnamespace\tmethod\tqueries\tfmax\tfmax_low\tfmax_high\tthreshold\tsmin\tsmin_low\tsmin_high\taupr\taupr_low\taupr_high\n");
    for (size_t s = 0; s < STRANGENESS * SPACES; s++)
        for (size_t k = 0; k < o->tellers; k++) {
            const cafaresult_t *r = &result[s * o->tellers + k];
            const double x[] = {r->fmax.value, r->fmax.low, r->fmax.high, r->threshold, r->smin.value, r->smin.low, r->smin.high,
                                r->aupr.value, r->aupr.low, r->aupr.high};
            fprintf(f, "%s\t%s\t", galleries[s / SPACES], term_space_name[s % SPACES]);
            tsv_put(f, o->teller[k].name);
            fprintf(f, "\t%.0f", r->queries);
            for (size_t c = 0; c < sizeof x / sizeof *x; c++) fputc('\t', f), bench_number(f, x[c]);
            fputc('\n', f);
        }
}

static void put_novel(const work_t *o, const void *extra, FILE *f)
{
    (void)extra;
    fprintf(f, "gallery\trelative\tqueries\tnovel\n");
    for (int g = 0; g < 2; g++)
        for (int has = 1; has >= 0; has--)
            if (o->asked[g][has]) fprintf(f, "%s\t%s\t%zu\t%zu\n", galleries[g], has ? "yes" : "no", o->asked[g][has], o->novel[g][has]);
}

static json_t *three(const interval_t *x)
{
    const double v[] = {x->value, x->low, x->high};
    json_t *a = json_array();
    for (int c = 0; c < 3; c++) json_array_append_new(a, isfinite(v[c]) ? json_real(v[c]) : json_null());
    return a;
}

static int put_json(const work_t *o, const benchreport_t *r, const cafaresult_t *result, json_t *calibration, err_t *err)
{
    json_t *all = json_object(), *rows = json_array();
    for (size_t s = 0; s < STRANGENESS * SPACES; s++)
        for (size_t k = 0; k < o->tellers; k++) {
            const cafaresult_t *x = &result[s * o->tellers + k];
            json_t *row = json_object();
            json_object_set_new(row, "gallery", json_string(galleries[s / SPACES]));
            json_object_set_new(row, "namespace", json_string(term_space_name[s % SPACES]));
            json_object_set_new(row, "method", json_string(o->teller[k].name));
            json_object_set_new(row, "queries", json_integer((json_int_t)x->queries));
            json_object_set_new(row, "fmax", three(&x->fmax));
            json_object_set_new(row, "threshold", isfinite(x->threshold) ? json_real(x->threshold) : json_null());
            json_object_set_new(row, "smin", three(&x->smin));
            json_object_set_new(row, "aupr", three(&x->aupr));
            json_array_append_new(rows, row);
        }
    json_object_set_new(all, "protocol", json_string(r->protocol));
    json_object_set(all, "about", r->about);
    json_object_set_new(all, "failed", json_integer((json_int_t)r->failed));
    json_object_set_new(all, "summary", rows);
    json_object_set(all, "calibration", calibration);
    char *path = bench_path(r->dir, "summary.json", err);
    int rc = path ? bench_json(path, all, err) : -1;
    json_decref(all);
    mem_free(path);
    return rc;
}

static int put(const work_t *o, const benchreport_t *r, const char *name, table_t table, const void *extra, err_t *err)
{
    outfile_t out;
    char *path = bench_path(r->dir, name, err);
    int rc = path ? outfile_open(&out, path, err) : -1;
    if (!rc) {
        table(o, extra, out.f);
        rc = outfile_close(&out, err);
    }
    mem_free(path);
    return rc;
}

static int report(work_t *o, const benchreport_t *r, size_t groups, err_t *err)
{
    bootstrap_t b;
    json_t *calibration = json_array();
    cafaresult_t *result = mem_zero(STRANGENESS * SPACES * o->tellers, sizeof *result, err);
    int rc = !result || bootstrap_new(&b, groups, r->times, r->seed, err) ? -1 : 0;
    if (rc) {
        json_decref(calibration);
        mem_free(result);
        return -1;
    }
    for (size_t g = 0; !rc && g < STRANGENESS; g++)
        for (size_t s = 0; !rc && s < SPACES; s++)
            for (size_t k = 0; !rc && k < o->tellers; k++) rc = cafa_result(&o->set[g][k][s], &b, &result[(g * SPACES + s) * o->tellers + k], err);
    if (!rc)
        rc = bench_folder(r->dir, err) || put(o, r, "queries.tsv", put_queries, NULL, err) || put(o, r, "function_queries.tsv", put_lines, NULL, err) ||
                     put(o, r, "function_curves.tsv", put_curves, result, err) || put(o, r, "function.tsv", put_summary, result, err) || put(o, r, "novel.tsv", put_novel, NULL, err) ||
                     calib_write(o->calib, &b, r->dir, calibration, err) ||
                     put_json(o, r, result, calibration, err)
                 ? -1
                 : 0;
    json_decref(calibration);
    bootstrap_free(&b);
    mem_free(result);
    return rc;
}

int bench_function(benchmaps_t *m, const benchwork_t *w, const benchreport_t *r, size_t *failed, err_t *err)
{
    work_t *o = mem_zero(1, sizeof *o, err);
    if (!o) return -1;
    o->m = m;
    o->w = w;
    size_t groups = 0;
    const index_t *x = w->search.x;
    int rc = (x->text[INDEX_MOLECULES] && terms_of_molecules(x->text[INDEX_MOLECULES], x->n, &o->molecules, err)) || start(o, err) || !(groups = benchmaps_groups(m, o->group, err)) ? -1 : 0;
    if (!rc && !(o->calib = calib_new(groups, err))) rc = -1;
    for (size_t k = 0; !rc && k < o->tellers; k++)
        for (size_t s = 0; !rc && s < STRANGENESS * SPACES; s++) rc = cafa_new(&o->set[s / SPACES][k][s % SPACES], groups, err);
    if (!rc) rc = benchmaps_run(m, w, take, o, failed, err);
    if (!rc && o->unknown) log_msg(w->log, LOG_INFO, "%zu queries are of entries without terms, and are passed over", o->unknown);
    if (!rc && !o->n) rc = err_set(err, ERR_RANGE, "bench: no query whose entry has terms");
    benchreport_t done = *r;
    done.failed = *failed;
    if (!rc) rc = report(o, &done, groups, err);
    end(o);
    mem_free(o);
    return rc;
}
