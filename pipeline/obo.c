/* obo: the Gene Ontology as its consortium publishes it (see obo.h). */
#include "pipeline/obo.h"

#include <stdbool.h>
#include <string.h>

#include "base/gz.h"
#include "base/mem.h"

enum { ID, NAME, SPACE, PARENTS, OBSOLETE, COLS };
static const char *const head[COLS] = {"go_id", "name", "namespace", "parents", "obsolete"};

typedef struct {
    tsv_t *t;
    size_t *at; /* (rows, COLS) of the fields' first bytes in t->text */
    size_t at_cap, line_cap, text_cap, n;
    char *now[COLS]; /* the stanza that is open, into the file's text; PARENTS: `parents` */
    char *parents;
    size_t parents_n, parents_cap, line;
} draft_t;

static int put(draft_t *d, const char *s, err_t *err)
{
    size_t k = strlen(s) + 1;
    if (mem_grow(&d->t->text, &d->text_cap, d->n + k, 1, err)) return -1;
    memcpy(d->t->text + d->n, s, k);
    d->n += k;
    return 0;
}

/* The stanza that is open becomes a row. */
static int end_term(draft_t *d, err_t *err)
{
    tsv_t *t = d->t;
    if (!d->line) return 0;
    if (mem_grow(&t->line, &d->line_cap, t->nrow + 1, sizeof *t->line, err) ||
        mem_grow(&d->at, &d->at_cap, (t->nrow + 1) * COLS, sizeof *d->at, err))
        return -1;
    t->line[t->nrow] = d->line;
    for (int c = 0; c < COLS; c++) {
        const char *s = c == PARENTS ? (d->parents_n ? d->parents : "") : d->now[c];
        d->at[t->nrow * COLS + (size_t)c] = d->n;
        if (put(d, s ? s : c == OBSOLETE ? "0" : "", err)) return -1;
    }
    t->nrow++;
    d->line = 0;
    return 0;
}

static int add_parent(draft_t *d, const char *kind, const char *id, size_t n, err_t *err)
{
    size_t room = d->parents_n + strlen(kind) + n + 3;
    if (mem_grow(&d->parents, &d->parents_cap, room, 1, err)) return -1;
    d->parents_n += (size_t)snprintf(d->parents + d->parents_n, room - d->parents_n, "%s%s=%.*s", d->parents_n ? ";" : "", kind, (int)n, id);
    return 0;
}

/* "is_a: GO:0048308 ! organelle inheritance", its value without the comment. */
static int tag(draft_t *d, char *s, size_t line, err_t *err)
{
    static const struct {
        const char *name;
        int col;
    } once[] = {{"id: ", ID}, {"name: ", NAME}, {"namespace: ", SPACE}, {"is_obsolete: ", OBSOLETE}};
    if (!strncmp(s, "is_a: ", 6)) return add_parent(d, "isa", s + 6, strcspn(s + 6, " \t{!"), err);
    if (!strncmp(s, "relationship: part_of ", 22)) return add_parent(d, "part_of", s + 22, strcspn(s + 22, " \t{!"), err);
    for (size_t i = 0; i < sizeof once / sizeof *once; i++) {
        size_t k = strlen(once[i].name);
        if (strncmp(s, once[i].name, k) != 0) continue;
        if (d->now[once[i].col]) return err_set(err, ERR_FORMAT, "%s: line %zu: %.*s a second time in one stanza", d->t->path, line, (int)k - 2, s);
        d->now[once[i].col] = s + k;
        if (once[i].col == OBSOLETE) d->now[OBSOLETE] = strncmp(s + k, "true", 4) ? "0" : "1";
        return 0;
    }
    return 0;
}

static int read_lines(draft_t *d, char *s, err_t *err)
{
    for (size_t line = 1; *s; line++) {
        size_t n = strcspn(s, "\n");
        char *next = s + n + (s[n] == '\n');
        s[n] = 0;
        while (n && strchr(" \t\r", s[n - 1])) s[--n] = 0;
        if (*s == '[') {
            if (end_term(d, err)) return -1;
            memset(d->now, 0, sizeof d->now);
            d->parents_n = 0;
            d->line = !strcmp(s, "[Term]") ? line : 0;
        } else if (d->line && tag(d, s, line, err)) {
            return -1;
        }
        s = next;
    }
    return end_term(d, err);
}

/* Offsets become fields, the names of the columns before them. */
static int fields(draft_t *d, err_t *err)
{
    tsv_t *t = d->t;
    t->ncol = COLS;
    if (!t->nrow) return err_set(err, ERR_FORMAT, "%s: no [Term] (an ontology in OBO format is wanted)", t->path);
    if (!(t->field = mem_new((t->nrow + 1) * COLS, sizeof *t->field, err))) return -1;
    for (size_t c = 0; c < COLS; c++) t->field[c] = head[c];
    for (size_t i = 0; i < t->nrow * COLS; i++) t->field[COLS + i] = t->text + d->at[i];
    return 0;
}

int obo_mem(const char *path, char *text, size_t n, tsv_t *t, err_t *err)
{
    draft_t d = {.t = t};
    *t = (tsv_t){.path = path};
    int rc = strlen(text) != n ? err_set(err, ERR_FORMAT, "%s: a NUL byte (text is wanted)", path) : read_lines(&d, text, err);
    if (!rc) rc = fields(&d, err);
    mem_free(d.at);
    mem_free(d.parents);
    if (rc) tsv_free(t);
    return rc;
}

int obo_read(const char *path, tsv_t *t, err_t *err)
{
    size_t n;
    *t = (tsv_t){0};
    char *text = (char *)gz_read(path, TSV_MAX, &n, err);
    int rc = text ? obo_mem(path, text, n, t, err) : -1;
    mem_free(text);
    return rc;
}
