/* replay: a fuzz target over files named on a command line. */
#ifndef CRYOLEX_TESTS_FUZZ_REPLAY_H
#define CRYOLEX_TESTS_FUZZ_REPLAY_H

#include <stdio.h>

#include "base/file.h"
#include "base/mem.h"

/* Run target over each of n files. Returns how many could not be read; the reasons go to stderr. */
static inline int replay_files(int (*target)(const unsigned char *, size_t), char *const *path, int n)
{
    int bad = 0;
    for (int i = 0; i < n; i++) {
        err_t err = {0};
        size_t size;
        unsigned char *b = file_read(path[i], 1 << 24, &size, &err);
        if (b) target(b, size);
        else fprintf(stderr, "%s\n", err.msg);
        bad += !b;
        mem_free(b);
    }
    return bad;
}

#endif
