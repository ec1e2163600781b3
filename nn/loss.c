/* loss: InfoNCE over all ranks, and two plain losses (see loss.h).
 *
 * One rank's work: the logits of its rows of a with all of b, and of its rows of b with all of a. From these come, by row,
 * the largest logit and the sum of exponentials; those of all ranks are gathered, so that the gradient of a logit with
 * respect to both softmaxes is at hand where it is wanted, and one product gives da, one gives db: nothing is summed over
 * ranks. */
#include "nn/loss.h"

#include <math.h>
#include <string.h>

#include <cblas.h>

#include "base/mem.h"
#include "nn/fmath.h"
#include "nn/reduce.h"

enum { ROWS = 32, PER_LABEL = 4, CHUNK = 256 }; /* rows at a time; floats that carry one label; columns at a time */

typedef struct {
    double loss, top1, positive, negative, dscale;
} part_t; /* sums over the rows of a block */

typedef struct {
    float *top, *inverse; /* (N) largest logit of a row, 1 / sum of exp(logit - top) */
} rowstat_t;

struct infonce {
    infonceopts_t o;
    size_t ranks, blocks;
    float *a, *b;           /* (N,d) of all ranks; NULL with one */
    float *logits[2];       /* (B,N): rows of a with all b; rows of b with all a */
    unsigned char *match;   /* (B,N) 1: positives */
    size_t *at;             /* (N+1) */
    uint64_t *label;        /* (K labels) */
    rowstat_t stat[2];      /* of a to b, of b to a */
    float *share;           /* (N) 1 / |P| */
    float *send, *receive;  /* for gather */
    part_t *part;           /* one a block */
};

void infonce_free(infonce_t *f)
{
    if (!f) return;
    void *all[] = {f->a, f->b, f->logits[0], f->logits[1], f->match, f->at, f->label, f->stat[0].top, f->stat[0].inverse,
                   f->stat[1].top, f->stat[1].inverse, f->share, f->send, f->receive, f->part, f};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) mem_free(all[i]);
}

infonce_t *infonce_new(const infonceopts_t *o, err_t *err)
{
    infonce_t *f;
    if (!o->rows || o->rows > INFONCE_ROWS_MAX || !o->dim || o->dim > INFONCE_ROWS_MAX || o->labels > INFONCE_LABELS_MAX) {
        err_set(err, ERR_RANGE, "InfoNCE: %zu rows of %zu, %zu labels (1..%zu, at most %zu)", o->rows, o->dim, o->labels,
                INFONCE_ROWS_MAX, INFONCE_LABELS_MAX);
        return NULL;
    }
    if (!(f = mem_zero(1, sizeof *f, err))) return NULL;
    f->o = *o;
    if (!f->o.comm) f->o.comm = &comm_self;
    f->ranks = (size_t)f->o.comm->size;
    f->blocks = (o->rows + ROWS - 1) / ROWS;
    size_t n = f->ranks * o->rows, most = 5 * o->rows + 16 + PER_LABEL * o->labels;
    int bad = !(f->match = mem_new(n, o->rows, err)) || !(f->at = mem_new(n + 1, sizeof *f->at, err)) ||
              !(f->label = mem_new(f->ranks * o->labels, sizeof *f->label, err)) ||
              !(f->share = mem_new(n, sizeof(float), err)) || !(f->send = mem_new(most, sizeof(float), err)) ||
              !(f->receive = mem_new(most * f->ranks, sizeof(float), err)) ||
              !(f->part = mem_new(f->blocks, sizeof *f->part, err));
    for (int k = 0; k < 2 && !bad; k++)
        bad = !(f->logits[k] = mem_new(n, o->rows * sizeof(float), err)) ||
              !(f->stat[k].top = mem_new(n, sizeof(float), err)) || !(f->stat[k].inverse = mem_new(n, sizeof(float), err));
    if (!bad && f->ranks > 1)
        bad = !(f->a = mem_new(n, o->dim * sizeof(float), err)) || !(f->b = mem_new(n, o->dim * sizeof(float), err));
    if (!bad) return f;
    infonce_free(f);
    return NULL;
}

float infonce_clamp(float log_scale)
{
    const float most = 4.60517019f; /* ln 100 */
    return log_scale < 0 ? 0 : log_scale > most ? most : log_scale;
}

static int gather(const infonce_t *f, const float *x, size_t n, float *all, err_t *err)
{
    return f->o.comm->gather(f->o.comm, x, n, all, err);
}

/* Is this rank's call in range? Its number of labels. */
static const char *fault(const infonce_t *f, size_t n, const labels_t *l, size_t *count)
{
    *count = !l ? 0 : l->at ? n > f->o.rows ? 0 : l->at[n] : n;
    if (!n || n > f->o.rows) return "rows out of range";
    if (*count > f->o.labels) return "more labels than room was made for";
    for (size_t i = 0; l && l->at && i < n; i++) {
        if (l->at[i + 1] < l->at[i] || (!i && l->at[0])) return "labels whose places descend";
        for (size_t k = l->at[i] + 1; k < l->at[i + 1]; k++)
            if (l->label[k] <= l->label[k - 1]) return "labels of a row that do not ascend";
    }
    return NULL;
}

/* All ranks learn whether all ranks can go on, so that none waits for one that has left. */
static int agree(infonce_t *f, size_t n, const labels_t *l, err_t *err)
{
    size_t count;
    const char *what = fault(f, n, l, &count);
    f->send[0] = what ? -1 : (float)n;
    if (gather(f, f->send, 1, f->receive, err)) return -1;
    if (what) return err_set(err, ERR_RANGE, "InfoNCE: %s (%zu rows, %zu labels)", what, n, count);
    for (size_t r = 0; r < f->ranks; r++)
        if (!(f->receive[r] == (float)n))
            return err_set(err, ERR_RANGE, "InfoNCE: rank %zu has %g rows, this one %zu", r, (double)f->receive[r], n);
    return 0;
}

/* f->at and f->label of all ranks. A label travels as four floats of 16 bits each. */
static int gather_labels(infonce_t *f, size_t n, const labels_t *l, err_t *err)
{
    size_t max = f->o.labels, width = n + PER_LABEL * max, total = 0;
    memset(f->send, 0, width * sizeof *f->send);
    for (size_t i = 0, k = 0; l && max && i < n; i++) {
        size_t from = l->at ? l->at[i] : i, to = l->at ? l->at[i + 1] : i + 1;
        f->send[i] = (float)(to - from);
        for (; from < to; from++, k++)
            for (int q = 0; q < PER_LABEL; q++) f->send[n + PER_LABEL * k + (size_t)q] = (float)(l->label[from] >> 16 * q & 0xffff);
    }
    if (gather(f, f->send, width, f->receive, err)) return -1;
    f->at[0] = 0;
    for (size_t r = 0; r < f->ranks; r++) {
        const float *p = f->receive + r * width, *q = p + n;
        for (size_t i = 0; i < n; i++) {
            size_t end = total + (size_t)p[i];
            f->at[r * n + i + 1] = end;
            for (; total < end; total++, q += PER_LABEL)
                f->label[total] = (uint64_t)q[0] | (uint64_t)q[1] << 16 | (uint64_t)q[2] << 32 | (uint64_t)q[3] << 48;
        }
    }
    return 0;
}

static bool share_label(const infonce_t *f, size_t i, size_t j)
{
    size_t p = f->at[i], q = f->at[j];
    while (p < f->at[i + 1] && q < f->at[j + 1]) {
        if (f->label[p] == f->label[q]) return true;
        if (f->label[p] < f->label[q]) p++;
        else q++;
    }
    return false;
}

/* Row i of the whole batch, in this rank: its row of match; |P(i)|. */
static size_t match_row(const infonce_t *f, size_t i, size_t total, unsigned char *m)
{
    size_t count = 0;
    for (size_t j = 0; j < total; j++) count += m[j] = i == j || share_label(f, i, j);
    return count;
}

/* Logits of m rows x with all rows y, and by row their largest and sum; lse gets its logarithm. */
static void logits_block(size_t m, size_t total, size_t d, float scale, const float *x, const float *y, float *l, float *top,
                         float *inverse, double *lse)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)m, (int)total, (int)d, scale, x, (int)d, y, (int)d, 0, l,
                (int)total);
    for (size_t i = 0; i < m; i++, l += total) {
        float buf[CHUNK], most = reduce_max(l, total);
        double sum = 0;
        for (size_t at = 0; at < total; at += CHUNK) {
            size_t n = total - at < CHUNK ? total - at : CHUNK;
            for (size_t j = 0; j < n; j++) buf[j] = fmath_exp(l[at + j] - most);
            sum += reduce_sum(buf, n);
        }
        top[i] = most;
        inverse[i] = (float)(1 / sum);
        lse[i] = (double)most + log(sum);
    }
}

/* What a row of logits adds to the sums; `of_a`: to the statistics too. */
static void add_row(part_t *p, const float *l, const unsigned char *match, size_t total, size_t count, double lse, double scale,
                    bool of_a)
{
    double positive = 0, all = reduce_sum(l, total);
    size_t best = 0;
    for (size_t j = 0; j < total; j++) {
        if (match[j]) positive += (double)l[j];
        if (l[j] > l[best]) best = j;
    }
    p->loss += lse - positive / (double)count;
    if (!of_a) return;
    p->top1 += match[best];
    p->positive += positive / (double)count / scale;
    if (total > count) p->negative += (all - positive) / (double)(total - count) / scale;
}

/* The gradient, in place of m rows of logits: wr times that of the rows' own softmax, wc times that of the columns'. Rows
 * begin at `first` of the whole batch. Returns the sum of gradient times logit. */
static double gradient_block(const infonce_t *f, size_t m, size_t total, size_t first, const unsigned char *match, float *l,
                             const rowstat_t *rows, const rowstat_t *columns, float wr, float wc)
{
    double sum = 0;
    for (size_t i = 0; i < m; i++)
        for (size_t at = 0; at < total; at += CHUNK) {
            size_t n = total - at < CHUNK ? total - at : CHUNK;
            float buf[CHUNK], *p = l + i * total + at;
            const float *top = columns->top + at, *inverse = columns->inverse + at, *share = f->share + at;
            const unsigned char *is = match + i * total + at;
            float t = rows->top[first + i], s = wr * rows->inverse[first + i], own = wr * f->share[first + i];
            for (size_t j = 0; j < n; j++) buf[j] = -(float)is[j] * (own + wc * share[j]);
            if (wr > 0)
                for (size_t j = 0; j < n; j++) buf[j] += s * fmath_exp(p[j] - t);
            if (wc > 0)
                for (size_t j = 0; j < n; j++) buf[j] += wc * inverse[j] * fmath_exp(p[j] - top[j]);
            sum += reduce_dot(buf, p, n);
            memcpy(p, buf, n * sizeof *p);
        }
    return sum;
}

/* The rows' sums of all ranks, so that columns have theirs. */
static int gather_stats(infonce_t *f, size_t n, err_t *err)
{
    float *const v[] = {f->share, f->stat[0].top, f->stat[0].inverse, f->stat[1].top, f->stat[1].inverse};
    size_t first = (size_t)f->o.comm->rank * n, k = f->o.both ? 5 : 3;
    if (f->ranks == 1) return 0;
    for (size_t q = 0; q < k; q++) memcpy(f->send + q * n, v[q] + first, n * sizeof(float));
    if (gather(f, f->send, k * n, f->receive, err)) return -1;
    for (size_t r = 0; r < f->ranks; r++)
        for (size_t q = 0; q < k; q++) memcpy(v[q] + r * n, f->receive + (r * k + q) * n, n * sizeof(float));
    return 0;
}

/* Sums over the blocks in their order, then over the ranks in theirs; a double travels as two floats. */
static int total_parts(infonce_t *f, size_t n, infonceout_t *out, err_t *err)
{
    part_t sum = {0};
    double all[4] = {0};
    for (size_t b = 0; b < (n + ROWS - 1) / ROWS; b++) {
        sum.loss += f->part[b].loss;
        sum.top1 += f->part[b].top1;
        sum.positive += f->part[b].positive;
        sum.negative += f->part[b].negative;
        sum.dscale += f->part[b].dscale;
    }
    const double mine[4] = {sum.loss, sum.top1, sum.positive, sum.negative};
    for (int q = 0; q < 4; q++) {
        f->send[2 * q] = (float)mine[q];
        f->send[2 * q + 1] = (float)(mine[q] - (double)f->send[2 * q]);
    }
    if (gather(f, f->send, 8, f->receive, err)) return -1;
    for (size_t r = 0; r < f->ranks; r++)
        for (size_t q = 0; q < 4; q++) all[q] += (double)f->receive[8 * r + 2 * q] + (double)f->receive[8 * r + 2 * q + 1];
    double total = (double)(f->ranks * n);
    *out = (infonceout_t){.loss = all[0] / (f->o.both ? 2 * total : total), .dscale = sum.dscale, .top1 = all[1] / total,
                          .positive = all[2] / total, .negative = all[3] / total};
    return 0;
}

/* A call, as the blocks see it. */
typedef struct {
    size_t n, total, first;
    const float *x[2], *y[2]; /* rows of this rank, of all: [0] a and b, [1] b and a */
    float scale;
    bool need[2];             /* are these logits wanted? */
} call_t;

static void forward_block(infonce_t *f, const call_t *c, size_t block)
{
    size_t at = block * ROWS, m = c->n - at < ROWS ? c->n - at : ROWS, d = f->o.dim, count[ROWS];
    unsigned char *match = f->match + at * c->total;
    double lse[ROWS];
    part_t *p = &f->part[block];
    *p = (part_t){0};
    for (size_t i = 0; i < m; i++) {
        count[i] = match_row(f, c->first + at + i, c->total, match + i * c->total);
        f->share[c->first + at + i] = (float)(1 / (double)count[i]);
    }
    for (int k = 0; k < 2; k++) {
        if (!c->need[k]) continue;
        float *l = f->logits[k] + at * c->total;
        logits_block(m, c->total, d, c->scale, c->x[k] + at * d, c->y[k], l, f->stat[k].top + c->first + at,
                     f->stat[k].inverse + c->first + at, lse);
        for (size_t i = 0; i < m && (k == 0 || f->o.both); i++)
            add_row(p, l + i * c->total, match + i * c->total, c->total, count[i], lse[i], (double)c->scale, k == 0);
    }
}

static void backward_block(infonce_t *f, const call_t *c, size_t block, float *const dx[2])
{
    size_t at = block * ROWS, m = c->n - at < ROWS ? c->n - at : ROWS, d = f->o.dim;
    float w = (float)(1 / (double)c->total), weight[2] = {f->o.both ? w / 2 : w, f->o.both ? w / 2 : 0};
    for (int k = 0; k < 2; k++) {
        if (!c->need[k]) continue;
        float *g = f->logits[k] + at * c->total;
        double s = gradient_block(f, m, c->total, c->first + at, f->match + at * c->total, g, &f->stat[k], &f->stat[1 - k],
                                  weight[k], weight[1 - k]);
        if (k == 0) f->part[block].dscale = s;
        if (dx[k])
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)m, (int)d, (int)c->total, c->scale, g, (int)c->total,
                        c->y[k], (int)d, 0, dx[k] + at * d, (int)d);
    }
}

int infonce_run(infonce_t *f, size_t n, const float *a, const float *b, const labels_t *labels, float log_scale, float *da,
                float *db, infonceout_t *out, err_t *err)
{
    float *const dx[2] = {da, db};
    size_t d = f->o.dim, blocks = (n + ROWS - 1) / ROWS;
    if (agree(f, n, labels, err) || gather_labels(f, n, labels, err)) return -1;
    if (f->ranks > 1 && (gather(f, a, n * d, f->a, err) || gather(f, b, n * d, f->b, err))) return -1;
    const float *all_a = f->ranks > 1 ? f->a : a, *all_b = f->ranks > 1 ? f->b : b;
    call_t c = {n, f->ranks * n, (size_t)f->o.comm->rank * n, {a, b}, {all_b, all_a}, expf(infonce_clamp(log_scale)),
                {true, f->o.both || db}};
#pragma omp parallel for schedule(dynamic)
    for (size_t k = 0; k < blocks; k++) forward_block(f, &c, k);
    if (gather_stats(f, n, err)) return -1;
#pragma omp parallel for schedule(dynamic)
    for (size_t k = 0; k < blocks; k++) backward_block(f, &c, k, dx);
    return total_parts(f, n, out, err);
}

double loss_square(const float *x, const float *t, size_t n, float *dx)
{
    double sum = 0;
    float buf[CHUNK], w = (float)(2 / (double)n);
    for (size_t at = 0; at < n; at += CHUNK) {
        size_t m = n - at < CHUNK ? n - at : CHUNK;
        for (size_t i = 0; i < m; i++) buf[i] = x[at + i] - t[at + i];
        sum += reduce_dot(buf, buf, m);
        for (size_t i = 0; dx && i < m; i++) dx[at + i] = w * buf[i];
    }
    return sum / (double)n;
}

double loss_cosine(const float *x, const float *t, size_t rows, size_t d, float *dx)
{
    double sum = 0;
    float w = (float)(-1 / (double)rows);
    for (size_t r = 0; r < rows; r++) sum += 1 - reduce_dot(x + r * d, t + r * d, d);
    for (size_t i = 0; dx && i < rows * d; i++) dx[i] = w * t[i];
    return sum / (double)rows;
}
