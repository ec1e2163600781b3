/* planes: sections of a map that lies straight in its file (see planes.h). */
#include "mrc/planes.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "mrc/data.h"
#include "mrc/head.h"
#include "mrc/mapfile.h"
#include "mrc/source.h"

enum { PIECE = 1 << 16 }; /* bytes converted at a time; even, so that half bytes stay together */

struct planes {
    source_t src;
    mrc_header_t h;
    raw_t raw;
    size_t row_bytes;
    char *name;
    mapfile_t *file; /* of another format than MRC; the rest is then not used */
};

static bool lies_straight(const planes_t *p)
{
    const mrc_header_t *h = &p->h;
    return h->axis[0] == 0 && h->axis[1] == 1 && h->axis[2] == 2 && !h->skewed && !h->image_stack && h->volumes == 1 &&
           head_is_density(h->read_mode) && p->src.seekable && p->src.size >= h->data_at && p->src.size - h->data_at >= h->data_bytes;
}

static bool is_plain_file(const char *path)
{
    struct stat st;
    return strcmp(path, "-") != 0 && !stat(path, &st) && S_ISREG(st.st_mode);
}

/* Not compressed? Looks at the file's first bytes only. */
static bool is_uncompressed(planes_t *p)
{
    unsigned char b[CODEC_MAGIC];
    FILE *f = fopen(p->name, "rb");
    size_t n = f ? fread(b, 1, sizeof b, f) : 0;
    if (f) fclose(f);
    return f && codec_sniff(b, n) == CODEC_NONE;
}

static int open_straight(planes_t *p, const mrc_opts_t *opts, notes_t *notes)
{
    if (!is_plain_file(p->name) || !is_uncompressed(p) || mrc_head(p->name, opts, &p->h, notes, NULL)) return -1;
    if (source_open(&p->src, p->name, 0, NULL)) return -1;
    p->row_bytes = head_row_bytes(p->h.read_mode, (size_t)p->h.n[0]);
    if (!lies_straight(p) || (opts && opts->volume > 1)) return -1;
    p->raw = raw_of_mode(p->h.read_mode, p->h.mode0_unsigned);
    return 0;
}

/* A file of another format whose sections come in any order, uncompressed as a whole. */
static int open_other(planes_t *p, const mrc_opts_t *opts, notes_t *notes)
{
    mapfile_t *m = p->file = mem_new(1, sizeof *m, NULL);
    if (!m) return -1;
    mapfile_init(m, opts, notes);
    m->by_planes = true;
    if (source_open(&m->src, p->name, 0, NULL)) return -1;
    m->name = m->src.name;
    if (mapfile_sniff(m, NULL) || !m->format || !m->format->planes || mapfile_open(m, NULL)) return -1;
    const int *axis = m->info.axis;
    if (axis[0] != 0 || axis[1] != 1 || axis[2] != 2 || m->info.skewed || m->whole || m->info.image_stack || m->info.volumes > 1) return -1;
    return opts && opts->mem_limit && m->extra > opts->mem_limit ? -1 : 0;
}

planes_t *planes_open(const char *path, const mrc_opts_t *opts, vol_t *shape, notes_t *notes, err_t *err)
{
    notes_t mine = {0};
    planes_t *p = mem_zero(1, sizeof *p, err);
    if (!p) return NULL;
    p->src.fd = -1;
    p->name = mem_str(path, err);
    bool open = p->name && !open_straight(p, opts, &mine);
    if (!open && p->name && is_plain_file(p->name) && is_uncompressed(p)) {
        notes_free(&mine);
        open = !open_other(p, opts, &mine);
    }
    if (!open) {
        err_set(err, ERR_UNSUP, "%s: cannot be read by sections", path);
        planes_close(p);
        notes_free(&mine);
        return NULL;
    }
    for (size_t i = 0; i < mine.n; i++) notes_add(notes, "%s", mine.line[i]);
    notes_free(&mine);
    if (p->file) {
        const map_info_t *f = &p->file->info;
        p->file->notes = NULL; /* the caller's from here on */
        *shape = (vol_t){.nx = f->size[0], .ny = f->size[1], .nz = f->size[2]};
        memcpy(shape->voxel, f->voxel, sizeof shape->voxel);
        memcpy(shape->origin, f->place, sizeof shape->origin);
        return p;
    }
    *shape = (vol_t){.nx = p->h.size[0], .ny = p->h.size[1], .nz = p->h.size[2]};
    memcpy(shape->voxel, p->h.voxel, sizeof shape->voxel);
    memcpy(shape->origin, p->h.place, sizeof shape->origin);
    return p;
}

void planes_close(planes_t *p)
{
    if (!p) return;
    source_close(&p->src);
    if (p->file) mapfile_close(p->file);
    mem_free(p->file);
    mem_free(p->name);
    mem_free(p);
}

static int get(const planes_t *p, void *buf, size_t n, size_t at, err_t *err)
{
    size_t got;
    if (source_pread(&p->src, buf, n, at, &got, err)) return -1;
    if (got == n) return 0;
    return err_set(err, ERR_IO, "%s: ends after %zu bytes, cut short", p->name, at + got);
}

/* `rows` rows from byte `at`, through a buffer: whole rows together where they are short, pieces of one where not. */
static int convert(const planes_t *p, size_t rows, size_t at, float *out, err_t *err)
{
    unsigned char buf[PIECE];
    size_t nx = p->h.size[0], many = PIECE / p->row_bytes, part = PIECE / 4;
    for (size_t j = 0; many && j < rows; j += many) {
        size_t m = rows - j < many ? rows - j : many;
        if (get(p, buf, m * p->row_bytes, at + j * p->row_bytes, err)) return -1;
        for (size_t k = 0; k < m; k++)
            raw_to_float(p->raw, p->h.big_endian, buf + k * p->row_bytes, out + (j + k) * nx, nx);
    }
    for (size_t j = 0; !many && j < rows; j++)
        for (size_t x = 0; x < nx; x += part) {
            size_t n = nx - x < part ? nx - x : part, from = head_row_bytes(p->h.read_mode, x);
            if (get(p, buf, head_row_bytes(p->h.read_mode, n), at + j * p->row_bytes + from, err)) return -1;
            raw_to_float(p->raw, p->h.big_endian, buf, out + j * nx + x, n);
        }
    return 0;
}

static int read_other(mapfile_t *m, size_t z0, size_t nz, float *out, err_t *err)
{
    int rc;
    if (z0 > m->n[2] || nz > m->n[2] - z0)
        return err_set(err, ERR_USAGE, "%s: sections %zu to %zu of %zu", m->name, z0, z0 + nz, m->n[2]);
#pragma omp critical(cryolex_planes)
    rc = m->format->sections(m, z0, nz, out, err);
    return rc;
}

int planes_read(void *planes, size_t z0, size_t nz, float *out, err_t *err)
{
    const planes_t *p = planes;
    if (p->file) return read_other(p->file, z0, nz, out, err);
    size_t nx = p->h.size[0], ny = p->h.size[1], at = p->h.data_at + z0 * ny * p->row_bytes;
    if (z0 > p->h.size[2] || nz > p->h.size[2] - z0)
        return err_set(err, ERR_USAGE, "%s: sections %zu to %zu of %zu", p->name, z0, z0 + nz, p->h.size[2]);
    if (raw_is_native(p->raw, p->h.big_endian)) return get(p, out, nz * ny * nx * sizeof *out, at, err);
    return convert(p, nz * ny, at, out, err);
}
