/* boxes: maps as large and as noisy as those of EMDB, of a known model, to measure speed by.
 *     make tests/bench/boxes && tests/bench/boxes MODEL SIDE VOXEL noise|masked SEED OUT
 * OUT is an MRC file of SIDE^3 float32 voxels of VOXEL angstrom: the model in the middle, simulated at three voxels (and no finer than 3 angstrom),
 * with white noise of a thirtieth of its largest density; `masked`: nothing but 0 beyond 10 angstrom from its atoms, near enough (by a blur of its density). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "mrc/mrc.h"
#include "pdb/pdb.h"
#include "voxel/blur.h"
#include "voxel/resample.h"
#include "voxel/simulate.h"

static void add_noise(vol_t *v, const vol_t *mask, double sd, rng_t *r)
{
    for (size_t i = 0; i < vol_len(v); i++) {
        double noise = sd * rng_normal(r);
        v->data[i] = mask && !(mask->data[i] > 0) ? 0 : (float)((double)v->data[i] + noise);
    }
}

/* What stands above a thousandth of the largest density after a blur. */
static vol_t *mask_of(const vol_t *v, err_t *err)
{
    volstat_t s;
    vol_t *m = vol_clone(v, err);
    if (!m || blur_gauss(m, m, 3.5, 0, err)) {
        vol_free(m);
        return NULL;
    }
    vol_stats(m, &s);
    for (size_t i = 0; i < vol_len(m); i++) m->data[i] = (double)m->data[i] > 1e-3 * s.max ? 1 : 0;
    return m;
}

static vol_t *box(const char *path, size_t side, double voxel, bool masked, uint64_t seed, err_t *err)
{
    rng_t r;
    volstat_t s;
    sim_opts_t o = {.resolution = fmax(3, 3 * voxel), .voxel = voxel};
    model_t *m = pdb_read(path, NULL, NULL, err);
    vol_t *small = m ? simulate(m, &o, err) : NULL, *v = small ? resample_window(small, side, side, side, 0, err) : NULL;
    vol_t *mask = v && masked ? mask_of(v, err) : NULL;
    model_free(m);
    vol_free(small);
    if (v && (!masked || mask)) {
        rng_seed(&r, seed);
        vol_stats(v, &s);
        add_noise(v, mask, s.max / 30, &r);
    } else {
        vol_free(v);
        v = NULL;
    }
    vol_free(mask);
    return v;
}

int main(int argc, char **argv)
{
    err_t err = {0};
    if (argc != 7) return fprintf(stderr, "usage: boxes MODEL SIDE VOXEL noise|masked SEED OUT\n"), 2;
    vol_t *v = box(argv[1], strtoul(argv[2], NULL, 10), strtod(argv[3], NULL), !strcmp(argv[4], "masked"), strtoull(argv[5], NULL, 10), &err);
    int rc = v ? mrc_write(argv[6], v, NULL, &err) : -1;
    vol_free(v);
    if (rc) fprintf(stderr, "boxes: %s\n", err.msg);
    return rc ? 1 : 0;
}
