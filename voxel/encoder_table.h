/* encoder_table: tables of the encoder's networks, in the form of nn/net.h. A stem that halves the side; stages of residual blocks,
 * each on half the side of the one before; a head on the last one's channels, which the features join.
 *   pooled  mean and maximum of each channel: for embeddings that are alike in all frames
 *   posed   every voxel and the maxima, and beside it a linear map of the whole cube, so that the network starts as
 *           a comparison of cubes: for embeddings of one pose (encoder.h) */
#ifndef CRYOLEX_VOXEL_ENCODER_TABLE_H
#define CRYOLEX_VOXEL_ENCODER_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { ENCODER_STAGES = 4, ENCODER_BLOCKS_MAX = 16 };

typedef struct {
    size_t side;                  /* S of the cube, even */
    size_t width[ENCODER_STAGES]; /* channels of each stage, multiples of 8; 0: there are no more */
    size_t blocks;                /* residual blocks of a stage, 1..ENCODER_BLOCKS_MAX */
    size_t features;              /* F numbers beside the cube; 0: there is no such input */
    size_t hidden;                /* width of the head's hidden layer */
    size_t d;                     /* numbers of an embedding */
    bool posed;                   /* the head */
} encoder_design_t;

/* The default: side 32, widths 32, 64 and 128, 2 blocks, 154 features, hidden 384, d 256, pooled. */
extern const encoder_design_t encoder_default;

/* The table of a design, as text. Free with mem_free(). NULL: ERR_RANGE a number that makes no network of this form,
 * ERR_NOMEM. Thread-safe. */
char *encoder_table(const encoder_design_t *o, err_t *err);

#endif
