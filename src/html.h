/* html: text, addresses and bytes into a page. */
#ifndef CRYOLEX_SRC_HTML_H
#define CRYOLEX_SRC_HTML_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

/* s as text or within a quoted attribute: & < > " ' are escaped, and what is not UTF-8 or a control character is "?". */
void html_text(FILE *f, const char *s);

/* Formatted, then as text. */
void html_printf(FILE *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* s within an address: all but letters, digits, "-", "_", "." and "~" by its bytes, as %2F; where `path`, "/" stays. */
void html_url(FILE *f, const char *s, int path);

/* "data:TYPE;base64," and the bytes. */
void html_data(FILE *f, const char *type, const void *bytes, size_t n);

/* JSON that no <script> element can be left from: < > & and the two line ends of Unicode are \u escapes. */
void html_json(FILE *f, const json_t *j);

#endif
