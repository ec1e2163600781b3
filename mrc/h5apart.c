/* h5apart: the reader of HDF5 maps (see hdf5.h). libhdf5 trusts what it reads: a damaged file makes 1.10.8 read where nothing is. So the
 * file is opened and read by a fork of this process, and sections come back through memory of both. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "mrc/apart.h"
#include "mrc/hdf5.h"

enum { ANSWER = 1 << 18 };

/* What opening finds out. The fork is this program: its static strings lie where ours do. Lines of text follow: notes, then info.text. */
typedef struct {
    map_info_t info;
    size_t n[3], batch, extra, notes, text;
    bool whole;
    char path[H5MAP_PATH];
} opened_t;

typedef struct {
    apart_t fork;
    char what[H5MAP_PATH + 64]; /* that it is doing */
} reader_h5_t;

/* ---- in the fork ---- */

typedef struct {
    mapfile_t *m;
    h5map_t h;
} server_t;

static size_t put_lines(const notes_t *notes, char **at, const char *end)
{
    size_t k = 0;
    for (; k < notes->n; k++) {
        size_t n = strlen(notes->line[k]) + 1;
        if (n > (size_t)(end - *at)) break;
        memcpy(*at, notes->line[k], n);
        *at += n;
    }
    return k;
}

static int serve_open(server_t *s, opened_t *o, size_t room, err_t *err)
{
    mapfile_t *m = s->m;
    notes_t notes = {0};
    if (m->notes) m->notes = &notes;
    int rc = h5map_open(m, &s->h, err);
    *o = (opened_t){.info = m->info, .n = {m->n[0], m->n[1], m->n[2]}, .batch = m->batch, .extra = m->extra, .whole = m->whole};
    o->info.text = (notes_t){0};
    memcpy(o->path, s->h.path, sizeof o->path);
    char *at = (char *)(o + 1);
    const char *end = (const char *)o + room;
    o->notes = put_lines(&notes, &at, end);
    o->text = put_lines(&m->info.text, &at, end);
    m->notes = NULL; /* each has been told */
    return rc;
}

static int serve(void *ctx, const size_t ask[2], void *shared, size_t room, err_t *err)
{
    server_t *s = ctx;
    return ask[1] ? h5map_sections(s->m, &s->h, ask[0], ask[1], shared, err) : serve_open(s, shared, room, err);
}

/* ---- here ---- */

static const char *take_lines(notes_t *to, const char *p, const char *end, size_t n)
{
    for (; n && p < end; n--) {
        size_t k = strnlen(p, (size_t)(end - p));
        notes_add(to, "%.*s", (int)k, p);
        p += k + 1;
    }
    return p;
}

static void take_opened(mapfile_t *m, const opened_t *o)
{
    const char *end = (const char *)o + ANSWER;
    notes_t text = m->info.text;
    m->info = o->info;
    m->info.text = text;
    memcpy(m->n, o->n, sizeof m->n);
    m->batch = o->batch;
    m->extra = o->extra;
    m->whole = o->whole;
    take_lines(&m->info.text, take_lines(m->notes, (const char *)(o + 1), end, o->notes), end, o->text);
}

static int hdf5_open(mapfile_t *m, err_t *err)
{
    server_t s = {.m = m, .h = {.file = -1, .access = -1, .dset = -1}};
    reader_h5_t *r = m->self = mem_zero(1, sizeof *r, err);
    int rc;
    if (!r) return -1;
    r->fork = APART_NONE;
#pragma omp critical(cryolex_hdf5)
    rc = apart_start(&r->fork, serve, &s, err);
    snprintf(r->what, sizeof r->what, "%s: HDF5, which reads its groups and attributes,", m->name);
    if (rc) return -1;
    rc = apart_ask(&r->fork, (const size_t[2]){0, 0}, ANSWER, r->what, err);
    if (r->fork.pid) take_opened(m, r->fork.shared); /* of a file that is refused, what was found out so far */
    if (rc) return -1;
    const opened_t *o = r->fork.shared;
    snprintf(r->what, sizeof r->what, "%s: %.*s: HDF5, which reads its values,", m->name, H5MAP_PATH - 1, o->path);
    if (m->batch > 1) m->extra += m->batch * m->n[0] * m->n[1] * sizeof(float); /* the memory of both */
    return 0;
}

static int hdf5_sections(mapfile_t *m, size_t z0, size_t nz, float *out, err_t *err)
{
    reader_h5_t *r = m->self;
    const size_t bytes = nz * m->n[0] * m->n[1] * sizeof *out;
    if (apart_ask(&r->fork, (const size_t[2]){z0, nz}, bytes, r->what, err)) return -1;
    memcpy(out, r->fork.shared, bytes);
    return 0;
}

static void hdf5_close(mapfile_t *m)
{
    reader_h5_t *r = m->self;
    if (!r) return;
    apart_end(&r->fork);
    mem_free(r);
}

const format_t format_hdf5 = {IS_HDF5, true, true, hdf5_open, hdf5_sections, hdf5_close};
