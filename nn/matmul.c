/* matmul: see matmul.h. The loops around the kernels, after Goto and van de Geijn 2008, doi 10.1145/1356052.1356053: groups
 * of columns, shared by the threads; slices of K; panels of a group. A slice of x stays in the second cache, a panel of w in
 * the first. */
#include "config.h"

#include "nn/matmul.h"

#include "base/mem.h"
#include "nn/matmul_kern.h"

enum { GROUP = 8 }; /* panels */

static const matmul_kern_t *const kernels[ISA_COUNT] = {
    [ISA_REF] = &matmul_kern_ref,
    [ISA_VEC] = &matmul_kern_vec,
#ifdef HAVE_AVX2
    [ISA_AVX2] = &matmul_kern_avx2,
#endif
#ifdef HAVE_AVX512
    [ISA_AVX512] = &matmul_kern_avx512,
#endif
};

/* Columns from..to-1 of y. */
static void group(const matmul_t *m, const matmul_kern_t *kern, size_t from, size_t to)
{
    float b[MATMUL_DEPTH * MATMUL_WIDE] __attribute__((aligned(MEM_ALIGN)));
    size_t slices = (m->in + MATMUL_DEPTH - 1) / MATMUL_DEPTH, depth = (m->in + slices - 1) / slices;
    for (size_t k = 0; k < m->in; k += depth) {
        size_t d = m->in - k < depth ? m->in - k : depth;
        for (size_t n = from; n < to; n += kern->wide) {
            size_t cols = to - n < kern->wide ? to - n : kern->wide;
            kern->pack(m->across ? m->w + k * m->ldw + n : m->w + n * m->ldw + k, m->ldw, m->across, cols, d, b);
            kern->product(m->x + k, m->ldx, b, m->rows, cols, d, k > 0, m->y + n, m->ldy);
            if (k + d == m->in) kern->finish(m, n, cols);
        }
    }
}

void matmul(const matmul_t *m, isa_t isa, int threads)
{
    const matmul_kern_t *kern = kernels[isa];
    size_t panels = (m->out + kern->wide - 1) / kern->wide, share = (size_t)(threads > 1 ? threads : 1), each = GROUP;
    if (panels < share * each) each = (panels + share - 1) / share;
    each *= kern->wide;
    size_t groups = (m->out + each - 1) / each;
#pragma omp parallel for num_threads(threads) if (threads > 1) schedule(static)
    for (size_t g = 0; g < groups; g++) group(m, kern, g * each, (g + 1) * each < m->out ? (g + 1) * each : m->out);
}
