/* layers: see layers.h. BERT (Devlin et al. 2019, arXiv 1810.04805) and MPNet (Song et al. 2020, arXiv 2004.09297), each
 * layer: attention, its output added to its input, LayerNorm; two dense layers with GELU between, added, LayerNorm. */
#include "text/layers.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/mem.h"
#include "nn/matmul.h"
#include "nn/rows.h"

/* MPNet counts positions from 2 and passes over its padding token, 1, wherever that stands. */
enum { MPNET_PAD = 1 };

/* Matrices of one pass, rows ld apart. */
typedef struct {
    const folder_t *f;
    const weights_t *w;
    const batch_t *b;
    isa_t isa;
    int threads;
    size_t rows, ld, ld3, ldh, ldp; /* ld: of C; ld3: of 3 C; ldh: of F; ldp: of the scores */
    float *x, *z;                   /* (T,C) what runs through the layers, and the sums before LayerNorm */
    float *qkv, *ctx, *h;           /* (T,3C), (T,C), (T,F) */
    float *p;                       /* (threads, longest, longest) */
    float *q, *scale;               /* fixed point: rows of int16, ldq apart, and (T); the input of the next products */
    size_t ldq;
    size_t longest;
} pass_t;

/* Lay the matrices out in work; returns the floats that they take. */
static size_t lay_out(pass_t *s, float *work, size_t rows, size_t longest)
{
    const folder_t *f = s->f;
    s->ld = matmul_stride(f->dim);
    s->ld3 = matmul_stride(3 * f->dim);
    s->ldh = matmul_stride(f->hidden);
    s->ldp = matmul_stride(longest);
    s->longest = longest;
    const bool fixed = s->w->fixed;
    s->ldq = 2 * matmul_stride((f->dim > f->hidden ? f->dim : f->hidden) / 2 + 1);
    float **const to[] = {&s->x, &s->z, &s->ctx, &s->qkv, &s->h, &s->p, &s->q, &s->scale};
    const size_t n[] = {rows * s->ld, rows * s->ld, rows * s->ld, rows * s->ld3, rows * s->ldh,
                        (size_t)s->threads * longest * s->ldp, fixed ? rows * s->ldq / 2 : 0, fixed ? rows : 0};
    size_t at = 0;
    for (size_t i = 0; i < sizeof n / sizeof *n; i++) {
        if (work) *to[i] = work + at;
        at += n[i];
    }
    return at;
}

size_t layers_work(const folder_t *f, const weights_t *w, size_t rows, size_t longest, int threads)
{
    pass_t s = {.f = f, .w = w, .threads = threads};
    return lay_out(&s, NULL, rows, longest);
}

/* x (T,in) becomes the input of dense(). */
static void input(const pass_t *s, const float *x, size_t ldx, size_t in)
{
    if (!s->w->fixed) return;
    int16_t *q = (int16_t *)s->q;
#pragma omp parallel for num_threads(s->threads) if (s->threads > 1) schedule(static)
    for (size_t t = 0; t < s->rows; t++) fixed_rows(x + t * ldx, ldx, 1, in, q + t * s->ldq, s->ldq, s->scale + t, s->isa);
}

/* y (T,out) = act(x (T,in) w^T + b) + add; x was handed to input() */
static void dense(const pass_t *s, const dense_t *d, size_t in, size_t out, const float *x, size_t ldx, act_t act, const float *add,
                  float *y, size_t ldy)
{
    if (s->w->fixed) {
        fixedmul_t m = {.rows = s->rows, .x = (const int16_t *)s->q, .xscale = s->scale, .w = &d->fixed, .y = y, .ldx = s->ldq,
                        .ldy = ldy, .bias = d->b, .act = act, .add = add, .ldadd = s->ld};
        fixed_product(&m, s->isa, s->threads);
        return;
    }
    matmul_t m = {.rows = s->rows, .in = in, .out = out, .x = x, .w = d->w, .y = y, .ldx = ldx, .ldw = in, .ldy = ldy,
                  .scale = 1, .bias = d->b, .act = act, .add = add, .ldadd = (ptrdiff_t)s->ld};
    matmul(&m, s->isa, s->threads);
}

static void norm(const pass_t *s, const dense_t *d, const float *x, float *y)
{
#pragma omp parallel for num_threads(s->threads) if (s->threads > 1) schedule(static)
    for (size_t t = 0; t < s->rows; t++)
        rows_at(s->isa)->layernorm(x + t * s->ld, s->f->dim, d->w, d->b, s->f->eps, y + t * s->ld);
}

static void embed(const pass_t *s)
{
    const size_t c = s->f->dim;
    const weights_t *w = s->w;
    for (size_t i = 0; i < s->b->texts; i++) {
        const int32_t *ids = s->b->ids[i];
        size_t n = s->b->start[i + 1] - s->b->start[i], next = s->f->arch == ARCH_MPNET ? MPNET_PAD + 1 : 0;
        for (size_t t = 0; t < n; t++) {
            size_t at = s->f->arch == ARCH_MPNET && ids[t] == MPNET_PAD ? MPNET_PAD : next++;
            const float *a = w->word + (size_t)ids[t] * c, *p = w->position + at * c;
            float *z = s->z + (s->b->start[i] + t) * s->ld;
            for (size_t k = 0; k < c; k++) z[k] = a[k] + (w->type ? w->type[k] : 0) + p[k];
        }
    }
    norm(s, &w->norm, s->z, s->x);
}

/* One head of one text: ctx = softmax(q k^T / sqrt(W) + bias) v */
static void head(const pass_t *s, size_t text, size_t h, float *p)
{
    const size_t wide = s->f->dim / s->f->heads, from = s->b->start[text], n = s->b->start[text + 1] - from, max = s->f->max_tokens;
    const float *q = s->qkv + from * s->ld3 + h * wide;
    matmul_t m = {.rows = n, .in = wide, .out = n, .x = q, .w = q + s->f->dim, .y = p, .ldx = s->ld3, .ldw = s->ld3, .ldy = s->ldp,
                  .scale = (float)(1 / sqrt((double)wide))};
    if (s->w->relative) { /* row t begins at distance -t */
        m.add = s->w->relative + h * (2 * max - 1) + max - 1;
        m.ldadd = -1;
    }
    matmul(&m, s->isa, 1);
    rows_at(s->isa)->softmax(p, n, n, s->ldp);
    m = (matmul_t){.rows = n, .in = n, .out = wide, .x = p, .w = q + 2 * s->f->dim, .y = s->ctx + from * s->ld + h * wide,
                   .ldx = s->ldp, .ldw = s->ld3, .ldy = s->ld, .across = true, .scale = 1};
    matmul(&m, s->isa, 1);
}

static void attention(const pass_t *s)
{
    const size_t heads = s->f->heads, all = s->b->texts * heads;
#pragma omp parallel for num_threads(s->threads) if (s->threads > 1) schedule(dynamic)
    for (size_t i = 0; i < all; i++)
        head(s, i / heads, i % heads, s->p + (s->threads > 1 ? (size_t)omp_get_thread_num() : 0) * s->longest * s->ldp);
}

static void run_layer(const pass_t *s, const layer_t *l)
{
    const size_t c = s->f->dim, f = s->f->hidden;
    input(s, s->x, s->ld, c);
    dense(s, &l->q, c, c, s->x, s->ld, ACT_NONE, NULL, s->qkv, s->ld3);
    dense(s, &l->k, c, c, s->x, s->ld, ACT_NONE, NULL, s->qkv + c, s->ld3);
    dense(s, &l->v, c, c, s->x, s->ld, ACT_NONE, NULL, s->qkv + 2 * c, s->ld3);
    attention(s);
    input(s, s->ctx, s->ld, c);
    dense(s, &l->o, c, c, s->ctx, s->ld, ACT_NONE, s->x, s->z, s->ld);
    norm(s, &l->norm1, s->z, s->x);
    input(s, s->x, s->ld, c);
    dense(s, &l->up, c, f, s->x, s->ld, ACT_GELU, NULL, s->h, s->ldh);
    input(s, s->h, s->ldh, f);
    dense(s, &l->down, f, c, s->h, s->ldh, ACT_NONE, s->x, s->z, s->ld);
    norm(s, &l->norm2, s->z, s->x);
}

/* The mean over the tokens of a text, of unit length. */
static int pool(const pass_t *s, size_t text, float *out)
{
    const size_t c = s->f->dim;
    double square = 0;
    for (size_t k = 0; k < c; k++) {
        double sum = 0;
        for (size_t t = s->b->start[text]; t < s->b->start[text + 1]; t++) sum += (double)s->x[t * s->ld + k];
        out[k] = (float)(sum / (double)(s->b->start[text + 1] - s->b->start[text]));
        square += (double)out[k] * (double)out[k];
    }
    if (!(square > 0 && square < INFINITY)) return -1;
    for (size_t k = 0; k < c; k++) out[k] = (float)((double)out[k] / sqrt(square));
    return 0;
}

int layers_run(const folder_t *f, const weights_t *w, const batch_t *b, isa_t isa, float *work, size_t rows, size_t longest,
               int threads, float *const *out)
{
    pass_t s = {.f = f, .w = w, .b = b, .isa = isa, .threads = threads, .rows = b->start[b->texts]};
    lay_out(&s, work, rows, longest);
    embed(&s);
    for (size_t i = 0; i < f->layers; i++) run_layer(&s, &w->layer[i]);
    for (size_t i = 0; i < b->texts; i++)
        if (pool(&s, i, out[i])) return -1;
    return 0;
}
