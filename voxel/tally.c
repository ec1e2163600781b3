/* tally: range and histogram of voxels in plain C, and the choice among the variants (see tally.h). */
#include "voxel/tally.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"

static void range(const float *x, size_t n, range_t *r)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i])) {
            r->bad++;
            continue;
        }
        r->least = x[i] < r->least ? x[i] : r->least;
        r->most = x[i] > r->most ? x[i] : r->most;
    }
}

static void count(const float *x, size_t n, double lo, double scale, uint32_t *bin)
{
    for (size_t i = 0; i < n; i++) {
        double t = ((double)x[i] - lo) * scale;
        bin[i % TALLY_LANES * TALLY_BINS + (t < 0 ? 0 : t < TALLY_BINS ? (size_t)t : TALLY_BINS - 1)]++;
    }
}

const tally_t tally_ref = {"ref", range, count};

const tally_t *tally_at(int i)
{
    switch (i) {
    case 0: return &tally_ref;
    case 1: return &tally_vec;
#ifdef HAVE_AVX2
    case 2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &tally_avx2 : NULL;
#endif
#if defined(HAVE_AVX2) && defined(HAVE_AVX512)
    case 3: return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &tally_avx512 : NULL;
#endif
    default: return NULL;
    }
}

const tally_t *tally(void)
{
    const char *want = getenv("CRYOLEX_KERNEL");
    const tally_t *best = tally_at(0);
    for (int i = 1; tally_at(i) && !(want && !strcmp(want, "ref")); i++) best = tally_at(i);
    return best;
}
