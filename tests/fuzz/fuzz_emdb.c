/* fuzz_emdb: any bytes as a header of EMDB. Under libFuzzer (make fuzz-emdb) this is the target; compiled with -DREPLAY it is a
 * program that runs it over the files named, or over a corpus that it makes, which is what `make check` does. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mrc/emdb.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

/* What was accepted keeps the contract. */
static void look(const emdb_t *e)
{
    const char *const text[] = {e->id, e->version, e->title, e->keywords, e->method, e->state, e->resolution_method, e->contour_source, e->file, e->sample};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        if (!text[i]) abort();
    if (isinf(e->contour) || isinf(e->resolution) || e->resolution <= 0) abort();
    for (size_t i = 0; i < e->fitted.n; i++)
        if (e->relation[i] >= EMDB_RELATIONS || strlen(e->fitted.str[i]) < 4) abort();
    for (int k = 0; k < EMDB_REFS; k++)
        for (size_t i = 0; i < e->ref[k].n; i++)
            if (!*e->ref[k].str[i]) abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    emdb_t e;
    err_t err = {0};
    notes_t notes = {0};
    unsigned char *b = malloc(size + !size); /* of just this size, for AddressSanitizer */
    if (!b) return 0;
    if (size) memcpy(b, data, size);
    int rc = emdb_mem("x", b, size, &e, &notes, &err);
    if (!rc != (err.code == ERR_OK)) abort();
    if (rc && strncmp(err.msg, "x: ", 3) != 0) abort();
    if (!rc) look(&e);
    emdb_free(&e);
    notes_free(&notes);
    free(b);
    return 0;
}

#ifdef REPLAY
#include "tests/emdb_xml.h"
#include "tests/fuzz/replay.h"

#define LOL(n, m) "<!ENTITY " n " \"&" m ";&" m ";&" m ";&" m ";&" m ";&" m ";&" m ";&" m ";&" m ";&" m ";\">"
static const char *const seeds[] = {
    EMDB_V3,
    EMDB_V1,
    "<emd emdb_id='EMD-1'><map><contour_list><contour><level>1</level></contour></contour_list></map></emd>",
    "<!DOCTYPE emd [<!ENTITY a \"aaaaaaaaaa\">" LOL("b", "a") LOL("c", "b") LOL("d", "c") LOL("e", "d") LOL("f", "e") LOL("g", "f")
        LOL("h", "g") LOL("i", "h") "]><emd emdb_id='&i;'><admin><title>&i;</title></admin></emd>",
    "<!DOCTYPE emd SYSTEM \"http://localhost/x.dtd\" [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><emd><admin><title>&a;</title></admin></emd>",
    "<emd><a><a><a><a/></a><![CDATA[ ]]>]]</a></a><?pi x?><admin><title><![CDATA[<x>]]>y&lt;&#65;</title></admin></emd>",
};
enum { SEEDS = sizeof seeds / sizeof *seeds };

/* Every seed whole, cut at each byte, and with each byte changed in turn (of the long ones every third). */
static size_t corpus_run(void)
{
    static const unsigned char odd[] = {0, '<', '>', '&', '/', '"', 0xff};
    size_t runs = 0;
    for (size_t k = 0; k < SEEDS; k++) {
        size_t n = strlen(seeds[k]), step = n > 1000 ? 3 : 1;
        unsigned char *b = malloc(n + 1);
        if (!b) abort();
        memcpy(b, seeds[k], n + 1);
        LLVMFuzzerTestOneInput(b, n);
        for (size_t cut = 0; cut < n; cut += step, runs++) LLVMFuzzerTestOneInput(b, cut);
        for (size_t at = 0; at < n; at += step)
            for (size_t v = 0; v < sizeof odd; v++, runs++) {
                unsigned char old = b[at];
                b[at] = odd[v];
                LLVMFuzzerTestOneInput(b, n);
                b[at] = old;
            }
        free(b);
    }
    return runs;
}

static int corpus_write(const char *folder)
{
    for (size_t k = 0; k < SEEDS; k++) {
        char path[4096];
        size_t n = strlen(seeds[k]);
        snprintf(path, sizeof path, "%s/%zu", folder, k);
        FILE *f = fopen(path, "wb");
        if (!f || fwrite(seeds[k], 1, n, f) != n || fclose(f)) {
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
