/* pass_vec: the loops of pass.h in the compiler's vectors of NN_VEC floats. Compiled once for every instruction set; a
 * block has NN_VEC lanes. */
#include "nn/pass.h"
#include "nn/vec.h"

typedef float vec_t __attribute__((vector_size(NN_VEC * sizeof(float)), may_alias));
typedef int mask_t __attribute__((vector_size(NN_VEC * sizeof(float)), may_alias));

static void put(const vec_t *part, double *s)
{
    const float *p = (const float *)part;
    for (int l = 0; l < NN_VEC; l++) s[l] += (double)p[l];
}

static size_t piece_end(size_t v, size_t vox)
{
    return vox - v < PASS_PIECE ? vox : v + PASS_PIECE;
}

static void moment(const float *x, size_t vox, size_t b, const float *m, int square, double *s)
{
    if (b != NN_VEC) {
        pass_ref.moment(x, vox, b, m, square, s);
        return;
    }
    const vec_t *px = (const vec_t *)x, zero = {0}, mean = m ? *(const vec_t *)m : zero;
    for (int l = 0; l < NN_VEC; l++) s[l] = 0;
    for (size_t v = 0; v < vox;) {
        vec_t part = zero;
        size_t end = piece_end(v, vox);
        if (square)
            for (; v < end; v++) part += (px[v] - mean) * (px[v] - mean);
        else
            for (; v < end; v++) part += px[v] - mean;
        put(&part, s);
    }
}

static void apply(const float *x, const float *scale, const float *shift, const float *add, int relu, size_t vox, size_t b,
                  float *y)
{
    if (b != NN_VEC) {
        pass_ref.apply(x, scale, shift, add, relu, vox, b, y);
        return;
    }
    const vec_t *px = (const vec_t *)x, *pa = (const vec_t *)add, zero = {0}, one = zero + 1.0f;
    const vec_t f = scale ? *(const vec_t *)scale : one, g = scale ? *(const vec_t *)shift : zero;
    vec_t *py = (vec_t *)y;
    for (size_t v = 0; v < vox; v++) {
        vec_t p = px[v] * f + g;
        if (pa) p += pa[v];
        if (relu) p = (vec_t)((mask_t)p & ~(p < zero));
        py[v] = p;
    }
}

static void back(float *d, const float *out, const float *x, const float *m, size_t vox, size_t b, float *dadd, int sum,
                 double *s, double *t)
{
    if (b != NN_VEC) {
        pass_ref.back(d, out, x, m, vox, b, dadd, sum, s, t);
        return;
    }
    const vec_t *po = (const vec_t *)out, *px = (const vec_t *)x, zero = {0}, mean = x ? *(const vec_t *)m : zero;
    vec_t *pd = (vec_t *)d, *pa = (vec_t *)dadd;
    for (int l = 0; x && l < NN_VEC; l++) s[l] = t[l] = 0;
    for (size_t v = 0; v < vox;) {
        vec_t p = zero, q = zero;
        for (size_t end = piece_end(v, vox); v < end; v++) {
            vec_t e = pd[v];
            if (po) pd[v] = e = (vec_t)((mask_t)e & ~(po[v] <= zero));
            if (pa) pa[v] = (sum ? pa[v] : zero) + e;
            if (px) {
                p += e;
                q += e * (px[v] - mean);
            }
        }
        if (!x) continue;
        put(&p, s);
        put(&q, t);
    }
}

static void back_x(const float *d, const float *x, const float *k, size_t vox, size_t b, float *dx, int sum)
{
    if (b != NN_VEC) {
        pass_ref.back_x(d, x, k, vox, b, dx, sum);
        return;
    }
    const vec_t *pd = (const vec_t *)d, *px = (const vec_t *)x, *c = (const vec_t *)k;
    const vec_t m = c[0], f = c[1], g = c[2], h = c[3], zero = {0};
    vec_t *py = (vec_t *)dx;
    for (size_t v = 0; v < vox; v++) {
        vec_t p = pd[v] * f + ((px[v] - m) * g + h);
        py[v] = (sum ? py[v] : zero) + p;
    }
}

enum { ROWS = 4, VECS = PASS_COLUMNS / NN_VEC };

/* Rows i..i+3 (those past the end repeat the last, and are not stored) and PASS_COLUMNS columns. */
static void tile(size_t rows, size_t kn, const float *a, size_t ars, size_t acs, const float *b, size_t bs, float *c, size_t cs,
                 int sum)
{
    const float *pa[ROWS];
    const vec_t zero = {0};
    vec_t s[ROWS][VECS] = {{{0}}};
    for (size_t r = 0; r < ROWS; r++) pa[r] = a + (r < rows ? r : rows - 1) * ars;
    for (size_t k = 0; k < kn; k++) {
        const vec_t *pb = (const vec_t *)(b + k * bs);
        for (int r = 0; r < ROWS; r++)
            for (int j = 0; j < VECS; j++) s[r][j] += pa[r][k * acs] * pb[j];
    }
    for (size_t r = 0; r < rows; r++) {
        vec_t *pc = (vec_t *)(c + r * cs);
        for (int j = 0; j < VECS; j++) pc[j] = (sum ? pc[j] : zero) + s[r][j];
    }
}

static void product(size_t m, size_t n, size_t kn, const float *a, size_t ars, size_t acs, const float *b, size_t bs, float *c,
                    size_t cs, int sum)
{
    for (size_t j = 0; j < n; j += PASS_COLUMNS)
        for (size_t i = 0; i < m; i += ROWS)
            tile(m - i < ROWS ? m - i : ROWS, kn, a + i * ars, ars, acs, b + j, bs, c + i * cs + j, cs, sum);
}

const pass_t PASTE(pass_, NN_ISA) = {moment, apply, back, back_x, product};
