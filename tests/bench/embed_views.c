/* embed_views: queries and gallery of learned.py: EM-like views of the entries of a dataset, described and embedded as maps are,
 * their clean densities, and maps.
 *     make tests/bench/embed_views
 *     tests/bench/embed_views DATASET train|valid|test|all VIEWS SEED OUT [NAME=MODEL...]
 *     tests/bench/embed_views MANIFEST maps 1 0 OUT [NAME=MODEL...]
 * VIEWS of each entry of the split; 0: its clean density, as an index has it, once. Writes OUT.index.h5, an index whose ids
 * are those of the entries, and for each MODEL OUT.NAME.h5, the embeddings in the same order: one each, but of a model of one
 * frame all ENCODER_POSES of a query, one after another. The frame is what the density
 * gives, as for a map: viewopts_t.shake, which cube_make() knows nothing of, is for training. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/progress.h"
#include "mrc/mrc.h"
#include "pipeline/dataset.h"
#include "pipeline/describe.h"
#include "pipeline/index.h"
#include "pipeline/manifest.h"
#include "pipeline/modelfile.h"
#include "pipeline/vectors.h"
#include "voxel/view.h"

enum { BATCH = 64, MODELS_MAX = 8 };

typedef struct {
    const char *name;
    modelfile_t file;
    size_t len;       /* of a cube */
    float *cube;      /* (BATCH, len) */
    float *features;  /* (BATCH, F) */
    float *z;         /* (BATCH, d) */
    vectors_t out;
} model_run_t;

typedef struct {
    dataset_t data;
    manifest_t maps; /* in place of the dataset */
    describer_t describer;
    model_run_t model[MODELS_MAX];
    size_t models;
    index_t index;
    bool clean;
    record_t rec[BATCH];
    err_t err[BATCH];
} work_t;

static int model_open(model_run_t *r, char *arg, err_t *err)
{
    char *path = strchr(arg, '=');
    if (!path) return err_set(err, ERR_USAGE, "%s: NAME=MODEL is wanted", arg);
    *path++ = 0;
    r->name = arg;
    if (modelfile_read(path, &r->file, err) || encoder_ready(r->file.encoder, err)) return -1;
    const encoder_t *e = r->file.encoder;
    r->len = e->side * e->side * e->side;
    r->out.d = e->d;
    r->cube = mem_new(BATCH, r->len * sizeof *r->cube, err);
    r->features = mem_new(BATCH, (e->features + 1) * sizeof *r->features, err);
    r->z = mem_new(BATCH * ENCODER_POSES, e->d * sizeof *r->z, err);
    return r->cube && r->features && r->z ? 0 : -1;
}

static void model_close(model_run_t *r)
{
    modelfile_free(&r->file);
    mem_free(r->cube);
    mem_free(r->features);
    mem_free(r->z);
    vectors_free(&r->out);
}

static const char *id_of(const work_t *w, size_t i) { return w->maps.n ? w->maps.item[i].id : w->data.id[i]; }

/* A new volume, NULL on error. */
static vol_t *density_of(const work_t *w, size_t i, uint64_t seed, err_t *err)
{
    if (w->maps.n) return mrc_read(w->maps.item[i].path, NULL, NULL, NULL, err);
    model_t *m = dataset_model(&w->data, i, err);
    vol_t *v = !m ? NULL : w->clean ? describe_density(m, err) : view_density(m, &w->data.span[i], &view_em, seed, err);
    model_free(m);
    return v;
}

/* Slot k of the batch from entry i: the record, and a cube for each model. */
static int view_one(work_t *w, size_t i, uint64_t seed, size_t k, err_t *err)
{
    vol_t *v = density_of(w, i, seed, err);
    int rc = v && !describe_volume(&w->describer, v, (double)NAN, &w->rec[k], err) ? 0 : -1;
    for (size_t j = 0; !rc && j < w->models; j++) {
        model_run_t *r = &w->model[j];
        const encoder_t *e = r->file.encoder;
        const record_t *rec = &w->rec[k];
        cube_t c;
        cube_opts_t o = {.side = e->side};
        if ((rc = cube_make(v, &o, &c, err))) break;
        memcpy(r->cube + k * r->len, c.data, r->len * sizeof *r->cube);
        encoder_features(e, (double)rec->rg, rec->profile, rec->zernike, r->features + k * e->features);
        cube_free(&c);
    }
    vol_free(v);
    return rc;
}

/* The batch, closed up where a view failed, to the index and the vectors. */
static int batch_out(work_t *w, const size_t *entry, size_t n, err_t *err)
{
    size_t m = 0, id[BATCH];
    for (size_t k = 0; k < n; k++) {
        if (w->err[k].code != ERR_OK) {
            fprintf(stderr, "%s: left out: %s\n", id_of(w, entry[k]), w->err[k].msg);
            continue;
        }
        const item_t it = {.id = id_of(w, entry[k])};
        if (index_add(&w->index, &it, &w->rec[k], "", NULL, err)) return -1;
        for (size_t j = 0; j < w->models; j++) {
            model_run_t *r = &w->model[j];
            size_t f = r->file.encoder->features;
            memmove(r->cube + m * r->len, r->cube + k * r->len, r->len * sizeof *r->cube);
            memmove(r->features + m * f, r->features + k * f, f * sizeof *r->features);
        }
        id[m++] = entry[k];
        record_free(&w->rec[k]);
    }
    for (size_t j = 0; j < w->models; j++) {
        model_run_t *r = &w->model[j];
        size_t poses = !w->clean && r->file.encoder->frames == 1 ? ENCODER_POSES : 1;
        if (encoder_embed_poses(r->file.encoder, m, r->cube, r->features, (int)poses, r->z, err)) return -1;
        for (size_t k = 0; k < m * poses; k++)
            if (vectors_add(&r->out, id_of(w, id[k / poses]), w->index.rg[w->index.n - m + k / poses], r->z + k * r->out.d, err))
                return -1;
    }
    return 0;
}

static int run(work_t *w, split_t split, size_t views, uint64_t seed, err_t *err)
{
    const log_t log = {.f = stderr, .level = LOG_INFO};
    size_t all = w->maps.n ? w->maps.n : w->data.n;
    size_t n = 0, per = w->clean ? 1 : views, *entry = mem_new(all * per, sizeof *entry, err);
    if (!entry) return -1;
    for (size_t i = 0; i < all; i++)
        for (size_t v = 0; v < per && (split == SPLITS || w->data.split[i] == split); v++) entry[n++] = i;
    progress_t *bar = progress_new(&log, "views", "views", n);
    int rc = 0;
    for (size_t at = 0; !rc && at < n; at += BATCH) {
        size_t m = n - at < BATCH ? n - at : BATCH;
#pragma omp parallel for schedule(dynamic, 1)
        for (size_t k = 0; k < m; k++) {
            w->err[k] = (err_t){0};
            if (view_one(w, entry[at + k], seed * 1000003 + at + k, k, &w->err[k])) record_free(&w->rec[k]);
            progress_step(bar, 1, w->err[k].code != ERR_OK);
        }
        rc = batch_out(w, entry + at, m, err);
    }
    progress_end(bar);
    mem_free(entry);
    return rc;
}

static int write_all(const work_t *w, const char *out, err_t *err)
{
    char path[4096];
    snprintf(path, sizeof path, "%s.index.h5", out);
    if (index_write(path, &w->index, err)) return -1;
    for (size_t j = 0; j < w->models; j++) {
        const model_run_t *r = &w->model[j];
        snprintf(path, sizeof path, "%s.%s.h5", out, r->name);
        if (vectors_h5(path, &r->out, r->file.hash, r->file.encoder->frames, err)) return -1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    static work_t w;
    err_t err = {0};
    int split = SPLITS;
    if (argc < 6 || argc > 6 + MODELS_MAX) {
        fprintf(stderr, "usage: embed_views DATASET train|valid|test|all VIEWS SEED OUT [NAME=MODEL...]\n"
                        "       embed_views MANIFEST maps 1 0 OUT [NAME=MODEL...]\n");
        return 2;
    }
    for (int s = 0; s < SPLITS; s++)
        if (!strcmp(argv[2], split_name[s])) split = s;
    size_t views = (size_t)atol(argv[3]);
    w.index.scoring = scoring_default;
    w.clean = !views;
    int rc = !strcmp(argv[2], "maps") ? manifest_add(&w.maps, argv[1], NULL, &err) : dataset_read(argv[1], &w.data, &err);
    rc = rc || describe_new(&w.describer, NULL, &err);
    for (int i = 6; !rc && i < argc; i++) rc = model_open(&w.model[w.models++], argv[i], &err);
    rc = rc || run(&w, (split_t)split, views, strtoull(argv[4], NULL, 10), &err) || write_all(&w, argv[5], &err);
    if (rc) fprintf(stderr, "embed_views: %s\n", err.msg);
    for (size_t j = 0; j < w.models; j++) model_close(&w.model[j]);
    index_free(&w.index);
    describe_end(&w.describer);
    dataset_free(&w.data);
    manifest_free(&w.maps);
    return rc ? 3 : 0;
}
