/* build: an index from a manifest, on all cores (see build.h). */
#include "pipeline/build.h"

#include "base/mem.h"
#include "base/progress.h"
#include "pipeline/unique.h"

/* Add what was described, in order. */
static int take(const item_t *it, size_t n, const unsigned char *again, described_t *got, const log_t *log, index_t *x,
                size_t *failed, err_t *err)
{
    int rc = 0;
    for (size_t i = 0; i < n; i++) {
        described_t *g = &got[i];
        if (again[i]) err_set(&g->err, ERR_FORMAT, "%s: id %s: an entry before it has the same", it[i].path, it[i].id);
        if (g->err.code != ERR_OK) {
            log_msg(log, LOG_WARN, "left out: %s", g->err.msg);
            ++*failed;
        } else {
            if (log && log->level >= LOG_DEBUG) log_notes(log, it[i].path, &g->notes);
            if (!rc) rc = index_add(x, &it[i], &g->rec, err);
        }
        described_free(g);
    }
    return rc;
}

int build_index(const manifest_t *m, const describer_t *d, const log_t *log, index_t *x, size_t *failed, err_t *err)
{
    unsigned char *again = mem_new(m->n, 1, err);
    described_t *got = mem_zero(DESCRIBE_BATCH, sizeof *got, err);
    int rc = again && got ? unique_mark(&m->item->id, sizeof *m->item, m->n, again, err) : -1;
    *failed = 0;
    progress_t *bar = rc ? NULL : progress_new(log, "index", "entries", m->n);
    for (size_t at = 0; !rc && at < m->n; at += DESCRIBE_BATCH) {
        size_t n = m->n - at < DESCRIBE_BATCH ? m->n - at : DESCRIBE_BATCH;
        describe_many(d, m->item + at, n, again + at, got, bar);
        rc = take(m->item + at, n, again + at, got, log, x, failed, err);
    }
    progress_end(bar);
    mem_free(got);
    mem_free(again);
    return rc;
}
