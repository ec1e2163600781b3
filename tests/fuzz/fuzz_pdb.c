/* fuzz_pdb: libFuzzer over the reader of atomic models. `make tests/fuzz/fuzz_pdb` with CC=clang, CXX=clang++. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "pdb/pdb.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const assembly[] = {NULL, "asu", "1"};
    for (int i = 0; i < 3; i++) {
        err_t err = {0};
        notes_t notes = {0};
        model_t *m = pdb_read_mem(data, size, "fuzz", assembly[i], &notes, &err);
        if ((m == NULL) != (err.code != ERR_OK) || err.code == ERR_INTERNAL) abort();
        model_free(m);
        notes_free(&notes);
    }
    return 0;
}
