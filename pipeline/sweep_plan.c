/* sweep_plan: which items of a manifest are still to be done (see sweep_plan.h). */
#include "pipeline/sweep_plan.h"

#include <inttypes.h>
#include <lzma.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "config.h"
#include "pipeline/unique.h"

static uint64_t add(uint64_t crc, const void *p, size_t n) { return lzma_crc64(p, n, crc); }
static uint64_t add_text(uint64_t crc, const char *s) { return s ? add(crc, s, strlen(s) + 1) : add(crc, "\377", 1); }

bool sweep_plan_in_shard(const char *id, size_t shard, size_t shards) { return shards < 2 || add_text(0, id) % shards == shard - 1; }

/* What the results of all items depend on. */
static uint64_t sign_run(const sweeprun_t *run) { return add_text(add_text(add_text(0, run->model), run->index), run->options); }

/* By size and time. One that is not there counts as of no size. */
static uint64_t add_file(uint64_t crc, const char *path)
{
    struct stat st;
    int64_t file[3] = {0};
    if (!stat(path, &st)) {
        file[0] = st.st_size;
        file[1] = st.st_mtim.tv_sec;
        file[2] = st.st_mtim.tv_nsec;
    }
    return add(crc, file, sizeof file);
}

/* And those of one. 0, or -1. */
static int sign_item(uint64_t all, const sweepjob_t *job, const sweeprun_t *run, const item_t *it, task_t *t, err_t *err)
{
    const double real[] = {it->contour, it->resolution, it->apix};
    char *header = NULL;
    int with = job->header ? job->header(job->ctx, it, &header, err) : 0;
    if (with < 0) return -1;
    uint64_t crc = add(add_file(all, it->path), &it->kind, sizeof it->kind);
    if (it->half) crc = add_file(add_text(crc, it->half), it->half);
    if (with) crc = add_file(add_text(crc, header), header);
    mem_free(header);
    for (size_t i = 0; i < sizeof real / sizeof *real; i++) crc = real[i] == real[i] ? add(crc, &real[i], sizeof *real) : add_text(crc, NULL);
    crc = add_text(add_text(crc, it->assembly), it->title);
    snprintf(t->sig, sizeof t->sig, "%016" PRIx64, crc);
    snprintf(t->skip, sizeof t->skip, "%016" PRIx64, add_text(crc, run->filters));
    return 0;
}

/* What the ledger is of: the same, or told and refused; a new one, or with force, is told. */
static int check_run(const sweepopts_t *o, const sweeprun_t *run, ledger_t *l, err_t *err)
{
    const char *const fact[][2] = {{"model", run->model}, {"index", run->index}, {"options", run->options}};
    char frames[16];
    int rc = 0;
    for (size_t i = 0; !rc && i < sizeof fact / sizeof *fact; i++) {
        char *had = NULL;
        rc = ledger_get(l, fact[i][0], &had, err);
        if (!rc && *had && strcmp(had, fact[i][1]) != 0 && !o->force)
            rc = err_set(err, ERR_USAGE, "sweep: %s holds a sweep with the %s %s (now %s): give another folder, or --force to do all again", o->dir, fact[i][0],
                         had, fact[i][1]);
        if (!rc) rc = ledger_set(l, fact[i][0], fact[i][1], err);
        mem_free(had);
    }
    snprintf(frames, sizeof frames, "%d", run->frames);
    const char *const more[][2] = {{"program", PACKAGE_STRING}, {"filters", run->filters}, {"columns", run->columns}, {"frames", frames}};
    for (size_t i = 0; !rc && i < sizeof more / sizeof *more; i++) rc = ledger_set(l, more[i][0], more[i][1], err);
    return rc;
}

static bool to_do(const sweepopts_t *o, const ledgeritem_t *it, const task_t *t)
{
    switch (it->state) {
    case LEDGER_DONE: return o->force || strcmp(it->sig, t->sig) != 0;
    case LEDGER_FAILED: return o->force || o->retry_failed || strcmp(it->sig, t->sig) != 0;
    case LEDGER_SKIPPED: return o->force || strcmp(it->sig, t->skip) != 0;
    default: return true;
    }
}

/* again[i] where item i has id and path of an earlier one. */
static int mark_twice(const manifest_t *m, unsigned char *again, err_t *err)
{
    char **key = mem_zero(m->n, sizeof *key, err);
    int rc = key ? 0 : -1;
    for (size_t i = 0; !rc && i < m->n; i++) {
        size_t n = strlen(m->item[i].id) + strlen(m->item[i].path) + 2;
        if (!(key[i] = mem_new(n, 1, err))) rc = -1;
        else snprintf(key[i], n, "%s\n%s", m->item[i].id, m->item[i].path);
    }
    if (!rc) rc = unique_mark(key, sizeof *key, m->n, again, err);
    for (size_t i = 0; key && i < m->n; i++) mem_free(key[i]);
    mem_free(key);
    return rc;
}

static int enter(const sweepopts_t *o, const sweepjob_t *job, const sweeprun_t *run, const manifest_t *m, const unsigned char *again, ledger_t *l, sweepplan_t *p, sweepsum_t *sum, err_t *err)
{
    uint64_t all = sign_run(run), list = 0;
    char hash[17];
    if (check_run(o, run, l, err) || ledger_clear(l, err)) return -1;
    for (size_t i = 0; i < m->n; i++) list = add_text(add_text(list, m->item[i].id), m->item[i].path);
    snprintf(hash, sizeof hash, "%016" PRIx64, list);
    if (ledger_set(l, "manifest", hash, err)) return -1; /* places in it mean the same in all shards */
    for (size_t i = 0; i < m->n; i++) {
        const item_t *it = &m->item[i];
        task_t t = {.item = i, .slot = -1};
        ledgeritem_t known;
        if (p->tick && p->tick(p->ctx, err)) return -1;
        if (!sweep_plan_in_shard(it->id, o->shard, o->shards)) continue;
        if (again[i]) {
            sum->twice++;
            continue;
        }
        if (ledger_place(l, i, it->id, it->path, &known, err)) return -1;
        if (sign_item(all, job, run, it, &t, err)) return -1;
        t.row = known.row;
        sum->items++;
        if (!to_do(o, &known, &t)) sum->total[known.state]++;
        else if (known.state != LEDGER_PENDING && ledger_again(l, known.row, err)) return -1; /* so that no old result passes for a new one */
        else p->task[p->n++] = t;
    }
    return 0;
}

int sweep_plan_make(const sweepopts_t *o, const sweepjob_t *job, const sweeprun_t *run, const manifest_t *m, ledger_t *l, sweepplan_t *p, sweepsum_t *sum, err_t *err)
{
    unsigned char *again = mem_new(m->n, 1, err);
    p->task = mem_new(m->n, sizeof *p->task, err);
    p->n = 0;
    int rc = again && p->task && !mark_twice(m, again, err) && !ledger_begin(l, err) ? 0 : -1;
    if (!rc && !(rc = enter(o, job, run, m, again, l, p, sum, err))) rc = ledger_commit(l, err);
    mem_free(again);
    return rc;
}

void sweep_plan_free(sweepplan_t *p)
{
    mem_free(p->task);
    *p = (sweepplan_t){0};
}
