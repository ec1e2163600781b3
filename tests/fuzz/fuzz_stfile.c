/* fuzz_stfile: any bytes as a safetensors file. Under libFuzzer (make fuzz-stfile) this is the target; compiled with
 * -DREPLAY it is a program that runs it over the files named, or over a corpus that it makes, which is what `make check`
 * does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "nn/stfile.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static const size_t sizes[ST_COUNT] = {8, 4, 2, 2, 8, 4, 2, 1, 8, 4, 2, 1, 1};

/* What was accepted is what the header promises: tensors in order, no byte of the data left out. */
static void look(const stfile_t *f, const unsigned char *end)
{
    const unsigned char *at = NULL;
    static float out[1 << 16];
    for (size_t i = 0; i < stfile_count(f); i++) {
        const sttensor_t *t = stfile_at(f, i);
        size_t count = 1;
        err_t err = {0};
        for (size_t k = 0; k < t->ndim; k++) count *= t->shape[k];
        if (t->ndim > STFILE_DIMS || (unsigned)t->type >= ST_COUNT || count != t->count) abort();
        if ((at && t->data != at) || stfile_find(f, t->name) != t) abort();
        at = (const unsigned char *)t->data + t->count * sizes[t->type];
        if (t->count > sizeof out / sizeof *out) continue;
        if (!stfile_get(f, t->name, t->ndim, t->shape, out, &err) != (t->type <= ST_BF16)) abort();
    }
    if (at && at != end) abort();
    const char *m = stfile_meta(f, "format");
    if (m && strlen(m) > (size_t)1 << 20) abort();
}

/* First byte even: the rest is a file. Odd: two bytes more are the length of the header, so that it is always right. */
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    unsigned char *b = NULL;
    size_t n;
    err_t err = {0};
    if (size < 3) return 0;
    if (data[0] & 1) {
        size_t len = data[1] | (size_t)data[2] << 8;
        n = size - 3 + 8;
        if (len > size - 3) len = size - 3;
        if (!(b = calloc(1, n))) return 0;
        b[0] = (unsigned char)len, b[1] = (unsigned char)(len >> 8), b[2] = (unsigned char)(len >> 16);
        memcpy(b + 8, data + 3, size - 3);
    } else {
        n = size - 1;
        if (!(b = malloc(n))) return 0;
        memcpy(b, data + 1, n);
    }
    stfile_t *f = stfile_mem("x", b, n, &err);
    if (!f != (err.code != ERR_OK)) abort();
    if (f) look(f, b + n);
    stfile_close(f);
    free(b);
    return 0;
}

#ifdef REPLAY
#include "tests/fuzz/replay.h"

static const char *const seeds[] = {
    "{}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]}}",
    "{\"__metadata__\":{\"format\":\"pt\"},\"b\":{\"dtype\":\"BF16\",\"shape\":[],\"data_offsets\":[16,18]},"
    "\"a\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[0,16]}}  ",
    "{\"h\":{\"dtype\":\"F16\",\"shape\":[3],\"data_offsets\":[0,6]},\"z\":{\"dtype\":\"I64\",\"shape\":[0],\"data_offsets\":[6,6]},"
    "\"u\":{\"dtype\":\"BOOL\",\"shape\":[1,2,1],\"data_offsets\":[6,8]}}",
    "{\"n\\u00e9\":{\"dtype\":\"U8\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0],\"x\":[[[{\"y\":null}]]]}}",
};
static const size_t room[] = {0, 16, 18, 8, 0};
enum { SEEDS = sizeof seeds / sizeof *seeds, MOST = 1024 };

static size_t seed(size_t k, unsigned char *b)
{
    size_t n = strlen(seeds[k]);
    b[0] = 1, b[1] = (unsigned char)n, b[2] = (unsigned char)(n >> 8);
    memcpy(b + 3, seeds[k], n);
    for (size_t i = 0; i < room[k]; i++) b[3 + n + i] = (unsigned char)(i * 41);
    return 3 + n + room[k];
}

/* Every seed whole, cut at each byte, and with each byte changed in turn. */
static size_t corpus_run(void)
{
    static const unsigned char odd[] = {0, '"', '-', '.', '9', '[', '}', 0x7f, 0x80, 0xff};
    unsigned char b[MOST];
    size_t runs = 0;
    for (size_t k = 0; k < SEEDS; k++) {
        size_t n = seed(k, b);
        for (size_t cut = 0; cut < n; cut++, runs++) LLVMFuzzerTestOneInput(b, n - cut);
        for (size_t at = 1; at < n; at++)
            for (size_t v = 0; v < sizeof odd; v++, runs++) {
                unsigned char old = b[at];
                b[at] = odd[v];
                LLVMFuzzerTestOneInput(b, n);
                b[at] = old;
            }
    }
    return runs;
}

static int corpus_write(const char *folder)
{
    unsigned char b[MOST];
    for (size_t k = 0; k < SEEDS; k++) {
        char path[4096];
        size_t n = seed(k, b);
        snprintf(path, sizeof path, "%s/%zu", folder, k);
        FILE *f = fopen(path, "wb");
        if (!f || fwrite(b, 1, n, f) != n || fclose(f)) {
            fprintf(stderr, "%s: cannot write\n", path);
            return 1;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "--write")) return corpus_write(argv[2]);
    int bad = replay_files(LLVMFuzzerTestOneInput, argv + 1, argc - 1);
    size_t n = argc > 1 ? (size_t)argc - 1 : corpus_run();
    printf("1..1\n%s 1 - %zu inputs\n", bad ? "not ok" : "ok", n);
    return bad != 0;
}
#endif
