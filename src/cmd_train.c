/* cmd_train: cryolex train. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "pipeline/par.h"
#include "pipeline/train.h"
#include "src/netopts.h"
#include "src/outpath.h"
#include "src/table.h"

typedef struct {
    const char *data, *out, *init;
    bool resume, text_both;
    long seed, batch, steps, warmup;
    double rate, linear, floor, decay, clip, average;
    double weight_view, weight_text, scale, balance, alike, rg_noise;
    int same, pose;
    long valid_every, valid_queries, valid_gallery, patience, check_every;
    double minutes;
    netopts_t net;
} opts_t;

#define AT(field) offsetof(opts_t, field)
static const opt_t rows[] = {
    {'d', "dataset", OPT_STR, AT(data), "D.h5", 0, 0, NULL, NULL, "What to train on: made by cryolex dataset build"},
    {'o', "output", OPT_STR, AT(out), "MODEL", 0, 0, NULL, NULL,
     "The model to write (safetensors); MODEL.last, MODEL.ckpt and MODEL.tsv come beside it"},
    {0, "resume", OPT_FLAG, AT(resume), NULL, 0, 0, NULL, NULL,
     "Go on from MODEL.ckpt; the options have to be the same, but for --minutes and --check-every"},
    {0, "init", OPT_STR, AT(init), "MODEL", 0, 0, NULL, NULL,
     "Start from this model's network and parameters, and its text projection where that is for the same sentence encoder"},
    {0, "minutes", OPT_REAL, AT(minutes), "N", 0, 1e9, NULL, "0",
     "End after so many minutes, with a checkpoint, the last validation and the models; 0: no limit. The schedule of the rate goes "
     "by steps"},
    {0, "seed", OPT_INT, AT(seed), "N", 0, 0x1p53, NULL, "1", "Seed of every random choice"},
    {0, "batch", OPT_INT, AT(batch), "N", 2, TRAIN_BATCH_MAX, NULL, "64", "Entries of a step, over all ranks"},
    {0, "steps", OPT_INT, AT(steps), "N", 1, 1e12, NULL, "5000", "Length of the run"},
    {0, "warmup", OPT_INT, AT(warmup), "N", 0, 1e12, NULL, "100", "Steps in which the rate rises"},
    {0, "rate", OPT_REAL, AT(rate), "X", 0, 10, NULL, "1e-3", "Highest learning rate; it falls as a cosine"},
    {0, "linear", OPT_REAL, AT(linear), "X", 0, 100, NULL, "1",
     "Share of the learning rate of a posed network's linear path; 0: it stays as it starts"},
    {0, "floor", OPT_REAL, AT(floor), "X", 0, 10, NULL, "1e-5", "Learning rate at the end"},
    {0, "decay", OPT_REAL, AT(decay), "X", 0, 10, NULL, "0.05", "Weight decay"},
    {0, "clip", OPT_REAL, AT(clip), "X", 0, 1e9, NULL, "1", "Largest norm of the gradient; 0: any"},
    {0, "average", OPT_REAL, AT(average), "X", 0, 0.999999, NULL, "0.998",
     "Decay of the moving average of the parameters, which is what is kept; 0: the parameters themselves"},
    {0, "weight-view", OPT_REAL, AT(weight_view), "X", 0, 1e6, NULL, "1",
     "Weight of the loss between the clean cube and the EM-like view of an entry"},
    {0, "weight-text", OPT_REAL, AT(weight_text), "X", 0, 1e6, NULL, "0.5", "Weight of the loss from structures to captions"},
    {0, "text-both", OPT_FLAG, AT(text_both), NULL, 0, 0, NULL, NULL, "Captions to structures as well"},
    {0, "scale", OPT_REAL, AT(scale), "X", 1, 100, NULL, "14.3", "What cosines are multiplied by at the start; it is learned, 1 to 100"},
    {0, "pose", OPT_CHOICE, AT(pose), NULL, 0, 0, "match|mean", "match",
     "How cubes are posed: match, the view as its clean cube, and a query of the model is tried in every pose; mean, each in "
     "a random one of its four frames, over which the model takes the mean"},
    {0, "same", OPT_CHOICE, AT(same), NULL, 0, 0, "positive|negative", "positive",
     "What entries with the same sequence clusters are to each other in the loss between views"},
    {0, "balance", OPT_REAL, AT(balance), "X", 0, 1, NULL, "0.5",
     "An entry takes part in a share N^-X of the epochs, N being the size of the smallest sequence cluster it is in: 0 all alike, 1 "
     "clusters alike"},
    {0, "alike", OPT_REAL, AT(alike), "X", 0, 100, NULL, "0",
     "Make batches of entries of like size, so that entries are told apart by shape: of neighbours in the order of ln Rg, to which "
     "noise of this standard deviation is added; 0: of any size"},
    {0, "rg-noise", OPT_REAL, AT(rg_noise), "X", 0, 10, NULL, "0.05",
     "Standard deviation of what is added to the logarithm of the radius of gyration, lest the network lean on it"},
    {0, "valid-every", OPT_INT, AT(valid_every), "N", 0, 1e12, NULL, "250", "Steps between validations; 0: only at the end"},
    {0, "valid-queries", OPT_INT, AT(valid_queries), "N", 0, 1e9, NULL, "300", "Entries of the validation split that are asked about"},
    {0, "valid-gallery", OPT_INT, AT(valid_gallery), "N", 1, 1e9, NULL, "1000",
     "Entries that they are sought among; at the end it is the whole dataset"},
    {0, "patience", OPT_INT, AT(patience), "N", 0, 1e9, NULL, "0", "End after so many validations without a better one; 0: never"},
    {0, "check-every", OPT_INT, AT(check_every), "N", 0, 1e12, NULL, "100", "Steps between checkpoints; 0: only at the end"},
    {0, "network", OPT_GROUP, AT(net), NULL, 0, 0, netopts_rows, NULL, NULL},
    {0},
};

static volatile sig_atomic_t stop; /* set by a signal: there is no other way out of a handler */

static void on_signal(int sig)
{
    (void)sig;
    stop = 1;
}

static void watch(void)
{
    struct sigaction a = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND}; /* a second one ends at once */
    sigemptyset(&a.sa_mask);
    sigaction(SIGINT, &a, NULL);
    sigaction(SIGTERM, &a, NULL);
}

static trainopts_t train_opts(const opts_t *o)
{
    return (trainopts_t){
        .seed = (uint64_t)o->seed,
        .batch = (size_t)o->batch,
        .steps = (uint64_t)o->steps,
        .warmup = (uint64_t)o->warmup,
        .rate = o->rate,
        .floor = o->floor < o->rate ? o->floor : o->rate,
        .linear = o->linear,
        .decay = o->decay,
        .clip = o->clip,
        .average = o->average,
        .weight_view = o->weight_view,
        .weight_text = o->weight_text,
        .scale = o->scale,
        .text_both = o->text_both,
        .pose = o->pose ? POSE_MEAN : POSE_MATCH,
        .same = o->same ? SAME_NEGATIVE : SAME_POSITIVE,
        .balance = o->balance,
        .alike = o->alike,
        .rg_noise = o->rg_noise,
        .view = view_em,
        .valid_every = (uint64_t)o->valid_every,
        .valid_queries = (size_t)o->valid_queries,
        .valid_gallery = (size_t)o->valid_gallery,
        .patience = (uint64_t)o->patience,
        .check_every = (uint64_t)o->check_every,
        .minutes = o->minutes,
    };
}

/* The network to start from: a model's, or a new one with random parameters. */
static int start(const opts_t *o, modelfile_t *m, err_t *err)
{
    if (o->init) return modelfile_read(o->init, m, err);
    if (!(m->encoder = netopts_encoder(&o->net, "train", err))) return -1;
    encoder_init(m->encoder, (uint64_t)o->seed);
    return 0;
}

static int train(const log_t *log, const opts_t *o, const comm_t *comm, traindone_t *done, err_t *err)
{
    trainopts_t t = train_opts(o);
    dataset_t d = {0};
    modelfile_t m = {0};
    int rc = -1;
    if (outpath_writable(o->out, err) || outpath_not_input("train", o->out, o->data, err) ||
        (o->init && outpath_not_input("train", o->out, o->init, err)) || start(o, &m, err) || dataset_read(o->data, &d, err))
        goto done;
    if (o->init) t.init = m.hash;
    if (m.text.dim && !strcmp(m.text.hash, d.text_hash)) t.text = &m.text;
    m.encoder->frames = t.pose == POSE_MATCH ? 1 : ENCODER_FRAMES;
    if (t.weight_text > 0 && !d.dim) log_msg(log, LOG_WARN, "%s: no captions: only views are trained on", o->data);
    watch();
    rc = train_run(&d, m.encoder, &t, o->out, o->resume, comm, &stop, log, done, err);
done:
    modelfile_free(&m);
    dataset_free(&d);
    return rc;
}

static int run(const app_t *app, const void *opts, int argc, char **argv)
{
    const opts_t *o = opts;
    err_t err = {0};
    comm_t comm;
    traindone_t done = {0};
    (void)argc;
    (void)argv;
    if (!o->data) err_set(&err, ERR_USAGE, "train: no dataset; give -d D.h5 (cryolex dataset build makes one)");
    if (!o->out) err_set(&err, ERR_USAGE, "train: no output; give -o MODEL");
    if (err.code != ERR_OK) return cmd_fail(app, &err);
    if (par_begin(&comm, &err)) return cmd_fail(app, &err);
    const log_t quiet = {.f = app->log.f, .level = LOG_ERROR}, *log = comm.rank ? &quiet : &app->log;
    int rc = train(log, o, &comm, &done, &err), rank = comm.rank;
    int status = rc ? cmd_fail(app, &err) : EXIT_DONE;
    par_end(&comm, !rc);
    if (rc) return status;
    if (rank) return EXIT_DONE;
    if (done.stopped) {
        log_msg(log, LOG_WARN, "stopped after step %llu; --resume goes on from %s.ckpt", (unsigned long long)done.step, o->out);
        return EXIT_SOME_FAILED;
    }
    log_msg(log, LOG_INFO, "%s: the model of step %llu, of %llu%s", o->out, (unsigned long long)done.best,
            (unsigned long long)done.step, done.early ? ", which ended early" : done.late ? ", where time ran out" : "");
    return EXIT_DONE;
}

const cmd_t cmd_train = {
    .name = "train",
    .args = "-d D.h5 -o MODEL",
    .summary = "Train a model on a dataset",
    .about =
        "Fits the voxel network, and a linear projection of caption embeddings, by two contrastive losses (InfoNCE): between the "
        "clean cube of an entry and an EM-like view of it, simulated anew each time; and from either to one of the entry's "
        "captions. Training split, captions and clusters come from the dataset. The linear path of a posed network starts as the "
        "principal components of the clean cubes, directions in which views differ from them made smaller; all else at random.\n\n"
        "At the start and every so many steps the moving average of the parameters is tried on the validation split: EM-like views of its "
        "entries are sought among clean cubes of the dataset, and structures among captions. MODEL is the best of these, "
        "MODEL.last the last; both have their figures in their provenance (cryolex model info). MODEL.tsv has a row a step, "
        "which scripts/plot-training draws.\n\n"
        "MODEL.ckpt is the state of the run. With --resume it goes on to the very bytes it would have reached undisturbed. "
        "An interrupt (Ctrl-C) or SIGTERM ends the run after the present step with a checkpoint, and exit status 1; a second one ends "
        "it at once.\n\n"
        "Equal seeds give equal models on any number of threads. Under mpirun -n K the batch is shared by K processes, which equal one "
        "up to the order of sums.",
    .example = "cryolex train -d pdb.h5 -o model.safetensors --steps 20000",
    .opts = rows,
    .opt_size = sizeof(opts_t),
    .min_args = 0,
    .max_args = 0,
    .run = run,
};
