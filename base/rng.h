/* rng: xoshiro256** (Blackman and Vigna 2018, doi 10.1145/3460772), seeded by SplitMix64. The state is the caller's:
 * one per thread. Equal seeds give equal streams on every machine. */
#ifndef CRYOLEX_BASE_RNG_H
#define CRYOLEX_BASE_RNG_H

#include <stdint.h>

typedef struct {
    uint64_t s[4];
} rng_t;

void rng_seed(rng_t *r, uint64_t seed);
uint64_t rng_next(rng_t *r);  /* uniform over 64 bits */
double rng_unit(rng_t *r);    /* uniform in [0, 1), 53 bits */
double rng_normal(rng_t *r);  /* mean 0, variance 1 (Box and Muller; uses two draws) */

#endif
