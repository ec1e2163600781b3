/* train: the loop of a training run (see train.h). */
#include "pipeline/train.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "nn/schedule.h"
#include "pipeline/modelfile.h"
#include "pipeline/train_batch.h"
#include "pipeline/train_check.h"
#include "pipeline/train_data.h"
#include "pipeline/train_draw.h"
#include "pipeline/train_report.h"
#include "pipeline/train_start.h"
#include "pipeline/train_step.h"
#include "pipeline/train_valid.h"

typedef struct {
    const dataset_t *set;
    encoder_t *e;
    const trainopts_t *o;
    const comm_t *comm;
    const log_t *log; /* NULL but for rank 0 */
    const volatile sig_atomic_t *stop;
    char *out, *last, *ckpt, *tsv; /* paths */
    char *options;
    traindata_t data;
    traindraw_t draw;
    trainbatch_t batch;
    trainstep_t step;
    trainvalid_set_t valid;
    trainreport_t report;
    float *best;        /* (n) averaged block that validation liked best */
    float *shown;       /* (n) the averaged block, or the parameters where there is no average */
    trainstate_t state;
    size_t dim;         /* of a text; 0: none */
    double start;       /* clock_wall() */
} train_t;

static int check(const dataset_t *d, const trainopts_t *o, const comm_t *comm, err_t *err)
{
    if (o->batch < 2 || o->batch > TRAIN_BATCH_MAX || o->batch % (size_t)comm->size)
        return err_set(err, ERR_USAGE, "batch of %zu (2 to %d, a multiple of the %d ranks)", o->batch, TRAIN_BATCH_MAX, comm->size);
    if (!o->steps) return err_set(err, ERR_USAGE, "no steps to train for");
    if (!(o->weight_view >= 0 && o->weight_text >= 0 && o->weight_view + o->weight_text > 0))
        return err_set(err, ERR_USAGE, "weights %g and %g (0 up, one of them above)", o->weight_view, o->weight_text);
    if (!(o->weight_view > 0) && !d->dim) return err_set(err, ERR_USAGE, "the dataset has no captions to train on");
    if (!(o->scale >= 1 && o->scale <= 100)) return err_set(err, ERR_USAGE, "scale %g (1 to 100)", o->scale);
    return 0;
}

static char *with_suffix(const char *out, const char *suffix, err_t *err)
{
    size_t n = strlen(out) + strlen(suffix) + 1;
    char *s = mem_new(n, 1, err);
    if (s) snprintf(s, n, "%s%s", out, suffix);
    return s;
}

/* Wherever ranks could see different things (signals, clocks), what one sees counts for all. */
static bool any(const train_t *t, bool mine)
{
    float x = mine;
    return t->comm->sum(t->comm, &x, 1, NULL) || x > 0;
}

static bool asked_to_stop(const train_t *t) { return any(t, t->stop && *t->stop); }

static bool out_of_time(const train_t *t)
{
    return any(t, t->o->minutes > 0 && clock_wall() - t->start >= 60 * t->o->minutes);
}

/* The averaged block into t->shown, and its encoder into e. */
static void show(train_t *t)
{
    const float *average = optim_average(t->step.optim);
    memcpy(t->shown, average ? average : t->step.params, t->step.n * sizeof *t->shown);
}

static const float *text_of(const train_t *t, const float *block) { return t->dim ? block + t->step.text_at : NULL; }

static int validate(train_t *t, const float *block, bool all, trainvalid_t *v, err_t *err)
{
    memcpy(t->e->params, block, net_size(t->e->net) * sizeof *block);
    return trainvalid_run(&t->valid, t->e, text_of(t, block), all, v, err);
}

/* A block as a model file. */
static int write_model(const train_t *t, const char *path, const float *block, uint64_t step, const trainvalid_t *v, err_t *err)
{
    const dataset_t *d = t->set;
    float *weight = NULL;
    if (t->comm->rank) return 0;
    memcpy(t->e->params, block, net_size(t->e->net) * sizeof *block);
    modelfile_t m = {.encoder = t->e,
                     .scale_view = exp((double)block[t->step.scale_at + SCALE_VIEW]),
                     .scale_text = t->dim ? exp((double)block[t->step.scale_at + SCALE_TEXT]) : 0,
                     .provenance = trainreport_provenance(d, t->e, t->o, step, v, err)};
    int rc = m.provenance ? 0 : -1;
    if (!rc && t->dim) {
        size_t n = t->e->d * t->dim;
        if (!(weight = mem_new(n, sizeof *weight, err))) rc = -1;
        if (!rc) memcpy(weight, text_of(t, block), n * sizeof *weight);
        m.text = (modeltext_t){.dim = t->dim, .weight = weight, .name = d->text_model};
        snprintf(m.text.hash, sizeof m.text.hash, "%s", d->text_hash);
    }
    if (!rc) rc = modelfile_write(path, &m, err);
    mem_free(m.provenance);
    mem_free(weight);
    return rc;
}

static traincheck_t check_of(train_t *t)
{
    return (traincheck_t){.options = t->options, .n = t->step.n, .params = t->step.params, .best = t->best, .optim = t->step.optim,
                          .state = &t->state};
}

static int write_check(train_t *t, err_t *err)
{
    traincheck_t c = check_of(t);
    t->state.epoch = t->draw.epoch;
    t->state.at = t->draw.at;
    return t->comm->rank ? 0 : traincheck_write(t->ckpt, &c, err);
}

/* A validation in the course of the run: the best model so far goes to its file, the start only at the end. */
static int look(train_t *t, trainvalid_t *v, err_t *err)
{
    trainstate_t *s = &t->state;
    show(t);
    if (validate(t, t->shown, false, v, err)) return -1;
    double score = trainvalid_score(v, t->o);
    trainreport_valid(&t->report, s->step, v, "validation");
    s->worse++;
    if (s->best_valid.queries && !(score > s->best_score)) return 0;
    s->worse = 0;
    s->best_step = s->step;
    s->best_score = score;
    s->best_valid = *v;
    memcpy(t->best, t->shown, t->step.n * sizeof *t->best);
    return s->step ? write_model(t, t->out, t->best, s->step, v, err) : 0;
}

/* One step, and what is due after it. */
static int advance(train_t *t, err_t *err)
{
    const trainopts_t *o = t->o;
    trainstate_t *s = &t->state;
    schedule_t schedule = {.peak = o->rate, .floor = o->floor, .warmup = o->warmup, .steps = o->steps};
    stepout_t out;
    trainvalid_t v;
    trainrow_t row = {.rate = schedule_rate(&schedule, s->step), .out = &out};
    double from = clock_wall();
    if (traindraw_next(&t->draw, t->batch.entry, err)) return -1;
    trainbatch_make(&t->batch, s->step);
    row.views = clock_wall() - from;
    from = clock_wall();
    if (trainstep_run(&t->step, &t->batch, s->step, row.rate, &out, err)) return -1;
    row.network = clock_wall() - from;
    row.step = ++s->step;
    row.epoch = t->draw.epoch;
    row.failed = t->batch.failed;
    if (t->valid.queries && (s->step == o->steps || (o->valid_every && s->step % o->valid_every == 0))) {
        if (look(t, &v, err)) return -1;
        row.valid = &v;
    }
    trainreport_row(&t->report, &row);
    if (optim_skipped(t->step.optim) > s->step / 2 + 10)
        return err_set(err, ERR_RANGE, "step %" PRIu64 ": most gradients are not finite", s->step);
    return o->check_every && s->step % o->check_every == 0 ? write_check(t, err) : 0;
}

static int loop(train_t *t, traindone_t *done, err_t *err)
{
    const trainopts_t *o = t->o;
    trainvalid_t v;
    if (!t->state.step && t->valid.queries && o->valid_every && look(t, &v, err)) return -1; /* the start is a candidate as well */
    while (t->state.step < o->steps) {
        if ((done->stopped = asked_to_stop(t)) || (done->late = out_of_time(t))) break;
        if (o->patience && t->state.worse >= o->patience) {
            done->early = true;
            break;
        }
        if (advance(t, err)) return -1;
    }
    return write_check(t, err);
}

/* Model files of the end: the last and the best, the latter with what it reaches in the gallery of all entries. */
static int finish(train_t *t, traindone_t *done, err_t *err)
{
    trainvalid_t last = {0};
    trainstate_t *s = &t->state;
    show(t);
    if (t->valid.queries && s->step % (t->o->valid_every ? t->o->valid_every : t->o->steps) && !done->early) {
        trainvalid_t v; /* of the last steps, which no validation has seen; the checkpoint is written already */
        if (look(t, &v, err)) return -1;
    }
    const float *best = s->best_valid.queries ? t->best : t->shown;
    done->best = s->best_valid.queries ? s->best_step : s->step;
    if (validate(t, t->shown, false, &last, err) || validate(t, best, true, &done->valid, err)) return -1;
    trainreport_valid(&t->report, s->step, &last, "last");
    trainreport_valid(&t->report, done->best, &done->valid, "best, all entries");
    if (write_model(t, t->out, best, done->best, &done->valid, err)) return -1;
    return write_model(t, t->last, t->shown, s->step, &last, err);
}

/* Data and parameters: those of a checkpoint, which is read before the long work, or those of the start. */
static int begin(train_t *t, bool resume, err_t *err)
{
    const trainopts_t *o = t->o;
    if (!resume && (traindata_new(t->set, t->e, t->comm, t->log, &t->data, err) ||
                    (!o->init && trainstart_linear(&t->data, t->e, &o->view, o->seed, err))))
        return -1;
    if (trainstep_new(t->e, o, t->dim, t->comm, &t->step, err) || !(t->best = mem_zero(t->step.n, sizeof *t->best, err)) ||
        !(t->shown = mem_zero(t->step.n, sizeof *t->shown, err)))
        return -1;
    traincheck_t c = check_of(t);
    return resume && (traincheck_read(t->ckpt, &c, err) || traindata_new(t->set, t->e, t->comm, t->log, &t->data, err)) ? -1 : 0;
}

static int prepare(train_t *t, const char *out, bool resume, err_t *err)
{
    const trainopts_t *o = t->o;
    t->dim = o->weight_text > 0 ? t->set->dim : 0;
    if (!(t->out = with_suffix(out, "", err)) || !(t->last = with_suffix(out, ".last", err)) ||
        !(t->ckpt = with_suffix(out, ".ckpt", err)) || !(t->tsv = with_suffix(out, ".tsv", err)) ||
        !(t->options = trainreport_options(t->set, t->e, o, err)) || begin(t, resume, err) ||
        traindraw_new(&t->data, o, &t->draw, err) ||
        trainbatch_new(&t->data, o, t->dim, t->comm, &t->batch, err) ||
        trainvalid_new(&t->data, o, t->comm, t->log, &t->valid, err))
        return -1;
    if (resume) traindraw_seek(&t->draw, t->state.epoch, t->state.at);
    log_msg(t->log, LOG_INFO, "%zu entries to train on, %.0f an epoch; %zu queries for validation; network workspace %.0f MB",
            t->draw.n, (double)t->draw.count, t->valid.queries, (double)run_bytes(t->step.run) / 1e6);
    return trainreport_new(t->log, t->comm->rank ? NULL : t->tsv, t->state.step, o, &t->report, err);
}

static void end(train_t *t)
{
    char *paths[] = {t->out, t->last, t->ckpt, t->tsv, t->options};
    trainvalid_free(&t->valid);
    trainbatch_free(&t->batch);
    traindraw_free(&t->draw);
    trainstep_free(&t->step);
    traindata_free(&t->data);
    mem_free(t->best);
    mem_free(t->shown);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) mem_free(paths[i]);
}

int train_run(const dataset_t *d, encoder_t *e, const trainopts_t *o, const char *out, bool resume, const comm_t *comm,
              const volatile sig_atomic_t *stop, const log_t *log, traindone_t *done, err_t *err)
{
    train_t t = {.set = d, .e = e, .o = o, .comm = comm, .log = comm->rank ? NULL : log, .stop = stop, .start = clock_wall()};
    *done = (traindone_t){0};
    int rc = check(d, o, comm, err) || prepare(&t, out, resume, err) ? -1 : 0;
    if (!rc) rc = loop(&t, done, err);
    if (!rc && !done->stopped) rc = finish(&t, done, err);
    done->step = t.state.step;
    if (trainreport_end(&t.report, rc ? NULL : err) && !rc) rc = -1;
    end(&t);
    return rc;
}
