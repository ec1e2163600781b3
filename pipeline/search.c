/* search: the entries of an index nearest to a query (see search.h; DESIGN 2). */
#include "pipeline/search.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "nn/topk.h"
#include "voxel/align.h"

/* Best first; equal scores by row. */
static int by_score(const void *a, const void *b)
{
    const hit_t *x = a, *y = b;
    if (x->score != y->score) return x->score < y->score ? 1 : -1;
    return (x->entry > y->entry) - (x->entry < y->entry);
}

static const double SLACK = 1e-3; /* more than the rounding of a score */

static size_t least(size_t a, size_t b) { return a < b ? a : b; }
static size_t greatest(size_t a, size_t b) { return a > b ? a : b; }

static bool learned(searchkind_t k) { return k == SEARCH_LEARNED || k == SEARCH_BOTH; }
static bool cubes(searchkind_t k) { return k == SEARCH_CUBE || k == SEARCH_BOTH; }

/* What a search compares, and with which weights. */
typedef struct {
    searchkind_t kind;
    double cosine, shape, width; /* shape: of the correlation, or below 0, of a distance */
    bool size, align;
    scoring_t scoring;
} plan_t;

static plan_t plan_of(const search_opts_t *o)
{
    const scoring_t s = o->scoring ? *o->scoring : scoring_default;
    plan_t p = {.kind = o->kind, .width = SEARCH_SIZE_WIDTH, .size = !o->shape_only, .align = cubes(o->kind) && !o->plain, .scoring = s};
    switch (o->kind) {
    case SEARCH_CUBE: p.shape = SEARCH_CUBE_WEIGHT; break;
    case SEARCH_ZERNIKE: p.shape = -SEARCH_ZERNIKE_WEIGHT; break;
    case SEARCH_PROFILE: p.shape = -SEARCH_PROFILE_WEIGHT; break;
    case SEARCH_SIZE: break;
    case SEARCH_LEARNED:
        p.cosine = s.learned;
        p.width = s.size;
        break;
    case SEARCH_BOTH:
        p.cosine = s.cosine;
        p.shape = s.cube;
        p.width = s.size;
        break;
    }
    return p;
}

static int check(const index_t *x, const search_opts_t *o, err_t *err)
{
    if (o->kind == SEARCH_SIZE && o->shape_only) return err_set(err, ERR_USAGE, "search: nothing to compare without shape and size");
    if (o->kind == SEARCH_ZERNIKE && !x->zernike) return err_set(err, ERR_UNSUP, "search: the index was made without Zernike invariants");
    if (o->kind == SEARCH_PROFILE && !x->profile) return err_set(err, ERR_UNSUP, "search: the index was made without profiles");
    if (learned(o->kind) && !x->z) return err_set(err, ERR_UNSUP, "search: the index has no embeddings");
    return 0;
}

/* The entries that are not skipped, in the first places of h (x->n); how many. */
static size_t enlist(const index_t *x, const unsigned char *skip, hit_t *h)
{
    size_t n = 0;
    for (size_t i = 0; i < x->n; i++)
        if (!skip || !skip[i]) h[n++].entry = i;
    return n;
}

/* What costs no cube: size and cosine of n entries. */
static void first_stage(const index_t *x, const record_t *q, const float *z, const plan_t *p, hit_t *h, size_t n)
{
    bool cosines = learned(p->kind);
    size_t poses = index_poses(x);
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i++) {
        size_t e = h[i].entry;
        double d = log((double)x->rg[e] / (double)q->rg), t = d / p->width;
        h[i] = (hit_t){.entry = e, .dlog_rg = (float)d, .cosine = NAN, .cube = NAN, .distance = NAN, .confidence = NAN};
        for (size_t k = 0; cosines && k < poses; k++) {
            float c = fminf(fmaxf(topk_dot(z + k * x->d, x->z + e * x->d, x->d), -1), 1);
            if (k && !(c > h[i].cosine)) continue;
            h[i].cosine = c;
            h[i].pose = (unsigned)k;
        }
        h[i].score = (float)((p->size ? -0.5 * t * t : 0) + (cosines ? p->cosine * (double)h[i].cosine : 0));
    }
}

/* Distances of vectors of `len` floats. */
static void distances(const float *q, const float *x, size_t len, const hit_t *h, size_t n, float *out)
{
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i++) out[i] = (float)zernike_distance(q, x + h[i].entry * len, len);
}

/* Add the shape term to n hits; shape (n) is scratch. */
static int second_stage(const index_t *x, const record_t *q, const plan_t *p, const descquery_t *cube, hit_t *h, size_t n, float *shape, err_t *err)
{
    if (cubes(p->kind) && desc_correlate(cube, x->cube, &h->entry, sizeof *h, n, shape, err)) return -1;
    if (p->kind == SEARCH_ZERNIKE) distances(q->zernike, x->zernike, DESCRIBE_ZERNIKE, h, n, shape);
    if (p->kind == SEARCH_PROFILE) distances(q->profile, x->profile, DESCRIBE_PROFILE, h, n, shape);
    if (p->kind == SEARCH_SIZE || p->kind == SEARCH_LEARNED) return 0;
    for (size_t i = 0; i < n; i++) {
        *(cubes(p->kind) ? &h[i].cube : &h[i].distance) = shape[i];
        h[i].score += (float)(p->shape * (double)shape[i]);
    }
    return 0;
}

/* The aligned correlation in place of the plain one in n hits; shape (n) is scratch. */
static int align(const index_t *x, const plan_t *p, const float *turns, hit_t *h, size_t n, float *shape, err_t *err)
{
    if (desc_match(turns, ALIGN_IMAGES, x->cube, &h->entry, sizeof *h, n, shape, err)) return -1;
    for (size_t i = 0; i < n; i++) {
        h[i].score += (float)(p->shape * ((double)shape[i] - (double)h[i].cube));
        h[i].cube = shape[i];
    }
    return 0;
}

/* Of the hits from..n-1 those that could still reach a score of `bar`, with a correlation of at most limit[i - from], or of 1: in the places from `from`
 * on; returns where they end. */
static size_t could_reach(const plan_t *p, hit_t *h, size_t from, size_t n, const float *limit, double bar)
{
    size_t m = from;
    for (size_t i = from; i < n; i++) {
        const double most = limit ? fmax((double)limit[i - from], (double)h[i].cube) : 1;
        if ((double)h[i].score + p->shape * (most - (double)h[i].cube) < bar) continue;
        const hit_t t = h[i];
        h[i] = h[m];
        h[m++] = t;
    }
    return m;
}

/* Aligned correlations of n hits, of which the first `top` are wanted, and their order by them: of the FIRST best, and of those that could still be
 * among the first. */
static int third_stage(const index_t *x, const record_t *q, const plan_t *p, hit_t *h, size_t n, size_t top, err_t *err)
{
    enum { FIRST = 128 };
    const size_t first = least(n, greatest(top, FIRST));
    float *turns = mem_new((size_t)TURNS * ALIGN_IMAGES, DESC_LEN * sizeof *turns, err), *shape = mem_new(n, sizeof *shape, err);
    descquery_t *images = NULL;
    int rc = turns && shape ? 0 : -1;
    if (!rc) {
        align_turns(q->cube, turns);
        images = desc_query_images(turns, ALIGN_IMAGES, err);
        rc = images ? align(x, p, turns, h, first, shape, err) : -1;
    }
    if (!rc) {
        qsort(h, first, sizeof *h, by_score);
        const double bar = (double)h[top - 1].score - SLACK;
        size_t m = could_reach(p, h, first, n, NULL, bar);
        rc = desc_most(images, x->cube, &h[first].entry, sizeof *h, m - first, shape, err);
        if (!rc) m = could_reach(p, h, first, m, shape, bar);
        if (!rc) rc = align(x, p, turns, h + first, m - first, shape, err);
        qsort(h, n, sizeof *h, by_score);
    }
    desc_query_free(images);
    mem_free(turns);
    mem_free(shape);
    return rc;
}

/* The best `keep` of the `all` entries of h, in its first places, scored in full; *n says how many. */
static int rank(const index_t *x, const record_t *q, const plan_t *p, hit_t *h, size_t all, size_t keep, size_t *n, err_t *err)
{
    enum { FIRST = 1024, STEP = 512 }; /* entries scored between two looks at the bound */
    double most = p->shape > 0 ? p->shape : 0; /* what an entry may still gain */
    float *shape = mem_new(FIRST, sizeof *shape, err);
    descquery_t *cube = cubes(p->kind) ? desc_query(q->cube, err) : NULL;
    int rc = shape && (cube || !cubes(p->kind)) ? 0 : -1;
    size_t done = 0, kept = 0; /* h[0..kept-1]: the best of those scored, sorted */
    qsort(h, all, sizeof *h, by_score); /* the likeliest come early, and those that follow can be ruled out */
    while (!rc && done < all) {
        if (kept == keep && (double)h[done].score + most + SLACK < (double)h[kept - 1].score) break;
        size_t step = done ? STEP : FIRST, m = all - done < step ? all - done : step;
        rc = second_stage(x, q, p, cube, h + done, m, shape, err);
        memmove(h + kept, h + done, m * sizeof *h); /* kept <= done */
        qsort(h, kept + m, sizeof *h, by_score);
        kept = kept + m < keep ? kept + m : keep;
        done += m;
    }
    *n = kept;
    desc_query_free(cube);
    mem_free(shape);
    return rc;
}

/* Of the first n of `kept` hits. */
static void confidences(const plan_t *p, const hit_t *h, size_t kept, hit_t *hit, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double other = i ? (double)h[0].score : kept > 1 ? (double)h[1].score : (double)h[0].score;
        hit[i].confidence =
            (float)scoring_confidence(&p->scoring, (double)h[i].cosine, (double)h[i].cube, (double)h[i].score - other);
    }
}

int search_run(const index_t *x, const record_t *query, const float *z, const search_opts_t *o, hit_t *hit, size_t *n, err_t *err)
{
    const plan_t p = plan_of(o);
    size_t kept;
    *n = 0;
    if (check(x, o, err)) return -1;
    assert(!learned(o->kind) || z);
    hit_t *h = mem_new(x->n, sizeof *h, err);
    if (!h) return -1;
    size_t all = enlist(x, o->skip, h), top = least(o->top, all), align_n = o->aligned ? o->aligned : greatest(top, SEARCH_ALIGNED);
    size_t keep = least(greatest(top, p.align ? align_n : 2), all); /* at least two, for the margin */
    first_stage(x, query, z, &p, h, all);
    int rc = rank(x, query, &p, h, all, keep, &kept, err);
    const size_t again = least(kept, align_n);
    if (!rc && p.align && again) rc = third_stage(x, query, &p, h, again, least(greatest(top, 2), again), err);
    if (!rc) {
        *n = top;
        memcpy(hit, h, top * sizeof *h);
        if (o->kind == SEARCH_BOTH) confidences(&p, h, kept, hit, top);
    }
    mem_free(h);
    return rc;
}

/* Entries by the cosine of their embedding with z, `weight` times which is the score, and, where `term` (n terms) is not NULL, the largest
 * of the numbers of their terms. */
static int by_vector(const index_t *x, const float *z, double weight, const float *term, size_t top, hit_t *hit, size_t *n, err_t *err)
{
    hit_t *h = mem_new(x->n, sizeof *h, err);
    if (!h) return -1;
    for (size_t i = 0; i < x->n; i++) {
        float c = fminf(fmaxf(topk_dot(z, x->z + i * x->d, x->d), -1), 1), best = term ? -1 : 0;
        for (size_t k = term ? x->terms.of.at[i] : 0; term && k < x->terms.of.at[i + 1]; k++)
            best = fmaxf(best, term[x->terms.of.item[k]]);
        h[i] = (hit_t){.entry = i, .score = best + (float)weight * c, .cosine = c, .cube = NAN, .distance = NAN, .dlog_rg = NAN,
                       .confidence = NAN};
    }
    qsort(h, x->n, sizeof *h, by_score);
    *n = top < x->n ? top : x->n;
    memcpy(hit, h, *n * sizeof *h);
    mem_free(h);
    return 0;
}

int search_vector(const index_t *x, const float *z, size_t top, hit_t *hit, size_t *n, err_t *err)
{
    *n = 0;
    if (!x->z) return err_set(err, ERR_UNSUP, "search: the index has no embeddings");
    return by_vector(x, z, 1, NULL, top, hit, n, err);
}

int search_words(const index_t *x, const float *z, size_t top, hit_t *hit, size_t *n, err_t *err)
{
    const terms_t *t = &x->terms;
    *n = 0;
    if (!x->z || !t->z || t->d != x->d) return err_set(err, ERR_UNSUP, "search: the index has no embeddings of entries and terms");
    float *near = mem_new(t->n, sizeof *near, err);
    if (!near) return -1;
    for (size_t j = 0; j < t->n; j++) near[j] = topk_dot(z, t->z + j * t->d, t->d);
    int rc = by_vector(x, z, SEARCH_WORDS_COSINE, near, top, hit, n, err);
    mem_free(near);
    return rc;
}
