/* tsv: a table of text fields with a header row (see tsv.h). */
#include "base/tsv.h"

#include <string.h>

#include "base/gz.h"
#include "base/mem.h"

/* The next line of *p, ended with NUL in place, or NULL at the end. */
static char *next_line(char **p, size_t *number)
{
    if (!**p) return NULL;
    char *s = *p, *end = strchr(s, '\n');
    *p = end ? end + 1 : s + strlen(s);
    if (end) *end = 0;
    size_t n = strlen(s);
    if (n && s[n - 1] == '\r') s[n - 1] = 0;
    ++*number;
    return s;
}

static size_t count_fields(const char *s)
{
    size_t n = 1;
    while ((s = strchr(s, '\t'))) n++, s++;
    return n;
}

static int add_row(tsv_t *t, char *s, size_t number, size_t cap[2], err_t *err)
{
    size_t n = count_fields(s), row = t->ncol ? t->nrow + 1 : 0;
    if (t->ncol && n != t->ncol)
        return err_set(err, ERR_FORMAT, "%s: line %zu: %zu fields (the header has %zu)", t->path, number, n, t->ncol);
    t->ncol = n;
    if (mem_grow(&t->field, &cap[0], (row + 1) * n, sizeof *t->field, err) ||
        mem_grow(&t->line, &cap[1], row + 1, sizeof *t->line, err))
        return -1;
    for (size_t i = 0; i < n; i++) {
        char *tab = strchr(s, '\t');
        t->field[row * n + i] = s;
        if (tab) *tab = 0;
        s = tab ? tab + 1 : s;
    }
    if (row) {
        t->line[row - 1] = number;
        t->nrow = row;
    }
    return 0;
}

int tsv_read(const char *path, tsv_t *t, err_t *err)
{
    size_t n, number = 0, cap[2] = {0, 0};
    *t = (tsv_t){.path = path};
    t->text = (char *)gz_read(path, TSV_MAX, &n, err);
    if (!t->text) return -1;
    if (strlen(t->text) != n) {
        err_set(err, ERR_FORMAT, "%s: a NUL byte (a text table is wanted)", path);
        goto fail;
    }
    char *p = t->text, *s;
    while ((s = next_line(&p, &number)))
        if (*s && *s != '#' && add_row(t, s, number, cap, err)) goto fail;
    if (!t->ncol) {
        err_set(err, ERR_FORMAT, "%s: empty (a header row is wanted)", path);
        goto fail;
    }
    for (size_t i = 0; i < t->ncol; i++)
        if ((size_t)tsv_col(t, t->field[i]) != i) {
            err_set(err, ERR_FORMAT, "%s: column '%s' twice", path, t->field[i]);
            goto fail;
        }
    return 0;
fail:
    tsv_free(t);
    return -1;
}

void tsv_free(tsv_t *t)
{
    mem_free(t->text);
    mem_free(t->field);
    mem_free(t->line);
    *t = (tsv_t){0};
}

long tsv_col(const tsv_t *t, const char *name)
{
    for (size_t i = 0; i < t->ncol; i++)
        if (!strcmp(t->field[i], name)) return (long)i;
    return -1;
}

const char *tsv_get(const tsv_t *t, size_t row, long col)
{
    if (col < 0) return NULL;
    const char *s = t->field[(row + 1) * t->ncol + (size_t)col];
    return *s && strcmp(s, "-") != 0 ? s : NULL;
}

void tsv_put(FILE *f, const char *s)
{
    for (; *s; s++) fputc(*s == '\t' || *s == '\n' || *s == '\r' ? ' ' : *s, f);
}
