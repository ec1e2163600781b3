/* par: ranks by MPI (see par.h). */
#include "pipeline/par.h"

#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mpi.h>

#include "base/clock.h"
#include "base/mem.h"

enum { CHUNK = 1 << 20 }; /* floats that are summed at a time */

const bool par_mpi = true;

/* Of one process; there is one world. */
typedef struct {
    float *send, *receive; /* (CHUNK + K) */
} world_t;

static int failed(int code, const char *what, err_t *err)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int n = 0;
    MPI_Error_string(code, text, &n);
    return err_set(err, ERR_INTERNAL, "MPI: %s: %s", what, text);
}

/* Each rank sums a slice of a chunk, over all ranks in their order; then all get all slices. */
static int sum(const comm_t *c, float *x, size_t n, err_t *err)
{
    world_t *w = c->ctx;
    size_t k = (size_t)c->size;
    for (size_t at = 0; at < n; at += CHUNK) {
        size_t m = n - at < CHUNK ? n - at : CHUNK, slice = (m + k - 1) / k;
        memcpy(w->send, x + at, m * sizeof *x);
        memset(w->send + m, 0, (slice * k - m) * sizeof *x);
        int rc = MPI_Alltoall(w->send, (int)slice, MPI_FLOAT, w->receive, (int)slice, MPI_FLOAT, MPI_COMM_WORLD);
        if (rc != MPI_SUCCESS) return failed(rc, "alltoall", err);
        for (size_t r = 1; r < k; r++)
            for (size_t i = 0; i < slice; i++) w->receive[i] += w->receive[r * slice + i];
        rc = MPI_Allgather(w->receive, (int)slice, MPI_FLOAT, w->send, (int)slice, MPI_FLOAT, MPI_COMM_WORLD);
        if (rc != MPI_SUCCESS) return failed(rc, "allgather", err);
        memcpy(x + at, w->send, m * sizeof *x);
    }
    return 0;
}

static int gather(const comm_t *c, const float *x, size_t n, float *all, err_t *err)
{
    (void)c;
    if (n > INT_MAX) return err_set(err, ERR_RANGE, "MPI: %zu numbers at once (%d)", n, INT_MAX);
    int rc = MPI_Allgather(x, (int)n, MPI_FLOAT, all, (int)n, MPI_FLOAT, MPI_COMM_WORLD);
    return rc == MPI_SUCCESS ? 0 : failed(rc, "allgather", err);
}

enum { TAG = 1 };

int par_send(const comm_t *c, int to, const void *p, size_t n, double wait, err_t *err)
{
    const struct timespec nap = {.tv_nsec = 100000};
    MPI_Request request;
    int done = 0, rc;
    void *own;
    (void)c;
    if (n > INT_MAX) return err_set(err, ERR_INTERNAL, "MPI: a message of %zu bytes (%d)", n, INT_MAX);
    if (!(own = mem_new(n, 1, err))) return -1;
    memcpy(own, p, n);
    rc = MPI_Isend(own, (int)n, MPI_BYTE, to, TAG, MPI_COMM_WORLD, &request);
    for (double t = clock_wall(); rc == MPI_SUCCESS && (rc = MPI_Test(&request, &done, MPI_STATUS_IGNORE)) == MPI_SUCCESS && !done; nanosleep(&nap, NULL))
        if (clock_wall() - t > wait) return err_set(err, ERR_INTERNAL, "MPI: rank %d has taken no message for %.0f s", to, wait); /* which MPI may still read */
    mem_free(own);
    return rc == MPI_SUCCESS ? 0 : failed(rc, "send", err);
}

int par_take(const comm_t *c, int *from, unsigned char **p, size_t *n, err_t *err)
{
    int there = 0, bytes = 0, rc;
    MPI_Status st;
    *p = NULL;
    if (c->size < 2) return 0;
    if ((rc = MPI_Iprobe(MPI_ANY_SOURCE, TAG, MPI_COMM_WORLD, &there, &st)) != MPI_SUCCESS) return failed(rc, "probe", err);
    if (!there) return 0;
    if ((rc = MPI_Get_count(&st, MPI_BYTE, &bytes)) != MPI_SUCCESS) return failed(rc, "count", err);
    if (!(*p = mem_new((size_t)bytes, 1, err))) return -1;
    *n = (size_t)bytes;
    *from = st.MPI_SOURCE;
    rc = MPI_Recv(*p, bytes, MPI_BYTE, st.MPI_SOURCE, TAG, MPI_COMM_WORLD, &st);
    if (rc == MPI_SUCCESS) return 1;
    mem_free(*p);
    *p = NULL;
    return failed(rc, "receive", err);
}

/* Whether a launcher has started this process: that of Open MPI, MPICH, or Slurm. Without one, MPI is left alone. */
static bool launched(void)
{
    static const char *const sign[] = {"OMPI_COMM_WORLD_SIZE", "PMI_RANK", "PMIX_RANK"};
    for (size_t i = 0; i < sizeof sign / sizeof *sign; i++)
        if (getenv(sign[i])) return true;
    return false;
}

int par_begin(comm_t *c, err_t *err)
{
    int had;
    *c = comm_self;
    if (!launched()) return 0;
    int rc = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &had);
    if (rc != MPI_SUCCESS) return failed(rc, "init", err);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_rank(MPI_COMM_WORLD, &c->rank);
    MPI_Comm_size(MPI_COMM_WORLD, &c->size);
    if (c->size == 1) {
        *c = comm_self;
        return 0;
    }
    world_t *w = mem_zero(1, sizeof *w, err);
    size_t n = CHUNK + (size_t)c->size;
    c->sum = sum;
    c->gather = gather;
    c->ctx = w;
    if (w && (w->send = mem_new(n, sizeof *w->send, err)) && (w->receive = mem_new(n, sizeof *w->receive, err))) return 0;
    par_end(c, false);
    return -1;
}

static void forget(comm_t *c)
{
    world_t *w = c->ctx;
    if (c->size > 1 && w) {
        mem_free(w->send);
        mem_free(w->receive);
        mem_free(w);
    }
    *c = comm_self;
}

void par_leave(comm_t *c) { forget(c); }

void par_end(comm_t *c, bool ok)
{
    int running = 0;
    MPI_Initialized(&running);
    if (running && c->size > 1 && !ok) MPI_Abort(MPI_COMM_WORLD, 3);
    if (running) MPI_Finalize();
    forget(c);
}
