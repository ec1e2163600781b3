/* schedule: the learning rate of a step: a straight rise, then a cosine (Loshchilov and Hutter 2017, arXiv 1608.03983,
 * without restarts). */
#ifndef CRYOLEX_NN_SCHEDULE_H
#define CRYOLEX_NN_SCHEDULE_H

#include <stdint.h>

typedef struct {
    double peak, floor; /* highest rate; the one at the end */
    uint64_t warmup;    /* steps of the rise; may be 0 */
    uint64_t steps;     /* of the whole run */
} schedule_t;

/* Step t = 0, 1, ...:  peak (t + 1) / warmup                    while t < warmup,
 * floor + (peak - floor) (1 + cos(pi (t - warmup) / (steps - warmup))) / 2   while t < steps,  floor from then on. Thread-safe. */
double schedule_rate(const schedule_t *s, uint64_t t);

#endif
