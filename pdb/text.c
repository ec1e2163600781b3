/* text: what PDB text needs before and beside the parser (see raw.h). wwPDB file format 3.3; columns here count from 0. */
#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "pdb/raw.h"

static bool is_record(const char *line, size_t len, const char *name)
{
    size_t n = strlen(name);
    return len >= n && !strncasecmp(line, name, n);
}

/* The columns hold one decimal number, blanks around it allowed. */
static bool is_number(const char *p, size_t n)
{
    const char *end = p + n;
    size_t digits = 0, points = 0;
    while (p < end && *p == ' ') p++;
    if (p < end && (*p == '-' || *p == '+')) p++;
    for (; p < end && (isdigit((unsigned char)*p) || *p == '.'); p++) *p == '.' ? points++ : digits++;
    while (p < end && (*p == ' ' || *p == '\r')) p++;
    return p == end && digits && points <= 1;
}

static bool is_blank(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != ' ' && p[i] != '\r') return false;
    return true;
}

/* Whether the columns held something else than blanks or a number. */
static bool fix_occupancy(char *line, size_t len)
{
    size_t n = len < 60 ? len : 60;
    if (len < 58 || is_number(line + 54, n - 54)) return false;
    bool odd = !is_blank(line + 54, n - 54);
    memset(line + 54, ' ', n - 54);
    memcpy(line + n - 4, "1.00", 4);
    return odd;
}

/* All that we want of a file. The parser reads past the end of some other records where they are cut short. */
static const char *const wanted[] = {"ATOM", "HETATM", "TER", "MODEL", "ENDMDL", "END", "HEADER", "TITLE", "COMPND", "SOURCE", "KEYWDS", "EXPDTA",
                                     "REMARK", "DBREF", NULL};

static bool is_wanted(const char *line, size_t len)
{
    for (size_t i = 0; wanted[i]; i++)
        if (is_record(line, len, wanted[i])) return true;
    return false;
}

size_t text_prepare(char *buf, size_t n, const char *name, size_t *models, notes_t *notes, err_t *err)
{
    size_t atoms = 0, lineno = 0, keep = n, odd = 0, first_odd = 0;
    *models = 0;
    for (size_t at = 0, next; at < n; at = next) {
        char *line = buf + at, *eol = memchr(line, '\n', n - at);
        size_t len = eol ? (size_t)(eol - line) : n - at;
        next = at + len + 1;
        lineno++;
        if (is_record(line, len, "MODEL ")) ++*models;
        if (keep < n) continue;
        if (is_record(line, len, "ENDMDL") && atoms) keep = at;
        if (len && !is_wanted(line, len)) line[0] = '#';
        if (!is_record(line, len, "ATOM") && !is_record(line, len, "HETATM")) continue;
        atoms++;
        for (size_t c = 30; c < 54; c += 8)
            if (len < c + 8 || !is_number(line + c, 8)) {
                err_set(err, ERR_FORMAT, "%s: line %zu: atom without coordinates in columns 31-54", name, lineno);
                return 0;
            }
        if (fix_occupancy(line, len) && !odd++) first_odd = lineno;
    }
    if (odd) notes_add(notes, "%zu atoms whose occupancy is no number (the first in line %zu); 1 is taken", odd, first_odd);
    return keep;
}

/* ---- COMPND and SOURCE ---- */

typedef struct {
    char *s;
    size_t n, cap;
} str_t;

static int str_add(str_t *t, const char *s, size_t n, err_t *err)
{
    if (mem_grow(&t->s, &t->cap, t->n + n + 1, 1, err)) return -1;
    memcpy(t->s + t->n, s, n);
    t->n += n;
    t->s[t->n] = 0;
    return 0;
}

static void trim(const char **s, size_t *n)
{
    while (*n && isspace((unsigned char)**s)) ++*s, --*n;
    while (*n && isspace((unsigned char)(*s)[*n - 1])) --*n;
}

/* Add s to the list "a; b; c" unless it is there. */
static int list_add(str_t *list, const char *s, size_t n, err_t *err)
{
    trim(&s, &n);
    if (!n) return 0;
    for (const char *p = list->s; p && *p;) {
        const char *end = strstr(p, "; ");
        size_t len = end ? (size_t)(end - p) : strlen(p);
        if (len == n && !memcmp(p, s, n)) return 0;
        p = end ? end + 2 : NULL;
    }
    if (list->n && str_add(list, "; ", 2, err)) return -1;
    return str_add(list, s, n, err);
}

/* The text of all lines of a record, columns 10 on, joined. */
static int record_text(const char *buf, size_t n, const char *record, str_t *out, err_t *err)
{
    for (size_t at = 0, next; at < n; at = next) {
        const char *line = buf + at, *eol = memchr(line, '\n', n - at);
        size_t len = eol ? (size_t)(eol - line) : n - at;
        next = at + len + 1;
        if (is_record(line, len, "ATOM  ") || is_record(line, len, "HETATM")) break;
        if (len <= 10 || !is_record(line, len, record)) continue;
        const char *s = line + 10;
        size_t k = (len < 80 ? len : 80) - 10;
        trim(&s, &k);
        bool glue = !out->n || out->s[out->n - 1] == '-';
        if ((!glue && str_add(out, " ", 1, err)) || str_add(out, s, k, err)) return -1;
    }
    return 0;
}

/* The values of "KEY: value;" in a specification list. */
static int spec_values(const str_t *text, const char *key, str_t *list, err_t *err)
{
    size_t nkey = strlen(key);
    for (const char *p = text->s; p && *p;) {
        const char *end = strchr(p, ';'), *colon = strchr(p, ':');
        size_t len = end ? (size_t)(end - p) : strlen(p);
        if (colon && colon < p + len) {
            const char *k = p;
            size_t nk = (size_t)(colon - p);
            trim(&k, &nk);
            if (nk == nkey && !strncasecmp(k, key, nk) && list_add(list, colon + 1, len - (size_t)(colon - p) - 1, err)) return -1;
        }
        p = end ? end + 1 : NULL;
    }
    return 0;
}

int text_facts(const char *buf, size_t n, modelfacts_t *facts, err_t *err)
{
    str_t compnd = {0}, source = {0}, list[3] = {{0}};
    int rc = -1;
    if (record_text(buf, n, "COMPND", &compnd, err) || record_text(buf, n, "SOURCE", &source, err)) goto done;
    if (spec_values(&compnd, "MOLECULE", &list[0], err) || spec_values(&compnd, "EC", &list[1], err) ||
        spec_values(&source, "ORGANISM_SCIENTIFIC", &list[2], err))
        goto done;
    /* Before specification lists, COMPND was free text. */
    if (!list[0].n && compnd.n && !strchr(compnd.s, ':') && list_add(&list[0], compnd.s, compnd.n, err)) goto done;
    facts->molecules = list[0].s;
    facts->ec = list[1].s;
    facts->organisms = list[2].s;
    memset(list, 0, sizeof list);
    rc = 0;
done:
    for (int i = 0; i < 3; i++) mem_free(list[i].s);
    mem_free(compnd.s);
    mem_free(source.s);
    return rc;
}
