/* overview: the table's data as JSON for overview.js, which draws table and map; failures as they are (see overview.h). */
#include "src/overview.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/tsv.h"
#include "pipeline/plane.h"
#include "pipeline/vectors.h"
#include "src/html.h"
#include "src/json.h"
#include "src/page_text.h"
#include "src/results.h"

/* ---- rows ---- */

/* The most confident term of the first of these kinds that there is one of. */
static const json_t *term_of(const json_t *answer, const char *const *kind, size_t kinds)
{
    const json_t *terms = json_object_get(answer, "terms"), *term;
    size_t i;
    for (size_t k = 0; k < kinds; k++) {
        const json_t *best = NULL;
        json_array_foreach(terms, i, term) {
            if (strcmp(results_text(term, "namespace"), kind[k]) != 0) continue;
            if (!best || results_number(term, "confidence") > results_number(best, "confidence")) best = term;
        }
        if (best) return best;
    }
    return NULL;
}

static const char *name_of(const json_t *term) { return *results_text(term, "name") ? results_text(term, "name") : results_text(term, "id"); }

static void number(json_t *row, const char *key, double v, int digits)
{
    if (!isnan(v)) json_object_set_new(row, key, json_rounded(v, digits));
}

static void text(json_t *row, const char *key, const char *s)
{
    if (*s) json_object_set_new(row, key, json_text(s));
}

static json_t *row_of(const json_t *answer, const char *page)
{
    static const char *const families[] = {"pfam", "cath", "ec"}, *const functions[] = {"molecular_function", "biological_process"};
    const json_t *first = json_array_get(json_object_get(answer, "entries"), 0), *map = json_object_get(answer, "map"), *symmetry = json_object_get(answer, "symmetry");
    const json_t *family = term_of(answer, families, 3), *function = term_of(answer, functions, 2);
    const char *query = *results_text(answer, "id") ? results_text(answer, "id") : results_text(answer, "query"), *slash = strrchr(query, '/');
    json_t *row = json_object();
    text(row, "query", slash && slash[1] ? slash + 1 : query);
    if (page) text(row, "page", page);
    text(row, "hit", results_text(first, "id"));
    text(row, "title", results_text(first, "title"));
    number(row, "confidence", results_number(first, "confidence"), 3);
    number(row, "known", results_number(answer, "known"), 3);
    if (json_is_true(json_object_get(answer, "novel"))) json_object_set_new(row, "novel", json_true());
    number(row, "mass", results_number(answer, "mass_kda"), 1);
    text(row, "symmetry", results_text(symmetry, "group"));
    number(row, "resolution", results_number(map, "resolution"), 2);
    if (family) text(row, "family", name_of(family));
    if (function) text(row, "function", name_of(function));
    if (json_array_size(json_object_get(answer, "notes"))) json_object_set_new(row, "notes", json_integer((json_int_t)json_array_size(json_object_get(answer, "notes"))));
    return row;
}

/* ---- the map ---- */

/* x and y of each row whose id has an embedding, and *share of the variance; nothing where the sweep has none. */
static int place(json_t *rows, const json_t *answers, const char *sweep, double share[2], err_t *err)
{
    char path[4096];
    vectors_t v = {0};
    double *at = NULL;
    size_t i, k = 0;
    json_t *row;
    snprintf(path, sizeof path, "%s/embeddings.h5", sweep);
    if (access(path, F_OK)) return 0;
    int rc = vectors_read(path, &v, err);
    if (!rc && v.n > 2 && !(at = mem_new(2 * v.n, sizeof *at, err))) rc = -1;
    if (!rc && at) rc = plane_of(v.z, v.n, v.d, at, share, err);
    if (!rc && at) json_array_foreach(rows, i, row) { /* both are in the order of the manifest */
        const char *id = results_text(json_array_get(answers, i), "id");
        size_t j = k;
        while (j < v.n && strcmp(v.id[j], id) != 0) j++;
        if (j == v.n) continue;
        number(row, "x", at[2 * j], 5);
        number(row, "y", at[2 * j + 1], 5);
        k = j + 1;
    }
    mem_free(at);
    vectors_free(&v);
    return rc;
}

/* ---- failures ---- */

typedef struct {
    const char *state, *cause, *message;
    size_t n;
} cause_t;

static int failures(FILE *f, const char *sweep, err_t *err)
{
    char path[4096];
    tsv_t t;
    cause_t *c = NULL;
    size_t n = 0, cap = 0;
    snprintf(path, sizeof path, "%s/failures.tsv", sweep);
    if (access(path, F_OK)) return 0;
    if (tsv_read(path, &t, err)) return -1;
    long id = tsv_col(&t, "id"), state = tsv_col(&t, "state"), cause = tsv_col(&t, "cause"), message = tsv_col(&t, "message");
    int rc = 0;
    for (size_t r = 0; !rc && r < t.nrow; r++) {
        const char *s = tsv_get(&t, r, state), *w = tsv_get(&t, r, cause), *m = tsv_get(&t, r, message);
        size_t i = 0;
        s = s ? s : "-", w = w ? w : "-", m = m ? m : "";
        while (i < n && (strcmp(c[i].state, s) != 0 || strcmp(c[i].cause, w) != 0)) i++;
        if (i == n && (rc = mem_grow(&c, &cap, n + 1, sizeof *c, err)) == 0) c[n++] = (cause_t){s, w, m, 0};
        if (!rc) c[i].n++;
    }
    if (!rc && n) fputs("<section id=\"failures\">\n<h2>Without a result</h2>\n<table class=\"sortable stack\">\n<thead><tr><th scope=\"col\"><button type=\"button\">State</button></th>"
                        "<th scope=\"col\"><button type=\"button\">Cause</button></th><th scope=\"col\"><button type=\"button\">Items</button></th><th scope=\"col\">Such as</th></tr></thead>\n<tbody>\n", f);
    for (size_t i = 0; !rc && i < n; i++) {
        fputs("<tr><td data-label=\"State\">", f), html_text(f, c[i].state), fputs("</td><td data-label=\"Cause\">", f), html_text(f, c[i].cause);
        fprintf(f, "</td><td data-label=\"Items\">%zu</td><td data-label=\"Such as\">", c[i].n), html_text(f, c[i].message);
        fputs("<details><summary>Which</summary><p>", f);
        for (size_t r = 0, told = 0; r < t.nrow && told < 500; r++) {
            const char *s = tsv_get(&t, r, state), *w = tsv_get(&t, r, cause), *name = tsv_get(&t, r, id);
            if (strcmp(s ? s : "-", c[i].state) != 0 || strcmp(w ? w : "-", c[i].cause) != 0) continue;
            fputs(told++ ? ", " : "", f), html_text(f, name ? name : "-");
        }
        fputs("</p></details></td></tr>\n", f);
    }
    if (!rc && n) fputs("</tbody>\n</table>\n</section>\n", f);
    mem_free(c);
    tsv_free(&t);
    return rc;
}

/* ---- the page ---- */

static void frame(FILE *f, size_t n, bool mapped, const double share[2])
{
    fputs("<a class=\"skip\" href=\"#table\">To the table</a>\n<header>\n<h1>CryoLex results</h1>\n", f);
    html_printf(f, "%zu queries.", n);
    fputs("</header>\n<main>\n", f);
    if (mapped) {
        fputs("<section id=\"map\">\n<h2>The space of embeddings</h2>\n<div class=\"controls\"><label>Colour by <select id=\"colour\"><option value=\"family\">family</option>"
              "<option value=\"resolution\">resolution</option><option value=\"confidence\">confidence</option></select></label></div>\n"
              "<div class=\"map\"><div id=\"plot\"></div><div id=\"legend\"></div></div>\n<p class=\"hint\">", f);
        html_printf(f, "The first two principal components; they tell %.0f and %.0f %% of the variance. A point is a query; near ones are alike.", 100 * share[0], 100 * share[1]);
        fputs(" <span id=\"pointed\" role=\"status\"></span></p>\n</section>\n", f);
    }
    fputs("<section id=\"table\">\n<h2>Queries</h2>\n<div class=\"controls\"><label>Filter <input id=\"filter\" type=\"search\" autocomplete=\"off\" placeholder=\"any words: name, title, family\"></label>"
          "<label>Confidence <select id=\"least\"><option value=\"-1\">any</option><option value=\"0.5\">0.5 and more</option><option value=\"0.9\">0.9 and more</option></select></label>"
          "<label>Known <select id=\"novel\"><option value=\"\">all</option><option value=\"known\">known</option><option value=\"novel\">unlike anything</option></select></label>"
          "<span id=\"count\" role=\"status\"></span></div>\n<div id=\"rows\"></div>\n<div class=\"pager\"><button type=\"button\" id=\"back\">Back</button><span id=\"where\"></span>"
          "<button type=\"button\" id=\"next\">Next</button></div>\n<noscript><p>The table needs JavaScript; the same is in the results' own files.</p></noscript>\n</section>\n", f);
}

int overview_write(const char *dir, const json_t *answers, const char *const *name, const char *sweep, err_t *err)
{
    char path[4096];
    outfile_t out = {0};
    double share[2] = {0};
    json_t *rows = json_array(), *answer;
    size_t i;
    json_array_foreach(answers, i, answer) json_array_append_new(rows, row_of(answer, name[i]));
    int rc = sweep ? place(rows, answers, sweep, share, err) : 0;
    snprintf(path, sizeof path, "%s/index.html", dir);
    if (!rc && !(rc = outfile_open(&out, path, err))) {
        page_head(out.f, "CryoLex results", false);
        frame(out.f, json_array_size(answers), share[0] > 0, share);
        rc = sweep ? failures(out.f, sweep, err) : 0;
        fputs("</main>\n<script type=\"application/json\" id=\"data\">", out.f);
        html_json(out.f, rows);
        fputs("</script>\n", out.f);
        page_foot(out.f, overview_js);
        if (rc) outfile_abort(&out);
        else rc = outfile_close(&out, err);
    }
    json_decref(rows);
    return rc;
}
