/* opt: command-line options as rows of a table. Parsing, range check, help, man page and completion come from one row. */
#ifndef CRYOLEX_BASE_OPT_H
#define CRYOLEX_BASE_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"

typedef enum {
    OPT_FLAG,   /* bool; no argument */
    OPT_INT,    /* long; min..max */
    OPT_REAL,   /* double; min..max, finite */
    OPT_MAYBE,  /* the same, but NAN when it is not given */
    OPT_STR,    /* const char *, borrowed from argv */
    OPT_CHOICE, /* int: which of `choices` */
    OPT_SIZE,   /* size_t, bytes: "512M", "2G" (powers of 1024) or a plain number; min..max in bytes */
    OPT_GROUP   /* the rows of another table, whose struct is the field: options that several commands share */
} opttype_t;

typedef struct {
    char brief;          /* short name, or 0 */
    const char *name;    /* long name (of a group: what it is about); NULL ends the table */
    opttype_t type;
    size_t at;           /* offsetof the field in the options struct */
    const char *arg;     /* how the argument is called in help: "A", "FILE"; NULL for a flag */
    double min, max;     /* of a number */
    const void *choices; /* OPT_CHOICE: "auto|start|origin|none"; OPT_GROUP: the other table, which has no groups */
    const char *def;     /* default as text, applied by opt_defaults and shown; NULL: zero, nothing shown */
    const char *help;    /* one line or a few, no final stop */
} opt_t;

/* Write every default (and the NAN of OPT_MAYBE) into the struct at `out`, which the caller has zeroed. A bad default in a table is an assertion. */
void opt_defaults(const opt_t *rows, void *out);

/* Parse argv[1..argc-1] by `rows` then `common` (either may be NULL); options and operands may mix, "--" ends options.
 * Long names may be shortened while they stay unique. argv is permuted so that the operands are
 * argv[*first..argc-1]. *help is set when -h or --help is met (the rest is then not parsed).
 * 0, or -1 with ERR_USAGE: unknown or ambiguous option, missing argument, not a number, out of range. */
int opt_parse(const opt_t *rows, void *out, const opt_t *common, void *common_out, int argc, char **argv, int *first,
              bool *help, err_t *err);

/* Walk the rows, those of a group in its place: for (optwalk_t w = opt_walk(rows, out); w.row; opt_next(&w)) ...
 * w.out is the struct that w.row->at counts from (NULL where out is). */
typedef struct {
    const opt_t *row;
    void *out;
    const opt_t *group; /* the row that holds the group we are in, or NULL */
    void *group_out;
} optwalk_t;
optwalk_t opt_walk(const opt_t *rows, void *out);
void opt_next(optwalk_t *w);

void opt_help(const opt_t *rows, FILE *f); /* the rows as indented text, 80 columns */
void opt_man(const opt_t *rows, FILE *f);  /* the rows as man(7) .TP items */

/* Paragraphs, 80 columns: a line break counts as a space, an empty line ends a paragraph. */
void opt_text(const char *text, FILE *f);

/* Text (its first n bytes) with roff's special characters escaped. */
void opt_roff(const char *text, FILE *f);
void opt_roff_n(const char *text, size_t n, FILE *f);

#endif
