/* dataset_facts: what is known about the entries of a dataset (see dataset_facts.h). */
#include "pipeline/dataset_facts.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/tsv.h"
#include "pipeline/dataset_build.h"

enum { NAME = 64 };

/* Everything as it grows. */
typedef struct {
    const annot_t *annot;
    intern_t term, cluster, uniprot, family, maps;
    const char **term_name; /* of each term, borrowed from the annot_t */
    size_t cap_name;
    lists_builder_t terms, pruned, clusters, uniprots, families;    /* of entries */
    lists_builder_t maps_clusters, maps_uniprots, maps_families;    /* of entries of the maps, in the order of `maps` */
} grow_t;

static int put(intern_t *v, lists_builder_t *l, const char *name, err_t *err)
{
    long k = vocab_add(v, name, err);
    return k < 0 || lists_add(l, (uint32_t)k, err) ? -1 : 0;
}

static int put_term(grow_t *g, lists_builder_t *l, const char *id, const char *name, err_t *err)
{
    size_t before = g->term.n;
    if (put(&g->term, l, id, err)) return -1;
    if (g->term.n == before) return 0;
    if (mem_grow(&g->term_name, &g->cap_name, g->term.n, sizeof *g->term_name, err)) return -1;
    g->term_name[before] = name;
    return 0;
}

static int put_go(grow_t *g, lists_builder_t *l, const uint32_t *row, size_t n, err_t *err)
{
    const ontology_t *o = annot_ontology(g->annot);
    for (size_t i = 0; i < n; i++) {
        const goterm_t *t = ontology_term(o, row[i]);
        if (put_term(g, l, t->id, t->name, err)) return -1;
    }
    return 0;
}

/* GO of an entry, with ancestors into terms, without those of other members into pruned; obsolete terms into neither. */
static int add_go(grow_t *g, const facts_t *f, err_t *err)
{
    const ontology_t *o = annot_ontology(g->annot);
    uint32_t *set = mem_new(f->ngo, sizeof *set, err), *all = NULL;
    size_t n = 0, m = 0;
    if (!set) return -1;
    for (size_t i = 0; i < f->ngo; i++)
        if (!ontology_term(o, f->go[i])->obsolete) set[n++] = f->go[i];
    int rc = (all = ontology_close(o, set, n, &m, err)) && !put_go(g, &g->terms, all, m, err) && !ontology_prune(o, set, &n, err) &&
                     !put_go(g, &g->pruned, set, n, err)
                 ? 0
                 : -1;
    mem_free(all);
    mem_free(set);
    return rc;
}

static int add_terms(grow_t *g, const facts_t *f, err_t *err)
{
    char name[NAME];
    if (f->ngo && add_go(g, f, err)) return -1;
    for (size_t i = 0; i < f->ec.n; i++) {
        snprintf(name, sizeof name, "EC:%s", f->ec.s[i]);
        if (put_term(g, &g->terms, name, annot_ec_name(g->annot, f->ec.s[i]), err)) return -1;
    }
    for (size_t i = 0; i < f->pfam.n; i++)
        if (put_term(g, &g->terms, f->pfam.s[i], annot_pfam_name(g->annot, f->pfam.s[i]), err)) return -1;
    return 0;
}

static int add_kin(grow_t *g, const facts_t *f, lists_builder_t *clusters, lists_builder_t *uniprots, err_t *err)
{
    char name[NAME];
    for (size_t i = 0; i < f->nclusters; i++) {
        snprintf(name, sizeof name, "30:%u", (unsigned)f->cluster[i]);
        if (put(&g->cluster, clusters, name, err)) return -1;
    }
    for (size_t i = 0; i < f->uniprot.n; i++)
        if (put(&g->uniprot, uniprots, f->uniprot.s[i], err)) return -1;
    return 0;
}

/* ---- the table of real maps ---- */

/* One PDB id of the table with its family ("" none), as pairs in the order of the table. */
typedef struct {
    long pdb, family; /* numbers of grow_t.maps and .family; -1 */
} pair_t;

typedef struct {
    pair_t *pair;
    size_t n, cap;
} pairs_t;

/* The PDB ids in a field, whatever stands between them. */
static int add_fitted(grow_t *g, const char *field, const char *family, pairs_t *p, err_t *err)
{
    for (const char *s = field; *s;) {
        char pdb[5];
        size_t n = strspn(s, " ,;|");
        s += n;
        dataset_pdb_id(s, pdb);
        if (*pdb) {
            if (mem_grow(&p->pair, &p->cap, p->n + 1, sizeof *p->pair, err)) return -1;
            pair_t *x = &p->pair[p->n++];
            *x = (pair_t){vocab_add(&g->maps, pdb, err), family ? vocab_add(&g->family, family, err) : -1};
            if (x->pdb < 0 || (family && x->family < 0)) return -1;
        }
        s += strcspn(s, " ,;|");
    }
    return 0;
}

static int read_maps(grow_t *g, const char *path, pairs_t *p, err_t *err)
{
    tsv_t t;
    if (tsv_read(path, &t, err)) return -1;
    long family = tsv_col(&t, "family"), fitted = tsv_col(&t, "fitted_pdb");
    int rc = 0;
    if (family < 0 || fitted < 0)
        rc = err_set(err, ERR_FORMAT, "%s: no column '%s' (a table of maps has family and fitted_pdb)", path,
                     family < 0 ? "family" : "fitted_pdb");
    for (size_t r = 0; !rc && r < t.nrow; r++) {
        const char *ids = tsv_get(&t, r, fitted);
        if (ids) rc = add_fitted(g, ids, tsv_get(&t, r, family), p, err);
    }
    tsv_free(&t);
    return rc;
}

static int add_maps(grow_t *g, const pairs_t *p, err_t *err)
{
    for (size_t i = 0; i < g->maps.n; i++) {
        const facts_t *f = g->annot ? annot_find(g->annot, g->maps.str[i]) : NULL;
        if (f && add_kin(g, f, &g->maps_clusters, &g->maps_uniprots, err)) return -1;
        for (size_t k = 0; k < p->n; k++)
            if (p->pair[k].pdb == (long)i && p->pair[k].family >= 0 &&
                lists_add(&g->maps_families, (uint32_t)p->pair[k].family, err))
                return -1;
        if (lists_row(&g->maps_clusters, err) || lists_row(&g->maps_uniprots, err) || lists_row(&g->maps_families, err)) return -1;
    }
    return 0;
}

/* ---- entries ---- */

static int add_families(grow_t *g, const char *pdb, const char *group, const pairs_t *p, err_t *err)
{
    if (group && put(&g->family, &g->families, group, err)) return -1;
    for (size_t k = 0; *pdb && k < p->n; k++)
        if (p->pair[k].family >= 0 && !strcmp(g->maps.str[p->pair[k].pdb], pdb) &&
            lists_add(&g->families, (uint32_t)p->pair[k].family, err))
            return -1;
    return 0;
}

static int add_entry(grow_t *g, const char *pdb, const char *group, const pairs_t *p, size_t *alone, err_t *err)
{
    const facts_t *f = g->annot && *pdb ? annot_find(g->annot, pdb) : NULL;
    if (f && (add_terms(g, f, err) || add_kin(g, f, &g->clusters, &g->uniprots, err))) return -1;
    if (add_families(g, pdb, group, p, err)) return -1;
    if (!f || !(f->nclusters + f->uniprot.n)) ++*alone;
    lists_builder_t *const rows[] = {&g->terms, &g->pruned, &g->clusters, &g->uniprots, &g->families};
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
        if (lists_row(rows[k], err)) return -1;
    return 0;
}

/* ---- from growing to grown ---- */

static int end_lists(const intern_t *v, vocab_t *out, lists_builder_t *const *from, lists_t *const *to, size_t n, err_t *err)
{
    uint32_t *row = mem_new(v->n, sizeof *row, err);
    int rc = row ? vocab_sorted(v, out, row, err) : -1;
    for (size_t k = 0; !rc && k < n; k++) {
        lists_end(from[k], row, to[k]);
        if (!to[k]->at && !(to[k]->at = mem_zero(1, sizeof *to[k]->at, err))) rc = -1; /* no row: a start all the same */
    }
    mem_free(row);
    return rc;
}

static int end_term_names(const grow_t *g, dataset_t *d, err_t *err)
{
    const char **name = mem_new(g->term.n, sizeof *name, err);
    if (!name) return -1;
    for (size_t i = 0; i < g->term.n; i++) name[vocab_find(&d->term, g->term.str[i])] = g->term_name[i];
    d->term_name.name = vocab_strings(name, g->term.n, err);
    d->term_name.n = d->term_name.name ? g->term.n : 0;
    mem_free(name);
    return d->term_name.name ? 0 : -1;
}

/* The maps' rows follow their vocabulary, which is put in order here. */
static int end_maps(grow_t *g, dataset_t *d, pairs_t *p, err_t *err)
{
    uint32_t *to = mem_new(g->maps.n, sizeof *to, err);
    int rc = to ? vocab_sorted(&g->maps, &d->maps.pdb, to, err) : -1;
    for (size_t k = 0; !rc && k < p->n; k++) p->pair[k].pdb = to[p->pair[k].pdb];
    mem_free(to);
    if (rc) return rc;
    intern_free(&g->maps);
    for (size_t i = 0; i < d->maps.pdb.n; i++)
        if (vocab_add(&g->maps, d->maps.pdb.name[i], err) < 0) return -1;
    return add_maps(g, p, err);
}

static int grow_end(grow_t *g, dataset_t *d, err_t *err)
{
    dataset_maps_t *m = &d->maps;
    return end_lists(&g->term, &d->term, (lists_builder_t *[]){&g->terms, &g->pruned}, (lists_t *[]){&d->terms, &d->pruned}, 2, err) ||
                   end_term_names(g, d, err) ||
                   end_lists(&g->cluster, &d->cluster, (lists_builder_t *[]){&g->clusters, &g->maps_clusters},
                             (lists_t *[]){&d->clusters, &m->clusters}, 2, err) ||
                   end_lists(&g->uniprot, &d->uniprot, (lists_builder_t *[]){&g->uniprots, &g->maps_uniprots},
                             (lists_t *[]){&d->uniprots, &m->uniprots}, 2, err) ||
                   end_lists(&g->family, &d->family, (lists_builder_t *[]){&g->families, &g->maps_families},
                             (lists_t *[]){&d->families, &m->families}, 2, err)
               ? -1
               : 0;
}

static void grow_free(grow_t *g)
{
    intern_t *const v[] = {&g->term, &g->cluster, &g->uniprot, &g->family, &g->maps};
    lists_builder_t *const l[] = {&g->terms,    &g->pruned,        &g->clusters,      &g->uniprots,
                                  &g->families, &g->maps_clusters, &g->maps_uniprots, &g->maps_families};
    for (size_t k = 0; k < sizeof v / sizeof *v; k++) intern_free(v[k]);
    for (size_t k = 0; k < sizeof l / sizeof *l; k++) lists_builder_free(l[k]);
    mem_free(g->term_name);
}

int facts_add(dataset_t *d, const item_t *const *item, const annot_t *annot, const char *maps, const log_t *log, err_t *err)
{
    grow_t g = {.annot = annot};
    pairs_t p = {0};
    size_t alone = 0;
    int rc = (maps && read_maps(&g, maps, &p, err)) || end_maps(&g, d, &p, err) ? -1 : 0;
    for (size_t i = 0; !rc && i < d->n; i++) rc = add_entry(&g, d->pdb[i], item[i]->group, &p, &alone, err);
    if (!rc) rc = grow_end(&g, d, err);
    if (!rc && annot && alone)
        log_msg(log, LOG_WARN, "%zu of %zu entries have neither a sequence cluster nor an accession: nothing tells their kin", alone, d->n);
    grow_free(&g);
    mem_free(p.pair);
    return rc;
}
