/* nearest: see nearest.h. Each rank finds the best of its rows; these are exchanged, and the best of them kept. */
#include "pipeline/nearest.h"

#include <stdint.h>
#include <string.h>

#include "base/mem.h"

int nearest_files(char *const *path, size_t files, size_t d, nearfile_t *file, err_t *err)
{
    size_t all = 0;
    for (size_t i = 0; i < files; i++) {
        matrix_t m;
        if (matrix_open(path[i], 0, &m, err)) return -1;
        file[i] = (nearfile_t){path[i], m.n, all};
        all += m.n;
        size_t have = m.d;
        matrix_close(&m);
        if (have != d) return err_set(err, ERR_FORMAT, "%s: vectors of %zu numbers (the queries have %zu)", path[i], have, d);
    }
    return all ? 0 : err_set(err, ERR_FORMAT, "%s: no vector", path[0]);
}

/* That a file that is opened again holds what it held. */
static int unchanged(const nearfile_t *f, const matrix_t *m, size_t d, err_t *err)
{
    if (m->n == f->n && m->d == d) return 0;
    return err_set(err, ERR_FORMAT, "%s: %zu vectors of %zu numbers (there were %zu of %zu)", f->path, m->n, m->d, f->n, d);
}

int nearest_names(const nearfile_t *f, size_t d, matrix_t *m, err_t *err)
{
    if (matrix_open(f->path, MATRIX_IDS, m, err)) return -1;
    if (!unchanged(f, m, d, err)) return 0;
    matrix_close(m);
    return -1;
}

static int look_at_file(topk_t *t, const nearfile_t *f, size_t d, size_t from, size_t to, err_t *err)
{
    matrix_t m;
    if (from == to) return 0;
    if (matrix_open(f->path, MATRIX_ROWS, &m, err)) return -1;
    int rc = unchanged(f, &m, d, err);
    topkbase_t part = {.n = to - from, .d = m.d, .first = f->first + from};
    if (m.f) part.f = m.f + from * m.d;
    else part.h = m.h + from * m.d;
    if (!rc && (rc = topk_look(t, &part, err))) err_prefix(err, f->path);
    matrix_close(&m);
    return rc;
}

/* A hit as it goes to other ranks. No row: none. */
typedef struct {
    float score;
    uint32_t row[2]; /* the low half first */
} mail_t;
enum { MAIL = sizeof(mail_t) / sizeof(float) };

/* Offer the hits of queries from..to-1 of all other ranks. mail (ranks + 1, batch, k). */
static int exchange(topk_t *t, size_t from, size_t to, size_t k, const comm_t *c, mail_t *mail, near_t *hit, err_t *err)
{
    size_t each = (to - from) * k;
    mail_t *all = mail + each;
    memset(mail, 0xff, each * sizeof *mail);
    for (size_t i = from; i < to; i++) {
        size_t n = topk_hits(t, i, hit);
        for (size_t j = 0; j < n; j++)
            mail[(i - from) * k + j] = (mail_t){hit[j].score, {(uint32_t)hit[j].row, (uint32_t)((uint64_t)hit[j].row >> 32)}};
    }
    if (c->gather(c, &mail->score, each * MAIL, &all->score, err)) return -1;
    for (size_t r = 0; r < (size_t)c->size; r++)
        for (size_t j = 0; r != (size_t)c->rank && j < each; j++) {
            const mail_t *x = &all[r * each + j];
            near_t one = {x->score, (size_t)((uint64_t)x->row[1] << 32 | x->row[0])};
            if (one.row != SIZE_MAX) topk_offer(t, from + j / k, &one, 1);
        }
    return 0;
}

static int exchange_all(topk_t *t, size_t b, size_t k, const comm_t *c, err_t *err)
{
    size_t batch = b < TOPK_BATCH ? b : TOPK_BATCH, ranks = (size_t)c->size;
    while (batch > 1 && batch * k * MAIL * ranks > 1u << 26) batch /= 2; /* a quarter of a gigabyte */
    mail_t *mail = mem_new(batch * k, (ranks + 1) * sizeof *mail, err);
    near_t *hit = mem_new(k, sizeof *hit, err);
    int rc = mail && hit ? 0 : -1;
    for (size_t from = 0; !rc && from < b; from += batch) rc = exchange(t, from, b - from < batch ? b : from + batch, k, c, mail, hit, err);
    mem_free(mail);
    mem_free(hit);
    return rc;
}

int nearest_run(const nearfile_t *file, size_t files, const float *q, size_t b, size_t d, size_t k, const comm_t *c, near_t *hit, size_t *n,
                err_t *err)
{
    size_t ranks = (size_t)c->size, rank = (size_t)c->rank;
    topk_t *t = topk_new(q, b, d, k, TOPK_AUTO, err);
    int rc = t ? 0 : -1;
    for (size_t i = 0; !rc && i < files; i++) {
        const nearfile_t *f = &file[i];
        if (files >= ranks && i % ranks != rank) continue;
        size_t from = files >= ranks ? 0 : f->n * rank / ranks, to = files >= ranks ? f->n : f->n * (rank + 1) / ranks;
        rc = look_at_file(t, f, d, from, to, err);
    }
    if (!rc && ranks > 1) rc = exchange_all(t, b, k, c, err);
    *n = 0;
    for (size_t i = 0; !rc && i < b; i++) *n = topk_hits(t, i, hit + i * k);
    topk_free(t);
    return rc;
}
