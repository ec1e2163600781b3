/* wino_ref: the steps of wino in plain C, straight from the matrices (Lavin and Gray 2016, section 4.1). */
#include "nn/wino_kern.h"

enum { BLOCK = 8 };

static const float BT[4][4] = {{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}};
static const float G[4][3] = {{1, 0, 0}, {0.5f, 0.5f, 0.5f}, {0.5f, -0.5f, 0.5f}, {0, 0, 1}};
static const float AT[2][4] = {{1, 1, 1, 0}, {0, 1, -1, -1}};

/* Element c of row k in u's panels. */
static size_t panel_at(size_t k, size_t c, size_t ci, size_t co)
{
    size_t first = c / (2 * BLOCK) * 2 * BLOCK, width = wino_pad(co, BLOCK) - first;
    if (width > 2 * BLOCK) width = 2 * BLOCK;
    return first * ci + k * width + (c - first);
}

static void weights(const float *w, size_t o_step, size_t i_step, bool flip, size_t k, size_t c, float *u)
{
    size_t step = wino_step(k, wino_pad(c, BLOCK));
    for (size_t p = 0; p < WINO_ALL; p++)
        for (size_t i = 0; i < k; i++)
            for (size_t o = 0; o < wino_pad(c, BLOCK); o++) {
                float s = 0;
                for (size_t t = 0; t < 27 && o < c; t++)
                    s += G[p / 16][t / 9] * G[p / 4 % 4][t / 3 % 3] * G[p % 4][t % 3] *
                         w[o * o_step + i * i_step + (flip ? 26 - t : t)];
                u[p * step + panel_at(i, o, k, c)] = s;
            }
}

/* Voxel (z,y,x) of channel c, zero outside. Coordinates are one too large, so that the padding is 0. */
static float voxel(const tiles_t *t, const wtensor_t *a, size_t sample, size_t c, size_t z, size_t y, size_t x)
{
    const size_t *n = t->in;
    if (z < 1 || z > n[0] || y < 1 || y > n[1] || x < 1 || x > n[2]) return 0;
    return a->p[sample * a->step + (((c / BLOCK * n[0] + z - 1) * n[1] + y - 1) * n[2] + x - 1) * BLOCK + c % BLOCK];
}

static void input(const tiles_t *t, const wtensor_t *x, int pz, const float *zero, float *v)
{
    size_t cp = wino_pad(x->channels, BLOCK), step = wino_step(t->m, cp);
    (void)zero;
    for (size_t i = 0; i < t->m; i++) {
        strip_t s = wino_strip(t, i);
        for (size_t c = 0; c < cp; c++)
            for (size_t p = 0; p < WINO_PLANE; p++) {
                float sum = 0;
                for (size_t d = 0; d < WINO_ALL; d++)
                    sum += BT[pz][d / 16] * BT[p / 4][d / 4 % 4] * BT[p % 4][d % 4] *
                           voxel(t, x, s.sample, c, s.z + d / 16, s.y + d / 4 % 4, s.x + d % 4);
                v[p * step + i * cp + c] = sum;
            }
    }
}

static void grad(const tiles_t *t, const wtensor_t *dy, int pz, const float *zero, float *g)
{
    (void)zero;
    size_t cp = wino_pad(dy->channels, BLOCK), step = wino_step(t->m, cp);
    for (size_t i = 0; i < t->m; i++) {
        strip_t s = wino_strip(t, i);
        for (size_t c = 0; c < cp; c++)
            for (size_t p = 0; p < WINO_PLANE; p++) {
                float sum = 0;
                for (size_t d = 0; d < 8; d++)
                    sum += AT[d / 4][pz] * AT[d / 2 % 2][p / 4] * AT[d % 2][p % 4] *
                           voxel(t, dy, s.sample, c, s.z + 1 + d / 4, s.y + 1 + d / 2 % 2, s.x + 1 + d % 2);
                g[p * step + i * cp + c] = sum;
            }
    }
}

static void product(const float *v, size_t m, const float *u, size_t ci, size_t co, float *g)
{
    size_t ip = wino_pad(ci, BLOCK), op = wino_pad(co, BLOCK);
    for (size_t p = 0; p < WINO_PLANE; p++)
        for (size_t i = 0; i < m; i++)
            for (size_t c = 0; c < op; c++) {
                float s = 0;
                for (size_t k = 0; k < ci; k++)
                    s += v[p * wino_step(m, ip) + i * ip + k] * u[p * wino_step(ci, op) + panel_at(k, c, ci, co)];
                g[p * wino_step(m, op) + i * op + c] = s;
            }
}

static void finish(const tiles_t *t, size_t i, const float *sums, size_t blocks, const wout_t *out)
{
    strip_t s = wino_strip(t, i);
    for (size_t c = 0; c < blocks * BLOCK; c++)
        for (size_t d = 0; d < 8; d++) {
            size_t z = s.z + d / 4, y = s.y + d / 2 % 2, x = s.x + d % 2, cb = c / BLOCK, lane = c % BLOCK;
            if (z >= t->in[0] || y >= t->in[1] || x >= t->in[2]) continue;
            size_t at = s.sample * out->step + (((cb * t->in[0] + z) * t->in[1] + y) * t->in[2] + x) * BLOCK + lane;
            float r = sums[((i * blocks + cb) * 8 + d) * BLOCK + lane] + out->bias[c];
            if (out->add) r += out->add[at];
            out->y[at] = out->relu && r < 0 ? 0 : r;
        }
}

static void output(const tiles_t *t, const float *g, size_t co, int pz, float *sums, const wout_t *out)
{
    size_t op = wino_pad(co, BLOCK), step = wino_step(t->m, op), blocks = op / BLOCK;
    for (size_t i = 0; i < t->m; i++) {
        for (size_t c = 0; c < op; c++)
            for (size_t d = 0; d < 8; d++) {
                float *sum = sums + ((i * blocks + c / BLOCK) * 8 + d) * BLOCK + c % BLOCK;
                if (pz == 0) *sum = 0;
                for (size_t p = 0; p < WINO_PLANE; p++)
                    *sum += AT[d / 4][pz] * AT[d / 2 % 2][p / 4] * AT[d % 2][p % 4] * g[p * step + i * op + c];
            }
        if (pz == 3) finish(t, i, sums, blocks, out);
    }
}

static void outer(const float *v, const float *g, size_t m, size_t ci, size_t co, float *du)
{
    size_t ip = wino_pad(ci, BLOCK), op = wino_pad(co, BLOCK);
    for (size_t p = 0; p < WINO_PLANE; p++)
        for (size_t i = 0; i < ci; i++)
            for (size_t o = 0; o < op; o++)
                for (size_t k = 0; k < m; k++)
                    du[p * wino_step(ci, op) + i * op + o] +=
                        v[p * wino_step(m, ip) + k * ip + i] * g[p * wino_step(m, op) + k * op + o];
}

static void weights_end(const float *du, size_t ci, size_t co, float *dw)
{
    size_t op = wino_pad(co, BLOCK), step = wino_step(ci, op);
    for (size_t o = 0; o < co; o++)
        for (size_t i = 0; i < ci; i++)
            for (size_t t = 0; t < 27; t++) {
                float s = 0;
                for (size_t p = 0; p < WINO_ALL; p++)
                    s += G[p / 16][t / 9] * G[p / 4 % 4][t / 3 % 3] * G[p % 4][t % 3] * du[p * step + i * op + o];
                dw[(o * ci + i) * 27 + t] += s;
            }
}

const wino_kern_t wino_kern_ref = {"ref", BLOCK, weights, input, grad, product, output, outer, weights_end};
