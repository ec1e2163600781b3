/* tiffwrite: a map as pages of a TIFF, one a section, written in order from the first byte to the last, so that it may go to a pipe.
 *
 * All directories come first, then the values without a gap. The first page's description is ImageJ's (images, slices, unit, spacing, min,
 * max); X and YResolution are voxels per angstrom. Lines "cryolex_voxel" and "cryolex_origin" in it, which ImageJ passes over, hold
 * voxel size and origin to the last bit; tiff.c reads them. Past 4 GB it is a BigTIFF.
 * Sources: TIFF revision 6.0, the BigTIFF design, ImageJ's description of its own tags. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "mrc/output.h"
#include "mrc/sink.h"

enum { STRIP = 64 << 20, PAD = 16 }; /* bytes of a strip at most, or one row; the values begin at a multiple of PAD */
enum { SHORT = 3, LONG = 4, ASCII = 2, RATIONAL = 5, LONG8 = 16 };

typedef struct {
    const output_t *o;
    bool big;            /* BigTIFF */
    char text[640];      /* ImageDescription */
    uint32_t rows;       /* of a strip */
    size_t strips;       /* of a page */
    size_t row, page;    /* bytes */
    size_t ifd[2];       /* bytes of the first directory, and of each that follows, with what it points to */
    size_t data_at;
    unsigned char *b;    /* room for the longer of them */
} pages_t;

/* A directory being made at byte `at` of the file. */
typedef struct {
    const pages_t *p;
    unsigned char *b;
    size_t at, n, more; /* more: bytes, from the directory's first, where the next long value goes */
} ifd_t;

static void put_word(const pages_t *p, unsigned char *b, uint64_t x, size_t bytes)
{
    for (size_t k = 0; k < bytes; k++) b[p->o->big_endian ? bytes - 1 - k : k] = (unsigned char)(x >> (8 * k));
}

static size_t type_bytes(int type) { return type == SHORT ? 2 : type == ASCII ? 1 : type == LONG8 ? 8 : 4; }

/* An entry of n words of a type; RATIONAL has two words a value. Returns where they go. */
static unsigned char *put_entry(ifd_t *d, int tag, int type, size_t n)
{
    const bool big = d->p->big;
    const size_t bytes = n * type_bytes(type), room = big ? 8 : 4, head = big ? 8 : 2;
    unsigned char *e = d->b + head + (big ? 20 : 12) * d->n++, *value = e + (big ? 12 : 8);
    put_word(d->p, e, (uint64_t)tag, 2);
    put_word(d->p, e + 2, (uint64_t)type, 2);
    put_word(d->p, e + 4, type == RATIONAL ? n / 2 : n, big ? 8 : 4);
    if (bytes <= room) return value;
    put_word(d->p, value, d->at + d->more, room);
    value = d->b + d->more;
    d->more += (bytes + 7) / 8 * 8;
    return value;
}

static void put_number(ifd_t *d, int tag, int type, uint64_t x) { put_word(d->p, put_entry(d, tag, type, 1), x, type_bytes(type)); }

static void put_text(ifd_t *d, int tag, const char *text)
{
    memcpy(put_entry(d, tag, ASCII, strlen(text) + 1), text, strlen(text) + 1);
}

/* 1 / angstrom, to nine digits. */
static void put_resolution(ifd_t *d, int tag, double angstrom)
{
    double up = fmin(1e9, 4e9 / angstrom);
    unsigned char *b = put_entry(d, tag, RATIONAL, 2);
    put_word(d->p, b, (uint64_t)rint(up), 4);
    put_word(d->p, b + 4, (uint64_t)rint(up * angstrom), 4);
}

/* Where the strips of page k lie, or how long they are. */
static void put_strips(ifd_t *d, int tag, size_t k)
{
    const pages_t *p = d->p;
    const int type = p->big ? LONG8 : LONG;
    const size_t strip = p->rows * p->row;
    unsigned char *b = put_entry(d, tag, type, p->strips);
    for (size_t i = 0; i < p->strips; i++) {
        size_t from = i * strip, n = p->page - from < strip ? p->page - from : strip;
        put_word(p, b + i * type_bytes(type), tag == 273 ? p->data_at + k * p->page + from : n, type_bytes(type));
    }
}

/* The directory of page k, at byte `at`, to b, which is cleared. Returns its length, with all that it points to. */
static size_t make_ifd(const pages_t *p, size_t k, size_t at, unsigned char *b)
{
    const output_t *o = p->o;
    const vol_t *v = o->v;
    const size_t entries = k ? 13 : 15, head = p->big ? 8 : 2, next = p->big ? 8 : 4, fixed = head + (p->big ? 20 : 12) * entries + next;
    const raw_t kind = o->fit.kind;
    ifd_t d = {.p = p, .b = b, .at = at, .more = (fixed + 7) / 8 * 8};
    put_word(p, b, entries, head);
    put_number(&d, 256, LONG, v->nx);
    put_number(&d, 257, LONG, v->ny);
    put_number(&d, 258, SHORT, 8 * raw_bytes(kind));
    put_number(&d, 259, SHORT, 1); /* no compression */
    put_number(&d, 262, SHORT, 1); /* black is zero */
    if (!k) put_text(&d, 270, p->text);
    put_strips(&d, 273, k);
    put_number(&d, 277, SHORT, 1);
    put_number(&d, 278, LONG, p->rows);
    put_strips(&d, 279, k);
    put_resolution(&d, 282, v->voxel[0]);
    put_resolution(&d, 283, v->voxel[1]);
    put_number(&d, 296, SHORT, 1); /* not of an inch */
    if (!k) put_text(&d, 305, "CryoLex");
    put_number(&d, 339, SHORT, o->fit.whole ? kind == RAW_INT16 ? 2 : 1 : 3);
    put_word(p, b + fixed - next, k + 1 < v->nz ? at + p->ifd[k > 0] : 0, next);
    return d.more;
}

static int lay_out(pages_t *p, const output_t *o, err_t *err)
{
    const vol_t *v = o->v;
    const size_t head = p->big ? 16 : 8;
    p->o = o;
    p->row = v->nx * raw_bytes(o->fit.kind);
    p->page = p->row * v->ny;
    p->rows = (uint32_t)(STRIP / p->row < v->ny ? STRIP / p->row : v->ny);
    p->strips = (v->ny + p->rows - 1) / p->rows;
    mem_free(p->b);
    p->b = mem_zero(1024 + sizeof p->text + 16 * p->strips, 1, err);
    if (!p->b) return -1;
    for (size_t k = 0; k < 2; k++) p->ifd[k] = make_ifd(p, k, 0, p->b);
    p->data_at = (head + p->ifd[0] + (v->nz - 1) * p->ifd[1] + PAD - 1) / PAD * PAD;
    return 0;
}

static int put_head(const pages_t *p, sink_t *s, err_t *err)
{
    unsigned char b[16] = {0};
    const size_t n = p->big ? 16 : 8;
    memset(b, p->o->big_endian ? 'M' : 'I', 2);
    put_word(p, b + 2, p->big ? 43 : 42, 2);
    if (p->big) put_word(p, b + 4, 8, 2);
    put_word(p, b + n / 2, n, n / 2);
    return sink_put(s, b, n, err);
}

static int put_ifds(const pages_t *p, sink_t *s, err_t *err)
{
    static const unsigned char zero[PAD];
    size_t at = p->big ? 16 : 8;
    for (size_t k = 0; k < p->o->v->nz; k++) {
        memset(p->b, 0, p->ifd[k > 0]);
        make_ifd(p, k, at, p->b);
        if (sink_put(s, p->b, p->ifd[k > 0], err)) return -1;
        at += p->ifd[k > 0];
    }
    return sink_put(s, zero, p->data_at - at, err);
}

static void describe(pages_t *p, const output_t *o)
{
    const vol_t *v = o->v;
    snprintf(p->text, sizeof p->text,
             "ImageJ=1.53t\nimages=%zu\nslices=%zu\nunit=angstrom\nspacing=%.9g\nloop=false\nmin=%.9g\nmax=%.9g\n"
             "cryolex_voxel=%.17g %.17g %.17g\ncryolex_origin=%.17g %.17g %.17g\n",
             v->nz, v->nz, v->voxel[2], o->stat.min, o->stat.max, v->voxel[0], v->voxel[1], v->voxel[2], v->origin[0], v->origin[1], v->origin[2]);
}

int output_tiff(const output_t *o, err_t *err)
{
    pages_t p = {.big = o->bigtiff};
    sink_t s;
    int rc = -1;
    describe(&p, o);
    if (lay_out(&p, o, err)) goto done;
    if (!p.big && p.data_at + p.page * o->v->nz > UINT32_MAX) {
        p.big = true;
        notes_add(o->notes, "more than 4 GB: a BigTIFF, which ImageJ opens by Bio-Formats only");
        if (lay_out(&p, o, err)) goto done;
    }
    if (sink_open(&s, o->path, false, err)) goto done;
    rc = put_head(&p, &s, err) || put_ifds(&p, &s, err) ? -1 : 0;
    if (!rc) rc = sink_values(&s, &o->fit, o->big_endian, o->v->data, vol_len(o->v), err);
    rc = sink_end(&s, rc, err);
done:
    mem_free(p.b);
    return rc;
}
