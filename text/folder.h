/* folder: the settings of a sentence-transformers folder, from its JSON files. */
#ifndef CRYOLEX_TEXT_FOLDER_H
#define CRYOLEX_TEXT_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "text/wordpiece.h"

#define FOLDER_PATH 4096
#define FOLDER_TOKEN 64 /* bytes of a special token, with its zero */

typedef enum { ARCH_BERT, ARCH_MPNET, ARCH_COUNT } arch_t;

typedef struct {
    char root[FOLDER_PATH]; /* where config.json, the vocabulary and model.safetensors are */
    arch_t arch;
    size_t vocab, dim, layers, heads, hidden, positions, types; /* types: token types, 0 for MPNet */
    double eps;        /* of LayerNorm */
    size_t max_tokens; /* what max_seq_length and the positions allow */
    bool normalize;
    bool lower, accents, cjk;
    char cls[FOLDER_TOKEN], sep[FOLDER_TOKEN], unk[FOLDER_TOKEN], pad[FOLDER_TOKEN], mask[FOLDER_TOKEN],
        bos[FOLDER_TOKEN], eos[FOLDER_TOKEN]; /* an empty one: none */
} folder_t;

/* 0, or -1: ERR_IO, ERR_FORMAT, ERR_RANGE, ERR_UNSUP, ERR_NOMEM; the message names the file and the key.
 * modules.json, config.json and the pooling's config.json must be there; sentence_bert_config.json,
 * tokenizer_config.json and config_sentence_transformers.json need not, nor the keys that have upstream's defaults. */
int folder_read(const char *path, folder_t *f, err_t *err);

/* The tokenizer from its vocab.txt, or from tokenizer.json where there is none. NULL: the errors of file_read() and
 * wordpiece_new(); ERR_UNSUP a tokenizer.json of another kind than WordPiece; ERR_FORMAT its ids are not 0..n-1, or
 * more pieces than vocab_size. */
wordpiece_t *folder_vocab(const folder_t *f, err_t *err);

const char *arch_name(arch_t arch); /* "bert", "mpnet": also the optional prefix of its tensors */

/* dir/name into out; 0, or -1 with ERR_RANGE when too long. */
int folder_join(char out[FOLDER_PATH], const char *dir, const char *name, err_t *err);

#endif
