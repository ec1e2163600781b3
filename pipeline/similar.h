/* similar: which protein chains have much of their sequence in common, told from the models themselves: for entries that the tables of
 * clusters and accessions miss. */
#ifndef CRYOLEX_PIPELINE_SIMILAR_H
#define CRYOLEX_PIPELINE_SIMILAR_H

#include "base/err.h"
#include "pipeline/dataset_atoms.h"
#include "pipeline/vocab.h"

#define SIMILAR_WORD 5     /* residues of a word */
#define SIMILAR_SHARE 0.2  /* of the words of the chain that has more, so that a tag or a fused domain makes no kin; substitutions at 72 % identity leave so many */
#define SIMILAR_WORDS 20   /* chains of fewer different words are passed over */

/* Families of chains: two are in one family when they share SIMILAR_SHARE of their words, directly or through others. Words
 * with a residue that is none of the 20 amino acids (selenomethionine counts as methionine) are left out.
 * Out:  v  family names "sequence 0", "sequence 1", ... in strcmp order, one for each
 *       l  (a->n) the families of each model
 * 0, or -1 ERR_NOMEM with both empty. One thread. */
int similar_chains(const dataset_atoms_t *a, vocab_t *v, lists_t *l, err_t *err);

#endif
