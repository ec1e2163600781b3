/* page_hits: the table of hits, with a thumbnail each, and the terms with what supports them (see page_priv.h). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "pipeline/structures.h"
#include "src/html.h"
#include "src/page_priv.h"
#include "src/results.h"
#include "voxel/contour.h"
#include "voxel/desc.h"
#include "voxel/turn.h"

enum { THUMB = 132 }; /* pixels */

long page_entry_row(const page_t *p, const char *id)
{
    const index_t *x = p->o->index;
    for (size_t i = 0; x && x->text[INDEX_ID] && i < x->n; i++)
        if (!strcmp(x->text[INDEX_ID][i], id)) return (long)i;
    return -1;
}

static const char *of_entry(const page_t *p, long row, int column)
{
    const index_t *x = p->o->index;
    return row >= 0 && x->text[column] ? x->text[column][row] : "";
}

char *page_entry_file(const page_t *p, const char *id)
{
    err_t none = {0};
    const char *own = of_entry(p, page_entry_row(p, id), INDEX_PATH);
    if (*own && !access(own, R_OK)) return mem_str(own, NULL);
    return p->o->structures ? structures_find(p->o->structures, id, &none) : NULL;
}

/* ---- thumbnails ---- */

/* The turn of a cube that agrees best with the query's. */
static int best_turn(const page_t *p, const int8_t cube[DESC_LEN], err_t *err)
{
    float *turns = p->q.unit ? mem_new((size_t)DESC_TURNS * DESC_LEN, sizeof *turns, err) : NULL;
    double most = -2;
    int best = 0;
    if (!turns) return 0;
    desc_turns(cube, turns);
    for (int k = 0; k < DESC_TURNS; k++) {
        double dot = 0;
        for (size_t i = 0; i < DESC_LEN; i++) dot += (double)(turns[(size_t)k * DESC_LEN + i] * p->q.unit[i]);
        if (dot > most) most = dot, best = k;
    }
    mem_free(turns);
    return best;
}

/* A cube (side^3) of a body of this radius of gyration, seen from a little above and aside. */
static int thumbnail(page_t *p, const float *cube, size_t side, double rg, int turn, const char *alt, err_t *err)
{
    static const double oblique[3][3] = {{0.906, 0, -0.423}, {-0.131, 0.951, -0.280}, {0.402, 0.309, 0.862}};
    camera_t c = {.w = THUMB, .h = THUMB};
    contour_t level;
    err_t own = {0};
    surface_t *s = NULL;
    picture_t x;
    vol_t *v = vol_new(side, side, side, CUBE_EDGE * rg / (double)side, err);
    int rc = v ? 0 : -1;
    if (!rc) turn_cube(cube, side, turn, v->data);
    if (!rc && !contour_estimate(v, &level, &own)) s = surface_new(v, level.level, 0.02, &own);
    if (s) {
        raycast_frame(s, NULL, 0, c.centre, &c.half);
        c.half *= 1.2; /* seen aslant */
        memcpy(c.turn, oblique, sizeof oblique);
        picture_rgb(PICTURE_COLOUR, c.colour);
        rc = picture_surface(s, &c, &p->room, &x, err) || page_image(p, &x, "thumb", alt, err) ? -1 : 0;
    } else if (!rc) {
        fputs("<span class=\"none\">no picture</span>", p->f);
    }
    surface_free(s);
    vol_free(v);
    return rc;
}

/* From the entry's file; 1 drawn, 0 there is none that can be read, -1. */
static int of_file(page_t *p, const char *id, const char *alt, err_t *err)
{
    err_t own = {0};
    record_t r;
    char *path = p->o->describer ? page_entry_file(p, id) : NULL;
    if (!path) return 0;
    describer_t d = *p->o->describer;
    d.cubes = true;
    d.side = 0;
    const item_t it = {.id = id, .path = path, .contour = (double)NAN};
    int rc = describe_file(&d, &it, &r, NULL, &own);
    if (rc) {
        notes_add(p->notes, "%s", own.msg);
        mem_free(path);
        return own.code == ERR_NOMEM ? err_set(err, own.code, "%s", own.msg) : 0;
    }
    rc = thumbnail(p, r.density, CUBE_SIDE, (double)r.rg, best_turn(p, r.cube, err), alt, err);
    record_free(&r);
    mem_free(path);
    return rc ? -1 : 1;
}

static int of_index(page_t *p, long row, const char *alt, err_t *err)
{
    const index_t *x = p->o->index;
    float cube[DESC_LEN];
    if (row < 0 || !x->cube) {
        fputs("<span class=\"none\">no picture</span>", p->f);
        return 0;
    }
    const int8_t *packed = x->cube + (size_t)row * DESC_LEN;
    for (size_t i = 0; i < DESC_LEN; i++) cube[i] = packed[i];
    return thumbnail(p, cube, DESC_SIDE, (double)x->rg[row], best_turn(p, packed, err), alt, err);
}

/* ---- hits ---- */

static void number_cell(FILE *f, const char *label, double v, const char *format)
{
    fprintf(f, "<td data-label=\"%s\" data-sort=\"%.6g\">", label, isfinite(v) ? v : -1e9);
    if (isfinite(v)) html_printf(f, format, v);
    else fputs("-", f);
    fputs("</td>\n", f);
}

/* A word for a shell: as it is, or in single quotes. It goes from the page to somebody's terminal. */
static void shell_word(FILE *f, const char *s)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./+:@%";
    char *quoted = NULL, *to;
    if (*s && strspn(s, plain) == strlen(s)) {
        html_text(f, s);
        return;
    }
    if (!(to = quoted = mem_new(4 * strlen(s) + 3, 1, NULL))) return;
    *to++ = '\'';
    for (; *s; s++) {
        if (*s == '\'') to = stpcpy(to, "'\\''");
        else *to++ = *s;
    }
    strcpy(to, "'");
    html_text(f, quoted);
    mem_free(quoted);
}

static void command(page_t *p, const char *id)
{
    FILE *f = p->f;
    fputs("<div class=\"command\"><code>cryolex search", f);
    if (p->o->index_path) fputs(" -i ", f), shell_word(f, p->o->index_path);
    fputs(" --like=", f);
    shell_word(f, id);
    fputs("</code> <button type=\"button\" class=\"copy\">Copy</button></div>\n", f);
}

static void more(page_t *p, const json_t *hit, long row)
{
    static const struct {
        const char *key, *label, *format;
    } numbers[] = {{"score", "score", "%.2f"}, {"cosine", "cosine of the embeddings", "%.3f"}, {"cube", "correlation of the cubes", "%.3f"},
                   {"distance", "distance", "%.4f"}, {"fit", "correlation where it was placed", "%.3f"}};
    FILE *f = p->f;
    double size = results_number(hit, "dlog_rg");
    fputs("<details><summary>More</summary>\n<dl class=\"facts\">\n", f);
    for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++) {
        double v = results_number(hit, numbers[k].key);
        if (isnan(v)) continue;
        fprintf(f, "<div><dt>%s</dt><dd>", numbers[k].label);
        html_printf(f, numbers[k].format, v);
        fputs("</dd></div>\n", f);
    }
    if (!isnan(size)) fputs("<div><dt>size beside the query</dt><dd>", f), html_printf(f, "%+.0f %%", 100 * (exp(size) - 1)), fputs("</dd></div>\n", f);
    if (*of_entry(p, row, INDEX_METHOD)) fputs("<div><dt>method</dt><dd>", f), html_text(f, of_entry(p, row, INDEX_METHOD)), fputs("</dd></div>\n", f);
    fputs("</dl>\n<p>Search with this hit:</p>\n", f);
    command(p, results_text(hit, "id"));
    fputs("</details>\n", f);
}

static int one_hit(page_t *p, size_t rank, const json_t *hit, err_t *err)
{
    FILE *f = p->f;
    const char *id = results_text(hit, "id"), *resolution;
    long row = page_entry_row(p, id);
    char url[256], alt[128];
    snprintf(alt, sizeof alt, "Shape of %.60s", id);
    fprintf(f, "<tr id=\"hit-%zu\">\n<td data-label=\"Rank\" data-sort=\"%zu\">%zu</td>\n<td class=\"pic\">", rank, rank, rank);
    int rc = of_file(p, id, alt, err);
    if (rc < 0 || (!rc && of_index(p, row, alt, err))) return -1;
    fputs("</td>\n<td data-label=\"Entry\" class=\"what\" data-sort=\"", f);
    html_text(f, id);
    fputs("\"><strong class=\"id\">", f);
    html_text(f, id);
    fputs("</strong> ", f);
    if (page_entry_url(id, url)) fputs("<a href=\"", f), html_text(f, url), fprintf(f, "\" rel=\"noopener\">%s</a>", strstr(url, "emdb") ? "EMDB" : "PDB");
    fputs("<p>", f);
    html_text(f, results_text(hit, "title"));
    fputs("</p>\n", f);
    more(p, hit, row);
    fprintf(f, "</td>\n<td data-label=\"Confidence\" data-sort=\"%.6g\">", results_number(hit, "confidence") >= 0 ? results_number(hit, "confidence") : -1.0);
    page_bar(f, results_number(hit, "confidence"));
    fputs("</td>\n", f);
    number_cell(f, "Score", results_number(hit, "score"), "%.2f");
    fputs("<td data-label=\"Organism\"><i>", f);
    html_text(f, *of_entry(p, row, INDEX_ORGANISMS) ? of_entry(p, row, INDEX_ORGANISMS) : "-");
    fputs("</i></td>\n", f);
    resolution = of_entry(p, row, INDEX_RESOLUTION);
    number_cell(f, "Resolution", *resolution ? strtod(resolution, NULL) : (double)NAN, "%.2f \303\205");
    fputs("</tr>\n", f);
    return 0;
}

int page_hits(page_t *p, err_t *err)
{
    static const char *const column[] = {"Rank", NULL, "Entry", "Confidence", "Score", "Organism", "Resolution"};
    const json_t *hits = json_object_get(p->answer, "entries"), *hit;
    FILE *f = p->f;
    size_t i;
    fputs("<section id=\"hits\">\n<h2>Nearest entries</h2>\n", f);
    if (p->q.density) {
        fputs("<figure class=\"alike\">", f);
        if (thumbnail(p, p->q.density, CUBE_SIDE, p->q.rg, 0, "Shape of the query", err)) return -1;
        fputs("<figcaption>The query, as the hits below are turned: on its principal axes, smoothed as it is compared</figcaption></figure>\n", f);
    }
    if (!json_array_size(hits)) {
        fputs("<p>None.</p>\n</section>\n", f);
        return 0;
    }
    fputs("<table class=\"hits sortable stack\">\n<thead><tr>", f);
    for (size_t k = 0; k < sizeof column / sizeof *column; k++)
        if (column[k]) fprintf(f, "<th scope=\"col\"><button type=\"button\">%s</button></th>", column[k]);
        else fputs("<th scope=\"col\"><span class=\"hidden\">Picture</span></th>", f);
    fputs("</tr></thead>\n<tbody>\n", f);
    json_array_foreach(hits, i, hit) if (one_hit(p, i + 1, hit, err)) return -1;
    fputs("</tbody>\n</table>\n</section>\n", f);
    return 0;
}

/* ---- terms ---- */

static const struct {
    const char *name, *heading;
} space[] = {{"molecular_function", "Molecular function"}, {"biological_process", "Biological process"}, {"cellular_component", "Cellular component"}, {"ec", "Enzyme class"},
             {"pfam", "Protein family"}, {"cath", "Fold"}, {"molecule", "Molecule"}};
enum { SPACES = sizeof space / sizeof *space };

static size_t space_of(const json_t *term)
{
    size_t s = 0;
    while (s < SPACES && strcmp(space[s].name, results_text(term, "namespace")) != 0) s++;
    return s;
}

/* Links to the hits on this page that have the term. */
static void evidence(page_t *p, const json_t *term)
{
    const json_t *list = json_object_get(term, "nearest"), *hits = json_object_get(p->answer, "entries"), *v, *hit;
    double n = results_number(term, "hits"), text = results_number(term, "text");
    FILE *f = p->f;
    size_t i, k;
    json_array_foreach(list, i, v) {
        const char *id = json_string_value(v);
        size_t at = 0;
        if (!id) continue;
        json_array_foreach(hits, k, hit) if (!at && !strcmp(results_text(hit, "id"), id)) at = k + 1;
        if (at) fprintf(f, "<a href=\"#hit-%zu\">", at);
        html_text(f, id);
        fputs(at ? "</a> " : " ", f);
    }
    if (n > (double)json_array_size(list)) html_printf(f, "and %.0f more", n - (double)json_array_size(list));
    if (!(n > 0)) fputs("none; by its text alone", f);
    if (!isnan(text)) html_printf(f, " (text %+.2f)", text);
}

static void one_term(page_t *p, const json_t *term)
{
    FILE *f = p->f;
    const char *id = results_text(term, "id"), *name = results_text(term, "name");
    char url[256];
    fputs("<tr>\n<td data-label=\"Term\" class=\"what\">", f);
    html_text(f, *name ? name : *id ? id : "-");
    if (*id && *name) {
        bool link = page_term_url(id, url);
        fputs(" <span class=\"id\">", f);
        if (link) fputs("<a rel=\"noopener\" href=\"", f), html_text(f, url), fputs("\">", f);
        html_text(f, id);
        fputs(link ? "</a></span>" : "</span>", f);
    }
    fputs("</td>\n<td data-label=\"Probability\">", f);
    page_bar(f, results_number(term, "confidence"));
    fputs("</td>\n<td data-label=\"Hits that have it\">", f);
    evidence(p, term);
    fputs("</td>\n</tr>\n", f);
}

int page_terms(page_t *p, err_t *err)
{
    const json_t *terms = json_object_get(p->answer, "terms"), *term;
    FILE *f = p->f;
    size_t i;
    (void)err;
    if (json_object_get(p->answer, "of_search")) return 0;
    fputs("<section id=\"terms\">\n<h2>What it does</h2>\n", f);
    if (!json_array_size(terms)) fputs("<p>No term is confident enough.</p>\n", f);
    for (size_t s = 0; s <= SPACES; s++) {
        bool any = false;
        json_array_foreach(terms, i, term) {
            if (space_of(term) != s) continue;
            if (!any) fprintf(f, "<h3>%s</h3>\n<table class=\"terms stack\">\n<thead><tr><th scope=\"col\">Term</th><th scope=\"col\">Probability</th><th scope=\"col\">Hits that have it</th></tr></thead>\n<tbody>\n",
                              s < SPACES ? space[s].heading : "Other");
            any = true;
            one_term(p, term);
        }
        if (any) fputs("</tbody>\n</table>\n", f);
    }
    fputs("</section>\n", f);
    return 0;
}
