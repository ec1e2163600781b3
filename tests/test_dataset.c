/* test_dataset: datasets: atoms in little memory, the file, the split, over models and tables that the test writes. */
#include "tests/test.h"

#include <hdf5.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/threads.h"
#include "pdb/pdb.h"
#include "pipeline/dataset.h"
#include "pipeline/dataset_atoms.h"
#include "pipeline/dataset_build.h"
#include "pipeline/split.h"
#include "voxel/simulate.h"

#define DIR "test_dataset.dir"

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static void put_atom(FILE *f, int serial, const char *record, const char *name, const char *res, char chain, int seq, const double p[3],
                     double occ, const char *element)
{
    fprintf(f, "%-6s%5d %-4s %3s %c%4d    %8.3f%8.3f%8.3f%6.2f%6.2f          %2s\n", record, serial, name, res, chain, seq, p[0], p[1],
            p[2], occ, 20.0, element);
}

/* A chain of five-atom residues, one of CA only, one of P only, a ligand and a partly occupied residue. */
static void put_mixed(const char *path, const char *id, uint64_t seed, double spread)
{
    FILE *f = fopen(path, "w");
    static const char *const atom[][2] = {{" N", " N"}, {" CA", " C"}, {" C", " C"}, {" O", " O"}, {" CB", " C"}};
    static const char *const res[] = {"ALA", "SER", "MET"};
    int serial = 1;
    rng_t r;
    rng_seed(&r, seed);
    assert_non_null(f);
    fprintf(f, "HEADER    TEST                                    01-JAN-00   %s\nEXPDTA    ELECTRON MICROSCOPY\n", id);
    double p[3] = {spread * rng_normal(&r), 10, -20};
    for (int i = 0; i < 30; i++)
        for (int k = 0; k < 5; k++) {
            for (int d = 0; d < 3; d++) p[d] += 0.8 + 0.3 * rng_normal(&r);
            put_atom(f, serial++, "ATOM", atom[k][0], res[i % 3], 'A', i + 1, p, i == 7 ? 0.5 : 1, atom[k][1]);
        }
    for (int i = 0; i < 40; i++) {
        const double q[3] = {p[0] + 5 * cos(i), p[1] + 5 * sin(i), p[2] + 1.5 * i};
        put_atom(f, serial++, "ATOM", " CA", res[i % 3], 'B', i + 1, q, 1, " C");
    }
    for (int i = 0; i < 12; i++) {
        const double q[3] = {p[0] + 9 * cos(i), p[1] - 9 * sin(i), p[2] - 3.0 * i};
        put_atom(f, serial++, "ATOM", " P", "  A", 'C', i + 1, q, 1, " P");
    }
    for (int i = 0; i < 6; i++) {
        const double q[3] = {p[0] + i, p[1] + 20, p[2]};
        put_atom(f, serial++, "HETATM", " O1", "SO4", 'A', 200 + i / 3, q, 1, i % 2 ? " S" : " O");
    }
    fprintf(f, "END\n");
    assert_int_equal(fclose(f), 0);
}

/* CA only, an entry of its own. */
static void put_trace(const char *path, int turns)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    for (int i = 0; i < 60; i++) {
        const double q[3] = {3.2 * turns * cos(i * 1.7), 6 * sin(i * 1.7), 1.5 * i};
        put_atom(f, i + 1, "ATOM", " CA", "GLY", 'A', i + 1, q, 1, " C");
    }
    fprintf(f, "END\n");
    assert_int_equal(fclose(f), 0);
}

enum { TRACES = 40 };

static int set_up(void **state)
{
    (void)state;
    char path[64];
    mkdir(DIR, 0700);
    mkdir(DIR "/models", 0700);
    put_mixed(DIR "/models/1mix.pdb", "1MIX", 1, 1);
    put_mixed(DIR "/models/1mix_A.pdb", "1MIX", 2, 1);
    for (int i = 0; i < TRACES; i++) {
        snprintf(path, sizeof path, DIR "/models/%dt%02d.pdb", 2 + i % 3, i);
        put_trace(path, 1 + i);
    }
    put(DIR "/models/9bad.pdb", "broken\n");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return system("rm -rf " DIR);
}

/* ---- atoms ---- */

/* Both densities on the voxels that they share, which lie on multiples of the voxel. */
static void same_density(const model_t *a, const model_t *b, simkind_t kind, double tol)
{
    sim_opts_t o = {.resolution = 8, .voxel = 2, .pad = 8, .kind = kind};
    err_t e = {0};
    vol_t *v = simulate(a, &o, &e), *w = simulate(b, &o, &e);
    double top = 0, worst = 0, va = 0, vb = 0;
    long shift[3];
    assert_non_null(v);
    assert_non_null(w);
    for (int k = 0; k < 3; k++) shift[k] = lround((v->origin[k] - w->origin[k]) / 2);
    for (size_t z = 0; z < v->nz; z++)
        for (size_t y = 0; y < v->ny; y++)
            for (size_t x = 0; x < v->nx; x++) {
                long i = (long)x + shift[0], j = (long)y + shift[1], k = (long)z + shift[2];
                double p = (double)v->data[vol_idx(v, x, y, z)], q = 0;
                va += p;
                top = fmax(top, p);
                if (i < 0 || j < 0 || k < 0 || i >= (long)w->nx || j >= (long)w->ny || k >= (long)w->nz) continue;
                q = (double)w->data[vol_idx(w, (size_t)i, (size_t)j, (size_t)k)];
                worst = fmax(worst, fabs(p - q));
            }
    for (size_t i = 0; i < vol_len(w); i++) vb += (double)w->data[i];
    assert_true(top > 0);
    assert_close(worst / top, 0, tol);
    assert_close(va / vb, 1, tol);
    vol_free(v);
    vol_free(w);
}

static void same_model(const model_t *m, const model_t *k, double step)
{
    assert_int_equal(k->n, m->n);
    assert_int_equal(k->nres, m->nres);
    assert_int_equal(k->nchain, m->nchain);
    assert_int_equal(k->trace, m->trace);
    assert_string_equal(k->facts.title, "");
    assert_string_equal(k->assembly, "");
    for (size_t i = 0; i < m->n; i++) {
        const atom_t *a = &m->atom[i], *b = &k->atom[i];
        bool polymer = a->kind == KIND_PROTEIN || a->kind == KIND_NUCLEIC;
        assert_close((double)b->x, (double)a->x, step / 2 * 1.001 + 1e-5);
        assert_close((double)b->y, (double)a->y, step / 2 * 1.001 + 1e-5);
        assert_close((double)b->z, (double)a->z, step / 2 * 1.001 + 1e-5);
        assert_close((double)b->occ, (double)a->occ, 0.005);
        assert_int_equal(b->element, a->element);
        assert_int_equal(b->kind, a->kind);
        assert_int_equal(b->residue, a->residue);
        assert_int_equal(b->chain, a->chain);
        assert_memory_equal(b->name, polymer ? a->name : (const char[4]){0}, 4);
        assert_memory_equal(b->resname, a->resname, 4);
    }
}

static void atoms_come_back(void **state)
{
    (void)state;
    err_t e = {0};
    static const char *const path[] = {DIR "/models/1mix.pdb", DIR "/models/2t00.pdb", DIR "/models/1mix_A.pdb"};
    dataset_t d = {.atoms = atoms_new(&e)};
    for (int i = 0; i < 3; i++) {
        model_t *m = pdb_read(path[i], NULL, NULL, &e);
        assert_non_null(m);
        assert_int_equal(atoms_add(d.atoms, m, &e), 0);
        model_free(m);
    }
    for (size_t i = 0; i < 3; i++) {
        model_t *m = pdb_read(path[i], NULL, NULL, &e), *k = dataset_model(&d, i, &e);
        assert_non_null(k);
        assert_int_equal(dataset_atom_count(&d, i), m->n);
        same_model(m, k, DATASET_STEP);
        same_density(m, k, SIM_MOLMAP, 0.33 * DATASET_STEP); /* steepest fall of a Gaussian of 1.8 A, by half a step each way */
        model_free(m);
        model_free(k);
    }
    atoms_free(d.atoms);
}

/* A model wider than the steps reach, odd occupancies; and what cannot be stored. */
static void atoms_at_the_limits(void **state)
{
    (void)state;
    err_t e = {0};
    atom_t a[3] = {{.x = -5000, .occ = 1, .element = 6, .name = "CA"},
                   {.x = 6000, .y = 1, .occ = 0, .element = 6, .name = "CA", .residue = 1},
                   {.x = 7000, .z = -3, .occ = 999.994F, .element = 8, .name = "O", .residue = 1, .chain = 1}};
    model_t m = {.atom = a, .n = 3, .nres = 3, .nchain = 2};
    a[2].residue = 2;
    dataset_t d = {.atoms = atoms_new(&e)};
    assert_int_equal(atoms_add(d.atoms, &m, &e), 0);
    model_t *k = dataset_model(&d, 0, &e);
    for (int i = 0; i < 3; i++) {
        assert_close((double)k->atom[i].x, (double)a[i].x, 0.1);
        assert_close((double)k->atom[i].z, (double)a[i].z, 0.1);
    }
    assert_close((double)k->atom[1].occ, 0, 0);
    assert_close((double)k->atom[2].occ, 655.35, 1e-3); /* the largest that is kept */
    model_free(k);
    model_t none = {0};
    assert_int_equal(atoms_add(d.atoms, &none, &e), -1);
    assert_int_equal(e.code, ERR_RANGE);
    assert_int_equal(d.atoms->n, 1);
    atoms_free(d.atoms);
}

/* ---- building ---- */

static void build(dataset_t *d, const dataset_opts_t *o, size_t *failed)
{
    manifest_t m = {0};
    err_t e = {0};
    assert_int_equal(manifest_add(&m, DIR "/models", NULL, &e), 0);
    if (dataset_build(&m, o, NULL, d, failed, &e)) fail_msg("%s", e.msg);
    manifest_free(&m);
}

static void pdb_ids(void **state)
{
    (void)state;
    static const char *const in[][2] = {{"1ABC", "1abc"}, {"1abc_A", "1abc"}, {"1abcA", ""}, {"abcd", ""}, {"1ab", ""}, {"", ""}, {"9a-b", ""}, {"0123", ""}};
    for (size_t i = 0; i < sizeof in / sizeof *in; i++) {
        char out[5];
        dataset_pdb_id(in[i][0], out);
        assert_string_equal(out, in[i][1]);
    }
}

static void build_and_read(void **state)
{
    (void)state;
    size_t failed, size[2];
    err_t e = {0};
    dataset_t d, k;
    dataset_opts_t o = {.split = split_usual};
    build(&d, &o, &failed);
    assert_int_equal(failed, 1);
    assert_int_equal(d.n, TRACES + 2);
    assert_string_equal(d.id[0], "1mix");
    assert_string_equal(d.pdb[1], "1mix");
    assert_int_equal(d.group[0], d.group[1]); /* parts of one entry */
    assert_int_equal(dataset_write(DIR "/d.h5", &d, &e), 0);
    threads_set(3);
    dataset_t again;
    build(&again, &o, &failed);
    threads_set(1);
    assert_int_equal(dataset_write(DIR "/again.h5", &again, &e), 0);
    unsigned char *a = file_read(DIR "/d.h5", 1 << 30, &size[0], &e), *b = file_read(DIR "/again.h5", 1 << 30, &size[1], &e);
    assert_int_equal(size[0], size[1]);
    assert_memory_equal(a, b, size[0]);
    mem_free(a);
    mem_free(b);
    dataset_free(&again);

    if (dataset_read(DIR "/d.h5", &k, &e)) fail_msg("%s", e.msg);
    assert_int_equal(k.n, d.n);
    assert_int_equal(strlen(k.hash), 16);
    assert_int_equal(k.seed, 1);
    for (size_t i = 0; i < d.n; i++) {
        assert_string_equal(k.id[i], d.id[i]);
        assert_string_equal(k.pdb[i], d.pdb[i]);
        assert_int_equal(k.split[i], d.split[i]);
        assert_int_equal(k.group[i], d.group[i]);
        assert_memory_equal(&k.span[i], &d.span[i], sizeof *k.span);
        model_t *m = dataset_model(&d, i, &e), *q = dataset_model(&k, i, &e);
        assert_int_equal(m->n, q->n);
        assert_memory_equal(m->atom, q->atom, m->n * sizeof *m->atom);
        model_free(m);
        model_free(q);
    }
    dataset_free(&k);
    dataset_free(&d);
}

/* ---- the split ---- */

typedef struct {
    const char *pdb, *cluster, *uniprot, *family;
} row_t;

/* d of n rows, of which those from `from` on are of the maps. Freed by dataset_free(). */
static void make(dataset_t *d, const row_t *row, size_t n, size_t from)
{
    err_t e = {0};
    *d = (dataset_t){.n = from};
    intern_t set[3] = {{0}};
    lists_builder_t of[2][3] = {{{0}}};
    const char **pdb = mem_new(n, sizeof *pdb, &e);
    for (size_t i = 0; i < n; i++) {
        const char *name[3] = {row[i].cluster, row[i].uniprot, row[i].family};
        pdb[i] = row[i].pdb;
        for (int k = 0; k < 3; k++) {
            lists_builder_t *b = &of[i >= from][k];
            if (name[k]) assert_int_equal(lists_add(b, (uint32_t)vocab_add(&set[k], name[k], &e), &e), 0);
            assert_int_equal(lists_row(b, &e), 0);
        }
    }
    vocab_t *v[3] = {&d->cluster, &d->uniprot, &d->family};
    lists_t *l[2][3] = {{&d->clusters, &d->uniprots, &d->families}, {&d->maps.clusters, &d->maps.uniprots, &d->maps.families}};
    for (int k = 0; k < 3; k++) {
        uint32_t to[256];
        assert_int_equal(vocab_sorted(&set[k], v[k], to, &e), 0);
        for (int s = 0; s < 2; s++) lists_end(&of[s][k], to, l[s][k]);
        intern_free(&set[k]);
    }
    d->id = vocab_strings(pdb, from, &e);
    d->pdb = vocab_strings(pdb, from, &e);
    d->maps.pdb = (vocab_t){n - from, vocab_strings(pdb + from, n - from, &e)};
    mem_free(pdb);
}

static void groups_and_maps(void **state)
{
    (void)state;
    static const row_t row[] = {
        {"1aaa", "c1", NULL, NULL}, /* 0 to 3: a chain of kin; 4 alone */
        {"1bbb", "c1", "u1", NULL}, {"1ccc", "c2", "u1", NULL}, {"1ddd", "c2", NULL, NULL}, {"1eee", "c3", NULL, NULL},
        {"2aaa", NULL, NULL, "f1"}, {"2bbb", NULL, NULL, "f1"}, /* kin by family */
        {"3aaa", "c9", NULL, NULL},                             /* kin of a map's model that the dataset lacks */
        {"4aaa", NULL, NULL, NULL},                             /* is the model of a map */
        {"5aaa", NULL, NULL, NULL}, {"5aaa", NULL, NULL, NULL}, /* parts of one entry */
        {"3xyz", "c9", "u9", "f9"}, {"4aaa", NULL, NULL, "f8"}, /* of maps */
    };
    static const uint32_t want[] = {0, 0, 0, 0, 1, 2, 2, 3, 4, 5, 5};
    enum { N = 11, ALL = 13 };
    err_t e = {0};
    dataset_t d;
    leak_t leak[LEAKS];
    split_opts_t o = {.seed = 3, .valid = 0, .test = 0, .large = 0.3};
    make(&d, row, ALL, N);
    uint8_t given[N];
    memset(given, SPLITS, N);
    given[4] = SPLIT_VALID;
    given[9] = SPLIT_TRAIN;
    given[10] = SPLIT_TEST; /* of two wishes in a group the one farthest from training */
    assert_int_equal(split_make(&d, &o, given, &e), 0);
    for (size_t i = 0; i < N; i++) assert_int_equal(d.group[i], want[i]);
    static const uint8_t side[] = {0, 0, 0, 0, SPLIT_VALID, 0, 0, SPLIT_TEST, SPLIT_TEST, SPLIT_TEST, SPLIT_TEST};
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
                {7, 0, 1, SPLIT_TRAIN, LEAK_CLUSTER}, {8, 0, 1, SPLIT_VALID, LEAK_PDB},    {10, 1, 0, SPLIT_TRAIN, LEAK_PDB}};
    for (size_t k = 0; k < sizeof move / sizeof *move; k++) {
        uint8_t was = d.split[move[k].i];
        d.split[move[k].i] = move[k].to;
        assert_int_equal(split_leaks(&d, leak, &e), 0);
        assert_int_equal(leak[move[k].kind].shared, move[k].shared);
        assert_int_equal(leak[move[k].kind].maps_shared, move[k].maps_shared);
        assert_true(split_faults(leak) > 0);
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
    const struct CMUnitTest t[] = {
        cmocka_unit_test(atoms_come_back), cmocka_unit_test(atoms_at_the_limits), cmocka_unit_test(pdb_ids),
        cmocka_unit_test(build_and_read),  cmocka_unit_test(groups_and_maps),     cmocka_unit_test(shares),
    };
    return cmocka_run_group_tests(t, set_up, tear_down);
}
