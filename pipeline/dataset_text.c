/* dataset_text: captions of the entries of a dataset, and their vectors (see dataset_text.h). */
#include "pipeline/dataset_text.h"

#include <string.h>

#include "base/intern.h"
#include "base/mem.h"
#include "base/progress.h"
#include "pipeline/caption.h"
#include "pipeline/vocab.h"

enum { BATCH = 1024 }; /* texts embedded at a time */

/* Captions as numbers of different texts, entry after entry. */
typedef struct {
    intern_t text;
    uint32_t *number;
    size_t n, cap;
} captions_t;

static int caption_entry(captions_t *c, const annot_t *annot, const facts_t *f, unsigned variants, uint64_t seed, err_t *err)
{
    char buf[CAPTION_MAX];
    size_t first = c->n, len;
    for (unsigned v = 0; v < variants; v++) {
        uint32_t k;
        if (caption_make(annot, f, v, seed, buf, &len, err)) return -1;
        if (!len) continue;
        if (intern_add(&c->text, buf, len, &k, err) || mem_grow(&c->number, &c->cap, c->n + 1, sizeof *c->number, err)) return -1;
        size_t at = first;
        while (at < c->n && c->number[at] != k) at++;
        if (at == c->n) c->number[c->n++] = k;
    }
    return 0;
}

static int caption_all(captions_t *c, dataset_t *d, const annot_t *annot, unsigned variants, uint64_t seed, err_t *err)
{
    for (size_t i = 0; i < d->n; i++) {
        const facts_t *f = *d->pdb[i] ? annot_find(annot, d->pdb[i]) : NULL;
        if (f && caption_entry(c, annot, f, variants, seed, err)) return -1;
        d->caption_at[i + 1] = c->n;
    }
    return 0;
}

/* z (texts, dim) of the different texts. */
static int embed(const captions_t *c, const sentence_t *s, float *z, const log_t *log, err_t *err)
{
    size_t dim = sentence_info(s)->dim, cut = 0, some;
    progress_t *bar = progress_new(log, "captions", "texts", c->text.n);
    int rc = 0;
    for (size_t at = 0; !rc && at < c->text.n; at += BATCH) {
        size_t n = c->text.n - at < BATCH ? c->text.n - at : BATCH;
        rc = sentence_encode(s, c->text.str + at, n, z + at * dim, &some, err);
        if (!rc) cut += some;
        progress_step(bar, n, 0);
    }
    progress_end(bar);
    if (!rc && cut)
        log_msg(log, LOG_WARN, "%zu of %zu captions are longer than %zu tokens and were cut", cut, c->text.n, sentence_info(s)->max_tokens);
    return rc;
}

int text_add(dataset_t *d, const annot_t *annot, const sentence_t *s, unsigned variants, uint64_t seed, const log_t *log, err_t *err)
{
    captions_t c = {0};
    size_t dim = sentence_info(s)->dim;
    const char **all = NULL;
    float *z = NULL;
    int rc = caption_all(&c, d, annot, variants, seed, err);
    if (rc || !(z = mem_new(c.text.n, dim * sizeof *z, err)) || !(all = mem_new(c.n, sizeof *all, err)) ||
        !(d->text = mem_new(c.n, dim * sizeof *d->text, err)) || !(d->text_model = mem_str(sentence_info(s)->name, err)) ||
        sentence_hash(s, d->text_hash, err) || embed(&c, s, z, log, err)) {
        rc = -1;
        goto done;
    }
    for (size_t i = 0; i < c.n; i++) {
        all[i] = c.text.str[c.number[i]];
        memcpy(d->text + i * dim, z + c.number[i] * dim, dim * sizeof *z);
    }
    d->dim = dim;
    d->captions = c.n;
    if (!(d->caption = vocab_strings(all, c.n, err))) rc = -1;
done:
    intern_free(&c.text);
    mem_free(c.number);
    mem_free(all);
    mem_free(z);
    return rc;
}
