/* progress: how far a batch is, its rate and when it ends. */
#ifndef CRYOLEX_BASE_PROGRESS_H
#define CRYOLEX_BASE_PROGRESS_H

#include <stddef.h>

#include "base/log.h"

/* On a terminal one line, redrawn at most 5 times a second; otherwise a line every tenth of the total and at
 * least 10 s apart. Silent when log is NULL or below LOG_INFO. */
typedef struct progress progress_t;

/* `label` ("index") and `unit` ("entries") are borrowed for the life of the object. NULL when out of memory, which
 * every function here accepts. Free with progress_end(), which also prints the closing line. */
progress_t *progress_new(const log_t *log, const char *label, const char *unit, size_t total);
void progress_step(progress_t *p, size_t n, size_t failed); /* n more done, `failed` of them badly. Thread-safe */
void progress_end(progress_t *p);

#endif
