/* test_annot: the Gene Ontology and the tables of facts, over tiny ones that the test writes; the real ones where they are. */
#include "tests/test.h"

#include <libdeflate.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/threads.h"
#include "pipeline/annot.h"

#define DIR "test_annot.dir"

typedef struct {
    const char *name, *text;
} file_t;

/* root <- a, b; a <- c; b <- c (part of); c <- d; e is obsolete; x in another namespace regulates a only. */
#define GO_HEAD "go_id\tname\tnamespace\tparents\tobsolete\n"
#define GO_TERMS                                                                     \
    GO_HEAD "GO:0000001\troot\tmolecular_function\t\t0\n"                            \
            "GO:0000009\td\tmolecular_function\tis_a=GO:0000004;isa=GO:0000004\t0\n" \
            "GO:0000002\ta\tmolecular_function\tisa=GO:0000001\t0\n"                 \
            "GO:0000003\tb\tmolecular_function\tisa=GO:0000001\t0\n"                 \
            "GO:0000004\tc\tmolecular_function\tisa=GO:0000002;part of=GO:0000003\t0\n" \
            "GO:0000005\te\tcellular_component\t\t1\n"                               \
            "GO:0000006\tx\tbiological_process\tregulates=GO:0000002\t0\n"
enum { ROOT, D, A, B, C, E, X, TERMS };

static const file_t tables[] = {
    {"go_terms.tsv", GO_TERMS},
    {"pdb_go_entry.tsv", "pdb_id\tgo_ids\n1ABC\tGO:0000006;GO:0000001;GO:0000006\n2xyz\tGO:9999999;GO:0000009\n"
                         "1abc\tGO:0000009\n3emp\t\n"},
    {"pdb_names.tsv", "title\tpdb_id\tmethod\torganism\tmolecule_names\tclassification\textra\n"
                      "A title\t1abc\tEM\tHomo sapiens\tOne | Two\tHydrolase\t\nB\t4new\t-\t\t\t\t\nC\t1ABC\t\t\t\t\t\n"},
    {"pdb_uniprot.tsv", "pdb_id\tchain\tuniprot\n1abc\tA\tQ00002\n1abc\tB\tP00001\n1abc\tC\tQ00002\n1abc\tD\t\n"},
    {"pdb_ec.tsv", "pdb_id\tchain\tec\tsource\n2xyz\tA\t3.2.1.17\tx\n2xyz\tA\t1.7.-.-\tx\n"},
    {"pdb_pfam.tsv", "pdb_id\tchain\tpfam\n2xyz\tA\tPF00001\n"},
    {"pdb_class.tsv", "pdb_id\tscheme\tcode\n2xyz\tSCOPe\ta.1\n2xyz\tCATH-B\t1.10.8.10\n2xyz\tCATH\t1.10.10.10\n5sco\tSCOP2\tb\n"},
    {"pdb_oligomer.tsv", "pdb_id\toligomeric_state\n1abc\t24\n1abc\t3\n"},
    {"ec_names.tsv", "ec\tname\n1.7\tActing on nitrogen\n3.2.1.17\tlysozyme\n3.2.1.17\tother\n"},
    {"pfam_names.tsv", "pfam\tdescription\tshort_name\nPF00001\t\tshort\nPF00002\tlong\tx\n"},
    {"uniprot_names.tsv", "uniprot\tname\nP00001\tProtein one\n"},
    {"clusters-by-entity-30.txt", "1ABC_1 2XYZ_1 1ABC_2\n\n6CLU_1\n2XYZ_12 1ABC_1"},
};
enum { TABLES = sizeof tables / sizeof *tables };

static void put_bytes(const char *name, const void *p, size_t n)
{
    char path[256];
    mkdir(DIR, 0700);
    snprintf(path, sizeof path, "%s/%s", DIR, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(p, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static void put(const char *name, const char *text) { put_bytes(name, text, strlen(text)); }

static void drop(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", DIR, name);
    remove(path);
}

static void put_gz(const char *name, const char *text)
{
    unsigned char out[4096];
    char gz[128];
    struct libdeflate_compressor *c = libdeflate_alloc_compressor(6);
    assert_non_null(c);
    size_t n = libdeflate_gzip_compress(c, text, strlen(text), out, sizeof out);
    libdeflate_free_compressor(c);
    assert_true(n > 0);
    snprintf(gz, sizeof gz, "%s.gz", name);
    put_bytes(gz, out, n);
}

static int clear(void **state)
{
    (void)state;
    char gz[128];
    for (size_t i = 0; i < TABLES; i++) {
        snprintf(gz, sizeof gz, "%s.gz", tables[i].name);
        drop(tables[i].name);
        drop(gz);
    }
    remove(DIR);
    return 0;
}

static void put_all(void)
{
    clear(NULL);
    for (size_t i = 0; i < TABLES; i++) i % 2 ? put_gz(tables[i].name, tables[i].text) : put(tables[i].name, tables[i].text);
}

/* ---- the ontology ---- */

static void terms(void **state)
{
    (void)state;
    err_t err = {0};
    put("go_terms.tsv", GO_TERMS);
    ontology_t *o = ontology_read(DIR "/go_terms.tsv", &err);
    assert_non_null(o);
    assert_int_equal(ontology_count(o), TERMS);
    assert_int_equal(ontology_find(o, "GO:0000004"), C);
    assert_int_equal(ontology_find(o, "GO:000000"), -1);
    assert_int_equal(ontology_find(o, "GO:00000044"), -1);
    const goterm_t *c = ontology_term(o, C), *e = ontology_term(o, E), *x = ontology_term(o, X);
    assert_string_equal(c->id, "GO:0000004");
    assert_string_equal(c->name, "c");
    assert_int_equal(c->space, GO_FUNCTION);
    assert_int_equal(x->space, GO_PROCESS);
    assert_int_equal(e->space, GO_COMPONENT);
    assert_true(e->obsolete && !c->obsolete);
    assert_int_equal(c->parents, 2);
    assert_int_equal(c->parent[0], A);
    assert_int_equal(c->parent[1], B);
    assert_int_equal(ontology_term(o, D)->parents, 1);
    assert_int_equal(x->parents, 0);
    ontology_free(o);
    ontology_free(NULL);
}

typedef struct {
    const char *text, *message; /* a part of it */
} bad_t;

static void bad_terms(void **state)
{
    (void)state;
    static const bad_t rows[] = {
        {"go_id\tname\tnamespace\tparents\n", "no column obsolete"},
        {GO_HEAD "G1\ta\tmolecular_function\t\t0\nG1\tb\tmolecular_function\t\t0\n", "line 3, column go_id: G1 (once only)"},
        {GO_HEAD "\ta\tmolecular_function\t\t0\n", "line 2, column go_id"},
        {GO_HEAD "G1\ta\tfunction\t\t0\n", "column namespace: function"},
        {GO_HEAD "G1\ta\tmolecular_function\t\tno\n", "column obsolete: no"},
        {GO_HEAD "G1\ta\tmolecular_function\tisa=G2\t0\n", "column parents: isa=G2"},
        {GO_HEAD "G1\ta\tmolecular_function\tG1\t0\n", "column parents: G1"},
        {GO_HEAD "G1\ta\tmolecular_function\tisa=G1\t0\n", "G1 is among its own ancestors"},
        {GO_HEAD "G1\ta\tmolecular_function\tisa=G2\t0\nG2\tb\tmolecular_function\tisa=G3\t0\n"
                 "G3\tc\tmolecular_function\tpart of=G2\t0\n", "G2 is among its own ancestors"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        err_t err = {0};
        put("go_terms.tsv", rows[i].text);
        assert_null(ontology_read(DIR "/go_terms.tsv", &err));
        assert_int_equal(err.code, ERR_FORMAT);
        if (!strstr(err.msg, rows[i].message)) fail_msg("row %zu: %s", i, err.msg);
    }
    err_t err = {0};
    assert_null(ontology_read(DIR "/none", &err));
    assert_int_equal(err.code, ERR_IO);
}

static void same_set(const uint32_t *got, size_t n, const uint32_t *want, size_t m)
{
    assert_int_equal(n, m);
    assert_memory_equal(got, want, n * sizeof *got);
}

static void ancestors(void **state)
{
    (void)state;
    static const struct {
        uint32_t set[TERMS];
        size_t n;
        uint32_t pruned[TERMS];
        size_t npruned;
        uint32_t closed[TERMS];
        size_t nclosed;
    } rows[] = {
        {{0}, 0, {0}, 0, {0}, 0},
        {{ROOT}, 1, {ROOT}, 1, {ROOT}, 1},
        {{ROOT, D, B, X}, 4, {D, X}, 2, {ROOT, D, A, B, C, X}, 6},
        {{A, B}, 2, {A, B}, 2, {ROOT, A, B}, 3},
        {{ROOT, A, B, C, E}, 5, {C, E}, 2, {ROOT, A, B, C, E}, 5},
    };
    put("go_terms.tsv", GO_TERMS);
    ontology_t *o = ontology_read(DIR "/go_terms.tsv", NULL);
    assert_non_null(o);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t set[TERMS];
        size_t n = rows[i].n, m = 99;
        memcpy(set, rows[i].set, sizeof set);
        uint32_t *all = ontology_close(o, set, n, &m, NULL);
        assert_non_null(all);
        same_set(all, m, rows[i].closed, rows[i].nclosed);
        mem_free(all);
        assert_int_equal(ontology_prune(o, set, &n, NULL), 0);
        same_set(set, n, rows[i].pruned, rows[i].npruned);
    }
    ontology_free(o);
}

/* ---- facts ---- */

static void same_names(names_t got, size_t n, const char *const *want)
{
    assert_int_equal(got.n, n);
    for (size_t i = 0; i < n; i++) assert_string_equal(got.s[i], want[i]);
}

static void check_facts(const annot_t *a)
{
    static const char *const ids[] = {"1abc", "2xyz", "3emp", "4new", "6clu"};
    assert_int_equal(annot_count(a), 5);
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(annot_entry(a, i)->id, ids[i]);
        assert_ptr_equal(annot_find(a, ids[i]), annot_entry(a, i));
    }
    const facts_t *f = annot_find(a, "1ABC"), *g = annot_find(a, "2xyz"), *h = annot_find(a, "4new");
    assert_ptr_equal(f, annot_entry(a, 0));
    assert_null(annot_find(a, "9zzz"));
    assert_null(annot_find(a, "1abc_and_much_more"));
    assert_string_equal(f->title, "A title");
    assert_string_equal(f->molecules, "One | Two");
    assert_string_equal(f->classification, "Hydrolase");
    assert_string_equal(f->organism, "Homo sapiens");
    assert_string_equal(f->method, "EM");
    same_set(f->go, f->ngo, (const uint32_t[]){ROOT, D, X}, 3);
    same_names(f->uniprot, 2, (const char *const[]){"P00001", "Q00002"});
    same_set(f->cluster, f->nclusters, (const uint32_t[]){0, 3}, 2);
    assert_int_equal(f->oligomer, 24);
    assert_int_equal(f->ec.n + f->pfam.n + f->fold.n, 0);
    same_set(g->go, g->ngo, (const uint32_t[]){D}, 1);
    same_names(g->ec, 2, (const char *const[]){"1.7.-.-", "3.2.1.17"});
    same_names(g->pfam, 1, (const char *const[]){"PF00001"});
    same_names(g->fold, 2, (const char *const[]){"1.10.10.10", "1.10.8.10"});
    assert_string_equal(g->title, "");
    assert_string_equal(h->title, "B");
    assert_string_equal(h->method, "");
    assert_int_equal(annot_find(a, "3emp")->ngo + h->ngo + h->nclusters + h->oligomer, 0);
    assert_string_equal(annot_ec_name(a, "3.2.1.17"), "lysozyme");
    assert_string_equal(annot_ec_name(a, "1.7.-.-"), "Acting on nitrogen");
    assert_string_equal(annot_ec_name(a, "1.-.-.-"), "");
    assert_string_equal(annot_ec_name(a, ""), "");
    assert_string_equal(annot_pfam_name(a, "PF00001"), "short");
    assert_string_equal(annot_pfam_name(a, "PF00002"), "long");
    assert_string_equal(annot_uniprot_name(a, "P00001"), "Protein one");
    assert_string_equal(annot_uniprot_name(a, "P00002"), "");
    assert_string_equal(ontology_term(annot_ontology(a), X)->name, "x");
}

static void facts(void **state)
{
    (void)state;
    err_t err = {0};
    put_all();
    for (int threads = 1; threads <= 3; threads += 2) {
        notes_t notes = {0};
        threads_set(threads);
        annot_t *a = annot_open(DIR, &notes, &err);
        if (!a) fail_msg("%s", err.msg);
        check_facts(a);
        assert_int_equal(notes.n, 1);
        assert_non_null(strstr(notes.line[0], "pdb_go_entry.tsv.gz: 1 terms are not in go_terms (GO:9999999"));
        notes_free(&notes);
        annot_free(a);
    }
    annot_free(NULL);
}

static void missing(void **state)
{
    (void)state;
    err_t err = {0};
    notes_t notes = {0};
    clear(NULL);
    put_gz("go_terms.tsv", GO_TERMS);
    assert_null(annot_open(DIR, &notes, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.msg, "pdb_go_entry.tsv"));
    assert_int_equal(notes.n, 0);
    put("pdb_go_entry.tsv", "pdb_id\tgo_ids\n1abc\tGO:0000001\n");
    annot_t *a = annot_open(DIR, &notes, NULL);
    assert_non_null(a);
    assert_int_equal(annot_count(a), 1);
    assert_int_equal(annot_find(a, "1abc")->ngo, 1);
    assert_string_equal(annot_ec_name(a, "1"), "");
    assert_int_equal(notes.n, TABLES - 2);
    notes_free(&notes);
    annot_free(a);
    drop("go_terms.tsv.gz");
    err = (err_t){0};
    assert_null(annot_open(DIR, NULL, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.msg, "go_terms"));
}

static void bad_tables(void **state)
{
    (void)state;
    static const struct {
        file_t file;
        const char *message;
    } rows[] = {
        {{"pdb_go_entry.tsv", "pdb_id\tgo\n"}, "pdb_go_entry.tsv: no column go_ids"},
        {{"pdb_ec.tsv", "id\tec\n"}, "pdb_ec.tsv: no column pdb_id"},
        {{"pdb_class.tsv", "pdb_id\tcode\n"}, "no column scheme"},
        {{"pdb_pfam.tsv", "pdb_id\tpfam\n1abc\tx\n\ty\n"}, "line 3, column pdb_id: ''"},
        {{"pdb_pfam.tsv", "pdb_id\tpfam\n1abcdefghijklmnop\tx\n"}, "line 2, column pdb_id"},
        {{"pdb_oligomer.tsv", "pdb_id\toligomeric_state\n1abc\t0\n"}, "line 2, column oligomeric_state: '0'"},
        {{"pdb_oligomer.tsv", "pdb_id\toligomeric_state\n1abc\t2x\n"}, "oligomeric_state: '2x'"},
        {{"pdb_oligomer.tsv", "pdb_id\toligomeric_state\n1abc\t99999999999999999999\n"}, "oligomeric_state"},
        {{"ec_names.tsv", "ec\tx\n"}, "ec_names.tsv: no column name"},
        {{"clusters-by-entity-30.txt", "1ABC_1\n1ABC\n"}, "line 2: '1ABC' (an entity"},
        {{"clusters-by-entity-30.txt", "_1\n"}, "line 1: '_1' (an entity"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        err_t err = {0};
        notes_t notes = {0};
        put_all();
        put(rows[i].file.name, rows[i].file.text); /* found before the one with .gz */
        assert_null(annot_open(DIR, &notes, &err));
        assert_int_equal(err.code, ERR_FORMAT);
        if (!strstr(err.msg, rows[i].message)) fail_msg("row %zu: %s", i, err.msg);
        assert_int_equal(notes.n, 0);
    }
}

/* Ten methyltransferases of `proteins` accessions: what all of them have from the incomplete number alone goes. */
static void doubtful(void **state)
{
    (void)state;
    for (int proteins = 4; proteins <= 5; proteins++) {
        char go[1024] = "pdb_id\tgo_ids\n", ec[1024] = "pdb_id\tec\n", up[1024] = "pdb_id\tuniprot\n";
        clear(NULL);
        put("go_terms.tsv", GO_HEAD "G1\tmethyltransferase activity\tmolecular_function\t\t0\n"
                                    "G2\todd activity\tmolecular_function\tisa=G1\t0\nG3\tRNA binding\tmolecular_function\t\t0\n"
                                    "G4\trare activity\tmolecular_function\tisa=G2\t0\nG5\tother activity\tmolecular_function\tisa=G2\t0\n");
        for (int i = 0; i < 11; i++) { /* the last has no such number */
            snprintf(go + strlen(go), sizeof go - strlen(go), "%dabc\tG1;G2;G3%s\n", i, i == 3 ? ";G4" : "");
            if (i < 10) snprintf(ec + strlen(ec), sizeof ec - strlen(ec), "%dabc\t2.1.1.-\n", i);
            snprintf(up + strlen(up), sizeof up - strlen(up), "%dabc\tP%d\n", i, i % proteins);
        }
        put("pdb_go_entry.tsv", go);
        put("pdb_ec.tsv", ec);
        put("pdb_uniprot.tsv", up);
        annot_t *a = annot_open(DIR, NULL, NULL);
        assert_non_null(a);
        const facts_t *f = annot_find(a, "3abc"), *g = annot_find(a, "10abc"), *h = annot_find(a, "9abc");
        same_set(g->go, g->ngo, (const uint32_t[]){0, 1, 2}, 3);
        if (proteins < 5) {
            same_set(h->go, h->ngo, (const uint32_t[]){0, 1, 2}, 3);
        } else {
            same_set(h->go, h->ngo, (const uint32_t[]){0, 2}, 2);
            same_set(f->go, f->ngo, (const uint32_t[]){0, 2, 3}, 3);
        }
        assert_int_equal(annot_term_count(a, 1), proteins < 5 ? 11 : 1);
        annot_free(a);
    }
}

/* ---- the real tables ---- */

static void add_line(const annot_t *a, const facts_t *f, const uint32_t *set, size_t n, uint32_t *crc)
{
    *crc = libdeflate_crc32(*crc, f->id, strlen(f->id));
    for (size_t i = 0; i < n; i++) {
        *crc = libdeflate_crc32(*crc, i ? ";" : "\t", 1);
        *crc = libdeflate_crc32(*crc, ontology_term(annot_ontology(a), set[i])->id, 10);
    }
    *crc = libdeflate_crc32(*crc, "\n", 1);
}

/* Against the sets that tests/parity/ontology.py made. */
static void check_sets(const annot_t *a)
{
    size_t count[2] = {0}, entries = 0;
    uint32_t crc[2] = {0};
    char line[2][64], want[64];
    for (size_t i = 0; i < annot_count(a); i++) {
        const facts_t *f = annot_entry(a, i);
        size_t n = f->ngo, m;
        if (!n) continue;
        uint32_t *set = mem_new(n, sizeof *set, NULL), *all = ontology_close(annot_ontology(a), f->go, n, &m, NULL);
        assert_true(set && all);
        memcpy(set, f->go, n * sizeof *set);
        assert_int_equal(ontology_prune(annot_ontology(a), set, &n, NULL), 0);
        add_line(a, f, set, n, &crc[0]);
        add_line(a, f, all, m, &crc[1]);
        count[0] += n;
        count[1] += m;
        entries++;
        mem_free(set);
        mem_free(all);
    }
    for (int k = 0; k < 2; k++)
        snprintf(line[k], sizeof line[k], "%s\t%zu\t%zu\t%08x\n", k ? "closed" : "pruned", entries, count[k], (unsigned)crc[k]);
    FILE *f = fopen(ONTOLOGY_TABLE, "r");
    assert_non_null(f);
    assert_non_null(fgets(want, sizeof want, f)); /* header */
    for (int k = 0; k < 2; k++) {
        assert_non_null(fgets(want, sizeof want, f));
        assert_string_equal(line[k], want);
    }
    fclose(f);
}

static void real_tables(void **state)
{
    (void)state;
    char folder[4096];
    const char *data = test_data();
    err_t err = {0};
    notes_t notes = {0};
    if (!data) skip();
    snprintf(folder, sizeof folder, "%s/annot", data);
    annot_t *a = annot_open(folder, &notes, &err);
    if (!a) fail_msg("%s", err.msg);
    assert_int_equal(notes.n, 0);
    const facts_t *f = annot_find(a, "1LYZ");
    assert_non_null(f);
    assert_string_equal(f->organism, "Gallus gallus");
    same_names(f->ec, 1, (const char *const[]){"3.2.1.17"});
    same_names(f->uniprot, 1, (const char *const[]){"P00698"});
    same_names(f->fold, 1, (const char *const[]){"1.10.530.10"});
    same_set(f->cluster, f->nclusters, (const uint32_t[]){6}, 1);
    assert_int_equal(f->ngo, 12);
    assert_string_equal(ontology_term(annot_ontology(a), f->go[0])->name, "lysozyme activity");
    assert_int_equal(annot_find(a, "11as")->oligomer, 2);
    check_sets(a);
    annot_free(a);
    notes_free(&notes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terms),   cmocka_unit_test(bad_terms),  cmocka_unit_test(ancestors),  cmocka_unit_test(facts),
        cmocka_unit_test(missing), cmocka_unit_test(bad_tables), cmocka_unit_test(doubtful),
        cmocka_unit_test(real_tables),
    };
    return cmocka_run_group_tests_name("annot", tests, clear, clear);
}
