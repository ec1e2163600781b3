/* train: fit a voxel encoder and a text projection to a dataset, by two objectives (DESIGN 4):
 *   view  InfoNCE, two-sided, between the clean cube of an entry, as it will be indexed, and an EM-like view of it, as a map
 *         will arrive
 *   text  InfoNCE from a structure (of either kind) to the projected embedding of one of its captions
 * A step draws `batch` entries of the training split; each cube is in a random one of its four frames. Batch, views and
 * frames of a step depend on seed, step and row alone: a run has the same bytes on any number of threads, and goes on
 * after an interruption as if there had been none. K ranks share the rows of a batch and equal one process up to the order
 * of sums.
 *
 * How it hangs together: train_data.c clean cubes, train_start.c where the linear path of a posed
 * network starts, train_draw.c which entries, train_batch.c views, train_step.c network,
 * losses and optimiser, train_valid.c retrieval on the validation split, train_check.c checkpoints, train_report.c the
 * log and the model's provenance, train.c the loop. */
#ifndef CRYOLEX_PIPELINE_TRAIN_H
#define CRYOLEX_PIPELINE_TRAIN_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"
#include "nn/comm.h"
#include "pipeline/dataset.h"
#include "pipeline/modelfile.h"
#include "voxel/encoder.h"
#include "voxel/view.h"

#define TRAIN_BATCH_MAX 65536

typedef enum { SAME_POSITIVE, SAME_NEGATIVE } same_t;

/* POSE_MATCH  the view is turned into the pose nearest to its clean cube; the model has one frame (encoder.h)
 * POSE_MEAN   each is in a random one of its four frames; the model takes the mean over them */
typedef enum { POSE_MATCH, POSE_MEAN } pose_t;

typedef struct {
    uint64_t seed;
    size_t batch;             /* entries of a step, over all ranks; a multiple of their number */
    uint64_t steps, warmup;   /* of the schedule (nn/schedule.h) */
    double rate, floor;       /* highest and last learning rate */
    double linear;            /* share of the rate of a posed network's linear path (train_start.h); 0: it stays as it starts */
    double decay, clip, average; /* of nn/optim.h */
    double weight_view, weight_text;
    double scale;             /* both scales at the start; 1..100 */
    const modeltext_t *text;  /* text projection at the start, where it is for the dataset's sentence encoder; NULL: random */
    const char *init;         /* hash of the model that the parameters are from; NULL: none */
    pose_t pose;
    bool text_both;           /* text to structure as well */
    same_t same;              /* what other entries with the same set of sequence clusters are to one another */
    double balance;           /* an entry is drawn in a share size^-balance of the epochs, size the number of training entries
                               * in the smallest of its sequence clusters; 0: in each */
    double alike;             /* batches are of entries of like size: neighbours in the order of ln Rg with noise of this standard
                               * deviation; 0: of any */
    double rg_noise;          /* standard deviation added to log_rg */
    viewopts_t view;          /* of the EM-like views; its side is not looked at */
    uint64_t valid_every;     /* steps between validations; 0: only at the end */
    size_t valid_queries;     /* entries of the validation split that are asked about */
    size_t valid_gallery;     /* entries that they are sought among; at the end all */
    uint64_t patience;        /* end after so many validations without a better one; 0: never */
    uint64_t check_every;     /* steps between checkpoints; 0: only where the run ends */
    double minutes;           /* end after so long, with a checkpoint; 0: no limit */
} trainopts_t;

/* Retrieval on the validation split; shares of the queries, 0..1. */
typedef struct {
    size_t queries, gallery;          /* EM-like views; clean cubes that they are sought among */
    double top1, top5, top10, mrr;    /* by exact entry */
    double cluster1;                  /* first hit shares a sequence cluster, of the queries that have one */
    size_t texts;                     /* clean cubes with a caption, sought among the captions (variant 0) of all of them; right
                                       * is every caption of the same set of terms */
    double text1, text5, text10, text_mrr;
    double view_text_mrr;             /* the same of views */
} trainvalid_t;

typedef struct {
    uint64_t step;       /* steps done */
    uint64_t best;       /* step of the model that was kept */
    trainvalid_t valid;  /* of that, all entries as the gallery */
    bool stopped;        /* by *stop: there is a checkpoint and maybe no model yet */
    bool early;          /* patience ran out */
    bool late;           /* minutes ran out */
} traindone_t;

/* Train e on d from its present parameters; unless o->init, its linear path starts as trainstart_linear() has it. Files (rank 0 writes; each appears whole):
 *   OUT       the model: moving average of the parameters where validation was best so far (without validation entries:
 *             the last)
 *   OUT.last  the same average at the end
 *   OUT.ckpt  the state of the run (safetensors)
 *   OUT.tsv   a row a step
 * In:   resume  go on from OUT.ckpt, which has to be of the same options (but for minutes and check_every), network and
 *               dataset
 *       stop    becomes non-zero when the run is to end after the present step; NULL: never
 * Out:  done
 * 0, or -1: ERR_USAGE options that cannot be, or not those of the checkpoint; ERR_RANGE no entry to train on, an epoch that is
 * shorter than a batch, steps that all have gradients that are not finite; ERR_IO; ERR_FORMAT a damaged checkpoint; ERR_NOMEM. */
int train_run(const dataset_t *d, encoder_t *e, const trainopts_t *o, const char *out, bool resume, const comm_t *comm,
              const volatile sig_atomic_t *stop, const log_t *log, traindone_t *done, err_t *err);

#endif
