/* isa: which set of kernels runs. */
#include "config.h"

#include "nn/isa.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[ISA_COUNT] = {"ref", "vec", "avx2", "avx512"};

int isa_runs(isa_t isa)
{
    switch (isa) {
    case ISA_REF:
    case ISA_VEC: return 1;
#ifdef HAVE_AVX2
    case ISA_AVX2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
#ifdef HAVE_AVX512
    case ISA_AVX512: return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("fma");
#endif
    default: return 0;
    }
}

isa_t isa_best(void)
{
    const char *want = getenv("CRYOLEX_KERNEL");
    int top = ISA_COUNT - 1;
    for (int i = 0; want && i < ISA_COUNT; i++)
        if (!strcmp(want, names[i])) top = i;
    while (!isa_runs((isa_t)top)) top--;
    return (isa_t)top;
}

const char *isa_name(isa_t isa)
{
    return names[isa];
}

size_t isa_block(isa_t isa)
{
    return isa == ISA_AVX512 ? 16 : 8;
}
