/* results: the JSON lines of annotate, search and sweep, read back. */
#ifndef CRYOLEX_SRC_RESULTS_H
#define CRYOLEX_SRC_RESULTS_H

#include <jansson.h>

#include "base/err.h"
#include "base/notes.h"

#define RESULTS_MAX ((size_t)1 << 32) /* bytes of a file */

/* The answers of a file ("-": standard input): an array of objects with query (a string) and entries (an array). Lines of search, which have one
 * hit each, become one object for each run of lines of one query. Empty lines are passed over. A line that is no object, or that has no query, is left out
 * with a note that has its number. New; json_decref(). NULL: the errors of file_read(); ERR_FORMAT not one answer; ERR_NOMEM. */
json_t *results_read(const char *path, notes_t *notes, err_t *err);

/* Members that may be missing: a string, or ""; a number, or NAN. Borrowed. */
const char *results_text(const json_t *o, const char *key);
double results_number(const json_t *o, const char *key);

#endif
