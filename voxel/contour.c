/* contour: level and mask of the molecule (see contour.h).
 * Source: Ridler and Calvard 1978, IEEE Trans. Systems, Man, Cybernetics 8:630. */
#include "voxel/contour.h"

#include <math.h>
#include <stdbool.h>

#include "base/mem.h"
#include "voxel/components.h"

enum { BINS = 4096, SMOOTH = 8 };

typedef struct {
    double lo, width; /* value of bin i is lo + (i + 0.5) * width */
    double n[BINS];   /* voxels */
} hist_t;

static int hist_fill(const vol_t *v, hist_t *h, err_t *err)
{
    size_t n = vol_len(v);
    float lo = INFINITY, hi = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(v->data[i])) continue;
        if (v->data[i] < lo) lo = v->data[i];
        if (v->data[i] > hi) hi = v->data[i];
    }
    if (!(hi > lo)) return err_set(err, ERR_RANGE, "contour: a flat map (no contrast)");
    *h = (hist_t){.lo = (double)lo, .width = ((double)hi - (double)lo) / BINS};
    double scale = BINS / ((double)hi - (double)lo);
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(v->data[i])) continue;
        size_t b = (size_t)(((double)v->data[i] - (double)lo) * scale);
        h->n[b < BINS ? b : BINS - 1]++;
    }
    return 0;
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

int contour_estimate(const vol_t *v, contour_t *c, err_t *err)
{
    hist_t *h = mem_new(1, sizeof *h, err);
    if (!h) return -1;
    if (hist_fill(v, h, err)) {
        mem_free(h);
        return -1;
    }
    double b = hist_mode(h), num = 0, mass = 0, all = 0;
    for (size_t i = 0; i < BINS; i++) all += h->n[i];

    /* Walk down from the top; a bin that falls to its own threshold is a fixed point. A few hot voxels and the noise
     * make fixed points of their own: the one that explains most of the contrast is the molecule. */
    *c = (contour_t){.background = b, .level = b, .plateau = b};
    double most = 0;
    bool above = false; /* the bins so far lie above the threshold that they set */
    for (size_t i = BINS; i-- > 0;) {
        double x = h->lo + (double)i * h->width;
        if (x <= b) break;
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
    mem_free(h);
    if (!(c->level > c->background)) return err_set(err, ERR_RANGE, "contour: no density above the background");
    return 0;
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
    size[0] = 0;
    for (size_t k = 1; k <= count; k++)
        if (size[k] > most) most = size[k];
    for (size_t i = 0; i < n; i++) {
        mask[i] = label[i] && (double)size[label[i]] >= keep * (double)most;
        *inside += mask[i];
    }
    rc = 0;
done:
    mem_free(size);
    mem_free(label);
    return rc;
}
