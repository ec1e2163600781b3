/* wino2_vec: the transforms of F(2x2x2, 3x3x3) in the compiler's vectors of NN_VEC floats. Compiled once for every
 * instruction set. */
#include "nn/wino_vec.h"

enum { R = 4, ALL = 64 };

/* ---- inputs ---- */

/* Four rows of the two planes that make up one pz. */
typedef struct {
    const float *a[4], *b[4];
} source_t;

/* q = the column at offset `at`, combined in z, of rows first and second of `s`. */
INLINE void combine(const source_t *s, size_t row, size_t at, bool plus, vec_t *q)
{
    const vec_t *a = (const vec_t *)(s->a[row] + at), *b = (const vec_t *)(s->b[row] + at);
    if (plus) *q = *a + *b;
    else *q = *a - *b;
}

/* A column transformed in y: positions py = 1, 2, or py = 0, 3. */
INLINE void column(const source_t *s, size_t at, bool outside, bool middle, bool plus, vec_t q[2])
{
    vec_t r[4];
    if (outside) {
        q[0] = q[1] = (vec_t){0};
        return;
    }
    combine(s, 1, at, plus, &r[1]);
    combine(s, 2, at, plus, &r[2]);
    if (middle) {
        q[0] = r[1] + r[2];
        q[1] = r[2] - r[1];
        return;
    }
    combine(s, 0, at, plus, &r[0]);
    combine(s, 3, at, plus, &r[3]);
    q[0] = r[0] - r[2];
    q[1] = r[1] - r[3];
}

/* Two rows of positions of a strip from column x on, at v and v + pair; positions `step` apart, tiles `next`. */
INLINE void strip_rows(const source_t *s, size_t x, size_t count, size_t width, bool middle, bool plus, float *v, size_t pair,
                       size_t step, size_t next)
{
    vec_t c0[2], c1[2], c2[2], c3[2];
    column(s, (x - 1) * B, x == 0, middle, plus, c0);
    column(s, x * B, false, middle, plus, c1);
    for (size_t i = 0; i < count; i++, x += 2, v += next) {
        column(s, (x + 1) * B, x + 1 >= width, middle, plus, c2);
        column(s, (x + 2) * B, x + 2 >= width, middle, plus, c3);
#pragma GCC unroll 2
        for (size_t r = 0; r < 2; r++) {
            float *to = v + r * pair;
            *(vec_t *)to = c0[r] - c2[r];
            *(vec_t *)(to + step) = c1[r] + c2[r];
            *(vec_t *)(to + 2 * step) = c2[r] - c1[r];
            *(vec_t *)(to + 3 * step) = c1[r] - c3[r];
            c0[r] = c2[r];
            c1[r] = c3[r];
        }
    }
}

static void strip_input(const source_t *s, const strip_t *t, size_t width, bool plus, float *v, size_t step, size_t next)
{
    if (plus) {
        strip_rows(s, t->x, t->count, width, true, true, v + 4 * step, 4 * step, step, next);
        strip_rows(s, t->x, t->count, width, false, true, v, 12 * step, step, next);
    } else {
        strip_rows(s, t->x, t->count, width, true, false, v + 4 * step, 4 * step, step, next);
        strip_rows(s, t->x, t->count, width, false, false, v, 12 * step, step, next);
    }
}

static void input(const tiles_t *t, const wtensor_t *x, size_t pz, const float *zero, float *v)
{
    static const size_t planes[4][2] = {{0, 2}, {1, 2}, {2, 1}, {1, 3}}; /* of the 4x4x4 inputs of a tile */
    size_t cp = wino_pad(x->channels, B), step = wino_step(t->m, cp), row = t->in[2] * B, plane = t->in[1] * row;
    for (size_t at = 0; at < t->m;) {
        strip_t s = wino_strip(t, at);
        const float *base = x->p + s.sample * x->step;
        for (size_t c = 0; c < cp; c += B, base += t->in[0] * plane) {
            source_t from;
            for (size_t r = 0; r < 4; r++) {
                size_t y = s.y + r - 1, za = s.z + planes[pz][0] - 1, zb = s.z + planes[pz][1] - 1; /* may wrap: outside */
                from.a[r] = y < t->in[1] && za < t->in[0] ? base + za * plane + y * row : zero;
                from.b[r] = y < t->in[1] && zb < t->in[0] ? base + zb * plane + y * row : zero;
            }
            strip_input(&from, &s, t->in[2], pz == 1, v + at * cp + c, step, cp);
        }
        at += s.count;
    }
}

/* ---- output gradients ---- */

/* q (4) = A a for two values */
INLINE void spread(const vec_t *a, const vec_t *b, vec_t *q, const size_t step)
{
    q[0] = *a;
    q[step] = *a + *b;
    q[2 * step] = *a - *b;
    q[3 * step] = -*b;
}

/* One tile; d (2,2) its values combined in z. */
INLINE void grad_tile(const vec_t d[4], float *g, size_t step)
{
    vec_t e[8], q[4];
    spread(&d[0], &d[2], e, 2);
    spread(&d[1], &d[3], e + 1, 2);
#pragma GCC unroll 4
    for (size_t py = 0; py < 4; py++) {
        spread(&e[2 * py], &e[2 * py + 1], q, 1);
#pragma GCC unroll 4
        for (size_t px = 0; px < 4; px++) *(vec_t *)(g + (4 * py + px) * step) = q[px];
    }
}

/* Planes z and z + 1 of a strip, combined for pz; row[z][y], one past the end zero. */
INLINE void strip_grad(const float *const row[2][2], const strip_t *s, size_t width, size_t pz, float *g, size_t step, size_t next)
{
    for (size_t i = 0, x = s->x; i < s->count; i++, x += 2, g += next) {
        vec_t d[4];
#pragma GCC unroll 4
        for (size_t j = 0; j < 4; j++) {
            size_t at = (x + j % 2) * B;
            if (j % 2 && x + 1 >= width) {
                d[j] = (vec_t){0};
                continue;
            }
            const vec_t *p = (const vec_t *)(row[0][j / 2] + at), *q = (const vec_t *)(row[1][j / 2] + at);
            switch (pz) {
            case 0: d[j] = *p; break;
            case 1: d[j] = *p + *q; break;
            case 2: d[j] = *p - *q; break;
            default: d[j] = -*q;
            }
        }
        grad_tile(d, g, step);
    }
}

static void grad(const tiles_t *t, const wtensor_t *dy, size_t pz, const float *zero, float *g)
{
    size_t cp = wino_pad(dy->channels, B), step = wino_step(t->m, cp), row = t->in[2] * B, plane = t->in[1] * row;
    for (size_t at = 0; at < t->m;) {
        strip_t s = wino_strip(t, at);
        const float *base = dy->p + s.sample * dy->step + s.z * plane + s.y * row;
        for (size_t c = 0; c < cp; c += B, base += t->in[0] * plane) {
            const float *from[2][2];
            for (size_t j = 0; j < 4; j++)
                from[j / 2][j % 2] = s.z + j / 2 < t->in[0] && s.y + j % 2 < t->in[1] ? base + j / 2 * plane + j % 2 * row : zero;
            float *to = g + at * cp + c;
            switch (pz) {
            case 0: strip_grad(from, &s, t->in[2], 0, to, step, cp); break;
            case 1: strip_grad(from, &s, t->in[2], 1, to, step, cp); break;
            case 2: strip_grad(from, &s, t->in[2], 2, to, step, cp); break;
            default: strip_grad(from, &s, t->in[2], 3, to, step, cp);
            }
        }
        at += s.count;
    }
}

/* ---- outputs ---- */

/* o (2,2) = A^T g A of one tile */
INLINE void plane_output(const float *g, size_t step, vec_t o[4])
{
    vec_t e[4][2];
#pragma GCC unroll 4
    for (size_t py = 0; py < 4; py++, g += 4 * step) {
        vec_t a = *(const vec_t *)g, b = *(const vec_t *)(g + step), c = *(const vec_t *)(g + 2 * step);
        vec_t d = *(const vec_t *)(g + 3 * step), sum = b + c, difference = b - c;
        e[py][0] = a + sum;
        e[py][1] = difference - d;
    }
#pragma GCC unroll 2
    for (size_t x = 0; x < 2; x++) {
        o[x] = e[0][x] + (e[1][x] + e[2][x]);
        o[2 + x] = (e[1][x] - e[2][x]) - e[3][x];
    }
}

/* Add one pz < 3 to the sums of a block. */
INLINE void gather(const float *g, size_t m, size_t op, size_t step, size_t pz, float *sums)
{
    for (size_t i = 0; i < m; i++)
        for (size_t c = 0; c < op; c += B, sums += 8 * B) {
            vec_t o[4], *s = (vec_t *)sums;
            plane_output(g + i * op + c, step, o);
#pragma GCC unroll 4
            for (size_t j = 0; j < 4; j++) {
                if (pz == 0) s[j] = o[j];
                if (pz) s[j] += o[j];
                if (pz == 1) s[4 + j] = o[j];
                if (pz == 2) s[4 + j] -= o[j];
            }
        }
}

/* The last pz, and the block's outputs to y. */
static void complete(const tiles_t *t, const float *g, size_t op, size_t step, const float *sums, const wout_t *out)
{
    size_t row = t->in[2] * B, plane = t->in[1] * row;
    for (size_t at = 0; at < t->m;) {
        strip_t s = wino_strip(t, at);
        size_t base = s.sample * out->step + s.z * plane + s.y * row + s.x * B;
        bool z = s.z + 1 < t->in[0], y = s.y + 1 < t->in[1];
        for (size_t i = 0; i < s.count; i++, base += 2 * B) {
            bool x = s.x + 2 * i + 1 < t->in[2];
            size_t to = base;
            for (size_t c = 0; c < op; c += B, sums += 8 * B, to += t->in[0] * plane) {
                const vec_t *sum = (const vec_t *)sums, *bias = (const vec_t *)(out->bias + c);
                vec_t o[4];
                plane_output(g + (at + i) * op + c, step, o);
#pragma GCC unroll 4
                for (size_t j = 0; j < 4; j++) {
                    vec_t second = sum[4 + j] - o[j];
                    size_t p = to + j / 2 * row + j % 2 * B;
                    if ((j / 2 && !y) || (j % 2 && !x)) continue;
                    put(&sum[j], bias, out, p);
                    if (z) put(&second, bias, out, p + plane);
                }
            }
        }
        at += s.count;
    }
}

static void output(const tiles_t *t, const float *g, size_t co, size_t pz, float *sums, const wout_t *out)
{
    size_t op = wino_pad(co, B), step = wino_step(t->m, op);
    switch (pz) {
    case 0: gather(g, t->m, op, step, 0, sums); break;
    case 1: gather(g, t->m, op, step, 1, sums); break;
    case 2: gather(g, t->m, op, step, 2, sums); break;
    default: complete(t, g, op, step, sums, out);
    }
}

/* ---- weights ---- */

/* q (4) = G a for three values `step` apart */
INLINE void weight_line(const vec_t *a, const size_t step, vec_t *q, const size_t to)
{
    vec_t ends = 0.5f * (a[0] + a[2 * step]), middle = 0.5f * a[step];
    q[0] = a[0];
    q[to] = ends + middle;
    q[2 * to] = ends - middle;
    q[3 * to] = a[2 * step];
}

/* a (3) = G^T q for four values */
INLINE void weight_line_back(const vec_t *q, const size_t step, vec_t *a, const size_t to)
{
    vec_t sum = 0.5f * (q[step] + q[2 * step]);
    a[0] = q[0] + sum;
    a[to] = 0.5f * (q[step] - q[2 * step]);
    a[2 * to] = sum + q[3 * step];
}

static void weight_cube(const vec_t *w, vec_t *u) { weight_cube_by(weight_line, R, w, u); }
static void weight_cube_back(const vec_t *u, vec_t *w) { weight_cube_back_by(weight_line_back, R, u, w); }

static void weights(size_t edge, const float *w, size_t ostep, size_t istep, bool flip, size_t k, size_t c, float *u)
{
    (void)edge;
    weights_by(weight_cube, ALL, w, ostep, istep, flip, k, c, u);
}

static void weights_end(size_t edge, const float *du, size_t ci, size_t co, float *dw)
{
    (void)edge;
    weights_end_by(weight_cube_back, ALL, du, ci, co, dw);
}

const wino_form_t PASTE(wino_f2_, NN_ISA) = {2, weights, input, grad, output, weights_end};
