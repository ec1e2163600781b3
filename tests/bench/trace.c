/* bench/trace: how well a CA and P trace stands for the full atoms: density of full entries against density of the same entries stripped.
 *
 *     CRYOLEX_DATA=../shared/data tests/bench/trace [every] > tests/bench/trace.tsv
 *
 * Every `every`-th (default 8) full-atom entry of structures.tsv with 60 or more polymer residues. Real-space correlation over the common grid at
 * a third of the resolution per voxel (at most 3 angstrom), and the ratio of integrals, median and worst tenth and least, for three stand-ins: one
 * carbon an atom ("atom"), weight and spread of the residue about CA or P ("spread"), and what simulate() does ("trace"). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "pdb/pdb.h"
#include "voxel/simulate.h"

enum { WAYS = 3, RES = 6, ENTRY_MAX = 4000 };
static const char *const way_name[WAYS] = {"atom", "spread", "trace"};
static const double resolution[RES] = {5, 6, 8, 10, 15, 20};

static int is_trace_atom(const atom_t *a)
{
    return (a->kind == KIND_PROTEIN && !memcmp(a->name, "CA\0", 4) && a->element == 6) ||
           (a->kind == KIND_NUCLEIC && !memcmp(a->name, "P\0\0", 4));
}

/* The model with only CA and P of its polymers, as `way` wants it. Residues without that atom stay away from both models. */
static model_t *strip(const model_t *m, int way)
{
    model_t *t = mem_zero(1, sizeof *t, NULL);
    t->atom = mem_new(m->n, sizeof *t->atom, NULL);
    for (size_t i = 0; i < m->n; i++) {
        const atom_t *a = &m->atom[i];
        int polymer = a->kind == KIND_PROTEIN || a->kind == KIND_NUCLEIC;
        if (polymer && !is_trace_atom(a)) continue;
        atom_t *b = &t->atom[t->n++];
        *b = *a;
        if (way == 0 && polymer) b->kind = KIND_LIGAND;     /* a lone atom */
        if (way == 1 && polymer) b->chain = (uint16_t)t->n; /* a chain of its own: no neighbours */
    }
    return t;
}

/* Leave only residues that have a trace atom; returns their number. */
static size_t complete(model_t *m)
{
    size_t n = 0, res = 0;
    for (size_t i = 0, end; i < m->n; i = end) {
        int keep = m->atom[i].kind != KIND_PROTEIN && m->atom[i].kind != KIND_NUCLEIC, polymer = !keep;
        for (end = i; end < m->n && m->atom[end].residue == m->atom[i].residue; end++) keep |= is_trace_atom(&m->atom[end]);
        res += keep && polymer;
        for (size_t k = i; keep && k < end; k++) m->atom[n++] = m->atom[k];
    }
    m->n = n;
    return res;
}

/* Correlation of two maps whose grids share their lattice; zero outside a grid. */
static double correlation(const vol_t *a, const vol_t *b, double *ratio)
{
    double sa = 0, sb = 0, aa = 0, bb = 0, ab = 0, n = 0;
    long d[3];
    for (int k = 0; k < 3; k++) d[k] = lround((a->origin[k] - b->origin[k]) / a->voxel[0]);
    for (size_t i = 0; i < vol_len(b); i++) {
        sb += (double)b->data[i];
        bb += (double)b->data[i] * (double)b->data[i];
    }
    for (size_t z = 0; z < a->nz; z++)
        for (size_t y = 0; y < a->ny; y++)
            for (size_t x = 0; x < a->nx; x++) {
                double p = (double)a->data[vol_idx(a, x, y, z)];
                long u = (long)x + d[0], v = (long)y + d[1], w = (long)z + d[2];
                int in = u >= 0 && v >= 0 && w >= 0 && u < (long)b->nx && v < (long)b->ny && w < (long)b->nz;
                sa += p;
                aa += p * p;
                ab += in ? p * (double)b->data[vol_idx(b, (size_t)u, (size_t)v, (size_t)w)] : 0;
                n++;
            }
    *ratio = sb / sa;
    return (ab - sa * sb / n) / sqrt((aa - sa * sa / n) * (bb - sb * sb / n));
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef struct {
    double cc[WAYS][RES], ratio[WAYS][RES];
} entry_t;

static int measure(const char *path, entry_t *e)
{
    model_t *m = pdb_read(path, "asu", NULL, NULL);
    int ok = m && !m->trace && complete(m) >= 60;
    for (int r = 0; ok && r < RES; r++) {
        double h = fmin(resolution[r] / 3, 3);
        vol_t *full = simulate(m, &(sim_opts_t){.resolution = resolution[r], .voxel = h}, NULL);
        for (int w = 0; w < WAYS; w++) {
            model_t *t = strip(m, w);
            vol_t *v = simulate(t, &(sim_opts_t){.resolution = resolution[r], .voxel = h}, NULL);
            e->cc[w][r] = correlation(full, v, &e->ratio[w][r]);
            vol_free(v);
            model_free(t);
        }
        vol_free(full);
    }
    model_free(m);
    return ok;
}

int main(int argc, char **argv)
{
    const char *data = getenv("CRYOLEX_DATA");
    long every = argc > 1 ? strtol(argv[1], NULL, 10) : 8, row = 0;
    static char path[ENTRY_MAX][512];
    static entry_t e[ENTRY_MAX];
    static double list[ENTRY_MAX];
    char line[4096];
    size_t n = 0, done = 0;
    if (!data || every < 1) return 2;
    snprintf(line, sizeof line, "%s/structures/structures.tsv", data);
    FILE *f = fopen(line, "r");
    if (!f) return 2;
    while (n < ENTRY_MAX && fgets(line, sizeof line, f)) {
        char id[64], domain[64], file[128], level[16];
        if (sscanf(line, "%63s %63s %127s %15s", id, domain, file, level) == 4 && !strcmp(level, "full") && row++ % every == 0)
            snprintf(path[n++], sizeof *path, "%s/structures/%s", data, file);
    }
    fclose(f);
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t i = 0; i < n; i++) {
        entry_t one = {0};
        if (!measure(path[i], &one)) continue;
#pragma omp critical
        e[done++] = one;
    }
    printf("way\tresolution\tentries\tcc_median\tcc_worst_tenth\tcc_least\tintegral_ratio_median\n");
    for (int w = 0; w < WAYS; w++)
        for (int r = 0; r < RES; r++) {
            for (size_t i = 0; i < done; i++) list[i] = e[i].ratio[w][r];
            qsort(list, done, sizeof *list, ascending);
            double ratio = list[done / 2];
            for (size_t i = 0; i < done; i++) list[i] = e[i].cc[w][r];
            qsort(list, done, sizeof *list, ascending);
            printf("%s\t%g\t%zu\t%.4f\t%.4f\t%.4f\t%.3f\n", way_name[w], resolution[r], done, list[done / 2], list[done / 10], list[0], ratio);
        }
    return 0;
}
