/* terms: the vocabulary of an index (see terms.h; the file is terms_h5.h). */
#include "pipeline/terms.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/intern.h"
#include "base/mem.h"

const char *const term_space_name[TERM_KINDS] = {"molecular_function", "biological_process", "cellular_component", "ec", "pfam", "cath", "molecule"};

void terms_free(terms_t *t)
{
    mem_free(t->id);
    mem_free(t->name);
    mem_free(t->space);
    lists_free(&t->parents);
    lists_free(&t->of);
    mem_free(t->z);
    mem_free(t->text_model);
    *t = (terms_t){0};
}

/* ---- a vocabulary in the making: terms have numbers in order of their arrival ---- */

typedef struct {
    const char *name;
    const float *z; /* of the terms that are joined; NULL */
    uint32_t depth; /* longest way from a term without parents */
    uint8_t space;
} draft_item_t;

typedef struct {
    intern_t ids;
    draft_item_t *item; /* (ids.n) */
    size_t cap;
    lists_builder_t parents; /* numbers, a row a term */
    lists_builder_t of;      /* numbers, a row an entry */
    size_t d;
} draft_t;

static void draft_free(draft_t *d)
{
    intern_free(&d->ids);
    mem_free(d->item);
    lists_builder_free(&d->parents);
    lists_builder_free(&d->of);
}

/* The number of a term, a new one or not; or -1. */
static long draft_term(draft_t *d, const char *id, const char *name, uint8_t space, const float *z, err_t *err)
{
    uint32_t k;
    size_t before = d->ids.n;
    if (intern_add(&d->ids, id, strlen(id), &k, err) || mem_grow(&d->item, &d->cap, d->ids.n, sizeof *d->item, err)) return -1;
    if (d->ids.n > before) d->item[k] = (draft_item_t){.name = name, .space = space};
    if (z && !d->item[k].z) d->item[k].z = z;
    return (long)k;
}

/* Depths by passes over all terms, as many as the graph is deep. */
static void depths(draft_t *d)
{
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < d->ids.n; i++)
            for (size_t k = d->parents.at[i]; k < d->parents.at[i + 1]; k++) {
                uint32_t deeper = d->item[d->parents.item[k]].depth + 1;
                if (deeper <= d->item[i].depth) continue;
                d->item[i].depth = deeper;
                more = true;
            }
    }
}

typedef struct {
    const draft_item_t *item;
    const char *id;
    uint32_t number;
} place_t;

static int by_depth(const void *a, const void *b)
{
    const place_t *x = a, *y = b;
    if (x->item->depth != y->item->depth) return x->item->depth < y->item->depth ? -1 : 1;
    if (x->item->space != y->item->space) return x->item->space < y->item->space ? -1 : 1;
    return strcmp(x->id, y->id);
}

/* The vocabulary in its final order: parents first. place (n) is sorted; to (n) gets the row of each number. */
static int settle(draft_t *d, place_t *place, uint32_t *to, const char **text, terms_t *t, err_t *err)
{
    size_t n = d->ids.n;
    lists_builder_t parents = {0};
    depths(d);
    for (size_t i = 0; i < n; i++) place[i] = (place_t){&d->item[i], d->ids.str[i], (uint32_t)i};
    qsort(place, n, sizeof *place, by_depth);
    for (size_t i = 0; i < n; i++) to[place[i].number] = (uint32_t)i;
    for (size_t i = 0; i < n; i++) text[i] = place[i].id;
    if (!(t->id = vocab_strings(text, n, err))) return -1;
    for (size_t i = 0; i < n; i++) text[i] = place[i].item->name;
    if (!(t->name = vocab_strings(text, n, err)) || !(t->space = mem_new(n, 1, err))) return -1;
    bool embedded = d->d > 0;
    for (size_t i = 0; i < n; i++) {
        t->space[i] = place[i].item->space;
        embedded = embedded && place[i].item->z;
        int rc = 0;
        for (size_t k = d->parents.at[place[i].number]; !rc && k < d->parents.at[place[i].number + 1]; k++)
            rc = lists_add(&parents, d->parents.item[k], err);
        if (rc || lists_row(&parents, err)) {
            lists_builder_free(&parents);
            return -1;
        }
    }
    lists_end(&parents, to, &t->parents);
    t->n = n;
    if (!embedded) return 0;
    t->d = d->d;
    if (!(t->z = mem_new(n, t->d * sizeof *t->z, err))) return -1;
    for (size_t i = 0; i < n; i++) memcpy(t->z + i * t->d, place[i].item->z, t->d * sizeof *t->z);
    return 0;
}

/* Make *t of the draft, which is used up. */
static int draft_end(draft_t *d, terms_t *t, err_t *err)
{
    size_t n = d->ids.n;
    place_t *place = mem_new(n, sizeof *place, err);
    uint32_t *to = mem_new(n, sizeof *to, err);
    const char **text = mem_new(n, sizeof *text, err);
    *t = (terms_t){0};
    int rc = place && to && text && n ? settle(d, place, to, text, t, err) : place && to && text ? 0 : -1;
    if (!rc) t->entries = d->of.rows;
    if (!rc && n) lists_end(&d->of, to, &t->of);
    mem_free(place);
    mem_free(to);
    mem_free(text);
    if (rc) terms_free(t);
    return rc;
}

/* ---- from the annotation tables ---- */

const facts_t *terms_facts(const annot_t *a, const char *id)
{
    char pdb[16];
    size_t n = 0;
    if (!strncasecmp(id, "emd", 3) && (id[3] == '-' || id[3] == '_')) { /* the tables have EMD-1234 */
        n = strspn(id + 4, "0123456789");
        if (n < 4 || n > 11 || isalnum((unsigned char)id[4 + n])) return NULL;
        snprintf(pdb, sizeof pdb, "emd-%.*s", (int)n, id + 4);
        return annot_find(a, pdb);
    }
    while (n < sizeof pdb - 1 && isalnum((unsigned char)id[n])) n++;
    memcpy(pdb, id, n);
    pdb[n] = 0;
    return annot_find(a, pdb);
}

static bool is_term(const goterm_t *g) { return !g->obsolete && g->parents > 0; }

static int take_go(draft_t *d, const ontology_t *o, const facts_t *f, err_t *err)
{
    size_t m = 0;
    uint32_t *all = ontology_close(o, f->go, f->ngo, &m, err);
    int rc = all ? 0 : -1;
    for (size_t i = 0; !rc && i < m; i++) {
        const goterm_t *g = ontology_term(o, all[i]);
        if (!is_term(g)) continue;
        long k = draft_term(d, g->id, g->name, (uint8_t)g->space, NULL, err);
        rc = k < 0 ? -1 : lists_add(&d->of, (uint32_t)k, err);
    }
    mem_free(all);
    return rc;
}

enum { EC_PARTS = 4, EC_ROOM = 64 };

/* The class at a level of 1..4 of an EC number: "EC:3.2.-.-" is level 2. False where the number does not go so deep. */
static bool ec_class(const char *ec, int level, char out[EC_ROOM])
{
    size_t n = 0;
    for (int k = 0; k < level; k++) {
        size_t len = strcspn(ec + n, ".");
        if (!len || ec[n] == '-') return false;
        n += len;
        if (k + 1 < level && ec[n++] != '.') return false;
    }
    if (n + 12 > EC_ROOM) return false;
    snprintf(out, EC_ROOM, "EC:%.*s%s", (int)n, ec, &".-.-.-"[2 * (level - 1)]);
    return true;
}

static int take_ec(draft_t *d, const annot_t *a, const facts_t *f, err_t *err)
{
    char id[EC_ROOM];
    for (size_t i = 0; i < f->ec.n; i++)
        for (int level = 1; level <= EC_PARTS && ec_class(f->ec.s[i], level, id); level++) {
            long k = draft_term(d, id, annot_ec_name(a, id + 3), TERM_EC, NULL, err);
            if (k < 0 || lists_add(&d->of, (uint32_t)k, err)) return -1;
        }
    return 0;
}

static int take_pfam(draft_t *d, const annot_t *a, const facts_t *f, err_t *err)
{
    for (size_t i = 0; i < f->pfam.n; i++) {
        long k = draft_term(d, f->pfam.s[i], annot_pfam_name(a, f->pfam.s[i]), TERM_PFAM, NULL, err);
        if (k < 0 || lists_add(&d->of, (uint32_t)k, err)) return -1;
    }
    return 0;
}

enum { CATH_ROOM = 64 };

/* The first `level` parts of a CATH code: "CATH:1.10" is level 2. False where it has not so many. */
static bool cath_node(const char *code, int level, char out[CATH_ROOM])
{
    size_t n = 0;
    for (int k = 0; k < level; k++) {
        if (k && code[n++] != '.') return false;
        size_t len = strspn(code + n, "0123456789");
        if (!len) return false;
        n += len;
    }
    return n + 6 <= CATH_ROOM && snprintf(out, CATH_ROOM, "CATH:%.*s", (int)n, code) > 0;
}

static int take_cath(draft_t *d, const annot_t *a, const facts_t *f, err_t *err)
{
    char id[CATH_ROOM];
    for (size_t i = 0; i < f->fold.n; i++)
        for (int level = 1; cath_node(f->fold.s[i], level, id); level++) {
            long k = draft_term(d, id, annot_cath_name(a, id + 5), TERM_CATH, NULL, err);
            if (k < 0 || lists_add(&d->of, (uint32_t)k, err)) return -1;
        }
    return 0;
}

/* Level of an EC class: how many of its parts are given. */
static int ec_level(const char *id)
{
    int level = 0;
    for (const char *p = id + 3; *p && *p != '-'; level++) {
        p += strcspn(p, ".");
        if (*p) p++;
    }
    return level;
}

static int take_parents(draft_t *d, const ontology_t *o, err_t *err)
{
    char up[EC_ROOM];
    for (size_t i = 0; i < d->ids.n; i++) {
        const char *id = d->ids.str[i];
        if (d->item[i].space < GO_NAMESPACES) {
            const goterm_t *g = ontology_term(o, (size_t)ontology_find(o, id));
            for (size_t k = 0; k < g->parents; k++) {
                const goterm_t *p = ontology_term(o, g->parent[k]);
                long at = is_term(p) ? intern_find(&d->ids, p->id, strlen(p->id)) : -1;
                if (at >= 0 && lists_add(&d->parents, (uint32_t)at, err)) return -1;
            }
        } else if (d->item[i].space == TERM_EC && ec_level(id) > 1 && ec_class(id + 3, ec_level(id) - 1, up)) {
            long at = intern_find(&d->ids, up, strlen(up));
            if (at >= 0 && lists_add(&d->parents, (uint32_t)at, err)) return -1;
        } else if (d->item[i].space == TERM_CATH && strrchr(id, '.')) {
            long at = intern_find(&d->ids, id, (size_t)(strrchr(id, '.') - id));
            if (at >= 0 && lists_add(&d->parents, (uint32_t)at, err)) return -1;
        }
        if (lists_row(&d->parents, err)) return -1;
    }
    return 0;
}

int terms_make(const annot_t *a, char *const *id, size_t n, terms_t *t, err_t *err)
{
    draft_t d = {0};
    int rc = 0;
    *t = (terms_t){0};
    for (size_t i = 0; !rc && i < n; i++) {
        const facts_t *f = terms_facts(a, id[i]);
        if (f) rc = take_go(&d, annot_ontology(a), f, err) || take_ec(&d, a, f, err) || take_pfam(&d, a, f, err) || take_cath(&d, a, f, err) ? -1 : 0;
        if (!rc) rc = lists_row(&d.of, err);
    }
    if (!rc) rc = take_parents(&d, annot_ontology(a), err);
    if (!rc) rc = draft_end(&d, t, err);
    draft_free(&d);
    return rc;
}

/* ---- names of molecules ---- */

typedef struct {
    char **s; /* ways of writing, which the draft's items point to */
    size_t n, cap;
} spelling_t;

static bool any_small(const char *s)
{
    while (*s && !(*s >= 'a' && *s <= 'z')) s++;
    return *s;
}

static int take_molecule(draft_t *d, spelling_t *own, const char *p, size_t n, err_t *err)
{
    char key[512];
    while (n && *p == ' ') p++, n--;
    while (n && p[n - 1] == ' ') n--;
    if (n > 10 && !strncasecmp(p, "protein (", 9) && p[n - 1] == ')') p += 9, n -= 10; /* as old entries have it */
    if (n < 2 || n >= sizeof key || (n > 5 && (!strncasecmp(p, "rna (", 5) || !strncasecmp(p, "dna (", 5))) || (n > 7 && !strncasecmp(p, "sugar (", 7)) || memchr(p, '*', n))
        return 0;
    for (size_t i = 0; i < n; i++) key[i] = p[i] >= 'A' && p[i] <= 'Z' ? (char)(p[i] + 32) : p[i];
    key[n] = 0;
    size_t before = d->ids.n;
    long k = draft_term(d, key, "", TERM_MOLECULE, NULL, err);
    if (k < 0 || lists_add(&d->of, (uint32_t)k, err)) return -1;
    if (d->ids.n == before && any_small(d->item[k].name)) return 0;
    if (mem_grow(&own->s, &own->cap, own->n + 1, sizeof *own->s, err)) return -1;
    char *s = mem_new(n + 1, 1, err);
    if (!s) return -1;
    memcpy(s, p, n);
    s[n] = 0;
    own->s[own->n++] = s;
    if (d->ids.n > before || any_small(s)) d->item[k].name = s;
    return 0;
}

int terms_of_molecules(char *const *list, size_t n, terms_t *t, err_t *err)
{
    draft_t d = {0};
    spelling_t own = {0};
    int rc = 0;
    *t = (terms_t){0};
    for (size_t i = 0; !rc && i < n; i++) {
        for (const char *p = list[i]; !rc && *p;) {
            size_t len = strcspn(p, ";|");
            rc = take_molecule(&d, &own, p, len, err);
            p += len + (p[len] != 0);
        }
        if (!rc) rc = lists_row(&d.of, err);
    }
    for (size_t i = 0; !rc && i < d.ids.n; i++) rc = lists_row(&d.parents, err);
    if (!rc) rc = draft_end(&d, t, err);
    draft_free(&d);
    for (size_t i = 0; i < own.n; i++) mem_free(own.s[i]);
    mem_free(own.s);
    return rc;
}

/* ---- what two entries share ---- */

static bool has_term(const terms_t *t, size_t entry, size_t term)
{
    size_t lo = t->of.at[entry], hi = t->of.at[entry + 1];
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (t->of.item[mid] == term) return true;
        if (t->of.item[mid] < term) lo = mid + 1;
        else hi = mid;
    }
    return false;
}

static bool has_both(const terms_t *t, size_t a, size_t b, size_t term) { return has_term(t, a, term) && has_term(t, b, term); }

size_t terms_shared(const terms_t *t, size_t a, size_t b, uint32_t *row, size_t most)
{
    size_t n = 0;
    for (size_t k = t->n ? t->of.at[a + 1] : 0; k-- > (t->n ? t->of.at[a] : 0);) { /* special ones have higher rows */
        const uint32_t term = t->of.item[k];
        bool covered = !has_term(t, b, term);
        for (size_t c = k + 1; !covered && c < t->of.at[a + 1]; c++) {
            const size_t child = t->of.item[c];
            for (size_t p = t->parents.at[child]; !covered && p < t->parents.at[child + 1]; p++)
                covered = t->parents.item[p] == term && has_both(t, a, b, child);
        }
        if (!covered && n < most) row[n++] = term;
    }
    return n;
}

/* ---- joining ---- */

/* Terms, parents and entries of t into the draft; parents only of terms that are new. number (t->n) is scratch. */
static int take_terms(draft_t *d, const terms_t *t, uint32_t *number, err_t *err)
{
    size_t before = d->ids.n;
    for (size_t i = 0; i < t->n; i++) {
        long k = draft_term(d, t->id[i], t->name[i], t->space[i], t->z ? t->z + i * t->d : NULL, err);
        if (k < 0) return -1;
        number[i] = (uint32_t)k;
    }
    for (size_t i = 0; i < t->n; i++) {
        if (number[i] < before) continue;
        for (size_t k = t->parents.at[i]; k < t->parents.at[i + 1]; k++)
            if (lists_add(&d->parents, number[t->parents.item[k]], err)) return -1;
        if (lists_row(&d->parents, err)) return -1;
    }
    for (size_t i = 0; i < t->entries; i++) {
        for (size_t k = t->n ? t->of.at[i] : 0; k < (t->n ? t->of.at[i + 1] : 0); k++)
            if (lists_add(&d->of, number[t->of.item[k]], err)) return -1;
        if (lists_row(&d->of, err)) return -1;
    }
    return 0;
}

int terms_join(terms_t *t, const terms_t *from, err_t *err)
{
    draft_t d = {0};
    terms_t joined = {0};
    uint32_t *number = mem_new(t->n > from->n ? t->n : from->n, sizeof *number, err);
    const terms_t *known = t->n ? t : from; /* the first with terms says by which encoder */
    bool same = from->n == 0 || (known->z && from->z && known->d == from->d && !strcmp(known->text_hash, from->text_hash));
    char *model = known->z ? mem_str(known->text_model, err) : NULL;
    if (same && model) d.d = known->d;
    int rc = number && (model || !known->z) && !take_terms(&d, t, number, err) && !take_terms(&d, from, number, err) && !draft_end(&d, &joined, err) ? 0 : -1;
    if (!rc && joined.z) {
        joined.text_model = model;
        model = NULL;
        memcpy(joined.text_hash, known->text_hash, sizeof joined.text_hash);
    }
    mem_free(model);
    mem_free(number);
    draft_free(&d);
    if (rc) return -1;
    terms_free(t);
    *t = joined;
    return 0;
}

/* Terms that any entry of row[0..n-1] has, with their parents, and these entries. number (t->n) is scratch. */
static int take_rows(draft_t *d, const terms_t *t, const size_t *row, size_t n, uint32_t *number, err_t *err)
{
    for (size_t i = 0; i < t->n; i++) number[i] = UINT32_MAX;
    for (size_t i = 0; i < n; i++)
        for (size_t k = t->of.at[row[i]]; k < t->of.at[row[i] + 1]; k++) number[t->of.item[k]] = 0;
    for (size_t i = 0; i < t->n; i++) {
        if (number[i] == UINT32_MAX) continue;
        long k = draft_term(d, t->id[i], t->name[i], t->space[i], t->z ? t->z + i * t->d : NULL, err);
        if (k < 0) return -1;
        number[i] = (uint32_t)k;
        for (size_t p = t->parents.at[i]; p < t->parents.at[i + 1]; p++) /* an entry has the ancestors of its terms, which came before */
            if (number[t->parents.item[p]] != UINT32_MAX && lists_add(&d->parents, number[t->parents.item[p]], err)) return -1;
        if (lists_row(&d->parents, err)) return -1;
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t k = t->of.at[row[i]]; k < t->of.at[row[i] + 1]; k++)
            if (lists_add(&d->of, number[t->of.item[k]], err)) return -1;
        if (lists_row(&d->of, err)) return -1;
    }
    return 0;
}

int terms_select(terms_t *t, const size_t *row, size_t n, err_t *err)
{
    draft_t d = {.d = t->z ? t->d : 0};
    terms_t some = {0};
    if (!t->n) {
        t->entries = n;
        return 0;
    }
    uint32_t *number = mem_new(t->n, sizeof *number, err);
    int rc = number && !take_rows(&d, t, row, n, number, err) && !draft_end(&d, &some, err) ? 0 : -1;
    if (!rc && some.z) {
        some.text_model = t->text_model;
        t->text_model = NULL;
        memcpy(some.text_hash, t->text_hash, sizeof some.text_hash);
    }
    mem_free(number);
    draft_free(&d);
    if (rc) return -1;
    terms_free(t);
    *t = some;
    return 0;
}

/* ---- in the learned space ---- */

static bool ends(const char *s, const char *tail)
{
    size_t n = strlen(s), k = strlen(tail);
    return n > k && !strcmp(s + n - k, tail);
}

/* In the words of the captions (caption.h). */
void terms_text(const terms_t *t, size_t row, char out[TERMS_TEXT_MAX])
{
    static const char binding[] = " binding";
    const char *name = *t->name[row] ? t->name[row] : t->id[row];
    int n = (int)(strlen(name) < TERMS_TEXT_MAX / 2 ? strlen(name) : TERMS_TEXT_MAX / 2);
    if (n && name[n - 1] == '.') n--;
    const char *head = "A protein that takes part in ", *tail = ".";
    switch (t->space[row]) {
    case TERM_FUNCTION:
        head = strstr(name, "activity") ? "A protein that has " : "A protein that acts as ";
        if (!ends(name, binding)) break;
        head = "A protein that binds ";
        n -= (int)strlen(binding);
        break;
    case TERM_COMPONENT: head = strstr(name, "complex") ? "A protein that is part of the " : "A protein that is found in the "; break;
    case TERM_EC: head = "An enzyme: "; break;
    case TERM_PFAM: head = "A protein of the family "; break;
    case TERM_CATH: head = "A protein with the fold "; break;
    default: break;
    }
    if (t->space[row] == TERM_EC) snprintf(out, TERMS_TEXT_MAX, "%s%.*s (EC %.64s).", head, n, name, t->id[row] + strlen("EC:"));
    else snprintf(out, TERMS_TEXT_MAX, "%s%.*s%s", head, n, name, tail);
}

int terms_embed(terms_t *t, const modelfile_t *m, const sentence_t *s, err_t *err)
{
    enum { BATCH = 256 };
    const modeltext_t *w = &m->text;
    char hash[SENTENCE_HASH];
    if (!w->dim) return err_set(err, ERR_UNSUP, "the model knows no text");
    if (sentence_hash(s, hash, err)) return -1;
    if (strcmp(hash, w->hash) != 0 || sentence_info(s)->dim != w->dim)
        return err_set(err, ERR_UNSUP, "sentence encoder %s %s (the model was trained with %s %s)", sentence_info(s)->name, hash, w->name,
                       w->hash);
    char *text = mem_new(BATCH, TERMS_TEXT_MAX, err);
    float *v = mem_new(BATCH, w->dim * sizeof *v, err), *z = mem_new(t->n, m->encoder->d * sizeof *z, err);
    char *name = mem_str(w->name, err);
    int rc = text && v && z && name ? 0 : -1;
    for (size_t at = 0; !rc && at < t->n; at += BATCH) {
        const char *line[BATCH];
        size_t n = t->n - at < BATCH ? t->n - at : BATCH;
        for (size_t i = 0; i < n; i++) {
            line[i] = text + i * TERMS_TEXT_MAX;
            terms_text(t, at + i, text + i * TERMS_TEXT_MAX);
        }
        rc = sentence_encode(s, line, n, v, NULL, err);
        if (!rc) modelfile_project(m, n, v, z + at * m->encoder->d);
    }
    mem_free(text);
    mem_free(v);
    if (rc) {
        mem_free(z);
        mem_free(name);
        return -1;
    }
    mem_free(t->z);
    mem_free(t->text_model);
    t->z = z;
    t->d = m->encoder->d;
    t->text_model = name;
    memcpy(t->text_hash, w->hash, sizeof t->text_hash);
    return 0;
}
