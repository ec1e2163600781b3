/* views: EM-like maps of known models, to measure retrieval where real maps are few.
 *     make tests/bench/views && tests/bench/views MANIFEST|FOLDER OUTFOLDER COUNT SEED
 * Writes OUTFOLDER/view-NNNN.mrc and OUTFOLDER/truth.tsv (file, id, resolution, noise). Each is a model drawn at random
 * (whole entries: no '_' in the id), turned at random, simulated at 5 to 15 angstrom, in a box 1.1 to 2 times too large,
 * with white and coloured noise, at an arbitrary scale and offset. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "mrc/mrc.h"
#include "pdb/pdb.h"
#include "pipeline/manifest.h"
#include "tests/blobs.h"
#include "voxel/blur.h"
#include "voxel/simulate.h"

typedef struct {
    double resolution, noise; /* angstrom; sd of the white noise over the largest density */
} view_t;

static void turn(model_t *m, rng_t *r)
{
    double t[3][3];
    blobs_rotation(r, t);
    for (size_t i = 0; i < m->n; i++) {
        const double p[3] = {(double)m->atom[i].x, (double)m->atom[i].y, (double)m->atom[i].z};
        m->atom[i].x = (float)(t[0][0] * p[0] + t[0][1] * p[1] + t[0][2] * p[2]);
        m->atom[i].y = (float)(t[1][0] * p[0] + t[1][1] * p[1] + t[1][2] * p[2]);
        m->atom[i].z = (float)(t[2][0] * p[0] + t[2][1] * p[1] + t[2][2] * p[2]);
    }
}

/* White noise of `white`, and noise blurred to the resolution of `coloured`, both in units of the largest density. */
static int add_noise(vol_t *v, double resolution, double white, double coloured, rng_t *r, err_t *err)
{
    volstat_t s, t;
    vol_t *w = vol_clone(v, err);
    if (!w) return -1;
    vol_stats(v, &s);
    for (size_t i = 0; i < vol_len(w); i++) w->data[i] = (float)rng_normal(r);
    int rc = blur_gauss(w, w, resolution / 3, 0, err);
    vol_stats(w, &t);
    for (size_t i = 0; i < vol_len(w); i++)
        v->data[i] += (float)(s.max * (white * rng_normal(r) + coloured / t.sd * (double)w->data[i]));
    vol_free(w);
    return rc;
}

static vol_t *make_view(const char *path, rng_t *r, view_t *view, err_t *err)
{
    *view = (view_t){.resolution = 5 + 10 * rng_unit(r), .noise = 0.05 + 0.2 * rng_unit(r)};
    double coloured = 0.02 + 0.08 * rng_unit(r), pad = 0.1 + 0.9 * rng_unit(r), scale = exp(4 * rng_normal(r));
    model_t *m = pdb_read(path, NULL, NULL, err);
    if (!m) return NULL;
    turn(m, r);
    sim_opts_t o = {.resolution = view->resolution, .voxel = view->resolution / (2.5 + 1.5 * rng_unit(r)), .pad = 2 * view->resolution};
    vol_t *v = simulate(m, &o, err);
    model_free(m);
    if (!v) return NULL;
    size_t n[3] = {v->nx, v->ny, v->nz};
    vol_t *big = vol_new(n[0] + (size_t)(pad * (double)n[0]), n[1] + (size_t)(pad * (double)n[1]), n[2] + (size_t)(pad * (double)n[2]),
                         v->voxel[0], err);
    if (big) {
        size_t at[3] = {(big->nx - n[0]) / 2, (big->ny - n[1]) / 3, (big->nz - n[2]) / 2};
        for (size_t z = 0; z < n[2]; z++)
            for (size_t y = 0; y < n[1]; y++)
                memcpy(big->data + vol_idx(big, at[0], at[1] + y, at[2] + z), v->data + vol_idx(v, 0, y, z), n[0] * sizeof *v->data);
        if (add_noise(big, view->resolution, view->noise, coloured, r, err)) {
            vol_free(big);
            big = NULL;
        }
    }
    for (size_t i = 0; big && i < vol_len(big); i++) big->data[i] = (float)(scale * ((double)big->data[i] + 0.01));
    vol_free(v);
    return big;
}

int main(int argc, char **argv)
{
    manifest_t m = {0};
    err_t err = {0};
    char path[4096];
    if (argc != 5 || manifest_add(&m, argv[1], NULL, &err)) {
        fprintf(stderr, "usage: views MANIFEST|FOLDER OUTFOLDER COUNT SEED %s\n", err.msg);
        return 2;
    }
    int count = atoi(argv[3]);
    snprintf(path, sizeof path, "%s/truth.tsv", argv[2]);
    FILE *truth = fopen(path, "w");
    if (!truth) {
        perror(path);
        return 3;
    }
    rng_t r;
    rng_seed(&r, (uint64_t)atoll(argv[4]));
    fprintf(truth, "file\tid\tresolution\tnoise\n");
    for (int k = 0; k < count;) {
        const item_t *it = &m.item[rng_next(&r) % m.n];
        view_t view;
        err = (err_t){0};
        if (strchr(it->id, '_')) continue;
        vol_t *v = make_view(it->path, &r, &view, &err);
        snprintf(path, sizeof path, "%s/view-%04d.mrc", argv[2], k);
        if (!v || mrc_write(path, v, NULL, &err)) {
            fprintf(stderr, "%s\n", err.msg);
            return 3;
        }
        vol_free(v);
        fprintf(truth, "view-%04d.mrc\t%s\t%.1f\t%.2f\n", k++, it->id, view.resolution, view.noise);
    }
    manifest_free(&m);
    return fclose(truth) ? 3 : 0;
}
