/* build: an index from a manifest, on all cores (see build.h). */
#include "pipeline/build.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/progress.h"
#include "pipeline/embed.h"
#include "pipeline/unique.h"

typedef struct {
    const item_t *first;        /* the items that are looked at */
    const size_t *row;          /* of the manifest, of each of them */
    const unsigned char *again; /* an id that came before, of each of them */
    const log_t *log;
    index_t *x;
    size_t failed;
} sink_t;

/* Add what was described, in order. */
static int take(void *ctx, const item_t *it, const described_t *got, const float *z, err_t *err)
{
    sink_t *s = ctx;
    const size_t i = (size_t)(it - s->first);
    if (got->err.code != ERR_OK) {
        log_msg(s->log, LOG_WARN, "left out: %s", got->err.msg);
        s->failed++;
        return 0;
    }
    if (s->again[i]) {
        log_msg(s->log, LOG_WARN, "left out: %s: id %s: an entry before it has the same", it->path, it->id);
        s->failed++;
        return 0;
    }
    if (got->rec.kind == ITEM_MAP || (s->log && s->log->level >= LOG_DEBUG)) log_notes(s->log, it->path, &got->notes);
    if (index_add(s->x, it, &got->rec, got->digest, z, err)) return -1;
    if (s->x->shards) s->x->position[s->x->n - 1] = s->row[i];
    return 0;
}

/* Without embeddings. */
static int describe_all(const item_t *item, size_t n, const describer_t *d, progress_t *bar, sink_t *s, err_t *err)
{
    described_t *got = mem_zero(DESCRIBE_BATCH, sizeof *got, err);
    int rc = got ? 0 : -1;
    for (size_t at = 0; !rc && at < n; at += DESCRIBE_BATCH) {
        size_t m = n - at < DESCRIBE_BATCH ? n - at : DESCRIBE_BATCH;
        describe_many(d, item + at, m, s->again + at, got, bar);
        for (size_t i = 0; i < m; i++) {
            if (!rc) rc = take(s, &item[at + i], &got[i], NULL, err);
            described_free(&got[i]);
        }
    }
    mem_free(got);
    return rc;
}

int build_index(const manifest_t *m, describer_t *d, encoder_t *e, const log_t *log, index_t *x, size_t *failed, err_t *err)
{
    unsigned char *again = mem_new(m->n, 1, err);
    size_t n = 0, step = x->shards ? x->shards : 1, *row = mem_new(m->n, sizeof *row, err);
    item_t *item = mem_new(m->n, sizeof *item, err);
    sink_t s = {.first = item, .row = row, .again = again, .log = log, .x = x};
    int rc = again && row && item ? unique_mark(&m->item->id, sizeof *m->item, m->n, again, err) : -1;
    assert(!e || x->d == e->d);
    for (size_t i = x->shards ? x->shard : 0; !rc && i < m->n; i += step, n++) {
        item[n] = m->item[i];
        row[n] = i;
        again[n] = again[i]; /* n <= i */
    }
    if (x->shards) x->items = m->n;
    d->digests = true;
    if (!rc) {
        progress_t *bar = progress_new(log, "index", "entries", n);
        rc = e ? embed_items(e, 1, d, item, n, bar, take, &s, err) : describe_all(item, n, d, bar, &s, err);
        progress_end(bar);
    }
    *failed = s.failed;
    mem_free(again);
    mem_free(row);
    mem_free(item);
    return rc;
}

/* ---- ranks ---- */

/* What every rank tells the others. */
typedef struct {
    uint32_t n[2], failed[2]; /* the low half first */
} tally_t;
enum { TALLY = sizeof(tally_t) / sizeof(float) };

static size_t whole(const uint32_t half[2]) { return (size_t)((uint64_t)half[1] << 32 | half[0]); }

static char *shard_path(const char *out, int rank, err_t *err)
{
    const size_t room = strlen(out) + 32;
    char *s = mem_new(room, 1, err);
    if (s) snprintf(s, room, "%s.shard-%d", out, rank);
    return s;
}

/* Write x, a shard, in full. */
static int put_shard(index_t *x, const char *out, int rank, err_t *err)
{
    char *path = shard_path(out, rank, err);
    x->store = (indexstore_t){.float32 = true, .exact = true};
    int rc = path ? index_write(path, x, err) : -1;
    mem_free(path);
    return rc;
}

/* Append the shard of a rank and remove its file. */
static int take_shard(index_t *x, const char *out, int rank, err_t *err)
{
    char *path = shard_path(out, rank, err);
    index_t part = {0};
    int rc = path ? index_read(path, INDEX_ALL, &part, err) : -1;
    if (!rc) rc = index_join(x, &part, err);
    if (!rc) unlink(path);
    index_free(&part);
    mem_free(path);
    return rc;
}

int build_gather(index_t *x, const char *out, const comm_t *c, size_t *failed, err_t *err)
{
    const uint64_t n = x->n, bad = *failed;
    tally_t own = {{(uint32_t)n, (uint32_t)(n >> 32)}, {(uint32_t)bad, (uint32_t)(bad >> 32)}};
    float mine[TALLY], *all = mem_new((size_t)c->size, sizeof mine, err);
    index_t joined = {.scoring = x->scoring};
    memcpy(mine, &own, sizeof own);
    int rc = all && (!c->rank || !n || !put_shard(x, out, c->rank, err)) ? 0 : -1;
    if (!rc) rc = c->gather(c, mine, TALLY, all, err); /* the files are there */
    if (!rc && !c->rank && n) rc = index_join(&joined, x, err);
    *failed = 0;
    for (int r = 0; !rc && r < c->size; r++) {
        memcpy(&own, all + (size_t)r * TALLY, sizeof own);
        *failed += whole(own.failed);
        if (!c->rank && r && whole(own.n)) rc = take_shard(&joined, out, r, err);
    }
    if (!rc) rc = index_whole(&joined, NULL, true, err);
    mem_free(all);
    index_free(x);
    *x = joined;
    x->store = (indexstore_t){0};
    return rc;
}
