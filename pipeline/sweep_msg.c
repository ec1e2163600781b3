/* sweep_msg: what the processes of a sweep say to one another (see sweep_msg.h). */
#include "pipeline/sweep_msg.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"

/* ---- bytes ---- */

typedef struct {
    unsigned char *p;
    size_t n, cap;
    int rc; /* -1 without memory */
    err_t *err;
} out_t;

static void put(out_t *o, const void *p, size_t n)
{
    if (!o->rc) o->rc = mem_grow(&o->p, &o->cap, o->n + n, 1, o->err);
    if (o->rc) return;
    memcpy(o->p + o->n, p, n);
    o->n += n;
}

static void put_u64(out_t *o, uint64_t x) { put(o, &x, sizeof x); }
static void put_real(out_t *o, double x) { put(o, &x, sizeof x); }

/* With its end, so that it can be used where it lies. NULL has length 0, the empty string 1. */
static void put_text(out_t *o, const char *s)
{
    put_u64(o, s ? strlen(s) + 1 : 0);
    if (s) put(o, s, strlen(s) + 1);
}

static out_t start(msgkind_t kind, uint64_t number, err_t *err)
{
    out_t o = {.err = err};
    put_u64(&o, kind);
    put_u64(&o, number);
    put_u64(&o, 0);
    return o;
}

static int finish(out_t *o, msg_t *m)
{
    if (o->rc) {
        mem_free(o->p);
        *m = (msg_t){0};
        return -1;
    }
    uint64_t body = o->n - MSG_HEAD;
    memcpy(o->p + 16, &body, sizeof body);
    *m = (msg_t){o->p, o->n};
    return 0;
}

/* Reads the body of a message; whatever does not fit is bad and reads as 0. */
typedef struct {
    const unsigned char *p;
    size_t left;
    bool bad;
} in_t;

static in_t body_of(const msg_t *m) { return (in_t){m->p + MSG_HEAD, m->n - MSG_HEAD, false}; }

static const void *get(in_t *in, size_t n)
{
    const unsigned char *p = in->p;
    if (in->bad || n > in->left) {
        in->bad = true;
        return NULL;
    }
    in->p += n;
    in->left -= n;
    return p;
}

static uint64_t get_u64(in_t *in)
{
    uint64_t x = 0;
    const void *p = get(in, sizeof x);
    if (p) memcpy(&x, p, sizeof x);
    return x;
}

static double get_real(in_t *in)
{
    double x = 0;
    const void *p = get(in, sizeof x);
    if (p) memcpy(&x, p, sizeof x);
    return x;
}

static const char *get_text(in_t *in)
{
    uint64_t n = get_u64(in);
    const char *s = n ? get(in, n) : NULL;
    if (s && s[n - 1]) in->bad = true;
    return s;
}

/* A copy, or NULL where there is none. */
static char *get_copy(in_t *in, err_t *err)
{
    const char *s = get_text(in);
    if (!s || in->bad) return NULL;
    char *copy = mem_str(s, err);
    if (!copy) in->bad = true;
    return copy;
}

static int got(const in_t *in, err_t *err) { return in->bad || in->left ? err_set(err, ERR_FORMAT, "a message between processes is damaged") : 0; }

/* ---- messages ---- */

int msg_plain(msgkind_t kind, uint64_t number, msg_t *m, err_t *err)
{
    out_t o = start(kind, number, err);
    return finish(&o, m);
}

int msg_hello(const hello_t *h, msg_t *m, err_t *err)
{
    out_t o = start(MSG_HELLO, 0, err);
    put(&o, h, sizeof *h);
    return finish(&o, m);
}

int msg_get_hello(const msg_t *m, hello_t *h, err_t *err)
{
    in_t in = body_of(m);
    const void *p = get(&in, sizeof *h);
    if (p) memcpy(h, p, sizeof *h);
    return got(&in, err);
}

int msg_item(uint64_t number, const item_t *it, msg_t *m, err_t *err)
{
    const char *const text[] = {it->id, it->path, it->half, it->assembly, it->title};
    out_t o = start(MSG_ITEM, number, err);
    put_u64(&o, it->kind);
    put_real(&o, it->contour);
    put_real(&o, it->resolution);
    put_real(&o, it->apix);
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) put_text(&o, text[i]);
    return finish(&o, m);
}

int msg_get_item(const msg_t *m, item_t *it, err_t *err)
{
    in_t in = body_of(m);
    *it = (item_t){.kind = (itemkind_t)get_u64(&in)};
    it->contour = get_real(&in);
    it->resolution = get_real(&in);
    it->apix = get_real(&in);
    const char **const text[] = {&it->id, &it->path, &it->half, &it->assembly, &it->title};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) *text[i] = get_text(&in);
    return got(&in, err);
}

int msg_result(uint64_t number, const result_t *r, msg_t *m, err_t *err)
{
    out_t o = start(MSG_RESULT, number, err);
    put_u64(&o, r->state);
    put_u64(&o, r->crashed);
    put_u64(&o, r->bytes);
    put_u64(&o, r->voxels);
    put_real(&o, r->rg);
    put(&o, r->seconds, sizeof r->seconds);
    put_text(&o, r->cause);
    put_text(&o, r->message);
    put_text(&o, r->json);
    put_text(&o, r->tsv);
    put_u64(&o, r->z ? r->d : 0);
    if (r->z) put(&o, r->z, r->d * sizeof *r->z);
    return finish(&o, m);
}

int msg_get_result(const msg_t *m, result_t *r, err_t *err)
{
    in_t in = body_of(m);
    *r = (result_t){.state = (ledgerstate_t)get_u64(&in)};
    r->crashed = get_u64(&in);
    r->bytes = get_u64(&in);
    r->voxels = get_u64(&in);
    r->rg = get_real(&in);
    const void *p = get(&in, sizeof r->seconds);
    if (p) memcpy(r->seconds, p, sizeof r->seconds);
    r->cause = get_copy(&in, err);
    r->message = get_copy(&in, err);
    r->json = get_copy(&in, err);
    r->tsv = get_copy(&in, err);
    r->d = get_u64(&in);
    if (r->d > in.left / sizeof *r->z) in.bad = true;
    if (r->d && !in.bad && !(r->z = mem_new(r->d, sizeof *r->z, err))) in.bad = true;
    if (r->z && (p = get(&in, r->d * sizeof *r->z))) memcpy(r->z, p, r->d * sizeof *r->z);
    if (r->state >= LEDGER_STATES) in.bad = true;
    if (!got(&in, err)) return 0;
    result_free(r);
    return -1;
}

bool msg_head(const msg_t *m, msgkind_t *kind, uint64_t *number)
{
    uint64_t head[3];
    if (m->n < MSG_HEAD) return false;
    memcpy(head, m->p, sizeof head);
    *kind = (msgkind_t)head[0];
    *number = head[1];
    return head[0] < MSG_KINDS && head[2] == m->n - MSG_HEAD;
}

/* ---- sockets ---- */

int msg_send(int fd, const msg_t *m, err_t *err)
{
    for (size_t at = 0; at < m->n;) {
        ssize_t k = send(fd, m->p + at, m->n - at, MSG_NOSIGNAL);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) return err_set(err, ERR_IO, "a process of the sweep does not listen: %s", strerror(errno));
        at += (size_t)k;
    }
    return 0;
}

/* n bytes; 1, 0 at the end, -1. */
static int take(int fd, unsigned char *p, size_t n, err_t *err)
{
    for (size_t at = 0; at < n;) {
        ssize_t k = recv(fd, p + at, n - at, 0);
        if (k < 0 && errno == EINTR) continue;
        if (k == 0 || (k < 0 && errno == ECONNRESET)) return 0; /* also within a message: it died as it wrote */
        if (k < 0) return err_set(err, ERR_IO, "a process of the sweep cannot be heard: %s", strerror(errno));
        at += (size_t)k;
    }
    return 1;
}

int msg_receive(int fd, msg_t *m, err_t *err)
{
    unsigned char head[MSG_HEAD];
    uint64_t body;
    *m = (msg_t){0};
    int rc = take(fd, head, sizeof head, err);
    if (rc < 1) return rc;
    memcpy(&body, head + 16, sizeof body);
    if (body > MSG_MAX) return err_set(err, ERR_FORMAT, "a message between processes is damaged");
    if (!(m->p = mem_new(MSG_HEAD + body, 1, err))) return -1;
    m->n = MSG_HEAD + body;
    memcpy(m->p, head, sizeof head);
    if ((rc = take(fd, m->p + MSG_HEAD, body, err)) == 1) return 1;
    mem_free(m->p);
    *m = (msg_t){0};
    return rc;
}
