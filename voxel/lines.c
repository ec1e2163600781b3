/* lines: Fourier crop or pad of many lines (see lines.h).
 *
 * The fold. With even n = 2h, m = 2g: u+-[i] = x[i] +- x[i+h] and y[j] +- y[j+g] are related by D+-(t) = d(t) +- d(t+1/2),
 * since d has period 1. Then i -> h-i: e = u +- u', o = u -+ u' with u' the mirror image, and
 * v[j] = E[j] + O[j], v[g-j] = +-(E[j] - O[j]), where E takes (D(i-j) + D(i+j))/2 on e and O (D(i-j) - D(i+j))/2 on o.
 * With n or m odd only the mirror is there: h = n, g = m, D = d. */
#include "voxel/lines.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "voxel/fft.h"
#include "voxel/lines_kern.h"

/* One block of the folded matrix: rows j0..j0+rows-1, columns i0..i0+cols-1. */
typedef struct {
    size_t i0, cols, j0, rows;
    size_t at;  /* where its folded input begins, in rows of LINES_W */
    float *a;   /* (cols,rows padded to KERN_ROWS) */
} block_t;

struct lines {
    size_t n, m;
    const lines_kern_t *kern;
    bool copy, fft;
    /* fold */
    size_t halves, h, g; /* 1 or 2; n/halves, m/halves */
    block_t block[4];    /* + even, + odd, - even, - odd */
    size_t in_rows, out_rows;
    /* fft */
    const fftplan_t *there, *back;
};

/* d(r / (n m)): the Dirichlet kernel, sum over the kept frequencies of w cos(2 pi k t), over n. */
static double dirichlet(size_t n, size_t m, long long r)
{
    long long lo = (long long)(n < m ? n : m), hi = (long long)(n < m ? m : n);
    double nd = (double)n;
    if (r % (lo * hi) == 0) return (double)lo / nd;
    double t = M_PI * (double)(r % (2 * lo * hi)) / (double)(lo * hi); /* pi t */
    double s = sin(M_PI * (double)(r % (2 * hi)) / (double)hi);        /* sin(lo pi t), exactly reduced */
    if (lo % 2) return s / sin(t) / nd;
    return s * cos(t) / sin(t) / nd;
}

/* Coefficient of u[i] in v[j]: D+(t) or D-(t), or d(t) when not halved. */
static double coef(const lines_t *l, int minus, long long i, long long j)
{
    long long n = (long long)l->n, m = (long long)l->m, r = i * m - j * n;
    double d = dirichlet(l->n, l->m, r);
    if (l->halves == 1) return d;
    double e = dirichlet(l->n, l->m, r + n * m / 2);
    return minus ? d - e : d + e;
}

/* The extent of block b (0 + even, 1 + odd, 2 - even, 3 - odd): rows and columns that are not zero by symmetry. */
static void block_extent(const lines_t *l, int b, block_t *k)
{
    bool odd = b % 2, minus = b / 2;
    size_t hi = l->h / 2, hj = l->g / 2;
    k->i0 = k->j0 = odd;
    /* The middle sample is its own image: with + it is even, with - odd. */
    size_t last_i = l->h % 2 == 0 && odd != minus ? hi - 1 : hi, last_j = l->g % 2 == 0 && odd != minus ? hj - 1 : hj;
    k->cols = last_i + 1 - k->i0;
    k->rows = last_j + 1 - k->j0;
}

static int block_fill(const lines_t *l, int b, block_t *k, err_t *err)
{
    bool odd = b % 2, minus = b / 2;
    size_t pad = KERN_PAD(k->rows, KERN_ROWS);
    k->a = mem_zero(k->cols * pad, sizeof *k->a, err);
    if (!k->a) return -1;
    for (size_t i = 0; i < k->cols; i++)
        for (size_t j = 0; j < k->rows; j++) {
            long long ii = (long long)(i + k->i0), jj = (long long)(j + k->j0);
            double p = coef(l, minus, ii, jj), q = coef(l, minus, -ii, jj);
            k->a[i * pad + j] = (float)((odd ? p - q : p + q) / 2 / (double)l->halves);
        }
    return 0;
}

static int fold_new(lines_t *l, err_t *err)
{
    l->halves = l->n % 2 == 0 && l->m % 2 == 0 ? 2 : 1;
    l->h = l->n / l->halves;
    l->g = l->m / l->halves;
    for (int b = 0; b < (int)l->halves * 2; b++) {
        block_t *k = &l->block[b];
        block_extent(l, b, k);
        k->at = l->in_rows;
        l->in_rows += k->cols;
        if (KERN_PAD(k->rows, KERN_ROWS) > l->out_rows) l->out_rows = KERN_PAD(k->rows, KERN_ROWS);
        if (block_fill(l, b, k, err)) return -1;
    }
    return 0;
}

static int fft_new(lines_t *l, err_t *err)
{
    l->there = fft_plan(&(fftline_t){FFT_R2C, l->n, LINES_W, LINES_W, 1, 0}, err);
    l->back = fft_plan(&(fftline_t){FFT_C2R, l->m, LINES_W, LINES_W, 1, 0}, err);
    return l->there && l->back ? 0 : -1;
}

/* The faster way, in multiply-adds of a line. With the AVX2 kernel that is the fold up to some 1500 samples. */
static linesway_t choose(const lines_t *l)
{
    double n = (double)l->n, m = (double)l->m, fold = l->n % 2 || l->m % 2 ? n * m / 2 : n * m / 4;
    return fold <= l->kern->fft * (n * log2(n) + m * log2(m)) + 1 ? LINES_FOLD : LINES_FFT;
}

lines_t *lines_new(size_t n, size_t m, linesway_t way, err_t *err)
{
    lines_t *l = mem_zero(1, sizeof *l, err);
    if (!l) return NULL;
    l->n = n;
    l->m = m;
    l->kern = lines_kern();
    l->copy = n == m;
    l->fft = (way == LINES_AUTO ? choose(l) : way) == LINES_FFT;
    if (!l->copy && (l->fft ? fft_new(l, err) : fold_new(l, err))) {
        lines_free(l);
        return NULL;
    }
    return l;
}

void lines_free(lines_t *l)
{
    if (!l) return;
    for (int b = 0; b < 4; b++) mem_free(l->block[b].a);
    mem_free(l);
}

/* Work: the input block, its folded or transformed form, the output block. */
size_t lines_work(const lines_t *l)
{
    if (l->copy) return 0;
    if (l->fft) return LINES_W * (l->n + l->m + 2 * (l->n / 2 + 1) + 2 * (l->m / 2 + 1));
    return LINES_W * (l->in_rows + 4 * l->out_rows + l->m) + KERN_COLS * KERN_PAD(l->n, LINES_W / KERN_COLS);
}

/* row = a + s b, in panels; nothing when row is NULL. */
static void combine(const float *a, const float *b, float s, size_t w, float *row, size_t panel)
{
    for (size_t c = 0; row && c < w; c += KERN_COLS, row += panel)
        for (size_t q = 0; q < KERN_COLS; q++) row[q] = a[c + q] + s * b[c + q];
}

/* Rows i, h-i (and i+h, n-i) of the input to the folded rows of each block, in panels. w a multiple of KERN_COLS.
 * A row that is its own image goes to the even or the odd block: the other has no such column. */
static void fold(const lines_t *l, const float *in, size_t stride, size_t w, float *u, size_t panel)
{
    for (size_t i = 0; i <= l->h / 2; i++) {
        bool self = i == 0 || 2 * i == l->h;
        const float *a = in + i * stride, *b = in + (self ? i : l->h - i) * stride;
        float *row[4] = {NULL};
        for (int k = 0; k < (int)l->halves * 2; k++) {
            const block_t *bl = &l->block[k];
            if (i >= bl->i0 && i < bl->i0 + bl->cols) row[k] = u + (bl->at + i - bl->i0) * KERN_COLS;
        }
        if (!self && l->halves == 2) {
            l->kern->fold(a, b, l->h * stride, w, row, panel);
        } else if (self && l->halves == 2) {
            for (int k = 0; k < 4; k++) combine(a, a + l->h * stride, k < 2 ? 1 : -1, w, row[k], panel);
        } else {
            for (int k = 0; k < 2; k++) combine(a, b, self ? 0 : k ? -1 : 1, w, row[k], panel);
        }
    }
}

/* v (m,LINES_W) from the blocks' products e (4,out_rows,LINES_W). */
static void unfold(const lines_t *l, const float *e, size_t w, float *v)
{
    size_t size = l->out_rows * LINES_W;
    for (size_t j = 0; j <= l->g / 2; j++) {
        const float *row[4] = {NULL};
        for (int k = 0; k < (int)l->halves * 2; k++) {
            const block_t *bl = &l->block[k];
            if (j >= bl->j0 && j < bl->j0 + bl->rows) row[k] = e + (size_t)k * size + (j - bl->j0) * LINES_W;
        }
        bool self = j == 0 || 2 * j == l->g;
        float *a = v + j * LINES_W, *b = self ? NULL : v + (l->g - j) * LINES_W;
        if (l->halves == 2)
            lines_unfold4(row, w, a, b, l->g * LINES_W);
        else
            lines_unfold2(row, w, a, b);
    }
}

static void run_fold(const lines_t *l, const float *in, size_t stride, size_t w, float *v, float *work)
{
    float *u = work, *e = u + l->in_rows * LINES_W, *tail = e + 4 * l->out_rows * LINES_W;
    size_t panel = l->in_rows * KERN_COLS, whole = w / KERN_COLS * KERN_COLS, wide = KERN_PAD(w, KERN_COLS);
    fold(l, in, stride, whole, u, panel);
    if (whole < w) { /* the last few lines, filled up with zeros */
        for (size_t i = 0; i < l->n; i++) memcpy(tail + i * KERN_COLS, in + i * stride + whole, (w - whole) * sizeof *in);
        fold(l, tail, KERN_COLS, KERN_COLS, u + whole / KERN_COLS * panel, panel);
    }
    for (int b = 0; b < (int)l->halves * 2; b++) {
        const block_t *k = &l->block[b];
        l->kern->product(k->a, KERN_PAD(k->rows, KERN_ROWS), k->cols, u + k->at * KERN_COLS, panel, wide,
                         e + (size_t)b * l->out_rows * LINES_W);
    }
    unfold(l, e, wide, v);
}

static void run_fft(const lines_t *l, const float *in, size_t stride, size_t w, float *v, float *work)
{
    size_t lo = l->n < l->m ? l->n : l->m, kept = lo / 2 + 1;
    float *x = work;
    cplx_t *f = (cplx_t *)(x + l->n * LINES_W), *g = f + (l->n / 2 + 1) * LINES_W;
    for (size_t i = 0; i < l->n; i++) memcpy(x + i * LINES_W, in + i * stride, w * sizeof *x);
    fft_run(l->there, x, f);
    for (size_t k = 0; k < kept; k++) {
        /* c2r counts its own Nyquist term once and every other twice. */
        double weight = 1 / (double)l->n;
        if (lo % 2 == 0 && k == lo / 2 && l->m > l->n) weight /= 2;
        float s = (float)weight;
        for (size_t c = 0; c < LINES_W; c++) {
            g[k * LINES_W + c][0] = s * f[k * LINES_W + c][0];
            g[k * LINES_W + c][1] = s * f[k * LINES_W + c][1];
        }
    }
    memset(g + kept * LINES_W, 0, (l->m / 2 + 1 - kept) * LINES_W * sizeof *g);
    fft_run(l->back, g, v);
}

void lines_run(const lines_t *l, const float *in, size_t stride, size_t w, bool turn, float *out, size_t pitch,
               float *work)
{
    assert(w <= LINES_W);
    if (l->copy) {
        if (!turn)
            for (size_t j = 0; j < l->m; j++) memcpy(out + j * pitch, in + j * stride, w * sizeof *in);
        else
            for (size_t c = 0; c < w; c++)
                for (size_t j = 0; j < l->m; j++) out[c * pitch + j] = in[j * stride + c];
        return;
    }
    float *v = work, *rest = work + l->m * LINES_W;
    if (l->fft)
        run_fft(l, in, stride, w, v, rest);
    else
        run_fold(l, in, stride, w, v, rest);
    if (turn)
        l->kern->turn(v, l->m, w, out, pitch);
    else
        for (size_t j = 0; j < l->m; j++) memcpy(out + j * pitch, v + j * LINES_W, w * sizeof *v);
}
