/* annot_doubt: terms that entries have from nothing but an incomplete EC number (see annot_priv.h). */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "pipeline/annot_priv.h"

enum { GROUP_MIN = 10, PROTEINS_MIN = 5, CHILDREN_MAX = 2, SHARE = 97 }; /* entries; accessions; terms; per cent */

typedef struct {
    const char *ec; /* one string, one pointer */
    uint32_t entry;
} pair_t;

typedef struct {
    uint32_t entry, row;
} drop_t;

typedef struct {
    const ontology_t *o;
    facts_t *facts;
    uint8_t *narrow;         /* by row: an activity with at most two terms below it */
    pair_t *pair;
    size_t pairs, pair_cap;
    drop_t *drop;
    size_t drops, drop_cap;
    uint32_t *count, *found; /* by row: entries of the group; the rows that have any */
} doubt_t;

static int by_ec(const void *a, const void *b)
{
    const pair_t *x = a, *y = b;
    int c = x->ec == y->ec ? 0 : strcmp(x->ec, y->ec);
    return c ? c : (x->entry > y->entry) - (x->entry < y->entry);
}

static int by_entry(const void *a, const void *b)
{
    const drop_t *x = a, *y = b;
    int c = (x->entry > y->entry) - (x->entry < y->entry);
    return c ? c : (x->row > y->row) - (x->row < y->row);
}

static bool is_activity(const goterm_t *g)
{
    size_t n = strlen(g->name);
    return g->space == GO_FUNCTION && n > 8 && !strcmp(g->name + n - 8, "activity");
}

/* No more than CHILDREN_MAX terms below it, and none below those. */
static int find_narrow(doubt_t *d, err_t *err)
{
    size_t n = ontology_count(d->o);
    uint32_t *children = mem_zero(n, sizeof *children, err);
    d->narrow = mem_zero(n, 1, err);
    if (!children || !d->narrow) {
        mem_free(children);
        return -1;
    }
    for (size_t r = 0; r < n; r++)
        for (size_t j = 0; j < ontology_term(d->o, r)->parents; j++) children[ontology_term(d->o, r)->parent[j]]++;
    for (size_t r = 0; r < n; r++) d->narrow[r] = is_activity(ontology_term(d->o, r)) && children[r] <= CHILDREN_MAX;
    for (size_t r = 0; r < n; r++)
        for (size_t j = 0; children[r] && j < ontology_term(d->o, r)->parents; j++) d->narrow[ontology_term(d->o, r)->parent[j]] = 0;
    mem_free(children);
    return 0;
}

static int find_pairs(doubt_t *d, size_t n, err_t *err)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; d->facts[i].ngo && j < d->facts[i].ec.n; j++) {
            if (!strchr(d->facts[i].ec.s[j], '-')) continue;
            if (mem_grow(&d->pair, &d->pair_cap, d->pairs + 1, sizeof *d->pair, err)) return -1;
            d->pair[d->pairs++] = (pair_t){d->facts[i].ec.s[j], (uint32_t)i};
        }
    if (d->pairs) qsort(d->pair, d->pairs, sizeof *d->pair, by_ec);
    return 0;
}

/* Whether the entries of a group have PROTEINS_MIN different accessions. */
static bool is_diverse(const doubt_t *d, const pair_t *p, size_t n)
{
    const char *seen[PROTEINS_MIN] = {NULL};
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        const names_t *u = &d->facts[p[i].entry].uniprot;
        for (size_t j = 0; j < u->n; j++) {
            size_t k = 0;
            while (k < m && seen[k] != u->s[j]) k++;
            if (k == m) seen[m++] = u->s[j];
            if (m == PROTEINS_MIN) return true;
        }
    }
    return false;
}

/* A group: the entries of one incomplete number. */
static int doubt_group(doubt_t *d, const pair_t *p, size_t n, err_t *err)
{
    size_t found = 0;
    int rc = 0;
    if (n < GROUP_MIN || !is_diverse(d, p, n)) return 0;
    for (size_t i = 0; i < n; i++) {
        const facts_t *f = &d->facts[p[i].entry];
        for (size_t j = 0; j < f->ngo; j++)
            if (d->narrow[f->go[j]] && !d->count[f->go[j]]++) d->found[found++] = f->go[j];
    }
    for (size_t i = 0; !rc && i < n; i++) {
        const facts_t *f = &d->facts[p[i].entry];
        for (size_t j = 0; !rc && j < f->ngo; j++) {
            if (100 * (size_t)d->count[f->go[j]] < SHARE * n) continue;
            if (!(rc = mem_grow(&d->drop, &d->drop_cap, d->drops + 1, sizeof *d->drop, err)))
                d->drop[d->drops++] = (drop_t){p[i].entry, f->go[j]};
        }
    }
    for (size_t i = 0; i < found; i++) d->count[d->found[i]] = 0;
    return rc;
}

/* Both lists ascend. */
static void drop_all(doubt_t *d, uint32_t *item)
{
    if (d->drops) qsort(d->drop, d->drops, sizeof *d->drop, by_entry);
    for (size_t i = 0; i < d->drops;) {
        uint32_t e = d->drop[i].entry;
        facts_t *f = &d->facts[e];
        uint32_t *list = item + (f->go - item);
        size_t m = 0;
        for (size_t j = 0; j < f->ngo; j++) {
            while (i < d->drops && d->drop[i].entry == e && d->drop[i].row < list[j]) i++;
            if (i == d->drops || d->drop[i].entry != e || d->drop[i].row != list[j]) list[m++] = list[j];
        }
        while (i < d->drops && d->drop[i].entry == e) i++;
        f->ngo = m;
    }
}

int doubt_drop(const ontology_t *o, facts_t *facts, size_t n, uint32_t *item, err_t *err)
{
    doubt_t d = {.o = o, .facts = facts};
    int rc = find_narrow(&d, err) || find_pairs(&d, n, err) ? -1 : 0;
    if (!rc) {
        d.count = mem_zero(ontology_count(o), sizeof *d.count, err);
        d.found = mem_new(ontology_count(o), sizeof *d.found, err);
        rc = d.count && d.found ? 0 : -1;
    }
    for (size_t i = 0, end; !rc && i < d.pairs; i = end) {
        for (end = i + 1; end < d.pairs && d.pair[end].ec == d.pair[i].ec; end++) continue;
        rc = doubt_group(&d, d.pair + i, end - i, err);
    }
    if (!rc) drop_all(&d, item);
    mem_free(d.narrow);
    mem_free(d.pair);
    mem_free(d.drop);
    mem_free(d.count);
    mem_free(d.found);
    return rc;
}
