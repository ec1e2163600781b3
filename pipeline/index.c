/* index: the descriptors of many entries in memory (see index.h; the file is index_h5.c). */
#include "pipeline/index.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"
#include "voxel/encoder.h"
#include "pipeline/unique.h"

const char *const index_text_name[INDEX_TEXTS] = {"id",        "path",    "kind",  "title", "method", "molecules",
                                                  "organisms", "caption", "terms", "group", "split",  "pair",  "resolution", "clusters", "digest"};

/* The numeric arrays that have a row an entry. */
typedef struct {
    void *at; /* of the array's pointer */
    size_t size;
} part_t;
enum { PARTS = 7 };

static void parts_of(index_t *x, part_t part[PARTS])
{
    const part_t all[PARTS] = {{&x->rg, sizeof *x->rg},
                               {&x->volume, sizeof *x->volume},
                               {&x->cube, DESC_LEN},
                               {&x->zernike, DESCRIBE_ZERNIKE * sizeof(float)},
                               {&x->profile, DESCRIBE_PROFILE * sizeof(float)},
                               {&x->z, x->d * sizeof *x->z},
                               {&x->position, x->shards ? sizeof *x->position : 0}};
    memcpy(part, all, sizeof all);
}

static int reserve(index_t *x, size_t want, err_t *err)
{
    size_t cap, grown = 0;
    part_t part[PARTS];
    if (want <= x->cap) return 0;
    for (int c = 0; c < INDEX_TEXTS; c++) {
        grown = x->cap;
        if (mem_grow(&x->text[c], &grown, want, sizeof *x->text[c], err)) return -1;
    }
    parts_of(x, part);
    for (size_t i = 0; i < PARTS; i++) {
        void *old;
        memcpy(&old, part[i].at, sizeof old);
        cap = old ? x->cap : 0;
        if (part[i].size && mem_grow(part[i].at, &cap, grown, part[i].size, err)) return -1;
    }
    x->cap = grown;
    return 0;
}

size_t index_poses(const index_t *x) { return x->frames == 1 ? ENCODER_POSES : 1; }

int index_add(index_t *x, const item_t *it, const record_t *r, const char *digest, const float *z, err_t *err)
{
    if (reserve(x, x->n + 1, err)) return -1;
    char resolution[32] = "";
    if (r->resolution > 0) snprintf(resolution, sizeof resolution, "%.4g", (double)r->resolution);
    const char *text[INDEX_TEXTS] = {it->id,       it->path,     r->kind == ITEM_MAP ? "map" : "model",
                                     r->title,     r->method,    r->molecules,
                                     r->organisms, it->caption,  it->terms,
                                     it->group,    it->split,    it->pair,
                                     resolution,   "",           digest};
    size_t i = x->n;
    for (int c = 0; c < INDEX_TEXTS; c++) {
        x->text[c][i] = mem_str(text[c] ? text[c] : "", err);
        if (x->text[c][i]) continue;
        while (c-- > 0) mem_free(x->text[c][i]);
        return -1;
    }
    x->rg[i] = r->rg;
    x->volume[i] = r->volume;
    memcpy(x->cube + i * DESC_LEN, r->cube, DESC_LEN);
    memcpy(x->zernike + i * DESCRIBE_ZERNIKE, r->zernike, sizeof r->zernike);
    memcpy(x->profile + i * DESCRIBE_PROFILE, r->profile, sizeof r->profile);
    if (x->d) memcpy(x->z + i * x->d, z, x->d * sizeof *z);
    x->n++;
    return 0;
}

/* A string of its own, not one that was read with its column. */
static bool own_string(const index_t *x, int c, const char *s)
{
    return !x->block[c] || s < x->block[c] || s >= x->block[c] + x->block_bytes[c];
}

void index_free(index_t *x)
{
    for (int c = 0; c < INDEX_TEXTS; c++) {
        for (size_t i = 0; x->text[c] && i < x->n; i++)
            if (own_string(x, c, x->text[c][i])) mem_free(x->text[c][i]);
        mem_free(x->text[c]);
        mem_free(x->block[c]);
    }
    mem_free(x->rg);
    mem_free(x->volume);
    if (!x->map) mem_free(x->cube);
    if (x->map) munmap(x->map, x->map_bytes);
    mem_free(x->zernike);
    mem_free(x->profile);
    mem_free(x->z);
    mem_free(x->position);
    terms_free(&x->terms);
    *x = (index_t){0};
}

int index_of_model(const index_t *x, const char *path, const char *hash, const char *model, err_t *err)
{
    if (!x->d)
        return err_set(err, ERR_UNSUP, "%s: the index has no embeddings (cryolex index build -m %s makes one that has)", path, model);
    if (!strcmp(x->model, hash)) return 0;
    return err_set(err, ERR_UNSUP, "%s: an index of model %s (%s is model %s): build the index again with it", path, x->model, model, hash);
}

/* What both can have in common. */
static int same_kind(index_t *x, const index_t *from, err_t *err)
{
    if (!x->n) {
        x->d = from->d;
        x->frames = from->frames;
        memcpy(x->model, from->model, sizeof x->model);
        x->scoring = from->scoring;
        x->evidence = from->evidence;
        x->scored = from->scored;
        x->store = from->store;
        x->shards = from->shards;
        x->items = from->items;
    }
    if (x->shards != from->shards || x->items != from->items)
        return err_set(err, ERR_UNSUP, from->shards ? "shard %zu of %zu, of a manifest of %zu (those before are of another)" : "no shard (those before are)",
                       from->shard + 1, from->shards, from->items);
    if (x->d != from->d || strcmp(x->model, from->model) != 0)
        return err_set(err, ERR_UNSUP, "embeddings of model %s (those before are of %s)", *from->model ? from->model : "none",
                       *x->model ? x->model : "none");
    if (!from->zernike) x->store.no_zernike = true;
    if (!from->profile) x->store.no_profile = true;
    return 0;
}

static int join_terms(index_t *x, size_t n, const index_t *from, err_t *err)
{
    terms_t add = from->terms;
    if (!x->terms.n) x->terms.entries = n;
    if (!add.n) add.entries = from->n;
    if (!x->terms.n && !add.n) return 0;
    return terms_join(&x->terms, &add, err);
}

int index_append(index_t *x, const index_t *from, err_t *err)
{
    size_t n = x->n;
    part_t to[PARTS], add[PARTS];
    index_t source = *from;
    if (same_kind(x, from, err) || reserve(x, n + from->n, err) || join_terms(x, n, from, err)) return -1;
    for (size_t i = 0; i < from->n; i++) {
        for (int c = 0; c < INDEX_TEXTS; c++)
            if (!(x->text[c][x->n] = mem_str(from->text[c][i], err))) {
                while (c-- > 0) mem_free(x->text[c][x->n]);
                return -1;
            }
        x->n++;
    }
    parts_of(x, to);
    parts_of(&source, add);
    for (size_t k = 0; k < PARTS; k++) {
        char *p;
        const char *q;
        memcpy(&p, to[k].at, sizeof p);
        memcpy(&q, add[k].at, sizeof q);
        if (to[k].size && q) memcpy(p + n * to[k].size, q, from->n * to[k].size);
        else if (to[k].size) memset(p + n * to[k].size, 0, from->n * to[k].size);
    }
    return 0;
}

int index_join(index_t *x, const index_t *from, err_t *err)
{
    if (index_append(x, from, err)) return -1;
    size_t d = index_duplicate(x);
    return d < x->n ? err_set(err, ERR_FORMAT, "id %s: occurs twice", x->text[INDEX_ID][d]) : 0;
}

/* One array by rows. */
static int select_rows(const part_t *part, const size_t *row, size_t n, err_t *err)
{
    char *old, *new;
    memcpy(&old, part->at, sizeof old);
    if (!old || !part->size) return 0;
    if (!(new = mem_new(n, part->size, err))) return -1;
    for (size_t i = 0; i < n; i++) memcpy(new + i * part->size, old + row[i] * part->size, part->size);
    mem_free(old);
    memcpy(part->at, &new, sizeof new);
    return 0;
}

int index_select(index_t *x, const size_t *row, size_t n, err_t *err)
{
    part_t part[PARTS];
    unsigned char *stays = mem_zero(x->n, 1, err);
    char **text = mem_new(x->n, sizeof *text, err);
    assert(!x->map);
    parts_of(x, part);
    int rc = stays && text && !terms_select(&x->terms, row, n, err) ? 0 : -1;
    for (size_t k = 0; !rc && k < PARTS; k++) rc = select_rows(&part[k], row, n, err);
    for (size_t i = 0; !rc && i < n; i++) stays[row[i]] = 1;
    for (int c = 0; !rc && c < INDEX_TEXTS; c++) {
        memcpy(text, x->text[c], x->n * sizeof *text);
        for (size_t i = 0; i < x->n; i++)
            if (!stays[i] && own_string(x, c, text[i])) mem_free(text[i]);
        for (size_t i = 0; i < n; i++) x->text[c][i] = text[row[i]];
    }
    if (!rc) x->n = x->cap = n;
    mem_free(stays);
    mem_free(text);
    return rc;
}

/* ---- shards ---- */

typedef struct {
    uint64_t position;
    size_t row;
} place_t;

static int by_position(const void *a, const void *b)
{
    const place_t *p = a, *q = b;
    return p->position < q->position ? -1 : p->position > q->position;
}

int index_whole(index_t *x, const unsigned char *joined, bool partial, err_t *err)
{
    if (!x->shards) return 0;
    for (size_t i = 0; !partial && i < x->shards && i < x->items; i++)
        if (!joined[i]) return err_set(err, ERR_FORMAT, "shard %zu/%zu is missing (--partial goes without)", i + 1, x->shards);
    place_t *p = mem_new(x->n, sizeof *p, err);
    size_t *row = mem_new(x->n, sizeof *row, err);
    int rc = p && row ? 0 : -1;
    for (size_t i = 0; !rc && i < x->n; i++) p[i] = (place_t){x->position[i], i};
    if (!rc) qsort(p, x->n, sizeof *p, by_position);
    for (size_t i = 0; !rc && i < x->n; i++) {
        row[i] = p[i].row;
        if (i && p[i].position == p[i - 1].position) rc = err_set(err, ERR_FORMAT, "row %llu of the manifest comes twice", (unsigned long long)p[i].position);
    }
    if (!rc) rc = index_select(x, row, x->n, err);
    mem_free(p);
    mem_free(row);
    mem_free(x->position);
    x->position = NULL;
    x->shards = x->shard = x->items = 0;
    return rc;
}

size_t index_duplicate(const index_t *x)
{
    unsigned char *again = mem_new(x->n, 1, NULL);
    size_t i = x->n;
    if (again && !unique_mark(x->text[INDEX_ID], sizeof **x->text, x->n, again, NULL))
        for (i = 0; i < x->n && !again[i];) i++;
    mem_free(again);
    return i;
}
