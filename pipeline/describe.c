/* describe: from a file to the descriptors that an index holds (see describe.h). */
#include "pipeline/describe.h"

#include <assert.h>
#include <math.h>
#include <omp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/sha256.h"
#include "base/threads.h"
#include "mrc/data.h"
#include "pdb/pdb.h"
#include "pipeline/coarse.h"
#include "pipeline/halves.h"
#include "pipeline/header.h"
#include "voxel/simulate.h"

enum { SMALL_FILE = 8 << 20 }; /* bytes */

int describe_new(describer_t *d, const mrc_opts_t *map, err_t *err)
{
    *d = (describer_t){.map = map ? *map : (mrc_opts_t){0}};
    d->zernike = zernike_new(ZERNIKE_ORDER, err);
    if (!d->zernike) return -1;
    assert(zernike_count(d->zernike) == DESCRIBE_ZERNIKE);
    return 0;
}

void describe_end(describer_t *d)
{
    zernike_free(d->zernike);
    *d = (describer_t){0};
}

void record_free(record_t *r)
{
    mem_free(r->title);
    mem_free(r->method);
    mem_free(r->molecules);
    mem_free(r->organisms);
    mem_free(r->density);
    *r = (record_t){0};
}

/* Radius of gyration of the atoms, unweighted: good enough to choose a grid. */
static double model_rg(const model_t *m)
{
    double s[3] = {0}, sq = 0;
    for (size_t i = 0; i < m->n; i++) {
        const double p[3] = {(double)m->atom[i].x, (double)m->atom[i].y, (double)m->atom[i].z};
        for (int d = 0; d < 3; d++) {
            s[d] += p[d];
            sq += p[d] * p[d];
        }
    }
    double n = (double)m->n, rg2 = sq / n - (s[0] * s[0] + s[1] * s[1] + s[2] * s[2]) / (n * n);
    return rg2 > 0 ? sqrt(rg2) : 0;
}

vol_t *describe_density(const model_t *m, err_t *err)
{
    double res = fmax(DESCRIBE_RESOLUTION, 0.2 * model_rg(m));
    sim_opts_t o = {.resolution = res, .voxel = res / 4, .pad = res};
    return simulate(m, &o, err);
}

/* The names of a set, ", " between them; "" where there are none. */
static char *joined(const intern_t *set, err_t *err)
{
    size_t n = 1, at = 0;
    for (size_t i = 0; i < set->n; i++) n += strlen(set->str[i]) + 2;
    char *s = mem_new(n, 1, err);
    if (!s) return NULL;
    *s = 0;
    for (size_t i = 0; i < set->n; i++) at += (size_t)snprintf(s + at, n - at, "%s%s", i ? ", " : "", set->str[i]);
    return s;
}

/* Of a map with a header. */
static int take_header(record_t *r, const emdb_t *e, const item_t *it, err_t *err)
{
    if (r->resolution <= 0 && !isnan(e->resolution)) r->resolution = (float)e->resolution;
    r->title = mem_str(it->title ? it->title : e->title, err);
    r->method = mem_str(e->method, err);
    r->molecules = joined(&e->molecules, err);
    r->organisms = joined(&e->organisms, err);
    return r->title && r->method && r->molecules && r->organisms ? 0 : -1;
}

static int take_facts(record_t *r, const model_t *m, const item_t *it, err_t *err)
{
    static const char none[] = "";
    const modelfacts_t *f = m ? &m->facts : NULL;
    r->title = mem_str(it->title ? it->title : f ? f->title : none, err);
    r->method = mem_str(f ? f->method : none, err);
    r->molecules = mem_str(f ? f->molecules : none, err);
    r->organisms = mem_str(f ? f->organisms : none, err);
    if (f && f->resolution > 0) r->resolution = (float)f->resolution;
    return r->title && r->method && r->molecules && r->organisms ? 0 : -1;
}

/* *level: contour_estimate() of v; NAN where that finds none. Of what is not finite there is a note. */
static int take_cube(const describer_t *d, const vol_t *v, const double *contour, record_t *r, double *level, notes_t *notes, err_t *err)
{
    cube_t c, other = {0};
    const cube_opts_t o = {.contour = contour};
    const bool two = d->cubes && d->side && d->side != CUBE_SIDE;
    const int rc_cube = cube_make_both(v, &o, &c, two ? &other : NULL, d->side, err);
    const size_t bad = rc_cube ? raw_count_bad(v->data, vol_len(v)) : c.bad; /* which may be why */
    if (bad) notes_add(notes, "%zu voxels are NaN or infinite", bad);
    if (rc_cube) return -1;
    *level = c.map_level;
    r->rg = (float)c.frame.rg;
    r->volume = (float)c.volume;
    desc_pack(c.data, c.side, r->cube);
    int rc = zernike_invariants(d->zernike, c.data, c.side, (double)c.side / 2, ZERNIKE_UNIT, r->zernike, err);
    if (!rc) rc = profile_make(c.data, c.side, r->profile, err);
    if (!rc && d->cubes) {
        cube_t *kept = two ? &other : &c;
        r->density = kept->data;
        kept->data = NULL;
    }
    cube_free(&c);
    cube_free(&other);
    return rc;
}

double describe_mass(const record_t *r) { return DESCRIBE_DALTONS * (double)r->volume / 1000; }

int describe_volume(const describer_t *d, const vol_t *v, double contour, record_t *r, err_t *err)
{
    static const item_t none = {0};
    double level;
    *r = (record_t){.kind = ITEM_MAP, .level = (float)contour};
    if (!take_cube(d, v, isnan(contour) ? NULL : &contour, r, &level, NULL, err) && !take_facts(r, NULL, &none, err)) return 0;
    record_free(r);
    return -1;
}

static int describe_map(const describer_t *d, const item_t *it, record_t *r, notes_t *notes, err_t *err)
{
    mrc_opts_t o = d->map;
    if (it->apix > 0) o.apix = it->apix;
    o.unchecked = !it->half; /* the cube tells */
    double resolution = it->resolution;
    size_t from = d->coarse_from ? d->coarse_from : COARSE_FROM, to = d->coarse_to ? d->coarse_to : COARSE_TO;
    vol_t *v = it->half ? halves_read(it->path, it->half, &o, &resolution, notes, err)
                        : coarse_read(it->path, &o, from, to, notes, err);
    if (!v) return -1;
    double contour = it->contour, level = (double)NAN;
    emdb_t e;
    int found = header_of_map(it->path, &d->header, v, &contour, &e, notes, err), rc = found < 0 ? -1 : 0;
    r->kind = ITEM_MAP;
    r->estimated = isnan(contour);
    r->resolution = (float)resolution;
    if (!rc) rc = take_cube(d, v, r->estimated ? NULL : &contour, r, &level, notes, err);
    r->level = (float)(r->estimated ? level : contour);
    vol_free(v);
    if (!rc) rc = found ? take_header(r, &e, it, err) : take_facts(r, NULL, it, err);
    emdb_free(&e);
    return rc;
}

static int describe_model(const describer_t *d, const item_t *it, record_t *r, notes_t *notes, err_t *err)
{
    double level;
    model_t *m = pdb_read(it->path, it->assembly, notes, err);
    vol_t *v = m ? describe_density(m, err) : NULL;
    r->kind = ITEM_MODEL;
    r->level = NAN;
    int rc = v && !take_cube(d, v, NULL, r, &level, NULL, err) && !take_facts(r, m, it, err) ? 0 : -1;
    vol_free(v);
    model_free(m);
    return rc;
}

static int describe_any(const describer_t *d, const item_t *it, record_t *r, notes_t *notes, err_t *err)
{
    itemkind_t kind = it->half ? ITEM_MAP : it->kind != ITEM_AUTO ? it->kind : manifest_kind(it->path);
    err_t first = {0};
    *r = (record_t){0};
    int rc = -1;
    if (kind != ITEM_MODEL) {
        rc = describe_map(d, it, r, notes, &first);
        if (rc && kind == ITEM_AUTO && (first.code == ERR_FORMAT || first.code == ERR_UNSUP)) kind = ITEM_MODEL;
    }
    if (kind == ITEM_MODEL) {
        err_t second = {0};
        rc = describe_model(d, it, r, notes, &second);
        if (rc && first.code == ERR_OK) first = second; /* of a file that is neither, what the map reader said is kept */
    }
    if (!rc) return 0;
    record_free(r);
    if (!strncmp(first.msg, it->path, strlen(it->path)) || (it->half && !strncmp(first.msg, it->half, strlen(it->half))))
        return err_set(err, first.code, "%s", first.msg);
    return err_set(err, first.code, "%s: %s", it->path, first.msg);
}

/* The digest of a file into that of an item. */
static int add_file(sha256_t *s, const char *path, err_t *err)
{
    char hex[SHA256_HEX];
    if (sha256_file(path, hex, err)) return -1;
    sha256_add(s, hex, sizeof hex);
    return 0;
}

int describe_digest(const describer_t *d, const item_t *it, char out[DESCRIBE_DIGEST], err_t *err)
{
    char hex[SHA256_HEX], text[256], *header = NULL;
    emdb_t e;
    sha256_t s;
    sha256_start(&s);
    if (add_file(&s, it->path, err) || (it->half && add_file(&s, it->half, err))) return -1;
    snprintf(text, sizeof text, "%d %a %a %a %a", (int)it->kind, it->contour, it->resolution, it->apix, d->map.apix);
    sha256_add(&s, text, strlen(text) + 1);
    if (it->assembly) sha256_add(&s, it->assembly, strlen(it->assembly));
    sha256_add(&s, "", 1);
    if (it->title) sha256_add(&s, it->title, strlen(it->title));
    itemkind_t kind = it->kind != ITEM_AUTO ? it->kind : manifest_kind(it->path);
    if (kind != ITEM_MODEL) {
        int found = emdb_of_map(it->path, &d->header, &e, &header, NULL, err), rc = found < 0 ? -1 : found ? add_file(&s, header, err) : 0;
        if (found > 0) emdb_free(&e);
        mem_free(header);
        if (rc) return -1;
    }
    sha256_end(&s, hex);
    snprintf(out, DESCRIBE_DIGEST, "%.*s", DESCRIBE_DIGEST - 1, hex);
    return 0;
}

int describe_file(const describer_t *d, const item_t *it, record_t *r, notes_t *notes, err_t *err)
{
    int threads = threads_max();
    struct stat st;
    bool small = !stat(it->path, &st) && S_ISREG(st.st_mode) && st.st_size < SMALL_FILE;
    if (small) threads_set(1); /* for less than a tenth of a second of work, threads wait longer than they help */
    int rc = describe_any(d, it, r, notes, err);
    threads_set(threads);
    return rc;
}

void describe_many(const describer_t *d, const item_t *it, size_t n, const unsigned char *skip, described_t *out, progress_t *bar)
{
    /* A single item may use all threads; of several, each has its own and stays on it. */
    omp_set_max_active_levels(1);
#pragma omp parallel for schedule(dynamic, 1) if (n > 1)
    for (size_t i = 0; i < n; i++) {
        if (!skip || !skip[i]) describe_file(d, &it[i], &out[i].rec, &out[i].notes, &out[i].err);
        if (d->digests && (!skip || !skip[i]) && out[i].err.code == ERR_OK && describe_digest(d, &it[i], out[i].digest, &out[i].err))
            record_free(&out[i].rec);
        progress_step(bar, 1, (skip && skip[i]) || out[i].err.code != ERR_OK);
    }
}

void described_free(described_t *out)
{
    record_free(&out->rec);
    notes_free(&out->notes);
    *out = (described_t){0};
}
