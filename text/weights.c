/* weights: the tensors of a model.safetensors by name (see layers.h). */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "text/layers.h"

/* Sizes that shapes are made of. */
typedef enum { NONE, DIM, HIDDEN, VOCAB, POSITIONS, TYPES, HEADS, BUCKETS } size_name_t;

enum { RELATIVE = 32, SATURATES = 128 }; /* buckets of MPNet's distances, and where they end */

typedef struct {
    const char *name[ARCH_COUNT]; /* NULL: that architecture has none */
    size_t at;                    /* of the pointer, in weights_t or layer_t */
    size_name_t shape[2];
} row_t;

static const row_t table[] = {
    {{"embeddings.word_embeddings.weight", "embeddings.word_embeddings.weight"}, offsetof(weights_t, word), {VOCAB, DIM}},
    {{"embeddings.position_embeddings.weight", "embeddings.position_embeddings.weight"}, offsetof(weights_t, position), {POSITIONS, DIM}},
    {{"embeddings.token_type_embeddings.weight", NULL}, offsetof(weights_t, type), {TYPES, DIM}},
    {{"embeddings.LayerNorm.weight", "embeddings.LayerNorm.weight"}, offsetof(weights_t, norm.w), {DIM}},
    {{"embeddings.LayerNorm.bias", "embeddings.LayerNorm.bias"}, offsetof(weights_t, norm.b), {DIM}},
};

static const row_t per_layer[] = {
    {{"attention.self.query.weight", "attention.attn.q.weight"}, offsetof(layer_t, q.w), {DIM, DIM}},
    {{"attention.self.query.bias", "attention.attn.q.bias"}, offsetof(layer_t, q.b), {DIM}},
    {{"attention.self.key.weight", "attention.attn.k.weight"}, offsetof(layer_t, k.w), {DIM, DIM}},
    {{"attention.self.key.bias", "attention.attn.k.bias"}, offsetof(layer_t, k.b), {DIM}},
    {{"attention.self.value.weight", "attention.attn.v.weight"}, offsetof(layer_t, v.w), {DIM, DIM}},
    {{"attention.self.value.bias", "attention.attn.v.bias"}, offsetof(layer_t, v.b), {DIM}},
    {{"attention.output.dense.weight", "attention.attn.o.weight"}, offsetof(layer_t, o.w), {DIM, DIM}},
    {{"attention.output.dense.bias", "attention.attn.o.bias"}, offsetof(layer_t, o.b), {DIM}},
    {{"attention.output.LayerNorm.weight", "attention.LayerNorm.weight"}, offsetof(layer_t, norm1.w), {DIM}},
    {{"attention.output.LayerNorm.bias", "attention.LayerNorm.bias"}, offsetof(layer_t, norm1.b), {DIM}},
    {{"intermediate.dense.weight", "intermediate.dense.weight"}, offsetof(layer_t, up.w), {HIDDEN, DIM}},
    {{"intermediate.dense.bias", "intermediate.dense.bias"}, offsetof(layer_t, up.b), {HIDDEN}},
    {{"output.dense.weight", "output.dense.weight"}, offsetof(layer_t, down.w), {DIM, HIDDEN}},
    {{"output.dense.bias", "output.dense.bias"}, offsetof(layer_t, down.b), {DIM}},
    {{"output.LayerNorm.weight", "output.LayerNorm.weight"}, offsetof(layer_t, norm2.w), {DIM}},
    {{"output.LayerNorm.bias", "output.LayerNorm.bias"}, offsetof(layer_t, norm2.b), {DIM}},
};

enum { ROWS = sizeof table / sizeof *table, LAYER_ROWS = sizeof per_layer / sizeof *per_layer };

typedef struct {
    const folder_t *f;
    weights_t *w;
    const char *path, *prefix;
    err_t *err;
} reader_t;

static size_t size_of(const folder_t *f, size_name_t s)
{
    const size_t v[] = {[DIM] = f->dim, [HIDDEN] = f->hidden, [VOCAB] = f->vocab, [POSITIONS] = f->positions,
                        [TYPES] = f->types, [HEADS] = f->heads, [BUCKETS] = RELATIVE};
    return v[s];
}

static int check_shape(const reader_t *r, const sttensor_t *t, const size_name_t shape[2])
{
    size_t ndim = shape[1] == NONE ? 1 : 2, a = size_of(r->f, shape[0]), b = ndim == 2 ? size_of(r->f, shape[1]) : 1;
    if (t->ndim == ndim && t->shape[0] == a && (ndim == 1 || t->shape[1] == b)) return 0;
    char have[32 * STFILE_DIMS] = "";
    for (size_t i = 0; i < t->ndim; i++) sprintf(have + strlen(have), "%s%zu", i ? "," : "", t->shape[i]);
    return ndim == 1 ? err_set(r->err, ERR_FORMAT, "%s: tensor \"%s\": shape [%s] ([%zu], by config.json)", r->path, t->name, have, a)
                     : err_set(r->err, ERR_FORMAT, "%s: tensor \"%s\": shape [%s] ([%zu,%zu], by config.json)", r->path, t->name,
                               have, a, b);
}

/* One tensor: as it lies in the file, or converted to float32. */
static const float *tensor(reader_t *r, const char *name, const size_name_t shape[2])
{
    char full[256];
    weights_t *w = r->w;
    snprintf(full, sizeof full, "%s%s", r->prefix, name);
    const sttensor_t *t = stfile_find(w->file, full);
    if (!t) {
        err_set(r->err, ERR_FORMAT, "%s: no tensor \"%s\"", r->path, full);
        return NULL;
    }
    if (check_shape(r, t, shape)) return NULL;
    if (t->type != ST_F32 && t->type != ST_F16 && t->type != ST_BF16) {
        err_set(r->err, ERR_UNSUP, "%s: tensor \"%s\" is neither F32 nor F16 nor BF16", r->path, full);
        return NULL;
    }
    w->stored[t->type]++;
    const float *p = t->data;
    if (t->type != ST_F32 || (uintptr_t)t->data % sizeof(float)) {
        float *copy = mem_new(t->count, sizeof *copy, r->err);
        if (!copy) return NULL;
        w->owned[w->nowned++] = copy;
        if (stfile_floats(w->file, t, copy, r->err)) return NULL;
        p = copy;
    }
    w->used[w->nused++] = (used_t){p, t->count};
    return p;
}

/* The rows of a table into the struct at `to`; names begin with `lead`. */
static int tensors(reader_t *r, const char *lead, const row_t *rows, size_t n, void *to)
{
    for (size_t i = 0; i < n; i++) {
        char name[128];
        if (!rows[i].name[r->f->arch]) continue;
        snprintf(name, sizeof name, "%s%s", lead, rows[i].name[r->f->arch]);
        const float *p = tensor(r, name, rows[i].shape);
        if (!p) return -1;
        memcpy((char *)to + rows[i].at, &p, sizeof p);
    }
    return 0;
}

/* Bucket of a distance key - query (MPNet, after T5: Raffel et al. 2020, arXiv 1910.10683): half of them for either
 * direction, of each half the first half one by one, then on a logarithmic scale. */
static size_t bucket(ptrdiff_t distance)
{
    const size_t half = RELATIVE / 2, exact = half / 2;
    size_t n = (size_t)(distance < 0 ? -distance : distance), side = distance > 0 ? half : 0, far;
    if (n < exact) return side + n;
    far = exact + (size_t)(logf((float)n / (float)exact) / (float)log((double)SATURATES / (double)exact) * (float)(half - exact));
    return side + (far < half ? far : half - 1);
}

static int read_relative(reader_t *r)
{
    const size_t max = r->f->max_tokens, row = 2 * max - 1, heads = r->f->heads;
    const float *b = tensor(r, "encoder.relative_attention_bias.weight", (const size_name_t[2]){BUCKETS, HEADS});
    if (!b || !(r->w->relative = mem_new(heads * row, sizeof(float), r->err))) return -1;
    for (size_t i = 0; i < row; i++) {
        size_t k = bucket((ptrdiff_t)i - (ptrdiff_t)(max - 1));
        for (size_t h = 0; h < heads; h++) r->w->relative[h * row + i] = b[k * heads + h];
    }
    return 0;
}

/* The dense layers in fixed point. */
static int pack(const folder_t *f, weights_t *w, err_t *err)
{
    const size_t c = f->dim, h = f->hidden;
    for (size_t i = 0; i < f->layers; i++) {
        layer_t *l = &w->layer[i];
        dense_t *const square[] = {&l->q, &l->k, &l->v, &l->o};
        for (size_t k = 0; k < sizeof square / sizeof *square; k++)
            if (fixed_pack(&square[k]->fixed, square[k]->w, c, c, c, err)) return -1;
        if (fixed_pack(&l->up.fixed, l->up.w, c, c, h, err) || fixed_pack(&l->down.fixed, l->down.w, h, h, c, err)) return -1;
    }
    return 0;
}

int weights_read(const folder_t *f, bool fixed, weights_t *w, err_t *err)
{
    char path[FOLDER_PATH], prefix[32], first[96];
    size_t n = ROWS + 1 + f->layers * LAYER_ROWS;
    memset(w, 0, sizeof *w);
    if (folder_join(path, f->root, "model.safetensors", err) || !(w->file = stfile_open(path, err))) return -1;
    if (!(w->layer = mem_zero(f->layers, sizeof *w->layer, err)) || !(w->used = mem_new(n, sizeof *w->used, err)) ||
        !(w->owned = mem_new(n, sizeof *w->owned, err)))
        return -1;
    w->layers = f->layers;
    w->fixed = fixed;
    snprintf(prefix, sizeof prefix, "%s.", arch_name(f->arch));
    snprintf(first, sizeof first, "%s%s", prefix, table[0].name[f->arch]);
    reader_t r = {f, w, path, stfile_find(w->file, first) ? prefix : "", err};
    if (tensors(&r, "", table, ROWS, w) || (f->arch == ARCH_MPNET && read_relative(&r))) return -1;
    for (size_t i = 0; i < f->layers; i++) {
        char lead[64];
        snprintf(lead, sizeof lead, "encoder.layer.%zu.", i);
        if (tensors(&r, lead, per_layer, LAYER_ROWS, &w->layer[i])) return -1;
    }
    return fixed ? pack(f, w, err) : 0;
}

void weights_free(weights_t *w)
{
    for (size_t i = 0; i < w->layers; i++) {
        layer_t *l = &w->layer[i];
        dense_t *const all[] = {&l->q, &l->k, &l->v, &l->o, &l->up, &l->down};
        for (size_t k = 0; k < sizeof all / sizeof *all; k++) fixed_free(&all[k]->fixed);
    }
    for (size_t i = 0; i < w->nowned; i++) mem_free(w->owned[i]);
    mem_free(w->owned);
    mem_free(w->used);
    mem_free(w->layer);
    mem_free(w->relative);
    stfile_close(w->file);
    memset(w, 0, sizeof *w);
}
