/* bench_mrc: seconds to read one map, for tests/bench/read_mrc.py.
 *
 * usage: bench_mrc FILE. Lines "ours SECONDS" (map_read, all threads), "ours1" (one thread), "read" (read(2) of a plain
 * file into fresh memory, one thread), "memcpy" (as many bytes as the volume has, into fresh memory), and for a gzip
 * file "libdeflate" (its decompression alone, into fresh memory), each from the page cache; the best of three. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/threads.h"
#include "mrc/codec.h"
#include "mrc/map.h"

static size_t volume_bytes;

static int by_us(const char *path)
{
    vol_t *v = map_read(path, NULL, NULL, NULL, NULL);
    if (!v) return -1;
    volume_bytes = vol_len(v) * sizeof *v->data;
    vol_free(v);
    return 0;
}

static int by_us_alone(const char *path)
{
    int n = threads_max();
    threads_set(1);
    int rc = by_us(path);
    threads_set(n);
    return rc;
}

static int by_read(const char *path)
{
    char *p = mem_new(volume_bytes, 1, NULL);
    int fd = open(path, O_RDONLY);
    size_t n = 0;
    for (ssize_t k = 1; fd >= 0 && p && k > 0 && n < volume_bytes; n += k > 0 ? (size_t)k : 0) k = read(fd, p + n, volume_bytes - n);
    if (fd >= 0) close(fd);
    mem_free(p);
    return n ? 0 : -1;
}

static char *source;

static int by_memcpy(const char *path)
{
    (void)path;
    char *p = mem_new(volume_bytes, 1, NULL);
    if (!p) return -1;
    memcpy(p, source, volume_bytes);
    volatile char c = p[volume_bytes - 1];
    (void)c;
    mem_free(p);
    return 0;
}

static unsigned char *packed;
static size_t packed_n;

static int by_libdeflate(const char *path)
{
    (void)path;
    size_t got;
    unsigned char *p = mem_new(volume_bytes + 65536, 1, NULL);
    bool ok = p && codec_gzip_whole(packed, packed_n, p, volume_bytes + 65536, &got);
    mem_free(p);
    return ok ? 0 : -1;
}

static void best(const char *name, int (*fn)(const char *), const char *path)
{
    double t = 1e9;
    for (int k = 0; k < 3; k++) {
        double a = clock_wall();
        if (fn(path)) return;
        a = clock_wall() - a;
        if (a < t) t = a;
    }
    printf("%s\t%.6f\n", name, t);
}

int main(int argc, char **argv)
{
    if (argc != 2 || by_us(argv[1])) return 1;
    packed = file_read(argv[1], (size_t)1 << 40, &packed_n, NULL);
    source = mem_zero(volume_bytes, 1, NULL);
    if (!packed || !source) return 1;
    best("ours", by_us, argv[1]);
    best("ours1", by_us_alone, argv[1]);
    if (codec_sniff(packed, packed_n) == CODEC_NONE) best("read", by_read, argv[1]);
    best("memcpy", by_memcpy, argv[1]);
    if (codec_sniff(packed, packed_n) == CODEC_GZIP) best("libdeflate", by_libdeflate, argv[1]);
    mem_free(packed);
    mem_free(source);
    return 0;
}
