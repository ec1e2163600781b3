/* bench_resample FILE SIDE: wall and CPU milliseconds of one run of each part, as TSV; resample.py repeats it.
 * Not part of `make check`; make tests/bench/bench_resample. */
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/threads.h"
#include "mrc/planes.h"
#include "voxel/resample.h"

static void tell(const char *what, double wall, double cpu)
{
    printf("%s\t%.3f\t%.3f\n", what, 1e3 * (clock_wall() - wall), 1e3 * (clock_cpu() - cpu));
}

/* Every byte of v once: what the memory gives. */
static double touch(const vol_t *v)
{
    double sum = 0;
#pragma omp parallel for reduction(+ : sum)
    for (size_t z = 0; z < v->nz; z++) {
        float s[16] = {0};
        const float *p = v->data + z * v->nx * v->ny;
        for (size_t i = 0; i + 16 <= v->nx * v->ny; i += 16)
            for (size_t k = 0; k < 16; k++) s[k] += p[i + k];
        sum += (double)s[0];
    }
    return sum;
}

/* Every section once, by all threads, into the same small buffers. */
static void sections(planes_t *p, const vol_t *shape)
{
#pragma omp parallel
    {
        float *buf = mem_new(shape->nx * shape->ny, sizeof *buf, NULL);
#pragma omp for schedule(dynamic)
        for (size_t z = 0; z < shape->nz; z++)
            if (!buf || planes_read(p, z, 1, buf, NULL)) abort();
        mem_free(buf);
    }
}

int main(int argc, char **argv)
{
    size_t m = argc > 2 ? (size_t)atol(argv[2]) : 64;
    err_t err = {0};
    vol_t shape, *v, *w;
    double t = clock_wall(), c = clock_cpu();
    if (argc < 2 || !(v = mrc_read(argv[1], NULL, NULL, NULL, &err))) {
        fprintf(stderr, "bench_resample FILE SIDE: %s\n", err.msg);
        return 1;
    }
    tell("mrc_read", t, c);
    t = clock_wall(), c = clock_cpu();
    double sum = touch(v);
    tell(isnan(sum) ? "nan" : "touch", t, c);
    t = clock_wall(), c = clock_cpu();
    w = resample_box(v, m, m, m, &err);
    tell("resample_box", t, c);
    vol_free(v);
    vol_free(w);
    t = clock_wall(), c = clock_cpu();
    planes_t *p = planes_open(argv[1], NULL, &shape, NULL, &err);
    if (!p) return 1;
    sections(p, &shape);
    tell("sections", t, c);
    t = clock_wall(), c = clock_cpu();
    resample_t *r = resample_begin(&shape, m, m, m, &err);
    w = r && !resample_from(r, planes_read, p, &err) ? resample_end(r, &err) : NULL;
    tell(w ? "read+resample" : "failed", t, c);
    resample_free(r);
    planes_close(p);
    vol_free(w);
    return 0;
}
