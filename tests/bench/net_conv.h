/* net_conv: one convolution, timed as nn.py's contestants are. */
#ifndef CRYOLEX_TESTS_BENCH_NET_CONV_H
#define CRYOLEX_TESTS_BENCH_NET_CONV_H

#include "base/err.h"

/* GFLOP/s of multiply-adds in registers, all threads. */
double net_peak(void);

/* task: "PASS N CI CO SIDE STRIDE PAD D", PASS forward, data or weights, cubes of side D. Milliseconds of one run on all
 * threads (weights: zeroing, summing over threads and the change of layout included), the median of as many as 25 ms hold;
 * *way: which way it went, static. Negative on failure. */
double net_conv(const char *task, const char **way, err_t *err);

#endif
