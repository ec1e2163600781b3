/* gz: whole files in, gzip or not. */
#ifndef CRYOLEX_BASE_GZ_H
#define CRYOLEX_BASE_GZ_H

#include <stddef.h>

#include "base/err.h"

/* As file_read(), but of a gzip file (told by its content, not its name) what it holds: all its members, one after the
 * other; `max` is the limit for that, too. NULL: the errors of file_read(), and ERR_FORMAT damaged, cut short, or followed by
 * something else. Checksums are verified. Thread-safe. Source: RFC 1952; libdeflate does the work. */
unsigned char *gz_read(const char *path, size_t max, size_t *n, err_t *err);

#endif
