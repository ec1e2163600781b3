/* fixed: see fixed.h. The loops around the kernels are those of nn/matmul.c, without its packing: groups of columns, shared by the
 * threads; slices of K; panels of a group. */
#include "config.h"

#include "nn/fixed.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "nn/fixed_kern.h"

enum { GROUP = 8 }; /* panels */

static const fixed_kern_t *const kernels[ISA_COUNT] = {
    [ISA_REF] = &fixed_kern_ref,
    [ISA_VEC] = &fixed_kern_vec,
#ifdef HAVE_AVX2
    [ISA_AVX2] = &fixed_kern_avx2,
#endif
#ifdef HAVE_AVX512
    [ISA_AVX512] = &fixed_kern_avx512,
#endif
};

/* Columns col.. of one panel. row (K'): scratch. */
static void pack_panel(fixed_t *f, const fixed_kern_t *kern, const float *w, size_t ldw, size_t col, int16_t *row)
{
    size_t even = fixed_even(f->in), cols = f->out - col < FIXED_WIDE ? f->out - col : FIXED_WIDE;
    int16_t *b = f->q + col * even;
    if (cols < FIXED_WIDE) memset(b, 0, even * FIXED_WIDE * sizeof *b);
    for (size_t n = 0; n < cols; n++) {
        f->scale[col + n] = kern->row(w + (col + n) * ldw, f->in, row);
        for (size_t k = 0; k < even; k += 2) memcpy(b + (k / 2 * FIXED_WIDE + n) * 2, row + k, 2 * sizeof *b);
    }
}

int fixed_pack(fixed_t *f, const float *w, size_t ldw, size_t in, size_t out, err_t *err)
{
    const fixed_kern_t *kern = kernels[isa_best()];
    size_t even = fixed_even(in), panels = (out + FIXED_WIDE - 1) / FIXED_WIDE, bad = 0;
    *f = (fixed_t){.in = in, .out = out};
    if (!(f->q = mem_new(panels * FIXED_WIDE, even * sizeof *f->q, err)) || !(f->scale = mem_new(out, sizeof *f->scale, err)))
        return -1;
#pragma omp parallel reduction(+ : bad)
    {
        int16_t *row = mem_new(even, sizeof *row, &(err_t){0});
        bad = !row;
#pragma omp for schedule(static)
        for (size_t p = 0; p < panels; p++)
            if (row) pack_panel(f, kern, w, ldw, p * FIXED_WIDE, row);
        mem_free(row);
    }
    return bad ? err_set(err, ERR_NOMEM, "out of memory") : 0;
}

void fixed_free(fixed_t *f)
{
    mem_free(f->q);
    mem_free(f->scale);
    memset(f, 0, sizeof *f);
}

void fixed_rows(const float *x, size_t ldx, size_t rows, size_t in, int16_t *q, size_t ldq, float *scale, isa_t isa)
{
    for (size_t t = 0; t < rows; t++) scale[t] = kernels[isa]->row(x + t * ldx, in, q + t * ldq);
}

/* Columns from..to-1 of y. */
static void group(const fixedmul_t *m, const fixed_kern_t *kern, size_t from, size_t to)
{
    const size_t even = fixed_even(m->w->in), slices = (even + FIXED_DEPTH - 1) / FIXED_DEPTH;
    const size_t depth = fixed_even((even + slices - 1) / slices);
    for (size_t k = 0; k < even; k += depth) {
        size_t d = even - k < depth ? even - k : depth;
        for (size_t n = from; n < to; n += FIXED_WIDE) {
            size_t cols = to - n < FIXED_WIDE ? to - n : FIXED_WIDE;
            kern->product(m->x + k, m->ldx, m->w->q + n * even + k * FIXED_WIDE, m->rows, cols, d, k > 0, m->y + n, m->ldy);
            if (k + d == even) kern->finish(m, n, cols);
        }
    }
}

void fixed_product(const fixedmul_t *m, isa_t isa, int threads)
{
    const size_t out = m->w->out, panels = (out + FIXED_WIDE - 1) / FIXED_WIDE, share = (size_t)(threads > 1 ? threads : 1);
    size_t each = (panels < share * GROUP ? (panels + share - 1) / share : GROUP) * FIXED_WIDE, groups = (out + each - 1) / each;
#pragma omp parallel for num_threads(threads) if (threads > 1) schedule(static)
    for (size_t g = 0; g < groups; g++)
        group(m, kernels[isa], g * each, (g + 1) * each < out ? (g + 1) * each : out);
}
