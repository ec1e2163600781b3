/* index: the descriptors of many entries, in memory and as an HDF5 file (DESIGN 5). */
#ifndef CRYOLEX_PIPELINE_INDEX_H
#define CRYOLEX_PIPELINE_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "pipeline/describe.h"
#include "pipeline/manifest.h"

#define INDEX_FORMAT "cryolex-index"
#define INDEX_VERSION 1

/* Text columns; each is a dataset of its name, /id first. */
enum {
    INDEX_ID, INDEX_PATH, INDEX_KIND, INDEX_TITLE, INDEX_METHOD, INDEX_MOLECULES, INDEX_ORGANISMS, INDEX_CAPTION,
    INDEX_TERMS, INDEX_GROUP, INDEX_SPLIT, INDEX_PAIR, INDEX_TEXTS
};
extern const char *const index_text_name[INDEX_TEXTS];

/* n entries. All arrays are owned. */
typedef struct {
    size_t n, cap;
    char **text[INDEX_TEXTS]; /* text[c][i], UTF-8, "" where unknown */
    float *rg;                /* (n) angstrom */
    float *volume;            /* (n) cubic angstrom */
    int8_t *cube;             /* (n, DESC_LEN), see desc.h */
    float *zernike;           /* (n, DESCRIBE_ZERNIKE) */
    float *profile;           /* (n, DESCRIBE_PROFILE) */

    char *block[INDEX_TEXTS]; /* strings of a column that were read as one; NULL: each has its own memory */
    size_t block_bytes[INDEX_TEXTS];
    void *map;                /* the file in memory where cube points into it, else NULL */
    size_t map_bytes;
} index_t;

/* Which parts to read. /rg always is. What is left out is NULL. */
#define INDEX_TEXT(c) (1u << (c)) /* one text column */
#define INDEX_CUBE (1u << 24)
#define INDEX_ZERNIKE (1u << 25)
#define INDEX_PROFILE (1u << 26)
#define INDEX_VOLUME (1u << 27)
#define INDEX_MAPPED (1u << 28) /* cubes stay in the file and are paged in as they are looked at */
#define INDEX_ALL (INDEX_CUBE | INDEX_ZERNIKE | INDEX_PROFILE | INDEX_VOLUME | (INDEX_TEXT(INDEX_TEXTS) - 1))

/* *x starts from {0}; end with index_free(). */
int index_add(index_t *x, const item_t *it, const record_t *r, err_t *err); /* copies; 0, or -1 ERR_NOMEM */
void index_free(index_t *x);

/* Write: the whole file or none of it. Layout (h5py reads it):
 *   attributes   format, format_version, cube_version, cube_side, program
 *   /id ...      fixed-length UTF-8 strings (n), one dataset a text column, deflated
 *   /rg /volume  float32 (n);  /cube int8 (n,4096);  /zernike float32 (n,121);  /profile float32 (n,32)
 * 0, or -1: ERR_IO, ERR_RANGE no entry, ERR_NOMEM. HDF5 is called from one thread. */
int index_write(const char *path, const index_t *x, err_t *err);

/* Read the `parts`. An index read by part, or INDEX_MAPPED, is for looking at only. 0, or -1 with *x empty: ERR_IO cannot open;
 * ERR_FORMAT no HDF5 file, no index, a dataset that is missing, of another shape or not finite, an rg of 0 or less; ERR_UNSUP another format or cube
 * version (the message names both); ERR_NOMEM. */
int index_read(const char *path, unsigned parts, index_t *x, err_t *err);

/* Append the entries of `from`, which has all parts. 0, or -1: ERR_FORMAT an id that occurs twice (*x is then for freeing only); ERR_NOMEM. */
int index_join(index_t *x, const index_t *from, err_t *err);

/* First entry whose id came before, or n when all are unique. ERR_NOMEM gives n. */
size_t index_duplicate(const index_t *x);

#endif
