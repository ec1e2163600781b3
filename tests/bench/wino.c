/* bench/wino: Winograd convolution on one thread: rate of each pass, and the share of each step.
 * Usage: wino [samples (0: the case's own) [repeats [edge of a tile, 2 or 4]]]. Prints a table: GFLOP/s of the direct count (nn/conv.h), median of repeats. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "nn/isa.h"
#include "nn/wino.h"
#include "nn/wino_kern.h"

typedef struct {
    size_t ci, co, side, n;
} case_t;

static const case_t cases[] = {
    {32, 32, 16, 4}, {64, 64, 8, 4}, {128, 128, 4, 4}, {128, 128, 4, 32}, {16, 16, 48, 1}, {16, 32, 24, 1},
    {32, 32, 24, 1}, {64, 64, 12, 2}, {128, 128, 6, 4},
};

enum { REPEATS_MAX = 1000 };

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef struct {
    wino_t w;
    size_t n, xs, ys;
    float *x, *y, *packed, *back, *acc, *work, *weights;
} bench_t;

static void pass(bench_t *b, int what)
{
    const wino_t *w = &b->w;
    switch (what) {
    case 0: wino_forward(w, b->packed, b->n, b->x, b->xs, b->y, b->ys, 0, w->s.in[0], NULL, b->work); break;
    case 1: wino_grad_data(w, b->back, b->n, b->y, b->ys, b->x, b->xs, false, b->work); break;
    case 2: wino_grad_weight(w, b->n, b->x, b->xs, b->y, b->ys, b->acc, b->work); break;
    case 3: wino_pack(w, b->weights, b->packed, b->back, b->work); break;
    default: wino_grad_weight_end(w, b->acc, b->weights, b->work);
    }
}

static double median(bench_t *b, int what, int repeats)
{
    double t[REPEATS_MAX];
    pass(b, what);
    for (int i = 0; i < repeats; i++) {
        double start = clock_cpu();
        pass(b, what);
        t[i] = clock_cpu() - start;
    }
    qsort(t, (size_t)repeats, sizeof *t, by_value);
    return t[repeats / 4];
}

static float *noise(size_t n)
{
    float *p = mem_new(n, sizeof *p, NULL);
    unsigned s = 1;
    if (!p) exit(1);
    for (size_t i = 0; i < n; i++) s = s * 1664525u + 1013904223u, p[i] = (float)(s >> 8) / 8388608.0f - 1;
    return p;
}

static void run(const case_t *c, size_t n, int repeats, size_t edge)
{
    convshape_t s = {c->ci, c->co, 3, 1, 1, {c->side, c->side, c->side}};
    size_t v = c->side * c->side * c->side;
    bench_t b = {.n = n ? n : c->n};
    wino_init(&b.w, &s, isa_best());
    if (edge) b.w.form = b.w.kern->form[edge == 4];
    b.xs = wino_pad(c->ci, b.w.kern->block) * v;
    b.ys = wino_pad(c->co, b.w.kern->block) * v;
    b.x = noise(b.n * b.xs);
    b.y = noise(b.n * b.ys);
    b.weights = noise(c->ci * c->co * 27);
    b.packed = noise(wino_packed(&b.w));
    b.back = noise(wino_packed_back(&b.w));
    b.acc = noise(wino_acc(&b.w));
    b.work = noise(wino_work(&b.w));
    double flops = 54.0 * (double)(c->ci * c->co * v * b.n);
    printf("%zu\t%zu\t%zu\t%zu\t%zu", c->ci, c->co, c->side, b.n, b.w.form->edge);
    for (int p = 0; p < 3; p++) printf("\t%.0f", flops * 1e-9 / median(&b, p, repeats));
    for (int p = 3; p < 5; p++) printf("\t%.3f", 1e3 * median(&b, p, 9));
    printf("\n");
    float *all[] = {b.x, b.y, b.weights, b.packed, b.back, b.acc, b.work};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) mem_free(all[i]);
}

int main(int argc, char **argv)
{
    size_t n = argc > 1 ? (size_t)atoi(argv[1]) : 0;
    int repeats = argc > 2 ? atoi(argv[2]) : 41;
    size_t edge = argc > 3 ? (size_t)atoi(argv[3]) : 0;
    if (repeats < 1 || repeats > REPEATS_MAX) return 2;
    printf("ci\tco\tside\tn\tedge\tforward\tdata\tweights\tpack_ms\tend_ms\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) run(&cases[i], n, repeats, edge);
    return 0;
}
