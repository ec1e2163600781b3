/* cryolex fsc: Fourier shell correlation of two half-maps, and the resolution that it gives. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mrc/map.h"
#include "src/canvas.h"
#include "src/fscplot.h"
#include "src/json.h"
#include "src/mapopts.h"
#include "src/outpath.h"
#include "src/table.h"
#include "voxel/fsc.h"
#include "voxel/softmask.h"

enum { THRESHOLDS_MAX = 8 };
enum { FORMAT_TSV, FORMAT_SUMMARY, FORMAT_JSON };

typedef struct {
    mapopts_t map;
    const char *mask, *out, *thresholds;
    bool auto_mask, randomise;
    long seed;
    int format;
} opts_t;

#define AT(field) offsetof(opts_t, field)
static const opt_t rows[] = {
    {'m', "mask", OPT_STR, AT(mask), "MASK", 0, 0, NULL, NULL, "A second curve, of the maps times this map, which is 0 to 1 on the same grid"},
    {0, "auto-mask", OPT_FLAG, AT(auto_mask), NULL, 0, 0, NULL, NULL,
     "The same with a mask made of the average: low-passed at 15 angstrom, above the estimated contour, 3 voxels wider, with a soft edge of 6"},
    {'r', "randomise", OPT_FLAG, AT(randomise), NULL, 0, 0, NULL, NULL,
     "Two more curves: with random phases from where the unmasked curve falls below 0.8, and the masked one corrected by it"},
    {0, "randomize", OPT_FLAG, AT(randomise), NULL, 0, 0, NULL, NULL, "The same"},
    {0, "seed", OPT_INT, AT(seed), "N", 0, 1L << 53, NULL, "0", "Seed of the random phases"},
    {'t', "threshold", OPT_STR, AT(thresholds), "LIST", 0, 0, NULL, "0.143,0.5",
     "Correlations at which the resolution is told, between 0 and 1; the first is the one that counts"},
    {'o', "output", OPT_STR, AT(out), "FILE", 0, 0, NULL, NULL, "Draw the curves, by the suffix: .svg or .png"},
    {0, "format", OPT_CHOICE, AT(format), NULL, 0, 0, "tsv|summary|json", "tsv",
     "The curves as TSV with a header row; the resolutions as TSV; or both as one JSON object"},
    {0, "maps", OPT_GROUP, AT(map), NULL, 0, 0, mapopts_rows, NULL, NULL},
    {0},
};

/* What is known at the end. */
typedef struct {
    const opts_t *o;
    const char *name[3];
    const vol_t *a;
    fsc_t f;
    double threshold[THRESHOLDS_MAX];
    size_t thresholds;
} result_t;

static int read_thresholds(const char *list, result_t *r, err_t *err)
{
    for (const char *p = list;; p++) {
        char *end;
        double t = strtod(p, &end);
        if (end == p || (*end && *end != ',') || !(t > 0 && t < 1) || r->thresholds == THRESHOLDS_MAX)
            return err_set(err, ERR_USAGE, "fsc: --threshold %s: up to %d numbers between 0 and 1 are wanted, as 0.143,0.5", list, THRESHOLDS_MAX);
        r->threshold[r->thresholds++] = t;
        p = end;
        if (!*p) return 0;
    }
}

/* ---- what is printed ---- */

static bool judged(const fsc_t *f, int kind) { return f->curve[kind] && kind != FSC_RANDOMISED; }

static const char *crossing(double resolution, bool limited) { return isnan(resolution) ? "none" : limited ? "nyquist" : "yes"; }

static void print_tsv(const result_t *r)
{
    const fsc_t *f = &r->f;
    printf("shell\tfrequency\tresolution");
    for (int c = 0; c < FSC_CURVES; c++)
        if (f->curve[c]) printf("\t%s", fsc_name[c]);
    putchar('\n');
    for (size_t k = 0; k < f->n; k++) {
        printf("%zu\t%.6f\t", k, (double)k * f->step);
        if (k) printf("%.4f", 1 / ((double)k * f->step));
        else putchar('-');
        for (int c = 0; c < FSC_CURVES; c++)
            if (f->curve[c]) printf("\t%.6f", f->curve[c][k]);
        putchar('\n');
    }
}

static void print_summary(const result_t *r)
{
    printf("curve\tthreshold\tresolution\tcrosses\n");
    for (int c = 0; c < FSC_CURVES; c++)
        for (size_t i = 0; judged(&r->f, c) && i < r->thresholds; i++) {
            bool limited;
            double a = fsc_resolution(&r->f, (fsckind_t)c, r->threshold[i], &limited);
            printf("%s\t%g\t", fsc_name[c], r->threshold[i]);
            printf(isnan(a) ? "-" : "%.4f", a);
            printf("\t%s\n", crossing(a, limited));
        }
}

static json_t *json_resolutions(const result_t *r)
{
    json_t *list = json_array();
    for (int c = 0; c < FSC_CURVES; c++)
        for (size_t i = 0; judged(&r->f, c) && i < r->thresholds; i++) {
            bool limited;
            double a = fsc_resolution(&r->f, (fsckind_t)c, r->threshold[i], &limited);
            json_t *j = json_object();
            json_object_set_new(j, "curve", json_text(fsc_name[c]));
            json_object_set_new(j, "threshold", json_significant(r->threshold[i], 6));
            json_object_set_new(j, "resolution", json_rounded(a, 4));
            json_object_set_new(j, "crosses", json_text(crossing(a, limited)));
            json_array_append_new(list, j);
        }
    return list;
}

static void print_json(const result_t *r)
{
    const fsc_t *f = &r->f;
    json_t *j = json_object(), *curves = json_object();
    const char *const key[3] = {"a", "b", "mask"};
    for (int i = 0; i < 3; i++)
        if (r->name[i]) json_object_set_new(j, key[i], json_text(r->name[i]));
    json_object_set_new(j, "size", json_pack("[I,I,I]", (json_int_t)r->a->nx, (json_int_t)r->a->ny, (json_int_t)r->a->nz));
    json_object_set_new(j, "shells", json_integer((json_int_t)f->n));
    json_object_set_new(j, "step", json_significant(f->step, 10));
    if (f->curve[FSC_RANDOMISED]) json_object_set_new(j, "randomised_from", f->from ? json_integer((json_int_t)f->from) : json_null());
    json_object_set_new(j, "resolutions", json_resolutions(r));
    for (int c = 0; c < FSC_CURVES; c++) {
        if (!f->curve[c]) continue;
        json_t *list = json_array();
        for (size_t k = 0; k < f->n; k++) json_array_append_new(list, json_rounded(f->curve[c][k], 6));
        json_object_set_new(curves, fsc_name[c], list);
    }
    json_object_set_new(j, "curves", curves);
    json_line(j);
}

/* A line for each curve that is judged. */
static void tell(const app_t *app, const result_t *r)
{
    for (int c = 0; c < FSC_CURVES; c++) {
        char text[512] = "";
        for (size_t i = 0, n = 0; judged(&r->f, c) && i < r->thresholds && n < sizeof text; i++) {
            bool limited;
            double a = fsc_resolution(&r->f, (fsckind_t)c, r->threshold[i], &limited);
            int k = isnan(a) ? snprintf(text + n, sizeof text - n, "%snone at %g", i ? ", " : "", r->threshold[i])
                             : snprintf(text + n, sizeof text - n, "%s%.2f angstrom%s at %g", i ? ", " : "", a, limited ? " or better" : "", r->threshold[i]);
            n += k > 0 ? (size_t)k : 0;
        }
        if (judged(&r->f, c)) log_msg(&app->log, LOG_INFO, "resolution, %s: %s", fsc_name[c], text);
    }
}

/* ---- what is read ---- */

static vol_t *read_map(const app_t *app, const mrc_opts_t *mo, const char *path, err_t *err)
{
    notes_t notes = {0};
    vol_t *v = map_read(path, mo, NULL, &notes, err);
    log_notes(&app->log, path, &notes);
    notes_free(&notes);
    return v;
}

static int room_for(const app_t *app, const opts_t *o, const char *path, const vol_t *a, err_t *err)
{
    size_t need = vol_len(a) * sizeof(float) * (o->mask || o->auto_mask ? 6 : 4);
    if (need <= app->memory) return 0;
    return err_set(err, ERR_RANGE, "%s: the curves need about %zu bytes of memory (the limit is %zu); see --memory", path, need, app->memory);
}

static vol_t *mask_of_average(const vol_t *a, const vol_t *b, err_t *err)
{
    err_t why = {0};
    vol_t *v = vol_clone(a, err), *m = NULL;
    if (!v) return NULL;
    for (size_t i = 0; i < vol_len(v); i++) v->data[i] = (v->data[i] + b->data[i]) * 0.5f;
    if (!(m = softmask_make(v, NULL, &why))) err_set(err, why.code, "automatic mask: %s", why.msg);
    vol_free(v);
    return m;
}

/* What the curves do not mind, but whoever reads them should know. */
static void warn(const app_t *app, const char *const name[3], const vol_t *a, const vol_t *b, const vol_t *mask)
{
    const vol_t *v[2] = {b, mask};
    if (!memcmp(a->data, b->data, vol_len(a) * sizeof *a->data))
        log_msg(&app->log, LOG_WARN, "%s and %s are the same, voxel by voxel: not two half-maps", name[0], name[1]);
    for (int i = 0; i < 2; i++)
        for (int d = 0; v[i] && name[i + 1] && d < 3; d++)
            if (fabs(v[i]->origin[d] - a->origin[d]) > a->voxel[d] / 2) {
                log_msg(&app->log, LOG_WARN, "%s: origin %c is %.6g angstrom (%s has %.6g); voxels are compared where they stand in their boxes",
                        name[i + 1], 'x' + d, v[i]->origin[d], name[0], a->origin[d]);
                break;
            }
}

static int check_options(const opts_t *o, int argc, char **argv, err_t *err)
{
    if (o->mask && o->auto_mask) return err_set(err, ERR_USAGE, "fsc: --mask and --auto-mask (one of them)");
    if (o->mask && !strcmp(o->mask, "auto") && access(o->mask, F_OK))
        return err_set(err, ERR_USAGE, "fsc: --mask auto: no such file; --auto-mask makes a mask");
    if (o->randomise && !o->mask && !o->auto_mask) return err_set(err, ERR_USAGE, "fsc: --randomise corrects for a mask; give --mask MASK or --auto-mask");
    if (!o->out) return 0;
    if (canvas_kind(o->out) == CANVAS_NONE) return err_set(err, ERR_USAGE, "fsc: %s: the name of the picture ends neither in .svg nor in .png", o->out);
    for (int i = 0; i < argc; i++)
        if (outpath_not_input("fsc", o->out, argv[i], err)) return -1;
    if (o->mask && outpath_not_input("fsc", o->out, o->mask, err)) return -1;
    return outpath_writable(o->out, err);
}

static int run(const app_t *app, const void *options, int argc, char **argv)
{
    const opts_t *o = options;
    mrc_opts_t mo = mapopts_mrc(&o->map, app);
    result_t r = {.o = o, .name = {argv[0], argv[1], o->mask}};
    vol_t *a = NULL, *b = NULL, *mask = NULL;
    err_t err = {0};
    int rc = -1;
    if (read_thresholds(o->thresholds, &r, &err) || check_options(o, argc, argv, &err)) goto done;
    if (!(a = read_map(app, &mo, argv[0], &err)) || room_for(app, o, argv[0], a, &err)) goto done;
    if (!(b = read_map(app, &mo, argv[1], &err)) || fsc_agree(a, argv[0], b, argv[1], &err)) goto done;
    if (o->mask && !(mask = read_map(app, &mo, o->mask, &err))) goto done;
    if (o->auto_mask && !(mask = mask_of_average(a, b, &err))) goto done;
    const fsc_opts_t how = {.mask = mask, .randomise = o->randomise, .seed = (uint64_t)o->seed, .name = {argv[0], argv[1], o->mask}};
    if (fsc_make(a, b, &how, &r.f, &err)) goto done;
    r.a = a;
    warn(app, r.name, a, b, mask);
    if (o->out && fscplot_write(o->out, &r.f, r.threshold, r.thresholds, &err)) goto done;
    (o->format == FORMAT_JSON ? print_json : o->format == FORMAT_SUMMARY ? print_summary : print_tsv)(&r);
    tell(app, &r);
    rc = 0;
done:
    vol_free(a);
    vol_free(b);
    vol_free(mask);
    fsc_free(&r.f);
    return rc ? cmd_fail(app, &err) : EXIT_DONE;
}

const cmd_t cmd_fsc = {
    .name = "fsc",
    .args = "A B",
    .summary = "Fourier shell correlation of two half-maps, resolution",
    .about = "A and B are maps of one grid, as a rule the half-maps of a reconstruction; the box need not be a cube. \"-\" is standard input, "
             "for one of them.\n\n"
             "Columns: shell, one Fourier voxel of the longest edge thick; spatial frequency in 1/angstrom; resolution, its inverse in "
             "angstrom; then the correlations: unmasked, and where asked for masked, randomised and corrected. The sums are RELION's, "
             "and so is the correction: (t - r) / (1 - r), with t the masked curve and r that of maps with random phases, from two shells "
             "beyond the one where the phases begin to be random.\n\n"
             "The resolution is where a curve first falls below the threshold, by linear interpolation between shells; 0.143 is for half-maps "
             "that were refined apart, 0.5 for a map against a model's. It is told on standard error. With --format summary the columns are "
             "curve, threshold, resolution, and crosses: yes; nyquist, where the curve never falls below, and the resolution is that of the last "
             "shell; or none, where it is below from the first shell on.\n\n"
             "A mask correlates with itself, the more the tighter it is: without --randomise a masked curve promises too much.",
    .example = "cryolex fsc half1.mrc half2.mrc --auto-mask --randomise -o fsc.svg",
    .opts = rows,
    .opt_size = sizeof(opts_t),
    .min_args = 2,
    .max_args = 2,
    .run = run,
};
