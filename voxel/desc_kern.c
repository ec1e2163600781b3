/* desc_kern: the inner loop of desc in plain C, and the choice among its variants (see desc_kern.h). */
#include "voxel/desc_kern.h"

#include <stdlib.h>
#include <string.h>

#include "config.h"

static void unpack(const int8_t *d, size_t n, float *x, int32_t sum[2])
{
    sum[0] = sum[1] = 0;
    for (size_t i = 0; i < n; i++) {
        x[i] = (float)d[i];
        sum[0] += d[i];
        sum[1] += d[i] * d[i];
    }
}

static void lift(const int8_t *d, size_t n, uint8_t *x, int32_t sum[2])
{
    sum[0] = sum[1] = 0;
    for (size_t i = 0; i < n; i++) {
        x[i] = (uint8_t)(d[i] + 128);
        sum[0] += d[i];
        sum[1] += d[i] * d[i];
    }
}

const desc_kern_t desc_kern_ref = {"ref", unpack, lift};

const desc_kern_t *desc_kern_at(int i)
{
    switch (i) {
    case 0: return &desc_kern_ref;
    case 1: return &desc_kern_vec;
#ifdef HAVE_AVX2
    case 2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &desc_kern_avx2 : NULL;
#endif
    default: return NULL;
    }
}

const desc_kern_t *desc_kern(void)
{
    const char *want = getenv("CRYOLEX_KERNEL");
    const desc_kern_t *best = desc_kern_at(0);
    for (int i = 1; desc_kern_at(i) && !(want && !strcmp(want, "ref")); i++) best = desc_kern_at(i);
    return best;
}
