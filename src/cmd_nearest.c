/* cmd_nearest: cryolex nearest, the vectors nearest to vectors. */
#include <stdio.h>

#include "base/clock.h"
#include "base/half.h"
#include "base/mem.h"
#include "base/tsv.h"
#include "pipeline/nearest.h"
#include "pipeline/par.h"
#include "src/json.h"
#include "src/table.h"

typedef struct {
    const char *query;
    long top;
    int format;
} opts_t;

enum { FORMAT_TSV, FORMAT_JSON };

static const opt_t rows[] = {
    {'Q', "queries", OPT_STR, offsetof(opts_t, query), "FILE", 0, 0, NULL, NULL,
     "The vectors to look for: .npy, or HDF5 of cryolex embed or index build"},
    {'k', "top", OPT_INT, offsetof(opts_t, top), "N", 1, 100000, NULL, "10", "Hits to print for each query"},
    {0, "format", OPT_CHOICE, offsetof(opts_t, format), NULL, 0, 0, "tsv|json", "tsv", "TSV with a header row, or one JSON object a line"},
    {0},
};

/* Queries with their numbers as float32, and the files that they are looked for in. */
typedef struct {
    matrix_t query;
    const float *q;
    float *own;
    nearfile_t *file;
    matrix_t *names; /* (files) ids of those that hits are in */
    size_t files, n;
    near_t *hit;
} job_t;

static int open_all(job_t *j, const opts_t *o, int argc, char **argv, err_t *err)
{
    if (matrix_open(o->query, MATRIX_ROWS | MATRIX_IDS, &j->query, err)) return -1;
    const matrix_t *m = &j->query;
    if (!m->n) return err_set(err, ERR_FORMAT, "%s: no vector", o->query);
    j->q = m->f;
    if (m->h) {
        if (!(j->own = mem_new(m->n, m->d * sizeof *j->own, err))) return -1;
        half_unpack(m->h, m->n * m->d, j->own);
        j->q = j->own;
    }
    j->files = (size_t)argc;
    j->file = mem_new(j->files, sizeof *j->file, err);
    j->names = mem_zero(j->files, sizeof *j->names, err);
    if (!j->file || !j->names || nearest_files(argv, j->files, m->d, j->file, err)) return -1;
    const nearfile_t *last = &j->file[j->files - 1];
    if ((size_t)o->top < last->first + last->n) j->n = (size_t)o->top;
    else j->n = last->first + last->n;
    return (j->hit = mem_new(m->n, j->n * sizeof *j->hit, err)) ? 0 : -1;
}

static void close_all(job_t *j)
{
    for (size_t i = 0; j->names && i < j->files; i++) matrix_close(&j->names[i]);
    matrix_close(&j->query);
    mem_free(j->own);
    mem_free(j->file);
    mem_free(j->names);
    mem_free(j->hit);
}

/* The file of a row. */
static size_t file_of(const job_t *j, size_t row)
{
    size_t lo = 0, hi = j->files; /* first of lo <= row */
    while (hi - lo > 1) {
        size_t mid = (lo + hi) / 2;
        if (j->file[mid].first <= row) lo = mid;
        else hi = mid;
    }
    while (row >= j->file[lo].first + j->file[lo].n) lo++; /* over empty files */
    return lo;
}

/* The ids of the files that have hits. */
static int read_names(job_t *j, err_t *err)
{
    for (size_t i = 0; i < j->query.n * j->n; i++) {
        size_t f = file_of(j, j->hit[i].row);
        if (!j->names[f].n && nearest_names(&j->file[f], j->query.d, &j->names[f], err)) return -1;
    }
    return 0;
}

/* An id, or where there is none, the number of the row. */
static const char *name(const matrix_t *m, size_t row, char out[32])
{
    if (m->id) return m->id[row];
    snprintf(out, 32, "%zu", row);
    return out;
}

static void print_one(const job_t *j, const opts_t *o, size_t query, size_t rank)
{
    char a[32], b[32];
    const near_t *h = &j->hit[query * j->n + rank];
    size_t f = file_of(j, h->row);
    const char *who = name(&j->query, query, a), *id = name(&j->names[f], h->row - j->file[f].first, b);
    if (o->format == FORMAT_JSON) {
        json_t *line = json_object();
        json_object_set_new(line, "query", json_text(who));
        json_object_set_new(line, "rank", json_integer((json_int_t)rank + 1));
        json_object_set_new(line, "id", json_text(id));
        json_object_set_new(line, "score", json_rounded((double)h->score, 6));
        json_object_set_new(line, "file", json_text(j->file[f].path));
        json_line(line);
        return;
    }
    tsv_put(stdout, who);
    printf("\t%zu\t", rank + 1);
    tsv_put(stdout, id);
    printf("\t%.6f\t", (double)h->score);
    tsv_put(stdout, j->file[f].path);
    putchar('\n');
}

static int search(job_t *j, const opts_t *o, int argc, char **argv, const comm_t *c, const log_t *log, err_t *err)
{
    char pass[32];
    size_t n;
    if (open_all(j, o, argc, argv, err)) return -1;
    double t = clock_wall();
    if (nearest_run(j->file, j->files, j->q, j->query.n, j->query.d, j->n, c, j->hit, &n, err)) return -1;
    t = clock_wall() - t;
    const nearfile_t *last = &j->file[j->files - 1];
    log_msg(log, LOG_INFO, "%zu queries, %zu vectors of %zu numbers: %.3f s, %.4g queries a second (%s)", j->query.n, last->first + last->n,
            j->query.d, t, (double)j->query.n / t, topk_pass_name(TOPK_AUTO, j->query.n, 0, pass));
    return c->rank ? 0 : read_names(j, err);
}

static int run(const app_t *app, const void *opts, int argc, char **argv)
{
    const opts_t *o = opts;
    err_t err = {0};
    comm_t comm;
    job_t j = {0};
    if (!o->query) err_set(&err, ERR_USAGE, "nearest: no queries; give -Q FILE");
    if (err.code != ERR_OK || par_begin(&comm, &err)) return cmd_fail(app, &err);
    const log_t quiet = {.f = app->log.f, .level = LOG_ERROR}, *log = comm.rank ? &quiet : &app->log;
    int rc = search(&j, o, argc, argv, &comm, log, &err), status = rc ? cmd_fail(app, &err) : EXIT_DONE;
    if (!rc && !comm.rank) {
        if (o->format == FORMAT_TSV) printf("query\trank\tid\tscore\tfile\n");
        for (size_t i = 0; i < j.query.n; i++)
            for (size_t k = 0; k < j.n; k++) print_one(&j, o, i, k);
    }
    close_all(&j);
    par_end(&comm, !rc);
    return status;
}

const cmd_t cmd_nearest = {
    .name = "nearest",
    .args = "-Q FILE FILE...",
    .summary = "The vectors nearest to vectors, exactly",
    .about = "Looks in the matrices of the FILEs for the rows with the largest dot products with each row of the queries: for embeddings, "
             "which have length 1, the largest cosines. A matrix is a .npy file of float32 or float16, whose rows are mapped, so that it may be larger "
             "than memory; or what cryolex embed or index build writes (HDF5). cryolex search compares cubes and sizes, too; this is for many "
             "queries and very many vectors.\n\n"
             "Columns: query, an id, or the number of a row from 0 where the file has no ids; rank, from 1; id of the hit, likewise; "
             "score, the product; file. Equal scores go by the order of files and rows.\n\n"
             "The result is exact: with many queries a first pass in 8-bit numbers leaves out only what a bound on its error shows not to matter. "
             "Under mpirun -n K the rows are shared by K processes, each with its files where there are K or more; the result is the same to the byte.",
    .example = "cryolex nearest -Q maps.npy pdb-0.npy pdb-1.npy",
    .opts = rows,
    .opt_size = sizeof(opts_t),
    .min_args = 1,
    .max_args = -1,
    .run = run,
};
