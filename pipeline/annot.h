/* annot: what is known about PDB entries (names, GO, EC, UniProt, Pfam, oligomeric state, sequence clusters), read from the
 * tables of a folder, and the Gene Ontology that the terms belong to.
 *
 * Tables are TSV, plain or gzip, found by name: go_terms, pdb_go_entry, pdb_names, pdb_uniprot, pdb_ec, pdb_pfam,
 * pdb_class, pdb_oligomer, ec_names, pfam_names, cath_names, uniprot_names (NAME.tsv or NAME.tsv.gz) and clusters-by-entity-30
 * (.txt or .txt.gz). Columns go by the name in their header, never by position.
 *
 * As published, beside these or in their place (a table is what all of its files say):
 *   go-basic.obo, go.obo                     the ontology, where there is no go_terms
 *   pdb_chain_go, _uniprot, _enzyme, _pfam,  flat files of SIFTS, by chain: columns PDB and GO_ID, SP_PRIMARY, EC_NUMBER, PFAM_ID,
 *   _cath_uniprot, _taxonomy                 CATH_ID, SCIENTIFIC_NAME
 *   emdb_go, _uniprot, _pfam, _cath          tables of EMICSS, by EMDB entry: EMDB_ID and GO_ID, UNIPROT_ID, PFAM_ID, CATH_ID
 *   *_emicss.xml                             EMICSS, one file an entry (db_source GO, UNIPROT, PFAM, CATH)
 * .gz may stand behind each name. */
#ifndef CRYOLEX_PIPELINE_ANNOT_H
#define CRYOLEX_PIPELINE_ANNOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/notes.h"

/* ---- the Gene Ontology: a graph of terms with an edge from each to its parents (is_a and part_of) ---- */

typedef enum { GO_FUNCTION, GO_PROCESS, GO_COMPONENT, GO_NAMESPACES } gospace_t;
extern const char *const go_space_name[GO_NAMESPACES]; /* "molecular_function", "biological_process", "cellular_component" */

typedef struct {
    const char *id, *name; /* "GO:0003824", "catalytic activity" */
    gospace_t space;
    bool obsolete;
    const uint32_t *parent; /* rows of the ontology */
    size_t parents;
} goterm_t;

typedef struct ontology ontology_t;
ontology_t *ontology_read(const char *path, err_t *err); /* go_terms, or OBO by the name .obo or .obo.gz; NULL: ERR_IO, ERR_FORMAT (a cycle, too), ERR_NOMEM */
void ontology_free(ontology_t *o);                        /* NULL is fine */
size_t ontology_count(const ontology_t *o);
const goterm_t *ontology_term(const ontology_t *o, size_t row);
long ontology_find(const ontology_t *o, const char *id); /* row, or -1 */
/* Set of rows (ascending, unique, *n of them) in place: without those that are ancestors of another member. Thread-safe. */
int ontology_prune(const ontology_t *o, uint32_t *set, size_t *n, err_t *err);
/* A new ascending set with all ancestors of the members, roots included, *m of them. Free with mem_free(). Thread-safe. */
uint32_t *ontology_close(const ontology_t *o, const uint32_t *set, size_t n, size_t *m, err_t *err);

/* ---- facts of entries ---- */

typedef struct {
    const char *const *s;
    size_t n;
} names_t;

/* All are owned by the annot_t; a string that is unknown is "", a list empty. Lists are unique and in ascending order. */
typedef struct {
    const char *id;          /* PDB id, or EMDB id as "emd-1234", in lower case */
    const char *title, *molecules, *classification, *organism, *method;
    const uint32_t *go;      /* rows of the ontology, as the table has them (ancestors included or not), but for narrow
                              * activities that follow from nothing but an incomplete EC number (annot_priv.h) */
    size_t ngo;
    names_t ec;              /* "3.2.1.17", "1.7.-.-" */
    names_t uniprot;         /* accessions */
    names_t pfam;            /* accessions */
    names_t fold;            /* CATH codes (C.A.T.H) */
    const uint32_t *cluster; /* 30 % sequence clusters that its entities lie in: line of the table, from 0 */
    size_t nclusters;
    unsigned oligomer;       /* subunits of the biological assembly of a homo-oligomer; 0 unknown */
} facts_t;

typedef struct annot annot_t;

/* Read all tables. Those but the ontology and some source of GO terms may be missing, with a note. NULL: ERR_IO, ERR_FORMAT (file, line, column),
 * ERR_NOMEM. Free with annot_free(). Read-only and thread-safe once open. */
annot_t *annot_open(const char *folder, notes_t *notes, err_t *err);
void annot_free(annot_t *a); /* NULL is fine */

const ontology_t *annot_ontology(const annot_t *a);
size_t annot_count(const annot_t *a);                         /* entries that any table has */
const facts_t *annot_entry(const annot_t *a, size_t row);     /* by ascending id */
const facts_t *annot_find(const annot_t *a, const char *id);  /* PDB or EMDB id in any case; NULL: none */
size_t annot_term_count(const annot_t *a, uint32_t row);       /* entries that have this row of the ontology */
const char *annot_ec_name(const annot_t *a, const char *ec);      /* "lysozyme"; "" where unknown; also of "1.7.-.-" */
const char *annot_pfam_name(const annot_t *a, const char *pfam);  /* description; "" */
const char *annot_cath_name(const annot_t *a, const char *code);      /* "Globin-like" of "1.10.490"; "" */
const char *annot_uniprot_name(const annot_t *a, const char *uniprot); /* "" */

#endif
