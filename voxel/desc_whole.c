/* desc_whole: descriptors compared in whole numbers (see desc.h): products of bytes, summed up in int32. */
#include <assert.h>
#include <math.h>

#include "base/mem.h"
#include "nn/topk.h"
#include "voxel/desc.h"
#include "voxel/desc_kern.h"
#include "voxel/turn.h"

enum { N = DESC_SIDE, BLOCK = 128, WIDE = 16, ROW = DESC_LEN + 64 }; /* entries a product; columns of a panel (topk_product_t); bytes from entry to
                                                                    * entry, which so do not share cache sets */
static const double ROUNDING = DESC_STEP; /* more than that of floats here, and of what desc_match() finds */

struct descquery {
    float *turns; /* desc_turns() of a single image; NULL with `product` */
    size_t images, panels;
    topk_product_t product; /* NULL: floats are as fast */
    int8_t *panel;  /* the images under all turns: (panels, DESC_LEN / 4, WIDE, 4) */
    int32_t *start; /* (panels, WIDE) what products with bytes that are 128 too large start from */
    float *scale, *mean; /* (images) of an image; of its bytes */
    double off;     /* norm of what rounding took off the images */
};

void desc_query_free(descquery_t *q)
{
    if (!q) return;
    mem_free(q->turns);
    mem_free(q->panel);
    mem_free(q->start);
    mem_free(q->scale);
    mem_free(q->mean);
    mem_free(q);
}

/* Image i under all turns, a column each. */
static void take_turns(descquery_t *q, const int8_t *image, size_t i)
{
    int32_t sum = 0;
    for (size_t v = 0; v < DESC_LEN; v++) sum += image[v];
    q->mean[i] = (float)sum / DESC_LEN;
    for (size_t k = 0; k < DESC_TURNS; k++) {
        const size_t column = k * q->images + i;
        int8_t *to = q->panel + column / WIDE * WIDE * DESC_LEN + column % WIDE * 4;
        size_t first, v = 0;
        ptrdiff_t step[3];
        turn_steps(N, (int)k, &first, step);
        for (ptrdiff_t z = 0; z < N; z++)
            for (ptrdiff_t y = 0; y < N; y++)
                for (ptrdiff_t x = 0; x < N; x++, v++) to[v / 4 * 4 * WIDE + v % 4] = image[(ptrdiff_t)first + x * step[0] + y * step[1] + z * step[2]];
        q->start[column] = -128 * sum;
    }
}

/* Room for images, unless floats do. */
static descquery_t *query_new(size_t images, err_t *err)
{
    descquery_t *q = mem_zero(1, sizeof *q, err);
    if (!q) return NULL;
    q->images = images;
    q->panels = (DESC_TURNS * images + WIDE - 1) / WIDE;
    if (!(q->product = topk_product())) return q;
    q->panel = mem_zero(q->panels * WIDE, DESC_LEN, err);
    q->start = mem_zero(q->panels * WIDE, sizeof *q->start, err);
    q->scale = mem_new(images, sizeof *q->scale, err);
    q->mean = mem_new(images, sizeof *q->mean, err);
    if (q->panel && q->start && q->scale && q->mean) return q;
    desc_query_free(q);
    return NULL;
}

descquery_t *desc_query(const int8_t desc[DESC_LEN], err_t *err)
{
    descquery_t *q = query_new(1, err);
    if (!q) return NULL;
    if (q->product) {
        int32_t sum[2] = {0};
        for (size_t v = 0; v < DESC_LEN; v++) {
            sum[0] += desc[v];
            sum[1] += desc[v] * desc[v];
        }
        q->scale[0] = desc_inverse(sum);
        take_turns(q, desc, 0);
    } else if ((q->turns = mem_new((size_t)DESC_TURNS * DESC_LEN, sizeof *q->turns, err))) {
        desc_turns(desc, q->turns);
    } else {
        desc_query_free(q);
        q = NULL;
    }
    return q;
}

/* An image as scale x bytes; returns the squared length of what that takes off. */
static double round_off(const float *image, int8_t *to, float *scale)
{
    double top = 0, lost = 0;
    for (size_t v = 0; v < DESC_LEN; v++) top = fmax(top, fabs((double)image[v]));
    *scale = (float)(top / 127);
    for (size_t v = 0; v < DESC_LEN; v++) {
        to[v] = (int8_t)(*scale > 0 ? fmax(-127, fmin(127, rint((double)(image[v] / *scale)))) : 0);
        const double e = (double)image[v] - (double)*scale * to[v];
        lost += e * e;
    }
    return lost;
}

descquery_t *desc_query_images(const float *image, size_t images, err_t *err)
{
    descquery_t *q = query_new(images, err);
    double lost = 0;
    assert(images > 1);
    if (!q || !q->product) return q;
    for (size_t i = 0; i < images; i++) {
        int8_t bytes[DESC_LEN];
        lost += round_off(image + i * DESC_LEN, bytes, &q->scale[i]);
        take_turns(q, bytes, i);
    }
    q->off = sqrt(lost) + ROUNDING;
    return q;
}

/* The largest norm of the products of one turn; of one image, the largest product. dot: of an entry whose bytes have that sum. */
static double largest(const descquery_t *q, const float *dot, int32_t sum)
{
    float most = -INFINITY;
    for (size_t k = 0; k < DESC_TURNS; k++, dot += q->images) {
        float sq = 0;
        for (size_t i = 0; i < q->images; i++) {
            const float d = (dot[i] - q->mean[i] * (float)sum) * q->scale[i];
            sq = q->images > 1 ? sq + d * d : d;
        }
        most = fmaxf(most, sq);
    }
    return q->images > 1 ? sqrt((double)most) : (double)most;
}

/* n <= BLOCK rows of the table from `at` on; x (BLOCK, ROW) and dot (BLOCK, panels, WIDE) are scratch. */
static void match_block(const descquery_t *q, const int8_t *desc, const size_t *row, size_t stride, size_t at, size_t n, float *out, uint8_t *x, float *dot)
{
    const desc_kern_t *kern = desc_kern();
    const size_t wide = q->panels * WIDE;
    int32_t sum[BLOCK][2];
    for (size_t i = 0; i < n; i++) kern->lift(desc_row(desc, row, stride, at + i), DESC_LEN, x + i * ROW, sum[i]);
    q->product(x, ROW, n, q->panel, q->panels, DESC_LEN, q->start, dot, wide);
    for (size_t i = 0; i < n; i++) {
        const double c = largest(q, dot + i * wide, sum[i][0]) * (double)desc_inverse(sum[i]);
        out[i] = q->images > 1 ? (float)fmin(c + q->off, 1) : desc_in_steps(c);
    }
}

static int match(const descquery_t *q, const int8_t *desc, const size_t *row, size_t stride, size_t n, float *out, err_t *err)
{
    const size_t blocks = (n + BLOCK - 1) / BLOCK;
    int failed = 0;
#pragma omp parallel reduction(| : failed)
    {
        uint8_t *x = mem_new((size_t)BLOCK, ROW, NULL);
        float *dot = mem_new(BLOCK * q->panels * WIDE, sizeof *dot, NULL);
        failed = !x || !dot;
#pragma omp for schedule(static)
        for (size_t b = 0; b < blocks; b++) {
            const size_t at = b * BLOCK;
            if (x && dot) match_block(q, desc, row, stride, at, n - at < BLOCK ? n - at : BLOCK, out + at, x, dot);
        }
        mem_free(x);
        mem_free(dot);
    }
    return failed ? err_set(err, ERR_NOMEM, "memory: a block of %d cubes", BLOCK) : 0;
}

int desc_correlate(const descquery_t *q, const int8_t *desc, const size_t *row, size_t stride, size_t n, float *best, err_t *err)
{
    return q->turns ? desc_match(q->turns, 1, desc, row, stride, n, best, err) : match(q, desc, row, stride, n, best, err);
}

int desc_most(const descquery_t *q, const int8_t *desc, const size_t *row, size_t stride, size_t n, float *most, err_t *err)
{
    if (q->product) return match(q, desc, row, stride, n, most, err);
    for (size_t i = 0; i < n; i++) most[i] = 1;
    return 0;
}
