/* train_report: the log of a training run (see train_report.h). */
#include "pipeline/train_report.h"

#include <errno.h>
#include <jansson.h>
#include <lzma.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "config.h"

static const char header[] =
    "step\tepoch\tloss\tloss_view\tloss_text\ttop1_view\ttop1_text\tscale_view\tscale_text\trate\tnorm\tskipped\tviews_failed\t"
    "samples_per_s\tviews_s\tnetwork_s\tvalid_top1\tvalid_top5\tvalid_top10\tvalid_mrr\tvalid_cluster1\tvalid_text1\t"
    "valid_text5\tvalid_text10\tvalid_text_mrr\tvalid_view_text_mrr\n";

static const double EVERY = 10; /* seconds between lines where stderr is no terminal */

/* Rows of the file that is there, up to a step, as they are. */
static int keep_rows(const char *path, uint64_t from, FILE *f, err_t *err)
{
    size_t n;
    char *text = (char *)file_read(path, (size_t)1 << 32, &n, err);
    if (!text) return -1;
    for (char *p = strchr(text, '\n'), *end; p && (end = strchr(p + 1, '\n')); p = end)
        if (strtoull(p + 1, NULL, 10) <= from) fwrite(p + 1, 1, (size_t)(end - p), f);
    mem_free(text);
    return 0;
}

int trainreport_new(const log_t *log, const char *path, uint64_t from, const trainopts_t *o, trainreport_t *r, err_t *err)
{
    outfile_t out;
    *r = (trainreport_t){.log = log, .path = path, .first = from, .steps = o->steps, .rows = (double)o->batch};
    r->start = r->last = clock_wall();
    if (!path) return 0;
    if (outfile_open(&out, path, err)) return -1;
    fputs(header, out.f);
    if (from && keep_rows(path, from, out.f, NULL)) log_msg(log, LOG_WARN, "%s: no log to go on with; it begins anew", path);
    if (outfile_close(&out, err)) return -1;
    if (!(r->f = fopen(path, "a"))) return err_set(err, ERR_IO, "%s: cannot append: %s", path, strerror(errno));
    return 0;
}

int trainreport_end(trainreport_t *r, err_t *err)
{
    FILE *f = r->f;
    r->f = NULL;
    if (!f) return 0;
    int bad = ferror(f);
    return fclose(f) || bad ? err_set(err, ERR_IO, "%s: cannot write", r->path) : 0;
}

static void put_row(FILE *f, const trainrow_t *row, double rows)
{
    const stepout_t *o = row->out;
    const trainvalid_t *v = row->valid;
    double seconds = row->views + row->network;
    fprintf(f, "%" PRIu64 "\t%" PRIu64 "\t%.5f\t%.5f\t%.5f\t%.4f\t%.4f\t%.4f\t%.4f\t%.6g\t%.5g\t%d\t%zu\t%.3f\t%.3f\t%.3f",
            row->step, row->epoch, o->loss, o->loss_view, o->loss_text, o->top1_view, o->top1_text, o->scale[SCALE_VIEW],
            o->scale[SCALE_TEXT], row->rate, o->step.norm, o->step.skipped, row->failed, seconds > 0 ? rows / seconds : 0,
            row->views, row->network);
    if (v)
        fprintf(f, "\t%.4f\t%.4f\t%.4f\t%.5f\t%.4f\t%.4f\t%.4f\t%.4f\t%.5f\t%.5f\n", v->top1, v->top5, v->top10, v->mrr,
                v->cluster1, v->text1, v->text5, v->text10, v->text_mrr, v->view_text_mrr);
    else
        fputs("\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\n", f);
    fflush(f);
}

void trainreport_row(trainreport_t *r, const trainrow_t *row)
{
    const log_t *log = r->log;
    double now = clock_wall(), t = now - r->start;
    if (r->f) put_row(r->f, row, r->rows);
    if (!log || log->level < LOG_INFO || (now - r->last < (log->tty ? 0.2 : EVERY) && row->step < r->steps)) return;
    double done = (double)(row->step - r->first), left = done > 0 ? t / done * (double)(r->steps - row->step) : 0;
    fprintf(log->f, "%scryolex: step %" PRIu64 " of %" PRIu64 ", loss %.3f (view %.3f, text %.3f), top-1 %.2f, %.1f samples/s, %.0f s left%s",
            log->tty ? "\r\033[K" : "", row->step, r->steps, row->out->loss, row->out->loss_view, row->out->loss_text,
            row->out->top1_view, done * r->rows / t, left, log->tty && row->step < r->steps ? "" : "\n");
    fflush(log->f);
    r->last = now;
}

void trainreport_valid(const trainreport_t *r, uint64_t step, const trainvalid_t *v, const char *what)
{
    if (!v->queries) return;
    if (r->log && r->log->tty) fputs("\r\033[K", r->log->f);
    log_msg(r->log, LOG_INFO,
            "%s, step %" PRIu64 ": %zu views in %zu entries: top-1 %.1f %%, top-5 %.1f %%, top-10 %.1f %%, MRR %.3f, cluster %.1f %%; "
            "%zu structures to text: top-1 %.1f %%, top-5 %.1f %%, top-10 %.1f %%, MRR %.3f",
            what, step, v->queries, v->gallery, 100 * v->top1, 100 * v->top5, 100 * v->top10, v->mrr, 100 * v->cluster1, v->texts,
            100 * v->text1, 100 * v->text5, 100 * v->text10, v->text_mrr);
}

static void put_int(json_t *j, const char *key, uint64_t x) { json_object_set_new(j, key, json_integer((json_int_t)x)); }
static void put_real(json_t *j, const char *key, double x) { json_object_set_new(j, key, json_real(x)); }

/* What decides the parameters, but for dataset, network and seed. */
static json_t *options(const trainopts_t *o)
{
    json_t *j = json_object();
    put_int(j, "batch", o->batch);
    put_int(j, "steps", o->steps);
    put_int(j, "warmup", o->warmup);
    put_real(j, "rate", o->rate);
    put_real(j, "floor", o->floor);
    put_real(j, "linear", o->linear);
    put_real(j, "decay", o->decay);
    put_real(j, "clip", o->clip);
    put_real(j, "average", o->average);
    put_real(j, "weight_view", o->weight_view);
    put_real(j, "weight_text", o->weight_text);
    put_real(j, "scale", o->scale);
    json_object_set_new(j, "text_both", json_boolean(o->text_both));
    json_object_set_new(j, "pose", json_string(o->pose == POSE_MATCH ? "match" : "mean"));
    json_object_set_new(j, "same", json_string(o->same == SAME_POSITIVE ? "positive" : "negative"));
    put_real(j, "balance", o->balance);
    put_real(j, "alike", o->alike);
    put_real(j, "rg_noise", o->rg_noise);
    put_int(j, "valid_every", o->valid_every);
    put_int(j, "valid_queries", o->valid_queries);
    put_int(j, "valid_gallery", o->valid_gallery);
    put_int(j, "patience", o->patience);
    json_object_set_new(j, "init", json_string(o->init ? o->init : ""));
    return j;
}

static char *dump(json_t *j, err_t *err)
{
    size_t n = json_dumpb(j, NULL, 0, JSON_REAL_PRECISION(12));
    char *s = n ? mem_new(n + 1, 1, err) : NULL;
    if (s) s[json_dumpb(j, s, n, JSON_REAL_PRECISION(12))] = 0;
    json_decref(j);
    if (!s) err_set(err, ERR_NOMEM, "memory: metadata");
    return s;
}

/* CRC-64 of bytes, in hexadecimal. */
static json_t *crc(const void *x, size_t n)
{
    char text[17];
    snprintf(text, sizeof text, "%016" PRIx64, lzma_crc64(x, n, 0));
    return json_string(text);
}

char *trainreport_options(const dataset_t *d, const encoder_t *e, const trainopts_t *o, err_t *err)
{
    json_t *j = options(o), *parts = json_array();
    const char *table = net_table(e->net);
    viewopts_t view = o->view;
    view.side = 0;
    for (size_t i = 0; i < e->parts; i++) json_array_append_new(parts, json_string(feature_name(e->part[i])));
    put_int(j, "seed", o->seed);
    json_object_set_new(j, "dataset", json_string(d->hash));
    json_object_set_new(j, "network", crc(table, strlen(table)));
    json_object_set_new(j, "view", crc(&view, sizeof view));
    json_object_set_new(j, "features", parts);
    return dump(j, err);
}

char *trainreport_provenance(const dataset_t *d, const encoder_t *e, const trainopts_t *o, uint64_t step, const trainvalid_t *v,
                             err_t *err)
{
    json_t *j = json_object(), *valid = json_object();
    (void)e;
    json_object_set_new(j, "program", json_string(PACKAGE_STRING));
    json_object_set_new(j, "command", json_string("train"));
    json_object_set_new(j, "trained", json_true());
    put_int(j, "seed", o->seed);
    put_int(j, "step", step);
    json_object_set_new(j, "dataset", json_string(d->hash));
    json_object_set_new(j, "options", options(o));
    if (v && v->queries) {
        put_int(valid, "queries", v->queries);
        put_int(valid, "gallery", v->gallery);
        put_real(valid, "top1", v->top1);
        put_real(valid, "top5", v->top5);
        put_real(valid, "top10", v->top10);
        put_real(valid, "mrr", v->mrr);
        put_real(valid, "cluster1", v->cluster1);
        put_int(valid, "texts", v->texts);
        put_real(valid, "text1", v->text1);
        put_real(valid, "text5", v->text5);
        put_real(valid, "text10", v->text10);
        put_real(valid, "text_mrr", v->text_mrr);
        put_real(valid, "view_text_mrr", v->view_text_mrr);
    }
    json_object_set_new(j, "validation", valid);
    return dump(j, err);
}
