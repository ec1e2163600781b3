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

/* Takes over buf, which is changed. */
static model_t *read_owned(unsigned char *buf, size_t n, const char *name, const char *assembly, notes_t *notes, err_t *err)
{
    raw_t raw = {0};
    model_t *m = NULL;
    int rc = -1;
    if (n >= 2 && buf[0] == 0x1F && buf[1] == 0x8B) {
        unsigned char *plain = NULL;
        if (gunzip(buf, n, name, &plain, &n, err)) goto done;
        mem_free(buf);
        buf = plain;
    }
    size_t mark = mark_of((const char *)buf, n);
    char *text = (char *)buf + mark;
    n -= mark;
    switch (format_of(text, n)) {
    case FMT_NONE: rc = err_set(err, ERR_FORMAT, "%s: neither PDB nor mmCIF", name); break;
    case FMT_CIF: rc = gemmi_cif(text, n, name, &raw, err); break;
    case FMT_PDB: {
        size_t models, keep = text_prepare(text, n, name, &models, notes, err);
        if (!keep) break;
        rc = gemmi_pdb(text, keep, name, &raw, err);
        raw.nmodel = models;
        if (!rc) rc = text_facts(text, keep, &raw.facts, err);
        break;
    }
    }
    if (!rc) m = raw_build(&raw, name, assembly, notes, err);
done:
    raw_free(&raw);
    mem_free(buf);
    return m;
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
