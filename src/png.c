/* png: an 8-bit picture, unfiltered, in one IDAT chunk (see png.h). */
#include "src/png.h"

#include <libdeflate.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"

static void put32(unsigned char *p, uint32_t x)
{
    for (int i = 0; i < 4; i++) p[i] = (unsigned char)(x >> (24 - 8 * i));
}

/* Length, type, data, checksum of both. */
static void chunk(FILE *f, const char type[4], const unsigned char *data, size_t n)
{
    unsigned char b[8], end[4];
    put32(b, (uint32_t)n);
    memcpy(b + 4, type, 4);
    put32(end, libdeflate_crc32(libdeflate_crc32(0, type, 4), data, n));
    fwrite(b, 1, sizeof b, f);
    fwrite(data, 1, n, f);
    fwrite(end, 1, sizeof end, f);
}

/* colour: 0 grey, one byte a pixel; 2 red, green, blue. */
static int write_as(const char *path, const unsigned char *px, size_t w, size_t h, unsigned char colour, err_t *err)
{
    static const unsigned char sign[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    unsigned char head[13] = {0}, *rows = NULL, *packed = NULL;
    struct libdeflate_compressor *z = NULL;
    outfile_t out = {0};
    int rc = -1;
    if (!w || !h || w > PNG_SIDE_MAX || h > PNG_SIDE_MAX)
        return err_set(err, ERR_RANGE, "%s: a picture of %zu x %zu pixels (1 to %d)", path, w, h, PNG_SIDE_MAX);
    size_t row = w * (colour ? 3 : 1), n = h * (row + 1), room = libdeflate_zlib_compress_bound(NULL, n);
    if (!(rows = mem_new(n, 1, err)) || !(packed = mem_new(room, 1, err))) goto done;
    if (!(z = libdeflate_alloc_compressor(9))) {
        err_set(err, ERR_NOMEM, "memory: compression");
        goto done;
    }
    for (size_t y = 0; y < h; y++) { /* filter 0 before each row */
        rows[y * (row + 1)] = 0;
        memcpy(rows + y * (row + 1) + 1, px + y * row, row);
    }
    size_t size = libdeflate_zlib_compress(z, rows, n, packed, room);
    put32(head, (uint32_t)w);
    put32(head + 4, (uint32_t)h);
    head[8] = 8; /* bits */
    head[9] = colour;
    if (outfile_open(&out, path, err)) goto done;
    fwrite(sign, 1, sizeof sign, out.f);
    chunk(out.f, "IHDR", head, sizeof head);
    chunk(out.f, "IDAT", packed, size);
    chunk(out.f, "IEND", head, 0);
    rc = outfile_close(&out, err);
done:
    if (z) libdeflate_free_compressor(z);
    mem_free(rows);
    mem_free(packed);
    return rc;
}

int png_write(const char *path, const unsigned char *px, size_t w, size_t h, err_t *err) { return write_as(path, px, w, h, 0, err); }

int png_write_rgb(const char *path, const unsigned char *px, size_t w, size_t h, err_t *err) { return write_as(path, px, w, h, 2, err); }
