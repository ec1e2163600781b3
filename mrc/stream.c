/* stream: sections of an MRC file in order (see stream.h). */
#include "mrc/stream.h"

#include <string.h>

#include "base/mem.h"
#include "mrc/data.h"
#include "mrc/head.h"
#include "mrc/source.h"

struct stream {
    source_t src;
    mrc_header_t h;
    raw_t raw;
    size_t bytes; /* of a section */
    unsigned char *section;
    char *name;
};

static bool in_order(const mrc_header_t *h)
{
    return h->axis[0] == 0 && h->axis[1] == 1 && h->axis[2] == 2 && !h->skewed && !h->image_stack && h->volumes == 1 &&
           head_is_density(h->read_mode) && h->read_mode != 0;
}

static int open_it(stream_t *s, const mrc_opts_t *o, notes_t *notes, err_t *err)
{
    if (mrc_head(s->name, o, &s->h, notes, NULL) || !in_order(&s->h) || (o && o->volume > 1))
        return err_set(err, ERR_UNSUP, "%s: cannot be read section by section", s->name);
    if (source_open(&s->src, s->name, o ? o->mem_limit : 0, err)) return -1;
    s->raw = raw_of_mode(s->h.read_mode, s->h.mode0_unsigned);
    s->bytes = head_row_bytes(s->h.read_mode, s->h.size[0]) * s->h.size[1];
    s->section = mem_new(s->bytes, 1, err);
    return s->section ? source_seek(&s->src, s->h.data_at, err) : -1;
}

stream_t *stream_open(const char *path, const mrc_opts_t *opts, vol_t *shape, notes_t *notes, err_t *err)
{
    notes_t mine = {0};
    stream_t *s = mem_zero(1, sizeof *s, err);
    if (!s) return NULL;
    s->src.fd = -1;
    s->name = mem_str(path, err);
    if (!s->name || open_it(s, opts, &mine, err)) {
        stream_close(s);
        notes_free(&mine);
        return NULL;
    }
    for (size_t i = 0; i < mine.n; i++) notes_add(notes, "%s", mine.line[i]);
    notes_free(&mine);
    *shape = (vol_t){.nx = s->h.size[0], .ny = s->h.size[1], .nz = s->h.size[2]};
    memcpy(shape->voxel, s->h.voxel, sizeof shape->voxel);
    memcpy(shape->origin, s->h.place, sizeof shape->origin);
    return s;
}

int stream_next(stream_t *s, float *out, err_t *err)
{
    const size_t nx = s->h.size[0], row = head_row_bytes(s->h.read_mode, nx);
    size_t got;
    if (source_read(&s->src, s->section, s->bytes, &got, err)) return -1;
    if (got < s->bytes) return err_set(err, ERR_IO, "%s: ends after %zu bytes of data, cut short", s->name, s->src.at);
    for (size_t y = 0; y < s->h.size[1]; y++) raw_to_float(s->raw, s->h.big_endian, s->section + y * row, out + y * nx, nx);
    return 0;
}

void stream_close(stream_t *s)
{
    if (!s) return;
    source_close(&s->src);
    mem_free(s->section);
    mem_free(s->name);
    mem_free(s);
}
