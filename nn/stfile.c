/* stfile: safetensors files (see stfile.h). The header is JSON, read by jansson: strict UTF-8, no key twice, depth at
 * most 2048; what it may make of a header in memory is limited by VALUES_MAX. */
#include "nn/stfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/utf8.h"

enum { VALUES_MAX = 1 << 22, LENGTH = 8 }; /* JSON values in a header; bytes of its length */
static const char META[] = "__metadata__";

static const struct {
    const char *name;
    size_t size;
} types[ST_COUNT] = {
    [ST_F64] = {"F64", 8}, [ST_F32] = {"F32", 4}, [ST_F16] = {"F16", 2}, [ST_BF16] = {"BF16", 2}, [ST_I64] = {"I64", 8},
    [ST_I32] = {"I32", 4}, [ST_I16] = {"I16", 2}, [ST_I8] = {"I8", 1},   [ST_U64] = {"U64", 8},   [ST_U32] = {"U32", 4},
    [ST_U16] = {"U16", 2}, [ST_U8] = {"U8", 1},   [ST_BOOL] = {"BOOL", 1},
};

struct stfile {
    char *name;
    const unsigned char *bytes;
    size_t size;
    bool mapped;
    json_t *root; /* owns the strings */
    sttensor_t *t; /* in the order of the data */
    const sttensor_t **byname;
    size_t n;
};

typedef struct {
    size_t begin, end, index; /* bytes from the end of the header; place in the header */
} span_t;

/* At most VALUES_MAX values? Every value but the first follows one of , [ { : outside a string. */
static bool few_values(const unsigned char *s, size_t n)
{
    size_t seen = 0;
    bool text = false;
    for (size_t i = 0; i < n; i++) {
        if (text && s[i] == '\\')
            i++;
        else if (s[i] == '"')
            text = !text;
        else if (!text)
            seen += s[i] == ',' || s[i] == '[' || s[i] == '{' || s[i] == ':';
    }
    return seen < VALUES_MAX;
}

/* The header parsed into f->root; *data is where the tensors begin. */
static int read_header(stfile_t *f, size_t *data, err_t *err)
{
    uint64_t len = 0;
    if (f->size < LENGTH) return err_set(err, ERR_IO, "%s: %zu bytes (safetensors have at least 10)", f->name, f->size);
    for (int i = LENGTH; i-- > 0;) len = len << 8 | f->bytes[i];
    if (len > STFILE_HEADER_MAX)
        return err_set(err, ERR_FORMAT, "%s: header of %llu bytes (at most %u): not a safetensors file?", f->name,
                       (unsigned long long)len, STFILE_HEADER_MAX);
    if (len > f->size - LENGTH)
        return err_set(err, ERR_IO, "%s: header of %llu bytes, but %zu are left: cut short?", f->name, (unsigned long long)len,
                       f->size - LENGTH);
    const unsigned char *s = f->bytes + LENGTH;
    *data = LENGTH + (size_t)len;
    if (len < 2 || s[0] != '{')
        return err_set(err, ERR_FORMAT, "%s: header does not begin with {: not a safetensors file?", f->name);
    if (!few_values(s, (size_t)len))
        return err_set(err, ERR_UNSUP, "%s: header with more than %d values", f->name, (int)VALUES_MAX);
    json_error_t e;
    f->root = json_loadb((const char *)s, (size_t)len, JSON_REJECT_DUPLICATES, &e);
    if (f->root) return 0;
    if (json_error_code(&e) == json_error_out_of_memory) return err_set(err, ERR_NOMEM, "%s: no memory", f->name);
    return err_set(err, ERR_FORMAT, "%s: header, byte %d: %s", f->name, e.position, e.text);
}

static int bad_field(const stfile_t *f, const char *tensor, const char *field, const char *what, err_t *err)
{
    return err_set(err, ERR_FORMAT, "%s: tensor \"%s\": %s %s", f->name, tensor, field, what);
}

/* A whole number, 0 or more. */
static bool whole(const json_t *v, size_t *out)
{
    if (!json_is_integer(v) || json_integer_value(v) < 0) return false;
    *out = (size_t)json_integer_value(v);
    return true;
}

static int read_type(const stfile_t *f, sttensor_t *t, const json_t *info, err_t *err)
{
    const char *s = json_string_value(json_object_get(info, "dtype"));
    if (!s) return bad_field(f, t->name, "dtype", "is missing, or no string", err);
    for (int i = 0; i < ST_COUNT; i++)
        if (!strcmp(s, types[i].name)) {
            t->type = (sttype_t)i;
            return 0;
        }
    return err_set(err, ERR_UNSUP, "%s: tensor \"%s\": dtype \"%s\" (F64, F32, F16, BF16, I64..I8, U64..U8, BOOL)", f->name,
                   t->name, s);
}

static int read_shape(const stfile_t *f, sttensor_t *t, const json_t *info, err_t *err)
{
    const json_t *a = json_object_get(info, "shape");
    if (!json_is_array(a)) return bad_field(f, t->name, "shape", "is missing, or no array", err);
    t->ndim = json_array_size(a);
    t->count = 1;
    if (t->ndim > STFILE_DIMS)
        return err_set(err, ERR_UNSUP, "%s: tensor \"%s\": shape of %zu dimensions (at most %d)", f->name, t->name, t->ndim,
                       STFILE_DIMS);
    for (size_t i = 0; i < t->ndim; i++) {
        if (!whole(json_array_get(a, i), &t->shape[i]))
            return bad_field(f, t->name, "shape", "holds what is no whole number, 0 or more", err);
        if (!mem_mul(t->count, t->shape[i], &t->count)) return bad_field(f, t->name, "shape", "overflows", err);
    }
    return 0;
}

static int read_offsets(const stfile_t *f, const sttensor_t *t, const json_t *info, size_t room, span_t *s, err_t *err)
{
    const json_t *a = json_object_get(info, "data_offsets");
    size_t bytes;
    if (!json_is_array(a) || json_array_size(a) != 2)
        return bad_field(f, t->name, "data_offsets", "is missing, or no array of two", err);
    if (!whole(json_array_get(a, 0), &s->begin) || !whole(json_array_get(a, 1), &s->end))
        return bad_field(f, t->name, "data_offsets", "holds what is no whole number, 0 or more", err);
    if (s->end < s->begin) return bad_field(f, t->name, "data_offsets", "end before they begin", err);
    if (!mem_mul(t->count, types[t->type].size, &bytes)) return bad_field(f, t->name, "shape", "overflows", err);
    if (s->end - s->begin != bytes)
        return err_set(err, ERR_FORMAT, "%s: tensor \"%s\": data_offsets span %zu bytes (shape and dtype have %zu)", f->name,
                       t->name, s->end - s->begin, bytes);
    if (s->end > room)
        return err_set(err, ERR_IO, "%s: tensor \"%s\": ends at byte %zu of the data, which have %zu: cut short?", f->name,
                       t->name, s->end, room);
    return 0;
}

static int check_meta(const stfile_t *f, err_t *err)
{
    json_t *meta = json_object_get(f->root, META), *v;
    const char *key;
    if (meta && !json_is_object(meta)) return err_set(err, ERR_FORMAT, "%s: %s is no object", f->name, META);
    json_object_foreach(meta, key, v)
        if (!json_is_string(v)) return err_set(err, ERR_FORMAT, "%s: %s: \"%s\" is no string", f->name, META, key);
    return 0;
}

static int by_place(const void *a, const void *b)
{
    const span_t *p = a, *q = b;
    if (p->begin != q->begin) return p->begin < q->begin ? -1 : 1;
    if (p->end != q->end) return p->end < q->end ? -1 : 1;
    return p->index < q->index ? -1 : p->index > q->index;
}

static int by_name(const void *a, const void *b)
{
    const sttensor_t *const *p = a, *const *q = b;
    return strcmp((*p)->name, (*q)->name);
}

/* Tensors of the header into raw and span, in its order. */
static int read_infos(const stfile_t *f, sttensor_t *raw, span_t *span, size_t room, err_t *err)
{
    const char *key;
    json_t *info;
    size_t i = 0;
    json_object_foreach(f->root, key, info) {
        if (!strcmp(key, META)) continue;
        sttensor_t *t = &raw[i];
        *t = (sttensor_t){.name = key};
        if (!json_is_object(info)) return err_set(err, ERR_FORMAT, "%s: tensor \"%s\" is no object", f->name, key);
        if (read_type(f, t, info, err) || read_shape(f, t, info, err) || read_offsets(f, t, info, room, &span[i], err)) return -1;
        span[i].index = i;
        i++;
    }
    return 0;
}

/* f->t in the order of the data, which they cover with no hole and no overlap. */
static int place(stfile_t *f, const sttensor_t *raw, const span_t *span, size_t data, err_t *err)
{
    size_t at = 0;
    for (size_t i = 0; i < f->n; i++) {
        f->t[i] = raw[span[i].index];
        f->t[i].data = f->bytes + data + span[i].begin;
        f->byname[i] = &f->t[i];
        if (span[i].begin < at) return bad_field(f, f->t[i].name, "data_offsets", "overlap another tensor", err);
        if (span[i].begin > at) return bad_field(f, f->t[i].name, "data_offsets", "leave a hole before them", err);
        at = span[i].end;
    }
    if (at != f->size - data)
        return err_set(err, ERR_FORMAT, "%s: %zu bytes after the last tensor", f->name, f->size - data - at);
    qsort(f->byname, f->n, sizeof *f->byname, by_name);
    return 0;
}

static int read_all(stfile_t *f, err_t *err)
{
    sttensor_t *raw = NULL;
    span_t *span = NULL;
    size_t data;
    int rc = -1;
    if (read_header(f, &data, err) || check_meta(f, err)) return -1;
    f->n = json_object_size(f->root) - (json_object_get(f->root, META) != NULL);
    raw = mem_new(f->n, sizeof *raw, err);
    span = mem_new(f->n, sizeof *span, err);
    f->t = mem_new(f->n, sizeof *f->t, err);
    f->byname = mem_new(f->n, sizeof *f->byname, err);
    if (!raw || !span || !f->t || !f->byname || read_infos(f, raw, span, f->size - data, err)) goto end;
    qsort(span, f->n, sizeof *span, by_place);
    rc = place(f, raw, span, data, err);
end:
    mem_free(raw);
    mem_free(span);
    return rc;
}

stfile_t *stfile_mem(const char *name, const void *bytes, size_t size, err_t *err)
{
    stfile_t *f = mem_zero(1, sizeof *f, err);
    if (!f) return NULL;
    f->bytes = bytes;
    f->size = size;
    if ((f->name = mem_str(name, err)) && !read_all(f, err)) return f;
    stfile_close(f);
    return NULL;
}

stfile_t *stfile_open(const char *path, err_t *err)
{
    struct stat st;
    void *map = NULL;
    size_t size = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe is refused, not waited for */
    if (fd < 0 || fstat(fd, &st)) {
        err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
        goto fail;
    }
    if (!S_ISREG(st.st_mode)) {
        err_set(err, ERR_IO, "%s: not a regular file", path);
        goto fail;
    }
    size = (size_t)st.st_size;
    if (size && (map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0)) == MAP_FAILED) {
        err_set(err, ERR_IO, "%s: cannot map: %s", path, strerror(errno));
        goto fail;
    }
    close(fd);
    stfile_t *f = stfile_mem(path, map, size, err);
    if (f)
        f->mapped = true;
    else if (map)
        munmap(map, size);
    return f;
fail:
    if (fd >= 0) close(fd);
    return NULL;
}

void stfile_close(stfile_t *f)
{
    if (!f) return;
    if (f->mapped) munmap((void *)(uintptr_t)f->bytes, f->size);
    json_decref(f->root);
    mem_free(f->t);
    mem_free(f->byname);
    mem_free(f->name);
    mem_free(f);
}

size_t stfile_count(const stfile_t *f)
{
    return f->n;
}

const sttensor_t *stfile_at(const stfile_t *f, size_t i)
{
    return &f->t[i];
}

const sttensor_t *stfile_find(const stfile_t *f, const char *name)
{
    sttensor_t want = {.name = name};
    const sttensor_t *key = &want, **at = bsearch(&key, f->byname, f->n, sizeof *f->byname, by_name);
    return at ? *at : NULL;
}

const char *stfile_meta(const stfile_t *f, const char *key)
{
    return json_string_value(json_object_get(json_object_get(f->root, META), key));
}

static float from_bits(uint32_t u)
{
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

/* IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 fraction. Exact. */
static float from_half(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, e = h >> 10 & 31, m = h & 0x3ff;
    if (e == 31) return from_bits(sign | 0x7f800000 | m << 13);
    if (e) return from_bits(sign | (e + 112) << 23 | m << 13);
    float x = (float)m * 0x1p-24f; /* zero and denormals */
    return sign ? -x : x;
}

int stfile_floats(const stfile_t *f, const sttensor_t *t, float *out, err_t *err)
{
    const unsigned char *p = t->data;
    uint16_t h;
    double d;
    switch (t->type) {
    case ST_F32: memcpy(out, p, t->count * sizeof *out); return 0;
    case ST_F64:
        for (size_t i = 0; i < t->count; i++) {
            memcpy(&d, p + i * sizeof d, sizeof d);
            out[i] = (float)d;
        }
        return 0;
    case ST_F16:
    case ST_BF16:
        for (size_t i = 0; i < t->count; i++) {
            memcpy(&h, p + i * sizeof h, sizeof h);
            out[i] = t->type == ST_F16 ? from_half(h) : from_bits((uint32_t)h << 16);
        }
        return 0;
    default:
        return err_set(err, ERR_UNSUP, "%s: tensor \"%s\": dtype %s (F64, F32, F16 or BF16 is wanted)", f->name, t->name,
                       types[t->type].name);
    }
}

/* "[3,4]" */
static const char *shape_text(size_t ndim, const size_t *shape, char *out, size_t room)
{
    size_t at = 0;
    out[0] = 0;
    for (size_t i = 0; i < ndim && at + 24 < room; i++) at += (size_t)sprintf(out + at, "%s%zu", i ? "," : "", shape[i]);
    return out;
}

int stfile_get(const stfile_t *f, const char *name, size_t ndim, const size_t *shape, float *out, err_t *err)
{
    const sttensor_t *t = stfile_find(f, name);
    char has[256], want[256];
    if (!t) return err_set(err, ERR_FORMAT, "%s: tensor \"%s\" is missing", f->name, name);
    if (t->ndim != ndim || (ndim && memcmp(t->shape, shape, ndim * sizeof *shape)))
        return err_set(err, ERR_FORMAT, "%s: tensor \"%s\": shape [%s] ([%s] is wanted)", f->name, name,
                       shape_text(t->ndim, t->shape, has, sizeof has), shape_text(ndim, shape, want, sizeof want));
    return stfile_floats(f, t, out, err);
}

static bool is_utf8(const char *s)
{
    for (size_t n; *s; s += n)
        if (!(n = utf8_len(s))) return false;
    return true;
}

/* Can `key` be a new key of `in`? */
static int new_key(const char *path, const json_t *in, const char *key, err_t *err)
{
    if (!is_utf8(key)) return err_set(err, ERR_USAGE, "%s: the name \"%s\" is not UTF-8", path, key);
    if (json_object_get(in, key)) return err_set(err, ERR_USAGE, "%s: \"%s\" twice", path, key);
    return 0;
}

/* *at: bytes of data so far. */
static int put_tensor(const char *path, json_t *root, const sttensor_t *t, size_t *at, err_t *err)
{
    size_t count = 1, bytes = 0;
    bool fits = (unsigned)t->type < ST_COUNT && t->ndim <= STFILE_DIMS;
    for (size_t i = 0; fits && i < t->ndim; i++) fits = mem_mul(count, t->shape[i], &count);
    fits = fits && count == t->count && mem_mul(count, types[t->type].size, &bytes) && bytes <= INT64_MAX - *at;
    if (!fits) return err_set(err, ERR_USAGE, "%s: tensor \"%s\": type, shape and count do not fit", path, t->name);
    if (!strcmp(t->name, META)) return err_set(err, ERR_USAGE, "%s: no tensor can be called %s", path, META);
    if (new_key(path, root, t->name, err)) return -1;
    json_t *shape = json_array(), *offsets = json_array(), *info = json_object();
    int bad = 0;
    for (size_t i = 0; i < t->ndim; i++) bad |= json_array_append_new(shape, json_integer((json_int_t)t->shape[i]));
    bad |= json_array_append_new(offsets, json_integer((json_int_t)*at));
    bad |= json_array_append_new(offsets, json_integer((json_int_t)(*at += bytes)));
    bad |= json_object_set_new(info, "dtype", json_string(types[t->type].name));
    bad |= json_object_set_new(info, "shape", shape);
    bad |= json_object_set_new(info, "data_offsets", offsets);
    bad |= json_object_set_new(root, t->name, info);
    return bad ? err_set(err, ERR_NOMEM, "%s: no memory", path) : 0;
}

static int put_meta(const char *path, json_t *root, const stmeta_t *meta, size_t n, err_t *err)
{
    json_t *m = json_object();
    if (json_object_set_new(root, META, m)) return err_set(err, ERR_NOMEM, "%s: no memory", path);
    for (size_t i = 0; i < n; i++) {
        if (new_key(path, m, meta[i].key, err)) return -1;
        if (!is_utf8(meta[i].value)) return err_set(err, ERR_USAGE, "%s: the value of \"%s\" is not UTF-8", path, meta[i].key);
        if (json_object_set_new(m, meta[i].key, json_string(meta[i].value)))
            return err_set(err, ERR_NOMEM, "%s: no memory", path);
    }
    return 0;
}

/* The header as text, blanks at its end so that the data begin at a multiple of 8. Free with free(). */
static char *make_header(const char *path, const sttensor_t *t, size_t n, const stmeta_t *meta, size_t nmeta, err_t *err)
{
    json_t *root = json_object();
    char *text = NULL;
    size_t at = 0;
    if (nmeta && put_meta(path, root, meta, nmeta, err)) goto end;
    for (size_t i = 0; i < n; i++)
        if (put_tensor(path, root, &t[i], &at, err)) goto end;
    if (!(text = json_dumps(root, JSON_COMPACT))) err_set(err, ERR_NOMEM, "%s: no memory", path);
    if (text && strlen(text) > STFILE_HEADER_MAX - 8) {
        err_set(err, ERR_USAGE, "%s: header of %zu bytes (at most %u)", path, strlen(text), STFILE_HEADER_MAX - 8);
        free(text);
        text = NULL;
    }
end:
    json_decref(root);
    return text;
}

int stfile_write(const char *path, const sttensor_t *t, size_t n, const stmeta_t *meta, size_t nmeta, err_t *err)
{
    outfile_t o;
    unsigned char len[LENGTH];
    char *text = make_header(path, t, n, meta, nmeta, err);
    if (!text) return -1;
    if (outfile_open(&o, path, err)) {
        free(text);
        return -1;
    }
    size_t bare = strlen(text), all = (bare + 7) / 8 * 8;
    for (int i = 0; i < LENGTH; i++) len[i] = (unsigned char)((uint64_t)all >> 8 * i);
    fwrite(len, 1, sizeof len, o.f); /* outfile_close sees what failed */
    fwrite(text, 1, bare, o.f);
    fprintf(o.f, "%*s", (int)(all - bare), "");
    for (size_t i = 0; i < n; i++) fwrite(t[i].data, types[t[i].type].size, t[i].count, o.f);
    free(text);
    return outfile_close(&o, err);
}
