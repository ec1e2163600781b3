/* fuzz_map: any bytes as a map of any format, by map.h. Under libFuzzer (make fuzz-map) this is the target; compiled with -DREPLAY it
 * is a program that runs it over the files named, or over small maps made here (Situs, OpenDX, SPIDER, EM, HDF5, TIFF; whole, cut, and
 * with single bytes changed), which is what `make check` does; --change SECONDS FILE... changes files at random. MRC has fuzz_mrc, too. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "mrc/map.h"
#include "tests/h5faults.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

/* The first byte chooses the options, the rest is the file. What is read must be what was promised. */
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    if (size < 1) return 0;
    mrc_opts_t o = {.origin = data[0] & 3,
                    .mem_limit = 1 << 20,
                    .volume = data[0] >> 4 & 3,
                    .any_voxel = data[0] >> 2 & 1,
                    .images = data[0] >> 6 & 1,
                    .as_stored = data[0] >> 7};
    map_info_t info = {0};
    notes_t notes = {0};
    err_t err = {0};
    vol_t *v = map_read_mem(data + 1, size - 1, "x", &o, &info, &notes, &err);
    if (!v != (err.code != ERR_OK)) abort();
    if (v) {
        if (!info.format || 4 * vol_len(v) > o.mem_limit) abort();
        for (int k = 0; k < 3; k++)
            if (!(v->voxel[k] > 0 && v->voxel[k] < 1e9) || !(v->origin[k] > -1e15 && v->origin[k] < 1e15)) abort();
        volstat_t s; /* touches every voxel */
        vol_stats(v, &s);
        if (s.bad > vol_len(v)) abort();
    }
    vol_free(v);
    map_info_free(&info);
    notes_free(&notes);
    return 0;
}

#ifdef REPLAY
#include <hdf5.h>
#include <tiffio.h>
#include <time.h>
#include <unistd.h>

#include "tests/fuzz/replay.h"

static uint64_t rng(uint64_t *s) /* xorshift64* */
{
    *s ^= *s >> 12, *s ^= *s << 25, *s ^= *s >> 27;
    return *s * 0x2545f4914f6cdd1du >> 16;
}

enum { SEEDS = 6, ROOM = 1 << 16, SIDE = 4, VOXELS = SIDE * SIDE * SIDE };
static const char *const seed_names[SEEDS] = {"situs", "dx", "spider", "em", "hdf5", "tiff"};

static size_t seed_text(int k, char *out)
{
    int n = k == 0 ? sprintf(out, "2.0 1.0 2.0 3.0 %d %d %d\n\n", SIDE, SIDE, SIDE)
                   : sprintf(out,
                             "# made\nobject 1 class gridpositions counts %d %d %d\norigin 1 2 3\ndelta 2 0 0\ndelta 0 2 0\n"
                             "delta 0 0 2\nobject 2 class gridconnections counts %d %d %d\n"
                             "object 3 class array type double rank 0 items %d data follows\n",
                             SIDE, SIDE, SIDE, SIDE, SIDE, SIDE, VOXELS);
    for (int i = 0; i < VOXELS; i++) n += sprintf(out + n, "%d.5%s", i, i % 3 == 2 ? "\n" : " ");
    if (k) n += sprintf(out + n, "\nattribute \"dep\" string \"positions\"\n");
    return (size_t)n;
}

static size_t seed_spider(unsigned char *out)
{
    float w[256 + VOXELS] = {[0] = SIDE, [1] = SIDE, [4] = 3, [11] = SIDE, [12] = 64, [21] = 1024, [22] = 4 * SIDE, [37] = 2};
    for (int i = 0; i < VOXELS; i++) w[256 + i] = (float)i;
    memcpy(out, w, sizeof w);
    return sizeof w;
}

static size_t seed_em(unsigned char *out)
{
    memset(out, 0, 512 + 4 * VOXELS);
    out[0] = 6, out[3] = 5;
    for (int k = 0; k < 3; k++) out[4 + 4 * k] = SIDE;
    for (int i = 0; i < VOXELS; i++) {
        float x = (float)i;
        memcpy(out + 512 + 4 * i, &x, 4);
    }
    return 512 + 4 * VOXELS;
}

static void seed_hdf5(const char *path)
{
    float v[VOXELS];
    hsize_t n[3] = {SIDE, SIDE, SIDE}, chunk[3] = {2, SIDE, SIDE};
    for (int i = 0; i < VOXELS; i++) v[i] = (float)i;
    hid_t f = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), l = H5Pcreate(H5P_LINK_CREATE), p = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_create_intermediate_group(l, 1);
    H5Pset_chunk(p, 3, chunk);
    H5Pset_deflate(p, 6);
    hid_t s = H5Screate_simple(3, n, NULL), d = H5Dcreate2(f, "/MDF/images/0/image", H5T_IEEE_F32LE, s, l, p, H5P_DEFAULT);
    H5Dwrite(d, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, v);
    H5Dclose(d), H5Sclose(s), H5Pclose(p), H5Pclose(l), H5Fclose(f);
}

static void seed_tiff(const char *path)
{
    TIFF *t = TIFFOpen(path, "w");
    if (!t) return;
    for (int z = 0; z < SIDE; z++) {
        TIFFSetField(t, TIFFTAG_IMAGEWIDTH, SIDE), TIFFSetField(t, TIFFTAG_IMAGELENGTH, SIDE);
        TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, 16), TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, 1);
        TIFFSetField(t, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK), TIFFSetField(t, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
        TIFFSetField(t, TIFFTAG_COMPRESSION, z % 2 ? COMPRESSION_LZW : COMPRESSION_NONE), TIFFSetField(t, TIFFTAG_ROWSPERSTRIP, 2);
        for (int y = 0; y < SIDE; y++) {
            uint16_t row[SIDE] = {(uint16_t)(16 * z + y)};
            TIFFWriteScanline(t, row, (uint32_t)y, 0);
        }
        TIFFWriteDirectory(t);
    }
    TIFFClose(t);
}

/* Seed k: byte 0 the options, then the map. The size; 0: none could be made. */
static size_t seed_make(int k, unsigned char *out)
{
    char path[] = "/tmp/fuzz_map.XXXXXX";
    out[0] = 4; /* no voxel size is no fault */
    switch (k) {
    case 0:
    case 1: return 1 + seed_text(k, (char *)out + 1);
    case 2: return 1 + seed_spider(out + 1);
    case 3: return 1 + seed_em(out + 1);
    default: break;
    }
    int fd = mkstemp(path);
    if (fd < 0) return 0;
    close(fd);
    if (k == 4)
        seed_hdf5(path);
    else
        seed_tiff(path);
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(out + 1, 1, ROOM - 1, f) : 0;
    if (f) fclose(f);
    unlink(path);
    return n ? n + 1 : 0;
}

/* Does a seed read as what it is? */
static int seed_reads(int k, const unsigned char *b, size_t n)
{
    static const char *const format[SEEDS] = {"Situs", "OpenDX", "SPIDER", "EM", "HDF5", "TIFF"};
    mrc_opts_t o = {.any_voxel = true};
    map_info_t info = {0};
    err_t err = {0};
    vol_t *v = map_read_mem(b + 1, n - 1, seed_names[k], &o, &info, NULL, &err);
    int good = v && vol_len(v) == VOXELS && !strcmp(info.format, format[k]);
    if (!good) fprintf(stderr, "%s: %s\n", seed_names[k], v ? "reads as another map" : err.msg);
    vol_free(v);
    map_info_free(&info);
    return good;
}

/* Inputs run; `bad` counts seeds that do not read. */
static size_t corpus_run(unsigned char *b, int *bad)
{
    static const unsigned char odd[] = {0, 1, 0x7f, 0x80, 0xff};
    size_t runs = 0;
    for (int k = 0; k < SEEDS; k++) {
        size_t n = seed_make(k, b);
        *bad += !n || !seed_reads(k, b, n);
        for (size_t cut = 0; cut < n; cut += 1 + n / 16, runs++) LLVMFuzzerTestOneInput(b, n - cut);
        for (size_t at = 0; at < n && at < 2048; at += 1 + n / 1024)
            for (size_t v = 0; v < sizeof odd; v++, runs++) {
                unsigned char old = b[at];
                b[at] = odd[v];
                LLVMFuzzerTestOneInput(b, n);
                b[at] = old;
            }
    }
    return runs;
}

/* The seeds into a folder, for libFuzzer to start from. */
static int corpus_write(unsigned char *b, const char *folder)
{
    for (int k = 0; k < SEEDS; k++) {
        char path[4096];
        size_t n = seed_make(k, b);
        snprintf(path, sizeof path, "%s/%s", folder, seed_names[k]);
        FILE *f = fopen(path, "wb");
        if (!f || !n || fwrite(b, 1, n, f) != n || fclose(f)) {
            fprintf(stderr, "%s: cannot write\n", path);
            return 1;
        }
    }
    return 0;
}

/* For some seconds: copies of files, and of the seed of HDF5, with some bytes changed, or cut. How many, by how they end. */
static int change(long seconds, char *const *path, int n)
{
    enum { MOST = 1 << 20 };
    uint64_t state = 1;
    size_t runs = 0, read = 0, crashed = 0, refused = 0;
    unsigned char *copy = mem_new(MOST + 1, 1, NULL), **seed = mem_zero((size_t)n + 1, sizeof *seed, NULL);
    size_t *size = mem_zero((size_t)n + 1, sizeof *size, NULL);
    if (!copy || !seed || !size || !(seed[n] = mem_zero(ROOM, 1, NULL))) return 1;
    size[n] = seed_make(4, seed[n]);
    for (int i = 0; i < n; i++) {
        err_t err = {0};
        if ((seed[i] = file_read(path[i], MOST, &size[i], &err))) continue;
        fprintf(stderr, "%s\n", err.msg);
        return 1;
    }
    for (time_t end = time(NULL) + seconds; time(NULL) < end; runs++) {
        const int k = (int)(rng(&state) % (uint64_t)(n + 1));
        size_t len = size[k];
        memcpy(copy, seed[k], len);
        for (uint64_t c = 1 + rng(&state) % 6; c; c--) { /* most of what matters lies near a signature or the beginning */
            size_t at = (size_t)(rng(&state) % (rng(&state) % 2 && len > 4096 ? 4096 : len));
            copy[at] = rng(&state) % 3 ? (unsigned char)rng(&state) : (unsigned char)(copy[at] ^ 1u << rng(&state) % 8);
        }
        if (!(rng(&state) % 16)) len = (size_t)(rng(&state) % len);
        mrc_opts_t o = {.mem_limit = 16 << 20, .volume = (long)(rng(&state) % 2), .any_voxel = true, .images = true};
        map_info_t info = {0};
        notes_t notes = {0};
        err_t err = {0};
        vol_t *v = map_read_mem(copy, len, "x", &o, &info, &notes, &err);
        if (!v != (err.code != ERR_OK)) abort();
        read += v != NULL;
        crashed += !v && strstr(err.msg, "crashed");
        refused += !v && !strstr(err.msg, "crashed");
        vol_free(v);
        map_info_free(&info);
        notes_free(&notes);
    }
    printf("%zu files: %zu read, %zu refused, %zu crashed libhdf5 in its fork\n", runs, read, refused, crashed);
    for (int i = 0; i <= n; i++) mem_free(seed[i]);
    mem_free(seed), mem_free(size), mem_free(copy);
    return 0;
}

int main(int argc, char **argv)
{
    static unsigned char b[ROOM];
    if (argc > 2 && !strcmp(argv[1], "--change")) return change(strtol(argv[2], NULL, 10), argv + 3, argc - 3);
    if (argc == 3 && !strcmp(argv[1], "--write")) return corpus_write(b, argv[2]);
    int bad = replay_files(LLVMFuzzerTestOneInput, argv + 1, argc - 1);
    size_t n = argc > 1 ? (size_t)argc - 1 : corpus_run(b, &bad);
    printf("1..1\n%s 1 - %zu inputs\n", bad ? "not ok" : "ok", n);
    return bad != 0;
}
#endif
