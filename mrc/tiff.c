/* tiff: volumes in TIFF files, through libtiff.
 *
 * Pages of one size and type are sections, in order; smaller copies and masks among them are left out. ImageJ writes hyperstacks past
 * 4 GB, and others if so told, as one page whose planes all follow it: its description tells their number. Rows are not turned,
 * and no voxel size is taken but from files of our own (tiffwrite.c): resolution tags mean print, and what ImageJ and OME write
 * beside is often a default.
 * Sources: TIFF revision 6.0, the BigTIFF design, ImageJ's description of its own tags. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

#include "base/mem.h"
#include "mrc/format.h"

enum { PIECE_MIN = 1 << 20, PIECE_MAX = 1 << 30, SKIPPED_MAX = 1 << 16 };
static const double PACK_MOST = 4096; /* bytes that one of deflate, LZW or PackBits can become */

/* What has to be the same for every page. */
typedef struct {
    uint32_t nx, ny;
    uint16_t bits, format, samples;
} shape_t;

typedef struct {
    TIFF *tif;
    mapfile_t *m;
    uint64_t at;       /* where libtiff reads next */
    char why[160];     /* its last complaint */
    shape_t shape;
    raw_t kind;
    uint64_t *page;    /* places of the pages' directories */
    size_t pages, cap, current;
    bool hyperstack;   /* planes follow one another from `first` */
    uint64_t first;
    unsigned char *piece; /* a strip or a tile */
    size_t piece_cap;
} tiffmap_t;

/* ---- libtiff's view of the file ---- */

static tmsize_t tiff_read(thandle_t h, void *buf, tmsize_t n)
{
    tiffmap_t *t = h;
    size_t got;
    if (n < 0 || source_pread(&t->m->src, buf, (size_t)n, t->at, &got, NULL)) return -1;
    t->at += got;
    return (tmsize_t)got;
}

static tmsize_t tiff_write(thandle_t h, void *buf, tmsize_t n) { (void)h, (void)buf, (void)n; return -1; }

static toff_t tiff_seek(thandle_t h, toff_t at, int whence)
{
    tiffmap_t *t = h;
    if (whence == SEEK_CUR) at += t->at;
    if (whence == SEEK_END) at += t->m->src.size;
    return t->at = at;
}

static int tiff_shut(thandle_t h) { (void)h; return 0; }

static toff_t tiff_size(thandle_t h) { return ((tiffmap_t *)h)->m->src.size; }

static int complain(TIFF *tif, void *ctx, const char *where, const char *fmt, va_list ap)
{
    tiffmap_t *t = ctx;
    (void)tif, (void)where;
    vsnprintf(t->why, sizeof t->why, fmt, ap);
    return 1;
}

static int ignore(TIFF *tif, void *ctx, const char *where, const char *fmt, va_list ap)
{
    (void)tif, (void)ctx, (void)where, (void)fmt, (void)ap;
    return 1;
}

static int open_tiff(mapfile_t *m, tiffmap_t *t, err_t *err)
{
    TIFFOpenOptions *o = TIFFOpenOptionsAlloc();
    if (!o) return err_set(err, ERR_NOMEM, "%s: no memory for libtiff", m->name);
    size_t most = m->opts.mem_limit && m->opts.mem_limit < PIECE_MAX ? m->opts.mem_limit : PIECE_MAX;
    TIFFOpenOptionsSetMaxSingleMemAlloc(o, most < PIECE_MIN ? PIECE_MIN : (tmsize_t)most);
    TIFFOpenOptionsSetErrorHandlerExtR(o, complain, t);
    TIFFOpenOptionsSetWarningHandlerExtR(o, ignore, t);
    t->tif = TIFFClientOpenExt(m->name, "rm", t, tiff_read, tiff_write, tiff_seek, tiff_shut, tiff_size, NULL, NULL, o);
    TIFFOpenOptionsFree(o);
    return t->tif ? 0 : err_set(err, ERR_FORMAT, "%s: libtiff cannot open it: %s", m->name, t->why);
}

/* ---- what a page is ---- */

static void get_shape(TIFF *tif, shape_t *s)
{
    *s = (shape_t){0};
    TIFFGetField(tif, TIFFTAG_IMAGEWIDTH, &s->nx);
    TIFFGetField(tif, TIFFTAG_IMAGELENGTH, &s->ny);
    TIFFGetFieldDefaulted(tif, TIFFTAG_BITSPERSAMPLE, &s->bits);
    TIFFGetFieldDefaulted(tif, TIFFTAG_SAMPLEFORMAT, &s->format);
    TIFFGetFieldDefaulted(tif, TIFFTAG_SAMPLESPERPIXEL, &s->samples);
    if (s->format == SAMPLEFORMAT_VOID) s->format = SAMPLEFORMAT_UINT;
}

static bool same_shape(const shape_t *a, const shape_t *b)
{
    return a->nx == b->nx && a->ny == b->ny && a->bits == b->bits && a->format == b->format && a->samples == b->samples;
}

/* A smaller copy or a mask is no section. */
static bool is_section(TIFF *tif)
{
    uint32_t sub = 0;
    TIFFGetFieldDefaulted(tif, TIFFTAG_SUBFILETYPE, &sub);
    return !(sub & (FILETYPE_REDUCEDIMAGE | FILETYPE_MASK));
}

static int take_kind(mapfile_t *m, tiffmap_t *t, err_t *err)
{
    static const struct {
        uint16_t format, bits;
        raw_t kind;
    } rows[] = {{SAMPLEFORMAT_UINT, 8, RAW_UINT8},   {SAMPLEFORMAT_UINT, 16, RAW_UINT16},    {SAMPLEFORMAT_UINT, 32, RAW_UINT32},
                {SAMPLEFORMAT_UINT, 64, RAW_UINT64}, {SAMPLEFORMAT_INT, 8, RAW_INT8},        {SAMPLEFORMAT_INT, 16, RAW_INT16},
                {SAMPLEFORMAT_INT, 32, RAW_INT32},   {SAMPLEFORMAT_INT, 64, RAW_INT64},      {SAMPLEFORMAT_IEEEFP, 16, RAW_FLOAT16},
                {SAMPLEFORMAT_IEEEFP, 32, RAW_FLOAT32}, {SAMPLEFORMAT_IEEEFP, 64, RAW_FLOAT64}};
    static const char *const packed[17] = {[1] = "1-bit", [2] = "2-bit", [4] = "4-bit", [6] = "6-bit", [10] = "10-bit", [12] = "12-bit", [14] = "14-bit"};
    const shape_t *s = &t->shape;
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
        if (rows[k].format == s->format && rows[k].bits == s->bits) {
            t->kind = rows[k].kind;
            m->info.type = raw_name(t->kind);
            return 0;
        }
    t->kind = RAW_NIBBLE; /* any number of bits below 16 */
    if (s->format == SAMPLEFORMAT_UINT && s->bits < 16 && packed[s->bits]) {
        m->info.type = packed[s->bits];
        return 0;
    }
    return err_set(err, ERR_UNSUP, "%s: SampleFormat %u with BitsPerSample %u (a density has integers or floats of 8 to 64 bits)", m->name, s->format, s->bits);
}

/* Is this page one of a density that we read? */
static int check_page(mapfile_t *m, tiffmap_t *t, err_t *err)
{
    static const char *const sides[3] = {"ImageWidth", "ImageLength", "pages"};
    uint16_t photo = PHOTOMETRIC_MINISBLACK, pack = COMPRESSION_NONE, turned = ORIENTATION_TOPLEFT;
    uint32_t depth = 1, tile = 1;
    const shape_t *s = &t->shape;
    TIFFGetField(t->tif, TIFFTAG_PHOTOMETRIC, &photo);
    TIFFGetFieldDefaulted(t->tif, TIFFTAG_COMPRESSION, &pack);
    TIFFGetFieldDefaulted(t->tif, TIFFTAG_ORIENTATION, &turned);
    TIFFGetFieldDefaulted(t->tif, TIFFTAG_IMAGEDEPTH, &depth);
    TIFFGetFieldDefaulted(t->tif, TIFFTAG_TILEDEPTH, &tile);
    if (format_check_sides(m, sides, (double[3]){s->nx, s->ny, 1}, err)) return -1;
    if (s->samples != 1) return err_set(err, ERR_UNSUP, "%s: SamplesPerPixel %u, as of colours (a density has 1)", m->name, s->samples);
    if (photo == PHOTOMETRIC_PALETTE) return err_set(err, ERR_UNSUP, "%s: Photometric 3, colours of a palette", m->name);
    if (depth > 1 || tile > 1) return err_set(err, ERR_UNSUP, "%s: ImageDepth %u: pages of several sections", m->name, depth);
    if (!TIFFIsCODECConfigured(pack)) {
        const TIFFCodec *c = TIFFFindCODEC(pack);
        return err_set(err, ERR_UNSUP, "%s: Compression %u (%s), which libtiff cannot decode here", m->name, pack, c ? c->name : "unknown");
    }
    if (take_kind(m, t, err)) return -1;
    if (photo == PHOTOMETRIC_MINISWHITE) notes_add(m->notes, "Photometric 0, white is zero: values are as stored");
    if (turned != ORIENTATION_TOPLEFT) notes_add(m->notes, "Orientation %u: the first row stored is y = 0 all the same", turned);
    return 0;
}

/* ---- pages and planes ---- */

static long number_in(const char *text, const char *key, long other)
{
    const char *at = text ? strstr(text, key) : NULL;
    long n = at ? strtol(at + strlen(key), NULL, 10) : other;
    return at && n > 0 ? n : other;
}

static size_t row_bytes(const tiffmap_t *t) { return ((size_t)t->shape.nx * t->shape.bits + 7) / 8; }

static int check_claim(const mapfile_t *m, const tiffmap_t *t, err_t *err)
{
    uint16_t pack = COMPRESSION_NONE;
    double bytes = (double)row_bytes(t) * t->shape.ny * (double)t->pages;
    TIFFGetFieldDefaulted(t->tif, TIFFTAG_COMPRESSION, &pack);
    if (pack == COMPRESSION_NONE) return format_check_size(m, (size_t)bytes, err);
    bool known = pack == COMPRESSION_LZW || pack == COMPRESSION_ADOBE_DEFLATE || pack == COMPRESSION_DEFLATE || pack == COMPRESSION_PACKBITS;
    if (known && bytes > PACK_MOST * (double)m->src.size)
        return err_set(err, ERR_FORMAT, "%s: a file of %zu bytes cannot be the %.0f bytes that its pages claim", m->name, m->src.size, bytes);
    return 0;
}

/* One page with `images` planes behind it. */
static int take_hyperstack(mapfile_t *m, tiffmap_t *t, long images, long frames, err_t *err)
{
    uint64_t *offset = NULL;
    uint16_t pack = COMPRESSION_NONE;
    TIFFGetFieldDefaulted(t->tif, TIFFTAG_COMPRESSION, &pack);
    if (pack != COMPRESSION_NONE || t->kind == RAW_NIBBLE)
        return err_set(err, ERR_UNSUP, "%s: an ImageJ hyperstack of %ld images in one page, compressed", m->name, images);
    if (TIFFIsTiled(t->tif) || !TIFFGetField(t->tif, TIFFTAG_STRIPOFFSETS, &offset) || !offset)
        return err_set(err, ERR_FORMAT, "%s: an ImageJ hyperstack without StripOffsets", m->name);
    t->first = offset[0];
    size_t bytes = row_bytes(t) * t->shape.ny;
    if (images > VOL_SIDE_MAX * (long)VOL_SIDE_MAX)
        return err_set(err, ERR_RANGE, "%s: images=%ld in ImageDescription", m->name, images);
    if (t->first > m->src.size || (m->src.size - t->first) / bytes < (size_t)images)
        return err_set(err, ERR_IO, "%s: images=%ld in ImageDescription, but %zu bytes from StripOffsets on (%zu an image)", m->name, images,
                       m->src.size - (t->first < m->src.size ? (size_t)t->first : m->src.size), bytes);
    t->hyperstack = true;
    t->pages = (size_t)(images / frames);
    m->info.volumes = (size_t)frames;
    m->raw = t->kind;
    m->info.big_endian = TIFFIsBigEndian(t->tif);
    return 0;
}

static int list_pages(mapfile_t *m, tiffmap_t *t, err_t *err)
{
    size_t skipped = 0, k = 0;
    shape_t s;
    *t->why = 0;
    do {
        k++;
        if (!is_section(t->tif)) {
            if (++skipped > SKIPPED_MAX) return err_set(err, ERR_FORMAT, "%s: more than %d smaller copies", m->name, SKIPPED_MAX);
            continue;
        }
        get_shape(t->tif, &s);
        if (!same_shape(&s, &t->shape))
            return err_set(err, ERR_UNSUP, "%s: page %zu is %u x %u of %u bits, the first %u x %u of %u bits: no sections of one volume", m->name, k,
                           s.nx, s.ny, s.bits, t->shape.nx, t->shape.ny, t->shape.bits);
        if (t->pages == VOL_SIDE_MAX) return err_set(err, ERR_RANGE, "%s: more than %d pages", m->name, VOL_SIDE_MAX);
        if (mem_grow(&t->page, &t->cap, t->pages + 1, sizeof *t->page, err)) return -1;
        t->page[t->pages++] = TIFFCurrentDirOffset(t->tif);
    } while (TIFFReadDirectory(t->tif));
    if (*t->why) return err_set(err, ERR_FORMAT, "%s: after page %zu: %s", m->name, k, t->why);
    if (skipped) notes_add(m->notes, "%zu pages are smaller copies or masks: left out", skipped);
    t->current = SIZE_MAX;
    return 0;
}

/* Three numbers after a key of our own writer. */
static bool three_after(const char *text, const char *key, double *x)
{
    const char *at = strstr(text, key);
    char *end = (char *)(uintptr_t)at;
    if (!at) return false;
    end += strlen(key);
    for (int k = 0; k < 3; k++) {
        const char *from = end;
        x[k] = strtod(from, &end);
        if (end == from) return false;
    }
    return true;
}

static void take_own(mapfile_t *m, const char *text)
{
    double v[3], x[3];
    if (three_after(text, "\ncryolex_voxel=", v)) format_take_voxel(m, "cryolex_voxel", v);
    if (three_after(text, "\ncryolex_origin=", x)) memcpy(m->info.place, x, sizeof x);
}

/* Several images a place or a time are no density. */
static int check_description(mapfile_t *m, const char *text, long *images, long *frames, err_t *err)
{
    static const char imagej[] = "ImageJ=";
    long channels, times = 1;
    *images = *frames = 1;
    if (text && !strncmp(text, imagej, sizeof imagej - 1)) {
        m->info.layout = "ImageJ";
        take_own(m, text);
        *images = number_in(text, "\nimages=", 1);
        channels = number_in(text, "\nchannels=", 1);
        long slices = number_in(text, "\nslices=", 1), f = number_in(text, "\nframes=", 1);
        if (channels > 1 && channels == *images) {
            notes_add(m->notes, "%ld channels of one section: taken for sections", channels);
            channels = 1;
        }
        if (channels == 1 && slices > 1 && f > 1 && slices <= *images && slices * f == *images) *frames = f;
    } else if (text && strstr(text, "<OME")) {
        m->info.layout = "OME";
        channels = number_in(text, "SizeC=\"", 1);
        times = number_in(text, "SizeT=\"", 1);
    } else {
        m->info.layout = "pages";
        return 0;
    }
    if (channels > 1 || times > 1)
        return err_set(err, ERR_UNSUP, "%s: %ld channels, %ld times (a density has one of each)", m->name, channels, times);
    return 0;
}

static int tiff_open(mapfile_t *m, err_t *err)
{
    tiffmap_t *t = m->self = mem_zero(1, sizeof *t, err);
    char *text = NULL;
    long images, frames;
    if (!t) return -1;
    t->m = m;
    if (open_tiff(m, t, err)) return -1;
    while (!is_section(t->tif))
        if (TIFFCurrentDirectory(t->tif) > 1000 || !TIFFReadDirectory(t->tif)) return err_set(err, ERR_FORMAT, "%s: no page but smaller copies", m->name);
    get_shape(t->tif, &t->shape);
    if (check_page(m, t, err)) return -1;
    TIFFGetField(t->tif, TIFFTAG_IMAGEDESCRIPTION, &text);
    if (check_description(m, text, &images, &frames, err)) return -1;
    m->info.big_endian = TIFFIsBigEndian(t->tif);
    if (images > 1 && TIFFLastDirectory(t->tif)) {
        if (take_hyperstack(m, t, images, frames, err)) return -1;
    } else {
        if (!TIFFSetDirectory(t->tif, 0) || list_pages(m, t, err) || check_claim(m, t, err)) return -1;
        if (frames > 1 && t->pages == (size_t)images) {
            t->pages /= (size_t)frames;
            m->info.volumes = (size_t)frames;
        } else if (images > 1 && t->pages != (size_t)images) {
            notes_add(m->notes, "images=%ld in ImageDescription, but %zu pages: these are believed", images, t->pages);
        }
    }
    if (t->pages > VOL_SIDE_MAX) return err_set(err, ERR_RANGE, "%s: %zu images (at most %d)", m->name, t->pages, VOL_SIDE_MAX);
    m->n[0] = t->shape.nx;
    m->n[1] = t->shape.ny;
    m->n[2] = t->pages;
    m->extra = 2 * row_bytes(t) * t->shape.ny; /* a strip as stored, and decoded */
    return 0;
}

/* n values of a row from bit `at` of p on. */
static void to_float(const tiffmap_t *t, const unsigned char *p, float *out, size_t n)
{
    const size_t bits = t->shape.bits;
    if (t->kind != RAW_NIBBLE) {
        raw_to_float(t->kind, raw_big_machine(), p, out, n);
        return;
    }
    uint32_t have = 0;
    size_t left = 0;
    for (size_t i = 0; i < n; i++) { /* the most significant bits first */
        while (left < bits) {
            have = have << 8 | *p++;
            left += 8;
        }
        left -= bits;
        out[i] = (float)(have >> left & ((1u << bits) - 1));
    }
}

static int page_fails(const mapfile_t *m, const tiffmap_t *t, size_t k, err_t *err)
{
    return err_set(err, ERR_FORMAT, "%s: page %zu: %s", m->name, k + 1, *t->why ? t->why : "shorter than it claims");
}

static int room_for_piece(const mapfile_t *m, tiffmap_t *t, size_t k, tmsize_t bytes, err_t *err)
{
    if (bytes <= 0) return page_fails(m, t, k, err);
    if (bytes > PIECE_MAX) return err_set(err, ERR_RANGE, "%s: page %zu: a strip or tile of %lld bytes (at most %d)", m->name, k + 1, (long long)bytes, PIECE_MAX);
    const size_t had = t->piece_cap;
    if (mem_grow(&t->piece, &t->piece_cap, (size_t)bytes, 1, err)) return -1;
    memset(t->piece + had, 0, t->piece_cap - had); /* of damaged data libtiff leaves some of it as it was */
    return 0;
}

static int read_strips(const mapfile_t *m, tiffmap_t *t, size_t k, float *out, err_t *err)
{
    const size_t nx = t->shape.nx, ny = t->shape.ny, bytes = row_bytes(t);
    uint32_t rows = 0;
    TIFFGetFieldDefaulted(t->tif, TIFFTAG_ROWSPERSTRIP, &rows);
    if (rows == 0) return page_fails(m, t, k, err);
    if (rows > ny) rows = (uint32_t)ny;
    if (TIFFScanlineSize(t->tif) != (tmsize_t)bytes || room_for_piece(m, t, k, (tmsize_t)(rows * bytes), err)) return page_fails(m, t, k, err);
    for (size_t y = 0; y < ny; y += rows) {
        size_t n = ny - y < rows ? ny - y : rows;
        if (TIFFReadEncodedStrip(t->tif, TIFFComputeStrip(t->tif, (uint32_t)y, 0), t->piece, (tmsize_t)(n * bytes)) != (tmsize_t)(n * bytes))
            return page_fails(m, t, k, err);
        for (size_t j = 0; j < n; j++) to_float(t, t->piece + j * bytes, out + (y + j) * nx, nx);
    }
    return 0;
}

static int read_tiles(const mapfile_t *m, tiffmap_t *t, size_t k, float *out, err_t *err)
{
    const size_t nx = t->shape.nx, ny = t->shape.ny;
    uint32_t w = 0, h = 0;
    TIFFGetField(t->tif, TIFFTAG_TILEWIDTH, &w);
    TIFFGetField(t->tif, TIFFTAG_TILELENGTH, &h);
    if (w == 0 || h == 0 || w > 1u << 20 || h > 1u << 20) return page_fails(m, t, k, err);
    const size_t bytes = ((size_t)w * t->shape.bits + 7) / 8, all = bytes * h;
    if (TIFFTileSize(t->tif) != (tmsize_t)all || room_for_piece(m, t, k, (tmsize_t)all, err)) return page_fails(m, t, k, err);
    for (size_t y = 0; y < ny; y += h)
        for (size_t x = 0; x < nx; x += w) {
            if (TIFFReadEncodedTile(t->tif, TIFFComputeTile(t->tif, (uint32_t)x, (uint32_t)y, 0, 0), t->piece, (tmsize_t)all) != (tmsize_t)all)
                return page_fails(m, t, k, err);
            for (size_t j = 0; j < h && y + j < ny; j++) to_float(t, t->piece + j * bytes, out + (y + j) * nx + x, nx - x < w ? nx - x : w);
        }
    return 0;
}

static int read_page(const mapfile_t *m, tiffmap_t *t, size_t k, float *out, err_t *err)
{
    shape_t s;
    *t->why = 0;
    if (t->current != k) {
        t->current = SIZE_MAX;
        if (!TIFFSetSubDirectory(t->tif, t->page[k])) return page_fails(m, t, k, err);
        t->current = k;
    }
    get_shape(t->tif, &s);
    if (!same_shape(&s, &t->shape)) return page_fails(m, t, k, err);
    return TIFFIsTiled(t->tif) ? read_tiles(m, t, k, out, err) : read_strips(m, t, k, out, err);
}

static int tiff_sections(mapfile_t *m, size_t z0, size_t nz, float *out, err_t *err)
{
    tiffmap_t *t = m->self;
    const size_t plane = m->n[0] * m->n[1], k = m->volume * m->n[2] + z0;
    if (t->hyperstack) return format_raw_read(m, (size_t)t->first + k * plane * raw_bytes(t->kind), nz * plane, out, err);
    for (size_t i = 0; i < nz; i++)
        if (read_page(m, t, k + i, out + i * plane, err)) return -1;
    return 0;
}

static void tiff_close(mapfile_t *m)
{
    tiffmap_t *t = m->self;
    if (!t) return;
    if (t->tif) TIFFClose(t->tif);
    mem_free(t->page);
    mem_free(t->piece);
    mem_free(t);
}

const format_t format_tiff = {IS_TIFF, true, true, tiff_open, tiff_sections, tiff_close};
