/* test_split: groups, their sides and leaks, over tables of kin that the test makes. */
#include "tests/test.h"

#include "base/intern.h"
#include "base/mem.h"
#include "pipeline/dataset.h"
#include "pipeline/split.h"

typedef struct {
    const char *pdb, *cluster, *uniprot, *family, *sequence;
} row_t;

/* d of n rows, of which those from `from` on are of the maps. Freed by dataset_free(). */
static void make(dataset_t *d, const row_t *row, size_t n, size_t from)
{
    err_t e = {0};
    *d = (dataset_t){.n = from};
    intern_t set[4] = {{0}};
    lists_builder_t of[2][4] = {{{0}}};
    const char **pdb = mem_new(n, sizeof *pdb, &e);
    for (size_t i = 0; i < n; i++) {
        const char *name[4] = {row[i].cluster, row[i].uniprot, row[i].family, row[i].sequence};
        pdb[i] = row[i].pdb;
        for (int k = 0; k < 4; k++) {
            lists_builder_t *b = &of[i >= from][k];
            if (name[k]) assert_int_equal(lists_add(b, (uint32_t)vocab_add(&set[k], name[k], &e), &e), 0);
            assert_int_equal(lists_row(b, &e), 0);
        }
    }
    lists_t none; /* maps have no sequences */
    vocab_t *v[4] = {&d->cluster, &d->uniprot, &d->family, &d->sequence};
    lists_t *l[2][4] = {{&d->clusters, &d->uniprots, &d->families, &d->sequences},
                        {&d->maps.clusters, &d->maps.uniprots, &d->maps.families, &none}};
    for (int k = 0; k < 4; k++) {
        uint32_t to[256];
        assert_int_equal(vocab_sorted(&set[k], v[k], to, &e), 0);
        for (int s = 0; s < 2; s++) lists_end(&of[s][k], to, l[s][k]);
        intern_free(&set[k]);
    }
    lists_free(&none);
    d->id = vocab_strings(pdb, from, &e);
    d->pdb = vocab_strings(pdb, from, &e);
    d->maps.pdb = (vocab_t){n - from, vocab_strings(pdb + from, n - from, &e)};
    mem_free(pdb);
}

static void groups_and_maps(void **state)
{
    (void)state;
    static const row_t row[] = {
        {.pdb = "1aaa", .cluster = "c1"}, /* 0 to 3: a chain of kin; 4 alone */
        {.pdb = "1bbb", .cluster = "c1", .uniprot = "u1"},
        {.pdb = "1ccc", .cluster = "c2", .uniprot = "u1"},
        {.pdb = "1ddd", .cluster = "c2"},
        {.pdb = "1eee", .cluster = "c3"},
        {.pdb = "2aaa", .family = "f1"}, /* 5, 6: kin by family */
        {.pdb = "2bbb", .family = "f1"},
        {.pdb = "3aaa", .cluster = "c9"}, /* kin of a map's model that the dataset lacks */
        {.pdb = "4aaa"},                  /* is the model of a map */
        {.pdb = "5aaa"},                  /* 9, 10: parts of one entry */
        {.pdb = "5aaa"},
        {.pdb = "6aaa", .sequence = "s1"}, /* 11, 12: kin by sequence */
        {.pdb = "6bbb", .sequence = "s1"},
        {.pdb = "3xyz", .cluster = "c9", .uniprot = "u9", .family = "f9"}, /* of maps */
        {.pdb = "4aaa", .family = "f8"},
    };
    static const uint32_t want[] = {0, 0, 0, 0, 1, 2, 2, 3, 4, 5, 5, 6, 6};
    enum { N = 13, ALL = 15 };
    err_t e = {0};
    dataset_t d;
    leak_t leak[LEAKS];
    split_opts_t o = {.seed = 3, .valid = 0, .test = 0, .large = 0.3, .alike = true};
    make(&d, row, ALL, N);
    uint8_t given[N];
    memset(given, SPLITS, N);
    given[4] = SPLIT_VALID;
    given[9] = SPLIT_TRAIN;
    given[10] = SPLIT_TEST; /* of two wishes in a group the one farthest from training */
    assert_int_equal(split_make(&d, &o, given, &e), 0);
    for (size_t i = 0; i < N; i++) assert_int_equal(d.group[i], want[i]);
    static const uint8_t side[] = {0, 0, 0, 0, SPLIT_VALID, 0, 0, SPLIT_TEST, SPLIT_TEST, SPLIT_TEST, SPLIT_TEST, 0, 0};
    assert_memory_equal(d.split, side, N);

    assert_int_equal(split_leaks(&d, leak, &e), 0);
    assert_int_equal(split_faults(leak), 0);
    assert_int_equal(leak[LEAK_CLUSTER].all, 4);
    assert_int_equal(leak[LEAK_CLUSTER].maps, 1);
    assert_int_equal(leak[LEAK_PDB].maps, 2);
    assert_int_equal(leak[LEAK_FAMILY].all, 1);
    assert_int_equal(leak[LEAK_FAMILY].maps, 2);

    const struct { /* move one entry; what leaks then */
        size_t i, shared, maps_shared;
        uint8_t to;
        leakkind_t kind;
    } move[] = {{3, 1, 0, SPLIT_TEST, LEAK_CLUSTER},  {1, 1, 0, SPLIT_TEST, LEAK_UNIPROT}, {6, 1, 0, SPLIT_VALID, LEAK_FAMILY},
                {7, 0, 1, SPLIT_TRAIN, LEAK_CLUSTER}, {8, 0, 1, SPLIT_VALID, LEAK_PDB},    {10, 1, 0, SPLIT_TRAIN, LEAK_PDB},
                {11, 1, 0, SPLIT_TEST, LEAK_SEQUENCE}};
    for (size_t k = 0; k < sizeof move / sizeof *move; k++) {
        uint8_t was = d.split[move[k].i];
        d.split[move[k].i] = move[k].to;
        assert_int_equal(split_leaks(&d, leak, &e), 0);
        assert_int_equal(leak[move[k].kind].shared, move[k].shared);
        assert_int_equal(leak[move[k].kind].maps_shared, move[k].maps_shared);
        assert_int_equal(split_faults(leak) > 0, move[k].kind != LEAK_SEQUENCE); /* which is told only */
        assert_true(*leak[move[k].kind].example);
        d.split[move[k].i] = was;
    }
    dataset_free(&d);
}

/* Many groups: shares are about those asked for, the large group trains, another seed gives another split. */
static void shares(void **state)
{
    (void)state;
    enum { N = 3000 };
    static row_t row[N];
    static char id[N][8];
    err_t e = {0};
    dataset_t d;
    for (int i = 0; i < N; i++) {
        snprintf(id[i], sizeof id[i], "%d", 10000 + i);
        row[i] = (row_t){.pdb = id[i], .cluster = i < 600 ? "large" : NULL};
    }
    make(&d, row, N, N);
    uint8_t first[N];
    for (uint64_t seed = 1; seed < 3; seed++) {
        split_opts_t o = {.seed = seed, .valid = 0.05, .test = 0.1, .large = 0.02};
        size_t count[SPLITS] = {0};
        assert_int_equal(split_make(&d, &o, NULL, &e), 0);
        for (int i = 0; i < N; i++) count[d.split[i]]++;
        for (int i = 0; i < 600; i++) assert_int_equal(d.split[i], SPLIT_TRAIN);
        assert_close((double)count[SPLIT_VALID] / N, 0.05, 0.015);
        assert_close((double)count[SPLIT_TEST] / N, 0.1, 0.02);
        if (seed == 1) memcpy(first, d.split, N);
        else assert_memory_not_equal(first, d.split, N);
        if (seed == 1) {
            mem_free(d.split);
            mem_free(d.group);
        }
    }
    dataset_free(&d);
}

int main(void)
{
    const struct CMUnitTest t[] = {cmocka_unit_test(groups_and_maps), cmocka_unit_test(shares)};
    return cmocka_run_group_tests(t, NULL, NULL);
}
