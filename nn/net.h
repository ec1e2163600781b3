/* net: a network described by a table, run forward and backward over batches.
 *
 * The table is JSON, and travels in the model file:
 *   {"inputs": {"cube": [1,32,32,32], "features": [154]},
 *    "layers": [{"op": "conv", "name": "stem", "from": "cube", "out": 32, "side": 5, "stride": 2, "bias": false},
 *               {"op": "groupnorm", "name": "stem_norm", "groups": 8}, {"op": "relu", "as": "a"}, ...]}
 * A layer works on the result of the one before it, or on what "from" names: an input, or the "as" of an earlier layer.
 * The last result is the output. A result is a volume (C,D,H,W) or a vector (C). Fields with a default may be left out;
 * one that is not known is an error. Every eps is at least 1e-30.
 *   op         fields                                   on               parameters (PyTorch's names and shapes)
 *   conv       name out side stride=1 pad=side/2 bias=true  volume       NAME.weight (out,C,k,k,k), NAME.bias (out)
 *   linear     name out bias=true                       vector           NAME.weight (out,C), NAME.bias
 *   groupnorm  name groups eps=1e-5                     volume, vector   NAME.weight (C), NAME.bias (C)
 *   batchnorm  name eps=1e-5 momentum=0.1               volume, vector   the same, and NAME.running_mean, NAME.running_var;
 *                                                       the form that folds into the convolution or linear layer before it
 *   layernorm  name eps=1e-5                            vector, or each voxel of a volume over its C    NAME.weight, .bias
 *   relu silu gelu softmax                              any (softmax: over C)
 *   add        with                                     same shapes
 *   concat     with (a label or a list of them)         vectors
 *   pool       kind=mean|max|gem side stride=side       volume: windows of side^3, no padding, sides divisible by stride
 *                                                       not needed (floor); without side, the whole volume into a vector.
 *                                                       gem: name, eps=1e-6, NAME.p (1) starts at 3: mean(max(x,eps)^p)^(1/p)
 *   dropout    p                                        any; scales by 1/(1-p) in training, nothing at inference
 *   attention  name heads                               volume: voxels are the tokens (at most 32768), self-attention over all;
 *                                                       NAME.in_proj_weight (3C,C), .in_proj_bias, .out_proj.weight, .out_proj.bias
 *   flatten                                             volume -> vector, (C,D,H,W) row major
 *   l2norm     eps=1e-12                                vector: x / max(|x|, eps)
 *
 * Parameters are one block of float32; tensors are named pieces of it. Gradients are a block of the same shape.
 * Runs: OpenMP over samples (at inference over slabs of a sample where there are fewer samples than threads); the same
 * bytes for any number of threads, with OpenBLAS (attention) at one thread, which is the program's to say. At inference a
 * sample's bytes depend on nothing but itself and the parameters; what is not finite stays in its sample, in training too
 * unless a batchnorm looks at the whole batch.
 *
 * How nn/ hangs together, from the table down:
 *   table.c (graph.h)     JSON -> values and layers, checked: struct net. net.c: its starting values and listings.
 *   plan.c (plan.h)       layers -> steps: a layer with the batchnorm, add and activation that are fused to it; how many
 *                         floats of weights, accumulators and workspace each step wants.
 *   place.c               steps -> segments; which values are kept for all samples, which live in a thread's arena, which
 *                         are made again in backward; offsets of them all. After this nothing is decided any more.
 *   run.c, run_back.c     memory and threads: samples, in chunks, through the steps of a segment; groups of samples with
 *                         accumulators of their own backward, added up in order: why bytes do not depend on threads.
 *   load.c                parameters -> the steps' own order (packed, folded), and gradients out of it.
 *   step.c, step_back.c   one step on one chunk of samples: looks up the places and calls the kernels:
 *     conv.c              convolutions, which choose between direct*.c and wino*.c
 *     pass*.c, pool.c     passes over channel blocks, small products, pooling
 *     act.c attention.c layernorm.c softmax.c     on rows
 *   X_ref.c is plain C; X_vec.c is compiled once for every instruction set (isa.h).
 * Beside them, and not called from a run: loss, optim, schedule, stfile (model files), matmul (text/). */
#ifndef CRYOLEX_NN_NET_H
#define CRYOLEX_NN_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rng.h"
#include "nn/comm.h"
#include "nn/isa.h"

#define NET_LAYERS_MAX 1024
#define NET_INPUTS_MAX 8

typedef struct net net_t;

typedef struct {
    const char *name;
    size_t ndim, shape[5];
    size_t at, size; /* floats, from the start of the block; at is a multiple of 16 */
    bool trained;    /* false: running statistics */
    bool decays;     /* weight decay applies: two dimensions and more */
} nettensor_t;

typedef struct {
    const char *name;
    size_t ndim, shape[4], size; /* floats of one sample */
} netport_t;

/* Read a table. NULL: ERR_FORMAT with the layer's number, its op and the field; ERR_RANGE; ERR_NOMEM. Free: net_free(). */
net_t *net_new(const char *table, err_t *err);
void net_free(net_t *net); /* NULL is fine */
const char *net_table(const net_t *net); /* the table as it was given */

size_t net_size(const net_t *net); /* floats in the parameter block, padding (kept zero) included */
size_t net_tensors(const net_t *net);
const nettensor_t *net_tensor(const net_t *net, size_t i);
size_t net_inputs(const net_t *net);
const netport_t *net_input(const net_t *net, size_t i);
const netport_t *net_output(const net_t *net);
double net_flops(const net_t *net); /* of one sample forward: convolution, linear and attention, 2 a multiply-add */

/* A layer of the table, for listings. */
typedef struct {
    const char *op, *name;  /* name NULL: none */
    size_t ndim, shape[4];  /* of its result */
    size_t params;          /* values of its tensors */
    double flops;           /* its part of net_flops() */
} netlayer_t;
size_t net_layers(const net_t *net);
netlayer_t net_layer(const net_t *net, size_t i); /* i < net_layers() */

/* Starting values: convolution and linear weights normal with variance 2 / fan-in (He 2015), biases 0, norms 1 and 0,
 * attention as PyTorch (Xavier uniform), gem 3. The last norm of a residual branch (the norm just before "add") starts at
 * weight 1 like the others. Equal seeds give equal bytes. */
void net_init(const net_t *net, rng_t *rng, float *params);

typedef struct {
    size_t batch;       /* most samples in a call */
    bool train;         /* keep what backward needs; batch statistics; dropout */
    bool inputs_too;    /* train: gradients with respect to the inputs are wanted */
    isa_t isa;          /* isa_best() */
    const comm_t *comm; /* batchnorm statistics over all ranks; NULL: comm_self */
} runopts_t;

typedef struct run run_t; /* a network's workspace; one caller at a time */

/* Memory is taken here and only here. NULL: ERR_NOMEM, ERR_RANGE. Free with run_free(). net is borrowed. */
run_t *run_new(const net_t *net, const runopts_t *o, err_t *err);
void run_free(run_t *r); /* NULL is fine */
size_t run_bytes(const run_t *r);

/* Take over new parameter values (packs and, at inference, folds them). Before the first forward and after each change.
 * In training params is borrowed until the next call: each part of the network packs its own when its turn comes, and they
 * must stay as they are from a forward to the end of its backward. */
void run_load(run_t *r, const float *params);

/* out (n, output size) from in[i] (n, size of input i), plain layout. n <= batch. seed: of this call's dropout.
 * 0, or -1: from comm; ERR_USAGE: n above batch. */
int run_forward(run_t *r, const float *const *in, size_t n, uint64_t seed, float *out, err_t *err);

/* After run_forward in training (once, or again for another dout): grads (net_size) += from dout (n, output size);
 * din[i] (n, size) written where din and din[i] are not NULL. 0, or -1: from comm; ERR_USAGE: the run is not for training, or
 * din without inputs_too. */
int run_backward(run_t *r, const float *dout, float *grads, float *const *din, err_t *err);

/* Move params' running statistics towards those of the last forward in training, as PyTorch does (unbiased variance; of one
 * value 0). Nothing, where that saw no samples on any rank. */
void run_statistics(const run_t *r, float *params);

#endif
