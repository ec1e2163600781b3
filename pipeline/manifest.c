/* manifest: the list of files that a batch command works on (see manifest.h). */
#include "pipeline/manifest.h"

#include <errno.h>
#include <fts.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/tsv.h"

static const char *own(manifest_t *m, char *s, err_t *err)
{
    if (!s || mem_grow(&m->own, &m->owncap, m->nown + 1, sizeof *m->own, err)) {
        mem_free(s);
        return NULL;
    }
    return m->own[m->nown++] = s;
}

static int copy(manifest_t *m, const char *s, const char **out, err_t *err)
{
    *out = NULL;
    if (!s) return 0;
    *out = own(m, mem_str(s, err), err);
    return *out ? 0 : -1;
}

static int push(manifest_t *m, const item_t *it, err_t *err)
{
    if (mem_grow(&m->item, &m->cap, m->n + 1, sizeof *m->item, err)) return -1;
    m->item[m->n++] = *it;
    return 0;
}

/* Length of name without one of its suffixes from "a|b|c", or 0. */
static size_t strip(const char *name, size_t n, const char *suffixes)
{
    for (const char *p = suffixes; *p;) {
        size_t k = strcspn(p, "|");
        if (n > k && !strncasecmp(name + n - k, p, k)) return n - k;
        p += k + (p[k] == '|');
    }
    return 0;
}

static const char packing[] = ".gz|.bz2|.xz|.zst", models[] = ".pdb|.ent|.cif|.mmcif", maps[] = ".mrc|.map|.ccp4";

/* Length of a file's name without packing and format suffix; *kind is what the latter tells. */
static size_t stem_length(const char *name, itemkind_t *kind)
{
    size_t n = strlen(name), k = strip(name, n, packing);
    if (k) n = k;
    size_t model = strip(name, n, models), map = strip(name, n, maps);
    *kind = model ? ITEM_MODEL : map ? ITEM_MAP : ITEM_AUTO;
    return model ? model : map ? map : n;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

itemkind_t manifest_kind(const char *path)
{
    itemkind_t kind;
    stem_length(base_name(path), &kind);
    return kind;
}

static int add_file(manifest_t *m, const char *path, err_t *err)
{
    const char *name = base_name(path);
    item_t it = {.contour = NAN};
    itemkind_t kind;
    size_t n = stem_length(name, &kind);
    char *id = mem_new(n + 1, 1, err);
    if (!id) return -1;
    memcpy(id, name, n);
    id[n] = 0;
    it.id = own(m, id, err);
    return it.id && !copy(m, path, &it.path, err) ? push(m, &it, err) : -1;
}

static int by_name(const FTSENT **a, const FTSENT **b) { return strcmp((*a)->fts_name, (*b)->fts_name); }

static int add_folder(manifest_t *m, const char *path, notes_t *notes, err_t *err)
{
    char *copy_of = mem_str(path, err), *roots[2] = {copy_of, NULL};
    if (!copy_of) return -1;
    FTS *f = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    int rc = f ? 0 : err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    size_t before = m->n;
    for (FTSENT *e; !rc && (e = fts_read(f));) {
        bool ours = manifest_kind(e->fts_name) != ITEM_AUTO;
        if (e->fts_info == FTS_F && ours) rc = add_file(m, e->fts_path, err);
        if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR || e->fts_info == FTS_DC || (e->fts_info == FTS_SLNONE && ours))
            notes_add(notes, "%s: passed over: %s", e->fts_path,
                      e->fts_info == FTS_DC ? "a link to a folder above it" : e->fts_info == FTS_SLNONE ? "a link to nothing" : strerror(e->fts_errno));
    }
    if (f) fts_close(f);
    if (!rc && m->n == before) rc = err_set(err, ERR_IO, "%s: no map or model file in this folder", path);
    mem_free(copy_of);
    return rc;
}

enum { ID, PATH, KIND, CONTOUR, RESOLUTION, APIX, ASSEMBLY, TITLE, CAPTION, TERMS, GROUP, SPLIT, PAIR, NCOL };
static const char *const column[NCOL] = {"id",       "path",  "kind",    "contour", "resolution", "apix", "assembly",
                                         "title",    "caption", "terms", "group",   "split",      "pair"};

static int number(const tsv_t *t, size_t row, long col, double lo, double *out, err_t *err)
{
    const char *s = tsv_get(t, row, col);
    char *end;
    if (!s) return 0;
    double x = strtod(s, &end);
    if (end == s || *end || !isfinite(x) || x < lo)
        return err_set(err, ERR_FORMAT, "%s: line %zu: %s '%s' (a number is wanted%s)", t->path, t->line[row],
                       t->field[col], s, lo >= 0 ? ", 0 or more" : "");
    *out = x;
    return 0;
}

static int add_row(manifest_t *m, const tsv_t *t, size_t row, const long col[NCOL], err_t *err)
{
    const char *id = tsv_get(t, row, col[ID]), *path = tsv_get(t, row, col[PATH]), *kind = tsv_get(t, row, col[KIND]);
    item_t it = {.contour = NAN};
    if (!id || !path) return err_set(err, ERR_FORMAT, "%s: line %zu: no %s", t->path, t->line[row], id ? "path" : "id");
    if (kind) {
        it.kind = !strcmp(kind, "map") ? ITEM_MAP : !strcmp(kind, "model") ? ITEM_MODEL : ITEM_AUTO;
        if (it.kind == ITEM_AUTO)
            return err_set(err, ERR_FORMAT, "%s: line %zu: kind '%s' (map or model)", t->path, t->line[row], kind);
    }
    if (number(t, row, col[CONTOUR], -HUGE_VAL, &it.contour, err) || number(t, row, col[RESOLUTION], 0, &it.resolution, err) ||
        number(t, row, col[APIX], 0, &it.apix, err))
        return -1;

    const char *slash = strrchr(t->path, '/');
    size_t folder = *path == '/' || !slash ? 0 : (size_t)(slash - t->path) + 1, n = folder + strlen(path) + 1;
    char *full = mem_new(n, 1, err);
    if (!full) return -1;
    snprintf(full, n, "%.*s%s", (int)folder, t->path, path);
    it.path = own(m, full, err);
    const struct {
        int col;
        const char **to;
    } text[] = {{ID, &it.id},       {ASSEMBLY, &it.assembly}, {TITLE, &it.title}, {CAPTION, &it.caption},
                {TERMS, &it.terms}, {GROUP, &it.group},       {SPLIT, &it.split}, {PAIR, &it.pair}};
    if (!it.path) return -1;
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        if (copy(m, tsv_get(t, row, col[text[i].col]), text[i].to, err)) return -1;
    return push(m, &it, err);
}

static int add_table(manifest_t *m, const char *path, notes_t *notes, err_t *err)
{
    tsv_t t;
    long col[NCOL];
    int rc = 0;
    if (tsv_read(path, &t, err)) return -1;
    for (int i = 0; i < NCOL; i++) col[i] = tsv_col(&t, column[i]);
    for (int i = ID; i <= PATH; i++)
        if (col[i] < 0) rc = err_set(err, ERR_FORMAT, "%s: no column '%s' (a manifest has id and path)", path, column[i]);
    for (size_t c = 0; c < t.ncol; c++) {
        int i = 0;
        while (i < NCOL && strcmp(column[i], t.field[c]) != 0) i++;
        if (i == NCOL) notes_add(notes, "column '%s' is not known and is ignored", t.field[c]);
    }
    for (size_t r = 0; !rc && r < t.nrow; r++) rc = add_row(m, &t, r, col, err);
    tsv_free(&t);
    return rc;
}

int manifest_add(manifest_t *m, const char *path, notes_t *notes, err_t *err)
{
    struct stat st;
    size_t n = strlen(path);
    if (!strcmp(path, "-") || strip(path, n, ".tsv|.tsv.txt")) return add_table(m, path, notes, err);
    if (stat(path, &st)) return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    return S_ISDIR(st.st_mode) ? add_folder(m, path, notes, err) : add_file(m, path, err);
}

void manifest_free(manifest_t *m)
{
    for (size_t i = 0; i < m->nown; i++) mem_free(m->own[i]);
    mem_free(m->own);
    mem_free(m->item);
    *m = (manifest_t){0};
}
