/* ledger: what became of each item of a sweep, in an SQLite file that any kill leaves whole.
 *
 * A result is in the ledger or it is not: item and result are one transaction, and what is written for people (sweep_out.h) is made from it.
 * One process at a time has a ledger open for writing. On a local disk its journal is a WAL with synchronous = NORMAL: a killed process loses
 * nothing, a power cut perhaps the last items, which are then done again. On any other file system, where several machines may be at work and
 * shared memory is not to be had, it is a rollback journal with synchronous = FULL. */
#ifndef CRYOLEX_PIPELINE_LEDGER_H
#define CRYOLEX_PIPELINE_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define LEDGER_FILE "ledger.sqlite"
#define LEDGER_VERSION "1"

typedef enum { LEDGER_PENDING, LEDGER_DONE, LEDGER_FAILED, LEDGER_SKIPPED, LEDGER_STATES } ledgerstate_t;
extern const char *const ledger_state[LEDGER_STATES]; /* "pending", "done", "failed", "skipped" */

/* What became of an item. Start from {0}; strings and z are owned, "" or NULL where there is none; result_free(). */
typedef struct {
    ledgerstate_t state;
    char *cause;       /* a word or two, by which failures are counted: "format", "box"; NULL when done */
    char *message;     /* the reason, naming the file; NULL when done */
    char *json, *tsv;  /* lines without their ends */
    double rg;         /* angstrom */
    float *z;          /* (d) */
    size_t d;
    double seconds[3]; /* reading to cube, network, search */
    uint64_t bytes, voxels; /* of the file; of the map, 0 unknown */
    bool crashed;      /* the process that was at it died */
} result_t;
void result_free(result_t *r); /* leaves {0} */

typedef struct ledger ledger_t;

/* The ledger in the folder dir, made where there is none (not with `only_read`). `wait` seconds are given to another process to end. NULL: ERR_IO
 * cannot open or write; ERR_BUSY another sweep is at work, which all functions with ERR_IO may find; ERR_NOTFOUND only_read and there is none; ERR_FORMAT not a ledger, or damaged; ERR_UNSUP another version;
 * ERR_NOMEM. Close with ledger_close(). One thread, one process: a fork leaves it alone. */
ledger_t *ledger_open(const char *dir, bool only_read, double wait, err_t *err);
bool ledger_there(const char *dir); /* whether a ledger is in the folder */
void ledger_close(ledger_t *l); /* NULL is fine; what was not committed is lost */
const char *ledger_journal(const ledger_t *l); /* "wal", "truncate" */

/* Transactions. 0, or -1 ERR_IO: nothing of it was written (the disk is full, say), and the ledger is as it was before. */
int ledger_begin(ledger_t *l, err_t *err);
int ledger_commit(ledger_t *l, err_t *err);

/* Facts about the run by name. *value "" where there is none; mem_free(). 0, or -1 ERR_IO, ERR_NOMEM. */
int ledger_get(ledger_t *l, const char *name, char **value, err_t *err);
int ledger_set(ledger_t *l, const char *name, const char *value, err_t *err);

/* What is known of an item before it is worked on. */
typedef struct {
    int64_t row;     /* of the ledger */
    ledgerstate_t state;
    int attempts;    /* that came to an end */
    bool crashed;    /* the last of them with its process */
    char sig[17];    /* what it was run with; "" never */
} ledgeritem_t;

/* Enter items: ledger_clear() takes all out of the order, ledger_place() puts one in at place n (from 0), new or known. Within a transaction.
 * 0, or -1 ERR_IO. */
int ledger_clear(ledger_t *l, err_t *err);
int ledger_place(ledger_t *l, size_t n, const char *id, const char *path, ledgeritem_t *it, err_t *err);

/* An item is to be done again: pending, until its result is put. Within a transaction. 0, or -1 ERR_IO. */
int ledger_again(ledger_t *l, int64_t row, err_t *err);

/* The result of an item and what it was run with, in place of any before. Within a transaction. 0, or -1 ERR_IO. */
int ledger_put(ledger_t *l, int64_t row, const char sig[17], const result_t *r, err_t *err);

/* An item with its result, all borrowed until the next step. */
typedef struct {
    size_t n; /* place in the manifest */
    const char *id, *path;
    int attempts;
    result_t r;
} ledgerrow_t;

/* Walk the items in the order of the manifest: start, then step until it is 0. With `results` json, tsv and z are read, too. 0 or -1; step: 1, 0 at the end, -1: ERR_IO. */
int ledger_walk(ledger_t *l, bool results, err_t *err);
int ledger_step(ledger_t *l, ledgerrow_t *row, err_t *err);

#endif
