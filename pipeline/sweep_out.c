/* sweep_out: what a sweep found, from its ledgers into files (see sweep_out.h). */
#include "pipeline/sweep_out.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/tsv.h"
#include "pipeline/vectors.h"

void sweep_out_free(sweepout_t *o)
{
    for (size_t i = 0; i < o->causes; i++) {
        mem_free(o->cause[i].cause);
        mem_free(o->cause[i].first);
    }
    mem_free(o->cause);
    *o = (sweepout_t){0};
}

/* ---- ledgers ---- */

/* Ledgers that are walked side by side, in the order of the manifest. */
typedef struct {
    ledger_t **l;
    ledgerrow_t *row; /* of each; the next one */
    bool *more;
    size_t n, cap;
} walk_t;

static void walk_free(walk_t *w)
{
    for (size_t i = 0; i < w->n; i++) ledger_close(w->l[i]);
    mem_free(w->l);
    mem_free(w->row);
    mem_free(w->more);
}

static int add_ledger(walk_t *w, const char *dir, err_t *err)
{
    err_t own = {0};
    ledger_t *l = ledger_open(dir, true, 0, &own);
    if (!l && own.code == ERR_NOTFOUND) return 0;
    if (!l) return err_set(err, own.code, "%s", own.msg);
    if (mem_grow(&w->l, &w->cap, w->n + 1, sizeof *w->l, err)) {
        ledger_close(l);
        return -1;
    }
    w->l[w->n++] = l;
    return 0;
}

/* Of how many parts the ledger in dir/name is one; 0: of none. path (4096) is that of the folder. */
static unsigned part_of(const char *dir, const char *name, char *path)
{
    unsigned i, n;
    char same[40];
    if (sscanf(name, "shard-%u-of-%u", &i, &n) != 2 || i < 1 || i > n || n < 2) return 0;
    snprintf(same, sizeof same, "shard-%u-of-%u", i, n); /* not shard-01-of-3 */
    if (strcmp(name, same) != 0) return 0;
    snprintf(path, 4096, "%s/%s", dir, name);
    return ledger_there(path) ? n : 0;
}

int sweep_out_parts(const char *dir, size_t *parts, err_t *err)
{
    char path[4096];
    DIR *d = opendir(dir);
    if (!d) return err_set(err, ERR_IO, "%s: %s", dir, strerror(errno));
    int rc = 0;
    *parts = ledger_there(dir);
    for (struct dirent *e; !rc && (e = readdir(d));) {
        unsigned n = part_of(dir, e->d_name, path);
        if (n && *parts == 1) rc = err_set(err, ERR_UNSUP, "%s: a sweep of its own and one in %u parts (%s): their results are not to be joined", dir, n, e->d_name);
        else if (n && *parts && *parts != n) rc = err_set(err, ERR_UNSUP, "%s: sweeps in %zu and in %u parts (%s): their results are not to be joined", dir, *parts, n, e->d_name);
        else if (n) *parts = n;
    }
    closedir(d);
    return rc;
}

/* All of dir: its own, or those of its parts. */
static int open_all(walk_t *w, const char *dir, size_t *parts, err_t *err)
{
    char path[4096];
    if (sweep_out_parts(dir, parts, err)) return -1;
    if (!*parts) return err_set(err, ERR_NOTFOUND, "%s: no sweep is there", dir);
    if (*parts == 1) return add_ledger(w, dir, err);
    DIR *d = opendir(dir);
    if (!d) return err_set(err, ERR_IO, "%s: %s", dir, strerror(errno));
    int rc = 0;
    for (struct dirent *e; !rc && (e = readdir(d));)
        if (part_of(dir, e->d_name, path)) rc = add_ledger(w, path, err);
    closedir(d);
    return rc;
}

/* Fact of the first ledger; the others have to have the same. mem_free(). */
static char *common_fact(walk_t *w, const char *dir, const char *name, err_t *err)
{
    char *first = NULL;
    for (size_t i = 0; i < w->n; i++) {
        char *value;
        if (ledger_get(w->l[i], name, &value, err)) goto fail;
        if (first && strcmp(first, value) != 0) {
            err_set(err, ERR_UNSUP, "%s: shards with several values of %s: %s and %s", dir, name, first, value);
            mem_free(value);
            goto fail;
        }
        if (first) mem_free(value);
        else first = value;
    }
    return first;
fail:
    mem_free(first);
    return NULL;
}

static int step(walk_t *w, size_t i, err_t *err)
{
    int rc = ledger_step(w->l[i], &w->row[i], err);
    w->more[i] = rc > 0;
    return rc < 0 ? -1 : 0;
}

static int walk_start(walk_t *w, err_t *err)
{
    w->row = mem_zero(w->n, sizeof *w->row, err);
    w->more = mem_zero(w->n, sizeof *w->more, err);
    if (!w->row || !w->more) return -1;
    for (size_t i = 0; i < w->n; i++)
        if (ledger_walk(w->l[i], true, err) || step(w, i, err)) return -1;
    return 0;
}

/* The ledger whose item is next; n at the end. */
static size_t walk_least(const walk_t *w)
{
    size_t best = w->n;
    for (size_t i = 0; i < w->n; i++)
        if (w->more[i] && (best == w->n || w->row[i].n < w->row[best].n)) best = i;
    return best;
}

/* ---- files ---- */

enum { JSONL, TSV, FAILURES, TIMES, FILES };
static const char *const file_name[FILES] = {"results.jsonl", "results.tsv", "failures.tsv", "times.tsv"};

typedef struct {
    const char *dir;
    outfile_t f[FILES];
    vectors_t v;
} files_t;

static int files_open(files_t *o, const char *dir, const char *columns, err_t *err)
{
    char path[4096];
    *o = (files_t){.dir = dir};
    for (int i = 0; i < FILES; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, file_name[i]);
        if (outfile_open(&o->f[i], path, err)) return -1;
    }
    fprintf(o->f[TSV].f, "%s\n", columns);
    fprintf(o->f[FAILURES].f, "id\tpath\tstate\tcause\tattempts\tmessage\n");
    fprintf(o->f[TIMES].f, "id\tpath\tstate\tbytes\tvoxels\tcube\tnetwork\tsearch\n");
    return 0;
}

static int files_close(files_t *o, const char *model, int frames, err_t *err)
{
    char path[4096];
    int rc = 0;
    for (int i = 0; i < FILES; i++)
        if (outfile_close(&o->f[i], err)) rc = -1;
    snprintf(path, sizeof path, "%s/embeddings.h5", o->dir);
    if (!rc && o->v.n) rc = vectors_h5(path, &o->v, model, frames, err);
    else if (!rc) unlink(path);
    return rc;
}

static void files_abort(files_t *o)
{
    for (int i = 0; i < FILES; i++) outfile_abort(&o->f[i]);
    vectors_free(&o->v);
}

static void put_names(FILE *f, const ledgerrow_t *row)
{
    tsv_put(f, row->id);
    putc('\t', f);
    tsv_put(f, row->path);
    putc('\t', f);
}

static int put_row(files_t *o, const ledgerrow_t *row, err_t *err)
{
    const result_t *r = &row->r;
    FILE *f = o->f[TIMES].f;
    put_names(f, row);
    fprintf(f, "%s\t%llu\t%llu\t%.3f\t%.3f\t%.3f\n", ledger_state[r->state], (unsigned long long)r->bytes, (unsigned long long)r->voxels, r->seconds[0],
            r->seconds[1], r->seconds[2]);
    if (r->state == LEDGER_DONE) {
        fprintf(o->f[JSONL].f, "%s\n", r->json ? r->json : "");
        fprintf(o->f[TSV].f, "%s\n", r->tsv ? r->tsv : "");
        if (!o->v.d) o->v.d = r->d;
        if (!r->z || r->d != o->v.d) return err_set(err, ERR_FORMAT, "%s: the embedding of %s has %zu numbers (%zu)", o->dir, row->id, r->d, o->v.d);
        return vectors_add(&o->v, row->id, (float)r->rg, r->z, err);
    }
    f = o->f[FAILURES].f;
    put_names(f, row);
    fprintf(f, "%s\t%s\t%d\t", ledger_state[r->state], r->cause ? r->cause : "-", row->attempts);
    tsv_put(f, r->message ? r->message : "-");
    putc('\n', f);
    return 0;
}

static int count(sweepout_t *o, const result_t *r, err_t *err)
{
    o->total[r->state]++;
    if (r->state != LEDGER_FAILED && r->state != LEDGER_SKIPPED) return 0;
    const char *cause = r->cause ? r->cause : "";
    size_t i = 0;
    while (i < o->causes && (o->cause[i].state != r->state || strcmp(o->cause[i].cause, cause) != 0)) i++;
    if (i == o->causes) {
        if (mem_grow(&o->cause, &o->causecap, i + 1, sizeof *o->cause, err)) return -1;
        o->cause[i] = (sweepcause_t){.state = r->state};
        o->causes++;
        if (!(o->cause[i].cause = mem_str(cause, err)) || !(o->cause[i].first = mem_str(r->message ? r->message : "", err))) return -1;
    }
    o->cause[i].n++;
    return 0;
}

static int by_number(const void *a, const void *b)
{
    const sweepcause_t *x = a, *y = b;
    if (x->n != y->n) return x->n < y->n ? 1 : -1;
    return strcmp(x->cause, y->cause);
}

static int put_all(walk_t *w, files_t *f, sweepout_t *o, err_t *err)
{
    size_t last = SIZE_MAX;
    for (size_t i; (i = walk_least(w)) < w->n;) {
        if (w->row[i].n == last) return err_set(err, ERR_FORMAT, "%s: %s is in two ledgers", f->dir, w->row[i].path);
        last = w->row[i].n;
        if (put_row(f, &w->row[i], err) || count(o, &w->row[i].r, err) || step(w, i, err)) return -1;
    }
    if (o->causes) qsort(o->cause, o->causes, sizeof *o->cause, by_number);
    return 0;
}

int sweep_out(const char *dir, sweepout_t *o, err_t *err)
{
    static const char *const fact[] = {"model", "index", "options", "manifest", "frames", "columns"};
    enum { MODEL, INDEX, OPTIONS, MANIFEST, FRAMES, COLUMNS, FACTS };
    walk_t w = {0};
    files_t f = {0};
    char *value[FACTS] = {0};
    size_t of = 0;
    *o = (sweepout_t){0};
    int rc = open_all(&w, dir, &of, err);
    for (int i = 0; !rc && i < FACTS; i++)
        if (!(value[i] = common_fact(&w, dir, fact[i], err))) rc = -1;
    if (!rc) {
        o->shards = w.n;
        o->missing = of > w.n ? of - w.n : 0;
        rc = walk_start(&w, err) || files_open(&f, dir, value[COLUMNS], err) || put_all(&w, &f, o, err) ? -1 : files_close(&f, value[MODEL], atoi(value[FRAMES]), err);
    }
    files_abort(&f);
    for (int i = 0; i < FACTS; i++) mem_free(value[i]);
    walk_free(&w);
    if (rc) sweep_out_free(o);
    return rc;
}
