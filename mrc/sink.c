/* sink: a file, or a gzip stream into one (see sink.h). */
#include "mrc/sink.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"

enum { PIECE = 1 << 18, GZ_LEVEL = 6 };

int sink_open(sink_t *s, const char *path, bool gz, err_t *err)
{
    *s = (sink_t){.path = path, .gz = gz};
    if (outfile_open(&s->out, path, err)) return -1;
    if (!gz || deflateInit2(&s->z, GZ_LEVEL, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK) return 0;
    outfile_abort(&s->out);
    return err_set(err, ERR_NOMEM, "%s: no memory to compress", path);
}

static int put_plain(sink_t *s, const unsigned char *b, size_t n, err_t *err)
{
    if (fwrite(b, 1, n, s->out.f) != n) return err_set(err, ERR_IO, "%s: cannot write: %s", s->path, strerror(errno));
    return 0;
}

static int put_packed(sink_t *s, const unsigned char *b, size_t n, int flush, err_t *err)
{
    unsigned char buf[1 << 14];
    s->z.next_in = (unsigned char *)(uintptr_t)b;
    s->z.avail_in = (unsigned)n;
    do {
        s->z.next_out = buf;
        s->z.avail_out = sizeof buf;
        if (deflate(&s->z, flush) == Z_STREAM_ERROR) return err_set(err, ERR_INTERNAL, "%s: cannot compress", s->path);
        if (put_plain(s, buf, sizeof buf - s->z.avail_out, err)) return -1;
    } while (s->z.avail_out == 0);
    return 0;
}

int sink_put(sink_t *s, const unsigned char *b, size_t n, err_t *err)
{
    if (!s->gz) return put_plain(s, b, n, err);
    for (size_t i = 0; i < n; i += PIECE)
        if (put_packed(s, b + i, n - i < PIECE ? n - i : PIECE, Z_NO_FLUSH, err)) return -1;
    return 0;
}

int sink_values(sink_t *s, const fit_t *f, bool big_endian, const float *x, size_t n, err_t *err)
{
    const size_t bytes = raw_bytes(f->kind), step = PIECE / bytes;
    unsigned char *buf = mem_new(PIECE, 1, err);
    int rc = buf ? 0 : -1;
    for (size_t i = 0; i < n && !rc; i += step) {
        size_t m = n - i < step ? n - i : step;
        values_encode(f, big_endian, x + i, buf, m);
        rc = sink_put(s, buf, m * bytes, err);
    }
    mem_free(buf);
    return rc;
}

int sink_end(sink_t *s, int rc, err_t *err)
{
    static const unsigned char none[1];
    if (!rc && s->gz) rc = put_packed(s, none, 0, Z_FINISH, err);
    if (s->gz) deflateEnd(&s->z);
    if (!rc) return outfile_close(&s->out, err);
    err_prefix(err, s->path);
    outfile_abort(&s->out);
    return -1;
}
