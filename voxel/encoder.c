/* encoder: the voxel network over the canonical cube (see encoder.h; DESIGN 4). */
#include "voxel/encoder.h"

#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "nn/isa.h"
#include "voxel/encoder_table.h"
#include "voxel/profile.h"

enum { SIDE_MIN = 16, SIDE_MAX = 64 }; /* those of cube_make() */
static const double CANCEL = 1e-4;     /* shortest mean of unit vectors that still has a direction */

struct encoder_work {
    run_t *run;
    float *cubes, *features, *out; /* of ENCODER_BATCH samples of the network */
    double *sum;                   /* (d) */
};

static const struct {
    const char *name;
    size_t size;
} feature[FEATURE_KINDS] = {{"log_rg", 1}, {"profile", PROFILE_COUNT}, {"zernike", ENCODER_ZERNIKE}};

const char *feature_name(feature_t f) { return feature[f].name; }
size_t feature_size(feature_t f) { return feature[f].size; }

/* Whether the last layer of a table, one that net_new() has taken, makes the length 1. */
static int ends_in_l2norm(const char *table)
{
    json_t *root = json_loads(table, 0, NULL), *layers = json_object_get(root, "layers");
    size_t n = json_array_size(layers);
    const char *op = n ? json_string_value(json_object_get(json_array_get(layers, n - 1), "op")) : NULL;
    int yes = op && !strcmp(op, "l2norm");
    json_decref(root);
    return yes;
}

static int check_cube(const netport_t *p, err_t *err)
{
    size_t s = p->ndim == 4 ? p->shape[1] : 0;
    if (s >= SIDE_MIN && s <= SIDE_MAX && s % 2 == 0 && p->shape[0] == 1 && p->shape[2] == s && p->shape[3] == s) return 0;
    return err_set(err, ERR_FORMAT, "network: the input cube is not [1,S,S,S] with S even, %d to %d", SIDE_MIN, SIDE_MAX);
}

/* That the network takes a cube and these features to a vector of length 1. Sets side and d. */
static int check_ports(encoder_t *e, err_t *err)
{
    const netport_t *cube = NULL, *features = NULL, *out = net_output(e->net);
    for (size_t i = 0; i < net_inputs(e->net); i++) {
        const netport_t *p = net_input(e->net, i);
        if (!strcmp(p->name, "cube"))
            cube = p;
        else if (!strcmp(p->name, "features"))
            features = p;
        else
            return err_set(err, ERR_FORMAT, "network: input '%s' (an encoder has cube and features)", p->name);
    }
    if (!cube) return err_set(err, ERR_FORMAT, "network: no input cube");
    if (check_cube(cube, err)) return -1;
    size_t f = features && features->ndim == 1 ? features->size : 0;
    if (f != e->features || !features != !e->parts)
        return err_set(err, ERR_FORMAT, "network: the input features has %zu numbers (%zu are fed to it)", f, e->features);
    if (out->ndim != 1 || !ends_in_l2norm(net_table(e->net)))
        return err_set(err, ERR_FORMAT, "network: the output is no vector of length 1 (the last layer has to be l2norm)");
    e->side = cube->shape[1];
    e->d = out->size;
    return 0;
}

static int take_parts(encoder_t *e, const feature_t *part, size_t parts, err_t *err)
{
    static const feature_t all[FEATURE_KINDS] = {FEATURE_LOG_RG, FEATURE_PROFILE, FEATURE_ZERNIKE};
    if (!part) {
        part = all;
        parts = FEATURE_KINDS;
    }
    for (size_t i = 0; i < parts; i++) {
        for (size_t k = 0; k < i; k++)
            if (part[k] == part[i]) return err_set(err, ERR_FORMAT, "features: %s twice", feature[part[i]].name);
        e->part[e->parts++] = part[i];
        e->features += feature[part[i]].size;
    }
    return 0;
}

encoder_t *encoder_new(const char *table, const feature_t *part, size_t parts, err_t *err)
{
    encoder_t *e = mem_zero(1, sizeof *e, err);
    if (!e) return NULL;
    char *own = table ? NULL : encoder_table(&encoder_default, err);
    e->frames = ENCODER_FRAMES;
    if (!take_parts(e, part, parts, err) && (table || own) && (e->net = net_new(table ? table : own, err)) &&
        !check_ports(e, err) && (e->params = mem_zero(net_size(e->net), sizeof *e->params, err))) {
        mem_free(own);
        return e;
    }
    mem_free(own);
    encoder_free(e);
    return NULL;
}

static void work_free(encoder_work_t *w)
{
    if (!w) return;
    run_free(w->run);
    mem_free(w->cubes);
    mem_free(w->features);
    mem_free(w->out);
    mem_free(w->sum);
    mem_free(w);
}

void encoder_free(encoder_t *e)
{
    if (!e) return;
    work_free(e->work);
    if (!e->twin) {
        net_free(e->net);
        mem_free(e->params);
    }
    mem_free(e);
}

encoder_t *encoder_twin(const encoder_t *e, err_t *err)
{
    encoder_t *t = mem_new(1, sizeof *t, err);
    if (!t) return NULL;
    *t = *e;
    t->work = NULL;
    t->twin = true;
    return t;
}

void encoder_init(encoder_t *e, uint64_t seed)
{
    rng_t rng;
    rng_seed(&rng, seed);
    net_init(e->net, &rng, e->params);
}

void encoder_features(const encoder_t *e, double rg, const float *profile, const float *zernike, float *out)
{
    float size = (float)log(rg / ENCODER_RG);
    const float *from[FEATURE_KINDS] = {&size, profile, zernike};
    for (size_t i = 0; i < e->parts; i++) {
        size_t n = feature[e->part[i]].size;
        memcpy(out, from[e->part[i]], n * sizeof *out);
        out += n;
    }
}

void encoder_turn(const float *cube, size_t side, int k, float *out) { turn_cube(cube, side, k, out); }

void encoder_pose(const float *cube, size_t side, int k, float *out) { turn_cube(cube, side, k, out); }

int encoder_match(const float *cube, const float *like, size_t side)
{
    double best = -INFINITY;
    int pose = 0;
    for (int k = 0; k < ENCODER_POSES; k++) {
        ptrdiff_t step[3];
        size_t first;
        double sum = 0;
        const float *to = like;
        turn_steps(side, k, &first, step);
        for (size_t z = 0; z < side; z++)
            for (size_t y = 0; y < side; y++, to += side) {
                const float *from = cube + first + (ptrdiff_t)z * step[2] + (ptrdiff_t)y * step[1];
                float row = 0;
                for (size_t x = 0; x < side; x++) row += from[(ptrdiff_t)x * step[0]] * to[x];
                sum += (double)row;
            }
        if (sum > best) {
            best = sum;
            pose = k;
        }
    }
    return pose;
}

int encoder_ready(encoder_t *e, err_t *err)
{
    if (!e->work) {
        encoder_work_t *w = e->work = mem_zero(1, sizeof *w, err);
        runopts_t o = {.batch = ENCODER_BATCH, .isa = isa_best()};
        if (!w || !(w->run = run_new(e->net, &o, err)) ||
            !(w->cubes = mem_new(ENCODER_BATCH * e->side * e->side, e->side * sizeof *w->cubes, err)) ||
            !(w->features = mem_new(ENCODER_BATCH, e->features * sizeof *w->features, err)) ||
            !(w->out = mem_new(ENCODER_BATCH, e->d * sizeof *w->out, err)) ||
            !(w->sum = mem_new(e->d, sizeof *w->sum, err))) {
            work_free(w);
            e->work = NULL;
            return -1;
        }
    }
    run_load(e->work->run, e->params);
    return 0;
}

/* The unit vector along the sum of `frames` rows of x (frames, d). Sums of four floats in double are as good as exact, so
 * that the order of the frames does not matter. -1 when there is none. */
static int mean_direction(const float *x, int frames, size_t d, double *sum, float *out)
{
    double sq = 0;
    for (size_t j = 0; j < d; j++) {
        sum[j] = 0;
        for (int k = 0; k < frames; k++) sum[j] += (double)x[(size_t)k * d + j];
        sq += sum[j] * sum[j];
    }
    double length = sqrt(sq);
    if (!(length > CANCEL * frames) || !isfinite(length)) return -1;
    for (size_t j = 0; j < d; j++) out[j] = (float)(sum[j] / length);
    return 0;
}

int encoder_embed(encoder_t *e, size_t n, const float *cubes, const float *features, float *out, err_t *err)
{
    encoder_work_t *w = e->work;
    assert(w);
    size_t frames = (size_t)e->frames, step = ENCODER_BATCH / frames, cube = e->side * e->side * e->side, f = e->features;
    const float *in[NET_INPUTS_MAX];
    for (size_t i = 0; i < net_inputs(e->net); i++)
        in[i] = strcmp(net_input(e->net, i)->name, "cube") ? w->features : w->cubes;
    for (size_t at = 0; at < n; at += step) {
        size_t m = n - at < step ? n - at : step;
#pragma omp parallel for schedule(static)
        for (size_t i = 0; i < m * frames; i++) {
            encoder_turn(cubes + (at + i / frames) * cube, e->side, (int)(i % frames), w->cubes + i * cube);
            if (f) memcpy(w->features + i * f, features + (at + i / frames) * f, f * sizeof *features);
        }
        if (run_forward(w->run, in, m * frames, 0, w->out, err)) return -1;
        for (size_t i = 0; i < m; i++)
            if (mean_direction(w->out + i * frames * e->d, e->frames, e->d, w->sum, out + (at + i) * e->d))
                return err_set(err, ERR_RANGE, "encoder: sample %zu has no embedding: not finite, or its frames cancel",
                               at + i);
    }
    return 0;
}

int encoder_embed_poses(encoder_t *e, size_t n, const float *cubes, const float *features, int poses, float *out, err_t *err)
{
    if (poses == 1) return encoder_embed(e, n, cubes, features, out, err);
    size_t p = (size_t)poses, cube = e->side * e->side * e->side, f = e->features;
    int frames = e->frames, rc = 0;
    float *x = mem_new(p, cube * sizeof *x, err), *g = mem_new(p, f * sizeof *g, err);
    if (!x || !g) rc = -1;
    e->frames = 1;
    for (size_t i = 0; !rc && i < n; i++) {
#pragma omp parallel for schedule(static)
        for (size_t k = 0; k < p; k++) {
            encoder_pose(cubes + i * cube, e->side, (int)k, x + k * cube);
            if (f) memcpy(g + k * f, features + i * f, f * sizeof *g);
        }
        rc = encoder_embed(e, p, x, g, out + i * p * e->d, err);
    }
    e->frames = frames;
    mem_free(x);
    mem_free(g);
    return rc;
}
