/* notes: warnings that a library function hands to its caller, in order. Libraries never print. */
#ifndef CRYOLEX_BASE_NOTES_H
#define CRYOLEX_BASE_NOTES_H

#include <stddef.h>

#include "base/err.h"

/* The caller's; start from {0}, end with notes_free(). One thread at a time. */
typedef struct {
    char **line; /* line[0..n-1], no newline */
    size_t n, cap;
    size_t lost; /* lines that there was no memory for */
} notes_t;

/* Append a line. notes may be NULL (dropped). Out of memory drops the line and counts it. */
void notes_add(notes_t *notes, const char *fmt, ...) ERR_PRINTF(2, 3);
void notes_free(notes_t *notes); /* leaves {0} */

#endif
