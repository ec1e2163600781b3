/* index: the descriptors of many entries, in memory and as an HDF5 file (DESIGN 5). */
#ifndef CRYOLEX_PIPELINE_INDEX_H
#define CRYOLEX_PIPELINE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "pipeline/describe.h"
#include "pipeline/manifest.h"
#include "pipeline/evidence.h"
#include "pipeline/scoring.h"
#include "pipeline/terms.h"

#define INDEX_FORMAT "cryolex-index"
#define INDEX_VERSION 2 /* 1, which had neither embeddings nor terms, is read too */

/* Text columns; each is a dataset of its name, /id first. The last three are empty in an index that was made before they were. */
enum {
    INDEX_ID, INDEX_PATH, INDEX_KIND, INDEX_TITLE, INDEX_METHOD, INDEX_MOLECULES, INDEX_ORGANISMS, INDEX_CAPTION,
    INDEX_TERMS, INDEX_GROUP, INDEX_SPLIT, INDEX_PAIR,
    INDEX_RESOLUTION, /* angstrom, "2.1" */
    INDEX_CLUSTERS,   /* of 30 % sequence identity that its entities lie in: "12,345" */
    INDEX_DIGEST,     /* of what the entry was made from: describe_digest() */
    INDEX_TEXTS
};
extern const char *const index_text_name[INDEX_TEXTS];

/* How an index is stored: {0} is all parts, cubes as they are, embeddings in float16. */
typedef struct {
    bool no_zernike, no_profile; /* left out */
    bool no_path;                /* the paths of the files that entries come from are left empty */
    bool compact; /* cubes rounded to multiples of INDEX_COMPACT_STEP, float16 embeddings to those of INDEX_EMBED_STEP, and
                   * deflated; cubes can then not be mapped. All else is
                   * deflated where that makes it smaller */
    bool float32; /* embeddings */
    bool exact;   /* those of terms in float32, too; of shards */
} indexstore_t;
#define INDEX_SHARDS_MAX 1000000
#define INDEX_COMPACT_STEP 4
#define INDEX_EMBED_STEP 0x1p-9 /* a number of an embedding is some 0.06 */
#define INDEX_VOCAB_STEP 0x1p-6 /* of the embeddings of terms: their cosines move by some 0.004 */

/* n entries. All arrays are owned. A part that was not read, or that the index lacks, is NULL. */
typedef struct {
    size_t n, cap;
    char **text[INDEX_TEXTS]; /* text[c][i], UTF-8, "" where unknown */
    float *rg;                /* (n) angstrom */
    float *volume;            /* (n) cubic angstrom */
    int8_t *cube;             /* (n, DESC_LEN), see desc.h */
    float *zernike;           /* (n, DESCRIBE_ZERNIKE) */
    float *profile;           /* (n, DESCRIBE_PROFILE) */
    size_t d;                 /* numbers of an embedding; 0: none */
    float *z;                 /* (n, d) embeddings, of length 1 */
    char model[17];           /* hash (modelfile.h) of the model that made them; "" without */
    int frames;               /* see encoder.h */
    terms_t terms;            /* of all n entries */
    scoring_t scoring;        /* scoring_default where the index has none */
    bool scored;              /* the index has its own */
    evidence_t evidence;      /* not fitted where the index was not calibrated */
    indexstore_t store;
    indexstore_t was;         /* how the file that was read is stored, of compact and float32 */
    int version;              /* of the file that was read */

    size_t shards;            /* the index is one of so many parts of a manifest, dealt row by row; 0: a whole */
    size_t shard, items;      /* which, from 0; rows of the manifest */
    uint64_t *position;       /* (n) row of the manifest; with shards only */

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
#define INDEX_EMBED (1u << 20)   /* embeddings */
#define INDEX_VOCAB (1u << 21)   /* terms, without their embeddings */
#define INDEX_VOCAB_EMBED (1u << 22)
#define INDEX_ALL                                                                                                               \
    (INDEX_CUBE | INDEX_ZERNIKE | INDEX_PROFILE | INDEX_VOLUME | INDEX_EMBED | INDEX_VOCAB | INDEX_VOCAB_EMBED |                \
     (INDEX_TEXT(INDEX_TEXTS) - 1))

/* Embeddings of a query: ENCODER_POSES where x->frames is 1, so that an entry has one pose and a query is tried in all; else 1. */
size_t index_poses(const index_t *x);

/* Copies. digest: of the file the entry comes from (INDEX_DIGEST), "" where it is not known. z (d), or NULL where x->d, which is set before the first entry, is 0. *x starts from {.scoring = scoring_default} with
 * x->d, x->model and x->frames set where there are embeddings; end with index_free(). 0, or -1 ERR_NOMEM. */
int index_add(index_t *x, const item_t *it, const record_t *r, const char *digest, const float *z, err_t *err);
void index_free(index_t *x);

/* Write: the whole file or none of it. Layout (h5py reads it):
 *   attributes   format, format_version, cube_version, cube_side, program; without: names of the datasets left out;
 *                model, frames, of the embeddings; scoring_NAME, see scoring.h; evidence_KIND_NAME and known_NAME, see evidence.h; text_model, text_hash, see terms_h5.h
 *   /id ...      fixed-length UTF-8 strings (n), one dataset a text column (the manifest's column terms is /manifest_terms), deflated
 *   /rg /volume  float32 (n);  /cube int8 (n,4096);  /zernike float32 (n,121);  /profile float32 (n,32)
 *   /embeddings  float16 or float32 (n,d)
 *   /terms /vocab groups, see terms_h5.h
 *   /position    uint64 (n), of a shard, with the attributes shard, shards and manifest_items
 * 0, or -1: ERR_IO, ERR_RANGE no entry, ERR_NOMEM. HDF5 is called from one thread. */
int index_write(const char *path, const index_t *x, err_t *err);

/* Copy an index, which may be the same file, with another evidence. The whole file or none of it. 0, or -1: ERR_IO, ERR_FORMAT, ERR_NOMEM. */
int index_put_evidence(const char *path, const char *out, const evidence_t *e, err_t *err);

/* Read the `parts`. An index read by part, or INDEX_MAPPED, is for looking at only. 0, or -1 with *x empty: ERR_IO cannot open;
 * ERR_FORMAT no HDF5 file, no index, a dataset that is missing, of another shape or not finite, an rg of 0 or less; ERR_UNSUP another format or cube
 * version (the message names both); ERR_NOMEM. */
int index_read(const char *path, unsigned parts, index_t *x, err_t *err);

/* 0, or -1: ERR_UNSUP where x has no embeddings, or was made with another model than that of this hash, both named; `path` and
 * `model` are files, for the message. */
int index_of_model(const index_t *x, const char *path, const char *hash, const char *model, err_t *err);

/* Append the entries of `from`, which has been read with INDEX_ALL; an empty *x takes its model, scoring and store. What only
 * one of both has, of zernike and profile, goes. 0, or -1 (*x is then for freeing only): ERR_FORMAT an id that occurs twice; ERR_UNSUP embeddings of two models, or only on
 * one side (the message has both hashes), a shard beside what is none of the same manifest; ERR_NOMEM. */
int index_join(index_t *x, const index_t *from, err_t *err);

/* index_join(), but ids may come twice. */
int index_append(index_t *x, const index_t *from, err_t *err);

/* Let the entries be rows row[0..n-1], each at most once, in that order; terms that none of them has go. x has been read with INDEX_ALL, or made.
 * 0, or -1 ERR_NOMEM (*x is then for freeing only). */
int index_select(index_t *x, const size_t *row, size_t n, err_t *err);

/* Of shards that were joined make the whole, in the order of the manifest. joined[0..x->shards-1]: which there were. partial: shards may be missing.
 * Without shards nothing. 0, or -1 (*x is then for freeing only): ERR_FORMAT a shard is missing, or an entry comes twice; ERR_NOMEM. */
int index_whole(index_t *x, const unsigned char *joined, bool partial, err_t *err);

/* First entry whose id came before, or n when all are unique. ERR_NOMEM gives n. */
size_t index_duplicate(const index_t *x);

#endif
