/* lines_kern: the inner loops of lines. A row is LINES_W floats, aligned to MEM_ALIGN; of these the first w are in
 * use. A folded block (cols,w) is kept in panels of KERN_COLS columns, so that one panel stays in the nearest cache:
 * element (i,c) is at [c / KERN_COLS * panel + i * KERN_COLS + c % KERN_COLS], panel the distance in floats. The table's
 * entries agree to rounding. */
#ifndef CRYOLEX_VOXEL_LINES_KERN_H
#define CRYOLEX_VOXEL_LINES_KERN_H

#include <stdbool.h>
#include <stddef.h>

#define KERN_ROWS 4  /* rows of a product at a time */
#define KERN_COLS 16 /* columns at a time: one cache line */
#define KERN_PAD(n, unit) (((n) + (unit) - 1) / (unit) * (unit))

typedef struct {
    const char *name;
    double fft; /* what an FFT of n samples takes, over n log2 n multiply-adds of product: measured (tests/bench) */
    /* e (rows,w) = transpose of a (cols,rows) times u (cols,w); rows a multiple of KERN_ROWS, w of KERN_COLS; u in
     * panels, e in rows. Each sum runs over cols in order. */
    void (*product)(const float *a, size_t rows, size_t cols, const float *u, size_t panel, size_t w, float *e);
    /* Fold w samples, a multiple of KERN_COLS, of the rows a and b and of those `half` floats after them (call them
     * a2 and b2): row[0] = a + a2 + b + b2, row[1] = a + a2 - b - b2, row[2] = a - a2 - b + b2,
     * row[3] = a - a2 + b - b2; row[k] is one row of a block in panels. Rows a and b need not be aligned. */
    void (*fold)(const float *a, const float *b, size_t half, size_t w, float *const row[4], size_t panel);
    /* out[c * pitch + j] = v[j][c], for j < m and c < w (any w) */
    void (*turn)(const float *v, size_t m, size_t w, float *out, size_t pitch);
} lines_kern_t;

/* Entry i, best last, entry 0 plain C; NULL past the end or when this CPU cannot run it. */
const lines_kern_t *lines_kern_at(int i);
/* The best one; entry 0 when the environment has CRYOLEX_KERNEL=ref. */
const lines_kern_t *lines_kern(void);

/* The reverse: v[j] to a and v[g-j] to b (and those `half` floats after them); a NULL row is zero, b may be NULL. */
void lines_unfold4(const float *const row[4], size_t w, float *a, float *b, size_t half);
void lines_unfold2(const float *const row[4], size_t w, float *a, float *b);

/* The entries, one object each. */
extern const lines_kern_t lines_kern_ref, lines_kern_vec, lines_kern_avx2, lines_kern_avx512;

#endif
