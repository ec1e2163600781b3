/* sweep_maps: maps of the sizes that EMDB has, gzip, for the benchmark of cryolex sweep (sweep.py).
 *     make tests/bench/sweep_maps && tests/bench/sweep_maps FOLDER OUTFOLDER COUNT SEED
 * Writes OUTFOLDER/emd_1NNNN.map.gz and OUTFOLDER/manifest.tsv. Each is a model drawn at random from the folder, at its own resolution, in a box of 64 to 512
 * voxels a side drawn from the table below, with white noise: everywhere, or (two of three) within a sphere and 0 outside it, as refinement programs leave it.
 * Equal seeds give equal bytes. All cores. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "mrc/mrc.h"
#include "pdb/pdb.h"
#include "pipeline/manifest.h"
#include "voxel/simulate.h"

/* Sides and their share of a thousand; the mean is 25 million voxels, 100 MB of float32. An estimate: nobody publishes the distribution. */
static const struct {
    size_t side;
    unsigned share;
} box[] = {{64, 40}, {100, 60}, {128, 80}, {160, 80}, {200, 120}, {256, 200}, {300, 140}, {320, 60}, {360, 80}, {384, 40}, {400, 50}, {432, 20}, {480, 10}, {512, 20}};

static size_t draw_side(rng_t *r)
{
    unsigned k = (unsigned)(1000 * rng_unit(r));
    size_t i = 0;
    while (k >= box[i].share) k -= box[i++].share;
    return box[i].side;
}

static double extent(const model_t *m)
{
    float lo[3] = {INFINITY, INFINITY, INFINITY}, hi[3] = {-INFINITY, -INFINITY, -INFINITY};
    for (size_t i = 0; i < m->n; i++) {
        const float p[3] = {m->atom[i].x, m->atom[i].y, m->atom[i].z};
        for (int d = 0; d < 3; d++) {
            lo[d] = fminf(lo[d], p[d]);
            hi[d] = fmaxf(hi[d], p[d]);
        }
    }
    return (double)fmaxf(fmaxf(hi[0] - lo[0], hi[1] - lo[1]), hi[2] - lo[2]);
}

/* Near enough to normal: the sum of four uniform numbers from one draw, of variance 1. */
static float noise(rng_t *r)
{
    const uint64_t x = rng_next(r);
    const float sum = (float)(x & 0xffff) + (float)(x >> 16 & 0xffff) + (float)(x >> 32 & 0xffff) + (float)(x >> 48);
    return (sum / 65536 - 2) * 1.7320508F;
}

/* v in the middle of a box of `side`, with noise. */
static vol_t *boxed(const vol_t *v, size_t side, float sd, bool masked, rng_t *r, err_t *err)
{
    vol_t *b = vol_new(side, side, side, v->voxel[0], err);
    const size_t n[3] = {v->nx, v->ny, v->nz};
    size_t at[3], from[3], take[3];
    if (!b) return NULL;
    for (int d = 0; d < 3; d++) {
        at[d] = n[d] < side ? (side - n[d]) / 2 : 0;
        from[d] = n[d] > side ? (n[d] - side) / 2 : 0;
        take[d] = n[d] < side ? n[d] : side;
    }
    for (size_t z = 0; z < take[2]; z++)
        for (size_t y = 0; y < take[1]; y++)
            memcpy(b->data + vol_idx(b, at[0], at[1] + y, at[2] + z), v->data + vol_idx(v, from[0], from[1] + y, from[2] + z), take[0] * sizeof *v->data);
    const double c = (double)side / 2, most = masked ? 0.45 * (double)side : INFINITY;
    for (size_t z = 0, i = 0; z < side; z++)
        for (size_t y = 0; y < side; y++)
            for (size_t x = 0; x < side; x++, i++) {
                const double d[3] = {(double)x - c, (double)y - c, (double)z - c};
                if (d[0] * d[0] + d[1] * d[1] + d[2] * d[2] > most * most) b->data[i] = 0;
                else b->data[i] += sd * noise(r);
            }
    return b;
}

static int make(const item_t *it, const char *out, rng_t *r, err_t *err)
{
    const size_t side = draw_side(r);
    const double fill = 0.4 + 0.25 * rng_unit(r), sharp = 2.5 + 2 * rng_unit(r), level = 0.05 + 0.2 * rng_unit(r);
    const bool masked = rng_unit(r) < 2.0 / 3;
    model_t *m = pdb_read(it->path, NULL, NULL, err);
    if (!m) return -1;
    const double voxel = fmax(extent(m) / (fill * (double)side), 0.6);
    sim_opts_t o = {.resolution = fmax(sharp * voxel, 3), .voxel = voxel, .pad = 3};
    vol_t *v = simulate(m, &o, err), *b = NULL;
    volstat_t s;
    if (v) {
        vol_stats(v, &s);
        b = boxed(v, side, (float)(level * s.max), masked, r, err);
    }
    int rc = b ? mrc_write(out, b, NULL, err) : -1;
    vol_free(v);
    vol_free(b);
    model_free(m);
    return rc;
}

int main(int argc, char **argv)
{
    manifest_t m = {0};
    err_t err = {0};
    if (argc != 5) {
        fprintf(stderr, "usage: sweep_maps FOLDER OUTFOLDER COUNT SEED\n");
        return 2;
    }
    const size_t n = strtoul(argv[3], NULL, 10);
    char list[4096];
    outfile_t o;
    snprintf(list, sizeof list, "%s/manifest.tsv", argv[2]);
    if (manifest_add(&m, argv[1], NULL, &err) || !m.n || outfile_open(&o, list, &err)) {
        fprintf(stderr, "sweep_maps: %s\n", err.code ? err.msg : "no models");
        return 1;
    }
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t i = 0; i < n; i++) {
        char path[4096];
        rng_t r;
        snprintf(path, sizeof path, "%s/emd_1%04zu.map.gz", argv[2], i);
        for (uint64_t k = 0; k < 20; k++) { /* a model that will not do is replaced by another */
            err_t own = {0};
            rng_seed(&r, strtoull(argv[4], NULL, 10) + 1000003 * i + k);
            if (!make(&m.item[rng_next(&r) % m.n], path, &r, &own)) break;
        }
    }
    fprintf(o.f, "id\tpath\n");
    for (size_t i = 0; i < n; i++) fprintf(o.f, "emd_1%04zu\temd_1%04zu.map.gz\n", i, i);
    manifest_free(&m);
    return outfile_close(&o, &err) ? 1 : 0;
}
