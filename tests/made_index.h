/* made_index: an index of made-up entries with embeddings and terms, for tests. DIR, the test's own folder, is defined before. */
#ifndef CRYOLEX_TESTS_MADE_INDEX_H
#define CRYOLEX_TESTS_MADE_INDEX_H

#include <sys/stat.h>

#include "base/mem.h"
#include "base/rng.h"
#include "pipeline/annot.h"
#include "pipeline/index.h"
#include "pipeline/terms.h"

enum { MADE_D = 24 };

static inline void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

/* Annotation tables into DIR. d is a c, c is an a and part of b; 1abc has d, PF00001 and a term that is obsolete, 2xyz b, EC 3.2.1.17
 * and 1.7, 3new EC 3.2.1.18. */
static inline void made_tables(void)
{
    mkdir(DIR, 0700);
    put(DIR "/go_terms.tsv", "go_id\tname\tnamespace\tparents\tobsolete\n"
                             "GO:0000001\troot\tmolecular_function\t\t0\n"
                             "GO:0000009\td\tmolecular_function\tisa=GO:0000004\t0\n"
                             "GO:0000002\ta\tmolecular_function\tisa=GO:0000001\t0\n"
                             "GO:0000003\tb\tmolecular_function\tisa=GO:0000001\t0\n"
                             "GO:0000004\tc\tmolecular_function\tisa=GO:0000002;partof=GO:0000003\t0\n"
                             "GO:0000005\told\tcellular_component\tisa=GO:0000001\t1\n"
                             "GO:0000006\tnever\tmolecular_function\tisa=GO:0000001\t0\n");
    put(DIR "/pdb_go_entry.tsv", "pdb_id\tgo_ids\n1abc\tGO:0000009;GO:0000005\n2xyz\tGO:0000003\n");
    put(DIR "/pdb_ec.tsv", "pdb_id\tchain\tec\n2xyz\tA\t3.2.1.17\n2xyz\tB\t1.7.-.-\n3new\tA\t3.2.1.18\n");
    put(DIR "/pdb_pfam.tsv", "pdb_id\tchain\tpfam\n1abc\tA\tPF00001\n");
    put(DIR "/ec_names.tsv", "ec\tname\n3.2.1.17\tlysozyme\n3.2\tGlycosylases\n");
    put(DIR "/pfam_names.tsv", "pfam\tdescription\tshort_name\nPF00001\tseven helices\ts\n");
}

static inline void made_terms(terms_t *t, char *const *id, size_t n)
{
    err_t e = {0};
    annot_t *a = annot_open(DIR, NULL, &e);
    if (!a || terms_make(a, id, n, t, &e)) fail_msg("%s", e.msg);
    annot_free(a);
}

/* n entries from number `first` on, with embeddings, smooth cubes, and terms. */
static inline void made_index(index_t *x, size_t first, size_t n, const char *model)
{
    rng_t r;
    err_t e = {0};
    *x = (index_t){.d = MADE_D, .frames = 4, .scoring = scoring_default};
    snprintf(x->model, sizeof x->model, "%s", model);
    rng_seed(&r, 5 + first);
    record_t *rec = mem_zero(1, sizeof *rec, NULL);
    for (size_t i = 0; i < n; i++) {
        char id[32];
        float z[MADE_D];
        double sq = 0;
        snprintf(id, sizeof id, "%s_%zu", i % 3 == 0 ? "1abc" : i % 3 == 1 ? "2xyz" : "none", first + i);
        item_t it = {.id = id, .path = "p", .terms = "GO:1"};
        rec->kind = ITEM_MODEL;
        rec->title = rec->method = rec->molecules = rec->organisms = "t";
        rec->rg = (float)(10 + 20 * rng_unit(&r));
        rec->volume = 1000;
        double a = 0.2 + rng_unit(&r), b = 0.2 + rng_unit(&r);
        for (int k = 0; k < DESC_LEN; k++) rec->cube[k] = (int8_t)lrint(127 * sin(a * (k % 16)) * cos(b * (k / 256)));
        for (int k = 0; k < DESCRIBE_ZERNIKE; k++) rec->zernike[k] = (float)rng_unit(&r);
        for (int k = 0; k < DESCRIBE_PROFILE; k++) rec->profile[k] = (float)rng_unit(&r);
        for (int k = 0; k < MADE_D; k++) {
            z[k] = (float)rng_normal(&r);
            sq += (double)z[k] * (double)z[k];
        }
        for (int k = 0; k < MADE_D; k++) z[k] = (float)((double)z[k] / sqrt(sq));
        if (index_add(x, &it, rec, "d", z, &e)) fail_msg("%s", e.msg);
    }
    rec->title = rec->method = rec->molecules = rec->organisms = NULL;
    mem_free(rec);
    made_terms(&x->terms, x->text[INDEX_ID], n);
    terms_t *t = &x->terms;
    t->d = MADE_D;
    t->z = mem_zero(t->n, MADE_D * sizeof *t->z, NULL);
    for (size_t i = 0; i < t->n; i++) t->z[i * MADE_D + (size_t)(t->id[i][strlen(t->id[i]) - 1] % MADE_D)] = 1;
    t->text_model = mem_str("minilm", NULL);
    snprintf(t->text_hash, sizeof t->text_hash, "0123456789abcdef");
}


#endif
