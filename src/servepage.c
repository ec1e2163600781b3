/* servepage: the pages of cryolex serve (see servepage.h). */
#include "src/servepage.h"

#include <ctype.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

const char servepage_css[] =
    ":root{color-scheme:light dark;--line:#8884;--soft:#8882;--link:#0b5394}\n"
    "@media(prefers-color-scheme:dark){:root{--link:#8ec7ff}}\n"
    "*{box-sizing:border-box}\n"
    "body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:60rem;padding:1rem}\n"
    "a{color:var(--link)}h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}\n"
    "form{display:grid;gap:1rem;max-width:28rem}label{display:grid;gap:.25rem}\n"
    "input,button{font:inherit;padding:.4rem}button{justify-self:start;padding:.4rem 1.2rem}\n"
    ":focus-visible{outline:3px solid var(--link);outline-offset:2px}\n"
    ".facts{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}.facts dd{margin:0;overflow-wrap:anywhere}\n"
    ".wide{overflow-x:auto}table{border-collapse:collapse;width:100%}\n"
    "th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}\n"
    "td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}tbody tr:hover{background:var(--soft)}\n"
    "progress{width:100%}.why{border-left:4px solid #c33;padding:.3rem .8rem}.note{opacity:.8}\n"
    "@media print{nav,form,button{display:none}body{max-width:none}}\n";

const char servepage_js[] =
    "'use strict';\n"
    "const say = text => { document.getElementById('say').textContent = text; };\n"
    "const form = document.querySelector('form');\n"
    "if (form) form.addEventListener('submit', e => {\n"
    "  e.preventDefault();\n"
    "  const file = form.elements.file.files[0], bar = form.querySelector('progress'), button = form.querySelector('button');\n"
    "  if (!file) return say('Choose a file first.');\n"
    "  if (file.size > Number(form.dataset.max)) return say('The file is larger than ' + Number(form.dataset.max) / 1048576 + ' MiB, the most that is taken.');\n"
    "  const q = new URLSearchParams({name: file.name});\n"
    "  for (const k of ['contour', 'apix']) if (form.elements[k].value.trim()) q.set(k, form.elements[k].value.trim());\n"
    "  const x = new XMLHttpRequest();\n"
    "  const end = text => { say(text); bar.hidden = true; button.disabled = false; };\n"
    "  x.open('POST', '/api/query?' + q);\n"
    "  x.responseType = 'json';\n"
    "  x.setRequestHeader('Content-Type', 'application/octet-stream');\n"
    "  x.upload.onprogress = p => { bar.value = p.loaded / p.total; };\n"
    "  x.onload = () => x.status === 201 ? location.assign('/query/' + x.response.id) : end(x.response ? x.response.error : 'Status ' + x.status);\n"
    "  x.onerror = () => end('The connection broke.');\n"
    "  bar.hidden = false; bar.value = 0; button.disabled = true; say('Uploading ' + file.name);\n"
    "  x.send(file);\n"
    "});\n"
    "const main = document.querySelector('main[data-id]');\n"
    "const look = async () => {\n"
    "  try {\n"
    "    const r = await fetch('/api/query/' + main.dataset.id), j = await r.json();\n"
    "    if (j.state === 'waiting') say(['Yours is next.', 'One query is before yours.'][j.ahead] ?? j.ahead + ' queries are before yours.');\n"
    "    else if (j.state === 'running') say('Being computed, for ' + Math.round(j.seconds) + ' s.');\n"
    "    else return location.reload();\n"
    "  } catch (e) { say('The server does not answer; trying again.'); }\n"
    "  setTimeout(look, 1000);\n"
    "};\n"
    "if (main) look();\n";

/* ---- text ---- */

static void put(FILE *f, const char *s)
{
    for (; *s; s++) {
        const char *entity = *s == '&' ? "&amp;" : *s == '<' ? "&lt;" : *s == '>' ? "&gt;" : *s == '"' ? "&quot;" : *s == '\'' ? "&#39;" : NULL;
        if (entity) fputs(entity, f);
        else fputc(*s, f);
    }
}

static void head(FILE *f, const char *title, bool waits)
{
    fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n", f);
    if (waits) fputs("<noscript><meta http-equiv=\"refresh\" content=\"2\"></noscript>\n", f);
    fputs("<title>", f);
    put(f, title);
    fputs(" - CryoLex</title><link rel=\"stylesheet\" href=\"/serve.css\"><link rel=\"icon\" href=\"data:,\"></head><body>\n", f);
}

static char *finish(FILE *f, char **text, const size_t *n, size_t *out)
{
    if (!f) return NULL;
    fputs("</body></html>\n", f);
    bool bad = ferror(f);
    if (fclose(f) || bad) {
        free(*text);
        return NULL;
    }
    *out = *n;
    return *text;
}

/* ---- a result: the object that annotate --format json prints ---- */

static const char *text_of(const json_t *j, const char *key)
{
    const char *s = json_string_value(json_object_get(j, key));
    return s ? s : "";
}

static double number_of(const json_t *j, const char *key)
{
    const json_t *x = json_object_get(j, key);
    return json_is_number(x) ? json_number_value(x) : (double)NAN;
}

static void cell(FILE *f, const char *format, double x)
{
    fputs("<td class=\"n\">", f);
    if (isnan(x)) fputs("-", f);
    else fprintf(f, format, x);
    fputs("</td>", f);
}

/* Where a term or an entry is told of; only ids of the form that the archive has become part of an address. */
static void link_of(FILE *f, const char *id)
{
    static const struct {
        const char *prefix, *first, *rest;
        size_t skip, least, most;
        const char *url;
    } known[] = {{"GO:", "0123456789", "0123456789", 0, 7, 7, "https://amigo.geneontology.org/amigo/term/"},
                 {"EC:", "1234567", "0123456789.n", 3, 1, 20, "https://enzyme.expasy.org/EC/"},
                 {"PF", "0123456789", "0123456789", 0, 5, 5, "https://www.ebi.ac.uk/interpro/entry/pfam/"},
                 {"EMD-", "0123456789", "0123456789", 0, 4, 6, "https://www.ebi.ac.uk/emdb/"},
                 {"", "123456789", "0123456789abcdefghijklmnopqrstuvwxyz", 0, 4, 4, "https://www.rcsb.org/structure/"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t n = strlen(known[i].prefix), rest = strlen(id) - (strncmp(id, known[i].prefix, n) ? 0 : n);
        if (strncmp(id, known[i].prefix, n) != 0 || rest < known[i].least || rest > known[i].most || !strchr(known[i].first, id[n]) ||
            strspn(id + n, known[i].rest) != rest)
            continue;
        fprintf(f, "<a rel=\"noreferrer\" href=\"%s%s\">%s</a>", known[i].url, id + known[i].skip, id);
        return;
    }
    put(f, id);
}

static void facts(FILE *f, const json_t *r)
{
    const json_t *s = json_object_get(r, "symmetry");
    fprintf(f, "<dl class=\"facts\"><dt>Radius of gyration</dt><dd>%.1f &Aring;</dd><dt>Envelope</dt><dd>%.4g nm&sup3;</dd><dt>Mass, about</dt><dd>%.4g kDa</dd>",
            number_of(r, "rg"), number_of(r, "volume") / 1000, number_of(r, "mass_kda"));
    if (s) {
        fputs("<dt>Symmetry</dt><dd>", f);
        put(f, text_of(s, "group"));
        fprintf(f, " (%.2f)</dd>", number_of(s, "score"));
    }
    fputs("</dl>\n", f);
    if (json_is_true(json_object_get(r, "novel")))
        fprintf(f, "<p class=\"why\">Unlike anything in the index (a relative is among the nearest with probability %.2f): no function is told.</p>\n",
                number_of(r, "known"));
}

static void entries(FILE *f, const json_t *list)
{
    size_t i;
    json_t *h;
    fputs("<h2>Nearest entries</h2><div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Nearest entries\"><table><thead><tr><th scope=\"col\">Entry</th><th scope=\"col\">Title</th>"
          "<th scope=\"col\" class=\"n\">Confidence</th><th scope=\"col\" class=\"n\">Cosine</th><th scope=\"col\" class=\"n\">Cube</th><th scope=\"col\" class=\"n\">Size</th></tr></thead><tbody>\n",
          f);
    json_array_foreach(list, i, h)
    {
        fputs("<tr><td>", f);
        link_of(f, text_of(h, "id"));
        fputs("</td><td>", f);
        put(f, text_of(h, "title"));
        fputs("</td>", f);
        cell(f, "%.2f", number_of(h, "confidence"));
        cell(f, "%.2f", number_of(h, "cosine"));
        cell(f, "%.2f", number_of(h, "cube"));
        cell(f, "%+.0f%%", 100 * (exp(number_of(h, "dlog_rg")) - 1));
        fputs("</tr>\n", f);
    }
    fputs("</tbody></table></div>\n", f);
}

/* One row; those of a namespace follow one another under its name. */
static void term(FILE *f, const json_t *t, const char *last)
{
    size_t i;
    json_t *near;
    const char *space = text_of(t, "namespace");
    if (strcmp(space, last) != 0) {
        fputs("<tr><th scope=\"rowgroup\" colspan=\"4\">", f);
        for (const char *s = space; *s; s++) fputc(*s == '_' ? ' ' : isalnum((unsigned char)*s) ? *s : '?', f);
        fputs("</th></tr>\n", f);
    }
    fputs("<tr><td>", f);
    link_of(f, text_of(t, "id"));
    fputs("</td><td>", f);
    put(f, text_of(t, "name"));
    fputs("</td>", f);
    cell(f, "%.2f", number_of(t, "confidence"));
    fputs("<td>", f);
    json_array_foreach(json_object_get(t, "nearest"), i, near)
    {
        if (i) fputc(' ', f);
        link_of(f, json_string_value(near) ? json_string_value(near) : "");
    }
    fputs("</td></tr>\n", f);
}

static void terms(FILE *f, const json_t *list)
{
    size_t i;
    json_t *t;
    const char *last = "";
    fputs("<h2>What it does</h2>", f);
    if (!json_array_size(list)) {
        fputs("<p>No term is confident enough.</p>\n", f);
        return;
    }
    fputs("<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Terms\"><table><thead><tr><th scope=\"col\">Term</th><th scope=\"col\">Name</th>"
          "<th scope=\"col\" class=\"n\">Confidence</th><th scope=\"col\">Nearest entries that have it</th></tr></thead><tbody>\n",
          f);
    json_array_foreach(list, i, t)
    {
        term(f, t, last);
        last = text_of(t, "namespace");
    }
    fputs("</tbody></table></div>\n", f);
}

static void result(FILE *f, const job_t *j)
{
    json_t *r = json_loads(j->result, 0, NULL);
    facts(f, r);
    entries(f, json_object_get(r, "entries"));
    terms(f, json_object_get(r, "terms"));
    json_decref(r);
    fprintf(f, "<p class=\"note\">Computed in %.1f s. <a href=\"/api/query/%s\" download=\"cryolex.json\">As JSON</a></p>\n", j->took, j->id);
}

/* ---- pages ---- */

char *servepage_query(const job_t *j, size_t ahead, size_t *n)
{
    char *text = NULL;
    size_t len = 0;
    bool waits = j->state == JOB_WAITING || j->state == JOB_RUNNING;
    FILE *f = open_memstream(&text, &len);
    if (!f) return NULL;
    head(f, j->name, waits);
    if (waits) fprintf(f, "<main data-id=\"%s\">", j->id);
    else fputs("<main>", f);
    fputs("<h1>", f);
    put(f, j->name);
    fputs("</h1>\n", f);
    if (j->state == JOB_DONE) {
        result(f, j);
    } else if (j->state == JOB_FAILED) {
        fputs("<p class=\"why\">", f);
        put(f, j->why);
        fputs("</p>\n", f);
    } else {
        fputs("<p id=\"say\" role=\"status\" aria-live=\"polite\">", f);
        if (j->state == JOB_RUNNING) fprintf(f, "Being computed, for %.0f s.", clock_wall() - j->since);
        else if (ahead > 1) fprintf(f, "%zu queries are before yours.", ahead);
        else fputs(ahead ? "One query is before yours." : "Yours is next.", f);
        fputs("</p><progress></progress>\n", f);
    }
    fputs("<nav><p><a href=\"/\">Another query</a></p></nav></main>\n", f);
    if (waits) fputs("<script src=\"/serve.js\"></script>", f);
    return finish(f, &text, &len, n);
}

char *servepage_upload(const joblimits_t *lim, size_t *n)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    if (!f) return NULL;
    head(f, "What is this map?", false);
    fprintf(f,
            "<main><h1>What is this map, and what does it do?</h1>\n"
            "<form data-max=\"%zu\"><label>Map (MRC, CCP4, HDF5, TIFF, Situs, OpenDX, SPIDER, EM; also compressed) or model (PDB, mmCIF), up to %zu MiB"
            "<input type=\"file\" name=\"file\" required></label>\n"
            "<label>Contour level, if you know it<input name=\"contour\" inputmode=\"decimal\" autocomplete=\"off\"></label>\n"
            "<label>Voxel size in angstrom, where the file has none<input name=\"apix\" inputmode=\"decimal\" autocomplete=\"off\"></label>\n"
            "<button>Search</button><progress max=\"1\" hidden></progress><p id=\"say\" role=\"status\" aria-live=\"polite\"></p></form>\n"
            "<noscript><p>Without JavaScript: <code>curl --data-binary @map.mrc http://.../api/query?name=map.mrc</code>, then look at /query/ID.</p></noscript>\n"
            "<p class=\"note\">Queries are computed one after another. Files are deleted when they have been read, results after %.0f minutes.</p></main>\n"
            "<script src=\"/serve.js\"></script>",
            lim->upload, lim->upload >> 20, lim->age / 60);
    return finish(f, &text, &len, n);
}

char *servepage_error(unsigned status, const char *why, size_t *n)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    if (!f) return NULL;
    head(f, "Error", false);
    fprintf(f, "<main><h1>%u</h1><p class=\"why\">", status);
    put(f, why);
    fputs("</p><nav><p><a href=\"/\">A query</a></p></nav></main>", f);
    return finish(f, &text, &len, n);
}
