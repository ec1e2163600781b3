/* test_dataset: datasets: atoms in little memory, facts and captions, the file and its faults, alike chains; over models and tables that the
 * test writes. */
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
#include "pipeline/similar.h"
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

/* 3 <- 2 <- 1; 5 is obsolete. 1mix and 2t00 share a cluster, 2t00 and 3t01 an accession, 3t04 one with a map's model that is not here. */
static const char *const tables[][2] = {
    {"go_terms.tsv", "go_id\tname\tnamespace\tparents\tobsolete\nGO:0000001\troot\tmolecular_function\t\t0\n"
                     "GO:0000002\ta\tmolecular_function\tisa=GO:0000001\t0\nGO:0000003\tb\tmolecular_function\tisa=GO:0000002\t0\n"
                     "GO:0000005\told\tmolecular_function\t\t1\n"},
    {"pdb_go_entry.tsv", "pdb_id\tgo_ids\n1mix\tGO:0000003;GO:0000002;GO:0000005\n2t00\tGO:0000001\n"},
    {"pdb_names.tsv", "pdb_id\ttitle\tmolecule_names\tclassification\torganism\tmethod\n1mix\tT\tMixase\tHydrolase\tHomo sapiens\tEM\n"
                      "2t00\tU\tTracin\t\t\t\n3t01\tU\tTracin\t\t\t\n"},
    {"pdb_ec.tsv", "pdb_id\tchain\tec\tsource\n1mix\tA\t3.2.1.17\tx\n"},
    {"ec_names.tsv", "ec\tname\n3.2.1.17\tlysozyme\n"},
    {"pdb_pfam.tsv", "pdb_id\tchain\tpfam\n1mix\tA\tPF00009\n4t05\tA\tPF00009\n"},
    {"pfam_names.tsv", "pfam\tshort_name\tdescription\nPF00009\tx\tMix domain\n"},
    {"pdb_uniprot.tsv", "pdb_id\tchain\tuniprot\n2t00\tA\tP00001\n3t01\tA\tP00001\n3t04\tA\tP00009\n9zzz\tB\tP00009\n"},
    {"clusters-by-entity-30.txt", "6XXX_1\n1MIX_1 2T00_1\n"},
};
#define MAPS "emdb_id\tfamily\tfitted_pdb\nEMD-1\tfam\t4t02\nEMD-2\tfam\t2t03, 4T02\nEMD-3\t-\t9zzz\nEMD-4\tfam\t-\n"

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
    mkdir(DIR "/annot", 0700);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        snprintf(path, sizeof path, DIR "/annot/%s", tables[i][0]);
        put(path, tables[i][1]);
    }
    put(DIR "/maps.tsv", MAPS);
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

/* ---- facts, captions, and files with a fault ---- */

/* Everything: facts, maps, and captions by the tiny encoder of tests/parity. Freed by the caller. */
static void build_full(dataset_t *d)
{
    err_t e = {0};
    size_t failed;
    annot_t *a = annot_open(DIR "/annot", NULL, &e);
    sentence_t *s = sentence_open(TEXT_MODEL, &e);
    if (!a || !s) fail_msg("%s", e.msg);
    dataset_opts_t o = {.annot = a, .maps = DIR "/maps.tsv", .split = split_usual, .text = s, .variants = 3};
    build(d, &o, &failed);
    sentence_close(s);
    annot_free(a);
}

static size_t entry(const dataset_t *d, const char *id)
{
    for (size_t i = 0; i < d->n; i++)
        if (!strcmp(d->id[i], id)) return i;
    fail_msg("no entry %s", id);
    return 0;
}

/* The names in row i of a list, joined by blanks. */
static const char *names(const lists_t *l, const vocab_t *v, size_t i, char out[256])
{
    *out = 0;
    for (size_t k = l->at[i]; k < l->at[i + 1]; k++)
        snprintf(out + strlen(out), 256 - strlen(out), "%s%s", *out ? " " : "", v->name[l->item[k]]);
    return out;
}

static void facts(void **state)
{
    (void)state;
    char s[256];
    dataset_t d;
    build_full(&d);
    size_t mix = entry(&d, "1mix"), part = entry(&d, "1mix_A"), t0 = entry(&d, "2t00"), t1 = entry(&d, "3t01"), t2 = entry(&d, "4t02"),
           t3 = entry(&d, "2t03"), t4 = entry(&d, "3t04"), t5 = entry(&d, "4t05");
    assert_string_equal(names(&d.terms, &d.term, mix, s), "EC:3.2.1.17 GO:0000001 GO:0000002 GO:0000003 PF00009");
    assert_string_equal(names(&d.terms, &d.term, part, s), "EC:3.2.1.17 GO:0000001 GO:0000002 GO:0000003 PF00009");
    assert_string_equal(names(&d.pruned, &d.term, mix, s), "GO:0000003");
    assert_string_equal(names(&d.pruned, &d.term, t0, s), "GO:0000001");
    assert_string_equal(names(&d.terms, &d.term, t1, s), "");
    assert_string_equal(d.term_name.name[vocab_find(&d.term, "EC:3.2.1.17")], "lysozyme");
    assert_string_equal(d.term_name.name[vocab_find(&d.term, "GO:0000002")], "a");
    assert_string_equal(d.term_name.name[vocab_find(&d.term, "PF00009")], "Mix domain");
    assert_string_equal(names(&d.clusters, &d.cluster, t0, s), "30:1");
    assert_string_equal(names(&d.uniprots, &d.uniprot, t1, s), "P00001");
    assert_int_equal(d.group[mix], d.group[t1]);
    assert_int_not_equal(d.group[mix], d.group[t5]); /* a Pfam family makes no kin */
    assert_int_equal(d.maps.pdb.n, 3);
    assert_string_equal(names(&d.families, &d.family, t2, s), "fam");
    assert_string_equal(names(&d.maps.families, &d.family, (size_t)vocab_find(&d.maps.pdb, "2t03"), s), "fam");
    assert_string_equal(names(&d.maps.uniprots, &d.uniprot, (size_t)vocab_find(&d.maps.pdb, "9zzz"), s), "P00009");
    assert_int_equal(d.group[t2], d.group[t3]);
    assert_int_equal(d.split[t2], SPLIT_TEST);
    assert_int_equal(d.split[t4], SPLIT_TEST); /* kin of 9zzz */
    dataset_free(&d);
}

static void captions(void **state)
{
    (void)state;
    err_t e = {0};
    dataset_t d, k;
    build_full(&d);
    assert_true(d.captions > 0 && d.captions == d.caption_at[d.n]);
    size_t mix = entry(&d, "1mix"), none = entry(&d, "2t06"), from = d.caption_at[mix], n = d.caption_at[mix + 1] - from;
    assert_true(n >= 2 && n <= 3);
    assert_string_not_equal(d.caption[from], d.caption[from + 1]);
    assert_int_equal(d.caption_at[none + 1], d.caption_at[none]); /* nothing is known of it */
    sentence_t *s = sentence_open(TEXT_MODEL, &e);
    float *z = mem_new(d.captions, d.dim * sizeof *z, &e);
    assert_int_equal(sentence_encode(s, (const char *const *)d.caption, d.captions, z, NULL, &e), 0);
    assert_memory_equal(z, d.text, d.captions * d.dim * sizeof *z);

    for (size_t j = 0; j < d.dim; j++) d.text[j] = 0;
    d.text[0] = 1e-5F; /* a subnormal half; HDF5 1.10, asked to round, would store half of every number after it that */
    d.text[1] = 0.124987647F; /* is rounded up to a power of two, as this one to 1/8 */
    d.text[2] = sqrtf(1 - d.text[0] * d.text[0] - d.text[1] * d.text[1]);
    assert_int_equal(dataset_write(DIR "/text.h5", &d, &e), 0);
    if (dataset_read(DIR "/text.h5", &k, &e)) fail_msg("%s", e.msg);
    assert_int_equal(k.captions, d.captions);
    assert_int_equal(k.dim, d.dim);
    assert_string_equal(k.text_model, d.text_model);
    assert_string_equal(k.text_hash, d.text_hash);
    for (size_t i = 0; i < d.captions; i++) {
        double length = 0;
        assert_string_equal(k.caption[i], d.caption[i]);
        for (size_t j = 0; j < d.dim; j++) {
            length += (double)k.text[i * d.dim + j] * (double)k.text[i * d.dim + j];
            assert_close((double)k.text[i * d.dim + j], (double)d.text[i * d.dim + j], 1e-3); /* half precision: 11 bits */
        }
        assert_close(length, 1, 1e-6);
    }
    mem_free(z);
    sentence_close(s);
    dataset_free(&k);
    dataset_free(&d);
}

/* Put one number into row `row` of a dataset of the file. */
static void set_number(hid_t file, const char *name, size_t row, double x)
{
    hid_t d = H5Dopen2(file, name, H5P_DEFAULT), space = H5Dget_space(d);
    size_t n = (size_t)H5Sget_simple_extent_npoints(space);
    double *v = calloc(n, sizeof *v);
    assert_true(row < n);
    assert_true(H5Dread(d, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, v) >= 0);
    v[row] = x;
    assert_true(H5Dwrite(d, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, v) >= 0);
    free(v);
    H5Sclose(space);
    H5Dclose(d);
}

/* In the place of a dataset put one of so many rows and columns (0: a vector), of 64-bit zeros that were never written (huge) or are there. */
static void set_shape(hid_t file, const char *name, hsize_t rows, hsize_t cols, bool written)
{
    hsize_t dim[2] = {rows, cols};
    hid_t space = H5Screate_simple(cols ? 2 : 1, dim, NULL), plist = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(plist, cols ? 2 : 1, (hsize_t[2]){1, 1});
    assert_true(H5Ldelete(file, name, H5P_DEFAULT) >= 0);
    hid_t d = H5Dcreate2(file, name, H5T_NATIVE_UINT64, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    assert_true(d >= 0);
    if (written) {
        void *zeros = calloc((size_t)rows * (cols ? (size_t)cols : 1), 8);
        assert_true(H5Dwrite(d, H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, zeros) >= 0);
        free(zeros);
    }
    H5Dclose(d);
    H5Pclose(plist);
    H5Sclose(space);
}

static void set_version(hid_t file, int version)
{
    hid_t a = H5Aopen(file, "format_version", H5P_DEFAULT);
    assert_true(H5Awrite(a, H5T_NATIVE_INT, &version) >= 0);
    H5Aclose(a);
}

typedef enum { DROP, SHAPE, HUGE_ONE, NUMBER, VERSION, ATTR } fault_t;

static void one_fault_each(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "id", "pdb", "split", "group", "span", "terms", "terms_at", "pruned", "pruned_at", "clusters", "clusters_at", "uniprots", "uniprots_at",
        "sequences", "sequences_at", "families", "families_at", "maps_clusters", "maps_uniprots", "maps_families", "maps_families_at", "term",
        "term_name", "cluster", "uniprot", "sequence", "family", "maps_pdb", "captions", "captions_at", "caption_bytes_at", "text", "atoms_at",
        "residues_at", "chains_at", "occupancies_at", "centre", "step", "trace", "xyz", "type", "residue_atoms", "residue_type",
        "chain_residues", "occupancy", "type_element", "type_kind", "type_name", "residue_name"};
    static const struct {
        fault_t fault;
        const char *name;
        size_t row;
        double x;
        errcode_t code;
    } one[] = {
        {VERSION, "", 0, 2, ERR_UNSUP},           {ATTR, "format", 0, 0, ERR_FORMAT},     {ATTR, "seed", 0, 0, ERR_FORMAT},
        {ATTR, "text_model", 0, 0, ERR_FORMAT},   {NUMBER, "split", 1, 3, ERR_FORMAT},    {NUMBER, "group", 0, 42, ERR_FORMAT},
        {NUMBER, "span", 3, (double)NAN, ERR_FORMAT}, {NUMBER, "span", 4, -1, ERR_FORMAT},
        {NUMBER, "terms", 0, 99, ERR_FORMAT},     {NUMBER, "terms", 1, 0, ERR_FORMAT},    {NUMBER, "terms_at", 0, 1, ERR_FORMAT},
        {NUMBER, "terms_at", 2, 0, ERR_FORMAT},   {NUMBER, "terms_at", 42, 1e9, ERR_FORMAT}, {NUMBER, "pruned", 0, 99, ERR_FORMAT},
        {NUMBER, "clusters", 0, 99, ERR_FORMAT},  {NUMBER, "uniprots", 0, 99, ERR_FORMAT}, {NUMBER, "families", 0, 99, ERR_FORMAT},
        {NUMBER, "maps_uniprots", 0, 99, ERR_FORMAT}, {NUMBER, "captions", 0, 0, ERR_FORMAT}, {NUMBER, "captions_at", 1, 1e18, ERR_FORMAT},
        {NUMBER, "caption_bytes_at", 1, 1e6, ERR_FORMAT}, {NUMBER, "text", 0, 9, ERR_FORMAT}, {NUMBER, "text", 0, (double)NAN, ERR_FORMAT},
        {NUMBER, "atoms_at", 1, 0, ERR_FORMAT},   {NUMBER, "atoms_at", 1, 3, ERR_FORMAT}, {NUMBER, "chains_at", 1, 0, ERR_FORMAT},
        {NUMBER, "occupancies_at", 1, 1, ERR_FORMAT}, {NUMBER, "centre", 0, (double)INFINITY, ERR_FORMAT}, {NUMBER, "step", 0, 0, ERR_FORMAT},
        {NUMBER, "step", 1, (double)NAN, ERR_FORMAT}, {NUMBER, "trace", 0, 2, ERR_FORMAT}, {NUMBER, "type", 0, 60000, ERR_FORMAT},
        {NUMBER, "residue_atoms", 0, 0, ERR_FORMAT}, {NUMBER, "residue_atoms", 0, 4, ERR_FORMAT}, {NUMBER, "residue_type", 0, 60000, ERR_FORMAT},
        {NUMBER, "chain_residues", 0, 4e9, ERR_FORMAT}, {NUMBER, "type_kind", 0, 9, ERR_FORMAT},
        {HUGE_ONE, "xyz", 0, 3, ERR_FORMAT},      {HUGE_ONE, "split", 0, 0, ERR_FORMAT},  {HUGE_ONE, "residue_name", 0, 0, ERR_FORMAT},
        {HUGE_ONE, "type_element", 0, 0, ERR_FORMAT},
    };
    enum { PARTS = sizeof parts / sizeof *parts, ONES = sizeof one / sizeof *one };
    err_t e = {0};
    dataset_t d;
    build_full(&d);
    assert_int_equal(dataset_write(DIR "/good.h5", &d, &e), 0);
    dataset_free(&d);
    for (size_t i = 0; i < 2 * PARTS + ONES; i++) {
        fault_t fault = i < PARTS ? DROP : i < 2 * PARTS ? SHAPE : one[i - 2 * PARTS].fault;
        const char *name = i < 2 * PARTS ? parts[i % PARTS] : one[i - 2 * PARTS].name;
        errcode_t code = i < 2 * PARTS ? ERR_FORMAT : one[i - 2 * PARTS].code;
        double x = i < 2 * PARTS ? 0 : one[i - 2 * PARTS].x;
        assert_int_equal(system("cp " DIR "/good.h5 " DIR "/bad.h5"), 0);
        hid_t file = H5Fopen(DIR "/bad.h5", H5F_ACC_RDWR, H5P_DEFAULT);
        switch (fault) {
        case DROP: assert_true(H5Ldelete(file, name, H5P_DEFAULT) >= 0); break;
        case SHAPE: set_shape(file, name, 1, 2, true); break;
        case HUGE_ONE: set_shape(file, name, (hsize_t)1 << 40, (hsize_t)x, false); break;
        case NUMBER: set_number(file, name, one[i - 2 * PARTS].row, x); break;
        case VERSION: set_version(file, (int)x); break;
        case ATTR: assert_true(H5Adelete(file, name) >= 0); break;
        }
        H5Fclose(file);
        err_t why = {0};
        dataset_t bad;
        if (!dataset_read(DIR "/bad.h5", &bad, &why)) fail_msg("fault %d of /%s, %g: read all the same", (int)fault, name, x);
        if (why.code != code) fail_msg("fault %d of /%s, %g: %s: %s", (int)fault, name, x, err_name(why.code), why.msg);
        assert_non_null(strstr(why.msg, DIR "/bad.h5"));
        assert_int_equal(bad.n, 0);
    }
}

static void without_sequences(void **state)
{
    (void)state;
    err_t e = {0};
    dataset_t d;
    assert_int_equal(system("cp " DIR "/good.h5 " DIR "/early.h5"), 0);
    hid_t file = H5Fopen(DIR "/early.h5", H5F_ACC_RDWR, H5P_DEFAULT);
    static const char *const name[] = {"sequence", "sequences", "sequences_at"};
    for (int k = 0; k < 3; k++) assert_true(H5Ldelete(file, name[k], H5P_DEFAULT) >= 0);
    H5Fclose(file);
    if (dataset_read(DIR "/early.h5", &d, &e)) fail_msg("%s", e.msg);
    assert_int_equal(d.sequence.n, 0);
    assert_int_equal(d.sequences.at[d.n], 0);
    assert_int_equal(dataset_write(DIR "/early2.h5", &d, &e), 0);
    dataset_free(&d);
}

static void cut_short(void **state)
{
    (void)state;
    err_t e = {0};
    dataset_t d;
    size_t n;
    unsigned char *p = file_read(DIR "/good.h5", 1 << 30, &n, &e);
    assert_non_null(p);
    for (size_t keep = 0; keep < n; keep += n / 40 + 1) {
        FILE *f = fopen(DIR "/cut.h5", "wb");
        assert_int_equal(fwrite(p, 1, keep, f), keep);
        fclose(f);
        err_t why = {0};
        assert_int_equal(dataset_read(DIR "/cut.h5", &d, &why), -1);
        assert_int_equal(why.code, ERR_FORMAT);
    }
    mem_free(p);
    err_t why = {0};
    assert_int_equal(dataset_read(DIR "/none.h5", &d, &why), -1);
    assert_int_equal(why.code, ERR_IO);
}

/* ---- alike chains ---- */

enum { CHAINS = 7, LONG = 200 };

/* A model of one CA trace with that sequence. */
static void add_sequence(dataset_atoms_t *a, const char *seq)
{
    static const char three[] = "ALAARGASNASPCYSGLNGLUGLYHISILELEULYSMETPHEPROSERTHRTRPTYRVALUNK", order[] = "ARNDCQEGHILKMFPSTWYVX";
    err_t e = {0};
    size_t n = strlen(seq);
    model_t m = {.atom = calloc(n, sizeof *m.atom), .n = n, .nres = n, .nchain = 1, .trace = 1};
    for (size_t i = 0; i < n; i++) {
        m.atom[i] = (atom_t){.x = (float)i, .occ = 1, .residue = (uint32_t)i, .element = 6, .kind = KIND_PROTEIN, .name = "CA"};
        memcpy(m.atom[i].resname, three + 3 * (strchr(order, seq[i]) - order), 3);
    }
    assert_int_equal(atoms_add(a, &m, &e), 0);
    free(m.atom);
}

/* Different words of five that two strings share, counted the slow way. */
static size_t words(const char *s, const char *t)
{
    size_t n = 0;
    for (const char *p = s; strlen(p) >= 5; p++) {
        char w[6] = {0};
        memcpy(w, p, 5);
        if (!strchr(w, 'X') && strstr(s, w) == p && strstr(t, w)) n++;
    }
    return n;
}

static void alike_chains(void **state)
{
    (void)state;
    static const char letter[] = "ARNDCQEGHILKMFPSTWYV";
    static char seq[CHAINS][LONG + 1];
    rng_t r;
    err_t e = {0};
    rng_seed(&r, 11);
    for (int c = 0; c < CHAINS; c++)
        for (int i = 0; i < LONG; i++) seq[c][i] = letter[rng_next(&r) % 20];
    for (int i = 0; i < LONG; i++) { /* 1: 0 with every tenth residue another; 2: with every third; 3: begins as 0; 4: unknown residues */
        if (i % 10) seq[1][i] = seq[0][i];
        if (i % 3) seq[2][i] = seq[0][i];
        if (i < 60) seq[3][i] = seq[0][i];
        seq[4][i] = 'X';
    }
    memset(seq[6], 'A', LONG); /* one word, many times */
    dataset_atoms_t *a = atoms_new(&e);
    for (int c = 0; c < CHAINS; c++) add_sequence(a, seq[c]);
    vocab_t v;
    lists_t l;
    assert_int_equal(similar_chains(a, &v, &l, &e), 0);
    for (int c = 0; c < CHAINS; c++) assert_int_equal(l.at[c + 1] - l.at[c], c != 4 && c != 6);
    static const int alike[] = {1, 3};
    for (size_t k = 0; k < 2; k++) {
        size_t have = words(seq[0], seq[alike[k]]), all = words(seq[0], seq[0]);
        assert_true((double)have >= SIMILAR_SHARE * (double)all);
        assert_int_equal(l.item[l.at[alike[k]]], l.item[l.at[0]]);
    }
    assert_true((double)words(seq[0], seq[2]) < SIMILAR_SHARE * (double)words(seq[2], seq[2]));
    assert_int_not_equal(l.item[l.at[2]], l.item[l.at[0]]);
    assert_int_not_equal(l.item[l.at[5]], l.item[l.at[0]]);
    assert_int_equal(v.n, 3);
    vocab_free(&v);
    lists_free(&l);
    atoms_free(a);
}

int main(void)
{
    const struct CMUnitTest t[] = {
        cmocka_unit_test(atoms_come_back), cmocka_unit_test(atoms_at_the_limits), cmocka_unit_test(pdb_ids),
        cmocka_unit_test(build_and_read),  cmocka_unit_test(facts),               cmocka_unit_test(captions),
        cmocka_unit_test(one_fault_each),  cmocka_unit_test(cut_short),           cmocka_unit_test(alike_chains),
        cmocka_unit_test(without_sequences),
    };
    return cmocka_run_group_tests(t, set_up, tear_down);
}
