/* bench_calib: reliability of probabilities (see bench_calib.h). */
#include "pipeline/bench_calib.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "pipeline/bench.h"

typedef struct {
    double n[CALIB_BINS], said[CALIB_BINS], was[CALIB_BINS], square;
} sums_t;

typedef struct {
    const char *gallery, *kind;
    sums_t *of; /* (groups) */
} row_t;

struct calib {
    size_t groups, rows;
    row_t row[CALIB_ROWS];
};

calib_t *calib_new(size_t groups, err_t *err)
{
    calib_t *c = mem_zero(1, sizeof *c, err);
    if (c) c->groups = groups;
    return c;
}

void calib_free(calib_t *c)
{
    for (size_t i = 0; c && i < c->rows; i++) mem_free(c->row[i].of);
    mem_free(c);
}

int calib_add(calib_t *c, const char *gallery, const char *kind, size_t group, double said, bool was, err_t *err)
{
    size_t i = 0;
    while (i < c->rows && (strcmp(c->row[i].gallery, gallery) != 0 || strcmp(c->row[i].kind, kind) != 0)) i++;
    if (i == CALIB_ROWS) return err_set(err, ERR_INTERNAL, "bench: more than %d kinds of probabilities", CALIB_ROWS);
    if (i == c->rows) {
        c->row[i] = (row_t){gallery, kind, mem_zero(c->groups, sizeof(sums_t), err)};
        if (!c->row[i].of) return -1;
        c->rows++;
    }
    sums_t *s = &c->row[i].of[group];
    size_t bin = said >= 1 ? CALIB_BINS - 1 : said > 0 ? (size_t)(said * CALIB_BINS) : 0;
    s->n[bin] += 1;
    s->said[bin] += said;
    s->was[bin] += was;
    s->square += (said - was) * (said - was);
    return 0;
}

/* Sums of all groups, each as often as `times` says; NULL: once. */
static sums_t add_up(const calib_t *c, const row_t *r, const uint16_t *times)
{
    sums_t t = {0};
    for (size_t g = 0; g < c->groups; g++) {
        const double w = times ? times[g] : 1;
        for (int k = 0; k < CALIB_BINS; k++) {
            t.n[k] += w * r->of[g].n[k];
            t.said[k] += w * r->of[g].said[k];
            t.was[k] += w * r->of[g].was[k];
        }
        t.square += w * r->of[g].square;
    }
    return t;
}

static double pairs_of(const sums_t *s)
{
    double n = 0;
    for (int k = 0; k < CALIB_BINS; k++) n += s->n[k];
    return n;
}

static double brier(const sums_t *s) { return s->square / pairs_of(s); }

static double ece(const sums_t *s)
{
    double off = 0;
    for (int k = 0; k < CALIB_BINS; k++) off += fabs(s->said[k] - s->was[k]);
    return off / pairs_of(s);
}

static int intervals(const calib_t *c, const row_t *r, const bootstrap_t *b, interval_t out[2], err_t *err)
{
    double *x = mem_new(2 * b->times, sizeof *x, err);
    if (!x) return -1;
    for (size_t t = 0; t < b->times; t++) {
        sums_t s = add_up(c, r, b->count + t * b->groups);
        bool any = pairs_of(&s) > 0;
        x[t] = any ? brier(&s) : (double)NAN;
        x[b->times + t] = any ? ece(&s) : (double)NAN;
    }
    for (int k = 0; k < 2; k++) bootstrap_ends(x + (size_t)k * b->times, b->times, &out[k]);
    mem_free(x);
    return 0;
}

static int put_bins(const calib_t *c, const char *path, err_t *err)
{
    outfile_t o;
    if (outfile_open(&o, path, err)) return -1;
    fprintf(o.f, "gallery\tkind\tlow\thigh\tpairs\tsaid\twas\n");
    for (size_t i = 0; i < c->rows; i++) {
        const sums_t s = add_up(c, &c->row[i], NULL);
        for (int k = 0; k < CALIB_BINS; k++) {
            fprintf(o.f, "%s\t%s\t%.1f\t%.1f\t%.0f\t", c->row[i].gallery, c->row[i].kind, (double)k / CALIB_BINS, (double)(k + 1) / CALIB_BINS, s.n[k]);
            bench_number(o.f, s.n[k] > 0 ? s.said[k] / s.n[k] : (double)NAN);
            fputc('\t', o.f);
            bench_number(o.f, s.n[k] > 0 ? s.was[k] / s.n[k] : (double)NAN);
            fputc('\n', o.f);
        }
    }
    return outfile_close(&o, err);
}

static int put_summary(const calib_t *c, const bootstrap_t *b, const char *path, json_t *rows, err_t *err)
{
    static const char *const name[2] = {"brier", "ece"};
    outfile_t o;
    int rc = 0;
    if (outfile_open(&o, path, err)) return -1;
    fprintf(o.f, "gallery\tkind\tpairs\tbrier\tbrier_low\tbrier_high\tece\tece_low\tece_high\n");
    for (size_t i = 0; !rc && i < c->rows; i++) {
        const sums_t s = add_up(c, &c->row[i], NULL);
        interval_t x[2] = {{0}};
        json_t *j = json_object();
        rc = intervals(c, &c->row[i], b, x, err);
        x[0].value = brier(&s);
        x[1].value = ece(&s);
        json_object_set_new(j, "gallery", json_string(c->row[i].gallery));
        json_object_set_new(j, "kind", json_string(c->row[i].kind));
        json_object_set_new(j, "pairs", json_integer((json_int_t)pairs_of(&s)));
        fprintf(o.f, "%s\t%s\t%.0f", c->row[i].gallery, c->row[i].kind, pairs_of(&s));
        for (int k = 0; k < 2; k++) {
            const double v[] = {x[k].value, x[k].low, x[k].high};
            json_t *a = json_array();
            for (int m = 0; m < 3; m++) {
                fputc('\t', o.f);
                bench_number(o.f, v[m]);
                json_array_append_new(a, isfinite(v[m]) ? json_real(v[m]) : json_null());
            }
            json_object_set_new(j, name[k], a);
        }
        fputc('\n', o.f);
        json_array_append_new(rows, j);
    }
    if (!rc) return outfile_close(&o, err);
    outfile_abort(&o);
    return -1;
}

int calib_write(const calib_t *c, const bootstrap_t *b, const char *dir, json_t *rows, err_t *err)
{
    char *bins = bench_path(dir, "calibration.tsv", err), *summary = bins ? bench_path(dir, "calibration_summary.tsv", err) : NULL;
    int rc = summary && !put_bins(c, bins, err) && !put_summary(c, b, summary, rows, err) ? 0 : -1;
    mem_free(bins);
    mem_free(summary);
    return rc;
}
