/* tiny_dataset: a dataset of small random traces with made-up captions, in memory. */
#ifndef CRYOLEX_TESTS_TINY_DATASET_H
#define CRYOLEX_TESTS_TINY_DATASET_H

#include "tests/test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "pipeline/dataset.h"
#include "pipeline/dataset_atoms.h"

enum { TINY_DIM = 6, TINY_RESIDUES = 40 };

/* A chain that winds at random, of CA atoms. */
static inline void tiny_model(uint64_t seed, model_t *m)
{
    rng_t r;
    double p[3] = {0}, v[3] = {1, 0, 0};
    rng_seed(&r, seed);
    *m = (model_t){.n = TINY_RESIDUES, .nres = TINY_RESIDUES, .nchain = 1, .trace = 1};
    m->atom = mem_zero(m->n, sizeof *m->atom, NULL);
    for (size_t i = 0; i < m->n; i++) {
        double len = 0;
        for (int d = 0; d < 3; d++) v[d] += 0.7 * rng_normal(&r);
        for (int d = 0; d < 3; d++) len += v[d] * v[d];
        for (int d = 0; d < 3; d++) p[d] += 3.8 * (v[d] /= sqrt(len));
        m->atom[i] = (atom_t){.x = (float)p[0], .y = (float)p[1], .z = (float)p[2], .occ = 1, .residue = (uint32_t)i, .element = 6,
                              .name = "CA", .resname = "ALA"};
    }
}

/* Lists with no rows filled, or item[i] in row i where item is given. */
static inline lists_t tiny_lists(size_t n, const uint32_t *item)
{
    lists_t l = {mem_zero(n + 1, sizeof *l.at, NULL), mem_zero(n, sizeof *l.item, NULL)};
    for (size_t i = 0; item && i < n; i++) {
        l.at[i + 1] = i + 1;
        l.item[i] = item[i];
    }
    return l;
}

/* n entries: of ten, number 8 is for validation, 9 for test. Entry i has cluster and terms i / 2, two captions, but none
 * where i % 5 is 4. Free with tiny_free(). */
static inline void tiny_make(size_t n, dataset_t *d)
{
    rng_t r;
    uint32_t half[1000];
    *d = (dataset_t){.n = n, .dim = TINY_DIM, .text_model = mem_str("toy", NULL), .text_hash = "00112233", .hash = "deadbeef"};
    d->id = mem_zero(n, sizeof *d->id, NULL);
    d->split = mem_zero(n, 1, NULL);
    d->group = mem_zero(n, sizeof *d->group, NULL);
    d->span = mem_zero(n, sizeof *d->span, NULL);
    d->caption_at = mem_zero(n + 1, sizeof *d->caption_at, NULL);
    d->text = mem_zero(2 * n, TINY_DIM * sizeof *d->text, NULL);
    d->atoms = atoms_new(NULL);
    rng_seed(&r, 99);
    for (size_t i = 0; i < n; i++) {
        model_t m;
        tiny_model(i + 1, &m);
        if (atoms_add(d->atoms, &m, NULL)) fail();
        mem_free(m.atom);
        d->id[i] = mem_new(16, 1, NULL);
        snprintf(d->id[i], 16, "t%03zu", i);
        d->split[i] = i % 10 == 8 ? SPLIT_VALID : i % 10 == 9 ? SPLIT_TEST : SPLIT_TRAIN;
        half[i] = d->group[i] = (uint32_t)i / 2;
        d->caption_at[i + 1] = d->caption_at[i] + (i % 5 == 4 ? 0 : 2);
    }
    d->captions = d->caption_at[n];
    for (size_t i = 0; i < d->captions; i++) {
        double sq = 0;
        float *t = d->text + i * TINY_DIM;
        for (int j = 0; j < TINY_DIM; j++) t[j] = (float)rng_normal(&r);
        for (int j = 0; j < TINY_DIM; j++) sq += (double)t[j] * (double)t[j];
        for (int j = 0; j < TINY_DIM; j++) t[j] = (float)((double)t[j] / sqrt(sq));
    }
    d->cluster.n = d->term.n = n;
    d->clusters = tiny_lists(n, half);
    d->pruned = tiny_lists(n, half);
    d->terms = tiny_lists(n, NULL);
    d->uniprots = tiny_lists(n, NULL);
}

static inline void tiny_free(dataset_t *d)
{
    lists_t *lists[] = {&d->clusters, &d->pruned, &d->terms, &d->uniprots};
    for (size_t i = 0; i < d->n; i++) mem_free(d->id[i]);
    for (size_t i = 0; i < 4; i++) {
        mem_free(lists[i]->at);
        mem_free(lists[i]->item);
    }
    mem_free(d->id);
    mem_free(d->split);
    mem_free(d->group);
    mem_free(d->span);
    mem_free(d->caption_at);
    mem_free(d->text);
    mem_free(d->text_model);
    atoms_free(d->atoms);
    *d = (dataset_t){0};
}

#endif
