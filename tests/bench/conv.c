/* conv: speed of convolutions, as TSV. Per shape, pass and way: GFLOP/s (of the definition, whatever the way) and milliseconds
 * a batch, medians; spread (quartiles over the median); the best repeat's GFLOP/s; and what per cent median and best are of
 * the multiply-adds that the same threads did in registers between the repeats. One thread is timed by its CPU clock,
 * several by the wall; on a machine with neighbours the best repeat says more than the median.
 * Shapes: ci,co,side,stride,pad,extent; without any, those of the default network and of nn/'s goals.
 *     make tests/bench/conv && tests/bench/conv --threads 1 16,32,3,1,1,24 */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/rng.h"
#include "nn/conv.h"
#include "tests/bench/fma.h"

enum { REPEATS_MAX = 999 };
static const double SHORTEST = 1e-3; /* seconds of a repeat */

typedef struct {
    long threads, batch, repeats;
    const char *way, *pass;
} opts_t;

static const opt_t rows[] = {
    {'t', "threads", OPT_INT, offsetof(opts_t, threads), "N", 1, 1024, NULL, "1", "threads; samples are shared out among them"},
    {'b', "batch", OPT_INT, offsetof(opts_t, batch), "N", 1, 65536, NULL, "8", "samples"},
    {'r', "repeats", OPT_INT, offsetof(opts_t, repeats), "N", 1, REPEATS_MAX, NULL, "31", "repeats"},
    {'w', "way", OPT_STR, offsetof(opts_t, way), "W", 0, 0, NULL, NULL, "auto, direct or winograd only"},
    {'p', "pass", OPT_STR, offsetof(opts_t, pass), "P", 0, 0, NULL, NULL, "forward, data or weights only"},
    {0},
};

static const char *const ways[] = {"auto", "direct", "winograd"}, *const passes[] = {"forward", "data", "weights"};

static const convshape_t goals[] = {
    {1, 32, 5, 2, 2, {32, 32, 32}},  {32, 32, 3, 1, 1, {16, 16, 16}}, {32, 64, 3, 2, 1, {16, 16, 16}}, {64, 64, 3, 1, 1, {8, 8, 8}},
    {64, 128, 3, 2, 1, {8, 8, 8}},   {128, 128, 3, 1, 1, {4, 4, 4}},  {1, 16, 3, 1, 1, {48, 48, 48}},  {16, 16, 3, 1, 1, {48, 48, 48}},
    {16, 32, 3, 2, 1, {32, 32, 32}}, {16, 32, 3, 1, 1, {24, 24, 24}}, {32, 32, 3, 1, 1, {24, 24, 24}}, {64, 64, 3, 1, 1, {12, 12, 12}},
    {128, 128, 3, 1, 1, {6, 6, 6}},
};

/* Everything of one shape: activations of the batch, weights, per thread workspace and acc. */
typedef struct {
    conv_t *c;
    size_t n, xs, ys, nwork, nacc;
    float *x, *y, *dx, *w, *packed, *back, *work, *acc;
} bench_t;

static float *noise(rng_t *rng, size_t n)
{
    float *p = mem_new(n, sizeof *p, NULL);
    for (size_t i = 0; p && i < n; i++) p[i] = (float)rng_unit(rng) - 0.5f;
    return p;
}

static int bench_new(bench_t *b, const convshape_t *s, isa_t isa, convway_t way, const opts_t *o, err_t *err)
{
    size_t out[3], t = (size_t)o->threads;
    rng_t rng;
    rng_seed(&rng, 1);
    *b = (bench_t){.c = conv_new(s, isa, way, err), .n = (size_t)o->batch};
    if (!b->c) return -1;
    conv_extent(s, out);
    b->xs = blocked_size(isa, s->ci, s->in);
    b->ys = blocked_size(isa, s->co, out);
    b->nwork = (conv_work(b->c) + 15) / 16 * 16;
    b->nacc = (conv_acc(b->c) + 15) / 16 * 16;
    b->x = noise(&rng, b->n * b->xs);
    b->y = noise(&rng, b->n * b->ys);
    b->dx = noise(&rng, b->n * b->xs);
    b->w = noise(&rng, s->ci * s->co * s->side * s->side * s->side);
    b->packed = mem_new(conv_packed(b->c), sizeof(float), NULL);
    b->back = mem_new(conv_packed_back(b->c), sizeof(float), NULL);
    b->work = mem_zero(t * b->nwork, sizeof(float), NULL);
    b->acc = mem_zero(t * b->nacc, sizeof(float), NULL);
    if (!b->x || !b->y || !b->dx || !b->w || !b->packed || !b->back || !b->work || !b->acc) return err_set(err, ERR_NOMEM, "no memory");
    conv_pack(b->c, b->w, b->packed, b->back, b->work);
    return 0;
}

static void bench_free(bench_t *b)
{
    float *all[] = {b->x, b->y, b->dx, b->w, b->packed, b->back, b->work, b->acc};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) mem_free(all[i]);
    conv_free(b->c);
}

static void one_pass(const bench_t *b, int pass, size_t s0, size_t n, size_t thread)
{
    size_t out[3];
    conv_extent(conv_shape(b->c), out);
    const float *x = b->x + s0 * b->xs;
    float *y = b->y + s0 * b->ys, *work = b->work + thread * b->nwork;
    if (pass == 0) conv_forward(b->c, b->packed, n, x, b->xs, y, b->ys, 0, out[0], NULL, work);
    if (pass == 1) conv_grad_data(b->c, b->back, n, y, b->ys, b->dx + s0 * b->xs, b->xs, 0, work);
    if (pass == 2) conv_grad_weight(b->c, n, x, b->xs, y, b->ys, b->acc + thread * b->nacc, work);
}

/* Seconds of a batch; *peak: GFLOP/s of all threads in registers, before it. */
static double repeat(const bench_t *b, int pass, int threads, size_t turns, isa_t isa, double *peak)
{
    double t = 0, sum = 0;
#pragma omp parallel num_threads(threads) reduction(+ : sum) reduction(max : t)
    {
        size_t me = (size_t)omp_get_thread_num(), all = (size_t)threads;
        size_t s0 = b->n * me / all, s1 = b->n * (me + 1) / all;
#pragma omp barrier
        sum += fma_peak(isa);
#pragma omp barrier
        double t0 = threads > 1 ? clock_wall() : fma_clock();
        for (size_t k = 0; k < turns && s1 > s0; k++) one_pass(b, pass, s0, s1 - s0, me);
#pragma omp barrier
        t = (threads > 1 ? clock_wall() : fma_clock()) - t0;
    }
    *peak = sum;
    return t / (double)turns;
}

static int order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(const bench_t *b, int pass, const opts_t *o, isa_t isa, const char *way)
{
    const convshape_t *s = conv_shape(b->c);
    double v[REPEATS_MAX], peak[REPEATS_MAX], t = repeat(b, pass, (int)o->threads, 1, isa, peak);
    t = repeat(b, pass, (int)o->threads, 1, isa, peak);
    size_t turns = (size_t)(SHORTEST / t) + 1, n = (size_t)o->repeats;
    for (size_t r = 0; r < n; r++) v[r] = repeat(b, pass, (int)o->threads, turns, isa, &peak[r]);
    qsort(v, n, sizeof *v, order);
    qsort(peak, n, sizeof *peak, order);
    double gflops = conv_flops(s) * (double)b->n / v[n / 2] * 1e-9;
    double best = conv_flops(s) * (double)b->n / v[0] * 1e-9;
    printf("%zu\t%zu\t%zu\t%zu\t%zu\t%zu\t%s\t%s\t%s\t%s\t%ld\t%ld\t%.1f\t%.4f\t%.3f\t%.1f\t%.1f\t%.1f\n", s->ci, s->co, s->side, s->stride, s->pad,
           s->in[0], passes[pass], way, conv_way(b->c, pass), isa_name(isa), o->threads, o->batch, gflops, v[n / 2] * 1e3,
           (v[n * 3 / 4] - v[n / 4]) / v[n / 2], best, 100 * gflops / peak[n / 2], 100 * best / peak[n / 2]);
    fflush(stdout);
}

static int shape(const convshape_t *s, const opts_t *o, isa_t isa)
{
    for (int w = CONV_AUTO; w <= CONV_WINOGRAD; w++) {
        bench_t b;
        err_t err = {0};
        if (o->way ? strcmp(o->way, ways[w]) != 0 : w == CONV_AUTO) continue;
        int failed = bench_new(&b, s, isa, (convway_t)w, o, &err);
        for (int p = 0; !failed && p < 3; p++)
            if (!o->pass || !strcmp(o->pass, passes[p])) measure(&b, p, o, isa, ways[w]);
        bench_free(&b);
        if (failed && err.code != ERR_UNSUP) {
            fprintf(stderr, "conv: %s\n", err.msg);
            return 1;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    opts_t o = {0};
    err_t err = {0};
    int first, failed = 0;
    bool help;
    isa_t isa = isa_best();
    opt_defaults(rows, &o);
    if (opt_parse(rows, &o, NULL, NULL, argc, argv, &first, &help, &err) || help) {
        fprintf(stderr, "conv [options] [ci,co,side,stride,pad,extent ...] %s\n", err.msg);
        opt_help(rows, stderr);
        return 2;
    }
    printf("ci\tco\tside\tstride\tpad\textent\tpass\tasked\tway\tkernel\tthreads\tbatch\tgflops\tms\tspread\tbest\tpeak_percent\tbest_percent\n");
    for (size_t i = 0; first == argc && i < sizeof goals / sizeof *goals; i++) failed |= shape(&goals[i], &o, isa);
    for (int i = first; i < argc; i++) {
        convshape_t s;
        if (sscanf(argv[i], "%zu,%zu,%zu,%zu,%zu,%zu", &s.ci, &s.co, &s.side, &s.stride, &s.pad, &s.in[0]) != 6) {
            fprintf(stderr, "conv: %s is no shape (ci,co,side,stride,pad,extent)\n", argv[i]);
            return 2;
        }
        s.in[1] = s.in[2] = s.in[0];
        failed |= shape(&s, &o, isa);
    }
    return failed;
}
