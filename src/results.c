/* results: JSON lines, one answer each or one hit each (see results.h). */
#include "src/results.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"

const char *results_text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

double results_number(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    return json_is_number(v) ? json_number_value(v) : (double)NAN;
}

/* A hit of search joins the answer of its query, the last one, or begins another. */
static int add_hit(json_t *all, json_t *hit, err_t *err)
{
    json_t *last = json_array_size(all) ? json_array_get(all, json_array_size(all) - 1) : NULL;
    if (!last || !json_object_get(last, "of_search") || strcmp(results_text(last, "query"), results_text(hit, "query")) != 0) {
        last = json_pack("{s:s, s:b, s:[], s:[]}", "query", results_text(hit, "query"), "of_search", 1, "entries", "terms");
        if (!last || json_array_append_new(all, last)) return err_set(err, ERR_NOMEM, "memory: results");
    }
    return json_array_append(json_object_get(last, "entries"), hit) ? err_set(err, ERR_NOMEM, "memory: results") : 0;
}

static int add_line(json_t *all, const char *path, size_t number, const char *line, size_t n, notes_t *notes, err_t *err)
{
    json_error_t why;
    json_t *o = json_loadb(line, n, JSON_REJECT_DUPLICATES, &why);
    int rc = 0;
    if (!o) notes_add(notes, "%s, line %zu: %s", path, number, why.text);
    else if (!json_is_object(o) || !json_is_string(json_object_get(o, "query"))) notes_add(notes, "%s, line %zu: no result of annotate or search (it has no query)", path, number);
    else if (json_is_array(json_object_get(o, "entries"))) rc = json_array_append(all, o) ? err_set(err, ERR_NOMEM, "memory: results") : 0;
    else if (json_is_string(json_object_get(o, "id")) && json_is_number(json_object_get(o, "rank"))) rc = add_hit(all, o, err);
    else notes_add(notes, "%s, line %zu: neither entries nor a hit", path, number);
    json_decref(o);
    return rc;
}

json_t *results_read(const char *path, notes_t *notes, err_t *err)
{
    size_t n, number = 0;
    unsigned char *text = file_read(path, RESULTS_MAX, &n, err);
    json_t *all = text ? json_array() : NULL;
    int rc = all ? 0 : -1;
    for (const char *p = (const char *)text, *end = p + n; !rc && p < end;) {
        const char *eol = memchr(p, '\n', (size_t)(end - p)), *stop = eol ? eol : end;
        number++;
        if (strspn(p, " \t\r") < (size_t)(stop - p)) rc = add_line(all, path, number, p, (size_t)(stop - p), notes, err);
        p = stop + 1;
    }
    if (!rc && !json_array_size(all)) rc = err_set(err, ERR_FORMAT, "%s: no results (JSON lines of annotate or search --format json are wanted)", path);
    mem_free(text);
    if (!rc) return all;
    json_decref(all);
    return NULL;
}
