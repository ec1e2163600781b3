/* align: the aligned correlation of cube descriptors (see align.h). */
#include "voxel/align.h"

#include <math.h>
#include <stddef.h>

enum { N = DESC_SIDE, IMAGES = ALIGN_IMAGES };

static const double sigma[ALIGN_MODES] = {ALIGN_SHIFT, ALIGN_SHIFT, ALIGN_SHIFT, ALIGN_ANGLE, ALIGN_ANGLE, ALIGN_ANGLE, ALIGN_SCALE};

/* out (N,N,N): the derivative of q along an axis, a voxel apart by `stride`. In the space of the samples the derivative of the
 * trigonometric interpolation is a convolution (Trefethen 2000, Spectral Methods in MATLAB, SIAM, chapter 3). */
static void derivative(const float *q, size_t stride, float *out)
{
    double weight[N] = {0}; /* of the sample j before */
    for (int j = 1; j < N; j++) weight[j] = (j % 2 ? -1 : 1) * M_PI / N / tan(M_PI * j / N);
    for (size_t i = 0; i < DESC_LEN; i++) {
        size_t at = i / stride % N;
        const float *line = q + i - at * stride;
        double sum = 0;
        for (size_t j = 1; j < N; j++) sum += weight[j] * (double)line[(at + N - j) % N * stride];
        out[i] = (float)sum;
    }
}

/* mode (7, 4096) of q: what becomes of it by a shift along x, y, z, a rotation about x, y, z, and a change of scale. */
static void modes(const float *q, float *mode)
{
    float *g[3] = {mode, mode + DESC_LEN, mode + 2 * (size_t)DESC_LEN};
    for (int d = 0; d < 3; d++) derivative(q, d == 0 ? 1 : d == 1 ? N : N * N, g[d]);
    for (size_t i = 0; i < DESC_LEN; i++) {
        const double p[3] = {(double)(i % N) - 7.5, (double)(i / N % N) - 7.5, (double)(i / (N * N)) - 7.5};
        const double at[3] = {(double)g[0][i], (double)g[1][i], (double)g[2][i]};
        for (int d = 0; d < 3; d++) {
            int u = (d + 1) % 3, v = (d + 2) % 3;
            mode[(3 + (size_t)d) * DESC_LEN + i] = (float)(p[u] * at[v] - p[v] * at[u]);
        }
        mode[6 * (size_t)DESC_LEN + i] = (float)(p[0] * at[0] + p[1] * at[1] + p[2] * at[2]);
    }
    for (int m = 0; m < ALIGN_MODES; m++) {
        float *x = mode + (size_t)m * DESC_LEN;
        double mean = 0;
        for (size_t i = 0; i < DESC_LEN; i++) mean += (double)x[i] / DESC_LEN;
        for (size_t i = 0; i < DESC_LEN; i++) x[i] = (float)((double)x[i] - mean);
    }
}

static double product(const float *a, const float *b)
{
    double sum = 0;
    for (size_t i = 0; i < DESC_LEN; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

/* b (8, 4096), q and its modes, becomes C^-1 b. The matrix is positive definite: q is no constant, and every r is above 0. */
static void whiten(float *b)
{
    double c[IMAGES][IMAGES];
    for (size_t i = 0; i < IMAGES; i++)
        for (size_t j = 0; j <= i; j++) c[i][j] = product(b + i * DESC_LEN, b + j * DESC_LEN);
    for (size_t i = 1; i < IMAGES; i++) c[i][i] += ALIGN_NOISE / (sigma[i - 1] * sigma[i - 1]);
    for (size_t j = 0; j < IMAGES; j++) {
        for (size_t k = 0; k < j; k++) c[j][j] -= c[j][k] * c[j][k];
        c[j][j] = sqrt(c[j][j]);
        for (size_t i = j + 1; i < IMAGES; i++) {
            for (size_t k = 0; k < j; k++) c[i][j] -= c[i][k] * c[j][k];
            c[i][j] /= c[j][j];
        }
    }
    for (size_t v = 0; v < DESC_LEN; v++)
        for (size_t i = 0; i < IMAGES; i++) {
            double w = (double)b[i * DESC_LEN + v];
            for (size_t k = 0; k < i; k++) w -= c[i][k] * (double)b[k * DESC_LEN + v];
            b[i * DESC_LEN + v] = (float)(w / c[i][i]);
        }
}

void align_turns(const int8_t desc[DESC_LEN], float *turns)
{
    const size_t images = (size_t)IMAGES * DESC_LEN;
    desc_unit(desc, turns);
    modes(turns, turns + DESC_LEN);
    if (product(turns, turns) > 0) whiten(turns); /* else all is 0 */
    for (int k = 1; k < TURNS; k++)
        for (size_t i = 0; i < IMAGES; i++) turn_cube(turns + i * DESC_LEN, N, k, turns + (size_t)k * images + i * DESC_LEN);
}
