/* sentence: a frozen sentence encoder: text to a vector (Reimers and Gurevych 2019, arXiv 1908.10084).
 *
 * Reads a Hugging Face sentence-transformers folder as it is: config.json, vocab.txt, model.safetensors, modules.json,
 * 1_Pooling/config.json, sentence_bert_config.json, tokenizer_config.json, config_sentence_transformers.json; where there
 * is no vocab.txt, as in folders that its version 6 writes, tokenizer.json for the vocabulary. BERT (arXiv 1810.04805) and MPNet (arXiv
 * 2004.09297) with mean pooling; the vectors agree with upstream's to rounding, to float32 or, as a rule, to 16 bits. */
#ifndef CRYOLEX_TEXT_SENTENCE_H
#define CRYOLEX_TEXT_SENTENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

typedef struct sentence sentence_t;

typedef struct {
    const char *name;         /* last part of the folder's path */
    const char *architecture; /* "bert" or "mpnet" */
    const char *type;         /* of the weights as stored: "F32", "F16", "BF16", or "mixed" */
    size_t dim;               /* of a vector */
    size_t max_tokens;        /* longer texts are cut to it, cls and sep included */
    size_t layers, heads, hidden; /* hidden: width inside the feed-forward part */
    size_t vocab, positions;
    size_t parameters;        /* numbers in the tensors in use */
    const char *weights;      /* path of the file that they are in */
    size_t bytes;             /* of that file */
    bool normalize;           /* the folder asks for unit length; vectors have it in any case */
} sentenceinfo_t;

/* How the dense layers compute. Everything else is in float32. */
typedef enum {
    SENTENCE_FIXED, /* in 16-bit fixed point (nn/fixed.h), 1.5 times as fast: the vectors are upstream's to 1e-3, cosine above
                     * 0.99999; their weights are packed at open, in 2 bytes each that processes do not share */
    SENTENCE_FLOAT  /* in float32: the vectors are upstream's to 1e-6 */
} sentencesum_t;

/* Weights in float32 stay in the mapped file and are shared between processes; others are converted. Without `sum`:
 * SENTENCE_FIXED.
 * NULL: ERR_IO a file that is missing or cannot be read; ERR_FORMAT what does not make sense (the message names file and
 * key or tensor); ERR_RANGE a size outside what we accept; ERR_UNSUP another architecture, pooling, activation, tokenizer
 * or type of number, named; ERR_NOMEM. Free with sentence_close(). Thread-safe once open. */
sentence_t *sentence_open(const char *folder, err_t *err);
sentence_t *sentence_open_as(const char *folder, sentencesum_t sum, err_t *err);
void sentence_close(sentence_t *s); /* NULL is fine */

const sentenceinfo_t *sentence_info(const sentence_t *s); /* lives as long as s */

/* What decides the vectors (settings, vocabulary, tensors in use) as 16 hexadecimal digits and a zero: CRC-64 (ECMA-182,
 * that of xz). It tells models apart; it is no protection against forgery. It reads all weights, by all threads. Renamed
 * folders, other JSON spacing and the "bert." prefix leave it as it is. 0, or -1 ERR_NOMEM. */
#define SENTENCE_HASH 17
int sentence_hash(const sentence_t *s, char hash[SENTENCE_HASH], err_t *err);

/* out (n,dim): vectors of unit length of n zero-ended UTF-8 texts. The same text gives the same bytes, whatever the number
 * of threads and whichever texts stand beside it. cut (NULL: not wanted): how many texts were longer than max_tokens.
 * 0, or -1: ERR_FORMAT a text that is not UTF-8 ("text 3: ...", counted from 1), ERR_RANGE weights that give a vector that is
 * zero or not finite, ERR_NOMEM. */
int sentence_encode(const sentence_t *s, const char *const *text, size_t n, float *out, size_t *cut, err_t *err);

/* The tokens that the encoder sees, cls and sep included: ids has room for info->max_tokens, *n of them are written.
 * Errors as wordpiece_encode(). */
int sentence_tokens(const sentence_t *s, const char *text, int32_t *ids, size_t *n, err_t *err);
const char *sentence_piece(const sentence_t *s, int32_t id); /* NULL: no such token */

#endif
