/* block: large blocks of memory, kept when they are freed and used again. Fresh memory costs more than it seems: the system clears every
 * page at its first touch, which takes longer than to decompress a map into it.
 *
 * What is kept hardly makes the process larger than it was: kept and used blocks together are never more than the used ones once were and a part in
 * BLOCK_OVER of that, nor the kept ones more than BLOCK_KEEP. Used by mem.h alone. */
#ifndef CRYOLEX_BASE_BLOCK_H
#define CRYOLEX_BASE_BLOCK_H

#include <stdbool.h>
#include <stddef.h>

#define BLOCK_MIN ((size_t)4 << 20)  /* bytes; smaller ones are malloc's */
#define BLOCK_KEEP ((size_t)2 << 30)
#define BLOCK_OVER 4 /* without it one small block drives out a large one that is wanted again */

/* At least so many bytes, not cleared, on huge pages where the system has them; NULL: no memory. A block that was kept serves where it is at most
 * twice as large. Thread-safe; a fork may free and ask for blocks, too. */
void *block_new(size_t bytes);
/* Whether p is a block; it is then free. */
bool block_free(void *p);

typedef struct {
    size_t used, kept, most; /* bytes; most: that were used at a time */
} blocks_t;
blocks_t block_count(void);

/* Give back to the system what is kept. */
void block_trim(void);

#endif
