/* split: which entries of a dataset are for training, for validation and for test, by group; and whether anything is on two sides. */
#ifndef CRYOLEX_PIPELINE_SPLIT_H
#define CRYOLEX_PIPELINE_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "pipeline/dataset.h"

typedef struct {
    uint64_t seed;
    double valid, test; /* shares of all entries, 0..1, together at most 1 */
    bool alike;         /* families of chains (similar.h) make kin, too */
    double large;       /* a group with a larger share of all entries is for training */
} split_opts_t;
extern const split_opts_t split_usual;

/* Fill d->group and d->split (allocated here) from pdb, clusters, uniprots, families, maps and, with `alike`, sequences.
 * In:   given  (n) the side that somebody wants for an entry (split_t), SPLITS: none; may be NULL
 * A group with an entry of the maps, or with one that shares something with such an entry, is test. Otherwise a group that
 * has wishes gets the one farthest from training; a large group is train; and the side of every other one is
 * drawn from (seed, first PDB id or id of the group in strcmp order), with probabilities that bring the shares of all entries about to those asked for.
 * 0, or -1: ERR_NOMEM. */
int split_make(dataset_t *d, const split_opts_t *o, const uint8_t *given, err_t *err);

/* What could be on two sides. LEAK_SEQUENCE and LEAK_PFAM are told and are no fault: chains are alike where the tables do not know it, and a domain
 * family reaches over sequence clusters. */
typedef enum { LEAK_PDB, LEAK_CLUSTER, LEAK_UNIPROT, LEAK_FAMILY, LEAK_SEQUENCE, LEAK_PFAM, LEAKS } leakkind_t;
extern const char *const leak_name[LEAKS]; /* "pdb_id", "cluster_30", "uniprot", "family", "sequence", "pfam" */

typedef struct {
    size_t all;         /* different ones in the dataset */
    size_t shared;      /* of these on more than one side */
    size_t train_test;  /* of these on train and on test */
    size_t maps;        /* different ones that entries of the maps have */
    size_t maps_shared; /* of these on train or valid */
    char example[64];   /* one that is shared; "" */
} leak_t;

/* Count from what the dataset holds, name by name, without groups. 0, or -1 ERR_NOMEM. */
int split_leaks(const dataset_t *d, leak_t leak[LEAKS], err_t *err);
size_t split_faults(const leak_t leak[LEAKS]); /* shared and maps_shared of all but LEAK_SEQUENCE and LEAK_PFAM */

#endif
