/* matmul_vec: the steps of matmul in the compiler's vectors of NN_VEC floats. Compiled once for every instruction set. */
#include <string.h>

#include "nn/matmul_kern.h"
#include "nn/vec.h"

/* Rows of the register tile: with 2 vectors a row it fills the machine's registers. */
#if defined(__AVX512F__)
enum { TILE = 12 };
#elif defined(__AVX__) && NN_VEC == 8
enum { TILE = 6 };
#else
enum { TILE = 2 };
#endif
enum { B = NN_VEC, WIDE = 2 * NN_VEC, EIGHT = 8 };

typedef float operand_t;
typedef matmul_t job_t;
typedef float vec_t __attribute__((vector_size(NN_VEC * sizeof(float)), may_alias));
typedef float loose_t __attribute__((vector_size(NN_VEC * sizeof(float)), aligned(4), may_alias)); /* any address */
typedef float eight_t __attribute__((vector_size(EIGHT * sizeof(float)), aligned(4), may_alias));

/* ---- pack ---- */

/* b[k, 0..7] = w[0..7, k] for k < 8. */
static void turn8(const float *w, size_t ldw, float *b)
{
    eight_t r[EIGHT], s[EIGHT];
#pragma GCC unroll 8
    for (size_t i = 0; i < EIGHT; i++) r[i] = *(const eight_t *)(w + i * ldw);
#pragma GCC unroll 4
    for (size_t i = 0; i < EIGHT; i += 2) {
        s[i] = __builtin_shufflevector(r[i], r[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
        s[i + 1] = __builtin_shufflevector(r[i], r[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
#pragma GCC unroll 2
    for (size_t h = 0; h < EIGHT; h += 4)
#pragma GCC unroll 2
        for (size_t i = 0; i < 2; i++) {
            r[h + 2 * i] = __builtin_shufflevector(s[h + i], s[h + i + 2], 0, 1, 8, 9, 4, 5, 12, 13);
            r[h + 2 * i + 1] = __builtin_shufflevector(s[h + i], s[h + i + 2], 2, 3, 10, 11, 6, 7, 14, 15);
        }
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; i++) {
        *(eight_t *)(b + i * WIDE) = __builtin_shufflevector(r[i], r[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        *(eight_t *)(b + (i + 4) * WIDE) = __builtin_shufflevector(r[i], r[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
}

static void pack(const float *w, size_t ldw, bool across, size_t cols, size_t depth, float *b)
{
    if (across) {
        for (size_t k = 0; k < depth; k++) {
            memcpy(b + k * WIDE, w + k * ldw, cols * sizeof *b);
            if (cols < WIDE) memset(b + k * WIDE + cols, 0, (WIDE - cols) * sizeof *b);
        }
        return;
    }
    if (cols < WIDE) memset(b, 0, depth * WIDE * sizeof *b);
    for (size_t n = 0; n < cols; n += EIGHT) {
        size_t k = 0, c = cols - n < EIGHT ? cols - n : EIGHT;
        if (c == EIGHT)
            for (; k + EIGHT <= depth; k += EIGHT) turn8(w + n * ldw + k, ldw, b + k * WIDE + n);
        for (; k < depth; k++)
            for (size_t i = 0; i < c; i++) b[k * WIDE + n + i] = w[(n + i) * ldw + k];
    }
}

/* ---- product ---- */

/* R rows, all WIDE columns. */
INLINE void tile(const float *x, size_t ldx, const float *b, size_t depth, bool sum, float *y, size_t ldy, const size_t R)
{
    vec_t s[TILE][2] = {{{0}}};
#pragma GCC unroll 16
    for (size_t r = 0; r < R && sum; r++) {
        s[r][0] = *(const loose_t *)(y + r * ldy);
        s[r][1] = *(const loose_t *)(y + r * ldy + B);
    }
    for (size_t k = 0; k < depth; k++, b += WIDE) {
        vec_t p = *(const vec_t *)b, q = *(const vec_t *)(b + B);
#pragma GCC unroll 16
        for (size_t r = 0; r < R; r++) {
            float f = x[r * ldx + k];
            s[r][0] += f * p;
            s[r][1] += f * q;
        }
    }
#pragma GCC unroll 16
    for (size_t r = 0; r < R; r++) {
        *(loose_t *)(y + r * ldy) = s[r][0];
        *(loose_t *)(y + r * ldy + B) = s[r][1];
    }
}

#include "nn/tiles_vec.h"

INLINE void finish_as(const matmul_t *m, size_t col, const size_t cols, const act_t act)
{
    const float zero[WIDE] = {0}, *bias = m->bias ? m->bias + col : zero, scale = m->scale;
    for (size_t t = 0; t < m->rows; t++) {
        float *y = m->y + t * m->ldy + col;
        const float *add = m->add ? m->add + (ptrdiff_t)t * m->ldadd + (ptrdiff_t)col : zero;
#pragma omp simd
        for (size_t n = 0; n < cols; n++) y[n] = act_of(act, y[n] * scale + bias[n]) + add[n];
    }
}

const matmul_kern_t PASTE(matmul_kern_, NN_ISA) = {STRING(NN_ISA), WIDE, pack, product, finish};
