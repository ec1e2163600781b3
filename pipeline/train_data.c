/* train_data: clean cubes and views for training (see train_data.h). */
#include "pipeline/train_data.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/mem.h"
#include "base/progress.h"
#include "pipeline/describe.h"
#include "voxel/cube.h"
#include "voxel/profile.h"

enum { TRIES = 4 }; /* at a view: a draw may leave nothing above its contour */

uint64_t train_mix(uint64_t a, uint64_t b)
{
    uint64_t z = a + 0x9e3779b97f4a7c15u * (b + 1); /* SplitMix64 */
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* A number for each row of lists: equal rows, equal numbers; an empty row is like no other. */
static void label_rows(const lists_t *l, size_t n, uint64_t salt, uint64_t *label)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t h = train_mix(salt, l->at[i] == l->at[i + 1] ? i + (UINT64_C(1) << 40) : 0);
        for (size_t k = l->at[i]; k < l->at[i + 1]; k++) h = train_mix(h, l->item[k]);
        label[i] = h;
    }
}

/* Whether the encoder wants more than the size. */
static bool wants(const encoder_t *e, feature_t f)
{
    for (size_t i = 0; i < e->parts; i++)
        if (e->part[i] == f) return true;
    return false;
}

/* A cube of a density or a view, of side S. */
typedef int (*maker_t)(const void *what, size_t side, cube_t *c, err_t *err);

/* Cube of the encoder's side, and features. What goes with the size is made of the cube of CUBE_SIDE, as describe.c does. */
static int make(const traindata_t *t, maker_t maker, const void *what, float *cube, float *features, double *size, err_t *err)
{
    const encoder_t *e = t->e;
    bool profile = wants(e, FEATURE_PROFILE), more = profile || t->zernike;
    float p[PROFILE_COUNT] = {0}, z[ENCODER_ZERNIKE] = {0};
    cube_t c;
    if (maker(what, e->side, &c, err)) return -1;
    memcpy(cube, c.data, t->cube * sizeof *cube);
    double rg = *size = c.frame.rg;
    if (more && c.side != CUBE_SIDE) {
        cube_free(&c);
        if (maker(what, CUBE_SIDE, &c, err)) return -1;
    }
    int rc = 0;
    if (profile) rc = profile_make(c.data, c.side, p, err);
    if (!rc && t->zernike) rc = zernike_invariants(t->zernike, c.data, c.side, (double)c.side / 2, ZERNIKE_UNIT, z, err);
    if (!rc) encoder_features(e, rg, p, z, features);
    cube_free(&c);
    return rc;
}

static int clean_maker(const void *what, size_t side, cube_t *c, err_t *err)
{
    cube_opts_t o = {.side = side};
    return cube_make(what, &o, c, err);
}

/* The clean cube of entry i into t. */
static int make_clean(traindata_t *t, size_t i, float *room, err_t *err)
{
    model_t *m = dataset_model(t->set, i, err);
    vol_t *v = m ? describe_density(m, err) : NULL;
    double rg = 1;
    int rc = v ? make(t, clean_maker, v, room, t->features + i * t->e->features, &rg, err) : -1;
    uint8_t *out = t->cubes + i * t->cube;
    for (size_t k = 0; !rc && k < t->cube; k++) out[k] = (uint8_t)lrintf(255 * room[k]);
    if (!rc) t->usable[i] = 1;
    t->log_rg[i] = (float)log(rg);
    vol_free(v);
    model_free(m);
    return rc;
}

/* Entries [from, to) on all threads. */
static int make_many(traindata_t *t, size_t from, size_t to, const log_t *log, err_t *err)
{
    int threads = omp_get_max_threads();
    float *room = mem_new((size_t)threads, t->cube * sizeof *room, err);
    if (!room) return -1;
    progress_t *bar = progress_new(log, "clean cubes", "entries", to - from);
    omp_set_max_active_levels(1);
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t i = from; i < to; i++) {
        err_t why = {0};
        if (make_clean(t, i, room + (size_t)omp_get_thread_num() * t->cube, &why))
            log_msg(log, LOG_WARN, "left out: %s: %s", t->set->id[i], why.msg);
        progress_step(bar, 1, !t->usable[i]);
    }
    progress_end(bar);
    mem_free(room);
    return 0;
}

/* Rows of `size` bytes that the ranks made, `per` each, in the table x (n rows): all to everyone. */
static int share(const comm_t *comm, void *x, size_t size, size_t n, size_t per, err_t *err)
{
    size_t floats = (per * size + sizeof(float) - 1) / sizeof(float), mine = (size_t)comm->rank * per;
    float *send = mem_zero(floats, sizeof *send, err), *all = mem_new(floats * (size_t)comm->size, sizeof *all, err);
    int rc = send && all ? 0 : -1;
    if (!rc && mine < n) memcpy(send, (char *)x + mine * size, (n - mine < per ? n - mine : per) * size);
    if (!rc) rc = comm->gather(comm, send, floats, all, err);
    for (size_t k = 0; !rc && k < (size_t)comm->size && k * per < n; k++)
        memcpy((char *)x + k * per * size, all + k * floats, (n - k * per < per ? n - k * per : per) * size);
    mem_free(send);
    mem_free(all);
    return rc;
}

static int make_all(traindata_t *t, const comm_t *comm, const log_t *log, err_t *err)
{
    size_t per = (t->n + (size_t)comm->size - 1) / (size_t)comm->size, from = (size_t)comm->rank * per;
    if (from > t->n) from = t->n;
    if (make_many(t, from, from + per < t->n ? from + per : t->n, log, err)) return -1;
    if (comm->size == 1) return 0;
    return share(comm, t->usable, 1, t->n, per, err) || share(comm, t->log_rg, sizeof *t->log_rg, t->n, per, err) || share(comm, t->cubes, t->cube, t->n, per, err) ||
                   share(comm, t->features, t->e->features * sizeof *t->features, t->n, per, err)
               ? -1
               : 0;
}

int traindata_new(const dataset_t *d, const encoder_t *e, const comm_t *comm, const log_t *log, traindata_t *t, err_t *err)
{
    size_t n = d->n, good = 0;
    *t = (traindata_t){.set = d, .e = e, .n = n, .cube = e->side * e->side * e->side};
    if (!(t->cubes = mem_zero(n, t->cube, err)) || !(t->features = mem_zero(n, e->features * sizeof *t->features, err)) ||
        !(t->usable = mem_zero(n, 1, err)) || !(t->atoms = mem_zero(n, sizeof *t->atoms, err)) ||
        !(t->log_rg = mem_zero(n, sizeof *t->log_rg, err)) ||
        !(t->same = mem_new(n, sizeof *t->same, err)) || !(t->meaning = mem_new(n, sizeof *t->meaning, err)) ||
        (wants(e, FEATURE_ZERNIKE) && !(t->zernike = zernike_new(ZERNIKE_ORDER, err))))
        return -1;
    label_rows(&d->clusters, n, 1, t->same);
    label_rows(&d->pruned, n, 2, t->meaning);
    for (size_t i = 0; i < n; i++) t->atoms[i] = (uint32_t)dataset_atom_count(d, i);
    if (make_all(t, comm, log, err)) return -1;
    for (size_t i = 0; i < n; i++) good += t->usable[i];
    return good ? 0 : err_set(err, ERR_RANGE, "dataset: no cube could be made of any of its %zu entries", n);
}

void traindata_free(traindata_t *t)
{
    mem_free(t->cubes);
    mem_free(t->features);
    mem_free(t->usable);
    mem_free(t->atoms);
    mem_free(t->log_rg);
    mem_free(t->same);
    mem_free(t->meaning);
    zernike_free(t->zernike);
    *t = (traindata_t){0};
}

typedef struct {
    const model_t *m;
    const membrane_t *span;
    const viewopts_t *o;
    uint64_t seed;
} viewjob_t;

static int view_maker(const void *what, size_t side, cube_t *c, err_t *err)
{
    const viewjob_t *j = what;
    viewopts_t o = *j->o;
    o.side = side;
    return view_make(j->m, j->span, &o, j->seed, c, err);
}

int traindata_view(const traindata_t *t, size_t i, const viewopts_t *o, uint64_t seed, float *cube, float *features, err_t *err)
{
    model_t *m = dataset_model(t->set, i, err);
    int rc = -1;
    double rg = 0;
    for (uint64_t k = 0; m && rc && k < TRIES; k++) {
        viewjob_t job = {m, &t->set->span[i], o, k ? train_mix(seed, k) : seed};
        rc = make(t, view_maker, &job, cube, features, &rg, k + 1 < TRIES ? NULL : err);
    }
    model_free(m);
    return rc;
}

void traindata_cube(const traindata_t *t, const uint8_t *bytes, int k, float *room, float *out)
{
    for (size_t i = 0; i < t->cube; i++) room[i] = (float)bytes[i] * (1.0f / 255);
    encoder_turn(room, t->e->side, k, out);
}
