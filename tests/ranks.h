/* ranks: a comm_t whose ranks are threads of this process, for tests of what runs data-parallel. */
#ifndef CRYOLEX_TESTS_RANKS_H
#define CRYOLEX_TESTS_RANKS_H

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "nn/comm.h"

enum { RANKS_MAX = 8 };

typedef struct {
    pthread_barrier_t barrier;
    const float *x[RANKS_MAX]; /* what each rank brings */
    comm_t comm[RANKS_MAX];
} ranks_t;

static int ranks_gather(const comm_t *c, const float *x, size_t n, float *all, err_t *err)
{
    ranks_t *r = c->ctx;
    (void)err;
    r->x[c->rank] = x;
    pthread_barrier_wait(&r->barrier);
    for (int k = 0; k < c->size; k++) memcpy(all + (size_t)k * n, r->x[k], n * sizeof *all);
    pthread_barrier_wait(&r->barrier);
    return 0;
}

static int ranks_sum(const comm_t *c, float *x, size_t n, err_t *err)
{
    float *all = malloc(((size_t)c->size * n + 1) * sizeof *all);
    ranks_gather(c, x, n, all, err);
    for (size_t i = 0; i < n; i++) {
        x[i] = 0;
        for (int k = 0; k < c->size; k++) x[i] += all[(size_t)k * n + i];
    }
    free(all);
    return 0;
}

/* Run fn(arg, comm) as every rank at once. */
typedef struct {
    void (*fn)(void *arg, const comm_t *c);
    void *arg;
    const comm_t *c;
} rankjob_t;

static void *ranks_main(void *p)
{
    rankjob_t *j = p;
    j->fn(j->arg, j->c);
    return NULL;
}

static void ranks_run(int size, void (*fn)(void *, const comm_t *), void *arg)
{
    ranks_t r;
    pthread_t thread[RANKS_MAX];
    rankjob_t job[RANKS_MAX];
    if (size > RANKS_MAX || pthread_barrier_init(&r.barrier, NULL, (unsigned)size)) abort();
    for (int k = 0; k < size; k++) {
        r.comm[k] = (comm_t){k, size, ranks_sum, ranks_gather, &r};
        job[k] = (rankjob_t){fn, arg, &r.comm[k]};
        if (pthread_create(&thread[k], NULL, ranks_main, &job[k])) abort();
    }
    for (int k = 0; k < size; k++) pthread_join(thread[k], NULL);
    pthread_barrier_destroy(&r.barrier);
}

#endif
