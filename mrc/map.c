/* map: the door to the readers of all formats (see map.h). */
#include "mrc/map.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "mrc/axes.h"
#include "mrc/format.h"
#include "mrc/mapfile.h"
#include "mrc/reader.h"
#include "mrc/skew.h"

static const format_t *const formats[] = {&format_hdf5, &format_spider, &format_em, &format_tiff, &format_situs, &format_dx};

enum { STEP = 4 << 20 }; /* bytes of sections asked for at a time, or one batch if that is more */

void map_info_free(map_info_t *info)
{
    if (!info) return;
    notes_free(&info->text);
    *info = (map_info_t){0};
}

/* An MRC file is one by "MAP ", or by fields that all make sense where no other format claims the bytes. */
static bool is_mrc(const unsigned char *b, size_t n, sniffed_t is)
{
    mrc_header_t h;
    if (n < HEAD_BYTES || is == IS_HDF5 || is == IS_TIFF) return false;
    head_parse(b, &h);
    return head_has_map(&h);
}

int mapfile_sniff(mapfile_t *m, err_t *err)
{
    unsigned char b[SNIFF_BYTES];
    size_t n;
    m->format = NULL;
    if (source_peek(&m->src, b, sizeof b, &n, err)) return -1;
    sniffed_t is = sniff(b, n, m->src.size).is;
    for (size_t k = 0; k < sizeof formats / sizeof *formats; k++)
        if (formats[k]->is == is && !is_mrc(b, n, is)) m->format = formats[k];
    return 0;
}

void mapfile_init(mapfile_t *m, const mrc_opts_t *opts, notes_t *notes)
{
    *m = (mapfile_t){.src = {.fd = -1}, .notes = notes, .batch = 1, .info = {.codec = "none", .layout = "", .type = "", .volumes = 1}};
    m->info.axis[1] = 1;
    m->info.axis[2] = 2;
    for (int k = 0; k < 3; k++) m->info.angle[k] = 90;
    if (opts) m->opts = *opts;
}

void mapfile_close(mapfile_t *m)
{
    if (m->format && m->format->close) m->format->close(m);
    source_close(&m->src);
    map_info_free(&m->info);
}

/* What a field of the header may be. */
static const double VOXEL_MIN = 1e-3, VOXEL_MAX = 1e5, ORIGIN_MAX = 1e6, RIGHT = 0.01;

bool format_is_voxel(double v) { return v >= VOXEL_MIN && v <= VOXEL_MAX; }

bool format_take_voxel(mapfile_t *m, const char *field, const double *v)
{
    bool set = false, good = true;
    for (int k = 0; k < 3; k++) {
        set = set || v[k] > 0 || v[k] < 0 || isnan(v[k]);
        good = good && format_is_voxel(v[k]);
    }
    if (set && !good) notes_add(m->notes, "%s %g, %g, %g is no voxel size", field, v[0], v[1], v[2]);
    if (!good) return false;
    memcpy(m->info.voxel, v, sizeof m->info.voxel);
    return m->info.voxel_known = true;
}

int format_check_sides(const mapfile_t *m, const char *const what[3], const double *n, err_t *err)
{
    for (int k = 0; k < 3; k++) {
        if (!(n[k] >= 1) || n[k] != floor(n[k]))
            return err_set(err, ERR_FORMAT, "%s: %s %g (a side is 1 to %d)", m->name, what[k], n[k], VOL_SIDE_MAX);
        if (n[k] > VOL_SIDE_MAX)
            return err_set(err, ERR_RANGE, "%s: %s %g (a side is 1 to %d)", m->name, what[k], n[k], VOL_SIDE_MAX);
    }
    return 0;
}

int format_check_size(const mapfile_t *m, size_t bytes, err_t *err)
{
    size_t most = source_bound(&m->src);
    if (most == SOURCE_UNKNOWN || most >= bytes) return 0;
    if (m->src.dec)
        return err_set(err, ERR_IO, "%s: %zu bytes of %s data cannot hold the %zu bytes that the header promises", m->name, m->src.mem_n,
                       m->info.codec, bytes);
    return err_set(err, ERR_IO, "%s: ends after %zu bytes, cut short (the header promises %zu)", m->name, most, bytes);
}

int format_raw_read(mapfile_t *m, size_t at, size_t n, float *out, err_t *err)
{
    unsigned char buf[1 << 16];
    const size_t bytes = raw_bytes(m->raw), step = sizeof buf / bytes;
    const bool native = raw_is_native(m->raw, m->info.big_endian);
    if (source_seek(&m->src, at, err)) return -1;
    for (size_t i = 0; i < n;) {
        size_t k = native ? n : n - i < step ? n - i : step, got;
        if (source_read(&m->src, native ? (unsigned char *)out : buf, k * bytes, &got, err)) return -1;
        if (got < k * bytes)
            return err_set(err, ERR_IO, "%s: ends after %zu bytes, cut short (the header promises %zu)", m->name, m->src.at,
                           m->data_at + m->data_bytes);
        if (!native) raw_to_float(m->raw, m->info.big_endian, buf, out + i, k);
        i += k;
    }
    return 0;
}

int format_raw_sections(mapfile_t *m, size_t z0, size_t nz, float *out, err_t *err)
{
    const size_t plane = m->n[0] * m->n[1];
    return format_raw_read(m, m->data_at + (m->volume * m->n[2] + z0) * plane * raw_bytes(m->raw), nz * plane, out, err);
}

/* Voxel size and origin by the header and the caller. */
static int judge_place(mapfile_t *m, err_t *err)
{
    map_info_t *f = &m->info;
    bool sane = true;
    if (m->opts.apix > 0) {
        for (int k = 0; k < 3; k++) f->voxel[k] = m->opts.apix;
        f->voxel_known = true;
    }
    if (!f->voxel_known) {
        for (int k = 0; k < 3; k++) f->voxel[k] = 1;
        if (!m->opts.any_voxel)
            return err_set(err, ERR_USAGE, "%s: this %s file does not tell the voxel size; it has to be given (--apix, or --in-apix of resample)", m->name, f->format);
        notes_add(m->notes, "the file does not tell the voxel size: 1 A taken; it can be given");
    }
    for (int k = 0; k < 3; k++) sane = sane && fabs(f->place[k]) <= ORIGIN_MAX;
    if (!sane) notes_add(m->notes, "origin %g, %g, %g makes no sense: taken as 0", f->place[0], f->place[1], f->place[2]);
    if (!sane || m->opts.origin == MRC_ORIGIN_NONE) memset(f->place, 0, sizeof f->place);
    return 0;
}

/* Do the angles make a cell, and is it orthogonal? */
static void judge_angles(mapfile_t *m)
{
    double *a = m->info.angle, c[3], sum = 0;
    bool sane = true;
    for (int k = 0; k < 3; k++) {
        sane = sane && a[k] > 0 && a[k] < 180;
        sum += a[k];
        c[k] = cos(a[k] * M_PI / 180);
    }
    sane = sane && sum < 360 && 1 - c[0] * c[0] - c[1] * c[1] - c[2] * c[2] + 2 * c[0] * c[1] * c[2] > 1e-6;
    if (!sane) notes_add(m->notes, "cell angles %g, %g, %g make no cell: taken as 90", a[0], a[1], a[2]);
    for (int k = 0; k < 3; k++) {
        if (!sane) a[k] = 90;
        m->info.skewed = m->info.skewed || !(fabs(a[k] - 90) <= RIGHT);
    }
}

/* Which volume, and is it one? */
static int choose_volume(mapfile_t *m, err_t *err)
{
    const map_info_t *f = &m->info;
    long k = m->opts.volume;
    if (f->image_stack && !m->opts.images)
        return err_set(err, ERR_UNSUP, "%s: a stack of %zu images, not a volume; see --images", m->name, m->n[2]);
    if (f->image_stack) notes_add(m->notes, "a stack of %zu images, read as a volume", m->n[2]);
    if (f->volumes > 1 && k == 0)
        return err_set(err, ERR_USAGE, "%s: a stack of %zu volumes; choose one with --volume", m->name, f->volumes);
    if (k < 0 || (size_t)k > f->volumes)
        return err_set(err, ERR_NOTFOUND, "%s: volume %ld (there are %zu)", m->name, k, f->volumes);
    m->volume = k ? (size_t)k - 1 : 0;
    return 0;
}

int mapfile_open(mapfile_t *m, err_t *err)
{
    map_info_t *f = &m->info;
    f->codec = codec_name(m->src.codec);
    static const char *const names[] = {[IS_OTHER] = "", [IS_HDF5] = "HDF5", [IS_TIFF] = "TIFF", [IS_SITUS] = "Situs", [IS_DX] = "OpenDX",
                                        [IS_SPIDER] = "SPIDER", [IS_EM] = "EM"};
    f->format = names[m->format->is];
    if (m->format->random && source_unpack(&m->src, m->opts.mem_limit, err)) return -1;
    if (m->format->open(m, err)) return -1;
    for (int k = 0; k < 3; k++) f->size[f->axis[k]] = m->n[k];
    judge_angles(m);
    return choose_volume(m, err) || judge_place(m, err) ? -1 : 0;
}

static size_t batch_of(const mapfile_t *m)
{
    size_t k = m->batch > AXES_BATCH ? m->batch : AXES_BATCH;
    return k < m->n[2] ? k : m->n[2];
}

static vol_t *make_room(const mapfile_t *m, err_t *err)
{
    const map_info_t *f = &m->info;
    size_t voxels = f->size[0] * f->size[1] * f->size[2], need = 4 * voxels + m->extra; /* no overflow: sides are at most 2^15 */
    if (m->src.own) need += m->src.mem_n;
    if (!axes_straight(f->axis)) need += batch_of(m) * m->n[0] * m->n[1] * sizeof(float);
    if (m->opts.mem_limit && need > m->opts.mem_limit) {
        err_set(err, ERR_RANGE, "%s: %zu x %zu x %zu voxels need %zu bytes of memory (the limit is %zu)", m->name, f->size[0], f->size[1],
                f->size[2], need, m->opts.mem_limit);
        return NULL;
    }
    vol_t *v = mem_zero(1, sizeof *v, err);
    if (!v) return NULL;
    *v = (vol_t){.nx = f->size[0], .ny = f->size[1], .nz = f->size[2]};
    memcpy(v->voxel, f->voxel, sizeof v->voxel);
    memcpy(v->origin, f->place, sizeof v->origin);
    v->data = mem_new(voxels, sizeof *v->data, err);
    if (v->data) return v;
    vol_free(v);
    return NULL;
}

static int load(mapfile_t *m, vol_t *v, err_t *err)
{
    const size_t plane = m->n[0] * m->n[1], nz = m->n[2];
    const bool straight = axes_straight(m->info.axis);
    size_t step = batch_of(m);
    if (straight) step = m->batch * (1 + STEP / (plane * m->batch * sizeof(float)));
    float *part = straight ? NULL : mem_new(plane * step, sizeof *part, err);
    int rc = straight || part ? 0 : -1;
    for (size_t z = 0; z < nz && !rc; z += step) {
        size_t k = nz - z < step ? nz - z : step;
        rc = m->format->sections(m, z, k, straight ? v->data + z * plane : part, err);
        if (!rc && !straight) axes_scatter(m->n, m->info.axis, part, z, k, v);
    }
    mem_free(part);
    return rc;
}

/* Past binary data: the checksums of a compressed stream are verified at its end only. Of what nobody promised no more than four
 * times the map is decoded. */
static int check_end(mapfile_t *m, err_t *err)
{
    unsigned char b[4096];
    size_t got = 1, want = m->data_at + m->data_bytes;
    if (m->src.size != SOURCE_UNKNOWN) {
        if (want && m->src.size > want) notes_add(m->notes, "%zu bytes more than the header accounts for: not read", m->src.size - want);
        return 0;
    }
    if (!m->src.dec) return 0; /* of a pipe the rest is left to whoever is next */
    if (want && source_seek(&m->src, want, err)) return -1;
    while (got && m->src.at / 4 <= want + m->src.mem_n)
        if (source_read(&m->src, b, sizeof b, &got, err)) return -1;
    if (want && m->src.at > want) notes_add(m->notes, "more bytes than the header accounts for: not read");
    return 0;
}

static vol_t *straighten(const mapfile_t *m, vol_t *v, err_t *err)
{
    const double *a = m->info.angle;
    if (!m->info.skewed || m->opts.as_stored) return v;
    vol_t *w = skew_straighten(v, a, m->opts.mem_limit, err);
    if (w)
        notes_add(m->notes, "cell angles %g, %g, %g: resampled from %zu x %zu x %zu to an orthogonal grid of %zu x %zu x %zu", a[0], a[1],
                  a[2], v->nx, v->ny, v->nz, w->nx, w->ny, w->nz);
    vol_free(v);
    return w;
}

static vol_t *read_format(mapfile_t *m, err_t *err)
{
    if (mapfile_open(m, err)) return NULL;
    vol_t *v = make_room(m, err);
    if (v && !load(m, v, err) && !check_end(m, err)) {
        size_t bad = m->opts.unchecked ? 0 : raw_count_bad(v->data, vol_len(v));
        if (bad) notes_add(m->notes, "%zu voxels are NaN or infinite", bad);
        return straighten(m, v, err);
    }
    vol_free(v);
    return NULL;
}

/* An MRC reader on the source of m, which it takes over. */
static void to_reader(mapfile_t *m, reader_t *r)
{
    reader_init(r, &m->opts, m->notes);
    r->src = m->src;
    r->name = m->src.name;
    r->want = "no map that is read (MRC, CCP4, HDF5, TIFF, Situs, OpenDX, SPIDER, EM)";
    m->src = (source_t){.fd = -1};
}

static vol_t *read_mrc(mapfile_t *m, err_t *err)
{
    reader_t r;
    to_reader(m, &r);
    vol_t *v = reader_volume(&r, err);
    const mrc_header_t *h = &r.h;
    map_info_t *f = &m->info;
    f->mrc = *h;
    f->codec = h->codec;
    if (h->volumes) { /* understood that far */
        f->format = "MRC";
        f->type = head_is_density(h->read_mode) ? raw_name(raw_of_mode(h->read_mode, h->mode0_unsigned)) : "";
        f->big_endian = h->big_endian;
        f->volumes = h->volumes;
        f->image_stack = h->image_stack;
        f->voxel_known = true;
        f->skewed = h->skewed;
        memcpy(f->size, h->size, sizeof f->size);
        memcpy(f->axis, h->axis, sizeof f->axis);
        memcpy(f->voxel, h->voxel, sizeof f->voxel);
        memcpy(f->angle, h->angle, sizeof f->angle);
        memcpy(f->place, h->place, sizeof f->place);
    }
    source_close(&r.src);
    return v;
}

static vol_t *read_opened(mapfile_t *m, map_info_t *info, err_t *err)
{
    const char *name = m->src.name;
    vol_t *v = NULL;
    m->name = name;
    if (!mapfile_sniff(m, err)) v = m->format ? read_format(m, err) : read_mrc(m, err);
    if (!v) err_prefix(err, name);
    if (info) {
        *info = m->info;
        m->info.text = (notes_t){0};
    }
    mapfile_close(m);
    return v;
}

vol_t *map_read(const char *path, const mrc_opts_t *opts, map_info_t *info, notes_t *notes, err_t *err)
{
    mapfile_t m;
    mapfile_init(&m, opts, notes);
    if (!source_open(&m.src, path, m.opts.mem_limit, err)) return read_opened(&m, info, err);
    err_prefix(err, m.src.name);
    mapfile_close(&m);
    return NULL;
}

vol_t *map_read_mem(const unsigned char *buf, size_t n, const char *name, const mrc_opts_t *opts, map_info_t *info, notes_t *notes,
                    err_t *err)
{
    mapfile_t m;
    mapfile_init(&m, opts, notes);
    if (!source_open_mem(&m.src, buf, n, name, err)) return read_opened(&m, info, err);
    mapfile_close(&m);
    return NULL;
}

/* A file of another format than MRC departs from it in what has to be noted, and in what makes it unreadable. */
static int validate_format(mapfile_t *m, notes_t *list, err_t *err)
{
    err_t e = {0};
    m->notes = list;
    m->opts.any_voxel = true;
    m->opts.images = true;
    m->opts.apix = m->opts.apix > 0 ? m->opts.apix : 1; /* so that none is missed: that is no departure */
    m->opts.as_stored = true;
    if (!m->opts.volume) m->opts.volume = 1;
    vol_t *v = read_format(m, &e);
    vol_free(v);
    if (v) return 0;
    if (e.code == ERR_NOMEM || e.code == ERR_RANGE) return err_set(err, e.code, "%s", e.msg);
    notes_add(list, "file: %s", e.msg);
    return 0;
}

int map_validate(const char *path, const mrc_opts_t *opts, notes_t *list, err_t *err)
{
    mapfile_t m;
    mapfile_init(&m, opts, NULL);
    int rc = source_open(&m.src, path, m.opts.mem_limit, err);
    m.name = m.src.name;
    if (!rc && mapfile_sniff(&m, NULL)) m.format = NULL; /* damaged from its first bytes on: the validator says so */
    if (!rc && m.format) {
        rc = validate_format(&m, list, err);
        if (!rc && list->lost) rc = err_set(err, ERR_NOMEM, "no memory for the list of departures");
    } else if (!rc) {
        reader_t r;
        to_reader(&m, &r);
        rc = reader_validate(&r, list, err);
        source_close(&r.src);
    }
    if (rc) err_prefix(err, m.name);
    mapfile_close(&m);
    return rc;
}
