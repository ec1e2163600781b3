/* phrase: names as the tables have them, made fit for a sentence. */
#ifndef CRYOLEX_PIPELINE_PHRASE_H
#define CRYOLEX_PIPELINE_PHRASE_H

#include <stdbool.h>
#include <stddef.h>

/* A text of limited length. What does not fit is left out whole, and `cut` says so. */
typedef struct {
    char *s; /* zero-ended, room for cap bytes */
    size_t n, cap;
    bool cut;
} phrase_t;

void phrase_put(phrase_t *p, const char *s);
void phrase_putn(phrase_t *p, const char *s, size_t n);
size_t phrase_words(const char *s, size_t n); /* separated by spaces */
void phrase_capital(char *s); /* the first letter, where it begins a plain word: "lysozyme", not "dUTPase" or "c-Jun" */
void phrase_small(char *s);   /* the other way: "Lysozyme", not "DNA ligase" or "Hsp90" */
const char *phrase_article(const char *noun); /* "a" or "an" */

enum { PHRASE_NAME = 160, PHRASE_NAMES = 8, PHRASE_ORGANISMS = 3 };

/* Distinct names of molecules out of "A | B; C", at most PHRASE_NAMES: capitals made sensible, tags, uncharacterized proteins,
 * "N-terminal domain" and the like, and names that say no more than another left out. Adds to the n that are there; how many
 * there are then. */
size_t phrase_names(const char *s, char name[PHRASE_NAMES][PHRASE_NAME], size_t n);

/* Distinct organisms out of "HOMO SAPIENS; Escherichia Coli K12": "Homo sapiens", "Escherichia coli"; strains, and what is no
 * organism, left out. */
size_t phrase_organisms(const char *s, char name[PHRASE_ORGANISMS][PHRASE_NAME]);
const char *phrase_common(const char *organism); /* "human", "E. coli"; NULL where it has no common name */

/* Whether two names are the same but for case, spaces and punctuation. */
bool phrase_same(const char *a, const char *b);

#endif
