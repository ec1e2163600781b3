/* train_report: what a training run tells: its log as a table, lines on the terminal, and the texts that go into files. */
#ifndef CRYOLEX_PIPELINE_TRAIN_REPORT_H
#define CRYOLEX_PIPELINE_TRAIN_REPORT_H

#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/log.h"
#include "pipeline/train.h"
#include "pipeline/train_step.h"

/* The log OUT.tsv: a row a step. A run that goes on from step s keeps the rows up to s. */
typedef struct {
    FILE *f; /* NULL: none is written */
    const log_t *log;
    const char *path;
    double start, last; /* clock_wall() of the begin; of the last line on the terminal */
    uint64_t first, steps; /* steps done at the start; of the whole run */
    double rows;           /* of a step, for the rate: entries */
} trainreport_t;

/* path NULL: no file. 0, or -1 ERR_IO, ERR_NOMEM. End with trainreport_end(). */
int trainreport_new(const log_t *log, const char *path, uint64_t from, const trainopts_t *o, trainreport_t *r, err_t *err);
int trainreport_end(trainreport_t *r, err_t *err); /* 0, or -1 ERR_IO */

typedef struct {
    uint64_t step, epoch; /* steps done, with this one */
    double rate, views, network; /* learning rate; seconds */
    size_t failed;               /* views that could not be made */
    const stepout_t *out;
    const trainvalid_t *valid;   /* NULL: none after this step */
} trainrow_t;

void trainreport_row(trainreport_t *r, const trainrow_t *row); /* a line on the terminal at times */
void trainreport_valid(const trainreport_t *r, uint64_t step, const trainvalid_t *v, const char *what);

/* JSON of the options, dataset and network that a checkpoint belongs to; of a model's provenance. Free with mem_free(). NULL: ERR_NOMEM. */
char *trainreport_options(const dataset_t *d, const encoder_t *e, const trainopts_t *o, err_t *err);
char *trainreport_provenance(const dataset_t *d, const encoder_t *e, const trainopts_t *o, uint64_t step, const trainvalid_t *v,
                             err_t *err);

#endif
