/* clx_priv: what the files of libcryolex share, by names in inner_, which no library exports. Everything is hidden (-fvisibility=hidden) but what cryolex.h declares. */
#ifndef CRYOLEX_LIB_CLX_PRIV_H
#define CRYOLEX_LIB_CLX_PRIV_H

#include <pthread.h>

#pragma GCC visibility push(default)
#include "lib/cryolex.h"
#pragma GCC visibility pop

#include "base/err.h"
#include "base/notes.h"
#include "pipeline/describe.h"
#include "pipeline/index.h"
#include "pipeline/modelfile.h"
#include "pipeline/search.h"
#include "text/sentence.h"

struct clx {
    char *index_path, *model_path;
    index_t x;
    modelfile_t model;
    describer_t d;
    terms_t molecules;
    clx_entry_t *entry; /* (x.n) */
    size_t poses;
    pthread_mutex_t lock; /* of model.encoder, and of the two below */
    sentence_t *sentence; /* NULL until it is asked for */
    char *encoder;        /* what it was asked for as; "" the default */
};

struct clx_query {
    record_t rec;
    float *z; /* (poses, d) */
    size_t poses, d, side;
    notes_t notes;
    clx_about_t about;
};

struct clx_hits {
    size_t n;
    clx_hit_t *hit;
};

/* Hand an error over, unless there was one before; NULL has none. Returns -1. */
int inner_fail(clx_err_t *to, const err_t *from);

/* Around whatever computes: OpenBLAS, which has one number of threads for the process, runs one, as our own parallel regions have the cores. */
void inner_begin(void);
void inner_end(void);

/* h starts from {0}. 0, or -1 ERR_NOMEM. */
int inner_hits(const clx_t *c, const hit_t *hit, size_t n, clx_hits_t *h, err_t *err);

#endif
