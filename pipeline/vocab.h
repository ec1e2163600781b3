/* vocab: tables of names: many strings in one block, lists of rows of them, and how such tables grow. */
#ifndef CRYOLEX_PIPELINE_VOCAB_H
#define CRYOLEX_PIPELINE_VOCAB_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/intern.h"

/* Copies of n strings, pointers and bytes in one block: free with mem_free(). NULL: ERR_NOMEM. */
char **vocab_strings(const char *const *s, size_t n, err_t *err);

/* Names, e.g. of terms. */
typedef struct {
    size_t n;
    char **name; /* one block, of vocab_strings() */
} vocab_t;

/* Rows of lists: row i has item[at[i]] up to item[at[i + 1]], ascending and unique. */
typedef struct {
    size_t *at; /* (rows + 1) */
    uint32_t *item;
} lists_t;

/* Row of a name in a vocabulary that is in ascending order (strcmp), or -1. */
long vocab_find(const vocab_t *v, const char *name);

void vocab_free(vocab_t *v); /* leaves {0} */
void lists_free(lists_t *l); /* leaves {0} */

/* The number of a name in a set that grows, or -1: ERR_NOMEM, ERR_RANGE (intern_add). */
long vocab_add(intern_t *set, const char *name, err_t *err);

/* Make a vocabulary of the set, in ascending order (strcmp). to (NULL, or room for set->n): where each number has gone.
 * 0, or -1 ERR_NOMEM with *v empty. */
int vocab_sorted(const intern_t *set, vocab_t *v, uint32_t *to, err_t *err);

/* Lists of names, row after row. Starts from {0}. */
typedef struct {
    size_t *at;
    size_t rows, cap_at;
    uint32_t *item; /* numbers of a set */
    size_t n, cap;
} lists_builder_t;

int lists_add(lists_builder_t *b, uint32_t item, err_t *err); /* to the row that is open; 0, or -1 ERR_NOMEM */
int lists_row(lists_builder_t *b, err_t *err);                /* close the row; 0, or -1 ERR_NOMEM */
/* Take the lists out of *b (which is then {0}) into *l, their items renumbered by `to`, sorted, without repeats. */
void lists_end(lists_builder_t *b, const uint32_t *to, lists_t *l);
void lists_builder_free(lists_builder_t *b);

#endif
