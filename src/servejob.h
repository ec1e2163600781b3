/* servejob: the queries of cryolex serve. An upload is a file without a name; those that are complete wait in a queue, and one at a
 * time is computed by a process of its own, on all cores. Results are kept in memory, for a time.
 *
 * Nothing here has a name in the file system, so nothing is left there however the server ends; the process of a query ends with
 * it. All functions are for one thread, which has no other beside it: processes are made by fork. */
#ifndef CRYOLEX_SRC_SERVEJOB_H
#define CRYOLEX_SRC_SERVEJOB_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

typedef enum { JOB_UPLOAD, JOB_WAITING, JOB_RUNNING, JOB_DONE, JOB_FAILED, JOB_STATES } jobstate_t;
extern const char *const job_state[JOB_STATES]; /* "upload", "waiting", "running", "done", "failed" */

enum { JOB_ID = 32, JOB_NAME = 160, JOB_FDS = 2 };

typedef struct {
    const char *folder;       /* whose file system holds uploads */
    const char *index, *model; /* of annotate; NULL: its own choice */
    size_t upload;            /* bytes of one upload */
    size_t spool;             /* bytes of uploads and pages together; old pages make room */
    size_t unpacked;          /* bytes of data that a map may promise */
    size_t memory;            /* bytes, --memory of the query */
    long threads;             /* --threads of the query */
    long waiting;             /* most that wait */
    long keep;                /* most results */
    double age;               /* seconds that a result is kept */
    double seconds;           /* that a query may take */
} joblimits_t;

/* A query. The strings are UTF-8 without control characters. */
typedef struct job {
    char id[JOB_ID + 1];   /* hexadecimal, not to be guessed */
    char name[JOB_NAME];   /* of the file, as the user calls it; of no use as a path */
    jobstate_t state;
    double contour, apix;  /* NAN: none */
    size_t bytes;          /* of the upload so far */
    double since;          /* clock_wall() of the last change of state */
    double took;           /* seconds, of one that is done or failed; with the page */
    char *result;          /* of one that is done: the object that annotate --format json prints, its query being the name */
    int page;              /* of one that is done: a file with its report page; -1: none could be made, or its room was wanted */
    size_t page_bytes;     /* of the page; while it is made, what it may take */
    char why[512];         /* of one that failed */

    int fd;                /* of the upload; -1 after the query */
    bool late;             /* ended for taking too long */
    struct job *next;      /* by age */
} job_t;

typedef struct jobs jobs_t;

/* lim must outlive it. NULL: ERR_IO no file can be made in the folder; ERR_NOMEM. jobs_free() ends all. */
jobs_t *jobs_new(const joblimits_t *lim, err_t *err);
void jobs_free(jobs_t *js);

/* Begin an upload of `expected` bytes (0: not known). NULL: ERR_RANGE larger than one may be; ERR_USAGE too many wait, or too many bytes, which passes;
 * ERR_IO, ERR_NOMEM. */
job_t *job_new(jobs_t *js, const char *name, size_t expected, err_t *err);
/* Go on with it. 0, or -1: ERR_RANGE, ERR_USAGE as above; ERR_IO. */
int job_write(jobs_t *js, job_t *j, const void *data, size_t n, err_t *err);
/* The upload is complete. 0, or -1: ERR_FORMAT it is empty; ERR_USAGE too many wait. */
int job_submit(jobs_t *js, job_t *j, err_t *err);
/* In any state; its process is ended. */
void job_drop(jobs_t *js, job_t *j);
/* Drop all that run or wait: the server ends. */
void jobs_drop_queue(jobs_t *js);

job_t *job_find(jobs_t *js, const char *id);            /* NULL: none, or one that is not submitted */
size_t job_ahead(const jobs_t *js, const job_t *j);     /* queries that are computed before a waiting one */
size_t jobs_count(const jobs_t *js, jobstate_t state);

/* What to wait for, at most JOB_FDS; returns how many. */
size_t jobs_poll(const jobs_t *js, struct pollfd *p);
/* Take what the running query says, end what takes too long, begin the next, forget what is old. Call it at least each second. */
void jobs_step(jobs_t *js);

#endif
