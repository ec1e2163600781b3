/* cmd: what a sub-command of the program is, and what all of them share. */
#ifndef CRYOLEX_SRC_CMD_H
#define CRYOLEX_SRC_CMD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/log.h"
#include "base/opt.h"

/* Exit status of the program. */
enum { EXIT_DONE = 0, EXIT_SOME_FAILED = 1, EXIT_MISUSE = 2, EXIT_NOT_RUN = 3, EXIT_AGAIN = 75 /* interrupted; the same command goes on */ };

/* What main hands to a command. */
typedef struct {
    const char *cmd; /* name of the command that runs */
    log_t log;
    bool quiet;
    long threads;
    size_t memory; /* bytes: limit for one map; --memory */
} app_t;

typedef struct {
    const char *name;    /* "search", or two words: "index build" */
    const char *args;    /* operands: "FILE..."; "[options]" is put before them */
    const char *summary; /* one line, a capital first, no final stop */
    const char *about;   /* paragraphs separated by an empty line, line breaks are spaces; for -h and the man page */
    const char *example; /* a command to copy, or NULL */
    const opt_t *opts;   /* rows, or NULL */
    size_t opt_size;     /* bytes of the options struct */
    int min_args, max_args; /* operands; max < 0: any number */
    int (*run)(const app_t *app, const void *opts, int argc, char **argv); /* operands only; returns an exit status */
} cmd_t;

/* Report err on the log, misuse with a pointer at the command's -h; returns EXIT_MISUSE for ERR_USAGE and EXIT_NOT_RUN for the rest. */
int cmd_fail(const app_t *app, const err_t *err);

/* The commands, one row in each cmd_<name>.c; a NULL name ends. */
extern const cmd_t *const cmd_table[];

#endif
