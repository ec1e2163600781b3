/* matmul_ref: the steps of matmul in plain C. */
#include <math.h>

#include "nn/matmul_kern.h"

enum { WIDE = 8 };

static void pack(const float *w, size_t ldw, bool across, size_t cols, size_t depth, float *b)
{
    for (size_t k = 0; k < depth; k++)
        for (size_t n = 0; n < WIDE; n++) b[k * WIDE + n] = n >= cols ? 0 : across ? w[k * ldw + n] : w[n * ldw + k];
}

static void product(const float *x, size_t ldx, const float *b, size_t rows, size_t cols, size_t depth, bool sum, float *y,
                    size_t ldy)
{
    for (size_t t = 0; t < rows; t++)
        for (size_t n = 0; n < cols; n++) {
            float s = sum ? y[t * ldy + n] : 0;
            for (size_t k = 0; k < depth; k++) s += x[t * ldx + k] * b[k * WIDE + n];
            y[t * ldy + n] = s;
        }
}

static void finish(const matmul_t *m, size_t col, size_t cols)
{
    for (size_t t = 0; t < m->rows; t++)
        for (size_t n = col; n < col + cols; n++) {
            float *y = m->y + t * m->ldy + n;
            *y *= m->scale;
            if (m->bias) *y += m->bias[n];
            if (m->act == ACT_GELU)
                *y = (float)(*y * 0.5 * erfc(-*y * sqrt(0.5)));
            else
                act_forward(m->act, y, 1, y);
            if (m->add) *y += m->add[(ptrdiff_t)t * m->ldadd + (ptrdiff_t)n];
        }
}

const matmul_kern_t matmul_kern_ref = {"ref", WIDE, pack, product, finish};
