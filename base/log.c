/* log: lines on a stream, by level (see log.h). */
#include "base/log.h"

#include <stdarg.h>

void log_msg(const log_t *log, loglevel_t level, const char *fmt, ...)
{
    if (!log || !log->f || level > log->level) return;
    char buf[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(buf, sizeof buf, fmt, ap);
    va_end(ap);
    const char *word = level == LOG_ERROR ? "error: " : level == LOG_WARN ? "warning: " : "";
    fprintf(log->f, "%scryolex: %s%s\n", log->tty ? "\r\033[K" : "", word, buf);
}

void log_notes(const log_t *log, const char *path, const notes_t *notes)
{
    for (size_t i = 0; i < notes->n; i++) log_msg(log, LOG_WARN, "%s: %s", path, notes->line[i]);
}
