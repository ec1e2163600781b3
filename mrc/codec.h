/* codec: gzip, bzip2, xz and zstd streams held in memory, decoded piece by piece. */
#ifndef CRYOLEX_MRC_CODEC_H
#define CRYOLEX_MRC_CODEC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

typedef enum { CODEC_NONE, CODEC_GZIP, CODEC_BZIP2, CODEC_XZ, CODEC_ZSTD } codec_t;
enum { CODEC_MAGIC = 6 }; /* bytes that codec_sniff wants */

codec_t codec_sniff(const unsigned char *p, size_t n); /* by the first bytes */
const char *codec_name(codec_t c);                     /* "none", "gzip", ...; static */
/* The most that n compressed bytes can become; SIZE_MAX where the format sets no useful bound. */
size_t codec_bound(codec_t c, size_t n);

typedef struct decoder decoder_t;

/* A decoder over in[0..n-1], which must outlive it. NULL: ERR_NOMEM. Free with decoder_free(). */
decoder_t *decoder_new(codec_t c, const unsigned char *in, size_t n, const char *name, err_t *err);
/* Up to n decoded bytes; *got < n only at the end of the data. Members and frames that follow one another are one
 * stream; whatever else follows the last is left (see decoder_rest). Checksums are verified as each member ends.
 * 0, or -1: ERR_IO the data end too early, ERR_FORMAT damaged. */
int decoder_read(decoder_t *d, void *out, size_t n, size_t *got, err_t *err);
size_t decoder_rest(const decoder_t *d); /* input bytes not consumed */
void decoder_free(decoder_t *d);

/* All members of a gzip file at once by libdeflate (twice the speed of zlib). false, with out[] undefined, if they do
 * not fit into cap, are damaged or are followed by something else: the decoder then tells. */
bool codec_gzip_whole(const unsigned char *in, size_t n, unsigned char *out, size_t cap, size_t *got);

#endif
