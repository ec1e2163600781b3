/* text: lines and numbers of a text file, in order. */
#ifndef CRYOLEX_MRC_TEXT_H
#define CRYOLEX_MRC_TEXT_H

#include <stdbool.h>

#include "mrc/source.h"

enum { TEXT_BUF = 1 << 16, TEXT_LINE = 256, TEXT_WORD = 64 };

typedef struct {
    source_t *src;
    size_t n, at;  /* bytes in buf, and the next of them */
    size_t line;   /* number of the line that the next byte is in, from 1 */
    char buf[TEXT_BUF];
} text_t;

text_t *text_new(source_t *src, err_t *err); /* NULL: ERR_NOMEM; free with mem_free() */

/* The next line without its end, a longer one cut (the rest is skipped). 1, 0 at the end, or -1 with ERR_IO or ERR_FORMAT. */
int text_line(text_t *t, char line[TEXT_LINE], err_t *err);
/* The next number. `what` and i name it in messages. 1, 0 at the end of the file, or -1: ERR_FORMAT it is no number, ERR_IO. */
int text_number(text_t *t, const char *what, size_t i, double *x, err_t *err);
/* n numbers as the nearest floats, from number `first` of `total` on. 0, or -1, also with ERR_IO where they end too early. */
int text_floats(text_t *t, const char *what, size_t first, size_t n, size_t total, float *out, err_t *err);
/* Up to n numbers at the start of a line; how many there are. *rest, unless NULL, is what follows. */
int text_scan(const char *line, double *x, int n, const char **rest);

#endif
