/* build: an index from a manifest, on all cores (see build.h). */
#include "pipeline/build.h"

#include <omp.h>

#include "base/mem.h"
#include "base/progress.h"
#include "pipeline/unique.h"

enum { BATCH = 512 }; /* items described before they are added in order */

typedef struct {
    record_t rec;
    err_t err;
    notes_t notes;
} slot_t;

/* Each item on one thread: the parallel regions below it are nested and stay serial. */
static void describe_batch(const manifest_t *m, size_t at, size_t n, const unsigned char *again, const describer_t *d,
                           slot_t *slot, progress_t *bar)
{
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t i = 0; i < n; i++) {
        const item_t *it = &m->item[at + i];
        slot_t *s = &slot[i];
        if (again[at + i])
            err_set(&s->err, ERR_FORMAT, "%s: id %s: came before", it->path, it->id);
        else
            describe_file(d, it, &s->rec, &s->notes, &s->err);
        progress_step(bar, 1, s->err.code != ERR_OK);
    }
}

static int take_batch(const manifest_t *m, size_t at, size_t n, slot_t *slot, const log_t *log, index_t *x, size_t *failed,
                      err_t *err)
{
    int rc = 0;
    for (size_t i = 0; i < n; i++) {
        slot_t *s = &slot[i];
        const item_t *it = &m->item[at + i];
        if (s->err.code != ERR_OK) {
            log_msg(log, LOG_WARN, "left out: %s", s->err.msg);
            ++*failed;
        } else {
            if (log && log->level >= LOG_DEBUG) log_notes(log, it->path, &s->notes);
            if (!rc) rc = index_add(x, it, &s->rec, err);
        }
        record_free(&s->rec);
        notes_free(&s->notes);
        s->err = (err_t){0};
    }
    return rc;
}

int build_index(const manifest_t *m, const describer_t *d, const log_t *log, index_t *x, size_t *failed, err_t *err)
{
    unsigned char *again = mem_new(m->n, 1, err);
    slot_t *slot = mem_zero(BATCH, sizeof *slot, err);
    int rc = again && slot ? unique_mark(&m->item->id, sizeof *m->item, m->n, again, err) : -1;
    *failed = 0;
    omp_set_max_active_levels(1);
    progress_t *bar = rc ? NULL : progress_new(log, "index", "entries", m->n);
    for (size_t at = 0; !rc && at < m->n; at += BATCH) {
        size_t n = m->n - at < BATCH ? m->n - at : BATCH;
        describe_batch(m, at, n, again, d, slot, bar);
        rc = take_batch(m, at, n, slot, log, x, failed, err);
    }
    progress_end(bar);
    mem_free(slot);
    mem_free(again);
    return rc;
}
