/* desc: the cube descriptor: a 16^3 cube as 4096 signed bytes, compared over all 24 proper turns of the axes. */
#ifndef CRYOLEX_VOXEL_DESC_H
#define CRYOLEX_VOXEL_DESC_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "voxel/turn.h"

#define DESC_SIDE 16
#define DESC_LEN (DESC_SIDE * DESC_SIDE * DESC_SIDE)
#define DESC_TURNS TURNS
#define DESC_STEP 1e-5

/* Average a cube (side,side,side), x fastest, side a multiple of 16, to 16^3, take off the mean, scale the largest
 * magnitude to 127 and round. All zero when the cube is constant. Thread-safe. */
void desc_pack(const float *cube, size_t side, int8_t desc[DESC_LEN]);

/* unit (4096): the descriptor, mean off and unit length (0 when desc is constant). Thread-safe. */
void desc_unit(const int8_t desc[DESC_LEN], float unit[DESC_LEN]);

/* turns (24, 4096): desc_unit() under each turn of turn.h. Thread-safe. */
void desc_turns(const int8_t desc[DESC_LEN], float *turns);

/* How a query matches n entries of a table, the best of the turns. With one image a turn, that of desc_turns(), it is the Pearson
 * correlation of the query with an entry, with those of align_turns() the aligned one: the norm of the dot products of the
 * images with the entry, mean off and unit length, or the first product where that is not above 0.
 * In:   turns  (24, images, 4096) of the query;  desc (any, 4096) the table
 *       row    row[0], then every `stride` bytes: the rows of the table to compare
 * Out:  best   (n)  -1..1, rounded to DESC_STEP, below which the sums depend on the machine's kernels; 0
 *              where an entry is constant
 * One product (24 images x 4096 x entries) a block of entries, blocks in parallel: the same bytes for any number of threads.
 * 0, or -1: ERR_NOMEM. */
int desc_match(const float *turns, size_t images, const int8_t *desc, const size_t *row, size_t stride, size_t n, float *best, err_t *err);

/* A query in 8-bit numbers, which a CPU with an instruction for their products compares faster than floats. Free with desc_query_free(). NULL: ERR_NOMEM. */
typedef struct descquery descquery_t;
void desc_query_free(descquery_t *q); /* NULL is fine */

/* Of a descriptor, and the Pearson correlation with n entries of a table, the best of the turns: what desc_match() finds with the images of
 * desc_turns(), by that function where the CPU has no such instruction, and else with exact products. Rows, best, errors and threads as there. */
descquery_t *desc_query(const int8_t desc[DESC_LEN], err_t *err);
int desc_correlate(const descquery_t *q, const int8_t *desc, const size_t *row, size_t stride, size_t n, float *best, err_t *err);

/* Of two or more images (images, 4096) under turn 0, each of mean 0, and how much desc_match() may find with them under all turns: most (n), never less, up to 1, and mostly by some
 * hundredths more; 1 for all where the CPU has no such instruction. An image is s Q + E, Q in whole numbers, and as an entry c has length 1, the norm
 * of the products of all with c is at most that of s Q c and the norm of the lengths of the E. */
descquery_t *desc_query_images(const float *image, size_t images, err_t *err);
int desc_most(const descquery_t *q, const int8_t *desc, const size_t *row, size_t stride, size_t n, float *most, err_t *err);

#endif
