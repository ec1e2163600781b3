/* train_valid: retrieval on the validation split (see train_valid.h). */
#include "pipeline/train_valid.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/mem.h"
#include "base/progress.h"
#include "base/rng.h"
#include "nn/reduce.h"

enum { ORDER = 41, VIEW = 42, CHUNK = 64, POSES = 4 }; /* what a seed is for; entries embedded at a time; poses of a query */

static void shuffle(size_t *x, size_t n, rng_t *r)
{
    for (size_t i = n; i > 1; i--) {
        size_t k = (size_t)(rng_unit(r) * (double)i), y = x[i - 1];
        x[i - 1] = x[k];
        x[k] = y;
    }
}

/* Usable entries: those of the validation split first, both parts in random order. */
static void choose(trainvalid_set_t *v, const trainopts_t *o)
{
    const traindata_t *t = v->data;
    rng_t r;
    size_t n = 0, valid;
    for (size_t i = 0; i < t->n; i++)
        if (t->usable[i] && t->set->split[i] == SPLIT_VALID) v->entry[n++] = i;
    valid = n;
    for (size_t i = 0; i < t->n; i++)
        if (t->usable[i] && t->set->split[i] != SPLIT_VALID) v->entry[n++] = i;
    rng_seed(&r, train_mix(o->seed, ORDER));
    shuffle(v->entry, valid, &r);
    shuffle(v->entry + valid, n - valid, &r);
    v->entries = n;
    v->queries = valid < o->valid_queries ? valid : o->valid_queries;
    v->gallery = o->valid_gallery < v->queries ? v->queries : o->valid_gallery < n ? o->valid_gallery : n;
}

/* Views of the queries; one that cannot be made drops out. */
static int make_views(trainvalid_set_t *v, const trainopts_t *o, const log_t *log, err_t *err)
{
    const traindata_t *t = v->data;
    size_t q = v->queries, f = t->e->features, kept = 0;
    float *room = mem_new((size_t)omp_get_max_threads(), t->cube * sizeof *room, err);
    unsigned char *good = mem_zero(q, 1, err);
    int rc = room && good ? 0 : -1;
    progress_t *bar = rc ? NULL : progress_new(log, "views for validation", "views", q);
    omp_set_max_active_levels(1);
#pragma omp parallel for schedule(dynamic, 1) if (!rc)
    for (size_t i = 0; i < (rc ? 0 : q); i++) {
        float *x = room + (size_t)omp_get_thread_num() * t->cube;
        uint64_t seed = train_mix(train_mix(o->seed, VIEW), v->query[i]);
        good[i] = !traindata_view(t, v->query[i], &o->view, seed, x, v->view_features + i * f, NULL);
        for (size_t k = 0; good[i] && k < t->cube; k++) v->views[i * t->cube + k] = (uint8_t)lrintf(255 * x[k]);
        progress_step(bar, 1, !good[i]);
    }
    progress_end(bar);
    for (size_t i = 0; !rc && i < q; i++)
        if (good[i]) {
            v->query[kept] = v->query[i];
            memmove(v->views + kept * t->cube, v->views + i * t->cube, t->cube);
            memmove(v->view_features + kept * f, v->view_features + i * f, f * sizeof(float));
            kept++;
        }
    if (!rc) v->queries = kept;
    mem_free(room);
    mem_free(good);
    return rc;
}

int trainvalid_new(const traindata_t *t, const trainopts_t *o, const comm_t *comm, const log_t *log, trainvalid_set_t *v,
                   err_t *err)
{
    *v = (trainvalid_set_t){.data = t, .comm = comm};
    if (!(v->entry = mem_new(t->n, sizeof *v->entry, err))) return -1;
    choose(v, o);
    if (!(v->query = mem_new(v->queries, sizeof *v->query, err)) || !(v->views = mem_new(v->queries, t->cube, err)) ||
        !(v->view_features = mem_new(v->queries, t->e->features * sizeof(float), err)))
        return -1;
    memcpy(v->query, v->entry, v->queries * sizeof *v->query);
    return make_views(v, o, log, err);
}

void trainvalid_free(trainvalid_set_t *v)
{
    mem_free(v->query);
    mem_free(v->views);
    mem_free(v->view_features);
    mem_free(v->entry);
    *v = (trainvalid_set_t){0};
}

/* Cubes in bytes (.., S^3) and their features (.., F); row (n), or NULL, says which of them are meant. */
typedef struct {
    const uint8_t *cubes;
    const float *features;
    const size_t *row;
} rows_t;

/* z (m, poses, d) of number from to from + m. */
static int embed_rows(const traindata_t *t, encoder_t *e, const rows_t *in, size_t from, size_t m, size_t poses, float *z, err_t *err)
{
    size_t f = e->features;
    float *x = mem_new(CHUNK, t->cube * sizeof *x, err), *g = mem_new(CHUNK, f * sizeof *g, err);
    int rc = x && g ? 0 : -1;
    for (size_t at = 0; !rc && at < m; at += CHUNK) {
        size_t n = m - at < CHUNK ? m - at : CHUNK;
        for (size_t i = 0; i < n; i++) {
            size_t r = in->row ? in->row[from + at + i] : from + at + i;
            for (size_t k = 0; k < t->cube; k++) x[i * t->cube + k] = (float)in->cubes[r * t->cube + k] * (1.0f / 255);
            if (f) memcpy(g + i * f, in->features + r * f, f * sizeof *g);
        }
        rc = encoder_embed_poses(e, n, x, g, (int)poses, z + at * poses * e->d, err);
    }
    mem_free(x);
    mem_free(g);
    return rc;
}

/* Poses in which the query of a model is tried. */
static size_t poses_of(const encoder_t *e) { return e->frames == 1 ? POSES : 1; }

/* z (n, poses, d), on every rank all of it, each having made a share; z has room for up to K - 1 rows more. */
static int embed(const trainvalid_set_t *v, encoder_t *e, const rows_t *in, size_t n, size_t poses, float *z, err_t *err)
{
    size_t k = (size_t)v->comm->size, per = (n + k - 1) / k, from = (size_t)v->comm->rank * per, row = poses * e->d;
    if (k == 1) return embed_rows(v->data, e, in, 0, n, poses, z, err);
    float *mine = mem_zero(per, row * sizeof *mine, err);
    if (!mine) return -1;
    if (from > n) from = n;
    int rc = embed_rows(v->data, e, in, from, n - from < per ? n - from : per, poses, mine, err);
    if (!rc) rc = v->comm->gather(v->comm, mine, per * row, z, err);
    mem_free(mine);
    return rc;
}

typedef struct {
    double top1, top5, top10, mrr;
    size_t n;
} tally_t;

static void count_rank(tally_t *t, size_t rank)
{
    t->n++;
    t->top1 += rank <= 1;
    t->top5 += rank <= 5;
    t->top10 += rank <= 10;
    t->mrr += 1 / (double)rank;
}

/* Whether two entries share a cluster. */
static bool share_cluster(const lists_t *l, size_t a, size_t b)
{
    size_t i = l->at[a], k = l->at[b];
    while (i < l->at[a + 1] && k < l->at[b + 1]) {
        if (l->item[i] == l->item[k]) return true;
        if (l->item[i] < l->item[k])
            i++;
        else
            k++;
    }
    return false;
}

/* 1 + how many of the n others lie nearer to z than the nearest of those with label `want`; as near counts as nearer. */
static size_t rank_of(const float *z, size_t poses, const float *others, size_t n, size_t d, const uint64_t *label, uint64_t want,
                      double *score)
{
    double best = -INFINITY;
    size_t rank = 1;
    for (size_t j = 0; j < n; j++) {
        score[j] = -INFINITY;
        for (size_t p = 0; p < poses; p++) score[j] = fmax(score[j], reduce_dot(z + p * d, others + j * d, d));
        if (label[j] == want && score[j] > best) best = score[j];
    }
    for (size_t j = 0; j < n; j++) rank += label[j] != want && !(score[j] < best);
    return rank;
}

/* Views (Q, d) against clean cubes (G, d) of entries. */
static int search_views(const trainvalid_set_t *v, const float *views, size_t poses, const float *clean, size_t g, size_t d,
                        trainvalid_t *out, err_t *err)
{
    const lists_t *l = &v->data->set->clusters;
    double *score = mem_new(g, sizeof *score, err);
    uint64_t *label = mem_new(g, sizeof *label, err);
    tally_t t = {0};
    size_t with = 0, hit = 0;
    for (size_t j = 0; label && j < g; j++) label[j] = v->entry[j];
    for (size_t i = 0; score && label && i < v->queries; i++) {
        size_t entry = v->query[i], top = 0;
        count_rank(&t, rank_of(views + i * poses * d, poses, clean, g, d, label, entry, score));
        for (size_t j = 1; j < g; j++)
            if (score[j] > score[top]) top = j;
        if (l->at[entry] == l->at[entry + 1]) continue;
        with++;
        hit += v->entry[top] == entry || share_cluster(l, entry, v->entry[top]);
    }
    double n = (double)v->queries;
    out->queries = v->queries;
    out->gallery = g;
    out->top1 = t.top1 / n;
    out->top5 = t.top5 / n;
    out->top10 = t.top10 / n;
    out->mrr = t.mrr / n;
    out->cluster1 = with ? (double)hit / (double)with : 0;
    int rc = score && label ? 0 : -1;
    mem_free(score);
    mem_free(label);
    return rc;
}

/* t (d) = weight (d, dim) text, at unit length. */
static void project(const float *weight, const float *text, size_t d, size_t dim, float *t)
{
    double sq = 0;
    for (size_t j = 0; j < d; j++) {
        double y = reduce_dot(weight + j * dim, text, dim);
        t[j] = (float)y;
        sq += y * y;
    }
    double scale = sq > 0 ? 1 / sqrt(sq) : 0;
    for (size_t j = 0; j < d; j++) t[j] = (float)((double)t[j] * scale);
}

/* Structures of the queries that have a caption against the captions of all of them. clean: rows of the queries. */
static int search_texts(const trainvalid_set_t *v, const float *views, size_t poses, const float *clean, const float *weight, size_t d,
                        trainvalid_t *out, err_t *err)
{
    const dataset_t *s = v->data->set;
    size_t n = 0, *row = mem_new(v->queries, sizeof *row, err);
    float *t = mem_new(v->queries, d * sizeof *t, err);
    double *score = mem_new(v->queries, sizeof *score, err);
    uint64_t *label = mem_new(v->queries, sizeof *label, err);
    tally_t of_clean = {0}, of_view = {0};
    int rc = row && t && score && label ? 0 : -1;
    for (size_t i = 0; !rc && i < v->queries; i++) {
        size_t entry = v->query[i], at = s->caption_at[entry];
        if (at == s->caption_at[entry + 1]) continue;
        project(weight, s->text + at * s->dim, d, s->dim, t + n * d);
        label[n] = v->data->meaning[entry];
        row[n++] = i;
    }
    for (size_t i = 0; !rc && i < n; i++) {
        count_rank(&of_clean, rank_of(clean + row[i] * d, 1, t, n, d, label, label[i], score));
        count_rank(&of_view, rank_of(views + row[i] * poses * d, poses, t, n, d, label, label[i], score));
    }
    if (!rc && n) {
        out->texts = n;
        out->text1 = of_clean.top1 / (double)n;
        out->text5 = of_clean.top5 / (double)n;
        out->text10 = of_clean.top10 / (double)n;
        out->text_mrr = of_clean.mrr / (double)n;
        out->view_text_mrr = of_view.mrr / (double)n;
    }
    mem_free(row);
    mem_free(t);
    mem_free(score);
    mem_free(label);
    return rc;
}

int trainvalid_run(const trainvalid_set_t *v, encoder_t *e, const float *text, bool all, trainvalid_t *out, err_t *err)
{
    const traindata_t *t = v->data;
    size_t p = poses_of(e), g = all ? v->entries : v->gallery, more = (size_t)v->comm->size;
    *out = (trainvalid_t){0};
    if (!v->queries) return 0;
    const rows_t asked = {v->views, v->view_features, NULL}, sought = {t->cubes, t->features, v->entry};
    float *views = mem_new(v->queries + more, p * e->d * sizeof *views, err), *clean = mem_new(g + more, e->d * sizeof *clean, err),
          *own = mem_new(v->queries + more, e->d * sizeof *own, err);
    int rc = views && clean && own ? encoder_ready(e, err) : -1;
    if (!rc) rc = embed(v, e, &asked, v->queries, p, views, err);
    if (!rc) rc = embed(v, e, &sought, g, 1, clean, err);
    if (!rc) rc = search_views(v, views, p, clean, g, e->d, out, err);
    if (!rc && text) { /* queries are among the first entries, in order, but for those without a view */
        for (size_t i = 0, j = 0; i < v->queries; i++, j++) {
            while (v->entry[j] != v->query[i]) j++;
            memcpy(own + i * e->d, clean + j * e->d, e->d * sizeof *own);
        }
        rc = search_texts(v, views, p, own, text, e->d, out, err);
    }
    mem_free(views);
    mem_free(clean);
    mem_free(own);
    return rc;
}

double trainvalid_score(const trainvalid_t *r, const trainopts_t *o)
{
    double view = o->weight_view, text = r->texts ? o->weight_text : 0;
    if (!(view + text > 0)) view = 1;
    return (view * r->mrr + text * (r->text_mrr + r->view_text_mrr) / 2) / (view + text);
}
