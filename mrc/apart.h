/* apart: work that a damaged file can crash, as a library's, is done in a process of its own: a fork that answers questions. What it
 * does wrong ends it, and becomes an error here. */
#ifndef CRYOLEX_MRC_APART_H
#define CRYOLEX_MRC_APART_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

/* In the fork: answer a question; `shared` has `room` bytes that both sides see. 0, or -1 with err, which the asking side gets. No
 * OpenMP, no stdio; files and memory are those of the moment of apart_start(). */
typedef int (*apart_serve_t)(void *ctx, const size_t ask[2], void *shared, size_t room, err_t *err);

/* The caller's; start from APART_NONE. One thread at a time. */
typedef struct {
    pid_t pid;
    int fd, mem; /* a socket to the fork, and memory of both */
    void *shared;
    size_t room;
} apart_t;
#define APART_NONE ((apart_t){.fd = -1, .mem = -1})

/* Fork. No other thread may be within a library that serve() calls. 0, or -1 ERR_NOMEM. End with apart_end(), also after an error. */
int apart_start(apart_t *a, apart_serve_t serve, void *ctx, err_t *err);

/* Ask, with room for at least `room` bytes of answer at a->shared, which stay until the next question. `what` tells in an error what was done. The fork may take APART_SECONDS of
 * processor time, and one more for every MB of room. 0, or -1: what serve() says; ERR_FORMAT the fork crashed or took too long; ERR_NOMEM. */
int apart_ask(apart_t *a, const size_t ask[2], size_t room, const char *what, err_t *err);
void apart_end(apart_t *a); /* leaves APART_NONE */

enum { APART_SECONDS = 60 };

#endif
