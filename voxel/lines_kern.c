/* lines_kern: the inner loops of lines in plain C, and the choice among their variants (see lines_kern.h). */
#include "voxel/lines_kern.h"

#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "voxel/lines.h"

static void product(const float *a, size_t rows, size_t cols, const float *u, size_t panel, size_t w, float *e)
{
    for (size_t c = 0; c < w; c++)
        for (size_t j = 0; j < rows; j++) {
            const float *p = u + c / KERN_COLS * panel + c % KERN_COLS;
            float s = 0;
            for (size_t i = 0; i < cols; i++) s += a[i * rows + j] * p[i * KERN_COLS];
            e[j * LINES_W + c] = s;
        }
}

static void fold(const float *a, const float *b, size_t half, size_t w, float *const row[4], size_t panel)
{
    const float *a2 = a + half, *b2 = b + half;
    for (size_t c = 0; c < w; c++) {
        size_t at = c / KERN_COLS * panel + c % KERN_COLS;
        float p = a[c] + a2[c], q = b[c] + b2[c], s = a[c] - a2[c], t = b[c] - b2[c];
        row[0][at] = p + q;
        row[1][at] = p - q;
        row[2][at] = s - t;
        row[3][at] = s + t;
    }
}

static void turn(const float *v, size_t m, size_t w, float *out, size_t pitch)
{
    for (size_t c = 0; c < w; c++)
        for (size_t j = 0; j < m; j++) out[c * pitch + j] = v[j * LINES_W + c];
}

const lines_kern_t lines_kern_ref = {"ref", 0.5, product, fold, turn};

const lines_kern_t *lines_kern_at(int i)
{
    switch (i) {
    case 0: return &lines_kern_ref;
    case 1: return &lines_kern_vec;
#ifdef HAVE_AVX2
    case 2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &lines_kern_avx2 : NULL;
#endif
#if defined(HAVE_AVX2) && defined(HAVE_AVX512)
    case 3: return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &lines_kern_avx512 : NULL;
#endif
    default: return NULL;
    }
}

const lines_kern_t *lines_kern(void)
{
    const char *want = getenv("CRYOLEX_KERNEL");
    const lines_kern_t *best = lines_kern_at(0);
    for (int i = 1; lines_kern_at(i) && !(want && !strcmp(want, "ref")); i++) best = lines_kern_at(i);
    return best;
}

static void sum(const float *a, const float *b, size_t w, float *to)
{
    for (size_t c = 0; to && c < w; c++) to[c] = a[c] + b[c];
}

static void difference(const float *a, const float *b, size_t w, float *to)
{
    for (size_t c = 0; to && c < w; c++) to[c] = a[c] - b[c];
}

static const float zero[LINES_W];

void lines_unfold4(const float *const row[4], size_t w, float *a, float *b, size_t half)
{
    const float *e0 = row[0] ? row[0] : zero, *o0 = row[1] ? row[1] : zero;
    const float *e1 = row[2] ? row[2] : zero, *o1 = row[3] ? row[3] : zero;
    float *restrict va = a, *restrict va2 = a + half, *restrict vb = b, *restrict vb2 = b ? b + half : NULL;
    for (size_t c = 0; c < w; c++) {
        float p = e0[c] + o0[c], q = e1[c] + o1[c];
        va[c] = p + q;
        va2[c] = p - q;
    }
    for (size_t c = 0; b && c < w; c++) {
        float p = e0[c] - o0[c], q = e1[c] - o1[c];
        vb[c] = p - q; /* v-[g-j] = -(E - O) */
        vb2[c] = p + q;
    }
}

void lines_unfold2(const float *const row[4], size_t w, float *a, float *b)
{
    const float *e = row[0] ? row[0] : zero, *o = row[1] ? row[1] : zero;
    sum(e, o, w, a);
    difference(e, o, w, b);
}
