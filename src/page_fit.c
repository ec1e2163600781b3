/* page_fit: hits placed in the map, as pictures and for the viewer Mol*; what can be taken away (see page_priv.h). */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/tsv.h"
#include "pdb/pdb.h"
#include "pipeline/target.h"
#include "src/cxc.h"
#include "src/html.h"
#include "src/page_priv.h"
#include "src/results.h"
#include "voxel/resample.h"

enum { VIEW = 360, SCENE_SIDE = 72, SCENE_ATOMS = 99999, LEVEL = 40 }; /* pixels; voxels; atoms; of the scene's map, -128 to 127 */

/* A hit that was placed. */
typedef struct {
    const char *id;
    char *file; /* in the page's folder */
    fit_t fit;
    model_t *m; /* as it lies in its own file */
} placed_t;

static void placed_free(placed_t *h)
{
    mem_free(h->file);
    model_free(h->m);
}

/* ---- the scene of Mol* ---- */

static void put32(unsigned char *p, int32_t v)
{
    for (int i = 0; i < 4; i++) p[i] = (unsigned char)((uint32_t)v >> 8 * i);
}

static void putf(unsigned char *p, double v)
{
    float x = (float)v;
    int32_t bits;
    memcpy(&bits, &x, sizeof bits);
    put32(p, bits);
}

/* An MRC2014 file of bytes in which the surface is at LEVEL and the background at 0. *n bytes; mem_free(). */
static unsigned char *scene_map(const subject_t *q, size_t *n, err_t *err)
{
    const vol_t *from = q->s->v;
    const size_t have[3] = {from->nx, from->ny, from->nz};
    size_t side[3], longest = have[0] > have[1] ? have[0] : have[1];
    longest = longest > have[2] ? longest : have[2];
    for (int d = 0; d < 3; d++) side[d] = longest > SCENE_SIDE ? (have[d] * SCENE_SIDE + longest - 1) / longest : have[d];
    vol_t *v = resample_box(from, side[0], side[1], side[2], err);
    *n = v ? 1024 + vol_len(v) : 0;
    unsigned char *out = v ? mem_zero(*n, 1, err) : NULL;
    for (int d = 0; out && d < 3; d++) {
        put32(out + 4 * d, (int32_t)side[d]);
        put32(out + 28 + 4 * d, (int32_t)side[d]);
        putf(out + 40 + 4 * d, (double)side[d] * v->voxel[d]);
        putf(out + 52 + 4 * d, 90);
        put32(out + 64 + 4 * d, d + 1);
        putf(out + 196 + 4 * d, v->origin[d]);
    }
    double low = q->level - fabs(q->level) * 1e-6, sum = 0, square = 0;
    for (size_t i = 0; out && i < vol_len(v); i++) low = fmin(low, (double)v->data[i]);
    for (size_t i = 0; out && i < vol_len(v); i++) {
        double x = fmin(127, floor(LEVEL * ((double)v->data[i] - low) / (q->level - low) + 0.5));
        out[1024 + i] = (unsigned char)x;
        sum += x;
        square += x * x;
    }
    if (out) {
        double mean = sum / (double)vol_len(v);
        putf(out + 76, 0), putf(out + 80, 127), putf(out + 84, mean), putf(out + 216, sqrt(fmax(0, square / (double)vol_len(v) - mean * mean)));
        put32(out + 88, 1), put32(out + 108, 20140);
        memcpy(out + 208, "MAP DD\0\0", 8);
    }
    vol_free(v);
    return out;
}

/* The backbone, and ligands, of a model where it was placed, as PDB lines. */
static void scene_model(FILE *f, const placed_t *h)
{
    static const char chains[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    static const char *const keep[] = {"N", "CA", "C", "O", "P", "O5'", "C5'", "C4'", "C3'", "O3'", "C1'"};
    size_t n = 0;
    for (size_t i = 0; i < h->m->n && n < SCENE_ATOMS; i++) {
        const atom_t *a = &h->m->atom[i];
        const double at[3] = {(double)a->x, (double)a->y, (double)a->z};
        double x[3];
        bool polymer = a->kind == KIND_PROTEIN || a->kind == KIND_NUCLEIC, take = !polymer;
        for (size_t k = 0; !take && k < sizeof keep / sizeof *keep; k++) take = !strncmp(a->name, keep[k], 4);
        if (!take) continue;
        pose_apply(&h->fit.pose, at, x);
        if (fabs(x[0]) > 9999 || fabs(x[1]) > 9999 || fabs(x[2]) > 9999) continue;
        char name[5] = "", res[4] = "";
        snprintf(name, sizeof name, strnlen(a->name, 4) < 4 ? " %.4s" : "%.4s", a->name);
        snprintf(res, sizeof res, "%.3s", a->resname);
        fprintf(f, "%-6s%5zu %-4s %3s %c%4u    %8.3f%8.3f%8.3f  1.00  0.00\n", polymer ? "ATOM" : "HETATM", ++n, name, res, chains[a->chain % (sizeof chains - 1)],
                (unsigned)(a->residue % 10000), x[0], x[1], x[2]);
    }
}

static int scene(page_t *p, const placed_t *h, size_t n, err_t *err)
{
    FILE *f = p->f;
    size_t bytes;
    unsigned char *map = scene_map(&p->q, &bytes, err);
    if (!map) return -1;
    fputs("<script type=\"text/plain\" id=\"scene-map\">", f);
    html_data(f, "application/octet-stream", map, bytes);
    fprintf(f, "</script>\n");
    mem_free(map);
    for (size_t i = 0; i < n; i++) {
        char *text = NULL;
        size_t size = 0;
        FILE *lines = open_memstream(&text, &size);
        if (!lines) return err_set(err, ERR_NOMEM, "memory: a model");
        scene_model(lines, &h[i]);
        fclose(lines);
        fputs("<script type=\"text/plain\" class=\"scene-model\" data-label=\"", f);
        html_text(f, h[i].id);
        fputs("\">", f);
        html_data(f, "text/plain", text, size);
        fputs("</script>\n", f);
        free(text);
    }
    fprintf(f, "<div class=\"stage\"><button type=\"button\" id=\"open-3d\" data-level=\"%d\">Show in 3D</button>"
               "<p class=\"hint\">Drag to turn, scroll to zoom. Needs WebGL and the folder <code>molstar</code> beside this page.</p></div>\n", LEVEL);
    return 0;
}

static int copy(const char *from, const char *to, err_t *err)
{
    size_t n;
    outfile_t out;
    unsigned char *bytes = file_read(from, (size_t)1 << 28, &n, err);
    int rc = bytes ? outfile_open(&out, to, err) : -1;
    if (!rc) {
        fwrite(bytes, 1, n, out.f);
        rc = outfile_close(&out, err);
    }
    mem_free(bytes);
    return rc;
}

static int make_folder(const char *path, err_t *err)
{
    return !mkdir(path, 0777) || errno == EEXIST ? 0 : err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
}

/* molstar/ beside the page, once. */
static int viewer(page_t *p, err_t *err)
{
    static const char *const file[] = {"molstar.js", "molstar.css", "LICENSE.molstar"};
    char from[4096], to[4096];
    snprintf(to, sizeof to, "%s/molstar", p->dir);
    if (make_folder(to, err)) return -1;
    for (int i = 0; i < 3; i++) {
        snprintf(from, sizeof from, "%s/%s", p->o->molstar, file[i]);
        snprintf(to, sizeof to, "%s/molstar/%s", p->dir, file[i]);
        if (access(to, F_OK) && (i < 2 || !access(from, R_OK)) && copy(from, to, err)) return -1;
    }
    return 0;
}

/* ---- fits ---- */

static int place(page_t *p, const target_t *t, const char *id, const char *path, placed_t *h)
{
    const fit_opts_t how = {.memory = p->o->memory};
    err_t own = {0};
    size_t room = strlen(p->dir) + strlen(p->name) + strlen(id) + 16;
    *h = (placed_t){.id = id};
    int rc = target_place(t, path, NULL, &how, &h->fit, &h->m, p->notes, &own);
    if (!rc && !(h->file = mem_new(room, 1, &own))) rc = -1;
    if (!rc) {
        snprintf(h->file, room, "%s/%s/%s.cif", p->dir, p->name, id);
        rc = pdb_place(path, h->m->assembly, h->fit.pose.r, h->fit.pose.t, h->file, &own);
    }
    if (rc) notes_add(p->notes, "%s", own.msg);
    return rc;
}

/* Ids become names of files. */
static bool plain(const char *id) { return *id && *id != '.' && strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") == strlen(id) && strlen(id) < 80; }

/* The best hits whose models are at hand, up to o->fits of them, in h. */
static size_t place_all(page_t *p, placed_t *h)
{
    const json_t *hits = json_object_get(p->answer, "entries"), *hit;
    const describer_t *d = p->o->describer;
    const emdb_where_t beside = {0};
    target_t t = {0};
    err_t own = {0};
    size_t i, n = 0, tries = 0;
    json_array_foreach(hits, i, hit) {
        const char *id = results_text(hit, "id");
        char *path = tries < p->o->fits && plain(id) ? page_entry_file(p, id) : NULL, folder[4096];
        if (!path || manifest_kind(path) == ITEM_MAP) {
            mem_free(path);
            continue;
        }
        snprintf(folder, sizeof folder, "%s/%s", p->dir, p->name);
        if (!tries++ && (make_folder(folder, &own) || target_open(&t, p->query, NULL, d ? &d->map : NULL, d ? &d->header : &beside, p->q.level, (double)NAN, NULL, &own))) {
            notes_add(p->notes, "%s", own.msg);
            tries = p->o->fits;
        } else if (!place(p, &t, id, path, &h[n])) n++;
        else placed_free(&h[n]);
        mem_free(path);
    }
    target_close(&t);
    return n;
}

static int fit_views(page_t *p, const placed_t *h, err_t *err)
{
    size_t n;
    tubeat_t *tube = tubes_of(h->m, &n, err);
    camera_t c = {.w = VIEW, .h = VIEW, .tube = tube, .n = n, .thick = PICTURE_TUBE};
    int rc = tube ? 0 : -1;
    for (size_t i = 0; tube && i < n; i++) {
        double x[3] = {(double)tube[i].at[0], (double)tube[i].at[1], (double)tube[i].at[2]};
        pose_apply(&h->fit.pose, x, x);
        for (int d = 0; d < 3; d++) tube[i].at[d] = (float)x[d];
    }
    if (tube) raycast_frame(p->q.s, tube, n, c.centre, &c.half);
    picture_rgb(PICTURE_COLOUR, c.colour);
    fputs("<div class=\"views\">\n", p->f);
    for (int k = 0; !rc && k < RAYCAST_VIEWS; k++) {
        picture_t x;
        char alt[128];
        raycast_turn((raycastview_t)k, c.turn);
        snprintf(alt, sizeof alt, "%.60s placed in the map, seen along %s", h->id, raycast_view[k]);
        fputs("<figure>", p->f);
        rc = picture_surface(p->q.s, &c, &p->room, &x, err) || page_image(p, &x, "view", alt, err) ? -1 : 0;
        fprintf(p->f, "<figcaption>along %s</figcaption></figure>\n", raycast_view[k]);
    }
    fputs("</div>\n", p->f);
    mem_free(tube);
    return rc;
}

static void fit_row(page_t *p, const placed_t *h)
{
    FILE *f = p->f;
    fputs("<tr><td data-label=\"Entry\">", f);
    html_text(f, h->id);
    fprintf(f, "</td><td data-label=\"Correlation\">%.3f</td><td data-label=\"Overall\">%.3f</td><td data-label=\"Inside\">%.0f %%</td><td data-label=\"Occupied\">%.0f %%</td><td data-label=\"Placed model\"><a href=\"",
            h->fit.correlation, h->fit.overall, 100 * h->fit.inside, 100 * h->fit.occupied);
    html_url(f, p->name, 0), putc('/', f), html_url(f, h->id, 0), fputs(".cif\" download>", f);
    html_text(f, h->id);
    fputs(".cif</a></td></tr>\n", f);
}

static int show(page_t *p, const placed_t *h, size_t n, err_t *err)
{
    FILE *f = p->f;
    char folder[4096];
    const char **file = mem_new(n, sizeof *file, err);
    for (size_t i = 0; file && i < n; i++) file[i] = h[i].file;
    snprintf(folder, sizeof folder, "%s/%s", p->dir, p->name);
    int rc = file ? cxc_write(folder, p->query, p->q.level, file, n, err) : -1;
    mem_free(file);
    if (rc) return -1;
    fputs("<section id=\"fit\">\n<h2>Placed in the map</h2>\n<p>", f);
    html_text(f, h->id);
    fputs(", the best of the hits that were placed, in the surface of the map.</p>\n", f);
    if (p->o->molstar && (viewer(p, err) || scene(p, h, n, err))) return -1;
    if (fit_views(p, h, err)) return -1;
    fputs("<table class=\"stack\">\n<thead><tr><th scope=\"col\">Entry</th><th scope=\"col\">Correlation</th><th scope=\"col\">Overall</th><th scope=\"col\">Model inside the contour</th>"
          "<th scope=\"col\">Contour occupied</th><th scope=\"col\">Placed model</th></tr></thead>\n<tbody>\n", f);
    for (size_t i = 0; i < n; i++) fit_row(p, &h[i]);
    fputs("</tbody>\n</table>\n<p><a href=\"", f);
    html_url(f, p->name, 0);
    fputs("/fit.cxc\" download>fit.cxc</a> opens the map and these models in ChimeraX (from its folder).</p>\n</section>\n", f);
    return 0;
}

static int by_overall(const void *a, const void *b)
{
    const placed_t *p = a, *q = b;
    return p->fit.overall < q->fit.overall ? 1 : p->fit.overall > q->fit.overall ? -1 : 0;
}

int page_fits(page_t *p, err_t *err)
{
    if (!p->o->fits || !p->dir || !p->q.s || p->q.is_model) return 0;
    placed_t *h = mem_zero(p->o->fits + 1, sizeof *h, err);
    if (!h) return -1;
    size_t n = place_all(p, h);
    if (n) qsort(h, n, sizeof *h, by_overall);
    int rc = n ? show(p, h, n, err) : 0;
    for (size_t i = 0; i < n; i++) placed_free(&h[i]);
    mem_free(h);
    return rc;
}

/* ---- downloads ---- */

static void hits_tsv(FILE *f, const json_t *answer)
{
    static const char *const key[] = {"score", "confidence", "cosine", "cube", "dlog_rg"};
    const json_t *hit;
    size_t i;
    fputs("rank\tid\tscore\tconfidence\tcosine\tcube\tdlog_rg\ttitle\n", f);
    json_array_foreach(json_object_get(answer, "entries"), i, hit) {
        fprintf(f, "%zu\t", i + 1);
        tsv_put(f, results_text(hit, "id"));
        for (size_t k = 0; k < sizeof key / sizeof *key; k++) {
            double v = results_number(hit, key[k]);
            if (isnan(v)) fputs("\t-", f);
            else fprintf(f, "\t%.6g", v);
        }
        putc('\t', f);
        tsv_put(f, results_text(hit, "title"));
        putc('\n', f);
    }
}

static void terms_tsv(FILE *f, const json_t *answer)
{
    const json_t *term, *v;
    size_t i, k;
    fputs("id\tname\tnamespace\tconfidence\thits\n", f);
    json_array_foreach(json_object_get(answer, "terms"), i, term) {
        tsv_put(f, *results_text(term, "id") ? results_text(term, "id") : "-");
        putc('\t', f);
        tsv_put(f, results_text(term, "name"));
        putc('\t', f);
        tsv_put(f, results_text(term, "namespace"));
        fprintf(f, "\t%.3f\t", results_number(term, "confidence"));
        json_array_foreach(json_object_get(term, "nearest"), k, v) {
            if (k) putc(',', f);
            tsv_put(f, json_is_string(v) ? json_string_value(v) : "");
        }
        putc('\n', f);
    }
}

static void whole_json(FILE *f, const json_t *answer)
{
    json_dumpf(answer, f, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    putc('\n', f);
}

/* A link to what `print` prints, within the page. */
static int offer(page_t *p, const char *type, const char *file, void (*print)(FILE *, const json_t *), err_t *err)
{
    char *text = NULL;
    size_t n = 0;
    FILE *m = open_memstream(&text, &n);
    if (!m) return err_set(err, ERR_NOMEM, "memory: %s", file);
    print(m, p->answer);
    fclose(m);
    fprintf(p->f, "<li><a download=\"%s\" href=\"", file);
    html_data(p->f, type, text, n);
    fprintf(p->f, "\">%s</a></li>\n", file);
    free(text);
    return 0;
}

static int offer_script(page_t *p, err_t *err)
{
    char *text = NULL, *path = realpath(p->query, NULL);
    size_t n = 0;
    FILE *m = open_memstream(&text, &n);
    if (!m) {
        free(path);
        return err_set(err, ERR_NOMEM, "memory: a script");
    }
    cxc_print(m, path ? path : p->query, p->q.level, NULL, 0);
    fclose(m);
    fputs("<li><a download=\"map.cxc\" href=\"", p->f);
    html_data(p->f, "text/plain", text, n);
    fputs("\">map.cxc</a>, which opens the map in ChimeraX at this contour</li>\n", p->f);
    free(path);
    free(text);
    return 0;
}

int page_downloads(page_t *p, err_t *err)
{
    bool search = json_object_get(p->answer, "of_search") != NULL;
    fputs("<section>\n<h2>Take away</h2>\n<ul class=\"downloads\">\n", p->f);
    if (offer(p, "text/tab-separated-values", "hits.tsv", hits_tsv, err) || (!search && offer(p, "text/tab-separated-values", "terms.tsv", terms_tsv, err)) ||
        offer(p, "application/json", "result.json", whole_json, err) || (p->dir && p->q.s && !p->q.is_model && offer_script(p, err)))
        return -1;
    fputs("</ul>\n</section>\n", p->f);
    return 0;
}
