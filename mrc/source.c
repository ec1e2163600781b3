/* source: bytes in, decompressed (see source.h). */
#include "mrc/source.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

enum { READ_MAX = 1 << 30, SKIP = 1 << 16 };

static int io_error(const source_t *s, err_t *err) { return err_set(err, ERR_IO, "%s: %s", s->name, strerror(errno)); }

/* read(2) until n bytes or the end. */
static int read_fd(const source_t *s, void *buf, size_t n, size_t *got, err_t *err)
{
    *got = 0;
    while (*got < n) {
        size_t want = n - *got < READ_MAX ? n - *got : READ_MAX;
        ssize_t k = read(s->fd, (char *)buf + *got, want);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) return io_error(s, err);
        if (k == 0) break;
        *got += (size_t)k;
    }
    return 0;
}

int source_pread(const source_t *s, void *buf, size_t n, size_t at, size_t *got, err_t *err)
{
    *got = 0;
    if (s->mem && !s->dec) {
        size_t left = at < s->mem_n ? s->mem_n - at : 0;
        *got = n < left ? n : left;
        if (*got) memcpy(buf, s->mem + at, *got);
        return 0;
    }
    while (*got < n) {
        size_t want = n - *got < READ_MAX ? n - *got : READ_MAX;
        ssize_t k = pread(s->fd, (char *)buf + *got, want, (off_t)(s->base + at + *got));
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) return io_error(s, err);
        if (k == 0) break;
        *got += (size_t)k;
    }
    return 0;
}

/* The rest of fd, after the bytes already taken, into s->own. */
static int slurp(source_t *s, size_t max, err_t *err)
{
    size_t cap = 0, n = 0, got = 0;
    struct stat st;
    if (!max) max = SIZE_MAX / 2;
    if (fstat(s->fd, &st) == 0 && S_ISREG(st.st_mode) && (size_t)st.st_size > s->base) cap = (size_t)st.st_size - s->base;
    if (cap > max) return err_set(err, ERR_RANGE, "%s: %zu bytes (the limit is %zu)", s->name, cap, max);
    if (cap && !(s->own = mem_new(++cap, 1, err))) return -1;
    if (mem_grow(&s->own, &cap, s->head_n + 1, 1, err)) return -1;
    memcpy(s->own, s->head, s->head_n);
    n = s->head_n;
    for (;;) {
        if (n == cap && mem_grow(&s->own, &cap, cap + SKIP, 1, err)) return -1;
        if (read_fd(s, s->own + n, cap - n, &got, err)) return -1;
        n += got;
        if (n > max) return err_set(err, ERR_RANGE, "%s: more than %zu bytes (the limit)", s->name, max);
        if (n < cap) break;
    }
    s->mem = s->own;
    s->mem_n = n;
    return 0;
}

static int open_fd(source_t *s, const char *path, err_t *err)
{
    struct stat st;
    bool std = !strcmp(path, "-");
    s->fd = std ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (s->fd < 0) return io_error(s, err);
    s->own_fd = !std;
    if (fstat(s->fd, &st)) return io_error(s, err);
    if (S_ISDIR(st.st_mode)) return err_set(err, ERR_IO, "%s: a directory (a file is wanted)", s->name);
    if (!S_ISREG(st.st_mode)) return 0;
    off_t base = lseek(s->fd, 0, SEEK_CUR);
    if (base < 0) return 0;
    s->seekable = true;
    s->base = (size_t)base;
    s->size = st.st_size > base ? (size_t)(st.st_size - base) : 0;
    return 0;
}

/* The first bytes of a compressed file into s->own. */
static int take_part(source_t *s, err_t *err)
{
    s->own = mem_new(SOURCE_PART, 1, err);
    if (!s->own || source_pread(s, s->own, SOURCE_PART, 0, &s->mem_n, err)) return -1;
    s->mem = s->own;
    return 0;
}

static int open_file(source_t *s, const char *path, bool part, size_t max, err_t *err)
{
    *s = (source_t){.name = strcmp(path, "-") ? path : "standard input", .fd = -1, .size = SOURCE_UNKNOWN};
    if (open_fd(s, path, err)) return -1;
    if (s->seekable) {
        if (source_pread(s, s->head, CODEC_MAGIC, 0, &s->head_n, err)) return -1;
    } else if (read_fd(s, s->head, sizeof s->head, &s->head_n, err)) {
        return -1;
    }
    s->codec = codec_sniff(s->head, s->head_n);
    if (s->seekable) s->head_n = 0;
    if (s->codec == CODEC_NONE) return 0;
    if (part && s->seekable ? take_part(s, err) : slurp(s, max, err)) return -1;
    s->size = SOURCE_UNKNOWN;
    s->dec = decoder_new(s->codec, s->mem, s->mem_n, s->name, err);
    return s->dec ? 0 : -1;
}

int source_open(source_t *s, const char *path, size_t max, err_t *err) { return open_file(s, path, false, max, err); }
int source_open_part(source_t *s, const char *path, size_t max, err_t *err) { return open_file(s, path, true, max, err); }

int source_open_mem(source_t *s, const unsigned char *buf, size_t n, const char *name, err_t *err)
{
    *s = (source_t){.name = name, .fd = -1, .mem = buf, .mem_n = n, .size = n};
    s->codec = codec_sniff(buf, n);
    if (s->codec == CODEC_NONE) return 0;
    s->size = SOURCE_UNKNOWN;
    s->dec = decoder_new(s->codec, buf, n, name, err);
    return s->dec ? 0 : -1;
}

int source_read(source_t *s, void *buf, size_t n, size_t *got, err_t *err)
{
    *got = 0;
    if (s->dec) {
        if (decoder_read(s->dec, buf, n, got, err)) return -1;
    } else if (s->mem) {
        size_t left = s->at < s->mem_n ? s->mem_n - s->at : 0;
        *got = n < left ? n : left;
        memcpy(buf, s->mem + s->at, *got);
    } else if (s->seekable) {
        if (source_pread(s, buf, n, s->at, got, err)) return -1;
    } else {
        size_t k = s->at < s->head_n ? s->head_n - s->at : 0, rest;
        if (k > n) k = n;
        memcpy(buf, s->head + s->at, k);
        if (read_fd(s, (char *)buf + k, n - k, &rest, err)) return -1;
        *got = k + rest;
    }
    s->at += *got;
    return 0;
}

bool source_rewinds(const source_t *s) { return s->mem || s->seekable; }

int source_seek(source_t *s, size_t at, err_t *err)
{
    unsigned char skip[4096];
    if (!s->dec && source_rewinds(s)) {
        s->at = at;
        return 0;
    }
    if (at < s->at) {
        if (!s->dec) return err_set(err, ERR_INTERNAL, "%s: a pipe does not rewind", s->name);
        decoder_free(s->dec);
        s->at = 0;
        s->dec = decoder_new(s->codec, s->mem, s->mem_n, s->name, err);
        if (!s->dec) return -1;
    }
    while (s->at < at) {
        size_t n = at - s->at < sizeof skip ? at - s->at : sizeof skip, got;
        if (source_read(s, skip, n, &got, err)) return -1;
        if (!got) break;
    }
    return 0;
}

int source_hold(source_t *s, size_t max, err_t *err)
{
    if (source_rewinds(s)) return 0;
    assert(s->at <= s->head_n);
    if (slurp(s, max, err)) return -1;
    s->size = s->mem_n;
    return 0;
}

int source_peek(source_t *s, unsigned char *buf, size_t n, size_t *got, err_t *err)
{
    if (source_rewinds(s)) return source_read(s, buf, n, got, err) || source_seek(s, 0, err) ? -1 : 0;
    *got = n < s->head_n ? n : s->head_n;
    memcpy(buf, s->head, *got);
    return 0;
}

size_t source_bound(const source_t *s)
{
    return s->size != SOURCE_UNKNOWN ? s->size : s->dec ? codec_bound(s->codec, s->mem_n) : SOURCE_UNKNOWN;
}

/* Everything that the decoder gives, to own memory. */
static int decode(source_t *s, size_t max, err_t *err)
{
    unsigned char *out = NULL;
    size_t cap = 0, n = 0, got;
    if (!max) max = SIZE_MAX / 2;
    if (source_seek(s, 0, err)) return -1;
    for (;;) {
        if (n == cap && mem_grow(&out, &cap, cap + SKIP, 1, err)) goto fail;
        if (source_read(s, out + n, cap - n, &got, err)) goto fail;
        n += got;
        if (n > max) {
            err_set(err, ERR_RANGE, "%s: its %s data become more than %zu bytes (the limit)", s->name, codec_name(s->codec), max);
            goto fail;
        }
        if (n < cap) break;
    }
    decoder_free(s->dec);
    mem_free(s->own);
    s->dec = NULL;
    s->own = out;
    s->mem = out;
    s->mem_n = s->size = n;
    s->codec = CODEC_NONE;
    s->at = 0;
    return 0;
fail:
    mem_free(out);
    return -1;
}

int source_unpack(source_t *s, size_t max, err_t *err)
{
    if (s->dec) return decode(s, max, err);
    if (s->mem || (s->seekable && s->own_fd)) return 0;
    if (slurp(s, max, err)) return -1; /* a pipe, or a file that standard input is */
    s->size = s->mem_n;
    return 0;
}

void source_close(source_t *s)
{
    decoder_free(s->dec);
    mem_free(s->own);
    if (s->own_fd) close(s->fd);
    s->dec = NULL;
    s->own = NULL;
    s->own_fd = false;
}
