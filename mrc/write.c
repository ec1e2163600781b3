/* write: a volume to an MRC2014 file (see mrc.h). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mrc/head.h"
#include "mrc/mrc.h"
#include "mrc/output.h"
#include "mrc/sink.h"

static void put_label(unsigned char *b, size_t k, const char *text)
{
    size_t n = strlen(text);
    unsigned char *p = b + AT_LABEL + HEAD_LABEL * k;
    memset(p, ' ', HEAD_LABEL);
    memcpy(p, text, n < HEAD_LABEL ? n : HEAD_LABEL);
}

static int32_t mode_of(raw_t kind)
{
    static const int32_t modes[] = {[RAW_INT8] = 0, [RAW_INT16] = 1, [RAW_FLOAT32] = 2, [RAW_UINT16] = 6, [RAW_FLOAT16] = 12};
    return modes[kind];
}

/* Its words, but for text and the like, in the other order. */
static void make_big(unsigned char *b)
{
    for (size_t at = 0; at < AT_LABEL; at += 4) {
        if (at == AT_EXTTYP || at == AT_MAP || at == AT_STAMP) continue;
        unsigned char *p = b + at, p0 = p[0], p1 = p[1];
        p[0] = p[3], p[1] = p[2], p[2] = p1, p[3] = p0;
    }
    memcpy(b + AT_STAMP, "\x11\x11\0", 4);
}

static void make_header(const output_t *o, unsigned char *b)
{
    const vol_t *v = o->v;
    const volstat_t *s = &o->stat;
    char scale[HEAD_LABEL + 1];
    size_t own = 1;
    const size_t n[3] = {v->nx, v->ny, v->nz};
    bool whole = true;
    memset(b, 0, HEAD_BYTES);
    for (size_t k = 0; k < 3; k++) {
        double start = v->origin[k] / v->voxel[k];
        whole = whole && fabs(start - rint(start)) < 1e-4 && fabs(start) < 1e6;
        head_put_i32(b, AT_N + 4 * k, (int32_t)n[k]);
        head_put_i32(b, AT_M + 4 * k, (int32_t)n[k]);
        head_put_f32(b, AT_CELLA + 4 * k, (float)((double)n[k] * v->voxel[k]));
        head_put_f32(b, AT_CELLB + 4 * k, 90);
        head_put_i32(b, AT_MAPCRS + 4 * k, (int32_t)k + 1);
        head_put_f32(b, AT_ORIGIN + 4 * k, (float)v->origin[k]);
    }
    for (size_t k = 0; k < 3 && whole; k++)
        head_put_i32(b, AT_NSTART + 4 * k, (int32_t)rint(v->origin[k] / v->voxel[k]));
    head_put_i32(b, AT_MODE, mode_of(o->fit.kind));
    head_put_f32(b, AT_DMIN, (float)s->min);
    head_put_f32(b, AT_DMIN + 4, (float)s->max);
    head_put_f32(b, AT_DMIN + 8, (float)s->mean);
    head_put_i32(b, AT_ISPG, 1);
    head_put_i32(b, AT_NVERSION, 20141);
    memcpy(b + AT_MAP, "MAP DD", 6);
    head_put_f32(b, AT_RMS, (float)s->sd);
    put_label(b, 0, "Created by CryoLex");
    if (o->fit.scaled) {
        snprintf(scale, sizeof scale, "value = (stored - %.9g) / %.9g", o->fit.add, o->fit.mul);
        put_label(b, own++, scale);
    }
    size_t labels = o->labels < HEAD_LABELS - own ? o->labels : HEAD_LABELS - own;
    head_put_i32(b, AT_NLABL, (int32_t)(labels + own));
    for (size_t k = 0; k < labels; k++) put_label(b, own + k, o->label[k]);
    if (o->big_endian) make_big(b);
}

int output_mrc(const output_t *o, err_t *err)
{
    unsigned char b[HEAD_BYTES];
    sink_t s;
    make_header(o, b);
    if (sink_open(&s, o->path, o->gz, err)) return -1;
    int rc = sink_put(&s, b, sizeof b, err);
    if (!rc) rc = sink_values(&s, &o->fit, o->big_endian, o->v->data, vol_len(o->v), err);
    return sink_end(&s, rc, err);
}

int mrc_write(const char *path, const vol_t *v, const mrc_wopts_t *opts, err_t *err)
{
    static const mrc_wopts_t plain = {.mode = 2};
    const mrc_wopts_t *w = opts ? opts : &plain;
    size_t len = strlen(path);
    char type[16];
    output_t o = {.path = path, .v = v, .gz = len > 3 && !strcmp(path + len - 3, ".gz"), .label = w->label, .labels = w->labels};
    if (w->mode == 101 || !head_is_density(w->mode))
        return err_set(err, ERR_USAGE, "%s: mode %d (0, 1, 2, 6 or 12 can be written)", path, w->mode);
    snprintf(type, sizeof type, "mode %d", w->mode);
    if (values_fit(path, type, v, raw_of_mode(w->mode, false), false, false, &o.fit, &o.stat, NULL, err)) return -1;
    return output_mrc(&o, err);
}
