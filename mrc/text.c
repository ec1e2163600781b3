/* text: lines and numbers (see text.h). */
#include "mrc/text.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

text_t *text_new(source_t *src, err_t *err)
{
    text_t *t = mem_new(1, sizeof *t, err);
    if (!t) return NULL;
    t->src = src;
    t->n = t->at = 0;
    t->line = 1;
    return t;
}

/* The next byte, without taking it; -1 at the end, -2 for a failure. */
static int look(text_t *t, err_t *err)
{
    if (t->at == t->n) {
        t->at = t->n = 0;
        if (source_read(t->src, t->buf, sizeof t->buf, &t->n, err)) return -2;
        if (!t->n) return -1;
    }
    return (unsigned char)t->buf[t->at];
}

static void take(text_t *t) { t->line += t->buf[t->at++] == '\n'; }

int text_line(text_t *t, char line[TEXT_LINE], err_t *err)
{
    size_t n = 0;
    int c = look(t, err);
    if (c < 0) return c + 1;
    for (; c >= 0 && c != '\n'; c = look(t, err)) {
        if (n < TEXT_LINE - 1) line[n++] = (char)(c ? c : '?');
        take(t);
    }
    if (c == -2) return -1;
    if (c == '\n') take(t);
    while (n && (line[n - 1] == '\r' || line[n - 1] == ' ')) n--;
    line[n] = 0;
    return 1;
}

static bool is_space(int c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

int text_number(text_t *t, const char *what, size_t i, double *x, err_t *err)
{
    char word[TEXT_WORD], *end;
    size_t n = 0;
    int c;
    while ((c = look(t, err)) >= 0 && is_space(c)) take(t);
    if (c < 0) return c + 1;
    for (; c >= 0 && !is_space(c); c = look(t, err)) {
        if (n < TEXT_WORD - 1) word[n++] = (char)(c ? c : '?');
        take(t);
    }
    if (c == -2) return -1;
    word[n] = 0;
    *x = strtod(word, &end);
    if (n == TEXT_WORD - 1 || end == word || *end)
        return err_set(err, ERR_FORMAT, "%s: line %zu: %s %zu is '%.40s', no number", t->src->name, t->line, what, i,
                       word);
    return 1;
}

int text_floats(text_t *t, const char *what, size_t first, size_t n, size_t total, float *out, err_t *err)
{
    double x;
    for (size_t i = 0; i < n; i++) {
        int rc = text_number(t, what, first + i + 1, &x, err);
        if (rc < 0) return -1;
        if (!rc)
            return err_set(err, ERR_IO, "%s: ends after %s %zu, cut short (the header promises %zu)", t->src->name, what, first + i, total);
        out[i] = (float)x;
    }
    return 0;
}

int text_scan(const char *line, double *x, int n, const char **rest)
{
    int k = 0;
    for (; k < n; k++) {
        char *end;
        x[k] = strtod(line, &end);
        if (end == line || (*end && !is_space(*end))) break;
        line = end;
    }
    while (is_space(*line)) line++;
    if (rest) *rest = line;
    return k;
}
