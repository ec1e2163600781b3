/* utf8: text of unknown encoding, made fit for terminals and JSON. */
#ifndef CRYOLEX_BASE_UTF8_H
#define CRYOLEX_BASE_UTF8_H

#include <stddef.h>

/* Bytes, 1 to 4, of the UTF-8 character that the zero-ended text s begins with (RFC 3629); 0 when it is none: a byte out
 * of place, an overlong form, a surrogate, beyond U+10FFFF. An empty text has 1. */
size_t utf8_len(const char *s);

/* Copy s to out, which has room for strlen(s) + 1 and may be s: each byte that belongs to no UTF-8 character, and each
 * control character, becomes '?'. */
void utf8_clean(const char *s, char *out);

#endif
