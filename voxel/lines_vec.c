/* lines_vec: the inner loops of lines in the compiler's vectors of KERN_VEC floats. Compiled once for every
 * instruction set, with KERN_VEC and what its table entry KERN_ENTRY says given. */
#include "voxel/lines.h"
#include "voxel/lines_kern.h"

#ifndef KERN_VEC
#define KERN_VEC 4 /* what every machine has, or the compiler makes up */
#define KERN_ENTRY lines_kern_vec
#define KERN_NAME "vec"
#define KERN_FFT 5.5
#endif

typedef float vec_t __attribute__((vector_size(KERN_VEC * sizeof(float)), may_alias));
typedef float loose_t __attribute__((vector_size(KERN_VEC * sizeof(float)), aligned(4), may_alias)); /* any address */
typedef float four_t __attribute__((vector_size(4 * sizeof(float)), aligned(4), may_alias));

/* The columns of `vecs` vectors, 1 or 2, which begin at p and q: KERN_ROWS x 2 sums stay in registers. */
static inline __attribute__((always_inline)) void strip(const float *a, size_t rows, size_t cols, const float *p, const float *q, const size_t vecs, float *e)
{
    for (size_t j = 0; j < rows; j += KERN_ROWS) {
        vec_t s[KERN_ROWS][2] = {{{0}}};
        for (size_t i = 0; i < cols; i++) {
            const vec_t u = *(const vec_t *)(p + i * KERN_COLS), v = *(const vec_t *)(q + i * KERN_COLS);
            for (size_t r = 0; r < KERN_ROWS; r++) {
                const float f = a[i * rows + j + r];
                s[r][0] += f * u;
                if (vecs > 1) s[r][1] += f * v;
            }
        }
        for (size_t r = 0; r < KERN_ROWS; r++) {
            vec_t *out = (vec_t *)(e + (j + r) * LINES_W);
            out[0] = s[r][0];
            if (vecs > 1) out[1] = s[r][1];
        }
    }
}

static void product(const float *a, size_t rows, size_t cols, const float *u, size_t panel, size_t w, float *e)
{
    size_t c = 0;
    const float *first[LINES_W / KERN_VEC + 1]; /* of the vectors of a row */
    for (size_t k = 0; k < w; k += KERN_VEC) first[k / KERN_VEC] = u + k / KERN_COLS * panel + k % KERN_COLS;
    for (; c + 2 * KERN_VEC <= w; c += 2 * KERN_VEC) strip(a, rows, cols, first[c / KERN_VEC], first[c / KERN_VEC + 1], 2, e + c);
    if (c < w) strip(a, rows, cols, first[c / KERN_VEC], first[c / KERN_VEC], 1, e + c);
}

static void fold(const float *a, const float *b, size_t half, size_t w, float *const row[4], size_t panel)
{
    float *r0 = row[0], *r1 = row[1], *r2 = row[2], *r3 = row[3];
    for (size_t c = 0; c < w; c += KERN_COLS, r0 += panel, r1 += panel, r2 += panel, r3 += panel)
        for (size_t q = 0; q < KERN_COLS; q += KERN_VEC) {
            const loose_t *pa = (const loose_t *)(a + c + q), *pb = (const loose_t *)(b + c + q);
            const loose_t *pa2 = (const loose_t *)(a + half + c + q), *pb2 = (const loose_t *)(b + half + c + q);
            vec_t p = *pa + *pa2, s = *pa - *pa2, r = *pb + *pb2, t = *pb - *pb2;
            *(vec_t *)(r0 + q) = p + r;
            *(vec_t *)(r1 + q) = p - r;
            *(vec_t *)(r2 + q) = s - t;
            *(vec_t *)(r3 + q) = s + t;
        }
}

/* 4 x 4 at a time. */
static void turn4(const float *v, float *out, size_t pitch)
{
    const four_t *r0 = (const four_t *)v, *r1 = (const four_t *)(v + LINES_W);
    const four_t *r2 = (const four_t *)(v + 2 * LINES_W), *r3 = (const four_t *)(v + 3 * LINES_W);
    four_t a = __builtin_shufflevector(*r0, *r1, 0, 4, 1, 5), b = __builtin_shufflevector(*r0, *r1, 2, 6, 3, 7);
    four_t c = __builtin_shufflevector(*r2, *r3, 0, 4, 1, 5), d = __builtin_shufflevector(*r2, *r3, 2, 6, 3, 7);
    *(four_t *)out = __builtin_shufflevector(a, c, 0, 1, 4, 5);
    *(four_t *)(out + pitch) = __builtin_shufflevector(a, c, 2, 3, 6, 7);
    *(four_t *)(out + 2 * pitch) = __builtin_shufflevector(b, d, 0, 1, 4, 5);
    *(four_t *)(out + 3 * pitch) = __builtin_shufflevector(b, d, 2, 3, 6, 7);
}

static void turn(const float *v, size_t m, size_t w, float *out, size_t pitch)
{
    size_t m4 = m / 4 * 4, w4 = w / 4 * 4;
    for (size_t c = 0; c < w4; c += 4)
        for (size_t j = 0; j < m4; j += 4) turn4(v + j * LINES_W + c, out + c * pitch + j, pitch);
    for (size_t c = 0; c < w; c++)
        for (size_t j = c < w4 ? m4 : 0; j < m; j++) out[c * pitch + j] = v[j * LINES_W + c];
}

const lines_kern_t KERN_ENTRY = {KERN_NAME, KERN_FFT, product, fold, turn};
