/* values: values of a density as a file of a narrower type holds them (see values.h). */
#include "mrc/values.h"

#include <math.h>

enum { BLOCK = 2048 };

static const struct {
    bool whole;
    double lo, hi;
} limits[] = {[RAW_INT8] = {true, -128, 127},     [RAW_UINT8] = {true, 0, 255},        [RAW_INT16] = {true, -32768, 32767},
              [RAW_UINT16] = {true, 0, 65535},    [RAW_FLOAT16] = {false, -65504, 65504}, [RAW_FLOAT32] = {false, -INFINITY, INFINITY}};

/* The value that the file will hold. */
static double stored(const fit_t *f, float value)
{
    double x = (double)value;
    if (f->kind == RAW_FLOAT32) return x;
    if (f->whole) {
        if (f->clip && isnan(x)) x = 0;
        x = rint(x * f->mul + f->add);
        return !f->clip ? x : x < f->lo ? f->lo : x > f->hi ? f->hi : x;
    }
    double h = (double)raw_half_to_float(raw_float_to_half(value));
    return f->clip && isinf(h) && isfinite(x) ? copysign(f->hi, x) : h;
}

/* Does the kind hold it, but for rounding? */
static bool holds(const fit_t *f, float value)
{
    double x = (double)value;
    if (f->whole) {
        x = rint(x * f->mul + f->add);
        return x >= f->lo && x <= f->hi;
    }
    return !isfinite(x) || f->kind == RAW_FLOAT32 || isfinite(raw_half_to_float(raw_float_to_half(value)));
}

/* The range of the finite values becomes that of the kind. */
static void set_scale(fit_t *f, const vol_t *v)
{
    double min = INFINITY, max = -INFINITY;
    for (size_t i = 0, n = vol_len(v); i < n; i++) {
        if (!isfinite(v->data[i])) continue;
        min = fmin(min, (double)v->data[i]);
        max = fmax(max, (double)v->data[i]);
    }
    f->scaled = true;
    if (!(min <= max)) min = max = 0;
    if (max > min) f->mul = (f->hi - f->lo) / (max - min);
    f->add = f->lo - min * f->mul;
}

typedef struct {
    size_t rounded, clipped;
    double most; /* by rounding, in the units of v */
} loss_t;

static int measure(const char *path, const char *type, const vol_t *v, const fit_t *f, volstat_t *s, loss_t *loss, err_t *err)
{
    const size_t all = vol_len(v);
    size_t n = 0;
    double sum = 0, sq = 0, shift = 0;
    *s = (volstat_t){.min = INFINITY, .max = -INFINITY};
    for (size_t i = 0; i < all; i++) {
        double x = stored(f, v->data[i]);
        if (!holds(f, v->data[i])) {
            if (!f->clip)
                return err_set(err, ERR_RANGE, "%s: value %g does not fit %s (%g to %g)", path, (double)v->data[i], type, f->lo, f->hi);
            loss->clipped++;
        } else if (isfinite(x)) {
            double off = fabs((x - f->add) / f->mul - (double)v->data[i]);
            loss->rounded += off > 0;
            loss->most = fmax(loss->most, off);
        }
        if (!isfinite(x)) continue;
        if (!n) shift = x;
        sum += x - shift;
        sq += (x - shift) * (x - shift);
        s->min = fmin(s->min, x);
        s->max = fmax(s->max, x);
        n++;
    }
    s->bad = all - n;
    if (!n) {
        *s = (volstat_t){.bad = all};
        return 0;
    }
    double m = sum / (double)n, var = sq / (double)n - m * m;
    s->mean = shift + m;
    s->sd = var > 0 ? sqrt(var) : 0;
    return 0;
}

int values_fit(const char *path, const char *type, const vol_t *v, raw_t kind, bool scale, bool clip, fit_t *f, volstat_t *s, notes_t *notes,
               err_t *err)
{
    loss_t loss = {0};
    *f = (fit_t){.kind = kind, .whole = limits[kind].whole, .clip = clip, .lo = limits[kind].lo, .hi = limits[kind].hi, .mul = 1};
    if (scale && !f->whole) return err_set(err, ERR_USAGE, "%s: %s is no integer, nothing is scaled to its range", path, type);
    if (scale) set_scale(f, v);
    if (kind == RAW_FLOAT32) vol_stats(v, s);
    else if (measure(path, type, v, f, s, &loss, err)) return -1;
    if (f->scaled)
        notes_add(notes, "values are scaled: value = (stored - %.9g) / %.9g, to %.2g", f->add, f->mul, loss.most);
    else if (loss.rounded)
        notes_add(notes, "%zu of %zu values are rounded to %s, by %.2g at most%s", loss.rounded, vol_len(v), type, loss.most,
                  f->whole && s->max - s->min < 16 ? ", which is much of their range: scale them" : "");
    if (loss.clipped) notes_add(notes, "%zu values do not fit %s (%g to %g): the nearest limit, or 0 for NaN, is written", loss.clipped, type, f->lo, f->hi);
    return 0;
}

void values_encode(const fit_t *f, bool big_endian, const float *x, unsigned char *raw, size_t n)
{
    float block[BLOCK];
    if (f->kind == RAW_FLOAT32) {
        raw_from_float(f->kind, big_endian, x, raw, n);
        return;
    }
    for (size_t i = 0; i < n; i += BLOCK) {
        size_t m = n - i < BLOCK ? n - i : BLOCK;
        for (size_t k = 0; k < m; k++) block[k] = (float)stored(f, x[i + k]);
        raw_from_float(f->kind, big_endian, block, raw + i * raw_bytes(f->kind), m);
    }
}
