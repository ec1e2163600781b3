/* wordpiece: see wordpiece.h. Pieces stand in one block of bytes and are found through a hash table (FNV-1a, open
 * addressing); the hash of ever longer beginnings of a word grows byte by byte, so that a longest match is one pass. */
#include "config.h"

#include "text/wordpiece.h"

#include <string.h>
#include <utf8proc.h>

#include "base/mem.h"
#include "base/utf8.h"

#define HASH_START 2166136261u

struct wordpiece {
    char *bytes;     /* the pieces, zero-ended, one after the other */
    size_t *at;      /* (n + 1) where each begins */
    int32_t *slot;   /* (mask + 1) ids, -1 empty */
    size_t n, mask, longest; /* longest: bytes of the longest piece */
    bool lower, accents, cjk;
    int32_t cls, sep, unk, normal; /* normal: -1, none */
    int32_t special[WORDPIECE_SPECIAL];
    size_t nspecial;
};

typedef struct {
    char *s;
    size_t n, cap;
} buf_t;

typedef struct {
    int32_t *ids;
    size_t n, max; /* max: without sep */
    bool cut;
} out_t;

static uint32_t hash_more(uint32_t h, unsigned char c)
{
    return (h ^ c) * 16777619u;
}

/* Id of the piece "##" (where inner) + s[0..n-1], whose hash is h; -1: none. */
static int32_t lookup(const wordpiece_t *w, uint32_t h, bool inner, const char *s, size_t n)
{
    size_t lead = inner ? 2 : 0;
    for (size_t i = h & w->mask; w->slot[i] >= 0; i = (i + 1) & w->mask) {
        size_t id = (size_t)w->slot[i];
        const char *p = w->bytes + w->at[id];
        if (w->at[id + 1] - w->at[id] - 1 == n + lead && !memcmp(p, "##", lead) && !memcmp(p + lead, s, n)) return w->slot[i];
    }
    return -1;
}

int32_t wordpiece_id(const wordpiece_t *w, const char *piece)
{
    uint32_t h = HASH_START;
    for (const char *p = piece; *p; p++) h = hash_more(h, (unsigned char)*p);
    return lookup(w, h, false, piece, strlen(piece));
}

size_t wordpiece_count(const wordpiece_t *w)
{
    return w->n;
}

const char *wordpiece_piece(const wordpiece_t *w, int32_t id)
{
    return id >= 0 && (size_t)id < w->n ? w->bytes + w->at[id] : NULL;
}

/* ---- The vocabulary. ---- */

/* Lines of w->bytes (size bytes, one more to spare) to zero-ended pieces, in place. */
static int split_lines(wordpiece_t *w, const char *name, size_t size, err_t *err)
{
    size_t to = 0;
    for (size_t from = 0; from < size;) {
        const char *end = memchr(w->bytes + from, '\n', size - from);
        size_t next = end ? (size_t)(end - w->bytes) + 1 : size, len = next - from - (end ? 1 : 0);
        if (w->n == WORDPIECE_MAX) return err_set(err, ERR_RANGE, "%s: more than %zu lines", name, WORDPIECE_MAX);
        if (memchr(w->bytes + from, 0, len)) return err_set(err, ERR_FORMAT, "%s: line %zu: a NUL", name, w->n + 1);
        if (len && w->bytes[from + len - 1] == '\r') len--;
        w->at[w->n] = to;
        memmove(w->bytes + to, w->bytes + from, len);
        w->bytes[to + len] = 0;
        for (const char *p = w->bytes + to; *p; p += utf8_len(p))
            if (!utf8_len(p)) return err_set(err, ERR_FORMAT, "%s: line %zu: not UTF-8", name, w->n + 1);
        if (len > w->longest) w->longest = len;
        to += len + 1;
        from = next;
        w->at[++w->n] = to;
    }
    return 0;
}

static int fill_table(wordpiece_t *w, err_t *err)
{
    w->mask = 1;
    while (w->mask < 2 * w->n) w->mask *= 2;
    if (!(w->slot = mem_new(w->mask, sizeof *w->slot, err))) return -1;
    memset(w->slot, -1, w->mask-- * sizeof *w->slot);
    for (size_t id = 0; id < w->n; id++) {
        const char *s = w->bytes + w->at[id];
        size_t i, n = strlen(s);
        uint32_t h = HASH_START;
        for (size_t k = 0; k < n; k++) h = hash_more(h, (unsigned char)s[k]);
        for (i = h & w->mask; w->slot[i] >= 0; i = (i + 1) & w->mask)
            if (!strcmp(w->bytes + w->at[w->slot[i]], s)) break;
        w->slot[i] = (int32_t)id;
    }
    return 0;
}

static int32_t must(const wordpiece_t *w, const char *name, const char *piece, err_t *err)
{
    int32_t id = *piece ? wordpiece_id(w, piece) : -1;
    if (id < 0) err_set(err, ERR_FORMAT, "%s: no line \"%s\" (a special token)", name, piece);
    return id;
}

wordpiece_t *wordpiece_new(const char *name, const char *vocab, size_t size, const wordpieceopts_t *opts, err_t *err)
{
    size_t lines = 1;
    wordpiece_t *w = mem_zero(1, sizeof *w, err);
    if (!w) return NULL;
    for (size_t i = 0; i < size; i++) lines += vocab[i] == '\n';
    if (lines > WORDPIECE_MAX + 1) lines = WORDPIECE_MAX + 1;
    w->bytes = mem_new(size + 1, 1, err);
    w->at = mem_zero(lines + 1, sizeof *w->at, err);
    if (!w->bytes || !w->at) goto fail;
    memcpy(w->bytes, vocab, size);
    if (split_lines(w, name, size, err) || fill_table(w, err)) goto fail;
    w->lower = opts->lower;
    w->accents = opts->accents;
    w->cjk = opts->cjk;
    w->normal = opts->normal && *opts->normal ? wordpiece_id(w, opts->normal) : -1;
    if ((w->cls = must(w, name, opts->cls, err)) < 0 || (w->sep = must(w, name, opts->sep, err)) < 0 ||
        (w->unk = must(w, name, opts->unk, err)) < 0)
        goto fail;
    for (size_t k = 0; k < WORDPIECE_SPECIAL && opts->special[k]; k++)
        if (*opts->special[k] && (w->special[w->nspecial] = wordpiece_id(w, opts->special[k])) >= 0) w->nspecial++;
    return w;
fail:
    wordpiece_free(w);
    return NULL;
}

void wordpiece_free(wordpiece_t *w)
{
    if (!w) return;
    mem_free(w->bytes);
    mem_free(w->at);
    mem_free(w->slot);
    mem_free(w);
}

/* ---- The text. ---- */

/* Upstream's ranges. Its fifth begins at 2B920, where the block (Extension E) begins at 2B820. */
static bool is_cjk(int32_t c)
{
    static const int32_t range[][2] = {{0x4e00, 0x9fff},   {0x3400, 0x4dbf},   {0x20000, 0x2a6df}, {0x2a700, 0x2b73f},
                                       {0x2b740, 0x2b81f}, {0x2b920, 0x2ceaf}, {0xf900, 0xfaff},   {0x2f800, 0x2fa1f}};
    if (c < 0x3400) return false;
    for (size_t i = 0; i < sizeof range / sizeof *range; i++)
        if (c >= range[i][0] && c <= range[i][1]) return true;
    return false;
}

static bool is_punct(int32_t c)
{
    if (c < 128) return (c > 32 && c < 48) || (c > 57 && c < 65) || (c > 90 && c < 97) || (c > 122 && c < 127);
    utf8proc_category_t k = utf8proc_category(c);
    return k >= UTF8PROC_CATEGORY_PC && k <= UTF8PROC_CATEGORY_PO;
}

static int put(buf_t *b, int32_t c, err_t *err)
{
    if (mem_grow(&b->s, &b->cap, b->n + 4, 1, err)) return -1;
    b->n += (size_t)utf8proc_encode_char(c, (utf8proc_uint8_t *)b->s + b->n);
    return 0;
}

static int put_lower(const wordpiece_t *w, buf_t *b, int32_t c, err_t *err)
{
    if (!w->lower) return put(b, c, err);
    if (c == 0x130) return put(b, 'i', err) || put(b, 0x307, err) ? -1 : 0; /* the one whose small form is two */
    return put(b, utf8proc_tolower(c), err);
}

/* One character of the text, not ASCII, onto b as it is after normalisation. */
static int put_normal(const wordpiece_t *w, buf_t *b, int32_t c, err_t *err)
{
    utf8proc_int32_t part[16];
    int last = 0;
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CO: return 0;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP: return put(b, ' ', err);
    default: break;
    }
    if (c == 0xfffd) return 0;
    bool alone = w->cjk && is_cjk(c);
    if (alone && put(b, ' ', err)) return -1;
    if (!w->accents) {
        if (put_lower(w, b, c, err)) return -1;
    } else {
        utf8proc_ssize_t n = utf8proc_decompose_char(c, part, 16, UTF8PROC_DECOMPOSE, &last);
        for (utf8proc_ssize_t i = 0; i < n && i < 16; i++)
            if (utf8proc_category(part[i]) != UTF8PROC_CATEGORY_MN && put_lower(w, b, part[i], err)) return -1;
    }
    return alone ? put(b, ' ', err) : 0;
}

static int normalise(const wordpiece_t *w, const char *s, size_t n, buf_t *b, err_t *err)
{
    b->n = 0;
    for (size_t i = 0; i < n;) {
        unsigned char a = (unsigned char)s[i];
        utf8proc_int32_t c;
        if (a >= 128) {
            i += (size_t)utf8proc_iterate((const utf8proc_uint8_t *)s + i, (utf8proc_ssize_t)(n - i), &c);
            if (put_normal(w, b, c, err)) return -1;
            continue;
        }
        i++;
        if (a == '\t' || a == '\n' || a == '\r') a = ' ';
        if (a < 32 || a == 127) continue;
        if (w->lower && a >= 'A' && a <= 'Z') a = (unsigned char)(a + 32);
        if (mem_grow(&b->s, &b->cap, b->n + 1, 1, err)) return -1;
        b->s[b->n++] = (char)a;
    }
    return 0;
}

static void emit(out_t *o, int32_t id)
{
    if (o->n < o->max)
        o->ids[o->n++] = id;
    else
        o->cut = true;
}

/* Bytes of the UTF-8 character that begins with a, in text known to be UTF-8. */
static size_t width(char a)
{
    unsigned char c = (unsigned char)a;
    return c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

/* The longest piece that s (n bytes) begins with, its length in *len; -1: none. */
static int32_t longest(const wordpiece_t *w, const char *s, size_t n, bool inner, size_t *len)
{
    uint32_t h = inner ? hash_more(hash_more(HASH_START, '#'), '#') : HASH_START;
    int32_t best = -1;
    for (size_t i = 0; i < n && i <= w->longest;) {
        for (size_t k = width(s[i]); k; k--) h = hash_more(h, (unsigned char)s[i++]);
        int32_t id = lookup(w, h, inner, s, i);
        if (id < 0) continue;
        best = id;
        *len = i;
    }
    return best;
}

static void emit_word(const wordpiece_t *w, const char *s, size_t n, out_t *o)
{
    int32_t piece[WORDPIECE_WORD];
    size_t chars = 0, len = 0, np = 0;
    for (size_t i = 0; i < n; i += width(s[i])) chars++;
    if (chars > WORDPIECE_WORD) {
        emit(o, w->unk);
        return;
    }
    for (size_t i = 0; i < n; i += len) {
        if ((piece[np++] = longest(w, s + i, n - i, i > 0, &len)) >= 0) continue;
        emit(o, w->unk);
        return;
    }
    for (size_t k = 0; k < np; k++) emit(o, piece[k]);
}

/* Split normalised text into words. */
static void emit_words(const wordpiece_t *w, const char *s, size_t n, out_t *o)
{
    size_t from = 0, wide;
    for (size_t i = 0; i < n && !o->cut; i += wide) {
        utf8proc_int32_t c = (unsigned char)s[i];
        wide = c < 128 ? 1 : (size_t)utf8proc_iterate((const utf8proc_uint8_t *)s + i, (utf8proc_ssize_t)(n - i), &c);
        bool punct = is_punct(c);
        if (c != ' ' && !punct) continue;
        if (i > from) emit_word(w, s + from, i - from, o);
        if (punct) emit_word(w, s + i, wide, o);
        from = i + wide;
    }
    if (n > from && !o->cut) emit_word(w, s + from, n - from, o);
}

/* A stretch of text without special tokens. */
static int emit_plain(const wordpiece_t *w, const char *s, size_t n, buf_t *b, out_t *o, err_t *err)
{
    if (normalise(w, s, n, b, err)) return -1;
    const char *token = w->normal < 0 ? NULL : wordpiece_piece(w, w->normal), *p = b->s, *hit;
    size_t left = b->n, len = token ? strlen(token) : 0;
    while (token && left && (hit = memmem(p, left, token, len)) && !o->cut) {
        emit_words(w, p, (size_t)(hit - p), o);
        emit(o, w->normal);
        left -= (size_t)(hit - p) + len;
        p = hit + len;
    }
    if (left) emit_words(w, p, left, o);
    return 0;
}

/* The longest special token that s begins with, or -1. */
static int32_t special_at(const wordpiece_t *w, const char *s, size_t *len)
{
    int32_t best = -1;
    for (size_t k = 0; k < w->nspecial; k++) {
        const char *t = wordpiece_piece(w, w->special[k]);
        size_t n = strlen(t);
        if ((best >= 0 && n <= *len) || strncmp(s, t, n)) continue;
        best = w->special[k];
        *len = n;
    }
    return best;
}

int wordpiece_encode(const wordpiece_t *w, const char *text, size_t max, int32_t *ids, size_t *n, bool *cut, err_t *err)
{
    buf_t b = {0};
    out_t o = {ids, 0, max - 1, false};
    int32_t id;
    int rc = 0;
    size_t len = 0, from = 0, i = 0;
    for (const char *p = text; *p; p += len)
        if (!(len = utf8_len(p))) return err_set(err, ERR_FORMAT, "byte %zu: not UTF-8", (size_t)(p - text) + 1);
    emit(&o, w->cls);
    while (!rc && text[i] && !o.cut) {
        if ((id = special_at(w, text + i, &len)) < 0) {
            i++;
            continue;
        }
        rc = emit_plain(w, text + from, i - from, &b, &o, err);
        emit(&o, id);
        from = i += len;
    }
    if (!rc && !o.cut) rc = emit_plain(w, text + from, i - from, &b, &o, err);
    ids[o.n++] = w->sep;
    *n = o.n;
    if (cut) *cut = o.cut;
    mem_free(b.s);
    return rc;
}
