/* gz: whole files in, gzip or not (see gz.h). */
#include "base/gz.h"

#include <libdeflate.h>
#include <stdbool.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"

enum { MEMBER_MIN = 18, RATIO_MAX = 1032 }; /* bytes; the most that deflate makes of one byte */

typedef struct {
    unsigned char *out;
    size_t n, cap;
} buf_t;

static bool is_gzip(const unsigned char *p, size_t n) { return n >= 3 && p[0] == 0x1f && p[1] == 0x8b && p[2] == 0x08; }

/* The size that the last member claims (modulo 2^32): a first guess for the whole. */
static size_t claimed(const unsigned char *in, size_t n)
{
    const unsigned char *p = in + n - 4;
    return (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
}

/* Member at in[0..n-1] behind what out holds; *used bytes of input. */
static int member(struct libdeflate_decompressor *d, const char *path, const unsigned char *in, size_t n, size_t max,
                  buf_t *b, size_t *used, err_t *err)
{
    for (;;) {
        size_t got;
        enum libdeflate_result rc =
            libdeflate_gzip_decompress_ex(d, in, n, b->out + b->n, b->cap - b->n, used, &got);
        if (rc == LIBDEFLATE_SUCCESS) {
            b->n += got;
            return 0;
        }
        if (rc != LIBDEFLATE_INSUFFICIENT_SPACE)
            return err_set(err, ERR_FORMAT, "%s: gzip data damaged or cut short", path);
        if (b->cap > max) return err_set(err, ERR_RANGE, "%s: holds more than %zu bytes", path, max);
        size_t want = b->cap > max / 2 ? max + 1 : 2 * b->cap;
        if (mem_grow(&b->out, &b->cap, want, 1, err)) return -1;
    }
}

static int inflate_all(const char *path, const unsigned char *in, size_t n, size_t max, buf_t *b, err_t *err)
{
    struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
    size_t most = n < max / RATIO_MAX ? n * RATIO_MAX : max, want = n < MEMBER_MIN ? 0 : claimed(in, n);
    int rc = d ? 0 : err_set(err, ERR_NOMEM, "%s: no memory to decode gzip", path);
    b->cap = (want < most ? want : most) + 1;
    if (!rc && !(b->out = mem_new(b->cap, 1, err))) rc = -1;
    for (size_t at = 0, used; !rc && at < n; at += used) {
        if (!is_gzip(in + at, n - at))
            rc = err_set(err, ERR_FORMAT, "%s: something follows the gzip data at byte %zu", path, at);
        else
            rc = member(d, path, in + at, n - at, max, b, &used, err);
        if (rc) break;
    }
    if (!rc && b->n > max) rc = err_set(err, ERR_RANGE, "%s: holds more than %zu bytes", path, max);
    if (!rc) rc = mem_grow(&b->out, &b->cap, b->n + 1, 1, err); /* the zero byte */
    libdeflate_free_decompressor(d);
    return rc;
}

unsigned char *gz_read(const char *path, size_t max, size_t *n, err_t *err)
{
    buf_t b = {0};
    size_t size;
    unsigned char *in = file_read(path, max, &size, err);
    if (!in || !is_gzip(in, size)) {
        *n = in ? size : 0;
        return in;
    }
    if (inflate_all(path, in, size, max, &b, err)) {
        mem_free(b.out);
        b = (buf_t){0};
    } else {
        b.out[b.n] = 0;
    }
    mem_free(in);
    *n = b.n;
    return b.out;
}
