/* sweepjob: what cryolex sweep does with each map: embedding, hits, annotation, facts. */
#ifndef CRYOLEX_SRC_SWEEPJOB_H
#define CRYOLEX_SRC_SWEEPJOB_H

#include "pipeline/annotate.h"
#include "pipeline/sweep.h"
#include "src/answer.h"
#include "src/query.h"

typedef struct {
    queryopts_t query;
    mapopts_t map;
    long hits, voters, terms, max_box;
    double min_confidence;
    const char *spaces, *method, *skip_method;
    bool ancestors, told; /* told: terms of a novel query, too */
} jobopts_t;
extern const opt_t job_rows[];

/* Its own state in the worker; start from {.app, .o}. */
typedef struct {
    const app_t *app;
    const jobopts_t *o;
    query_t q;
    terms_t molecules;
    annotate_opts_t how;
    encoder_t **encoder; /* (threads) */
} job_t;

/* The functions of a sweepjob_t on a job_t. */
sweepjob_t sweepjob(job_t *j);

#endif
