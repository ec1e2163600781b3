/* rivals: embeddings and scores of other programs (see rivals.h). */
#include "pipeline/rivals.h"

#include <hdf5.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/tsv.h"
#include "pipeline/h5.h"
#include "pipeline/h5read.h"

#define DIMENSIONS_MAX 65536

static void rival_free(rival_t *r)
{
    mem_free(r->name);
    mem_free(r->path);
    intern_free(&r->id);
    intern_free(&r->entry);
    mem_free(r->z);
    mem_free(r->at);
    mem_free(r->pair);
}

void rivals_free(rivals_t *r)
{
    for (size_t i = 0; i < r->n; i++) rival_free(&r->rival[i]);
    mem_free(r->rival);
    *r = (rivals_t){0};
}

/* A finite number, or -1 with the line and the column. */
static int number(const tsv_t *t, size_t row, long col, float *out, err_t *err)
{
    const char *s = tsv_get(t, row, col);
    char *end = NULL;
    double x = s ? strtod(s, &end) : NAN;
    *out = (float)x;
    if (s && end != s && !*end && isfinite(*out)) return 0;
    return err_set(err, ERR_FORMAT, "%s: line %zu: %s: '%.40s' (a number is wanted)", t->path, t->line[row], t->field[col], s ? s : "");
}

static int no_column(const char *path, const char *name, err_t *err) { return err_set(err, ERR_FORMAT, "%s: no column '%s'", path, name); }

/* The number of a new id, or -1. */
static int new_id(intern_t *set, const char *path, const char *id, err_t *err)
{
    uint32_t k;
    size_t before = set->n;
    if (intern_add(set, id, strlen(id), &k, err)) return -1;
    return set->n > before ? 0 : err_set(err, ERR_FORMAT, "%s: id %.60s twice", path, id);
}

static void normalise(rival_t *r)
{
    for (size_t i = 0; i < r->id.n; i++) {
        float *z = r->z + i * r->d;
        double sum = 0;
        for (size_t k = 0; k < r->d; k++) sum += (double)z[k] * (double)z[k];
        for (size_t k = 0; k < r->d && sum > 0; k++) z[k] = (float)((double)z[k] / sqrt(sum));
    }
}

static int vectors_of_tsv(const char *path, rival_t *r, err_t *err)
{
    tsv_t t;
    if (tsv_read(path, &t, err)) return -1;
    long id = tsv_col(&t, "id");
    int rc = id < 0 ? no_column(path, "id", err) : t.ncol < 2 ? err_set(err, ERR_FORMAT, "%s: no column beside id", path) : 0;
    r->d = t.ncol - 1;
    if (!rc && !(r->z = mem_new(t.nrow, r->d * sizeof *r->z, err))) rc = -1;
    for (size_t i = 0; !rc && i < t.nrow; i++) {
        const char *name = tsv_get(&t, i, id);
        float *z = r->z + i * r->d;
        rc = name ? new_id(&r->id, path, name, err) : err_set(err, ERR_FORMAT, "%s: line %zu: no id", path, t.line[i]);
        for (size_t c = 0; !rc && c < t.ncol; c++)
            if ((long)c != id) rc = number(&t, i, (long)c, z++, err);
    }
    tsv_free(&t);
    return rc;
}

static int vectors_of_h5(const char *path, rival_t *r, err_t *err)
{
    h5in_t in = {.path = path};
    char **id = NULL;
    hsize_t dim[2] = {0, 0};
    h5_quiet();
    if ((in.file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT)) < 0) return err_set(err, ERR_IO, "%s: cannot open as HDF5", path);
    hid_t set = H5Dopen2(in.file, "embeddings", H5P_DEFAULT), space = set >= 0 ? H5Dget_space(set) : -1;
    int rc = space >= 0 && H5Sget_simple_extent_ndims(space) == 2 && H5Sget_simple_extent_dims(space, dim, NULL) == 2 && dim[1] > 0 &&
                     dim[1] <= DIMENSIONS_MAX
                 ? 0
                 : err_set(err, ERR_FORMAT, "%s: /embeddings: missing, or no matrix of 1 to %d columns", path, DIMENSIONS_MAX);
    if (space >= 0) H5Sclose(space);
    if (set >= 0) H5Dclose(set);
    size_t n = (size_t)dim[0];
    r->d = (size_t)dim[1];
    if (!rc) rc = h5read_text(&in, "ids", n, &id, err) || h5read_data(&in, "embeddings", H5T_NATIVE_FLOAT, sizeof *r->z, n, r->d, &r->z, err) ? -1 : 0;
    for (size_t i = 0; !rc && i < n; i++) rc = new_id(&r->id, path, id[i], err);
    for (size_t i = 0; !rc && i < n * r->d; i++)
        if (!isfinite(r->z[i])) rc = err_set(err, ERR_FORMAT, "%s: /embeddings: row %zu is not finite", path, i / r->d);
    H5Fclose(in.file);
    mem_free(id);
    return rc;
}

static int read_vectors(const char *path, rival_t *r, err_t *err)
{
    h5_quiet();
    int rc = H5Fis_hdf5(path) > 0 ? vectors_of_h5(path, r, err) : vectors_of_tsv(path, r, err);
    if (!rc) normalise(r);
    return rc;
}

typedef struct {
    uint32_t query, entry;
    float score;
    size_t line;
} triple_t;

static int by_query(const void *a, const void *b)
{
    const triple_t *x = a, *y = b;
    if (x->query != y->query) return x->query < y->query ? -1 : 1;
    return (x->entry > y->entry) - (x->entry < y->entry);
}

static int read_scores(const char *path, rival_t *r, err_t *err)
{
    tsv_t t;
    if (tsv_read(path, &t, err)) return -1;
    long col[3] = {tsv_col(&t, "query"), tsv_col(&t, "entry"), tsv_col(&t, "score")};
    static const char *const name[] = {"query", "entry", "score"};
    int rc = 0;
    for (int c = 0; !rc && c < 3; c++)
        if (col[c] < 0) rc = no_column(path, name[c], err);
    triple_t *x = rc ? NULL : mem_new(t.nrow, sizeof *x, err);
    if (!x) rc = -1;
    for (size_t i = 0; !rc && i < t.nrow; i++) {
        const char *q = tsv_get(&t, i, col[0]), *e = tsv_get(&t, i, col[1]);
        x[i].line = t.line[i];
        if (!q || !e) rc = err_set(err, ERR_FORMAT, "%s: line %zu: no query, or no entry", path, x[i].line);
        if (!rc) rc = number(&t, i, col[2], &x[i].score, err);
        if (!rc) rc = intern_add(&r->id, q, strlen(q), &x[i].query, err) || intern_add(&r->entry, e, strlen(e), &x[i].entry, err) ? -1 : 0;
    }
    size_t n = t.nrow;
    if (!rc) qsort(x, n, sizeof *x, by_query);
    for (size_t i = 1; !rc && i < n; i++)
        if (!by_query(&x[i - 1], &x[i])) rc = err_set(err, ERR_FORMAT, "%s: line %zu: a pair that came before", path, x[i].line > x[i - 1].line ? x[i].line : x[i - 1].line);
    if (!rc && (!(r->at = mem_zero(r->id.n + 1, sizeof *r->at, err)) || !(r->pair = mem_new(n, sizeof *r->pair, err)))) rc = -1;
    for (size_t i = 0; !rc && i < n; i++) {
        r->pair[i].entry = x[i].entry;
        r->pair[i].score = x[i].score;
        r->at[x[i].query + 1] = i + 1;
    }
    mem_free(x);
    tsv_free(&t);
    return rc;
}

static int add(rivals_t *r, const char *list, int (*read)(const char *, rival_t *, err_t *), const char *option, err_t *err)
{
    char *copy = list ? mem_str(list, err) : NULL, *next = copy;
    int rc = list && !copy ? -1 : 0;
    while (!rc && next && *next) {
        char *item = next, *comma = strchr(next, ','), *equals;
        next = comma ? comma + 1 : NULL;
        if (comma) *comma = 0;
        if (!(equals = strchr(item, '=')) || equals == item || !equals[1]) {
            rc = err_set(err, ERR_USAGE, "bench: --%s: '%s' (NAME=FILE is wanted)", option, item);
            break;
        }
        *equals = 0;
        size_t cap = r->n;
        if ((rc = mem_grow(&r->rival, &cap, r->n + 1, sizeof *r->rival, err))) break;
        rival_t *to = &r->rival[r->n++];
        *to = (rival_t){.name = mem_str(item, err), .path = mem_str(equals + 1, err)};
        rc = to->name && to->path ? read(to->path, to, err) : -1;
    }
    mem_free(copy);
    return rc;
}

int rivals_read(rivals_t *r, const char *embeddings, const char *scores, err_t *err)
{
    return add(r, embeddings, read_vectors, "embeddings", err) || add(r, scores, read_scores, "scores", err) ? -1 : 0;
}

size_t rival_score(const rival_t *r, const char *query, char *const *id, size_t n, float *score)
{
    size_t found = 0;
    long q = intern_find(&r->id, query, strlen(query));
    for (size_t i = 0; i < n; i++) score[i] = -INFINITY;
    for (size_t i = 0; q >= 0 && i < n; i++) {
        long e = intern_find(r->d ? &r->id : &r->entry, id[i], strlen(id[i]));
        if (e < 0) continue;
        if (r->d) {
            double sum = 0;
            for (size_t k = 0; k < r->d; k++) sum += (double)r->z[(size_t)q * r->d + k] * (double)r->z[(size_t)e * r->d + k];
            score[i] = (float)sum;
            found++;
            continue;
        }
        size_t lo = r->at[q], hi = r->at[q + 1];
        while (lo < hi) {
            size_t mid = lo + (hi - lo) / 2;
            if (r->pair[mid].entry < (uint32_t)e) lo = mid + 1;
            else hi = mid;
        }
        if (lo < r->at[q + 1] && r->pair[lo].entry == (uint32_t)e) score[i] = r->pair[lo].score, found++;
    }
    return found;
}
