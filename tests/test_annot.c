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
    {"cath_names.tsv", "cath\tname\n1\tMainly Alpha\n1.10\tOrthogonal Bundle\n1.10.8.10\tDNA helicase RuvA\n"},
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

/* As the archives publish them: the ontology of GO_TERMS as OBO, SIFTS's flat files with their line of the date, EMICSS. */
#define OBO                                                                                                              \
    "format-version: 1.2\nontology: go\n\n[Term]\nid: GO:0000001\nname: root\nnamespace: molecular_function\nalt_id: GO:0000099\n" \
    "\n[Term]\nid: GO:0000009\r\nname: d\nnamespace: molecular_function\nis_a: GO:0000004 ! c\nis_a: GO:0000004 {x=\"y\"}\n"     \
    "\n[Term]\nid: GO:0000002\nname: a\nnamespace: molecular_function\nis_a: GO:0000001\n"                                   \
    "[Term]\nid: GO:0000003\nname: b\nnamespace: molecular_function\nis_a: GO:0000001 ! root\nis_obsolete: false\n"          \
    "\n[Term]\nid: GO:0000004\nname: c\nnamespace: molecular_function\nis_a: GO:0000002 ! a\nrelationship: part_of GO:0000003 ! b\n" \
    "\n[Term]\nid: GO:0000005\nname: e\nnamespace: cellular_component\nis_obsolete: true\n"                                  \
    "\n[Term]\nid: GO:0000006\nname: x\nnamespace: biological_process\nrelationship: regulates GO:0000002 ! a\n"            \
    "\n[Typedef]\nid: part_of\nname: part of\nis_a: overlaps\n"
#define DATE "# 2025/01/01 - 10:00 | PDB: 01.25 | UniProt: 2025.01\n"
#define EMICSS_90001                                                                                                            \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<emicss emdb_id=\"EMD-90001\" schema_version=\"0.9.0\"><dbs><db db_source=\"GO\"/></dbs>\n"      \
    "<sample><macromolecules><macromolecule type=\"protein\" id=\"1\"><name>p</name><cross_ref_dbs>\n"                           \
    "<cross_ref_db db_source=\"UNIPROT\" accession_id=\"P00001\" provenance=\"AUTHOR\"/>\n"                                     \
    "<cross_ref_db name=\"x\" db_source=\"GO\" accession_id=\"GO:0000006\" type=\"biological process\"/>\n"                        \
    "<cross_ref_db db_source=\"GO\" accession_id=\"GO:0000009\"/><cross_ref_db db_source=\"GO\" accession_id=\"GO:0000006\"/>\n"    \
    "<cross_ref_db db_source=\"PFAM\" accession_id=\"PF00001\"/><cross_ref_db db_source=\"CATH\" db_accession_id=\"1.10.8.10\"/>\n" \
    "<cross_ref_db db_source=\"CHEBI\" accession_id=\"1\"/><cross_ref_db db_source=\"GO\"/></cross_ref_dbs></macromolecule>"         \
    "</macromolecules></sample></emicss>\n"

static const file_t published[] = {
    {"go-basic.obo", OBO},
    {"pdb_chain_go.tsv", DATE "PDB\tCHAIN\tSP_PRIMARY\tWITH_STRING\tEVIDENCE\tGO_ID\n1abc\tA\tP00001\tInterPro:IPR000971\tIEA\tGO:0000006\n"
                             "1abc\tB\tQ00002\t\tIDA\tGO:0000001\n2xyz\tA\tP00001\t\tIEA\tGO:0000009\n"},
    {"pdb_chain_uniprot.tsv", DATE "PDB\tCHAIN\tSP_PRIMARY\tRES_BEG\n1abc\tA\tQ00002\t1\n1abc\tB\tP00001\t1\n"},
    {"pdb_chain_enzyme.tsv", DATE "PDB\tCHAIN\tACCESSION\tEC_NUMBER\n2xyz\tA\tP00001\t3.2.1.17\n"},
    {"pdb_chain_pfam.tsv", DATE "PDB\tCHAIN\tSP_PRIMARY\tPFAM_ID\tCOVERAGE\n2xyz\tA\tP00001\tPF00001\t0.9\n"},
    {"pdb_chain_cath_uniprot.tsv", DATE "PDB\tCHAIN\tSP_PRIMARY\tCATH_ID\n2xyz\tA\tP00001\t1.10.8.10\n"},
    {"pdb_chain_taxonomy.tsv", DATE "PDB\tCHAIN\tTAX_ID\tSCIENTIFIC_NAME\n1abc\tA\t9606\tHomo sapiens\n1abc\tA\t9606\tHuman\n"},
    {"emdb_go.tsv", "EMDB_ID\tEMDB_SAMPLE_ID\tGO_ID\tGO_NAMESPACE\tGO_TYPE\tPROVENANCE\nEMD-90002\t1\tGO:0000004\tc\tF\tUNIPROT\n"
                    "EMD-90001\t1\tGO:0000001\troot\tF\tUNIPROT\n"},
    {"emdb_uniprot.tsv", "EMDB_ID\tSAMPLE_ID\tUNIPROT_ID\nEMD-90002\t1\tP00003\n"},
    {"emdb_pfam.tsv", "EMDB_ID\tEMDB_SAMPLE_ID\tPFAM_ID\nEMD-90002\t1\tPF00002\n"},
    {"emdb_cath.tsv", "EMDB_ID\tEMDB_SAMPLE_ID\tCATH_ID\nEMD-90002\t1\t3.40.50.300\n"},
    {"emd-90001_emicss.xml", EMICSS_90001},
};
enum { PUBLISHED = sizeof published / sizeof *published };

static int clear(void **state)
{
    (void)state;
    char gz[128];
    for (size_t i = 0; i < PUBLISHED; i++) {
        snprintf(gz, sizeof gz, "%s.gz", published[i].name);
        drop(published[i].name);
        drop(gz);
    }
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
    assert_string_equal(annot_cath_name(a, "1.10"), "Orthogonal Bundle");
    assert_string_equal(annot_cath_name(a, "1.20"), "");
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
        assert_non_null(strstr(notes.line[0], "pdb_go_entry.tsv.gz: 1 terms are not in the ontology (GO:9999999"));
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

/* ---- files as published ---- */

static void put_published(void)
{
    clear(NULL);
    for (size_t i = 0; i < PUBLISHED; i++) i % 2 ? put_gz(published[i].name, published[i].text) : put(published[i].name, published[i].text);
}

static void check_published(const annot_t *a)
{
    const ontology_t *o = annot_ontology(a);
    const facts_t *f = annot_find(a, "1abc"), *g = annot_find(a, "2xyz"), *x = annot_find(a, "EMD-90001"), *y = annot_find(a, "emd-90002");
    assert_int_equal(annot_count(a), 4);
    assert_true(f && g && x && y);
    same_set(f->go, f->ngo, (const uint32_t[]){ROOT, X}, 2);
    same_names(f->uniprot, 2, (const char *const[]){"P00001", "Q00002"});
    assert_string_equal(f->organism, "Homo sapiens");
    same_set(g->go, g->ngo, (const uint32_t[]){D}, 1);
    same_names(g->ec, 1, (const char *const[]){"3.2.1.17"});
    same_names(g->pfam, 1, (const char *const[]){"PF00001"});
    same_names(g->fold, 1, (const char *const[]){"1.10.8.10"});
    assert_string_equal(x->id, "emd-90001");
    same_set(x->go, x->ngo, (const uint32_t[]){ROOT, D, X}, 3); /* table and XML together */
    same_names(x->uniprot, 1, (const char *const[]){"P00001"});
    same_names(x->pfam, 1, (const char *const[]){"PF00001"});
    same_names(x->fold, 1, (const char *const[]){"1.10.8.10"});
    same_set(y->go, y->ngo, (const uint32_t[]){C}, 1);
    same_names(y->uniprot, 1, (const char *const[]){"P00003"});
    same_names(y->pfam, 1, (const char *const[]){"PF00002"});
    same_names(y->fold, 1, (const char *const[]){"3.40.50.300"});
    assert_int_equal(ontology_count(o), TERMS);
    assert_string_equal(ontology_term(o, C)->name, "c");
    assert_int_equal(ontology_term(o, C)->parents, 2);
    assert_int_equal(ontology_term(o, C)->parent[1], B);
    assert_int_equal(ontology_term(o, D)->parents, 1);
    assert_int_equal(ontology_term(o, X)->space, GO_PROCESS);
    assert_int_equal(ontology_term(o, X)->parents, 0);
    assert_true(ontology_term(o, E)->obsolete && !ontology_term(o, B)->obsolete);
}

static void as_published(void **state)
{
    (void)state;
    put_published();
    for (int threads = 1; threads <= 3; threads += 2) {
        err_t err = {0};
        notes_t notes = {0};
        threads_set(threads);
        annot_t *a = annot_open(DIR, &notes, &err);
        if (!a) fail_msg("%s", err.msg);
        check_published(a);
        for (size_t i = 0; i < notes.n; i++) assert_non_null(strstr(notes.line[i], ": no table ")); /* of names, oligomers, clusters */
        assert_int_equal(notes.n, 6);
        notes_free(&notes);
        annot_free(a);
    }
}

/* Our own tables and published ones in one folder: what both say. Nothing but an ontology and EMICSS XML is enough. */
static void together(void **state)
{
    (void)state;
    err_t err = {0};
    put_all();
    put("pdb_chain_go.tsv", "PDB\tGO_ID\n3emp\tGO:0000002\n1abc\tGO:0000002\n");
    annot_t *a = annot_open(DIR, NULL, &err);
    if (!a) fail_msg("%s", err.msg);
    same_set(annot_find(a, "1abc")->go, annot_find(a, "1abc")->ngo, (const uint32_t[]){ROOT, D, A, X}, 4);
    same_set(annot_find(a, "3emp")->go, annot_find(a, "3emp")->ngo, (const uint32_t[]){A}, 1);
    annot_free(a);
    clear(NULL);
    put_gz("go-basic.obo", OBO);
    put("emd-90001_emicss.xml", EMICSS_90001);
    a = annot_open(DIR, NULL, &err);
    if (!a) fail_msg("%s", err.msg);
    assert_int_equal(annot_count(a), 1);
    assert_int_equal(annot_find(a, "emd-90001")->ngo, 2);
    annot_free(a);
}

static void bad_published(void **state)
{
    (void)state;
    static const struct {
        file_t file;
        const char *message;
    } rows[] = {
        {{"go-basic.obo", "[Term]\nid: GO:1\nname: a\nnamespace: molecular_function\nid: GO:2\n"}, "go-basic.obo: line 5: id a second time"},
        {{"go-basic.obo", "[Typedef]\nid: part_of\n"}, "go-basic.obo: no [Term]"},
        {{"go-basic.obo", "\n[Term]\nid: GO:1\nname: a\nnamespace: external\n"}, "go-basic.obo: line 2, column namespace: external"},
        {{"go-basic.obo", "[Term]\nid: GO:1\nnamespace: molecular_function\nis_a: GO:2 ! b\n"}, "go-basic.obo: line 1, column parents"},
        {{"pdb_chain_go.tsv", DATE "PDB\tGO\n"}, "pdb_chain_go.tsv: no column GO_ID"},
        {{"pdb_chain_pfam.tsv", DATE "PDB_ID\tPFAM_ID\n"}, "pdb_chain_pfam.tsv: no column PDB"},
        {{"emdb_go.tsv", "EMDB_ID\tGO_ID\n\tGO:0000001\n"}, "emdb_go.tsv: line 2, column EMDB_ID"},
        {{"emdb_uniprot.tsv", "EMDB_ID\tUNIPROT\n"}, "emdb_uniprot.tsv: no column UNIPROT_ID"},
        {{"emd-90001_emicss.xml", "<emd emdb_id='EMD-90001'/>"}, "emd-90001_emicss.xml: line 1, emd: no EMICSS file"},
        {{"emd-90001_emicss.xml", "<emicss emdb_id='90001'/>"}, "emicss: emdb_id '90001'"},
        {{"emd-90001_emicss.xml", "<emicss/>"}, "emicss: emdb_id ''"},
        {{"emd-90001_emicss.xml", "<emicss emdb_id='EMD-90001'>\n<a>"}, "emd-90001_emicss.xml: line 2, emicss/a"},
        {{"emd-90001_emicss.xml", "<!DOCTYPE emicss [<!ENTITY a 'b'>]><emicss emdb_id='&a;'/>"}, "a document type declaration"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        err_t err = {0};
        put_published();
        put(rows[i].file.name, rows[i].file.text);
        assert_null(annot_open(DIR, NULL, &err));
        if (!strstr(err.msg, rows[i].message)) fail_msg("row %zu: %s", i, err.msg);
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
        cmocka_unit_test(as_published), cmocka_unit_test(together), cmocka_unit_test(bad_published),
        cmocka_unit_test(real_tables),
    };
    return cmocka_run_group_tests_name("annot", tests, clear, clear);
}
