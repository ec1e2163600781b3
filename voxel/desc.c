/* desc: the 16^3 cube descriptor and its match over 24 turns (see desc.h; DESIGN 2). */
#include "voxel/desc.h"

#include <math.h>
#include <stddef.h>

#include "base/mem.h"
#include "nn/matmul.h"
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

/* The norm of the products of one turn; the first where that is not above 0. */
static double norm(const float *dot, size_t images)
{
    double sq = 0;
    if (!(dot[0] > 0)) return (double)dot[0];
    for (size_t i = 0; i < images; i++) sq += (double)dot[i] * (double)dot[i];
    return sqrt(sq);
}

/* n <= BLOCK rows of the table: x (BLOCK,matmul_stride(4096)) and dot (2,BLOCK,24,images) are scratch. */
static void match_block(const float *turns, size_t images, const int8_t *const *entry, size_t n, float *best, float *x, float *dot)
{
    const size_t all = DESC_TURNS * images, ldx = matmul_stride(DESC_LEN);
    const desc_kern_t *kern = desc_kern();
    float inverse[BLOCK];
    for (size_t i = 0; i < n; i++) {
        int32_t sum[2];
        kern->unpack(entry[i], DESC_LEN, x + i * ldx, sum);
        inverse[i] = desc_inverse(sum);
    }
    float *sum = dot, *last = dot + BLOCK * all; /* slice by slice: one float that takes up 4096 products is not exact enough */
    for (size_t k = 0; k < DESC_LEN; k += SLICE) {
        const matmul_t m = {.rows = n, .in = SLICE, .out = all, .x = x + k, .w = turns + k, .y = sum, .ldx = ldx, .ldw = DESC_LEN, .ldy = all,
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
        best[i] = desc_in_steps((double)((float)most * inverse[i]));
    }
}

int desc_match(const float *turns, size_t images, const int8_t *desc, const size_t *row, size_t stride, size_t n, float *best, err_t *err)
{
    size_t blocks = (n + BLOCK - 1) / BLOCK;
    int failed = 0;
#pragma omp parallel reduction(| : failed)
    {
        float *x = mem_new(BLOCK * matmul_stride(DESC_LEN), sizeof *x, NULL);
        float *dot = mem_new((size_t)2 * BLOCK * DESC_TURNS, images * sizeof *dot, NULL);
        const int8_t *entry[BLOCK];
        failed = !x || !dot;
#pragma omp for schedule(static)
        for (size_t b = 0; b < blocks; b++) {
            size_t at = b * BLOCK, m = n - at < BLOCK ? n - at : BLOCK;
            for (size_t i = 0; i < m; i++) entry[i] = desc_row(desc, row, stride, at + i);
            if (x && dot) match_block(turns, images, entry, m, best + at, x, dot);
        }
        mem_free(x);
        mem_free(dot);
    }
    return failed ? err_set(err, ERR_NOMEM, "memory: a block of %d cubes", BLOCK) : 0;
}
