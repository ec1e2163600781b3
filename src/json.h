/* json: values for JSON lines. */
#ifndef CRYOLEX_SRC_JSON_H
#define CRYOLEX_SRC_JSON_H

#include <jansson.h>

#include "base/err.h"

/* Text of any encoding, as UTF-8 (utf8_clean); null without memory. */
json_t *json_text(const char *s);

/* A number as the TSV shows it, so that the two formats agree: with digits after the point (at most 80), or significant ones
 * (at most 17). null for NaN and infinities, which JSON does not have. */
json_t *json_rounded(double x, int digits);
json_t *json_significant(double x, int digits);

/* One line on standard output; takes j. */
void json_line(json_t *j);

/* The same text without its end, mem_free(); NULL: ERR_NOMEM. Takes j. */
char *json_line_text(json_t *j, err_t *err);

#endif
