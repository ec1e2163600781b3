/* peak: what this machine can do, to measure kernels by: multiply-adds in registers, and reading and writing memory of the
 * size of each cache, with 1 to N threads. TSV: what, threads, median, unit, spread (quartiles over the median).
 *     make tests/bench/peak && tests/bench/peak [THREADS] */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/bench/fma.h"

enum { REPEATS = 51 };

static int order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void tell(const char *what, int threads, double *v, const char *unit)
{
    qsort(v, REPEATS, sizeof *v, order);
    double mid = v[REPEATS / 2];
    printf("%s\t%d\t%.1f\t%s\t%.3f\n", what, threads, mid, unit, (v[REPEATS * 3 / 4] - v[REPEATS / 4]) / mid);
    fflush(stdout);
}

static void multiply_adds(int threads)
{
    double v[REPEATS];
    for (int r = 0; r < REPEATS; r++) {
        double sum = 0;
#pragma omp parallel num_threads(threads) reduction(+ : sum)
        {
#pragma omp barrier
            sum += fma_peak(isa_best());
        }
        v[r] = sum;
    }
    tell("multiply-add", threads, v, "GFLOP/s");
}

/* Each thread its own `bytes`, gone over often enough to take a while. */
static void memory(const char *what, size_t bytes, int threads, int write)
{
    size_t n = bytes / sizeof(float), turns = (16u << 20) / bytes + 1;
    double v[REPEATS] = {0};
    char name[64];
#pragma omp parallel num_threads(threads)
    {
        float *p = mem_zero(n, sizeof *p, NULL);
        if (!p) abort();
        for (int r = 0; r < REPEATS; r++) {
#pragma omp barrier
            double t = fma_clock();
            volatile float sink = 0;
            for (size_t k = 0; k < turns; k++) {
                __asm__ volatile("" ::: "memory"); /* every turn counts */
                if (write) memset(p, (int)k & 1, bytes);
                else sink = fma_read(isa_best(), p, n);
            }
            (void)sink;
            t = fma_clock() - t;
#pragma omp critical
            v[r] += (double)(turns * bytes) / t * 1e-9;
        }
        mem_free(p);
    }
    snprintf(name, sizeof name, "%s %s", write ? "write" : "read", what);
    tell(name, threads, v, "GB/s");
}

static size_t cache(int level, size_t otherwise)
{
    long n = sysconf(level);
    return n > 0 ? (size_t)n : otherwise;
}

int main(int argc, char **argv)
{
    int most = argc > 1 ? atoi(argv[1]) : omp_get_max_threads();
    size_t l1 = cache(_SC_LEVEL1_DCACHE_SIZE, 32u << 10), l2 = cache(_SC_LEVEL2_CACHE_SIZE, 512u << 10);
    size_t l3 = cache(_SC_LEVEL3_CACHE_SIZE, 8u << 20);
    printf("what\tthreads\tmedian\tunit\tspread\n");
    for (int t = 1; t <= most; t++) {
        multiply_adds(t);
        for (int write = 0; write < 2; write++) {
            memory("L1", l1 / 2, t, write);
            memory("L2", l2 / 2, t, write);
            memory("L3", l3 / 4 / (size_t)t, t, write);
            memory("DRAM", 4 * l3, t, write);
        }
    }
    return 0;
}
