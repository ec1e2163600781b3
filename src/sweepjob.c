/* sweepjob: what cryolex sweep does with each map (see sweepjob.h). */
#include "src/sweepjob.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <lzma.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/tsv.h"
#include "pipeline/coarse.h"
#include "src/json.h"

const opt_t job_rows[] = {
    {'k', "hits", OPT_INT, offsetof(jobopts_t, hits), "N", 1, 1e6, NULL, "10", "Nearest entries to tell"},
    {0, "voters", OPT_INT, offsetof(jobopts_t, voters), "N", 1, 1e6, NULL, "50", "Nearest entries whose terms count"},
    {'n', "terms", OPT_INT, offsetof(jobopts_t, terms), "N", 1, 1e6, NULL, "8", "Most terms to tell of a namespace"},
    {0, "min-confidence", OPT_REAL, offsetof(jobopts_t, min_confidence), "P", 0, 1, NULL, "0.3", "Terms of lower confidence are left out"},
    {0, "namespace", OPT_STR, offsetof(jobopts_t, spaces), "LIST", 0, 0, NULL, ANSWER_SPACES, "Kinds of terms, see cryolex annotate -h"},
    {0, "ancestors", OPT_FLAG, offsetof(jobopts_t, ancestors), NULL, 0, 0, NULL, NULL, "Tell the general terms, too, that follow from the specific ones"},
    {0, "novel-terms", OPT_FLAG, offsetof(jobopts_t, told), NULL, 0, 0, NULL, NULL, "Tell terms also of what is unlike anything in the index"},
    {0, "max-box", OPT_INT, offsetof(jobopts_t, max_box), "N", 1, 32768, NULL, NULL, "Skip maps with a side of more than N voxels"},
    {0, "method", OPT_STR, offsetof(jobopts_t, method), "LIST", 0, 0, NULL, NULL,
     "Skip maps that are, by their EMDB headers, of other methods than these: some of singleParticle, subtomogramAveraging, tomography, helical, "
     "electronCrystallography. A map without a header is taken"},
    {0, "skip-method", OPT_STR, offsetof(jobopts_t, skip_method), "LIST", 0, 0, NULL, NULL, "Skip maps that are, by their EMDB headers, of these methods"},
    {0},
};

enum { COARSE_LEAST = 1 << 20 }; /* voxels: a grid of 101 a side, about as much as the cube of a large particle needs */
enum { BASE_NEED = 64 << 20, MODEL_NEED = 256 << 20 }; /* bytes: of any item; of a model, whose atoms say nothing before they are read */

/* ---- what the sweep is run with ---- */

static int hash_file(const char *path, char out[17], err_t *err)
{
    enum { STEP = 1 << 16 };
    unsigned char *buf = mem_new(STEP, 1, err);
    FILE *f = buf ? fopen(path, "rb") : NULL;
    uint64_t crc = 0;
    size_t n;
    if (buf && !f) err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    while (f && (n = fread(buf, 1, STEP, f)) > 0) crc = lzma_crc64(buf, n, crc);
    int rc = !f ? -1 : ferror(f) ? err_set(err, ERR_IO, "%s: cannot read", path) : 0;
    if (f) fclose(f);
    mem_free(buf);
    snprintf(out, 17, "%016" PRIx64, crc);
    return rc;
}

static const char columns[] =
    "id\tpath\tsize\tvoxel\tmethod\tresolution\tcontour\tcontour_by\trg\tvolume\tmass_kda\tsymmetry\tknown\tnovel\thit\thit_title\thit_confidence\thit_score\t"
    "function\tprocess\tcomponent\tec\tpfam\tcath\tmolecule";
static_assert(sizeof columns <= sizeof((sweeprun_t){0}).columns, "columns fit");

static int describe_run(const job_t *j, sweeprun_t *run, err_t *err)
{
    const jobopts_t *o = j->o;
    snprintf(run->model, sizeof run->model, "%s", j->q.model.hash);
    if (hash_file(j->q.index_path, run->index, err)) return -1;
    run->frames = j->q.model.encoder->frames;
    int n = snprintf(run->options, sizeof run->options, "hits %ld, voters %ld, terms %ld, confidence %g, namespaces %s%s%s", o->hits, o->voters, o->terms, o->min_confidence,
                     o->spaces, o->ancestors ? ", ancestors" : "", o->told ? ", novel" : "");
    n += snprintf(run->options + n, sizeof run->options - (size_t)n, ", contour %g, apix %g, origin %d, mode0 %d, volume %ld, images %d, assembly %s, header %s, scoring %s",
                  o->query.contour, o->map.apix, o->map.origin, o->map.mode0, o->map.volume, o->map.images, o->query.assembly ? o->query.assembly : "-",
                  o->query.header.off ? "none" : o->query.header.path ? o->query.header.path : "beside", o->query.scoring ? o->query.scoring : "-");
    if ((size_t)n >= sizeof run->options) return err_set(err, ERR_USAGE, "sweep: options of more than %zu letters", sizeof run->options);
    n = snprintf(run->filters, sizeof run->filters, "box %ld, method %s, not %s", o->max_box, o->method ? o->method : "-", o->skip_method ? o->skip_method : "-");
    if ((size_t)n >= sizeof run->filters) return err_set(err, ERR_USAGE, "sweep: filters of more than %zu letters", sizeof run->filters);
    snprintf(run->columns, sizeof run->columns, "%s", columns);
    return 0;
}

static int open_job(void *ctx, size_t threads, sweeprun_t *run, err_t *err)
{
    static const unsigned parts = INDEX_TEXT(INDEX_ID) | INDEX_TEXT(INDEX_TITLE) | INDEX_TEXT(INDEX_MOLECULES) | INDEX_CUBE | INDEX_MAPPED | INDEX_VOCAB | INDEX_VOCAB_EMBED;
    job_t *j = ctx;
    const jobopts_t *o = j->o;
    json_object_seed(0); /* before there are threads */
    j->how = (annotate_opts_t){.hits = (size_t)o->voters, .terms = (size_t)o->terms, .min_confidence = o->min_confidence,
                                .spaces = answer_spaces(j->app->cmd, o->spaces, err), .ancestors = o->ancestors, .force = o->told, .molecules = &j->molecules, .scoring = &j->q.scoring};
    if (!j->how.spaces || query_open(&j->q, j->app, &o->query, &o->map, 2, QUERY_LEARNED, parts, 0, 0, err)) return -1;
    if (j->how.spaces & 1u << TERM_MOLECULE && terms_of_molecules(j->q.x.text[INDEX_MOLECULES], j->q.x.n, &j->molecules, err)) return -1;
    j->q.d.cubes = true;
    j->q.d.side = j->q.model.encoder->side;
    if (!(j->encoder = mem_zero(threads, sizeof *j->encoder, err))) return -1;
    for (size_t i = 0; i < threads; i++)
        if (!(j->encoder[i] = i ? encoder_twin(j->q.model.encoder, err) : j->q.model.encoder) || encoder_ready(j->encoder[i], err)) return -1;
    return describe_run(j, run, err);
}

/* ---- a look at a map ---- */

static bool end(result_t *r, ledgerstate_t state, const char *cause, const char *message)
{
    r->state = state;
    r->cause = mem_str(cause, NULL);
    r->message = mem_str(message, NULL);
    return false;
}

static bool end_failed(result_t *r, const err_t *err) { return end(r, LEDGER_FAILED, err_name(err->code), err->msg); }

/* Whether a word is in a list with commas, capitals or not. */
static bool listed(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = list; *p; p += strcspn(p, ","), p += *p == ',')
        if (strcspn(p, ",") == n && !strncasecmp(p, word, n)) return true;
    return false;
}

/* By its EMDB header. */
static bool filter_method(const job_t *j, const item_t *it, result_t *r)
{
    char *path, text[512];
    emdb_t e;
    bool keep = true;
    if ((!j->o->method && !j->o->skip_method) || emdb_of_map(it->path, &j->q.d.header, &e, &path, NULL, NULL) != 1) return true;
    snprintf(text, sizeof text, "%s: method %s, by %s", it->path, e.method, path);
    if (*e.method && ((j->o->method && !listed(j->o->method, e.method)) || (j->o->skip_method && listed(j->o->skip_method, e.method))))
        keep = end(r, LEDGER_SKIPPED, "method", text);
    emdb_free(&e);
    mem_free(path);
    return keep;
}

static bool filter_box(const job_t *j, const item_t *it, const sweeplook_t *look, result_t *r)
{
    char text[512];
    size_t most = 0;
    for (int k = 0; k < 3; k++)
        if (look->size[k] > most) most = look->size[k];
    if (!j->o->max_box || most <= (size_t)j->o->max_box) return true;
    snprintf(text, sizeof text, "%s: %zu x %zu x %zu voxels (a side of at most %ld)", it->path, look->size[0], look->size[1], look->size[2], j->o->max_box);
    return end(r, LEDGER_SKIPPED, "box", text);
}

static bool is_model(const item_t *it) { return !it->half && (it->kind == ITEM_MODEL || (it->kind == ITEM_AUTO && manifest_kind(it->path) == ITEM_MODEL)); }

static int header_of(void *ctx, const item_t *it, char **path, err_t *err)
{
    const headopts_t *h = &((const job_t *)ctx)->o->query.header;
    return is_model(it) ? 0 : emdb_path(it->path, &(emdb_where_t){.off = h->off, .path = h->path}, path, err);
}

static double bytes_of(const char *path)
{
    struct stat st;
    return path && !stat(path, &st) ? (double)st.st_size : 0;
}

/* Bytes that the map of an item takes, of so many voxels in files of so many bytes: read whole or, of more than `from` voxels, onto the coarse grid; half-maps
 * are read whole, and compared and averaged. */
static double need_of(const item_t *it, double voxels, double files, double from, double to)
{
    static const double WHOLE = 4.5, COARSE = 20, HALVES = 16.5; /* bytes a voxel, the first two measured: doc/sweep.md */
    return BASE_NEED + files + (it->half ? HALVES * voxels : voxels > from ? COARSE * to : WHOLE * voxels);
}

/* That it fits: as it is, else on a coarser grid, else it has failed. */
static bool fit(const item_t *it, double files, size_t spare, sweeplook_t *look, result_t *r)
{
    double voxels = (double)r->voxels;
    char text[512];
    if (look->need <= spare) return true;
    for (size_t to = COARSE_TO / 8; !it->half && r->voxels > to && to >= COARSE_LEAST; to /= 2) {
        double need = need_of(it, voxels, files, (double)to, (double)to);
        if (need > (double)spare) continue;
        look->coarse = to;
        look->need = (size_t)need;
        return true;
    }
    snprintf(text, sizeof text, "%s: needs about %.0f MB (--memory leaves %.0f for maps)", it->path, (double)look->need / 1e6, (double)spare / 1e6);
    return end(r, LEDGER_FAILED, "memory", text);
}

static bool look_at(void *ctx, const item_t *it, size_t spare, sweeplook_t *look, result_t *r)
{
    const job_t *j = ctx;
    struct stat st;
    mrc_header_t h;
    char text[512];
    bool model = is_model(it);
    if (stat(it->path, &st)) {
        snprintf(text, sizeof text, "%s: %s", it->path, strerror(errno));
        return end(r, LEDGER_FAILED, "io", text);
    }
    r->bytes = (uint64_t)st.st_size;
    if (!model && !filter_method(j, it, r)) return false;
    if (!model && !mrc_head(it->path, &j->q.d.map, &h, NULL, NULL)) {
        memcpy(look->size, h.size, sizeof look->size);
        memcpy(look->voxel, h.voxel, sizeof look->voxel);
        r->voxels = (uint64_t)h.size[0] * h.size[1] * h.size[2];
        if (!filter_box(j, it, look, r)) return false;
    }
    /* Of other formats a byte may be a voxel. */
    char *header = NULL;
    header_of(ctx, it, &header, NULL);
    double files = (double)r->bytes + bytes_of(it->half) + bytes_of(header);
    mem_free(header);
    look->need = model ? MODEL_NEED : (size_t)need_of(it, (double)(r->voxels ? r->voxels : r->bytes), files, COARSE_FROM, COARSE_TO);
    return fit(it, files, spare, look, r);
}

/* ---- a map ---- */

static json_t *json_axes(const double x[3])
{
    json_t *a = json_array();
    for (int k = 0; k < 3; k++) json_array_append_new(a, json_significant(x[k], 6));
    return a;
}

/* What file and EMDB header say, under the key "map". */
static json_t *json_facts(const record_t *rec, const sweeplook_t *look, const result_t *r)
{
    json_t *j = json_object();
    const struct {
        const char *name, *text;
    } said[] = {{"title", rec->title}, {"method", rec->method}, {"molecules", rec->molecules}, {"organisms", rec->organisms}};
    json_object_set_new(j, "kind", json_text(rec->kind == ITEM_MAP ? "map" : "model"));
    json_object_set_new(j, "bytes", json_integer((json_int_t)r->bytes));
    if (look->size[0]) {
        json_t *size = json_array();
        for (int k = 0; k < 3; k++) json_array_append_new(size, json_integer((json_int_t)look->size[k]));
        json_object_set_new(j, "size", size);
        json_object_set_new(j, "voxel", json_axes(look->voxel));
    }
    if (isfinite(rec->level)) {
        json_object_set_new(j, "contour", json_significant((double)rec->level, 6));
        json_object_set_new(j, "contour_estimated", json_boolean(rec->estimated));
    }
    if (rec->resolution > 0) json_object_set_new(j, "resolution", json_significant((double)rec->resolution, 4));
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        if (said[i].text && *said[i].text) json_object_set_new(j, said[i].name, json_text(said[i].text));
    return j;
}

/* As annotate prints it, and beside that id, map, notes. */
static char *make_json(const job_t *j, const item_t *it, const answerbody_t *body, const annotation_t *a, const sweeplook_t *look, const result_t *r, const notes_t *notes, err_t *err)
{
    size_t entries = (size_t)j->o->hits < a->n ? (size_t)j->o->hits : a->n;
    json_t *o = answer_json(it->path, body, &j->q.x, &j->molecules, a, entries), *list = json_array();
    json_object_set_new(o, "id", json_text(it->id));
    json_object_set_new(o, "map", json_facts(body->rec, look, r));
    for (size_t i = 0; i < notes->n; i++) json_array_append_new(list, json_text(notes->line[i]));
    json_object_set_new(o, "notes", list);
    return json_line_text(o, err);
}

static void put_text(FILE *f, const char *s)
{
    tsv_put(f, s && *s ? s : "-");
    putc('\t', f);
}

static void put_real(FILE *f, const char *format, double x)
{
    if (isfinite(x)) fprintf(f, format, x);
    else putc('-', f);
    putc('\t', f);
}

/* The most confident term of a kind, as ID:CONFIDENCE. */
static void put_term(FILE *f, const terms_t *t, const termhit_t *h, size_t n, int space)
{
    const termhit_t *best = NULL;
    for (size_t i = 0; i < n; i++)
        if (t->space[h[i].term] == space && (!best || h[i].confidence > best->confidence)) best = &h[i];
    if (space) putc('\t', f);
    if (!best) {
        putc('-', f);
        return;
    }
    tsv_put(f, space == TERM_MOLECULE ? t->name[best->term] : t->id[best->term]);
    fprintf(f, ":%.3f", (double)best->confidence);
}

static void put_row(FILE *f, const job_t *j, const item_t *it, const answerbody_t *body, const annotation_t *a, const sweeplook_t *look)
{
    const record_t *rec = body->rec;
    const hit_t *h = a->n ? a->hit : NULL;
    put_text(f, it->id);
    put_text(f, it->path);
    if (look->size[0]) fprintf(f, "%zux%zux%zu\t%.6g\t", look->size[0], look->size[1], look->size[2], look->voxel[0]);
    else fputs("-\t-\t", f);
    put_text(f, rec->method);
    put_real(f, "%.4g", rec->resolution > 0 ? (double)rec->resolution : NAN);
    put_real(f, "%.6g", (double)rec->level);
    put_text(f, !isfinite(rec->level) ? "" : rec->estimated ? "estimate" : "given");
    fprintf(f, "%.1f\t%.0f\t%.3g\t", (double)rec->rg, (double)rec->volume, describe_mass(rec));
    put_text(f, body->symmetry.group);
    put_real(f, "%.3f", a->known);
    put_text(f, isnan(a->known) ? "" : a->novel ? "yes" : "no");
    put_text(f, h ? j->q.x.text[INDEX_ID][h->entry] : "");
    put_text(f, h ? j->q.x.text[INDEX_TITLE][h->entry] : "");
    put_real(f, "%.3f", h ? (double)h->confidence : NAN);
    put_real(f, "%.2f", h ? (double)h->score : NAN);
    for (int s = 0; s < TERM_KINDS; s++)
        if (s == TERM_MOLECULE) put_term(f, &j->molecules, a->molecule, a->molecules, s);
        else put_term(f, &j->q.x.terms, a->term, a->terms, s);
}

static char *make_tsv(const job_t *j, const item_t *it, const answerbody_t *body, const annotation_t *a, const sweeplook_t *look, err_t *err)
{
    char *text = NULL, *copy = NULL;
    size_t n;
    FILE *f = open_memstream(&text, &n);
    if (f) put_row(f, j, it, body, a, look);
    if (f && !fclose(f)) copy = mem_str(text, err);
    else err_set(err, ERR_NOMEM, "no memory for a row");
    free(text);
    return copy;
}

/* Embedding, hits and terms of what was described. */
static int find(const job_t *j, encoder_t *e, const item_t *it, const record_t *rec, const sweeplook_t *look, const notes_t *notes, result_t *r, err_t *err)
{
    size_t poses = index_poses(&j->q.x);
    annotation_t a = {0};
    answerbody_t body;
    double t = clock_wall();
    float *z = mem_new(poses, e->d * sizeof *z, err), *features = mem_new(e->features ? e->features : 1, sizeof *features, err);
    int rc = z && features ? 0 : -1;
    if (!rc) {
        encoder_features(e, (double)rec->rg, rec->profile, rec->zernike, features);
        rc = encoder_embed_poses(e, 1, rec->density, features, (int)poses, z, err);
    }
    r->seconds[1] = clock_wall() - t;
    if (!rc) rc = annotate_run(&j->q.x, rec, z, &j->how, &a, err) || answer_body(rec, e->side, &body, err) ? -1 : 0;
    if (!rc) rc = (r->json = make_json(j, it, &body, &a, look, r, notes, err)) && (r->tsv = make_tsv(j, it, &body, &a, look, err)) ? 0 : -1;
    r->seconds[2] = clock_wall() - t - r->seconds[1];
    r->rg = (double)rec->rg;
    r->d = e->d;
    r->z = rc ? NULL : z; /* of these poses the first is the cube as it stands, as an index has it */
    if (rc) mem_free(z);
    mem_free(features);
    annotation_free(&a);
    return rc;
}

static void work_on(void *ctx, size_t thread, const item_t *it, const sweeplook_t *look, result_t *r)
{
    job_t *j = ctx;
    describer_t d = j->q.d;
    item_t item = *it;
    record_t *rec = mem_zero(1, sizeof *rec, NULL);
    notes_t notes = {0};
    err_t err = {0};
    double t = clock_wall();
    d.coarse_from = d.coarse_to = look->coarse;
    if (isnan(item.contour)) item.contour = j->o->query.contour;
    if (!item.assembly) item.assembly = j->o->query.assembly;
    int rc = rec ? describe_file(&d, &item, rec, &notes, &err) : err_set(&err, ERR_NOMEM, "%s: no memory", it->path);
    r->seconds[0] = clock_wall() - t;
    if (!rc) rc = find(j, j->encoder[thread], &item, rec, look, &notes, r, &err);
    if (rc) {
        err_prefix(&err, it->path);
        end_failed(r, &err);
    } else {
        r->state = LEDGER_DONE;
    }
    if (rec) record_free(rec);
    mem_free(rec);
    notes_free(&notes);
}

sweepjob_t sweepjob(job_t *j) { return (sweepjob_t){.ctx = j, .header = header_of, .open = open_job, .look = look_at, .work = work_on}; }
