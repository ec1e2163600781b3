/* net_conv: one convolution, timed (see net_conv.h). */
#include "tests/bench/net_conv.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "nn/conv.h"
#include "tests/bench/fma.h"
#include "tests/nn_noise.h"

enum { REPEATS_MAX = 200, PEAKS = 15 };
static const double BUDGET = 0.025; /* seconds of repeats */
static const char *const passes[] = {"forward", "data", "weights"};

/* Buffers in the order of `sizes` in setup(). */
enum { X, Y, W, PACKED, BACK, WORK, ACC, BUFFERS };

typedef struct {
    conv_t *c;
    int pass, threads;
    size_t n, xs, ys, nwork, nacc, planes;
    float *buf[BUFFERS];
} task_t;

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double net_peak(void)
{
    double v[PEAKS];
    for (int r = 0; r < PEAKS; r++) {
        double sum = 0;
#pragma omp parallel reduction(+ : sum)
        {
#pragma omp barrier
            sum += fma_peak(isa_best());
        }
        v[r] = sum;
    }
    qsort(v, PEAKS, sizeof *v, ascending);
    return v[PEAKS / 2];
}

static size_t line_up(size_t n)
{
    return (n + 15) / 16 * 16;
}

static int setup(task_t *t, const convshape_t *s, err_t *err)
{
    isa_t isa = isa_best();
    size_t out[3];
    t->c = conv_new(s, isa, CONV_AUTO, err);
    if (!t->c) return -1;
    conv_extent(s, out);
    t->planes = out[0];
    t->threads = omp_get_max_threads();
    t->xs = blocked_size(isa, s->ci, s->in);
    t->ys = blocked_size(isa, s->co, out);
    t->nwork = line_up(conv_work(t->c));
    t->nacc = line_up(conv_acc(t->c));
    size_t threads = (size_t)t->threads, weights = s->co * s->ci * s->side * s->side * s->side;
    size_t sizes[BUFFERS] = {t->n * t->xs, t->n * t->ys, weights, conv_packed(t->c), conv_packed_back(t->c),
                             threads * t->nwork, threads * t->nacc};
    for (int i = 0; i < BUFFERS; i++) {
        t->buf[i] = mem_zero(sizes[i], sizeof(float), err);
        if (!t->buf[i]) return -1;
        if (i < PACKED) noise(passes[i], sizes[i], t->buf[i]);
    }
    conv_pack(t->c, t->buf[W], t->buf[PACKED], t->buf[BACK], t->buf[WORK]);
    return 0;
}

static void teardown(task_t *t)
{
    for (int i = 0; i < BUFFERS; i++) mem_free(t->buf[i]);
    conv_free(t->c);
}

/* Samples s0 <= s < s1 by thread `me`. */
static void share(const task_t *t, size_t s0, size_t s1, size_t me)
{
    float *x = t->buf[X] + s0 * t->xs, *y = t->buf[Y] + s0 * t->ys, *work = t->buf[WORK] + me * t->nwork;
    float *acc = t->buf[ACC] + me * t->nacc;
    if (t->pass == 0) conv_forward(t->c, t->buf[PACKED], s1 - s0, x, t->xs, y, t->ys, 0, t->planes, NULL, work);
    if (t->pass == 1) conv_grad_data(t->c, t->buf[BACK], s1 - s0, y, t->ys, x, t->xs, 0, work);
    if (t->pass == 2) {
        memset(acc, 0, t->nacc * sizeof *acc);
        conv_grad_weight(t->c, s1 - s0, x, t->xs, y, t->ys, acc, work);
    }
}

static void run(const task_t *t)
{
#pragma omp parallel num_threads(t->threads)
    {
        size_t me = (size_t)omp_get_thread_num(), all = (size_t)omp_get_num_threads();
        share(t, t->n * me / all, t->n * (me + 1) / all, me);
        if (t->pass == 2) {
            float *acc = t->buf[ACC];
#pragma omp barrier
#pragma omp for
            for (size_t i = 0; i < t->nacc; i++)
                for (size_t k = 1; k < all; k++) acc[i] += acc[k * t->nacc + i];
        }
    }
    if (t->pass != 2) return;
    const convshape_t *s = conv_shape(t->c);
    memset(t->buf[W], 0, s->co * s->ci * s->side * s->side * s->side * sizeof(float));
    conv_grad_weight_end(t->c, t->buf[ACC], t->buf[W], t->buf[WORK]);
}

double net_conv(const char *task, const char **way, err_t *err)
{
    task_t t = {.pass = -1};
    convshape_t s;
    char pass[16];
    if (sscanf(task, "%15s %zu %zu %zu %zu %zu %zu %zu", pass, &t.n, &s.ci, &s.co, &s.side, &s.stride, &s.pad, &s.in[0]) != 8)
        return err_set(err, ERR_USAGE, "bad task: %s", task);
    for (int i = 0; i < 3; i++)
        if (!strcmp(pass, passes[i])) t.pass = i;
    s.in[1] = s.in[2] = s.in[0];
    double ms = -1, v[REPEATS_MAX];
    int n = 0;
    if (t.pass >= 0 && !setup(&t, &s, err)) {
        run(&t);
        double start = clock_wall();
        while (n < REPEATS_MAX && (!n || clock_wall() - start < BUDGET)) {
            double begin = clock_wall();
            run(&t);
            v[n++] = 1e3 * (clock_wall() - begin);
        }
        qsort(v, (size_t)n, sizeof *v, ascending);
        ms = n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
        *way = conv_way(t.c, t.pass);
    }
    teardown(&t);
    return ms;
}
