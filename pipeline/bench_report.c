/* bench_report: what a benchmark found, as tables and JSON (see bench.h). */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/tsv.h"
#include "base/utf8.h"
#include "pipeline/bench.h"

/* Measures of a summary; Top-k first. */
enum { TOP1, TOP5, TOP10, MRR, MAP, MEASURES };
static const char *const measure[MEASURES] = {"top1", "top5", "top10", "mrr", "map"};
static const double cut[] = {1, 5, 10};

/* Where curves are told. */
static const unsigned steps[] = {1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000, 1500, 2000, 3000, 5000, 7000, 10000, 30000, 100000, 300000, 1000000};

/* Bins of queries: [low, high). */
typedef struct {
    const char *name;
    enum { BY_NONE, BY_RESOLUTION, BY_MASS } by;
    double low, high;
} bin_t;
static const bin_t bins[] = {{"all", BY_NONE, 0, 0},
                             {"resolution under 5", BY_RESOLUTION, 0, 5},
                             {"resolution 5 to 8", BY_RESOLUTION, 5, 8},
                             {"resolution 8 to 12", BY_RESOLUTION, 8, 12},
                             {"resolution 12 or more", BY_RESOLUTION, 12, HUGE_VAL},
                             {"mass under 100", BY_MASS, 0, 100},
                             {"mass 100 to 250", BY_MASS, 100, 250},
                             {"mass 250 to 600", BY_MASS, 250, 600},
                             {"mass 600 or more", BY_MASS, 600, HUGE_VAL}};
enum { BINS = sizeof bins / sizeof *bins };

int bench_folder(const char *dir, err_t *err)
{
    struct stat st;
    if (!mkdir(dir, 0777)) return 0;
    if (errno == EEXIST && !stat(dir, &st) && S_ISDIR(st.st_mode)) return 0;
    return err_set(err, ERR_IO, "%s: cannot make the folder: %s", dir, strerror(errno));
}

char *bench_path(const char *dir, const char *name, err_t *err)
{
    size_t n = strlen(dir) + strlen(name) + 2;
    char *p = mem_new(n, 1, err);
    if (p) snprintf(p, n, "%s/%s", dir, name);
    return p;
}

void bench_number(FILE *f, double x)
{
    if (isnan(x)) fputc('-', f);
    else fprintf(f, "%.6g", x);
}

int bench_json(const char *path, const json_t *j, err_t *err)
{
    outfile_t o;
    if (outfile_open(&o, path, err)) return -1;
    if (json_dumpf(j, o.f, JSON_INDENT(1) | JSON_REAL_PRECISION(6) | JSON_SORT_KEYS)) {
        outfile_abort(&o);
        return err_set(err, ERR_IO, "%s: cannot write JSON", path);
    }
    fputc('\n', o.f);
    return outfile_close(&o, err);
}

static json_t *real_or_null(double x) { return isfinite(x) ? json_real(x) : json_null(); }

int bench_about_file(json_t *about, const char *name, const char *path, err_t *err)
{
    char hash[SHA256_HEX];
    const char *slash = strrchr(path, '/');
    if (sha256_file(path, hash, err)) return -1;
    json_t *j = json_object();
    json_object_set_new(j, "file", json_string(slash ? slash + 1 : path));
    json_object_set_new(j, "sha256", json_string(hash));
    return json_object_set_new(about, name, j) ? err_set(err, ERR_NOMEM, "no memory") : 0;
}

/* ---- tables ---- */

typedef int (*table_t)(const benchreport_t *r, const benchtask_t *task, size_t n, FILE *f, err_t *err);

static void fields(FILE *f, const char *const *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (i) fputc('\t', f);
        tsv_put(f, *s[i] ? s[i] : "-");
    }
}

void bench_queries(FILE *f, const char *task, const benchquery_t *q, size_t n)
{
    if (!task) fprintf(f, "task\tquery\tentry\tgroup\tresolution\trg\tmass_kda\tpath\n");
    for (size_t i = 0; task && i < n; i++, q++) {
        fields(f, (const char *const[]){task, q->id, q->entry, q->group}, 4);
        const double x[] = {q->resolution, q->rg, q->mass};
        for (int c = 0; c < 3; c++) fputc('\t', f), bench_number(f, x[c]);
        fputc('\t', f);
        tsv_put(f, *q->path ? q->path : "-");
        fputc('\n', f);
    }
}

static int put_queries(const benchreport_t *r, const benchtask_t *task, size_t n, FILE *f, err_t *err)
{
    (void)r, (void)err;
    bench_queries(f, NULL, NULL, 0);
    for (size_t k = 0; k < n; k++) bench_queries(f, task[k].name, task[k].query, task[k].n);
    return 0;
}

static size_t cell(const benchtask_t *t, size_t q, size_t m, size_t g, size_t k) { return ((q * t->methods + m) * GALLERIES + g) * t->kinds + k; }

static int put_ranks(const benchreport_t *r, const benchtask_t *task, size_t n, FILE *f, err_t *err)
{
    (void)r, (void)err;
    fprintf(f, "task\tquery\tmethod\tgallery\trelevance\trelevant\trank\taverage_precision\tresolution\tmass_kda\n");
    for (const benchtask_t *t = task; t < task + n; t++)
        for (size_t i = 0; i < t->n; i++)
            for (size_t m = 0; m < t->methods; m++)
                for (size_t g = 0; g < GALLERIES; g++)
                    for (size_t k = 0; k < t->kinds; k++) {
                        uint32_t many = t->relevant[(i * GALLERIES + g) * t->kinds + k];
                        if (!many || (g == GALLERY_HARD && !t->hard)) continue;
                        fields(f, (const char *const[]){t->name, t->query[i].id, t->method[m], bench_gallery[g], t->kind[k]}, 5);
                        fprintf(f, "\t%u\t%.0f", (unsigned)many, t->rank[cell(t, i, m, g, k)]);
                        const double x[] = {t->ap[cell(t, i, m, g, k)], t->query[i].resolution, t->query[i].mass};
                        for (int c = 0; c < 3; c++) fputc('\t', f), bench_number(f, x[c]);
                        fputc('\n', f);
                    }
    return 0;
}

static int put_hits(const benchreport_t *r, const benchtask_t *task, size_t n, FILE *f, err_t *err)
{
    (void)r, (void)err;
    fprintf(f, "task\tquery\tmethod\trank\tid\tscore\trelevance\n");
    for (const benchtask_t *t = task; t < task + n; t++)
        for (size_t i = 0; i < t->n; i++)
            for (size_t m = 0; m < t->methods; m++)
                for (size_t h = 0; h < BENCH_HITS; h++) {
                    const benchhit_t *hit = &t->hit[(i * t->methods + m) * BENCH_HITS + h];
                    if (!(hit->bits & BENCH_ALL)) break;
                    fields(f, (const char *const[]){t->name, t->query[i].id, t->method[m]}, 3);
                    fprintf(f, "\t%zu\t", h + 1);
                    tsv_put(f, t->column[hit->column]);
                    fputc('\t', f);
                    bench_number(f, (double)hit->score);
                    bool some = false;
                    for (size_t k = 0; k < t->kinds; k++)
                        if (hit->bits >> k & 1) fprintf(f, "%s%s", some ? ";" : "\t", t->kind[k]), some = true;
                    fputs(some ? "\n" : "\t-\n", f);
                }
    return 0;
}

static int put_curves(const benchreport_t *r, const benchtask_t *task, size_t n, FILE *f, err_t *err)
{
    (void)r, (void)err;
    fprintf(f, "task\tgallery\trelevance\tmethod\tk\tqueries\trecall\n");
    for (const benchtask_t *t = task; t < task + n; t++)
        for (size_t g = 0; g < (t->hard ? 2u : 1u); g++)
            for (size_t k = 0; k < t->kinds; k++)
                for (size_t m = 0; m < t->methods; m++)
                    for (size_t s = 0; s < sizeof steps / sizeof *steps; s++) {
                        size_t found = 0, all = 0;
                        for (size_t i = 0; i < t->n; i++) {
                            double rank = t->rank[cell(t, i, m, g, k)];
                            if (!isnan(rank)) all++;
                            found += rank <= (double)steps[s];
                        }
                        if (!all || (s && steps[s - 1] >= t->columns)) break;
                        fields(f, (const char *const[]){t->name, bench_gallery[g], t->kind[k], t->method[m]}, 4);
                        fprintf(f, "\t%u\t%zu\t%.6g\n", steps[s], all, (double)found / (double)all);
                    }
    return 0;
}

/* ---- the summary ---- */

static bool inside(const bin_t *b, const benchquery_t *q)
{
    double x = b->by == BY_RESOLUTION ? q->resolution : b->by == BY_MASS ? q->mass : 0;
    return b->by == BY_NONE || (x >= b->low && x < b->high); /* NAN: neither */
}

static double value_of(int what, double rank, double ap)
{
    if (isnan(rank)) return NAN;
    return what == MAP ? ap : what == MRR ? 1 / rank : rank <= cut[what] ? 1 : 0;
}

/* One row: of queries in a bin. */
typedef struct {
    const benchtask_t *t;
    const bootstrap_t *b;
    const uint32_t *group;
    double *value; /* scratch (t->n) */
    FILE *f;
    json_t *rows;
} summing_t;

static int sum_one(const summing_t *s, size_t g, size_t k, const bin_t *bin, size_t m, err_t *err)
{
    const benchtask_t *t = s->t;
    size_t queries = 0;
    double relevant = 0;
    for (size_t i = 0; i < t->n; i++) {
        uint32_t many = t->relevant[(i * GALLERIES + g) * t->kinds + k];
        if (!many || !inside(bin, &t->query[i])) continue;
        queries++;
        relevant += many;
    }
    if (!queries) return 0;
    json_t *row = json_object();
    const char *const text[] = {t->name, bench_gallery[g], t->kind[k], bin->name, t->method[m]}, *const key[] = {"task", "gallery", "relevance", "bin", "method"};
    fields(s->f, text, 5);
    for (int c = 0; c < 5; c++) json_object_set_new(row, key[c], json_string(text[c]));
    fprintf(s->f, "\t%zu\t%.6g", queries, relevant / (double)queries);
    json_object_set_new(row, "queries", json_integer((json_int_t)queries));
    json_object_set_new(row, "relevant", json_real(relevant / (double)queries));
    int rc = 0;
    for (int what = 0; !rc && what < MEASURES; what++) {
        interval_t x;
        for (size_t i = 0; i < t->n; i++)
            s->value[i] = inside(bin, &t->query[i]) ? value_of(what, t->rank[cell(t, i, m, g, k)], t->ap[cell(t, i, m, g, k)]) : NAN;
        if ((rc = bootstrap_mean(s->b, s->group, s->value, t->n, &x, err))) break;
        const double v[] = {x.value, x.low, x.high};
        json_t *three = json_array();
        for (int c = 0; c < 3; c++) {
            fputc('\t', s->f), bench_number(s->f, v[c]);
            json_array_append_new(three, real_or_null(v[c]));
        }
        json_object_set_new(row, measure[what], three);
    }
    fputc('\n', s->f);
    json_array_append_new(s->rows, row);
    return rc;
}

static int sum_task(const benchreport_t *r, const benchtask_t *t, FILE *f, json_t *rows, err_t *err)
{
    bootstrap_t b = {0};
    uint32_t *group = mem_new(t->n, sizeof *group, err);
    double *value = mem_new(t->n, sizeof *value, err);
    size_t groups = group && value ? bench_groups(t->query, t->n, group, err) : 0;
    int rc = groups ? bootstrap_new(&b, groups, r->times, r->seed, err) : -1;
    const summing_t s = {.t = t, .b = &b, .group = group, .value = value, .f = f, .rows = rows};
    for (size_t g = 0; !rc && g < (t->hard ? 2u : 1u); g++)
        for (size_t k = 0; !rc && k < t->kinds; k++)
            for (size_t bin = 0; !rc && bin < BINS; bin++)
                for (size_t m = 0; !rc && m < t->methods; m++) rc = sum_one(&s, g, k, &bins[bin], m, err);
    bootstrap_free(&b);
    mem_free(group);
    mem_free(value);
    return rc;
}

static int put_summary(const benchreport_t *r, const benchtask_t *task, size_t n, FILE *f, err_t *err)
{
    json_t *all = json_object(), *rows = json_array();
    char *path = bench_path(r->dir, "summary.json", err);
    int rc = path ? 0 : -1;
    fprintf(f, "task\tgallery\trelevance\tbin\tmethod\tqueries\trelevant");
    for (int m = 0; m < MEASURES; m++) fprintf(f, "\t%s\t%s_low\t%s_high", measure[m], measure[m], measure[m]);
    fputc('\n', f);
    for (size_t k = 0; !rc && k < n; k++) rc = sum_task(r, &task[k], f, rows, err);
    json_object_set_new(all, "protocol", json_string(r->protocol));
    json_object_set(all, "about", r->about);
    json_object_set_new(all, "failed", json_integer((json_int_t)r->failed));
    json_object_set_new(all, "summary", rows);
    if (!rc) rc = bench_json(path, all, err);
    json_decref(all);
    mem_free(path);
    return rc;
}

static int put(const benchreport_t *r, const char *name, table_t table, const benchtask_t *task, size_t n, err_t *err)
{
    outfile_t o;
    char *path = bench_path(r->dir, name, err);
    int rc = path ? outfile_open(&o, path, err) : -1;
    if (!rc && table(r, task, n, o.f, err)) {
        outfile_abort(&o);
        rc = -1;
    } else if (!rc) rc = outfile_close(&o, err);
    mem_free(path);
    return rc;
}

int bench_write(const benchreport_t *r, const benchtask_t *task, size_t n, err_t *err)
{
    static const struct {
        const char *name;
        table_t table;
    } tables[] = {{"queries.tsv", put_queries}, {"ranks.tsv", put_ranks}, {"hits.tsv", put_hits}, {"curves.tsv", put_curves}, {"summary.tsv", put_summary}};
    for (size_t k = 0; k < n; k++)
        if (!task[k].n) return err_set(err, ERR_RANGE, "bench: %s: no query", task[k].name);
    if (bench_folder(r->dir, err)) return -1;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (put(r, tables[i].name, tables[i].table, task, n, err)) return -1;
    return 0;
}
