/* codec: compressed streams through zlib, libdeflate, libbz2, liblzma and libzstd (see codec.h). */
#include "mrc/codec.h"

#include <bzlib.h>
#include <libdeflate.h>
#include <lzma.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/mem.h"

enum { PIECE = 1 << 30 };           /* the libraries count in 32 bits */
enum { XZ_MEMORY = 512 << 20 };     /* bytes; xz -9 needs 65 MB */
enum { ZSTD_WINDOW_LOG = 27 };      /* 128 MB, what zstd -19 uses at most */

typedef enum { STEP_OK, STEP_END, STEP_BAD, STEP_NOMEM } step_t;

struct decoder {
    codec_t codec;
    const char *name;
    const unsigned char *in;
    size_t n, at;     /* input, and how much of it is consumed */
    bool open, done;
    union {
        z_stream z;
        bz_stream bz;
        lzma_stream xz;
        ZSTD_DCtx *zstd;
    } u;
};

static const unsigned char magic_gzip[] = {0x1f, 0x8b, 0x08}, magic_bzip2[] = {'B', 'Z', 'h'},
                           magic_xz[] = {0xfd, '7', 'z', 'X', 'Z', 0}, magic_zstd[] = {0x28, 0xb5, 0x2f, 0xfd};

/* One step of each library: from in[0..*n_in-1] to out[0..*n_out-1]; the counts become what was used. */
static step_t gzip_open(decoder_t *d)
{
    return inflateInit2(&d->u.z, 15 + 16) == Z_OK ? STEP_OK : STEP_NOMEM;
}

static step_t gzip_step(decoder_t *d, const unsigned char *in, size_t *n_in, unsigned char *out, size_t *n_out)
{
    z_stream *z = &d->u.z;
    z->next_in = (unsigned char *)(uintptr_t)in;
    z->avail_in = (unsigned)*n_in;
    z->next_out = out;
    z->avail_out = (unsigned)*n_out;
    int rc = inflate(z, Z_NO_FLUSH);
    *n_in -= z->avail_in;
    *n_out -= z->avail_out;
    return rc == Z_OK || rc == Z_BUF_ERROR ? STEP_OK : rc == Z_STREAM_END ? STEP_END : rc == Z_MEM_ERROR ? STEP_NOMEM : STEP_BAD;
}

static void gzip_end(decoder_t *d) { inflateEnd(&d->u.z); }

static step_t bzip2_open(decoder_t *d)
{
    return BZ2_bzDecompressInit(&d->u.bz, 0, 0) == BZ_OK ? STEP_OK : STEP_NOMEM;
}

static step_t bzip2_step(decoder_t *d, const unsigned char *in, size_t *n_in, unsigned char *out, size_t *n_out)
{
    bz_stream *z = &d->u.bz;
    z->next_in = (char *)(uintptr_t)in;
    z->avail_in = (unsigned)*n_in;
    z->next_out = (char *)out;
    z->avail_out = (unsigned)*n_out;
    int rc = BZ2_bzDecompress(z);
    *n_in -= z->avail_in;
    *n_out -= z->avail_out;
    return rc == BZ_OK ? STEP_OK : rc == BZ_STREAM_END ? STEP_END : rc == BZ_MEM_ERROR ? STEP_NOMEM : STEP_BAD;
}

static void bzip2_end(decoder_t *d) { BZ2_bzDecompressEnd(&d->u.bz); }

static step_t xz_open(decoder_t *d)
{
    return lzma_stream_decoder(&d->u.xz, XZ_MEMORY, 0) == LZMA_OK ? STEP_OK : STEP_NOMEM;
}

static step_t xz_step(decoder_t *d, const unsigned char *in, size_t *n_in, unsigned char *out, size_t *n_out)
{
    lzma_stream *z = &d->u.xz;
    z->next_in = in;
    z->avail_in = *n_in;
    z->next_out = out;
    z->avail_out = *n_out;
    lzma_ret rc = lzma_code(z, LZMA_RUN);
    *n_in -= z->avail_in;
    *n_out -= z->avail_out;
    if (rc == LZMA_OK || rc == LZMA_BUF_ERROR) return STEP_OK;
    return rc == LZMA_STREAM_END ? STEP_END : rc == LZMA_MEM_ERROR || rc == LZMA_MEMLIMIT_ERROR ? STEP_NOMEM : STEP_BAD;
}

static void xz_end(decoder_t *d) { lzma_end(&d->u.xz); }

static step_t zstd_open(decoder_t *d)
{
    d->u.zstd = ZSTD_createDCtx();
    if (!d->u.zstd) return STEP_NOMEM;
    ZSTD_DCtx_setParameter(d->u.zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG);
    return STEP_OK;
}

static step_t zstd_step(decoder_t *d, const unsigned char *in, size_t *n_in, unsigned char *out, size_t *n_out)
{
    ZSTD_inBuffer i = {in, *n_in, 0};
    ZSTD_outBuffer o = {out, *n_out, 0};
    size_t rc = ZSTD_decompressStream(d->u.zstd, &o, &i);
    *n_in = i.pos;
    *n_out = o.pos;
    return ZSTD_isError(rc) ? STEP_BAD : rc == 0 ? STEP_END : STEP_OK;
}

static void zstd_end(decoder_t *d) { ZSTD_freeDCtx(d->u.zstd); }

typedef struct {
    const char *name;
    const unsigned char *magic;
    size_t magic_n;
    size_t ratio; /* the most that a byte can become; 0: no useful bound */
    step_t (*open)(decoder_t *d);
    step_t (*step)(decoder_t *d, const unsigned char *in, size_t *n_in, unsigned char *out, size_t *n_out);
    void (*end)(decoder_t *d);
} row_t;

static const row_t rows[] = {
    [CODEC_NONE] = {"none", NULL, 0, 1, NULL, NULL, NULL},
    [CODEC_GZIP] = {"gzip", magic_gzip, sizeof magic_gzip, 1032, gzip_open, gzip_step, gzip_end},
    [CODEC_BZIP2] = {"bzip2", magic_bzip2, sizeof magic_bzip2, 0, bzip2_open, bzip2_step, bzip2_end},
    [CODEC_XZ] = {"xz", magic_xz, sizeof magic_xz, 0, xz_open, xz_step, xz_end},
    [CODEC_ZSTD] = {"zstd", magic_zstd, sizeof magic_zstd, 0, zstd_open, zstd_step, zstd_end},
};

static bool starts(const row_t *r, const unsigned char *p, size_t n)
{
    return r->magic && n >= r->magic_n && !memcmp(p, r->magic, r->magic_n);
}

codec_t codec_sniff(const unsigned char *p, size_t n)
{
    for (size_t c = 1; c < sizeof rows / sizeof *rows; c++)
        if (starts(&rows[c], p, n)) return (codec_t)c;
    return CODEC_NONE;
}

const char *codec_name(codec_t c) { return rows[c].name; }

size_t codec_bound(codec_t c, size_t n)
{
    size_t b;
    return rows[c].ratio && mem_mul(n, rows[c].ratio, &b) ? b : SIZE_MAX;
}

decoder_t *decoder_new(codec_t c, const unsigned char *in, size_t n, const char *name, err_t *err)
{
    decoder_t *d = mem_zero(1, sizeof *d, err);
    if (d) *d = (decoder_t){.codec = c, .name = name, .in = in, .n = n};
    return d;
}

static int bad(const decoder_t *d, step_t s, err_t *err)
{
    const char *codec = codec_name(d->codec);
    if (s == STEP_NOMEM) return err_set(err, ERR_NOMEM, "%s: no memory to decode %s", d->name, codec);
    return err_set(err, ERR_FORMAT, "%s: damaged %s data near byte %zu of %zu", d->name, codec, d->at, d->n);
}

int decoder_read(decoder_t *d, void *out, size_t n, size_t *got, err_t *err)
{
    const row_t *r = &rows[d->codec];
    *got = 0;
    while (*got < n && !d->done) {
        if (!d->open) {
            if (!starts(r, d->in + d->at, d->n - d->at)) { /* nothing, or no further member, follows */
                d->done = true;
                break;
            }
            memset(&d->u, 0, sizeof d->u);
            if (r->open(d) != STEP_OK) return bad(d, STEP_NOMEM, err);
            d->open = true;
        }
        size_t i = d->n - d->at, o = n - *got;
        if (i > PIECE) i = PIECE;
        if (o > PIECE) o = PIECE;
        step_t s = r->step(d, d->in + d->at, &i, (unsigned char *)out + *got, &o);
        d->at += i;
        *got += o;
        if (s == STEP_END) {
            r->end(d);
            d->open = false;
        } else if (s != STEP_OK) {
            return bad(d, s, err);
        } else if (i == 0 && o == 0) {
            return err_set(err, ERR_IO, "%s: the %s data are cut short", d->name, codec_name(d->codec));
        }
    }
    return 0;
}

size_t decoder_rest(const decoder_t *d) { return d->n - d->at; }

void decoder_free(decoder_t *d)
{
    if (!d) return;
    if (d->open) rows[d->codec].end(d);
    mem_free(d);
}

bool codec_gzip_whole(const unsigned char *in, size_t n, unsigned char *out, size_t cap, size_t *got)
{
    struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
    size_t at = 0;
    *got = 0;
    if (!d) return false;
    while (starts(&rows[CODEC_GZIP], in + at, n - at)) {
        size_t i, o;
        if (libdeflate_gzip_decompress_ex(d, in + at, n - at, out + *got, cap - *got, &i, &o) != LIBDEFLATE_SUCCESS) {
            libdeflate_free_decompressor(d);
            return false;
        }
        at += i;
        *got += o;
    }
    libdeflate_free_decompressor(d);
    return at == n;
}
