/* intern: each distinct string once, with a number (see intern.h). An open hash table, linear probing, at most 2/3 full. */
#include "base/intern.h"

#include <string.h>

#include "base/mem.h"

enum { BLOCK = 1 << 16, SLOTS_MIN = 64 }; /* bytes of a block of strings */

typedef struct block {
    struct block *next;
    size_t size;
    char s[];
} block_t;

/* Eight bytes at a time, multiplied and folded. */
static uint32_t hash_of(const char *s, size_t len)
{
    uint64_t h = 0x9e3779b97f4a7c15u ^ len, w;
    for (; len >= 8; s += 8, len -= 8) {
        memcpy(&w, s, 8);
        h = (h ^ w) * 0xff51afd7ed558ccdu;
        h ^= h >> 32;
    }
    w = 0;
    memcpy(&w, s, len);
    h = (h ^ w) * 0xc4ceb9fe1a85ec53u;
    h ^= h >> 29;
    h *= 0xff51afd7ed558ccdu;
    return (uint32_t)(h >> 32);
}

/* The slot that holds s, or the free one where it belongs. */
static size_t place_of(const intern_t *t, const char *s, size_t len, uint32_t h)
{
    size_t i = h & (t->slots - 1);
    for (; t->slot[i]; i = (i + 1) & (t->slots - 1)) {
        uint32_t k = t->slot[i] - 1;
        if (t->hash[k] == h && !strncmp(t->str[k], s, len) && !t->str[k][len]) break;
    }
    return i;
}

static int grow_slots(intern_t *t, err_t *err)
{
    size_t n = t->slots ? 2 * t->slots : SLOTS_MIN;
    uint32_t *slot = mem_zero(n, sizeof *slot, err);
    if (!slot) return -1;
    for (size_t k = 0; k < t->n; k++) {
        size_t i = t->hash[k] & (n - 1);
        while (slot[i]) i = (i + 1) & (n - 1);
        slot[i] = (uint32_t)k + 1;
    }
    mem_free(t->slot);
    t->slot = slot;
    t->slots = n;
    return 0;
}

static char *keep(intern_t *t, const char *s, size_t len, err_t *err)
{
    block_t *b = t->block;
    if (!b || b->size - t->used <= len) {
        size_t size = len < BLOCK ? BLOCK : len + 1;
        if (!(b = mem_new(sizeof *b + size, 1, err))) return NULL;
        *b = (block_t){.next = t->block, .size = size};
        t->block = b;
        t->used = 0;
    }
    char *p = b->s + t->used;
    memcpy(p, s, len);
    p[len] = 0;
    t->used += len + 1;
    return p;
}

int intern_add(intern_t *t, const char *s, size_t len, uint32_t *number, err_t *err)
{
    if (3 * (t->n + 1) > 2 * t->slots && grow_slots(t, err)) return -1;
    uint32_t h = hash_of(s, len);
    size_t i = place_of(t, s, len, h);
    if (t->slot[i]) {
        *number = t->slot[i] - 1;
        return 0;
    }
    if (t->n >= UINT32_MAX - 1) return err_set(err, ERR_RANGE, "more than %zu different strings", t->n);
    if (mem_grow(&t->str, &t->cap, t->n + 1, sizeof *t->str, err) ||
        mem_grow(&t->hash, &t->hashes, t->n + 1, sizeof *t->hash, err) || !(t->str[t->n] = keep(t, s, len, err)))
        return -1;
    t->hash[t->n] = h;
    *number = (uint32_t)t->n++;
    t->slot[i] = *number + 1;
    return 0;
}

long intern_find(const intern_t *t, const char *s, size_t len)
{
    return t->slots ? (long)t->slot[place_of(t, s, len, hash_of(s, len))] - 1 : -1;
}

void intern_seal(intern_t *t)
{
    mem_free(t->slot);
    mem_free(t->hash);
    t->slot = t->hash = NULL;
    t->slots = t->hashes = 0;
}

void intern_free(intern_t *t)
{
    for (block_t *b = t->block, *next; b; b = next) {
        next = b->next;
        mem_free(b);
    }
    intern_seal(t);
    mem_free(t->str);
    *t = (intern_t){0};
}
