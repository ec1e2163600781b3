/* likeness: do views differ from clean cubes as real maps do?
 *     make tests/bench/likeness && tests/bench/likeness VIEWS SEED < PAIRS > TABLE
 * PAIRS: lines `id map model`, tab-separated, map "-" for a model without; the model in the frame of the map. For each line
 * TABLE has a row of the differences of the map's cube from the clean cube of the model (kind real), and VIEWS rows of views
 * (kind view). tests/bench/likeness.py makes the pairs and reads the table. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/threads.h"
#include "mrc/mrc.h"
#include "pdb/pdb.h"
#include "pipeline/describe.h"
#include "voxel/contour.h"
#include "voxel/spectrum.h"
#include "voxel/view.h"

enum { LEVELS = 10, SHELLS = CUBE_SHELLS };

/* What is measured on one cube. */
typedef struct {
    frame_t frame;
    double volume, filled, mean, sd, full;
    double raw[SPECTRUM_MAX], hist[LEVELS];
    int8_t desc[DESC_LEN];
} facts_t;

static int facts_of(const vol_t *v, const cube_t *given, facts_t *f, err_t *err)
{
    cube_t own = {0}, raw = {0};
    const cube_opts_t as_sampled = {.as_sampled = 1};
    if (cube_make(v, &as_sampled, &raw, err)) return -1;
    int rc = spectrum_of(raw.data, raw.side, f->raw, err);
    cube_free(&raw);
    if (rc || (!given && cube_make(v, NULL, &own, err))) return -1;
    const cube_t *c = given ? given : &own;
    size_t n = c->side * c->side * c->side, k = 0, full = 0;
    double sum = 0, sq = 0;
    memset(f->hist, 0, sizeof f->hist);
    for (size_t i = 0; i < n; i++) {
        double x = (double)c->data[i];
        if (!(x > 0.05)) continue;
        k++;
        sum += x;
        sq += x * x;
        full += x > 0.9;
        f->hist[x < 1 ? (size_t)(x * LEVELS) : LEVELS - 1]++;
    }
    for (int i = 0; i < LEVELS; i++) f->hist[i] /= (double)k;
    f->frame = c->frame;
    f->volume = c->volume;
    f->filled = (double)k / (double)n;
    f->mean = sum / (double)k;
    f->sd = sqrt(sq / (double)k - f->mean * f->mean);
    f->full = (double)full / (double)k;
    desc_pack(c->data, c->side, f->desc);
    cube_free(&own);
    return 0;
}

static double correlation(const facts_t *a, const facts_t *b)
{
    static float turns[DESC_TURNS * DESC_LEN];
    size_t row = 0;
    float best = NAN;
    desc_turns(a->desc, turns);
    return desc_match(turns, 1, b->desc, &row, sizeof row, 1, &best, NULL) ? (double)NAN : (double)best;
}

/* Degrees between axis k of one and the nearest axis of the other. */
static double angle(const frame_t *a, const frame_t *b, int k)
{
    double most = 0;
    for (int j = 0; j < 3; j++) {
        double dot = 0;
        for (int d = 0; d < 3; d++) dot += a->axis[k][d] * b->axis[j][d];
        most = fmax(most, fabs(dot));
    }
    return acos(fmin(1, most)) * 57.29578;
}

static void row(const char *kind, const char *id, const facts_t *c, const facts_t *f)
{
    double shift = 0, moved = 0, sum = 0;
    for (int d = 0; d < 3; d++) shift += (f->frame.centre[d] - c->frame.centre[d]) * (f->frame.centre[d] - c->frame.centre[d]);
    for (int i = 0; i < LEVELS; i++) {
        sum += f->hist[i] - c->hist[i];
        moved += fabs(sum) / LEVELS;
    }
    printf("%s\t%s\t%.1f\t%.4f\t%.4f\t%.4f\t%.4f\t%.2f\t%.2f\t%.4f\t%.4f\t%.4f\t%.4f\t%.4f", kind, id, c->frame.rg, correlation(c, f),
           log(f->frame.rg / c->frame.rg), log(f->volume / c->volume), sqrt(shift) / c->frame.rg, angle(&c->frame, &f->frame, 0),
           angle(&c->frame, &f->frame, 2), log(f->filled / c->filled), f->mean - c->mean, f->sd - c->sd, f->full - c->full, moved);
    for (int s = 2; s < SHELLS; s++) printf("\t%.3f", log((f->raw[s] / f->raw[1]) / (c->raw[s] / c->raw[1])));
    printf("\t%.3f\t%.3f\t%.3f\n", c->frame.moment[0] / c->frame.moment[2], f->filled, f->mean);
}

static int pair(const char *id, const char *map, const char *model, int views, uint64_t seed, err_t *err)
{
    facts_t clean, f;
    membrane_t span;
    int rc = -1;
    model_t *m = pdb_read(model, NULL, NULL, err);
    vol_t *d = m ? describe_density(m, err) : NULL, *v = NULL;
    if (!d || facts_of(d, NULL, &clean, err) || membrane_find(m, &span, err)) goto done;
    if (strcmp(map, "-")) {
        if (!(v = mrc_read(map, NULL, NULL, NULL, err)) || facts_of(v, NULL, &f, err)) goto done;
        row("real", id, &clean, &f);
        vol_free(v);
        v = NULL;
    }
    for (int k = 0; k < views; k++) {
        cube_t c;
        viewopts_t o = view_em;
        o.side = CUBE_SIDE;
        if (!(v = view_density(m, &span, &o, seed + (uint64_t)k, err)) || view_make(m, &span, &o, seed + (uint64_t)k, &c, err)) goto done;
        int bad = facts_of(v, &c, &f, err);
        cube_free(&c);
        if (bad) goto done;
        row(span.half > 0 ? "view-membrane" : "view", id, &clean, &f);
        vol_free(v);
        v = NULL;
    }
    rc = 0;
done:
    vol_free(d);
    vol_free(v);
    model_free(m);
    return rc;
}

int main(int argc, char **argv)
{
    char id[64], map[4096], model[4096];
    if (argc != 3) {
        fprintf(stderr, "usage: likeness VIEWS SEED < PAIRS\n");
        return 2;
    }
    threads_set(1);
    printf("kind\tid\trg\tcorrelation\tlog_rg\tlog_volume\tshift\tangle_long\tangle_short\tlog_filled\tmean\tsd\tfull\thistogram");
    for (int s = 2; s < SHELLS; s++) printf("\tshell%d", s);
    printf("\telongation\tfilled\tlevel\n");
    for (uint64_t k = 1; scanf("%63s %4095s %4095s", id, map, model) == 3; k++) {
        err_t err = {0};
        if (pair(id, map, model, atoi(argv[1]), strtoull(argv[2], NULL, 10) + 100000 * k, &err)) fprintf(stderr, "%s: %s\n", id, err.msg);
    }
    return fflush(stdout) ? 3 : 0;
}
