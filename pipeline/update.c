/* update: an index brought up to date with a manifest (see update.h). */
#include "pipeline/update.h"

#include <ctype.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/progress.h"
#include "pipeline/build.h"
#include "pipeline/unique.h"

enum { ID_ROOM = 256 };

/* An id in small letters, up to `end` characters; its length, or 0 where there is no room. */
static size_t lower(const char *s, size_t end, char out[ID_ROOM])
{
    size_t n = 0;
    while (n < end && n < ID_ROOM && s[n]) {
        out[n] = (char)tolower((unsigned char)s[n]);
        n++;
    }
    return n < ID_ROOM ? n : 0;
}

int update_obsolete(const char *path, intern_t *ids, err_t *err)
{
    static const char space[] = " \t\r", head[] = "OBSLTE";
    size_t n;
    char *all = (char *)file_read(path, (size_t)1 << 30, &n, err), low[ID_ROOM];
    int rc = all ? 0 : -1;
    bool published = all && (!strncmp(all, head, 6) || strstr(all, "\nOBSLTE"));
    for (char *line = all, *end; !rc && line && *line; line = end) {
        end = line + strcspn(line, "\n");
        if (*end) *end++ = 0;
        char *word = line + strspn(line, space);
        if (published && strncmp(word, head, 6) != 0) continue;
        for (int k = 0; published && k < 2; k++) { /* behind the word and the date */
            word += strcspn(word, space);
            word += strspn(word, space);
        }
        size_t len = lower(word, strcspn(word, space), low);
        uint32_t number;
        if (len) rc = intern_add(ids, low, len, &number, err);
    }
    mem_free(all);
    return rc;
}

static bool is_obsolete(const intern_t *ids, const char *id)
{
    char low[ID_ROOM];
    size_t n = ids ? lower(id, SIZE_MAX, low) : 0;
    if (!n) return false;
    const char *bar = memchr(low, '_', n);
    return intern_find(ids, low, n) >= 0 || (bar && intern_find(ids, low, (size_t)(bar - low)) >= 0);
}

/* What is known of the manifest and the index. */
typedef struct {
    const manifest_t *m;
    index_t *x, fresh; /* as it was; what was described now */
    intern_t old, new; /* ids of their entries, numbers are rows */
    long *row;         /* (m->n) row of x, or -1 */
    unsigned char *todo, *gone; /* (m->n) to describe; passed over */
    const log_t *log;
    updated_t *n;
} update_t;

static int number_ids(const index_t *x, intern_t *set, err_t *err)
{
    uint32_t number;
    for (size_t i = 0; i < x->n; i++)
        if (intern_add(set, x->text[INDEX_ID][i], strlen(x->text[INDEX_ID][i]), &number, err)) return -1;
    return 0;
}

static long find(const intern_t *set, const char *id) { return set->n ? intern_find(set, id, strlen(id)) : -1; }

/* Which items are new or have changed. A file that cannot be read is left to the building, which tells why. */
static void compare(update_t *u, const describer_t *d)
{
    progress_t *bar = progress_new(u->log, "compare", "files", u->m->n);
#pragma omp parallel for schedule(dynamic, 16)
    for (size_t i = 0; i < u->m->n; i++) {
        char digest[DESCRIBE_DIGEST];
        if (!u->gone[i])
            u->todo[i] = u->row[i] < 0 || describe_digest(d, &u->m->item[i], digest, &(err_t){0}) ||
                         strcmp(digest, u->x->text[INDEX_DIGEST][u->row[i]]) != 0;
        progress_step(bar, 1, 0);
    }
    progress_end(bar);
}

/* Describe them into u->fresh. */
static int describe_new_ones(update_t *u, describer_t *d, encoder_t *e, err_t *err)
{
    manifest_t some = {0};
    size_t failed = 0;
    u->fresh = (index_t){.d = u->x->d, .frames = u->x->frames, .scoring = u->x->scoring};
    memcpy(u->fresh.model, u->x->model, sizeof u->fresh.model);
    if (!(some.item = mem_new(u->m->n, sizeof *some.item, err))) return -1;
    for (size_t i = 0; i < u->m->n; i++)
        if (u->todo[i]) some.item[some.n++] = u->m->item[i];
    int rc = some.n ? build_index(&some, d, e, u->log, &u->fresh, &failed, err) : 0;
    u->n->failed += failed;
    mem_free(some.item);
    return rc || number_ids(&u->fresh, &u->new, err) ? -1 : 0;
}

static int set_text(index_t *x, int c, size_t row, const char *s, err_t *err)
{
    char *copy = mem_str(s ? s : "", err);
    if (!copy) return -1;
    mem_free(x->text[c][row]);
    x->text[c][row] = copy;
    return 0;
}

/* What the manifest says of an entry that stays. */
static int refresh(index_t *x, size_t row, const item_t *it, err_t *err)
{
    return set_text(x, INDEX_PATH, row, it->path, err) || set_text(x, INDEX_CAPTION, row, it->caption, err) ||
                   set_text(x, INDEX_TERMS, row, it->terms, err) || set_text(x, INDEX_GROUP, row, it->group, err) ||
                   set_text(x, INDEX_SPLIT, row, it->split, err) || set_text(x, INDEX_PAIR, row, it->pair, err)
               ? -1
               : 0;
}

/* x as it was, and behind it what is new, as one; ids come twice. order (x->n + fresh.n) gets the rows that shall be. */
static size_t arrange(const update_t *u, const intern_t *obsolete, bool prune, size_t *order)
{
    size_t n = 0, was = u->x->n;
    if (!prune)
        for (size_t i = 0; i < was; i++) {
            const char *id = u->x->text[INDEX_ID][i];
            long new = find(&u->new, id);
            if (!is_obsolete(obsolete, id)) order[n++] = new < 0 ? i : was + (size_t)new;
        }
    for (size_t i = 0; i < u->m->n; i++) {
        const char *id = u->m->item[i].id;
        long new = find(&u->new, id);
        if (u->gone[i] || (!prune && u->row[i] >= 0) || (new < 0 && u->row[i] < 0)) continue;
        order[n++] = new < 0 ? (size_t)u->row[i] : was + (size_t)new;
    }
    return n;
}

static void count(update_t *u, const size_t *order, size_t n)
{
    size_t was = u->x->n;
    for (size_t i = 0; i < n; i++) {
        if (order[i] < was) u->n->kept++;
        else if (find(&u->old, u->fresh.text[INDEX_ID][order[i] - was]) >= 0) u->n->replaced++;
        else u->n->added++;
    }
    u->n->dropped = was - u->n->kept - u->n->replaced;
}

/* Put both together, with strings of their own. */
static int put_together(update_t *u, const size_t *order, size_t n, err_t *err)
{
    index_t all = {0};
    int rc = index_append(&all, u->x, err) || (u->fresh.n && index_append(&all, &u->fresh, err)) ? -1 : 0;
    for (size_t i = 0; !rc && i < u->m->n; i++)
        if (u->row[i] >= 0 && !u->gone[i]) rc = refresh(&all, (size_t)u->row[i], &u->m->item[i], err);
    if (!rc) rc = index_select(&all, order, n, err);
    index_free(u->x);
    *u->x = all;
    return rc;
}

/* Mark what is passed over: obsolete, or the same again. */
static int mark(update_t *u, const intern_t *obsolete, err_t *err)
{
    if (unique_mark(&u->m->item->id, sizeof *u->m->item, u->m->n, u->gone, err)) return -1;
    for (size_t i = 0; i < u->m->n; i++) {
        const item_t *it = &u->m->item[i];
        if (u->gone[i]) {
            log_msg(u->log, LOG_WARN, "left out: %s: id %s: an entry before it has the same", it->path, it->id);
            u->n->failed++;
        }
        u->gone[i] = u->gone[i] || is_obsolete(obsolete, it->id);
        u->row[i] = find(&u->old, it->id);
    }
    return 0;
}

int update_index(index_t *x, const manifest_t *m, const intern_t *obsolete, bool prune, describer_t *d, encoder_t *e, const log_t *log,
                 updated_t *n, err_t *err)
{
    size_t *order = NULL;
    *n = (updated_t){0};
    update_t u = {.m = m, .x = x, .log = log, .n = n};
    u.row = mem_new(m->n, sizeof *u.row, err);
    u.todo = mem_zero(m->n, 1, err);
    u.gone = mem_zero(m->n, 1, err);
    int rc = u.row && u.todo && u.gone && !number_ids(x, &u.old, err) && !mark(&u, obsolete, err) ? 0 : -1;
    if (!rc) compare(&u, d);
    if (!rc) rc = describe_new_ones(&u, d, e, err);
    if (!rc && !(order = mem_new(x->n + u.fresh.n, sizeof *order, err))) rc = -1;
    if (!rc) {
        size_t rows = arrange(&u, obsolete, prune, order);
        count(&u, order, rows);
        rc = put_together(&u, order, rows, err);
    }
    mem_free(order);
    mem_free(u.row);
    mem_free(u.todo);
    mem_free(u.gone);
    intern_free(&u.old);
    intern_free(&u.new);
    index_free(&u.fresh);
    return rc;
}
