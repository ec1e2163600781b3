/* wino_ref: the steps of wino in plain C, straight from the matrices (Lavin and Gray 2016, section 4; those of e = 4 are
 * Toom and Cook's for the points of wino_kern.h). */
#include "nn/wino_kern.h"

enum { BLOCK = 8 };

typedef struct {
    size_t e, r;
    double bt[6][6], g[6][3], at[4][6];
} matrices_t;

static const matrices_t two = {
    2,
    4,
    {{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}},
    {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}},
    {{1, 1, 1, 0}, {0, 1, -1, -1}},
};

#define A WINO_A
#define AA WINO_AA
#define B WINO_B
#define BB WINO_BB
#define NA WINO_NA
#define NB WINO_NB
static const matrices_t four = {
    4,
    6,
    {{1, 0, -AA - BB, 0, 1, 0},
     {0, -B, -BB, A, 1, 0},
     {0, B, -BB, -A, 1, 0},
     {0, -A, -AA, B, 1, 0},
     {0, A, -AA, -B, 1, 0},
     {0, 1, 0, -AA - BB, 0, 1}},
    {{1, 0, 0}, {NA, A * NA, AA *NA}, {NA, -A * NA, AA *NA}, {NB, B * NB, BB *NB}, {NB, -B * NB, BB *NB}, {0, 0, 1}},
    {{1, 1, 1, 1, 1, 0}, {0, A, -A, B, -B, 0}, {0, AA, AA, BB, BB, 0}, {0, A *AA, -A * AA, B *BB, -B * BB, 1}},
};

static const matrices_t *matrices(size_t edge)
{
    return edge == 2 ? &two : &four;
}

/* Element c of row k in u's panels. */
static size_t panel_at(size_t k, size_t c, size_t ci, size_t co)
{
    size_t first = c / (2 * BLOCK) * 2 * BLOCK, width = wino_pad(co, BLOCK) - first;
    if (width > 2 * BLOCK) width = 2 * BLOCK;
    return first * ci + k * width + (c - first);
}

static double weight_factor(const matrices_t *a, size_t p, size_t tap)
{
    size_t r = a->r;
    return a->g[p / r / r][tap / 9] * a->g[p / r % r][tap / 3 % 3] * a->g[p % r][tap % 3];
}

/* Of output d of e^3 in position p. */
static double output_factor(const matrices_t *a, size_t d, size_t p)
{
    size_t e = a->e, r = a->r;
    return a->at[d / e / e][p / r / r] * a->at[d / e % e][p / r % r] * a->at[d % e][p % r];
}

static void weights(size_t edge, const float *w, size_t ostep, size_t istep, bool flip, size_t k, size_t c, float *u)
{
    const matrices_t *a = matrices(edge);
    size_t step = wino_step(k, wino_pad(c, BLOCK));
    for (size_t p = 0; p < a->r * a->r * a->r; p++)
        for (size_t i = 0; i < k; i++)
            for (size_t o = 0; o < wino_pad(c, BLOCK); o++) {
                double s = 0;
                for (size_t t = 0; t < 27 && o < c; t++)
                    s += weight_factor(a, p, t) * (double)w[o * ostep + i * istep + (flip ? 26 - t : t)];
                u[p * step + panel_at(i, o, k, c)] = (float)s;
            }
}

/* Voxel (z,y,x) of channel c, zero outside. Coordinates are one too large, so that the padding is 0. */
static double voxel(const tiles_t *t, const wtensor_t *a, size_t sample, size_t c, size_t z, size_t y, size_t x)
{
    const size_t *n = t->in;
    if (z < 1 || z > n[0] || y < 1 || y > n[1] || x < 1 || x > n[2]) return 0;
    return (double)a->p[sample * a->step + (((c / BLOCK * n[0] + z - 1) * n[1] + y - 1) * n[2] + x - 1) * BLOCK + c % BLOCK];
}

static void input(const tiles_t *t, const wtensor_t *x, size_t pz, const float *zero, float *v)
{
    const matrices_t *a = matrices(t->edge);
    size_t r = a->r, cp = wino_pad(x->channels, BLOCK), step = wino_step(t->m, cp);
    (void)zero;
    for (size_t i = 0; i < t->m; i++) {
        strip_t s = wino_strip(t, i);
        for (size_t c = 0; c < cp; c++)
            for (size_t p = 0; p < r * r; p++) {
                double sum = 0;
                for (size_t d = 0; d < r * r * r; d++)
                    sum += a->bt[pz][d / r / r] * a->bt[p / r][d / r % r] * a->bt[p % r][d % r] *
                           voxel(t, x, s.sample, c, s.z + d / r / r, s.y + d / r % r, s.x + d % r);
                v[p * step + i * cp + c] = (float)sum;
            }
    }
}

static void grad(const tiles_t *t, const wtensor_t *dy, size_t pz, const float *zero, float *g)
{
    const matrices_t *a = matrices(t->edge);
    size_t e = a->e, plane = a->r * a->r, cp = wino_pad(dy->channels, BLOCK), step = wino_step(t->m, cp);
    (void)zero;
    for (size_t i = 0; i < t->m; i++) {
        strip_t s = wino_strip(t, i);
        for (size_t c = 0; c < cp; c++)
            for (size_t p = 0; p < plane; p++) {
                double sum = 0;
                for (size_t d = 0; d < e * e * e; d++)
                    sum += output_factor(a, d, pz * plane + p) *
                           voxel(t, dy, s.sample, c, s.z + 1 + d / e / e, s.y + 1 + d / e % e, s.x + 1 + d % e);
                g[p * step + i * cp + c] = (float)sum;
            }
    }
}

static void product(size_t plane, const float *v, size_t m, const float *u, size_t ci, size_t co, float *g)
{
    size_t ip = wino_pad(ci, BLOCK), op = wino_pad(co, BLOCK);
    for (size_t p = 0; p < plane; p++)
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
    size_t e = t->edge;
    for (size_t c = 0; c < blocks * BLOCK; c++)
        for (size_t d = 0; d < e * e * e; d++) {
            size_t z = s.z + d / e / e, y = s.y + d / e % e, x = s.x + d % e, cb = c / BLOCK, lane = c % BLOCK;
            if (z >= t->in[0] || y >= t->in[1] || x >= t->in[2]) continue;
            size_t at = s.sample * out->step + (((cb * t->in[0] + z) * t->in[1] + y) * t->in[2] + x) * BLOCK + lane;
            float f = sums[((i * blocks + cb) * e * e * e + d) * BLOCK + lane] + out->bias[c];
            if (out->add) f += out->add[at];
            out->y[at] = out->relu && f < 0 ? 0 : f;
        }
}

static void output(const tiles_t *t, const float *g, size_t co, size_t pz, float *sums, const wout_t *out)
{
    const matrices_t *a = matrices(t->edge);
    size_t cubed = a->e * a->e * a->e, plane = a->r * a->r;
    size_t op = wino_pad(co, BLOCK), step = wino_step(t->m, op), blocks = op / BLOCK;
    for (size_t i = 0; i < t->m; i++) {
        for (size_t c = 0; c < op; c++)
            for (size_t d = 0; d < cubed; d++) {
                float *sum = sums + ((i * blocks + c / BLOCK) * cubed + d) * BLOCK + c % BLOCK;
                double s = pz ? (double)*sum : 0;
                for (size_t p = 0; p < plane; p++) s += output_factor(a, d, pz * plane + p) * (double)g[p * step + i * op + c];
                *sum = (float)s;
            }
        if (pz == a->r - 1) finish(t, i, sums, blocks, out);
    }
}

static void outer(size_t plane, const float *v, const float *g, size_t m, size_t ci, size_t co, float *du)
{
    size_t ip = wino_pad(ci, BLOCK), op = wino_pad(co, BLOCK);
    for (size_t p = 0; p < plane; p++)
        for (size_t i = 0; i < ci; i++)
            for (size_t o = 0; o < op; o++)
                for (size_t k = 0; k < m; k++)
                    du[p * wino_step(ci, op) + i * op + o] +=
                        v[p * wino_step(m, ip) + k * ip + i] * g[p * wino_step(m, op) + k * op + o];
}

static void weights_end(size_t edge, const float *du, size_t ci, size_t co, float *dw)
{
    const matrices_t *a = matrices(edge);
    size_t op = wino_pad(co, BLOCK), step = wino_step(ci, op);
    for (size_t o = 0; o < co; o++)
        for (size_t i = 0; i < ci; i++)
            for (size_t t = 0; t < 27; t++) {
                double s = 0;
                for (size_t p = 0; p < a->r * a->r * a->r; p++) s += weight_factor(a, p, t) * (double)du[p * step + i * op + o];
                dw[(o * ci + i) * 27 + t] += (float)s;
            }
}

static const wino_form_t f2 = {2, weights, input, grad, output, weights_end};
static const wino_form_t f4 = {4, weights, input, grad, output, weights_end};
const wino_kern_t wino_kern_ref = {"ref", BLOCK, product, outer, {&f2, &f4}};
