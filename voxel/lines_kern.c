/* lines_kern: the inner loops of lines, in plain C (see lines_kern.h). */
#include "voxel/lines_kern.h"

#include "voxel/lines.h"

static void product(const float *a, size_t rows, size_t cols, const float *u, float *e)
{
    for (size_t j = 0; j < rows; j += KERN_ROWS)
        for (size_t c = 0; c < LINES_W; c += 16) {
            float s[KERN_ROWS][16] = {{0}};
            for (size_t i = 0; i < cols; i++)
                for (size_t r = 0; r < KERN_ROWS; r++)
                    for (size_t q = 0; q < 16; q++) s[r][q] += a[i * rows + j + r] * u[i * LINES_W + c + q];
            for (size_t r = 0; r < KERN_ROWS; r++)
                for (size_t q = 0; q < 16; q++) e[(j + r) * LINES_W + c + q] = s[r][q];
        }
}

lines_kern_t lines_kern(void) { return product; }

static void clear_tail(size_t w, float *const row[4])
{
    for (int k = 0; k < 4; k++)
        for (size_t c = w; row[k] && c < LINES_W; c++) row[k][c] = 0;
}

void lines_fold4(const float *a, const float *b, size_t half, size_t w, bool self, float *const row[4])
{
    const float *a2 = a + half, *b2 = b + half;
    if (self) {
        for (int k = 0; k < 2; k++)
            for (size_t c = 0; row[k] && c < w; c++) row[k][c] = a[c] + a2[c];
        for (int k = 2; k < 4; k++)
            for (size_t c = 0; row[k] && c < w; c++) row[k][c] = a[c] - a2[c];
    } else {
        float *r0 = row[0], *r1 = row[1], *r2 = row[2], *r3 = row[3];
        for (size_t c = 0; c < w; c++) {
            float p = a[c] + a2[c], q = b[c] + b2[c], s = a[c] - a2[c], t = b[c] - b2[c];
            r0[c] = p + q; /* + even */
            r1[c] = p - q; /* + odd */
            r2[c] = s - t; /* - even: the image of u is -u[h-i] */
            r3[c] = s + t; /* - odd */
        }
    }
    if (w < LINES_W) clear_tail(w, row);
}

void lines_fold2(const float *a, const float *b, size_t w, bool self, float *const row[4])
{
    if (self) {
        for (int k = 0; k < 2; k++)
            for (size_t c = 0; row[k] && c < w; c++) row[k][c] = a[c];
    } else {
        for (size_t c = 0; c < w; c++) {
            row[0][c] = a[c] + b[c];
            row[1][c] = a[c] - b[c];
        }
    }
    if (w < LINES_W) clear_tail(w, row);
}

static const float zero[LINES_W];

void lines_unfold4(const float *const row[4], float *a, float *b, size_t half)
{
    const float *e0 = row[0] ? row[0] : zero, *o0 = row[1] ? row[1] : zero;
    const float *e1 = row[2] ? row[2] : zero, *o1 = row[3] ? row[3] : zero;
    float *a2 = a + half, *b2 = b ? b + half : NULL;
    for (size_t c = 0; c < LINES_W; c++) {
        float p = e0[c] + o0[c], q = e1[c] + o1[c];
        a[c] = p + q;
        a2[c] = p - q;
    }
    for (size_t c = 0; b && c < LINES_W; c++) {
        float p = e0[c] - o0[c], q = e1[c] - o1[c];
        b[c] = p - q; /* v-[g-j] = -(E - O) */
        b2[c] = p + q;
    }
}

void lines_unfold2(const float *const row[4], float *a, float *b)
{
    const float *e = row[0] ? row[0] : zero, *o = row[1] ? row[1] : zero;
    for (size_t c = 0; c < LINES_W; c++) a[c] = e[c] + o[c];
    for (size_t c = 0; b && c < LINES_W; c++) b[c] = e[c] - o[c];
}
