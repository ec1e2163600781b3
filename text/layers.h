/* layers: the transformer behind a sentence encoder: its weights, and its pass over the tokens of a few texts.
 *
 * Letters: T tokens of all texts, one text after the other, without padding; C width; H heads; F hidden. */
#ifndef CRYOLEX_TEXT_LAYERS_H
#define CRYOLEX_TEXT_LAYERS_H

#include <stddef.h>
#include <stdint.h>

#include "nn/fixed.h"
#include "nn/isa.h"
#include "nn/stfile.h"
#include "text/folder.h"

typedef struct {
    const float *w, *b; /* (out,in), (out); of LayerNorm (C), (C) */
    fixed_t fixed;      /* w in fixed point, where weights_t says so */
} dense_t;

typedef struct {
    dense_t q, k, v, o, up, down; /* (C,C) four times, (F,C), (C,F) */
    dense_t norm1, norm2;
} layer_t;

typedef struct {
    const float *data;
    size_t count;
} used_t;

typedef struct {
    stfile_t *file;
    const float *word, *position, *type; /* (vocab,C), (positions,C), (types,C) or NULL */
    dense_t norm;
    layer_t *layer;     /* (layers) */
    float *relative;    /* MPNet: (H, 2 max_tokens - 1), what is added to a score at distance key - query + max_tokens - 1 */
    used_t *used;       /* every tensor in use, in one order */
    size_t nused, stored[ST_COUNT]; /* stored: how many are kept as each type */
    void **owned;       /* those that were converted */
    size_t nowned;
    size_t layers;
    bool fixed;         /* dense layers are computed in fixed point (nn/fixed.h) */
} weights_t;

/* The tensors of root/model.safetensors, each with the shape that f asks for. 0, or -1: the errors of stfile_open(), and
 * ERR_FORMAT a tensor that is missing or has another shape, ERR_UNSUP one that is not F32, F16 or BF16. w refers to the
 * mapped file where it can; with `fixed` those of the dense layers are packed beside it. End with weights_free(), also after
 * a failure. */
int weights_read(const folder_t *f, bool fixed, weights_t *w, err_t *err);
void weights_free(weights_t *w);

/* Texts to be passed through together: text i has the tokens ids[start[i] .. start[i+1] - 1]. */
typedef struct {
    size_t texts;
    const size_t *start;      /* (texts + 1), from 0 */
    const int32_t *const *ids; /* (texts) */
} batch_t;

/* Floats of scratch for `rows` tokens, of which no text has more than `longest`, and that many threads. */
size_t layers_work(const folder_t *f, const weights_t *w, size_t rows, size_t longest, int threads);

/* out[i] (C): mean over the tokens of text i, of unit length. work: layers_work() floats, aligned to MEM_ALIGN;
 * threads as in matmul(). 0, or -1 when a vector is not finite or zero. No allocation. */
int layers_run(const folder_t *f, const weights_t *w, const batch_t *b, isa_t isa, float *work, size_t rows, size_t longest,
               int threads, float *const *out);

#endif
