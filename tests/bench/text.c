/* text: the time of sentence_encode(), for tests/bench/text.py.
 *   text [--float] MODEL LIST THREADS   LIST: one text a line. For each line on standard input one run over all texts; prints its
 *                             seconds
 *   text sgemm THREADS        GFLOP/s of OpenBLAS sgemm, one multiplication of 768^3 in each thread, best of many */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/threads.h"
#include "text/sentence.h"

static int sgemm(int threads)
{
    enum { N = 768, REPEATS = 40 };
    double best = 0;
    err_t err = {0};
    float *m = mem_zero((size_t)threads * 3 * N, N * sizeof *m, &err);
    if (!m) return 1;
    for (int r = 0; r < REPEATS; r++) {
        double t = clock_wall();
#pragma omp parallel for schedule(static, 1)
        for (int i = 0; i < threads; i++) {
            float *a = m + (size_t)i * 3 * N * N;
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, N, N, N, 1, a, N, a + N * N, N, 0, a + 2 * N * N, N);
        }
        double rate = 2e-9 * N * N * N * threads / (clock_wall() - t);
        if (rate > best) best = rate;
    }
    printf("%.1f\n", best);
    mem_free(m);
    return 0;
}

static int encode(const char *folder, const char *list, sentencesum_t sum)
{
    err_t err = {0};
    size_t size, n = 0, cap = 0;
    const char **text = NULL;
    char line[16];
    char *bytes = (char *)file_read(list, (size_t)1 << 30, &size, &err);
    sentence_t *s = bytes ? sentence_open_as(folder, sum, &err) : NULL;
    for (char *p = bytes ? strtok(bytes, "\n") : NULL; p && err.code == ERR_OK; p = strtok(NULL, "\n"))
        if (!mem_grow(&text, &cap, n + 1, sizeof *text, &err)) text[n++] = p;
    float *z = err.code == ERR_OK ? mem_new(n, sentence_info(s)->dim * sizeof *z, &err) : NULL;
    while (z && fgets(line, sizeof line, stdin)) {
        double t = clock_wall();
        if (sentence_encode(s, text, n, z, NULL, &err)) break;
        printf("%.6f\n", clock_wall() - t);
        fflush(stdout);
    }
    if (err.code != ERR_OK) fprintf(stderr, "text: %s\n", err.msg);
    mem_free(z);
    mem_free(text);
    mem_free(bytes);
    sentence_close(s);
    return err.code != ERR_OK;
}

int main(int argc, char **argv)
{
    bool real = argc == 5 && !strcmp(argv[1], "--float");
    int threads = argc == 3 || argc == 4 || real ? atoi(argv[argc - 1]) : 0;
    if (threads < 1) {
        fprintf(stderr, "usage: text [--float] MODEL LIST THREADS | text sgemm THREADS\n");
        return 2;
    }
    threads_set(threads);
    openblas_set_num_threads(1);
    return argc == 3 ? sgemm(threads) : encode(argv[argc - 3], argv[argc - 2], real ? SENTENCE_FLOAT : SENTENCE_FIXED);
}
