/* net: a network's description; its table is read in nn/table.c, it is run in nn/run.c. */
#include "nn/net.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "nn/graph.h"

net_t *net_new(const char *table, err_t *err)
{
    net_t *net = mem_zero(1, sizeof *net, err);
    if (!net) return NULL;
    net->table = mem_str(table, err);
    if (net->table && table_read(net, err) == 0) return net;
    net_free(net);
    return NULL;
}

void net_free(net_t *net)
{
    if (!net) return;
    for (size_t i = 0; net->layer && i < net->nlayer; i++) mem_free(net->layer[i].in);
    for (size_t i = 0; i < net->ntext; i++) mem_free(net->text[i]);
    mem_free(net->text);
    mem_free(net->tensor);
    mem_free(net->value);
    mem_free(net->layer);
    mem_free(net->input);
    mem_free(net->table);
    mem_free(net);
}

const char *net_table(const net_t *net) { return net->table; }
size_t net_size(const net_t *net) { return net->size; }
size_t net_tensors(const net_t *net) { return net->ntensor; }
const nettensor_t *net_tensor(const net_t *net, size_t i) { return i < net->ntensor ? net->tensor + i : NULL; }
size_t net_inputs(const net_t *net) { return net->ninput; }
const netport_t *net_input(const net_t *net, size_t i) { return i < net->ninput ? net->input + i : NULL; }
const netport_t *net_output(const net_t *net) { return &net->output; }

const nettensor_t *layer_tensor(const net_t *net, const layer_t *l, size_t i)
{
    return i < l->ntensor ? net->tensor + l->tensor + i : NULL;
}

size_t net_layers(const net_t *net) { return net->nlayer; }

netlayer_t net_layer(const net_t *net, size_t i)
{
    const layer_t *l = &net->layer[i];
    const value_t *x = &net->value[l->in[0]], *y = &net->value[net->ninput + i];
    double c = (double)x->shape[0], v = (double)x->vox, k = (double)l->side;
    netlayer_t out = {.op = op_name(l->op), .name = l->name, .ndim = y->ndim};
    memcpy(out.shape, y->shape, y->ndim * sizeof *y->shape);
    for (size_t t = 0; t < l->ntensor; t++) out.params += layer_tensor(net, l, t)->size;
    if (l->op == OP_CONV) out.flops = 2 * c * k * k * k * (double)y->size;
    if (l->op == OP_LINEAR) out.flops = 2 * c * (double)y->size;
    if (l->op == OP_ATTENTION) out.flops = 2 * v * (4 * c * c + 2 * v * c);
    return out;
}

double net_flops(const net_t *net)
{
    double sum = 0;
    for (size_t i = 0; i < net->nlayer; i++) sum += net_layer(net, i).flops;
    return sum;
}

static void fill(float *x, size_t n, float v)
{
    for (size_t i = 0; i < n; i++) x[i] = v;
}

static void uniform(rng_t *rng, double bound, size_t n, float *x)
{
    for (size_t i = 0; i < n; i++) x[i] = (float)((2 * rng_unit(rng) - 1) * bound);
}

static void init_layer(const net_t *net, const layer_t *l, rng_t *rng, float *params)
{
    for (size_t i = 0; i < l->ntensor; i++) {
        const nettensor_t *t = layer_tensor(net, l, i);
        float *x = params + t->at;
        double fan = (double)t->size / (double)t->shape[0];
        switch (l->op) {
        case OP_CONV:
        case OP_LINEAR: /* weight, bias */
            for (size_t j = 0; j < t->size; j++) x[j] = i ? 0 : (float)(rng_normal(rng) * sqrt(2 / fan));
            break;
        case OP_GROUPNORM:
        case OP_LAYERNORM:
        case OP_BATCHNORM: fill(x, t->size, i == 0 || i == 3 ? 1.0f : 0.0f); break; /* weight, bias, mean, variance */
        case OP_ATTENTION: /* as torch.nn.MultiheadAttention: in Xavier uniform, out as a linear layer there */
            if (i == 0) uniform(rng, sqrt(6 / (4 * fan)), t->size, x);
            if (i == 2) uniform(rng, sqrt(1 / fan), t->size, x);
            break;
        case OP_POOL: fill(x, t->size, 3); break;
        default: break;
        }
    }
}

void net_init(const net_t *net, rng_t *rng, float *params)
{
    memset(params, 0, net->size * sizeof *params);
    for (size_t i = 0; i < net->nlayer; i++) init_layer(net, &net->layer[i], rng, params);
}
