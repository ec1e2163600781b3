/* block: large blocks of memory that are used again (see block.h). */
#include "base/block.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { HUGE_PAGE = 2 << 20 }; /* bytes */

/* Under an address sanitizer what is freed must not be used again. */
#ifdef __SANITIZE_ADDRESS__
static const size_t keep = 0;
#else
static const size_t keep = BLOCK_KEEP;
#endif

typedef struct {
    void *p;
    size_t bytes;
    bool used;
} block_t;

/* The system's memory is one per process, and so is this list: the blocks, those that were freed last at its end. */
static struct {
    block_t *block;
    size_t n, cap;
    blocks_t sum;
} all;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void take(void) { pthread_mutex_lock(&lock); }
static void give(void) { pthread_mutex_unlock(&lock); }
static void at_fork(void) { pthread_atfork(take, give, give); } /* no other thread holds the lock of the child */

static void drop(size_t i)
{
    all.sum.kept -= all.block[i].bytes;
    free(all.block[i].p);
    for (all.n--; i < all.n; i++) all.block[i] = all.block[i + 1];
}

/* Blocks that are kept go, the longest kept first, until no more than `most` bytes are. */
static void shrink(size_t most)
{
    for (size_t i = 0; i < all.n && all.sum.kept > most;)
        if (all.block[i].used) i++;
        else drop(i);
}

/* The smallest kept block that serves, or n. */
static size_t fit(size_t bytes)
{
    size_t best = all.n;
    for (size_t i = 0; i < all.n; i++) {
        const block_t *b = &all.block[i];
        if (!b->used && b->bytes >= bytes && b->bytes / 2 <= bytes && (best == all.n || b->bytes < all.block[best].bytes)) best = i;
    }
    return best;
}

static bool fresh(size_t bytes)
{
    void *p = NULL;
    if (all.n == all.cap) {
        size_t cap = all.cap ? 2 * all.cap : 64;
        block_t *more = realloc(all.block, cap * sizeof *more);
        if (!more) return false;
        all.block = more;
        all.cap = cap;
    }
    const size_t most = all.sum.most + all.sum.most / BLOCK_OVER, used = all.sum.used + bytes;
    shrink(most > used ? most - used : 0);
    if (posix_memalign(&p, HUGE_PAGE, bytes)) {
        shrink(0);
        if (posix_memalign(&p, HUGE_PAGE, bytes)) return false;
    }
#ifdef MADV_HUGEPAGE
    madvise(p, bytes, MADV_HUGEPAGE);
#endif
    all.block[all.n++] = (block_t){.p = p, .bytes = bytes};
    all.sum.kept += bytes;
    return true;
}

void *block_new(size_t bytes)
{
    void *p = NULL;
    if (bytes > SIZE_MAX - HUGE_PAGE) return NULL;
    bytes = (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    pthread_once(&once, at_fork);
    take();
    size_t i = fit(bytes);
    bool got = i < all.n;
    if (!got && (got = fresh(bytes))) i = all.n - 1;
    if (got) {
        block_t *b = &all.block[i];
        b->used = true;
        all.sum.kept -= b->bytes;
        all.sum.used += b->bytes;
        if (all.sum.used > all.sum.most) all.sum.most = all.sum.used;
        p = b->p;
    }
    give();
    return p;
}

bool block_free(void *p)
{
    if (!p || (uintptr_t)p % HUGE_PAGE) return false;
    take();
    size_t i = 0;
    while (i < all.n && all.block[i].p != p) i++;
    const bool ours = i < all.n;
    if (ours) {
        const block_t b = {.p = p, .bytes = all.block[i].bytes};
        for (; i + 1 < all.n; i++) all.block[i] = all.block[i + 1];
        all.block[i] = b;
        all.sum.used -= b.bytes;
        all.sum.kept += b.bytes;
        shrink(keep);
    }
    give();
    return ours;
}

blocks_t block_count(void)
{
    take();
    const blocks_t sum = all.sum;
    give();
    return sum;
}

void block_trim(void)
{
    take();
    shrink(0);
    give();
}
