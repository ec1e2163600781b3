/* train_draw: which entries a step works on (see train_draw.h). */
#include "pipeline/train_draw.h"

#include <math.h>
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

int traindraw_new(const traindata_t *t, double balance, uint64_t seed, traindraw_t *w, err_t *err)
{
    const dataset_t *d = t->set;
    size_t *size = mem_zero(d->cluster.n, sizeof *size, err);
    *w = (traindraw_t){.seed = seed};
    w->row = mem_new(t->n, sizeof *w->row, err);
    w->chance = mem_new(t->n, sizeof *w->chance, err);
    w->order = mem_new(t->n, sizeof *w->order, err);
    int rc = size && w->row && w->chance && w->order ? 0 : -1;
    for (size_t i = 0; !rc && i < t->n; i++)
        if (t->usable[i] && d->split[i] == SPLIT_TRAIN) {
            w->row[w->n++] = i;
            for (size_t k = d->clusters.at[i]; k < d->clusters.at[i + 1]; k++) size[d->clusters.item[k]]++;
        }
    for (size_t i = 0; !rc && i < w->n; i++) w->chance[i] = pow((double)smallest(d, w->row[i], size), -balance);
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
    *w = (traindraw_t){0};
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
    for (size_t i = w->count; i > 1; i--) { /* Fisher and Yates */
        size_t k = (size_t)(rng_unit(&r) * (double)i), x = w->order[i - 1];
        w->order[i - 1] = w->order[k];
        w->order[k] = x;
    }
}

int traindraw_next(traindraw_t *w, size_t batch, size_t *entry, err_t *err)
{
    if (w->at + batch > w->count) traindraw_seek(w, w->epoch + 1, 0);
    if (batch > w->count)
        return err_set(err, ERR_RANGE, "epoch %llu has %zu entries (a batch takes %zu)", (unsigned long long)w->epoch, w->count,
                       batch);
    memcpy(entry, w->order + w->at, batch * sizeof *entry);
    w->at += batch;
    return 0;
}
