/* train_start: principal components of the clean cubes by block power iteration, and the differences of views within them (see
 * train_start.h).
 *
 * Letters: D voxels of a cube; k vectors of the iteration, a few more than the d wanted. */
#include "pipeline/train_start.h"

#include <gsl/gsl_cblas.h> /* the declarations alone; the functions are OpenBLAS's */
#include <gsl/gsl_eigen.h>
#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "voxel/turn.h"

enum { MORE = 32, PASSES = 5, BLOCK = 256, ROWS = 32, STRIPE = 512, SAMPLE = 4096 }; /* of a block's rows and of D, what one product takes */
static const double SHRINK = 1; /* of what differences vary by in the mean direction, added to all */
static const double NONE = 1e-6; /* of a vector's length: what is left when all is in those before it */

typedef struct {
    const traindata_t *t;
    size_t *entry, n;  /* of the training split */
    size_t len, k;     /* D, k */
    float *q, *y;      /* (k, D) */
    float *x, *dot;    /* (BLOCK, D), (k, BLOCK) */
} start_t;

/* Length of a row, and the row at length 1; 0 where there is nothing. */
static double to_unit(float *x, size_t n, double least)
{
    double sq = 0;
    for (size_t i = 0; i < n; i++) sq += (double)x[i] * (double)x[i];
    double length = sqrt(sq), f = length > least ? 1 / length : 0;
    for (size_t i = 0; i < n; i++) x[i] = (float)(f * (double)x[i]);
    return length;
}

/* Mean off and of length 1. */
static void centre(float *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)x[i];
    for (size_t i = 0; i < n; i++) x[i] = (float)((double)x[i] - sum / (double)n);
    to_unit(x, n, 0);
}

/* The clean cube of an entry, mean off and of length 1. */
static void centred(const start_t *s, size_t entry, float *x)
{
    const uint8_t *from = s->t->cubes + entry * s->len;
    for (size_t i = 0; i < s->len; i++) x[i] = from[i];
    centre(x, s->len);
}

/* y = q (X^T X), X (n, D) the cubes. */
static void pass(start_t *s)
{
    size_t len = s->len;
    int k = (int)s->k, d = (int)len;
    memset(s->y, 0, s->k * len * sizeof *s->y);
    for (size_t at = 0; at < s->n; at += BLOCK) {
        size_t m = s->n - at < BLOCK ? s->n - at : BLOCK;
#pragma omp parallel for schedule(static)
        for (size_t i = 0; i < m; i++) centred(s, s->entry[at + i], s->x + i * len);
#pragma omp parallel for schedule(static)
        for (size_t i = 0; i < m; i += ROWS)
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, k, (int)(m - i < ROWS ? m - i : ROWS), d, 1, s->q, d, s->x + i * len, d,
                        0, s->dot + i, BLOCK);
#pragma omp parallel for schedule(static)
        for (size_t i = 0; i < len; i += STRIPE)
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, k, (int)(len - i < STRIPE ? len - i : STRIPE), (int)m, 1, s->dot, BLOCK,
                        s->x + i, d, 1, s->y + i, d);
    }
}

/* Rows of q orthogonal and of length 1, by Gram and Schmidt, twice; a row that is in the span of those before it becomes 0. */
static void orthogonal(start_t *s)
{
    for (size_t i = 0; i < s->k; i++) {
        float *row = s->q + i * s->len;
        to_unit(row, s->len, 0);
        for (int twice = 0; twice < 2; twice++) {
            for (size_t j = 0; j < i; j++) {
                const float *other = s->q + j * s->len;
                double dot = 0;
                for (size_t c = 0; c < s->len; c++) dot += (double)row[c] * (double)other[c];
                cblas_saxpy((int)s->len, (float)-dot, other, 1, row, 1);
            }
            to_unit(row, s->len, NONE);
        }
    }
}

/* The d leading combinations of the rows of q, times the scale, to w (d, D): eigenvectors of y q^T = q (X^T X) q^T. */
static int leading(const start_t *s, size_t d, float *w, err_t *err)
{
    size_t k = s->k, len = s->len;
    gsl_matrix *c = gsl_matrix_alloc(k, k), *v = gsl_matrix_alloc(k, k);
    gsl_vector *lambda = gsl_vector_alloc(k);
    gsl_eigen_symmv_workspace *work = gsl_eigen_symmv_alloc(k);
    int rc = c && v && lambda && work ? 0 : err_set(err, ERR_NOMEM, "memory: components of %zu vectors", k);
    for (size_t i = 0; !rc && i < k; i++)
        for (size_t j = 0; j <= i; j++) {
            double dot = cblas_dsdot((int)len, s->y + i * len, 1, s->q + j * len, 1);
            gsl_matrix_set(c, i, j, dot);
            gsl_matrix_set(c, j, i, dot);
        }
    if (!rc && (gsl_eigen_symmv(c, lambda, v, work) || gsl_eigen_symmv_sort(lambda, v, GSL_EIGEN_SORT_VAL_DESC)))
        rc = err_set(err, ERR_RANGE, "components: no convergence");
    memset(w, 0, d * len * sizeof *w);
    for (size_t i = 0; !rc && i < d && i < k; i++)
        for (size_t j = 0; j < k; j++)
            cblas_saxpy((int)len, TRAIN_START_SCALE * (float)gsl_matrix_get(v, j, i), s->q + j * len, 1, w + i * len, 1);
    gsl_matrix_free(c);
    gsl_matrix_free(v);
    gsl_vector_free(lambda);
    gsl_eigen_symmv_free(work);
    return rc;
}

/* x (2, D): the difference between a view of an entry, in the pose that suits its clean cube, and that cube, both centred;
 * 0 where no view can be made. */
static void difference(const start_t *s, size_t entry, const viewopts_t *view, uint64_t seed, float *room, float *x)
{
    float features[64 + ENCODER_ZERNIKE], *clean = x + s->len;
    err_t err = {0};
    centred(s, entry, clean);
    if (traindata_view(s->t, entry, view, seed, room, features, &err)) {
        memset(x, 0, s->len * sizeof *x);
        return;
    }
    centre(room, s->len);
    turn_cube(room, s->t->e->side, encoder_match(room, clean, s->t->e->side), x);
    cblas_saxpy((int)s->len, -1, clean, 1, x, 1);
}

/* out (n, d): differences of one view of each of n entries, within the components w (d, D). */
static int differences(const start_t *s, const size_t *entry, size_t n, const viewopts_t *view, uint64_t seed, const float *w, size_t d,
                       float *out, err_t *err)
{
    size_t threads = (size_t)omp_get_max_threads(), len = s->len;
    float *room = mem_new(threads, 3 * len * sizeof *room, err);
    if (!room) return -1;
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t i = 0; i < n; i++) {
        float *mine = room + (size_t)omp_get_thread_num() * 3 * len;
        difference(s, entry[i], view, train_mix(seed, i), mine, mine + len);
        cblas_sgemv(CblasRowMajor, CblasNoTrans, (int)d, (int)len, 1, w, (int)len, mine + len, 1, 0, out + i * d, 1);
    }
    mem_free(room);
    return 0;
}

/* a (d, d) becomes (C + mean(diagonal of C))^-1/2 at a mean square of 1, C (d, d) the products of the rows of x (n, d). */
static int whitening(const float *x, size_t n, size_t d, float *a, err_t *err)
{
    gsl_matrix *c = gsl_matrix_calloc(d, d), *v = gsl_matrix_alloc(d, d);
    gsl_vector *lambda = gsl_vector_alloc(d);
    gsl_eigen_symmv_workspace *work = gsl_eigen_symmv_alloc(d);
    double trace = 0, sq = 0;
    int rc = c && v && lambda && work ? 0 : err_set(err, ERR_NOMEM, "memory: differences in %zu numbers", d);
    for (size_t i = 0; !rc && i < d; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = 0;
            for (size_t k = 0; k < n; k++) sum += (double)x[k * d + i] * (double)x[k * d + j];
            gsl_matrix_set(c, i, j, sum);
            gsl_matrix_set(c, j, i, sum);
            if (i == j) trace += sum;
        }
    if (!rc && !(trace > 0)) trace = 1;
    for (size_t i = 0; !rc && i < d; i++) gsl_matrix_set(c, i, i, gsl_matrix_get(c, i, i) + SHRINK * trace / (double)d);
    if (!rc && gsl_eigen_symmv(c, lambda, v, work)) rc = err_set(err, ERR_RANGE, "components: no convergence");
    for (size_t k = 0; !rc && k < d; k++) sq += 1 / gsl_vector_get(lambda, k) / (double)d;
    for (size_t i = 0; !rc && i < d; i++)
        for (size_t j = 0; j < d; j++) {
            double sum = 0;
            for (size_t k = 0; k < d; k++)
                sum += gsl_matrix_get(v, i, k) * gsl_matrix_get(v, j, k) / sqrt(gsl_vector_get(lambda, k) * sq);
            a[i * d + j] = (float)sum;
        }
    gsl_matrix_free(c);
    gsl_matrix_free(v);
    gsl_vector_free(lambda);
    gsl_eigen_symmv_free(work);
    return rc;
}

/* NULL: the network has no linear map of the cube. */
static const nettensor_t *skip_of(const encoder_t *e, size_t len)
{
    for (size_t i = 0; i < net_tensors(e->net); i++) {
        const nettensor_t *x = net_tensor(e->net, i);
        if (!strcmp(x->name, TRAIN_LINEAR) && x->ndim == 2 && x->shape[0] == e->d && x->shape[1] == len) return x;
    }
    return NULL;
}

/* Views of SAMPLE entries of the split at most, evenly spread. */
static int whiten(start_t *s, size_t d, const viewopts_t *view, uint64_t seed, float *w, err_t *err)
{
    size_t n = s->n < SAMPLE ? s->n : SAMPLE, *entry = mem_new(n, sizeof *entry, err);
    float *x = mem_new(n, d * sizeof *x, err), *a = mem_new(d, d * sizeof *a, err), *old = mem_new(d, s->len * sizeof *old, err);
    int rc = entry && x && a && old ? 0 : -1;
    for (size_t i = 0; !rc && i < n; i++) entry[i] = s->entry[i * s->n / n];
    if (!rc) rc = differences(s, entry, n, view, seed, w, d, x, err) || whitening(x, n, d, a, err) ? -1 : 0;
    if (!rc) {
        memcpy(old, w, d * s->len * sizeof *old);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)d, (int)s->len, (int)d, 1, a, (int)d, old, (int)s->len, 0, w,
                    (int)s->len);
    }
    mem_free(entry);
    mem_free(x);
    mem_free(a);
    mem_free(old);
    return rc;
}

static int iterate(start_t *s, size_t d, uint64_t seed, float *w, err_t *err)
{
    rng_t r;
    rng_seed(&r, seed);
    for (size_t i = 0; i < s->k * s->len; i++) s->q[i] = (float)rng_normal(&r);
    for (int p = 0; p < PASSES; p++) {
        if (p) memcpy(s->q, s->y, s->k * s->len * sizeof *s->q);
        orthogonal(s);
        pass(s);
    }
    return leading(s, d, w, err);
}

int trainstart_linear(const traindata_t *t, encoder_t *e, const viewopts_t *view, uint64_t seed, err_t *err)
{
    start_t s = {.t = t, .len = t->cube};
    const nettensor_t *skip = skip_of(e, s.len);
    if (!skip) return 0;
    int rc = -1;
    if (!(s.entry = mem_new(t->n, sizeof *s.entry, err))) return -1;
    for (size_t i = 0; i < t->n; i++)
        if (t->usable[i] && t->set->split[i] == SPLIT_TRAIN) s.entry[s.n++] = i;
    s.k = e->d + MORE < s.n ? e->d + MORE : s.n;
    if (s.n && (s.q = mem_new(s.k, s.len * sizeof *s.q, err)) && (s.y = mem_new(s.k, s.len * sizeof *s.y, err)) &&
        (s.x = mem_new(BLOCK, s.len * sizeof *s.x, err)) && (s.dot = mem_new(s.k, BLOCK * sizeof *s.dot, err)))
        rc = iterate(&s, e->d, seed, e->params + skip->at, err) ||
                     (view && whiten(&s, e->d, view, train_mix(seed, 1), e->params + skip->at, err))
                 ? -1
                 : 0;
    if (!s.n) rc = 0; /* traindraw_new() has the message */
    mem_free(s.entry);
    mem_free(s.q);
    mem_free(s.y);
    mem_free(s.x);
    mem_free(s.dot);
    return rc;
}
