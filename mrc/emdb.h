/* emdb: what EMDB publishes beside a map: the header XML of an entry.
 *
 * Sources: EMDB's schemas 1.9 (root element emdEntry) and 3.0 (root element emd). What a header lacks is unknown; elements
 * that are not of interest are passed over, whatever they are. */
#ifndef CRYOLEX_MRC_EMDB_H
#define CRYOLEX_MRC_EMDB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/intern.h"
#include "base/notes.h"

/* How a model goes with the map; where a header says two things of one, the first of these. */
typedef enum {
    EMDB_FULL,    /* deposited with it, FULLOVERLAP: the whole model lies in the map, in its frame */
    EMDB_PARTIAL, /* PARTIALOVERLAP */
    EMDB_APART,   /* NOOVERLAP */
    EMDB_UNSAID,  /* deposited with it; schema 1.9 does not say how it lies */
    EMDB_INITIAL, /* fitted into it, or refined from: an entry that was there before */
    EMDB_RELATIONS
} emdbrel_t;
extern const char *const emdb_relation[EMDB_RELATIONS]; /* "full", "partial", "apart", "unsaid", "initial" */

typedef enum { EMDB_GO, EMDB_UNIPROT, EMDB_INTERPRO, EMDB_EC, EMDB_REFS } emdbref_t;
extern const char *const emdb_ref[EMDB_REFS]; /* "GO", "UniProt", "InterPro", "EC" */

/* Strings are UTF-8, without white space around them, "" where unknown. Sets (intern_t: str[0..n-1]) are without repeats, in the order of the
 * file. */
typedef struct {
    char *id;                /* "EMD-0001" */
    char *version;           /* of the schema: "1.9.6", "3.0.0.1" */
    char *title, *keywords;
    char *method;            /* "singleParticle", "subtomogramAveraging", "tomography", "helical", "electronCrystallography"... */
    char *state;             /* of aggregation: "particle", "filament", "cell"... */
    double resolution;       /* angstrom, of the first final reconstruction that has one; NAN unknown */
    char *resolution_method; /* "FSC 0.143 CUT-OFF" */
    double contour;          /* level of the primary contour, else of the first, in the map's units; NAN unknown */
    char *contour_source;    /* "EMDB", "AUTHOR"..., as the file has it */
    char *file;              /* of the map: "emd_0001.map.gz" */
    double size[3];          /* columns, rows, sections; NAN unknown, as the next three */
    double pixel[3];         /* angstrom along x, y, z */
    double min, max;         /* of the map's values */
    char *sample;            /* name */
    intern_t molecules;      /* names of supramolecules and macromolecules (3.0), or of components and their synonyms (1.9) */
    intern_t organisms;      /* natural sources of these, viruses by their own name; neither hosts nor expression systems */
    intern_t fitted;         /* PDB ids in lower case */
    uint8_t *relation;       /* (fitted.n) emdbrel_t */
    size_t relation_cap;
    intern_t ref[EMDB_REFS]; /* identifiers of the sample and what it is made of, as the file has them: "GO:0042026" */
} emdb_t;

/* Read a header. path: plain or gzip. In memory: n bytes, called `name` in messages. notes (NULL: dropped): what was left out.
 * 0, or -1 with *e empty: the errors of xml_open() and xml_next(); ERR_FORMAT another root element, or a number that is none
 * (with file, line and element); ERR_NOMEM. End with emdb_free(). Thread-safe. */
int emdb_read(const char *path, emdb_t *e, notes_t *notes, err_t *err);
int emdb_mem(const char *name, const void *bytes, size_t n, emdb_t *e, notes_t *notes, err_t *err);
void emdb_free(emdb_t *e); /* leaves {0} */

/* Number of the entry, as it is written, in the name of a map: "0001" of "a/emd_0001.map.gz", "EMD-0001.mrc". False (and no) for any other
 * name, half maps and masks too, whose contour is not the one in the header. */
bool emdb_number(const char *map, char out[16]);

/* Where headers are looked for. {0}: beside the map. */
typedef struct {
    bool off;         /* nowhere */
    const char *path; /* a header, or a folder of headers; NULL: beside the map */
} emdb_where_t;

/* Where the header of a map would be read from by emdb_of_map(), whatever is in it: 1 with *path (free with mem_free()); 0 there is none; -1 ERR_NOMEM. */
int emdb_path(const char *map, const emdb_where_t *where, char **path, err_t *err);

/* The header of a map, for whatever `where` says. Beside a map of an entry's name (emdb_number) N, or in the folder,
 * it is the first of emd-N-v30.xml, emd-N.xml, emd-N-v19.xml, EMD-N.xml, emd_N.xml and each of these with .gz; beside a map also in ../header/, as EMDB's file
 * server has it. One found so that cannot be read, or is of another entry, is told in a note and left; one that was named is an error.
 * 1 with *e, and *path (free with mem_free()); 0 there is none, both empty; -1 with the errors of emdb_read() and ERR_NOMEM. */
int emdb_of_map(const char *map, const emdb_where_t *where, emdb_t *e, char **path, notes_t *notes, err_t *err);

#endif
