/* mem: checked allocation (see mem.h). */
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/block.h"

bool mem_mul(size_t a, size_t b, size_t *out)
{
    if (b && a > SIZE_MAX / b) return false;
    *out = a * b;
    return true;
}

void *mem_new(size_t n, size_t size, err_t *err)
{
    size_t bytes;
    if (!mem_mul(n, size, &bytes) || bytes > SIZE_MAX - MEM_ALIGN) {
        err_set(err, ERR_NOMEM, "memory: %zu x %zu bytes overflow", n, size);
        return NULL;
    }
    if (!bytes) bytes = 1;
    bytes = (bytes + MEM_ALIGN - 1) / MEM_ALIGN * MEM_ALIGN;
    void *p = bytes >= BLOCK_MIN ? block_new(bytes) : aligned_alloc(MEM_ALIGN, bytes);
    if (!p) err_set(err, ERR_NOMEM, "memory: cannot allocate %zu bytes", bytes);
    return p;
}

void *mem_zero(size_t n, size_t size, err_t *err)
{
    void *p = mem_new(n, size, err);
    if (p) memset(p, 0, n * size);
    return p;
}

int mem_grow(void *p, size_t *cap, size_t want, size_t size, err_t *err)
{
    if (want <= *cap) return 0;
    size_t n = *cap ? *cap : 16;
    while (n < want) {
        if (n > SIZE_MAX / 2) { n = want; break; }
        n *= 2;
    }
    void *old, *q = mem_new(n, size, err);
    if (!q) return -1;
    memcpy(&old, p, sizeof old);
    if (old) memcpy(q, old, *cap * size);
    mem_free(old);
    memcpy(p, &q, sizeof q);
    *cap = n;
    return 0;
}

void mem_free(void *p)
{
    if (!block_free(p)) free(p);
}

void mem_trim(void) { block_trim(); }

char *mem_str(const char *s, err_t *err)
{
    size_t n = strlen(s) + 1;
    char *p = mem_new(n, 1, err);
    if (p) memcpy(p, s, n);
    return p;
}
