/* head: the 1024 bytes of an MRC header, parsed, judged and made. */
#ifndef CRYOLEX_MRC_HEAD_H
#define CRYOLEX_MRC_HEAD_H

#include "mrc/mrc.h"

enum { HEAD_BYTES = 1024, HEAD_LABEL = 80, HEAD_LABELS = 10 };

/* Byte offsets of the fields. */
enum {
    AT_N = 0, AT_MODE = 12, AT_NSTART = 16, AT_M = 28, AT_CELLA = 40, AT_CELLB = 52, AT_MAPCRS = 64, AT_DMIN = 76,
    AT_ISPG = 88, AT_NSYMBT = 92, AT_EXTTYP = 104, AT_NVERSION = 108, AT_IMOD = 152, AT_ORIGIN = 196, AT_MAP = 208,
    AT_STAMP = 212, AT_RMS = 216, AT_NLABL = 220, AT_LABEL = 224
};

/* Fields as the bytes have them. The byte order is the one in which sides, mode and axes make sense; the stamp
 * decides only where that leaves a choice. Nothing is judged. */
void head_parse(const unsigned char *b, mrc_header_t *h);

/* How well the fields make sense: 0 to 7 (three sides, mode, axes counted 3). 7 is a plausible header. */
int head_sense(const mrc_header_t *h);
bool head_has_map(const mrc_header_t *h);           /* "MAP " or "MAP\0" */
bool head_stamp_order(const mrc_header_t *h, bool *big); /* the stamp is one of 44 44, 44 41 (little), 11 11 (big) */
const char *head_mode_name(int mode);               /* "float32", "complex float32", ...; NULL for no mode */
bool head_is_permutation(const int32_t *mapcrs);

/* Judge the fields and fill the second half of h, but for data_at and file_bytes: notes for what is read past,
 * an error for what cannot be (the codes of mrc_head). `name` is the file's; ".mrcs" is a stack of images. */
int head_judge(mrc_header_t *h, const char *name, const mrc_opts_t *opts, notes_t *notes, err_t *err);

/* Where the data lie in a file of `size` bytes (SIZE_MAX: not known, the header is believed): data_at, read_mode,
 * data_bytes. A file too short is ERR_IO, one too long a note. */
int head_layout(mrc_header_t *h, const char *name, size_t size, const mrc_opts_t *opts, notes_t *notes, err_t *err);

bool head_is_density(int mode);             /* one of 0, 1, 2, 6, 12, 101 */
size_t head_row_bytes(int mode, size_t nx); /* bytes of one row; 0 for no mode */

/* The 32-bit word at b. */
uint32_t head_word(const unsigned char *b, bool big);
/* Little-endian bytes of a header for a volume: words that mrc_write needs. b is cleared first. */
void head_put_i32(unsigned char *b, size_t at, int32_t x);
void head_put_f32(unsigned char *b, size_t at, float x);

#endif
