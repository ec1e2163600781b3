/* write: a volume to an MRC2014 file (see mrc.h). */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <zlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "mrc/data.h"
#include "mrc/head.h"
#include "mrc/mrc.h"

enum { ROWS_BYTES = 1 << 18, GZ_LEVEL = 6 };

/* Where bytes go: a file, or a gzip stream into one. */
typedef struct {
    outfile_t out;
    const char *path;
    bool gz;
    z_stream z;
} sink_t;

static int put_plain(sink_t *s, const unsigned char *b, size_t n, err_t *err)
{
    if (fwrite(b, 1, n, s->out.f) != n) return err_set(err, ERR_IO, "%s: cannot write: %s", s->path, strerror(errno));
    return 0;
}

static int put(sink_t *s, const unsigned char *b, size_t n, int flush, err_t *err)
{
    unsigned char buf[1 << 14];
    if (!s->gz) return put_plain(s, b, n, err);
    s->z.next_in = (unsigned char *)(uintptr_t)b;
    s->z.avail_in = (unsigned)n;
    do {
        s->z.next_out = buf;
        s->z.avail_out = sizeof buf;
        if (deflate(&s->z, flush) == Z_STREAM_ERROR) return err_set(err, ERR_INTERNAL, "%s: cannot compress", s->path);
        if (put_plain(s, buf, sizeof buf - s->z.avail_out, err)) return -1;
    } while (s->z.avail_out == 0);
    return 0;
}

static const struct {
    int mode;
    size_t bytes;
    double min, max;
} kinds[] = {{0, 1, -128, 127}, {1, 2, -32768, 32767}, {2, 4, -INFINITY, INFINITY}, {6, 2, 0, 65535}, {12, 2, -65504, 65504}};

/* The value that the file will hold. */
static double stored(int mode, float x)
{
    if (mode == 2) return (double)x;
    if (mode == 12) return (double)raw_half_to_float(raw_float_to_half(x));
    return rint((double)x);
}

static void put_u16(unsigned char *b, uint16_t u)
{
    b[0] = (unsigned char)u;
    b[1] = (unsigned char)(u >> 8);
}

static void encode(int mode, const float *x, unsigned char *b, size_t n)
{
    switch (mode) {
    case 0:
        for (size_t i = 0; i < n; i++) b[i] = (unsigned char)(int8_t)rint((double)x[i]);
        break;
    case 1:
    case 6:
        for (size_t i = 0; i < n; i++) put_u16(b + 2 * i, (uint16_t)(int32_t)rint((double)x[i]));
        break;
    case 12:
        for (size_t i = 0; i < n; i++) put_u16(b + 2 * i, raw_float_to_half(x[i]));
        break;
    default:
        for (size_t i = 0; i < n; i++) head_put_f32(b, 4 * i, x[i]);
    }
}

/* Every value fits the mode? */
static int check_values(const char *path, const vol_t *v, int mode, double min, double max, err_t *err)
{
    bool whole = mode != 2 && mode != 12;
    for (size_t i = 0, n = vol_len(v); i < n && mode != 2; i++) {
        double x = (double)v->data[i];
        if (!whole && !isfinite(x)) continue;
        if (whole) x = rint(x);
        if (!(x >= min && x <= max) && (whole || isinf(stored(12, v->data[i]))))
            return err_set(err, ERR_RANGE, "%s: value %g does not fit mode %d (%g to %g)", path, (double)v->data[i], mode, min, max);
    }
    return 0;
}

/* Statistics of the values as stored. */
static int stats_as_stored(const vol_t *v, int mode, volstat_t *s, err_t *err)
{
    if (mode == 2) {
        vol_stats(v, s);
        return 0;
    }
    /* plane by plane through one plane's copy, so that no second volume is needed */
    size_t plane = v->nx * v->ny, n = 0;
    double sum = 0, sq = 0, shift = 0;
    *s = (volstat_t){.min = INFINITY, .max = -INFINITY};
    (void)err;
    for (size_t i = 0; i < plane * v->nz; i++) {
        double x = stored(mode, v->data[i]);
        if (!isfinite(x)) continue;
        if (!n) shift = x;
        sum += x - shift;
        sq += (x - shift) * (x - shift);
        s->min = fmin(s->min, x);
        s->max = fmax(s->max, x);
        n++;
    }
    s->bad = plane * v->nz - n;
    if (!n) {
        *s = (volstat_t){.bad = s->bad};
        return 0;
    }
    double m = sum / (double)n, var = sq / (double)n - m * m;
    s->mean = shift + m;
    s->sd = var > 0 ? sqrt(var) : 0;
    return 0;
}

static void put_label(unsigned char *b, size_t k, const char *text)
{
    size_t n = strlen(text);
    unsigned char *p = b + AT_LABEL + HEAD_LABEL * k;
    memset(p, ' ', HEAD_LABEL);
    memcpy(p, text, n < HEAD_LABEL ? n : HEAD_LABEL);
}

static void make_header(const vol_t *v, const mrc_wopts_t *o, const volstat_t *s, unsigned char *b)
{
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
    head_put_i32(b, AT_MODE, o->mode);
    head_put_f32(b, AT_DMIN, (float)s->min);
    head_put_f32(b, AT_DMIN + 4, (float)s->max);
    head_put_f32(b, AT_DMIN + 8, (float)s->mean);
    head_put_i32(b, AT_ISPG, 1);
    head_put_i32(b, AT_NVERSION, 20141);
    memcpy(b + AT_MAP, "MAP DD", 6);
    head_put_f32(b, AT_RMS, (float)s->sd);
    size_t labels = o->labels < HEAD_LABELS - 1 ? o->labels : HEAD_LABELS - 1;
    head_put_i32(b, AT_NLABL, (int32_t)labels + 1);
    put_label(b, 0, "Created by CryoLex");
    for (size_t k = 0; k < labels; k++) put_label(b, k + 1, o->label[k]);
}

static int write_data(sink_t *s, const vol_t *v, int mode, size_t bytes, err_t *err)
{
    size_t n = vol_len(v), step = ROWS_BYTES / bytes;
    unsigned char *buf = mem_new(ROWS_BYTES, 1, err);
    int rc = buf ? 0 : -1;
    for (size_t i = 0; i < n && !rc; i += step) {
        size_t m = n - i < step ? n - i : step;
        encode(mode, v->data + i, buf, m);
        rc = put(s, buf, m * bytes, Z_NO_FLUSH, err);
    }
    if (!rc && s->gz) rc = put(s, buf, 0, Z_FINISH, err);
    mem_free(buf);
    return rc;
}

int mrc_write(const char *path, const vol_t *v, const mrc_wopts_t *opts, err_t *err)
{
    static const mrc_wopts_t plain = {.mode = 2};
    const mrc_wopts_t *o = opts ? opts : &plain;
    size_t k = 0, len = strlen(path);
    unsigned char b[HEAD_BYTES];
    volstat_t st;
    sink_t s = {.path = path, .gz = len > 3 && !strcmp(path + len - 3, ".gz")};
    while (k < sizeof kinds / sizeof *kinds && kinds[k].mode != o->mode) k++;
    if (k == sizeof kinds / sizeof *kinds)
        return err_set(err, ERR_USAGE, "%s: mode %d (0, 1, 2, 6 or 12 can be written)", path, o->mode);
    if (check_values(path, v, o->mode, kinds[k].min, kinds[k].max, err) || stats_as_stored(v, o->mode, &st, err)) return -1;
    make_header(v, o, &st, b);
    if (outfile_open(&s.out, path, err)) return -1;
    if (s.gz && deflateInit2(&s.z, GZ_LEVEL, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        outfile_abort(&s.out);
        return err_set(err, ERR_NOMEM, "%s: no memory to compress", path);
    }
    int rc = put(&s, b, sizeof b, Z_NO_FLUSH, err);
    if (!rc) rc = write_data(&s, v, o->mode, kinds[k].bytes, err);
    if (s.gz) deflateEnd(&s.z);
    if (rc) err_prefix(err, path);
    if (!rc) return outfile_close(&s.out, err);
    outfile_abort(&s.out);
    return -1;
}
