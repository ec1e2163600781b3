/* dataset: what training works on, as one HDF5 file: atoms of many entries (views are simulated from them on the fly),
 * frozen embeddings of their captions, terms, sequence clusters and the split. */
#ifndef CRYOLEX_PIPELINE_DATASET_H
#define CRYOLEX_PIPELINE_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "pdb/model.h"
#include "pipeline/vocab.h"
#include "text/sentence.h"
#include "voxel/membrane.h"

#define DATASET_FORMAT "cryolex dataset"
#define DATASET_VERSION 1

typedef enum { SPLIT_TRAIN, SPLIT_VALID, SPLIT_TEST, SPLITS } split_t;
extern const char *const split_name[SPLITS]; /* "train", "valid", "test" */

/* The entries that real maps were fitted with: a benchmark that no training may have seen. Each counts as a member of the
 * test split, whether or not the dataset has it. */
typedef struct {
    vocab_t pdb;         /* PDB ids */
    lists_t families;    /* (pdb.n) rows of dataset_t.family */
    lists_t clusters;    /* (pdb.n) rows of dataset_t.cluster */
    lists_t uniprots;    /* (pdb.n) rows of dataset_t.uniprot */
} dataset_maps_t;

/* n entries. All arrays are owned. Every vocabulary is in ascending order (strcmp). */
typedef struct {
    size_t n;
    char **id;           /* unique */
    char **pdb;          /* PDB ids, lower case; "" unknown. Several entries may be parts of one */
    uint8_t *split;      /* (n) split_t */
    uint32_t *group;     /* (n) entries of one group share, directly or through others, a PDB id, a 30 % cluster, a UniProt
                          * accession, a family of chains or a family; a group is on one side of the split. Numbered from 0 by first member */
    membrane_t *span;    /* (n) where the membrane is, see membrane.h */

    lists_t terms;       /* rows of term: GO with all ancestors, EC, Pfam */
    vocab_t term;        /* "GO:0003824", "EC:3.2.1.17", "PF00042" */
    vocab_t term_name;   /* their names, in the order of term; "" unknown */
    lists_t pruned;      /* rows of term: GO without ancestors of other members, obsolete terms left out */
    lists_t clusters;    /* rows of cluster */
    vocab_t cluster;     /* "30:17": line, from 0, of the table of 30 % clusters */
    lists_t uniprots;    /* rows of uniprot */
    vocab_t uniprot;
    lists_t sequences;   /* rows of sequence */
    vocab_t sequence;    /* families of chains that are alike, see similar.h; "sequence 17" */
    lists_t families;    /* rows of family: the manifest's column group, and the real map's that it is the model of */
    vocab_t family;
    dataset_maps_t maps;

    size_t *caption_at;  /* (n + 1): captions of entry i; some have none */
    char **caption;      /* one block */
    size_t captions, dim;
    float *text;         /* (captions, dim) unit length, by the frozen sentence encoder; float16 in the file */
    char *text_model;    /* its name, */
    char text_hash[SENTENCE_HASH]; /* and hash; "" where no caption was embedded: then dim is 0 and text NULL */

    uint64_t seed;       /* that it was made with */
    char hash[17];       /* CRC-64 (that of xz) of the file, in hexadecimal; "" for one that was not read */
    struct dataset_atoms *atoms; /* packed, see dataset_atoms.h */
} dataset_t;

/* Read and check all. 0, or -1 with *d empty: ERR_IO; ERR_FORMAT no dataset, or a part of it missing, of another shape or with a
 * value out of range (the message names it); ERR_UNSUP another version; ERR_NOMEM. End with dataset_free(). One thread. */
int dataset_read(const char *path, dataset_t *d, err_t *err);
/* Write whole or not at all; equal datasets give equal bytes. 0, or -1: ERR_IO, ERR_RANGE no entry, ERR_NOMEM. One thread. */
int dataset_write(const char *path, const dataset_t *d, err_t *err);
void dataset_free(dataset_t *d); /* leaves {0} */

/* Atoms of entry i as a model, from which simulate() makes what it makes of the file, up to the rounding of coordinates (to
 * DATASET_STEP angstrom; coarser where the model is over 65,534 steps wide) and occupancies (to 0.01). Without B factors (0),
 * facts and assembly id (""), names of atoms that belong to no protein or nucleic acid (""); residues and chains
 * are numbered as they come. A new one, free with model_free(); NULL: ERR_NOMEM. Thread-safe. */
model_t *dataset_model(const dataset_t *d, size_t i, err_t *err);
size_t dataset_atom_count(const dataset_t *d, size_t i);
#define DATASET_STEP 0.05

#endif
