/* pdb: atomic models from PDB and mmCIF files (see pdb.h): unpack, tell the format, parse, build. */
#include "pdb/pdb.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include <libdeflate.h>

#include "base/file.h"
#include "base/mem.h"
#include "pdb/raw.h"

typedef enum { FMT_NONE, FMT_PDB, FMT_CIF } format_t;

/* Records that a PDB file begins with, or that mark one. */
static const char *const record[] = {
    "HEADER", "OBSLTE", "TITLE ", "SPLIT ", "CAVEAT", "COMPND", "SOURCE", "KEYWDS", "EXPDTA", "NUMMDL", "MDLTYP", "AUTHOR", "REVDAT",
    "SPRSDE", "JRNL  ", "REMARK", "DBREF ", "DBREF1", "SEQADV", "SEQRES", "MODRES", "CRYST1", "ORIGX1", "SCALE1", "MTRIX1", "MODEL ",
    "ATOM  ", "HETATM", "HELIX ", "SHEET ", "SSBOND", NULL};

static bool is_pdb_line(const char *line, size_t len)
{
    for (size_t i = 0; record[i]; i++)
        if (len >= 6 && !strncasecmp(line, record[i], 6)) return true;
    return false;
}

/* Length of the byte order mark that some editors put before UTF-8. */
static size_t mark_of(const char *s, size_t n) { return n >= 3 && !memcmp(s, "\xEF\xBB\xBF", 3) ? 3 : 0; }

static format_t format_of(const char *s, size_t n)
{
    size_t head = n < 4096 ? n : 4096;
    if (memchr(s, 0, head)) return FMT_NONE;
    for (size_t at = 0, lines = 0, next; at < n && lines < 1000; at = next, lines++) {
        const char *line = s + at, *eol = memchr(line, '\n', n - at);
        size_t len = eol ? (size_t)(eol - line) : n - at;
        next = at + len + 1;
        if (is_pdb_line(line, len)) return FMT_PDB;
        while (len && isspace((unsigned char)*line)) line++, len--;
        if (len >= 5 && !strncasecmp(line, "data_", 5)) return FMT_CIF;
    }
    return FMT_NONE;
}

/* gzip, any number of members. On success *out holds *m bytes and one zero byte more. */
static int gunzip(const unsigned char *in, size_t n, const char *name, unsigned char **out, size_t *m, err_t *err)
{
    struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
    unsigned char *buf = NULL;
    size_t at = 0, len = 0, cap = 0, want = n < PDB_FILE_MAX / 5 ? n * 5 + 4096 : PDB_FILE_MAX;
    if (!d) return err_set(err, ERR_NOMEM, "%s: no memory to decompress", name);
    while (at < n && (at == 0 || (n - at > 2 && in[at] == 0x1F && in[at + 1] == 0x8B))) {
        size_t used, got;
        if (mem_grow(&buf, &cap, want + 1, 1, err)) goto fail;
        enum libdeflate_result rc = libdeflate_gzip_decompress_ex(d, in + at, n - at, buf + len, cap - 1 - len, &used, &got);
        if (rc == LIBDEFLATE_SUCCESS && len + got <= PDB_FILE_MAX) {
            at += used;
            len += got;
        } else if (rc == LIBDEFLATE_SUCCESS || (rc == LIBDEFLATE_INSUFFICIENT_SPACE && cap > PDB_FILE_MAX)) {
            err_set(err, ERR_RANGE, "%s: more than %zu bytes after decompression", name, PDB_FILE_MAX);
            goto fail;
        } else if (rc == LIBDEFLATE_INSUFFICIENT_SPACE) {
            want = 4 * cap < PDB_FILE_MAX ? 4 * cap : PDB_FILE_MAX + 1;
        } else {
            err_set(err, ERR_FORMAT, "%s: gzip data damaged or cut short", name);
            goto fail;
        }
    }
    libdeflate_free_decompressor(d);
    buf[len] = 0;
    *out = buf;
    *m = len;
    return 0;
fail:
    libdeflate_free_decompressor(d);
    mem_free(buf);
    return -1;
}

bool pdb_sniff(const unsigned char *buf, size_t n)
{
    size_t mark = mark_of((const char *)buf, n);
    return format_of((const char *)buf + mark, n - mark) != FMT_NONE;
}

/* What a file holds, unpacked and parsed. */
typedef struct {
    unsigned char *buf; /* owned */
    char *text;         /* in buf: what was parsed */
    size_t n;
    format_t format;
    raw_t raw;
} parsed_t;

static void parsed_free(parsed_t *p)
{
    raw_free(&p->raw);
    mem_free(p->buf);
}

/* Takes over buf, which is changed. 0, or -1; *p is for parsed_free() either way. */
static int parse(unsigned char *buf, size_t n, const char *name, notes_t *notes, parsed_t *p, err_t *err)
{
    *p = (parsed_t){.buf = buf};
    if (n >= 2 && buf[0] == 0x1F && buf[1] == 0x8B) {
        if (gunzip(buf, n, name, &p->buf, &n, err)) return -1;
        mem_free(buf);
    }
    size_t mark = mark_of((const char *)p->buf, n), models;
    p->text = (char *)p->buf + mark;
    p->n = n - mark;
    switch (p->format = format_of(p->text, p->n)) {
    case FMT_NONE: break;
    case FMT_CIF: return gemmi_cif(p->text, p->n, name, &p->raw, err);
    case FMT_PDB:
        if (!(p->n = text_prepare(p->text, p->n, name, &models, notes, err)) || gemmi_pdb(p->text, p->n, name, &p->raw, err)) return -1;
        p->raw.nmodel = models;
        return text_facts(p->text, p->n, &p->raw.facts, err);
    }
    return err_set(err, ERR_FORMAT, "%s: neither PDB nor mmCIF", name);
}

/* Takes over buf, which is changed. */
static model_t *read_owned(unsigned char *buf, size_t n, const char *name, const char *assembly, notes_t *notes, err_t *err)
{
    parsed_t p;
    model_t *m = parse(buf, n, name, notes, &p, err) ? NULL : raw_build(&p.raw, name, assembly, notes, err);
    parsed_free(&p);
    return m;
}

int pdb_place(const char *path, const char *assembly, const double r[3][3], const double t[3], const char *out, err_t *err)
{
    size_t n;
    double m[3][4];
    outfile_t o;
    parsed_t p;
    unsigned char *buf = file_read(path, PDB_FILE_MAX, &n, err);
    if (!buf) return -1;
    for (int i = 0; i < 3; i++) {
        memcpy(m[i], r[i], sizeof r[i]);
        m[i][3] = t[i];
    }
    int rc = parse(buf, n, path, NULL, &p, err);
    if (!rc && !(rc = outfile_open(&o, out, err))) {
        rc = gemmi_place(p.text, p.n, path, p.format == FMT_PDB, &p.raw, assembly, m, o.f, err);
        if (rc) outfile_abort(&o);
        else rc = outfile_close(&o, err);
    }
    parsed_free(&p);
    return rc;
}

model_t *pdb_read(const char *path, const char *assembly, notes_t *notes, err_t *err)
{
    size_t n;
    unsigned char *buf = file_read(path, PDB_FILE_MAX, &n, err);
    return buf ? read_owned(buf, n, strcmp(path, "-") ? path : "standard input", assembly, notes, err) : NULL;
}

model_t *pdb_read_mem(const unsigned char *buf, size_t n, const char *name, const char *assembly, notes_t *notes, err_t *err)
{
    unsigned char *copy;
    if (n > PDB_FILE_MAX) {
        err_set(err, ERR_RANGE, "%s: %zu bytes (at most %zu)", name, n, PDB_FILE_MAX);
        return NULL;
    }
    if (!(copy = mem_new(n + 1, 1, err))) return NULL;
    if (n) memcpy(copy, buf, n);
    copy[n] = 0;
    return read_owned(copy, n, name, assembly, notes, err);
}
