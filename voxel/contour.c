/* contour: level and mask of the molecule (see contour.h).
 * Source: Ridler and Calvard 1978, IEEE Trans. Systems, Man, Cybernetics 8:630. */
#include "voxel/contour.h"

#include <math.h>
#include <stdbool.h>

#include "base/mem.h"
#include "voxel/components.h"
#include "voxel/tally.h"

enum { BINS = TALLY_BINS, SMOOTH = 8, CHUNK = 1 << 19, FEW_AT_ONCE = 4096 }; /* voxels that a thread counts before it adds up */
static const double OUTLIER = 10, FEW = 1e-4; /* see hist_limits */
static const double LEFT = 2e-4; /* share of the voxels that must stand above the noise */

typedef struct {
    double lo, width; /* value of bin i is lo + (i + 0.5) * width; what lies beyond is counted in the end bins */
    double n[BINS];   /* voxels */
} hist_t;

/* n values, of which those that are not finite are left out. */
static void count_finite(const tally_t *t, const float *x, size_t n, double lo, double scale, uint32_t *bin)
{
    float some[FEW_AT_ONCE];
    for (size_t i = 0; i < n;) {
        size_t k = 0;
        for (; i < n && k < FEW_AT_ONCE; i++)
            if (isfinite(x[i])) some[k++] = x[i];
        t->count(some, k, lo, scale, bin);
    }
}

/* Counts are whole numbers, so their sum does not depend on who counts what. */
static void hist_count(const vol_t *v, const range_t *r, double lo, double hi, hist_t *h)
{
    const tally_t *t = tally();
    const size_t n = vol_len(v), chunks = (n + CHUNK - 1) / CHUNK;
    *h = (hist_t){.lo = lo, .width = (hi - lo) / BINS};
    double scale = BINS / (hi - lo), *total = h->n;
#pragma omp parallel for schedule(static)
    for (size_t c = 0; c < chunks; c++) {
        uint32_t own[TALLY_LANES * BINS] = {0};
        size_t at = c * CHUNK, m = n - at < CHUNK ? n - at : CHUNK;
        if (r->bad) count_finite(t, v->data + at, m, lo, scale, own);
        else t->count(v->data + at, m, lo, scale, own);
#pragma omp critical(cryolex_contour)
        for (size_t b = 0; b < TALLY_LANES * BINS; b++) total[b % BINS] += own[b];
    }
}

static range_t range_of(const vol_t *v)
{
    const tally_t *t = tally();
    const size_t n = vol_len(v), chunks = (n + CHUNK - 1) / CHUNK;
    range_t all = RANGE_NONE;
#pragma omp parallel for schedule(static)
    for (size_t c = 0; c < chunks; c++) {
        range_t own = RANGE_NONE;
        size_t at = c * CHUNK;
        t->range(v->data + at, n - at < CHUNK ? n - at : CHUNK, &own);
#pragma omp critical(cryolex_contour)
        {
            all.least = fminf(all.least, own.least);
            all.most = fmaxf(all.most, own.most);
            all.bad += own.bad;
        }
    }
    return all;
}

/* The commonest value: centre of the window of 2*SMOOTH+1 bins that holds most voxels, refined to their mean bin. */
static double hist_mode(const hist_t *h)
{
    double best = -1, sum = 0;
    size_t at = 0;
    for (size_t i = 0; i < BINS + SMOOTH; i++) {
        if (i < BINS) sum += h->n[i];
        if (i > 2 * SMOOTH) sum -= h->n[i - 2 * SMOOTH - 1];
        if (i >= SMOOTH && sum > best) {
            best = sum;
            at = i - SMOOTH;
        }
    }
    double m = 0, k = 0;
    for (size_t i = at > SMOOTH ? at - SMOOTH : 0; i <= at + SMOOTH && i < BINS; i++) {
        m += h->n[i] * ((double)i + 0.5);
        k += h->n[i];
    }
    return h->lo + h->width * m / k;
}

/* Where a voxel becomes an outlier, on either side: OUTLIER times as far from the mode as all but a few voxels. */
static void hist_limits(const hist_t *h, double *lo, double *hi)
{
    double all = 0, m = hist_mode(h), n = 0;
    for (size_t i = 0; i < BINS; i++) all += h->n[i];
    double few = fmax(3, FEW * all);
    size_t i = 0, j = BINS - 1;
    for (n = h->n[0]; n <= few && i + 1 < BINS;) n += h->n[++i];
    for (n = h->n[BINS - 1]; n <= few && j > 0;) n += h->n[--j];
    *lo = m - OUTLIER * fmax(m - (h->lo + (double)i * h->width), h->width);
    *hi = m + OUTLIER * fmax(h->lo + (double)(j + 1) * h->width - m, h->width);
}

/* A histogram that a few hot or cold voxels do not spoil: its range shrinks until it holds no outlier. */
static int hist_fill(const vol_t *v, hist_t *h, range_t *r, err_t *err)
{
    *r = range_of(v);
    if (r->bad == vol_len(v)) return err_set(err, ERR_RANGE, "contour: no voxel of the map is finite");
    if (!(r->most > r->least)) return err_set(err, ERR_RANGE, "contour: a flat map (no contrast)");
    double lo = (double)r->least, hi = (double)r->most;
    for (int round = 0; round < 12; round++) {
        double a, b;
        hist_count(v, r, lo, hi, h);
        hist_limits(h, &a, &b);
        a = fmax(a, lo);
        b = fmin(b, hi);
        if (!(b - a < 0.5 * (hi - lo))) break;
        lo = a;
        hi = b;
    }
    return 0;
}

/* Standard deviation of the noise, from the median distance of what does not lie above the mode: nothing of the molecule
 * does, dark halos are too few to matter, and in a masked map most of it is the mode itself. */
static double hist_noise(const hist_t *h, double mode)
{
    double below = 0, n = 0;
    size_t top = (size_t)fmax(0, fmin(BINS - 1, (mode - h->lo) / h->width));
    for (size_t i = 0; i <= top; i++) below += h->n[i];
    for (size_t i = top + 1; i-- > 0;) {
        n += h->n[i];
        if (n >= 0.5 * below) return fmax(0, mode - h->lo - ((double)i + 0.5) * h->width) / 0.6745;
    }
    return 0;
}

/* Walk down from the top; a bin that falls to its own threshold is a fixed point. Of those above `floor`, the one that
 * explains most of the contrast. False when there is none; *c is then what stands above the floor. */
static bool hist_level(const hist_t *h, double b, double floor, contour_t *c)
{
    double num = 0, mass = 0, most = 0, all = 0;
    bool above = false; /* the bins so far lie above the threshold that they set */
    for (size_t i = 0; i < BINS; i++) all += h->n[i];
    for (size_t i = BINS; i-- > 0;) {
        double x = h->lo + (double)i * h->width;
        if (x <= floor) break;
        num += h->n[i];
        mass += h->n[i] * (x + 0.5 * h->width - b);
        if (num <= 0) continue;
        double level = b + CONTOUR_FRACTION * mass / num;
        if (x > level) {
            above = true;
        } else if (above) {
            above = false;
            double contrast = mass * mass / num;
            if (contrast <= most) continue;
            most = contrast;
            *c = (contour_t){.background = b, .level = level, .plateau = b + mass / num, .inside = num / all};
        }
    }
    if (most > 0) return true;
    *c = (contour_t){.background = b, .level = floor, .plateau = num > 0 ? b + mass / num : b, .inside = num / all};
    return false;
}

/* contour_estimate() by a histogram. */
static int estimate(const hist_t *h, contour_t *c, err_t *err)
{
    double b = hist_mode(h), noise = hist_noise(h, b);
    bool found = hist_level(h, b, b + CONTOUR_NOISE * noise, c);
    /* Dark halos, or a molecule that fills the box, pass for noise: where nothing is left above it, look lower. */
    for (double k = CONTOUR_NOISE - 1; !found && c->inside < LEFT && k >= 0; k--) found = hist_level(h, b, b + k * noise, c);
    c->noise = noise;
    if (c->level > b && c->inside > 0) return 0;
    return err_set(err, ERR_RANGE, "contour: no density above the background (inverted contrast?)");
}

int contour_survey(const vol_t *v, survey_t *s, err_t *err)
{
    hist_t *h = mem_new(1, sizeof *h, err);
    range_t r;
    int rc = h ? hist_fill(v, h, &r, err) : -1;
    if (!rc) {
        *s = (survey_t){.background = hist_mode(h), .least = (double)r.least, .most = (double)r.most, .bad = r.bad};
        hist_limits(h, &s->lo, &s->hi);
        s->contrast = !estimate(h, &s->contour, NULL);
    }
    mem_free(h);
    return rc;
}

int contour_estimate(const vol_t *v, contour_t *c, err_t *err)
{
    hist_t *h = mem_new(1, sizeof *h, err);
    range_t r;
    int rc = h ? hist_fill(v, h, &r, err) : -1;
    if (!rc) rc = estimate(h, c, err);
    mem_free(h);
    return rc;
}

int contour_mask(const vol_t *v, double level, double keep, unsigned char *mask, size_t *inside, err_t *err)
{
    size_t n = vol_len(v), count = 0, most = 0;
    uint32_t *label = mem_new(n, sizeof *label, err);
    size_t *size = NULL;
    int rc = -1;
    if (!label) return -1;
    for (size_t i = 0; i < n; i++) mask[i] = (double)v->data[i] > level;
    if (components_label(mask, v->nx, v->ny, v->nz, 26, label, &count, err)) goto done;
    *inside = 0;
    if (!count) {
        err_set(err, ERR_RANGE, "contour: no density above level %g", level);
        goto done;
    }
    if (!(size = mem_new(count + 1, sizeof *size, err))) goto done;
    components_sizes(label, n, count, size);
    for (size_t k = 1; k <= count; k++)
        if (size[k] > most) most = size[k];
    for (size_t k = 0; k <= count; k++) { /* from now on: does it stay? */
        const bool stays = k && (double)size[k] >= keep * (double)most;
        if (stays) *inside += size[k];
        size[k] = stays;
    }
    for (size_t i = 0; i < n; i++)
        if (mask[i]) mask[i] = (unsigned char)size[label[i]];
    rc = 0;
done:
    mem_free(size);
    mem_free(label);
    return rc;
}
