/* bench/simulate: read and simulate entries, a core.
 *
 *     CRYOLEX_DATA=../shared/data tests/bench/simulate 40 > tests/bench/simulate.tsv
 *
 * Every `every`-th (default 10) structure of the data folder, by the default assembly, on one thread; five passes, median. The files are read once
 * before, so they come from the page cache. */
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/threads.h"
#include "pdb/pdb.h"
#include "voxel/simulate.h"

enum { PASSES = 5 };

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef struct {
    double seconds, median_entry, slowest;
    size_t entries, atoms, voxels;
} pass_t;

/* One pass; resolution 0: read only. */
static pass_t once(const glob_t *g, size_t every, double resolution, double voxel, simpath_t path, double *times)
{
    pass_t p = {0};
    double t0 = clock_wall();
    for (size_t i = 0; i < g->gl_pathc; i += every) {
        double t = clock_wall();
        model_t *m = pdb_read(g->gl_pathv[i], NULL, NULL, NULL);
        if (!m) continue;
        p.atoms += m->n;
        if (resolution > 0) {
            vol_t *v = simulate(m, &(sim_opts_t){.resolution = resolution, .voxel = voxel, .path = path}, NULL);
            if (v) p.voxels += vol_len(v);
            vol_free(v);
        }
        model_free(m);
        times[p.entries++] = clock_wall() - t;
    }
    p.seconds = clock_wall() - t0;
    qsort(times, p.entries, sizeof *times, ascending);
    p.median_entry = times[p.entries / 2];
    p.slowest = times[p.entries - 1];
    return p;
}

int main(int argc, char **argv)
{
    static const struct {
        double resolution, voxel;
        simpath_t path;
        const char *name;
    } row[] = {
        {0, 0, SIM_AUTO, "read only"}, {6, 2, SIM_AUTO, "auto"}, {8, 2.5, SIM_AUTO, "auto"}, {10, 3, SIM_AUTO, "auto"},
        {6, 1, SIM_AUTO, "auto"},      {10, 1, SIM_DIRECT, "direct"}, {10, 1, SIM_SPLAT, "splat"}, {10, 1, SIM_AUTO, "auto"},
    };
    const char *data = getenv("CRYOLEX_DATA");
    size_t every = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 10;
    char pattern[4096];
    glob_t g;
    if (!data || !every) return 2;
    snprintf(pattern, sizeof pattern, "%s/structures/*/*.gz", data);
    if (glob(pattern, 0, NULL, &g)) return 2;
    double *times = malloc(g.gl_pathc * sizeof *times);
    threads_set(1);
    once(&g, every, 0, 0, SIM_AUTO, times);
    printf("path\tresolution\tvoxel\tentries\tatoms\tentries_per_s\tmedian_ms\tslowest_ms\tspread\n");
    for (size_t r = 0; r < sizeof row / sizeof *row; r++) {
        double s[PASSES], median[PASSES];
        pass_t p = {0};
        for (int k = 0; k < PASSES; k++) {
            p = once(&g, every, row[r].resolution, row[r].voxel, row[r].path, times);
            s[k] = p.seconds;
            median[k] = p.median_entry;
        }
        qsort(s, PASSES, sizeof *s, ascending);
        qsort(median, PASSES, sizeof *median, ascending);
        printf("%s\t%g\t%g\t%zu\t%zu\t%.0f\t%.2f\t%.0f\t%.2f\n", row[r].name, row[r].resolution, row[r].voxel, p.entries, p.atoms,
               (double)p.entries / s[PASSES / 2], 1e3 * median[PASSES / 2], 1e3 * p.slowest, s[PASSES - 1] / s[0]);
        fflush(stdout);
    }
    free(times);
    globfree(&g);
    return 0;
}
