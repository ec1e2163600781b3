/* nn_noise: numbers by a hash of a name and an index, the same as tests/parity/nn_torch.py makes. */
#ifndef CRYOLEX_TESTS_NN_NOISE_H
#define CRYOLEX_TESTS_NN_NOISE_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "nn/net.h"

/* x[i] in [-1, 1), i < n: FNV-1a of the name, mixed with i as in MurmurHash3. */
static inline void noise(const char *name, size_t n, float *x)
{
    uint32_t seed = 2166136261u;
    for (const char *p = name; *p; p++) seed = (seed ^ (unsigned char)*p) * 16777619u;
    for (size_t i = 0; i < n; i++) {
        uint32_t h = (uint32_t)i * 0x9e3779b1u ^ seed;
        h = (h ^ h >> 16) * 0x85ebca6bu;
        h = (h ^ h >> 13) * 0xc2b2ae35u;
        h ^= h >> 16;
        x[i] = (float)(h >> 8) * 0x1p-23f - 1;
    }
}

static inline int noise_ends(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && !strcmp(s + n - m, end);
}

/* params (net_size) of every tensor, padding 0. */
static inline void noise_fill(const net_t *net, float *params)
{
    memset(params, 0, net_size(net) * sizeof *params);
    for (size_t i = 0; i < net_tensors(net); i++) {
        const nettensor_t *t = net_tensor(net, i);
        float *x = params + t->at, at = 0, by = 0.25f;
        noise(t->name, t->size, x);
        if (t->ndim > 1) {
            by = (float)sqrt(6.0 / (double)(t->size / t->shape[0]));
        } else if (noise_ends(t->name, ".p")) {
            at = 3;
            by = 0.5f;
        } else if (noise_ends(t->name, "weight")) {
            at = 1;
        } else if (noise_ends(t->name, "running_var")) {
            at = 1;
            by = 0.5f;
        }
        for (size_t j = 0; j < t->size; j++) x[j] = at + x[j] * by;
    }
}

#endif
