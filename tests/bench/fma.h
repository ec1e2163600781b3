/* fma: how many multiply-adds this machine does, measured. */
#ifndef CRYOLEX_TESTS_BENCH_FMA_H
#define CRYOLEX_TESTS_BENCH_FMA_H

#include "nn/isa.h"

/* GFLOP/s, two a multiply-add, of the calling thread over some 150 microseconds: float32 in registers, nothing else. */
double fma_peak(isa_t isa);

/* The sum of p (n, a multiple of 64): every byte is read once. */
float fma_read(isa_t isa, const float *p, size_t n);

/* Seconds of CPU of the calling thread: what others take of a shared machine does not count. */
double fma_clock(void);

#endif
