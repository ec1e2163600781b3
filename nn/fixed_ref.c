/* fixed_ref: the steps of fixed in plain C. */
#include <math.h>
#include <string.h>

#include "nn/fixed_kern.h"

static float row(const float *x, size_t in, int16_t *q)
{
    double square = 0, top = 0, limit = FIXED_NORM - 0.5 * sqrt((double)in), up;
    for (size_t k = 0; k < in; k++) {
        square += (double)x[k] * (double)x[k];
        if (!(fabs((double)x[k]) <= top)) top = fabs((double)x[k]);
    }
    if (in % 2) q[in] = 0;
    if (!(square > 0 && square < INFINITY)) {
        memset(q, 0, in * sizeof *q);
        return square == 0 ? 0 : NAN;
    }
    up = fmin(limit / sqrt(square), FIXED_TOP / top);
    for (size_t k = 0; k < in; k++) q[k] = (int16_t)lrint((double)x[k] * up);
    return (float)(1 / up);
}

static void product(const int16_t *x, size_t ldx, const int16_t *b, size_t rows, size_t cols, size_t depth, bool sum, float *y,
                    size_t ldy)
{
    for (size_t t = 0; t < rows; t++)
        for (size_t n = 0; n < cols; n++) {
            int32_t s = 0;
            if (sum) memcpy(&s, y + t * ldy + n, sizeof s);
            for (size_t k = 0; k < depth; k++) s += x[t * ldx + k] * b[(k / 2 * FIXED_WIDE + n) * 2 + k % 2];
            memcpy(y + t * ldy + n, &s, sizeof s);
        }
}

static void finish(const fixedmul_t *m, size_t col, size_t cols)
{
    for (size_t t = 0; t < m->rows; t++)
        for (size_t n = col; n < col + cols; n++) {
            float *y = m->y + t * m->ldy + n;
            int32_t s;
            memcpy(&s, y, sizeof s);
            *y = (float)s * (m->xscale[t] * m->w->scale[n]);
            if (m->bias) *y += m->bias[n];
            if (m->act == ACT_GELU)
                *y = (float)(*y * 0.5 * erfc(-*y * sqrt(0.5)));
            else
                act_forward(m->act, y, 1, y);
            if (m->add) *y += m->add[t * m->ldadd + n];
        }
}

const fixed_kern_t fixed_kern_ref = {"ref", row, product, finish};
