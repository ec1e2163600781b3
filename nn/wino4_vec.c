/* wino4_vec: the transforms of F(4x4x4, 3x3x3) in the compiler's vectors of NN_VEC floats. Compiled once for every
 * instruction set. The matrices are those of wino_ref.c, with what pairs of points +-p share taken out. */
#include "nn/wino_vec.h"

enum { R = 6, PLANE = R * R, ALL = R * PLANE, SLOTS = 64 };

static const float PA = (float)WINO_A, PB = (float)WINO_B, PAA = (float)WINO_AA, PBB = (float)WINO_BB;
static const float PS = (float)(WINO_AA + WINO_BB), PAAA = (float)(WINO_A * WINO_AA), PBBB = (float)(WINO_B * WINO_BB);

/* ---- inputs ---- */

/* q (6) = B^T d */
INLINE void line(const vec_t d[R], vec_t q[R])
{
    vec_t e = d[4] - PBB * d[2], o = PA * d[3] - PB * d[1];
    vec_t f = d[4] - PAA * d[2], p = PB * d[3] - PA * d[1];
    q[0] = (d[0] + d[4]) - PS * d[2];
    q[1] = e + o;
    q[2] = e - o;
    q[3] = f + p;
    q[4] = f - p;
    q[5] = (d[1] + d[5]) - PS * d[3];
}

/* Six rows of four of the planes 0..5; combined in z they are f[0] p[0] + f[1] p[1] + f[2] p[2] + p[3]. */
typedef struct {
    const float *row[R][4];
    float f[3];
} source_t;

enum { CHUNK = 8, COLUMNS = 4 * CHUNK + 2 }; /* tiles at a time */

/* A column at offset `at` of the rows, transformed in y: q[py * COLUMNS]. */
INLINE void column(const source_t *s, size_t at, bool ends, vec_t *q)
{
    vec_t d[R], t[R];
#pragma GCC unroll 6
    for (size_t r = 0; r < R; r++) {
        const vec_t *p1 = (const vec_t *)(s->row[r][1] + at), *p2 = (const vec_t *)(s->row[r][2] + at);
        const vec_t *p3 = (const vec_t *)(s->row[r][3] + at);
        if (ends) {
            d[r] = (*p1 + *p3) - PS * *p2;
        } else {
            const vec_t *p0 = (const vec_t *)(s->row[r][0] + at);
            d[r] = *p3 + s->f[0] * *p0 + s->f[1] * *p1 + s->f[2] * *p2;
        }
    }
    line(d, t);
#pragma GCC unroll 6
    for (size_t r = 0; r < R; r++) q[r * COLUMNS] = t[r];
}

/* `count` tiles from column x on. */
INLINE void chunk_input(const source_t *s, size_t x, size_t count, size_t width, bool ends, float *v, size_t step, size_t next)
{
    vec_t q[R][COLUMNS];
    size_t columns = 4 * count + 2, begin = x == 0, end = width + 1 - x < columns ? width + 1 - x : columns;
    for (size_t r = 0; r < R; r++) {
        if (begin) q[r][0] = (vec_t){0};
        for (size_t c = end; c < columns; c++) q[r][c] = (vec_t){0};
    }
    for (size_t c = begin; c < end; c++) column(s, (x + c - 1) * B, ends, &q[0][c]);
    for (size_t r = 0; r < R; r++)
        for (size_t i = 0; i < count; i++) {
            vec_t t[R];
            line(&q[r][4 * i], t);
#pragma GCC unroll 6
            for (size_t p = 0; p < R; p++) *(vec_t *)(v + (r * R + p) * step + i * next) = t[p];
        }
}

static void strip_input(const source_t *s, const strip_t *t, size_t width, bool ends, float *v, size_t step, size_t next)
{
    for (size_t i = 0; i < t->count; i += CHUNK) {
        size_t n = t->count - i < CHUNK ? t->count - i : CHUNK;
        if (ends) chunk_input(s, t->x + 4 * i, n, width, true, v + i * next, step, next);
        else chunk_input(s, t->x + 4 * i, n, width, false, v + i * next, step, next);
    }
}

static void input(const tiles_t *t, const wtensor_t *x, size_t pz, const float *zero, float *v)
{
    static const float factors[R][3] = {{0},
                                        {(float)-WINO_B, (float)-WINO_BB, (float)WINO_A},
                                        {(float)WINO_B, (float)-WINO_BB, (float)-WINO_A},
                                        {(float)-WINO_A, (float)-WINO_AA, (float)WINO_B},
                                        {(float)WINO_A, (float)-WINO_AA, (float)-WINO_B},
                                        {0}};
    static const size_t planes[R][4] = {{0, 0, 2, 4}, {1, 2, 3, 4}, {1, 2, 3, 4}, {1, 2, 3, 4}, {1, 2, 3, 4}, {1, 1, 3, 5}};
    size_t cp = wino_pad(x->channels, B), step = wino_step(t->m, cp), row = t->in[2] * B, plane = t->in[1] * row;
    source_t from;
    memcpy(from.f, factors[pz], sizeof from.f);
    for (size_t at = 0; at < t->m;) {
        strip_t s = wino_strip(t, at);
        const float *base = x->p + s.sample * x->step;
        for (size_t c = 0; c < cp; c += B, base += t->in[0] * plane) {
            for (size_t r = 0; r < R; r++)
                for (size_t j = 0; j < 4; j++) {
                    size_t y = s.y + r - 1, z = s.z + planes[pz][j] - 1; /* may wrap: outside */
                    from.row[r][j] = y < t->in[1] && z < t->in[0] ? base + z * plane + y * row : zero;
                }
            strip_input(&from, &s, t->in[2], pz == 0 || pz == 5, v + at * cp + c, step, cp);
        }
        at += s.count;
    }
}

/* ---- output gradients ---- */

/* q (6) = A d */
INLINE void spread(const vec_t d[4], vec_t q[R])
{
    vec_t e = d[0] + PAA * d[2], o = PA * d[1] + PAAA * d[3];
    vec_t f = d[0] + PBB * d[2], p = PB * d[1] + PBBB * d[3];
    q[0] = d[0];
    q[1] = e + o;
    q[2] = e - o;
    q[3] = f + p;
    q[4] = f - p;
    q[5] = d[3];
}

/* Four rows of the four planes; combined in z they are plane[0] + f[0] plane[1] + f[1] plane[2] + f[2] plane[3]. */
typedef struct {
    const float *row[4][4]; /* y, z */
    float f[3];
} gradients_t;

/* One tile with its first column at offset `at`, n of 4 columns inside; one: pz takes plane 0 alone. */
INLINE void grad_tile(const gradients_t *s, size_t at, size_t n, bool one, float *g, size_t step)
{
    vec_t e[R][4];
#pragma GCC unroll 4
    for (size_t x = 0; x < 4; x++) {
        vec_t d[4], q[R];
#pragma GCC unroll 4
        for (size_t y = 0; y < 4; y++) {
            d[y] = (vec_t){0};
            if (x >= n) continue;
            size_t a = at + x * B;
            d[y] = *(const vec_t *)(s->row[y][0] + a);
            if (one) continue;
            d[y] += s->f[0] * *(const vec_t *)(s->row[y][1] + a);
            d[y] += s->f[1] * *(const vec_t *)(s->row[y][2] + a);
            d[y] += s->f[2] * *(const vec_t *)(s->row[y][3] + a);
        }
        spread(d, q);
#pragma GCC unroll 6
        for (size_t y = 0; y < R; y++) e[y][x] = q[y];
    }
    for (size_t y = 0; y < R; y++) {
        vec_t q[R];
        spread(e[y], q);
#pragma GCC unroll 6
        for (size_t x = 0; x < R; x++) *(vec_t *)(g + (y * R + x) * step) = q[x];
    }
}

static void strip_grad(const gradients_t *from, const strip_t *s, size_t width, bool one, float *g, size_t step, size_t next)
{
    for (size_t i = 0, x = s->x; i < s->count; i++, x += 4, g += next) {
        size_t n = width - x;
        if (n >= 4 && one) grad_tile(from, x * B, 4, true, g, step);
        else if (n >= 4) grad_tile(from, x * B, 4, false, g, step);
        else grad_tile(from, x * B, n, one, g, step);
    }
}

static void grad(const tiles_t *t, const wtensor_t *dy, size_t pz, const float *zero, float *g)
{
    static const float factors[R][3] = {{0},
                                        {(float)WINO_A, (float)WINO_AA, (float)(WINO_A * WINO_AA)},
                                        {(float)-WINO_A, (float)WINO_AA, (float)(-WINO_A * WINO_AA)},
                                        {(float)WINO_B, (float)WINO_BB, (float)(WINO_B * WINO_BB)},
                                        {(float)-WINO_B, (float)WINO_BB, (float)(-WINO_B * WINO_BB)},
                                        {0}};
    size_t cp = wino_pad(dy->channels, B), step = wino_step(t->m, cp), row = t->in[2] * B, plane = t->in[1] * row;
    gradients_t from;
    memcpy(from.f, factors[pz], sizeof from.f);
    for (size_t at = 0; at < t->m;) {
        strip_t s = wino_strip(t, at);
        const float *base = dy->p + s.sample * dy->step;
        for (size_t c = 0; c < cp; c += B, base += t->in[0] * plane) {
            for (size_t j = 0; j < 16; j++) {
                size_t y = s.y + j / 4, z = s.z + (pz == 5 ? 3 : j % 4);
                from.row[j / 4][j % 4] = y < t->in[1] && z < t->in[0] ? base + z * plane + y * row : zero;
            }
            strip_grad(&from, &s, t->in[2], pz == 0 || pz == 5, g + at * cp + c, step, cp);
        }
        at += s.count;
    }
}

/* ---- outputs ---- */

/* o (4, `to` apart) = A^T m */
INLINE void line_output(const vec_t m[R], vec_t *o, const size_t to)
{
    vec_t e = m[1] + m[2], d = m[1] - m[2], f = m[3] + m[4], c = m[3] - m[4];
    o[0] = (m[0] + e) + f;
    o[to] = PA * d + PB * c;
    o[2 * to] = PAA * e + PBB * f;
    o[3 * to] = m[5] + PAAA * d + PBBB * c;
}

/* o (4,4) = A^T g A of one tile */
INLINE void plane_output(const float *g, size_t step, vec_t o[16])
{
    vec_t e[4][R];
#pragma GCC unroll 6
    for (size_t py = 0; py < R; py++) {
        vec_t m[R];
#pragma GCC unroll 6
        for (size_t px = 0; px < R; px++) m[px] = *(const vec_t *)(g + (py * R + px) * step);
        line_output(m, &e[0][py], R);
    }
#pragma GCC unroll 4
    for (size_t x = 0; x < 4; x++) line_output(e[x], o + x, 4);
}

/* What is known of an output (y,x) after pz < 5. The slots of its four z hold, after pz = 0: m0; 1: m0, m1;
 * 2: m0 + e, d, e; 3: these and m3; 4: z = 0, 1, 2 complete, and 3 but for m5 (e, d, ... as in line_output). */
INLINE void accumulate(vec_t *s, const vec_t *o, const size_t pz)
{
    vec_t e, d;
    switch (pz) {
    case 0: s[0] = *o; break;
    case 1: s[16] = *o; break;
    case 2:
        e = s[16] + *o, d = s[16] - *o;
        s[0] += e;
        s[16] = d;
        s[32] = e;
        break;
    case 3: s[48] = *o; break;
    default:
        e = s[48] + *o, d = s[48] - *o;
        s[0] += e;
        s[48] = PAAA * s[16] + PBBB * d;
        s[16] = PA * s[16] + PB * d;
        s[32] = PAA * s[32] + PBB * e;
    }
}

INLINE void gather(const float *g, size_t m, size_t op, size_t step, size_t pz, float *sums)
{
    for (size_t i = 0; i < m; i++)
        for (size_t c = 0; c < op; c += B, sums += SLOTS * B) {
            vec_t o[16], *s = (vec_t *)sums;
            plane_output(g + i * op + c, step, o);
#pragma GCC unroll 16
            for (size_t j = 0; j < 16; j++) accumulate(s + j, o + j, pz);
        }
}

/* The last pz of one tile and block of channels, to y; n: outputs inside, along z, y, x. */
static void finish(const float *g, size_t step, float *sums, const float *bias, const size_t n[3], const wout_t *out, size_t at,
                   size_t row, size_t plane)
{
    vec_t o[16], *s = (vec_t *)sums;
    plane_output(g, step, o);
#pragma GCC unroll 16
    for (size_t j = 0; j < 16; j++) s[48 + j] += o[j];
    for (size_t z = 0; z < n[0]; z++)
        for (size_t y = 0; y < n[1]; y++)
            for (size_t x = 0; x < n[2]; x++)
                put(&s[(z * 4 + y) * 4 + x], (const vec_t *)bias, out, at + z * plane + y * row + x * B);
}

static size_t inside(size_t extent, size_t at)
{
    return extent - at < 4 ? extent - at : 4;
}

static void complete(const tiles_t *t, const float *g, size_t op, size_t step, float *sums, const wout_t *out)
{
    size_t row = t->in[2] * B, plane = t->in[1] * row;
    for (size_t at = 0; at < t->m;) {
        strip_t s = wino_strip(t, at);
        size_t base = s.sample * out->step + s.z * plane + s.y * row + s.x * B;
        for (size_t i = 0; i < s.count; i++, base += 4 * B) {
            size_t n[3] = {inside(t->in[0], s.z), inside(t->in[1], s.y), inside(t->in[2], s.x + 4 * i)};
            for (size_t c = 0; c < op; c += B, sums += SLOTS * B)
                finish(g + (at + i) * op + c, step, sums, out->bias + c, n, out, base + c * t->in[0] * plane / B, row, plane);
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
    case 3: gather(g, t->m, op, step, 3, sums); break;
    case 4: gather(g, t->m, op, step, 4, sums); break;
    default: complete(t, g, op, step, sums, out);
    }
}

/* ---- weights ---- */

/* q (6, `to` apart) = G a for three values `step` apart */
INLINE void weight_line(const vec_t *a, const size_t step, vec_t *q, const size_t to)
{
    const float na = (float)WINO_NA, nb = (float)WINO_NB;
    vec_t e = na * (a[0] + PAA * a[2 * step]), o = na * PA * a[step];
    vec_t f = nb * (a[0] + PBB * a[2 * step]), p = nb * PB * a[step];
    q[0] = a[0];
    q[to] = e + o;
    q[2 * to] = e - o;
    q[3 * to] = f + p;
    q[4 * to] = f - p;
    q[5 * to] = a[2 * step];
}

/* a (3) = G^T q for six values */
INLINE void weight_line_back(const vec_t *q, const size_t step, vec_t *a, const size_t to)
{
    const float na = (float)WINO_NA, nb = (float)WINO_NB;
    vec_t e = na * (q[step] + q[2 * step]), o = na * PA * (q[step] - q[2 * step]);
    vec_t f = nb * (q[3 * step] + q[4 * step]), p = nb * PB * (q[3 * step] - q[4 * step]);
    a[0] = q[0] + (e + f);
    a[to] = o + p;
    a[2 * to] = PAA * e + PBB * f + q[5 * step];
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

const wino_form_t PASTE(wino_f4_, NN_ISA) = {4, weights, input, grad, output, weights_end};
