/* png: an 8-bit picture in one IDAT chunk (see png.h). */
#include "src/png.h"

#include <libdeflate.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"

static void put32(unsigned char *p, uint32_t x)
{
    for (int i = 0; i < 4; i++) p[i] = (unsigned char)(x >> (24 - 8 * i));
}

/* Length, type, data, checksum of both, appended. */
static unsigned char *chunk(unsigned char *at, const char type[4], const unsigned char *data, size_t n)
{
    put32(at, (uint32_t)n);
    memcpy(at + 4, type, 4);
    if (n) memcpy(at + 8, data, n);
    put32(at + 8 + n, libdeflate_crc32(0, at + 4, n + 4));
    return at + 12 + n;
}

static int paeth(int a, int b, int c)
{
    int pa = abs(b - c), pb = abs(a - c), pc = abs(a + b - 2 * c);
    return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

/* Filters of a row: 0 as it is, 1 less the pixel before, 2 less the row above, 4 less the likeliest of these. b: bytes of a pixel; up: the row above, or
 * NULL. Returns the sum of the differences, the least of which packs best as a rule. */
static unsigned long filtered(int filter, const unsigned char *row, const unsigned char *up, size_t n, size_t b, unsigned char *out)
{
    unsigned long sum = 0;
    for (size_t i = 0; i < n; i++) {
        int left = i >= b ? row[i - b] : 0, over = up ? up[i] : 0, corner = up && i >= b ? up[i - b] : 0;
        int guess = filter == 0 ? 0 : filter == 1 ? left : filter == 2 ? over : paeth(left, over, corner);
        out[i] = (unsigned char)(row[i] - guess);
        sum += out[i] < 128 ? out[i] : 256u - out[i];
    }
    return sum;
}

/* All rows, each after the number of its filter. tmp has room for a row. */
static void filter_rows(const unsigned char *px, size_t row, size_t h, size_t b, unsigned char *out, unsigned char *tmp)
{
    static const int filters[] = {0, 1, 2, 4};
    for (size_t y = 0; y < h; y++, out += row + 1) {
        unsigned long least = 0;
        for (size_t k = 0; k < sizeof filters / sizeof *filters; k++) {
            unsigned long sum = filtered(filters[k], px + y * row, y ? px + (y - 1) * row : NULL, row, b, tmp);
            if (k && sum >= least) continue;
            least = sum;
            out[0] = (unsigned char)filters[k];
            memcpy(out + 1, tmp, row);
        }
    }
}

unsigned char *png_pack(const unsigned char *px, size_t w, size_t h, int channels, size_t *n, err_t *err)
{
    static const unsigned char sign[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    unsigned char head[13] = {0}, *rows = NULL, *tmp = NULL, *packed = NULL, *out = NULL;
    struct libdeflate_compressor *z = NULL;
    if (!w || !h || w > PNG_SIDE_MAX || h > PNG_SIDE_MAX)
        return err_set(err, ERR_RANGE, "a picture of %zu x %zu pixels (1 to %d)", w, h, PNG_SIDE_MAX), NULL;
    size_t row = w * (size_t)channels, all = h * (row + 1), room = libdeflate_zlib_compress_bound(NULL, all);
    if (!(rows = mem_new(all, 1, err)) || !(tmp = mem_new(row, 1, err)) || !(packed = mem_new(room, 1, err))) goto done;
    if (!(z = libdeflate_alloc_compressor(6))) {
        err_set(err, ERR_NOMEM, "memory: compression");
        goto done;
    }
    filter_rows(px, row, h, (size_t)channels, rows, tmp);
    size_t size = libdeflate_zlib_compress(z, rows, all, packed, room);
    if (!(out = mem_new(size + 64, 1, err))) goto done;
    put32(head, (uint32_t)w);
    put32(head + 4, (uint32_t)h);
    head[8] = 8; /* bits */
    head[9] = channels == 1 ? 0 : channels == 3 ? 2 : 6;
    memcpy(out, sign, sizeof sign);
    unsigned char *end = chunk(out + sizeof sign, "IHDR", head, sizeof head);
    end = chunk(chunk(end, "IDAT", packed, size), "IEND", head, 0);
    *n = (size_t)(end - out);
done:
    if (z) libdeflate_free_compressor(z);
    mem_free(rows);
    mem_free(tmp);
    mem_free(packed);
    return out;
}

static int write_as(const char *path, const unsigned char *px, size_t w, size_t h, int channels, err_t *err)
{
    outfile_t out = {0};
    err_t why = {0};
    size_t n;
    unsigned char *bytes = png_pack(px, w, h, channels, &n, &why);
    if (!bytes) return err_set(err, why.code, "%s: %s", path, why.msg);
    int rc = outfile_open(&out, path, err);
    if (!rc) {
        fwrite(bytes, 1, n, out.f);
        rc = outfile_close(&out, err);
    }
    mem_free(bytes);
    return rc;
}

int png_write(const char *path, const unsigned char *px, size_t w, size_t h, err_t *err) { return write_as(path, px, w, h, 1, err); }

int png_write_rgb(const char *path, const unsigned char *px, size_t w, size_t h, err_t *err) { return write_as(path, px, w, h, 3, err); }
