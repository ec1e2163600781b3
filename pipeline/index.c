/* index: the descriptors of many entries in memory (see index.h; the file is index_h5.c). */
#include "pipeline/index.h"

#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"
#include "pipeline/unique.h"

const char *const index_text_name[INDEX_TEXTS] = {"id",        "path",    "kind",  "title", "method", "molecules",
                                                  "organisms", "caption", "terms", "group", "split",  "pair"};

static int reserve(index_t *x, size_t want, err_t *err)
{
    size_t cap = x->cap;
    if (want <= cap) return 0;
    for (int c = 0; c < INDEX_TEXTS; c++) {
        cap = x->cap;
        if (mem_grow(&x->text[c], &cap, want, sizeof *x->text[c], err)) return -1;
    }
    const struct {
        void *p;
        size_t size;
    } part[] = {{&x->rg, sizeof *x->rg},
                {&x->volume, sizeof *x->volume},
                {&x->cube, DESC_LEN},
                {&x->zernike, DESCRIBE_ZERNIKE * sizeof(float)},
                {&x->profile, DESCRIBE_PROFILE * sizeof(float)}};
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
        cap = x->cap;
        if (mem_grow(part[i].p, &cap, want, part[i].size, err)) return -1;
    }
    x->cap = cap;
    return 0;
}

int index_add(index_t *x, const item_t *it, const record_t *r, err_t *err)
{
    if (reserve(x, x->n + 1, err)) return -1;
    const char *text[INDEX_TEXTS] = {it->id,       it->path,     r->kind == ITEM_MAP ? "map" : "model",
                                     r->title,     r->method,    r->molecules,
                                     r->organisms, it->caption,  it->terms,
                                     it->group,    it->split,    it->pair};
    size_t i = x->n;
    for (int c = 0; c < INDEX_TEXTS; c++) {
        x->text[c][i] = mem_str(text[c] ? text[c] : "", err);
        if (x->text[c][i]) continue;
        while (c-- > 0) mem_free(x->text[c][i]);
        return -1;
    }
    x->rg[i] = r->rg;
    x->volume[i] = r->volume;
    memcpy(x->cube + i * DESC_LEN, r->cube, DESC_LEN);
    memcpy(x->zernike + i * DESCRIBE_ZERNIKE, r->zernike, sizeof r->zernike);
    memcpy(x->profile + i * DESCRIBE_PROFILE, r->profile, sizeof r->profile);
    x->n++;
    return 0;
}

/* A string of its own, not one that was read with its column. */
static bool own_string(const index_t *x, int c, const char *s)
{
    return !x->block[c] || s < x->block[c] || s >= x->block[c] + x->block_bytes[c];
}

void index_free(index_t *x)
{
    for (int c = 0; c < INDEX_TEXTS; c++) {
        for (size_t i = 0; x->text[c] && i < x->n; i++)
            if (own_string(x, c, x->text[c][i])) mem_free(x->text[c][i]);
        mem_free(x->text[c]);
        mem_free(x->block[c]);
    }
    mem_free(x->rg);
    mem_free(x->volume);
    if (!x->map) mem_free(x->cube);
    if (x->map) munmap(x->map, x->map_bytes);
    mem_free(x->zernike);
    mem_free(x->profile);
    *x = (index_t){0};
}

int index_join(index_t *x, const index_t *from, err_t *err)
{
    size_t n = x->n;
    if (reserve(x, n + from->n, err)) return -1;
    for (size_t i = 0; i < from->n; i++) {
        for (int c = 0; c < INDEX_TEXTS; c++)
            if (!(x->text[c][x->n] = mem_str(from->text[c][i], err))) {
                while (c-- > 0) mem_free(x->text[c][x->n]);
                return -1;
            }
        x->n++;
    }
    memcpy(x->rg + n, from->rg, from->n * sizeof *x->rg);
    memcpy(x->volume + n, from->volume, from->n * sizeof *x->volume);
    memcpy(x->cube + n * DESC_LEN, from->cube, from->n * DESC_LEN);
    memcpy(x->zernike + n * DESCRIBE_ZERNIKE, from->zernike, from->n * DESCRIBE_ZERNIKE * sizeof *x->zernike);
    memcpy(x->profile + n * DESCRIBE_PROFILE, from->profile, from->n * DESCRIBE_PROFILE * sizeof *x->profile);
    size_t d = index_duplicate(x);
    return d < x->n ? err_set(err, ERR_FORMAT, "id %s: occurs twice", x->text[INDEX_ID][d]) : 0;
}

size_t index_duplicate(const index_t *x)
{
    unsigned char *again = mem_new(x->n, 1, NULL);
    size_t i = x->n;
    if (again && !unique_mark(x->text[INDEX_ID], sizeof **x->text, x->n, again, NULL))
        for (i = 0; i < x->n && !again[i];) i++;
    mem_free(again);
    return i;
}
