/* opt: command-line options as rows of a table (see opt.h). Parsing is getopt_long(3)'s. */
#include "base/opt.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OPT_MAX = 64, CODE0 = 256 }; /* rows of one command; first getopt code */

/* Index of `word` among "a|b|c", or -1. */
static int choice_find(const char *choices, const char *word)
{
    size_t n = strlen(word);
    int i = 0;
    for (const char *p = choices; p; i++) {
        const char *bar = strchr(p, '|');
        size_t len = bar ? (size_t)(bar - p) : strlen(p);
        if (len == n && !memcmp(p, word, n)) return i;
        p = bar ? bar + 1 : NULL;
    }
    return -1;
}

static int parse_size(const char *s, double *out)
{
    char *end;
    double x = strtod(s, &end);
    if (end == s || !isfinite(x)) return -1;
    if (*end) {
        const char *units = "KMGT", *u = strchr(units, *end & ~0x20);
        if (!u || end[1]) return -1;
        x *= ldexp(1, 10 * (int)(u - units + 1));
    }
    *out = x;
    return 0;
}

static int check_range(const opt_t *o, double x, const char *s, err_t *err)
{
    if (x >= o->min && x <= o->max) return 0;
    return err_set(err, ERR_USAGE, "--%s: %s (%g to %g)", o->name, s, o->min, o->max);
}

static int store(const opt_t *o, void *out, const char *s, err_t *err)
{
    char *field = (char *)out + o->at, *end;
    switch (o->type) {
    case OPT_FLAG:
        *(bool *)field = true;
        return 0;
    case OPT_STR:
        memcpy(field, &s, sizeof s);
        return 0;
    case OPT_INT: {
        errno = 0;
        long x = strtol(s, &end, 10);
        if (end == s || *end || errno) return err_set(err, ERR_USAGE, "--%s: '%s' (a whole number is wanted)", o->name, s);
        memcpy(field, &x, sizeof x);
        return check_range(o, (double)x, s, err);
    }
    case OPT_REAL:
    case OPT_MAYBE: {
        double x = strtod(s, &end);
        if (end == s || *end || !isfinite(x)) return err_set(err, ERR_USAGE, "--%s: '%s' (a number is wanted)", o->name, s);
        memcpy(field, &x, sizeof x);
        return check_range(o, x, s, err);
    }
    case OPT_SIZE: {
        double x;
        if (parse_size(s, &x)) return err_set(err, ERR_USAGE, "--%s: '%s' (a size such as 512M or 2G is wanted)", o->name, s);
        if (check_range(o, x, s, err)) return -1;
        size_t n = (size_t)x;
        memcpy(field, &n, sizeof n);
        return 0;
    }
    case OPT_CHOICE: {
        int i = choice_find(o->choices, s);
        if (i < 0) return err_set(err, ERR_USAGE, "--%s: '%s' (one of %s)", o->name, s, (const char *)o->choices);
        memcpy(field, &i, sizeof i);
        return 0;
    }
    case OPT_GROUP:
        break; /* opt_walk never stops at one */
    }
    return err_set(err, ERR_INTERNAL, "--%s: bad row", o->name);
}

/* Into a group, out of one that ended, or to rest at the end. */
static void settle(optwalk_t *w)
{
    for (;;) {
        if (w->row && !w->row->name && w->group) {
            w->row = w->group + 1;
            w->out = w->group_out;
            w->group = NULL;
        } else if (w->row && w->row->name && w->row->type == OPT_GROUP) {
            assert(!w->group);
            w->group = w->row;
            w->group_out = w->out;
            w->out = w->out ? (char *)w->out + w->row->at : NULL;
            w->row = w->row->choices;
        } else {
            break;
        }
    }
    if (w->row && !w->row->name) w->row = NULL;
}

optwalk_t opt_walk(const opt_t *rows, void *out)
{
    optwalk_t w = {.row = rows, .out = out};
    settle(&w);
    return w;
}

void opt_next(optwalk_t *w)
{
    w->row++;
    settle(w);
}

void opt_defaults(const opt_t *rows, void *out)
{
    for (optwalk_t w = opt_walk(rows, out); w.row; opt_next(&w)) {
        if (w.row->type == OPT_MAYBE) memcpy((char *)w.out + w.row->at, &(double){NAN}, sizeof(double));
        if (!w.row->def || w.row->type == OPT_FLAG) continue;
        err_t err = {0};
        int rc = store(w.row, w.out, w.row->def, &err);
        assert(!rc);
        (void)rc;
    }
}

int opt_parse(const opt_t *rows, void *out, const opt_t *common, void *common_out, int argc, char **argv, int *first,
              bool *help, err_t *err)
{
    struct option lo[OPT_MAX + 2];
    const opt_t *row[OPT_MAX];
    void *dest[OPT_MAX];
    char so[3 * OPT_MAX + 8] = ":h";
    int n = 0;
    size_t k = strlen(so);
    for (int t = 0; t < 2; t++) {
        for (optwalk_t w = t ? opt_walk(common, common_out) : opt_walk(rows, out); w.row; opt_next(&w), n++) {
            assert(n < OPT_MAX);
            const opt_t *o = w.row;
            int has = o->type != OPT_FLAG;
            row[n] = o;
            dest[n] = w.out;
            lo[n] = (struct option){o->name, has, NULL, CODE0 + n};
            if (o->brief) {
                so[k++] = o->brief;
                if (has) so[k++] = ':';
            }
        }
    }
    so[k] = 0;
    lo[n] = (struct option){"help", 0, NULL, 'h'};
    lo[n + 1] = (struct option){0};

    *help = false;
    optind = 0;
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, so, lo, NULL)) != -1;) {
        const char *word = optind > 0 && optind <= argc ? argv[optind - 1] : "?";
        if (c == 'h') {
            *help = true;
            return 0;
        }
        if (c == ':') return err_set(err, ERR_USAGE, "%s: its argument is missing", word);
        if (c == '?') {
            if (optopt == 'h') return err_set(err, ERR_USAGE, "%s: takes no argument", word); /* --help=1; -h is never refused */
            if (optopt > 0 && optopt < CODE0) return err_set(err, ERR_USAGE, "-%c: no such option", optopt);
            if (optopt >= CODE0) return err_set(err, ERR_USAGE, "%s: takes no argument", word);
            return err_set(err, ERR_USAGE, "%s: no such option, or not a unique one", word);
        }
        int i = c >= CODE0 ? c - CODE0 : 0;
        if (c < CODE0)
            while (i < n && row[i]->brief != c) i++;
        if (i >= n) return err_set(err, ERR_INTERNAL, "option table: code %d", c);
        if (store(row[i], dest[i], optarg, err)) return -1;
    }
    *first = optind;
    return 0;
}

/* Print text from column `col`, wrapped at 80, continued at `indent`. A line break counts as a space, two end a
 * paragraph. */
static void wrap(FILE *f, const char *text, int col, int indent)
{
    int start = 1;
    while (*text) {
        int n = (int)strcspn(text, " \n");
        if (!start && col + 1 + n > 80) {
            fprintf(f, "\n%*s", indent, "");
            col = indent;
        } else if (!start) {
            fputc(' ', f);
            col++;
        }
        fprintf(f, "%.*s", n, text);
        col += n;
        text += n;
        start = !strncmp(text, "\n\n", 2);
        if (start) {
            fprintf(f, "\n\n%*s", indent, "");
            col = indent;
        }
        while (*text == ' ' || *text == '\n') text++;
    }
    fputc('\n', f);
}

void opt_text(const char *text, FILE *f) { wrap(f, text, 0, 0); }

void opt_help(const opt_t *rows, FILE *f)
{
    enum { COL = 28 };
    for (optwalk_t w = opt_walk(rows, NULL); w.row; opt_next(&w)) {
        const opt_t *o = w.row;
        char head[128], text[1024];
        const char *arg = o->type == OPT_CHOICE ? (const char *)o->choices : o->arg;
        if (o->brief)
            snprintf(head, sizeof head, "  -%c, --%s%s%s", o->brief, o->name, arg ? " " : "", arg ? arg : "");
        else
            snprintf(head, sizeof head, "      --%s%s%s", o->name, arg ? " " : "", arg ? arg : "");
        snprintf(text, sizeof text, "%s%s%s%s", o->help, o->def && o->type != OPT_FLAG ? " [" : "",
                 o->def && o->type != OPT_FLAG ? o->def : "", o->def && o->type != OPT_FLAG ? "]" : "");
        int n = (int)strlen(head);
        fputs(head, f);
        if (n + 2 > COL) {
            fputc('\n', f);
            n = 0;
        }
        fprintf(f, "%*s", COL - n, "");
        wrap(f, text, COL, COL);
    }
}

void opt_roff_n(const char *text, size_t n, FILE *f)
{
    bool start = true; /* of a line, where . and ' are requests */
    for (; n; text++, n--) {
        if (start && (*text == '.' || *text == '\'')) fputs("\\&", f);
        if (*text == '\\')
            fputs("\\e", f);
        else if (*text == '-')
            fputs("\\-", f);
        else
            fputc(*text, f);
        start = *text == '\n';
    }
}

void opt_roff(const char *text, FILE *f)
{
    opt_roff_n(text, strlen(text), f);
}

void opt_man(const opt_t *rows, FILE *f)
{
    for (optwalk_t w = opt_walk(rows, NULL); w.row; opt_next(&w)) {
        const opt_t *o = w.row;
        fputs(".TP\n", f);
        if (o->brief) fprintf(f, "\\fB\\-%c\\fR, ", o->brief);
        fputs("\\fB\\-\\-", f);
        opt_roff(o->name, f);
        fputs("\\fR", f);
        if (o->type != OPT_FLAG) {
            fputs(" \\fI", f);
            opt_roff(o->type == OPT_CHOICE ? (const char *)o->choices : o->arg, f);
            fputs("\\fR", f);
        }
        fputc('\n', f);
        opt_roff(o->help, f);
        if (o->def && o->type != OPT_FLAG) {
            fputs(" [", f);
            opt_roff(o->def, f);
            fputs("]", f);
        }
        if (o->type == OPT_INT || o->type == OPT_REAL) fprintf(f, "; from %g to %g", o->min, o->max);
        fputs(".\n", f);
    }
}
