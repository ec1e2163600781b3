/* fuzz_mrc: any bytes as a map. Under libFuzzer (make fuzz) this is the target; compiled with -DREPLAY it is a program
 * that runs it over the files named, or over the corpus that corpus_mrc.h makes, which is what `make check` does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "mrc/mrc.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

/* The first byte chooses the options, the rest is the file. What is read must be what was promised. */
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    if (size < 1) return 0;
    mrc_opts_t o = {.origin = data[0] & 3,
                    .mode0 = (data[0] >> 2 & 3) % 3,
                    .volume = data[0] >> 4 & 3,
                    .mem_limit = 1 << 20,
                    .images = data[0] >> 6 & 1,
                    .as_stored = data[0] >> 7};
    mrc_header_t h;
    notes_t notes = {0};
    err_t err = {0};
    vol_t *v = mrc_read_mem(data + 1, size - 1, o.as_stored ? "x.mrcs" : "x.mrc", &o, &h, &notes, &err);
    if (!v != (err.code != ERR_OK)) abort();
    if (v) {
        if (4 * vol_len(v) > o.mem_limit) abort();
        for (int k = 0; k < 3; k++)
            if (!(v->voxel[k] > 0 && v->voxel[k] < 1e9) || !(v->origin[k] > -1e15 && v->origin[k] < 1e15)) abort();
        volstat_t s; /* touches every voxel */
        vol_stats(v, &s);
        if (s.bad > vol_len(v)) abort();
    }
    vol_free(v);
    notes_free(&notes);
    return 0;
}

#ifdef REPLAY
#include "tests/fuzz/corpus_mrc.h"
#include "tests/fuzz/replay.h"

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "--write")) return corpus_write(argv[2]);
    int bad = replay_files(LLVMFuzzerTestOneInput, argv + 1, argc - 1);
    size_t n = argc > 1 ? (size_t)argc - 1 : corpus_run(LLVMFuzzerTestOneInput);
    printf("1..1\n%s 1 - %zu inputs\n", bad ? "not ok" : "ok", n);
    return bad != 0;
}
#endif
