/* dataset: what training works on, as one HDF5 file: atoms of many entries (views are simulated from them on the fly),
 * frozen embeddings of their captions, terms, sequence clusters and the split. */
#ifndef CRYOLEX_PIPELINE_DATASET_H
#define CRYOLEX_PIPELINE_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"
#include "pdb/model.h"
#include "pipeline/annot.h"
#include "pipeline/manifest.h"
#include "text/sentence.h"
#include "voxel/membrane.h"

typedef enum { SPLIT_TRAIN, SPLIT_VALID, SPLIT_TEST, SPLITS } split_t;
extern const char *const split_name[SPLITS]; /* "train", "valid", "test" */

/* Rows of lists: row i has item[at[i]] up to item[at[i + 1]], ascending. */
typedef struct {
    size_t *at;     /* (n + 1) */
    uint32_t *item;
} lists_t;

/* Names, e.g. of terms. */
typedef struct {
    size_t n;
    char **name;
} vocab_t;

/* n entries. All arrays are owned. */
typedef struct {
    size_t n;
    char **id;           /* unique */
    uint8_t *split;      /* (n) split_t */
    uint32_t *group;     /* (n) entries of one group share, directly or through others, a 30 % cluster, a UniProt accession
                          * or a family of the manifest's column group; a group is on one side of the split */
    membrane_t *span;    /* (n) where the membrane is, see membrane.h */

    lists_t terms;       /* rows of term: GO with all ancestors, EC, Pfam */
    vocab_t term;        /* "GO:0003824", "EC:3.2.1.17", "PF00042" */
    vocab_t term_name;   /* their names */
    lists_t pruned;      /* rows of term: GO without ancestors of other members, obsolete terms left out */
    lists_t clusters;    /* rows of cluster */
    vocab_t cluster;     /* "30:17": line of the table of 30 % clusters */
    lists_t uniprots;    /* rows of uniprot */
    vocab_t uniprot;

    size_t *caption_at;  /* (n + 1): captions of entry i; some have none */
    char **caption;
    size_t captions, dim;
    float *text;         /* (captions, dim) unit length, by the frozen sentence encoder; float16 in the file */
    char *text_model;    /* its name, */
    char text_hash[SENTENCE_HASH]; /* and hash; "" where no caption was embedded */

    char hash[17];       /* CRC-64 of the file, in hexadecimal */
    struct dataset_atoms *atoms; /* packed */
} dataset_t;

/* 0, or -1 with *d empty: ERR_IO, ERR_FORMAT, ERR_UNSUP another version, ERR_NOMEM. End with dataset_free(). */
int dataset_read(const char *path, dataset_t *d, err_t *err);
void dataset_free(dataset_t *d); /* leaves {0} */

/* Atoms of entry i as a model (facts empty), coordinates to DATASET_STEP angstrom. A new one, free with model_free();
 * NULL: ERR_NOMEM. Thread-safe. */
model_t *dataset_model(const dataset_t *d, size_t i, err_t *err);
#define DATASET_STEP 0.05

#endif
