/* progress: how far a batch is, its rate and when it ends (see progress.h). */
#include "base/progress.h"

#include "base/clock.h"
#include "base/mem.h"

struct progress {
    const log_t *log;
    const char *label, *unit;
    size_t total, done, failed;
    double start, last; /* clock_wall() */
};

progress_t *progress_new(const log_t *log, const char *label, const char *unit, size_t total)
{
    if (!log || log->level < LOG_INFO) return NULL;
    progress_t *p = mem_zero(1, sizeof *p, NULL);
    if (!p) return NULL;
    *p = (progress_t){.log = log, .label = label, .unit = unit, .total = total, .start = clock_wall()};
    p->last = p->start;
    return p;
}

static void draw(const progress_t *p, double now)
{
    double t = now - p->start, rate = t > 0 ? (double)p->done / t : 0;
    double left = rate > 0 ? (double)(p->total - p->done) / rate : 0;
    fprintf(p->log->f, "%scryolex: %s: %zu of %zu %s, %zu failed, %.1f/s, %.0f s left%s", p->log->tty ? "\r\033[K" : "",
            p->label, p->done, p->total, p->unit, p->failed, rate, left, p->log->tty ? "" : "\n");
    fflush(p->log->f);
}

void progress_step(progress_t *p, size_t n, size_t failed)
{
    if (!p) return;
#pragma omp critical(cryolex_progress)
    {
        size_t tenth = p->total / 10 ? p->total / 10 : 1, before = p->done / tenth;
        p->done += n;
        p->failed += failed;
        double now = clock_wall();
        bool due = p->log->tty ? now - p->last >= 0.2 : p->done / tenth != before && now - p->last >= 10;
        if (due && p->done < p->total) {
            draw(p, now);
            p->last = now;
        }
    }
}

void progress_end(progress_t *p)
{
    if (!p) return;
    double t = clock_wall() - p->start;
    log_msg(p->log, LOG_INFO, "%s: %zu %s, %zu failed, in %.1f s (%.1f/s)", p->label, p->done, p->unit, p->failed, t,
            t > 0 ? (double)p->done / t : 0);
    mem_free(p);
}
