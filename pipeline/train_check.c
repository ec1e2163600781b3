/* train_check: checkpoints (see train_check.h). */
#include "pipeline/train_check.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "nn/stfile.h"

enum { TEXT = 40, META_MAX = 40 }; /* bytes of a number as text; entries of metadata */

typedef enum { COUNT, REAL, SIZE } kind_t;

/* The numbers of trainstate_t, by name. */
static const struct {
    const char *name;
    kind_t kind;
    size_t at;
} field[] = {
    {"step", COUNT, offsetof(trainstate_t, step)},
    {"epoch", COUNT, offsetof(trainstate_t, epoch)},
    {"at", COUNT, offsetof(trainstate_t, at)},
    {"best_step", COUNT, offsetof(trainstate_t, best_step)},
    {"worse", COUNT, offsetof(trainstate_t, worse)},
    {"best_score", REAL, offsetof(trainstate_t, best_score)},
    {"best.queries", SIZE, offsetof(trainstate_t, best_valid.queries)},
    {"best.gallery", SIZE, offsetof(trainstate_t, best_valid.gallery)},
    {"best.top1", REAL, offsetof(trainstate_t, best_valid.top1)},
    {"best.top5", REAL, offsetof(trainstate_t, best_valid.top5)},
    {"best.top10", REAL, offsetof(trainstate_t, best_valid.top10)},
    {"best.mrr", REAL, offsetof(trainstate_t, best_valid.mrr)},
    {"best.cluster1", REAL, offsetof(trainstate_t, best_valid.cluster1)},
    {"best.texts", SIZE, offsetof(trainstate_t, best_valid.texts)},
    {"best.text1", REAL, offsetof(trainstate_t, best_valid.text1)},
    {"best.text5", REAL, offsetof(trainstate_t, best_valid.text5)},
    {"best.text10", REAL, offsetof(trainstate_t, best_valid.text10)},
    {"best.text_mrr", REAL, offsetof(trainstate_t, best_valid.text_mrr)},
    {"best.view_text_mrr", REAL, offsetof(trainstate_t, best_valid.view_text_mrr)},
};
enum { FIELDS = sizeof field / sizeof *field };

static void print_field(const trainstate_t *s, size_t i, char out[TEXT])
{
    const char *p = (const char *)s + field[i].at;
    if (field[i].kind == COUNT) snprintf(out, TEXT, "%" PRIu64, *(const uint64_t *)(const void *)p);
    if (field[i].kind == SIZE) snprintf(out, TEXT, "%zu", *(const size_t *)(const void *)p);
    if (field[i].kind == REAL) snprintf(out, TEXT, "%a", *(const double *)(const void *)p); /* exact */
}

static int scan_field(trainstate_t *s, size_t i, const char *text)
{
    char *p = (char *)s + field[i].at, *end = NULL;
    if (!text || !*text) return -1;
    if (field[i].kind == COUNT) *(uint64_t *)(void *)p = strtoull(text, &end, 10);
    if (field[i].kind == SIZE) *(size_t *)(void *)p = (size_t)strtoull(text, &end, 10);
    if (field[i].kind == REAL) *(double *)(void *)p = strtod(text, &end);
    return *end || (field[i].kind == REAL && !isfinite(*(double *)(void *)p)) ? -1 : 0;
}

int traincheck_write(const char *path, const traincheck_t *c, err_t *err)
{
    sttensor_t t[2 + OPTIM_TENSORS];
    stmeta_t meta[META_MAX];
    char text[FIELDS][TEXT];
    size_t n = 0, m = 0;
    t[n++] = (sttensor_t){.name = "params", .type = ST_F32, .ndim = 1, .shape = {c->n}, .count = c->n, .data = c->params};
    if (c->state->best_valid.queries)
        t[n++] = (sttensor_t){.name = "best", .type = ST_F32, .ndim = 1, .shape = {c->n}, .count = c->n, .data = c->best};
    n += optim_state(c->optim, t + n, meta);
    m = OPTIM_META;
    meta[m++] = (stmeta_t){"format", TRAINCHECK_FORMAT};
    meta[m++] = (stmeta_t){"options", c->options};
    for (size_t i = 0; i < FIELDS; i++) {
        print_field(c->state, i, text[i]);
        meta[m++] = (stmeta_t){field[i].name, text[i]};
    }
    return stfile_write(path, t, n, meta, m, err);
}

/* Where two texts part, for a message: the word that begins before it. */
static const char *parting(const char *a, const char *b)
{
    const char *word = a;
    for (const char *p = a; *p && *p == *b; p++, b++)
        if (*p == ',' || *p == '{') word = p + 1;
    return word;
}

static int take(const stfile_t *f, traincheck_t *c, err_t *err)
{
    const char *format = stfile_meta(f, "format"), *options = stfile_meta(f, "options");
    if (!format || !options) return err_set(err, ERR_FORMAT, "no checkpoint of a training run");
    if (strcmp(format, TRAINCHECK_FORMAT) != 0)
        return err_set(err, ERR_UNSUP, "format \"%s\" (this program reads \"%s\")", format, TRAINCHECK_FORMAT);
    if (strcmp(options, c->options) != 0)
        return err_set(err, ERR_USAGE, "other options: it has %.60s (this run: %.60s)", parting(options, c->options),
                       parting(c->options, options));
    for (size_t i = 0; i < FIELDS; i++)
        if (scan_field(c->state, i, stfile_meta(f, field[i].name)))
            return err_set(err, ERR_FORMAT, "metadata '%s'", field[i].name);
    if (stfile_get(f, "params", 1, &c->n, c->params, err)) return -1;
    if (c->state->best_valid.queries && stfile_get(f, "best", 1, &c->n, c->best, err)) return -1;
    return optim_load(c->optim, f, err);
}

int traincheck_read(const char *path, traincheck_t *c, err_t *err)
{
    stfile_t *f = stfile_open(path, err);
    int rc = f ? take(f, c, err) : -1;
    if (rc) err_prefix(err, path);
    stfile_close(f);
    return rc;
}
