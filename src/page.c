/* page: head and frame of the page of a query (see page.h). The sections are in page_*.c. */
#include "src/page.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/mem.h"
#include "src/html.h"
#include "src/page_priv.h"
#include "src/page_text.h"
#include "src/png.h"
#include "src/results.h"

void page_text(FILE *f, const char *const *line)
{
    for (; *line; line++) fputs(*line, f);
}

/* What a page may load: itself, and what lies beside it. Mol* makes functions of text. */
static const char POLICY[] = "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline' 'self' file:; script-src 'unsafe-inline' 'self' file: blob:%s; "
                             "connect-src data: blob:; worker-src blob:; font-src data:; base-uri 'none'; form-action 'none'";

void page_head(FILE *f, const char *title, bool viewer)
{
    fprintf(f, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
               "<meta http-equiv=\"Content-Security-Policy\" content=\"");
    fprintf(f, POLICY, viewer ? " 'unsafe-eval'" : "");
    fputs("\">\n<meta name=\"color-scheme\" content=\"light dark\">\n"
               "<meta name=\"generator\" content=\"CryoLex\">\n<title>", f);
    html_text(f, title);
    fputs("</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>\n", f);
    page_text(f, page_css);
    fputs("</style>\n</head>\n<body>\n", f);
}

void page_foot(FILE *f, const char *const *script)
{
    fputs("<footer>Made by CryoLex. The page needs no network; links lead outside.</footer>\n<script>\n", f);
    page_text(f, page_js);
    if (script) page_text(f, script);
    fputs("</script>\n</body>\n</html>\n", f);
}

int page_image(page_t *p, picture_t *x, const char *class, const char *alt, err_t *err)
{
    size_t n;
    bool opaque = true;
    for (size_t i = 0; opaque && i < x->w * x->h; i++) opaque = x->px[4 * i + 3] == 255 && x->px[4 * i] == x->px[4 * i + 1] && x->px[4 * i] == x->px[4 * i + 2];
    for (size_t i = 0; opaque && i < x->w * x->h; i++) x->px[i] = x->px[4 * i]; /* grey: a byte a pixel */
    unsigned char *png = png_pack(x->px, x->w, x->h, opaque ? 1 : 4, &n, err);
    if (png) {
        fprintf(p->f, "<img class=\"%s\" width=\"%zu\" height=\"%zu\" alt=\"", class, x->w, x->h);
        html_text(p->f, alt);
        fputs("\" src=\"", p->f);
        html_data(p->f, "image/png", png, n);
        fputs("\">", p->f);
    }
    mem_free(png);
    picture_free(x);
    return png ? 0 : -1;
}

void page_bar(FILE *f, double p)
{
    if (!(p >= 0 && p <= 1)) fputs("<span class=\"none\">-</span>", f);
    else fprintf(f, "<span class=\"bar\"><span style=\"width:%.0f%%\"></span></span><span class=\"num\">%.2f</span>", 100 * p, p);
}

/* ---- addresses ---- */

static size_t digits(const char *s)
{
    size_t n = 0;
    while (isdigit((unsigned char)s[n])) n++;
    return n;
}

bool page_entry_url(const char *id, char out[256])
{
    bool emd = !strncasecmp(id, "emd-", 4) || !strncasecmp(id, "emd_", 4);
    size_t n = emd ? digits(id + 4) : 0;
    if (emd && n >= 4 && n <= 6) return snprintf(out, 256, "https://www.ebi.ac.uk/emdb/EMD-%.*s", (int)n, id + 4) > 0;
    if (!isdigit((unsigned char)id[0])) return false;
    for (int i = 1; i < 4; i++)
        if (!isalnum((unsigned char)id[i])) return false;
    if (isalnum((unsigned char)id[4])) return false;
    return snprintf(out, 256, "https://www.rcsb.org/structure/%.4s", id) > 0;
}

bool page_term_url(const char *id, char out[256])
{
    size_t n = strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:.-");
    if (id[n] || n > 40) return false;
    if (!strncmp(id, "GO:", 3)) return snprintf(out, 256, "https://www.ebi.ac.uk/QuickGO/term/%s", id) > 0;
    if (!strncmp(id, "EC:", 3)) return snprintf(out, 256, "https://enzyme.expasy.org/EC/%s", id + 3) > 0;
    if (!strncmp(id, "PF", 2) && digits(id + 2) == 5) return snprintf(out, 256, "https://www.ebi.ac.uk/interpro/entry/pfam/%s/", id) > 0;
    if (strncmp(id, "CATH:", 5) != 0) return false;
    int dots = 0;
    for (const char *p = id; *p; p++) dots += *p == '.';
    return snprintf(out, 256, "https://www.cathdb.info/version/latest/%s/%s", dots == 3 ? "superfamily" : "cathnode", id + 5) > 0;
}

/* ---- the page ---- */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

/* The first hit, and whether to believe it, in a sentence. */
static void verdict(page_t *p)
{
    FILE *f = p->f;
    const json_t *hits = json_object_get(p->answer, "entries"), *first = json_array_get(hits, 0);
    double known = results_number(p->answer, "known"), c = results_number(first, "confidence");
    fputs("<p class=\"verdict\">", f);
    if (json_is_true(json_object_get(p->answer, "novel"))) {
        fputs("<strong>Unlike anything in the index</strong>: a relative is among the nearest entries ", f);
        html_printf(f, "with probability %.2f.", known);
    } else if (first) {
        fputs("Nearest entry: <a href=\"#hit-1\"><strong>", f);
        html_text(f, results_text(first, "id"));
        fputs("</strong></a>, ", f);
        html_text(f, results_text(first, "title"));
        if (c >= 0) html_printf(f, "; the same protein with probability %.2f", c);
        fputs(".", f);
    } else {
        fputs("No hits.", f);
    }
    fputs("</p>\n", f);
}

static int sections(page_t *p, err_t *err)
{
    FILE *f = p->f;
    page_head(f, p->title, p->o->molstar != NULL);
    fputs("<a class=\"skip\" href=\"#hits\">To the hits</a>\n<header>\n", f);
    if (p->o->home) fputs("<nav><a href=\"index.html\">All queries</a></nav>\n", f);
    fputs("<h1>", f);
    html_text(f, p->title);
    fputs("</h1>\n", f);
    verdict(p);
    fputs("</header>\n<main>\n", f);
    if (page_pictures(p, err) || page_fits(p, err) || page_hits(p, err) || page_terms(p, err) || page_facts(p, err) || page_downloads(p, err)) return -1;
    fputs("</main>\n", f);
    page_foot(f, NULL);
    return 0;
}

int page_print(FILE *f, const json_t *answer, const char *query, const char *title, const char *dir, const char *name, const pageopts_t *o, notes_t *notes, err_t *err)
{
    const char *said = results_text(answer, "query");
    page_t p = {.f = f, .answer = answer, .query = query, .title = title ? title : base_name(query ? query : *said ? said : "query"), .dir = dir, .name = name, .o = o, .notes = notes};
    int rc = page_read_query(&p, err);
    if (!rc) rc = sections(&p, err);
    page_free_query(&p);
    raycast_room_free(&p.room);
    return rc;
}

int page_write(const char *dir, const char *name, const json_t *answer, const char *query, const char *title, const pageopts_t *o, notes_t *notes, err_t *err)
{
    size_t room = strlen(dir) + strlen(name) + 8;
    char *path = mem_new(room, 1, err);
    outfile_t out = {0};
    int rc = -1;
    if (!path) return -1;
    snprintf(path, room, "%s/%s.html", dir, name);
    if (!outfile_open(&out, path, err)) {
        rc = page_print(out.f, answer, query, title, dir, name, o, notes, err);
        if (rc) outfile_abort(&out);
        else rc = outfile_close(&out, err);
    }
    mem_free(path);
    return rc;
}
