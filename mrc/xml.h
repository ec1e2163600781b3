/* xml: XML files as the archives write them, element by element. libxml2's xmlTextReader does the work, and no other file knows
 * of it.
 *
 * Text is UTF-8, US-ASCII or ISO-8859-1 (as declared; handed over as UTF-8), plain or gzip. There is no network, and no
 * document type declaration: none of these files has one, and entities, external ones and those that grow without bound, come
 * from nothing else. */
#ifndef CRYOLEX_MRC_XML_H
#define CRYOLEX_MRC_XML_H

#include <stddef.h>

#include "base/err.h"

#define XML_FILE_MAX ((size_t)64 << 20) /* bytes of a file, and of what a gzip file holds */
#define XML_TEXT_MAX ((size_t)1 << 20)  /* bytes of text in one element; the longest sequences have some 40,000 */
#define XML_PATH_MAX 1024               /* bytes of the names of nested elements */
#define XML_DEPTH_MAX 64                /* nested elements */

typedef struct xml xml_t;
typedef enum { XML_DONE, XML_BEGIN, XML_END } xmlevent_t;

/* xml_open: the file; xml_mem: n bytes in memory, which have to stay, called `name` in messages. `path` and `name` have to stay, too.
 * NULL: ERR_IO, ERR_NOMEM; ERR_RANGE larger than XML_FILE_MAX; ERR_FORMAT gzip data damaged, no XML, a NUL byte; ERR_UNSUP another
 * encoding, a document type declaration. End with xml_close(). One thread at a time; several at once in several threads. */
xml_t *xml_open(const char *path, err_t *err);
xml_t *xml_mem(const char *name, const void *bytes, size_t n, err_t *err);
void xml_close(xml_t *x); /* NULL is fine */

/* The next element that begins or ends. 0, or -1: ERR_FORMAT not well-formed or cut short, ERR_RANGE a limit of the above, or
 * of libxml2, ERR_NOMEM. The message has file, line and element. */
int xml_next(xml_t *x, xmlevent_t *event, err_t *err);

/* Of the element that has just begun or ended; until the next xml_next(). */
const char *xml_path(const xml_t *x); /* from the root: "emd/map/contour_list"; names without their prefixes */
const char *xml_name(const xml_t *x); /* the last of these */
const char *xml_text(const xml_t *x); /* once it has ended, its text in one line, without white space around it; "" where it had elements */
/* An attribute once it has begun, "" where it has none; until the next call. */
const char *xml_attr(xml_t *x, const char *name);

/* err_set() behind "FILE: line N, PATH: ", N being where the element begins. */
int xml_wrong(const xml_t *x, err_t *err, errcode_t code, const char *fmt, ...) ERR_PRINTF(4, 5);

#endif
