/* train_step: forward, losses, backward, update (see train_step.h). */
#include "pipeline/train_step.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "nn/isa.h"
#include "pipeline/train_start.h"

enum { PIECE = 16, TEXT_INIT = 31, DROPOUT = 32 }; /* floats; what a seed is for */
static const double BETA1 = 0.9, BETA2 = 0.999, EPS = 1e-8;

static size_t round_up(size_t n) { return (n + PIECE - 1) / PIECE * PIECE; }

static int make_text_net(trainstep_t *s, size_t dim, err_t *err)
{
    char table[256];
    snprintf(table, sizeof table,
             "{\"inputs\": {\"text\": [%zu]}, \"layers\": [{\"op\": \"linear\", \"name\": \"text\", \"from\": \"text\", \"out\": %zu, "
             "\"bias\": false}, {\"op\": \"l2norm\"}]}",
             dim, s->d);
    return (s->text_net = net_new(table, err)) ? 0 : -1;
}

/* Ranges of the optimiser: tensors of a network from `at` on; linear: share of the rate of its linear path. */
static size_t add_ranges(const net_t *net, size_t at, double linear, optrange_t *r)
{
    for (size_t i = 0; i < net_tensors(net); i++) {
        const nettensor_t *t = net_tensor(net, i);
        double share = !strcmp(t->name, TRAIN_LINEAR) ? linear : 1;
        r[i] = (optrange_t){.at = at + t->at, .size = t->size, .trained = t->trained && share > 0, .decays = t->decays, .rate = share};
    }
    return net_tensors(net);
}

static int make_optim(trainstep_t *s, err_t *err)
{
    const trainopts_t *o = s->o;
    optopts_t opts = {.beta1 = BETA1, .beta2 = BETA2, .eps = EPS, .decay = o->decay, .clip = o->clip, .average = o->average};
    optrange_t *r = mem_zero(net_tensors(s->net) + 2, sizeof *r, err);
    if (!r) return -1;
    size_t n = add_ranges(s->net, 0, o->linear, r);
    if (s->text_net) n += add_ranges(s->text_net, s->text_at, 1, r + n);
    r[n++] = (optrange_t){.at = s->scale_at, .size = SCALES, .trained = true};
    s->optim = optim_new(s->n, r, n, &opts, s->params, err);
    mem_free(r);
    return s->optim ? 0 : -1;
}

static int make_block(trainstep_t *s, const encoder_t *e, err_t *err)
{
    rng_t r;
    s->text_at = round_up(net_size(s->net));
    s->text_size = s->text_net ? net_size(s->text_net) : 0;
    s->scale_at = s->text_at + round_up(s->text_size);
    s->n = s->scale_at + PIECE;
    if (!(s->params = mem_zero(s->n, sizeof *s->params, err)) || !(s->grads = mem_zero(s->n, sizeof *s->grads, err))) return -1;
    memcpy(s->params, e->params, net_size(s->net) * sizeof *s->params);
    rng_seed(&r, train_mix(s->o->seed, TEXT_INIT));
    if (s->text_net) net_init(s->text_net, &r, s->params + s->text_at);
    const modeltext_t *text = s->o->text;
    if (text && s->text_net && text->dim == net_input(s->text_net, 0)->size)
        memcpy(s->params + s->text_at, text->weight, s->d * text->dim * sizeof *text->weight);
    for (int k = 0; k < SCALES; k++) s->params[s->scale_at + (size_t)k] = (float)log(s->o->scale);
    return 0;
}

int trainstep_new(const encoder_t *e, const trainopts_t *o, size_t dim, const comm_t *comm, trainstep_t *s, err_t *err)
{
    size_t rows = o->batch / (size_t)comm->size;
    *s = (trainstep_t){.o = o, .comm = comm, .net = e->net, .batch = o->batch, .rows = rows, .d = e->d};
    runopts_t run = {.batch = 2 * rows, .train = true, .isa = isa_best(), .comm = comm};
    infonceopts_t view = {.rows = o->batch, .dim = e->d, .labels = o->batch, .both = true}, text = view;
    text.both = o->text_both;
    if ((dim && make_text_net(s, dim, err)) || make_block(s, e, err) || make_optim(s, err) ||
        !(s->run = run_new(s->net, &run, err)) || (dim && !(s->text_run = run_new(s->text_net, &run, err))) ||
        !(s->view_loss = infonce_new(&view, err)) || !(s->text_loss = infonce_new(&text, err)) ||
        !(s->z = mem_new(2 * rows, s->d * sizeof(float), err)) || !(s->t = mem_zero(2 * rows, s->d * sizeof(float), err)) ||
        !(s->all = mem_new(2 * o->batch, s->d * sizeof(float), err)) || !(s->label = mem_new(o->batch, sizeof *s->label, err)))
        return -1;
    for (int k = 0; k < 4; k++)
        if (!(s->half[k] = mem_new(o->batch, s->d * sizeof(float), err)) ||
            !(s->dhalf[k] = mem_new(o->batch, s->d * sizeof(float), err)) ||
            !(s->part[k] = mem_new(o->batch, s->d * sizeof(float), err)))
            return -1;
    return 0;
}

void trainstep_free(trainstep_t *s)
{
    void *all[] = {s->params, s->grads, s->z, s->t, s->all, s->label};
    net_free(s->text_net);
    optim_free(s->optim);
    run_free(s->run);
    run_free(s->text_run);
    infonce_free(s->view_loss);
    infonce_free(s->text_loss);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) mem_free(all[i]);
    for (int k = 0; k < 4; k++) {
        mem_free(s->half[k]);
        mem_free(s->dhalf[k]);
        mem_free(s->part[k]);
    }
    *s = (trainstep_t){0};
}

/* x (2b, d) of this rank -> those of all ranks: first halves (B, d), second halves (B, d). */
static int spread(trainstep_t *s, const float *x, float *first, float *second, err_t *err)
{
    size_t m = s->rows * s->d;
    if (s->comm->gather(s->comm, x, 2 * m, s->all, err)) return -1;
    for (size_t k = 0; k < (size_t)s->comm->size; k++) {
        memcpy(first + k * m, s->all + 2 * k * m, m * sizeof *first);
        memcpy(second + k * m, s->all + (2 * k + 1) * m, m * sizeof *second);
    }
    return 0;
}

/* This rank's rows of the gradients of both halves. */
static void collect(const trainstep_t *s, const float *first, const float *second, float *x)
{
    size_t m = s->rows * s->d, from = (size_t)s->comm->rank * m;
    memcpy(x, first + from, m * sizeof *x);
    memcpy(x + m, second + from, m * sizeof *x);
}

static void zero(float *x, size_t n) { memset(x, 0, n * sizeof *x); }

/* Structures (half k) to their captions (half 2 + k), over the rows that have one. Every rank has all rows and does all of
 * it, so that rows with a caption need not be equally many on each. Adds to dhalf. */
static int text_part(trainstep_t *s, const trainbatch_t *b, int k, double weight, stepout_t *out, double *dscale, err_t *err)
{
    size_t n = 0, d = s->d;
    labels_t labels = {.label = s->label};
    infonceout_t got;
    for (size_t i = 0; i < s->batch; i++)
        if (b->told[i]) {
            memcpy(s->part[0] + n * d, s->half[k] + i * d, d * sizeof(float));
            memcpy(s->part[1] + n * d, s->half[2 + k] + i * d, d * sizeof(float));
            s->label[n++] = b->meaning[i];
        }
    if (!n) return 0;
    if (infonce_run(s->text_loss, n, s->part[0], s->part[1], &labels, s->params[s->scale_at + SCALE_TEXT], s->part[2],
                    s->part[3], &got, err))
        return -1;
    n = 0;
    for (size_t i = 0; i < s->batch; i++)
        if (b->told[i]) {
            for (size_t j = 0; j < d; j++) {
                s->dhalf[k][i * d + j] += (float)weight * s->part[2][n * d + j];
                s->dhalf[2 + k][i * d + j] += (float)weight * s->part[3][n * d + j];
            }
            n++;
        }
    out->loss_text += got.loss / 2;
    out->top1_text += got.top1 / 2;
    *dscale += weight * got.dscale;
    return 0;
}

/* All losses and their gradients with respect to the embeddings; dscale of the whole batch. */
static int losses(trainstep_t *s, const trainbatch_t *b, stepout_t *out, double dscale[SCALES], err_t *err)
{
    const trainopts_t *o = s->o;
    size_t m = s->batch * s->d;
    labels_t labels = {.label = b->same};
    infonceout_t got;
    if (infonce_run(s->view_loss, s->batch, s->half[0], s->half[1], o->same == SAME_POSITIVE ? &labels : NULL,
                    s->params[s->scale_at + SCALE_VIEW], s->dhalf[0], s->dhalf[1], &got, err))
        return -1;
    for (size_t i = 0; i < m; i++) {
        s->dhalf[0][i] *= (float)o->weight_view;
        s->dhalf[1][i] *= (float)o->weight_view;
    }
    out->loss_view = got.loss;
    out->top1_view = got.top1;
    dscale[SCALE_VIEW] = o->weight_view * got.dscale;
    if (s->text_net) {
        zero(s->dhalf[2], m);
        zero(s->dhalf[3], m);
        for (int k = 0; k < 2; k++)
            if (text_part(s, b, k, o->weight_text / 2, out, &dscale[SCALE_TEXT], err)) return -1;
    }
    out->loss = o->weight_view * out->loss_view + o->weight_text * out->loss_text;
    return 0;
}

/* Embeddings of this rank's rows, then those of all. */
static int forward(trainstep_t *s, const trainbatch_t *b, uint64_t step, err_t *err)
{
    const float *in[NET_INPUTS_MAX], *text = b->text;
    uint64_t seed = train_mix(train_mix(train_mix(s->o->seed, DROPOUT), step), (uint64_t)s->comm->rank);
    for (size_t i = 0; i < net_inputs(s->net); i++)
        in[i] = strcmp(net_input(s->net, i)->name, "cube") ? b->features : b->cubes;
    run_load(s->run, s->params);
    if (run_forward(s->run, in, 2 * s->rows, seed, s->z, err) || spread(s, s->z, s->half[0], s->half[1], err)) return -1;
    if (!s->text_net) return 0;
    run_load(s->text_run, s->params + s->text_at);
    if (run_forward(s->text_run, &text, 2 * s->rows, 0, s->t, err)) return -1;
    return spread(s, s->t, s->half[2], s->half[3], err);
}

/* Gradients of the parameters, summed over the ranks. */
static int backward(trainstep_t *s, const double dscale[SCALES], err_t *err)
{
    zero(s->grads, s->n);
    collect(s, s->dhalf[0], s->dhalf[1], s->z);
    if (run_backward(s->run, s->z, s->grads, NULL, err)) return -1;
    if (s->text_net) {
        collect(s, s->dhalf[2], s->dhalf[3], s->t);
        if (run_backward(s->text_run, s->t, s->grads + s->text_at, NULL, err)) return -1;
    }
    for (size_t k = 0; k < SCALES && !s->comm->rank; k++) s->grads[s->scale_at + k] = (float)dscale[k];
    return s->comm->sum(s->comm, s->grads, s->n, err);
}

int trainstep_run(trainstep_t *s, const trainbatch_t *b, uint64_t step, double rate, stepout_t *out, err_t *err)
{
    double dscale[SCALES] = {0};
    *out = (stepout_t){0};
    if (forward(s, b, step, err) || losses(s, b, out, dscale, err) || backward(s, dscale, err)) return -1;
    run_statistics(s->run, s->params);
    optim_step(s->optim, s->params, s->grads, rate, &out->step);
    for (size_t k = 0; k < SCALES; k++) {
        float *x = &s->params[s->scale_at + k];
        *x = infonce_clamp(*x);
        out->scale[k] = exp((double)*x);
    }
    return 0;
}
