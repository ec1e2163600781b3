/* wordpiece: text to tokens as the uncased BERT models do it (Devlin et al. 2019, arXiv 1810.04805; Wu et al. 2016, arXiv
 * 1609.08144), in the order of Hugging Face's fast tokenizer: special tokens that stand in the text as they are; U+FFFD and
 * control characters (Cc, Cf, Co) dropped; white space to space; spaces around CJK; NFD without nonspacing marks; lower
 * case; split at spaces and around punctuation (ASCII's, and P*); greedy longest match from the left. A word of more than
 * WORDPIECE_WORD characters, or with a rest that matches nothing, is one unknown token.
 * Character classes are utf8proc's (2.8: Unicode 15); upstream's are of Unicode 8 and 16. Of 1,112,061 characters 568
 * come out differently, all of them added or put into another class after Unicode 8 (tests/parity/text.tsv). */
#ifndef CRYOLEX_TEXT_WORDPIECE_H
#define CRYOLEX_TEXT_WORDPIECE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define WORDPIECE_WORD 100         /* characters */
#define WORDPIECE_SPECIAL 8
#define WORDPIECE_MAX ((size_t)1 << 20) /* pieces of a vocabulary */

typedef struct {
    const char *cls, *sep, *unk; /* pieces of the vocabulary */
    const char *special[WORDPIECE_SPECIAL]; /* found in the text as they stand, ended by NULL if fewer */
    const char *normal;          /* found after accents and case are gone ("<unk>"), or NULL */
    bool lower;   /* to lower case */
    bool accents; /* drop accents (nonspacing marks after NFD) */
    bool cjk;     /* each CJK ideograph a word */
} wordpieceopts_t;

typedef struct wordpiece wordpiece_t;

/* From the bytes of a vocab.txt: one piece a line, its number the token's id, counted from 0; CR LF and a last line without
 * end are fine; of a piece that stands there twice the later id counts. The bytes are copied. `name` is for messages.
 * A `special` or `normal` that it lacks is never found. NULL: ERR_FORMAT (not UTF-8 or a NUL, with the line; no cls, sep or
 * unk), ERR_RANGE more than WORDPIECE_MAX pieces, ERR_NOMEM. Free with wordpiece_free(). Thread-safe once made. */
wordpiece_t *wordpiece_new(const char *name, const char *vocab, size_t size, const wordpieceopts_t *opts, err_t *err);
void wordpiece_free(wordpiece_t *w); /* NULL is fine */

size_t wordpiece_count(const wordpiece_t *w);
const char *wordpiece_piece(const wordpiece_t *w, int32_t id); /* NULL: no such id */
int32_t wordpiece_id(const wordpiece_t *w, const char *piece); /* -1: no such piece */

/* Tokens of a zero-ended text: cls, at most max - 2 of its own, sep. ids has room for max >= 2; *n of them are written.
 * *cut (NULL: not wanted) says that there were more. Text that is empty or all spaces gives cls, sep.
 * 0, or -1: ERR_FORMAT not UTF-8 (the message has the byte, from 1), ERR_NOMEM. */
int wordpiece_encode(const wordpiece_t *w, const char *text, size_t max, int32_t *ids, size_t *n, bool *cut, err_t *err);

#endif
