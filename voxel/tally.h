/* tally: what the values of many voxels are, in one pass each: their range, and how many lie in each bin of a histogram. The entries of
 * the table agree to the last bit, and in the sums of a bin over its lanes. */
#ifndef CRYOLEX_VOXEL_TALLY_H
#define CRYOLEX_VOXEL_TALLY_H

#include <stddef.h>
#include <stdint.h>

#define TALLY_BINS 4096
#define TALLY_LANES 4                  /* counters of a bin, added up at the end: equal values in a row do not wait for each other */
#define TALLY_MOST ((size_t)1 << 30)   /* most values in one call, and in a counter */

typedef struct {
    float least, most; /* of the finite values; INFINITY and -INFINITY where there is none */
    size_t bad;        /* values that are NaN or infinite */
} range_t;

typedef struct {
    const char *name;
    /* Add n values to *r, which starts from RANGE_NONE. */
    void (*range)(const float *x, size_t n, range_t *r);
    /* Add n finite values to bin (TALLY_LANES, TALLY_BINS): x belongs to bin (int)((x - lo) * scale), reckoned in double, or to the
     * first or last one where it lies beyond. */
    void (*count)(const float *x, size_t n, double lo, double scale, uint32_t *bin);
} tally_t;

#define RANGE_NONE ((range_t){.least = __builtin_inff(), .most = -__builtin_inff()})

/* Entry i, best last, entry 0 plain C; NULL past the end or when this CPU cannot run it. */
const tally_t *tally_at(int i);
/* The best one; entry 0 when the environment has CRYOLEX_KERNEL=ref. */
const tally_t *tally(void);

/* The entries, one object each. */
extern const tally_t tally_ref, tally_vec, tally_avx2, tally_avx512;

#endif
