/* plan: layers -> steps: what is fused with what, and how much of each kind of memory a step wants (see plan.h; segments, what
 * is kept, and places are in nn/place.c). */
#include "nn/plan.h"

#include <string.h>

#include "base/mem.h"
#include "nn/attention.h"
#include "nn/place.h"

geom_t geom_of(isa_t isa, const value_t *v)
{
    geom_t g = {.c = v->shape[0], .vox = v->vox, .b = v->shape[0] == 1 ? 1 : isa_block(isa)};
    g.blocks = (g.c + g.b - 1) / g.b;
    g.lanes = g.blocks * g.b;
    g.floats = (g.lanes * g.vox + PASS_COLUMNS - 1) / PASS_COLUMNS * PASS_COLUMNS;
    return g;
}

/* ---- fusion ---- */

static act_t act_of(op_t op)
{
    return op == OP_RELU ? ACT_RELU : op == OP_SILU ? ACT_SILU : op == OP_GELU ? ACT_GELU : ACT_NONE;
}

static size_t value_of(const plan_t *p, size_t layer)
{
    return p->net->ninput + layer;
}

/* Layer i + 1, when it is the only reader of layer i's result; else NULL. */
static const layer_t *follower(const plan_t *p, size_t i)
{
    size_t v = value_of(p, i);
    if (i + 1 >= p->net->nlayer || p->net->value[v].users != 1) return NULL;
    const layer_t *next = &p->net->layer[i + 1];
    for (size_t k = 0; k < next->nin; k++)
        if (next->in[k] == v) return next;
    return NULL;
}

/* Backward of a convolution or linear layer finds what went into an activation only where that is ReLU. */
static bool takes_act(const plan_t *p, const step_t *s, act_t a)
{
    return a == ACT_RELU || (a != ACT_NONE && (!p->train || s->kind == S_POINT));
}

/* Let s, which ends with layer i, take in the layers that follow; returns the last one taken. */
static size_t fuse(const plan_t *p, step_t *s, size_t i)
{
    const layer_t *next = follower(p, i);
    bool product = s->kind == S_CONV || s->kind == S_LINEAR;
    if (!product && s->kind != S_POINT) return i;
    if (next && product && next->op == OP_BATCHNORM && !p->train) {
        s->norm = next;
        next = follower(p, ++i);
    }
    if (next && next->op == OP_ADD && s->add == NONE && s->act == ACT_NONE) {
        s->add = p->alias[next->in[0] == value_of(p, i) ? next->in[1] : next->in[0]];
        next = follower(p, ++i);
    }
    if (next && s->act == ACT_NONE && takes_act(p, s, act_of(next->op))) {
        s->act = act_of(next->op);
        i++;
    }
    return i;
}

static stepkind_t kind_of(op_t op)
{
    static const stepkind_t kinds[OP_COUNT] = {
        [OP_CONV] = S_CONV, [OP_LINEAR] = S_LINEAR, [OP_GROUPNORM] = S_POINT, [OP_BATCHNORM] = S_POINT,
        [OP_LAYERNORM] = S_LAYERNORM, [OP_RELU] = S_POINT, [OP_SILU] = S_POINT, [OP_GELU] = S_POINT,
        [OP_SOFTMAX] = S_SOFTMAX, [OP_ADD] = S_POINT, [OP_CONCAT] = S_CONCAT, [OP_POOL] = S_POOL,
        [OP_DROPOUT] = S_DROPOUT, [OP_ATTENTION] = S_ATTENTION, [OP_FLATTEN] = S_FLATTEN, [OP_L2NORM] = S_L2NORM};
    return kinds[op];
}

static int step_inputs(const plan_t *p, step_t *s, const layer_t *l, err_t *err)
{
    s->nin = l->op == OP_ADD ? 1 : l->nin;
    if (!(s->in = mem_zero(s->nin, sizeof *s->in, err)) || !(s->sum = mem_zero(s->nin + 1, sizeof *s->sum, err))) return -1;
    for (size_t k = 0; k < s->nin; k++) s->in[k] = p->alias[l->in[k]];
    return 0;
}

static int make_steps(plan_t *p, err_t *err)
{
    const net_t *net = p->net;
    for (size_t i = 0; i < net->ninput; i++)
        if (net->value[i].users) p->step[p->nstep++] = (step_t){.kind = S_INPUT, .index = i, .out = i, .add = NONE};
    for (size_t i = 0; i < net->nlayer; i++) {
        const layer_t *l = &net->layer[i];
        if (l->op == OP_DROPOUT && (!p->train || l->p == 0)) {
            p->alias[value_of(p, i)] = p->alias[l->in[0]];
            continue;
        }
        step_t *s = &p->step[p->nstep++];
        *s = (step_t){.kind = kind_of(l->op), .l = l, .index = i, .add = NONE, .act = act_of(l->op)};
        if (step_inputs(p, s, l, err)) return -1;
        if (l->op == OP_GROUPNORM || l->op == OP_BATCHNORM) s->norm = l;
        if (l->op == OP_ADD) s->add = p->alias[l->in[1]];
        i = fuse(p, s, i);
        s->out = value_of(p, i);
    }
    p->output = p->alias[p->nvalue - 1];
    return 0;
}

/* ---- parameters and what is saved ---- */

static void weight(plan_t *p, step_t *s, size_t floats)
{
    s->w[s->nw++] = p->weights;
    p->weights += (floats + PASS_COLUMNS - 1) / PASS_COLUMNS * PASS_COLUMNS;
}

static void acc(step_t *s, size_t floats)
{
    s->acc[s->nacc++] = (floats + PASS_COLUMNS - 1) / PASS_COLUMNS * PASS_COLUMNS; /* place.c makes offsets of them */
}

static void work(plan_t *p, size_t floats)
{
    if (floats > p->work) p->work = floats;
}

static int size_conv(plan_t *p, step_t *s, err_t *err)
{
    const layer_t *l = s->l;
    const value_t *x = &p->net->value[l->in[0]];
    convshape_t c = {x->shape[0], l->out, l->side, l->stride, l->pad, {x->extent[0], x->extent[1], x->extent[2]}};
    if (!(s->conv = conv_new(&c, p->isa, CONV_AUTO, err))) return -1;
    size_t lanes = p->buf[s->out].g.lanes, raw = l->out * c.ci * l->side * l->side * l->side;
    weight(p, s, conv_packed(s->conv));
    weight(p, s, lanes);
    if (p->train) weight(p, s, conv_packed_back(s->conv));
    work(p, conv_work(s->conv) + (s->norm ? raw : 0)); /* folded weights, while they are packed */
    acc(s, conv_acc(s->conv));
    acc(s, l->bias ? lanes : 0);
    return 0;
}

static void size_linear(plan_t *p, step_t *s)
{
    size_t in = p->buf[s->in[0]].g.floats, c = p->buf[s->in[0]].g.c, out = p->buf[s->out].g.floats;
    weight(p, s, c * out);
    weight(p, s, out);
    if (p->train) weight(p, s, s->l->out * in);
    acc(s, s->l->out * in);
    acc(s, s->l->bias ? out : 0);
}

static void size_attention(plan_t *p, step_t *s)
{
    const geom_t *g = &p->buf[s->in[0]].g;
    attention_t a = {.tokens = g->vox, .width = g->c, .heads = s->l->heads};
    size_t n[4] = {3 * g->c * g->c, 3 * g->c, g->c * g->c, g->c};
    for (int i = 0; i < 4; i++) {
        weight(p, s, n[i]);
        acc(s, n[i]);
    }
    s->naux = attention_saved(&a);
    work(p, 3 * g->floats + attention_work(&a, p->train));
}

static void size_norm(plan_t *p, step_t *s)
{
    const geom_t *g = &p->buf[s->out].g;
    weight(p, s, g->lanes);
    weight(p, s, g->lanes);
    acc(s, g->lanes);
    acc(s, g->lanes);
    work(p, 8 * g->lanes); /* four sums in double */
    if (s->norm->op == OP_GROUPNORM) s->naux = 2 * s->norm->groups;
    if (s->norm->op != OP_BATCHNORM) return;
    s->stat = p->stat;
    p->stat += 8 * ((g->lanes + PASS_COLUMNS - 1) / PASS_COLUMNS * PASS_COLUMNS);
}

static int size_step(plan_t *p, step_t *s, err_t *err)
{
    const geom_t *x = s->nin ? &p->buf[s->in[0]].g : NULL;
    switch (s->kind) {
    case S_CONV: return size_conv(p, s, err);
    case S_LINEAR: size_linear(p, s); break;
    case S_POINT:
        if (s->norm) size_norm(p, s);
        break;
    case S_LAYERNORM:
        weight(p, s, x->c);
        weight(p, s, x->c);
        acc(s, x->c);
        acc(s, x->c);
        s->naux = 2 * x->vox;
        work(p, 3 * x->floats);
        break;
    case S_ATTENTION: size_attention(p, s); break;
    case S_POOL:
        if (s->l->kind == POOL_GEM) {
            weight(p, s, 1);
            acc(s, 1);
            work(p, x->floats);
        }
        break;
    case S_SOFTMAX:
    case S_FLATTEN:
    case S_DROPOUT: work(p, 3 * x->floats); break;
    default: break;
    }
    if (!p->train) s->naux = 0;
    s->naux = (s->naux + PASS_COLUMNS - 1) / PASS_COLUMNS * PASS_COLUMNS;
    s->aux = p->aux;
    p->aux += s->naux;
    return 0;
}

/* ---- all of it ---- */

static int plan_room(plan_t *p, err_t *err)
{
    size_t steps = p->net->ninput + p->net->nlayer;
    p->step = mem_zero(steps, sizeof *p->step, err);
    p->seg = mem_zero(steps, sizeof *p->seg, err);
    p->buf = mem_zero(p->nvalue, sizeof *p->buf, err);
    p->alias = mem_zero(p->nvalue, sizeof *p->alias, err);
    return p->step && p->seg && p->buf && p->alias ? 0 : -1;
}

int netplan_make(plan_t *p, const net_t *net, const runopts_t *o, err_t *err)
{
    *p = (plan_t){.net = net, .isa = o->isa, .train = o->train, .inputs_too = o->inputs_too, .batch = o->batch};
    p->nvalue = net->ninput + net->nlayer;
    if (plan_room(p, err)) return -1;
    for (size_t v = 0; v < p->nvalue; v++) {
        p->alias[v] = v;
        p->buf[v] = (buf_t){.g = geom_of(p->isa, &net->value[v]), .made = NONE};
    }
    if (make_steps(p, err)) return -1;
    for (size_t i = 0; i < p->nstep; i++)
        if (size_step(p, &p->step[i], err)) return -1;
    return place(p, err);
}

void netplan_free(plan_t *p)
{
    for (size_t i = 0; p->step && i < p->nstep; i++) {
        conv_free(p->step[i].conv);
        mem_free(p->step[i].in);
        mem_free(p->step[i].sum);
    }
    mem_free(p->step);
    mem_free(p->seg);
    mem_free(p->buf);
    mem_free(p->alias);
}
