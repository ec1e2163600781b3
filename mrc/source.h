/* source: the bytes of a file, of standard input or of memory, decompressed, in order. */
#ifndef CRYOLEX_MRC_SOURCE_H
#define CRYOLEX_MRC_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "mrc/codec.h"

#define SOURCE_UNKNOWN ((size_t)-1)
enum { SOURCE_HEAD = 1024, SOURCE_PART = 1 << 16 };

typedef struct {
    const char *name;         /* borrowed */
    int fd;                   /* of a plain file or pipe; -1 otherwise */
    bool own_fd, seekable;
    size_t base;              /* where the file began, of a seekable fd */
    const unsigned char *mem; /* all stored bytes, where they are held in memory; NULL otherwise */
    size_t mem_n;
    unsigned char *own;       /* mem, if ours to free */
    unsigned char head[SOURCE_HEAD]; /* first bytes of a pipe, already taken from it */
    size_t head_n;
    codec_t codec;
    decoder_t *dec;
    size_t size; /* of the uncompressed bytes, or SOURCE_UNKNOWN */
    size_t at;   /* next byte, uncompressed */
} source_t;

/* Open a file, or "-". A compressed one is read into memory, at most `max` bytes of it (0: no limit). The name is
 * borrowed. 0, or -1: ERR_IO, ERR_RANGE (more than max), ERR_NOMEM. End with source_close(), also after failure. */
int source_open(source_t *s, const char *path, size_t max, err_t *err);
/* The same to look at the beginning: of a compressed ordinary file the first SOURCE_PART bytes are all that is read, and it seems cut short there. */
int source_open_part(source_t *s, const char *path, size_t max, err_t *err);
int source_open_mem(source_t *s, const unsigned char *buf, size_t n, const char *name, err_t *err);
/* The next n bytes; *got < n only at the end. 0, or -1 with ERR_IO or ERR_FORMAT. */
int source_read(source_t *s, void *buf, size_t n, size_t *got, err_t *err);
/* Any n bytes of a seekable file, or of uncompressed memory, (at, n) without moving; safe from several threads at once. */
int source_pread(const source_t *s, void *buf, size_t n, size_t at, size_t *got, err_t *err);
/* Go to byte `at`, backwards only where source_rewinds(). Past the end is no error: the next read gives nothing. */
int source_seek(source_t *s, size_t at, err_t *err);
bool source_rewinds(const source_t *s);
/* Take a pipe, of which no more than SOURCE_HEAD bytes are read yet, into memory, so that its size is known and it
 * rewinds. Nothing to do for other sources. */
int source_hold(source_t *s, size_t max, err_t *err);
/* Make any byte readable at any time: a plain file that we opened by its name stays as it is, all else becomes uncompressed bytes in memory, at most `max`
 * (0: no limit). 0, or -1: ERR_RANGE more than max, ERR_IO, ERR_FORMAT damaged, ERR_NOMEM. */
int source_unpack(source_t *s, size_t max, err_t *err);
/* The first n bytes, at most SOURCE_HEAD, of a source that nothing was read of; it stays at its beginning. */
int source_peek(source_t *s, unsigned char *buf, size_t n, size_t *got, err_t *err);
/* The most that the uncompressed size can be, as far as it is known without decoding. */
size_t source_bound(const source_t *s);
void source_close(source_t *s);

#endif
