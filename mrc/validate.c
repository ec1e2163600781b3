/* validate: departures of a file from MRC2014 (see mrc.h). Cheng et al. 2015; the tolerances of the statistics are
 * those of mrcfile's validator (1 % of the mean and the deviation, exact extremes). */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "mrc/reader.h"
#include "mrc/sniff.h"

typedef struct {
    double sum, sq, min, max, shift;
    size_t n;
} sums_t;

static void check_id(const mrc_header_t *h, notes_t *list)
{
    const unsigned char *m = h->map, *s = h->stamp;
    bool big;
    if (memcmp(m, "MAP ", 4) != 0)
        notes_add(list, "MAP: bytes 208-211 are %02x %02x %02x %02x (4d 41 50 20, \"MAP \")", m[0], m[1], m[2], m[3]);
    if (!head_stamp_order(h, &big) || s[2] || s[3])
        notes_add(list, "MACHST: %02x %02x %02x %02x (44 44 00 00, 44 41 00 00 or 11 11 00 00)", s[0], s[1], s[2], s[3]);
    else if (big != h->big_endian)
        notes_add(list, "MACHST: %s-endian, but the header is %s-endian", big ? "big" : "little", big ? "little" : "big");
    if (h->nversion != 20140 && h->nversion != 20141) notes_add(list, "NVERSION: %d (20140 or 20141)", h->nversion);
}

static void check_sizes(const mrc_header_t *h, notes_t *list)
{
    if (!head_mode_name(h->mode) || h->mode == 16) notes_add(list, "MODE: %d (0, 1, 2, 3, 4, 6, 12 or 101)", h->mode);
    for (int k = 0; k < 3; k++)
        if (h->n[k] < 1) notes_add(list, "N%c: %d (1 or more)", 'X' + k, h->n[k]);
    for (int k = 0; k < 3; k++)
        if (h->m[k] < 1) notes_add(list, "M%c: %d (1 or more)", 'X' + k, h->m[k]);
    for (int k = 0; k < 3; k++)
        if (!(h->cella[k] > 0) || !isfinite(h->cella[k]))
            notes_add(list, "CELLA: %c is %g (more than 0)", 'x' + k, (double)h->cella[k]);
    for (int k = 0; k < 3; k++)
        if (!(h->cellb[k] > 0 && h->cellb[k] < 180))
            notes_add(list, "CELLB: angle %d is %g (between 0 and 180)", k + 1, (double)h->cellb[k]);
    if (!head_is_permutation(h->mapcrs))
        notes_add(list, "MAPC, MAPR, MAPS: %d, %d, %d (a permutation of 1, 2, 3)", h->mapcrs[0], h->mapcrs[1], h->mapcrs[2]);
}

static void check_rest(const mrc_header_t *h, notes_t *list)
{
    static const char *const known[] = {"CCP4", "MRCO", "SERI", "AGAR", "FEI1", "FEI2", "HDF5"};
    bool stack = h->ispg >= 401 && h->ispg <= 630, type = false;
    if (!(h->ispg >= 0 && h->ispg <= 230) && !stack) notes_add(list, "ISPG: %d (0 to 230, or 401 to 630)", h->ispg);
    if (stack && (h->m[2] < 1 || h->n[2] % h->m[2]))
        notes_add(list, "NZ: %d sections in a stack of volumes of MZ %d (a multiple)", h->n[2], h->m[2]);
    if (h->nsymbt < 0) notes_add(list, "NSYMBT: %d (0 or more)", h->nsymbt);
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) type = type || !strcmp(h->exttyp, known[k]);
    if (h->nsymbt > 0 && !type) notes_add(list, "EXTTYP: '%s' is not a known type of extended header", h->exttyp);
    for (int k = 0; k < 3; k++)
        if (!isfinite(h->origin[k])) notes_add(list, "ORIGIN: %c is %g", 'x' + k, (double)h->origin[k]);
}

static void check_labels(const mrc_header_t *h, notes_t *list)
{
    int used = 0, last = 0;
    for (int k = 0; k < HEAD_LABELS; k++)
        if (h->label[k][strspn(h->label[k], " ")]) {
            used++;
            last = k + 1;
        }
    if (h->nlabl != used) notes_add(list, "NLABL: %d, but %d labels contain text", h->nlabl, used);
    if (last > used) notes_add(list, "LABEL: an empty label stands before one with text");
}

static void add(sums_t *s, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double v = (double)x[i];
        if (!isfinite(v)) continue;
        if (!s->n) s->shift = v;
        double d = v - s->shift;
        s->sum += d;
        s->sq += d * d;
        if (!s->n || v < s->min) s->min = v;
        if (!s->n || v > s->max) s->max = v;
        s->n++;
    }
}

/* As good as equal, as NumPy's isclose(a, b, rtol=0.01). */
static bool near(double a, double b) { return fabs(a - b) <= 1e-8 + 0.01 * fabs(b); }

static void check_stats(const mrc_header_t *h, const sums_t *s, size_t bad, notes_t *list)
{
    double n = (double)s->n, m = n > 0 ? s->sum / n : 0, var = n > 0 ? s->sq / n - m * m : 0, mean = m + s->shift,
           sd = var > 0 ? sqrt(var) : 0, lo = (double)h->dmin, hi = (double)h->dmax;
    if (bad) notes_add(list, "data: %zu values are NaN or infinite", bad);
    if (!s->n) return;
    if (!(lo > hi)) {
        if (!(lo == s->min) && !(lo == hi)) notes_add(list, "DMIN: %.9g, but the least value is %.9g", lo, s->min);
        if (!(hi == s->max) && !(lo == hi)) notes_add(list, "DMAX: %.9g, but the greatest value is %.9g", hi, s->max);
        if (lo == hi && !(lo == s->min && hi == s->max))
            notes_add(list, "DMIN, DMAX: both %.9g, but the values are %.9g to %.9g", lo, s->min, s->max);
    }
    if (!((double)h->dmean < fmin(lo, hi)) && !near(mean, (double)h->dmean))
        notes_add(list, "DMEAN: %.6g, but the mean is %.6g", (double)h->dmean, mean);
    if (!(h->rms < 0) && !near(sd, (double)h->rms))
        notes_add(list, "RMS: %.6g, but the deviation is %.6g", (double)h->rms, sd);
}

/* All values of all volumes, as stored. */
static int scan(reader_t *r, sums_t *s, err_t *err)
{
    size_t nx = (size_t)r->h.n[0], rows = (size_t)r->h.n[1] * (size_t)r->h.n[2], step = READER_CHUNK / (4 * nx);
    if (!step) step = 1;
    if (step > rows) step = rows;
    float *x = mem_new(step * nx, sizeof *x, err);
    unsigned char *tmp = mem_new(r->row_bytes > READER_CHUNK ? r->row_bytes : READER_CHUNK, 1, err);
    int rc = x && tmp ? source_seek(&r->src, r->h.data_at, err) : -1;
    for (size_t j = 0; j < rows && !rc; j += step) {
        size_t m = rows - j < step ? rows - j : step;
        rc = reader_rows(r, x, m, tmp, err);
        if (!rc) add(s, x, m * nx);
    }
    mem_free(x);
    mem_free(tmp);
    return rc;
}

/* The data, their statistics and the length of the file. */
static int check_data(reader_t *r, notes_t *list, err_t *err)
{
    sums_t s = {0};
    unsigned char one;
    size_t more = 0, want = r->h.data_at + r->h.data_bytes;
    if (r->src.size != SOURCE_UNKNOWN && r->src.size != want)
        notes_add(list, "file: %zu bytes, %s than the %zu that the header accounts for", r->src.size,
                  r->src.size < want ? "shorter" : "longer", want);
    if (!head_is_density(r->h.mode)) return 0; /* complex: no statistics */
    reader_set_kind(r);
    if (r->src.size != SOURCE_UNKNOWN && r->src.size < want) return 0;
    if (scan(r, &s, err)) return -1;
    if (r->src.size == SOURCE_UNKNOWN && source_read(&r->src, &one, 1, &more, err)) return -1;
    if (more) notes_add(list, "file: longer than the %zu bytes that the header accounts for", want);
    check_stats(&r->h, &s, r->bad, list);
    return 0;
}

static int validate_opened(reader_t *r, notes_t *list, err_t *err)
{
    unsigned char b[HEAD_BYTES] = {0};
    size_t n;
    if (source_read(&r->src, b, sizeof b, &n, err)) return -1;
    head_parse(b, &r->h);
    if (n < HEAD_BYTES || (!head_has_map(&r->h) && (head_sense(&r->h) < 7 || sniff(b, n, r->src.size).name))) {
        const char *what = sniff(b, n, r->src.size).name;
        if (what)
            notes_add(list, "file: %s, no MRC file", what);
        else if (n < HEAD_BYTES)
            notes_add(list, "file: %zu bytes, shorter than the header (%d)", n, HEAD_BYTES);
        else
            notes_add(list, "file: no MRC file");
        return 0;
    }
    check_id(&r->h, list);
    check_sizes(&r->h, list);
    check_rest(&r->h, list);
    check_labels(&r->h, list);
    err_t e = {0};
    if (head_judge(&r->h, r->name, &r->opts, NULL, &e)) { /* then the data cannot be found */
        if (!list->n) notes_add(list, "file: %s", e.msg);
        return 0;
    }
    if (r->h.mode0_unsigned && r->opts.mode0 == MRC_MODE0_AUTO)
        notes_add(list, "MODE: 0 with the flag for unsigned bytes (mode 0 is signed)");
    if (r->h.nsymbt && source_hold(&r->src, r->opts.mem_limit, err)) return -1;
    return check_data(r, list, err);
}

int reader_validate(reader_t *r, notes_t *list, err_t *err)
{
    err_t e = {0};
    int rc = 0;
    if (validate_opened(r, list, &e)) {
        /* A shortened file, or damaged compressed data, are a departure; a disk that fails is not. */
        if (r->cut || (r->src.dec && (e.code == ERR_FORMAT || e.code == ERR_IO)))
            notes_add(list, "file: %s", e.msg);
        else
            rc = err_set(err, e.code, "%s", e.msg);
    }
    if (!rc && list->lost) rc = err_set(err, ERR_NOMEM, "no memory for the list of departures");
    return rc;
}

int mrc_validate(const char *path, const mrc_opts_t *opts, notes_t *list, err_t *err)
{
    reader_t r;
    reader_init(&r, opts, NULL);
    int rc = source_open(&r.src, path, r.opts.mem_limit, err);
    r.name = r.src.name;
    if (!rc) rc = reader_validate(&r, list, err);
    if (rc) err_prefix(err, r.src.name);
    source_close(&r.src);
    return rc;
}
