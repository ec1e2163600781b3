/* tsv: a table of text fields with a header row. */
#ifndef CRYOLEX_BASE_TSV_H
#define CRYOLEX_BASE_TSV_H

#include <stddef.h>
#include <stdio.h>

#include "base/err.h"

#define TSV_MAX ((size_t)1 << 32) /* bytes of a file, and of what a gzip file holds */

typedef struct {
    char *text;         /* owns the bytes of all fields */
    const char **field; /* (nrow + 1, ncol); row 0 is the header */
    size_t nrow, ncol;  /* nrow without the header */
    size_t *line;       /* line[r]: number, from 1, of row r in the file */
    const char *path;   /* borrowed; for messages */
} tsv_t;

/* Read a tab-separated file, plain or gzip by its content, whose first line names the columns. Empty lines and lines that
 * begin with '#' are skipped; a carriage return before the line end is dropped. `path` must outlive the table ("-":
 * standard input).
 * 0, or -1: ERR_IO, ERR_RANGE, ERR_NOMEM; ERR_FORMAT no header, a NUL byte, a column named twice, a row with another
 * number of fields (the message has the line), or damaged gzip data. End with tsv_free(). */
int tsv_read(const char *path, tsv_t *t, err_t *err);
void tsv_free(tsv_t *t); /* leaves {0} */

/* Column by name, or -1. */
long tsv_col(const tsv_t *t, const char *name);
/* Field of row 0..nrow-1; NULL when col is -1, or the field is empty or "-". */
const char *tsv_get(const tsv_t *t, size_t row, long col);

/* Write s as one field: tab, newline, carriage return and NUL never appear (each becomes a space). */
void tsv_put(FILE *f, const char *s);

#endif
