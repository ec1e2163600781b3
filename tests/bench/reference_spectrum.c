/* reference_spectrum: median over many models of the amplitude of each Fourier shell of the cube, relative to shell 1.
 * These are the numbers in voxel/spectrum.c.
 *     make tests/bench/reference_spectrum && tests/bench/reference_spectrum FOLDER|MANIFEST */
#include <gsl/gsl_statistics.h>
#include <stdio.h>

#include "base/mem.h"
#include "pdb/pdb.h"
#include "pipeline/describe.h"
#include "pipeline/manifest.h"
#include "voxel/spectrum.h"

static int measure(const char *path, double *amp)
{
    cube_t c = {0};
    cube_opts_t o = {.as_sampled = 1};
    model_t *m = pdb_read(path, NULL, NULL, NULL);
    vol_t *v = m ? describe_density(m, NULL) : NULL;
    int rc = v && !cube_make(v, &o, &c, NULL) ? spectrum_of(c.data, c.side, amp, NULL) : -1;
    cube_free(&c);
    vol_free(v);
    model_free(m);
    return rc;
}

int main(int argc, char **argv)
{
    manifest_t m = {0};
    err_t err = {0};
    enum { SHELLS = CUBE_SIDE / 2 + 1 };
    if (argc != 2 || manifest_add(&m, argv[1], NULL, &err)) {
        fprintf(stderr, "usage: reference_spectrum FOLDER|MANIFEST %s\n", err.msg);
        return 2;
    }
    double *ratio = mem_zero(m.n * SHELLS, sizeof *ratio, NULL); /* (SHELLS, n) */
    size_t n = 0;
    if (!ratio) return 3;
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t i = 0; i < m.n; i++) {
        double amp[SPECTRUM_MAX];
        if (measure(m.item[i].path, amp)) continue;
        size_t at;
#pragma omp atomic capture
        at = n++;
        for (size_t s = 0; s < SHELLS; s++) ratio[s * m.n + at] = amp[s] / amp[1];
    }
    printf("shell\tmedian\tq10\tq90\tentries\n");
    for (size_t s = 0; s < SHELLS && n; s++) {
        double *x = ratio + s * m.n, q[3];
        const double at[3] = {0.5, 0.1, 0.9};
        for (int k = 0; k < 3; k++) q[k] = gsl_stats_select(x, 1, n, (size_t)(at[k] * (double)(n - 1)));
        printf("%zu\t%.4f\t%.4f\t%.4f\t%zu\n", s, q[0], q[1], q[2], n);
    }
    mem_free(ratio);
    manifest_free(&m);
    return 0;
}
