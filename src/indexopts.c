/* indexopts: how to store an index, and what its entries do (see indexopts.h). */
#include "src/indexopts.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "pipeline/annot.h"
#include "pipeline/textmodel.h"
#include "src/inputs.h"
#include "src/outpath.h"

const opt_t storeopts_rows[] = {
    {0, "compact", OPT_FLAG, offsetof(storeopts_t, compact), NULL, 0, 0, NULL, NULL,
     "A small file: cubes of 64 levels and embeddings in steps of 1/512, deflated. Retrieval is the same, but each search reads the whole index"},
    {0, "without", OPT_STR, offsetof(storeopts_t, without), "LIST", 0, 0, NULL, NULL,
     "Leave out some of zernike, profile (which search --descriptor can then not compare) and path (where the entries were read)"},
    {0, "float32", OPT_FLAG, offsetof(storeopts_t, float32), NULL, 0, 0, NULL, NULL, "Embeddings in float32 instead of float16"},
    {0, "scoring", OPT_STR, offsetof(storeopts_t, scoring), "LIST", 0, 0, NULL, NULL,
     "Calibrated weights for searches in this index, NAME=NUMBER,...; names and defaults are in cryolex search -h"},
    {0},
};

int storeopts_take(const char *cmd, const storeopts_t *o, index_t *x, err_t *err)
{
    const char *p = o->without ? o->without : "";
    while (*p) {
        size_t n = strcspn(p, ",");
        if (n == 7 && !strncmp(p, "zernike", n)) x->store.no_zernike = true;
        else if (n == 7 && !strncmp(p, "profile", n)) x->store.no_profile = true;
        else if (n == 4 && !strncmp(p, "path", n)) x->store.no_path = true;
        else return err_set(err, ERR_USAGE, "%s: --without %s: a list of some of zernike, profile, path is wanted", cmd, o->without);
        p += n + (p[n] == ',');
    }
    if (o->compact) x->store.compact = true;
    if (o->float32) x->store.float32 = true;
    if (!o->scoring) return 0;
    x->scored = true;
    return scoring_set(&x->scoring, o->scoring, err);
}

int entryopts_open(const app_t *app, const char *out, const entryopts_t *o, int argc, char **argv, manifest_t *m, describer_t *d, err_t *err)
{
    mrc_opts_t map = mapopts_mrc(&o->map, app);
    if ((o->model && outpath_not_input(app->cmd, out, o->model, err)) || inputs_read(app, argc, argv, m, err) ||
        inputs_spare(app->cmd, out, argc, argv, m, err) || describe_new(d, &map, err) || headopts_where(&o->header, app, m->n, &d->header, err))
        return -1;
    for (size_t i = 0; i < m->n; i++)
        if (!m->item[i].assembly) m->item[i].assembly = o->assembly;
    return 0;
}

static int fill_clusters(index_t *x, size_t i, const facts_t *f, err_t *err)
{
    const size_t room = 11 * f->nclusters + 1;
    size_t at = 0;
    char *s = mem_zero(room, 1, err);
    if (!s) return -1;
    for (size_t k = 0; k < f->nclusters; k++) at += (size_t)snprintf(s + at, room - at, "%s%u", k ? "," : "", (unsigned)f->cluster[k]);
    mem_free(x->text[INDEX_CLUSTERS][i]);
    x->text[INDEX_CLUSTERS][i] = s;
    return 0;
}

/* Names that the tables have and the files had not. */
static int fill_facts(index_t *x, const annot_t *a, err_t *err)
{
    static const int column[] = {INDEX_TITLE, INDEX_METHOD, INDEX_MOLECULES, INDEX_ORGANISMS};
    for (size_t i = 0; i < x->n; i++) {
        const facts_t *f = terms_facts(a, x->text[INDEX_ID][i]);
        if (f && fill_clusters(x, i, f, err)) return -1;
        const char *const fact[] = {f ? f->title : "", f ? f->method : "", f ? f->molecules : "", f ? f->organism : ""};
        for (size_t k = 0; k < sizeof column / sizeof *column; k++) {
            char **s = &x->text[column[k]][i];
            if (**s || !*fact[k]) continue;
            char *copy = mem_str(fact[k], err);
            if (!copy) return -1;
            mem_free(*s);
            *s = copy;
        }
    }
    return 0;
}

int indexopts_annotate(const app_t *app, const char *out, const char *annot, const char *text_model, const modelfile_t *model, const char *model_path,
                       index_t *x, err_t *err)
{
    notes_t notes = {0};
    annot_t *a = annot_open(annot, &notes, err);
    sentence_t *s = NULL;
    log_notes(&app->log, annot, &notes);
    notes_free(&notes);
    terms_free(&x->terms);
    int rc = a && !fill_facts(x, a, err) && !terms_make(a, x->text[INDEX_ID], x->n, &x->terms, err) ? 0 : -1;
    annot_free(a);
    if (!rc) log_msg(&app->log, LOG_INFO, "%s: %zu terms, %.1f an entry", out, x->terms.n,
                     x->terms.n ? (double)x->terms.of.at[x->n] / (double)x->n : 0);
    if (rc || !model->encoder || !x->terms.n) return rc;
    if (!model->text.dim) {
        log_msg(&app->log, LOG_WARN, "%s: the model knows no text: terms are not embedded", model_path);
        return 0;
    }
    rc = (s = textmodel_open(text_model, err)) && !terms_embed(&x->terms, model, s, err) ? 0 : -1;
    sentence_close(s);
    return rc;
}
