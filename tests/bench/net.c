/* net: speed and memory of a network as a whole, for nn.py.
 *
 * usage: net TABLE.json        (OMP_NUM_THREADS: threads)
 *
 * stdin   conv PASS N CI CO SIDE STRIDE PAD D    one convolution (net_conv.h)
 *         infer N    forward of N samples, inference form
 *         train N    a step on N samples: forward, two-sided InfoNCE between the first half and the second, backward,
 *                    clipping, AdamW, packing of the new weights
 *         memory N   two such steps, in a fresh process
 *         flops      of one sample forward
 * stdout  a line each: milliseconds, the way it went, and GFLOP/s of multiply-adds in registers, measured right after;
 *         for memory, peak resident kilobytes before the first step, with parameters and batch made, and after the
 *         second; the count. N of infer, train and memory is the same in one process.
 *
 * Not part of `make check`; make tests/bench/net. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "nn/loss.h"
#include "nn/net.h"
#include "nn/optim.h"
#include "tests/bench/net_conv.h"
#include "tests/nn_noise.h"

static const optopts_t ADAMW = {.beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .decay = 0.05, .clip = 1};
#define RANGES_MAX 4096

/* A block of parameters, the logarithm of the logit scale behind them; a batch; and what a step needs. */
typedef struct {
    net_t *net;
    size_t n, out;
    float *params, *grads, *y, *dy;
    float *in[NET_INPUTS_MAX];
    run_t *infer, *train;
    infonce_t *loss;
    optim_t *optim;
} bench_t;

static void *need(void *p, const err_t *e)
{
    if (p) return p;
    fprintf(stderr, "net: %s\n", e->msg);
    exit(1);
}

static void must(int status, const err_t *e)
{
    if (!status) return;
    fprintf(stderr, "net: %s\n", e->msg);
    exit(1);
}

static float *floats(size_t n)
{
    err_t e = {0};
    return need(mem_zero(n, sizeof(float), &e), &e);
}

static void batch(bench_t *b, size_t n)
{
    if (b->n == n) return;
    if (b->n || !n || n % 2) {
        fprintf(stderr, "net: one even number of samples in a process\n");
        exit(2);
    }
    b->n = n;
    b->out = net_output(b->net)->size;
    b->params = floats(net_size(b->net) + 1);
    noise_fill(b->net, b->params);
    b->params[net_size(b->net)] = 2.6f;
    b->y = floats(n * b->out);
    for (size_t i = 0; i < net_inputs(b->net); i++) {
        const netport_t *p = net_input(b->net, i);
        b->in[i] = floats(n * p->size);
        noise(p->name, n * p->size, b->in[i]);
    }
}

static run_t *runner(const bench_t *b, bool train)
{
    err_t e = {0};
    run_t *r = need(run_new(b->net, &(runopts_t){.batch = b->n, .train = train, .isa = isa_best()}, &e), &e);
    run_load(r, b->params);
    return r;
}

static void trainer(bench_t *b)
{
    err_t e = {0};
    optrange_t range[RANGES_MAX];
    size_t n = net_tensors(b->net), size = net_size(b->net);
    if (n >= RANGES_MAX) exit(2);
    for (size_t i = 0; i < n; i++) {
        const nettensor_t *t = net_tensor(b->net, i);
        range[i] = (optrange_t){t->at, t->size, t->trained, t->decays};
    }
    range[n] = (optrange_t){size, 1, true, false};
    b->train = runner(b, true);
    b->dy = floats(b->n * b->out);
    b->grads = floats(size + 1);
    b->loss = need(infonce_new(&(infonceopts_t){.rows = b->n / 2, .dim = b->out, .both = true}, &e), &e);
    b->optim = need(optim_new(size + 1, range, n + 1, &ADAMW, b->params, &e), &e);
}

static void step(bench_t *b)
{
    err_t e = {0};
    infonceout_t o;
    optstep_t done;
    size_t size = net_size(b->net), half = b->n / 2 * b->out;
    must(run_forward(b->train, (const float *const *)b->in, b->n, 1, b->y, &e), &e);
    must(infonce_run(b->loss, b->n / 2, b->y, b->y + half, NULL, b->params[size], b->dy, b->dy + half, &o, &e), &e);
    memset(b->grads, 0, size * sizeof *b->grads);
    b->grads[size] = (float)o.dscale;
    must(run_backward(b->train, b->dy, b->grads, NULL, &e), &e);
    optim_step(b->optim, b->params, b->grads, 1e-3, &done);
    b->params[size] = infonce_clamp(b->params[size]);
    run_statistics(b->train, b->params);
    run_load(b->train, b->params);
}

static void infer(bench_t *b)
{
    err_t e = {0};
    must(run_forward(b->infer, (const float *const *)b->in, b->n, 0, b->y, &e), &e);
}

static double timed(void (*f)(bench_t *), bench_t *b)
{
    double begin = clock_wall();
    f(b);
    return 1e3 * (clock_wall() - begin);
}

/* Peak of this program: getrusage would count what the parent held when it forked. */
static long peak_kb(void)
{
    char line[256];
    long kb = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "VmHWM: %ld", &kb) == 1) break;
    if (f) fclose(f);
    return kb;
}

static void memory(bench_t *b)
{
    long before = peak_kb();
    trainer(b);
    step(b);
    step(b);
    printf("%ld\t%ld\n", before, peak_kb());
}

static void answer(bench_t *b, const char *line)
{
    err_t e = {0};
    size_t n;
    double ms = -1;
    const char *way = isa_name(isa_best());
    if (!strncmp(line, "conv ", 5)) {
        ms = net_conv(line + 5, &way, &e);
        must(ms < 0 ? -1 : 0, &e);
    } else if (!strncmp(line, "flops", 5)) {
        printf("%.9g\n", net_flops(b->net));
        return;
    } else if (sscanf(line, "infer %zu", &n) == 1) {
        batch(b, n);
        if (!b->infer) b->infer = runner(b, false);
        ms = timed(infer, b);
    } else if (sscanf(line, "train %zu", &n) == 1) {
        batch(b, n);
        if (!b->train) trainer(b);
        ms = timed(step, b);
    } else if (sscanf(line, "memory %zu", &n) == 1) {
        batch(b, n);
        memory(b);
        return;
    }
    if (ms < 0) puts("-");
    else printf("%.6g\t%s\t%.4g\n", ms, way, net_peak());
}

int main(int argc, char **argv)
{
    err_t e = {0};
    bench_t b = {0};
    char line[256];
    size_t size;
    if (argc != 2) {
        fprintf(stderr, "usage: net TABLE.json <TASKS\n");
        return 2;
    }
    char *table = need(file_read(argv[1], 1 << 20, &size, &e), &e);
    b.net = need(net_new(table, &e), &e);
    mem_free(table);
    while (fgets(line, sizeof line, stdin)) {
        answer(&b, line);
        fflush(stdout);
    }
    for (size_t i = 0; i < net_inputs(b.net); i++) mem_free(b.in[i]);
    float *all[] = {b.params, b.grads, b.y, b.dy};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) mem_free(all[i]);
    run_free(b.infer);
    run_free(b.train);
    infonce_free(b.loss);
    optim_free(b.optim);
    net_free(b.net);
    return 0;
}
