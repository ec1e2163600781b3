/* table: JSON -> layers, checked. Every layer is one object; which fields an op has, and their ranges, stand in `fields`. */
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "nn/graph.h"

#define TABLE_MAX ((size_t)4 << 20)     /* bytes of JSON */
#define SIDE_MAX ((size_t)1 << 16)      /* of an extent */
#define CHANNELS_MAX ((size_t)1 << 20)
#define VALUE_MAX ((size_t)1 << 31)     /* floats of a result, of one sample */
#define PARAMS_MAX ((size_t)1 << 34)    /* floats of all parameters */
#define TOKENS_MAX ((size_t)1 << 15)    /* of attention, which saves their square */
#define EPS_MIN 1e-30                   /* its inverse is a float */
#define NAME_MAX_LEN 64
#define ALIGN_FLOATS (MEM_ALIGN / sizeof(float))

static const char *const op_names[OP_COUNT] = {"conv",    "linear", "groupnorm", "batchnorm", "layernorm", "relu",
                                               "silu",    "gelu",   "softmax",   "add",       "concat",    "pool",
                                               "dropout", "attention", "flatten", "l2norm"};
static const char *const pool_names[POOL_COUNT] = {"mean", "max", "gem"};

const char *op_name(op_t op) { return op_names[op]; }

typedef enum { F_SIZE, F_REAL, F_BOOL, F_KIND } ftype_t;

/* A row a field and the ops that have it. A number lies in min..max. */
typedef struct {
    const char *name;
    unsigned ops;
    ftype_t type;
    size_t at;
    double min, max;
    bool needed;
    double def;
} field_t;

#define ON(op) (1u << (op))
#define AT(f) offsetof(layer_t, f)
#define NORMS (ON(OP_GROUPNORM) | ON(OP_BATCHNORM) | ON(OP_LAYERNORM))

static const field_t fields[] = {
    {"out", ON(OP_CONV) | ON(OP_LINEAR), F_SIZE, AT(out), 1, CHANNELS_MAX, 1, 0},
    {"side", ON(OP_CONV), F_SIZE, AT(side), 1, 5, 1, 0},
    {"stride", ON(OP_CONV), F_SIZE, AT(stride), 1, 2, 0, 1},
    {"pad", ON(OP_CONV), F_SIZE, AT(pad), 0, 2, 0, -1},
    {"bias", ON(OP_CONV) | ON(OP_LINEAR), F_BOOL, AT(bias), 0, 1, 0, 1},
    {"groups", ON(OP_GROUPNORM), F_SIZE, AT(groups), 1, CHANNELS_MAX, 1, 0},
    {"eps", NORMS, F_REAL, AT(eps), EPS_MIN, 1, 0, 1e-5},
    {"eps", ON(OP_L2NORM), F_REAL, AT(eps), EPS_MIN, 1, 0, 1e-12},
    {"eps", ON(OP_POOL), F_REAL, AT(eps), EPS_MIN, 1, 0, 1e-6},
    {"momentum", ON(OP_BATCHNORM), F_REAL, AT(momentum), 0, 1, 0, 0.1},
    {"kind", ON(OP_POOL), F_KIND, AT(kind), 0, 0, 1, 0},
    {"side", ON(OP_POOL), F_SIZE, AT(side), 1, SIDE_MAX, 0, 0},
    {"stride", ON(OP_POOL), F_SIZE, AT(stride), 1, SIDE_MAX, 0, 0},
    {"p", ON(OP_DROPOUT), F_REAL, AT(p), 0, 0.99, 1, 0},
    {"heads", ON(OP_ATTENTION), F_SIZE, AT(heads), 1, CHANNELS_MAX, 1, 0},
};
#define NFIELDS (sizeof fields / sizeof *fields)

/* Where we are, for messages. */
typedef struct {
    net_t *net;
    size_t i; /* the layer, from 0 */
    const char *op;
    err_t *err;
} at_t;

static int bad(const at_t *w, errcode_t code, const char *field, const char *found)
{
    return err_set(w->err, code, "table: layer %zu (%s): %s: %s", w->i + 1, w->op, field, found);
}

static char *keep(net_t *net, const char *s, err_t *err)
{
    if (mem_grow(&net->text, &net->text_cap, net->ntext + 1, sizeof *net->text, err)) return NULL;
    char *t = mem_str(s, err);
    if (t) net->text[net->ntext++] = t;
    return t;
}

/* Letters, digits, '_', '-' and '.', 1 to NAME_MAX_LEN of them: safe as a part of a tensor's name. */
static bool good_name(const char *s, size_t n)
{
    return n >= 1 && n <= NAME_MAX_LEN && strlen(s) == n &&
           strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") == n;
}

static int get_name(const at_t *w, const json_t *v, const char *field, const char **out)
{
    if (!json_is_string(v) || !good_name(json_string_value(v), json_string_length(v)))
        return bad(w, ERR_FORMAT, field, "not a name (1 to 64 letters, digits, '_', '-', '.')");
    return (*out = keep(w->net, json_string_value(v), w->err)) ? 0 : -1;
}

/* ---- values and shapes ---- */

static int set_shape(value_t *v, size_t ndim, const size_t *shape)
{
    v->ndim = ndim;
    v->extent[0] = v->extent[1] = v->extent[2] = v->vox = 1;
    for (size_t i = 0; i < ndim; i++) {
        v->shape[i] = shape[i];
        if (i) v->extent[i - 1] = shape[i];
        if (i && (!mem_mul(v->vox, shape[i], &v->vox) || v->vox > VALUE_MAX)) return -1;
    }
    return mem_mul(v->vox, shape[0], &v->size) && v->size <= VALUE_MAX ? 0 : -1;
}

/* The value called s, among the inputs and the first n layers; net->ninput + n where there is none. */
static size_t find(const net_t *net, size_t n, const char *s)
{
    size_t i = 0;
    while (i < net->ninput + n && !(net->value[i].label && !strcmp(net->value[i].label, s))) i++;
    return i;
}

static int get_value(const at_t *w, const json_t *v, const char *field, size_t *out)
{
    char text[128];
    if (!json_is_string(v)) return bad(w, ERR_FORMAT, field, "not a label");
    *out = find(w->net, w->i, json_string_value(v));
    if (*out < w->net->ninput + w->i) return 0;
    snprintf(text, sizeof text, "\"%.64s\" is no input and no earlier label", json_string_value(v));
    return bad(w, ERR_FORMAT, field, text);
}

static int read_with(const at_t *w, const json_t *v, layer_t *l)
{
    bool list = json_is_array(v);
    size_t n = list ? json_array_size(v) : 1;
    if (list && l->op == OP_ADD) return bad(w, ERR_FORMAT, "with", "a list (add takes one label)");
    if (n < 1 || n >= LAYER_FAN_MAX) return bad(w, ERR_RANGE, "with", "1 to 63 labels are wanted");
    for (size_t i = 0; i < n; i++)
        if (get_value(w, list ? json_array_get(v, i) : v, "with", &l->in[l->nin + i])) return -1;
    l->nin += n;
    return 0;
}

/* ---- fields ---- */

static int put_number(const at_t *w, const field_t *f, const json_t *v, layer_t *l)
{
    char text[128], *p = (char *)l + f->at;
    double x = json_number_value(v);
    bool whole = f->type == F_SIZE;
    if (whole ? !json_is_integer(v) : !json_is_number(v))
        return bad(w, ERR_FORMAT, f->name, whole ? "not a whole number" : "not a number");
    if (!(x >= f->min && x <= f->max)) {
        snprintf(text, sizeof text, "%.6g (%.6g to %.6g)", x, f->min, f->max);
        return bad(w, ERR_RANGE, f->name, text);
    }
    if (whole) *(size_t *)(void *)p = (size_t)x;
    else *(double *)(void *)p = x;
    return 0;
}

static int put_field(const at_t *w, const field_t *f, const json_t *v, layer_t *l)
{
    if (f->type == F_BOOL) {
        if (!json_is_boolean(v)) return bad(w, ERR_FORMAT, f->name, "not true or false");
        l->bias = json_is_true(v);
        return 0;
    }
    if (f->type != F_KIND) return put_number(w, f, v, l);
    for (int k = 0; json_is_string(v) && k < POOL_COUNT; k++)
        if (!strcmp(json_string_value(v), pool_names[k])) {
            l->kind = (pool_t)k;
            return 0;
        }
    return bad(w, ERR_FORMAT, f->name, "not mean, max or gem");
}

static bool has_name(const layer_t *l)
{
    return (ON(l->op) & (ON(OP_CONV) | ON(OP_LINEAR) | NORMS | ON(OP_ATTENTION))) ||
           (l->op == OP_POOL && l->kind == POOL_GEM);
}

static const field_t *find_field(op_t op, const char *key)
{
    for (size_t i = 0; i < NFIELDS; i++)
        if ((fields[i].ops & ON(op)) && !strcmp(fields[i].name, key)) return &fields[i];
    return NULL;
}

static int read_key(const at_t *w, const char *key, const json_t *v, layer_t *l)
{
    const field_t *f = find_field(l->op, key);
    if (f) return put_field(w, f, v, l);
    if (!strcmp(key, "op") || !strcmp(key, "from")) return 0;
    if (!strcmp(key, "name")) return get_name(w, v, key, &l->name);
    if (!strcmp(key, "as")) {
        const char **label = &w->net->value[w->net->ninput + w->i].label;
        if (get_name(w, v, key, label)) return -1;
        return find(w->net, w->i, *label) < w->net->ninput + w->i ? bad(w, ERR_FORMAT, key, "this label is taken") : 0;
    }
    if (!strcmp(key, "with") && (l->op == OP_ADD || l->op == OP_CONCAT)) return read_with(w, v, l);
    return bad(w, ERR_FORMAT, key, "no such field of this op");
}

static void defaults(layer_t *l)
{
    for (size_t i = 0; i < NFIELDS; i++) {
        char *p = (char *)l + fields[i].at;
        if (!(fields[i].ops & ON(l->op))) continue;
        if (fields[i].type == F_SIZE) *(size_t *)(void *)p = fields[i].def < 0 ? (size_t)-1 : (size_t)fields[i].def;
        if (fields[i].type == F_REAL) *(double *)(void *)p = fields[i].def;
        if (fields[i].type == F_BOOL) *(bool *)p = fields[i].def != 0;
    }
}

/* The fields of one layer; what it works on is l->in[0]. */
static int read_fields(const at_t *w, json_t *o, layer_t *l)
{
    const char *key;
    json_t *v, *from = json_object_get(o, "from");
    if (from ? get_value(w, from, "from", &l->in[0])
             : !w->i && bad(w, ERR_FORMAT, "from", "missing, and there is no layer before"))
        return -1;
    if (!from) l->in[0] = w->net->ninput + w->i - 1;
    l->nin = 1;
    defaults(l);
    json_object_foreach(o, key, v)
        if (read_key(w, key, v, l)) return -1;
    for (size_t i = 0; i < NFIELDS; i++)
        if (fields[i].needed && (fields[i].ops & ON(l->op)) && !json_object_get(o, fields[i].name))
            return bad(w, ERR_FORMAT, fields[i].name, "missing");
    if (has_name(l) && !l->name) return bad(w, ERR_FORMAT, "name", "missing");
    if (!has_name(l) && l->name) return bad(w, ERR_FORMAT, "name", "a layer without parameters has none");
    if (l->nin == 1 && (l->op == OP_ADD || l->op == OP_CONCAT)) return bad(w, ERR_FORMAT, "with", "missing");
    return 0;
}

/* ---- shapes of results ---- */

static int same_shape(const value_t *a, const value_t *b)
{
    return a->ndim == b->ndim && !memcmp(a->shape, b->shape, a->ndim * sizeof *a->shape);
}

static int window(const at_t *w, const value_t *x, size_t side, size_t stride, size_t pad, size_t *shape)
{
    char text[128];
    for (size_t d = 0; d < 3; d++) {
        if (x->extent[d] + 2 * pad < side) {
            snprintf(text, sizeof text, "%zu, larger than the volume (%zu and padding %zu)", side, x->extent[d], pad);
            return bad(w, ERR_RANGE, "side", text);
        }
        shape[d + 1] = (x->extent[d] + 2 * pad - side) / stride + 1;
    }
    return 0;
}

static int shape_conv(const at_t *w, layer_t *l, const value_t *x, size_t *shape)
{
    if (l->side % 2 == 0) return bad(w, ERR_RANGE, "side", "even (1, 3 or 5)");
    if (l->pad == (size_t)-1) l->pad = l->side / 2;
    if (l->pad > l->side / 2) return bad(w, ERR_RANGE, "pad", "more than half the side");
    shape[0] = l->out;
    return window(w, x, l->side, l->stride, l->pad, shape);
}

static int shape_concat(const at_t *w, const layer_t *l, size_t *shape)
{
    shape[0] = 0;
    for (size_t i = 0; i < l->nin; i++) {
        if (w->net->value[l->in[i]].ndim != 1) return bad(w, ERR_FORMAT, "with", "concat joins vectors, not volumes");
        shape[0] += w->net->value[l->in[i]].shape[0]; /* each at most 2^31, 64 of them */
    }
    return 0;
}

static int shape_attention(const at_t *w, const layer_t *l, const value_t *x)
{
    char text[64];
    if (x->shape[0] % l->heads) return bad(w, ERR_RANGE, "heads", "does not divide the channels");
    if (x->vox <= TOKENS_MAX) return 0;
    snprintf(text, sizeof text, "%zu voxels (attention takes %zu)", x->vox, TOKENS_MAX);
    return bad(w, ERR_RANGE, "from", text);
}

/* ndim and shape of the result; they hold those of x when this is called. */
static int shape_op(const at_t *w, layer_t *l, const value_t *x, size_t *ndim, size_t *shape)
{
    switch (l->op) {
    case OP_CONV: return shape_conv(w, l, x, shape);
    case OP_LINEAR: shape[0] = l->out; return 0;
    case OP_GROUPNORM: return x->shape[0] % l->groups ? bad(w, ERR_RANGE, "groups", "does not divide the channels") : 0;
    case OP_ATTENTION: return shape_attention(w, l, x);
    case OP_ADD:
        return same_shape(x, &w->net->value[l->in[1]]) ? 0 : bad(w, ERR_FORMAT, "with", "has another shape");
    case OP_CONCAT: return shape_concat(w, l, shape);
    case OP_POOL:
        if (!l->side && l->stride) return bad(w, ERR_FORMAT, "stride", "given without side");
        if (!l->stride) l->stride = l->side;
        if (l->side) return window(w, x, l->side, l->stride, 0, shape);
        *ndim = 1;
        return 0;
    case OP_FLATTEN:
        *ndim = 1;
        shape[0] = x->size;
        return 0;
    default: return 0;
    }
}

static int make_value(const at_t *w, layer_t *l)
{
    enum { VOLUME = ON(OP_CONV) | ON(OP_POOL) | ON(OP_ATTENTION) | ON(OP_FLATTEN),
           VECTOR = ON(OP_LINEAR) | ON(OP_CONCAT) | ON(OP_L2NORM) };
    net_t *net = w->net;
    const value_t *x = &net->value[l->in[0]];
    size_t ndim = x->ndim, shape[4];
    memcpy(shape, x->shape, sizeof shape);
    if ((ON(l->op) & VOLUME) && x->ndim != 4) return bad(w, ERR_FORMAT, "from", "a vector (a volume is wanted)");
    if ((ON(l->op) & VECTOR) && x->ndim != 1) return bad(w, ERR_FORMAT, "from", "a volume (a vector is wanted)");
    if (shape_op(w, l, x, &ndim, shape)) return -1;
    if (set_shape(&net->value[net->ninput + w->i], ndim, shape))
        return bad(w, ERR_RANGE, "result", "more than 2^31 numbers a sample");
    for (size_t i = 0; i < l->nin; i++) net->value[l->in[i]].users++;
    return 0;
}

/* ---- parameters ---- */

static int add_tensor(const at_t *w, layer_t *l, const char *part, size_t ndim, const size_t *shape)
{
    net_t *net = w->net;
    char text[NAME_MAX_LEN + 32];
    nettensor_t t = {.ndim = ndim, .at = net->size, .size = 1, .trained = true, .decays = ndim > 1};
    snprintf(text, sizeof text, "%s.%s", l->name, part);
    for (size_t i = 0; i < net->ntensor; i++)
        if (!strcmp(net->tensor[i].name, text)) return bad(w, ERR_FORMAT, "name", "this name is taken");
    for (size_t i = 0; i < ndim; i++) {
        t.shape[i] = shape[i];
        if (!mem_mul(t.size, shape[i], &t.size) || t.size > PARAMS_MAX)
            return bad(w, ERR_RANGE, "result", "more than 2^34 parameters");
    }
    net->size += (t.size + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS;
    if (net->size > PARAMS_MAX) return bad(w, ERR_RANGE, "result", "more than 2^34 parameters");
    if (mem_grow(&net->tensor, &net->tensor_cap, net->ntensor + 1, sizeof t, w->err)) return -1;
    if (!(t.name = keep(net, text, w->err))) return -1;
    if (!strcmp(part, "running_mean") || !strcmp(part, "running_var")) t.trained = false;
    if (!l->ntensor++) l->tensor = net->ntensor;
    net->tensor[net->ntensor++] = t;
    return 0;
}

static int make_params(const at_t *w, layer_t *l)
{
    size_t c = w->net->value[l->in[0]].shape[0], k = l->side, one = 1, c3 = 3 * c;
    switch (l->op) {
    case OP_CONV:
    case OP_LINEAR:
        if (add_tensor(w, l, "weight", l->op == OP_CONV ? 5 : 2, (size_t[]){l->out, c, k, k, k})) return -1;
        return l->bias ? add_tensor(w, l, "bias", 1, &l->out) : 0;
    case OP_GROUPNORM:
    case OP_LAYERNORM: return add_tensor(w, l, "weight", 1, &c) || add_tensor(w, l, "bias", 1, &c) ? -1 : 0;
    case OP_BATCHNORM:
        return add_tensor(w, l, "weight", 1, &c) || add_tensor(w, l, "bias", 1, &c) ||
               add_tensor(w, l, "running_mean", 1, &c) || add_tensor(w, l, "running_var", 1, &c) ? -1 : 0;
    case OP_ATTENTION:
        return add_tensor(w, l, "in_proj_weight", 2, (size_t[]){c3, c}) || add_tensor(w, l, "in_proj_bias", 1, &c3) ||
               add_tensor(w, l, "out_proj.weight", 2, (size_t[]){c, c}) || add_tensor(w, l, "out_proj.bias", 1, &c) ? -1 : 0;
    case OP_POOL: return l->kind == POOL_GEM ? add_tensor(w, l, "p", 1, &one) : 0;
    default: return 0;
    }
}

/* ---- the table ---- */

static int read_layer(net_t *net, size_t i, json_t *o, err_t *err)
{
    at_t w = {net, i, "?", err};
    layer_t *l = &net->layer[i];
    const char *op = json_string_value(json_object_get(o, "op"));
    int k = 0;
    if (!json_is_object(o)) return bad(&w, ERR_FORMAT, "layer", "not an object");
    if (!op) return bad(&w, ERR_FORMAT, "op", "missing, or not a string");
    while (k < OP_COUNT && strcmp(op, op_names[k])) k++;
    if (k == OP_COUNT) return bad(&w, ERR_FORMAT, "op", "unknown");
    l->op = (op_t)k;
    w.op = op_names[k];
    size_t fan = k == OP_CONCAT ? LAYER_FAN_MAX : 2;
    if (!(l->in = mem_zero(fan, sizeof *l->in, err))) return -1;
    return read_fields(&w, o, l) || make_value(&w, l) || make_params(&w, l) ? -1 : 0;
}

static int bad_input(err_t *err, const char *name, const char *why)
{
    return err_set(err, ERR_FORMAT, "table: input \"%.64s\": %s", name, why);
}

static int read_input(net_t *net, size_t i, const char *name, const json_t *shape, err_t *err)
{
    size_t n = json_array_size(shape), dim[4];
    if (!good_name(name, strlen(name))) return bad_input(err, name, "not a name");
    if (n != 1 && n != 4) return bad_input(err, name, "not a shape ([C] or [C,D,H,W])");
    for (size_t d = 0; d < n; d++) {
        const json_t *v = json_array_get(shape, d);
        json_int_t x = json_integer_value(v);
        if (!json_is_integer(v)) return bad_input(err, name, "not a shape ([C] or [C,D,H,W])");
        if (x < 1 || (size_t)x > (d ? SIDE_MAX : CHANNELS_MAX))
            return err_set(err, ERR_RANGE, "table: input \"%s\": an extent of %" JSON_INTEGER_FORMAT, name, x);
        dim[d] = (size_t)x;
    }
    if (set_shape(&net->value[i], n, dim)) return err_set(err, ERR_RANGE, "table: input \"%s\": more than 2^31 numbers", name);
    return (net->value[i].label = keep(net, name, err)) ? 0 : -1;
}

static int read_inputs(net_t *net, json_t *inputs, err_t *err)
{
    const char *key;
    json_t *v;
    size_t i = 0;
    json_object_foreach(inputs, key, v)
        if (read_input(net, i++, key, v, err)) return -1;
    return 0;
}

static netport_t port(const value_t *v, const char *name)
{
    netport_t p = {.name = name, .ndim = v->ndim, .size = v->size};
    memcpy(p.shape, v->shape, v->ndim * sizeof *v->shape);
    return p;
}

/* Every result is read by someone: a dead layer is a mistake in the table. */
static int check_used(const net_t *net, err_t *err)
{
    for (size_t i = 0; i + 1 < net->nlayer; i++)
        if (!net->value[net->ninput + i].users)
            return err_set(err, ERR_FORMAT, "table: layer %zu (%s): result: no layer uses it", i + 1, op_names[net->layer[i].op]);
    return 0;
}

static int read_root(net_t *net, json_t *root, err_t *err)
{
    json_t *inputs = json_object_get(root, "inputs"), *layers = json_object_get(root, "layers");
    if (!json_is_object(inputs) || !json_is_array(layers) || json_object_size(root) != 2)
        return err_set(err, ERR_FORMAT, "table: not an object with \"inputs\" and \"layers\" (and nothing else)");
    size_t ni = json_object_size(inputs), nl = json_array_size(layers);
    if (ni < 1 || ni > NET_INPUTS_MAX)
        return err_set(err, ERR_RANGE, "table: inputs: %zu (1 to %d)", ni, NET_INPUTS_MAX);
    if (nl < 1 || nl > NET_LAYERS_MAX)
        return err_set(err, ERR_RANGE, "table: layers: %zu (1 to %d)", nl, NET_LAYERS_MAX);
    if (!(net->input = mem_zero(ni, sizeof *net->input, err)) || !(net->layer = mem_zero(nl, sizeof *net->layer, err)) ||
        !(net->value = mem_zero(ni + nl, sizeof *net->value, err)))
        return -1;
    net->ninput = ni;
    net->nlayer = nl;
    if (read_inputs(net, inputs, err)) return -1;
    for (size_t i = 0; i < nl; i++)
        if (read_layer(net, i, json_array_get(layers, i), err)) return -1;
    for (size_t i = 0; i < ni; i++) net->input[i] = port(&net->value[i], net->value[i].label);
    net->output = port(&net->value[ni + nl - 1], net->value[ni + nl - 1].label);
    return check_used(net, err);
}

int table_read(net_t *net, err_t *err)
{
    json_error_t why;
    size_t n = strlen(net->table);
    if (n > TABLE_MAX) return err_set(err, ERR_RANGE, "table: %zu bytes (at most %zu)", n, TABLE_MAX);
    json_t *root = json_loadb(net->table, n, JSON_REJECT_DUPLICATES, &why);
    if (!root) return err_set(err, ERR_FORMAT, "table: line %d: %s", why.line, why.text);
    int rc = read_root(net, root, err);
    json_decref(root);
    return rc;
}
