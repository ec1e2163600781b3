/* train_data: what training keeps in memory of a dataset: clean cubes and features of every entry; and how a view is made.
 * Letters: n entries; S side; F features of the encoder; dim of a text. */
#ifndef CRYOLEX_PIPELINE_TRAIN_DATA_H
#define CRYOLEX_PIPELINE_TRAIN_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"
#include "nn/comm.h"
#include "pipeline/dataset.h"
#include "voxel/encoder.h"
#include "voxel/view.h"
#include "voxel/zernike.h"

typedef struct {
    const dataset_t *set;
    const encoder_t *e;  /* what is fed to it */
    size_t n, cube;      /* S^3 */
    uint8_t *cubes;      /* (n, S^3), 255 for 1 */
    float *features;     /* (n, F) */
    uint8_t *usable;     /* (n) whether a cube could be made */
    uint32_t *atoms;     /* (n) */
    float *log_rg;       /* (n) of the clean cube's radius of gyration in angstrom */
    uint64_t *same;      /* (n) equal for entries with the same set of sequence clusters */
    uint64_t *meaning;   /* (n) equal for entries with the same set of terms */
    zernike_t *zernike;  /* NULL: not wanted */
} traindata_t;

/* The clean cube of every entry: what describe_density() and cube_make() make of it. Entries of which there is none are
 * told on the log and left out. Ranks share the work. 0, or -1 with *t for freeing: ERR_RANGE no entry; ERR_NOMEM. The same bytes for any
 * number of threads and ranks. */
int traindata_new(const dataset_t *d, const encoder_t *e, const comm_t *comm, const log_t *log, traindata_t *t, err_t *err);
void traindata_free(traindata_t *t);

/* The EM-like view of entry i, as floats (S^3), and its features (F); where the draw leaves nothing to make a cube of, it is drawn again,
 * a few times. 0, or -1 with err. Thread-safe. */
int traindata_view(const traindata_t *t, size_t i, const viewopts_t *o, uint64_t seed, float *cube, float *features, err_t *err);

/* Bytes to numbers of 0..1, in frame k (encoder_turn()). room (S^3). */
void traindata_cube(const traindata_t *t, const uint8_t *bytes, int k, float *room, float *out);

/* A seed of two. */
uint64_t train_mix(uint64_t a, uint64_t b);

#endif
