/* train_draw: which entries a step works on (see train_draw.h). */
#include "pipeline/train_draw.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

enum { PHASE = 11, SHUFFLE = 12 }; /* what a seed is for */

/* Size of the smallest sequence cluster of an entry, counted in training entries; 1 where it has none. */
static size_t smallest(const dataset_t *d, size_t i, const size_t *size)
{
    size_t least = 0;
    for (size_t k = d->clusters.at[i]; k < d->clusters.at[i + 1]; k++) {
        size_t s = size[d->clusters.item[k]];
        if (!least || s < least) least = s;
    }
    return least ? least : 1;
}

struct drawsize {
    double size;
    size_t row;
};

int traindraw_new(const traindata_t *t, const trainopts_t *o, traindraw_t *w, err_t *err)
{
    const dataset_t *d = t->set;
    size_t *size = mem_zero(d->cluster.n, sizeof *size, err);
    *w = (traindraw_t){.seed = o->seed, .batch = o->batch, .alike = o->alike, .log_rg = t->log_rg};
    w->row = mem_new(t->n, sizeof *w->row, err);
    w->chance = mem_new(t->n, sizeof *w->chance, err);
    w->order = mem_new(t->n, sizeof *w->order, err);
    w->size = mem_new(t->n, sizeof *w->size, err);
    int rc = size && w->row && w->chance && w->order && w->size ? 0 : -1;
    for (size_t i = 0; !rc && i < t->n; i++)
        if (t->usable[i] && d->split[i] == SPLIT_TRAIN) {
            w->row[w->n++] = i;
            for (size_t k = d->clusters.at[i]; k < d->clusters.at[i + 1]; k++) size[d->clusters.item[k]]++;
        }
    for (size_t i = 0; !rc && i < w->n; i++) w->chance[i] = pow((double)smallest(d, w->row[i], size), -o->balance);
    mem_free(size);
    if (!rc && !w->n) rc = err_set(err, ERR_RANGE, "dataset: no entry in the training split");
    if (!rc) traindraw_seek(w, 0, 0);
    return rc;
}

void traindraw_free(traindraw_t *w)
{
    mem_free(w->row);
    mem_free(w->chance);
    mem_free(w->order);
    mem_free(w->size);
    *w = (traindraw_t){0};
}

static void shuffle(size_t *x, size_t n, rng_t *r) /* Fisher and Yates */
{
    for (size_t i = n; i > 1; i--) {
        size_t k = (size_t)(rng_unit(r) * (double)i), y = x[i - 1];
        x[i - 1] = x[k];
        x[k] = y;
    }
}

static int by_size(const void *a, const void *b)
{
    const struct drawsize *x = a, *y = b;
    if (x->size < y->size || x->size > y->size) return x->size < y->size ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

/* The order by size, cut into batches, these in random order; what no batch takes comes last. */
static void group(traindraw_t *w, rng_t *r)
{
    size_t n = w->count, batches = n / w->batch, left = n - batches * w->batch;
    for (size_t i = 0; i < n; i++)
        w->size[i] = (struct drawsize){(double)w->log_rg[w->order[i]] + w->alike * rng_normal(r), w->order[i]};
    qsort(w->size, n, sizeof *w->size, by_size);
    size_t from = (size_t)(rng_unit(r) * (double)(left + 1)), *place = w->order; /* numbers of batches, in room that is not needed yet */
    for (size_t i = 0; i < batches; i++) place[i] = i;
    shuffle(place, batches, r);
    for (size_t i = batches; i-- > 0;) { /* from the end: batch i ends where no number of an earlier one stands */
        size_t k = place[i];
        for (size_t j = 0; j < w->batch; j++) w->order[i * w->batch + j] = w->size[from + k * w->batch + j].row;
    }
    for (size_t i = 0; i < left; i++) w->order[batches * w->batch + i] = w->size[i < from ? i : batches * w->batch + i].row;
}

void traindraw_seek(traindraw_t *w, uint64_t epoch, size_t at)
{
    rng_t r;
    w->epoch = epoch;
    w->at = at;
    w->count = 0;
    for (size_t i = 0; i < w->n; i++) {
        rng_seed(&r, train_mix(train_mix(w->seed, PHASE), w->row[i]));
        double phase = rng_unit(&r), c = w->chance[i];
        if (floor(phase + c * (double)(epoch + 1)) > floor(phase + c * (double)epoch)) w->order[w->count++] = w->row[i];
    }
    rng_seed(&r, train_mix(train_mix(w->seed, SHUFFLE), epoch));
    shuffle(w->order, w->count, &r);
    if (w->alike > 0) group(w, &r);
}

int traindraw_next(traindraw_t *w, size_t *entry, err_t *err)
{
    size_t batch = w->batch;
    if (w->at + batch > w->count) traindraw_seek(w, w->epoch + 1, 0);
    if (batch > w->count)
        return err_set(err, ERR_RANGE, "epoch %llu has %zu entries (a batch takes %zu)", (unsigned long long)w->epoch, w->count,
                       batch);
    memcpy(entry, w->order + w->at, batch * sizeof *entry);
    w->at += batch;
    return 0;
}
