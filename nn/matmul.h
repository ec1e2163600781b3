/* matmul: products of matrices, and what follows them, such that an element's bytes depend on its own row and column alone.
 *
 * Letters: T rows; K in; N out. Row major float32.
 *   y[t,n] = act(scale * sum over k of x[t,k] w[n,k] + bias[n]) + add[t,n]
 * The sum runs over k in order, in one float32, whatever T, N, the other rows and the number of threads are (with BLAS it
 * does not). w is read as it lies in a mapped file, and packed on the way, a few columns at a time. */
#ifndef CRYOLEX_NN_MATMUL_H
#define CRYOLEX_NN_MATMUL_H

#include <stdbool.h>
#include <stddef.h>

#include "nn/act.h"
#include "nn/isa.h"

typedef struct {
    size_t rows, in, out;    /* T, K, N */
    const float *x, *w;      /* (T,K); (N,K) as in PyTorch's Linear, or with `across` (K,N) */
    float *y;                /* (T,N); it overlaps nothing that is read */
    size_t ldx, ldw, ldy;    /* floats from row to row */
    bool across;
    float scale;
    const float *bias;       /* (N) or NULL */
    act_t act;
    const float *add;        /* (T,N) or NULL */
    ptrdiff_t ldadd;
} matmul_t;

/* threads: how many share the columns; 1 inside a parallel region. No allocation; 32 KB of stack. Thread-safe. */
void matmul(const matmul_t *m, isa_t isa, int threads);

/* A row length of at least n floats at which the rows of one column do not share cache sets. */
static inline size_t matmul_stride(size_t n)
{
    return (n + 31) / 32 * 32 + 16;
}

#endif
