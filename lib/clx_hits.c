/* clx_hits: libcryolex: searches, annotation, and their results (see cryolex.h). */
#include "lib/clx_priv.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "pipeline/annotate.h"
#include "pipeline/textmodel.h"

static_assert(CLX_TERMS_ALL == (1 << TERM_KINDS) - 1 && CLX_FUNCTION == 1 << TERM_FUNCTION && CLX_EC == 1 << TERM_EC && CLX_MOLECULE == 1 << TERM_MOLECULE,
              "the same kinds");
static_assert(ANNOTATE_SUPPORT == sizeof((clx_term_t *)0)->rank / sizeof(size_t), "as many of the nearest hits");

struct clx_annotation {
    annotation_t a;
    clx_hits_t hits;
    size_t n;
    clx_term_t *term;
};

int inner_hits(const clx_t *c, const hit_t *hit, size_t n, clx_hits_t *h, err_t *err)
{
    h->hit = mem_new(n, sizeof *h->hit, err);
    if (!h->hit) return -1;
    h->n = n;
    for (size_t i = 0; i < n; i++)
        h->hit[i] = (clx_hit_t){.entry = &c->entry[hit[i].entry], .row = hit[i].entry, .score = (double)hit[i].score, .confidence = (double)hit[i].confidence,
                                .cosine = (double)hit[i].cosine, .cube = (double)hit[i].cube, .dlog_rg = (double)hit[i].dlog_rg};
    return 0;
}

size_t clx_hits_count(const clx_hits_t *h) { return h->n; }

const clx_hit_t *clx_hits_at(const clx_hits_t *h, size_t i) { return i < h->n ? &h->hit[i] : NULL; }

void clx_hits_free(clx_hits_t *h)
{
    if (h) mem_free(h->hit);
    mem_free(h);
}

/* Room for the hits of a search of c, of which there are at most *top then. */
static hit_t *room(const clx_t *c, size_t *top, err_t *err)
{
    if (!*top) {
        err_set(err, ERR_USAGE, "no hits are wanted");
        return NULL;
    }
    if (*top > c->x.n) *top = c->x.n;
    return mem_new(*top, sizeof(hit_t), err);
}

/* The hits of a search that came out as rc, for the caller; frees hit. */
static clx_hits_t *hand_over(const clx_t *c, int rc, hit_t *hit, size_t n, err_t *own, clx_err_t *err)
{
    clx_hits_t *h = rc ? NULL : mem_zero(1, sizeof *h, own);
    if (h && inner_hits(c, hit, n, h, own)) {
        clx_hits_free(h);
        h = NULL;
    }
    mem_free(hit);
    if (!h) inner_fail(err, own);
    return h;
}

clx_hits_t *clx_search(clx_t *c, const clx_query_t *q, size_t top, clx_err_t *err)
{
    err_t own = {0};
    size_t n = 0;
    hit_t *hit = room(c, &top, &own);
    const search_opts_t o = {.kind = SEARCH_BOTH, .top = top, .scoring = &c->x.scoring};
    inner_begin();
    int rc = hit ? search_run(&c->x, &q->rec, q->z, &o, hit, &n, &own) : -1;
    inner_end();
    return hand_over(c, rc, hit, n, &own, err);
}

/* ---- texts ---- */

/* The sentence encoder, opened where another one, or none, is open. */
static int open_encoder(clx_t *c, const char *which, err_t *err)
{
    const char *name = which ? which : "";
    if (c->sentence && !strcmp(c->encoder, name)) return 0;
    char *copy = mem_str(name, err);
    sentence_t *s = copy ? textmodel_of(which, &c->model, c->model_path, err) : NULL;
    if (!s) {
        mem_free(copy);
        return -1;
    }
    sentence_close(c->sentence);
    mem_free(c->encoder);
    c->sentence = s;
    c->encoder = copy;
    return 0;
}

clx_hits_t *clx_search_text(clx_t *c, const char *text, const char *encoder, size_t top, clx_err_t *err)
{
    err_t own = {0};
    size_t n = 0;
    hit_t *hit = *text ? room(c, &top, &own) : (err_set(&own, ERR_USAGE, "an empty text"), NULL);
    float *z = hit ? mem_new(c->x.d, sizeof *z, &own) : NULL;
    inner_begin();
    pthread_mutex_lock(&c->lock);
    int rc = z && !open_encoder(c, encoder, &own) ? textmodel_embed(c->sentence, &c->model, text, z, &own) : -1;
    pthread_mutex_unlock(&c->lock);
    if (!rc) rc = (c->x.terms.z ? search_words : search_vector)(&c->x, z, top, hit, &n, &own);
    inner_end();
    mem_free(z);
    return hand_over(c, rc, hit, n, &own, err);
}

/* ---- annotation ---- */

static int check(const clx_tell_t *t, err_t *err)
{
    if (t->size < sizeof *t) return err_set(err, ERR_USAGE, "clx_tell_t: size %zu (%zu is wanted)", t->size, sizeof *t);
    if (!t->voters || !t->terms) return err_set(err, ERR_USAGE, "clx_tell_t: %zu voters, %zu terms (both are above 0)", t->voters, t->terms);
    if (!(t->min_confidence >= 0 && t->min_confidence <= 1)) return err_set(err, ERR_USAGE, "clx_tell_t: min_confidence %g (0 to 1)", t->min_confidence);
    if (!t->kinds || t->kinds > CLX_TERMS_ALL) return err_set(err, ERR_USAGE, "clx_tell_t: kinds %u (1 to %d)", t->kinds, CLX_TERMS_ALL);
    return 0;
}

static clx_term_t term_of(const terms_t *t, const termhit_t *h)
{
    int s = t->space[h->term];
    clx_term_t out = {.kind = 1 << s, .space = term_space_name[s], .id = s == TERM_MOLECULE ? "" : t->id[h->term], .name = t->name[h->term],
                      .confidence = (double)h->confidence, .vote = (double)h->vote, .text = (double)h->text, .hits = h->hits,
                      .nearest = h->hits < ANNOTATE_SUPPORT ? h->hits : ANNOTATE_SUPPORT};
    memcpy(out.rank, h->support, sizeof out.rank);
    return out;
}

static int take(const clx_t *c, clx_annotation_t *out, err_t *err)
{
    const annotation_t *a = &out->a;
    if (inner_hits(c, a->hit, a->n, &out->hits, err)) return -1;
    out->term = mem_new(a->terms + a->molecules, sizeof *out->term, err);
    if (!out->term) return -1;
    for (size_t i = 0; i < a->terms; i++) out->term[out->n++] = term_of(&c->x.terms, &a->term[i]);
    for (size_t i = 0; i < a->molecules; i++) out->term[out->n++] = term_of(&c->molecules, &a->molecule[i]);
    return 0;
}

clx_annotation_t *clx_annotate(clx_t *c, const clx_query_t *q, const clx_tell_t *tell, clx_err_t *err)
{
    static const clx_tell_t usual = CLX_TELL;
    err_t own = {0};
    clx_annotation_t *a = mem_zero(1, sizeof *a, &own);
    int rc = -1;
    if (!tell) tell = &usual;
    if (a && !check(tell, &own)) {
        const annotate_opts_t o = {.hits = tell->voters, .terms = tell->terms, .min_confidence = tell->min_confidence, .spaces = tell->kinds,
                                   .ancestors = tell->ancestors, .force = tell->force, .molecules = &c->molecules, .scoring = &c->x.scoring};
        inner_begin();
        rc = annotate_run(&c->x, &q->rec, q->z, &o, &a->a, &own) || take(c, a, &own) ? -1 : 0;
        inner_end();
    }
    if (!rc) return a;
    clx_annotation_free(a);
    inner_fail(err, &own);
    return NULL;
}

double clx_annotation_known(const clx_annotation_t *a) { return a->a.known; }
int clx_annotation_novel(const clx_annotation_t *a) { return a->a.novel; }
const clx_hits_t *clx_annotation_hits(const clx_annotation_t *a) { return &a->hits; }
size_t clx_annotation_count(const clx_annotation_t *a) { return a->n; }
const clx_term_t *clx_annotation_at(const clx_annotation_t *a, size_t i) { return i < a->n ? &a->term[i] : NULL; }

void clx_annotation_free(clx_annotation_t *a)
{
    if (!a) return;
    annotation_free(&a->a);
    mem_free(a->hits.hit);
    mem_free(a->term);
    mem_free(a);
}
