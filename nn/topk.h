/* topk: of many vectors those whose dot products with each of some queries are largest, exactly.
 *
 * Letters: B queries; N rows of the base; D numbers of a vector; K rows wanted.
 * The score of a row is topk_dot(), a sum in one order on every machine; the larger is the better, and of equal ones the row of the
 * smaller number. A first pass looks at all rows in a way that is fast and not exact: products in float32 (nn/matmul.h), or in 8 bits, each vector
 * scaled by a number of its own and rounded. How far that can be off is bounded for every row, by Cauchy and Schwarz from the norms of the
 * vectors and of what rounding took from them, and a row is passed over only if K others are better by more than both bounds.
 * What is left is scored by topk_dot(). So the same hits come, to the byte, from either pass, on any machine, for any number of threads
 * and ranks, and however the base is cut into parts. */
#ifndef CRYOLEX_NN_TOPK_H
#define CRYOLEX_NN_TOPK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define TOPK_DIM_MAX 32768 /* D: no sum in 8 bits leaves int32 */
#define TOPK_MOST 0x1p52f  /* of a number: no sum of D products leaves float32 */

typedef struct {
    float score;
    size_t row;
} near_t;

float topk_dot(const float *a, const float *b, size_t d);

/* Rows in 8 bits, a quarter of the bytes of float32, for a base that is asked again and again. {0} is empty. */
typedef struct {
    size_t n, d, depth; /* depth: D rounded up to a multiple of 4 */
    int8_t *q;          /* panels of 16 rows (ceil(N/16), depth / 4, 16, 4) */
    int32_t *start;     /* (16 ceil(N/16)) */
    float *scale, *off, *norm; /* of each row, see topk_kern.h */
} topkpack_t;

/* The base or a part of it. One of f and h. */
typedef struct {
    size_t n, d;
    const float *f;         /* (N,D) */
    const uint16_t *h;      /* (N,D) float16 (base/half.h); a row is what that unpacks to, as it is */
    const topkpack_t *pack; /* the same rows by topk_pack(); NULL: packed on the way where that is faster */
    size_t first;           /* number of row 0 */
} topkbase_t;

/* On all threads. 0, or -1 with *p empty: ERR_RANGE a number that is not finite or larger than TOPK_MOST; D; ERR_NOMEM. End with
 * topk_unpack(). base->pack is not looked at. */
int topk_pack(const topkbase_t *base, topkpack_t *p, err_t *err);
void topk_unpack(topkpack_t *p);

typedef enum {
    TOPK_AUTO,  /* what is fastest for so many queries on this CPU */
    TOPK_DOT,   /* topk_dot() of all */
    TOPK_FLOAT,
    TOPK_INT8
} topkpass_t;

typedef struct topk topk_t;

/* A search for the K rows (at least 1) nearest to each of B queries q (B,D), which is borrowed until topk_free(). NULL: ERR_RANGE as above;
 * ERR_NOMEM. Memory: B K 16 bytes, and for each thread B K some 30, of at most TOPK_BATCH queries at a time. */
#define TOPK_BATCH 1024
topk_t *topk_new(const float *q, size_t b, size_t d, size_t k, topkpass_t pass, err_t *err);
void topk_free(topk_t *t);

/* Look at all rows of a part, on all threads of the program; parts may come in any order, each once. 0, or -1: ERR_RANGE as above, with the number of the
 * first such row; ERR_NOMEM. The search is then for freeing only. */
int topk_look(topk_t *t, const topkbase_t *part, err_t *err);

/* Rows that were scored elsewhere, for query `which`. */
void topk_offer(topk_t *t, size_t which, const near_t *hit, size_t n);

/* The best rows so far of query `which`, best first, at most K into hit; how many. */
size_t topk_hits(const topk_t *t, size_t which, near_t *hit);

/* y (rows, 16 panels), ldy apart, = (float)(start + sum over k of x b), in int32, for x (rows, depth), ldx apart, and panels b (panels, depth / 4, 16, 4);
 * start (16 panels). depth: a multiple of 4, at most TOPK_DIM_MAX. */
typedef void (*topk_product_t)(const uint8_t *x, size_t ldx, size_t rows, const int8_t *b, size_t panels, size_t depth, const int32_t *start, float *y,
                               size_t ldy);

/* The product of 8-bit numbers of the first pass; NULL where this CPU has no instruction for it, and float32 is as fast. */
topk_product_t topk_product(void);

/* What the first pass is, for so many queries of that many numbers: "dot", "float32 avx512", "int8 vnni". */
const char *topk_pass_name(topkpass_t pass, size_t b, int packed, char out[32]);

#endif
