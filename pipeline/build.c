/* build: an index from a manifest, on all cores (see build.h). */
#include "pipeline/build.h"

#include <assert.h>

#include "base/mem.h"
#include "base/progress.h"
#include "pipeline/embed.h"
#include "pipeline/unique.h"

typedef struct {
    const item_t *first;        /* of the manifest */
    const unsigned char *again; /* an id that came before */
    const log_t *log;
    index_t *x;
    size_t failed;
} sink_t;

/* Add what was described, in order. */
static int take(void *ctx, const item_t *it, const described_t *got, const float *z, err_t *err)
{
    sink_t *s = ctx;
    if (got->err.code != ERR_OK) {
        log_msg(s->log, LOG_WARN, "left out: %s", got->err.msg);
        s->failed++;
        return 0;
    }
    if (s->again[it - s->first]) {
        log_msg(s->log, LOG_WARN, "left out: %s: id %s: an entry before it has the same", it->path, it->id);
        s->failed++;
        return 0;
    }
    if (got->rec.kind == ITEM_MAP || (s->log && s->log->level >= LOG_DEBUG)) log_notes(s->log, it->path, &got->notes);
    return index_add(s->x, it, &got->rec, z, err);
}

/* Without embeddings. */
static int describe_all(const manifest_t *m, const describer_t *d, progress_t *bar, sink_t *s, err_t *err)
{
    described_t *got = mem_zero(DESCRIBE_BATCH, sizeof *got, err);
    int rc = got ? 0 : -1;
    for (size_t at = 0; !rc && at < m->n; at += DESCRIBE_BATCH) {
        size_t n = m->n - at < DESCRIBE_BATCH ? m->n - at : DESCRIBE_BATCH;
        describe_many(d, m->item + at, n, s->again + at, got, bar);
        for (size_t i = 0; i < n; i++) {
            if (!rc) rc = take(s, &m->item[at + i], &got[i], NULL, err);
            described_free(&got[i]);
        }
    }
    mem_free(got);
    return rc;
}

int build_index(const manifest_t *m, describer_t *d, encoder_t *e, const log_t *log, index_t *x, size_t *failed, err_t *err)
{
    unsigned char *again = mem_new(m->n, 1, err);
    sink_t s = {.first = m->item, .again = again, .log = log, .x = x};
    int rc = again ? unique_mark(&m->item->id, sizeof *m->item, m->n, again, err) : -1;
    assert(!e || x->d == e->d);
    if (!rc) {
        progress_t *bar = progress_new(log, "index", "entries", m->n);
        rc = e ? embed_items(e, 1, d, m->item, m->n, bar, take, &s, err) : describe_all(m, d, bar, &s, err);
        progress_end(bar);
    }
    *failed = s.failed;
    mem_free(again);
    return rc;
}
