/* place: segments of a plan, what is kept, what is redone, and who shares room with whom (see plan.h). */
#include "nn/place.h"

#include "base/mem.h"

#define ACC_SEGMENT ((size_t)1 << 20)  /* floats of accumulators after which a segment ends */
#define ACC_ALL ((size_t)1 << 23)      /* floats of all groups' accumulators, more only for a layer that has more alone */
#define GROUPS_MIN 4
#define GROUPS_MAX 16
#define CHUNK_MAX 32
#define CHUNK_GROWTH 4                 /* inference: a segment ends where so many times the samples could go on together */
#define REDO_TERMS 128                 /* of a convolution's sum: below, it is redone */
#define CHUNK_FLOATS ((size_t)1 << 18) /* the largest value of a chunk, about: it should stay in the near caches */

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }
static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/* ---- segments ---- */

static bool waits(const plan_t *p, const step_t *s)
{
    return p->train && s->kind == S_POINT && s->norm && s->norm->op == OP_BATCHNORM;
}

static size_t step_acc(const step_t *s)
{
    size_t n = 0;
    for (size_t k = 0; k < s->nacc; k++) n += s->acc[k];
    return n;
}

/* Samples at a time when values have so many floats: few enough that they stay in the near caches, and as many as that
 * allows, since the kernels read all weights of a layer once a call. */
static size_t chunk_of(size_t floats)
{
    return smaller(larger(CHUNK_FLOATS / larger(floats, 1), 1), CHUNK_MAX);
}

static void make_segments(plan_t *p)
{
    size_t first = 0, acc = 0, most = 1;
    size_t heavy = 0; /* after the last step of the segment with many parameters */
    for (size_t i = 0; i < p->nstep; i++) {
        const step_t *s = &p->step[i];
        size_t mine = step_acc(s), floats = p->buf[s->out].g.floats;
        bool batch = waits(p, s), after = i && waits(p, &p->step[i - 1]);
        bool full = p->train && acc && mine && acc + mine > ACC_SEGMENT && heavy > first;
        bool small = !p->train && s->kind == S_CONV && chunk_of(floats) >= CHUNK_GROWTH * chunk_of(most);
        if (i > first && (batch || after || full || small)) {
            size_t cut = full && !batch && !after ? heavy : i;
            p->seg[p->nseg++] = (seg_t){.first = first, .end = cut};
            first = cut;
            acc = 0;
            most = 1;
            for (size_t j = cut; j < i; j++) acc += step_acc(&p->step[j]);
        }
        acc += mine;
        most = larger(most, floats);
        if (s->kind == S_CONV || s->kind == S_LINEAR) heavy = i + 1;
    }
    p->seg[p->nseg++] = (seg_t){.first = first, .end = p->nstep};
    for (size_t k = 0; k < p->nseg; k++) p->seg[k].batch = waits(p, &p->step[p->seg[k].first]);
}

static void size_segment(plan_t *p, seg_t *g)
{
    size_t most = 1;
    for (size_t i = g->first; i < g->end; i++) {
        step_t *s = &p->step[i];
        most = larger(most, p->buf[s->out].g.floats);
        for (size_t k = 0; k < s->nacc; k++) {
            size_t n = s->acc[k];
            s->acc[k] = g->acc;
            g->acc += n;
        }
    }
    g->chunk = chunk_of(most);
    g->groups = GROUPS_MAX;
    while (g->groups > GROUPS_MIN && g->groups * g->acc > ACC_ALL) g->groups /= 2;
    p->groups = larger(p->groups, g->groups);
    p->acc = larger(p->acc, g->groups * g->acc);
}

/* Training packs the weights of a segment when it is that segment's turn: all share the same room. The plan has laid them
 * out in the order of the steps. */
static void share_weights(plan_t *p)
{
    size_t end = p->weights;
    p->weights = 0;
    for (size_t k = p->nseg; k-- > 0;) {
        size_t begin = end;
        for (size_t i = p->seg[k].end; i-- > p->seg[k].first;)
            if (p->step[i].nw) begin = p->step[i].w[0];
        for (size_t i = p->seg[k].first; i < p->seg[k].end; i++)
            for (size_t j = 0; j < p->step[i].nw; j++) p->step[i].w[j] -= begin;
        p->weights = larger(p->weights, end - begin);
        end = begin;
    }
}

/* ---- who needs what ---- */

static void reads(plan_t *p, size_t v, size_t i, const size_t *seg)
{
    if (v == NONE) return;
    p->buf[v].last = larger(p->buf[v].last, i);
    if (seg[p->buf[v].made] != seg[i]) p->buf[v].fwd.kept = true;
}

static void follow(plan_t *p, const size_t *seg)
{
    for (size_t i = 0; i < p->nstep; i++) {
        step_t *s = &p->step[i];
        buf_t *out = &p->buf[s->out];
        out->made = out->last = i;
        for (size_t k = 0; k < s->nin; k++) {
            reads(p, s->in[k], i, seg);
            s->wants = s->wants || p->buf[s->in[k]].wants;
        }
        reads(p, s->add, i, seg);
        s->wants = p->train && (s->wants || s->nacc || (s->kind == S_INPUT && p->inputs_too) ||
                                (s->add != NONE && p->buf[s->add].wants));
        out->wants = s->wants;
        if (waits(p, s)) out->fwd.kept = true;
    }
    reads(p, p->output, p->nstep - 1, seg);
}

/* Made again rather than kept: one pass over data, or a convolution of few multiply-adds a result. */
static bool cheap(const step_t *s)
{
    const convshape_t *c = s->kind == S_CONV ? conv_shape(s->conv) : NULL;
    if (c) return c->ci * c->side * c->side * c->side <= REDO_TERMS;
    return s->kind == S_POINT || s->kind == S_DROPOUT || s->kind == S_CONCAT || s->kind == S_FLATTEN;
}

static void need(plan_t *p, size_t v, size_t i, size_t *user)
{
    if (v == NONE) return;
    p->buf[v].need = true;
    user[v] = smaller(user[v], i);
}

/* What backward of step i reads; user[v]: the first step whose backward reads v (NONE: only redoing does). */
static void needs(plan_t *p, size_t i, size_t *user)
{
    const step_t *s = &p->step[i];
    bool x = s->kind == S_CONV || s->kind == S_LINEAR || s->kind == S_LAYERNORM || s->kind == S_ATTENTION ||
             s->kind == S_L2NORM || (s->kind == S_POOL && s->l->kind != POOL_MEAN) || (s->kind == S_POINT && s->norm);
    bool pre = s->kind == S_POINT && (s->act == ACT_SILU || s->act == ACT_GELU); /* made again on the way */
    if (s->act == ACT_RELU || s->kind == S_SOFTMAX) need(p, s->out, i, user);
    if (x || pre) need(p, s->in[0], i, user);
    if (pre) need(p, s->add, i, user);
}

static void decide(plan_t *p, const size_t *seg, size_t *user)
{
    for (size_t i = p->nstep; i-- > 0;)
        if (p->step[i].wants) needs(p, i, user);
    for (size_t i = p->nstep; i-- > 0;) { /* readers come after makers: one sweep does it */
        const step_t *s = &p->step[i];
        buf_t *b = &p->buf[s->out];
        if (!b->need || b->fwd.kept) continue;
        if (!cheap(s)) {
            b->fwd.kept = true;
            continue;
        }
        b->redo = true;
        for (size_t k = 0; k < s->nin; k++) p->buf[s->in[k]].need = true;
        if (s->add != NONE) p->buf[s->add].need = true;
    }
    for (size_t i = 0; i < p->nstep; i++) { /* gradients that cross segments */
        const step_t *s = &p->step[i];
        for (size_t k = 0; k <= s->nin; k++) {
            size_t v = k < s->nin ? s->in[k] : s->add;
            if (v != NONE && seg[p->buf[v].made] != seg[i]) p->buf[v].grad.kept = true;
        }
    }
    p->buf[p->output].grad.kept = true;
}

/* Which contribution to a gradient comes first and writes; backward of a step does `add` first, then in[0], in[1] ... */
static int order(plan_t *p, err_t *err)
{
    bool *seen = mem_zero(p->nvalue, sizeof *seen, err);
    if (!seen) return -1;
    seen[p->output] = true;
    for (size_t i = p->nstep; i-- > 0;) {
        step_t *s = &p->step[i];
        if (!s->wants) continue;
        if (s->add != NONE) {
            s->sum[s->nin] = seen[s->add];
            seen[s->add] = true;
        }
        for (size_t k = 0; k < s->nin; k++) {
            s->sum[k] = seen[s->in[k]];
            seen[s->in[k]] = true;
        }
    }
    mem_free(seen);
    return 0;
}

/* ---- room in the arena ---- */

typedef struct {
    size_t floats, birth, death; /* alive at birth..death, both included */
    size_t at;
} item_t;

typedef struct {
    item_t *item; /* (2 nvalue) */
    size_t n;
    size_t *of;   /* (2 nvalue): the item of a value, and (+ nvalue) of its gradient */
} room_t;

static void add_item(room_t *r, size_t who, size_t floats, size_t birth, size_t death)
{
    r->of[who] = r->n;
    r->item[r->n++] = (item_t){.floats = floats, .birth = birth, .death = death};
}

/* First fit, in order of birth. Returns the floats in use. */
static size_t fit(room_t *r)
{
    size_t top = 0;
    for (size_t i = 0; i < r->n; i++) {
        item_t *a = &r->item[i];
        a->at = 0;
        for (size_t j = 0; j < i; j++) {
            const item_t *b = &r->item[j];
            bool together = a->birth <= b->death && b->birth <= a->death;
            if (together && a->at < b->at + b->floats && b->at < a->at + a->floats) {
                a->at = b->at + b->floats;
                j = (size_t)-1; /* moved: look at all again */
            }
        }
        top = larger(top, a->at + a->floats);
    }
    return top;
}

static bool local(const plan_t *p, size_t v, const seg_t *g)
{
    const buf_t *b = &p->buf[v];
    return b->made != NONE && b->made >= g->first && b->made < g->end && !b->fwd.kept;
}

/* The output of a pointwise step takes the place of its input where that ends there. */
static bool in_place(const plan_t *p, const step_t *s, const seg_t *g)
{
    return s->kind == S_POINT && local(p, s->in[0], g) && p->buf[s->in[0]].last == p->buf[s->out].made;
}

static size_t place_forward(plan_t *p, const seg_t *g, room_t *r)
{
    r->n = 0;
    for (size_t i = g->first; i < g->end; i++) {
        const step_t *s = &p->step[i];
        const buf_t *b = &p->buf[s->out];
        if (!local(p, s->out, g)) continue;
        if (in_place(p, s, g)) {
            r->of[s->out] = r->of[s->in[0]];
            r->item[r->of[s->out]].death = b->last;
        } else {
            add_item(r, s->out, b->g.floats, i, b->last);
        }
    }
    size_t top = fit(r);
    for (size_t i = g->first; i < g->end; i++)
        if (local(p, p->step[i].out, g)) p->buf[p->step[i].out].fwd.at = r->item[r->of[p->step[i].out]].at;
    return top;
}

static size_t last_redo(const plan_t *p, size_t v, const seg_t *g)
{
    size_t last = p->buf[v].made;
    for (size_t i = g->first; i < g->end; i++) {
        const step_t *s = &p->step[i];
        bool reader = s->add == v;
        for (size_t k = 0; k < s->nin; k++) reader = reader || s->in[k] == v;
        if (reader && p->buf[s->out].redo) last = i;
    }
    return last;
}

/* Time in backward of a chunk: redoing step i is at i - first, its backward at 2 end - first - 1 - i. */
static size_t place_backward(plan_t *p, const seg_t *g, const size_t *user, room_t *r)
{
    size_t off = 2 * g->end - g->first - 1;
    r->n = 0;
    for (size_t i = g->first; i < g->end; i++) {
        size_t v = p->step[i].out;
        if (!p->buf[v].redo) continue;
        size_t death = last_redo(p, v, g) - g->first;
        if (user[v] != NONE) death = larger(death, off - user[v]);
        add_item(r, v, p->buf[v].g.floats, i - g->first, death);
    }
    for (size_t i = g->end; i-- > g->first;) { /* gradients, in the order of their birth */
        const step_t *s = &p->step[i];
        for (size_t k = 0; s->wants && k <= s->nin; k++) {
            size_t v = k < s->nin ? s->in[k] : s->add;
            if (v == NONE || p->buf[v].grad.kept || !p->buf[v].wants || s->sum[k]) continue;
            size_t death = off - p->buf[v].made;
            bool same = k == 0 && s->kind == S_POINT && p->buf[v].last == i && v != s->add && !p->buf[s->out].grad.kept;
            if (same) {
                r->of[p->nvalue + v] = r->of[p->nvalue + s->out];
                r->item[r->of[p->nvalue + v]].death = death;
            } else {
                add_item(r, p->nvalue + v, p->buf[v].g.floats, off - i, death);
            }
        }
    }
    size_t top = fit(r);
    for (size_t i = g->first; i < g->end; i++) {
        size_t v = p->step[i].out;
        if (p->buf[v].redo) p->buf[v].back.at = r->item[r->of[v]].at;
        if (p->buf[v].wants && !p->buf[v].grad.kept) p->buf[v].grad.at = r->item[r->of[p->nvalue + v]].at;
    }
    return top;
}

static void place_kept(plan_t *p)
{
    for (size_t v = 0; v < p->nvalue; v++) {
        buf_t *b = &p->buf[v];
        if (b->made == NONE || !b->fwd.kept) continue;
        b->fwd.at = p->kept;
        p->kept += b->g.floats;
        b->back = b->fwd;
    }
}

/* Gradients of all samples: time is that of segments, from the last to the first. */
static void place_gradients(plan_t *p, const size_t *seg, room_t *r)
{
    r->n = 0;
    for (size_t v = 0; v < p->nvalue; v++) {
        buf_t *b = &p->buf[v];
        b->grad.kept = b->grad.kept && b->wants && b->made != NONE;
        if (b->grad.kept) add_item(r, v, b->g.floats, p->nseg - seg[b->last], p->nseg - seg[b->made]);
    }
    p->grad = fit(r);
    for (size_t v = 0; v < p->nvalue; v++)
        if (p->buf[v].grad.kept) p->buf[v].grad.at = r->item[r->of[v]].at;
}

static int place_all(plan_t *p, const size_t *seg, const size_t *user, err_t *err)
{
    room_t r = {.item = mem_zero(2 * p->nvalue, sizeof *r.item, err), .of = mem_zero(2 * p->nvalue, sizeof *r.of, err)};
    bool ok = r.item && r.of;
    place_kept(p);
    if (ok) place_gradients(p, seg, &r);
    for (size_t k = 0; ok && k < p->nseg; k++) {
        const seg_t *g = &p->seg[k];
        size_t top = place_forward(p, g, &r);
        if (p->train) top = larger(top, place_backward(p, g, user, &r));
        p->arena = larger(p->arena, top * g->chunk);
    }
    mem_free(r.item);
    mem_free(r.of);
    return ok ? 0 : -1;
}

int place(plan_t *p, err_t *err)
{
    int rc = -1;
    size_t *seg = mem_zero(p->nstep, sizeof *seg, err), *user = mem_zero(p->nvalue, sizeof *user, err);
    if (!seg || !user) goto done;
    make_segments(p);
    for (size_t k = 0; k < p->nseg; k++) {
        size_segment(p, &p->seg[k]);
        for (size_t i = p->seg[k].first; i < p->seg[k].end; i++) seg[i] = k;
    }
    for (size_t v = 0; v < p->nvalue; v++) user[v] = NONE;
    follow(p, seg);
    if (p->train) {
        decide(p, seg, user);
        share_weights(p);
        if (order(p, err)) goto done;
    } else {
        p->acc = 0;
    }
    rc = place_all(p, seg, user, err);
done:
    mem_free(seg);
    mem_free(user);
    return rc;
}
