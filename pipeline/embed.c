/* embed: from files, maps and models, to embeddings (see embed.h). */
#include "pipeline/embed.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

static_assert(DESCRIBE_ZERNIKE == ENCODER_ZERNIKE, "one order of invariants");

/* Room for a batch. */
typedef struct {
    described_t *got;
    float *cubes, *features, *z; /* of those that could be read, without gaps */
} room_t;

static int room_new(const encoder_t *e, int poses, room_t *r, err_t *err)
{
    r->got = mem_zero(EMBED_BATCH, sizeof *r->got, err);
    r->cubes = mem_new(EMBED_BATCH, e->side * e->side * e->side * sizeof *r->cubes, err);
    r->features = mem_new(EMBED_BATCH, e->features * sizeof *r->features, err);
    r->z = mem_new(EMBED_BATCH * (size_t)poses, e->d * sizeof *r->z, err);
    return r->got && r->cubes && r->features && r->z ? 0 : -1;
}

static void room_free(room_t *r)
{
    mem_free(r->got);
    mem_free(r->cubes);
    mem_free(r->features);
    mem_free(r->z);
}

/* Gather what could be read and embed it. Where a sample has no embedding each is tried by itself, so that one does not
 * cost the others theirs. */
static void embed_got(encoder_t *e, int poses, const item_t *it, size_t n, room_t *r)
{
    size_t m = 0, cube = e->side * e->side * e->side;
    described_t *of[EMBED_BATCH];
    const item_t *item[EMBED_BATCH];
    for (size_t i = 0; i < n; i++) {
        described_t *g = &r->got[i];
        if (g->err.code != ERR_OK) continue;
        memcpy(r->cubes + m * cube, g->rec.density, cube * sizeof *r->cubes);
        encoder_features(e, (double)g->rec.rg, g->rec.profile, g->rec.zernike, r->features + m * e->features);
        item[m] = &it[i];
        of[m++] = g;
    }
    if (!encoder_embed_poses(e, m, r->cubes, r->features, poses, r->z, NULL)) return;
    for (size_t i = 0; i < m; i++) {
        encoder_embed_poses(e, 1, r->cubes + i * cube, r->features + i * e->features, poses, r->z + i * (size_t)poses * e->d, &of[i]->err);
        err_prefix(&of[i]->err, item[i]->path);
    }
}

/* Hand over n items in order. The rows of z are those of the items that were readable; some may have failed since. */
static int hand_over(size_t d, const item_t *it, size_t n, const unsigned char *readable, room_t *r,
                     embed_take_t take, void *ctx, err_t *err)
{
    int rc = 0;
    size_t row = 0;
    for (size_t i = 0; i < n; i++) {
        described_t *g = &r->got[i];
        const float *z = readable[i] ? r->z + row++ * d : NULL;
        if (!rc) rc = take(ctx, &it[i], g, g->err.code == ERR_OK ? z : NULL, err);
        described_free(g);
    }
    return rc;
}

int embed_items(encoder_t *e, int poses, describer_t *d, const item_t *it, size_t n, progress_t *bar, embed_take_t take, void *ctx,
                err_t *err)
{
    room_t r = {0};
    int rc = room_new(e, poses, &r, err);
    d->cubes = true;
    d->side = e->side;
    for (size_t at = 0; !rc && at < n; at += EMBED_BATCH) {
        unsigned char readable[EMBED_BATCH];
        size_t m = n - at < EMBED_BATCH ? n - at : EMBED_BATCH, failed = 0;
        describe_many(d, it + at, m, NULL, r.got, NULL);
        for (size_t i = 0; i < m; i++) readable[i] = r.got[i].err.code == ERR_OK;
        embed_got(e, poses, it + at, m, &r);
        for (size_t i = 0; i < m; i++) failed += r.got[i].err.code != ERR_OK;
        rc = hand_over((size_t)poses * e->d, it + at, m, readable, &r, take, ctx, err);
        progress_step(bar, m, failed);
    }
    room_free(&r);
    return rc;
}

int embed_record(encoder_t *e, int poses, const record_t *r, float *z, err_t *err)
{
    float *features = mem_new(e->features, sizeof *features, err);
    if (!features) return -1;
    encoder_features(e, (double)r->rg, r->profile, r->zernike, features);
    int rc = encoder_embed_poses(e, 1, r->density, features, poses, z, err);
    mem_free(features);
    return rc;
}

int embed_ready(modelfile_t *m, const char *model, const index_t *x, const char *path, err_t *err)
{
    if (index_of_model(x, path, m->hash, model, err)) return -1;
    if (x->d != m->encoder->d)
        return err_set(err, ERR_FORMAT, "%s: embeddings of %zu numbers (the model makes %zu)", path, x->d, m->encoder->d);
    m->encoder->frames = x->frames == 1 ? 1 : ENCODER_FRAMES;
    return encoder_ready(m->encoder, err);
}
