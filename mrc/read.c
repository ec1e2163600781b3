/* read: an MRC file to a volume (see mrc.h). */
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "mrc/axes.h"
#include "mrc/data.h"
#include "mrc/head.h"
#include "mrc/reader.h"
#include "mrc/skew.h"
#include "mrc/sniff.h"

enum {
    BLOCK = 4 << 20,          /* bytes that a thread reads at a time */
    WHOLE_EXTENDED = 16 << 20 /* bytes of extended header that load_whole holds */
};

static int cut_short(const reader_t *r, size_t size, err_t *err)
{
    return err_set(err, ERR_IO, "%s: ends after %zu bytes, cut short (the header promises %zu)", r->name, size,
                   r->h.data_at + r->h.data_bytes);
}

/* The fields make no map: what is it, then? */
static int not_mrc(const reader_t *r, const unsigned char *b, size_t n, err_t *err)
{
    const char *what = sniff(b, n, r->src.size).name;
    if (what) return err_set(err, n ? ERR_UNSUP : ERR_IO, "%s: %s, %s", r->name, what, r->want);
    if (n < HEAD_BYTES)
        return err_set(err, ERR_IO, "%s: %zu bytes (the header of an MRC file has %d)", r->name, n, HEAD_BYTES);
    return err_set(err, ERR_FORMAT, "%s: no MRC file: sides %d, %d, %d, mode %d, no \"MAP \"", r->name, r->h.n[0], r->h.n[1],
                   r->h.n[2], r->h.mode);
}

/* Read and judge the header (of a density, if its data are wanted); find where the data lie, as far as the size of the
 * file is known. */
static int read_header(reader_t *r, bool data, err_t *err)
{
    unsigned char b[HEAD_BYTES];
    size_t n;
    if (source_read(&r->src, b, sizeof b, &n, err)) return -1;
    if (n < HEAD_BYTES) return not_mrc(r, b, n, err);
    head_parse(b, &r->h);
    r->h.codec = codec_name(r->src.codec);
    if (!head_has_map(&r->h)) {
        /* Old-style: only if every field makes sense, and no other format claims the bytes. */
        if (head_sense(&r->h) < 7 || sniff(b, n, r->src.size).name) return not_mrc(r, b, n, err);
    }
    if (head_judge(&r->h, r->name, &r->opts, r->notes, err)) return -1;
    if (data && !head_is_density(r->h.mode))
        return err_set(err, ERR_UNSUP, "%s: mode %d, %s (a density has mode 0, 1, 2, 6, 12 or 101)", r->name, r->h.mode,
                       head_mode_name(r->h.mode));
    bool by_length = r->h.nsymbt || (r->h.mode == 0 && r->opts.mode0 == MRC_MODE0_AUTO); /* the length decides */
    if (by_length && source_hold(&r->src, r->opts.mem_limit, err)) return -1;
    return head_layout(&r->h, r->name, r->src.size, &r->opts, r->notes, err);
}

/* Which volume, and is it one? */
static int choose_volume(reader_t *r, err_t *err)
{
    const mrc_header_t *h = &r->h;
    long k = r->opts.volume;
    if (h->image_stack && !r->opts.images)
        return err_set(err, ERR_UNSUP, "%s: a stack of %d images, not a volume; see --images", r->name, h->n[2]);
    if (h->image_stack) notes_add(r->notes, "a stack of %d images, read as a volume", h->n[2]);
    if (h->volumes > 1 && k == 0)
        return err_set(err, ERR_USAGE, "%s: a stack of %zu volumes; choose one with --volume", r->name, h->volumes);
    if (k < 0 || (size_t)k > h->volumes)
        return err_set(err, ERR_NOTFOUND, "%s: volume %ld (there are %zu)", r->name, k, h->volumes);
    r->volume = k ? (size_t)k - 1 : 0;
    return 0;
}

static bool is_straight(const reader_t *r) { return axes_straight(r->h.axis); }

/* Sections that are held, beside the volume, where they are not. */
static size_t scatter_sections(const reader_t *r)
{
    size_t nz = r->h.size[r->h.axis[2]];
    return nz < AXES_BATCH ? nz : AXES_BATCH;
}

/* Memory for the volume, and for what else a read takes. */
static int make_room(reader_t *r, size_t extra, err_t *err)
{
    const mrc_header_t *h = &r->h;
    size_t voxels = h->size[0] * h->size[1] * h->size[2], bytes = 4 * voxels, need = bytes + extra;
    if (r->src.own) need += r->src.mem_n;
    if (!is_straight(r)) need += scatter_sections(r) * voxels / r->h.size[r->h.axis[2]] * sizeof(float);
    if (r->opts.mem_limit && need > r->opts.mem_limit)
        return err_set(err, ERR_RANGE, "%s: %zu x %zu x %zu voxels need %zu bytes of memory (the limit is %zu)", r->name,
                       h->size[0], h->size[1], h->size[2], need, r->opts.mem_limit);
    if (r->src.dec && codec_bound(r->src.codec, r->src.mem_n) < h->data_bytes)
        return err_set(err, ERR_IO, "%s: %zu bytes of %s data cannot hold the %zu bytes that the header promises", r->name,
                       r->src.mem_n, h->codec, h->data_bytes);
    r->vol = mem_zero(1, sizeof *r->vol, err);
    if (!r->vol) return -1;
    *r->vol = (vol_t){.nx = h->size[0], .ny = h->size[1], .nz = h->size[2]};
    r->vol->data = mem_new(bytes + extra, 1, err);
    return r->vol->data ? 0 : -1;
}

static void count_bad(reader_t *r, const float *x, size_t n)
{
    if (!r->opts.unchecked) r->bad += raw_count_bad(x, n);
}

int reader_rows(reader_t *r, float *out, size_t rows, unsigned char *tmp, err_t *err)
{
    size_t nx = (size_t)r->h.n[0], step = READER_CHUNK / r->row_bytes ? READER_CHUNK / r->row_bytes : 1, got;
    bool native = raw_is_native(r->raw, r->h.big_endian);
    for (size_t j = 0; j < rows; j += step) {
        size_t m = rows - j < step ? rows - j : step;
        float *dst = out + j * nx;
        if (source_read(&r->src, native ? (unsigned char *)dst : tmp, m * r->row_bytes, &got, err)) return -1;
        if (got < m * r->row_bytes) {
            r->cut = true;
            return cut_short(r, r->src.at, err);
        }
        for (size_t k = 0; !native && k < m; k++)
            raw_to_float(r->raw, r->h.big_endian, tmp + k * r->row_bytes, dst + k * nx, nx);
        count_bad(r, dst, m * nx);
    }
    return 0;
}

/* A plain file, straight: blocks of rows by all threads, each read where it belongs. */
static int load_blocks(reader_t *r, err_t *err)
{
    const size_t nx = (size_t)r->h.n[0], rows = (size_t)r->h.n[1] * r->h.size[2],
                 step = BLOCK / r->row_bytes ? BLOCK / r->row_bytes : 1, blocks = (rows + step - 1) / step,
                 start = r->h.data_at + r->volume * rows * r->row_bytes;
    size_t bad = 0;
    int failed = 0;
#pragma omp parallel for schedule(dynamic) reduction(+ : bad, failed) if (blocks > 1)
    for (size_t b = 0; b < blocks; b++) {
        reader_t part = *r; /* its own place in the file */
        size_t n = rows - b * step < step ? rows - b * step : step;
        err_t e = {0};
        part.src.at = start + b * step * r->row_bytes;
        part.bad = 0;
        unsigned char *tmp = mem_new(r->row_bytes > READER_CHUNK ? r->row_bytes : READER_CHUNK, 1, &e);
        if (!tmp || reader_rows(&part, r->vol->data + b * step * nx, n, tmp, &e)) {
            failed++;
#pragma omp critical(mrc_load_blocks)
            err_set(err, e.code, "%s", e.msg);
        }
        bad += part.bad;
        mem_free(tmp);
    }
    r->bad = bad;
    return failed ? -1 : 0;
}

/* A gzip file, straight, one volume: can it be decompressed at one go into the volume's own memory? Then *extra bytes
 * are needed there beside the voxels. */
static bool fits_whole(const reader_t *r, size_t *extra)
{
    const mrc_header_t *h = &r->h;
    size_t bytes = 4 * h->size[0] * h->size[1] * h->size[2], file = h->data_at + h->data_bytes;
    *extra = file > bytes ? file - bytes : 0;
    return r->src.codec == CODEC_GZIP && is_straight(r) && h->volumes == 1 && h->nsymbt < WHOLE_EXTENDED;
}

/* The whole file lands at the end of the memory. There it stays, where it has the floats of this machine after a header of whole cache lines; else it moves
 * to the front as it is converted: the float of a voxel never overtakes the bytes of the next. false: the decoder has to do it, or say why it cannot be done. */
static bool load_whole(reader_t *r, size_t extra, unsigned char *tmp)
{
    const mrc_header_t *h = &r->h;
    size_t nx = h->size[0], rows = h->size[1] * h->size[2], file = h->data_at + h->data_bytes, got;
    size_t room = 4 * nx * rows + extra;
    unsigned char *raw = (unsigned char *)r->vol->data + room - file;
    if (!codec_gzip_whole(r->src.mem, r->src.mem_n, raw, file, &got) || got != file) return false;
    raw += h->data_at;
    const bool native = raw_is_native(r->raw, h->big_endian);
    if (native && raw == (unsigned char *)r->vol->data + extra && extra % MEM_ALIGN == 0) {
        r->vol->lead = extra / sizeof(float);
        r->vol->data += r->vol->lead;
        count_bad(r, r->vol->data, nx * rows);
        return true;
    }
    size_t step = READER_CHUNK / r->row_bytes ? READER_CHUNK / r->row_bytes : 1;
    for (size_t j = 0; j < rows; j += step) {
        size_t m = rows - j < step ? rows - j : step;
        float *dst = r->vol->data + j * nx;
        if (native) {
            memmove(dst, raw + j * r->row_bytes, m * r->row_bytes);
        } else {
            memcpy(tmp, raw + j * r->row_bytes, m * r->row_bytes);
            for (size_t k = 0; k < m; k++) raw_to_float(r->raw, h->big_endian, tmp + k * r->row_bytes, dst + k * nx, nx);
        }
        count_bad(r, dst, m * nx);
    }
    return true;
}

static int load(reader_t *r, err_t *err)
{
    const mrc_header_t *h = &r->h;
    size_t nx = (size_t)h->n[0], ny = (size_t)h->n[1], nz = r->h.size[h->axis[2]];
    float *part = NULL;
    int rc = -1;
    unsigned char *tmp = mem_new(r->row_bytes > READER_CHUNK ? r->row_bytes : READER_CHUNK, 1, err);
    if (!tmp) return -1;
    if (source_seek(&r->src, h->data_at + r->volume * r->row_bytes * ny * nz, err)) goto done;
    if (is_straight(r)) {
        rc = reader_rows(r, r->vol->data, ny * nz, tmp, err);
        goto done;
    }
    const size_t batch = scatter_sections(r), n[3] = {nx, ny, nz};
    part = mem_new(nx * ny * batch, sizeof *part, err);
    if (!part) goto done;
    for (size_t k = 0; k < nz; k += batch) {
        size_t m = nz - k < batch ? nz - k : batch;
        if (reader_rows(r, part, ny * m, tmp, err)) goto done;
        axes_scatter(n, h->axis, part, k, m, r->vol);
    }
    rc = 0;
done:
    mem_free(tmp);
    mem_free(part);
    return rc;
}

/* Read the data, the fastest way that there is. A stream that ended too early tells its size at last: was there no
 * extended header after all? */
static int load_any(reader_t *r, bool whole, size_t extra, err_t *err)
{
    err_t e = {0};
    if (r->src.seekable && !r->src.mem && is_straight(r)) return load_blocks(r, err);
    if (whole) {
        unsigned char *tmp = mem_new(r->row_bytes > READER_CHUNK ? r->row_bytes : READER_CHUNK, 1, err);
        bool done = tmp && load_whole(r, extra, tmp);
        mem_free(tmp);
        if (!tmp) return -1;
        if (done) return head_layout(&r->h, r->name, r->h.data_at + r->h.data_bytes, &r->opts, r->notes, err);
        r->bad = 0;
    }
    int rc = load(r, &e);
    if (rc && e.code == ERR_IO && r->src.dec && r->h.nsymbt > 0 && r->src.at == HEAD_BYTES + r->h.data_bytes) {
        if (head_layout(&r->h, r->name, r->src.at, &r->opts, r->notes, err)) return -1;
        r->bad = 0;
        return load(r, err);
    }
    if (rc) return err_set(err, e.code, "%s", e.msg);
    return 0;
}

/* Past the data: the checksums of a compressed stream are verified only at its end, and only there is its size known,
 * which may yet change how it is to be read. Of what nobody promised no more than four times the map is decoded. */
static int check_end(reader_t *r, err_t *err)
{
    unsigned char b[4096];
    size_t got = 1, want = r->h.data_at + r->h.data_bytes;
    if (!r->src.dec || r->h.file_bytes != SIZE_MAX) return 0; /* of a pipe the rest is left to whoever is next */
    while (got && r->src.at / 4 <= want)
        if (source_read(&r->src, b, sizeof b, &got, err)) return -1;
    if (got) {
        if (r->h.nsymbt < 0) return head_layout(&r->h, r->name, r->src.at, &r->opts, r->notes, err);
        notes_add(r->notes, "at least %zu bytes more than the header accounts for: not read", r->src.at - want);
        return 0;
    }
    if (head_layout(&r->h, r->name, r->src.at, &r->opts, r->notes, err)) return -1;
    if (decoder_rest(r->src.dec))
        notes_add(r->notes, "%zu bytes after the %s data: not read", decoder_rest(r->src.dec), r->h.codec);
    if (r->h.read_mode == r->h.mode) return 0;
    reader_set_kind(r); /* mode 0 with float32 data */
    r->bad = 0;
    return load(r, err);
}

static int finish(reader_t *r, err_t *err)
{
    vol_t *v = r->vol;
    memcpy(v->voxel, r->h.voxel, sizeof v->voxel);
    memcpy(v->origin, r->h.place, sizeof v->origin);
    if (r->bad) notes_add(r->notes, "%zu voxels are NaN or infinite", r->bad);
    if (!r->h.skewed || r->opts.as_stored) return 0;
    vol_t *w = skew_straighten(v, r->h.angle, r->opts.mem_limit, err);
    if (!w) return -1;
    notes_add(r->notes, "cell angles %g, %g, %g: resampled from %zu x %zu x %zu to an orthogonal grid of %zu x %zu x %zu",
              r->h.angle[0], r->h.angle[1], r->h.angle[2], v->nx, v->ny, v->nz, w->nx, w->ny, w->nz);
    vol_free(v);
    r->vol = w;
    return 0;
}

void reader_set_kind(reader_t *r)
{
    r->raw = raw_of_mode(r->h.read_mode, r->h.mode0_unsigned);
    r->row_bytes = head_row_bytes(r->h.read_mode, (size_t)r->h.n[0]);
}

vol_t *reader_volume(reader_t *r, err_t *err)
{
    size_t extra;
    if (read_header(r, true, err) || choose_volume(r, err)) return NULL;
    reader_set_kind(r);
    bool whole = fits_whole(r, &extra);
    if (!whole) extra = 0;
    if (make_room(r, extra, err) || load_any(r, whole, extra, err) || check_end(r, err) || finish(r, err)) {
        vol_free(r->vol);
        r->vol = NULL;
    }
    return r->vol;
}

void reader_init(reader_t *r, const mrc_opts_t *opts, notes_t *notes)
{
    *r = (reader_t){.src = {.fd = -1}, .want = "not an MRC or CCP4 map", .notes = notes, .h = {.codec = "none"}};
    if (opts) r->opts = *opts;
}

vol_t *mrc_read(const char *path, const mrc_opts_t *opts, mrc_header_t *head, notes_t *notes, err_t *err)
{
    reader_t r;
    reader_init(&r, opts, notes);
    vol_t *v = NULL;
    if (!source_open(&r.src, path, r.opts.mem_limit, err)) {
        r.name = r.src.name;
        v = reader_volume(&r, err);
    }
    if (!v) err_prefix(err, r.src.name);
    source_close(&r.src);
    if (head) *head = r.h;
    return v;
}

vol_t *mrc_read_mem(const unsigned char *buf, size_t n, const char *name, const mrc_opts_t *opts, mrc_header_t *head,
                    notes_t *notes, err_t *err)
{
    reader_t r;
    reader_init(&r, opts, notes);
    vol_t *v = NULL;
    r.name = name;
    if (!source_open_mem(&r.src, buf, n, name, err)) v = reader_volume(&r, err);
    if (!v) err_prefix(err, name);
    source_close(&r.src);
    if (head) *head = r.h;
    return v;
}

/* Of a compressed file by its first bytes, where the header is among them. 1: it is not, or something else is wrong. */
static int head_of_part(reader_t *r, const char *path, const mrc_opts_t *opts, notes_t *notes)
{
    notes_t mine = {0};
    struct stat st;
    reader_init(r, opts, &mine);
    if (stat(path, &st) || !S_ISREG(st.st_mode)) return 1; /* what is taken from a pipe is gone */
    r->name = path;
    int rc = source_open_part(&r->src, path, r->opts.mem_limit, NULL) || !r->src.dec || read_header(r, false, NULL) ? 1 : 0;
    source_close(&r->src);
    for (size_t i = 0; !rc && i < mine.n; i++) notes_add(notes, "%s", mine.line[i]);
    notes_free(&mine);
    return rc;
}

int mrc_head(const char *path, const mrc_opts_t *opts, mrc_header_t *head, notes_t *notes, err_t *err)
{
    reader_t r;
    int rc = strcmp(path, "-") ? head_of_part(&r, path, opts, notes) : 1;
    if (rc) {
        reader_init(&r, opts, notes);
        rc = source_open(&r.src, path, r.opts.mem_limit, err);
        r.name = r.src.name;
        if (!rc) rc = read_header(&r, false, err);
        if (rc) err_prefix(err, r.src.name);
        source_close(&r.src);
    }
    *head = r.h;
    return rc;
}
