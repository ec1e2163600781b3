/* notes: warnings that a library function hands to its caller (see notes.h). */
#include "base/notes.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"

void notes_add(notes_t *notes, const char *fmt, ...)
{
    if (!notes) return;
    char buf[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(buf, sizeof buf, fmt, ap);
    va_end(ap);
    for (char *p = buf; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f) *p = '?';
    if (mem_grow(&notes->line, &notes->cap, notes->n + 1, sizeof *notes->line, NULL)) {
        notes->lost++;
        return;
    }
    char *s = mem_str(buf, NULL);
    if (s)
        notes->line[notes->n++] = s;
    else
        notes->lost++;
}

void notes_free(notes_t *notes)
{
    for (size_t i = 0; i < notes->n; i++) mem_free(notes->line[i]);
    mem_free(notes->line);
    *notes = (notes_t){0};
}
