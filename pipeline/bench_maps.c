/* bench_maps: views and real maps as queries (see bench_maps.h). */
#include "pipeline/bench_maps.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/tsv.h"
#include "mrc/mrc.h"
#include "voxel/turn.h"
#include "voxel/view.h"

static const float TWIN = 0.99f; /* correlation of two clean cubes that no view tells apart */
static const uint64_t STRIDE = 1000003; /* seeds of the views of two runs are so far apart */
enum { ID_MAX = 64 };

typedef struct {
    char *id, *path, *family, *entry;
    double resolution, contour;
    intern_t own, kin; /* PDB ids: of the query, and of its family */
    size_t row;        /* of the dataset, of a view */
    uint64_t seed;
} source_t;

struct benchmaps {
    size_t n;
    source_t *source;
    bool views;
    long *row;       /* (gallery) of the dataset; NULL */
    const benchwork_t *w;
};

/* ---- the gallery in the dataset ---- */

typedef struct {
    intern_t set;
    size_t *row; /* by number */
} names_rows_t;

static int name_row(names_rows_t *x, const char *name, size_t row, err_t *err)
{
    uint32_t k;
    size_t before = x->set.n;
    if (intern_add(&x->set, name, strlen(name), &k, err)) return -1;
    if (x->set.n > before) x->row[k] = row;
    return 0;
}

long *bench_rows(const dataset_t *d, char *const *id, size_t n, err_t *err)
{
    names_rows_t x = {.row = mem_new(2 * d->n, sizeof *x.row, err)};
    long *out = mem_new(n, sizeof *out, err);
    int rc = x.row && out ? 0 : -1;
    for (size_t i = 0; !rc && i < d->n; i++) rc = name_row(&x, d->id[i], i, err);
    for (size_t i = 0; !rc && i < d->n; i++) rc = name_row(&x, d->pdb[i], i, err);
    for (size_t i = 0; !rc && i < n; i++) {
        char entry[ID_MAX];
        long k = intern_find(&x.set, id[i], strlen(id[i]));
        bench_entry(id[i], entry, sizeof entry);
        if (k < 0) k = intern_find(&x.set, entry, strlen(entry));
        out[i] = k < 0 ? -1 : (long)x.row[k];
    }
    intern_free(&x.set);
    mem_free(x.row);
    if (!rc) return out;
    mem_free(out);
    return NULL;
}

/* ---- queries ---- */

void benchmaps_free(benchmaps_t *m)
{
    for (size_t i = 0; m && i < m->n; i++) {
        source_t *s = &m->source[i];
        mem_free(s->id);
        mem_free(s->path);
        mem_free(s->family);
        mem_free(s->entry);
        intern_free(&s->own);
        intern_free(&s->kin);
    }
    if (m) {
        mem_free(m->source);
        mem_free(m->row);
    }
    mem_free(m);
}

size_t benchmaps_count(const benchmaps_t *m) { return m->n; }

size_t benchmaps_groups(const benchmaps_t *m, uint32_t *group, err_t *err)
{
    benchquery_t *q = mem_zero(m->n, sizeof *q, err);
    for (size_t i = 0; q && i < m->n; i++) q[i].group = m->source[i].family;
    size_t n = q ? bench_groups(q, m->n, group, err) : 0;
    mem_free(q);
    return n;
}

static benchmaps_t *start(const benchwork_t *w, size_t cap, bool views, err_t *err)
{
    benchmaps_t *m = mem_zero(1, sizeof *m, err);
    if (!m) return NULL;
    m->views = views;
    m->w = w;
    m->source = mem_zero(cap, sizeof *m->source, err);
    if (w->data) m->row = bench_rows(w->data, w->search.x->text[INDEX_ID], w->search.x->n, err);
    if (m->source && (m->row || !w->data)) return m;
    benchmaps_free(m);
    return NULL;
}

static char *join(err_t *err, const char *a, const char *b)
{
    size_t n = strlen(a) + strlen(b) + 1;
    char *p = mem_new(n, 1, err);
    if (p) snprintf(p, n, "%s%s", a, b);
    return p;
}

static int add_name(intern_t *set, const char *name, size_t len, err_t *err)
{
    char low[ID_MAX];
    uint32_t k;
    size_t n = len < sizeof low - 1 ? len : sizeof low - 1;
    memcpy(low, name, n);
    low[n] = 0;
    bench_entry(low, low, sizeof low);
    return intern_add(set, low, strlen(low), &k, err);
}

benchmaps_t *benchmaps_views(const benchwork_t *w, err_t *err)
{
    const dataset_t *d = w->data;
    benchmaps_t *m = start(w, d->n, true, err);
    int rc = m ? 0 : -1;
    for (size_t i = 0; !rc && i < d->n; i++) {
        if (d->split[i] != w->split) continue;
        source_t *s = &m->source[m->n];
        char group[32];
        snprintf(group, sizeof group, "%u", (unsigned)d->group[i]);
        *s = (source_t){.row = i, .seed = w->seed * STRIDE + m->n, .contour = (double)NAN};
        m->n++;
        s->resolution = view_resolution(&view_em, s->seed);
        rc = (s->id = join(err, d->id[i], ".view")) && (s->path = mem_str("", err)) && (s->family = mem_str(group, err)) &&
                     (s->entry = mem_str(d->id[i], err)) && !add_name(&s->own, d->id[i], strlen(d->id[i]), err)
                 ? 0
                 : -1;
    }
    if (!rc && !m->n) rc = err_set(err, ERR_RANGE, "the dataset has no entry in the split %s", split_name[w->split]);
    if (!rc) return m;
    benchmaps_free(m);
    return NULL;
}

/* ---- real maps ---- */

enum { C_PATH, C_ENTRY, C_FAMILY, C_ID, C_RESOLUTION, C_CONTOUR, TABLE };
static const char *const names[TABLE][2] = {{"path", "file"}, {"entry", "fitted_pdb"}, {"group", "family"}, {"id", NULL}, {"resolution", NULL}, {"contour", NULL}};

static int columns(const tsv_t *t, long col[TABLE], err_t *err)
{
    for (int c = 0; c < TABLE; c++) {
        col[c] = tsv_col(t, names[c][0]);
        if (col[c] < 0 && names[c][1]) col[c] = tsv_col(t, names[c][1]);
        if (col[c] < 0 && c <= C_ENTRY) return err_set(err, ERR_FORMAT, "%s: no column '%s' or '%s'", t->path, names[c][0], names[c][1]);
    }
    return 0;
}

static int number(const tsv_t *t, size_t row, long col, double *out, err_t *err)
{
    const char *s = tsv_get(t, row, col);
    char *end;
    *out = (double)NAN;
    if (!s) return 0;
    *out = strtod(s, &end);
    if (end != s && !*end && isfinite(*out)) return 0;
    return err_set(err, ERR_FORMAT, "%s: line %zu: '%.40s' (a number is wanted)", t->path, t->line[row], s);
}

/* The PDB ids in a field. */
static int add_field(intern_t *set, const char *field, err_t *err)
{
    for (const char *s = field; *s;) {
        s += strspn(s, " ,;|");
        size_t n = strcspn(s, " ,;|");
        if (n && add_name(set, s, n, err)) return -1;
        s += n;
    }
    return 0;
}

static char *name_of_map(const char *path, err_t *err)
{
    const char *slash = strrchr(path, '/');
    char *p = mem_str(slash ? slash + 1 : path, err), *dot = p ? strchr(p, '.') : NULL;
    if (dot && dot != p) *dot = 0;
    return p;
}

static int take_row(const tsv_t *t, size_t r, const long col[TABLE], source_t *s, err_t *err)
{
    const char *path = tsv_get(t, r, col[C_PATH]), *slash = strrchr(t->path, '/'), *family = tsv_get(t, r, col[C_FAMILY]), *id = tsv_get(t, r, col[C_ID]);
    char *folder = mem_str(t->path, err);
    if (!folder) return -1;
    folder[slash && *path != '/' ? slash - t->path + 1 : 0] = 0;
    s->path = join(err, folder, path);
    mem_free(folder);
    s->id = id ? mem_str(id, err) : name_of_map(path, err);
    s->entry = mem_str(tsv_get(t, r, col[C_ENTRY]), err);
    s->family = mem_str(family ? family : s->id ? s->id : "", err);
    if (!s->path || !s->id || !s->entry || !s->family || number(t, r, col[C_RESOLUTION], &s->resolution, err) ||
        number(t, r, col[C_CONTOUR], &s->contour, err))
        return -1;
    return add_field(&s->own, s->entry, err);
}

/* The family of each: the ids of all of its maps. */
static int find_kin(benchmaps_t *m, err_t *err)
{
    for (size_t i = 0; i < m->n; i++)
        for (size_t j = 0; j < m->n; j++)
            for (size_t k = 0; !strcmp(m->source[i].family, m->source[j].family) && k < m->source[j].own.n; k++)
                if (add_name(&m->source[i].kin, m->source[j].own.str[k], strlen(m->source[j].own.str[k]), err)) return -1;
    return 0;
}

static bool has(const intern_t *set, const char *id)
{
    char entry[ID_MAX];
    bench_entry(id, entry, sizeof entry);
    return intern_find(set, entry, strlen(entry)) >= 0;
}

/* Maps whose complex the gallery has; the others go. */
static void drop_absent(benchmaps_t *m, const benchwork_t *w)
{
    size_t n = 0;
    const index_t *x = w->search.x;
    for (size_t i = 0; i < m->n; i++) {
        source_t s = m->source[i];
        bool there = false;
        for (size_t c = 0; !there && c < x->n; c++) there = has(&s.kin, x->text[INDEX_ID][c]);
        m->source[i] = m->source[n];
        if (there) m->source[n++] = s;
        else {
            m->source[i] = s;
            log_msg(w->log, LOG_DEBUG, "%s: passed over: the gallery has no entry of its complex", s.path);
            source_t *gone = &m->source[i];
            mem_free(gone->id);
            mem_free(gone->path);
            mem_free(gone->family);
            mem_free(gone->entry);
            intern_free(&gone->own);
            intern_free(&gone->kin);
            *gone = (source_t){.row = 0};
        }
    }
    m->n = n;
}

benchmaps_t *benchmaps_table(const benchwork_t *w, const char *path, err_t *err)
{
    tsv_t t;
    long col[TABLE];
    size_t without = 0;
    if (tsv_read(path, &t, err)) return NULL;
    benchmaps_t *m = columns(&t, col, err) ? NULL : start(w, t.nrow, false, err);
    int rc = m ? 0 : -1;
    for (size_t r = 0; !rc && r < t.nrow; r++) {
        if (!tsv_get(&t, r, col[C_PATH])) rc = err_set(err, ERR_FORMAT, "%s: line %zu: no path", path, t.line[r]);
        else if (!tsv_get(&t, r, col[C_ENTRY])) without++;
        else rc = take_row(&t, r, col, &m->source[m->n++], err);
    }
    tsv_free(&t);
    if (!rc && !(rc = find_kin(m, err))) {
        size_t all = m->n;
        drop_absent(m, w);
        log_msg(w->log, LOG_INFO, "%s: %zu maps are queries; passed over: %zu that name no entry, %zu of complexes that the gallery has not", path, m->n, without, all - m->n);
        if (!m->n) rc = err_set(err, ERR_RANGE, "%s: no map whose entry the gallery has", path);
    }
    if (!rc) return m;
    benchmaps_free(m);
    return NULL;
}

/* ---- relevance ---- */

enum { EXACT, COMPLEX, MAP_GO1, MAP_GO3 };
enum { VIEW_TWIN = 1, VIEW_CLUSTER, VIEW_UNIPROT };

void benchmaps_kinds(const benchmaps_t *m, benchtask_t *t)
{
    bench_kind(t, "entry");
    bench_kind(t, m->views ? "entry or twin" : "complex");
    if (m->views) {
        bench_kind(t, "same clusters");
        bench_kind(t, "shared accession");
    } else if (m->row) {
        bench_kind(t, "1 shared GO term");
        bench_kind(t, "3 shared GO terms");
    }
}

static size_t length(const lists_t *l, size_t i) { return l->at[i + 1] - l->at[i]; }

size_t bench_in_common(const lists_t *l, size_t a, size_t b)
{
    size_t i = l->at[a], j = l->at[b], n = 0;
    while (i < l->at[a + 1] && j < l->at[b + 1]) {
        uint32_t x = l->item[i], y = l->item[j];
        n += x == y;
        i += x <= y;
        j += y <= x;
    }
    return n;
}

bool bench_same_set(const lists_t *l, size_t a, size_t b) { return length(l, a) && length(l, a) == length(l, b) && bench_in_common(l, a, b) == length(l, a); }

long benchmaps_own(const benchmaps_t *m, size_t i)
{
    const index_t *x = m->w->search.x;
    for (size_t c = 0; m->views && c < x->n; c++)
        if (!strcmp(x->text[INDEX_ID][c], m->source[i].entry)) return (long)c;
    for (size_t c = 0; c < x->n; c++)
        if (has(&m->source[i].own, x->text[INDEX_ID][c])) return (long)c;
    return -1;
}

/* Bit of the entries whose clean cubes correlate above TWIN with that of entry `own`. */
static int twins(const index_t *x, size_t own, unsigned bit, uint8_t *bits, err_t *err)
{
    float *c = mem_new(x->n, sizeof *c, err);
    size_t *row = mem_new(x->n, sizeof *row, err);
    descquery_t *q = desc_query(x->cube + own * DESC_LEN, err);
    int rc = c && row && q ? 0 : -1;
    for (size_t i = 0; !rc && i < x->n; i++) row[i] = i;
    if (!rc) rc = desc_correlate(q, x->cube, row, sizeof *row, x->n, c, err);
    for (size_t i = 0; !rc && i < x->n; i++)
        if (c[i] > TWIN || i == own) bits[i] |= (uint8_t)bit;
    desc_query_free(q);
    mem_free(c);
    mem_free(row);
    return rc;
}

static double mass_of(const index_t *x, long i) { return i < 0 ? (double)NAN : (double)x->volume[i] * BENCH_DENSITY / 1000; }

int benchmaps_bits(const benchmaps_t *m, const benchwork_t *w, size_t i, uint8_t *bits, err_t *err)
{
    const index_t *x = w->search.x;
    const source_t *s = &m->source[i];
    const dataset_t *d = w->data;
    long own = benchmaps_own(m, i), q = m->views ? (long)s->row : m->row && own >= 0 ? m->row[own] : -1;
    memset(bits, 0, x->n);
    for (size_t c = 0; c < x->n; c++) {
        long r = m->row ? m->row[c] : -1;
        unsigned b = BENCH_ALL;
        if (has(&s->own, x->text[INDEX_ID][c])) b |= 1u << EXACT;
        if (!m->views && has(&s->kin, x->text[INDEX_ID][c])) b |= 1u << COMPLEX;
        if (q >= 0 && r >= 0 && m->views) {
            if (bench_same_set(&d->clusters, (size_t)q, (size_t)r)) b |= 1u << VIEW_CLUSTER;
            if (bench_in_common(&d->uniprots, (size_t)q, (size_t)r)) b |= 1u << VIEW_UNIPROT;
        } else if (q >= 0 && r >= 0) {
            size_t n = bench_in_common(&d->pruned, (size_t)q, (size_t)r);
            if (n >= 1) b |= 1u << MAP_GO1;
            if (n >= 3) b |= 1u << MAP_GO3;
        }
        bits[c] = (uint8_t)b;
    }
    if (m->views && own >= 0 && twins(x, (size_t)own, 1u << VIEW_TWIN, bits, err)) return -1;
    double mass = mass_of(x, own);
    for (size_t c = 0; isnan(mass) && c < x->n; c++)
        if (bits[c] & 1u << COMPLEX) mass = mass_of(x, (long)c);
    for (size_t c = 0; c < x->n; c++)
        if (fabs(mass_of(x, (long)c) - mass) <= BENCH_MASS * mass || bits[c] & (1u << EXACT | 1u << COMPLEX)) bits[c] |= BENCH_HARD;
    return 0;
}

unsigned benchmaps_same(const benchmaps_t *m) { return 1u << EXACT | (m->views ? 1u << VIEW_TWIN | 1u << VIEW_CLUSTER | 1u << VIEW_UNIPROT : 1u << COMPLEX); }

/* Groups of the dataset whose entries are relatives: those of the query's kin. */
int benchmaps_relatives(const benchmaps_t *m, const benchwork_t *w, size_t i, uint8_t *relative, err_t *err)
{
    const index_t *x = w->search.x;
    const source_t *s = &m->source[i];
    const dataset_t *d = w->data;
    uint8_t *gone = d ? mem_zero(d->n, 1, err) : NULL; /* by group, of which there are at most as many as entries */
    if (d && !gone) return -1;
    if (d && m->views) gone[d->group[s->row]] = 1;
    for (size_t r = 0; d && !m->views && r < d->n; r++)
        if (has(&s->kin, d->pdb[r])) gone[d->group[r]] = 1;
    for (size_t c = 0; c < x->n; c++)
        relative[c] = has(&s->own, x->text[INDEX_ID][c]) || has(&s->kin, x->text[INDEX_ID][c]) || (d && m->row[c] >= 0 && gone[d->group[m->row[c]]]);
    mem_free(gone);
    return 0;
}

/* ---- running ---- */

typedef struct {
    benchmaps_t *m;
    const benchwork_t *w;
    benchmaps_take_t take;
    void *ctx;
} running_t;

static int write_view(const benchwork_t *w, const source_t *s, const vol_t *v, err_t *err)
{
    char *name = join(err, s->id, ".mrc"), *path = name ? bench_path(w->write_maps, name, err) : NULL;
    int rc = path ? mrc_write(path, v, NULL, err) : -1;
    mem_free(name);
    mem_free(path);
    return rc;
}

static void make(void *ctx, const describer_t *d, size_t i, described_t *out)
{
    const running_t *run = ctx;
    const source_t *s = &run->m->source[i];
    if (!run->m->views) {
        const item_t it = {.id = s->id, .path = s->path, .kind = ITEM_MAP, .contour = s->contour, .resolution = isnan(s->resolution) ? 0 : s->resolution};
        describe_file(d, &it, &out->rec, &out->notes, &out->err);
        return;
    }
    model_t *model = dataset_model(run->w->data, s->row, &out->err);
    vol_t *v = model ? view_density(model, &run->w->data->span[s->row], &view_em, s->seed, &out->err) : NULL;
    if (v && !(run->w->write_maps && write_view(run->w, s, v, &out->err))) describe_volume(d, v, (double)NAN, &out->rec, &out->err);
    err_prefix(&out->err, s->id);
    vol_free(v);
    model_free(model);
}

static int hand_over(void *ctx, size_t i, const record_t *r, const float *z, const float *zu, err_t *err)
{
    const running_t *run = ctx;
    const source_t *s = &run->m->source[i];
    double resolution = isnan(s->resolution) && r->resolution > 0 ? (double)r->resolution : s->resolution;
    const benchquery_t q = {.id = s->id, .path = s->path, .group = s->family, .entry = s->entry, .resolution = resolution, .rg = (double)r->rg,
                            .mass = mass_of(run->w->search.x, benchmaps_own(run->m, i))};
    return run->take(run->ctx, i, &q, r, z, zu, err);
}

int benchmaps_run(benchmaps_t *m, const benchwork_t *w, benchmaps_take_t take, void *ctx, size_t *failed, err_t *err)
{
    running_t run = {m, w, take, ctx};
    if (m->views && w->write_maps && bench_folder(w->write_maps, err)) return -1;
    return bench_each(&w->search, &w->map, w->log, m->n, make, hand_over, &run, failed, err);
}

/* ---- the protocols ---- */

typedef struct {
    benchmaps_t *m;
    const benchwork_t *w;
    benchtask_t *t;
    int random, of[BENCH_SEARCHES]; /* -1: not there */
    int first_rival;
    FILE *sheet;
    size_t missing[BENCH_METHODS];
} ranking_t;

/* One row of the sheet: a projection along z of the cube, 16 x 16 bytes in hexadecimal. */
static void put_image(FILE *f, const float *cube)
{
    float sum[DESC_SIDE * DESC_SIDE] = {0}, lo = HUGE_VALF, hi = -HUGE_VALF, least = HUGE_VALF;
    for (size_t i = 0; i < DESC_LEN; i++) least = fminf(least, cube[i]);
    for (size_t i = 0; i < DESC_LEN; i++) sum[i % (DESC_SIDE * DESC_SIDE)] += cube[i] - least;
    for (size_t i = 0; i < DESC_SIDE * DESC_SIDE; i++) lo = fminf(lo, sum[i]), hi = fmaxf(hi, sum[i]);
    for (size_t i = 0; i < DESC_SIDE * DESC_SIDE; i++) fprintf(f, "%02x", (unsigned)lroundf(hi > lo ? 255 * (sum[i] - lo) / (hi - lo) : 0));
}

static int put_sheet(const ranking_t *s, size_t method, const benchquery_t *q, const record_t *r, err_t *err)
{
    const benchtask_t *t = s->t;
    const index_t *x = s->w->search.x;
    const benchhit_t *hit = t->hit + ((t->n - 1) * t->methods + method) * BENCH_HITS;
    float *turns = mem_new((size_t)DESC_TURNS * DESC_LEN, sizeof *turns, err), *unit = mem_new(DESC_LEN, sizeof *unit, err);
    if (!turns || !unit) {
        mem_free(turns);
        mem_free(unit);
        return -1;
    }
    desc_unit(r->cube, unit);
    fprintf(s->sheet, "%s\t0\t%s\t-\t-\t", q->id, q->entry);
    put_image(s->sheet, unit);
    for (size_t h = 0; h < BENCH_HITS && hit[h].bits & BENCH_ALL; h++) {
        size_t best = 0;
        double most = -HUGE_VAL;
        desc_turns(x->cube + hit[h].column * (size_t)DESC_LEN, turns);
        for (size_t k = 0; k < DESC_TURNS; k++) {
            double sum = 0;
            for (size_t i = 0; i < DESC_LEN; i++) sum += (double)unit[i] * (double)turns[k * DESC_LEN + i];
            if (sum > most) most = sum, best = k;
        }
        const char *why = "-";
        for (size_t k = t->kinds; k-- > 0;)
            if (hit[h].bits >> k & 1) why = t->kind[k];
        fprintf(s->sheet, "\n%s\t%zu\t%s\t%s\t%.6g\t", q->id, h + 1, t->column[hit[h].column], why, (double)hit[h].score);
        put_image(s->sheet, turns + best * DESC_LEN);
    }
    fputc('\n', s->sheet);
    mem_free(turns);
    mem_free(unit);
    return 0;
}

static int rank_one(void *ctx, size_t i, const benchquery_t *q, const record_t *r, const float *z, const float *zu, err_t *err)
{
    ranking_t *s = ctx;
    benchtask_t *t = s->t;
    size_t n = s->m->n, step = s->w->sheet ? (n + s->w->sheet - 1) / s->w->sheet : 0, best = 0;
    if (benchmaps_bits(s->m, s->w, i, t->bits, err)) return -1;
    bench_random(t, s->random);
    for (int k = 0; k < BENCH_SEARCHES; k++) {
        if (s->of[k] < 0) continue;
        if (bench_search(&s->w->search, &bench_searches[k], r, z, zu, NULL, t->score + (size_t)s->of[k] * t->columns, err)) return -1;
        best = (size_t)s->of[k];
    }
    for (size_t k = 0; s->w->rivals && k < s->w->rivals->n; k++) {
        size_t row = (size_t)s->first_rival + k;
        s->missing[row] += !rival_score(&s->w->rivals->rival[k], q->id, t->column, t->columns, t->score + row * t->columns);
    }
    if (bench_query(t, q, err)) return -1;
    return step && i % step == 0 ? put_sheet(s, best, q, r, err) : 0;
}

int bench_maps(benchmaps_t *m, const benchwork_t *w, benchtask_t *t, size_t *failed, err_t *err)
{
    const index_t *x = w->search.x;
    ranking_t s = {.m = m, .w = w, .t = t};
    outfile_t sheet;
    if (bench_task(t, m->views ? "view" : "map", x->n, x->text[INDEX_ID], w->seed, err)) return -1;
    benchmaps_kinds(m, t);
    t->hard = true;
    s.random = bench_method(t, "random", err);
    int rc = s.random < 0 ? -1 : 0;
    for (int k = 0; !rc && k < BENCH_SEARCHES; k++) {
        s.of[k] = -1;
        if (bench_search_has(&w->search, &bench_searches[k])) rc = (s.of[k] = bench_method(t, bench_searches[k].name, err)) < 0 ? -1 : 0;
    }
    s.first_rival = (int)t->methods;
    for (size_t k = 0; !rc && w->rivals && k < w->rivals->n; k++) rc = bench_method(t, w->rivals->rival[k].name, err) < 0 ? -1 : 0;
    char *path = rc || bench_ready(t, err) || bench_folder(w->dir, err) ? NULL : bench_path(w->dir, "sheet.tsv", err);
    if (!path || outfile_open(&sheet, path, err)) {
        mem_free(path);
        return -1;
    }
    s.sheet = sheet.f;
    fprintf(sheet.f, "query\trank\tid\trelevance\tscore\timage\n");
    rc = benchmaps_run(m, w, rank_one, &s, failed, err);
    if (rc) outfile_abort(&sheet);
    else rc = outfile_close(&sheet, err);
    for (size_t k = 0; !rc && k < t->methods; k++)
        if (s.missing[k]) log_msg(w->log, LOG_WARN, "%s: nothing on %zu of %zu queries, which count as not found", t->method[k], s.missing[k], t->n);
    mem_free(path);
    return rc;
}
