/* unique: names that occur more than once (see unique.h). */
#include "pipeline/unique.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

typedef struct {
    const char *name;
    size_t at;
} place_t;

static int by_name(const void *a, const void *b)
{
    const place_t *x = a, *y = b;
    int c = strcmp(x->name, y->name);
    return c ? c : (x->at > y->at) - (x->at < y->at);
}

int unique_mark(const void *name, size_t stride, size_t n, unsigned char *again, err_t *err)
{
    place_t *p = mem_new(n, sizeof *p, err);
    if (!p) return -1;
    for (size_t i = 0; i < n; i++) {
        p[i].at = i;
        memcpy(&p[i].name, (const char *)name + i * stride, sizeof p[i].name);
    }
    qsort(p, n, sizeof *p, by_name);
    memset(again, 0, n);
    for (size_t i = 1; i < n; i++) again[p[i].at] = !strcmp(p[i].name, p[i - 1].name);
    mem_free(p);
    return 0;
}
