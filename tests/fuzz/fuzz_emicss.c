/* fuzz_emicss: any bytes as an EMICSS file, and as an ontology in OBO. Under libFuzzer (make fuzz-emicss) this is the target; compiled with -DREPLAY it
 * is a program that runs it over the files named, or over a corpus that it makes, which is what `make check` does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/annot_priv.h"
#include "pipeline/obo.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void as_emicss(const unsigned char *data, size_t size)
{
    xrefs_t x = {0};
    err_t err = {0};
    unsigned char *b = malloc(size + !size); /* of just this size, for AddressSanitizer */
    if (!b) return;
    if (size) memcpy(b, data, size);
    int rc = emicss_mem("x", b, size, &x, &err);
    if (!rc != (err.code == ERR_OK)) abort();
    for (size_t i = 0; i < x.n; i++) {
        const xref_t *r = &x.ref[i];
        if (r->entry >= x.text.n || r->db >= x.text.n || r->value >= x.text.n || strncmp(x.text.str[r->entry], "EMD-", 4) != 0) abort();
    }
    xrefs_free(&x);
    free(b);
}

static void as_obo(const unsigned char *data, size_t size)
{
    tsv_t t;
    err_t err = {0};
    char *b = malloc(size + 1);
    if (!b) return;
    if (size) memcpy(b, data, size);
    b[size] = 0;
    int rc = obo_mem("x", b, size, &t, &err);
    if (!rc != (err.code == ERR_OK)) abort();
    for (size_t i = 0; !rc && i < (t.nrow + 1) * t.ncol; i++)
        if (strlen(t.field[i]) > 2 * size + 32) abort();
    tsv_free(&t);
    free(b);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    as_emicss(data, size);
    as_obo(data, size);
    return 0;
}

#ifdef REPLAY
#include "tests/fuzz/replay.h"

static const char *const seeds[] = {
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<emicss emdb_id=\"EMD-90001\"><sample><name>x</name><cross_ref_dbs>"
    "<cross_ref_db name=\"x\" db_source=\"GO\" accession_id=\"GO:0000006\"/><cross_ref_db db_source=\"PFAM\" db_accession_id=\"PF1\"></cross_ref_db>"
    "</cross_ref_dbs></sample></emicss>",
    "<!DOCTYPE emicss [<!ENTITY a \"b\">]><emicss emdb_id=\"EMD-&a;\"><cross_ref_db/></emicss>",
    "format-version: 1.2\n\n[Term]\nid: GO:0000001\nname: root\nnamespace: molecular_function\nis_a: GO:0000002 ! x\n"
    "relationship: part_of GO:0000003 {a=\"b\"} ! y\nis_obsolete: true\r\n\n[Typedef]\nid: part_of\n[Term]\nid: GO:2\nis_a: GO:0000001\n",
};
enum { SEEDS = sizeof seeds / sizeof *seeds };

/* Every seed whole, cut at each byte, and with each byte changed in turn. */
static size_t corpus_run(void)
{
    static const unsigned char odd[] = {0, '<', '[', '&', '\n', ':', 0xff};
    size_t runs = 0;
    for (size_t k = 0; k < SEEDS; k++) {
        unsigned char b[1024];
        size_t n = strlen(seeds[k]);
        memcpy(b, seeds[k], n);
        for (size_t cut = 0; cut <= n; cut++, runs++) LLVMFuzzerTestOneInput(b, cut);
        for (size_t at = 0; at < n; at++)
            for (size_t v = 0; v < sizeof odd; v++, runs++) {
                unsigned char old = b[at];
                b[at] = odd[v];
                LLVMFuzzerTestOneInput(b, n);
                b[at] = old;
            }
    }
    return runs;
}

static int corpus_write(const char *folder)
{
    for (size_t k = 0; k < SEEDS; k++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%zu", folder, k);
        FILE *f = fopen(path, "wb");
        if (!f || fputs(seeds[k], f) < 0 || fclose(f)) {
            fprintf(stderr, "%s: cannot write\n", path);
            return 1;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "--write")) return corpus_write(argv[2]);
    int bad = replay_files(LLVMFuzzerTestOneInput, argv + 1, argc - 1);
    size_t n = argc > 1 ? (size_t)argc - 1 : corpus_run();
    printf("1..1\n%s 1 - %zu inputs\n", bad ? "not ok" : "ok", n);
    return bad != 0;
}
#endif
