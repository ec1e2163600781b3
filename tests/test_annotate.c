/* test_annotate: the two-stage search and the terms transferred from its hits, over entries that the test makes up. */
#include "tests/test.h"

#include <unistd.h>

#include "base/mem.h"
#include "base/threads.h"
#include "pipeline/annotate.h"
#include "pipeline/search.h"
#include "pipeline/share.h"
#include "voxel/align.h"

#define DIR "test_annotate.dir"
#include "tests/made_index.h"

enum { N = 1500, D = MADE_D };

static int set_up(void **state)
{
    made_tables();
    index_t *x = mem_zero(1, sizeof *x, NULL);
    made_index(x, 0, N, "aa");
    *state = x;
    return 0;
}

static int tear_down(void **state)
{
    index_free(*state);
    mem_free(*state);
    return system("rm -rf " DIR);
}

/* A query that is an entry, but for a little. */
static void query_of(const index_t *x, size_t entry, record_t *q, float *z)
{
    double sq = 0;
    *q = (record_t){.kind = ITEM_MAP, .rg = x->rg[entry] * 1.02f, .volume = 1000};
    memcpy(q->cube, x->cube + entry * DESC_LEN, DESC_LEN);
    for (int k = 0; k < DESC_LEN; k += 7) q->cube[k] = (int8_t)(q->cube[k] / 2);
    for (int k = 0; k < D; k++) {
        z[k] = x->z[entry * D + (size_t)k] + (k % 3 ? 0.05f : -0.05f);
        sq += (double)z[k] * (double)z[k];
    }
    for (int k = 0; k < D; k++) z[k] = (float)((double)z[k] / sqrt(sq));
}

/* Score of an entry by the formulas of search.h, plainly. */
static double plain(const index_t *x, size_t e, const record_t *q, const float *z, const float *correlation, const search_opts_t *o,
                    double *cosine, double *cube)
{
    const scoring_t *s = o->scoring;
    double d = log((double)x->rg[e] / (double)q->rg), size = o->shape_only ? 0 : -0.5 * pow(d / s->size, 2);
    *cosine = *cube = 0;
    for (size_t k = 0; k < D; k++) *cosine += (double)z[k] * (double)x->z[e * D + k];
    if (o->kind == SEARCH_LEARNED) return size + s->learned * *cosine;
    *cube = (double)correlation[e];
    return size + s->cosine * *cosine + s->cube * *cube;
}

static int down(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

/* The same bits, but for the padding. */
static void assert_hits(const hit_t *a, const hit_t *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(a[i].entry, b[i].entry);
        assert_memory_equal(&a[i].score, &b[i].score, offsetof(hit_t, confidence) + sizeof a->confidence - offsetof(hit_t, score));
    }
}

/* The bound that spares the second stage its cubes loses none of the best; all threads agree. */
static void two_stages_are_exact(void **state)
{
    const index_t *x = *state;
    enum { TOP = 30 };
    scoring_t s = scoring_default;
    float *turns = mem_new((size_t)DESC_TURNS * DESC_LEN, sizeof *turns, NULL), z[D];
    double *score = mem_new(N, sizeof *score, NULL);
    float *correlation = mem_new(N, sizeof *correlation, NULL);
    size_t *all = mem_new(N, sizeof *all, NULL);
    record_t *q = mem_new(1, sizeof *q, NULL);
    hit_t h[TOP], again[TOP];
    err_t e = {0};
    size_t n;
    query_of(x, 77, q, z);
    desc_turns(q->cube, turns);
    for (size_t i = 0; i < N; i++) all[i] = i;
    assert_int_equal(desc_match(turns, 1, x->cube, all, sizeof *all, N, correlation, NULL), 0);
    int threads = threads_max();
    for (int k = 0; k < 4; k++) {
        search_opts_t o = {.kind = k & 1 ? SEARCH_LEARNED : SEARCH_BOTH, .shape_only = k & 2, .plain = true, .top = TOP, .scoring = &s};
        double cosine, cube;
        for (size_t i = 0; i < N; i++) score[i] = plain(x, i, q, z, correlation, &o, &cosine, &cube);
        qsort(score, N, sizeof *score, down);
        threads_set(1);
        if (search_run(x, q, z, &o, h, &n, &e)) fail_msg("%s", e.msg);
        assert_int_equal(n, TOP);
        assert_int_equal(h[0].entry, 77);
        for (size_t i = 0; i < TOP; i++) {
            double own = plain(x, h[i].entry, q, z, correlation, &o, &cosine, &cube);
            assert_close((double)h[i].score, own, 1e-3);
            assert_close((double)h[i].score, score[i], 1e-3);
            assert_close((double)h[i].cosine, cosine, 1e-5);
            if (k & 1) assert_true(isnan(h[i].cube) && isnan(h[i].confidence));
            if (k & 1) continue;
            assert_close((double)h[i].cube, cube, 1e-4);
            double margin = score[i] - score[i ? 0 : 1], quality = (s.cosine * cosine + s.cube * cube) / (s.cosine + s.cube);
            double logit = s.bias + s.margin * margin + s.quality * quality;
            assert_close((double)h[i].confidence, 1 / (1 + exp(-logit)), 1e-3);
        }
        threads_set(3);
        assert_int_equal(search_run(x, q, z, &o, again, &n, &e), 0);
        assert_hits(h, again, TOP);
        o.top = 1; /* the margin looks at a hit that is not asked for */
        assert_int_equal(search_run(x, q, z, &o, again, &n, &e), 0);
        assert_hits(h, again, 1);
    }
    threads_set(threads);
    mem_free(all);
    mem_free(correlation);
    mem_free(q);
    mem_free(score);
    mem_free(turns);
}

/* Those that are best by the plain correlation, and no others, are compared again by the aligned one, which is at work in the
 * confidence too; what is beyond comes after with the plain one; all threads agree. */
static void best_are_aligned(void **state)
{
    const index_t *x = *state;
    enum { BEYOND = SEARCH_ALIGNED, TOP = 30 };
    const scoring_t s = scoring_default;
    float *turns = mem_new((size_t)TURNS * ALIGN_IMAGES, DESC_LEN * sizeof *turns, NULL), *aligned = mem_new(N, sizeof *aligned, NULL), z[D];
    hit_t *plain_hit = mem_new(N, sizeof *plain_hit, NULL), *all = mem_new(N, sizeof *all, NULL), h[TOP], serial[TOP];
    double *score = mem_new(N, sizeof *score, NULL);
    size_t *row = mem_new(N, sizeof *row, NULL), n, changed = 0;
    record_t *q = mem_new(1, sizeof *q, NULL);
    search_opts_t o = {.kind = SEARCH_BOTH, .top = N, .scoring = &s, .plain = true};
    int threads = threads_max();
    query_of(x, 77, q, z);
    align_turns(q->cube, turns);
    for (size_t i = 0; i < N; i++) row[i] = i;
    assert_int_equal(desc_match(turns, ALIGN_IMAGES, x->cube, row, sizeof *row, N, aligned, NULL), 0);
    assert_int_equal(search_run(x, q, z, &o, plain_hit, &n, NULL), 0);
    o.plain = false;
    assert_int_equal(search_run(x, q, z, &o, all, &n, NULL), 0); /* more than SEARCH_ALIGNED are asked for: all */
    assert_int_equal(n, N);
    for (size_t i = 0; i < N; i++) {
        assert_close((double)all[i].cube, (double)aligned[all[i].entry], 2e-5);
        if (i) assert_true(all[i].score <= all[i - 1].score);
    }
    o.top = TOP;
    threads_set(1);
    assert_int_equal(search_run(x, q, z, &o, serial, &n, NULL), 0);
    threads_set(3);
    assert_int_equal(search_run(x, q, z, &o, h, &n, NULL), 0);
    threads_set(threads);
    assert_hits(h, serial, sizeof h / sizeof *h);
    for (size_t i = 0; i < BEYOND; i++) {
        const hit_t *p = &plain_hit[i];
        score[i] = (double)p->score + s.cube * ((double)aligned[p->entry] - (double)p->cube);
        changed += aligned[p->entry] > p->cube + 1e-3f;
    }
    assert_true(changed > BEYOND / 2);
    qsort(score, BEYOND, sizeof *score, down);
    for (size_t i = 0; i < TOP; i++) {
        assert_close((double)h[i].score, score[i], 1e-3);
        assert_close((double)h[i].cube, (double)aligned[h[i].entry], 2e-5);
        double quality = (s.cosine * (double)h[i].cosine + s.cube * (double)h[i].cube) / (s.cosine + s.cube);
        double logit = s.bias + s.margin * (score[i] - score[i ? 0 : 1]) + s.quality * quality;
        assert_close((double)h[i].confidence, 1 / (1 + exp(-logit)), 1e-3);
    }
    /* the choice is that of the plain search */
    o.top = SEARCH_ALIGNED;
    assert_int_equal(search_run(x, q, z, &o, all, &n, NULL), 0);
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (k < BEYOND && plain_hit[k].entry != all[i].entry) k++;
        assert_true(k < BEYOND);
    }
    mem_free(turns);
    mem_free(aligned);
    mem_free(plain_hit);
    mem_free(all);
    mem_free(score);
    mem_free(row);
    mem_free(q);
}

static void search_refuses(void **state)
{
    index_t x = *(index_t *)*state; /* a copy to take parts from */
    record_t *q = mem_new(1, sizeof *q, NULL);
    float z[D];
    hit_t h[3];
    size_t n;
    query_of(&x, 5, q, z);
    x.z = NULL;
    x.zernike = NULL;
    x.profile = NULL;
    static const searchkind_t kind[] = {SEARCH_BOTH, SEARCH_LEARNED, SEARCH_ZERNIKE, SEARCH_PROFILE};
    for (size_t k = 0; k < sizeof kind / sizeof *kind; k++) {
        err_t e = {0};
        assert_int_equal(search_run(&x, q, z, &(search_opts_t){.kind = kind[k], .top = 3}, h, &n, &e), -1);
        assert_int_equal(e.code, ERR_UNSUP);
    }
    assert_int_equal(search_vector(&x, z, 3, h, &n, NULL), -1);
    mem_free(q);
}

static void vectors(void **state)
{
    const index_t *x = *state;
    hit_t h[5];
    size_t n;
    assert_int_equal(search_vector(x, x->z + 123 * D, 5, h, &n, NULL), 0);
    assert_int_equal(n, 5);
    assert_int_equal(h[0].entry, 123);
    assert_close((double)h[0].score, 1, 1e-5);
    for (int i = 1; i < 5; i++) assert_true(h[i].score <= h[i - 1].score);
    assert_true(isnan(h[0].dlog_rg) && isnan(h[0].cube) && isnan(h[0].confidence));
}

/* The score of an entry for words, plainly. */
static double plain_words(const index_t *x, size_t e, const float *z)
{
    const terms_t *t = &x->terms;
    double best = -1, cosine = 0;
    for (size_t k = t->of.at[e]; k < t->of.at[e + 1]; k++) {
        double c = 0;
        for (size_t d = 0; d < D; d++) c += (double)z[d] * (double)t->z[t->of.item[k] * D + d];
        best = fmax(best, c);
    }
    for (size_t d = 0; d < D; d++) cosine += (double)z[d] * (double)x->z[e * D + d];
    return best + SEARCH_WORDS_COSINE * cosine;
}

static void words(void **state)
{
    index_t x = *(index_t *)*state;
    hit_t h[N];
    err_t e = {0};
    size_t n;
    double score[N];
    for (size_t j = 0; j < x.terms.n; j++) {
        const float *z = x.terms.z + j * D;
        for (size_t i = 0; i < N; i++) score[i] = plain_words(&x, i, z);
        qsort(score, N, sizeof *score, down);
        assert_int_equal(search_words(&x, z, N, h, &n, &e), 0);
        assert_int_equal(n, N);
        for (size_t i = 0; i < N; i++) {
            assert_close((double)h[i].score, score[i], 1e-5);
            assert_close((double)h[i].score, plain_words(&x, h[i].entry, z), 1e-5);
        }
    }
    float *z = x.terms.z;
    x.terms.z = NULL;
    assert_int_equal(search_words(&x, z, 3, h, &n, &e), -1);
    assert_int_equal(e.code, ERR_UNSUP);
}

/* ---- terms ---- */

static const termhit_t *find(const index_t *x, const annotation_t *a, const char *id)
{
    for (size_t i = 0; i < a->terms; i++)
        if (!strcmp(x->terms.id[a->term[i].term], id)) return &a->term[i];
    return NULL;
}

static void run(const index_t *x, size_t entry, annotate_opts_t o, annotation_t *a)
{
    record_t *q = mem_new(1, sizeof *q, NULL);
    float z[D];
    err_t e = {0};
    query_of(x, entry, q, z);
    if (annotate_run(x, q, z, &o, a, &e)) fail_msg("%s", e.msg);
    mem_free(q);
}

enum { ALL = (1 << TERM_SPACES) - 1 };

/* By hand: the vote of the hits, trust in them, base rates, the cosine. */
static void terms_by_hand(void **state)
{
    const index_t *x = *state;
    const terms_t *t = &x->terms;
    scoring_t s = scoring_default;
    annotation_t a;
    s.vote = 20;
    s.bias = -15.5;
    s.margin = 0;
    s.text = 0.7;
    run(x, 33, (annotate_opts_t){.hits = 7, .terms = 100, .spaces = ALL, .ancestors = true, .scoring = &s}, &a);
    assert_int_equal(a.n, 7);
    assert_int_equal(a.terms, t->n); /* of any confidence */
    float z[D];
    record_t *q = mem_new(1, sizeof *q, NULL);
    query_of(x, 33, q, z);
    mem_free(q);
    double trust = 0, sum = 0, with = 0, mean = 0, sq = 0, m = 0, own = 0, annotated = 0, have = 0;
    size_t d = 0;
    while (strcmp(t->id[d], "GO:0000009") != 0) d++; /* has no children */
    for (size_t i = 0; i < 7; i++) {
        size_t e = a.hit[i].entry;
        double w = exp(((double)a.hit[i].score - (double)a.hit[0].score) / s.vote);
        trust = fmax(trust, (double)a.hit[i].confidence);
        if (e % 3 == 2) continue; /* "none" */
        sum += w;
        if (e % 3 == 0) with += w;
    }
    for (size_t i = 0; i < N; i++) {
        annotated += i % 3 != 2;
        have += i % 3 == 0;
    }
    for (size_t i = 0; i < t->n; i++) {
        double c = 0;
        if (t->space[i] != TERM_FUNCTION) continue;
        for (size_t k = 0; k < D; k++) c += (double)z[k] * (double)t->z[i * D + k];
        m += 1;
        mean += c;
        sq += c * c;
        if (i == d) own = c;
    }
    mean /= m;
    double sd = sqrt(sq / m - mean * mean), p = trust * with / sum + (1 - trust) * have / annotated;
    double want = 1 / (1 + exp(-(log(p / (1 - p)) + 0.7 * (own - mean) / sd)));
    const termhit_t *h = find(x, &a, "GO:0000009");
    assert_non_null(h);
    assert_close((double)h->vote, with / sum, 1e-5);
    assert_close((double)h->text, (own - mean) / sd, 1e-3);
    assert_close((double)h->confidence, want, 1e-4);
    if (!(trust > 0.01 && trust < 0.999 && sum > with && with > 0)) fail_msg("trust %g, %g of %g", trust, with, sum); /* or it shows nothing */
    annotation_free(&a);
}

static void ancestors_are_as_confident(void **state)
{
    const index_t *x = *state;
    const terms_t *t = &x->terms;
    annotation_t a;
    for (size_t e = 0; e < 60; e++) {
        run(x, e, (annotate_opts_t){.hits = 5, .terms = 100, .spaces = ALL, .ancestors = true}, &a);
        float c[64];
        assert_true(t->n <= 64);
        for (size_t i = 0; i < a.terms; i++) c[a.term[i].term] = a.term[i].confidence;
        for (size_t i = 0; i < t->n; i++) {
            assert_true(c[i] >= 0 && c[i] <= 1);
            for (size_t k = t->parents.at[i]; k < t->parents.at[i + 1]; k++) assert_true(c[t->parents.item[k]] >= c[i]);
        }
        for (size_t i = 1; i < a.terms; i++) {
            int s = t->space[a.term[i].term], before = t->space[a.term[i - 1].term];
            assert_true(s >= before);
            if (s == before) assert_true(a.term[i].confidence <= a.term[i - 1].confidence);
        }
        annotation_free(&a);
    }
}

static void what_is_told(void **state)
{
    const index_t *x = *state;
    annotation_t a;
    scoring_t s = scoring_default;
    s.bias = 10; /* trust the hits */
    s.text = 0;
    s.vote = 0.05; /* that is, the first */
    run(x, 30, (annotate_opts_t){.hits = 5, .terms = 9, .min_confidence = 0.5, .spaces = ALL, .scoring = &s}, &a); /* 1abc */
    assert_int_equal(a.terms, 2); /* d, and PF00001: not a, b, c, which d implies */
    assert_non_null(find(x, &a, "GO:0000009"));
    assert_non_null(find(x, &a, "PF00001"));
    assert_true(a.term[0].hits >= 1 && a.term[0].support[0] == 0);
    annotation_free(&a);
    run(x, 30, (annotate_opts_t){.hits = 5, .terms = 9, .min_confidence = 0.5, .spaces = ALL, .scoring = &s, .ancestors = true}, &a);
    assert_int_equal(a.terms, 5);
    annotation_free(&a);
    run(x, 31, (annotate_opts_t){.hits = 5, .terms = 1, .min_confidence = 0.5, .spaces = 1 << TERM_EC, .scoring = &s}, &a); /* 2xyz */
    assert_int_equal(a.terms, 1); /* of 3.2.1.17 and 1.7.-.- one */
    assert_int_equal(x->terms.space[a.term[0].term], TERM_EC);
    annotation_free(&a);
    s.bias = -100; /* no trust: base rates, none of which is near one half by more than chance, but for b, that all have */
    run(x, 30, (annotate_opts_t){.hits = 5, .terms = 9, .min_confidence = 0.4, .spaces = 1 << TERM_FUNCTION, .scoring = &s}, &a);
    assert_int_equal(a.terms, 2); /* b, which is much surer than d below it; not a and c, which are not */
    assert_non_null(find(x, &a, "GO:0000003"));
    assert_non_null(find(x, &a, "GO:0000009"));
    annotation_free(&a);
    run(x, 30, (annotate_opts_t){.hits = 5, .terms = 9, .min_confidence = 0.6, .spaces = 1 << TERM_EC | 1 << TERM_PFAM, .scoring = &s}, &a);
    assert_int_equal(a.terms, 0);
    annotation_free(&a);
}

/* A query below the cut is told no term, unless forced. */
static void novel(void **state)
{
    const index_t *x = *state;
    annotation_t a;
    evidence_t e = evidence_default(0);
    annotate_opts_t o = {.hits = 5, .terms = 9, .spaces = ALL, .evidence = &e};
    run(x, 30, o, &a);
    assert_true(isnan(a.known) && !a.novel && a.terms > 0);
    annotation_free(&a);
    e.fitted = true;
    e.cut = 0.6; /* known: 0.5, as all weights are 0 */
    run(x, 30, o, &a);
    assert_true(a.novel && a.n == 5 && !a.terms && fabs(a.known - 0.5) < 1e-9);
    annotation_free(&a);
    o.force = true;
    run(x, 30, o, &a);
    assert_true(a.novel && a.terms > 0);
    annotation_free(&a);
    e.cut = 0.5;
    o.force = false;
    run(x, 30, o, &a);
    assert_true(!a.novel && a.terms > 0);
    annotation_free(&a);
}

static void molecules(void **state)
{
    char *list[] = {"LYSOZYME; Protein (CD46); RNA (5-R(*GP)); 5'-D(*CP*AP)-3'", "Lysozyme | muramidase", "", "SUGAR (8-MER); cd46;lysozyme; ;x"};
    terms_t t;
    err_t err = {0};
    (void)state;
    assert_int_equal(terms_of_molecules(list, 4, &t, &err), 0);
    assert_int_equal(t.n, 3);
    const char *id[] = {"cd46", "lysozyme", "muramidase"}, *name[] = {"cd46", "Lysozyme", "muramidase"};
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(t.id[i], id[i]);
        assert_string_equal(t.name[i], name[i]);
        assert_int_equal(t.space[i], TERM_MOLECULE);
    }
    const size_t at[] = {0, 2, 4, 4, 6};
    const uint32_t item[] = {0, 1, 1, 2, 0, 1};
    assert_memory_equal(t.of.at, at, sizeof at);
    assert_memory_equal(t.of.item, item, sizeof item);
    terms_free(&t);
}

static void without_terms(void **state)
{
    index_t x = *(index_t *)*state;
    annotation_t a;
    float *z = x.terms.z;
    x.terms.z = NULL;
    run(&x, 30, (annotate_opts_t){.hits = 5, .terms = 9, .spaces = ALL}, &a);
    assert_true(a.terms > 0 && isnan(a.term[0].text));
    annotation_free(&a);
    x.terms.z = z;
    x.terms.n = 0;
    run(&x, 30, (annotate_opts_t){.hits = 5, .terms = 9, .spaces = ALL}, &a);
    assert_int_equal(a.n, 5);
    assert_int_equal(a.terms, 0);
    annotation_free(&a);
}

static void shared_files(void **state)
{
    (void)state;
    err_t e = {0};
    put(DIR "/there", "x");
    setenv("CRYOLEX_SHARE", DIR, 1);
    char *p = share_file("there", &e);
    assert_string_equal(p, DIR "/there");
    mem_free(p);
    assert_null(share_file("not there", &e));
    assert_int_equal(e.code, ERR_NOTFOUND);
    assert_true(strstr(e.msg, "not there") && strstr(e.msg, DIR));
    setenv("CRYOLEX_SHARE", "", 1); /* as if not set: beside this program */
    e = (err_t){0};
    assert_null(share_file("no such file", &e));
    assert_non_null(strstr(e.msg, "/share"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_stages_are_exact), cmocka_unit_test(best_are_aligned),       cmocka_unit_test(search_refuses), cmocka_unit_test(vectors), cmocka_unit_test(words),
        cmocka_unit_test(terms_by_hand), cmocka_unit_test(novel), cmocka_unit_test(molecules), cmocka_unit_test(what_is_told),   cmocka_unit_test(without_terms),
        cmocka_unit_test(ancestors_are_as_confident), cmocka_unit_test(shared_files),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
