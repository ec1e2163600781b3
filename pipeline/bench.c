/* bench: queries, orders and ranks (see bench.h). The report is bench_report.c. */
#include "pipeline/bench.h"
#include "pipeline/vocab.h"

#include <ctype.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/intern.h"
#include "base/mem.h"
#include "base/rng.h"
#include "pipeline/dataset_build.h"

const char *const bench_gallery[GALLERIES] = {"all", "equal_mass"};
static const unsigned gallery_bit[GALLERIES] = {BENCH_ALL, BENCH_HARD};

void bench_entry(const char *id, char *out, size_t n)
{
    const bool emdb = !strncasecmp(id, "emd", 3) && (id[3] == '_' || id[3] == '-') && isdigit((unsigned char)id[4]);
    char pdb[5];
    dataset_pdb_id(id, pdb);
    const size_t len = *pdb ? strlen(pdb) : emdb ? 4 + strspn(id + 4, "0123456789") : strlen(id);
    size_t k = 0;
    for (; k < len && k + 1 < n; k++) out[k] = emdb && k == 3 ? '-' : (char)tolower((unsigned char)id[k]);
    out[k] = 0;
}

int bench_task(benchtask_t *t, const char *name, size_t columns, char *const *column, uint64_t seed, err_t *err)
{
    *t = (benchtask_t){.name = name, .columns = columns, .column = column, .seed = seed};
    t->tie = measure_ties(columns, seed, err);
    t->bits = mem_zero(columns, 1, err);
    return t->tie && t->bits ? 0 : -1;
}

int bench_keep_columns(benchtask_t *t, err_t *err)
{
    char **kept = vocab_strings((const char *const *)t->column, t->columns, err);
    if (!kept) return -1;
    t->column = t->kept = kept;
    return 0;
}

int bench_kind(benchtask_t *t, const char *name)
{
    t->kind[t->kinds] = name;
    return (int)t->kinds++;
}

int bench_method(benchtask_t *t, const char *name, err_t *err)
{
    for (size_t m = 0; m < t->methods; m++)
        if (!strcmp(t->method[m], name)) return err_set(err, ERR_USAGE, "%s: two methods of this name", name);
    if (t->methods == BENCH_METHODS) return err_set(err, ERR_USAGE, "%s: more than %d methods", name, BENCH_METHODS);
    if (!(t->method[t->methods] = mem_str(name, err))) return -1;
    return (int)t->methods++;
}

int bench_ready(benchtask_t *t, err_t *err)
{
    size_t all = t->methods * t->columns;
    t->score = mem_zero(all, sizeof *t->score, err);
    t->key = mem_new(all, sizeof *t->key, err);
    t->order = mem_new(all, sizeof *t->order, err);
    return t->score && t->key && t->order ? 0 : -1;
}

void bench_end(benchtask_t *t)
{
    for (size_t m = 0; m < t->methods; m++) mem_free(t->method[m]);
    for (size_t i = 0; i < t->n; i++) bench_query_free(&t->query[i]);
    void *const own[] = {t->query, t->rank, t->ap, t->relevant, t->hit, t->tie, t->score, t->bits, t->key, t->order, t->kept};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) mem_free(own[i]);
    *t = (benchtask_t){0};
}

void bench_random(benchtask_t *t, int method)
{
    rng_t r;
    rng_seed(&r, t->seed + 0x9e3779b97f4a7c15u * (t->n + 1));
    for (size_t i = 0; i < t->columns; i++) t->score[(size_t)method * t->columns + i] = (float)rng_unit(&r);
}

/* Room for one more query. */
static int grow(benchtask_t *t, err_t *err)
{
    size_t cells = t->methods * GALLERIES * t->kinds, cap = t->cap;
    const struct {
        void *p;
        size_t size;
    } part[] = {{&t->query, sizeof *t->query},
                {&t->rank, cells * sizeof *t->rank},
                {&t->ap, cells * sizeof *t->ap},
                {&t->relevant, GALLERIES * t->kinds * sizeof *t->relevant},
                {&t->hit, t->methods * BENCH_HITS * sizeof *t->hit}};
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
        cap = t->cap;
        if (mem_grow(part[i].p, &cap, t->n + 1, part[i].size, err)) return -1;
    }
    t->cap = cap;
    return 0;
}

static void evaluate(benchtask_t *t, size_t m)
{
    size_t cells = GALLERIES * t->kinds, at = (t->n * t->methods + m) * cells, k = 0;
    uint32_t *order = t->order + m * t->columns;
    const float *score = t->score + m * t->columns;
    benchhit_t *hit = t->hit + (t->n * t->methods + m) * BENCH_HITS;
    measure_order(score, t->tie, t->columns, t->key + m * t->columns, order);
    for (size_t g = 0; g < GALLERIES; g++)
        for (size_t kind = 0; kind < t->kinds; kind++)
            measure_rank(order, t->columns, t->bits, 1u << kind, gallery_bit[g], &t->rank[at + g * t->kinds + kind],
                         &t->ap[at + g * t->kinds + kind]);
    memset(hit, 0, BENCH_HITS * sizeof *hit);
    for (size_t i = 0; i < t->columns && k < BENCH_HITS; i++)
        if (t->bits[order[i]] & BENCH_ALL) hit[k++] = (benchhit_t){order[i], t->bits[order[i]], score[order[i]]};
}

void bench_query_free(benchquery_t *q)
{
    mem_free(q->id);
    mem_free(q->path);
    mem_free(q->group);
    mem_free(q->entry);
    *q = (benchquery_t){0};
}

int bench_query_copy(benchquery_t *to, const benchquery_t *q, err_t *err)
{
    *to = *q;
    to->id = mem_str(q->id ? q->id : "", err);
    to->path = mem_str(q->path ? q->path : "", err);
    to->group = mem_str(q->group ? q->group : "", err);
    to->entry = mem_str(q->entry ? q->entry : "", err);
    if (to->id && to->path && to->group && to->entry) return 0;
    bench_query_free(to);
    return -1;
}

int bench_query(benchtask_t *t, const benchquery_t *q, err_t *err)
{
    if (grow(t, err)) return -1;
    if (bench_query_copy(&t->query[t->n], q, err)) return -1;
    uint32_t *count = t->relevant + t->n * GALLERIES * t->kinds;
    memset(count, 0, GALLERIES * t->kinds * sizeof *count);
    for (size_t i = 0; i < t->columns; i++)
        for (size_t g = 0; g < GALLERIES; g++)
            for (size_t k = 0; k < t->kinds && t->bits[i] & gallery_bit[g]; k++) count[g * t->kinds + k] += t->bits[i] >> k & 1;
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t m = 0; m < t->methods; m++) evaluate(t, m);
    t->n++;
    return 0;
}

size_t bench_groups(const benchquery_t *q, size_t n, uint32_t *group, err_t *err)
{
    intern_t set = {0};
    size_t groups = 0;
    int rc = 0;
    for (size_t i = 0; !rc && i < n; i++) {
        char own[32];
        const char *name = q[i].group;
        if (!*name) snprintf(own, sizeof own, "\x01%zu", i), name = own;
        rc = intern_add(&set, name, strlen(name), &group[i], err);
    }
    if (!rc) groups = set.n;
    intern_free(&set);
    return groups;
}
