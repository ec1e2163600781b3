/* terms: the vocabulary of function and family that entries of an index are annotated with, as a graph, and its place in the
 * learned space. */
#ifndef CRYOLEX_PIPELINE_TERMS_H
#define CRYOLEX_PIPELINE_TERMS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "pipeline/annot.h"
#include "pipeline/modelfile.h"
#include "pipeline/vocab.h"
#include "text/sentence.h"

typedef enum {
    TERM_FUNCTION, TERM_PROCESS, TERM_COMPONENT, TERM_EC, TERM_PFAM, TERM_CATH,
    TERM_SPACES,                /* of a vocabulary; */
    TERM_MOLECULE = TERM_SPACES, /* and names of molecules, which are a set of their own: terms_of_molecules() */
    TERM_KINDS
} termspace_t;
extern const char *const term_space_name[TERM_KINDS]; /* as go_space_name, then "ec", "pfam", "cath", "molecule" */

#define TERMS_TEXT_MAX 1024

/* n terms and what `entries` entries are annotated with. All arrays are owned. {0}: no terms. */
typedef struct {
    size_t n;
    char **id, **name;   /* "GO:0003824", "EC:3.2.1.17", "EC:3.2.1.-", "PF00042", "CATH:1.10.490.10", "CATH:1.10"; name "" where unknown */
    uint8_t *space;      /* (n) termspace_t */
    lists_t parents;     /* (n) rows of terms, each less than n's own: a parent comes before its children. No term is a root of GO */
    size_t entries;
    lists_t of;          /* (entries) rows of terms, all ancestors included */
    size_t d;
    float *z;            /* (n, d) embeddings of terms_text(), of length 1; NULL: none */
    char *text_model;    /* name of the sentence encoder; NULL without z */
    char text_hash[SENTENCE_HASH];
} terms_t;

/* What the tables know of an entry by its id: that is a PDB id, or an EMDB id (emd_1234 or EMD-1234), perhaps with _CHAIN or such behind. NULL: nothing. */
const facts_t *terms_facts(const annot_t *a, const char *id);

/* The terms of n entries by their ids (terms_facts): GO with all ancestors but the
 * three roots and what is obsolete, EC numbers and the classes above them, Pfam families, CATH superfamilies and the levels above them. An id that the tables do not know
 * has none. 0, or -1 ERR_NOMEM with *t empty. End with terms_free(). */
int terms_make(const annot_t *a, char *const *id, size_t n, terms_t *t, err_t *err);
void terms_free(terms_t *t); /* leaves {0} */

/* Names of the molecules of n entries, from lists as an index has them ("A; B | other name of B"), as terms of TERM_MOLECULE without parents: id is the name in
 * small letters, name the first way it is written that is not all capitals. Nucleic acids and sugars that are named by their sequence or size are left
 * out. 0, or -1 ERR_NOMEM with *t empty. End with terms_free(). */
int terms_of_molecules(char *const *list, size_t n, terms_t *t, err_t *err);

/* Terms that two entries have both, without those that are ancestors of another such, the more special first: at most `most` rows into row. How many. */
size_t terms_shared(const terms_t *t, size_t a, size_t b, uint32_t *row, size_t most);

/* A term as a text for the sentence encoder. */
void terms_text(const terms_t *t, size_t row, char out[TERMS_TEXT_MAX]);

/* Embed all terms: t->z. 0, or -1: ERR_UNSUP a model that knows no text, or by another sentence encoder than s (both hashes are
 * named); the errors of sentence_encode(). */
int terms_embed(terms_t *t, const modelfile_t *m, const sentence_t *s, err_t *err);

/* Append the entries of `from`, and the terms that are new. Embeddings go where only one side has them or the encoders
 * differ. 0, or -1 ERR_NOMEM with *t as it was. */
int terms_join(terms_t *t, const terms_t *from, err_t *err);

/* Let the entries be those of row[0..n-1]; terms that none of them has go. 0, or -1 ERR_NOMEM with *t as it was. */
int terms_select(terms_t *t, const size_t *row, size_t n, err_t *err);

#endif
