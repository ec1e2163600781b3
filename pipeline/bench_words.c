/* bench_words: retrieval between structures and words (see bench_words.h). */
#include "pipeline/bench_words.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/tsv.h"
#include "pipeline/textmodel.h"

static float dot(const float *a, const float *b, size_t n)
{
    float s[8] = {0};
    for (size_t i = 0; i < n; i++) s[i % 8] += a[i] * b[i];
    return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
}

/* ---- pdb ---- */

enum { RANDOM, NEAREST, LEARNED, OWN_METHODS };
enum { TO_TEXT, TO_STRUCTURE };

/* Entries of the split that have a caption and a place in the gallery, and those for training. */
typedef struct {
    const benchwork_t *w;
    const modelfile_t *model;
    size_t n, *row, *entry;       /* (n) of the dataset, of the gallery */
    size_t train, *teacher;       /* (train) rows of the dataset */
    size_t *teacher_entry;
    char **id, **text_id;         /* (n) of columns */
    float *text;                  /* (n, d) captions in the learned space */
    unsigned char *skip;          /* (gallery) all but training entries with a caption */
    unsigned char *skip_test;     /* (gallery) all but the n */
    size_t *column;               /* (gallery) of the n; n where it is none */
    long *of;                     /* (gallery) row of the dataset */
} words_t;

static const float *frozen(const dataset_t *d, size_t row) { return d->text + d->caption_at[row] * d->dim; }

static int find_entries(words_t *o, err_t *err)
{
    const dataset_t *d = o->w->data;
    const index_t *x = o->w->search.x;
    o->row = mem_new(x->n, sizeof *o->row, err);
    o->entry = mem_new(x->n, sizeof *o->entry, err);
    o->teacher = mem_new(x->n, sizeof *o->teacher, err);
    o->teacher_entry = mem_new(x->n, sizeof *o->teacher_entry, err);
    o->column = mem_new(x->n, sizeof *o->column, err);
    o->skip = mem_new(x->n, 1, err);
    o->skip_test = mem_new(x->n, 1, err);
    o->of = bench_rows(d, x->text[INDEX_ID], x->n, err);
    if (!o->row || !o->entry || !o->teacher || !o->teacher_entry || !o->column || !o->skip || !o->skip_test || !o->of) return -1;
    for (size_t i = 0; i < x->n; i++) {
        const long r = o->of[i];
        const bool told = r >= 0 && d->caption_at[r] < d->caption_at[r + 1];
        o->skip[i] = !(told && d->split[r] == SPLIT_TRAIN);
        o->skip_test[i] = !(told && d->split[r] == o->w->split);
        if (!o->skip[i]) {
            o->teacher[o->train] = (size_t)r;
            o->teacher_entry[o->train++] = i;
        }
        o->column[i] = o->skip_test[i] ? x->n : o->n;
        if (o->skip_test[i]) continue;
        o->row[o->n] = (size_t)r;
        o->entry[o->n++] = i;
    }
    return o->n ? 0 : err_set(err, ERR_RANGE, "bench: no entry of the split %s has a caption and is in the gallery", split_name[o->w->split]);
}

static int make_columns(words_t *o, err_t *err)
{
    const dataset_t *d = o->w->data;
    o->id = mem_zero(o->n, sizeof *o->id, err);
    o->text_id = mem_zero(o->n, sizeof *o->text_id, err);
    o->text = mem_new(o->n, o->model->encoder->d * sizeof *o->text, err);
    if (!o->id || !o->text_id || !o->text) return -1;
    for (size_t i = 0; i < o->n; i++) {
        const char *id = d->id[o->row[i]];
        o->id[i] = mem_str(id, err);
        o->text_id[i] = mem_new(strlen(id) + sizeof ".text", 1, err);
        if (!o->id[i] || !o->text_id[i]) return -1;
        sprintf(o->text_id[i], "%s.text", id);
        modelfile_project(o->model, 1, frozen(d, o->row[i]), o->text + i * o->model->encoder->d);
    }
    return 0;
}

static void words_end(words_t *o)
{
    for (size_t i = 0; o->id && o->text_id && i < o->n; i++) mem_free(o->id[i]), mem_free(o->text_id[i]);
    void *const own[] = {o->row, o->entry, o->teacher, o->teacher_entry, o->column, o->id, o->text_id, o->text, o->skip, o->skip_test, o->of};
    for (size_t k = 0; k < sizeof own / sizeof *own; k++) mem_free(own[k]);
}

/* An entry of the gallery as a query by its cube: the hits that are not skipped. */
static int by_cube(const words_t *o, size_t entry, const unsigned char *skip, size_t top, hit_t *hit, size_t *n, err_t *err)
{
    const index_t *x = o->w->search.x;
    const search_opts_t how = {.kind = SEARCH_CUBE, .plain = true, .top = top, .skip = skip};
    record_t *r = mem_zero(1, sizeof *r, err);
    if (!r) return -1;
    r->rg = x->rg[entry];
    memcpy(r->cube, x->cube + entry * DESC_LEN, sizeof r->cube);
    int rc = search_run(x, r, NULL, &how, hit, n, err);
    mem_free(r);
    return rc;
}

/* Captions, by what is written of the nearest training structure. */
static int nearest_text(const words_t *o, size_t i, float *score, err_t *err)
{
    const dataset_t *d = o->w->data;
    hit_t hit;
    size_t n = 0;
    if (by_cube(o, o->entry[i], o->skip, 1, &hit, &n, err)) return -1;
    for (size_t k = 0; k < o->n; k++) score[k] = n ? dot(frozen(d, (size_t)o->of[hit.entry]), frozen(d, o->row[k]), d->dim) : 0;
    return 0;
}

/* Structures, by that of the nearest training caption. */
static int nearest_structure(const words_t *o, size_t i, float *score, err_t *err)
{
    const dataset_t *d = o->w->data;
    size_t best = 0, n = 0;
    float most = -HUGE_VALF;
    for (size_t k = 0; k < o->train; k++) {
        float c = dot(frozen(d, o->row[i]), frozen(d, o->teacher[k]), d->dim);
        if (c > most) most = c, best = k;
    }
    for (size_t k = 0; k < o->n; k++) score[k] = -HUGE_VALF;
    hit_t *hit = mem_new(o->n, sizeof *hit, err);
    int rc = !hit || (o->train && by_cube(o, o->teacher_entry[best], o->skip_test, o->n, hit, &n, err)) ? -1 : 0;
    for (size_t k = 0; k < n; k++) score[o->column[hit[k].entry]] = hit[k].score;
    mem_free(hit);
    return rc;
}

static int ask(const words_t *o, benchtask_t *t, int way, size_t i, int first_rival, err_t *err)
{
    const dataset_t *d = o->w->data;
    const index_t *x = o->w->search.x;
    const size_t q = o->row[i], dim = x->d;
    const rivals_t *rivals = o->w->rivals;
    char group[32];
    float *learned = t->score + LEARNED * t->columns, *nearest = t->score + NEAREST * t->columns;
    for (size_t k = 0; k < o->n; k++) {
        const size_t shared = bench_in_common(&d->pruned, q, o->row[k]);
        unsigned b = BENCH_ALL | (k == i) | (shared >= 1 ? 4u : 0) | (shared >= 3 ? 8u : 0);
        if (k == i || bench_same_set(&d->clusters, q, o->row[k])) b |= 2;
        t->bits[k] = (uint8_t)b;
        learned[k] = way == TO_TEXT ? dot(x->z + o->entry[i] * dim, o->text + k * dim, dim) : dot(o->text + i * dim, x->z + o->entry[k] * dim, dim);
    }
    bench_random(t, RANDOM);
    if ((way == TO_TEXT ? nearest_text : nearest_structure)(o, i, nearest, err)) return -1;
    for (size_t k = 0; rivals && k < rivals->n; k++)
        rival_score(&rivals->rival[k], way == TO_TEXT ? o->id[i] : o->text_id[i], t->column, t->columns, t->score + ((size_t)first_rival + k) * t->columns);
    snprintf(group, sizeof group, "%u", (unsigned)d->group[q]);
    const benchquery_t query = {.id = way == TO_TEXT ? o->id[i] : o->text_id[i], .entry = o->id[i], .group = group, .resolution = (double)NAN, .rg = (double)x->rg[o->entry[i]],
                                .mass = BENCH_DENSITY * (double)x->volume[o->entry[i]] / 1000};
    return bench_query(t, &query, err);
}

static int start(const words_t *o, benchtask_t *t, int way, int *first_rival, err_t *err)
{
    static const char *const kinds[] = {"entry", "same clusters", "1 shared GO term", "3 shared GO terms"};
    static const char *const methods[OWN_METHODS] = {"random", "nearest_training", "learned"};
    const rivals_t *rivals = o->w->rivals;
    if (bench_task(t, way == TO_TEXT ? "structure to text" : "text to structure", o->n, way == TO_TEXT ? o->text_id : o->id, o->w->seed, err)) return -1;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) bench_kind(t, kinds[k]);
    for (int k = 0; k < OWN_METHODS; k++)
        if (bench_method(t, methods[k], err) < 0) return -1;
    *first_rival = OWN_METHODS;
    for (size_t k = 0; rivals && k < rivals->n; k++)
        if (bench_method(t, rivals->rival[k].name, err) < 0) return -1;
    return bench_ready(t, err);
}

static int knows_text(const modelfile_t *m, const char *name, const char *hash, err_t *err)
{
    if (!m->text.dim) return err_set(err, ERR_UNSUP, "bench: the model knows no text");
    if (strcmp(m->text.hash, hash) != 0)
        return err_set(err, ERR_UNSUP, "bench: sentence encoder %s %s (the model was trained with %s %s)", name, hash, m->text.name, m->text.hash);
    return 0;
}

int bench_pdb(const benchwork_t *w, const modelfile_t *model, benchtask_t task[2], err_t *err)
{
    words_t *o = mem_zero(1, sizeof *o, err);
    const dataset_t *d = w->data;
    if (!o) return -1;
    o->w = w;
    o->model = model;
    int rc = !w->search.encoder ? err_set(err, ERR_UNSUP, "bench: the index has no model")
             : !d->text         ? err_set(err, ERR_UNSUP, "bench: the captions of the dataset are not embedded (dataset build --text-model)")
                                : knows_text(model, d->text_model, d->text_hash, err);
    if (!rc) rc = find_entries(o, err) || make_columns(o, err) ? -1 : 0;
    for (int way = 0; !rc && way < 2; way++) {
        int first_rival;
        rc = start(o, &task[way], way, &first_rival, err);
        for (size_t i = 0; !rc && i < o->n; i++) rc = ask(o, &task[way], way, i, first_rival, err);
        if (!rc) rc = bench_keep_columns(&task[way], err);
    }
    words_end(o);
    mem_free(o);
    return rc;
}

/* ---- text ---- */

enum { KEYWORDS = 1, TERMS, STRUCTURE, TEXT_METHODS };

/* How many of the words of a query, of three characters and more, occur in either text, in any case. */
static float keywords(const char *query, const char *a, const char *b)
{
    float n = 0;
    for (const char *p = query; *p;) {
        char word[64];
        size_t len = 0;
        while (*p && !isalnum((unsigned char)*p)) p++;
        for (; isalnum((unsigned char)*p); p++)
            if (len < sizeof word - 1) word[len++] = *p;
        word[len] = 0;
        if (len < 3) continue;
        bool in = false;
        for (int k = 0; k < 2 && !in; k++)
            for (const char *s = k ? b : a; *s && !in; s++) in = !strncasecmp(s, word, len);
        n += in;
    }
    return n;
}

/* bits of entries that are meant, by id or by term; how many. */
static size_t mark(const index_t *x, const char *list, uint8_t *bits)
{
    const terms_t *t = &x->terms;
    size_t n = 0;
    memset(bits, BENCH_ALL, x->n);
    for (const char *p = list; *p;) {
        char id[64];
        p += strspn(p, " ,;|");
        size_t len = strcspn(p, " ,;|");
        snprintf(id, sizeof id, "%.*s", (int)(len < sizeof id ? len : sizeof id - 1), p);
        p += len;
        if (!*id) continue;
        size_t term = 0;
        while (term < t->n && strcmp(t->id[term], id) != 0) term++;
        for (size_t i = 0; i < x->n; i++) {
            const char *s = x->text[INDEX_ID][i];
            bool is = !strncasecmp(s, id, strlen(id)) && !isalnum((unsigned char)s[strlen(id)]);
            for (size_t k = t->of.at[i]; !is && term < t->n && k < t->of.at[i + 1]; k++) is = t->of.item[k] == term;
            if (is) bits[i] |= 1;
        }
    }
    for (size_t i = 0; i < x->n; i++) n += bits[i] & 1;
    return n;
}

static int ask_text(const benchwork_t *w, benchtask_t *t, const char *query, const float *z, hit_t *hit, err_t *err)
{
    const index_t *x = w->search.x;
    size_t n;
    bench_random(t, 0);
    for (size_t i = 0; i < x->n; i++) t->score[KEYWORDS * t->columns + i] = keywords(query, x->text[INDEX_TITLE][i], x->text[INDEX_MOLECULES][i]);
    for (size_t m = TERMS; m <= STRUCTURE; m++) {
        if ((m == TERMS ? search_words : search_vector)(x, z, x->n, hit, &n, err)) return -1;
        for (size_t i = 0; i < n; i++) t->score[m * t->columns + hit[i].entry] = hit[i].score;
    }
    char *own = mem_str(query, err);
    const benchquery_t q = {.id = own, .group = own, .resolution = (double)NAN, .rg = (double)NAN, .mass = (double)NAN};
    int rc = own ? bench_query(t, &q, err) : -1;
    mem_free(own);
    return rc;
}

int bench_text(const benchwork_t *w, const modelfile_t *model, const char *table, const char *text_model, benchtask_t *t, err_t *err)
{
    static const char *const methods[TEXT_METHODS] = {"random", "keywords", "words", "learned"};
    const index_t *x = w->search.x;
    char hash[SENTENCE_HASH];
    tsv_t rows;
    if (!w->search.encoder || !x->terms.z) return err_set(err, ERR_UNSUP, "bench: the index has no embeddings of terms (index build --model --annot)");
    if (tsv_read(table, &rows, err)) return -1;
    const long text = tsv_col(&rows, "query"), relevant = tsv_col(&rows, "relevant");
    size_t none = 0;
    sentence_t *s = NULL;
    float *v = NULL, *z = mem_new(x->d, sizeof *z, err);
    hit_t *hit = mem_new(x->n, sizeof *hit, err);
    int rc = z && hit ? 0 : -1;
    if (!rc && (text < 0 || relevant < 0)) rc = err_set(err, ERR_FORMAT, "%s: no column '%s'", table, text < 0 ? "query" : "relevant");
    if (!rc) rc = (s = textmodel_open(text_model, err)) && !sentence_hash(s, hash, err) ? knows_text(model, sentence_info(s)->name, hash, err) : -1;
    if (!rc) rc = (v = mem_new(sentence_info(s)->dim, sizeof *v, err)) ? 0 : -1;
    if (!rc) rc = bench_task(t, "text", x->n, x->text[INDEX_ID], w->seed, err);
    if (!rc) bench_kind(t, "meant");
    for (size_t k = 0; !rc && k < TEXT_METHODS; k++) rc = bench_method(t, methods[k], err) < 0 ? -1 : 0;
    if (!rc) rc = bench_ready(t, err);
    for (size_t r = 0; !rc && r < rows.nrow; r++) {
        const char *query = tsv_get(&rows, r, text), *list = tsv_get(&rows, r, relevant);
        if (!query || !list || !mark(x, list, t->bits)) {
            none++;
            continue;
        }
        rc = sentence_encode(s, &query, 1, v, NULL, err);
        if (!rc) modelfile_project(model, 1, v, z);
        if (!rc) rc = ask_text(w, t, query, z, hit, err);
    }
    if (!rc && none) log_msg(w->log, LOG_WARN, "%s: %zu queries have nothing relevant in the gallery, and are passed over", table, none);
    if (!rc && !t->n) rc = err_set(err, ERR_RANGE, "%s: no query with something relevant in the gallery", table);
    mem_free(v);
    mem_free(z);
    mem_free(hit);
    sentence_close(s);
    tsv_free(&rows);
    return rc;
}
