/* serve: HTTP on the loopback interface, for the queries of servejob.h. serve_mhd.c does it by libmicrohttpd; a program that was
 * built without has serve_none.c.
 *
 *   GET    /                upload form
 *   GET    /query/ID        a query: where it stands, then its result
 *   POST   /api/query       the body is the file; arguments name, contour, apix. 201 with {"id", "state", "ahead"}
 *   GET    /api/query/ID    {"id", "name", "state", "seconds", "ahead" | "result" | "error"}
 *   DELETE /api/query/ID    end and forget it
 *
 * Errors are 400 (an argument), 403 (another Host or Origin than ours), 404, 405, 413 (too large), 500, 503 (too much waits; also while it
 * ends). A connection that says too little for too long is closed. No part of a request becomes part of a path. */
#ifndef CRYOLEX_SRC_SERVE_H
#define CRYOLEX_SRC_SERVE_H

#include "base/log.h"
#include "src/servejob.h"

enum { SERVE_CONNECTIONS = 64 }; /* further ones wait until the kernel hands them over */

typedef struct {
    int port;       /* 0: any that is free */
    double patience; /* seconds for a request's header, for each half MiB of an upload, and for taking an answer */
} serveopts_t;

/* Listen on 127.0.0.1, write the address to standard output, and serve until SIGTERM, SIGINT or SIGHUP; queries that run or wait are then dropped.
 * 0, or -1: ERR_IO the port cannot be had; the errors of jobs_new(); ERR_UNSUP built without. One at a time in a process, which has no
 * other thread. */
int serve_run(const serveopts_t *o, const joblimits_t *lim, const log_t *log, err_t *err);

#endif
