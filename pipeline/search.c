/* search: the entries of an index nearest to a query (see search.h; DESIGN 2). */
#include "pipeline/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Best first; equal scores by row. */
static int by_score(const void *a, const void *b)
{
    const hit_t *x = a, *y = b;
    if (x->score != y->score) return x->score < y->score ? 1 : -1;
    return (x->entry > y->entry) - (x->entry < y->entry);
}

static double size_term(double dlog)
{
    double t = dlog / SEARCH_SIZE_WIDTH;
    return -0.5 * t * t;
}

/* Distances of vectors of `len` floats. */
static void distances(const float *q, const float *x, size_t len, const hit_t *h, size_t n, float *out)
{
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i++) out[i] = (float)zernike_distance(q, x + h[i].entry * len, len);
}

static int shapes(const index_t *x, const record_t *q, searchkind_t kind, const float *turns, hit_t *h, size_t n, float *out,
                  err_t *err)
{
    switch (kind) {
    case SEARCH_CUBE: return desc_match(turns, x->cube, &h->entry, sizeof *h, n, out, err);
    case SEARCH_ZERNIKE: distances(q->zernike, x->zernike, DESCRIBE_ZERNIKE, h, n, out); return 0;
    case SEARCH_PROFILE: distances(q->profile, x->profile, DESCRIBE_PROFILE, h, n, out); return 0;
    case SEARCH_SIZE: memset(out, 0, n * sizeof *out); return 0;
    }
    return 0;
}

static double shape_score(searchkind_t kind, double shape)
{
    return kind == SEARCH_CUBE      ? SEARCH_CUBE_WEIGHT * shape
           : kind == SEARCH_ZERNIKE ? -SEARCH_ZERNIKE_WEIGHT * shape
           : kind == SEARCH_PROFILE ? -SEARCH_PROFILE_WEIGHT * shape
                                    : 0;
}

/* Most that the shape term can be: what an entry may still gain on its size term. */
static double shape_most(searchkind_t kind) { return kind == SEARCH_CUBE ? SEARCH_CUBE_WEIGHT : 0; }

int search_run(const index_t *x, const record_t *query, const search_opts_t *o, hit_t *hit, size_t *n, err_t *err)
{
    enum { STEP = 4096 };            /* entries scored between two looks at the bound */
    static const double slack = 1e-3; /* more than the rounding of a score */
    size_t top = o->top < x->n ? o->top : x->n;
    hit_t *h = mem_new(x->n, sizeof *h, err);
    float *turns = mem_new((size_t)DESC_TURNS * DESC_LEN, sizeof *turns, err), *shape = mem_new(STEP, sizeof *shape, err);
    int rc = -1;
    *n = 0;
    if (!h || !turns || !shape) goto done;
    if (o->kind == SEARCH_SIZE && o->shape_only) {
        err_set(err, ERR_USAGE, "search: nothing to compare without shape and size");
        goto done;
    }
    if (o->kind == SEARCH_CUBE) desc_turns(query->cube, turns);

    /* By size first: the entries nearest in Rg come early, and those that follow can be ruled out. */
    for (size_t i = 0; i < x->n; i++) {
        double d = log((double)x->rg[i] / (double)query->rg);
        h[i] = (hit_t){.entry = i, .dlog_rg = (float)d, .score = o->shape_only ? 0 : (float)size_term(d)};
    }
    qsort(h, x->n, sizeof *h, by_score);
    size_t done = 0, kept = 0; /* h[0..kept-1]: the best of those scored, sorted */
    while (done < x->n) {
        if (kept == top && (double)h[done].score + shape_most(o->kind) + slack < (double)h[kept - 1].score) break;
        size_t m = x->n - done < STEP ? x->n - done : STEP;
        if (shapes(x, query, o->kind, turns, h + done, m, shape, err)) goto done;
        for (size_t i = 0; i < m; i++) {
            h[done + i].shape = shape[i];
            h[done + i].score += (float)shape_score(o->kind, (double)shape[i]);
        }
        memmove(h + kept, h + done, m * sizeof *h); /* kept <= done */
        qsort(h, kept + m, sizeof *h, by_score);
        kept = kept + m < top ? kept + m : top;
        done += m;
    }
    memcpy(hit, h, kept * sizeof *h);
    *n = kept;
    rc = 0;
done:
    mem_free(h);
    mem_free(turns);
    mem_free(shape);
    return rc;
}
