/* page_map: the query's file: pictures, facts, faults (see page_priv.h). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "pdb/pdb.h"
#include "pipeline/header.h"
#include "src/html.h"
#include "src/page_priv.h"
#include "src/results.h"
#include "voxel/contour.h"
#include "voxel/desc.h"

enum { VIEW = 360, FLAT = 240 }; /* pixels */

static int read_model(page_t *p, err_t *why)
{
    subject_t *q = &p->q;
    model_t *m = pdb_read(p->query, NULL, &q->faults, why);
    q->is_model = true;
    q->tube = m ? tubes_of(m, &q->tubes, why) : NULL;
    q->v = q->tube ? describe_density(m, why) : NULL;
    model_free(m);
    q->level = NAN;
    return q->v ? 0 : -1;
}

static int read_map(page_t *p, err_t *why)
{
    subject_t *q = &p->q;
    const describer_t *d = p->o->describer;
    const emdb_where_t beside = {0};
    q->level = p->o->contour;
    q->v = map_read(p->query, d ? &d->map : NULL, &q->info, &q->faults, why);
    if (!q->v) return -1;
    int found = header_of_map(p->query, d ? &d->header : &beside, q->v, &q->level, &q->header, &q->faults, why);
    q->has_header = found == 1;
    q->level_from = isnan(q->level) ? "estimated" : isnan(p->o->contour) ? "of the EMDB header" : "given";
    return found < 0 ? -1 : 0;
}

/* The canonical cube, which hits are turned to. */
static int cube_of(page_t *p, err_t *why)
{
    subject_t *q = &p->q;
    record_t r;
    describer_t d = *p->o->describer;
    d.cubes = true;
    d.side = 0;
    bool estimated = !strcmp(q->level_from, "estimated");
    if (describe_volume(&d, q->v, estimated ? (double)NAN : q->level, &r, why)) return -1;
    q->density = r.density;
    r.density = NULL;
    q->rg = (double)r.rg;
    if ((q->unit = mem_new(DESC_LEN, sizeof *q->unit, why))) desc_unit(r.cube, q->unit);
    record_free(&r);
    return q->unit ? 0 : -1;
}

/* A name that says nothing: a map, else a model, as describe_many() has it. */
static int read_any(page_t *p, err_t *why)
{
    itemkind_t kind = manifest_kind(p->query);
    err_t first = {0};
    if (kind == ITEM_MODEL) return read_model(p, why);
    if (!read_map(p, &first)) return 0;
    if (kind == ITEM_AUTO && (first.code == ERR_FORMAT || first.code == ERR_UNSUP) && !read_model(p, why)) return 0;
    p->q.is_model = false;
    if (why) *why = first;
    return -1;
}

static int prepare(page_t *p, err_t *why)
{
    subject_t *q = &p->q;
    contour_t c;
    if (read_any(p, why)) return -1;
    if (isnan(q->level)) {
        if (contour_estimate(q->v, &c, why)) return -1;
        q->level = c.level;
        q->level_from = "estimated";
    }
    if (!(q->s = surface_new(q->v, q->level, PICTURE_SPECKS, why))) return -1;
    raycast_frame(q->s, q->tube, q->tubes, q->centre, &q->half);
    return p->o->describer ? cube_of(p, why) : 0;
}

int page_read_query(page_t *p, err_t *err)
{
    err_t why = {0};
    if (!p->query || !prepare(p, &why)) return 0;
    if (why.code == ERR_NOMEM) return err_set(err, why.code, "%s", why.msg);
    notes_add(p->notes, "%s", why.msg);
    notes_add(&p->q.faults, "%s", why.msg);
    return 0;
}

void page_free_query(page_t *p)
{
    subject_t *q = &p->q;
    vol_free(q->v);
    surface_free(q->s);
    map_info_free(&q->info);
    emdb_free(&q->header);
    notes_free(&q->faults);
    mem_free(q->tube);
    mem_free(q->density);
    mem_free(q->unit);
    *q = (subject_t){0};
}

/* ---- pictures ---- */

static void caption(FILE *f, const char *what, const char *axis) { fprintf(f, "<figcaption>%s %s</figcaption></figure>\n", what, axis); }

static int views(page_t *p, err_t *err)
{
    const subject_t *q = &p->q;
    camera_t c = {.w = VIEW, .h = VIEW, .half = q->half, .tube = q->tube, .n = q->tubes, .thick = PICTURE_TUBE};
    char bar[32], alt[64];
    double part = picture_bar(0.6 * q->half, bar) / (2 * q->half);
    memcpy(c.centre, q->centre, sizeof c.centre);
    picture_rgb(PICTURE_COLOUR, c.colour);
    fputs("<div class=\"views\">\n", p->f);
    for (int k = 0; k < RAYCAST_VIEWS; k++) {
        picture_t x;
        raycast_turn((raycastview_t)k, c.turn);
        snprintf(alt, sizeof alt, "Surface, seen along %s", raycast_view[k]);
        fputs("<figure>", p->f);
        if (picture_surface(q->s, &c, &p->room, &x, err) || page_image(p, &x, "view", alt, err)) return -1;
        if (k == 0) {
            fprintf(p->f, "<span class=\"scale\" style=\"width:%.1f%%\">", 100 * part);
            html_text(p->f, bar);
            fputs("</span>", p->f);
        }
        caption(p->f, "along", raycast_view[k]);
    }
    fputs("</div>\n", p->f);
    return 0;
}

static int flats(page_t *p, err_t *err)
{
    const subject_t *q = &p->q;
    double middle[3], edge = picture_round(q->v, q->centre, q->half, middle);
    fputs("<div class=\"flats\">\n", p->f);
    for (int k = 0; k < 2 * RAYCAST_VIEWS; k++) {
        raycastview_t view = (raycastview_t)(k % RAYCAST_VIEWS);
        bool slice = k < RAYCAST_VIEWS;
        picture_t x;
        char alt[64];
        snprintf(alt, sizeof alt, "%s along %s", slice ? "Slice through the middle" : "Projection", raycast_view[view]);
        fputs("<figure>", p->f);
        if ((slice ? picture_slice(q->v, view, q->centre, (float)q->level, middle, edge, FLAT, &x, err) : picture_projection(q->v, view, middle, edge, FLAT, &x, err)) ||
            page_image(p, &x, "flat", alt, err))
            return -1;
        caption(p->f, slice ? "slice" : "projection", raycast_view[view]);
    }
    fputs("</div>\n", p->f);
    return 0;
}

int page_pictures(page_t *p, err_t *err)
{
    if (!p->q.s) return 0;
    fputs("<section aria-label=\"Pictures\">\n", p->f);
    if (views(p, err) || (!p->q.is_model && flats(p, err))) return -1;
    fputs("</section>\n", p->f);
    return 0;
}

/* ---- facts ---- */

static void fact(FILE *f, const char *name, const char *value)
{
    if (!*value) return;
    fprintf(f, "<div><dt>%s</dt><dd>", name);
    html_text(f, value);
    fputs("</dd></div>\n", f);
}

static void list_fact(FILE *f, const char *name, const intern_t *set)
{
    if (!set->n) return;
    fprintf(f, "<div><dt>%s</dt><dd>", name);
    for (size_t i = 0; i < set->n; i++) {
        if (i) fputs("; ", f);
        html_text(f, set->str[i]);
    }
    fputs("</dd></div>\n", f);
}

static void of_answer(page_t *p)
{
    char text[128];
    double rg = results_number(p->answer, "rg"), volume = results_number(p->answer, "volume"), mass = results_number(p->answer, "mass_kda");
    double known = results_number(p->answer, "known");
    const json_t *s = json_object_get(p->answer, "symmetry");
    if (mass > 0) snprintf(text, sizeof text, "about %.*f kDa, by the volume", mass < 10 ? 1 : 0, mass), fact(p->f, "Mass", text);
    if (known >= 0) snprintf(text, sizeof text, "a relative is among the nearest entries with probability %.2f", known), fact(p->f, "Known", text);
    if (rg > 0) snprintf(text, sizeof text, "%.1f \303\205", rg), fact(p->f, "Radius of gyration", text);
    if (volume > 0) snprintf(text, sizeof text, "%.4g nm\302\263", volume / 1000), fact(p->f, "Envelope", text);
    if (s) snprintf(text, sizeof text, "%.40s (%.2f)", results_text(s, "group"), results_number(s, "score")), fact(p->f, "Symmetry seen", text);
}

static void of_map(page_t *p)
{
    const subject_t *q = &p->q;
    const map_info_t *i = &q->info;
    const vol_t *v = q->v;
    volstat_t s;
    char text[256];
    snprintf(text, sizeof text, "%s%s%s, %s%s%s", i->format ? i->format : "?", i->layout && *i->layout ? ", " : "", i->layout ? i->layout : "", i->type ? i->type : "?",
             i->codec && strcmp(i->codec, "none") != 0 ? ", " : "", i->codec && strcmp(i->codec, "none") != 0 ? i->codec : "");
    fact(p->f, "Format", text);
    snprintf(text, sizeof text, "%zu \303\227 %zu \303\227 %zu voxels of %.4g \303\227 %.4g \303\227 %.4g \303\205", v->nx, v->ny, v->nz, v->voxel[0], v->voxel[1], v->voxel[2]);
    fact(p->f, "Grid", text);
    snprintf(text, sizeof text, "%.4g, %.4g, %.4g \303\205", v->origin[0], v->origin[1], v->origin[2]);
    fact(p->f, "Origin", text);
    vol_stats(v, &s);
    snprintf(text, sizeof text, "%.4g to %.4g, mean %.4g, sd %.4g", s.min, s.max, s.mean, s.sd);
    fact(p->f, "Values", text);
    if (!q->has_header) return;
    const emdb_t *e = &q->header;
    fact(p->f, "EMDB entry", e->id);
    fact(p->f, "Title", e->title);
    fact(p->f, "Sample", e->sample);
    fact(p->f, "Method", e->method);
    if (e->resolution > 0) snprintf(text, sizeof text, "%.3g \303\205 %.100s", e->resolution, e->resolution_method), fact(p->f, "Resolution", text);
    list_fact(p->f, "Organisms", &e->organisms);
    list_fact(p->f, "Molecules", &e->molecules);
    list_fact(p->f, "Fitted models", &e->fitted);
}

static void faults(page_t *p)
{
    const notes_t *n = &p->q.faults;
    const json_t *more = json_object_get(p->answer, "notes"), *line;
    size_t i;
    if (!n->n && !json_array_size(more)) return;
    fputs("<h3>Notes of the reader</h3>\n<ul class=\"notes\">\n", p->f);
    for (i = 0; i < n->n; i++) fputs("<li>", p->f), html_text(p->f, n->line[i]), fputs("</li>\n", p->f);
    json_array_foreach(more, i, line) if (!n->n && json_is_string(line)) fputs("<li>", p->f), html_text(p->f, json_string_value(line)), fputs("</li>\n", p->f);
    fputs("</ul>\n", p->f);
}

int page_facts(page_t *p, err_t *err)
{
    char text[128];
    (void)err;
    fputs("<section>\n<h2>What it is made of</h2>\n<dl class=\"facts\">\n", p->f);
    fact(p->f, "File", p->query ? p->query : results_text(p->answer, "query"));
    of_answer(p);
    if (p->q.v) {
        if (!p->q.is_model) snprintf(text, sizeof text, "%.4g, %s", p->q.level, p->q.level_from ? p->q.level_from : "?"), fact(p->f, "Contour", text);
        if (!p->q.is_model) of_map(p);
        else fact(p->f, "Format", "atomic model; the surface is that of a density simulated from it");
    }
    fputs("</dl>\n", p->f);
    faults(p);
    fputs("</section>\n", p->f);
    return 0;
}
