/* train_batch: clean cubes, views and captions of a step (see train_batch.h). */
#include "pipeline/train_batch.h"

#include <omp.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

enum { ROW = 21, VIEW = 22 }; /* what a seed is for */

int trainbatch_new(const traindata_t *t, const trainopts_t *o, size_t dim, const comm_t *comm, trainbatch_t *b, err_t *err)
{
    size_t rows = o->batch / (size_t)comm->size, features = t->e->features * sizeof(float);
    *b = (trainbatch_t){.data = t, .o = o, .batch = o->batch, .from = (size_t)comm->rank * rows, .rows = rows, .dim = dim};
    return (b->entry = mem_zero(o->batch, sizeof *b->entry, err)) && (b->work = mem_new(rows, sizeof *b->work, err)) &&
                   (b->cubes = mem_new(2 * rows, t->cube * sizeof(float), err)) &&
                   (b->features = mem_new(2 * rows, features, err)) &&
                   (b->text = mem_zero(2 * rows, dim * sizeof(float), err)) &&
                   (b->room = mem_new((size_t)omp_get_max_threads(), t->cube * sizeof(float), err)) &&
                   (b->same = mem_new(o->batch, sizeof *b->same, err)) &&
                   (b->meaning = mem_new(o->batch, sizeof *b->meaning, err)) && (b->told = mem_new(o->batch, 1, err)) &&
                   (b->bad = mem_new(rows, 1, err))
               ? 0
               : -1;
}

void trainbatch_free(trainbatch_t *b)
{
    void *all[] = {b->entry, b->work, b->cubes, b->features, b->text, b->room, b->same, b->meaning, b->told, b->bad};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) mem_free(all[i]);
    *b = (trainbatch_t){0};
}

static void copy_text(trainbatch_t *b, size_t entry, size_t row, rng_t *r)
{
    const dataset_t *d = b->data->set;
    size_t from = d->caption_at[entry], n = d->caption_at[entry + 1] - from;
    float *out = b->text + row * b->dim;
    double u = rng_unit(r);
    if (n)
        memcpy(out, d->text + (from + (size_t)(u * (double)n)) * b->dim, b->dim * sizeof *out);
    else
        memset(out, 0, b->dim * sizeof *out);
}

/* Noise on the size, the first of the features where it stands. */
static void jitter_size(const trainbatch_t *b, float *features, rng_t *r)
{
    const encoder_t *e = b->data->e;
    double x = b->o->rg_noise * rng_normal(r);
    size_t at = 0;
    for (size_t i = 0; i < e->parts; at += feature_size(e->part[i++]))
        if (e->part[i] == FEATURE_LOG_RG) features[at] += (float)x;
}

/* Row i of this rank: the clean cube of its entry, a view, and captions. */
static void make_row(trainbatch_t *b, size_t i, uint64_t step)
{
    const traindata_t *t = b->data;
    size_t row = b->from + i, entry = b->entry[row], f = t->e->features;
    uint64_t seed = train_mix(train_mix(train_mix(b->o->seed, ROW), step), row);
    float *room = b->room + (size_t)omp_get_thread_num() * t->cube, *view = b->cubes + (b->rows + i) * t->cube;
    float *size = b->features + i * f, *view_size = b->features + (b->rows + i) * f;
    rng_t r;
    rng_seed(&r, seed);
    int clean_frame = (int)(rng_next(&r) >> 62), view_frame = (int)(rng_next(&r) >> 62);
    traindata_cube(t, t->cubes + entry * t->cube, clean_frame, room, b->cubes + i * t->cube);
    memcpy(size, t->features + entry * f, f * sizeof *size);
    b->bad[i] = traindata_view(t, entry, &b->o->view, train_mix(seed, VIEW), room, view_size, NULL) != 0;
    if (b->bad[i]) {
        traindata_cube(t, t->cubes + entry * t->cube, view_frame, room, view);
        memcpy(view_size, size, f * sizeof *size);
    } else {
        if (b->o->pose == POSE_MATCH) view_frame = encoder_match(room, b->cubes + i * t->cube, t->e->side);
        encoder_pose(room, t->e->side, view_frame, view);
    }
    jitter_size(b, size, &r);
    jitter_size(b, view_size, &r);
    if (!b->dim) return;
    copy_text(b, entry, i, &r);
    copy_text(b, entry, b->rows + i, &r);
}

/* Rows by atoms, the largest first: what is long begins early, and no thread waits for it at the end. */
static void plan(trainbatch_t *b)
{
    const uint32_t *atoms = b->data->atoms;
    for (size_t i = 0; i < b->rows; i++) {
        size_t k = i;
        uint32_t a = atoms[b->entry[b->from + i]];
        for (; k > 0 && atoms[b->entry[b->from + b->work[k - 1]]] < a; k--) b->work[k] = b->work[k - 1];
        b->work[k] = i;
    }
}

void trainbatch_make(trainbatch_t *b, uint64_t step)
{
    const dataset_t *d = b->data->set;
    for (size_t i = 0; i < b->batch; i++) {
        size_t entry = b->entry[i];
        b->same[i] = b->data->same[entry];
        b->meaning[i] = b->data->meaning[entry];
        b->told[i] = b->dim && d->caption_at[entry + 1] > d->caption_at[entry];
    }
    plan(b);
    omp_set_max_active_levels(1);
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t i = 0; i < b->rows; i++) make_row(b, b->work[i], step);
    b->failed = 0;
    for (size_t i = 0; i < b->rows; i++) b->failed += b->bad[i];
}
