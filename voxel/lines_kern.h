/* lines_kern: the inner loops of lines. Rows are LINES_W floats, aligned to MEM_ALIGN. */
#ifndef CRYOLEX_VOXEL_LINES_KERN_H
#define CRYOLEX_VOXEL_LINES_KERN_H

#include <stdbool.h>
#include <stddef.h>

#define KERN_ROWS 4 /* rows of the result at a time */
#define KERN_PAD(rows) (((rows) + KERN_ROWS - 1) / KERN_ROWS * KERN_ROWS)

/* e (rows,LINES_W) = transpose of a (cols,rows) times u (cols,LINES_W); rows a multiple of KERN_ROWS. Each sum runs over
 * cols in order. */
typedef void (*lines_kern_t)(const float *a, size_t rows, size_t cols, const float *u, float *e);
lines_kern_t lines_kern(void); /* the best that this CPU has; CRYOLEX_KERNEL=ref forces plain C */

/* Fold w samples of the rows a and b (and those `half` floats after them) into the rows that are not NULL; self: a
 * is its own mirror image, b unused. Samples w..LINES_W-1 of the result are set to 0. */
void lines_fold4(const float *a, const float *b, size_t half, size_t w, bool self, float *const row[4]);
void lines_fold2(const float *a, const float *b, size_t w, bool self, float *const row[4]);

/* The reverse: v[j] to a and v[g-j] to b (and those `half` floats after them); a NULL row is zero, b may be NULL. */
void lines_unfold4(const float *const row[4], float *a, float *b, size_t half);
void lines_unfold2(const float *const row[4], float *a, float *b);

#endif
