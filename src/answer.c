/* answer: what annotate finds, as JSON (see answer.h). */
#include "src/answer.h"

#include <math.h>
#include <string.h>

#include "src/json.h"

static const char *const option[TERM_KINDS] = {[TERM_FUNCTION] = "function", [TERM_PROCESS] = "process", [TERM_COMPONENT] = "component",
                                                [TERM_EC] = "ec", [TERM_PFAM] = "pfam", [TERM_CATH] = "cath", [TERM_MOLECULE] = "molecule"};

unsigned answer_spaces(const char *cmd, const char *list, err_t *err)
{
    unsigned bits = 0;
    for (const char *p = list;; p++) {
        size_t n = strcspn(p, ","), s = 0;
        while (s < TERM_KINDS && (strlen(option[s]) != n || memcmp(p, option[s], n) != 0)) s++;
        if (s == TERM_KINDS) {
            err_set(err, ERR_USAGE, "%s: --namespace %s: a list of some of function, process, component, ec, pfam, cath, molecule is wanted", cmd, list);
            return 0;
        }
        bits |= 1u << s;
        p += n;
        if (!*p) return bits;
    }
}

int answer_body(const record_t *rec, size_t side, answerbody_t *body, err_t *err)
{
    *body = (answerbody_t){.rec = rec};
    return rec->density ? symmetry_guess(rec->density, side, &body->symmetry, err) : 0;
}

const char *answer_kind(int space) { return space < GO_NAMESPACES ? "go" : term_space_name[space]; }

static json_t *json_hit(const index_t *x, const hit_t *h)
{
    json_t *j = json_object();
    json_object_set_new(j, "id", json_text(x->text[INDEX_ID][h->entry]));
    json_object_set_new(j, "title", json_text(x->text[INDEX_TITLE][h->entry]));
    json_object_set_new(j, "confidence", json_rounded((double)h->confidence, 3));
    json_object_set_new(j, "score", json_rounded((double)h->score, 2));
    json_object_set_new(j, "cosine", json_rounded((double)h->cosine, 3));
    json_object_set_new(j, "cube", json_rounded((double)h->cube, 3));
    json_object_set_new(j, "dlog_rg", json_rounded((double)h->dlog_rg, 3));
    return j;
}

static json_t *json_term(const index_t *x, const terms_t *t, const annotation_t *a, const termhit_t *h)
{
    json_t *j = json_object(), *list = json_array();
    json_object_set_new(j, "kind", json_text(answer_kind(t->space[h->term])));
    if (t->space[h->term] != TERM_MOLECULE) json_object_set_new(j, "id", json_text(t->id[h->term]));
    json_object_set_new(j, "name", json_text(t->name[h->term]));
    json_object_set_new(j, "namespace", json_text(term_space_name[t->space[h->term]]));
    json_object_set_new(j, "confidence", json_rounded((double)h->confidence, 3));
    json_object_set_new(j, "vote", json_rounded((double)h->vote, 3));
    if (!isnan(h->text)) json_object_set_new(j, "text", json_rounded((double)h->text, 2));
    json_object_set_new(j, "hits", json_integer((json_int_t)h->hits));
    for (size_t k = 0; k < h->hits && k < ANNOTATE_SUPPORT; k++)
        json_array_append_new(list, json_text(x->text[INDEX_ID][a->hit[h->support[k]].entry]));
    json_object_set_new(j, "nearest", list);
    return j;
}

json_t *answer_json(const char *query, const answerbody_t *body, const index_t *x, const terms_t *molecules, const annotation_t *a, size_t entries)
{
    json_t *j = json_object(), *hits = json_array(), *terms = json_array();
    json_object_set_new(j, "query", json_text(query));
    const record_t *rec = body->rec;
    json_object_set_new(j, "rg", json_rounded((double)rec->rg, 1));
    json_object_set_new(j, "volume", json_rounded((double)rec->volume, 0));
    json_object_set_new(j, "mass_kda", json_rounded(describe_mass(rec), describe_mass(rec) < 10 ? 2 : 0));
    if (*body->symmetry.group) {
        json_t *s = json_object();
        json_object_set_new(s, "group", json_text(body->symmetry.group));
        json_object_set_new(s, "score", json_rounded(body->symmetry.score, 3));
        json_object_set_new(s, "contrast", json_rounded(body->symmetry.contrast, 3));
        json_object_set_new(j, "symmetry", s);
    }
    if (!isnan(a->known)) {
        json_object_set_new(j, "known", json_rounded(a->known, 3));
        json_object_set_new(j, "novel", json_boolean(a->novel));
    }
    for (size_t i = 0; i < entries; i++) json_array_append_new(hits, json_hit(x, &a->hit[i]));
    for (size_t i = 0; i < a->terms; i++) json_array_append_new(terms, json_term(x, &x->terms, a, &a->term[i]));
    for (size_t i = 0; i < a->molecules; i++) json_array_append_new(terms, json_term(x, molecules, a, &a->molecule[i]));
    json_object_set_new(j, "entries", hits);
    json_object_set_new(j, "terms", terms);
    return j;
}
