/* split: the sides of a dataset, by group (see split.h). */
#include "pipeline/split.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

const char *const split_name[SPLITS] = {"train", "valid", "test"};
const char *const leak_name[LEAKS] = {"pdb_id", "cluster_30", "uniprot", "family", "sequence", "pfam"};
const split_opts_t split_usual = {.seed = 1, .valid = 0.05, .test = 0.10, .large = 0.02};

/* ---- groups: connected components ---- */

/* A forest over entries, then entries of the maps, then names of each vocabulary. */
typedef struct {
    uint32_t *up;
    size_t n;
} forest_t;

static uint32_t root(forest_t *f, uint32_t x)
{
    while (f->up[x] != x) {
        f->up[x] = f->up[f->up[x]];
        x = f->up[x];
    }
    return x;
}

/* The smaller root stays: entries come first, so the root of a group with entries is its first. */
static void join(forest_t *f, size_t a, size_t b)
{
    uint32_t x = root(f, (uint32_t)a), y = root(f, (uint32_t)b);
    if (x < y) f->up[y] = x;
    else f->up[x] = y;
}

static void join_lists(forest_t *f, size_t row, size_t rows, const lists_t *l, size_t names)
{
    for (size_t i = 0; l->at && i < rows; i++)
        for (size_t k = l->at[i]; k < l->at[i + 1]; k++) join(f, row + i, names + l->item[k]);
}

/* PDB ids of entries and maps as a vocabulary and the row of each; SIZE_MAX where unknown. */
static int pdb_rows(const dataset_t *d, size_t *row, size_t *names, err_t *err)
{
    intern_t set = {0};
    int rc = 0;
    for (size_t i = 0; !rc && i < d->n + d->maps.pdb.n; i++) {
        const char *id = i < d->n ? d->pdb[i] : d->maps.pdb.name[i - d->n];
        long k = *id ? vocab_add(&set, id, err) : 0;
        row[i] = *id ? (size_t)k : SIZE_MAX;
        if (k < 0) rc = -1;
    }
    *names = set.n;
    intern_free(&set);
    return rc;
}

static int make_groups(const dataset_t *d, bool alike, forest_t *f, err_t *err)
{
    const lists_t none = {0};
    const struct {
        const lists_t *of_entries, *of_maps;
        size_t names;
    } kind[] = {{&d->clusters, &d->maps.clusters, d->cluster.n},
                {&d->uniprots, &d->maps.uniprots, d->uniprot.n},
                {&d->families, &d->maps.families, d->family.n},
                {alike ? &d->sequences : &none, &none, d->sequence.n}};
    size_t rows = d->n + d->maps.pdb.n, pdbs, at = rows;
    size_t *pdb = mem_new(rows, sizeof *pdb, err);
    int rc = pdb ? pdb_rows(d, pdb, &pdbs, err) : -1;
    if (!rc) {
        f->n = rows + pdbs;
        for (size_t k = 0; k < sizeof kind / sizeof *kind; k++) f->n += kind[k].names;
        if (!(f->up = mem_new(f->n, sizeof *f->up, err))) rc = -1;
    }
    if (!rc) {
        for (size_t i = 0; i < f->n; i++) f->up[i] = (uint32_t)i;
        for (size_t i = 0; i < rows; i++)
            if (pdb[i] != SIZE_MAX) join(f, i, at + pdb[i]);
        at += pdbs;
        for (size_t k = 0; k < sizeof kind / sizeof *kind; at += kind[k++].names) {
            join_lists(f, 0, d->n, kind[k].of_entries, at);
            join_lists(f, d->n, d->maps.pdb.n, kind[k].of_maps, at);
        }
    }
    mem_free(pdb);
    return rc;
}

/* ---- sides ---- */

typedef struct {
    size_t entries;
    const char *key;  /* the first id of its entries */
    uint8_t side;     /* SPLITS: open */
    bool maps;
} group_t;

static double draw(uint64_t seed, const char *key)
{
    uint64_t h = 0xcbf29ce484222325; /* FNV-1a */
    for (; *key; key++) h = (h ^ (unsigned char)*key) * 0x100000001b3;
    rng_t r;
    rng_seed(&r, seed ^ h);
    return rng_unit(&r);
}

/* Sides of what is decided; then of the open groups, so that all together have about the shares asked for. */
static void choose(group_t *g, size_t groups, size_t n, const split_opts_t *o)
{
    double have[SPLITS] = {0}, open = 0, p[SPLITS] = {0};
    const double want[SPLITS] = {0, o->valid * (double)n, o->test * (double)n};
    for (size_t i = 0; i < groups; i++) {
        if (g[i].maps) g[i].side = SPLIT_TEST;
        else if (g[i].side == SPLITS && (double)g[i].entries > o->large * (double)n) g[i].side = SPLIT_TRAIN;
        if (g[i].side < SPLITS) have[g[i].side] += (double)g[i].entries;
        else open += (double)g[i].entries;
    }
    for (int s = SPLIT_VALID; s < SPLITS; s++)
        if (want[s] > have[s] && open > 0) p[s] = (want[s] - have[s]) / open;
    for (size_t i = 0; i < groups; i++) {
        if (g[i].side < SPLITS) continue;
        double u = draw(o->seed, g[i].key);
        g[i].side = u < p[SPLIT_TEST] ? SPLIT_TEST : u < p[SPLIT_TEST] + p[SPLIT_VALID] ? SPLIT_VALID : SPLIT_TRAIN;
    }
}

/* Number the groups that have entries; group[i] of entry i; *g and *groups. */
static int number(const dataset_t *d, forest_t *f, const uint8_t *given, group_t **g, size_t *groups, err_t *err)
{
    if (!(*g = mem_zero(d->n, sizeof **g, err))) return -1;
    *groups = 0;
    for (size_t i = 0; i < d->n; i++) {
        uint32_t r = root(f, (uint32_t)i);
        if (r == i) {
            d->group[i] = (uint32_t)*groups;
            (*g)[(*groups)++] = (group_t){.side = SPLITS};
        } else
            d->group[i] = d->group[r];
        group_t *x = &(*g)[d->group[i]];
        const char *key = *d->pdb[i] ? d->pdb[i] : d->id[i];
        if (!x->key || strcmp(key, x->key) < 0) x->key = key;
        x->entries++;
        if (given && given[i] < SPLITS && (x->side == SPLITS || given[i] > x->side)) x->side = given[i];
    }
    for (size_t i = 0; i < d->maps.pdb.n; i++) {
        uint32_t r = root(f, (uint32_t)(d->n + i));
        if (r < d->n) (*g)[d->group[r]].maps = true;
    }
    return 0;
}

int split_make(dataset_t *d, const split_opts_t *o, const uint8_t *given, err_t *err)
{
    forest_t f = {0};
    group_t *g = NULL;
    size_t groups;
    d->group = mem_new(d->n, sizeof *d->group, err);
    d->split = mem_new(d->n, 1, err);
    int rc = d->group && d->split && !make_groups(d, o->alike, &f, err) && !number(d, &f, given, &g, &groups, err) ? 0 : -1;
    if (!rc) {
        choose(g, groups, d->n, o);
        for (size_t i = 0; i < d->n; i++) d->split[i] = g[d->group[i]].side;
    }
    mem_free(f.up);
    mem_free(g);
    return rc;
}

/* ---- leaks ---- */

enum { ON_MAPS = 1 << SPLITS };

static bool several(unsigned sides) { return (sides & (sides - 1)) != 0; }

static void count(unsigned seen, const char *name, leak_t *l)
{
    unsigned sides = seen & (ON_MAPS - 1);
    bool maps = seen & ON_MAPS, maps_shared = maps && (sides & ~(1u << SPLIT_TEST));
    l->all += sides != 0;
    l->shared += several(sides);
    l->train_test += (sides & 1u << SPLIT_TRAIN) && (sides & 1u << SPLIT_TEST);
    l->maps += maps;
    l->maps_shared += maps_shared;
    if ((several(sides) || maps_shared) && !*l->example) snprintf(l->example, sizeof l->example, "%s", name);
}

/* One kind: which sides each name of the vocabulary is seen on. of_maps may be NULL. */
static int leaks_of(const dataset_t *d, const lists_t *of_entries, const lists_t *of_maps, const vocab_t *v, const char *only,
                    leak_t *l, err_t *err)
{
    unsigned char *seen = mem_zero(v->n, 1, err);
    if (!seen) return -1;
    for (size_t i = 0; of_entries->at && i < d->n; i++)
        for (size_t k = of_entries->at[i]; k < of_entries->at[i + 1]; k++) seen[of_entries->item[k]] |= (unsigned char)(1 << d->split[i]);
    for (size_t i = 0; of_maps && of_maps->at && i < d->maps.pdb.n; i++)
        for (size_t k = of_maps->at[i]; k < of_maps->at[i + 1]; k++) seen[of_maps->item[k]] |= ON_MAPS;
    for (size_t k = 0; k < v->n; k++)
        if (!strncmp(v->name[k], only, strlen(only))) count(seen[k], v->name[k], l);
    mem_free(seen);
    return 0;
}

static int leaks_of_pdb(const dataset_t *d, leak_t *l, err_t *err)
{
    intern_t set = {0};
    size_t rows = d->n + d->maps.pdb.n;
    unsigned char *seen = mem_zero(rows, 1, err);
    int rc = seen ? 0 : -1;
    for (size_t i = 0; !rc && i < rows; i++) {
        const char *id = i < d->n ? d->pdb[i] : d->maps.pdb.name[i - d->n];
        long k = *id ? vocab_add(&set, id, err) : 0;
        if (k < 0) rc = -1;
        else if (*id) seen[k] = (unsigned char)(seen[k] | (i < d->n ? 1 << d->split[i] : ON_MAPS));
    }
    for (size_t k = 0; !rc && k < set.n; k++) count(seen[k], set.str[k], l);
    intern_free(&set);
    mem_free(seen);
    return rc;
}

int split_leaks(const dataset_t *d, leak_t leak[LEAKS], err_t *err)
{
    memset(leak, 0, LEAKS * sizeof *leak);
    return leaks_of_pdb(d, &leak[LEAK_PDB], err) ||
                   leaks_of(d, &d->clusters, &d->maps.clusters, &d->cluster, "", &leak[LEAK_CLUSTER], err) ||
                   leaks_of(d, &d->uniprots, &d->maps.uniprots, &d->uniprot, "", &leak[LEAK_UNIPROT], err) ||
                   leaks_of(d, &d->families, &d->maps.families, &d->family, "", &leak[LEAK_FAMILY], err) ||
                   leaks_of(d, &d->sequences, NULL, &d->sequence, "", &leak[LEAK_SEQUENCE], err) ||
                   leaks_of(d, &d->terms, NULL, &d->term, "PF", &leak[LEAK_PFAM], err)
               ? -1
               : 0;
}

size_t split_faults(const leak_t leak[LEAKS])
{
    size_t n = 0;
    for (int k = 0; k < LEAK_SEQUENCE; k++) n += leak[k].shared + leak[k].maps_shared;
    return n;
}
