/* vocab: tables of names (see vocab.h). */
#include "pipeline/vocab.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

char **vocab_strings(const char *const *s, size_t n, err_t *err)
{
    size_t bytes = n * sizeof *s;
    for (size_t i = 0; i < n; i++) bytes += strlen(s[i]) + 1;
    char **out = mem_new(bytes, 1, err);
    if (!out) return NULL;
    char *p = (char *)(out + n);
    for (size_t i = 0; i < n; i++) {
        size_t k = strlen(s[i]) + 1;
        out[i] = memcpy(p, s[i], k);
        p += k;
    }
    return out;
}

long vocab_find(const vocab_t *v, const char *name)
{
    size_t lo = 0, hi = v->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = strcmp(v->name[mid], name);
        if (!c) return (long)mid;
        if (c < 0) lo = mid + 1;
        else hi = mid;
    }
    return -1;
}

void vocab_free(vocab_t *v)
{
    mem_free(v->name);
    *v = (vocab_t){0};
}

void lists_free(lists_t *l)
{
    mem_free(l->at);
    mem_free(l->item);
    *l = (lists_t){0};
}

/* ---- sets ---- */

long vocab_add(intern_t *set, const char *name, err_t *err)
{
    uint32_t k;
    return intern_add(set, name, strlen(name), &k, err) ? -1 : (long)k;
}

typedef struct {
    const char *name;
    uint32_t from;
} place_t;

static int by_name(const void *a, const void *b) { return strcmp(((const place_t *)a)->name, ((const place_t *)b)->name); }

int vocab_sorted(const intern_t *set, vocab_t *v, uint32_t *to, err_t *err)
{
    place_t *p = mem_new(set->n, sizeof *p, err);
    const char **name = mem_new(set->n, sizeof *name, err);
    *v = (vocab_t){0};
    if (p && name) {
        for (size_t i = 0; i < set->n; i++) p[i] = (place_t){set->str[i], (uint32_t)i};
        qsort(p, set->n, sizeof *p, by_name);
        for (size_t i = 0; i < set->n; i++) {
            name[i] = p[i].name;
            if (to) to[p[i].from] = (uint32_t)i;
        }
        if ((v->name = vocab_strings(name, set->n, err))) v->n = set->n;
    }
    mem_free(p);
    mem_free(name);
    return v->name ? 0 : -1;
}

/* ---- lists ---- */

int lists_add(lists_builder_t *b, uint32_t item, err_t *err)
{
    if (mem_grow(&b->item, &b->cap, b->n + 1, sizeof *b->item, err)) return -1;
    b->item[b->n++] = item;
    return 0;
}

int lists_row(lists_builder_t *b, err_t *err)
{
    if (mem_grow(&b->at, &b->cap_at, b->rows + 2, sizeof *b->at, err)) return -1;
    if (!b->rows) b->at[0] = 0;
    b->at[++b->rows] = b->n;
    return 0;
}

static int ascending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

void lists_end(lists_builder_t *b, const uint32_t *to, lists_t *l)
{
    size_t n = 0;
    for (size_t i = 0; i < b->n; i++) b->item[i] = to[b->item[i]];
    for (size_t r = 0, from = 0, end; r < b->rows; r++, from = end) {
        end = b->at[r + 1];
        if (end > from) qsort(b->item + from, end - from, sizeof *b->item, ascending);
        b->at[r] = n;
        for (size_t i = from; i < end; i++)
            if (i == from || b->item[i] != b->item[i - 1]) b->item[n++] = b->item[i];
    }
    if (b->rows) b->at[b->rows] = n;
    *l = (lists_t){b->at, b->item};
    *b = (lists_builder_t){0};
}

void lists_builder_free(lists_builder_t *b)
{
    mem_free(b->at);
    mem_free(b->item);
    *b = (lists_builder_t){0};
}
