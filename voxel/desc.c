/* desc: the 16^3 cube descriptor and its match over 24 turns (see desc.h; DESIGN 2). */
#include "voxel/desc.h"

#include <math.h>
#include <stddef.h>

#include "base/mem.h"
#include "nn/matmul.h"
#include "nn/topk.h"
#include "voxel/desc_kern.h"
#include "voxel/turn.h"

enum { N = DESC_SIDE, BLOCK = 128, SLICE = 256 }; /* entries a product: 2 MB of floats; voxels of one sum */

void desc_pack(const float *cube, size_t side, int8_t desc[DESC_LEN])
{
    size_t f = side / N;
    double s[DESC_LEN], mean = 0, top = 0;
    for (size_t z = 0, i = 0; z < N; z++)
        for (size_t y = 0; y < N; y++)
            for (size_t x = 0; x < N; x++, i++) {
                s[i] = 0;
                for (size_t c = 0; c < f; c++)
                    for (size_t b = 0; b < f; b++)
                        for (size_t a = 0; a < f; a++)
                            s[i] += (double)cube[((z * f + c) * side + y * f + b) * side + x * f + a];
                mean += s[i] / DESC_LEN;
            }
    for (size_t i = 0; i < DESC_LEN; i++) top = fmax(top, fabs(s[i] - mean));
    for (size_t i = 0; i < DESC_LEN; i++) desc[i] = (int8_t)(top > 0 ? lrint(127 * (s[i] - mean) / top) : 0);
}

void desc_unit(const int8_t desc[DESC_LEN], float unit[DESC_LEN])
{
    double mean = 0, sq = 0;
    for (size_t i = 0; i < DESC_LEN; i++) mean += (double)desc[i] / DESC_LEN;
    for (size_t i = 0; i < DESC_LEN; i++) sq += ((double)desc[i] - mean) * ((double)desc[i] - mean);
    double scale = sq > 0 ? 1 / sqrt(sq) : 0;
    for (size_t i = 0; i < DESC_LEN; i++) unit[i] = (float)(((double)desc[i] - mean) * scale);
}

void desc_turns(const int8_t desc[DESC_LEN], float *turns)
{
    float unit[DESC_LEN];
    desc_unit(desc, unit);
    for (int k = 0; k < DESC_TURNS; k++) turn_cube(unit, N, k, turns + (size_t)k * DESC_LEN);
}

/* Row at of the rows to compare. */
static const int8_t *entry_at(const int8_t *desc, const size_t *row, size_t stride, size_t at)
{
    return desc + *(const size_t *)(const void *)((const char *)row + at * stride) * DESC_LEN;
}

/* 1 / length of the mean-free entry, by the exact sums of its bytes and of their squares (4096 * 127^2 < 2^31). */
static float inverse_length(const int32_t sum[2])
{
    double var = (double)sum[1] - (double)sum[0] * (double)sum[0] / DESC_LEN;
    return var > 0 ? (float)(1 / sqrt(var)) : 0;
}

static float in_steps(double r) { return (float)fmin(fmax(DESC_STEP * nearbyint(r / DESC_STEP), -1), 1); }

/* The norm of the products of one turn; the first where that is not above 0. */
static double norm(const float *dot, size_t images)
{
    double sq = 0;
    if (!(dot[0] > 0)) return (double)dot[0];
    for (size_t i = 0; i < images; i++) sq += (double)dot[i] * (double)dot[i];
    return sqrt(sq);
}

/* n <= BLOCK rows of the table: x (BLOCK,4096) and dot (2,BLOCK,24,images) are scratch. */
static void match_block(const float *turns, size_t images, const int8_t *const *entry, size_t n, float *best, float *x, float *dot)
{
    const size_t all = DESC_TURNS * images;
    const desc_kern_t *kern = desc_kern();
    float inverse[BLOCK];
    for (size_t i = 0; i < n; i++) {
        int32_t sum[2];
        kern->unpack(entry[i], DESC_LEN, x + i * DESC_LEN, sum);
        inverse[i] = inverse_length(sum);
    }
    float *sum = dot, *last = dot + BLOCK * all; /* slice by slice: one float that takes up 4096 products is not exact enough */
    for (size_t k = 0; k < DESC_LEN; k += SLICE) {
        const matmul_t m = {.rows = n, .in = SLICE, .out = all, .x = x + k, .w = turns + k, .y = sum, .ldx = DESC_LEN, .ldw = DESC_LEN, .ldy = all,
                            .scale = 1, .add = k ? last : NULL, .ldadd = (ptrdiff_t)all};
        matmul(&m, isa_best(), 1);
        float *t = last;
        last = sum;
        sum = t;
    }
    dot = last;
    for (size_t i = 0; i < n; i++) {
        double most = norm(dot + i * all, images);
        for (size_t k = 1; k < DESC_TURNS; k++) most = fmax(most, norm(dot + i * all + k * images, images));
        best[i] = in_steps((double)((float)most * inverse[i]));
    }
}

int desc_match(const float *turns, size_t images, const int8_t *desc, const size_t *row, size_t stride, size_t n, float *best, err_t *err)
{
    size_t blocks = (n + BLOCK - 1) / BLOCK;
    int failed = 0;
#pragma omp parallel reduction(| : failed)
    {
        float *x = mem_new((size_t)BLOCK * DESC_LEN, sizeof *x, NULL);
        float *dot = mem_new((size_t)2 * BLOCK * DESC_TURNS, images * sizeof *dot, NULL);
        const int8_t *entry[BLOCK];
        failed = !x || !dot;
#pragma omp for schedule(static)
        for (size_t b = 0; b < blocks; b++) {
            size_t at = b * BLOCK, m = n - at < BLOCK ? n - at : BLOCK;
            for (size_t i = 0; i < m; i++) entry[i] = entry_at(desc, row, stride, at + i);
            if (x && dot) match_block(turns, images, entry, m, best + at, x, dot);
        }
        mem_free(x);
        mem_free(dot);
    }
    return failed ? err_set(err, ERR_NOMEM, "memory: a block of %d cubes", BLOCK) : 0;
}

/* ---- in whole numbers ---- */

enum { WIDE = 16, PANELS = (DESC_TURNS + WIDE - 1) / WIDE }; /* of topk_product_t */

struct descquery {
    float *turns; /* desc_turns(); NULL where whole numbers are multiplied */
    /* whole numbers */
    topk_product_t product;
    int8_t *panel; /* under all turns: (PANELS, DESC_LEN / 4, WIDE, 4) */
    int32_t start[PANELS * WIDE]; /* what products with bytes that are 128 too large start from */
    double mean;   /* of the bytes */
    float inverse; /* inverse_length() */
};

static void take_turns(const int8_t *query, int8_t *panel)
{
    for (size_t k = 0; k < DESC_TURNS; k++) {
        size_t first, i = 0;
        ptrdiff_t step[3];
        turn_steps(N, (int)k, &first, step);
        for (ptrdiff_t z = 0; z < N; z++)
            for (ptrdiff_t y = 0; y < N; y++)
                for (ptrdiff_t x = 0; x < N; x++, i++)
                    panel[(k / WIDE * DESC_LEN + i / 4 * 4) * WIDE + k % WIDE * 4 + i % 4] = query[(ptrdiff_t)first + x * step[0] + y * step[1] + z * step[2]];
    }
}

static int whole_new(descquery_t *q, const int8_t *desc, err_t *err)
{
    int32_t sum[2] = {0};
    q->panel = mem_zero((size_t)PANELS * WIDE, DESC_LEN, err);
    if (!q->panel) return -1;
    take_turns(desc, q->panel);
    for (size_t i = 0; i < DESC_LEN; i++) {
        sum[0] += desc[i];
        sum[1] += desc[i] * desc[i];
    }
    for (size_t k = 0; k < PANELS * WIDE; k++) q->start[k] = -128 * sum[0];
    q->mean = (double)sum[0] / DESC_LEN;
    q->inverse = inverse_length(sum);
    return 0;
}

static int turns_new(descquery_t *q, const int8_t *desc, err_t *err)
{
    q->turns = mem_new((size_t)DESC_TURNS * DESC_LEN, sizeof *q->turns, err);
    if (!q->turns) return -1;
    desc_turns(desc, q->turns);
    return 0;
}

descquery_t *desc_query(const int8_t desc[DESC_LEN], err_t *err)
{
    descquery_t *q = mem_zero(1, sizeof *q, err);
    if (!q) return NULL;
    q->product = topk_product();
    if (!(q->product ? whole_new(q, desc, err) : turns_new(q, desc, err))) return q;
    desc_query_free(q);
    return NULL;
}

void desc_query_free(descquery_t *q)
{
    if (!q) return;
    mem_free(q->turns);
    mem_free(q->panel);
    mem_free(q);
}

/* n <= BLOCK rows of the table from `at` on; x (BLOCK, DESC_LEN) and dot (BLOCK, PANELS * WIDE) are scratch. */
static void correlate_block(const descquery_t *q, const int8_t *desc, const size_t *row, size_t stride, size_t at, size_t n, float *best, uint8_t *x, float *dot)
{
    const desc_kern_t *kern = desc_kern();
    int32_t sum[BLOCK][2];
    for (size_t i = 0; i < n; i++) kern->lift(entry_at(desc, row, stride, at + i), DESC_LEN, x + i * DESC_LEN, sum[i]);
    q->product(x, DESC_LEN, n, q->panel, PANELS, DESC_LEN, q->start, dot, PANELS * WIDE);
    for (size_t i = 0; i < n; i++) {
        float most = dot[i * PANELS * WIDE];
        for (size_t k = 1; k < DESC_TURNS; k++) most = fmaxf(most, dot[i * PANELS * WIDE + k]);
        best[i] = in_steps(((double)most - q->mean * sum[i][0]) * (double)(q->inverse * inverse_length(sum[i])));
    }
}

static int correlate_whole(const descquery_t *q, const int8_t *desc, const size_t *row, size_t stride, size_t n, float *best, err_t *err)
{
    const size_t blocks = (n + BLOCK - 1) / BLOCK;
    int failed = 0;
#pragma omp parallel reduction(| : failed)
    {
        uint8_t *x = mem_new((size_t)BLOCK, DESC_LEN, NULL);
        float dot[BLOCK * PANELS * WIDE];
        failed = !x;
#pragma omp for schedule(static)
        for (size_t b = 0; b < blocks; b++) {
            const size_t at = b * BLOCK;
            if (x) correlate_block(q, desc, row, stride, at, n - at < BLOCK ? n - at : BLOCK, best + at, x, dot);
        }
        mem_free(x);
    }
    return failed ? err_set(err, ERR_NOMEM, "memory: a block of %d cubes", BLOCK) : 0;
}

int desc_correlate(const descquery_t *q, const int8_t *desc, const size_t *row, size_t stride, size_t n, float *best, err_t *err)
{
    return q->turns ? desc_match(q->turns, 1, desc, row, stride, n, best, err) : correlate_whole(q, desc, row, stride, n, best, err);
}
