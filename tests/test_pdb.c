/* test_pdb: atomic models from small PDB and mmCIF texts written here. */
#include "tests/test.h"

#include <libdeflate.h>

#include "pdb/factors.h"
#include "pdb/pdb.h"

/* ---- texts ---- */

typedef struct {
    char s[16384];
    size_t n;
} text_t;

static void put(text_t *t, const char *fmt, ...) ERR_PRINTF(2, 3);
static void put(text_t *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    t->n += (size_t)vsnprintf(t->s + t->n, sizeof t->s - t->n, fmt, ap);
    va_end(ap);
    assert_true(t->n < sizeof t->s);
}

/* One PDB atom line; name has its four columns, "alt" is one letter or a blank. */
static void atom(text_t *t, const char *rec, const char *name, char alt, const char *res, char chain, int seq, double x, const char *occ,
                 const char *element)
{
    put(t, "%-6s%5d %-4s%c%3s %c%4d    %8.3f%8.3f%8.3f%6s%6.2f          %2s\n", rec, 1, name, alt, res, chain, seq, x, 2.0, 3.0, occ, 20.0,
        element);
}

static const char header[] = "HEADER    HYDROLASE                               01-JAN-00   1ABC              \n"
                             "TITLE     A MODEL                                                               \n"
                             "COMPND    MOL_ID: 1;                                                            \n"
                             "COMPND   2 MOLECULE: TRYPSIN, A LONG                                            \n"
                             "COMPND   3 NAME;                                                                \n"
                             "COMPND   4 EC: 3.4.21.4;                                                        \n"
                             "COMPND   5 MOL_ID: 2;                                                           \n"
                             "COMPND   6 MOLECULE: INHIBITOR                                                  \n"
                             "SOURCE    MOL_ID: 1;                                                            \n"
                             "SOURCE   2 ORGANISM_SCIENTIFIC: BOS TAURUS;                                     \n"
                             "SOURCE   3 MOL_ID: 2;                                                           \n"
                             "SOURCE   4 ORGANISM_SCIENTIFIC: BOS TAURUS                                      \n"
                             "KEYWDS    PROTEASE                                                              \n";
static const char biomt[] = "REMARK   2 RESOLUTION.    1.80 ANGSTROMS.                                       \n"
                            "REMARK 350 BIOMOLECULE: 1                                                       \n"
                            "REMARK 350 APPLY THE FOLLOWING TO CHAINS: A                                     \n"
                            "REMARK 350   BIOMT1   1  1.000000  0.000000  0.000000        0.00000            \n"
                            "REMARK 350   BIOMT2   1  0.000000  1.000000  0.000000        0.00000            \n"
                            "REMARK 350   BIOMT3   1  0.000000  0.000000  1.000000        0.00000            \n"
                            "REMARK 350   BIOMT1   2 -1.000000  0.000000  0.000000       10.00000            \n"
                            "REMARK 350   BIOMT2   2  0.000000 -1.000000  0.000000       20.00000            \n"
                            "REMARK 350   BIOMT3   2  0.000000  0.000000  1.000000        0.00000            \n"
                            "REMARK 350 BIOMOLECULE: 2                                                       \n"
                            "REMARK 350 APPLY THE FOLLOWING TO CHAINS: B                                     \n"
                            "REMARK 350   BIOMT1   1  1.000000  0.000000  0.000000        0.00000            \n"
                            "REMARK 350   BIOMT2   1  0.000000  1.000000  0.000000        0.00000            \n"
                            "REMARK 350   BIOMT3   1  0.000000  0.000000  1.000000        0.00000            \n";

/* Chain A: GLY 1 of two atoms and a ligand after the chains; chain B: ALA 1 of one. */
static void two_chains(text_t *t, const char *method)
{
    put(t, "%s", header);
    if (method) put(t, "EXPDTA    %-70s\n", method);
    put(t, "%s", biomt);
    atom(t, "ATOM", " N", ' ', "GLY", 'A', 1, 1, "1.00", "N");
    atom(t, "ATOM", " CA", ' ', "GLY", 'A', 1, 2, "1.00", "C");
    put(t, "TER\n");
    atom(t, "ATOM", " N", ' ', "ALA", 'B', 1, 3, "1.00", "N");
    atom(t, "ATOM", " CA", ' ', "ALA", 'B', 1, 4, "1.00", "C");
    put(t, "TER\n");
    atom(t, "HETATM", "ZN", ' ', " ZN", 'A', 90, 5, "1.00", "ZN");
    atom(t, "HETATM", " O", ' ', "HOH", 'A', 91, 6, "1.00", "O");
    put(t, "END\n");
}

static model_t *parse_as(const text_t *t, const char *assembly, notes_t *notes, err_t *err)
{
    return pdb_read_mem((const unsigned char *)t->s, t->n, "t", assembly, notes, err);
}

static model_t *parse(const text_t *t)
{
    err_t e = {0};
    model_t *m = parse_as(t, NULL, NULL, &e);
    if (!m) fail_msg("%s", e.msg);
    return m;
}

static errcode_t code_of(const text_t *t, const char *assembly)
{
    err_t e = {0};
    model_t *m = parse_as(t, assembly, NULL, &e);
    assert_true((m == NULL) == (e.code != ERR_OK));
    if (!m) assert_memory_equal(e.msg, "t: ", 3);
    model_free(m);
    return e.code;
}

/* ---- PDB ---- */

static void pdb_atoms_and_facts(void **state)
{
    (void)state;
    text_t t = {0};
    two_chains(&t, "ELECTRON MICROSCOPY");
    model_t *m = parse(&t);
    assert_int_equal(m->n, 5); /* no water */
    assert_int_equal(m->nchain, 2);
    assert_int_equal(m->nres, 3);
    /* Chain by chain: the ligand of A comes before B. */
    static const struct {
        const char *name, *res;
        int element, kind, chain, residue;
    } want[] = {{"N", "GLY", 7, KIND_PROTEIN, 0, 0},
                {"CA", "GLY", 6, KIND_PROTEIN, 0, 0},
                {"ZN", "ZN", 30, KIND_LIGAND, 0, 1},
                {"N", "ALA", 7, KIND_PROTEIN, 1, 2},
                {"CA", "ALA", 6, KIND_PROTEIN, 1, 2}};
    for (size_t i = 0; i < m->n; i++) {
        const atom_t *a = &m->atom[i];
        assert_int_equal(strncmp(a->name, want[i].name, 4), 0);
        assert_int_equal(strncmp(a->resname, want[i].res, 4), 0);
        assert_int_equal(a->element, want[i].element);
        assert_int_equal(a->kind, want[i].kind);
        assert_int_equal(a->chain, want[i].chain);
        assert_int_equal(a->residue, want[i].residue);
    }
    assert_close((double)m->atom[1].x, 2, 1e-6);
    assert_close((double)m->atom[1].b, 20, 1e-6);
    assert_string_equal(m->facts.id, "1abc");
    assert_string_equal(m->facts.title, "A MODEL");
    assert_string_equal(m->facts.method, "ELECTRON MICROSCOPY");
    assert_string_equal(m->facts.keywords, "HYDROLASE; PROTEASE");
    assert_string_equal(m->facts.molecules, "TRYPSIN, A LONG NAME; INHIBITOR");
    assert_string_equal(m->facts.organisms, "BOS TAURUS");
    assert_string_equal(m->facts.ec, "3.4.21.4");
    assert_string_equal(m->facts.uniprot, "");
    assert_close(m->facts.resolution, 1.8, 1e-9);
    assert_string_equal(m->assembly, "");
    assert_int_equal(m->trace, 0);
    model_free(m);
}

static void assembly_rule(void **state)
{
    (void)state;
    static const struct {
        const char *method, *assembly, *built;
        size_t n;
    } row[] = {
        {"X-RAY DIFFRACTION", NULL, "1", 6},      {"NEUTRON DIFFRACTION", NULL, "1", 6}, {"ELECTRON CRYSTALLOGRAPHY", NULL, "1", 6},
        {NULL, NULL, "1", 6},                     {"ELECTRON MICROSCOPY", NULL, "", 5},  {"SOLUTION NMR", NULL, "", 5},
        {"X-RAY DIFFRACTION", "asu", "", 5},      {"X-RAY DIFFRACTION", "2", "2", 2},    {"ELECTRON MICROSCOPY", "1", "1", 6},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        text_t t = {0};
        err_t e = {0};
        two_chains(&t, row[i].method);
        model_t *m = parse_as(&t, row[i].assembly, NULL, &e);
        assert_non_null(m);
        assert_int_equal(m->n, row[i].n);
        assert_string_equal(m->assembly, row[i].built);
        if (m->n == 6) { /* second copy: turned about z and moved */
            assert_int_equal(m->nchain, 2);
            assert_int_equal(m->atom[4].chain, 1);
            assert_int_equal(m->atom[4].residue, 2);
            assert_close((double)m->atom[4].x, 10 - 2, 1e-5);
            assert_close((double)m->atom[4].y, 20 - 2, 1e-5);
            assert_close((double)m->atom[4].z, 3, 1e-5);
        }
        model_free(m);
    }
}

/* Old files continue the list of chains without saying so; what follows a list that is complete is no continuation. */
static void assembly_list_goes_on(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second;
        size_t n;
    } row[] = {{"A,", "B", 2}, {"A,", "                   AND CHAINS: B", 2}, {"A", "B", 1}, {"A,", "TETRAMERIC, B", 1}, {"A,", "", 1}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        text_t t = {0};
        put(&t, "EXPDTA    X-RAY DIFFRACTION\nREMARK 350 BIOMOLECULE: 1\nREMARK 350 APPLY THE FOLLOWING TO CHAINS: %-38s\n", row[i].first);
        put(&t, "REMARK 350 %-69s\n%s", row[i].second, strstr(biomt, "REMARK 350   BIOMT1"));
        *strstr(t.s, "REMARK 350   BIOMT1   2") = 0;
        t.n = strlen(t.s);
        atom(&t, "ATOM", " CA", ' ', "GLY", 'A', 1, 2, "1.00", "C");
        atom(&t, "ATOM", " CA", ' ', "ALA", 'B', 1, 4, "1.00", "C");
        put(&t, "END\n");
        model_t *m = parse_as(&t, "1", NULL, NULL);
        assert_non_null(m);
        if (m->n != row[i].n) fail_msg("row %zu: %zu atoms", i, m->n);
        model_free(m);
    }
}

static void assembly_not_there(void **state)
{
    (void)state;
    text_t t = {0};
    err_t e = {0};
    two_chains(&t, "X-RAY DIFFRACTION");
    assert_null(parse_as(&t, "7", NULL, &e));
    assert_int_equal(e.code, ERR_NOTFOUND);
    assert_string_equal(e.msg, "t: no assembly 7 (listed: 1, 2)");

    /* Assembly 1 of chains that a subset lacks: the deposited model and a note; an error if it was asked for. */
    text_t u = {0};
    notes_t notes = {0};
    put(&u, "EXPDTA    X-RAY DIFFRACTION\n%s", biomt);
    atom(&u, "ATOM", " CA", ' ', "ALA", 'Q', 1, 4, "1.00", "C");
    model_t *m = parse_as(&u, NULL, &notes, NULL);
    assert_int_equal(m->n, 1);
    assert_string_equal(m->assembly, "");
    assert_int_equal(notes.n, 1);
    model_free(m);
    notes_free(&notes);
    assert_int_equal(code_of(&u, "1"), ERR_FORMAT);
}

static void alternate_locations(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        double x;
    } row[] = {{"0.60", "0.40", 1}, {"0.40", "0.60", 2}, {"0.50", "0.50", 1}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        text_t t = {0};
        atom(&t, "ATOM", " CA", ' ', "SER", 'A', 1, 0, "1.00", "C");
        atom(&t, "ATOM", " CB", 'A', "SER", 'A', 1, 1, row[i].a, "C");
        atom(&t, "ATOM", " CB", 'B', "SER", 'A', 1, 2, row[i].b, "C");
        /* Two residues at one place, atoms alternating. */
        atom(&t, "ATOM", " N", 'A', "SER", 'A', 2, 1, row[i].a, "N");
        atom(&t, "ATOM", " N", 'B', "THR", 'A', 2, 2, row[i].b, "N");
        atom(&t, "ATOM", " CA", 'A', "SER", 'A', 2, 1, row[i].a, "C");
        atom(&t, "ATOM", " CA", 'B', "THR", 'A', 2, 2, row[i].b, "C");
        model_t *m = parse(&t);
        assert_int_equal(m->n, 4);
        assert_int_equal(m->nres, 2);
        for (size_t k = 1; k < 4; k++) assert_close((double)m->atom[k].x, row[i].x, 1e-6);
        assert_memory_equal(m->atom[2].resname, row[i].x < 1.5 ? "SER" : "THR", 3);
        model_free(m);
    }
}

static void occupancy_blank_is_one(void **state)
{
    (void)state;
    text_t t = {0};
    notes_t notes = {0};
    atom(&t, "ATOM", " CA", ' ', "ALA", 'A', 1, 0, "", "C");
    atom(&t, "ATOM", " CA", ' ', "ALA", 'A', 2, 0, "0.25", "C");
    atom(&t, "ATOM", " CA", ' ', "ALA", 'A', 3, 0, "0.00", "C");
    put(&t, "ATOM      1  CA  ALA A   4       1.000   2.000   3.000\n");
    put(&t, "ATOM      1  CA  ALA A   5       1.000   2.000   3.000    \n");
    model_t *m = parse_as(&t, NULL, &notes, NULL);
    assert_non_null(m);
    assert_int_equal(notes.n, 0);
    model_free(m);
    put(&t, "ATOM      1  CA  ALA A   6       1.000   2.000   3.000******\n");
    m = parse_as(&t, NULL, &notes, NULL);
    assert_non_null(m);
    assert_int_equal(notes.n, 1); /* blanks are common, this is not */
    assert_non_null(strstr(notes.line[0], "line 6"));
    notes_free(&notes);
    static const double want[] = {1, 0.25, 0, 1, 1, 1};
    assert_int_equal(m->n, 6);
    for (size_t i = 0; i < 6; i++) assert_close((double)m->atom[i].occ, want[i], 1e-6);
    assert_close((double)m->atom[3].b, 20, 0);
    model_free(m);
}

static void first_model_no_hydrogens(void **state)
{
    (void)state;
    text_t t = {0};
    notes_t notes = {0};
    put(&t, "EXPDTA    SOLUTION NMR\n");
    for (int k = 1; k <= 3; k++) {
        put(&t, "MODEL     %4d\n", k);
        atom(&t, "ATOM", " N", ' ', "ALA", 'A', 1, k, "1.00", "N");
        atom(&t, "ATOM", " H", ' ', "ALA", 'A', 1, k, "1.00", "H");
        atom(&t, "ATOM", " D", ' ', "ALA", 'A', 1, k, "1.00", "D");
        atom(&t, "ATOM", " CA", ' ', "ALA", 'A', 1, k, "1.00", "C");
        put(&t, "ENDMDL\n");
    }
    model_t *m = parse_as(&t, NULL, &notes, NULL);
    assert_int_equal(m->n, 2);
    assert_close((double)m->atom[1].x, 1, 1e-6);
    assert_int_equal(notes.n, 0); /* expected of NMR */
    model_free(m);
    memcpy(strstr(t.s, "SOLUTION NMR"), "POWDER DIFFR", 12);
    m = parse_as(&t, NULL, &notes, NULL);
    assert_int_equal(notes.n, 1);
    model_free(m);
    notes_free(&notes);
}

static void traces(void **state)
{
    (void)state;
    text_t t = {0};
    for (int k = 1; k <= 4; k++) atom(&t, "ATOM", " CA", ' ', "ALA", 'A', k, 3.8 * k, "1.00", "C");
    for (int k = 1; k <= 3; k++) atom(&t, "ATOM", " P", ' ', " DA", 'B', k, 6.0 * k, "1.00", "P");
    atom(&t, "HETATM", "CA", ' ', " CA", 'A', 9, 0, "1.00", "CA"); /* calcium */
    atom(&t, "HETATM", " CA", ' ', "MSE", 'A', 5, 19, "1.00", "C");
    atom(&t, "ATOM", " CA", ' ', "XYZ", 'A', 6, 23, "1.00", "C");
    model_t *m = parse(&t);
    assert_int_equal(m->trace, 1);
    assert_int_equal(m->n, 10);
    size_t kinds[5] = {0};
    for (size_t i = 0; i < m->n; i++) kinds[m->atom[i].kind]++;
    assert_int_equal(kinds[KIND_PROTEIN], 6);
    assert_int_equal(kinds[KIND_NUCLEIC], 3);
    assert_int_equal(kinds[KIND_LIGAND], 1);
    model_free(m);
}

static void elements(void **state)
{
    (void)state;
    static const struct {
        const char *name, *res, *element;
        int z;
    } row[] = {{"MN", " MN", "M", 25}, {" CA", "ALA", "", 6}, {"CA", " CA", "", 20}, {" CA", "ALA", "C", 6}, {" OXT", "ALA", "?", 8},
               {" Q1", "XXX", "", 0}};
    text_t t = {0};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) atom(&t, "HETATM", row[i].name, ' ', row[i].res, 'A', (int)i, 0, "1.00", row[i].element);
    model_t *m = parse(&t);
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) assert_int_equal(m->atom[i].element, row[i].z);
    model_free(m);
}

/* Records that we have no use for are not parsed, however short. */
static void other_records(void **state)
{
    (void)state;
    text_t t = {0};
    atom(&t, "ATOM", " CA", ' ', "ALA", 'A', 1, 0, "1.00", "C");
    put(&t, "ANISOU\nANISOU\nSSBOND   1 CYS A    1    CYS A    2\nLINK\nCISPEP\nHELIX\nSHEET\nSCALE1\nSEQRES\nCRYST1\n\n");
    model_t *m = parse(&t);
    assert_int_equal(m->n, 1);
    model_free(m);
}

/* ---- mmCIF ---- */

static const char cif_head[] =
    "data_TEST\n_entry.id 2XYZ\n_struct.title 'Caf\xc3\xa9 \xff model'\n_exptl.method 'X-RAY DIFFRACTION'\n_refine.ls_d_res_high 2.5\n"
    "_entry.id again\n" /* a tag given twice is read past */
    "loop_\n_entity.id\n_entity.type\n_entity.pdbx_description\n_entity.pdbx_ec\n1 polymer 'a protein' 1.1.1.1\n2 non-polymer Zinc ?\n"
    "3 water water ?\n4 branched sugar ?\n"
    "loop_\n_entity_src_gen.entity_id\n_entity_src_gen.pdbx_gene_src_scientific_name\n1 'Homo sapiens'\n"
    "loop_\n_struct_ref.id\n_struct_ref.db_name\n_struct_ref.pdbx_db_accession\n1 UNP P12345\n2 PDB 2XYZ\n"
    "loop_\n_pdbx_struct_assembly_gen.assembly_id\n_pdbx_struct_assembly_gen.oper_expression\n_pdbx_struct_assembly_gen.asym_id_list\n"
    "1 '(1,2)(X)' A,B\n1 1 C\n2 '(1-3)' A\n"
    "loop_\n_pdbx_struct_oper_list.id\n"
    "_pdbx_struct_oper_list.matrix[1][1]\n_pdbx_struct_oper_list.matrix[1][2]\n_pdbx_struct_oper_list.matrix[1][3]\n"
    "_pdbx_struct_oper_list.matrix[2][1]\n_pdbx_struct_oper_list.matrix[2][2]\n_pdbx_struct_oper_list.matrix[2][3]\n"
    "_pdbx_struct_oper_list.matrix[3][1]\n_pdbx_struct_oper_list.matrix[3][2]\n_pdbx_struct_oper_list.matrix[3][3]\n"
    "_pdbx_struct_oper_list.vector[1]\n_pdbx_struct_oper_list.vector[2]\n_pdbx_struct_oper_list.vector[3]\n"
    "1 1 0 0 0 1 0 0 0 1 0 0 0\n2 -1 0 0 0 -1 0 0 0 1 0 0 0\n3 1 0 0 0 1 0 0 0 1 0 0 50\nX 1 0 0 0 1 0 0 0 1 100 0 0\n";
static const char cif_atoms[] =
    "loop_\n_atom_site.group_PDB\n_atom_site.type_symbol\n_atom_site.label_atom_id\n_atom_site.label_alt_id\n_atom_site.label_comp_id\n"
    "_atom_site.label_asym_id\n_atom_site.label_entity_id\n_atom_site.label_seq_id\n_atom_site.auth_seq_id\n_atom_site.auth_asym_id\n"
    "_atom_site.pdbx_PDB_model_num\n_atom_site.Cartn_x\n_atom_site.Cartn_y\n_atom_site.Cartn_z\n_atom_site.occupancy\n"
    "_atom_site.B_iso_or_equiv\n"
    "ATOM N N . GLY A 1 1 11 H 1 1 2 3 1 10\n"
    "ATOM C CA . GLY A 1 1 11 H 1 2 2 3 . ?\n"
    "HETATM ZN ZN . ZN B 2 . 201 H 1 5 2 3 1 10\n"
    "HETATM C C1 . NAG C 4 . 301 H 1 6 2 3 1 10\n"
    "HETATM O O . HOH D 3 . 401 H 1 7 2 3 1 10\n"
    "ATOM N N . GLY A 1 1 11 H 2 1 2 3 1 10\n";

static void cif_atoms_and_facts(void **state)
{
    (void)state;
    text_t t = {0};
    err_t e = {0};
    put(&t, "%s%s", cif_head, cif_atoms);
    model_t *m = parse_as(&t, "asu", NULL, &e);
    if (!m) fail_msg("%s", e.msg);
    assert_int_equal(m->n, 4);
    assert_int_equal(m->nres, 3);
    assert_int_equal(m->nchain, 1);
    static const int kind[] = {KIND_PROTEIN, KIND_PROTEIN, KIND_LIGAND, KIND_SUGAR};
    for (size_t i = 0; i < 4; i++) assert_int_equal(m->atom[i].kind, kind[i]);
    assert_close((double)m->atom[1].occ, 1, 0);
    assert_close((double)m->atom[1].b, 0, 0);
    assert_string_equal(m->facts.id, "2xyz");
    assert_string_equal(m->facts.title, "Caf\xc3\xa9 ? model");
    assert_string_equal(m->facts.molecules, "a protein");
    assert_string_equal(m->facts.ec, "1.1.1.1");
    assert_string_equal(m->facts.organisms, "Homo sapiens");
    assert_string_equal(m->facts.uniprot, "P12345");
    assert_close(m->facts.resolution, 2.5, 1e-9);
    model_free(m);
}

/* Products of operators: the right one is applied first. */
static void cif_assemblies(void **state)
{
    (void)state;
    text_t t = {0};
    put(&t, "%s%s", cif_head, cif_atoms);
    model_t *m = parse(&t);
    assert_string_equal(m->assembly, "1");
    assert_int_equal(m->n, 2 * 3 + 1);
    assert_close((double)m->atom[0].x, 101, 1e-4);
    assert_close((double)m->atom[3].x, -101, 1e-4);
    assert_close((double)m->atom[6].x, 6, 1e-4);
    assert_int_equal(m->nchain, 3);
    model_free(m);
    err_t e = {0};
    m = parse_as(&t, "2", NULL, &e);
    assert_int_equal(m->n, 6);
    assert_close((double)m->atom[4].z, 53, 1e-4);
    model_free(m);
    assert_int_equal(code_of(&t, "3"), ERR_NOTFOUND);
}

/* Residues with one auth_seq_id (insertion codes left out) stay apart; two residues at one label_seq_id do not. */
static void cif_residues(void **state)
{
    (void)state;
    text_t t = {0};
    put(&t, "%s", cif_head);
    t.n = (size_t)(strstr(t.s, "loop_\n_pdbx_struct_assembly_gen") - t.s);
    put(&t, "%.*s", (int)(strstr(cif_atoms, "ATOM") - cif_atoms), cif_atoms);
    put(&t, "ATOM C CA . THR A 1 1 -5 H 1 1 2 3 1 10\nATOM C CA . THR A 1 2 -5 H 1 2 2 3 1 10\n"
            "ATOM C CA A SER A 1 3 61 H 1 3 2 3 0.4 10\nATOM C CA B GLY A 1 3 61 H 1 4 2 3 0.6 10\n"
            "HETATM ZN ZN . ZN B 2 . 201 H 1 5 2 3 1 10\nHETATM ZN ZN . ZN C 2 . 201 H 1 6 2 3 1 10\n");
    model_t *m = parse(&t);
    assert_int_equal(m->n, 5);
    assert_int_equal(m->nres, 5);
    assert_memory_equal(m->atom[2].resname, "GLY", 3);
    model_free(m);
}

/* The entry up to its table of generators, whose rows are the caller's; and what follows them. */
static void generators(text_t *t)
{
    put(t, "%.*s", (int)(strstr(cif_head, "1 '(1,2)(X)'") - cif_head), cif_head);
}

static void end_generators(text_t *t) { put(t, "%s%s", strstr(cif_head, "loop_\n_pdbx_struct_oper_list.id"), cif_atoms); }

static void huge_assembly(void **state)
{
    (void)state;
    text_t t = {0};
    put(&t, "%s%s", cif_head, cif_atoms);
    char *p = strstr(t.s, "'(1,2)(X)'");
    memcpy(p, "'(1-999999", 10);
    assert_int_equal(code_of(&t, NULL), ERR_FORMAT); /* the quote is now open */
    text_t u = {0};
    const char *many = "(1-3)(1-3)(1-3)(1-3)(1-3)(1-3)(1-3)(1-3)(1-3)(1-3)(1-3)(1-3)(1-3)(1-3)";
    generators(&u);
    put(&u, "1 '%s' A\n", many);
    end_generators(&u);
    assert_int_equal(code_of(&u, "asu"), ERR_RANGE);
    u = (text_t){0};
    generators(&u);
    put(&u, "1 '%s' Q\n1 1 A\n", many); /* a part without atoms costs nothing */
    end_generators(&u);
    assert_int_equal(code_of(&u, "1"), ERR_OK);
    u = (text_t){0};
    generators(&u);
    for (int k = 0; k < 20; k++) put(&u, "%d '%.55s' A\n", k, many); /* together, whichever is wanted */
    end_generators(&u);
    assert_int_equal(code_of(&u, "asu"), ERR_RANGE);
    u = (text_t){0};
    generators(&u);
    for (int k = 0; k < 20; k++) put(&u, "%d (100-99999) A\n", k); /* so do names of operators that are not there */
    end_generators(&u);
    assert_int_equal(code_of(&u, "asu"), ERR_RANGE);
}

/* 65,535 chains are the most: 3^10 + 2 (3^7 + 3^6 + 3^5 + 3^4 + 3) copies of one. */
static void chains_limit(void **state)
{
    (void)state;
    static const int power[] = {10, 7, 7, 6, 6, 5, 5, 4, 4, 1, 1};
    for (int more = 0; more < 2; more++) {
        text_t t = {0};
        generators(&t);
        for (size_t i = 0; i < sizeof power / sizeof *power; i++) put(&t, "1 '%.*s' A\n", 5 * power[i], "(1-3)(1-3)(1-3)(1-3)(1-3)(1-3)(1-3)(1-3)(1-3)(1-3)");
        if (more) put(&t, "1 1 A\n");
        end_generators(&t);
        err_t e = {0};
        model_t *m = parse_as(&t, "1", NULL, &e);
        if (more) {
            assert_null(m);
            assert_int_equal(e.code, ERR_RANGE);
        } else {
            assert_non_null(m);
            assert_int_equal(m->nchain, 65535);
            assert_int_equal(m->atom[m->n - 1].chain, 65534);
        }
        model_free(m);
    }
}

/* ---- bad files ---- */

#define CIF_ATOM "data_x\n_atom_site.Cartn_x 1\n_atom_site.Cartn_y 2\n_atom_site.Cartn_z 3\n_atom_site."

/* The message has the atom and what the file says. */
static void bad_numbers_told(void **state)
{
    (void)state;
    text_t t = {0};
    err_t e = {0};
    put(&t, CIF_ATOM "occupancy 1e300\n");
    assert_null(parse_as(&t, NULL, NULL, &e));
    assert_string_equal(e.msg, "t: atom 1: occupancy 1e300");
    t = (text_t){0};
    e = (err_t){0};
    put(&t, "ATOM     17  CA  ALA A   1       1.000   2.000   3.000 -5.00\n");
    assert_null(parse_as(&t, NULL, NULL, &e));
    assert_string_equal(e.msg, "t: atom 17: occupancy -5");
}

/* An operator may take no atom to infinity. */
static void wild_operators(void **state)
{
    (void)state;
    text_t t = {0};
    put(&t, "%s%s", cif_head, cif_atoms);
    char *p = strstr(t.s, "100");
    assert_non_null(p);
    memcpy(p, "9e9", 3);
    model_t *m = parse_as(&t, "asu", NULL, NULL);
    assert_non_null(m);
    model_free(m);
    m = parse(&t);
    for (size_t i = 0; i < m->n; i++) assert_true(fabs((double)m->atom[i].x) < 1e6);
    model_free(m);
}

/* A byte order mark, as some editors write: the first record counts all the same. */
static void byte_order_mark(void **state)
{
    (void)state;
    for (int cif = 0; cif < 2; cif++) {
        text_t plain = {0}, marked = {0};
        if (cif) put(&plain, "%s%s", cif_head, cif_atoms);
        else
            for (int k = 1; k <= 3; k++) atom(&plain, "ATOM", " CA", ' ', "ALA", 'A', k, k, "1.00", "C");
        put(&marked, "\xEF\xBB\xBF%s", plain.s);
        model_t *a = parse(&plain), *b = parse(&marked);
        assert_int_equal(a->n, b->n);
        assert_string_equal(a->facts.id, b->facts.id);
        model_free(a);
        model_free(b);
    }
}

static void damage(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        errcode_t code;
    } row[] = {
        {"", ERR_FORMAT},
        {"hello\n", ERR_FORMAT},
        {"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", ERR_FORMAT},
        {"HEADER    only a header\nEND\n", ERR_FORMAT},
        {"ATOM      1  CA  ALA A   1       1.000   2.000\n", ERR_FORMAT},
        {"ATOM      1  CA  ALA A   1       1.000   2.000     nan  1.00\n", ERR_FORMAT},
        {"ATOM      1  CA  ALA A   1       1.000******** 3.000  1.00\n", ERR_FORMAT},
        {"ATOM      1  O   HOH A   1       1.000   2.000   3.000  1.00\n", ERR_FORMAT},
        {"ATOM      1  CA  ALA A   1       1.000   2.000   3.000  1.00\n", ERR_OK},
        {"data_x\n_cell.length_a 3\n", ERR_FORMAT},
        {"data_x\nloop_\n_atom_site.Cartn_x\n_atom_site.Cartn_y\n_atom_site.Cartn_z\n1 2\n", ERR_FORMAT},
        {"data_x\nloop_\n_atom_site.Cartn_x\n_atom_site.Cartn_y\n_atom_site.Cartn_z\n1 2 ?\n", ERR_FORMAT},
        {"data_x\nloop_\n_atom_site.Cartn_x\n_atom_site.Cartn_y\n_atom_site.Cartn_z\n1 2 3\n", ERR_OK},
        {"data_x\n_atom_site.Cartn_x 1\n_atom_site.Cartn_y 2\n_atom_site.Cartn_z 3\n", ERR_OK},
        {"data_x\n_atom_site.Cartn_x 1\n_atom_site.Cartn_y 2\n_atom_site.Cartn_z\n", ERR_FORMAT},
        {"data_x\n_atom_site.Cartn_x 'open\n", ERR_FORMAT},
        {"data_x\n_atom_site.Cartn_x 1\n_atom_site.Cartn_y 2\n_atom_site.Cartn_z 1e300\n", ERR_FORMAT},
        {"data_x\n_atom_site.Cartn_x 1\n_atom_site.Cartn_y -1.1e6\n_atom_site.Cartn_z 3\n", ERR_FORMAT},
        {"data_x\n_atom_site.Cartn_x 1\n_atom_site.Cartn_y -999999\n_atom_site.Cartn_z 3\n", ERR_OK},
        {CIF_ATOM "occupancy 1e300\n", ERR_FORMAT},
        {CIF_ATOM "occupancy -5\n", ERR_FORMAT},
        {CIF_ATOM "occupancy -0.01\n", ERR_FORMAT},
        {CIF_ATOM "occupancy abc\n", ERR_FORMAT},
        {CIF_ATOM "occupancy nan\n", ERR_FORMAT},
        {CIF_ATOM "occupancy ?\n", ERR_OK},
        {CIF_ATOM "occupancy 1000\n", ERR_OK},
        {CIF_ATOM "B_iso_or_equiv 1e300\n", ERR_FORMAT},
        {CIF_ATOM "B_iso_or_equiv -2e6\n", ERR_FORMAT},
        {CIF_ATOM "B_iso_or_equiv inf\n", ERR_FORMAT},
        {CIF_ATOM "B_iso_or_equiv -9.5\n", ERR_OK},
        {"ATOM      1  CA  ALA A   1    9999999.   2.000   3.000  1.00\n", ERR_FORMAT},
        {"ATOM      1  CA  ALA A   1       1.000   2.000   3.000 -5.00\n", ERR_FORMAT},
        {"ATOM      1  CA  ALA A   1       1.000   2.000   3.000 5000.\n", ERR_FORMAT},
        {"ATOM      1  CA  ALA A   1       1.000   2.000   3.000  1.009999999\n", ERR_OK},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        text_t t = {0};
        put(&t, "%s", row[i].text);
        errcode_t got = code_of(&t, NULL);
        if (got != row[i].code) fail_msg("row %zu: %s, not %s", i, err_name(got), err_name(row[i].code));
    }
}

/* Cut at every byte: an error or a model, never a crash; and no byte of the source is written. */
static void truncation(void **state)
{
    (void)state;
    for (int cif = 0; cif < 2; cif++) {
        text_t t = {0};
        if (cif) put(&t, "%s%s", cif_head, cif_atoms);
        else two_chains(&t, "X-RAY DIFFRACTION");
        text_t whole = t;
        size_t models = 0;
        for (size_t n = 0; n < whole.n; n++) {
            unsigned char *exact = malloc(n ? n : 1); /* an overrun shows */
            memcpy(exact, whole.s, n);
            err_t e = {0};
            model_t *m = pdb_read_mem(exact, n, "t", NULL, NULL, &e);
            assert_true(m || e.code == ERR_FORMAT);
            models += m != NULL;
            assert_memory_equal(exact, whole.s, n);
            model_free(m);
            free(exact);
        }
        assert_true(models > 0);
    }
}

/* ---- files ---- */

static size_t deflate(const void *in, size_t n, unsigned char *out, size_t room)
{
    struct libdeflate_compressor *c = libdeflate_alloc_compressor(6);
    size_t m = libdeflate_gzip_compress(c, in, n, out, room);
    libdeflate_free_compressor(c);
    assert_true(m > 0);
    return m;
}

static void gzip(void **state)
{
    (void)state;
    text_t t = {0};
    static unsigned char z[65536];
    two_chains(&t, "ELECTRON MICROSCOPY");
    size_t half = t.n / 2, n = deflate(t.s, half, z, sizeof z); /* two members */
    n += deflate(t.s + half, t.n - half, z + n, sizeof z - n);
    err_t e = {0};
    model_t *m = pdb_read_mem(z, n, "t", NULL, NULL, &e);
    assert_non_null(m);
    assert_int_equal(m->n, 5);
    model_free(m);
    assert_null(pdb_read_mem(z, n - 5, "t", NULL, NULL, &e));
    assert_int_equal(e.code, ERR_FORMAT);
    z[40] ^= 0x55;
    e = (err_t){0};
    assert_null(pdb_read_mem(z, n, "t", NULL, NULL, &e));
    assert_int_equal(e.code, ERR_FORMAT);
}

/* A megabyte that unpacks to more than the limit. */
static void gzip_bomb(void **state)
{
    (void)state;
    size_t n = (size_t)40 << 20, m, z = 0, members = PDB_FILE_MAX / n + 2;
    char *blank = malloc(n);
    unsigned char *one = malloc(n / 10), *all = malloc(members * (n / 100));
    memset(blank, ' ', n);
    m = deflate(blank, n, one, n / 10);
    assert_true(m < n / 100);
    for (size_t k = 0; k < members; k++, z += m) memcpy(all + z, one, m);
    err_t e = {0};
    assert_null(pdb_read_mem(all, z, "t", NULL, NULL, &e));
    assert_int_equal(e.code, ERR_RANGE);
    free(blank);
    free(one);
    free(all);
}

static void paths(void **state)
{
    (void)state;
    err_t e = {0};
    assert_null(pdb_read("no/such/file", NULL, NULL, &e));
    assert_int_equal(e.code, ERR_IO);
}

static void sniff(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t n;
        bool is;
    } row[] = {
        {"HEADER    X", 11, true},       {"ATOM      1  N", 14, true}, {"# x\n\n  data_1ABC\n", 17, true}, {"\xEF\xBB\xBF" "data_x", 9, true},
        {"odd first line\nATOM  ", 21, true}, {"\0\0\0\0HEADER", 10, false}, {"hello", 5, false}, {"", 0, false},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        assert_int_equal(pdb_sniff((const unsigned char *)row[i].text, row[i].n), row[i].is);
}

/* f(0) of carbon in the International Tables is 2.509 angstrom. */
static void scattering_factors(void **state)
{
    (void)state;
    double a[5], b[5], sum = 0;
    assert_int_equal(factors_electron(6, a, b), 0);
    for (int i = 0; i < 5; i++) sum += a[i];
    assert_close(sum, 2.509, 0.001);
    assert_int_equal(factors_electron(0, a, b), -1);
    assert_int_equal(factors_electron(200, a, b), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pdb_atoms_and_facts), cmocka_unit_test(assembly_rule),       cmocka_unit_test(assembly_not_there), cmocka_unit_test(assembly_list_goes_on),
        cmocka_unit_test(alternate_locations), cmocka_unit_test(occupancy_blank_is_one), cmocka_unit_test(first_model_no_hydrogens),
        cmocka_unit_test(elements),            cmocka_unit_test(other_records),
        cmocka_unit_test(traces),              cmocka_unit_test(cif_atoms_and_facts), cmocka_unit_test(cif_assemblies),
        cmocka_unit_test(bad_numbers_told),    cmocka_unit_test(wild_operators),      cmocka_unit_test(byte_order_mark),
        cmocka_unit_test(cif_residues),        cmocka_unit_test(huge_assembly), cmocka_unit_test(chains_limit),       cmocka_unit_test(damage),              cmocka_unit_test(truncation),
        cmocka_unit_test(gzip),                cmocka_unit_test(gzip_bomb),           cmocka_unit_test(paths),
        cmocka_unit_test(sniff),               cmocka_unit_test(scattering_factors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
