/* graph: a checked network as nn/ sees it inside: values and the layers that make them. */
#ifndef CRYOLEX_NN_GRAPH_H
#define CRYOLEX_NN_GRAPH_H

#include <stdbool.h>
#include <stddef.h>

#include "nn/net.h"

typedef enum {
    OP_CONV, OP_LINEAR, OP_GROUPNORM, OP_BATCHNORM, OP_LAYERNORM, OP_RELU, OP_SILU, OP_GELU, OP_SOFTMAX, OP_ADD,
    OP_CONCAT, OP_POOL, OP_DROPOUT, OP_ATTENTION, OP_FLATTEN, OP_L2NORM, OP_COUNT
} op_t;

typedef enum { POOL_MEAN, POOL_MAX, POOL_GEM, POOL_COUNT } pool_t;

enum { LAYER_FAN_MAX = 64, LAYER_TENSORS_MAX = 4 };

/* A result: of the inputs, in their order, then of the layers. */
typedef struct {
    size_t ndim;     /* 4: a volume; 1: a vector */
    size_t shape[4]; /* C,D,H,W, or C */
    size_t extent[3]; /* D,H,W; 1,1,1 of a vector */
    size_t vox;      /* D H W */
    size_t size;     /* C D H W */
    size_t users;    /* how many times a layer reads it */
    const char *label;
} value_t;

typedef struct {
    op_t op;
    const char *name; /* NULL: none */
    size_t nin, *in;  /* values read; the first is what the layer works on */
    /* the fields of the table */
    size_t out, side, stride, pad, groups, heads;
    double eps, momentum, p;
    bool bias;
    pool_t kind;
    size_t tensor, ntensor; /* its tensors: net->tensor[tensor ...] */
} layer_t;

struct net {
    char *table;
    size_t ninput, nlayer, ntensor, size;
    netport_t *input, output;
    layer_t *layer;
    value_t *value; /* (ninput + nlayer) */
    nettensor_t *tensor;
    char **text; /* strings that names and labels point to */
    size_t ntext, tensor_cap, text_cap;
};

const char *op_name(op_t op);

/* Fill in net->input, value, layer, tensor and size from net->table. 0 or -1. */
int table_read(net_t *net, err_t *err);

/* A layer's tensor by its place in the list of nn/net.h (weight, bias, ...); NULL where it has none there. */
const nettensor_t *layer_tensor(const net_t *net, const layer_t *l, size_t i);

#endif
