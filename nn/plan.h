/* plan: a network cut into steps and segments, and where every array of a run lies. Inside nn/ only.
 *
 * A step is a layer with what is fused to it. A segment is a run of steps that a chunk of samples goes through without
 * waiting for other samples; at its end all threads meet. Values and their gradients are `kept` (for all samples of the
 * batch) or local (for the samples of a chunk, in the thread's arena, where those that are not alive at the same time share
 * room). In training, values that a cheap pass can make again (normalised, activated ...) are not kept but redone. */
#ifndef CRYOLEX_NN_PLAN_H
#define CRYOLEX_NN_PLAN_H

#include "nn/conv.h"
#include "nn/graph.h"
#include "nn/pass.h"

#define NONE ((size_t)-1)

typedef enum {
    S_INPUT, S_CONV, S_LINEAR, S_POINT, S_POOL, S_CONCAT, S_DROPOUT, S_SOFTMAX, S_LAYERNORM, S_ATTENTION, S_FLATTEN,
    S_L2NORM, S_COUNT
} stepkind_t;

/* The blocked layout of a value: (blocks, vox, b), `floats` from sample to sample (a multiple of PASS_COLUMNS). A vector
 * is a volume of one voxel. */
typedef struct {
    size_t c, vox, b, blocks, floats;
    size_t lanes; /* blocks b */
} geom_t;

/* Where a value, or a gradient, lies. */
typedef struct {
    bool kept;
    size_t at; /* kept: floats of a sample before it, times the batch; local: the same, times the chunk */
} place_t;

typedef struct {
    geom_t g;
    size_t made, last; /* steps: that makes it, and the last that reads it; made is NONE for a value fused away */
    bool wants;        /* training: has a gradient */
    bool need;         /* training: backward reads it */
    bool redo;         /* training: made again in backward */
    place_t fwd, back, grad; /* back: where backward finds it */
} buf_t;

/* out = act(op(in) + add). S_POINT: op is norm, or nothing. S_CONV, S_LINEAR: norm is a batchnorm folded into it. */
typedef struct {
    stepkind_t kind;
    const layer_t *l, *norm;
    act_t act;
    size_t index;          /* of its (first) layer, or of the input */
    size_t nin, *in;       /* values */
    size_t add;            /* value, or NONE */
    size_t out;
    bool *sum;             /* backward: add to the gradient of in[i] (of `add`: the last one), or write it */
    bool wants;            /* backward has something to do */
    conv_t *conv;
    size_t w[4], nw;       /* offsets in run_t.weights */
    size_t acc[4], nacc;   /* offsets in a group's accumulators */
    size_t aux, naux;      /* floats a sample that forward saves for backward, and those before them */
    size_t stat;           /* a batchnorm that stands alone: offset in run_t.stat */
} step_t;

typedef struct {
    size_t first, end;  /* steps */
    size_t chunk;       /* samples at a time */
    size_t groups;      /* most groups of samples with accumulators of their own */
    size_t acc;         /* floats of these */
    bool batch;         /* one step, a batchnorm in training: waits for the whole batch */
} seg_t;

typedef struct {
    const net_t *net;
    isa_t isa;
    bool train, inputs_too;
    size_t batch;
    step_t *step;
    size_t nstep, nvalue;
    buf_t *buf;         /* (nvalue) */
    size_t *alias;      /* (nvalue): the value that stands for it */
    seg_t *seg;
    size_t nseg;
    size_t output;      /* value */
    /* totals, in floats */
    size_t weights, stat, work;
    size_t kept, aux, grad; /* a sample */
    size_t arena;           /* a thread */
    size_t acc;             /* all groups */
    size_t groups;
} plan_t;

int netplan_make(plan_t *p, const net_t *net, const runopts_t *o, err_t *err);
void netplan_free(plan_t *p);

geom_t geom_of(isa_t isa, const value_t *v);

#endif
