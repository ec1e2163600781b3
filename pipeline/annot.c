/* annot: what is known about PDB entries, from the tables of a folder (see annot.h). */
#include "pipeline/annot.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/tsv.h"
#include "pipeline/annot_priv.h"

enum { GO, ENTRY, UNIPROT, EC, PFAM, FOLD, OLIGOMER, CLUSTER, TABLES };
enum { TITLE, MOLECULES, CLASSIFICATION, ORGANISM, METHOD }; /* columns of ENTRY */

/* Our own tables, then SIFTS's by chain, then EMICSS's by EMDB entry. */
static const tablespec_t specs[TABLES] = {
    [GO] = {.kind = {COLUMN_TERMS}, .columns = 1, .required = true, .xref = "GO",
            .source = {{"pdb_go_entry", "tsv", "pdb_id", NULL, NULL, {"go_ids"}},
                       {"pdb_chain_go", "tsv", "PDB", NULL, NULL, {"GO_ID"}},
                       {"emdb_go", "tsv", "EMDB_ID", NULL, NULL, {"GO_ID"}}}},
    [ENTRY] = {.kind = {COLUMN_TEXT, COLUMN_TEXT, COLUMN_TEXT, COLUMN_TEXT, COLUMN_TEXT}, .columns = 5,
               .source = {{"pdb_names", "tsv", "pdb_id", NULL, NULL,
                           {[TITLE] = "title", [MOLECULES] = "molecule_names", [CLASSIFICATION] = "classification", [ORGANISM] = "organism",
                            [METHOD] = "method"}},
                          {"pdb_chain_taxonomy", "tsv", "PDB", NULL, NULL, {[ORGANISM] = "SCIENTIFIC_NAME"}}}},
    [UNIPROT] = {.kind = {COLUMN_LIST}, .columns = 1, .xref = "UNIPROT",
                 .source = {{"pdb_uniprot", "tsv", "pdb_id", NULL, NULL, {"uniprot"}},
                            {"pdb_chain_uniprot", "tsv", "PDB", NULL, NULL, {"SP_PRIMARY"}},
                            {"emdb_uniprot", "tsv", "EMDB_ID", NULL, NULL, {"UNIPROT_ID"}}}},
    [EC] = {.kind = {COLUMN_LIST}, .columns = 1,
            .source = {{"pdb_ec", "tsv", "pdb_id", NULL, NULL, {"ec"}}, {"pdb_chain_enzyme", "tsv", "PDB", NULL, NULL, {"EC_NUMBER"}}}},
    [PFAM] = {.kind = {COLUMN_LIST}, .columns = 1, .xref = "PFAM",
              .source = {{"pdb_pfam", "tsv", "pdb_id", NULL, NULL, {"pfam"}},
                         {"pdb_chain_pfam", "tsv", "PDB", NULL, NULL, {"PFAM_ID"}},
                         {"emdb_pfam", "tsv", "EMDB_ID", NULL, NULL, {"PFAM_ID"}}}},
    [FOLD] = {.kind = {COLUMN_LIST}, .columns = 1, .xref = "CATH",
              .source = {{"pdb_class", "tsv", "pdb_id", "scheme", "CATH", {"code"}},
                         {"pdb_chain_cath_uniprot", "tsv", "PDB", NULL, NULL, {"CATH_ID"}},
                         {"emdb_cath", "tsv", "EMDB_ID", NULL, NULL, {"CATH_ID"}}}},
    [OLIGOMER] = {.kind = {COLUMN_NUMBER}, .columns = 1,
                  .source = {{"pdb_oligomer", "tsv", "pdb_id", NULL, NULL, {"oligomeric_state"}}}},
    [CLUSTER] = {.source = {{"clusters-by-entity-30", "txt", NULL, NULL, NULL, {NULL}}}},
};

/* Names of identifiers: rows of a key with the first name of several columns that is not empty. */
enum { EC_NAMES, PFAM_NAMES, UNIPROT_NAMES, CATH_NAMES, DICTS };

static const struct {
    const char *name, *key, *value, *other;
} dict_specs[DICTS] = {
    [EC_NAMES] = {"ec_names", "ec", "name", NULL},
    [PFAM_NAMES] = {"pfam_names", "pfam", "description", "short_name"},
    [UNIPROT_NAMES] = {"uniprot_names", "uniprot", "name", NULL},
    [CATH_NAMES] = {"cath_names", "cath", "name", NULL},
};

typedef struct {
    intern_t key, value;
    uint32_t *of; /* (keys) number of its value */
    size_t cap;
} dict_t;

struct annot {
    ontology_t *ontology;
    table_t table[TABLES];
    dict_t dict[DICTS];
    intern_t id;
    facts_t *facts; /* (n) by id */
    size_t n;
    uint32_t *term_count; /* entries by row of the ontology */
};

/* ---- reading, one file a job ---- */

static int dict_read(const char *path, int k, dict_t *d, err_t *err)
{
    tsv_t t;
    uint32_t key, value;
    if (tsv_read(path, &t, err)) return -1;
    long from = tsv_col(&t, dict_specs[k].key), to = tsv_col(&t, dict_specs[k].value);
    long other = dict_specs[k].other ? tsv_col(&t, dict_specs[k].other) : -1;
    int rc = 0;
    if (from < 0 || to < 0)
        rc = err_set(err, ERR_FORMAT, "%s: no column %s", path, from < 0 ? dict_specs[k].key : dict_specs[k].value);
    for (size_t r = 0; !rc && r < t.nrow; r++) {
        const char *id = tsv_get(&t, r, from), *s = tsv_get(&t, r, to);
        if (!s) s = tsv_get(&t, r, other);
        if (!id || !s || intern_find(&d->key, id, strlen(id)) >= 0) continue;
        if (intern_add(&d->key, id, strlen(id), &key, err) || intern_add(&d->value, s, strlen(s), &value, err) ||
            mem_grow(&d->of, &d->cap, d->key.n, sizeof *d->of, err))
            rc = -1;
        else
            d->of[key] = value;
    }
    tsv_free(&t);
    return rc;
}

static const char *dict_get(const dict_t *d, const char *key, size_t len)
{
    long k = intern_find(&d->key, key, len);
    return k < 0 ? "" : d->value.str[d->of[k]];
}

typedef struct {
    char *path[TABLE_SOURCES]; /* NULL: not there */
    err_t err;
} job_t;

/* The first file of the table, else `none`. */
static const char *first_path(const job_t *job, const char *none)
{
    for (size_t k = 0; k < TABLE_SOURCES; k++)
        if (job->path[k]) return job->path[k];
    return none;
}

static bool job_found(const job_t *job) { return first_path(job, NULL) != NULL; }

static const char *table_name(int j) { return j < TABLES ? specs[j].source[0].name : dict_specs[j - TABLES].name; }

static int one_job(annot_t *a, const char *folder, int j, const xrefs_t *x, job_t *job)
{
    if (j >= TABLES) {
        if (table_path(folder, table_name(j), "tsv", &job->path[0], &job->err)) return -1;
        return job->path[0] ? dict_read(job->path[0], j - TABLES, &a->dict[j - TABLES], &job->err) : 0;
    }
    const tablespec_t *spec = &specs[j];
    for (size_t k = 0; k < TABLE_SOURCES && spec->source[k].name; k++)
        if (table_path(folder, spec->source[k].name, spec->source[k].suffix, &job->path[k], &job->err)) return -1;
    if (!job_found(job) && !x->n && spec->required)
        return err_set(&job->err, ERR_IO, "%s: neither %s.tsv nor %s.tsv nor %s.tsv, none with .gz, and no *_emicss.xml", folder,
                       spec->source[0].name, spec->source[1].name, spec->source[2].name);
    if (j == CLUSTER) return job->path[0] ? table_clusters(job->path[0], &a->table[j], &job->err) : 0;
    return annot_table_read(job->path, spec, x, a->ontology, &a->table[j], &job->err);
}

/* All files, the large ones begun first. The first error and all notes in the order of the tables. */
static int read_files(annot_t *a, const char *folder, notes_t *notes, err_t *err)
{
    static const int order[TABLES + DICTS] = {FOLD, GO, ENTRY, EC, UNIPROT, PFAM, CLUSTER, TABLES + UNIPROT_NAMES,
                                              TABLES + EC_NAMES, TABLES + PFAM_NAMES, TABLES + CATH_NAMES, OLIGOMER};
    job_t job[TABLES + DICTS] = {{{0}, {0}}};
    xrefs_t x = {0};
    int failed = emicss_folder(folder, &x, err) != 0;
    if (!failed) {
#pragma omp parallel for schedule(dynamic, 1) reduction(+ : failed)
        for (int i = 0; i < TABLES + DICTS; i++) failed += one_job(a, folder, order[i], &x, &job[order[i]]) != 0;
    }
    for (int j = 0; j < TABLES + DICTS; j++) {
        bool found = job_found(&job[j]) || (j < TABLES && a->table[j].id.n);
        if (job[j].err.code != ERR_OK) err_set(err, job[j].err.code, "%s", job[j].err.msg);
        if (!failed && !found) notes_add(notes, "%s: no table %s", folder, table_name(j));
        if (!failed && j < TABLES && a->table[j].unknown)
            notes_add(notes, "%s: %zu terms are not in the ontology (%s, the first)", first_path(&job[j], folder), a->table[j].unknown,
                      a->table[j].odd);
        for (size_t k = 0; k < TABLE_SOURCES; k++) mem_free(job[j].path[k]);
    }
    xrefs_free(&x);
    return failed ? -1 : 0;
}

/* ---- one row of facts for each entry of any table ---- */

static names_t names_at(const column_t *c, size_t i)
{
    return (names_t){(const char *const *)c->text + c->at[i], c->at[i + 1] - c->at[i]};
}

static const char *text_at(const column_t *c, size_t i) { return c->at[i] < c->at[i + 1] ? c->text[c->at[i]] : ""; }

static void take(facts_t *f, int which, const table_t *t, size_t i)
{
    const column_t *c = t->column;
    switch (which) {
    case GO:
        f->go = c->item + c->at[i];
        f->ngo = c->at[i + 1] - c->at[i];
        break;
    case ENTRY:
        f->title = text_at(&c[TITLE], i);
        f->molecules = text_at(&c[MOLECULES], i);
        f->classification = text_at(&c[CLASSIFICATION], i);
        f->organism = text_at(&c[ORGANISM], i);
        f->method = text_at(&c[METHOD], i);
        break;
    case UNIPROT: f->uniprot = names_at(c, i); break;
    case EC: f->ec = names_at(c, i); break;
    case PFAM: f->pfam = names_at(c, i); break;
    case FOLD: f->fold = names_at(c, i); break;
    case OLIGOMER: f->oligomer = c->at[i] < c->at[i + 1] ? c->item[c->at[i]] : 0; break;
    default:
        f->cluster = c->item + c->at[i];
        f->nclusters = c->at[i + 1] - c->at[i];
    }
}

typedef struct {
    const char *s;
    uint32_t number;
} name_t;

static int by_name(const void *a, const void *b) { return strcmp(((const name_t *)a)->s, ((const name_t *)b)->s); }

/* Facts of all ids, ascending; rank[number in a->id] is the row. */
static int new_facts(annot_t *a, uint32_t **rank, err_t *err)
{
    name_t *name = mem_new(a->id.n, sizeof *name, err);
    *rank = mem_new(a->id.n, sizeof **rank, err);
    a->facts = mem_zero(a->id.n, sizeof *a->facts, err);
    int rc = name && *rank && a->facts ? 0 : -1;
    if (!rc) {
        a->n = a->id.n;
        for (size_t i = 0; i < a->n; i++) name[i] = (name_t){a->id.str[i], (uint32_t)i};
        qsort(name, a->n, sizeof *name, by_name);
        for (size_t i = 0; i < a->n; i++) {
            (*rank)[name[i].number] = (uint32_t)i;
            a->facts[i] = (facts_t){.id = name[i].s, .title = "", .molecules = "", .classification = "", .organism = "", .method = ""};
        }
    }
    mem_free(name);
    return rc;
}

static int join(annot_t *a, err_t *err)
{
    uint32_t *map[TABLES] = {0}, *rank = NULL;
    int rc = 0;
    for (int j = 0; !rc && j < TABLES; j++) {
        const intern_t *id = &a->table[j].id;
        if (!(map[j] = mem_new(id->n, sizeof **map, err))) rc = -1;
        for (size_t i = 0; !rc && i < id->n; i++) rc = intern_add(&a->id, id->str[i], strlen(id->str[i]), &map[j][i], err);
    }
    if (!rc) rc = new_facts(a, &rank, err);
    for (int j = 0; j < TABLES; j++) {
        for (size_t i = 0; !rc && i < a->table[j].id.n; i++) take(&a->facts[rank[map[j][i]]], j, &a->table[j], i);
        intern_free(&a->table[j].id);
        mem_free(map[j]);
    }
    intern_seal(&a->id);
    mem_free(rank);
    return rc;
}

static int count_terms(annot_t *a, err_t *err)
{
    if (!(a->term_count = mem_zero(ontology_count(a->ontology), sizeof *a->term_count, err))) return -1;
    for (size_t i = 0; i < a->n; i++)
        for (size_t j = 0; j < a->facts[i].ngo; j++) a->term_count[a->facts[i].go[j]]++;
    return 0;
}

/* go_terms of ours, else the ontology as its consortium publishes it. NULL: ERR_IO none, ERR_NOMEM. */
static char *ontology_path(const char *folder, err_t *err)
{
    static const char *const file[][2] = {{"go_terms", "tsv"}, {"go-basic", "obo"}, {"go", "obo"}};
    char *path = NULL;
    for (size_t i = 0; i < sizeof file / sizeof *file; i++)
        if (table_path(folder, file[i][0], file[i][1], &path, err) || path) return path;
    err_set(err, ERR_IO, "%s/go_terms.tsv: not there, nor with .gz, nor go-basic.obo or go.obo", folder);
    return NULL;
}

annot_t *annot_open(const char *folder, notes_t *notes, err_t *err)
{
    annot_t *a = mem_zero(1, sizeof *a, err);
    char *path = a ? ontology_path(folder, err) : NULL;
    bool ok = path && (a->ontology = ontology_read(path, err)) && !read_files(a, folder, notes, err) && !join(a, err) &&
              !doubt_drop(a->ontology, a->facts, a->n, a->table[GO].column[0].item, err) && !count_terms(a, err);
    mem_free(path);
    if (ok) return a;
    annot_free(a);
    return NULL;
}

void annot_free(annot_t *a)
{
    if (!a) return;
    for (int j = 0; j < TABLES; j++) table_free(&a->table[j]);
    for (int k = 0; k < DICTS; k++) {
        intern_free(&a->dict[k].key);
        intern_free(&a->dict[k].value);
        mem_free(a->dict[k].of);
    }
    ontology_free(a->ontology);
    intern_free(&a->id);
    mem_free(a->facts);
    mem_free(a->term_count);
    mem_free(a);
}

/* ---- asking ---- */

const ontology_t *annot_ontology(const annot_t *a) { return a->ontology; }
size_t annot_count(const annot_t *a) { return a->n; }
const facts_t *annot_entry(const annot_t *a, size_t row) { return &a->facts[row]; }
size_t annot_term_count(const annot_t *a, uint32_t row) { return a->term_count[row]; }

static int by_id(const void *key, const void *f) { return strcmp(key, ((const facts_t *)f)->id); }

const facts_t *annot_find(const annot_t *a, const char *id)
{
    char low[16];
    size_t n = strlen(id);
    if (n >= sizeof low) return NULL;
    for (size_t i = 0; i <= n; i++) low[i] = (char)(id[i] >= 'A' && id[i] <= 'Z' ? id[i] - 'A' + 'a' : id[i]);
    return bsearch(low, a->facts, a->n, sizeof *a->facts, by_id);
}

const char *annot_ec_name(const annot_t *a, const char *ec)
{
    size_t n = strlen(ec);
    const char *name = dict_get(&a->dict[EC_NAMES], ec, n);
    while (!*name && n > 2 && !strncmp(ec + n - 2, ".-", 2)) { /* 1.7.-.- is the class 1.7 */
        n -= 2;
        name = dict_get(&a->dict[EC_NAMES], ec, n);
    }
    return name;
}

const char *annot_cath_name(const annot_t *a, const char *code) { return dict_get(&a->dict[CATH_NAMES], code, strlen(code)); }

const char *annot_pfam_name(const annot_t *a, const char *pfam)
{
    return dict_get(&a->dict[PFAM_NAMES], pfam, strlen(pfam));
}

const char *annot_uniprot_name(const annot_t *a, const char *uniprot)
{
    return dict_get(&a->dict[UNIPROT_NAMES], uniprot, strlen(uniprot));
}
