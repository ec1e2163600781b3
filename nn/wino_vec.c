/* wino_vec: the products of wino in the compiler's vectors of NN_VEC floats. Compiled once for every instruction set. */
#include "nn/wino_vec.h"

/* Rows of the register tile: with 2 vectors a row it fills the machine's registers. */
#if defined(__AVX512F__)
enum { ROWS = 12 };
#elif defined(__AVX__) && NN_VEC == 8
enum { ROWS = 6 };
#else
enum { ROWS = 2 };
#endif
enum { ROWS_MAX = 12 };

/* a(r,k) at p[r * row + k * step] */
typedef struct {
    const float *p;
    size_t row, step;
} left_t;

/* c (R, N vectors; rows crow apart) = or += a b, rows of b brow apart; k < depth in order. */
INLINE void tile(left_t a, const float *b, size_t brow, size_t depth, float *c, size_t crow, bool sum, const size_t R,
                 const size_t N)
{
    vec_t s[ROWS_MAX][2];
#pragma GCC unroll 16
    for (size_t r = 0; r < R; r++)
#pragma GCC unroll 2
        for (size_t n = 0; n < N; n++) s[r][n] = sum ? *(const vec_t *)(c + r * crow + n * B) : (vec_t){0};
    for (size_t k = 0; k < depth; k++, a.p += a.step, b += brow) {
        vec_t q[2];
#pragma GCC unroll 2
        for (size_t n = 0; n < N; n++) q[n] = *(const vec_t *)(b + n * B);
#pragma GCC unroll 16
        for (size_t r = 0; r < R; r++) {
            float f = a.p[r * a.row];
#pragma GCC unroll 2
            for (size_t n = 0; n < N; n++) s[r][n] += f * q[n];
        }
    }
#pragma GCC unroll 16
    for (size_t r = 0; r < R; r++)
#pragma GCC unroll 2
        for (size_t n = 0; n < N; n++) *(vec_t *)(c + r * crow + n * B) = s[r][n];
}

#define CASE(r) \
    case r: \
        if (r <= ROWS) tile(a, b, brow, depth, c, crow, sum, r, N); \
        break

/* The same with any number of rows, in tiles as equal as they go. */
INLINE void rows(left_t a, size_t m, const float *b, size_t brow, size_t depth, float *c, size_t crow, bool sum, const size_t N)
{
    for (size_t left = m, r; left; left -= r, a.p += r * a.row, c += r * crow) {
        size_t parts = (left + ROWS - 1) / ROWS;
        r = (left + parts - 1) / parts;
        switch (r) {
            CASE(1);
            CASE(2);
            CASE(3);
            CASE(4);
            CASE(5);
            CASE(6);
            CASE(7);
            CASE(8);
            CASE(9);
            CASE(10);
            CASE(11);
            CASE(12);
        }
    }
}

static void product(size_t plane, const float *v, size_t m, const float *u, size_t ci, size_t co, float *g)
{
    size_t ip = wino_pad(ci, B), op = wino_pad(co, B), vs = wino_step(m, ip), us = wino_step(ci, op), gs = wino_step(m, op);
    for (size_t p = 0; p < plane; p++, v += vs, u += us, g += gs) {
        left_t a = {v, ip, 1};
        size_t c = 0;
        for (; c + 2 * B <= op; c += 2 * B) rows(a, m, u + c * ci, 2 * B, ci, g + c, op, false, 2);
        if (c < op) rows(a, m, u + c * ci, B, ci, g + c, op, false, 1);
    }
}

static void outer(size_t plane, const float *v, const float *g, size_t m, size_t ci, size_t co, float *du)
{
    size_t ip = wino_pad(ci, B), op = wino_pad(co, B), vs = wino_step(m, ip), us = wino_step(ci, op), gs = wino_step(m, op);
    for (size_t p = 0; p < plane; p++, v += vs, g += gs, du += us) {
        left_t a = {v, 1, ip};
        size_t c = 0;
        for (; c + 2 * B <= op; c += 2 * B) rows(a, ci, g + c, op, m, du + c, op, true, 2);
        if (c < op) rows(a, ci, g + c, op, m, du + c, op, true, 1);
    }
}

const wino_kern_t PASTE(wino_kern_, NN_ISA) = {
    STRING(NN_ISA), B, product, outer, {&PASTE(wino_f2_, NN_ISA), &PASTE(wino_f4_, NN_ISA)}};
