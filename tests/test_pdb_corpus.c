/* test_pdb_corpus: every structure of the data folder parses (in parallel; skips where the folder is absent). */
#include "tests/test.h"

#include <glob.h>

#include "base/clock.h"
#include "pdb/pdb.h"

/* What the whole corpus adds up to, each entry read by the default rule. */
typedef struct {
    size_t files, failed, atoms, residues, traces, assemblies, notes, bad;
} sum_t;

static void add_model(sum_t *s, const model_t *m)
{
    s->atoms += m->n;
    s->residues += m->nres;
    s->traces += m->trace != 0;
    s->assemblies += *m->assembly != 0;
    for (size_t i = 0; i < m->n; i++) {
        const atom_t *a = &m->atom[i];
        s->bad += !isfinite(a->x + a->y + a->z + a->occ + a->b) || a->element == 1 || a->kind == KIND_WATER ||
                  a->residue >= m->nres || a->chain >= m->nchain || (i && a->residue < a[-1].residue);
    }
}

static void all_parse(void **state)
{
    (void)state;
    const char *data = test_data();
    char pattern[4096];
    glob_t g;
    if (!data) skip();
    snprintf(pattern, sizeof pattern, "%s/structures/*/*.gz", data);
    if (glob(pattern, 0, NULL, &g)) skip();
    sum_t all = {.files = g.gl_pathc};
    double t0 = clock_wall();
#pragma omp parallel for schedule(dynamic, 16)
    for (size_t i = 0; i < g.gl_pathc; i++) {
        err_t err = {0};
        notes_t notes = {0};
        sum_t one = {0};
        model_t *m = pdb_read(g.gl_pathv[i], NULL, &notes, &err);
        if (m) add_model(&one, m);
#pragma omp critical
        {
            if (!m) printf("# %s\n", err.msg);
            for (size_t k = 0; k < notes.n; k++) printf("# %s: %s\n", g.gl_pathv[i] + strlen(data) + 1, notes.line[k]);
            all.failed += !m;
            all.atoms += one.atoms;
            all.residues += one.residues;
            all.traces += one.traces;
            all.assemblies += one.assemblies;
            all.notes += notes.n;
            all.bad += one.bad;
        }
        model_free(m);
        notes_free(&notes);
    }
    globfree(&g);
    printf("# %zu files, %zu failed, %zu atoms, %zu residues, %zu traces, %zu assemblies, %zu notes, %.1f s\n", all.files,
           all.failed, all.atoms, all.residues, all.traces, all.assemblies, all.notes, clock_wall() - t0);
    assert_int_equal(all.failed, 0);
    assert_int_equal(all.bad, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_parse)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
