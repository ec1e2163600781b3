/* corpus_mrc: the seeds of fuzz_mrc, made here: a small file of every kind, whole and cut, every byte of the first
 * header changed in turn, and each file compressed in each way. */
#ifndef CRYOLEX_TESTS_FUZZ_CORPUS_MRC_H
#define CRYOLEX_TESTS_FUZZ_CORPUS_MRC_H

#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "base/file.h"
#include "tests/mrcfile.h"

enum { CORPUS_KINDS = 24, CORPUS_WAYS = 5, CORPUS_MAX = 1 << 16 };

/* File number k: byte 0 the options, then the map. The size. */
static size_t corpus_make(size_t k, unsigned char *out)
{
    static const int modes[] = {0, 1, 2, 6, 12, 101}, crs[][3] = {{1, 2, 3}, {3, 1, 2}, {2, 1, 3}, {3, 2, 1}};
    mrcfile_t m = mrcfile_good();
    size_t n;
    m.mode = modes[k % 6];
    memcpy(m.crs, crs[k / 6 % 4], sizeof m.crs);
    m.big = k % 5 == 1;
    m.ext = k % 7 == 2 ? 80 : 0;
    if (k % 3 == 2) m.angle[2] = 120;
    unsigned char *b = mrcfile_make(&m, &n);
    if (k % 8 == 3) poke32(b, 88, 401, m.big);
    if (k % 8 == 4) poke32(b, 36, 1, m.big);
    if (k % 8 == 5) memset(b + 208, 0, 8);
    out[0] = (unsigned char)(k * 37);
    memcpy(out + 1, b, n);
    free(b);
    return n + 1;
}

/* The same compressed: way 0 plain, 1 gzip, 2 bzip2, 3 xz, 4 zstd. */
static size_t corpus_pack(int way, const unsigned char *in, size_t n, unsigned char *out)
{
    size_t room = CORPUS_MAX - 1, got = 0;
    unsigned small = (unsigned)room;
    out[0] = in[0];
    z_stream z = {0};
    switch (way) {
    case 1:
        assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
        z.next_in = (unsigned char *)(uintptr_t)(in + 1), z.avail_in = (unsigned)(n - 1);
        z.next_out = out + 1, z.avail_out = small;
        deflate(&z, Z_FINISH);
        got = room - z.avail_out;
        deflateEnd(&z);
        break;
    case 2:
        BZ2_bzBuffToBuffCompress((char *)out + 1, &small, (char *)(uintptr_t)(in + 1), (unsigned)(n - 1), 1, 0, 0);
        got = small;
        break;
    case 3: (void)!lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, NULL, in + 1, n - 1, out + 1, &got, room); break;
    case 4: got = ZSTD_compress(out + 1, room, in + 1, n - 1, 1); break;
    default: memcpy(out + 1, in + 1, n - 1); got = n - 1;
    }
    return got + 1;
}

static size_t corpus_run(int (*fn)(const unsigned char *, size_t))
{
    static const unsigned char odd[] = {0, 1, 0x7f, 0x80, 0xff};
    unsigned char *b = malloc(CORPUS_MAX), *z = malloc(CORPUS_MAX);
    size_t runs = 0;
    for (size_t k = 0; k < CORPUS_KINDS; k++)
        for (int way = 0; way < CORPUS_WAYS; way++) {
            size_t n = corpus_make(k, b), m = corpus_pack(way, b, n, z);
            for (size_t cut = 0; cut <= m; cut += 1 + m / 8, runs++) fn(z, m - cut);
        }
    size_t n = corpus_make(2, b);
    for (size_t at = 1; at <= 256; at++)
        for (size_t v = 0; v < sizeof odd; v++, runs++) {
            unsigned char old = b[at];
            b[at] = odd[v];
            fn(b, n);
            b[at] = old;
        }
    free(b), free(z);
    return runs;
}

/* The whole files into a folder, for libFuzzer to start from. */
static int corpus_write(const char *folder)
{
    unsigned char *b = malloc(CORPUS_MAX), *z = malloc(CORPUS_MAX);
    for (size_t k = 0; k < CORPUS_KINDS; k++)
        for (int way = 0; way < CORPUS_WAYS; way++) {
            char path[4096];
            size_t n = corpus_make(k, b), m = corpus_pack(way, b, n, z);
            snprintf(path, sizeof path, "%s/%02zu-%d", folder, k, way);
            FILE *f = fopen(path, "wb");
            if (!f || fwrite(z, 1, m, f) != m || fclose(f)) {
                fprintf(stderr, "%s: cannot write\n", path);
                return 1;
            }
        }
    free(b), free(z);
    return 0;
}

#endif
