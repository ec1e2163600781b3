/* dataset_build: a dataset from a manifest of models (see dataset_build.h). */
#include "pipeline/dataset_build.h"

#include <ctype.h>
#include <omp.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/progress.h"
#include "pdb/pdb.h"
#include "pipeline/dataset_atoms.h"
#include "pipeline/dataset_facts.h"
#include "pipeline/dataset_text.h"
#include "pipeline/similar.h"
#include "pipeline/unique.h"

enum { BATCH = 256 };

void dataset_pdb_id(const char *id, char out[5])
{
    size_t n = 0;
    *out = 0;
    if (!isdigit((unsigned char)id[0]) || id[0] == '0') return;
    while (isalnum((unsigned char)id[n])) n++;
    if (n != 4) return;
    for (size_t i = 0; i < 4; i++) out[i] = (char)tolower((unsigned char)id[i]);
    out[4] = 0;
}

/* ---- one model ---- */

typedef struct {
    model_t *model;
    membrane_t span;
    notes_t notes;
    err_t err;
} got_t;

static void got_free(got_t *g)
{
    model_free(g->model);
    notes_free(&g->notes);
    *g = (got_t){0};
}

static void read_one(const item_t *it, got_t *g)
{
    itemkind_t kind = it->kind != ITEM_AUTO ? it->kind : manifest_kind(it->path);
    if (kind == ITEM_MAP) {
        err_set(&g->err, ERR_UNSUP, "%s: a map (a dataset is made of models)", it->path);
        return;
    }
    g->model = pdb_read(it->path, it->assembly, &g->notes, &g->err);
    if (g->model && membrane_find(g->model, &g->span, &g->err)) {
        model_free(g->model);
        g->model = NULL;
    }
    err_prefix(&g->err, it->path);
}

static void read_many(const item_t *it, size_t n, const unsigned char *again, got_t *got, progress_t *bar)
{
    omp_set_max_active_levels(1);
#pragma omp parallel for schedule(dynamic, 1) if (n > 1)
    for (size_t i = 0; i < n; i++) {
        if (again[i]) err_set(&got[i].err, ERR_FORMAT, "%s: id %s: an entry before it has the same", it[i].path, it[i].id);
        else read_one(&it[i], &got[i]);
        progress_step(bar, 1, got[i].err.code != ERR_OK);
    }
}

/* ---- all of them ---- */

typedef struct {
    dataset_t *d;
    const item_t **item; /* of each entry */
    uint8_t *given;      /* side that the manifest wants; SPLITS: none */
    char (*pdb)[5];
} entries_t;

static uint8_t side_of(const item_t *it)
{
    uint8_t s = 0;
    while (s < SPLITS && !(it->split && !strcmp(it->split, split_name[s]))) s++;
    return s;
}

/* Add what was read, in order. */
static int take(const item_t *it, size_t n, got_t *got, const log_t *log, entries_t *e, size_t *failed, err_t *err)
{
    dataset_t *d = e->d;
    int rc = 0;
    for (size_t i = 0; i < n; i++) {
        got_t *g = &got[i];
        if (!rc && g->model && atoms_add(d->atoms, g->model, &g->err)) {
            if (g->err.code == ERR_NOMEM) rc = err_set(err, ERR_NOMEM, "%s", g->err.msg);
            err_prefix(&g->err, it[i].path);
        }
        if (g->err.code != ERR_OK) {
            log_msg(log, LOG_WARN, "left out: %s", g->err.msg);
            ++*failed;
        } else if (!rc) {
            if (log && log->level >= LOG_DEBUG) log_notes(log, it[i].path, &g->notes);
            dataset_pdb_id(it[i].id, e->pdb[d->n]);
            if (!*e->pdb[d->n]) dataset_pdb_id(g->model->facts.id, e->pdb[d->n]);
            e->item[d->n] = &it[i];
            e->given[d->n] = side_of(&it[i]);
            d->span[d->n++] = g->span;
        }
        got_free(g);
    }
    return rc;
}

static int read_all(const manifest_t *m, const log_t *log, entries_t *e, size_t *failed, err_t *err)
{
    unsigned char *again = mem_new(m->n, 1, err);
    got_t *got = mem_zero(BATCH, sizeof *got, err);
    int rc = again && got ? unique_mark(&m->item->id, sizeof *m->item, m->n, again, err) : -1;
    progress_t *bar = rc ? NULL : progress_new(log, "dataset", "models", m->n);
    for (size_t at = 0; !rc && at < m->n; at += BATCH) {
        size_t n = m->n - at < BATCH ? m->n - at : BATCH;
        read_many(m->item + at, n, again + at, got, bar);
        rc = take(m->item + at, n, got, log, e, failed, err);
    }
    progress_end(bar);
    mem_free(got);
    mem_free(again);
    return rc;
}

static int name_entries(entries_t *e, err_t *err)
{
    dataset_t *d = e->d;
    const char **s = mem_new(d->n, sizeof *s, err);
    if (!s) return -1;
    for (size_t i = 0; i < d->n; i++) s[i] = e->item[i]->id;
    d->id = vocab_strings(s, d->n, err);
    for (size_t i = 0; i < d->n; i++) s[i] = e->pdb[i];
    d->pdb = vocab_strings(s, d->n, err);
    mem_free(s);
    return d->id && d->pdb ? 0 : -1;
}

int dataset_build(const manifest_t *m, const dataset_opts_t *o, const log_t *log, dataset_t *d, size_t *failed, err_t *err)
{
    *d = (dataset_t){.seed = o->split.seed};
    *failed = 0;
    entries_t e = {.d = d,
                   .item = mem_new(m->n, sizeof *e.item, err),
                   .given = mem_new(m->n, 1, err),
                   .pdb = mem_new(m->n, sizeof *e.pdb, err)};
    int rc = -1;
    if (!e.item || !e.given || !e.pdb || !(d->span = mem_zero(m->n, sizeof *d->span, err)) || !(d->atoms = atoms_new(err)) ||
        read_all(m, log, &e, failed, err))
        goto done;
    if (!d->n) {
        err_set(err, ERR_FORMAT, "none of %zu entries could be read as a model", m->n);
        goto done;
    }
    if (!(d->caption_at = mem_zero(d->n + 1, sizeof *d->caption_at, err)) || name_entries(&e, err) ||
        facts_add(d, e.item, o->annot, o->maps, log, err) || similar_chains(d->atoms, &d->sequence, &d->sequences, err) ||
        split_make(d, &o->split, e.given, err) ||
        (o->annot && o->text && text_add(d, o->annot, o->text, o->variants, o->split.seed, log, err)))
        goto done;
    rc = 0;
done:
    mem_free(e.item);
    mem_free(e.given);
    mem_free(e.pdb);
    if (rc) dataset_free(d);
    return rc;
}
