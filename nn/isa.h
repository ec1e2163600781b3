/* isa: which set of kernels runs. Every kernel of nn/ stands in a table with one entry a set, entry 0 plain C. */
#ifndef CRYOLEX_NN_ISA_H
#define CRYOLEX_NN_ISA_H

#include <stddef.h>

typedef enum {
    ISA_REF,    /* plain C, obviously right, kept for ever */
    ISA_VEC,    /* the compiler's vectors of 8 floats, on any machine */
    ISA_AVX2,   /* AVX2 and FMA */
    ISA_AVX512, /* AVX-512 F, vectors of 16 floats */
    ISA_COUNT
} isa_t;

/* The best one that this build has and this CPU runs; the environment's CRYOLEX_KERNEL=ref|vec|avx2|avx512 asks for one
 * (or for the best below it). Thread-safe. */
isa_t isa_best(void);
int isa_runs(isa_t isa); /* does this build have it, and does this CPU run it? */
const char *isa_name(isa_t isa);

/* Channels in a block of the blocked layout (nn/conv.h): 16 for ISA_AVX512, else 8. */
size_t isa_block(isa_t isa);

#endif
