/* sweep_msg: what the processes of a sweep say to one another, as bytes: through a socket, or from rank to rank on machines of one kind. */
#ifndef CRYOLEX_PIPELINE_SWEEP_MSG_H
#define CRYOLEX_PIPELINE_SWEEP_MSG_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "pipeline/ledger.h"
#include "pipeline/manifest.h"

typedef enum {
    MSG_HELLO,  /* worker: ready, with what it runs with; or an err that kept it from that */
    MSG_ITEM,   /* to a worker: do this */
    MSG_START,  /* worker: is at this item */
    MSG_RESULT, /* worker: has done with it */
    MSG_QUIT,   /* to a worker: finish what is in hand, no more; with a number, a rank ends its worker at once */
    MSG_GONE,   /* of a worker: it is no more; its status as waitpid() has it */
    MSG_ALIVE,  /* of a rank, now and then */
    MSG_END,    /* of rank 0: no more will be said; with a number, a rank is lost, for which MPI would wait */
    MSG_KINDS
} msgkind_t;

/* What a sweep is run with; text for people and for comparison. */
typedef struct {
    char model[17], index[17]; /* hashes of the files */
    int frames;                /* of the model, see encoder.h */
    char options[1024];        /* that results depend on */
    char filters[512];         /* that say which items are skipped */
    char columns[512];         /* of a row of result_t.tsv, tabs between them */
} sweeprun_t;

typedef struct {
    err_t err;      /* code is ERR_OK: ready */
    size_t threads; /* items that it works on at once */
    sweeprun_t run;
} hello_t;

/* A message: kind, number of an item or a status, and a body; one block, owned. */
typedef struct {
    unsigned char *p; /* (n) as it travels */
    size_t n;
} msg_t;
#define MSG_HEAD 24 /* bytes: kind, number, length of the body, 8 each */
#define MSG_MAX ((size_t)1 << 30)

/* Make a message; mem_free() its p. 0, or -1 ERR_NOMEM. */
int msg_plain(msgkind_t kind, uint64_t number, msg_t *m, err_t *err);
int msg_hello(const hello_t *h, msg_t *m, err_t *err);
int msg_item(uint64_t number, const item_t *it, msg_t *m, err_t *err);
int msg_result(uint64_t number, const result_t *r, msg_t *m, err_t *err);

/* Kind and number of a message; false where it is none. */
bool msg_head(const msg_t *m, msgkind_t *kind, uint64_t *number);
/* The bodies. Strings of an item point into m. 0, or -1: ERR_FORMAT, ERR_NOMEM. */
int msg_get_hello(const msg_t *m, hello_t *h, err_t *err);
int msg_get_item(const msg_t *m, item_t *it, err_t *err);
int msg_get_result(const msg_t *m, result_t *r, err_t *err);

/* Write to, or read from, a stream socket whole. send: 0, or -1 ERR_IO. receive: 1, 0 where the other side is gone, -1 ERR_IO, ERR_NOMEM. */
int msg_send(int fd, const msg_t *m, err_t *err);
int msg_receive(int fd, msg_t *m, err_t *err);

#endif
