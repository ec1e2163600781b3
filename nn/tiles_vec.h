/* tiles_vec: a product by tiles of rows, and what follows it, for any type of numbers. Included once, by a source of vectors (nn/vec.h)
 * that has before it
 *   operand_t, job_t   a number of x and of b; what the product is part of, with `act`
 *   TILE, WIDE         most rows of a tile; columns of a panel
 *   tile()             y (R,WIDE) = or (sum) += x (R,depth) times b
 * and after it finish_as(). */
#include <string.h>

#include "nn/fmath.h"
#include "nn/vec.h"

/* tile(), of which only cols < WIDE columns are there. */
INLINE void narrow(const operand_t *x, size_t ldx, const operand_t *b, size_t cols, size_t depth, bool sum, float *y, size_t ldy,
                   const size_t R)
{
    float t[TILE * WIDE] __attribute__((aligned(64))) = {0};
    for (size_t i = 0; i < R && sum; i++) memcpy(t + i * WIDE, y + i * ldy, cols * sizeof *t);
    tile(x, ldx, b, depth, sum, t, WIDE, R);
    for (size_t i = 0; i < R; i++) memcpy(y + i * ldy, t + i * WIDE, cols * sizeof *t);
}

/* As many times R rows as there are. Returns the rows done. */
INLINE size_t tiles(const operand_t *x, size_t ldx, const operand_t *b, size_t rows, size_t cols, size_t depth, bool sum, float *y,
                    size_t ldy, const size_t R)
{
    size_t r = 0;
    for (; r + R <= rows; r += R) {
        if (cols == WIDE)
            tile(x + r * ldx, ldx, b, depth, sum, y + r * ldy, ldy, R);
        else
            narrow(x + r * ldx, ldx, b, cols, depth, sum, y + r * ldy, ldy, R);
    }
    return r;
}

static void product(const operand_t *x, size_t ldx, const operand_t *b, size_t rows, size_t cols, size_t depth, bool sum, float *y,
                    size_t ldy)
{
    size_t r = tiles(x, ldx, b, rows, cols, depth, sum, y, ldy, TILE);
    r += tiles(x + r * ldx, ldx, b, rows - r, cols, depth, sum, y + r * ldy, ldy, TILE / 2 + 1);
    r += tiles(x + r * ldx, ldx, b, rows - r, cols, depth, sum, y + r * ldy, ldy, TILE / 4 + 1);
    tiles(x + r * ldx, ldx, b, rows - r, cols, depth, sum, y + r * ldy, ldy, 1);
}

INLINE float act_of(act_t act, float x)
{
    switch (act) {
    case ACT_GELU: return fmath_gelu(x);
    case ACT_SILU: return fmath_silu(x);
    case ACT_RELU: return x < 0 ? 0 : x;
    default: return x;
    }
}

/* Columns col.. of all rows. With act and the number of columns known when it is compiled, each row is straight code. */
INLINE void finish_as(const job_t *m, size_t col, const size_t cols, const act_t act);

INLINE void finish_any(const job_t *m, size_t col, const size_t cols)
{
    switch (m->act) {
    case ACT_GELU: finish_as(m, col, cols, ACT_GELU); break;
    case ACT_SILU: finish_as(m, col, cols, ACT_SILU); break;
    case ACT_RELU: finish_as(m, col, cols, ACT_RELU); break;
    default: finish_as(m, col, cols, ACT_NONE);
    }
}

static void finish(const job_t *m, size_t col, size_t cols)
{
    if (cols == WIDE)
        finish_any(m, col, WIDE);
    else
        finish_any(m, col, cols);
}
