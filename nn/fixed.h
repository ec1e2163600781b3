/* fixed: products of matrices in 16-bit fixed point, for weights that stay as they are: half the bytes and, on a CPU that
 * multiplies pairs of 16-bit numbers, up to twice the speed of float32.
 *
 * Letters: T rows; K in; N out. Row major.
 *   y[t,n] = act(sum over k of x[t,k] w[n,k] + bias[n]) + add[t,n]
 * Each row of x and of w is scaled by a number of its own and rounded to int16, such that its Euclidean norm stays below
 * 2^15.5: by Cauchy and Schwarz no sum, nor any part of one, leaves int32. The sum is therefore exact in whatever order it is
 * made, and an element's bytes depend on its own row and column alone. The error is that of the rounding: of a row of K numbers
 * that are alike, sqrt(K) / 2^17.3 of each, 1.7e-4 at K = 768. */
#ifndef CRYOLEX_NN_FIXED_H
#define CRYOLEX_NN_FIXED_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "nn/act.h"
#include "nn/isa.h"

#define FIXED_WIDE 16 /* columns of a panel */

/* Weights. q (ceil(N/16), K' / 2, 16, 2): panels of columns, in which the numbers of two k stand side by side;
 * K' = K rounded up to an even number. What is past K and N is 0. */
typedef struct {
    size_t in, out; /* K, N */
    int16_t *q;
    float *scale;   /* (N): w = q scale */
} fixed_t;

/* Pack w (N,K), rows ldw apart, by the threads of the program. 0, or -1 ERR_NOMEM. A row that is not finite gives NaN.
 * f is overwritten; free with fixed_free(), also after a failure. */
int fixed_pack(fixed_t *f, const float *w, size_t ldw, size_t in, size_t out, err_t *err);
void fixed_free(fixed_t *f); /* {0} is fine */

typedef struct {
    size_t rows;          /* T */
    const int16_t *x;     /* (T,K') of fixed_rows() */
    const float *xscale;  /* (T) */
    const fixed_t *w;
    float *y;             /* (T,N); it overlaps nothing that is read */
    size_t ldx, ldy;      /* numbers from row to row */
    const float *bias;    /* (N) or NULL */
    act_t act;
    const float *add;     /* (T,N) or NULL */
    size_t ldadd;
} fixedmul_t;

/* q (T,K'), rows ldq apart, and scale (T), from x (T,K): x = q scale to rounding. A row that is not finite: scale NaN. ldq >= K'. */
void fixed_rows(const float *x, size_t ldx, size_t rows, size_t in, int16_t *q, size_t ldq, float *scale, isa_t isa);

/* threads: how many share the columns; 1 inside a parallel region. No allocation. Thread-safe. */
void fixed_product(const fixedmul_t *m, isa_t isa, int threads);

static inline size_t fixed_even(size_t in) { return (in + 1) / 2 * 2; } /* K' */

#endif
