/* ontology: the Gene Ontology as a graph (see annot.h). Ashburner et al. 2000, Nat. Genet. 25:25. */
#include <stdlib.h>
#include <string.h>

#include "base/intern.h"
#include "base/mem.h"
#include "base/tsv.h"
#include "pipeline/annot.h"
#include "pipeline/annot_priv.h"
#include "pipeline/obo.h"

const char *const go_space_name[GO_NAMESPACES] = {"molecular_function", "biological_process", "cellular_component"};

struct ontology {
    goterm_t *term; /* (n) row r has number r in id */
    intern_t id, name;
    uint32_t *parent; /* of all terms, one after the other */
    size_t n, parents, cap;
};

enum { COL_ID, COL_NAME, COL_SPACE, COL_PARENTS, COL_OBSOLETE, COLS };
static const char *const col_name[COLS] = {"go_id", "name", "namespace", "parents", "obsolete"};

size_t ontology_count(const ontology_t *o) { return o->n; }
const goterm_t *ontology_term(const ontology_t *o, size_t row) { return &o->term[row]; }
long ontology_row(const ontology_t *o, const char *id, size_t len) { return intern_find(&o->id, id, len); }
long ontology_find(const ontology_t *o, const char *id) { return intern_find(&o->id, id, strlen(id)); }

void ontology_free(ontology_t *o)
{
    if (!o) return;
    mem_free(o->term);
    mem_free(o->parent);
    intern_free(&o->id);
    intern_free(&o->name);
    mem_free(o);
}

static int wrong(const tsv_t *t, size_t row, int col, const char *found, const char *wanted, err_t *err)
{
    return err_set(err, ERR_FORMAT, "%s: line %zu, column %s: %s (%s)", t->path, t->line[row], col_name[col], found, wanted);
}

static const char *field(const tsv_t *t, size_t row, long col)
{
    const char *s = tsv_get(t, row, col);
    return s ? s : "";
}

/* All but the parents, whose rows are not known yet. */
static int read_term(ontology_t *o, const tsv_t *t, size_t row, const long *col, err_t *err)
{
    const char *id = field(t, row, col[COL_ID]), *name = field(t, row, col[COL_NAME]);
    const char *space = field(t, row, col[COL_SPACE]), *obsolete = field(t, row, col[COL_OBSOLETE]);
    goterm_t *g = &o->term[row];
    uint32_t k;
    int s = 0;
    if (!*id) return wrong(t, row, COL_ID, "empty", "GO:0003824, say", err);
    if (intern_add(&o->id, id, strlen(id), &k, err)) return -1;
    if (k != row) return wrong(t, row, COL_ID, id, "once only", err);
    g->id = o->id.str[k];
    if (intern_add(&o->name, name, strlen(name), &k, err)) return -1;
    g->name = o->name.str[k];
    while (s < GO_NAMESPACES && strcmp(space, go_space_name[s]) != 0) s++;
    if (s == GO_NAMESPACES) return wrong(t, row, COL_SPACE, space, "a namespace of the Gene Ontology", err);
    g->space = (gospace_t)s;
    if (strcmp(obsolete, "0") != 0 && strcmp(obsolete, "1") != 0) return wrong(t, row, COL_OBSOLETE, obsolete, "0 or 1", err);
    g->obsolete = *obsolete == '1';
    return 0;
}

static bool is_edge(const char *s, size_t n)
{
    static const char *const kind[] = {"isa", "is_a", "is a", "partof", "part_of", "part of"};
    for (size_t i = 0; i < sizeof kind / sizeof *kind; i++)
        if (strlen(kind[i]) == n && !strncmp(kind[i], s, n)) return true;
    return false;
}

/* "isa=GO:0048308;partof=GO:0048311;regulates=GO:0000011" */
static int read_parents(ontology_t *o, const tsv_t *t, size_t row, long col, err_t *err)
{
    const char *s = field(t, row, col);
    goterm_t *g = &o->term[row];
    size_t first = o->parents;
    while (*s) {
        size_t n = strcspn(s, ";");
        const char *eq = memchr(s, '=', n);
        if (!eq) return wrong(t, row, COL_PARENTS, s, "isa=GO:0003824;partof=GO:0008150", err);
        if (is_edge(s, (size_t)(eq - s))) {
            long p = ontology_row(o, eq + 1, n - (size_t)(eq + 1 - s));
            if (p < 0) return wrong(t, row, COL_PARENTS, s, "terms of this table", err);
            size_t i = first;
            while (i < o->parents && o->parent[i] != (uint32_t)p) i++;
            if (i == o->parents) {
                if (mem_grow(&o->parent, &o->cap, o->parents + 1, sizeof *o->parent, err)) return -1;
                o->parent[o->parents++] = (uint32_t)p;
            }
        }
        s += n + (s[n] == ';');
    }
    g->parents = o->parents - first;
    return 0;
}

/* Kahn 1962, Commun. ACM 5:558: terms without children not yet taken are taken until none is left. */
static int check_cycles(const ontology_t *o, const char *path, err_t *err)
{
    uint32_t *children = mem_zero(o->n, sizeof *children, err), *queue = mem_new(o->n, sizeof *queue, err);
    size_t n = 0;
    int rc = children && queue ? 0 : -1;
    for (size_t i = 0; !rc && i < o->parents; i++) children[o->parent[i]]++;
    for (size_t r = 0; !rc && r < o->n; r++)
        if (!children[r]) queue[n++] = (uint32_t)r;
    for (size_t i = 0; !rc && i < n; i++) {
        const goterm_t *g = &o->term[queue[i]];
        for (size_t j = 0; j < g->parents; j++)
            if (!--children[g->parent[j]]) queue[n++] = g->parent[j];
    }
    for (size_t r = 0; !rc && n < o->n && r < o->n; r++)
        if (children[r]) rc = err_set(err, ERR_FORMAT, "%s: %s is among its own ancestors", path, o->term[r].id);
    mem_free(children);
    mem_free(queue);
    return rc;
}

static int read_all(ontology_t *o, const tsv_t *t, err_t *err)
{
    long col[COLS];
    for (int c = 0; c < COLS; c++)
        if ((col[c] = tsv_col(t, col_name[c])) < 0) return err_set(err, ERR_FORMAT, "%s: no column %s", t->path, col_name[c]);
    if (!(o->term = mem_zero(t->nrow, sizeof *o->term, err))) return -1;
    o->n = t->nrow;
    for (size_t r = 0; r < o->n; r++)
        if (read_term(o, t, r, col, err)) return -1;
    for (size_t r = 0; r < o->n; r++)
        if (read_parents(o, t, r, col[COL_PARENTS], err)) return -1;
    const uint32_t *p = o->parent;
    for (size_t r = 0; r < o->n; p += o->term[r].parents, r++) o->term[r].parent = p;
    return check_cycles(o, t->path, err);
}

ontology_t *ontology_read(const char *path, err_t *err)
{
    tsv_t t;
    size_t n = strlen(path);
    bool obo = (n > 4 && !strcmp(path + n - 4, ".obo")) || (n > 7 && !strcmp(path + n - 7, ".obo.gz"));
    if (obo ? obo_read(path, &t, err) : tsv_read(path, &t, err)) return NULL;
    ontology_t *o = mem_zero(1, sizeof *o, err);
    if (o && read_all(o, &t, err)) {
        ontology_free(o);
        o = NULL;
    }
    tsv_free(&t);
    return o;
}

/* ---- ancestors of a set ---- */

typedef struct {
    uint64_t *seen; /* a bit a term */
    uint32_t *found;
    size_t n, cap;
} climb_t;

static bool mark(climb_t *c, uint32_t row)
{
    uint64_t bit = (uint64_t)1 << (row & 63), *w = &c->seen[row >> 6];
    bool fresh = !(*w & bit);
    *w |= bit;
    return fresh;
}

/* Each ancestor of the members once in found[0..n-1], in no order. Members are there where they are ancestors of another. */
static int climb(const ontology_t *o, const uint32_t *set, size_t n, climb_t *c, err_t *err)
{
    enum { ROOM = 512 };
    *c = (climb_t){.seen = mem_zero(o->n / 64 + 1, sizeof *c->seen, err)};
    if (!c->seen || mem_grow(&c->found, &c->cap, ROOM, sizeof *c->found, err)) return -1;
    for (size_t i = 0; i < n + c->n; i++) {
        const goterm_t *g = &o->term[i < n ? set[i] : c->found[i - n]];
        if (mem_grow(&c->found, &c->cap, c->n + g->parents, sizeof *c->found, err)) return -1;
        for (size_t j = 0; j < g->parents; j++)
            if (mark(c, g->parent[j])) c->found[c->n++] = g->parent[j];
    }
    return 0;
}

static void climb_free(climb_t *c)
{
    mem_free(c->seen);
    mem_free(c->found);
}

int ontology_prune(const ontology_t *o, uint32_t *set, size_t *n, err_t *err)
{
    climb_t c;
    int rc = climb(o, set, *n, &c, err);
    size_t m = 0;
    for (size_t i = 0; !rc && i < *n; i++)
        if (!(c.seen[set[i] >> 6] >> (set[i] & 63) & 1)) set[m++] = set[i];
    if (!rc) *n = m;
    climb_free(&c);
    return rc;
}

uint32_t *ontology_close(const ontology_t *o, const uint32_t *set, size_t n, size_t *m, err_t *err)
{
    climb_t c;
    uint32_t *all = NULL;
    if (climb(o, set, n, &c, err) || !(all = mem_new(c.n + n, sizeof *all, err))) goto done;
    memcpy(all, c.found, c.n * sizeof *all);
    for (size_t i = 0; i < n; i++)
        if (mark(&c, set[i])) all[c.n++] = set[i];
    *m = c.n;
    qsort(all, c.n, sizeof *all, annot_by_number);
done:
    climb_free(&c);
    return all;
}
