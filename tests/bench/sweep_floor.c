/* sweep_floor: what no sweep can be faster than: the files of a manifest read and decompressed by libdeflate on all cores, and nothing else.
 *     make tests/bench/sweep_floor && tests/bench/sweep_floor MANIFEST
 * Prints files, bytes read, bytes decompressed, seconds, seconds of CPU. Files that are no gzip are read. */
#include <libdeflate.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "pipeline/manifest.h"

/* Bytes that a gzip file of one member says it holds. */
static size_t held(const unsigned char *p, size_t n)
{
    return (size_t)p[n - 4] | (size_t)p[n - 3] << 8 | (size_t)p[n - 2] << 16 | (size_t)p[n - 1] << 24;
}

int main(int argc, char **argv)
{
    manifest_t m = {0};
    err_t err = {0};
    size_t read = 0, made = 0, failed = 0;
    if (argc != 2 || manifest_add(&m, argv[1], NULL, &err)) {
        fprintf(stderr, "sweep_floor: %s\n", err.code ? err.msg : "one manifest is wanted");
        return 2;
    }
    const double start = clock_wall();
#pragma omp parallel reduction(+ : read, made, failed)
    {
        struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
        unsigned char *room = NULL;
        size_t cap = 0;
#pragma omp for schedule(dynamic, 1)
        for (size_t i = 0; i < m.n; i++) {
            size_t n, got = 0;
            unsigned char *p = file_read(m.item[i].path, (size_t)1 << 36, &n, NULL);
            const bool gz = p && n > 18 && p[0] == 0x1f && p[1] == 0x8b;
            if (gz && (mem_grow(&room, &cap, held(p, n), 1, NULL) || libdeflate_gzip_decompress(d, p, n, room, cap, &got) != LIBDEFLATE_SUCCESS)) failed++;
            failed += !p;
            read += p ? n : 0;
            made += gz ? got : p ? n : 0;
            mem_free(p);
        }
        libdeflate_free_decompressor(d);
        mem_free(room);
    }
    printf("%zu\t%zu\t%zu\t%.3f\t%.3f\n", m.n, read, made, clock_wall() - start, clock_cpu());
    manifest_free(&m);
    return failed != 0;
}
