/* annot_table: one table of a folder as lists of values by entry (see annot_priv.h). */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/gz.h"
#include "base/mem.h"
#include "base/tsv.h"
#include "pipeline/annot_priv.h"

enum { ID_MAX = 15, NUMBER_MAX = 9999 };

typedef struct {
    uint32_t entry, value;
} pair_t;

typedef struct {
    pair_t *pair;
    size_t n, cap;
} pairs_t;

int annot_by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

int table_path(const char *folder, const char *name, const char *suffix, char **out, err_t *err)
{
    size_t n = strlen(folder) + strlen(name) + strlen(suffix) + 6;
    if (!(*out = mem_new(n, 1, err))) return -1;
    snprintf(*out, n, "%s/%s.%s", folder, name, suffix);
    if (access(*out, F_OK) == 0) return 0;
    strcat(*out, ".gz");
    if (access(*out, F_OK) == 0) return 0;
    mem_free(*out);
    *out = NULL;
    return 0;
}

static int add_id(table_t *t, const char *s, size_t len, uint32_t *entry, err_t *err)
{
    char low[ID_MAX + 1];
    if (!len || len > ID_MAX) return err_set(err, ERR_FORMAT, "'%.*s' is no PDB or EMDB id", (int)(len > 40 ? 40 : len), s);
    for (size_t i = 0; i < len; i++) low[i] = (char)(s[i] >= 'A' && s[i] <= 'Z' ? s[i] - 'A' + 'a' : s[i]);
    return intern_add(&t->id, low, len, entry, err);
}

/* Rows of one entry are mostly together, and often say the same. */
static int add_pair(pairs_t *p, uint32_t entry, uint32_t value, err_t *err)
{
    if (p->n && p->pair[p->n - 1].entry == entry && p->pair[p->n - 1].value == value) return 0;
    if (mem_grow(&p->pair, &p->cap, p->n + 1, sizeof *p->pair, err)) return -1;
    p->pair[p->n++] = (pair_t){entry, value};
    return 0;
}

/* item[0..n-1] ascending and unique; how many that leaves. */
static size_t sort_unique(uint32_t *item, size_t n)
{
    size_t i = 1, m = n ? 1 : 0;
    while (i < n && item[i] > item[i - 1]) i++;
    if (i >= n) return n;
    qsort(item, n, sizeof *item, annot_by_number);
    for (i = 1; i < n; i++)
        if (item[i] != item[m - 1]) item[m++] = item[i];
    return m;
}

/* Pairs in order of their values, so that items may stand for strings. */
typedef struct {
    const char *s;
    uint32_t number;
} name_t;

static int by_name(const void *a, const void *b) { return strcmp(((const name_t *)a)->s, ((const name_t *)b)->s); }

/* str of the values in ascending order, and the numbers in the pairs to match. */
static int rank_values(intern_t *v, pairs_t *p, err_t *err)
{
    name_t *name = mem_new(v->n, sizeof *name, err);
    uint32_t *rank = mem_new(v->n, sizeof *rank, err);
    int rc = name && rank ? 0 : -1;
    for (size_t i = 0; !rc && i < v->n; i++) name[i] = (name_t){v->str[i], (uint32_t)i};
    if (!rc) qsort(name, v->n, sizeof *name, by_name);
    intern_seal(v);
    for (size_t i = 0; !rc && i < v->n; i++) {
        rank[name[i].number] = (uint32_t)i;
        v->str[i] = name[i].s;
    }
    for (size_t i = 0; !rc && i < p->n; i++) p->pair[i].value = rank[p->pair[i].value];
    mem_free(name);
    mem_free(rank);
    return rc;
}

/* Lists by entry out of pairs in any order; `first` keeps only the first pair of each entry. */
static int build(column_t *c, size_t entries, pairs_t *p, bool first, err_t *err)
{
    size_t *fill = mem_new(entries, sizeof *fill, err), m = 0;
    c->at = mem_zero(entries + 1, sizeof *c->at, err);
    c->item = mem_new(p->n, sizeof *c->item, err);
    if (!fill || !c->at || !c->item) {
        mem_free(fill);
        return -1;
    }
    for (size_t i = 0; i < p->n; i++) c->at[p->pair[i].entry + 1]++;
    for (size_t e = 0; e < entries; e++) {
        c->at[e + 1] += c->at[e];
        fill[e] = c->at[e];
    }
    for (size_t i = 0; i < p->n; i++) c->item[fill[p->pair[i].entry]++] = p->pair[i].value;
    for (size_t e = 0, from = 0; e < entries; e++) {
        size_t n = c->at[e + 1] - from;
        uint32_t *list = c->item + from;
        n = first ? (n ? 1 : 0) : sort_unique(list, n);
        memmove(c->item + m, list, n * sizeof *list);
        from = c->at[e + 1];
        m += n;
        c->at[e + 1] = m;
    }
    mem_free(fill);
    return 0;
}

static int finish(column_t *c, columnkind_t kind, size_t entries, pairs_t *p, err_t *err)
{
    bool strings = kind == COLUMN_TEXT || kind == COLUMN_LIST;
    if ((strings && rank_values(&c->value, p, err)) || build(c, entries, p, kind == COLUMN_TEXT || kind == COLUMN_NUMBER, err))
        return -1;
    if (!strings) return 0;
    size_t n = c->at[entries];
    if (!(c->text = mem_new(n, sizeof *c->text, err))) return -1;
    for (size_t i = 0; i < n; i++) c->text[i] = c->value.str[c->item[i]];
    mem_free(c->item);
    c->item = NULL;
    return 0;
}

/* One value of a field. */
static int add_value(table_t *t, column_t *c, columnkind_t kind, const ontology_t *o, const char *s, size_t n,
                     uint32_t *value, bool *known, err_t *err)
{
    *known = true;
    if (kind == COLUMN_TEXT || kind == COLUMN_LIST) return intern_add(&c->value, s, n, value, err);
    if (kind == COLUMN_TERMS) {
        long row = ontology_row(o, s, n);
        *known = row >= 0;
        *value = (uint32_t)row;
        if (!*known && !t->unknown++) snprintf(t->odd, sizeof t->odd, "%.*s", (int)n, s);
        return 0;
    }
    char *end;
    unsigned long x = s[0] >= '0' && s[0] <= '9' ? strtoul(s, &end, 10) : 0;
    if (x < 1 || x > NUMBER_MAX || *end)
        return err_set(err, ERR_FORMAT, "'%.40s' (a number, 1 to %d, is wanted)", s, NUMBER_MAX);
    *value = (uint32_t)x;
    return 0;
}

static int add_field(table_t *t, column_t *c, columnkind_t kind, const ontology_t *o, uint32_t entry, const char *s,
                     pairs_t *p, err_t *err)
{
    const char *sep = kind == COLUMN_LIST || kind == COLUMN_TERMS ? ";" : "";
    while (*s) {
        size_t n = strcspn(s, sep);
        uint32_t value;
        bool known;
        if (n && add_value(t, c, kind, o, s, n, &value, &known, err)) return -1;
        if (n && known && add_pair(p, entry, value, err)) return -1;
        s += n + (s[n] != 0);
    }
    return 0;
}

static int find_column(const tsv_t *tsv, const char *name, long *col, err_t *err)
{
    *col = tsv_col(tsv, name);
    return *col < 0 ? err_set(err, ERR_FORMAT, "%s: no column %s", tsv->path, name) : 0;
}

static int place_error(const tsv_t *tsv, size_t row, const char *column, const err_t *cause, err_t *err)
{
    if (cause->code != ERR_FORMAT) return err_set(err, cause->code, "%s", cause->msg);
    return err_set(err, ERR_FORMAT, "%s: line %zu, column %s: %s", tsv->path, tsv->line[row], column, cause->msg);
}

/* Column c of a source, for all rows. entry[r] is the entry of row r; UINT32_MAX: the row is left out. */
static int read_column(const tsv_t *tsv, const char *name, columnkind_t kind, size_t c, const ontology_t *o, const uint32_t *entry,
                       table_t *t, pairs_t *p, err_t *err)
{
    const char *s;
    err_t cause = {0};
    long col;
    int rc = find_column(tsv, name, &col, err);
    for (size_t r = 0; !rc && r < tsv->nrow; r++)
        if (entry[r] != UINT32_MAX && (s = tsv_get(tsv, r, col)) && add_field(t, &t->column[c], kind, o, entry[r], s, p, &cause))
            rc = place_error(tsv, r, name, &cause, err);
    return rc;
}

static int read_ids(const tsv_t *tsv, const source_t *from, uint32_t *entry, table_t *t, err_t *err)
{
    long col, only = -1;
    err_t cause = {0};
    if (find_column(tsv, from->id, &col, err) || (from->only && find_column(tsv, from->only, &only, err))) return -1;
    for (size_t r = 0; r < tsv->nrow; r++) {
        const char *s = tsv_get(tsv, r, col), *which = tsv_get(tsv, r, only);
        entry[r] = UINT32_MAX;
        if (from->only && (!which || strncmp(which, from->prefix, strlen(from->prefix)) != 0)) continue;
        if (!s) s = "";
        if (r && entry[r - 1] != UINT32_MAX && !strcmp(s, t->id.str[entry[r - 1]]))
            entry[r] = entry[r - 1];
        else if (add_id(t, s, strlen(s), &entry[r], &cause))
            return place_error(tsv, r, from->id, &cause, err);
    }
    return 0;
}

static int read_source(const char *path, const tablespec_t *spec, const source_t *from, const ontology_t *o, table_t *t, pairs_t *p, err_t *err)
{
    tsv_t tsv;
    if (tsv_read(path, &tsv, err)) return -1;
    uint32_t *entry = mem_new(tsv.nrow, sizeof *entry, err);
    int rc = entry ? read_ids(&tsv, from, entry, t, err) : -1;
    for (size_t c = 0; !rc && c < spec->columns; c++)
        if (from->column[c]) rc = read_column(&tsv, from->column[c], spec->kind[c], c, o, entry, t, &p[c], err);
    mem_free(entry);
    tsv_free(&tsv);
    return rc;
}

/* Those of the table's database into column 0. */
static int take_xrefs(const xrefs_t *x, const tablespec_t *spec, const ontology_t *o, table_t *t, pairs_t *p, err_t *err)
{
    long db = spec->xref ? intern_find(&x->text, spec->xref, strlen(spec->xref)) : -1;
    for (size_t i = 0; db >= 0 && i < x->n; i++) {
        const char *id = x->text.str[x->ref[i].entry];
        uint32_t entry;
        if (x->ref[i].db != (uint32_t)db) continue;
        if (add_id(t, id, strlen(id), &entry, err) ||
            add_field(t, &t->column[0], spec->kind[0], o, entry, x->text.str[x->ref[i].value], p, err))
            return -1;
    }
    return 0;
}

int annot_table_read(char *const path[TABLE_SOURCES], const tablespec_t *spec, const xrefs_t *x, const ontology_t *o, table_t *t, err_t *err)
{
    pairs_t p[TABLE_COLUMNS] = {{0}};
    int rc = 0;
    *t = (table_t){0};
    for (size_t k = 0; !rc && k < TABLE_SOURCES; k++)
        if (path[k]) rc = read_source(path[k], spec, &spec->source[k], o, t, p, err);
    if (!rc) rc = take_xrefs(x, spec, o, t, &p[0], err);
    for (size_t c = 0; !rc && c < spec->columns; c++) rc = finish(&t->column[c], spec->kind[c], t->id.n, &p[c], err);
    for (size_t c = 0; c < TABLE_COLUMNS; c++) mem_free(p[c].pair);
    return rc;
}

/* Entities of one line: "7CAK_3 7CAI_3". */
static int add_cluster(table_t *t, char *s, uint32_t line, pairs_t *p, err_t *err)
{
    uint32_t entry;
    while (*(s += strspn(s, " \t\r"))) {
        size_t n = strcspn(s, " \t\r"), id = n;
        while (id && s[id - 1] != '_') id--;
        if (id < 2) return err_set(err, ERR_FORMAT, "'%.*s' (an entity is wanted: 7CAK_3)", (int)(n > 40 ? 40 : n), s);
        if (add_id(t, s, id - 1, &entry, err) || add_pair(p, entry, line, err)) return -1;
        s += n;
    }
    return 0;
}

int table_clusters(const char *path, table_t *t, err_t *err)
{
    size_t n;
    pairs_t p = {0};
    err_t cause = {0};
    *t = (table_t){0};
    char *text = (char *)gz_read(path, TSV_MAX, &n, err), *s = text, *end;
    int rc = !text ? -1 : strlen(text) == n ? 0 : err_set(err, ERR_FORMAT, "%s: a NUL byte (text is wanted)", path);
    for (uint32_t line = 0; !rc && *s; line++, s = end) {
        end = s + strcspn(s, "\n");
        if (*end) *end++ = 0;
        if (add_cluster(t, s, line, &p, &cause))
            rc = cause.code == ERR_FORMAT ? err_set(err, ERR_FORMAT, "%s: line %zu: %s", path, (size_t)line + 1, cause.msg)
                                          : err_set(err, cause.code, "%s", cause.msg);
    }
    if (!rc) rc = build(&t->column[0], t->id.n, &p, false, err);
    mem_free(p.pair);
    mem_free(text);
    return rc;
}

void table_free(table_t *t)
{
    for (size_t c = 0; c < TABLE_COLUMNS; c++) {
        intern_free(&t->column[c].value);
        mem_free(t->column[c].at);
        mem_free(t->column[c].item);
        mem_free((void *)t->column[c].text);
    }
    intern_free(&t->id);
    *t = (table_t){0};
}
