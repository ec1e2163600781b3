/* Speed of nn/topk, for tests/bench/topk.py: topk BASE.npy QUERIES.npy [cpu]. Every line "BATCHES BATCH K PASS PACKED" on standard input runs
 * so many batches of BATCH queries, from the first query on, and is answered by the seconds of each, of all threads' CPU time with `cpu`, and what ran; the hits of the last one go to HITS,
 * if a sixth word names that file, as int64 (BATCH,K). */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/threads.h"
#include "nn/topk.h"
#include "pipeline/matrix.h"

static void fail(const err_t *err)
{
    fprintf(stderr, "%s\n", err->msg);
    exit(1);
}

static void write_hits(const char *path, const topk_t *t, size_t b, size_t k)
{
    near_t *hit = malloc(k * sizeof *hit);
    FILE *f = fopen(path, "wb");
    if (!f || !hit) exit(1);
    for (size_t i = 0; i < b; i++) {
        size_t n = topk_hits(t, i, hit);
        for (size_t j = 0; j < k; j++) {
            int64_t row = j < n ? (int64_t)hit[j].row : -1;
            fwrite(&row, sizeof row, 1, f);
        }
    }
    if (fclose(f)) exit(1);
    free(hit);
}

int main(int argc, char **argv)
{
    err_t err = {0};
    matrix_t base, query;
    char line[4096], path[4096], name[32];
    size_t batches, b, k;
    int pass, packed;
    topkpack_t pack = {0};
    if (argc < 3 || argc > 4 || matrix_open(argv[1], MATRIX_ROWS, &base, &err) || matrix_open(argv[2], MATRIX_ROWS, &query, &err)) fail(&err);
    double (*const now)(void) = argc > 3 ? clock_cpu : clock_wall;
    threads_set(0);
    topkbase_t part = {.n = base.n, .d = base.d, .f = base.f, .h = base.h};
    while (fgets(line, sizeof line, stdin)) {
        *path = 0;
        if (sscanf(line, "%zu %zu %zu %d %d %4095s", &batches, &b, &k, &pass, &packed, path) < 5 || batches * b > query.n) return 2;
        if (packed && !pack.n) {
            double t = clock_wall();
            if (topk_pack(&part, &pack, &err)) fail(&err);
            fprintf(stderr, "packed in %.2f s\n", clock_wall() - t);
        }
        part.pack = packed ? &pack : NULL;
        for (size_t i = 0; i < batches; i++) {
            double start = now();
            topk_t *t = topk_new(query.f + i * b * query.d, b, query.d, k, (topkpass_t)pass, &err);
            if (!t || topk_look(t, &part, &err)) fail(&err);
            printf("%.6f ", now() - start);
            if (*path && i + 1 == batches) write_hits(path, t, b, k);
            topk_free(t);
        }
        printf("%s\n", topk_pass_name((topkpass_t)pass, b, packed, name));
        fflush(stdout);
    }
    topk_unpack(&pack);
    matrix_close(&base);
    matrix_close(&query);
    return 0;
}
