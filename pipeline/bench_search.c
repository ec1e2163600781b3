/* bench_search: the program's own methods, and queries in batches (see bench_search.h). */
#include "pipeline/bench_search.h"

#include <math.h>
#include <string.h>

#include "base/intern.h"
#include "base/mem.h"

const benchmethod_t bench_searches[BENCH_SEARCHES] = {
    {"size", WITH_INDEX, SEARCH_SIZE, false, true},
    {"profile", WITH_BASE, SEARCH_PROFILE, true, true},
    {"profile_size", WITH_BASE, SEARCH_PROFILE, false, true},
    {"zernike", WITH_BASE, SEARCH_ZERNIKE, true, true},
    {"zernike_size", WITH_BASE, SEARCH_ZERNIKE, false, true},
    {"cube", WITH_INDEX, SEARCH_CUBE, true, true},
    {"cube_size", WITH_INDEX, SEARCH_CUBE, false, true},
    {"aligned_cube", WITH_INDEX, SEARCH_CUBE, true, false},
    {"aligned_cube_size", WITH_INDEX, SEARCH_CUBE, false, false},
    {"untrained", WITH_UNTRAINED, SEARCH_LEARNED, true, true},
    {"learned", WITH_MODEL, SEARCH_LEARNED, true, true},
    {"two_stage_plain", WITH_MODEL, SEARCH_BOTH, false, true},
    {"two_stage", WITH_MODEL, SEARCH_BOTH, false, false},
};

int bench_search_join(benchsearch_t *s, err_t *err)
{
    intern_t set = {0};
    uint32_t number;
    int rc = 0;
    size_t found = 0;
    if (!s->base) return 0;
    for (size_t i = 0; !rc && i < s->x->n; i++) rc = intern_add(&set, s->x->text[INDEX_ID][i], strlen(s->x->text[INDEX_ID][i]), &number, err);
    s->column = rc ? NULL : mem_new(s->base->n, sizeof *s->column, err);
    for (size_t i = 0; s->column && i < s->base->n; i++) {
        long at = intern_find(&set, s->base->text[INDEX_ID][i], strlen(s->base->text[INDEX_ID][i]));
        s->column[i] = at < 0 ? s->x->n : (size_t)at;
        found += at >= 0;
    }
    intern_free(&set);
    if (!s->column) return -1;
    s->missing = s->x->n - found;
    return found ? 0 : err_set(err, ERR_RANGE, "the two indexes have no entry in common");
}

void bench_search_end(benchsearch_t *s)
{
    mem_free(s->column);
    s->column = NULL;
}

bool bench_search_has(const benchsearch_t *s, const benchmethod_t *m)
{
    switch (m->with) {
    case WITH_MODEL: return s->encoder && s->x->z;
    case WITH_BASE: return s->base && (m->kind == SEARCH_PROFILE ? s->base->profile : s->base->zernike);
    case WITH_UNTRAINED: return s->untrained && s->base && s->base->z;
    case WITH_INDEX: break;
    }
    return true;
}

int bench_search(const benchsearch_t *s, const benchmethod_t *m, const record_t *q, const float *z, const float *zu, const unsigned char *skip,
                 float *score, err_t *err)
{
    bool other = m->with == WITH_BASE || m->with == WITH_UNTRAINED;
    const index_t *x = other ? s->base : s->x;
    hit_t *hit = mem_new(x->n, sizeof *hit, err);
    unsigned char *gone = other ? mem_zero(x->n, 1, err) : NULL;
    size_t n = 0;
    int rc = hit && (gone || !other) ? 0 : -1;
    for (size_t i = 0; !rc && other && i < x->n; i++) gone[i] = s->column[i] == s->x->n || (skip && skip[s->column[i]]);
    const search_opts_t o = {.kind = m->kind, .shape_only = m->shape_only, .plain = m->plain, .top = x->n, .aligned = SEARCH_ALIGNED,
                             .skip = other ? gone : skip, .scoring = &s->scoring};
    if (!rc) rc = search_run(x, q, m->with == WITH_UNTRAINED ? zu : z, &o, hit, &n, err);
    for (size_t i = 0; !rc && i < s->x->n; i++) score[i] = -INFINITY;
    for (size_t i = 0; !rc && i < n; i++) score[other ? s->column[hit[i].entry] : hit[i].entry] = hit[i].score;
    mem_free(hit);
    mem_free(gone);
    return rc;
}

/* ---- queries ---- */

enum { BATCH = 64 };

typedef struct {
    described_t got[BATCH];
    size_t who[BATCH]; /* those that were described, in order */
    float *cubes, *z[2];
} room_t;

/* Embeddings (m, poses, d) of what was described. */
static int embed(encoder_t *e, size_t poses, const room_t *r, size_t m, float *cubes, float *z, err_t *err)
{
    size_t len = e->side * e->side * e->side;
    float *features = mem_new(BATCH, (e->features + 1) * sizeof *features, err);
    int rc = features ? 0 : -1;
    for (size_t k = 0; !rc && k < m; k++) {
        const record_t *rec = &r->got[r->who[k]].rec;
        memcpy(cubes + k * len, rec->density, len * sizeof *cubes);
        encoder_features(e, (double)rec->rg, rec->profile, rec->zernike, features + k * e->features);
    }
    if (!rc) rc = encoder_embed_poses(e, m, cubes, features, (int)poses, z, err);
    mem_free(features);
    return rc;
}

int bench_each(const benchsearch_t *s, const mrc_opts_t *map, const log_t *log, size_t n, bench_make_t make, bench_take_t take, void *ctx,
               size_t *failed, err_t *err)
{
    encoder_t *const e[2] = {s->encoder, s->untrained};
    const size_t poses[2] = {s->encoder ? index_poses(s->x) : 0, s->untrained ? index_poses(s->base) : 0};
    describer_t d = {.zernike = NULL};
    room_t *r = mem_zero(1, sizeof *r, err);
    size_t side = e[0] ? e[0]->side : e[1] ? e[1]->side : 0;
    progress_t *bar = progress_new(log, "queries", "queries", n);
    *failed = 0;
    int rc = r && !describe_new(&d, map, err) ? 0 : -1;
    if (!rc && e[0] && e[1] && e[0]->side != e[1]->side)
        rc = err_set(err, ERR_UNSUP, "the untrained model wants cubes of side %zu (the model %zu)", e[1]->side, e[0]->side);
    d.cubes = !rc && side;
    d.side = side;
    if (!rc && side && !(r->cubes = mem_new(BATCH, side * side * side * sizeof *r->cubes, err))) rc = -1;
    for (int k = 0; !rc && k < 2; k++)
        if (e[k] && !(r->z[k] = mem_new(BATCH * poses[k], e[k]->d * sizeof **r->z, err))) rc = -1;
    for (size_t at = 0; !rc && at < n; at += BATCH) {
        size_t m = n - at < BATCH ? n - at : BATCH, good = 0;
#pragma omp parallel for schedule(dynamic, 1)
        for (size_t k = 0; k < m; k++) {
            r->got[k] = (described_t){.err = {.code = ERR_OK}};
            make(ctx, &d, at + k, &r->got[k]);
            progress_step(bar, 1, r->got[k].err.code != ERR_OK);
        }
        for (size_t k = 0; k < m; k++) {
            if (r->got[k].err.code == ERR_OK) r->who[good++] = k;
            else log_msg(log, LOG_ERROR, "%s", r->got[k].err.msg), ++*failed;
        }
        for (int k = 0; !rc && k < 2; k++)
            if (e[k]) rc = embed(e[k], poses[k], r, good, r->cubes, r->z[k], err);
        for (size_t k = 0; !rc && k < good; k++)
            rc = take(ctx, at + r->who[k], &r->got[r->who[k]].rec, e[0] ? r->z[0] + k * poses[0] * e[0]->d : NULL,
                      e[1] ? r->z[1] + k * poses[1] * e[1]->d : NULL, err);
        for (size_t k = 0; k < m; k++) described_free(&r->got[k]);
    }
    progress_end(bar);
    if (r) {
        describe_end(&d);
        mem_free(r->cubes);
        mem_free(r->z[0]);
        mem_free(r->z[1]);
    }
    mem_free(r);
    return rc;
}
