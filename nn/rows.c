/* rows: plain C, and the choice among the variants (see rows.h). */
#include "config.h"

#include "nn/rows.h"

#include "nn/layernorm.h"
#include "nn/softmax.h"

const rows_t *rows_at(isa_t isa)
{
    switch (isa) {
    case ISA_VEC: return &rows_vec;
#ifdef HAVE_AVX2
    case ISA_AVX2: return &rows_avx2;
#endif
#ifdef HAVE_AVX512
    case ISA_AVX512: return &rows_avx512;
#endif
    default: return &rows_ref;
    }
}

static void softmax(float *x, size_t rows, size_t c, size_t ld)
{
    for (size_t r = 0; r < rows; r++) softmax_forward(x + r * ld, 1, c, x + r * ld);
}

static void layernorm(const float *x, size_t c, const float *weight, const float *bias, double eps, float *y)
{
    layernorm_forward(x, 1, c, weight, bias, eps, y, NULL);
}

const rows_t rows_ref = {"ref", softmax, layernorm};
