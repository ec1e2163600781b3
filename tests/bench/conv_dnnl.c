/* conv_dnnl: time of oneDNN's convolutions. Layouts are its own choice (format_tag any), reorders are not timed.
 * Not part of `make check`: apt-get install libdnnl-dev, make tests/bench/conv_dnnl (OMP_NUM_THREADS: threads).
 *
 * stdin   lines "conv PASS N CI CO SIDE STRIDE PAD D", PASS forward, data or weights, cubes of side D
 * stdout  per line: milliseconds of one run, the median of as many as 25 ms hold, and the implementation; "-" for other
 *         lines */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <oneapi/dnnl/dnnl.h>

#define REPEATS_MAX 200
#define BUDGET 25 /* ms of repeats */

static dnnl_engine_t engine;
static dnnl_stream_t stream;

static void check(dnnl_status_t status, const char *what)
{
    if (status == dnnl_success) return;
    fprintf(stderr, "conv_dnnl: %s: status %d\n", what, (int)status);
    exit(1);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef struct {
    char pass[16];
    long n, ci, co, side, stride, pad, d;
} task_t;

/* Descriptors of x, w, y of a task in any layout. */
static void describe(const task_t *t, dnnl_memory_desc_t md[3])
{
    dnnl_dim_t out = (t->d + 2 * t->pad - t->side) / t->stride + 1;
    dnnl_dims_t x = {t->n, t->ci, t->d, t->d, t->d}, w = {t->co, t->ci, t->side, t->side, t->side}, y = {t->n, t->co, out, out, out};
    check(dnnl_memory_desc_init_by_tag(&md[0], 5, x, dnnl_f32, dnnl_format_tag_any), "x");
    check(dnnl_memory_desc_init_by_tag(&md[1], 5, w, dnnl_f32, dnnl_format_tag_any), "weights");
    check(dnnl_memory_desc_init_by_tag(&md[2], 5, y, dnnl_f32, dnnl_format_tag_any), "y");
}

static dnnl_primitive_desc_t forward_desc(const task_t *t, const dnnl_memory_desc_t md[3], const dnnl_dims_t stride,
                                          const dnnl_dims_t pad)
{
    dnnl_convolution_desc_t d;
    dnnl_primitive_desc_t pd;
    (void)t;
    check(dnnl_convolution_forward_desc_init(&d, dnnl_forward_training, dnnl_convolution_direct, &md[0], &md[1], NULL, &md[2],
                                             stride, pad, pad), "forward");
    check(dnnl_primitive_desc_create(&pd, &d, NULL, engine, NULL), "forward primitive");
    return pd;
}

static dnnl_primitive_desc_t task_desc(const task_t *t)
{
    dnnl_memory_desc_t md[3];
    dnnl_dims_t stride = {t->stride, t->stride, t->stride}, pad = {t->pad, t->pad, t->pad};
    describe(t, md);
    dnnl_primitive_desc_t forward = forward_desc(t, md, stride, pad), pd;
    if (!strcmp(t->pass, "forward")) return forward;
    dnnl_convolution_desc_t d;
    if (!strcmp(t->pass, "data"))
        check(dnnl_convolution_backward_data_desc_init(&d, dnnl_convolution_direct, &md[0], &md[1], &md[2], stride, pad, pad), "data");
    else
        check(dnnl_convolution_backward_weights_desc_init(&d, dnnl_convolution_direct, &md[0], &md[1], NULL, &md[2], stride, pad,
                                                          pad), "weights");
    check(dnnl_primitive_desc_create(&pd, &d, NULL, engine, forward), "backward primitive");
    dnnl_primitive_desc_destroy(forward);
    return pd;
}

/* Memory of a primitive's argument, filled with small numbers. */
static dnnl_memory_t argument(const_dnnl_primitive_desc_t pd, dnnl_query_t what)
{
    const dnnl_memory_desc_t *md = dnnl_primitive_desc_query_md(pd, what, 0);
    dnnl_memory_t m;
    void *p;
    check(dnnl_memory_create(&m, md, engine, DNNL_MEMORY_ALLOCATE), "memory");
    check(dnnl_memory_get_data_handle(m, &p), "memory");
    float *x = p;
    size_t n = dnnl_memory_desc_get_size(md) / sizeof *x;
    unsigned h = 1;
    for (size_t i = 0; i < n; i++) x[i] = (float)((h = h * 1664525u + 1013904223u) >> 8) * 0x1p-24f - 0.5f;
    return m;
}

static void run(const task_t *t)
{
    dnnl_primitive_desc_t pd = task_desc(t);
    dnnl_primitive_t p;
    const char *impl = "";
    check(dnnl_primitive_create(&p, pd), "primitive");
    dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &impl);
    int forward = !strcmp(t->pass, "forward"), data = !strcmp(t->pass, "data");
    dnnl_exec_arg_t a[3] = {
        {data ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC, argument(pd, data ? dnnl_query_diff_src_md : dnnl_query_src_md)},
        {forward || data ? DNNL_ARG_WEIGHTS : DNNL_ARG_DIFF_WEIGHTS,
         argument(pd, forward || data ? dnnl_query_weights_md : dnnl_query_diff_weights_md)},
        {forward ? DNNL_ARG_DST : DNNL_ARG_DIFF_DST, argument(pd, forward ? dnnl_query_dst_md : dnnl_query_diff_dst_md)}};
    double ms[REPEATS_MAX], start = 0;
    int n = 0;
    for (int i = -1; i < REPEATS_MAX && (i < 1 || now() - start < BUDGET); i++) { /* the first one warms up */
        double begin = now();
        check(dnnl_primitive_execute(p, stream, 3, a), "execute");
        check(dnnl_stream_wait(stream), "wait");
        if (i < 0) start = now();
        else ms[n++] = now() - begin;
    }
    qsort(ms, (size_t)n, sizeof *ms, ascending);
    printf("%.6g\t%s\n", n % 2 ? ms[n / 2] : (ms[n / 2 - 1] + ms[n / 2]) / 2, impl);
    fflush(stdout);
    for (int i = 0; i < 3; i++) dnnl_memory_destroy(a[i].memory);
    dnnl_primitive_destroy(p);
    dnnl_primitive_desc_destroy(pd);
}

int main(void)
{
    char line[256];
    task_t t;
    check(dnnl_engine_create(&engine, dnnl_cpu, 0), "engine");
    check(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags), "stream");
    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "conv %15s %ld %ld %ld %ld %ld %ld %ld", t.pass, &t.n, &t.ci, &t.co, &t.side, &t.stride, &t.pad, &t.d) != 8) {
            puts("-");
            fflush(stdout);
            continue;
        }
        run(&t);
    }
    dnnl_stream_destroy(stream);
    dnnl_engine_destroy(engine);
    return 0;
}
