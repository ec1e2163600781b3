/* topk: see topk.h. Blocks of rows are dealt to the threads. Each keeps, for every query, the K best of the least scores that its rows
 * can have, the K-th of which is a bar, and the rows that may reach the bar. At the end of a part these are scored. */
#include "config.h"

#include "nn/topk.h"

#include <math.h>
#include <omp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/half.h"
#include "base/mem.h"
#include "nn/isa.h"
#include "nn/matmul.h"
#include "nn/topk_kern.h"

enum { BLOCK = 256, FEW = 4, MANY = 12 }; /* rows in hand; queries from which on products, and 8 bits, pay */
static const float under = 0x1p-120f;     /* more than is lost where a product is too small for float32 */

/* Rows that may be among the best of one query, in the eyes of one thread. */
typedef struct {
    float *least; /* (K) heap, the smallest first */
    size_t have;
    struct {
        size_t row; /* of the part */
        float most;
    } * may;
    size_t n, cap;
} few_t;

struct topk {
    const float *q;
    size_t b, d, k, depth;
    topkpass_t pass;
    const topk_kern_t *kern;
    topkrow_t *x;  /* (B) */
    uint8_t *q8;   /* (B,depth), 128 added; TOPK_INT8 only */
    near_t *hit;   /* (B,K) heaps, the worst first */
    size_t *have;  /* (B) */
    float *bar;    /* (B) what a row has to reach, by all threads together */
};

/* ---- kernels ---- */

static bool vnni(void)
{
#ifdef HAVE_VNNI
    return isa_best() == ISA_AVX512 && __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl");
#else
    return false;
#endif
}

static const topk_kern_t *kernel(void)
{
    static const topk_kern_t *const kernels[ISA_COUNT] = {
        [ISA_REF] = &topk_kern_ref,
        [ISA_VEC] = &topk_kern_vec,
#ifdef HAVE_AVX2
        [ISA_AVX2] = &topk_kern_avx2,
#endif
#ifdef HAVE_AVX512
        [ISA_AVX512] = &topk_kern_avx512,
#endif
    };
#ifdef HAVE_VNNI
    if (vnni()) return &topk_kern_vnni;
#endif
    return kernels[isa_best()];
}

topk_product_t topk_product(void) { return vnni() ? kernel()->product : NULL; }

static topkpass_t choose(topkpass_t pass, size_t b, bool packed)
{
    if (pass != TOPK_AUTO) return pass;
    if (packed && vnni()) return TOPK_INT8;
    return b < FEW ? TOPK_DOT : b >= MANY && vnni() ? TOPK_INT8 : TOPK_FLOAT;
}

const char *topk_pass_name(topkpass_t pass, size_t b, int packed, char out[32])
{
    pass = choose(pass, b, packed);
    snprintf(out, 32, "%s %s", pass == TOPK_DOT ? "dot" : pass == TOPK_FLOAT ? "float32" : "int8",
             pass == TOPK_DOT ? "ref" : pass == TOPK_FLOAT ? isa_name(isa_best()) : kernel()->name);
    return out;
}

/* By 16 lanes. */
typedef float lanes_t __attribute__((vector_size(16), aligned(4), may_alias));

float topk_dot(const float *a, const float *b, size_t d)
{
    lanes_t lane[4] = {{0}};
    float sum = 0;
    size_t k = 0;
    for (; k + 16 <= d; k += 16)
        for (size_t j = 0; j < 4; j++) lane[j] += *(const lanes_t *)(a + k + 4 * j) * *(const lanes_t *)(b + k + 4 * j);
    for (; k < d; k++) lane[k % 16 / 4][k % 4] += a[k] * b[k];
    for (size_t j = 0; j < 16; j++) sum += lane[j / 4][j % 4];
    return sum;
}

/* ---- heaps ---- */

/* Put x in the place of the smallest. */
static void sink(float *heap, size_t n, float x)
{
    size_t i = 0;
    for (size_t c; (c = 2 * i + 1) < n; i = c) {
        if (c + 1 < n && heap[c + 1] < heap[c]) c++;
        if (x <= heap[c]) break;
        heap[i] = heap[c];
    }
    heap[i] = x;
}

static void least_add(float *heap, size_t *have, size_t k, float x)
{
    if (*have == k) {
        if (x > *heap) sink(heap, k, x);
        return;
    }
    size_t i = (*have)++;
    for (; i && x < heap[(i - 1) / 2]; i = (i - 1) / 2) heap[i] = heap[(i - 1) / 2];
    heap[i] = x;
}

static bool worse(near_t a, near_t b) { return a.score != b.score ? a.score < b.score : a.row > b.row; }

void topk_offer(topk_t *t, size_t which, const near_t *hit, size_t n)
{
    near_t *heap = t->hit + which * t->k;
    size_t *have = &t->have[which];
    for (size_t h = 0; h < n; h++) {
        near_t x = hit[h];
        size_t i = 0;
        if (*have < t->k) {
            for (i = (*have)++; i && worse(x, heap[(i - 1) / 2]); i = (i - 1) / 2) heap[i] = heap[(i - 1) / 2];
        } else {
            if (!worse(*heap, x)) continue;
            for (size_t c; (c = 2 * i + 1) < t->k; i = c) {
                if (c + 1 < t->k && worse(heap[c + 1], heap[c])) c++;
                if (!worse(heap[c], x)) break;
                heap[i] = heap[c];
            }
        }
        heap[i] = x;
    }
}

static int best_first(const void *a, const void *b)
{
    const near_t *x = a, *y = b;
    return worse(*y, *x) ? -1 : worse(*x, *y);
}

size_t topk_hits(const topk_t *t, size_t which, near_t *hit)
{
    memcpy(hit, t->hit + which * t->k, t->have[which] * sizeof *hit);
    qsort(hit, t->have[which], sizeof *hit, best_first);
    return t->have[which];
}

/* ---- packing ---- */

/* A vector by a kernel, with what float32 sums are off added. */
static topkrow_t measure(const topk_kern_t *kern, const float *w, size_t d, int8_t *q)
{
    topkrow_t r = kern->row(w, d, q);
    r.off += r.norm * topk_slack(d);
    return r;
}

/* Rows at..at+n-1 of the base as float32: in place, or unpacked into scratch (n,D). */
static const float *rows_of(const topkbase_t *base, size_t at, size_t n, float *scratch)
{
    if (base->f) return base->f + at * base->d;
    half_unpack(base->h + at * base->d, n * base->d, scratch);
    return scratch;
}

/* n <= BLOCK rows into panels. row (depth): scratch. Returns the first that is not finite, or n. */
static size_t pack_rows(const topk_kern_t *kern, const float *w, size_t n, topkpack_t *p, size_t at, int8_t *row)
{
    for (size_t i = 0; i < n; i++) {
        topkrow_t r = measure(kern, w + i * p->d, p->d, row);
        int8_t *to = p->q + (at + i) / TOPK_WIDE * TOPK_WIDE * p->depth + (at + i) % TOPK_WIDE * 4;
        if (isnan(r.norm)) return i;
        for (size_t k = 0; k < p->depth; k += 4) memcpy(to + k * TOPK_WIDE, row + k, 4);
        p->start[at + i] = -128 * r.sum;
        p->scale[at + i] = r.scale;
        p->off[at + i] = r.off;
        p->norm[at + i] = r.norm;
    }
    return n;
}

static int pack_new(topkpack_t *p, size_t n, size_t d, err_t *err)
{
    size_t all = (n + TOPK_WIDE - 1) / TOPK_WIDE * TOPK_WIDE, depth = (d + 3) / 4 * 4;
    *p = (topkpack_t){.n = n, .d = d, .depth = depth};
    p->q = mem_zero(all, depth, err);
    p->start = mem_zero(all, sizeof *p->start, err);
    p->scale = mem_zero(all, sizeof *p->scale, err);
    p->off = mem_zero(all, sizeof *p->off, err);
    p->norm = mem_zero(all, sizeof *p->norm, err);
    return p->q && p->start && p->scale && p->off && p->norm ? 0 : -1;
}

void topk_unpack(topkpack_t *p)
{
    mem_free(p->q);
    mem_free(p->start);
    mem_free(p->scale);
    mem_free(p->off);
    mem_free(p->norm);
    *p = (topkpack_t){0};
}

static int not_finite(size_t row, err_t *err)
{
    return err_set(err, ERR_RANGE, "row %zu: a number that is not finite, or too large", row);
}

int topk_pack(const topkbase_t *base, topkpack_t *p, err_t *err)
{
    const topk_kern_t *kern = kernel();
    size_t bad = SIZE_MAX;
    int poor = 0;
    *p = (topkpack_t){0};
    if (base->d < 1 || base->d > TOPK_DIM_MAX) return err_set(err, ERR_RANGE, "vectors of %zu numbers (1 to %d)", base->d, TOPK_DIM_MAX);
    if (pack_new(p, base->n, base->d, err)) {
        topk_unpack(p);
        return -1;
    }
#pragma omp parallel reduction(min : bad) reduction(| : poor)
    {
        float *scratch = mem_new(base->h ? BLOCK : 1, base->d * sizeof *scratch, NULL);
        int8_t *row = mem_zero(p->depth, 1, NULL);
        poor = !scratch || !row;
#pragma omp for schedule(static)
        for (size_t at = 0; at < base->n; at += BLOCK) {
            size_t n = base->n - at < BLOCK ? base->n - at : BLOCK, i = n;
            if (!poor) i = pack_rows(kern, rows_of(base, at, n, scratch), n, p, at, row);
            if (i < n && at + i < bad) bad = at + i;
        }
        mem_free(scratch);
        mem_free(row);
    }
    if (poor || bad < SIZE_MAX) topk_unpack(p);
    return poor ? err_set(err, ERR_NOMEM, "out of memory") : bad < SIZE_MAX ? not_finite(base->first + bad, err) : 0;
}

/* ---- a search ---- */

topk_t *topk_new(const float *q, size_t b, size_t d, size_t k, topkpass_t pass, err_t *err)
{
    if (d < 1 || d > TOPK_DIM_MAX) {
        err_set(err, ERR_RANGE, "vectors of %zu numbers (1 to %d)", d, TOPK_DIM_MAX);
        return NULL;
    }
    topk_t *t = mem_zero(1, sizeof *t, err);
    int8_t *row = mem_zero(d, 1, err);
    if (!t || !row) goto failed;
    *t = (topk_t){.q = q, .b = b, .d = d, .k = k, .depth = (d + 3) / 4 * 4, .pass = pass, .kern = kernel()};
    if (!(t->x = mem_new(b, sizeof *t->x, err)) || !(t->q8 = mem_new(b, t->depth, err)) || !(t->hit = mem_new(b, k * sizeof *t->hit, err)) ||
        !(t->have = mem_zero(b, sizeof *t->have, err)) || !(t->bar = mem_new(b, sizeof *t->bar, err)))
        goto failed;
    for (size_t i = 0; i < b; i++) {
        t->x[i] = measure(t->kern, q + i * d, d, row);
        t->x[i].norm += t->x[i].off; /* of the rounded query */
        if (isnan(t->x[i].norm)) {
            err_set(err, ERR_RANGE, "query %zu: a number that is not finite, or too large", i);
            goto failed;
        }
        for (size_t j = 0; j < t->depth; j++) t->q8[i * t->depth + j] = (uint8_t)(128 + (j < d ? row[j] : 0));
    }
    mem_free(row);
    return t;
failed:
    mem_free(row);
    topk_free(t);
    return NULL;
}

void topk_free(topk_t *t)
{
    if (!t) return;
    mem_free(t->x);
    mem_free(t->q8);
    mem_free(t->hit);
    mem_free(t->have);
    mem_free(t->bar);
    mem_free(t);
}

/* What a thread works with, on queries from..from+b-1. */
typedef struct {
    topk_t *t;
    const topkbase_t *base;
    topkpass_t pass;
    size_t from, b;
    few_t *few;      /* (b) */
    float *y;        /* (b,BLOCK) */
    float *scratch;  /* (BLOCK,D) */
    int8_t *row;     /* (depth) */
    topkpack_t hand; /* BLOCK rows */
    uint32_t may[BLOCK];
    size_t bad;      /* first row that is not finite */
    bool poor;       /* no memory */
} worker_t;

static void worker_end(worker_t *w)
{
    for (size_t i = 0; w->few && i < w->b; i++) mem_free(w->few[i].may);
    if (w->few && w->b) mem_free(w->few[0].least);
    mem_free(w->few);
    mem_free(w->y);
    mem_free(w->scratch);
    mem_free(w->row);
    topk_unpack(&w->hand);
}

static void worker_new(worker_t *w)
{
    const topk_t *t = w->t;
    float *least = mem_new(w->b, t->k * sizeof *least, NULL);
    w->few = mem_zero(w->b, sizeof *w->few, NULL);
    w->y = mem_zero(w->b, BLOCK * sizeof *w->y, NULL);
    w->scratch = mem_new(w->base->h ? BLOCK : 1, t->d * sizeof *w->scratch, NULL);
    w->row = mem_zero(t->depth, 1, NULL);
    w->bad = SIZE_MAX;
    w->poor = !least || !w->few || !w->y || !w->scratch || !w->row || pack_new(&w->hand, BLOCK, t->d, NULL);
    if (!w->few) mem_free(least);
    for (size_t i = 0; w->few && least && i < w->b; i++) w->few[i].least = least + i * t->k;
}

/* What a row has to reach for query i, as all threads have it now. */
static float read_bar(const worker_t *w, size_t i)
{
    const float *shared = &w->t->bar[w->from + i];
    float bar;
#pragma omp atomic read
    bar = *shared;
    return bar;
}

/* A row that may score `most`, and no less than `least`. */
static int consider(worker_t *w, size_t i, size_t row, float most, float least)
{
    few_t *f = &w->few[i];
    if (f->n == f->cap) { /* some were let in while the bar was low */
        const float bar = read_bar(w, i);
        size_t n = 0;
        for (size_t k = 0; k < f->n; k++)
            if (!(f->may[k].most < bar)) f->may[n++] = f->may[k];
        f->n = n;
        if (2 * n >= f->cap && mem_grow(&f->may, &f->cap, n + 64, sizeof *f->may, NULL)) return -1;
    }
    f->may[f->n].row = row;
    f->may[f->n++].most = most;
    least_add(f->least, &f->have, w->t->k, least - under);
    return 0;
}

/* The bar is for all threads. It only has to be one that some thread has found; the latest is as good as the highest. */
static float raise_bar(worker_t *w, size_t i)
{
    float *shared = &w->t->bar[w->from + i], bar = read_bar(w, i);
    const few_t *f = &w->few[i];
    if (f->have == w->t->k && *f->least > bar) {
        bar = *f->least;
#pragma omp atomic write
        *shared = bar;
    }
    return bar;
}

static void look_by_dot(worker_t *w, const float *rows, size_t at, size_t n)
{
    const topk_t *t = w->t;
    for (size_t r = 0; r < n; r++) {
        const float *row = rows + r * t->d;
        for (size_t i = 0; i < w->b; i++) {
            float s = topk_dot(t->q + (w->from + i) * t->d, row, t->d);
            if (s < raise_bar(w, i)) continue;
            if (consider(w, i, at + r, s, s)) w->poor = true;
        }
        if (!t->kern->fits(row, t->d)) { /* the row is in the nearest cache now */
            w->bad = at + r < w->bad ? at + r : w->bad;
            return;
        }
    }
}

/* The n rows from `at` on have been multiplied; p holds what is known of them from its row `in` on. */
static void look_by_product(worker_t *w, const topkpack_t *p, size_t in, size_t at, size_t n)
{
    const topk_t *t = w->t;
    for (size_t i = 0; i < w->b; i++) {
        topkscan_t s = {.y = w->y + i * BLOCK, .scale = p->scale + in, .off = p->off + in, .norm = p->norm + in, .n = n, .x = t->x[w->from + i]};
        if (w->pass == TOPK_FLOAT) s.x.scale = 1, s.x.off = 0;
        size_t m = t->kern->scan(&s, raise_bar(w, i), w->may);
        for (size_t k = 0; k < m; k++)
            if (consider(w, i, at + w->may[k], topk_most(&s, w->may[k]), topk_least(&s, w->may[k]))) w->poor = true;
    }
}

/* Norms of rows that are multiplied in float32. */
static size_t measure_rows(worker_t *w, const float *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        topkrow_t r = measure(w->t->kern, rows + i * w->t->d, w->t->d, NULL);
        if (isnan(r.norm)) return i;
        w->hand.scale[i] = 1;
        w->hand.off[i] = r.off;
        w->hand.norm[i] = 0;
    }
    return n;
}

static void look_at_block(worker_t *w, size_t at, size_t n)
{
    const topk_t *t = w->t;
    const topkpack_t *p = w->pass == TOPK_INT8 ? w->base->pack : NULL;
    const float *rows = p ? NULL : rows_of(w->base, at, n, w->scratch);
    size_t in = p ? at : 0, good = n, panels = (n + TOPK_WIDE - 1) / TOPK_WIDE;
    if (w->pass == TOPK_DOT) {
        look_by_dot(w, rows, at, n);
        return;
    }
    if (w->pass == TOPK_FLOAT) {
        const matmul_t m = {.rows = w->b, .in = t->d, .out = n, .x = t->q + w->from * t->d, .w = rows, .y = w->y,
                            .ldx = t->d, .ldw = t->d, .ldy = BLOCK, .scale = 1};
        good = measure_rows(w, rows, n);
        if (good == n) matmul(&m, isa_best(), 1);
    } else {
        if (!p) good = pack_rows(t->kern, rows, n, &w->hand, 0, w->row);
        if (!p) p = &w->hand;
        if (good == n)
            t->kern->product(t->q8 + w->from * t->depth, t->depth, w->b, p->q + in * t->depth, panels, t->depth, p->start + in, w->y, BLOCK);
    }
    if (good == n) look_by_product(w, p ? p : &w->hand, in, at, n);
    else w->bad = at + good < w->bad ? at + good : w->bad;
}

/* Score what may be among the best of query i of the batch, in the eyes of any thread. */
static void settle(const worker_t *w, int workers, size_t i, float *row)
{
    topk_t *t = w->t;
    few_t *all = &w->few[i];
    for (int k = 1; k < workers; k++)
        for (size_t j = 0; j < w[k].few[i].have; j++) least_add(all->least, &all->have, t->k, w[k].few[i].least[j]);
    float bar = all->have == t->k ? *all->least : -INFINITY;
    if (t->have[w->from + i] == t->k) bar = fmaxf(bar, t->hit[(w->from + i) * t->k].score);
    for (int k = 0; k < workers; k++)
        for (size_t j = 0; j < w[k].few[i].n; j++) {
            if (w[k].few[i].may[j].most < bar) continue;
            size_t r = w[k].few[i].may[j].row;
            near_t hit = {topk_dot(t->q + (w->from + i) * t->d, rows_of(w->base, r, 1, row), t->d), w->base->first + r};
            topk_offer(t, w->from + i, &hit, 1);
        }
}

/* Queries from..from+b-1. */
static int look(topk_t *t, const topkbase_t *part, size_t from, size_t b, err_t *err)
{
    const int workers = omp_get_max_threads();
    worker_t *w = mem_zero((size_t)workers, sizeof *w, err);
    size_t bad = SIZE_MAX;
    bool poor = false;
    if (!w) return -1;
    for (size_t i = from; i < from + b; i++) t->bar[i] = t->have[i] == t->k ? t->hit[i * t->k].score - under : -INFINITY;
#pragma omp parallel num_threads(workers)
    {
        worker_t *own = &w[omp_get_thread_num()];
        *own = (worker_t){.t = t, .base = part, .pass = choose(t->pass, t->b, part->pack), .from = from, .b = b};
        worker_new(own);
#pragma omp for schedule(dynamic, 16)
        for (size_t at = 0; at < part->n; at += BLOCK)
            if (!own->poor) look_at_block(own, at, part->n - at < BLOCK ? part->n - at : BLOCK);
#pragma omp critical
        {
            poor |= own->poor;
            bad = own->bad < bad ? own->bad : bad;
        }
#pragma omp barrier
#pragma omp for schedule(dynamic, 4)
        for (size_t i = 0; i < b; i++)
            if (!poor && bad == SIZE_MAX) settle(w, omp_get_num_threads(), i, own->scratch);
    }
    for (int k = 0; k < workers; k++) worker_end(&w[k]);
    mem_free(w);
    return poor ? err_set(err, ERR_NOMEM, "out of memory") : bad < SIZE_MAX ? not_finite(part->first + bad, err) : 0;
}

int topk_look(topk_t *t, const topkbase_t *part, err_t *err)
{
    for (size_t from = 0; from < t->b; from += TOPK_BATCH)
        if (look(t, part, from, t->b - from < TOPK_BATCH ? t->b - from : TOPK_BATCH, err)) return -1;
    return 0;
}
