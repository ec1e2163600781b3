/* annot_priv: what ontology.c, annot_table.c and annot.c share. */
#ifndef CRYOLEX_PIPELINE_ANNOT_PRIV_H
#define CRYOLEX_PIPELINE_ANNOT_PRIV_H

#include "base/intern.h"
#include "pipeline/annot.h"

int annot_by_number(const void *a, const void *b);                            /* uint32_t, for qsort() */
long ontology_row(const ontology_t *o, const char *id, size_t len);           /* as ontology_find() */

typedef enum {
    COLUMN_TEXT,   /* one string an entry, the first that is not empty */
    COLUMN_LIST,   /* strings, one a row or with ';' between them */
    COLUMN_TERMS,  /* GO ids with ';' between them, kept as rows of the ontology */
    COLUMN_NUMBER, /* one number an entry, 1 to 9999; the first */
} columnkind_t;

enum { TABLE_COLUMNS = 5, TABLE_SOURCES = 3 };

/* A file that a table may be in; where several are there, the table is what all of them say. */
typedef struct {
    const char *name; /* without suffixes; NULL: none */
    const char *suffix, *id; /* column of the entries */
    const char *only, *prefix; /* rows whose column `only` begins with `prefix`; NULL: all */
    const char *column[TABLE_COLUMNS]; /* NULL: this file has none */
} source_t;

typedef struct {
    source_t source[TABLE_SOURCES];
    columnkind_t kind[TABLE_COLUMNS];
    size_t columns;
    const char *xref; /* db_source in EMICSS of what goes to column 0; NULL: none */
    bool required;    /* from one source or another */
} tablespec_t;

/* Cross-references of EMDB entries: numbers in text. Starts from {0}. */
typedef struct {
    uint32_t entry, db, value;
} xref_t;

typedef struct {
    intern_t text;
    xref_t *ref;
    size_t n, cap;
} xrefs_t;

/* Add those of an EMICSS file, of one in memory that is called `name`, or of all *_emicss.xml and *_emicss.xml.gz in a folder, by name.
 * 0, or -1: the errors of xml_open() and xml_next(); ERR_FORMAT another root element, no emdb_id. */
int emicss_read(const char *path, xrefs_t *x, err_t *err);
int emicss_mem(const char *name, const void *bytes, size_t n, xrefs_t *x, err_t *err);
int emicss_folder(const char *folder, xrefs_t *x, err_t *err);
void xrefs_free(xrefs_t *x); /* leaves {0} */

/* Values of entry i of a table (its number in table_t.id): item[at[i]] up to item[at[i + 1]], ascending, unique. */
typedef struct {
    intern_t value;
    size_t *at;        /* (entries + 1) */
    uint32_t *item;    /* terms, clusters and numbers */
    const char **text; /* texts and lists; into value */
} column_t;

typedef struct {
    intern_t id; /* lower case */
    column_t column[TABLE_COLUMNS];
    size_t unknown; /* terms that the ontology does not have */
    char odd[32];   /* the first of them */
} table_t;

/* Where the table is: FOLDER/NAME.SUFFIX, or with .gz behind it. A new string; *out NULL where neither is there. */
int table_path(const char *folder, const char *name, const char *suffix, char **out, err_t *err);
/* path: of each source, NULL where it is not there. 0, or -1: ERR_IO, ERR_FORMAT, ERR_RANGE, ERR_NOMEM. In any case end with table_free(). */
int annot_table_read(char *const path[TABLE_SOURCES], const tablespec_t *spec, const xrefs_t *x, const ontology_t *o, table_t *t, err_t *err);
/* Clusters of entities, "7CAK_3 7CAI_3", one a line: column 0 has the lines, from 0, of each entry. Errors as annot_table_read(). */
int table_clusters(const char *path, table_t *t, err_t *err);
/* Tables that come from ec2go give an entry with an incomplete EC number, "2.1.1.-", every term that was ever mapped to that
 * number: no methyltransferase does all that they say. Such terms leave facts[0..n-1].go, which point into item: activities with
 * at most two terms below them (a narrow one does not follow from an incomplete number) that 97 % of at least 10 entries with
 * the number have, of at least 5 UniProt accessions. 0, or -1: ERR_NOMEM. */
int doubt_drop(const ontology_t *o, facts_t *facts, size_t n, uint32_t *item, err_t *err);
void table_free(table_t *t); /* leaves {0} */

#endif
