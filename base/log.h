/* log: lines on stderr (or another stream), by level; and how long the run took. */
#ifndef CRYOLEX_BASE_LOG_H
#define CRYOLEX_BASE_LOG_H

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "base/notes.h"

typedef enum { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG } loglevel_t;

/* The program's; handed down as an argument. A NULL log_t is silent. */
typedef struct {
    FILE *f;
    loglevel_t level; /* lines above it are dropped */
    bool tty;         /* f is a terminal: progress is redrawn in place */
} log_t;

/* One line "cryolex: warning: ..." or, at LOG_INFO and below, without the word. Atomic per line; thread-safe. */
void log_msg(const log_t *log, loglevel_t level, const char *fmt, ...) ERR_PRINTF(3, 4);
/* Every note as a warning, "path: note". */
void log_notes(const log_t *log, const char *path, const notes_t *notes);

#endif
