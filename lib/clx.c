/* clx: libcryolex: errors, an index with its model (see cryolex.h). */
#include "config.h"

#include "lib/clx_priv.h"

#include <assert.h>
#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "pipeline/embed.h"
#include "pipeline/share.h"

static_assert((int)CLX_INTERNAL == (int)ERR_INTERNAL && (int)CLX_NOTFOUND == (int)ERR_NOTFOUND && (int)CLX_IO == (int)ERR_IO, "the same codes");
static_assert(sizeof((clx_err_t *)0)->msg == sizeof((err_t *)0)->msg, "messages of the same length");

/* OpenBLAS has one number of threads for the process. */
static pthread_mutex_t blas = PTHREAD_MUTEX_INITIALIZER;
static int blas_calls, blas_threads; /* calls at work; what there was before the first */

const char *clx_version(void) { return PACKAGE_VERSION; }

const char *clx_err_name(int code) { return err_name(code < 0 || code > CLX_INTERNAL ? (errcode_t)-1 : (errcode_t)code); }

int inner_fail(clx_err_t *to, const err_t *from)
{
    if (!to || to->code != CLX_OK) return -1;
    to->code = (int)from->code;
    utf8_clean(from->msg, to->msg);
    return -1;
}

void inner_begin(void)
{
    pthread_mutex_lock(&blas);
    if (!blas_calls++) {
        blas_threads = openblas_get_num_threads();
        openblas_set_num_threads(1);
    }
    pthread_mutex_unlock(&blas);
}

void inner_end(void)
{
    pthread_mutex_lock(&blas);
    if (!--blas_calls) openblas_set_num_threads(blas_threads);
    pthread_mutex_unlock(&blas);
}

/* The first of: the argument, what the environment variable says, the file that comes with the library. */
static char *path_of(const char *given, const char *variable, const char *shipped, err_t *err)
{
    const char *set = given ? given : getenv(variable);
    return set && *set ? mem_str(set, err) : share_file(shipped, err);
}

static int read_both(clx_t *c, err_t *err)
{
    static const unsigned parts = INDEX_TEXT(INDEX_ID) | INDEX_TEXT(INDEX_TITLE) | INDEX_TEXT(INDEX_METHOD) | INDEX_TEXT(INDEX_MOLECULES) |
                                  INDEX_TEXT(INDEX_ORGANISMS) | INDEX_TEXT(INDEX_RESOLUTION) | INDEX_VOLUME | INDEX_CUBE | INDEX_MAPPED |
                                  INDEX_EMBED | INDEX_VOCAB | INDEX_VOCAB_EMBED;
    int rc;
#pragma omp critical(cryolex_hdf5) /* as where mrc/ reads maps */
    rc = index_read(c->index_path, parts, &c->x, err);
    if (rc || modelfile_read(c->model_path, &c->model, err)) return -1;
    return embed_ready(&c->model, c->model_path, &c->x, c->index_path, err);
}

/* Texts of an index are what its builder was given. */
static void clean(char *const *s, size_t n)
{
    for (size_t i = 0; s && i < n; i++) utf8_clean(s[i], s[i]);
}

static int make_entries(clx_t *c, err_t *err)
{
    static const int shown[] = {INDEX_ID, INDEX_TITLE, INDEX_METHOD, INDEX_MOLECULES, INDEX_ORGANISMS};
    const index_t *x = &c->x;
    for (size_t k = 0; k < sizeof shown / sizeof *shown; k++) clean(x->text[shown[k]], x->n);
    clean(x->terms.id, x->terms.n);
    clean(x->terms.name, x->terms.n);
    c->entry = mem_new(x->n, sizeof *c->entry, err);
    for (size_t i = 0; c->entry && i < x->n; i++) {
        double resolution = strtod(x->text[INDEX_RESOLUTION][i], NULL);
        c->entry[i] = (clx_entry_t){.id = x->text[INDEX_ID][i], .title = x->text[INDEX_TITLE][i], .method = x->text[INDEX_METHOD][i],
                                    .molecules = x->text[INDEX_MOLECULES][i], .organisms = x->text[INDEX_ORGANISMS][i],
                                    .resolution = resolution > 0 ? resolution : (double)NAN, .rg = (double)x->rg[i],
                                    .volume = (double)x->volume[i]};
    }
    return c->entry ? 0 : -1;
}

static int open_all(clx_t *c, const char *index, const char *model, err_t *err)
{
    if (!(c->index_path = path_of(index, "CRYOLEX_INDEX", SHARE_INDEX, err)) || !(c->model_path = path_of(model, "CRYOLEX_MODEL", SHARE_MODEL, err)) ||
        read_both(c, err) || describe_new(&c->d, NULL, err) || make_entries(c, err) ||
        terms_of_molecules(c->x.text[INDEX_MOLECULES], c->x.n, &c->molecules, err))
        return -1;
    c->d.cubes = true;
    c->d.side = c->model.encoder->side;
    c->poses = index_poses(&c->x);
    return 0;
}

clx_t *clx_open(const char *index, const char *model, clx_err_t *err)
{
    err_t own = {0};
    clx_t *c = mem_zero(1, sizeof *c, &own);
    if (c) pthread_mutex_init(&c->lock, NULL);
    if (c && !open_all(c, index, model, &own)) return c;
    clx_close(c);
    inner_fail(err, &own);
    return NULL;
}

void clx_close(clx_t *c)
{
    if (!c) return;
    sentence_close(c->sentence);
    mem_free(c->encoder);
    terms_free(&c->molecules);
    mem_free(c->entry);
    describe_end(&c->d);
    modelfile_free(&c->model);
    index_free(&c->x);
    mem_free(c->index_path);
    mem_free(c->model_path);
    pthread_mutex_destroy(&c->lock);
    mem_free(c);
    mem_trim();
}

size_t clx_entries(const clx_t *c) { return c->x.n; }

const clx_entry_t *clx_entry(const clx_t *c, size_t row) { return row < c->x.n ? &c->entry[row] : NULL; }

const float *clx_embeddings(const clx_t *c, size_t *n, size_t *d)
{
    if (n) *n = c->x.n;
    if (d) *d = c->x.d;
    return c->x.z;
}
